"""A sign that something takes long, for clients that show one. Leaves out cancelling (session.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

from cwm_lsp.dap.channel import Channel

AFTER_S = 0.4
EVERY_S = 0.25


class Progress:
    """While it holds and once it has lasted a moment, progress is shown. `title` None shows nothing."""

    def __init__(self, channel: Channel, title: str | None, request: int, frames: Callable[[], int]) -> None:
        self._channel = channel
        self._title = title
        self._request = request
        self._frames = frames
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._grown = 0

    def __enter__(self) -> Self:
        if self._title is not None:
            self._thread = threading.Thread(target=self._show, name="progress", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()

    def note(self) -> None:
        """One more frame was predicted."""
        self._grown += 1

    def _show(self) -> None:
        if self._done.wait(AFTER_S):
            return
        name = f"cwm-{self._request}"
        self._channel.event(
            "progressStart",
            {
                "progressId": name,
                "title": self._title or "",
                "requestId": self._request,
                "cancellable": True,
            },
        )
        while not self._done.wait(EVERY_S):
            message = f"{self._grown} frames" if self._grown else "the first frame"
            self._channel.event("progressUpdate", {"progressId": name, "message": message})
        self._channel.event("progressEnd", {"progressId": name})
