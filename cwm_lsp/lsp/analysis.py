"""What a snapshot of a file says: its functions, the call to trace in each, and the key under which that
trace is kept. Made off the event loop, and never changed.

Leaves out predicting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cwm_lsp.source.calls import CallError, TracedCall, bind, calls_in, parse_call
from cwm_lsp.source.dependencies import Closure, closure_of
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.flow import FlowError, flow_of
from cwm_lsp.source.functions import Function
from cwm_lsp.trace.cache import trace_key

MOST_OTHERS = 8
"""Calls of one function, besides the one that is shown, that are traced to see whether they come out."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A text to be analysed. `path` is None for what has no file; `label` is how to call it."""

    text: str
    path: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Model:
    """Who predicts: what tells this model from every other, and how it is grounded."""

    identity: str
    grounding: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A function at the top level, the call to trace (None: the file shows none that can be bound), all calls
    that could be, and the key of its trace. `others` are the plans of further calls, to be held against what
    the file says about them."""

    function: Function
    call: TracedCall | None
    calls: tuple[TracedCall, ...]
    closure: Closure
    key: str | None
    by_user: bool = False
    others: tuple[Plan, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """A snapshot read. `document` is None if it can't be; `error` then says why. `lines` are those of each
    function at which a frame can be, `around` is the innermost def around a line."""

    snapshot: Snapshot
    document: Document | None
    plans: tuple[Plan, ...] = ()
    error: DocumentError | None = None
    lines: Mapping[Function, frozenset[int]] = field(default_factory=dict)
    around: Mapping[int, Function] = field(default_factory=dict)

    @property
    def every_plan(self) -> tuple[Plan, ...]:
        """The plans of all calls: those that are shown first, then the others."""
        return (*self.plans, *(other for plan in self.plans for other in plan.others))

    def plan(self, function: str) -> Plan | None:
        """The plan of a function, by its qualname."""
        return next((plan for plan in self.plans if plan.function.qualname == function), None)


def analyse(snapshot: Snapshot, model: str, grounding: str, chosen: Mapping[str, str]) -> Analysis:
    """Reads a snapshot. `model` is its identity, `chosen` the calls that the user picked, by function."""
    try:
        document = Document.from_text(snapshot.text, snapshot.path or snapshot.label)
    except DocumentError as error:
        return Analysis(snapshot, None, error=error)
    shown: dict[str, list[TracedCall]] = {}
    for call in calls_in(document):
        if _binds(document, call):
            shown.setdefault(call.function, []).append(call)
    plans = []
    for function in document.functions:
        if (
            function.kind in ("function", "async")
            and function.parent is None
            and "." not in function.qualname
        ):
            if document.function(function.qualname) is not function:
                continue  # a later one of the same name wins
            calls = tuple(shown.get(function.qualname, ()))
            own = _chosen(document, chosen.get(function.qualname), function.qualname)
            best = own or next(iter(calls), None)
            key = Model(model, grounding)
            plan = make_plan(document, function, best, calls, key, by_user=own is not None)
            others = [make_plan(document, function, call, calls, key) for call in calls if call != best]
            known = [other for other in others if other.key != plan.key]
            plans.append(replace(plan, others=tuple(known[:MOST_OTHERS])))
    return Analysis(snapshot, document, tuple(plans), lines=_lines(document), around=_around(document))


def _around(document: Document) -> dict[int, Function]:
    found: dict[int, Function] = {}
    for function in document.functions:  # an outer one comes before those inside it
        if function.kind in ("function", "async"):
            found.update(dict.fromkeys(range(function.first_line, function.last_line + 1), function))
    return found


def _lines(document: Document) -> dict[Function, frozenset[int]]:
    try:
        flow = flow_of(document)
        return {
            function: frozenset(
                line
                for line in flow.line_numbers(function.qualname)
                if function.first_line <= line <= function.last_line
            )
            for function in document.functions
            if function.kind in ("function", "async")
        }
    except FlowError:
        return {}


def make_plan(
    document: Document,
    function: Function,
    call: TracedCall | None,
    calls: tuple[TracedCall, ...],
    model: Model,
    *,
    by_user: bool = False,
) -> Plan:
    """The plan to trace this call."""
    closure = closure_of(document, [function.qualname])
    key = trace_key(model.identity, model.grounding, closure.text, call.text) if call else None
    return Plan(function, call, calls, closure, key, by_user)


def _chosen(document: Document, text: str | None, function: str) -> TracedCall | None:
    if text is None:
        return None
    try:
        call = parse_call(document, text)
        bind(document, call)
    except CallError:
        return None
    return call if call.function == function else None


def _binds(document: Document, call: TracedCall) -> bool:
    try:
        bind(document, call)
    except CallError:
        return False
    return True
