"""Predicting one call in the background: the steps of a job, a frame each. Leaves out when that is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cwm_lsp.config import Settings
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.models import LoadingCancelledError, Models, budgets_of
from cwm_lsp.lsp.worker import CancelledJobError, Steps
from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.calls import TracedCall
from cwm_lsp.source.dependencies import Closure
from cwm_lsp.source.document import Document
from cwm_lsp.trace.cache import CachedTrace, TraceCache
from cwm_lsp.trace.frame import End, Frame
from cwm_lsp.world.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Wanted:
    """A trace to predict: of a call, or, with `call` None, of a function whose arguments the model
    invents."""

    document: Document
    function: str
    call: TracedCall | None
    closure: Closure
    key: str
    path: str | None

    @property
    def text(self) -> str:
        """How it is called in messages."""
        return self.call.text if self.call else f"{self.function}(…)"


class PredictionFailedError(Exception):
    """Nothing can be shown; one sentence why. `engine`: the model itself failed, and the next try would."""

    def __init__(self, sentence: str, engine: bool = False) -> None:
        super().__init__(sentence)
        self.engine = engine


def predict(
    wanted: Wanted,
    settings: Settings,
    models: Models,
    cache: TraceCache,
    *,
    cancel: Cancel,
    progress: Callable[[int], None],
) -> Steps[Traced]:
    """The steps; a frame each. Raises PredictionFailedError, BackendError, CallError."""
    try:
        models.cancel = cancel
        world = models.world(settings)
        yield
        budgets = budgets_of(settings)
        call = wanted.call or wanted.function
        simulation = Simulation.start(wanted.document, call, world.predictor, world.grounding, budgets)
        yield
        models.cancel = cancel
        while simulation.advance(cancel) is not None:
            progress(len(simulation.frames))
            yield
            models.cancel = cancel
    except LoadingCancelledError:
        raise CancelledJobError from None
    end = simulation.end
    assert end is not None
    failure = simulation.failure
    if end.reason == "failed" and (failure is None or failure.kind in ("engine", "cancelled")):
        raise PredictionFailedError(end.message or "The prediction failed.", engine=True)
    trace = kept(wanted, simulation.frames, end, world.name(), world.grounding)
    if end.reason != "failed" and self_contained(trace):
        cache.put(trace)
    yield
    traced = Traced(trace, wanted.document)
    traced.prepare()
    return traced


def kept(wanted: Wanted, frames: tuple[Frame, ...], end: End, model: str, grounding: str) -> CachedTrace:
    """The form in which a trace is kept."""
    first = frames[0] if frames else None
    text = wanted.text
    if wanted.call is None and first is not None:
        text = f"{wanted.function}({', '.join(value.repr for value in first.locals.values())})"
    return CachedTrace(
        wanted.key,
        wanted.document.text,
        wanted.path,
        wanted.function,
        text,
        frames,
        end,
        model,
        grounding,
        wanted.closure.spans,
    )


def self_contained(trace: CachedTrace) -> bool:
    """True if all its frames stand in the statements that its key is made of."""
    return all(any(first <= frame.line <= last for first, last in trace.spans) for frame in trace.frames)
