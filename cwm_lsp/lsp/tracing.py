"""Tracing on demand: which function and call a request means, the prediction that it waits for, and the
summary that it gets. Leaves out the commands' names (commands.py)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from cwm_lsp.lsp.analysis import Analysis, Model, Plan, make_plan
from cwm_lsp.lsp.arguments import Arguments
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.models import identity
from cwm_lsp.lsp.predict import PredictionFailedError
from cwm_lsp.lsp.progress import Bar
from cwm_lsp.lsp.protocol import InvalidParamsError
from cwm_lsp.lsp.render import outcome
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.model.backend import BackendError
from cwm_lsp.source.calls import CallError, bind, parse_call
from cwm_lsp.source.entry import entry_function

REQUEST_FAILED = -32803


class FailedError(JsonRpcException):
    """The request was fine, and can't be carried out; the message says why."""

    CODE = REQUEST_FAILED
    MESSAGE = "Request failed"

    def __init__(self, sentence: str) -> None:
        super().__init__(message=sentence, code=REQUEST_FAILED)


async def find_plan(session: Session, arguments: Arguments) -> tuple[Source, Plan]:
    """The function that is meant: by name, by position, by call; else the one that the file is entered by."""
    source = arguments.source()
    if arguments.text("uri") in session.by_text and arguments.position() is not None:
        source = session.by_text[arguments.needed("uri")]
    analysis = await read(session, source)
    document = analysis.document
    assert document is not None
    name, call, position = arguments.text("function"), arguments.text("call"), arguments.position()
    if call is not None:
        return source, _plan_of_call(session, source, call)
    if name is None and position is not None and source.follow is not None:
        uri = arguments.needed("uri")
        line = source.follow.old(uri, position.line)
        function = document.function_at(line) if line else None
        name = function.qualname.partition(".")[0] if function else None
    if name is None and len(analysis.plans) == 1:
        name = analysis.plans[0].function.qualname
    name = name or _first_called(analysis.plans) or entry_function(document)
    plan = analysis.plan(name) if name else None
    if plan is None:
        known = ", ".join(plan.function.qualname for plan in analysis.plans[:5]) or "none"
        raise FailedError(
            f"There is no function {name or ''} at the top level of {source.label}; it has {known}."
        )
    return source, plan


async def read(session: Session, source: Source) -> Analysis:
    """The newest analysis of a source, which has a document. Raises FailedError."""
    analysis = await session.analysed(source)
    if session.sources.get(source.uri) is not source:
        raise FailedError(f"{source.label} was closed meanwhile.")
    if source.skipped is not None or analysis.document is None or source.analysis is None:
        raise FailedError(source.skipped or str(analysis.error or f"{source.label} can't be read."))
    # It may have been read again before we had our turn; the document of an older text is of no use.
    return source.analysis if source.analysis.document is not None else analysis


def _first_called(plans: tuple[Plan, ...]) -> str | None:
    return next((plan.function.qualname for plan in plans if plan.call is not None), None)


def _plan_of_call(session: Session, source: Source, text: str) -> Plan:
    """The plan to trace a call that was typed. Raises InvalidParamsError with one sentence."""
    assert source.analysis is not None
    document = source.analysis.document
    assert document is not None
    try:
        call = parse_call(document, text)
        bind(document, call)
    except CallError as error:
        raise InvalidParamsError(f"{error}.".replace("..", ".")) from None
    known = source.analysis.plan(call.function)
    function = known.function if known is not None else document.function(call.function)
    calls = known.calls if known is not None else ()
    assert function is not None
    settings = session.settings
    return make_plan(
        document, function, call, calls, Model(identity(settings), settings.grounding), by_user=True
    )


async def trace(
    session: Session,
    source: Source,
    plan: Plan,
    token: types.ProgressToken | None = None,
    anew: bool = False,
) -> Traced:
    """The trace of a plan: what is at hand, else it is predicted, with progress. Raises FailedError."""
    known = source.results.get(plan.key or "")
    if known is not None and source.intact(known) and not anew:
        return known
    if plan.key is not None and not anew:
        remembered = session.cache.remembered(plan.key)
        if remembered is not None and plan.by_user:
            source.failures.pop(plan.key, None)
    if anew and plan.key is not None:
        source.set_results({key: item for key, item in source.results.items() if key != plan.key})
    session.predictions.retry()
    running = session.predictions.want(source, plan, asked=True)
    bar = Bar(session, f"Predicting {running.text}", lambda: session.predictions.cancel(running), token)
    running.listeners.append(lambda frames: bar.report(f"{frames:,} frames"))
    running.waiting += 1
    try:
        traced = await asyncio.shield(running.done)
    except asyncio.CancelledError:
        if running.done.cancelled():  # the prediction was ended, and not only this request for it
            raise FailedError(f"The prediction of {running.text} was cancelled.") from None
        if running.waiting == 1:
            session.predictions.cancel(running)
        raise
    except (BackendError, PredictionFailedError, CallError) as error:
        raise FailedError(str(error)) from None
    finally:
        running.waiting -= 1
        bar.end()
    return await _settled(session, source, plan, traced)


async def _settled(session: Session, source: Source, plan: Plan, traced: Traced) -> Traced:
    """Keeps a trace whose arguments the model invented under the call that came out, and shows it."""
    if plan.call is not None:
        return traced
    try:
        named = _plan_of_call(session, source, traced.trace.call)
    except InvalidParamsError:
        return traced
    assert named.key is not None
    trace_ = replace(traced.trace, key=named.key)
    session.cache.put(trace_)
    found = Traced(trace_, traced.document)
    found.prepare()
    choose(session, source, named)
    source.set_results({**source.results, named.key: found})
    session.show(source)
    return found


def choose(session: Session, source: Source, plan: Plan) -> None:
    """This call is the one to trace in this function from now on, remembered for the file."""
    assert plan.call is not None
    session.cache.choose(source.uri, plan.function.qualname, plan.call.text)
    if source.analysis is not None:
        plans = tuple(plan if p.function is plan.function else p for p in source.analysis.plans)
        source.analysis = replace(source.analysis, plans=plans)
        source.set_results(dict(source.results))


def summary(session: Session, source: Source, traced: Traced) -> dict[str, Any]:
    """What a request for a trace gets: all but the frames."""
    trace_ = traced.trace
    result = traced.by_line.result
    return {
        "trace": traced.key,
        "uri": source.uri,
        "function": trace_.function,
        "call": trace_.call,
        "outcome": outcome(traced, session.marks, 200),
        "result": result.to_json() if result is not None else None,
        "end": trace_.end.to_json(),
        "model": trace_.model,
        "grounding": trace_.grounding,
        "confidence": traced.confidence,
        "cached": traced.cached,
    }
