"""The stepper built into the plugin, through the strawberry example and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("pynvim", reason="pynvim is not installed: pip install '.[editors]'")

from tests.editors.neovim.editor import Neovim, unmarked

STOPPED = "Probe.stopped()"
LINE = "return require('cwm.step').session().stack[1].line"
SIGNS = "return Probe.signs()"


def move(editor: Neovim, key: str) -> int:
    """Presses a key, waits for the stop, gives its line."""
    before = editor.lua("return Probe.stops")
    editor.keys(key)
    editor.wait(f"Probe.stops > {before}", 20)
    return int(editor.lua(LINE))


def side(editor: Neovim) -> str:
    """The text of the side window."""
    lines = editor.lua("return vim.api.nvim_buf_get_lines(require('cwm.step').view().side, 0, -1, false)")
    return unmarked("\n".join(lines))


@pytest.fixture
def stepping(start: Callable[..., Neovim]) -> Neovim:
    editor = start(setup="{ stepper = 'builtin' }")
    editor.attached()
    editor.go_to("count = count_letter")
    editor.nvim.command("Cwm step")
    editor.wait(STOPPED)
    return editor


def test_through_the_strawberry_and_back(stepping: Neovim) -> None:
    editor = stepping
    at = editor.line_of
    assert editor.lua(LINE) == at("def how_many")
    assert "word 'strawberry'" in side(editor)
    assert move(editor, "<F10>") == at("count = count_letter")
    assert move(editor, "<F11>") == at("count = 0")
    assert "count_letter:" in side(editor)
    assert "how_many:" in side(editor)
    assert move(editor, "<F10>") == at("for char in word")
    assert "count = 0" in side(editor)
    seen = [move(editor, "<F10>") for _ in range(6)]
    assert at("count += 1") in seen
    assert "char = 'r'" in side(editor)
    # The line has its sign, and the values that matter there stand beside it.
    marks = editor.lua(SIGNS)
    here = next(mark for mark in marks if mark[1] == "▶")
    assert here[0] == editor.lua(LINE)
    assert any("≈" in part[0] or "=" in part[0] for part in here[2])
    assert any(mark[1] == "▷" and mark[0] == at("count = count_letter") for mark in marks)
    # Out, to the end, and all the way back.
    assert move(editor, "<F12>") == at("count = count_letter")
    assert move(editor, "<F10>") == at("return format_answer")
    assert "count = 3" in side(editor)
    move(editor, "<F5>")
    assert "returned = 'strawberry has 03 r'" in side(editor)
    assert move(editor, "<F9>") == at("return format_answer")
    assert move(editor, "<F6>") == at("def how_many")


def test_a_value_is_changed(stepping: Neovim) -> None:
    editor = stepping
    move(editor, "<F10>")
    move(editor, "<F10>")
    assert editor.lua(LINE) == editor.line_of("return format_answer")
    editor.nvim.command("Cwm set count = 5 + 2")
    editor.wait("Probe.holds('✎ 7')", 10)
    assert "count ✎ 7" in side(editor)
    move(editor, "<F5>")
    assert "strawberry has 07 r" in side(editor)


def test_the_side_window_has_keys_of_its_own(stepping: Neovim) -> None:
    editor = stepping
    lines = [editor.line_of(text) for text in ("count = count_letter", "return format_answer")]
    editor.lua("vim.api.nvim_set_current_win(require('cwm.step').view().side_window)")
    assert [move(editor, "o"), move(editor, "o")] == lines
    # A change by `=` on the variable's line.
    editor.lua("vim.ui.input = function(options, done) _G.asked = options done('9') end")
    row = next(i for i, line in enumerate(side(editor).split("\n"), 1) if line.strip().startswith("count "))
    editor.lua("vim.api.nvim_win_set_cursor(0, {..., 0})", row)
    editor.keys("=")
    editor.wait("Probe.holds('✎ 9')", 10)
    assert editor.lua("return _G.asked.prompt") == "count = "
    assert editor.lua("return _G.asked.default") == "3"
    editor.keys("q")
    editor.wait("require('cwm.step').session() == nil", 5)
    assert editor.lua("return #vim.api.nvim_list_wins()") == 1


def test_breakpoints(stepping: Neovim) -> None:
    editor = stepping
    line = editor.go_to("count += 1")
    editor.nvim.command("Cwm break")
    assert move(editor, "<F5>") == line
    editor.nvim.command("Cwm break-data count")
    editor.wait("vim.fn.execute('messages'):find('stops when') ~= nil", 5)
    editor.go_to("count += 1")
    editor.nvim.command("Cwm break")
    editor.nvim.command("Cwm break-function format_answer")
    move(editor, "<F5>")
    assert "data breakpoint" in side(editor).lower() or "count" in side(editor)
    editor.nvim.command("Cwm break-data count")
    editor.wait("vim.fn.execute('messages'):find('no longer') ~= nil", 5)
    move(editor, "<F5>")
    assert editor.lua(LINE) in (
        editor.line_of("def format_answer"),
        editor.line_of("word, letter, count = parts"),
    )


def test_stopping_takes_everything_away(stepping: Neovim) -> None:
    editor = stepping
    assert not editor.lua("return vim.lsp.inlay_hint.is_enabled{bufnr = 0}")
    editor.keys("<F4>")
    editor.wait("require('cwm.step').session() == nil", 5)
    assert editor.lua(SIGNS) == []
    assert editor.lua("return vim.lsp.inlay_hint.is_enabled{bufnr = 0}")
    assert editor.lua("return vim.fn.maparg('<F10>', 'n')") == ""
    editor.wait("#Probe.children() == 1", 10)  # the language server alone
