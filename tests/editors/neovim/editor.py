"""Real Neovim, driven from outside: its API (headless), or a terminal of tmux that can be photographed.

Leaves out what is tested.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import Any

import pynvim

PROBE = Path(__file__).parent / "probe.lua"
PLUGIN = Path(__file__).parents[3] / "editors" / "neovim"


def write_init(folder: Path, setup: str = "{}", more: str = "", runtime: tuple[Path, ...] = ()) -> Path:
    """An init.lua with the plugin and nothing else."""
    paths = "\n".join(f"vim.opt.runtimepath:prepend({str(path)!r})" for path in (PLUGIN, *runtime))
    file = folder / "init.lua"
    probe = f"dofile({str(PROBE)!r})"
    file.write_text(f"vim.opt.swapfile = false\n{paths}\n{probe}\n{more}\nrequire('cwm').setup({setup})\n")
    return file


def unmarked(text: str) -> str:
    """Whether a value is computed or predicted is the server's matter: both are `=` here."""
    return text.replace("≈", "=")


class Neovim:
    """A headless Neovim."""

    def __init__(self, program: Path, init: Path, file: Path, environment: dict[str, str]) -> None:
        # pynvim hands its own environment on: `env` sets the child's.
        command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        arguments = ["--embed", "--headless", "--clean", "-u", str(init), str(file)]
        self._closed = False
        self.nvim = pynvim.attach("child", argv=[*command, str(program), *arguments])

    def lua(self, code: str, *arguments: Any) -> Any:
        """Runs Lua in the editor."""
        return self.nvim.exec_lua(code, *arguments)

    def wait(self, expression: str, timeout: float = 30.0) -> Any:
        """Waits until a Lua expression is true, and gives its value."""
        until = time.monotonic() + timeout
        while True:
            seen = self.lua(f"return {expression}")
            if seen:
                return seen
            if time.monotonic() > until:
                messages = self.lua("return vim.fn.execute('messages')")
                raise AssertionError(f"not within {timeout} s: {expression}\n{messages}")
            time.sleep(0.03)

    def attached(self) -> None:
        """Waits until the server is there, and has said what it can do."""
        self.wait("#vim.lsp.get_clients{name='cwm'} > 0 and vim.lsp.get_clients{name='cwm'}[1].initialized")

    def line_of(self, text: str) -> int:
        """The number of the line (1-based) that holds a text."""
        lines = self.nvim.current.buffer[:]
        return next(number for number, line in enumerate(lines, 1) if text in line)

    def go_to(self, text: str) -> int:
        """Puts the cursor onto the beginning of a text."""
        line = self.line_of(text)
        column = self.nvim.current.buffer[line - 1].index(text)
        self.lua("vim.api.nvim_win_set_cursor(0, {...})", line, column)
        return line

    def keys(self, keys: str) -> None:
        """Types."""
        self.nvim.input(keys)

    def notes(self) -> str:
        """What the user was told."""
        return str(self.lua("return vim.fn.execute('messages')"))

    def close(self) -> None:
        """Ends the editor. A second time does nothing."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError, EOFError):
            self.nvim.command("qa!", async_=True)
        with contextlib.suppress(Exception):
            self.nvim.close()


class Terminal:
    """Neovim in a terminal of tmux."""

    def __init__(self, name: str, command: str, environment: dict[str, str], size: tuple[int, int]) -> None:
        self._tmux = ["tmux", "-L", name, "-f", "/dev/null"]
        self.size = size
        self._environment = {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        columns, rows = size
        self._run("new-session", "-d", "-x", str(columns), "-y", str(rows), f"COLORTERM=truecolor {command}")
        self._run("set-option", "-g", "status", "off")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._tmux, *arguments],
            env=self._environment, capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
        return done.stdout

    def keys(self, *keys: str) -> None:
        """Types, in the names that tmux has for keys."""
        self._run("send-keys", *keys)

    def screen(self, colours: bool = False) -> str:
        """What is seen."""
        return self._run("capture-pane", "-p", *(["-e"] if colours else []))

    def wait(self, text: str, timeout: float = 30.0) -> str:
        """Waits until a text is seen, with whatever marks its values."""
        until = time.monotonic() + timeout
        while unmarked(text) not in unmarked(seen := self.screen()):
            assert time.monotonic() < until, f"{text!r} is not seen within {timeout} s:\n{seen}"
            time.sleep(0.1)
        return seen

    def close(self) -> None:
        """Ends the terminal with all that runs in it."""
        with contextlib.suppress(subprocess.SubprocessError):
            self._run("kill-server")
