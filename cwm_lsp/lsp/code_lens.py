"""Code lenses above functions: the call that is traced with its outcome, and what can be done with it.

Leaves out the commands behind them. `step` and typing a call need the editor's own part: they are offered to
an editor that says it has them (`clientCommands`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from cwm_lsp.look import cut, marked, printable
from cwm_lsp.lsp.analysis import Plan
from cwm_lsp.lsp.places import whole_line
from cwm_lsp.lsp.render import outcome
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import Value

STEP = "cwm.step"
OTHER_CALL = "cwm.otherCall"
WIDTH = 60


def code_lens(session: Session, params: types.CodeLensParams) -> list[types.CodeLens] | None:
    """The answer to textDocument/codeLens."""
    source = session.by_text.get(params.text_document.uri)
    if source is None or not session.settings.code_lens or source.analysis is None or source.follow is None:
        return None
    lenses: list[types.CodeLens] = []
    for plan in source.analysis.plans:
        here = source.follow.now(plan.function.def_line)
        if here is None or here[0].uri != params.text_document.uri:
            continue
        span = whole_line(here[0], here[1], session.client.unit)
        lenses.extend(types.CodeLens(span, command) for command in _commands(session, source, plan))
    return lenses


def _reached(session: Session, source: Source, plan: Plan) -> types.Command | None:
    """What another function's trace says of a function that the file shows no call of."""
    known = source.tells(plan.function)
    if known is None:
        return None
    traced, activation = known
    item = traced.by_line.activations[activation]
    arguments = ", ".join(value.repr for value in item.arguments.values())
    came = item.exception or item.result
    sign = session.marks.wrong if item.exception is not None else session.marks.arrow
    value = Value(exception_text(came.repr), came.origin, came.confidence) if came is not None else None
    shown = marked(value, session.marks, WIDTH) if value is not None else session.marks.ellipsis
    call = cut(printable(f"{plan.function.name}({arguments})"), WIDTH, session.marks)
    what = {"uri": source.uri, "function": traced.trace.function}
    title = f"▷ {call} {sign} {shown} {session.marks.dot} in {traced.trace.function}"
    return types.Command(title, "cwm.showTrace", arguments=[what])


def _commands(session: Session, source: Source, plan: Plan) -> Iterator[types.Command]:
    name = plan.function.qualname
    what: dict[str, Any] = {"uri": source.uri, "function": name}
    reached = _reached(session, source, plan) if plan.call is None else None
    if reached is not None:
        yield reached
    elif plan.call is None:
        yield types.Command(f"▷ predict {name}(…)", "cwm.trace", arguments=[what])
    else:
        call = cut(printable(plan.call.text), WIDTH, session.marks)
        traced = source.results.get(plan.key or "")
        if traced is not None and source.intact(traced):
            shown = outcome(traced, session.marks, WIDTH)
            yield types.Command(f"▷ {call} {shown}", "cwm.showTrace", arguments=[what])
            yield types.Command("predict anew", "cwm.trace", arguments=[{**what, "anew": True}])
        elif plan.key in source.running:
            yield types.Command(f"▷ {call} {session.marks.dot} predicting…", "cwm.explain", arguments=[what])
        elif plan.key in source.failures:
            yield types.Command(f"▷ {call} {session.marks.dot} failed: why?", "cwm.explain", arguments=[what])
        else:
            yield types.Command(f"▷ {call} {session.marks.dot} predict", "cwm.trace", arguments=[what])
    if STEP in session.client.commands:
        yield types.Command("step", STEP, arguments=[what])
    if OTHER_CALL in session.client.commands:
        yield types.Command(
            "other call…", OTHER_CALL, arguments=[{**what, "calls": [call.text for call in plan.calls]}]
        )
    elif session.client.message_actions and len(plan.calls) > 1:
        yield types.Command("other call…", "cwm.traceWith", arguments=[what])
