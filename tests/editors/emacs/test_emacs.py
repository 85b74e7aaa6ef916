"""The server from an editor that knows nothing of it: eglot, as it comes with Emacs.

`tests/editors/emacs/fetch_emacs.sh FOLDER` fetches Emacs; CWM_EDITORS=FOLDER lets this test run.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[2] / "examples"
HOLES = '''\
def largest(items):
    """
    >>> largest([3, 9, 2])
    9
    >>> largest([-5, -2])
    -2
    """
    best = ?
    for item in items:
        if item > best:
            best = item
    return best
'''


def test_eglot_shows_values_and_fills_holes(tmp_path: Path, server_bin: Path) -> None:
    emacs = Path(os.environ["CWM_EDITORS"]) / "emacs" / "run"
    if not emacs.exists():
        pytest.skip("there is no Emacs in CWM_EDITORS: tests/editors/emacs/fetch_emacs.sh fetches it")
    program, holes = tmp_path / "strawberry.py", tmp_path / "holes.py"
    program.write_text((EXAMPLES / "strawberry.py").read_text(encoding="utf-8"), encoding="utf-8")
    holes.write_text(HOLES, encoding="utf-8")
    environment = {
        **os.environ,
        "LANG": "C.UTF-8",
        "HOME": str(tmp_path / "home"),
        "PATH": f"{server_bin}:{os.environ['PATH']}",
        "CWM_LSP_CONFIG": "/nonexistent",
        "CWM_LSP_FILL_SECONDS": "20",
    }
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [str(emacs), "--batch", "-Q", "-l", str(HERE / "drive.el"), str(program), str(holes)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=250,
        check=False,
        cwd=tmp_path,
    )
    seen: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            item = json.loads(line)
            seen[item["what"]] = item["value"]
    assert done.returncode == 0, (seen, done.stderr[-3000:])
    assert seen["trace"] == "→ = 'strawberry has 03 r'"
    assert "1" in seen["hover"]
    assert "Nothing was run" in seen["hover"]
    assert any("count = 1 → 2 → 3" in hint for hint in seen["hints"])
    assert seen["edited"] == "→ = 'strawberry has 06 r'"
    assert seen["completions"]
    assert any(title.startswith("Fill with") for title in seen["actions"])
    assert "?" not in seen["filled"]
    assert seen["ended"] is True
