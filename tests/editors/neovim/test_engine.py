"""Two editors on one folder share one engine, which ends by itself when both are gone.

The embedded model needs no engine; here it is told to use one (`engine = true`), as a large model would.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.editors.conftest import clean_environment

pytest.importorskip("pynvim", reason="pynvim is not installed: pip install '.[editors]'")

from tests.editors.neovim.editor import Neovim

IDLE = 20


def test_two_windows_share_one_engine(start: Callable[..., Neovim], server_bin: Path, tmp_path: Path) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    wish = {
        "XDG_RUNTIME_DIR": str(runtime),
        "CWM_LSP_BACKEND_ENGINE": "true",
        "CWM_LSP_GROUNDING": "flow",  # with "values" nothing may be left for a model to tell
        "CWM_LSP_CACHE": "false",
    }
    environment = {**clean_environment(tmp_path / "home", server_bin), **wish}

    def cwm(*arguments: str) -> str:
        command = [str(server_bin / "cwm-lsp"), *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout

    def engines() -> list[dict[str, object]]:
        return [json.loads(line) for line in cwm("engine", "status", "--json").splitlines()]

    cwm("engine", "start", "cwm-mini", "--idle", str(IDLE))
    (began,) = engines()
    windows = [start("strawberry.py", environment=wish), start("running_totals.py", environment=wish)]
    for window in windows:
        window.attached()
    for window in windows:
        window.wait("Probe.hints()", 60)
    (shared,) = engines()
    assert shared["pid"] == began["pid"]
    assert int(str(shared["answered"])) > int(str(began["answered"]))
    windows[0].close()
    assert len(engines()) == 1, "the other window still uses it"
    windows[1].close()
    until = time.monotonic() + IDLE + 30
    while Path(f"/proc/{shared['pid']}").exists() and _state(str(shared["pid"])) != "Z":
        assert time.monotonic() < until, "the engine outlives its idle time"
        time.sleep(0.5)


def _state(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"
