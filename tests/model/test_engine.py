"""Engines: shared, started on demand, and under every fault: each request ends with an answer or a sentence,
nothing is left behind, and the next request works."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import BackendError, Cancel, Completion, Request
from cwm_lsp.model.embedded import EmbeddedBackend, default_folder
from cwm_lsp.model.engine_client import EngineBackend, Supervisor, open_engine
from cwm_lsp.model.engine_paths import Place
from cwm_lsp.model.http_client import HttpError
from tests.model.conformance import stop_engine

pytestmark = [pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
GRAMMAR = 'start: <|line_sep|> "{\\"x\\": \\"" /[a-z ]{0,20}/ "\\"}" <|frame_sep|>\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of the test's own. Engines that are left in it at the end are ended."""
    folder = Path("/tmp") / f"cwm-t{os.getpid()}-{random.getrandbits(24):x}"
    monkeypatch.setenv("CWM_LSP_RUNTIME_DIR", str(folder))
    yield folder
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            os.kill(json.loads(path.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)
    for path in folder.glob("*"):
        path.unlink(missing_ok=True)
    folder.rmdir()


@pytest.fixture
def folder(checkpoint: Callable[[str], Path]) -> Path:
    return checkpoint("full-last")


@pytest.fixture
def local(engines: dict[str, Any]) -> Any:
    return engines["embedded"]


@contextlib.contextmanager
def opened(folder: Path, **options: Any) -> Iterator[EngineBackend]:
    backend = open_engine(str(folder), {"threads": 1}, idle=60, **options)
    try:
        yield backend
    finally:
        stop_engine(backend)


def pid_of(backend: EngineBackend) -> int:
    return int(backend.supervisor.hello()["pid"])


def prompts(count: int, length: int = 40) -> list[list[int]]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 5000, length).tolist() for _ in range(count)]


def test_an_engine_is_started_on_demand_and_gives_the_local_answers(
    place: Path, folder: Path, local: Any
) -> None:
    told: list[str] = []
    with opened(folder, progress=lambda doing, _: told.append(doing)) as backend:
        assert isinstance(backend, EngineBackend)
        about = backend.describe()
        assert (about.backend, about.codec, about.context) == ("embedded", "cwm", 2048)
        prompt = prompts(1)[0]
        for request in (
            Request(prompt, max_tokens=20),
            Request(prompt, grammar=GRAMMAR),
            Request(prompt, max_tokens=9, temperature=0.8, seed=5),
        ):
            ours, theirs = backend.complete(request), local.complete(request)
            assert (ours.tokens, ours.forced, ours.reason) == (theirs.tokens, theirs.forced, theirs.reason)
            assert np.allclose(ours.logprobs, theirs.logprobs, atol=1e-4)
            assert np.allclose(ours.choice_logprobs, theirs.choice_logprobs, atol=1e-4)
        options = [[1, 2, 3], [1, 5], [9]]
        assert np.allclose(backend.score(prompt, options), local.score(prompt, options), atol=1e-4)
        assert backend.complete(Request(prompt, max_tokens=20)).timing.reused_tokens >= 39
        assert set(told) <= {"starting", "loading"}
        sock = Place.of(str(folder), {"threads": 1}).socket
        assert stat.S_IMODE(sock.stat().st_mode) == 0o600
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert not sock.exists()


@pytest.mark.slow
def test_a_second_client_shares_the_engine(place: Path, folder: Path) -> None:
    with opened(folder) as first:
        second = open_engine(str(folder), {"threads": 1})
        assert pid_of(second) == pid_of(first)
        second.close()
        assert first.complete(Request([5], max_tokens=2)).tokens
        with pytest.raises(BackendError, match="closed"):
            second.complete(Request([5]))


@pytest.mark.slow
def test_an_engine_ends_when_it_is_idle_and_comes_back(place: Path, folder: Path) -> None:
    backend = open_engine(str(folder), {"threads": 1}, idle=0.7)
    try:
        expected = backend.complete(Request([5], max_tokens=3)).tokens
        before = pid_of(backend)
        deadline = time.monotonic() + 30
        while backend.supervisor.place.socket.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert backend.complete(Request([5], max_tokens=3)).tokens == expected
        assert pid_of(backend) != before
    finally:
        stop_engine(backend)


@pytest.mark.slow
def test_what_can_not_be_loaded_is_the_engines_own_sentence(
    place: Path, folder: Path, tmp_path: Path
) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "model.onnx").write_bytes(b"no model")
    for _ in range(2):
        with pytest.raises(BackendError, match="damaged or made for another ONNX Runtime") as caught:
            open_engine(str(broken), {})
        assert "\n" not in str(caught.value)
    with pytest.raises(BackendError, match="has no option colour"):
        open_engine(str(folder), {"colour": 1})


@pytest.mark.slow
def test_two_versions_do_not_mix(place: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(folder) as backend:
        before = pid_of(backend)
        # A client of a newer version lets the old engine go and starts its own.
        monkeypatch.setattr("cwm_lsp.model.engine_client.__version__", "99.0.0")
        newer = Supervisor(str(folder), {"threads": 1}, 60)
        newer.wait_ready(None)
        assert newer.hello()["pid"] != before
        newer.close()
        monkeypatch.undo()
    with opened(folder) as backend:
        monkeypatch.setattr("cwm_lsp.model.engine_client.PROTOCOL", 7)
        with pytest.raises(BackendError, match="of another version"):
            backend.supervisor.hello()


@pytest.mark.slow
def test_an_engine_on_loopback_wants_its_token(place: Path, folder: Path) -> None:
    """What is used where there are no Unix sockets."""
    options = {"threads": 1}
    command = [
        sys.executable,
        "-m",
        "cwm_lsp",
        "engine",
        "run",
        str(folder),
        "--options",
        json.dumps(options),
    ]
    process = subprocess.Popen([*command, "--tcp", "0", "--idle", "60"], cwd=ROOT)
    try:
        spot = Place.of(str(folder), options)
        deadline = time.monotonic() + 40
        while not spot.read_state().get("port"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert stat.S_IMODE(spot.state.stat().st_mode) == 0o600
        backend = open_engine(str(folder), options)
        assert backend.complete(Request([5], max_tokens=2)).tokens
        from cwm_lsp.model.remote import connect

        url = f"http://127.0.0.1:{spot.read_state()['port']}/v1"
        with pytest.raises(BackendError, match="does not accept the key"):
            connect(url, patience=1.0)
        os.environ["CWM_LSP_API_KEY"] = spot.read_state()["token"]
        try:
            other = connect(url, patience=1.0)
            assert other.describe().details["server"] == "engine"
            assert (
                other.complete(Request([5], max_tokens=2)).tokens
                == backend.complete(Request([5], max_tokens=2)).tokens
            )
        finally:
            del os.environ["CWM_LSP_API_KEY"]
        stop_engine(backend)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_killed_fifty_times_in_the_middle_of_a_request(place: Path, folder: Path, local: Any) -> None:
    asked = prompts(50)
    with opened(folder) as backend:
        for i, prompt in enumerate(asked):
            request = Request(prompt, max_tokens=120)
            got: list[Completion | BackendError] = []

            def work(request: Request = request, got: list[Any] = got) -> None:
                try:
                    got.append(backend.complete(request))
                except BackendError as error:
                    got.append(error)

            victim = pid_of(backend)
            thread = threading.Thread(target=work)
            thread.start()
            time.sleep(random.uniform(0.0, 0.15))
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
            thread.join(90)
            assert not thread.is_alive(), f"request {i} hangs"
            assert isinstance(got[0], Completion), got
            assert got[0].tokens == local.complete(request).tokens
            assert backend.complete(Request(prompt, max_tokens=1)).tokens
        final = pid_of(backend)
    _nothing_left(place, final)


def _nothing_left(place: Path, pid: int) -> None:
    """No process, no socket, no state, no connections."""
    deadline = time.monotonic() + 10
    while list(place.glob("*.sock")) + list(place.glob("*.json*")):
        assert time.monotonic() < deadline, sorted(place.iterdir())
        time.sleep(0.05)
    while Path(f"/proc/{pid}").exists():
        if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_socket_that_is_removed_comes_back(place: Path, folder: Path) -> None:
    with opened(folder) as backend:
        before = pid_of(backend)
        for _ in range(2):
            backend.supervisor.place.socket.unlink()
            fresh = Supervisor(str(folder), {"threads": 1})
            fresh.wait_ready(None)
            assert fresh.hello()["pid"] == before
            fresh.close()
            assert backend.complete(Request([5], max_tokens=2)).tokens
        backend.supervisor.place.socket.unlink()
        backend.supervisor.place.socket.write_text("no socket", encoding="utf-8")
        assert open_engine(str(folder), {"threads": 1}).complete(Request([5], max_tokens=2)).tokens


@pytest.mark.slow
def test_a_full_disk_keeps_nobody_from_working(place: Path, folder: Path) -> None:
    """The engine may write no byte into any file (a limit of its process stands for the disk)."""
    options = {"threads": 1}
    engine = f"{sys.executable} -m cwm_lsp engine run {folder} --idle 60"
    run = f"ulimit -f 0; exec {engine} --options '{json.dumps(options)}'"
    process = subprocess.Popen(["bash", "-c", run], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        spot = Place.of(str(folder), options)
        deadline = time.monotonic() + 40
        while not spot.socket.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        backend = open_engine(str(folder), options)
        assert pid_of(backend) == process.pid
        assert not spot.read_state()
        assert backend.complete(Request([5], grammar=GRAMMAR)).tokens
        stop_engine(backend)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_client_on_a_full_disk_starts_its_engine(
    place: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, *args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with opened(folder) as backend:
        assert backend.complete(Request([5], max_tokens=2)).tokens


@pytest.mark.slow
def test_out_of_memory_is_a_sentence_and_the_next_request_works(place: Path, folder: Path) -> None:
    """While loading: the engine may have no more memory than Python itself needs."""
    run = (
        "ulimit -v 900000; exec "
        + f"{sys.executable} -m cwm_lsp engine run {folder} --idle 60 --options '{{}}'"
    )
    process = subprocess.Popen(["bash", "-c", run], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        with pytest.raises(BackendError) as caught:
            _use_much_memory(folder)
        assert "\n" not in str(caught.value)
        assert "Traceback" not in str(caught.value)
    finally:
        process.kill()
        process.wait()
    with opened(folder) as backend:
        assert backend.complete(Request([5], max_tokens=2)).tokens


def _use_much_memory(folder: Path) -> None:
    backend = open_engine(str(folder), {}, patience=40)
    for prompt in prompts(20, 2000):
        backend.complete(Request(prompt, max_tokens=1))
    raise BackendError("There was enough memory after all.")


def test_memory_that_ends_in_a_request_is_a_sentence(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from cwm_lsp.model.shared import SharedBackend

    shared = SharedBackend(EmbeddedBackend(default_folder()))
    request = Request([5, 6], max_tokens=3)
    expected = shared.complete(request).tokens
    runner = shared._together.runner
    monkeypatch.setattr(runner, "run", lambda *_args, **_options: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises((BackendError, MemoryError)):
        shared.complete(Request([7, 8], max_tokens=3))
    monkeypatch.undo()
    assert shared.complete(request).tokens == expected


@pytest.mark.slow
def test_a_client_that_stops_reading_harms_nobody(place: Path, folder: Path) -> None:
    options = {"threads": 1}
    command = [
        sys.executable,
        "-m",
        "cwm_lsp",
        "engine",
        "run",
        str(folder),
        "--options",
        json.dumps(options),
    ]
    process = subprocess.Popen([*command, "--write-timeout", "1", "--idle", "60"], cwd=ROOT)
    try:
        backend = open_engine(str(folder), options)
        lazy = []
        for _ in range(3):
            client = socket.socket(socket.AF_UNIX)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            client.connect(str(backend.supervisor.place.socket))
            body = json.dumps({"prompt": [5], "max_tokens": 1900, "stream": True, "logprobs": 1}).encode()
            head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            client.sendall(head + body)
            lazy.append(client)
        for prompt in prompts(5):
            began = time.monotonic()
            assert backend.complete(Request(prompt, max_tokens=3)).tokens
            assert time.monotonic() - began < 20
        deadline = time.monotonic() + 60
        while backend.supervisor.client().json("GET", "/v1/cwm-lsp/status")["running"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        for client in lazy:
            client.close()
        stop_engine(backend)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_thirty_two_clients_at_once(place: Path, folder: Path, local: Any) -> None:
    asked = prompts(32, 60)
    expected = [local.complete(Request(prompt, max_tokens=12)).tokens for prompt in asked]
    got: dict[int, Any] = {}
    with opened(folder) as first:

        def work(i: int) -> None:
            client = open_engine(str(folder), {"threads": 1})
            priority: Any = ("interactive", "prefetch", "background")[i % 3]
            got[i] = client.complete(Request(asked[i], max_tokens=12, priority=priority)).tokens
            client.close()

        threads = [threading.Thread(target=work, args=(i,)) for i in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(200)
        assert [got.get(i) for i in range(32)] == expected
        status = first.supervisor.client().json("GET", "/v1/cwm-lsp/status")
        assert status["answered"] >= 32
        assert (status["running"], status["queued"]) == (0, 0)


@pytest.mark.slow
def test_hanging_up_cancels_the_request(place: Path, folder: Path) -> None:
    with opened(folder) as backend:
        waited = []
        for _ in range(4):
            cancel, at = Cancel(), list[float]()

            def stop(cancel: Cancel = cancel, at: list[float] = at) -> None:
                at.append(time.perf_counter())
                cancel.cancel()

            threading.Timer(0.2, stop).start()
            assert backend.complete(Request([5], max_tokens=1900, cancel=cancel)).reason == "cancelled"
            waited.append(time.perf_counter() - at[0])
        assert min(waited) < 0.1
        deadline = time.monotonic() + 5
        while backend.supervisor.client().json("GET", "/v1/cwm-lsp/status")["running"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.slow
def test_strange_requests_are_answered(place: Path, folder: Path) -> None:
    with opened(folder) as backend:
        client = backend.supervisor.client()
        for body, said in [
            ({"prompt": "text"}, "list of token ids"),
            ({"prompt": [1], "max_tokens": "many"}, "max_tokens"),
            ({"prompt": [1], "temperature": "hot"}, "can't be read"),
            ([1, 2], "no JSON object"),
            ({"prompt": [1], "structured_outputs": {"grammar": "start: (("}}, "grammar"),
            ({"prompt": [10**9]}, "does not have"),
        ]:
            with pytest.raises(HttpError, match=said) as caught:
                client.json("POST", "/v1/completions", body)
            assert not caught.value.again
        with pytest.raises(HttpError, match="nothing there"):
            client.json("GET", "/v1/other")
        raw = socket.socket(socket.AF_UNIX)
        raw.connect(str(backend.supervisor.place.socket))
        raw.sendall(b"\x16\x03\x01\x00 no HTTP at all\r\n\r\n")
        raw.settimeout(10)
        raw.recv(100)
        raw.close()
        assert backend.complete(Request([5], max_tokens=2)).tokens


def test_an_engine_that_only_dies_is_given_up_with_its_last_words(
    place: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = Supervisor(str(folder), {"threads": 1})

    def dies() -> None:
        supervisor.place.log.write_text("Illegal instruction (core dumped)\n", encoding="utf-8")

    monkeypatch.setattr(supervisor, "_spawn", dies)
    monkeypatch.setattr("cwm_lsp.model.engine_client._LONGEST_PAUSE", 0.05)
    with pytest.raises(BackendError, match=r"ended 8 times .*Illegal instruction.*cwm-lsp engine start"):
        supervisor.wait_ready(None)


def test_a_folder_of_somebody_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cwm_lsp.model.engine_paths import runtime_folder

    monkeypatch.setenv("CWM_LSP_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(BackendError, match="belongs to somebody else"):
        runtime_folder()
    monkeypatch.setenv("CWM_LSP_RUNTIME_DIR", "/proc/nowhere")
    with pytest.raises(BackendError, match="can't be used"):
        runtime_folder()
