"""Frames predicted ahead while somebody reads: the next step then answers at once.

A bounded number, one after the other in a thread of its own; dropped when history forks. Leaves out what
the frames are for.
"""

from __future__ import annotations

import logging
import threading

from cwm_lsp.model.backend import Cancel
from cwm_lsp.world.timeline import Timeline

_LOG = logging.getLogger(__name__)

FRAMES_AHEAD = 24


class Prefetcher:
    """Keeps `ahead` frames known after the one that is looked at. Without `into_calls` it waits at calls: a
    step over is to jump over them."""

    def __init__(self, timeline: Timeline, ahead: int = FRAMES_AHEAD, *, into_calls: bool = True) -> None:
        self._timeline = timeline
        self._ahead = ahead
        self._into_calls = into_calls
        self._wake = threading.Condition()
        self._upto = -1
        self._cancel: Cancel | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def aim(self, index: int) -> None:
        """The frame with that index is looked at: those after it are wanted."""
        if self._ahead <= 0:
            return
        with self._wake:
            self._upto = index + self._ahead
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="prefetch", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def rest(self) -> None:
        """Predicts no more until the next `aim`, gives up what is under way, and waits until that is so."""
        with self._wake:
            self._upto = -1
            if self._cancel is not None:
                self._cancel.cancel()
            while self._cancel is not None:
                self._wake.wait(0.05)

    def close(self) -> None:
        """Ends the thread; what is under way is given up."""
        with self._wake:
            self._closed = True
        self.rest()
        with self._wake:
            self._wake.notify_all()

    def _work(self) -> None:
        timeline = self._timeline
        while True:
            with self._wake:
                while not self._closed and not (0 <= timeline.known <= self._upto and self._open()):
                    self._wake.wait()
                if self._closed:
                    return
                cancel = self._cancel = Cancel()
                index = timeline.known
            try:
                self._grow(index, cancel)
            except Exception:  # whoever gets there meets it too, and is told
                _LOG.exception("predicting ahead failed")
                with self._wake:
                    self._upto = -1
            finally:
                with self._wake:
                    self._cancel = None
                    self._wake.notify_all()

    def _open(self) -> bool:
        timeline = self._timeline
        waits = (
            not self._into_calls and timeline.known > 1 and timeline.frame(timeline.known - 1).event == "call"
        )
        return timeline.simulation.end is None and not waits

    def _grow(self, index: int, cancel: Cancel) -> None:
        """Predicts one frame. Nobody asked for it, so a failure is nobody's, and isn't seen by anybody:
        whoever gets there tries again, and is told."""
        simulation = self._timeline.simulation
        with self._timeline.growing:
            if self._timeline.known != index or simulation.grow(cancel):
                return
            if simulation.end is not None and simulation.end.reason == "failed":
                simulation.extend()
        with self._wake:
            self._upto = -1
