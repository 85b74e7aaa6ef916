"""Engines from the command line: programs that share one, what is seen of it, and its end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli_fixture import EXAMPLES, ROOT, cwm

pytest.importorskip("torch")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MINI = ROOT / "models" / "cwm-mini" / "checkpoint"


@pytest.fixture
def env() -> Iterator[dict[str, str]]:
    folder = Path(tempfile.mkdtemp(prefix="cwm-cli-"))
    yield {
        "CWM_LSP_RUNTIME_DIR": str(folder),
        "CWM_LSP_BACKEND_DEVICE": "cpu",
        "CWM_LSP_BACKEND_THREADS": "1",
    }
    for path in folder.glob("*.json"):
        os.kill(json.loads(path.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def test_a_trace_starts_the_engine_and_the_next_one_shares_it(env: dict[str, str]) -> None:
    program = EXAMPLES / "gcd.py"
    ask = ("trace", program, "--json", "--grounding", "flow", "--backend", MINI)
    alone = cwm(*ask, env={**env, "CWM_LSP_BACKEND_ENGINE": "false"})
    assert alone.status == 0, alone.err
    assert "no engine runs" in cwm("engine", "status", env=env).out
    first = cwm(*ask, env=env)
    [status] = cwm("engine", "status", "--json", env=env).lines
    second = cwm(*ask, env=env)
    [after] = cwm("engine", "status", "--json", env=env).lines
    assert after["pid"] == status["pid"]
    assert after["answered"] > status["answered"] > 0
    assert after["model"] == str(MINI)
    assert after["memory"] > 1e7
    for done in (first, second):
        assert [line.get("locals") for line in done.lines] == [line.get("locals") for line in alone.lines]
        assert done.lines[-1]["value"] == alone.lines[-1]["value"]
    shown = cwm("engine", "status", env=env).out
    assert "ready" in shown
    assert "tokens/s" in shown
    assert "ended" in cwm("engine", "stop", env=env).out
    assert "no engine runs" in cwm("engine", "status", env=env).out


def test_start_says_what_is_loaded_and_why_it_is_not(env: dict[str, str], tmp_path: Path) -> None:
    assert "is loaded" in cwm("engine", "start", MINI, env=env).out
    assert "ended" in cwm("engine", "stop", MINI, env=env).out
    broken = tmp_path / "broken"
    shutil.copytree(MINI, broken)
    (broken / "model.safetensors").write_bytes(b"nothing")
    assert "can't be loaded" in cwm("engine", "start", broken, env=env).refused(1)
    assert "no option" in cwm("engine", "start", MINI, env={**env, "CWM_LSP_BACKEND_COLOUR": "1"}).refused(1)
