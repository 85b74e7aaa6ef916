"""A debug adapter on a pair of streams: reads requests, has each answered once, and ends with its client.

Leaves out what a session does with them (session.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from cwm_lsp.dap.channel import Channel, RefusedError, Reply
from cwm_lsp.dap.checking import complaint
from cwm_lsp.dap.protocol import ARGUMENTS
from cwm_lsp.dap.transport import Decoder, Message, Problem

_LOG = logging.getLogger(__name__)

Handler = Callable[[Any, Reply], None]


class Session(Protocol):
    """Whoever answers the requests."""

    over: bool

    def handler(self, command: str) -> Handler | None:
        """What answers a command; None if it isn't known."""

    def close(self) -> None:
        """Ends whatever is under way."""


def serve(
    read: Callable[[], bytes], write: Callable[[bytes], None], make: Callable[[Channel], Session]
) -> None:
    """Serves one client until it disconnects, or its stream ends. `read` gives some bytes, none at the
    end."""
    channel = Channel(write)
    session = make(channel)
    decoder = Decoder()
    try:
        while data := read():
            for message in decoder.feed(data):
                if isinstance(message, Problem):
                    _complain(channel, message.message)
                else:
                    _take(session, channel, message)
                if session.over or channel.broken:
                    return
    finally:
        session.close()
        channel.cancel_rest()


def _take(session: Session, channel: Channel, message: Message) -> None:
    """Answers a request; anything else is dropped, with a word if it is no message of the protocol."""
    if message.get("type") in ("response", "event"):
        return
    seq = message.get("seq")
    if message.get("type") != "request" or not isinstance(seq, int) or isinstance(seq, bool):
        _complain(channel, "A message is neither a request with a number, nor a response, nor an event.")
        return
    reply = channel.reply_to(message)
    command = message.get("command")
    handler = session.handler(command) if isinstance(command, str) else None
    arguments = message.get("arguments")
    arguments = {} if arguments is None else arguments
    wrong = complaint(arguments, ARGUMENTS.get(str(command), dict))
    if handler is None:
        wrong = f"There is no request {str(command)[:80]!r}."
    try:
        if handler is None or wrong is not None:
            reply.refuse(RefusedError(wrong or ""))
            return
        handler(arguments, reply)
    except RefusedError as error:
        reply.refuse(error)
    except Exception as error:
        _LOG.exception("%s failed", command)
        reply.refuse(RefusedError(f"Internal error in {command}: {type(error).__name__}: {error}"))


def _complain(channel: Channel, sentence: str) -> None:
    channel.event("output", {"category": "important", "output": f"cwm-lsp: {sentence}\n"})
