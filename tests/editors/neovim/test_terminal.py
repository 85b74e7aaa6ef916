"""Neovim in a terminal: what a person sees, with pictures of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.editors.conftest import clean_environment

for module in ("pynvim", "pyte", "PIL"):
    pytest.importorskip(module, reason=f"{module} is not installed: pip install '.[editors]'")

from tests.editors.neovim.editor import Terminal, write_init
from tests.editors.neovim.picture import draw

SIZE = (108, 30)
LOOK = """
vim.cmd.colorscheme('default')
vim.o.termguicolors = true
vim.o.number = true
vim.o.hlsearch = false
vim.o.signcolumn = 'yes'
vim.o.laststatus = 2
vim.o.statusline = " %f %= %{v:lua.require('cwm').statusline()} "
"""

Open = Callable[[str], Terminal]


@pytest.fixture
def terminal(nvim_program: Path, server_bin: Path, workspace: Path, tmp_path: Path) -> Iterator[Open]:
    opened: list[Terminal] = []

    def open_file(name: str) -> Terminal:
        home = tmp_path / "home"
        environment = clean_environment(home, server_bin)
        init = write_init(home, setup="{ stepper = 'builtin', side_width = 36 }", more=LOOK)
        command = f"cd {workspace} && {nvim_program} --clean -u {init} {name}"
        opened.append(Terminal(f"cwm-{os.getpid()}-{len(opened)}", command, environment, SIZE))
        return opened[-1]

    yield open_file
    for each in opened:
        each.close()


def test_values(terminal: Open, results: Path) -> None:
    screen = terminal("strawberry.py")
    screen.wait("count ≈ 1 → 2 → 3")
    screen.wait("≈ cwm-mini")
    draw(screen.screen(colours=True), SIZE, results / "neovim-values.png")


def test_ghost_text(terminal: Open, results: Path) -> None:
    screen = terminal("holes/brackets.py")
    screen.wait("if ?:")
    screen.wait("≈ cwm-mini")
    screen.keys("/if ?:", "Enter", "f?", "s?")  # the hole is typed, as a person does
    screen.wait("if ?depth < 0:")
    draw(screen.screen(colours=True), SIZE, results / "neovim-ghost.png")
    screen.keys("Tab")
    screen.wait("if depth < 0:")


def test_stepping(terminal: Open, results: Path) -> None:
    screen = terminal("strawberry.py")
    screen.wait("count ≈ 1 → 2 → 3")
    screen.keys("/count = count_letter", "Enter", ":Cwm step", "Enter")
    screen.wait("Variables")
    screen.wait("▶")
    for key in ["F10", "F11", *["F10"] * 6]:
        before = screen.screen()
        screen.keys(key)
        for _ in range(100):
            if screen.screen() != before:
                break
            screen.wait("Variables")
    screen.wait("char ≈ 'r'")
    draw(screen.screen(colours=True), SIZE, results / "neovim-stepping.png")
    screen.keys("F9")
    screen.wait("▶")
    screen.keys("F4")
    screen.wait("count ≈ 1 → 2 → 3")
