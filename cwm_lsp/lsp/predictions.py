"""Which predictions are under way, who waits for them, and what state the model is in.

On the event loop, like the session; the model itself is used on the worker's thread alone. Leaves out the
steps of a prediction (predict.py).
"""

from __future__ import annotations

import hashlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from cwm_lsp.lsp.analysis import Plan
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.models import Models
from cwm_lsp.lsp.predict import PredictionFailedError, Wanted, predict
from cwm_lsp.lsp.progress import Bar
from cwm_lsp.lsp.sources import Running, Source
from cwm_lsp.lsp.worker import CancelledJobError, Job, Priority, Steps, Worker
from cwm_lsp.model.backend import BackendError, Cancel
from cwm_lsp.source.calls import CallError

if TYPE_CHECKING:
    from cwm_lsp.lsp.session import Session

log = logging.getLogger(__name__)

TELL_EVERY = 10  # frames
RESTART = "Restart it with the command cwm.restartEngine, or choose another model with cwm.selectModel."


class Predictions:
    """The model's work."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.worker = Worker("model", session.deliver)
        self.models = Models(lambda state, name: session.deliver(partial(self._model_is, state, name)))
        self.problem: str | None = None
        self.loading: str | None = None
        self._loading_bar: Bar | None = None
        self._batch: Bar | None = None
        self._told: tuple[str, str, str] | None = None

    def missing(self, source: Source) -> None:
        """Predicts in the background what no cache had, nearest to where the user is first."""
        session = self._session
        if source.analysis is None or self.problem or session.sources.get(source.uri) is not source:
            return
        known = {*source.results, *source.running, *source.failures}
        main = {plan.key for plan in source.analysis.plans}
        plans = [p for p in source.analysis.every_plan if p.key is not None and p.key not in known]
        plans.sort(key=lambda plan: (plan.key not in main, abs(plan.function.def_line - source.focus)))
        for plan in plans:
            self.want(source, plan, asked=False)
        if plans and self._batch is None:
            self._batch = Bar(session, "Predicting values", self._stop_background)

    def want(self, source: Source, plan: Plan, asked: bool) -> Running:
        """Begins to predict a plan's trace, or joins the prediction of it that is under way. A plan without
        a call leaves its arguments to the model."""
        assert source.analysis is not None
        assert source.analysis.document is not None
        key = plan.key or invented_key(plan)
        running = source.running.get(key)
        if running is not None:
            running.asked |= asked
            if asked and running.job is not None:
                running.job.priority = Priority.INTERACTIVE
            return running
        document, name = source.analysis.document, plan.function.qualname
        wanted = Wanted(document, name, plan.call, plan.closure, key, source.path)
        running = Running(key, wanted.text, asked, self._session.loop.create_future())
        source.running[key] = running
        source.failures.pop(key, None)
        self._submit(source, running, wanted)
        self.tell()
        return running

    def _submit(self, source: Source, running: Running, wanted: Wanted) -> None:
        session, settings, cache = self._session, self._session.settings, self._session.cache

        def progress(frames: int) -> None:
            running.frames = frames
            if frames % TELL_EVERY == 1:
                session.deliver(partial(self._report, running))

        def steps(cancel: Cancel) -> Steps[Traced]:
            yield
            if not running.asked and source.spent > settings.background_seconds:
                raise CancelledJobError
            began = time.monotonic()
            try:
                return (
                    yield from predict(wanted, settings, self.models, cache, cancel=cancel, progress=progress)
                )
            finally:
                source.spent += time.monotonic() - began

        priority = Priority.INTERACTIVE if running.asked else Priority.BACKGROUND
        done = partial(self._done, source, running)
        running.job = Job(f"predict {wanted.text}", priority, steps, done)
        self.worker.submit(running.job)

    def _report(self, running: Running) -> None:
        if self._batch is not None:
            self._batch.report(f"{running.text}: {running.frames} frames")
        for listener in running.listeners:
            listener(running.frames)

    def _done(
        self, source: Source, running: Running, traced: Traced | None, error: BaseException | None
    ) -> None:
        if source.running.get(running.key) is running:
            del source.running[running.key]
        if traced is not None:
            self.problem = None
            self._take(source, traced)
        elif isinstance(error, BackendError | PredictionFailedError | CallError):
            source.failures[running.key] = str(error)
            if isinstance(error, BackendError) or getattr(error, "engine", False):
                self.failed(str(error))
        elif not isinstance(error, CancelledJobError):
            log.error("a prediction failed", exc_info=error)
            source.failures[running.key] = f"The prediction failed: {type(error).__name__}: {error}"
        if not running.done.done():
            if traced is not None:
                running.done.set_result(traced)
            elif isinstance(error, CancelledJobError) or error is None:
                running.done.cancel()
            else:
                running.done.set_exception(error)
                running.done.exception()  # nobody may be waiting, and that is fine
        if self._batch is not None and not any(item.running for item in self._session.sources.values()):
            self._batch.end()
            self._batch = None
        self.tell()
        self._session.show(source)

    def _take(self, source: Source, traced: Traced) -> None:
        """A trace is there; it is shown if the present analysis still has the code that it is of."""
        analysis = source.analysis
        plan = next((p for p in analysis.every_plan if p.key == traced.key), None) if analysis else None
        if plan is None or analysis is None or analysis.document is None:
            return
        if traced.document is not analysis.document:
            try:
                moved = traced.trace.moved(analysis.document.text, plan.closure.spans, source.path)
            except ValueError:
                return
            traced = Traced(moved, analysis.document)
        source.set_results({**source.results, traced.key: traced})

    # --- ending -------------------------------------------------------------------------------------------

    def cancel(self, running: Running) -> None:
        """Ends a prediction."""
        if running.job is not None:
            self.worker.cancel(running.job)

    def stop(self, source: Source) -> None:
        """Ends all predictions of a source."""
        for running in source.running.values():
            self.cancel(running)

    def stop_all(self) -> None:
        """Ends all predictions."""
        for source in self._session.sources.values():
            self.stop(source)

    def _stop_background(self) -> None:
        for source in self._session.sources.values():
            for running in source.running.values():
                if not running.asked:
                    self.cancel(running)

    def reset(self, engine: bool = False) -> None:
        """Ends everything and lets go of the model: the next prediction loads it anew. `engine`: the shared
        process that holds it ends too."""
        settings = self._session.settings
        for source in self._session.sources.values():
            self.stop(source)
            source.running.clear()
        self.problem = None
        self._session.forget_told("engine")

        def steps(_: Cancel) -> Steps[None]:
            yield
            if engine:
                self.models.stop_engine(settings)
            else:
                self.models.close()

        self.worker.submit(Job("close the model", Priority.URGENT, steps, lambda *_: self.tell()))

    def close(self) -> bool:
        """Ends the thread; False if it is still busy."""
        ended = self.worker.close()
        if ended:
            self.models.close()
        return ended

    def retry(self) -> None:
        """The user asks again: what failed before may be tried anew."""
        self.problem = None
        self._session.forget_told("engine")

    # --- the model's state --------------------------------------------------------------------------------

    def failed(self, sentence: str) -> None:
        """The model can't predict: said once, with what to do; nothing more is tried in the background."""
        self.problem = sentence
        self._stop_background()
        self._session.say(f"{sentence} {RESTART}", types.MessageType.Error, once="engine")
        self.tell()

    def _model_is(self, state: str, doing: str) -> None:
        self.loading = doing if state == "loading" else None
        if self.loading is None:
            if self._loading_bar is not None:
                self._loading_bar.end()
                self._loading_bar = None
        elif self._loading_bar is None:
            self._loading_bar = Bar(self._session, f"Loading {self._session.settings.model}", self.stop_all)
        else:
            self._loading_bar.report(self.loading)
        self.tell()

    @property
    def state(self) -> tuple[str, str, str]:
        """(idle, loading, predicting or error; the model's name; a sentence)."""
        model = self._session.settings.model
        running = [item for source in self._session.sources.values() for item in source.running.values()]
        if self.problem:
            return "error", model, f"{self.problem} {RESTART}"
        if self.loading:
            return "loading", model, f"loading {self.loading}"
        if running:
            return "predicting", model, f"predicting {running[0].text}"
        return "idle", model, ""

    def tell(self) -> None:
        """Sends `cwm/status` to a client that wants it, when it has changed."""
        state = self.state
        if self._session.client.status and state != self._told:
            self._told = state
            params = {"state": state[0], "model": state[1], "message": state[2]}
            self._session.protocol.notify("cwm/status", params)


def invented_key(plan: Plan) -> str:
    """The key of a trace whose arguments the model invents. It is not kept."""
    text = hashlib.sha256(plan.closure.text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return f"invented-{plan.function.qualname}-{text}"
