"""Messages to bytes and back: a header with the length, then JSON. No input or output is done here.

Bytes that are no message cost that message only: reading goes on at the next header. Leaves out what messages
mean.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 64 << 20
MAX_HEADER = 4096

Message = dict[str, Any]

_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_END = re.compile(rb"\r?\n\r?\n")
_START = re.compile(rb"content-length[ \t]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """Bytes that were no message, with one sentence why."""

    message: str


def encode(message: Message) -> bytes:
    """The bytes of one message."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


class Decoder:
    """Takes bytes as they come and gives the messages that are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._expected: int | None = None
        self._skip = 0

    def feed(self, data: bytes) -> list[Message | Problem]:
        """The messages and problems that these bytes complete."""
        self._buffer += data
        found: list[Message | Problem] = []
        while True:
            if self._skip:
                gone = min(self._skip, len(self._buffer))
                del self._buffer[:gone]
                self._skip -= gone
                if self._skip:
                    return found
            if self._expected is None and not self._header(found):
                return found
            if self._expected is None:
                continue
            if len(self._buffer) < self._expected:
                return found
            body = bytes(self._buffer[: self._expected])
            del self._buffer[: self._expected]
            self._expected = None
            found.append(_parse(body))

    def _header(self, found: list[Message | Problem]) -> bool:
        """Reads a header, or drops what is none. False if more bytes are needed."""
        end = _END.search(self._buffer)
        if end is None:
            if len(self._buffer) <= MAX_HEADER:
                return False
            found.append(Problem("What came is no header: it has no end."))
            return self._resume(1)
        header = bytes(self._buffer[: end.start()]).replace(b"\r\n", b"\n")
        lengths = _LENGTH.findall(header)
        if not lengths:
            found.append(Problem("A message has no Content-Length."))
            return self._resume(end.end())
        length = int(lengths[-1])
        del self._buffer[: end.end()]
        if length > MAX_BYTES:
            found.append(Problem(f"A message of {length} bytes is too long."))
            self._skip = length
            return True
        self._expected = length
        return True

    def _resume(self, at: int) -> bool:
        """Goes on at the next header after `at`."""
        start = _START.search(self._buffer, at)
        keep = start.start() if start else max(at, len(self._buffer) - 32)
        del self._buffer[:keep]
        return start is not None


def _parse(body: bytes) -> Message | Problem:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        return Problem(f"A message is not JSON: {error}.")
    if not isinstance(message, dict):
        return Problem("A message is JSON, but no object.")
    return message
