"""Several requests on one model at the same time: whoever waits for a pass goes into the next one together.

Each request runs the ordinary decoder in a thread of its own. Only one of these threads runs at any time (it
holds the baton), except while they wait for a pass; the last one to arrive makes the pass for all. An engine
that can't take several sequences in a pass serves the oldest request of the highest priority first. Leaves
out decoding and the engines.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from cwm_lsp.model.backend import Cancel, Priority
from cwm_lsp.model.runner import Cache, Ids, Logits, Runner

RANK: dict[Priority, int] = {"interactive": 0, "prefetch": 1, "background": 2}
_LOOK = 0.02
_HAND_ON = 0.001


@runtime_checkable
class Batching(Protocol):
    """A runner that takes several sequences in one pass."""

    def extend_many(self, work: Sequence[tuple[Any, Ids, bool]]) -> list[Logits]:
        """Appends tokens to each; logits after the last of them, (1, V), or after all, (T, V)."""


@dataclass(eq=False, slots=True)
class _Running:
    """A request under way."""

    number: int
    priority: Priority
    cancel: Cancel | None
    parked: bool = False

    @property
    def order(self) -> tuple[int, int]:
        return RANK[self.priority], self.number


@dataclass(eq=False, slots=True)
class _Wanted:
    """A pass that a request waits for."""

    running: _Running
    cache: Cache
    ids: Ids
    every: bool
    done: bool = False
    logits: Logits | None = None
    error: BaseException | None = None


@dataclass(slots=True)
class Load:
    """What goes on: requests that wait to begin, those under way, and passes and tokens so far."""

    queued: int = 0
    running: int = 0
    passes: int = 0
    together: int = 0
    tokens: int = 0
    by_priority: dict[str, int] = field(default_factory=dict)


class Together:
    """A runner for many threads. `slots`: how many requests may be under way at once."""

    def __init__(self, runner: Runner, slots: int) -> None:
        self.runner = runner
        self._batching = isinstance(runner, Batching)
        self._slots = max(1, slots)
        self._baton = threading.Condition()
        # How many threads wait for the baton: whoever has it hands it on before the next pass.
        self._knocking = 0
        self._door = threading.Lock()
        self._running: list[_Running] = []
        self._queue: list[_Running] = []
        self._wanted: list[_Wanted] = []
        self._number = 0
        self._local = threading.local()
        self._load = Load()

    @property
    def vocabulary_size(self) -> int:
        """Length of the logits."""
        return self.runner.vocabulary_size

    @property
    def context(self) -> int:
        """The most tokens a sequence can have."""
        return self.runner.context

    def new(self) -> Cache:
        """An empty sequence."""
        return _Shared(self, self.runner.new())

    def close(self) -> None:
        """Frees the model."""
        self.runner.close()

    def load(self) -> Load:
        """What goes on."""
        with self._with_baton():
            load = self._load
            counts: dict[str, int] = {}
            for each in (*self._running, *self._queue):
                counts[each.priority] = counts.get(each.priority, 0) + 1
            return Load(len(self._queue), len(self._running), load.passes, load.together, load.tokens, counts)

    @contextmanager
    def request(self, priority: Priority, cancel: Cancel | None) -> Any:
        """A request's turn, with the baton held. Yields False if it was cancelled while it waited."""
        with self._with_baton():
            self._number += 1
            me = _Running(self._number, priority, cancel)
            self._queue.append(me)
            try:
                while self._running and (len(self._running) >= self._slots or self._first() is not me):
                    if cancel is not None and cancel.cancelled:
                        yield False
                        return
                    self._baton.wait(_LOOK)
            finally:
                self._queue.remove(me)
            self._running.append(me)
            self._local.running = me
            try:
                yield True
            finally:
                self._running.remove(me)
                self._local.running = None
                self._baton.notify_all()

    @contextmanager
    def alone(self) -> Any:
        """The baton while nobody is under way."""
        with self._with_baton():
            while self._running:
                self._baton.wait(_LOOK)
            yield

    @contextmanager
    def _with_baton(self) -> Any:
        with self._door:
            self._knocking += 1
        with self._baton:
            with self._door:
                self._knocking -= 1
            yield

    def before_pass(self) -> None:
        """Waits until it is this request's turn to compute; returns at once when it is cancelled."""
        me: _Running = self._local.running
        while self._knocking:
            self._baton.wait(_HAND_ON)
        if self._may_go(me):
            return
        me.parked = True
        try:
            while not self._may_go(me) and not (me.cancel is not None and me.cancel.cancelled):
                self._arrived()
                self._baton.wait(_LOOK)
        finally:
            me.parked = False

    def extend(self, cache: Cache, ids: Ids, every: bool) -> Logits:
        """One request's part of a pass."""
        me: _Running | None = getattr(self._local, "running", None)
        if me is None:
            return cache.extend_all(ids) if every else cache.extend(ids)[None]
        wanted = _Wanted(me, cache, ids, every)
        self._wanted.append(wanted)
        while not wanted.done:
            self._arrived()
            if not wanted.done:
                self._baton.wait()
        if wanted.error is not None:
            raise wanted.error
        assert wanted.logits is not None
        return wanted.logits

    def _first(self) -> _Running:
        return min(self._queue, key=lambda each: each.order)

    def _may_go(self, me: _Running) -> bool:
        """True for the requests of the highest priority; where passes can't be shared, for the first."""
        if self._batching:
            return all(RANK[each.priority] >= RANK[me.priority] for each in self._running)
        return min(self._running, key=lambda each: each.order) is me

    def _arrived(self) -> None:
        """Somebody waits now. If nobody is left who does not, the pass is made."""
        parked = sum(each.parked for each in self._running)
        if self._wanted and len(self._wanted) + parked >= len(self._running):
            self._pass()

    def _pass(self) -> None:
        work, self._wanted = self._wanted, []
        self._load.passes += 1
        self._load.together += len(work)
        self._load.tokens += sum(len(each.ids) for each in work)
        if self._batching and len(work) > 1 and self._pass_together(work):
            pass
        else:
            for each in work:
                try:
                    logits = (
                        each.cache.extend_all(each.ids) if each.every else each.cache.extend(each.ids)[None]
                    )
                    each.logits = logits.copy() if len(work) > 1 else logits
                except BaseException as error:
                    each.error = error
        for each in work:
            each.done = True
        self._baton.notify_all()

    def _pass_together(self, work: list[_Wanted]) -> bool:
        """One pass for all. False if it failed: then each is tried alone, so that only the one that is to
        blame fails."""
        runner: Any = self.runner
        before = [each.cache.length for each in work]
        try:
            found = runner.extend_many([(each.cache, each.ids, each.every) for each in work])
        except Exception:
            for each, length in zip(work, before, strict=True):
                each.cache.truncate(length)
            return False
        for each, logits in zip(work, found, strict=True):
            each.logits = logits
        return True


class _Shared:
    """A sequence whose passes are made together with those of others."""

    def __init__(self, together: Together, cache: Cache) -> None:
        self._together = together
        self._cache = cache

    @property
    def length(self) -> int:
        return self._cache.length

    def extend(self, ids: Ids) -> Logits:
        logits: Logits = self._together.extend(self._cache, ids, False)[-1]
        return logits

    def extend_all(self, ids: Ids) -> Logits:
        return np.asarray(self._together.extend(self._cache, ids, True))

    def truncate(self, length: int) -> None:
        self._cache.truncate(length)

    def fork(self, length: int) -> _Shared:
        return _Shared(self._together, self._cache.fork(length))

    def free(self) -> None:
        self._cache.free()
