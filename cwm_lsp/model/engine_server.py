"""The engine's door: HTTP over a Unix socket (mode 0600), or over loopback TCP with a token.

One thread a connection. A client that goes away cancels its request; one that does not read is cut off and
keeps nobody waiting. Leaves out what is answered (engine_service.py) and the process (engine_process.py).
"""

from __future__ import annotations

import hmac
import json
import os
import queue
import select
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import BackendError, Cancel
from cwm_lsp.model.engine_paths import HAS_UNIX_SOCKETS
from cwm_lsp.model.engine_service import Service

_LARGEST_BODY = 64_000_000
_LOOK = 0.02
_KEPT_OPEN = 900.0


class EngineServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves one `Service`. Made by `unix` or `loopback`."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, service: Service, bound: socket.socket, token: str | None, write_timeout: float
    ) -> None:
        socketserver.BaseServer.__init__(self, ("", 0), _Handler)
        self.socket = bound
        self.service = service
        self.token = token
        self.write_timeout = write_timeout
        self.connections = 0
        self.watch = _Hangups()
        self.stop: Callable[[bool], None] = lambda when_idle: None  # noqa: ARG005

    def server_bind(self) -> None:
        """The socket is bound already."""

    def server_activate(self) -> None:
        """The socket listens already."""

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection; on a Unix socket only from the same user."""
        connection, address = self.socket.accept()
        if not _is_ours(connection):
            connection.close()
            raise OSError("another user")
        return connection, address or ("unix", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A connection that broke is nobody's concern; everything else is told in the log."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            with suppress(OSError):
                print(f"engine: {type(error).__name__}: {error}", file=sys.stderr)


def bind_unix(path: Path) -> socket.socket:
    """A listening socket at `path`, mode 0600, in place of whatever was there."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(str(draft))
    finally:
        os.umask(before)
    draft.chmod(0o600)
    made.listen(128)
    draft.rename(path)
    return made


def bind_loopback(port: int = 0) -> socket.socket:
    """A listening socket on 127.0.0.1."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    made.listen(128)
    return made


def _is_ours(connection: socket.socket) -> bool:
    if connection.family != getattr(socket, "AF_UNIX", None) or not hasattr(socket, "SO_PEERCRED"):
        return True
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user in (os.getuid(), 0) if HAS_UNIX_SOCKETS else True


class _Handler(BaseHTTPRequestHandler):
    server: EngineServer
    protocol_version = "HTTP/1.1"
    timeout = _KEPT_OPEN
    wbufsize = 65536

    def setup(self) -> None:
        super().setup()
        if self.connection.family == socket.AF_INET:
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are not logged: prompts are the user's code."""

    def do_GET(self) -> None:
        """What the engine tells."""
        service, path = self.server.service, self.path.partition("?")[0]
        asked = {
            "/v1/models": service.models,
            "/v1/cwm-lsp/hello": lambda: service.hello(wait="wait" in self.path),
            "/v1/cwm-lsp/status": lambda: service.status() | {"connections": threading.active_count()},
            "/v1/cwm-lsp/tokenizer": service.tokenizer,
        }.get(path)
        self._guarded(asked)

    def do_POST(self) -> None:
        """What the engine does."""
        body = self._body()
        if body is None:
            return
        service, path = self.server.service, self.path.partition("?")[0]
        if path == "/v1/completions":
            self._complete(body)
        elif path == "/v1/cwm-lsp/score":
            self._guarded(lambda: service.score(body))
        elif path == "/v1/cwm-lsp/stop":
            when_idle = bool(isinstance(body, dict) and body.get("when_idle"))
            self._guarded(lambda: {"stopping": True})
            self.server.stop(when_idle)
        else:
            self._guarded(None)

    def _body(self) -> Any:
        """The request's JSON; None if it was answered with what is wrong about it."""
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            length = -1
        if not 0 <= length <= _LARGEST_BODY:
            self.close_connection = True
            self._error(413, "The request is too long.")
            return None
        try:
            return json.loads(self.rfile.read(length) or b"{}")
        except (ValueError, RecursionError):
            self._error(400, "The request is no JSON.")
        return None

    def _complete(self, body: Any) -> None:
        if not self._allowed():
            return
        cancel = Cancel()
        if isinstance(body, dict) and body.get("stream"):
            self._stream(body, cancel)
            return
        with self.server.watch.over(self.connection, cancel):
            self._guarded(lambda: self.server.service.complete(body, cancel))

    def _stream(self, body: Any, cancel: Cancel) -> None:
        """Server-sent events: the decoder's thread never waits for this connection."""
        runs: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def work() -> None:
            try:
                runs.put(self.server.service.complete(body, cancel, runs.put))
            except Exception as error:  # told to the client
                runs.put(error)

        threading.Thread(target=work, name="cwm-stream", daemon=True).start()
        try:
            with self.server.watch.over(self.connection, cancel):
                first = runs.get()
                if isinstance(first, Exception):
                    self._failed(first)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.close_connection = True
                self.end_headers()
                self._send_runs(first, runs)
        finally:
            cancel.cancel()

    def _send_runs(self, first: Any, runs: queue.SimpleQueue[Any]) -> None:
        said = first
        self.connection.settimeout(self.server.write_timeout)
        while True:
            if isinstance(said, tuple):
                said = {"choices": [{"index": 0, "text": "", "token_ids": list(said)}]}
                last = False
            elif isinstance(said, Exception):
                said = {"error": {"message": _sentence(said), "final": True}}
                last = True
            else:
                said["choices"][0]["whole"] = True
                last = True
            self.wfile.write(b"data: " + json.dumps(said, separators=(",", ":")).encode() + b"\n\n")
            if last:
                self.wfile.write(b"data: [DONE]\n\n")
            self.wfile.flush()
            if last:
                return
            said = runs.get()

    def _guarded(self, work: Callable[[], Any] | None) -> None:
        """Answers with what `work` gives, or with its error."""
        if not self._allowed():
            return
        if work is None:
            self._error(404, "The engine has nothing there; is it of another version?")
            return
        try:
            answer = work()
        except Exception as error:  # an engine answers every request
            self._failed(error)
            return
        self._send(200, answer)

    def _allowed(self) -> bool:
        token = self.server.token
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token is None or hmac.compare_digest(given.encode(), token.encode()):
            return True
        self._error(401, "The token is wrong")
        return False

    def _failed(self, error: Exception) -> None:
        if isinstance(error, MemoryError):
            self._error(
                500, "The engine ran out of memory in this request; take a smaller context.", final=True
            )
        elif isinstance(error, BackendError):
            self._error(400, str(error), final=True)
        else:
            self._error(500, _sentence(error), final=True)

    def _error(self, status: int, message: str, *, final: bool = True) -> None:
        self._send(status, {"error": {"message": message, "final": final}})

    def _send(self, status: int, answer: Any) -> None:
        data = json.dumps(answer, separators=(",", ":")).encode()
        self.connection.settimeout(self.server.write_timeout)
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.close_connection = True
            raise
        self.connection.settimeout(_KEPT_OPEN)


class _Hangups:
    """One thread that looks whether those who wait for an answer are still there."""

    def __init__(self) -> None:
        self._waiting: dict[socket.socket, Cancel] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def over(self, connection: socket.socket, cancel: Cancel) -> _Waiting:
        """A request that is cancelled when its connection ends, as a context."""
        return _Waiting(self, connection, cancel)

    def add(self, connection: socket.socket, cancel: Cancel) -> None:
        """Begins to look."""
        with self._lock:
            self._waiting[connection] = cancel
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cwm-hangups", daemon=True)
                self._thread.start()

    def remove(self, connection: socket.socket) -> None:
        """Ends looking."""
        with self._lock:
            self._waiting.pop(connection, None)

    def _run(self) -> None:
        while True:
            time.sleep(_LOOK)
            with self._lock:
                now = list(self._waiting.items())
            for connection, cancel in now:
                if not cancel.cancelled and _hung_up(connection):
                    cancel.cancel()


class _Waiting:
    def __init__(self, hangups: _Hangups, connection: socket.socket, cancel: Cancel) -> None:
        self._hangups, self._connection, self._cancel = hangups, connection, cancel

    def __enter__(self) -> None:
        self._hangups.add(self._connection, self._cancel)

    def __exit__(self, *_: object) -> None:
        self._hangups.remove(self._connection)


def _hung_up(connection: socket.socket) -> bool:
    """True if the other end is gone."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True


def _sentence(error: Exception) -> str:
    if isinstance(error, BackendError):
        return str(error)
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"The engine failed: {lines[0].rstrip('.')[:200]}."
