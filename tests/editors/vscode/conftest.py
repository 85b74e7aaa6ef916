"""The extension, built from this repository."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import REPOSITORY

SOURCE = REPOSITORY / "editors" / "vscode"


@pytest.fixture(scope="session")
def extension() -> Path:
    """The folder of the extension with its packages, checked and built."""
    if not (SOURCE / "node_modules").exists():
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(["npm", "ci", *quiet], cwd=SOURCE, check=True, timeout=280)
    subprocess.run(["npm", "run", "--silent", "check"], cwd=SOURCE, check=True, timeout=120)
    subprocess.run(["npm", "run", "--silent", "build"], cwd=SOURCE, check=True, timeout=120)
    return SOURCE


@pytest.fixture(scope="session")
def vsix(extension: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, as a user gets it."""
    given = os.environ.get("CWM_VSIX")
    if given:
        return Path(given)
    file = tmp_path_factory.mktemp("vsix") / "cwm-lsp.vsix"
    command = ["npm", "run", "--silent", "package", "--", "--out", str(file)]
    subprocess.run(command, cwd=extension, check=True, timeout=200, stdout=subprocess.DEVNULL)
    return file
