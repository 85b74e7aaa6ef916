"""The engine as a process: one for each model, with a socket, a state file, and an end.

It ends when it was idle for long enough, when it is told to, and when it is signalled; it puts its socket
back if somebody removes it. Leaves out the requests (engine_service.py, engine_server.py) and starting it
(engine_client.py).
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cwm_lsp import __version__
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.engine_paths import HAS_UNIX_SOCKETS, PROTOCOL, FileLock, Place
from cwm_lsp.model.engine_server import EngineServer, bind_loopback, bind_unix
from cwm_lsp.model.engine_service import Service
from cwm_lsp.model.shared import SharedBackend

IDLE_SECONDS = 900.0
WRITE_TIMEOUT = 20.0
SEQUENCES = 16
_TICK = 0.5
_FAILED_FOR = 10.0


def run_engine(
    model: str,
    options: Mapping[str, Any],
    *,
    idle: float = IDLE_SECONDS,
    tcp: int | None = None,
    write_timeout: float = WRITE_TIMEOUT,
) -> int:
    """Runs an engine until it ends. 0 if it ended well or there is one already, 1 if the model can't be
    loaded. Raises BackendError if its place can't be used."""
    place = Place.of(model, options)
    lock = FileLock(place.lock)
    if not lock.acquire():
        return 0
    try:
        return _Process(place, model, options, idle=idle, tcp=tcp, write_timeout=write_timeout).run()
    finally:
        place.clear()
        lock.release()


class _Process:
    """One engine process."""

    def __init__(
        self,
        place: Place,
        model: str,
        options: Mapping[str, Any],
        *,
        idle: float,
        tcp: int | None,
        write_timeout: float,
    ) -> None:
        self._place, self._model, self._options = place, model, options
        self._idle, self._tcp, self._write_timeout = idle, tcp, write_timeout
        self._service = Service(model, self._load)
        self._ended = threading.Event()
        self._when_idle = False
        self._token: str | None = None
        self._server: EngineServer | None = None
        self._inode = 0

    def run(self) -> int:
        """Serves until the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._listen()
        threading.Thread(target=self._service.load, name="cwm-load", daemon=True).start()
        self._watch()
        if self._server is not None:
            self._server.shutdown()
        return 1 if self._service.failure else 0

    def _listen(self) -> None:
        """Binds, or binds anew, and serves in threads."""
        if HAS_UNIX_SOCKETS and self._tcp is None:
            bound = bind_unix(self._place.socket)
            self._inode = self._place.socket.stat().st_ino
        else:
            self._token = self._token or secrets.token_urlsafe(32)
            bound = bind_loopback(self._tcp or 0)
            self._tcp = int(bound.getsockname()[1])
        server = EngineServer(self._service, bound, self._token, self._write_timeout)
        server.stop = self._stop
        self._server = server
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="cwm-accept", daemon=True
        ).start()
        self._write_state()

    def _watch(self) -> None:
        """Looks after socket, idleness and failure."""
        failed_since: float | None = None
        told = ""
        while not self._ended.wait(_TICK):
            service = self._service
            if HAS_UNIX_SOCKETS and self._token is None:
                self._keep_socket()
            if service.state != told:
                told = service.state
                self._write_state()
            if service.state == "failed":
                failed_since = failed_since or time.monotonic()
                if time.monotonic() - failed_since > _FAILED_FOR and not service.busy:
                    return
            if service.answered:
                self._place.starts.unlink(missing_ok=True)
            limit = 0.0 if self._when_idle else self._idle
            if service.state == "ready" and not service.busy and service.idle_for() >= limit:
                return

    def _keep_socket(self) -> None:
        """Puts the socket back if it was removed. One that somebody else put there is left alone."""
        try:
            inode = self._place.socket.stat().st_ino
        except FileNotFoundError:
            inode = 0
        except OSError:
            return
        if inode != self._inode:
            old = self._server
            with suppress(OSError, BackendError):
                self._place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._listen()
                if old is not None:
                    # Connections that are open go on; only the old door is closed.
                    threading.Thread(target=_close_door, args=(old,), daemon=True).start()

    def _write_state(self) -> None:
        """Says who runs here. A full disk keeps nobody from working: the socket is enough."""
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "model": self._model,
            "options": dict(self._options),
            "state": self._service.state,
            "version": __version__,
            "protocol": PROTOCOL,
            "started": self._service.started,
        }
        if self._token is not None:
            state |= {"port": self._tcp, "token": self._token}
        draft = self._place.state.with_suffix(f".json.{os.getpid()}")
        try:
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(state, default=str), encoding="utf-8")
            draft.replace(self._place.state)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            with suppress(OSError):
                print(f"engine: its state can't be written: {error}", file=sys.stderr)

    def _stop(self, when_idle: bool) -> None:
        if when_idle:
            self._when_idle = True
        else:
            self._ended.set()

    def _load(self, tell: Any) -> SharedBackend:
        from cwm_lsp.model.catalog import load

        wanted = dict(self._options)
        sequences = int(wanted.pop("sequences", SEQUENCES))
        local: Any = load(
            self._model, sequences=sequences, progress=lambda part: tell("loading", part), **wanted
        )
        return SharedBackend(local, sequences=sequences)


def _close_door(server: EngineServer) -> None:
    server.shutdown()
    server.socket.close()
