"""The engine of a model as a backend: found, started on demand, started again when it crashed.

A request that an engine took with it is made again on the next one, so a client loses nothing but time.
Leaves out the process itself (engine_process.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cwm_lsp import __version__
from cwm_lsp.model.backend import BackendError, Description, Request
from cwm_lsp.model.engine_paths import HAS_UNIX_SOCKETS, PROTOCOL, FileLock, Place
from cwm_lsp.model.engine_remote import EngineRemoteBackend, fetch_vocabulary
from cwm_lsp.model.http_client import Endpoint, HttpClient, HttpError
from cwm_lsp.model.remote_dialects import Features
from cwm_lsp.model.remote_discovery import Found
from cwm_lsp.model.retry import with_retries

Progress = Callable[[str, float], None]

_START_SECONDS = 30.0
_LOOK = 0.03
_CRASHES_FOR = 120.0
_FREE_STARTS, _MOST_STARTS = 3, 8
_LONGEST_PAUSE = 20.0
# For how long a request is tried again on engines that die.
PATIENCE = 90.0
_FEATURES = Features(grammar=True, allowed=True, stop=True, stream=True, priority=True)


class Supervisor:
    """Sees to it that the engine of a model runs, for one client."""

    def __init__(self, model: str, options: Mapping[str, Any], idle: float | None = None) -> None:
        self.model, self.options = model, dict(options)
        self.place = Place.of(model, options)
        self._idle = idle
        self._process: subprocess.Popen[bytes] | None = None
        self._client: HttpClient | None = None
        self._address: tuple[Any, ...] = ()
        self._asked_to_end = False

    def client(self) -> HttpClient:
        """A client of the engine. Raises HttpError if there is none."""
        if HAS_UNIX_SOCKETS and not self.place.read_state().get("port"):
            address: tuple[Any, ...] = (self.place.socket,)
            endpoint = Endpoint(socket=self.place.socket, timeout=600.0)
        else:
            state = self.place.read_state()
            if not state.get("port"):
                raise HttpError(f"The engine of {self.model} does not run", again=True)
            address = (state["port"], state.get("token"))
            url = f"http://127.0.0.1:{state['port']}"
            endpoint = Endpoint(url, key=str(state.get("token", "")), timeout=600.0)
        if self._client is None or address != self._address:
            if self._client is not None:
                self._client.close()
            self._client, self._address = HttpClient(endpoint), address
        return self._client

    def hello(self) -> dict[str, Any]:
        """What the engine says it is. Raises HttpError if it does not."""
        said = self.client().json("GET", "/v1/cwm-lsp/hello", timeout=10.0)
        if not isinstance(said, dict) or said.get("protocol") != PROTOCOL:
            raise BackendError(
                f"The engine at {self.place.socket} is of another version; cwm-lsp engine stop --all ends it."
            )
        return said

    def ensure(self) -> dict[str, Any]:
        """Its hello; the engine is started if there is none. Raises BackendError, or HttpError if it may help
        to try again."""
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                said = self.hello()
            except HttpError as error:
                if time.monotonic() > deadline:
                    raise
                self._start_if_none(error)
                time.sleep(_LOOK)
                continue
            if self._asked_to_end or not _is_older(str(said.get("version")), __version__):
                return said
            # An engine of an older version goes when it has nothing to do; while it is busy it will do.
            self._asked_to_end = True
            with suppress(HttpError):
                self.client().json("POST", "/v1/cwm-lsp/stop", {"when_idle": True}, timeout=5.0)
            self._await_end(3.0)

    def wait_ready(self, progress: Progress | None) -> dict[str, Any]:
        """Its hello once the model is loaded. Raises BackendError with the engine's reason if it can't be."""
        while True:
            said = self.ensure()
            if said["state"] == "ready":
                return said
            if said["state"] == "failed":
                try:
                    self.client().json("GET", "/v1/cwm-lsp/hello?wait=1", timeout=10.0)
                except HttpError as error:
                    if not error.again:
                        why = str(error).partition(" refused: ")[2] or str(error)
                        raise BackendError(f"{why}.") from error
            if progress is not None:
                progress(str(said.get("doing", "loading")), float(said.get("progress", 0.0)))
            time.sleep(0.1)

    def answered(self) -> None:
        """The engine answered: earlier crashes don't count any more."""
        with suppress(OSError):
            self.place.starts.unlink(missing_ok=True)

    def close(self) -> None:
        """Closes this client's connections; the engine goes on."""
        if self._client is not None:
            self._client.close()
        if self._process is not None:
            self._process.poll()

    def _start_if_none(self, error: HttpError) -> None:
        """Starts the engine, unless somebody does or it lives and only its socket is gone for a moment."""
        if not error.again:
            raise error
        if self._process is not None and self._process.poll() is None:
            return
        lock = FileLock(self.place.starting)
        try:
            if not lock.acquire():
                return
        except OSError as problem:
            raise BackendError(
                f"{self.place.folder}, where engines are found, can't be written ({problem.strerror})."
            ) from problem
        try:
            alive = FileLock(self.place.lock)
            if not alive.acquire():
                return
            alive.release()
            pause = self._pause()
            if pause:
                time.sleep(pause)
            self._spawn()
        finally:
            lock.release()

    def _pause(self) -> float:
        """How long to wait before the next start: longer after each engine that answered nothing. Raises
        BackendError once it is no use any more."""
        times: list[float] = []
        with suppress(OSError, ValueError):
            times = [float(line) for line in self.place.starts.read_text(encoding="ascii").split()]
        now = time.time()
        times = [at for at in times if 0 <= now - at < _CRASHES_FOR]
        if len(times) >= _MOST_STARTS:
            raise BackendError(
                f"The engine of {self.model} ended {len(times)} times before it answered anything"
                f"{self._last_words()}; cwm-lsp engine start {self.model} tries again, {self.place.log} says "
                f"more."
            )
        with suppress(OSError):
            self.place.starts.write_text("\n".join(map(str, [*times, now])), encoding="ascii")
        late = len(times) - _FREE_STARTS
        return min(_LONGEST_PAUSE, 0.5 * 2**late) if late >= 0 else 0.0

    def _last_words(self) -> str:
        try:
            lines = self.place.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return f" (its last words: {lines[-1].strip()[:160]})" if lines else ""

    def _spawn(self) -> None:
        command = [sys.executable, "-m", "cwm_lsp", "engine", "run", self.model]
        command += ["--options", json.dumps(self.options)]
        if self._idle is not None:
            command += ["--idle", str(self._idle)]
        try:
            log: Any = self.place.log.open("wb")
        except OSError:
            log = subprocess.DEVNULL
        environ = dict(os.environ)
        package = str(Path(__file__).parents[2])
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environ.get("PYTHONPATH")]))
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                close_fds=True,
                cwd=self.place.folder,
                env=environ,
            )
        except OSError as error:
            raise BackendError(f"The engine can't be started: {error.strerror or error}.") from error
        finally:
            if log != subprocess.DEVNULL:
                log.close()

    def _await_end(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.hello()
            except (HttpError, BackendError):
                return
            time.sleep(_LOOK)


class EngineBackend(EngineRemoteBackend):
    """A backend over the engine of this machine."""

    def __init__(self, supervisor: Supervisor, description: Description, patience: float) -> None:
        client = supervisor.client()
        found = Found("engine", supervisor.model, description.context, "/v1", {})
        vocabulary = with_retries(lambda: fetch_vocabulary(supervisor.client()), patience=patience)
        super().__init__(
            client, found, _FEATURES, vocabulary=vocabulary, description=description, patience=patience
        )
        self.supervisor = supervisor
        self._answered = False

    def close(self) -> None:
        """Leaves the engine, which goes on for others and ends when it is idle."""
        super().close()
        self.supervisor.close()

    def _call(self, work: Any, request: Request | None) -> Any:
        self._http()

        def attempt() -> Any:
            return work(self.supervisor.client())

        def again(_tries: int, _error: HttpError) -> None:
            self.supervisor.wait_ready(None)

        answer = with_retries(
            attempt,
            patience=self._patience,
            cancel=None if request is None else request.cancel,
            before=again,
        )
        self.supervisor.answered()
        return answer


def open_engine(
    model: str,
    options: Mapping[str, Any],
    *,
    progress: Progress | None = None,
    idle: float | None = None,
    patience: float = PATIENCE,
) -> EngineBackend:
    """Connects to the engine of `model` with `options`, and starts it if it does not run. `progress` is told
    what it does while the model is loaded. Raises BackendError."""
    supervisor = Supervisor(model, options, idle)
    said = with_retries(lambda: supervisor.wait_ready(progress), patience=patience)
    try:
        description = Description(
            name=str(said["name"]),
            backend=str(said["backend"]),
            codec=said["codec"],
            parameters=int(said["parameters"]),
            context=int(said["context"]),
            details={**said["details"], "engine": said["pid"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BackendError("The engine answered in an unknown form; is it of another version?") from error
    return EngineBackend(supervisor, description, patience)


def _is_older(version: str, than: str) -> bool:
    def parts(text: str) -> list[int]:
        return [int(part) for part in text.split("+", maxsplit=1)[0].split(".") if part.isdecimal()]

    return parts(version) < parts(than)
