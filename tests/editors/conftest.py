"""What the tests of the editors share: where the editors are, a workspace, an environment for the server.

The editors are no part of the repository. `tests/editors/fetch.sh FOLDER` fetches them; CWM_EDITORS=FOLDER
lets these tests run; without it they are skipped, with that as the reason. `make test-editors` does both.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """All that stands here needs the editors, and takes longer than a quick test may."""
    given = os.environ.get("CWM_EDITORS")
    skip = pytest.mark.skip(
        reason="CWM_EDITORS is not set: `make test-editors` fetches the editors and runs this"
    )
    for item in items:
        if HERE in Path(item.path).parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(300))
            if not given:
                item.add_marker(skip)


@pytest.fixture(scope="session")
def editors() -> Path:
    """The folder with the editors."""
    return Path(os.environ["CWM_EDITORS"]).resolve()


@pytest.fixture(scope="session")
def results() -> Path:
    """Where screenshots and logs are kept (CWM_EDITORS_RESULTS)."""
    folder = Path(os.environ.get("CWM_EDITORS_RESULTS", HERE / "results")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def server_bin() -> Path:
    """The folder of the installed `cwm-lsp` (CWM_EDITORS_SERVER: of another environment)."""
    folder = Path(os.environ.get("CWM_EDITORS_SERVER", Path(sys.executable).parent))
    assert (folder / "cwm-lsp").exists(), f"there is no cwm-lsp in {folder}"
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with copies of the examples; the editors may write into it."""
    folder = tmp_path / "workspace"
    shutil.copytree(REPOSITORY / "examples", folder)
    return folder


def clean_environment(home: Path, *paths: Path) -> dict[str, str]:
    """An environment in which nothing of the user who runs the tests is found; folders go before PATH."""
    home.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join([*map(str, paths), "/usr/local/bin", "/usr/bin", "/bin"])
    # VS Code asks the user's login shell for its variables.
    (home / ".profile").write_text(f'export PATH="{path}"\n')
    kept = {name: os.environ[name] for name in ("LANG", "TERM", "TMPDIR") if name in os.environ}
    return {
        "LANG": "C.UTF-8",
        **kept,
        "HOME": str(home),
        "SHELL": "/bin/bash",
        "PATH": path,
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "CACHE", "DATA", "STATE")},
    }
