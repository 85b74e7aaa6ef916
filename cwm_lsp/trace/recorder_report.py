"""What the recorder's child says, read while it runs: messages to frames, and the program's own output.

Leaves out the processes (recorder.py).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any, cast

from cwm_lsp.trace.frame import EndReason, Event, Frame, Value

UNWINDING_RETURNS = True
"""Whether an exception that leaves a function ends it with a RETURN frame of "None", as `sys.settrace`
reports it and CWM's text has it (cwm_text.py says why)."""

CHUNK = 1 << 16


class Report:
    """What the child says, line by line: frames, phases, the end."""

    def __init__(self, token: str, most: int) -> None:
        self.token = token
        self.frames: list[Frame] = []
        self.done = threading.Event()
        self.whole = True
        self.started = False
        self.calling = False
        self.worker: int | None = None
        self.exit: tuple[int, float] | None = None
        self.end: tuple[EndReason, str | None, str | None] | None = None
        self._room = most
        self._rest = b""
        self._number = 0
        self._values: dict[str, Value] = {}

    def feed(self, chunk: bytes) -> None:
        """Takes what came through the channel."""
        self._room -= len(chunk)
        if self._room < 0:
            self.whole = False
            self.done.set()
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n") if b"\n" in chunk else [self._rest + chunk]
        for line in lines:
            self._take(line)

    def finish(self) -> None:
        """There is no more."""
        self.done.set()

    def _take(self, line: bytes) -> None:
        """One message. What does not carry the token is not the recorder's: the program found the channel."""
        _, found, body = line.partition(self.token.encode("ascii"))
        if not found:
            return
        try:
            self._understand(json.loads(body))
        except (ValueError, TypeError, IndexError, KeyError):
            self.whole = False

    def _understand(self, message: list[Any]) -> None:
        if message[0] == "worker":
            self.worker, self.started = message[1], True
            return
        if message[0] == "exit":
            self.exit = message[1], message[2]
            self.done.set()
            return
        number, kind, *fields = message
        if number != self._number:
            self.whole = False
        self._number += 1
        self.started = True
        if kind == "phase":
            self.calling = True
        elif kind == "end":
            self.end = fields[0], fields[1], fields[2]
        elif kind == "frame":
            self._frame(fields)

    def _frame(self, fields: list[Any]) -> None:
        event, function, line, depth, held, arg = fields
        if event == "unwind":
            if not UNWINDING_RETURNS:
                return
            event = "return"
        shown = {name: self._value(text) for name, text in held.items()}
        result = None if arg is None else self._value(arg)
        self.frames.append(Frame(cast(Event, event), function, line, depth, shown, result))

    def _value(self, text: str) -> Value:
        value = self._values.get(text)
        if value is None:
            value = self._values[text] = Value(text, "observed")
        return value


class Output:
    """The beginning of what a program prints."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> None:
        self._kept += chunk[: self._limit - len(self._kept)]

    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")


class Reader(threading.Thread):
    """Reads a descriptor to its end, whatever happens to the rest of the run, and closes it."""

    def __init__(
        self, descriptor: int, feed: Callable[[bytes], None], finish: Callable[[], None] | None = None
    ) -> None:
        super().__init__(daemon=True)
        self._descriptor = descriptor
        self._feed = feed
        self._finish = finish
        self.start()

    def run(self) -> None:
        try:
            while chunk := os.read(self._descriptor, CHUNK):
                self._feed(chunk)
        finally:
            os.close(self._descriptor)
            if self._finish:
                self._finish()
