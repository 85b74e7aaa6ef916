"""A debug client for tests: drives an adapter over stdio and holds every message against the protocol."""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dap_types
from dap_types import DiscriminatedProtocolMessage
from pydantic import TypeAdapter

from cwm_lsp.dap.server import serve
from cwm_lsp.dap.session import Session

Message = dict[str, Any]

ADAPTER = [str(Path(sys.executable).with_name("cwm-lsp")), "dap"]
SECONDS = 30.0

_EVENTS = TypeAdapter(dap_types.DiscriminatedEvent)


def _response_type(command: str) -> Any:
    return getattr(dap_types, command[:1].upper() + command[1:] + "Response", dap_types.Response)


def validate(message: Message) -> None:
    """Raises pydantic's ValidationError if the message isn't one of the protocol."""
    if message["type"] == "event":
        _EVENTS.validate_python(message)
    elif message["type"] == "response":
        kind = _response_type(message["command"]) if message["success"] else dap_types.ErrorResponse
        kind.model_validate(message)
    else:
        TypeAdapter(DiscriminatedProtocolMessage).validate_python(message)


class Refused(Exception):
    """A response without success."""


class Inside:
    """Our adapter in a thread, with pipes as if it were a process: the same bytes, a second sooner."""

    def __init__(self) -> None:
        theirs, ours = os.pipe()
        self.stdin = os.fdopen(ours, "wb")
        mine, out = os.pipe()
        self.stdout = os.fdopen(mine, "rb")
        self.stderr = io.BytesIO()
        self._thread = threading.Thread(target=self._serve, args=(theirs, out), daemon=True)
        self._thread.start()

    def _serve(self, source: int, target: int) -> None:
        def write(data: bytes) -> None:
            while data:
                data = data[os.write(target, data) :]

        try:
            serve(lambda: os.read(source, 65536), write, Session)
        finally:
            os.close(source)
            os.close(target)

    def poll(self) -> int | None:
        return None if self._thread.is_alive() else 0

    def wait(self, seconds: float = 10) -> int:
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise subprocess.TimeoutExpired("the adapter", seconds)
        return 0

    def kill(self) -> None:
        pass


class Client:
    """One debug session with an adapter in a process of its own; `command` None: in this one."""

    def __init__(
        self, command: Sequence[str] | None = ADAPTER, *, check: bool = True, env: Any = None
    ) -> None:
        pipe = subprocess.PIPE
        self.process: Any = (
            Inside()
            if command is None
            else subprocess.Popen(list(command), stdin=pipe, stdout=pipe, stderr=pipe, env=env)
        )
        self.check = check
        self.events: list[Message] = []
        self.all: list[Message] = []
        self.capabilities: Message = {}
        self.thread = 1
        self._seq = 0
        self._inbox: queue.Queue[Message | None] = queue.Queue()
        self._early: dict[int, Message] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()

    def _read(self) -> None:
        stream = self.process.stdout
        with contextlib.suppress(OSError, ValueError):
            while True:
                length = 0
                while line := stream.readline():
                    if not line.strip():
                        break
                    name, _, value = line.partition(b":")
                    if name.lower() == b"content-length":
                        length = int(value)
                if not line:
                    break
                self._inbox.put(json.loads(stream.read(length)))
        self._inbox.put(None)

    # -- messages

    def send(self, command: str, arguments: Any = None) -> int:
        self._seq += 1
        message = {"seq": self._seq, "type": "request", "command": command}
        if arguments is not None:
            message["arguments"] = arguments
        self.write(message)
        return self._seq

    def write(self, message: Message) -> None:
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def take(self, seconds: float = SECONDS) -> Message:
        """The next message, whatever it is."""
        try:
            message = self._inbox.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError("the adapter says nothing") from None
        if message is None:
            said = self.process.stderr.read().decode() if self.process.poll() is not None else ""
            raise EOFError(f"the adapter is gone: {said[-2000:]}")
        if self.check:
            validate(message)
        self.all.append(message)
        if message["type"] == "event":
            self.events.append(message)
        elif message["type"] == "response":
            self._early[message["request_seq"]] = message
        return message

    def answer(self, seq: int, seconds: float = SECONDS) -> Message:
        """The response to a request."""
        deadline = time.monotonic() + seconds
        while seq not in self._early:
            self.take(max(0.01, deadline - time.monotonic()))
        return self._early.pop(seq)

    def request(self, command: str, **arguments: Any) -> Message:
        """Sends a request; the body of its response. Raises Refused."""
        response = self.answer(self.send(command, arguments or None))
        if not response["success"]:
            error = (response.get("body") or {}).get("error") or {}
            raise Refused(error.get("variables", {}).get("text") or response.get("message"))
        return response.get("body") or {}

    def wait_event(self, *names: str, seconds: float = SECONDS, since: int = 0) -> Message:
        """The next event of these names, from that place in `events` on."""
        deadline = time.monotonic() + seconds
        while True:
            for event in self.events[since:]:
                if event["event"] in names:
                    return event
            self.take(max(0.01, deadline - time.monotonic()))

    # -- what tests do all the time

    def initialize(self, **more: Any) -> Message:
        self.capabilities = self.request(
            "initialize",
            adapterID="cwm",
            clientID="test",
            linesStartAt1=True,
            columnsStartAt1=True,
            pathFormat="path",
            **more,
        )
        return self.capabilities

    def launch(
        self,
        how: str = "launch",
        breakpoints: Sequence[int | Message] = (),
        filters: Sequence[str] = (),
        client: Message | None = None,
        before: Sequence[tuple[str, Message]] = (),
        **arguments: Any,
    ) -> Message:
        """From the beginning to the first stop; the stopped (or terminated) event."""
        self.initialize(**(client or {}))
        self.request(how, **arguments)
        self.wait_event("initialized")
        if breakpoints:
            self.set_breakpoints(arguments["program"], *breakpoints)
        self.request("setExceptionBreakpoints", filters=list(filters))
        for command, body in before:
            self.request(command, **body)
        mark = len(self.events)
        self.request("configurationDone")
        return self.wait_event("stopped", "terminated", since=mark)

    def set_breakpoints(self, path: str, *wanted: int | Message) -> list[Message]:
        lines = [{"line": each} if isinstance(each, int) else each for each in wanted]
        return self.request("setBreakpoints", source={"path": str(path)}, breakpoints=lines)["breakpoints"]

    def go(self, command: str, **arguments: Any) -> Message:
        """A movement, to its stop."""
        mark = len(self.events)
        self.request(command, threadId=self.thread, **arguments)
        return self.wait_event("stopped", "terminated", since=mark)

    def stack(self) -> list[Message]:
        return self.request("stackTrace", threadId=self.thread)["stackFrames"]

    def where(self) -> tuple[str, int]:
        top = self.stack()[0]
        return top["name"], top["line"]

    def scope(self, frame: int = 0, name: str = "Locals") -> Message:
        scopes = self.request("scopes", frameId=self.stack()[frame]["id"])["scopes"]
        return next(each for each in scopes if each["name"] == name)

    def variables(self, reference: int, **more: Any) -> list[Message]:
        return self.request("variables", variablesReference=reference, **more)["variables"]

    def locals(self, frame: int = 0) -> dict[str, str]:
        """Names and values of a call, marks taken off."""
        found = self.variables(self.scope(frame)["variablesReference"])
        return {each["name"]: bare(each["value"]) for each in found}

    def output(self) -> str:
        return "".join(event["body"]["output"] for event in self.events if event["event"] == "output")

    def disconnect(self) -> int:
        """Ends the session; the exit status of the adapter."""
        self.request("disconnect")
        return self.process.wait(10)


def bare(value: str) -> str:
    """A shown value without its mark."""
    for mark in "≈=✎✓":
        if value.startswith(mark + " "):
            return value[2:]
    return value


def line_with(path: str | Path, mark: str) -> int:
    """The number of the one line that carries the comment `# mark`."""
    lines = Path(path).read_text().splitlines()
    found = [n for n, line in enumerate(lines, 1) if line.rstrip().endswith(f"# {mark}")]
    assert len(found) == 1, (mark, found)
    return found[0]
