"""Diagnostics from predicted traces: an exception that would escape, a result that is not the expected one,
code that no traced call reaches.

Only from traces of code that stands as it was, and above a threshold of confidence. Leaves out everything
that a type checker or a linter says.
"""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from cwm_lsp.look import cut, percent, printable
from cwm_lsp.lsp.analysis import Plan
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.places import whole_line
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.source.functions import Function
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import Value
from cwm_lsp.world.metrics import same_output

SOURCE = "cwm"
SEVERITIES = {
    "hint": types.DiagnosticSeverity.Hint,
    "information": types.DiagnosticSeverity.Information,
    "warning": types.DiagnosticSeverity.Warning,
}
WIDTH = 80


def publish(session: Session, source: Source) -> None:
    """Sends the diagnostics of every text of a source; none where there are none any more."""
    found: dict[str, list[types.Diagnostic]] = {text.uri: [] for text in source.texts}
    for uri, diagnostic in diagnose(session, source):
        found[uri].append(diagnostic)
    for text in source.texts:
        items = found[text.uri]
        if items or text.uri in session.with_diagnostics:
            (session.with_diagnostics.add if items else session.with_diagnostics.discard)(text.uri)
            version = None if source.notebook else text.version
            params = types.PublishDiagnosticsParams(text.uri, items, version)
            session.protocol.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)


def withdraw(session: Session, source: Source) -> None:
    """The source is closed: nothing is said of it any more."""
    for text in source.texts:
        if text.uri in session.with_diagnostics:
            session.with_diagnostics.discard(text.uri)
            params = types.PublishDiagnosticsParams(text.uri, [])
            session.protocol.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)


def diagnose(session: Session, source: Source) -> Iterator[tuple[str, types.Diagnostic]]:
    """(uri of the text, diagnostic) of all that the traces at hand say."""
    if source.analysis is None or source.analysis.document is None:
        return
    wanted = session.settings.diagnostics
    for plan in source.analysis.every_plan:
        traced = source.results.get(plan.key or "")
        if traced is None or not source.intact(traced):
            continue
        if "exception" in wanted:
            yield from _exception(session, source, plan, traced)
        if "expectation" in wanted:
            yield from _expectation(session, source, plan, traced)
    if "unreached" in wanted:
        for function, traced, _ in source.shown():
            yield from _unreached(session, source, function, traced)


def _exception(
    session: Session, source: Source, plan: Plan, traced: Traced
) -> Iterator[tuple[str, types.Diagnostic]]:
    end = traced.trace.end
    value = traced.by_line.result
    if end.reason != "raised" or value is None or not _sure(session, traced):
        return
    raising = [
        visit for line in traced.by_line.lines for visit in traced.by_line.visits(line) if visit.raised
    ]
    if not raising:
        return
    last = max(raising, key=lambda visit: (traced.by_line.activations[visit.activation].depth, visit.frame))
    what = cut(printable(exception_text(value.repr)), WIDTH, session.marks)
    related = [(plan.call.line, f"in the call {plan.call.text}")] if plan.call else []
    message = f"predicted: {what} in {traced.trace.call}{_confidence(traced)}"
    yield from _make(session, source, last.line, message, related=related, kind="exception")


def _expectation(
    session: Session, source: Source, plan: Plan, traced: Traced
) -> Iterator[tuple[str, types.Diagnostic]]:
    call, end = plan.call, traced.trace.end
    if call is None or call.expected is None or end.reason != "returned" or end.value is None:
        return
    if same_output(end.value, call.expected) or not _sure(session, traced):
        return
    predicted = cut(printable(end.value), WIDTH, session.marks)
    expected = cut(printable(call.expected), WIDTH, session.marks)
    last = max(traced.by_line.activations[0].visits, key=lambda visit: visit.frame, default=None)
    related = [(last.line, f"returns {predicted}")] if last else []
    message = f"predicted {predicted}, expected {expected}{_confidence(traced)}"
    yield from _make(session, source, call.line, message, related=related, kind="expectation")


def _unreached(
    session: Session, source: Source, function: Function, traced: Traced
) -> Iterator[tuple[str, types.Diagnostic]]:
    """Lines of a function that no finished trace which entered it reaches."""
    runs = [t for t in source.results.values() if t.activations(function) and source.intact(t)]
    if source.running or any(
        t.trace.end.reason not in ("returned", "raised") or not _sure(session, t) for t in runs
    ):
        return
    assert source.analysis is not None
    possible = source.analysis.lines.get(function, frozenset())
    reached = frozenset().union(*(t.by_line.lines for t in runs))
    missing = sorted(line for line in possible - reached if line > function.def_line)
    if not reached & possible:
        return
    called = ", ".join(t.trace.call for t in runs[:3]) + (", …" if len(runs) > 3 else "")
    for line in _first_of_runs(missing, sorted(possible)):
        message = f"no traced call reaches this: {cut(called, WIDTH, session.marks)}"
        related = [(traced.by_line.activations[0].line, f"predicted: {traced.trace.call}")]
        yield from _make(session, source, line, message, related=related, kind="unreached")


def _first_of_runs(missing: list[int], possible: list[int]) -> Iterator[int]:
    """The first line of each stretch of lines that are all not reached."""
    gone = set(missing)
    before = None
    for line in possible:
        if line in gone and before not in gone:
            yield line
        before = line


def _make(
    session: Session, source: Source, line: int, message: str, *, related: list[tuple[int, str]], kind: str
) -> Iterator[tuple[str, types.Diagnostic]]:
    if source.follow is None or (here := source.follow.now(line)) is None:
        return
    text, present = here
    unit = session.client.unit
    severity = SEVERITIES[session.settings.diagnostics_severity]
    information = []
    for other, words in related if session.client.related_information else ():
        there = source.follow.now(other)
        if there is not None:
            location = types.Location(there[0].uri, whole_line(there[0], there[1], unit))
            information.append(types.DiagnosticRelatedInformation(location, words))
    unreached = kind == "unreached"
    tag = [types.DiagnosticTag.Unnecessary] if unreached and session.client.unnecessary_tag else None
    yield (
        text.uri,
        types.Diagnostic(
            whole_line(text, present, unit),
            message,
            types.DiagnosticSeverity.Hint if unreached else severity,
            code=kind,
            source=SOURCE,
            tags=tag,
            related_information=information or None,
        ),
    )


def _sure(session: Session, traced: Traced) -> bool:
    return traced.confidence is None or traced.confidence >= session.settings.diagnostics_confidence


def _confidence(traced: Traced) -> str:
    value = Value("", "predicted", traced.confidence)
    return f" ({percent(value.confidence)} sure)" if value.confidence is not None else ""
