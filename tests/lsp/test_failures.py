"""When the model fails the server lives on, and says what to do."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lsp.raw import Raw

LOOP = "def f(n):\n    while n:\n        n += 1\n    return n\n\n\n# cwm: f(3)\n"
URI = "file:///loop.py"


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cwm") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_the_engine_is_killed_in_the_middle_of_a_request(tmp_path: Path, runtime: Path) -> None:
    env = {
        "CWM_LSP_BACKEND_ENGINE": "true",
        "CWM_LSP_RUNTIME_DIR": str(runtime),
        "CWM_LSP_GROUNDING": "flow",
        "CWM_LSP_MAX_FRAMES": "100000",
        "CWM_LSP_PREDICT": "demand",
    }
    with Raw(tmp_path, env) as raw:
        raw.open(URI, LOOP)
        number = raw.start("workspace/executeCommand", {"command": "cwm.trace", "arguments": [{}]})
        _until(lambda: raw.command("cwm.status")["state"] == "predicting")
        _until(lambda: bool(_engines(runtime)))
        for _ in range(3):
            for pid in _engines(runtime):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.5)
            assert raw.command("cwm.status")["state"] in ("predicting", "loading", "error")
        raw.notify("$/cancelRequest", {"id": number})
        answer = raw.wait(number)
        assert answer["error"]["code"] in (-32800, -32803)
        assert raw.command("cwm.restartEngine") == {"model": "cwm-mini"}
        short = LOOP.replace("n += 1", "n -= 1")
        whole = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": short}]}
        raw.notify("textDocument/didChange", whole)
        assert raw.command("cwm.trace")["end"]["reason"] == "returned"
        assert raw.end() == 0
        assert b"Traceback" not in raw.errors
        for pid in _engines(runtime):
            os.kill(pid, signal.SIGTERM)


@pytest.mark.slow
def test_a_server_that_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {"CWM_LSP_MODEL": f"http://127.0.0.1:{port}", "CWM_LSP_GROUNDING": "flow"}
    with Raw(tmp_path, env) as raw:
        raw.open(URI, LOOP)
        answer = raw.ask("workspace/executeCommand", {"command": "cwm.trace", "arguments": [{}]})
        assert answer["error"]["code"] == -32803
        assert str(port) in answer["error"]["message"]
        status = raw.command("cwm.status")
        assert status["state"] == "error"
        assert "cwm.restartEngine" in status["message"]
        said = [message for message in raw.messages() if "cwm.restartEngine" in message]
        assert len(said) == 1
        hover = {"textDocument": {"uri": URI}, "position": {"line": 2, "character": 8}}
        assert str(port) in raw.ask("textDocument/hover", hover)["result"]["contents"]["value"]
        assert raw.command("cwm.selectModel", model="cwm-mini") == {"model": "cwm-mini"}
        assert raw.command("cwm.trace")["end"]["reason"] == "budget"
        assert raw.command("cwm.status")["state"] == "idle"
        assert raw.end() == 0


def _engines(folder: Path) -> list[int]:
    found = []
    for path in folder.rglob("*.json"):
        try:
            pid = int(json.loads(path.read_text(encoding="utf-8"))["pid"])
            os.kill(pid, 0)
        except (OSError, ValueError, KeyError, TypeError):
            continue
        found.append(pid)
    return found


def _until(holds: object, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
