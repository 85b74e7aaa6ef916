"""Runs the real executable as a subprocess: in a pipe and in a pseudo-terminal, and the same in this
process. Not a test itself."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from cwm_lsp.cli import main

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
COMMAND = [sys.executable, "-m", "cwm_lsp"]
TIMEOUT_S = 100

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    def refused(self, status: int) -> str:
        """The one sentence on stderr of a command that must have failed with this status, no traceback."""
        assert self.status == status, self
        assert "Traceback" not in self.err, self.err
        assert "internal error" not in self.err, self.err
        last = self.err.splitlines()[-1]
        assert last.startswith("cwm-lsp"), self.err
        return last


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user who has set nothing: no settings file, no colour wishes."""
    dropped = {"NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING", "COLUMNS"}
    kept = {k: v for k, v in os.environ.items() if k not in dropped and not k.startswith("CWM_LSP_")}
    return {
        **kept,
        "CWM_LSP_CONFIG": "/nonexistent/config.toml",
        "PYTHONUTF8": "1",
        "PYTHONPATH": str(ROOT),
        **(extra or {}),
    }


def cwm(
    *args: str | Path, env: Mapping[str, str] | None = None, stdin: str | None = None, cwd: Path = ROOT
) -> Done:
    """Runs `cwm-lsp ARGS` with its output in pipes."""
    done = subprocess.run(
        [*COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(env),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        cwd=cwd,
        timeout=TIMEOUT_S,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def cwm_here(*args: str | Path, env: Mapping[str, str] | None = None) -> Done:
    """What `cwm` gives, without a process of its own: for many cases of what one real run has shown."""
    outputs = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment(env), clear=True),
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(outputs[0]),
        contextlib.redirect_stderr(outputs[1]),
    ):
        try:
            status = main(list(map(str, args)))
        except SystemExit as left:
            status = int(left.code or 0)
    return Done(status, *(each.getvalue() for each in outputs))


def in_terminal(
    *args: str | Path, env: Mapping[str, str] | None = None, columns: int = 120
) -> tuple[int, str]:
    """Runs `cwm-lsp ARGS` in a pseudo-terminal: its status and everything that it wrote, escapes included."""
    import fcntl
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *map(str, args)],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment({"TERM": "xterm-256color", **(env or {})}),
        cwd=ROOT,
        close_fds=True,
    )
    os.close(child)
    written, deadline = b"", time.monotonic() + TIMEOUT_S
    with contextlib.suppress(OSError):  # Linux says EIO when the other end is gone
        while time.monotonic() < deadline:
            if select.select([parent], [], [], 0.1)[0]:
                piece = os.read(parent, 65536)
                if not piece:
                    break
                written += piece
    os.close(parent)
    return process.wait(timeout=10), written.decode("utf-8", "replace")


def without_escapes(text: str) -> str:
    """The text that a terminal shows, as far as colours go."""
    return _ESCAPE.sub("", text).replace("\r", "")
