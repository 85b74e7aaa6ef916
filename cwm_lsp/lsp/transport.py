"""Messages off a byte stream: the frames of the language server protocol (headers, a length, JSON).

One thread reads standard input and hands over whole messages, so that a message costs two changes of thread
however many reads it took: beside a busy model each change can cost milliseconds. Leaves out what a message
means.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, Protocol

MOST_BYTES = 256 * 1024 * 1024


class BadStreamError(Exception):
    """The stream is not what it should be, and can't be read on from here."""


class Lines(Protocol):
    """What is read: whole header lines, and exactly so many bytes."""

    def readline(self) -> bytes:
        """The next line with its ending; nothing at the end of the stream."""

    def read(self, size: int) -> bytes:
        """That many bytes; less at the end of the stream."""


def content_length(header: bytes) -> int | None:
    """The length that a header line tells, None if it is another header. Raises BadStreamError."""
    name, colon, value = header.partition(b":")
    if not colon or name.strip().lower() != b"content-length":
        return None
    try:
        length = int(value)
    except ValueError:
        raise BadStreamError(f"the length of a message is {value.strip()!r}") from None
    if not 0 <= length <= MOST_BYTES:
        raise BadStreamError(f"a message of {length} bytes is not taken")
    return length


def read_message(stream: Lines) -> bytes | None:
    """The next message's body, None at the end of the stream. Raises BadStreamError."""
    length: int | None = None
    while True:
        header = stream.readline()
        if not header:
            return None
        if header.strip():
            found = content_length(header)
            length = length if found is None else found
        elif length is not None:
            body = stream.read(length)
            return body if len(body) == length else None


class StdinThread(threading.Thread):
    """Reads standard input until its end, and hands each message to the event loop."""

    def __init__(
        self,
        stream: BinaryIO,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[bytes], None],
        end: Callable[[str | None], None],
    ) -> None:
        super().__init__(name="stdin", daemon=True)
        self._stream, self._loop, self._take, self._end = stream, loop, take, end

    def run(self) -> None:
        """Ends with the stream, or with the event loop."""
        problem: str | None = None
        try:
            while (body := read_message(self._stream)) is not None:
                self._loop.call_soon_threadsafe(self._take, body)
        except BadStreamError as error:
            problem = str(error)
        except (OSError, ValueError, RuntimeError):
            problem = None  # closed under our hands: we are ending
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, problem)


async def read_stream(reader: asyncio.StreamReader, take: Callable[[bytes], None]) -> str | None:
    """The same for a socket. Returns at its end: what was wrong with it, if anything."""
    length: int | None = None
    try:
        while True:
            header = await reader.readline()
            if not header:
                return None
            if header.strip():
                found = content_length(header)
                length = length if found is None else found
            elif length is not None:
                take(await reader.readexactly(length))
                length = None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except (BadStreamError, ValueError) as error:
        return str(error)


class StdoutWriter:
    """Standard output, for the protocol alone: whatever else prints to it prints to stderr from now on."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def write(self, data: bytes) -> None:
        """Writes one message, whole."""
        self._out.write(data)
        self._out.flush()

    def close(self) -> None:
        """Closes the stream; a client that is gone is no error."""
        with contextlib.suppress(OSError):
            self._out.close()
