"""nvim-dap drives our adapter, where a checkout of it is (CWM_NVIM_DAP); it is no part of this repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("pynvim", reason="pynvim is not installed: pip install '.[editors]'")

from tests.editors.neovim.editor import Neovim

LINE = "Probe.dap_line()"


@pytest.fixture
def checkout(editors: Path) -> Path:
    folder = Path(os.environ.get("CWM_NVIM_DAP", editors / "nvim-dap"))
    if not (folder / "lua" / "dap.lua").exists():
        pytest.skip(f"there is no checkout of nvim-dap in {folder}, and no registry that has it")
    return folder


@pytest.fixture
def stepping(start: Callable[..., Neovim], checkout: Path) -> Iterator[Neovim]:
    editor = start(runtime=(checkout,))
    editor.attached()
    editor.go_to("count = count_letter")
    editor.nvim.command("Cwm step")
    editor.wait(LINE)
    yield editor
    editor.lua("require('dap').terminate()")


def test_a_session_forwards_and_backwards(stepping: Neovim) -> None:
    editor = stepping
    at = editor.line_of

    def move(how: str, line: int) -> None:
        editor.nvim.command(f"Cwm {how}")
        editor.wait(f"{LINE} == {line}", 10)

    assert editor.lua(f"return {LINE}") == at("def how_many")
    move("over", at("count = count_letter"))
    move("into", at("count = 0"))
    move("over", at("for char in word"))
    move("back", at("count = 0"))
    move("out", at("count = count_letter"))
    move("over", at("return format_answer"))
    editor.nvim.command("Cwm set count = 7")
    editor.wait("Probe.dap_holds('count', '✎ 7')", 10)
    move("reverse", at("def how_many"))


def test_breakpoints_that_nvim_dap_has_no_words_for(stepping: Neovim) -> None:
    editor = stepping
    editor.nvim.command("Cwm break-function format_answer")
    editor.nvim.command("Cwm continue")
    editor.wait(f"{LINE} == {editor.line_of('def format_answer')}", 10)


def test_it_is_registered(start: Callable[..., Neovim], checkout: Path) -> None:
    editor = start(runtime=(checkout,))
    assert editor.lua("return require('dap').adapters.cwm ~= nil")
    names = editor.lua(
        "return vim.tbl_map(function(c) return c.name end, require('dap').configurations.python)"
    )
    assert "cwm: predict this file" in names
    editor.lua("require('cwm').setup{}")
    again = editor.lua(
        "return vim.tbl_map(function(c) return c.name end, require('dap').configurations.python)"
    )
    assert again == names
