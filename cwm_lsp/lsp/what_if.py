"""What if a variable held another value: the trace is forked there, and predicted on from the edit.

Leaves out stepping through it (a debug session).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from lsprotocol import types

from cwm_lsp.config import Settings
from cwm_lsp.lsp.arguments import Arguments
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.models import LoadingCancelledError, Models, budgets_of
from cwm_lsp.lsp.progress import Bar
from cwm_lsp.lsp.protocol import InvalidParamsError
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.lsp.tracing import FailedError, find_plan, trace
from cwm_lsp.lsp.worker import CancelledJobError, Job, Priority, Steps
from cwm_lsp.model.backend import BackendError, Cancel
from cwm_lsp.trace.cache import trace_key
from cwm_lsp.world.replaying import replay


async def what_if(
    session: Session, arguments: Arguments, token: types.ProgressToken | None
) -> tuple[Source, Traced]:
    """The forked trace. `name` and `value` are what is edited, `line` (0-based, of the client) or `position`
    where, `run` (from 1) which time that the line runs; or `frame`, an index in the trace."""
    name, value = arguments.needed("name"), arguments.needed("value")
    source, plan = await find_plan(session, arguments)
    traced = await trace(session, source, plan, token)
    frame = _frame(source, arguments, traced)
    if name not in traced.trace.frames[frame].locals:
        known = ", ".join(traced.trace.frames[frame].locals) or "none"
        raise InvalidParamsError(f"There is no local {name} there; there is {known}.")
    settings, done = session.settings, session.loop.create_future()

    def finished(result: Traced | None, error: BaseException | None) -> None:
        if done.done():
            return
        if result is not None:
            done.set_result(result)
        elif error is None or isinstance(error, CancelledJobError):
            done.set_exception(FailedError("The prediction was cancelled."))
        else:
            done.set_exception(error)

    models = session.predictions.models
    steps = partial(_steps, traced, frame, {name: value}, models, settings=settings)
    job = Job(f"what if {name} = {value}", Priority.INTERACTIVE, steps, finished)
    bar = Bar(session, f"Predicting with {name} = {value}", job.cancel.cancel, token)
    session.predictions.worker.submit(job)
    try:
        found: Traced = await done
    except asyncio.CancelledError:
        session.predictions.worker.cancel(job)
        raise
    except (BackendError, ValueError) as error:
        raise FailedError(str(error)) from None
    finally:
        bar.end()
    session.cache.put(found.trace)
    return source, found


def _frame(source: Source, arguments: Arguments, traced: Traced) -> int:
    """The index of the frame in which the value is edited. Raises InvalidParamsError."""
    frame = arguments.number("frame")
    if frame is None:
        position, line = arguments.position(), arguments.number("line")
        uri = arguments.text("uri") or source.texts[0].uri
        present = position.line if position is not None else line
        if present is None:
            raise InvalidParamsError("cwm.whatIf needs line, position or frame.")
        old = source.follow.old(uri, present) if source.follow else None
        visits = traced.by_line.visits(old) if old is not None else []
        run = arguments.number("run") or 1
        if run > len(visits):
            raise InvalidParamsError(
                f"Line {present + 1} runs {len(visits)} times in {traced.trace.call}, as predicted."
            )
        frame = visits[run - 1].frame
    if frame >= len(traced.trace.frames) or traced.trace.frames[frame].event not in ("call", "line"):
        raise InvalidParamsError(f"Frame {frame} of the trace has no locals to edit.")
    return frame


def _steps(
    traced: Traced, frame: int, edits: dict[str, str], models: Models, cancel: Cancel, *, settings: Settings
) -> Steps[Traced]:
    trace_ = traced.trace
    try:
        models.cancel = cancel
        world = models.world(settings)
        yield
        simulation = replay(
            traced.document,
            trace_.frames,
            trace_.end,
            world.predictor,
            grounding=world.grounding,
            budgets=budgets_of(settings),
        )
        simulation.seek(frame)
        simulation.fork(edits)
        yield
        models.cancel = cancel
        while simulation.advance(cancel) is not None:
            yield
            models.cancel = cancel
    except LoadingCancelledError:
        raise CancelledJobError from None
    end = simulation.end
    assert end is not None
    if end.reason == "failed" and simulation.failure and simulation.failure.kind in ("engine", "cancelled"):
        raise BackendError(end.message or "The prediction failed.")
    edited = ", ".join(f"{name} = {value}" for name, value in edits.items())
    key = trace_key(trace_.model, trace_.grounding, trace_.key, f"frame {frame}: {edited}")
    call = f"{trace_.call} with {edited}"
    forked = replace(trace_, key=key, call=call, frames=simulation.frames, end=end, created=0.0)
    found = Traced(forked, traced.document)
    found.prepare()
    return found
