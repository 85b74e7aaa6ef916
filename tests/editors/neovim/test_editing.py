"""The plugin in real Neovim: it attaches, shows values, offers fills, and answers `:Cwm`."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

pytest.importorskip("pynvim", reason="pynvim is not installed: pip install '.[editors]'")

from tests.editors.neovim.editor import Neovim, unmarked

HINTS = "Probe.hints()"
GHOST = "Probe.ghost()"


def test_values_are_shown(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    line = editor.line_of("count += 1")
    editor.wait(f"#vim.tbl_filter(function(h) return h[1] == {line} end, {HINTS} or {{}}) > 0")
    hints = dict(editor.lua(f"return {HINTS}"))
    assert unmarked(hints[line]).startswith("count = 1 → 2 → 3")
    assert unmarked(hints[editor.line_of("return count")]).startswith("→ = 3")
    assert editor.lua("return require('cwm').statusline()") == "≈ cwm-mini"
    assert "settings" not in editor.notes()  # what the plugin sends is taken


def test_hover_tells_a_value(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    editor.wait(HINTS)
    editor.go_to("count += 1")
    editor.lua("vim.lsp.buf.hover()")
    text = editor.wait("Probe.float()")
    assert "count" in text
    assert "3" in text


def test_ghost_text_is_accepted_and_undone(start: Callable[..., Neovim]) -> None:
    editor = start("holes/digit_product.py")
    editor.attached()
    line = editor.go_to("product = ?")
    editor.keys("$s?")  # the hole is typed, as a person does
    assert editor.wait(GHOST) == "1"
    editor.keys("<Tab>")
    editor.wait(f"vim.fn.getline({line}) == '    product = 1'", 5)
    editor.keys("<Esc>u")
    editor.wait(f"vim.fn.getline({line}) == '    product = ?'", 5)


def test_keys_keep_their_meaning_without_a_fill(start: Callable[..., Neovim]) -> None:
    editor = start(more="vim.opt.expandtab = true vim.opt.shiftwidth = 4 vim.opt.softtabstop = 4")
    editor.attached()
    editor.keys("ggO<Tab>x<Esc>")
    editor.wait("vim.fn.getline(1) == '    x'", 5)


def test_cycling_through_fills(start: Callable[..., Neovim]) -> None:
    editor = start("holes/digit_product.py")
    editor.attached()
    editor.go_to("product = ?")
    editor.keys("$s?")
    first = editor.wait(GHOST)
    editor.keys("<M-]>")
    editor.wait(f"{GHOST} ~= {first!r}", 5)
    assert "(2/" in editor.lua(f"return {GHOST}")


def test_fill_offers_what_passed(start: Callable[..., Neovim]) -> None:
    editor = start("holes/digit_product.py")
    editor.attached()
    line = editor.go_to("?")
    editor.lua("Probe.choose_first()")
    editor.nvim.command("Cwm fill")
    assert editor.wait("Probe.shown")[0] == "1    passed 4 of 4"
    editor.wait(f"vim.fn.getline({line}) == '    product = 1'", 5)


def test_fill_function_fills_all_its_holes(start: Callable[..., Neovim]) -> None:
    editor = start("holes/digit_product.py")
    editor.attached()
    line = editor.go_to("?")
    editor.nvim.command("Cwm fill function")
    editor.wait(f"vim.fn.getline({line}) == '    product = 1'")


def test_completion_of_subcommands(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    complete = "return vim.fn.getcompletion(..., 'cmdline')"
    assert {"trace", "fill", "step", "what-if", "model", "status", "log"} <= set(editor.lua(complete, "Cwm "))
    assert editor.lua(complete, "Cwm st") == ["status", "step", "stop"]
    assert editor.lua(complete, "Cwm step how") == ["how_many("]
    assert "cwm-mini" in editor.lua(complete, "Cwm model ")


def test_trace_and_what_if_open_a_window(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    editor.go_to("count = count_letter")
    editor.nvim.command("Cwm trace")
    editor.wait("vim.bo.filetype == 'cwmtrace'")
    assert any("strawberry has 03 r" in line for line in editor.nvim.current.buffer[:])
    editor.keys("q")
    editor.wait("vim.bo.filetype == 'python'", 5)
    editor.go_to("return format_answer")
    editor.nvim.command("Cwm what-if count = 7")
    editor.wait("vim.bo.filetype == 'cwmtrace'")
    assert any("strawberry has 07 r" in line for line in editor.nvim.current.buffer[:])


def test_other_commands(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    editor.wait(HINTS)
    editor.nvim.command("Cwm status")
    editor.wait("#vim.api.nvim_list_wins() > 1", 5)
    editor.nvim.command("Cwm hints")
    assert not editor.lua("return vim.lsp.inlay_hint.is_enabled{bufnr = 0}")
    editor.nvim.command("Cwm clear")
    editor.wait("vim.fn.execute('messages'):find('forgotten') ~= nil", 5)
    editor.lua("pcall(vim.cmd, 'Cwm nonsense')")
    assert "there is no :Cwm nonsense" in editor.notes()


def test_health_is_green(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    editor.nvim.command("checkhealth cwm")
    text = "\n".join(editor.nvim.current.buffer[:])
    assert "ERROR" not in text
    assert "WARNING" not in text
    assert "OK cwm-lsp 0." in text
    assert "running for 1 file" in text


def test_wrong_options_are_named(start: Callable[..., Neovim]) -> None:
    editor = start()
    told = editor.lua("local _, said = pcall(require('cwm').setup, {inlay_hint = true}) return said")
    assert "there is no option inlay_hint" in told


def test_without_a_server_one_sentence(start: Callable[..., Neovim]) -> None:
    editor = start(environment={"PATH": "/usr/bin:/bin"})
    assert "cwm-lsp was not found" in editor.notes()
    editor.nvim.command("Cwm trace")
    assert "not running" in editor.notes()


def test_the_server_ends_with_the_editor(start: Callable[..., Neovim]) -> None:
    editor = start()
    editor.attached()
    pid = editor.lua("return Probe.children()[1]")
    assert pid > 0
    editor.close()
    until = time.monotonic() + 15
    while _runs(pid):
        assert time.monotonic() < until, "the server outlives its editor"
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
