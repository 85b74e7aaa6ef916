"""HTTP to a model server: over TCP, TLS or a Unix socket, with connections kept and requests that can be
cancelled while they wait.

Leaves out what is said to the server (remote_dialects.py) and when something is tried again (retry.py).
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cwm_lsp.model.backend import BackendError, Cancel

_LOOK = 0.02
_LONGEST_LINE = 64_000_000
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class HttpError(Exception):
    """A request that got no good answer. `again`: the same request may succeed later."""

    def __init__(self, message: str, *, again: bool, status: int = 0, after: float | None = None) -> None:
        super().__init__(message)
        self.again = again
        self.status = status
        self.after = after


class CancelledError(Exception):
    """The request was cancelled while it waited."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is. `socket`: the path of a Unix socket; else `url` holds scheme, host, port and a path
    that all requests begin with. `key` goes into the Authorization header and into nothing else."""

    url: str = ""
    socket: Path | None = None
    key: str = field(default="", repr=False)
    ca: Path | None = None
    connect_timeout: float = 10.0
    timeout: float = 120.0

    @property
    def shown(self) -> str:
        """How the endpoint is named to a user: without a password."""
        if self.socket is not None:
            return str(self.socket)
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"

    @property
    def is_loopback(self) -> bool:
        """True if nobody else can listen on the way."""
        return self.socket is not None or urlsplit(self.url).hostname in LOOPBACK


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Reply:
    """An answer whose body is read as it comes. Close it, or read it to the end."""

    def __init__(self, client: HttpClient, connection: http.client.HTTPConnection, response: Any) -> None:
        self._client = client
        self._connection = connection
        self._response = response
        self.status = int(response.status)
        self.headers: Mapping[str, str] = response.headers

    def read(self) -> bytes:
        """The whole body."""
        data: bytes = self._response.read()
        self._client.keep(self._connection, self._response)
        return data

    def events(self) -> Iterator[str]:
        """The data of server-sent events, up to `[DONE]` or the end."""
        while True:
            line: bytes = self._response.readline(_LONGEST_LINE)
            if not line:
                break
            if line.startswith(b"data:"):
                data = line[5:].strip().decode("utf-8", "replace")
                if data == "[DONE]":
                    break
                yield data
        self._response.read()
        self._client.keep(self._connection, self._response)

    def close(self) -> None:
        """Ends the request; a server that looks sees that nobody waits any more."""
        self._connection.close()


class HttpClient:
    """Requests to one endpoint. Safe for several threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises BackendError if the endpoint can't be one."""
        self.endpoint = endpoint
        parts = urlsplit(endpoint.url)
        if endpoint.socket is None and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise BackendError(
                f"{endpoint.url!r} is no address of a server; it looks like https://host:8000/v1."
            )
        try:
            parts.port  # noqa: B018  (raises where it is no number)
        except ValueError:
            raise BackendError(f"{endpoint.shown!r} is no address of a server: its port is none.") from None
        self._parts = parts
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._watch = _Watch()
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https" and endpoint.socket is None:
            try:
                self._tls = ssl.create_default_context(cafile=endpoint.ca and str(endpoint.ca))
            except (OSError, ssl.SSLError) as error:
                raise BackendError(f"The certificate file {endpoint.ca} can't be used: {error}.") from error

    def json(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        cancel: Cancel | None = None,
        timeout: float | None = None,
    ) -> Any:
        """One request and its JSON answer. Raises HttpError or CancelledError."""
        with self._watch.over(cancel) as watched:
            reply = self._send(method, path, body, watched, timeout)
            try:
                data = reply.read()
            except (OSError, http.client.HTTPException) as error:
                reply.close()
                raise self._broken(error, watched) from error
        return self._checked(reply, data)

    def stream(
        self, path: str, body: Any, *, cancel: Cancel | None = None, timeout: float | None = None
    ) -> Iterator[Any]:
        """One request answered by server-sent events, each of them JSON. Raises HttpError or
        CancelledError."""
        with self._watch.over(cancel) as watched:
            reply = self._send("POST", path, body, watched, timeout)
            done = False
            try:
                if reply.status != 200:
                    self._checked(reply, reply.read())
                for data in reply.events():
                    yield self._parsed(data.encode())
                done = True
            except (OSError, http.client.HTTPException) as error:
                raise self._broken(error, watched) from error
            finally:
                if not done:
                    reply.close()

    def keep(self, connection: http.client.HTTPConnection, response: Any) -> None:
        """Takes a connection back whose answer was read."""
        if response.will_close:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Closes the connections that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _send(self, method: str, path: str, body: Any, watched: _Watched, timeout: float | None) -> Reply:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Accept": "application/json, text/event-stream"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self.endpoint.key:
            headers["Authorization"] = f"Bearer {self.endpoint.key}"
        whole = self._parts.path.rstrip("/") + path if self.endpoint.socket is None else path
        while True:
            connection, kept = self._connection(watched)
            connection.timeout = timeout or self.endpoint.timeout
            if connection.sock is not None:
                connection.sock.settimeout(connection.timeout)
            watched.socket = connection.sock
            try:
                connection.request(method, whole, data, headers)
                return Reply(self, connection, connection.getresponse())
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # The server may have closed a connection that was kept; then it saw nothing of this request.
                if kept and not watched.cancelled and not isinstance(error, TimeoutError):
                    continue
                raise self._broken(error, watched) from error

    def _connection(self, watched: _Watched) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), True
        endpoint, parts = self.endpoint, self._parts
        made: http.client.HTTPConnection
        if endpoint.socket is not None:
            made = _UnixConnection(endpoint.socket, endpoint.connect_timeout)
        elif self._tls is not None:
            made = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=endpoint.connect_timeout, context=self._tls
            )
        else:
            made = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=endpoint.connect_timeout
            )
        try:
            made.connect()
            if endpoint.socket is None:
                made.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, http.client.HTTPException) as error:
            made.close()
            raise self._unreachable(error, watched) from error
        return made, False

    def _unreachable(self, error: Exception, watched: _Watched) -> Exception:
        if watched.cancelled:
            return CancelledError()
        where = self.endpoint.shown
        if isinstance(error, ssl.SSLCertVerificationError):
            why = error.verify_message.rstrip(".") or "it is not trusted"
            return HttpError(
                f"The certificate of {where} can't be trusted ({why}); name its authority's file as ca in "
                f"[backend]",
                again=False,
            )
        if isinstance(error, ssl.SSLError):
            return HttpError(f"{where} does not speak TLS; is it http:// rather than https://?", again=False)
        if isinstance(error, socket.gaierror):
            return HttpError(
                f"There is no host of the name in {where}; check the url in [backend]", again=False
            )
        if isinstance(error, TimeoutError):
            return HttpError(f"{where} did not answer within {self.endpoint.connect_timeout:g} s", again=True)
        return HttpError(f"Nobody answers at {where} ({_reason(error)})", again=True)

    def _broken(self, error: Exception, watched: _Watched) -> Exception:
        if watched.cancelled:
            return CancelledError()
        where = self.endpoint.shown
        if isinstance(error, TimeoutError):
            return HttpError(f"{where} did not finish its answer in time", again=False)
        return HttpError(f"{where} broke off in the middle of an answer ({_reason(error)})", again=True)

    def _checked(self, reply: Reply, data: bytes) -> Any:
        where, status = self.endpoint.shown, reply.status
        if 200 <= status < 300:
            return self._parsed(data)
        said = _message(data)
        if status in (401, 403):
            raise HttpError(
                f"{where} does not accept the key ({said}); set the key's variable",
                again=False,
                status=status,
            )
        again = status in (408, 425, 429, 500, 502, 503, 504) and not _is_final(data)
        raise HttpError(f"{where} refused: {said}", again=again, status=status, after=_after(reply.headers))

    def _parsed(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError:
            raise HttpError(
                f"{self.endpoint.shown} answered something that is no JSON; is it a model server?",
                again=False,
            ) from None


class _Watched:
    """A request under way: its socket, and the cancel token that it obeys."""

    def __init__(self, watch: _Watch, cancel: Cancel | None) -> None:
        self._watch = watch
        self.cancel = cancel
        self.socket: socket.socket | None = None

    @property
    def cancelled(self) -> bool:
        return self.cancel is not None and self.cancel.cancelled

    def shut(self) -> None:
        """Wakes whoever reads from the socket."""
        if self.socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def __enter__(self) -> _Watched:
        if self.cancelled:
            raise CancelledError
        if self.cancel is not None:
            self._watch.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self.cancel is not None:
            self._watch.remove(self)


class _Watch:
    """One thread that looks at the cancel tokens of all requests that wait; it ends when there are none."""

    def __init__(self) -> None:
        self._watched: set[_Watched] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def over(self, cancel: Cancel | None) -> _Watched:
        """A request to be watched, as a context."""
        return _Watched(self, cancel)

    def add(self, watched: _Watched) -> None:
        """Begins to watch."""
        with self._condition:
            self._watched.add(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="cwm-cancel", daemon=True)
                self._thread.start()
            elif len(self._watched) == 1:
                self._condition.notify()

    def remove(self, watched: _Watched) -> None:
        """Ends watching."""
        with self._condition:
            self._watched.discard(watched)

    def _run(self) -> None:
        while True:
            with self._condition:
                if not self._watched and not self._condition.wait(5.0) and not self._watched:
                    self._thread = None
                    return
                now = list(self._watched)
            for watched in now:
                if watched.cancelled:
                    watched.shut()
            time.sleep(_LOOK)


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].rstrip(".")[:120].lower()


def _message(data: bytes) -> str:
    """What an error answer says: OpenAI's form, FastAPI's, or its text."""
    try:
        said = json.loads(data)
        if isinstance(said, dict):
            inner = said.get("error", said.get("detail", said.get("message", said)))
            said = inner.get("message", inner) if isinstance(inner, dict) else inner
    except ValueError:
        said = data.decode("utf-8", "replace")
    lines = str(said).strip().splitlines() or ["no reason given"]
    return lines[0].rstrip(".")[:200]


def _is_final(data: bytes) -> bool:
    """True if our engine says that the same request would fail again."""
    try:
        return bool(json.loads(data)["error"]["final"])
    except (ValueError, KeyError, TypeError):
        return False


def _after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(60.0, max(0.0, float(headers["Retry-After"])))
    except (KeyError, TypeError, ValueError):
        return None
