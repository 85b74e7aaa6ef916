"""What goes out to the client: responses, each request's exactly once, and events, numbered in order.

Leaves out reading (server.py) and what is said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from cwm_lsp.dap.transport import Message, encode


class RefusedError(Exception):
    """A request that can't be done: one sentence for the user. `short` is the protocol's own word for it,
    where it has one ("cancelled", "notStopped")."""

    def __init__(self, message: str, short: str | None = None) -> None:
        super().__init__(message)
        self.short = short


class Channel:
    """Writes messages. A client that is gone is noted in `broken`, and costs nothing more."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._seq = 0
        self._open: dict[int, Reply] = {}
        self._tickets = 0
        self.broken = False

    def event(self, name: str, body: Mapping[str, Any] | None = None) -> None:
        """Sends an event."""
        message: Message = {"type": "event", "event": name}
        if body is not None:
            message["body"] = dict(body)
        self.send(message)

    def reply_to(self, request: Message) -> Reply:
        """The answer-to-be of a request."""
        with self._lock:
            self._tickets += 1
            reply = Reply(self, request, self._tickets)
            self._open[self._tickets] = reply
        return reply

    def answer(self, reply: Reply, message: Message) -> None:
        """Sends the answer to a request, unless it was answered before. It is off the list of those that are
        due only once it is out: whoever ends the process waits for that."""
        with self._lock:
            if self._open.pop(reply.ticket, None) is not None:
                self._send(message)

    def cancel_rest(self, but: Reply | None = None) -> None:
        """Answers whatever wasn't yet, apart from one."""
        with self._lock:
            rest = [reply for reply in self._open.values() if reply is not but]
        for reply in rest:
            reply.refuse(RefusedError("The session is over.", "cancelled"))

    def send(self, message: Message) -> None:
        """Numbers and sends a message."""
        with self._lock:
            self._send(message)

    def _send(self, message: Message) -> None:
        if self.broken:
            return
        self._seq += 1
        try:
            self._write(encode({"seq": self._seq, **message}))
        except (OSError, ValueError):
            self.broken = True


class Reply:
    """The one answer to one request."""

    def __init__(self, channel: Channel, request: Message, ticket: int) -> None:
        self.ticket = ticket
        self.request_seq: int = request["seq"]
        self.command = str(request.get("command", ""))
        self._channel = channel

    def ok(self, body: Mapping[str, Any] | None = None) -> None:
        """Success. Only the first answer counts."""
        message: Message = {
            "type": "response",
            "request_seq": self.request_seq,
            "success": True,
            "command": self.command,
        }
        if body is not None:
            message["body"] = dict(body)
        self._channel.answer(self, message)

    def refuse(self, error: RefusedError) -> None:
        """Failure, with the sentence for the user."""
        # A brace would begin a variable in the protocol's format, so the sentence is one itself.
        told = {"id": 1, "format": "{text}", "variables": {"text": str(error)}, "showUser": False}
        message: Message = {
            "type": "response",
            "request_seq": self.request_seq,
            "success": False,
            "command": self.command,
            "message": error.short or str(error),
            "body": {"error": told},
        }
        self._channel.answer(self, message)
