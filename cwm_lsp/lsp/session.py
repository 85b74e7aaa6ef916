"""The state of one connection, and what happens when: texts change, files have been idle, traces come in.

Everything here runs on the event loop and never waits. Work goes to two threads as jobs on immutable
snapshots: reading files to one, the model to the other. Leaves out how anything is shown (a file a feature).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types

from cwm_lsp.config import Loaded, Settings
from cwm_lsp.look import ASCII, UNICODE, Marks
from cwm_lsp.lsp.analysis import Analysis, Plan, analyse
from cwm_lsp.lsp.client import Client
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.fills import Filler
from cwm_lsp.lsp.models import identity
from cwm_lsp.lsp.predictions import Predictions
from cwm_lsp.lsp.progress import Bar
from cwm_lsp.lsp.sources import Follow, Source
from cwm_lsp.lsp.worker import CancelledJobError, Job, Priority, Steps, Worker
from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import DocumentError
from cwm_lsp.trace.cache import TraceCache, default_path

if TYPE_CHECKING:
    from cwm_lsp.lsp.protocol import Protocol

log = logging.getLogger(__name__)

REFRESH_S = 0.05


class Session:
    """One connection with one client."""

    def __init__(self, protocol: Protocol, loaded: Loaded, client: Client) -> None:
        self.protocol = protocol
        self.loop = asyncio.get_running_loop()
        self.client = client
        self.own = loaded
        self.settings: Settings = loaded.settings
        self.sources: dict[str, Source] = {}
        self.by_text: dict[str, Source] = {}
        self.bars: dict[types.ProgressToken, Bar] = {}
        self.reader = Worker("reader", self.deliver)
        self.cache = self._open_cache()
        self.predictions = Predictions(self)
        self.filler = Filler(self)
        self.changed: list[Callable[[Source], None]] = []
        self.closed: list[Callable[[Source], None]] = []
        self.with_diagnostics = set[str]()
        self.texts: dict[str, str] = {}
        self.orders: dict[str, list[str]] = {}
        self.problems: tuple[str, ...] = loaded.problems
        self._told = set[str]()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._analysing: dict[str, tuple[Source, int, asyncio.Future[Analysis]]] = {}
        self._refresh: asyncio.TimerHandle | None = None

    @property
    def marks(self) -> Marks:
        """The signs to show values with."""
        return ASCII if self.settings.ascii else UNICODE

    def deliver(self, call: Callable[[], None]) -> None:
        """Brings a call to the event loop, from any thread; nothing happens if it is closed."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(call)

    def close(self) -> bool:
        """Ends all work. False if a thread is still busy."""
        for timer in self._timers.values():
            timer.cancel()
        ended = self.reader.close() & self.predictions.close()
        self.cache.close()
        return ended

    # --- texts -------------------------------------------------------------------------------------------

    def add(self, source: Source) -> None:
        """A file or notebook was opened."""
        self.sources[source.uri] = source
        for text in source.texts:
            self.by_text[text.uri] = source
        self.touched(source, seconds=min(0.05, self.settings.idle_seconds))

    def remove(self, uri: str) -> None:
        """It was closed: its work ends."""
        source = self.sources.pop(uri, None)
        if source is None:
            return
        for text in source.texts:
            self.by_text.pop(text.uri, None)
        self._stop_timer(uri)
        self.predictions.stop(source)
        self.filler.stop(source)
        for listener in self.closed:
            listener(source)

    def touched(self, source: Source, seconds: float | None = None) -> None:
        """Its text has changed: it is read once it has been idle."""
        source.edits += 1
        source.spent = 0.0
        self._stop_timer(source.uri)
        wait = self.settings.idle_seconds if seconds is None else seconds
        self._timers[source.uri] = self.loop.call_later(wait, self._idle, source.uri)

    def saved(self, source: Source) -> None:
        """It was saved: no more waiting."""
        self._stop_timer(source.uri)
        self.analysed(source, predicting=self.settings.predict != "demand")

    def _idle(self, uri: str) -> None:
        source = self.sources.get(uri)
        if source is not None:
            self.analysed(source, predicting=self.settings.predict == "idle")

    def _stop_timer(self, uri: str) -> None:
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()

    # --- reading files ------------------------------------------------------------------------------------

    def analysed(self, source: Source, predicting: bool = False) -> asyncio.Future[Analysis]:
        """The analysis of the present text, and the kept traces with it. `predicting`: what is missing is
        then predicted in the background."""
        if source.size > self.settings.max_file_bytes:
            return self._skip(source)
        source.skipped = None
        if source.fresh and source.analysis is not None:
            done: asyncio.Future[Analysis] = self.loop.create_future()
            done.set_result(source.analysis)
            if predicting:
                self._predict(source)
            return done
        under_way = self._analysing.get(source.uri)
        if under_way is None or under_way[0] is not source or under_way[1] != source.edits:
            future: asyncio.Future[Analysis] = self.loop.create_future()
            self._analysing[source.uri] = (source, source.edits, future)
            self._submit_analysis(source, future)
        else:
            future = under_way[2]
        if predicting:
            future.add_done_callback(lambda done: None if done.cancelled() else self._predict(source))
        return future

    def _predict(self, source: Source) -> None:
        """Does in the background what was not done yet: holes first, they are what is being worked on."""
        if self.sources.get(source.uri) is source:
            self.filler.search(source, asked=False)
            self.predictions.missing(source)

    def _skip(self, source: Source) -> asyncio.Future[Analysis]:
        if source.skipped is None:
            limit = f"{self.settings.max_file_bytes:,} bytes (the setting max_file_bytes)"
            source.skipped = f"{source.label} is larger than {limit}: nothing is predicted in it."
            self.say(source.skipped, types.MessageType.Info, once=source.uri)
        analysis = Analysis(source.snapshot(), None)
        done: asyncio.Future[Analysis] = self.loop.create_future()
        done.set_result(analysis)
        return done

    def _submit_analysis(self, source: Source, future: asyncio.Future[Analysis]) -> None:
        snapshot, follow, edits = source.snapshot(), Follow(source.texts), source.edits
        settings, cache, known = self.settings, self.cache, dict(source.results)

        def steps(_: Cancel) -> Steps[tuple[Analysis, dict[str, Traced]]]:
            yield
            chosen = cache.chosen(source.uri)
            analysis = analyse(snapshot, identity(settings), settings.grounding, chosen)
            yield
            found: dict[str, Traced] = {}
            for plan in analysis.every_plan:
                traced = recall(plan, analysis, cache, known, settings)
                if traced is not None:
                    found[traced.key] = traced
                yield
            return analysis, found

        def done(result: tuple[Analysis, dict[str, Traced]] | None, error: BaseException | None) -> None:
            under_way = self._analysing.get(source.uri)
            if under_way is not None and under_way[2] is future:
                del self._analysing[source.uri]
            if result is None:
                follow.close()
                if isinstance(error, CancelledJobError):
                    future.cancel()
                    return
                log.error("%s could not be analysed", source.label, exc_info=error)
                why = DocumentError(f"{source.label} can't be read: {type(error).__name__}: {error}.")
                source.analysed_edits = edits
                future.set_result(Analysis(snapshot, None, error=why))
                return
            self._take_analysis(source, follow, edits, *result)
            if not future.done():
                future.set_result(result[0])

        self.reader.submit(Job(f"read {source.label}", Priority.URGENT, steps, done))

    def _take_analysis(
        self, source: Source, follow: Follow, edits: int, analysis: Analysis, found: dict[str, Traced]
    ) -> None:
        if self.sources.get(source.uri) is not source or edits < source.analysed_edits:
            follow.close()
            return
        source.analysed_edits = edits
        source.take(analysis, follow)
        if analysis.document is not None:
            keys = {plan.key for plan in analysis.every_plan if plan.key is not None}
            source.set_results(found)
            source.failures = {key: why for key, why in source.failures.items() if key in keys}
            for key, running in list(source.running.items()):
                if key not in keys and not running.asked:
                    self.predictions.cancel(running)
        self.show(source)

    # --- showing ------------------------------------------------------------------------------------------

    def show(self, source: Source) -> None:
        """What is known of a source has changed: diagnostics go out, and the client may ask for the rest."""
        if self.sources.get(source.uri) is source:
            for listener in self.changed:
                listener(source)
        if self._refresh is None:
            self._refresh = self.loop.call_later(REFRESH_S, self._ask_to_refresh)

    def _ask_to_refresh(self) -> None:
        self._refresh = None
        if self.client.hint_refresh:
            self.protocol.ask(types.WORKSPACE_INLAY_HINT_REFRESH, None)
        if self.client.lens_refresh:
            self.protocol.ask(types.WORKSPACE_CODE_LENS_REFRESH, None)
        if self.client.value_refresh:
            self.protocol.ask(types.WORKSPACE_INLINE_VALUE_REFRESH, None)

    def say(
        self, sentence: str, kind: types.MessageType = types.MessageType.Info, once: str | None = None
    ) -> None:
        """A sentence for the user, whole and rare; `once`: never twice under that name."""
        if once is not None:
            if once in self._told:
                return
            self._told.add(once)
        params = types.ShowMessageParams(type=kind, message=f"cwm-lsp: {sentence}")
        self.protocol.notify(types.WINDOW_SHOW_MESSAGE, params)

    def forget_told(self, once: str) -> None:
        """What was said under this name may be said again."""
        self._told.discard(once)

    # --- settings -----------------------------------------------------------------------------------------

    def apply(self, settings: Settings) -> None:
        """New settings hold from now on: where the model changes, predictions end and are done anew."""
        old, self.settings = self.settings, settings
        if old == settings:
            return
        if (old.cache, old.cache_megabytes) != (settings.cache, settings.cache_megabytes):
            self.cache.close()
            self.cache = self._open_cache()
        told = ("model", "backend", "grounding")
        budgets = ("max_frames", "max_tokens", "max_seconds")
        if any(getattr(old, name) != getattr(settings, name) for name in told):
            self.predictions.reset()
            self.filler.reset()
            self.reread()
        elif any(getattr(old, name) != getattr(settings, name) for name in budgets):
            self.predictions.stop_all()
            self.reread()
        for source in self.sources.values():
            self.show(source)

    def set_log_level(self) -> None:
        """The log tells as much as the settings want."""
        logging.getLogger("cwm_lsp").setLevel(self.settings.log_level.upper())

    def reread(self) -> None:
        """Reads every open file anew, and predicts what is then missing."""
        for source in self.sources.values():
            source.set_results({})
            source.failures.clear()
            source.analysed_edits = -1
            self._analysing.pop(source.uri, None)
            self.analysed(source, predicting=self.settings.predict != "demand")

    def _open_cache(self) -> TraceCache:
        path = default_path() if self.settings.cache else None
        return TraceCache(path, self.settings.cache_megabytes)


def recall(
    plan: Plan, analysis: Analysis, cache: TraceCache, known: dict[str, Traced], settings: Settings
) -> Traced | None:
    """The kept trace of a plan, moved to where its code now stands; None if there is none that will do."""
    if plan.key is None or analysis.document is None:
        return None
    before = known.get(plan.key)
    trace = before.trace if before is not None else cache.get(plan.key)
    if trace is None or (trace.end.reason == "budget" and trace.end.frames < settings.max_frames):
        return None
    try:
        moved = trace.moved(analysis.document.text, plan.closure.spans, analysis.snapshot.path)
    except ValueError:
        return None
    traced = Traced(moved, analysis.document, cached=before is None or before.cached)
    traced.prepare()
    return traced
