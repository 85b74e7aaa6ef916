"""The commands of the server, and the custom requests: what they take, and what they answer.

docs/protocol.md tells each for those who write editor plugins. Leaves out the work behind them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from lsprotocol import types

from cwm_lsp.lsp.arguments import Arguments
from cwm_lsp.lsp.explain import explain
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.fill_commands import fill, fill_all
from cwm_lsp.lsp.models import known_models
from cwm_lsp.lsp.protocol import InvalidParamsError
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.lsp.trace_document import show_document
from cwm_lsp.lsp.trace_text import trace_text
from cwm_lsp.lsp.tracing import FailedError, choose, find_plan, summary, trace
from cwm_lsp.lsp.what_if import what_if

Token = types.ProgressToken | None
Command = Callable[[Session, Arguments, Token], Awaitable[Any]]


async def trace_command(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.trace: predicts a call (of `function`, at `position`, or `call`), unless that is known."""
    source, plan = await find_plan(session, arguments)
    traced = await trace(session, source, plan, token, anew=arguments.flag("anew"))
    return summary(session, source, traced)


async def trace_with(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.traceWith: another call is traced from now on; `call` is it, or one of those in the file is asked
    for."""
    source, plan = await find_plan(session, arguments)
    if arguments.text("call") is None:
        if not plan.calls:
            raise FailedError(f"No call of {plan.function.qualname} is in the file: give one as call.")
        shown = [call.text for call in plan.calls[:8]]
        picked = await _ask(session, f"Which call of {plan.function.qualname} is to be traced?", shown)
        if picked is None:
            return None
        raw = {"uri": source.uri, "call": picked}
        source, plan = await find_plan(session, Arguments(session, "cwm.traceWith", raw))
    choose(session, source, plan)
    traced = await trace(session, source, plan, token)
    if plan.key is not None:
        source.set_results({**source.results, plan.key: traced})
    session.show(source)
    return summary(session, source, traced)


async def show_trace(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.showTrace: the trace as a text, opened in the editor if it can; predicted first if need be."""
    key = arguments.text("trace")
    if key is not None:
        source, traced = _by_key(session, key)
    else:
        source, plan = await find_plan(session, arguments)
        traced = await trace(session, source, plan, token)
    return show_document(session, source, traced, opened=not arguments.flag("quiet"))


async def what_if_command(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.whatIf: the trace in which a variable held another value."""
    source, traced = await what_if(session, arguments, token)
    shown = show_document(session, source, traced, opened=not arguments.flag("quiet"))
    return {**summary(session, source, traced), "document": shown}


async def clear(session: Session, arguments: Arguments, _: Token) -> Any:
    """cwm.clear: forgets the traces of a file, or of all; they are predicted anew when asked for."""
    chosen = [arguments.source()] if arguments.text("uri") else list(session.sources.values())
    keys = [key for source in chosen for key in source.results]
    session.cache.forget(keys)
    for source in chosen:
        session.predictions.stop(source)
        source.set_results({})
        source.failures.clear()
        session.show(source)
    return {"cleared": len(keys)}


async def select_model(session: Session, arguments: Arguments, _: Token) -> Any:
    """cwm.selectModel: another model predicts from now on, in this session. `model` is a profile's name."""
    known = sorted(known_models())
    name = arguments.text("model") or await _ask(session, "Which model is to predict?", known)
    if name is None:
        return None
    if name not in known and name != session.own.settings.model:
        raise InvalidParamsError(f"There is no model {name}; known by name: {', '.join(known)}.")
    session.apply(replace(session.settings, model=name))
    session.predictions.tell()
    return {"model": name}


async def restart_engine(session: Session, _: Arguments, __: Token) -> Any:
    """cwm.restartEngine: lets go of the model, ends the shared engine that holds it, and predicts anew what
    was under way or had failed."""
    session.predictions.reset(engine=True)
    session.reread()
    return {"model": session.settings.model}


async def status(session: Session, _: Arguments, __: Token) -> Any:
    """cwm.status: what the server does, and with what."""
    from cwm_lsp import __version__

    state, model, message = session.predictions.state
    return {
        "version": __version__,
        "state": state,
        "model": model,
        "message": message,
        "grounding": session.settings.grounding,
        "settings": str(session.own.path),
        "problems": list(session.problems),
        "jobs": session.predictions.worker.pending + session.reader.pending,
        "files": [
            {
                "uri": source.uri,
                "functions": len(source.analysis.plans) if source.analysis else 0,
                "traces": len(source.results),
                "running": len(source.running),
                "failed": len(source.failures),
                "problem": source.skipped or _unread(source),
            }
            for source in session.sources.values()
        ],
    }


def _unread(source: Source) -> str | None:
    error = source.analysis.error if source.analysis is not None else None
    return None if error is None else str(error)


async def text_command(_: Session, arguments: Arguments, __: Token) -> Any:
    """cwm.text: the text of an open file as the server has it, to compare when something looks wrong."""
    source = arguments.source()
    return {"text": "".join(text.text for text in source.texts), "version": source.texts[0].version}


async def explain_command(session: Session, arguments: Arguments, _: Token) -> Any:
    """cwm.explain: why is shown what is shown of a function."""
    source, plan = await find_plan(session, arguments)
    return explain(session, source, plan)


async def debug_configuration(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.debugConfiguration: what a debug session takes to step through a trace; predicted if need be."""
    source, plan = await find_plan(session, arguments)
    traced = await trace(session, source, plan, token)
    if session.cache.get(traced.key) is None:
        session.cache.put(traced.trace)
    name = f"Step {traced.trace.call}"
    return {
        "type": "cwm",
        "request": "attach",
        "name": name,
        "key": traced.key,
        "program": source.path,
        "call": traced.trace.call,
    }


async def trace_request(session: Session, arguments: Arguments, token: Token) -> Any:
    """The request cwm/trace: a trace with all its frames, by `trace` (its key) or as cwm.trace finds it."""
    key = arguments.text("trace")
    if key is not None:
        source, traced = _by_key(session, key)
    else:
        source, plan = await find_plan(session, arguments)
        traced = await trace(session, source, plan, token, anew=arguments.flag("anew"))
    frames = [frame.to_json() for frame in traced.trace.frames]
    text = trace_text(traced, session.marks, source.label)
    return {**summary(session, source, traced), "frames": frames, "text": text}


COMMANDS: dict[str, Command] = {
    "cwm.trace": trace_command,
    "cwm.traceWith": trace_with,
    "cwm.showTrace": show_trace,
    "cwm.whatIf": what_if_command,
    "cwm.clear": clear,
    "cwm.selectModel": select_model,
    "cwm.restartEngine": restart_engine,
    "cwm.status": status,
    "cwm.explain": explain_command,
    "cwm.text": text_command,
    "cwm.debugConfiguration": debug_configuration,
    "cwm.fill": fill,
    "cwm.fillAll": fill_all,
}
REQUESTS: dict[str, Command] = {"cwm/trace": trace_request}


def _by_key(session: Session, key: str) -> tuple[Source, Traced]:
    """A trace at hand, by its key. Raises InvalidParamsError."""
    for source in session.sources.values():
        if key in source.results:
            return source, source.results[key]
    kept = session.cache.remembered(key)
    for source in session.sources.values():
        analysis = source.analysis
        document = analysis.document if analysis is not None else None
        if kept is not None and document is not None and document.text == kept.text:
            return source, Traced(kept, document)
    raise InvalidParamsError(f"There is no trace {key} of an open file.")


async def _ask(session: Session, question: str, choices: list[str]) -> str | None:
    """The choice that the user picks in a message; None if there is none."""
    if not session.client.message_actions:
        raise FailedError(f"{question} Say which: {', '.join(choices)}.")
    params = types.ShowMessageRequestParams(
        types.MessageType.Info, question, [types.MessageActionItem(title=choice) for choice in choices]
    )
    asked: Future[Any] = session.protocol.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
    try:
        answer = await asyncio.wrap_future(asked)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        raise FailedError(f"The editor did not answer: {error}.") from None
    title = getattr(answer, "title", None)
    return title if title in choices else None
