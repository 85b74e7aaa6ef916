"""A Neovim for each test anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.editors.conftest import clean_environment

if TYPE_CHECKING:
    from tests.editors.neovim.editor import Neovim


@pytest.fixture(scope="session")
def nvim_program(editors: Path) -> Path:
    """The program of Neovim 0.12."""
    program = editors / "neovim" / "usr" / "bin" / "nvim"
    if not program.exists():
        pytest.skip(f"there is no Neovim in {editors}: tests/editors/fetch.sh fetches it")
    return program


@pytest.fixture
def start(
    nvim_program: Path, server_bin: Path, workspace: Path, tmp_path: Path
) -> Iterator[Callable[..., Neovim]]:
    """Starts editors on files of the workspace, and ends them after the test."""
    from tests.editors.neovim.editor import Neovim, write_init

    running: list[Neovim] = []

    def begin(name: str = "strawberry.py", environment: dict[str, str] | None = None, **init: Any) -> Neovim:
        home = tmp_path / "home"
        base = clean_environment(home, server_bin)
        file = write_init(home, **init)
        editor = Neovim(nvim_program, file, workspace / name, {**base, **(environment or {})})
        running.append(editor)
        return editor

    yield begin
    for editor in running:
        editor.close()
