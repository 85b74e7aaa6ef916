"""Real runs as frames: the document's code runs under `sys.settrace` in a process of its own, within limits.

Only `record` and `check` lead here: nothing else in the project runs the user's code. The limits are against
accidents (an endless loop, a full disk), not against attacks: the code runs with the user's rights. What a
frame holds is told in docs/trace-format.md. Leaves out what happens in the process (recorder_child.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Protocol

from cwm_lsp.trace.frame import End, EndReason, Frame
from cwm_lsp.trace.recorder_report import CHUNK, Output, Reader, Report
from cwm_lsp.trace.recorder_tracer import CLOSED

_CHILD = Path(__file__).with_name("recorder_child.py")
_START_SECONDS = 30.0
_GRACE = 3.0
_POLL = 0.05


class SourceText(Protocol):
    """What can be recorded: `source.document.Document`, or `Program`."""

    @property
    def text(self) -> str:
        """The source, decoded."""

    @property
    def path(self) -> str | None:
        """Where it belongs; the file need not exist."""


@dataclass(frozen=True, slots=True)
class Program:
    """A text to record that is no document."""

    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a recorded program may use. `seconds` are wall time, loading the module included.

    `processes` is enforced on Linux and not for root; on Windows `seconds`, `frames` and the sizes of values
    and output are enforced, the rest is not."""

    seconds: float = 10.0
    cpu_seconds: float = 10.0
    frames: int = 10_000
    memory: int = 4 << 30
    value_chars: int = 10_000
    trace_chars: int = 50_000_000
    repr_seconds: float = 0.5
    output_bytes: int = 100_000
    file_bytes: int = 64 << 20
    processes: int = 64


@dataclass(frozen=True, slots=True)
class Recording:
    """Frames of a real run, how it ended, and what it printed (only the beginning, if that is much)."""

    frames: tuple[Frame, ...]
    end: End
    stdout: str = ""
    stderr: str = ""


def record(
    source: SourceText,
    call: str,
    limits: Limits | None = None,
    *,
    python: str | None = None,
    cwd: str | None = None,
) -> Recording:
    """Runs the code and records the frames of `call`. Never raises because of the code or the call.

    The source is first executed as a module (not as `__main__`), untraced, and the call's function and
    arguments are evaluated in it; the trace begins with the first frame of this source that the call enters.
    A coroutine that the call returns is run. `python` is another interpreter (3.8 or later), `cwd` the
    working folder (else a temporary one).
    """
    limits = limits or Limits()
    started = time.monotonic()
    python = python or sys.executable
    with tempfile.TemporaryDirectory(prefix="cwm-lsp-", ignore_cleanup_errors=True) as folder:
        path = os.path.abspath(source.path) if source.path else os.path.join(folder, "program.py")  # noqa: PTH100, PTH118
        request = {
            "text": source.text,
            "path": path,
            "call": call,
            "cwd": os.path.abspath(cwd) if cwd else folder,  # noqa: PTH100
            "limits": asdict(limits),
        }
        run = _Run(limits)
        run.go(python, request)
    end = replace(run.end(), seconds=round(time.monotonic() - started, 6))
    return Recording(tuple(run.report.frames), end, run.stdout.text(), run.stderr.text())


class _Run:
    """One run of the child: starts it, reads what it reports, ends it."""

    def __init__(self, limits: Limits) -> None:
        self.report = Report(secrets.token_hex(16), limits.trace_chars * 8 + CHUNK)
        self.stdout = Output(limits.output_bytes)
        self.stderr = Output(limits.output_bytes)
        self._limits = limits
        self._python = ""
        self._late = False
        self._status: int | None = None
        self._problem: str | None = None

    def go(self, python: str, request: dict[str, Any]) -> None:
        """Runs to the end."""
        self._python = python
        channel, theirs = os.pipe()
        try:
            process = _start(python, theirs)
        except (OSError, ValueError) as error:
            os.close(channel)
            reason = getattr(error, "strerror", None) or str(error)
            self._problem = f"The interpreter {python} can't be started: {reason}."
            return
        finally:
            number = _channel_number(theirs)
            os.close(theirs)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        readers = [
            Reader(channel, self.report.feed, self.report.finish),
            Reader(_taken(process.stdout), self.stdout.feed),
            Reader(_taken(process.stderr), self.stderr.feed),
        ]
        try:
            with contextlib.suppress(OSError):
                line = json.dumps({**request, "token": self.report.token, "channel": number})
                process.stdin.write(line.encode("ascii") + b"\n")
                process.stdin.flush()
            self._wait(process)
        finally:
            self._stop(process)
            for reader in readers:
                reader.join(_GRACE)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Waits until the child is done, or late: its own time begins when its interpreter runs."""
        deadline = time.monotonic() + _START_SECONDS
        running = False
        while not self.report.done.wait(_POLL) and process.poll() is None and not self._late:
            if self.report.started and not running:
                running = True
                deadline = time.monotonic() + self._limits.seconds
            self._late = time.monotonic() >= deadline

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends the child and all that it started: first by a word to its watching half, then by force."""
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE if hasattr(os, "fork") else 0)
        if self.report.worker is not None and self.report.exit is None:
            with contextlib.suppress(OSError):
                os.killpg(self.report.worker, signal.SIGKILL)
        process.kill()
        self._status = process.wait()

    def end(self) -> End:
        """How it ended."""
        frames = len(self.report.frames)
        if self._problem is None and not self.report.whole:
            self._problem = "The program disturbed the recorder's channel, so the frames can't be trusted."
        if self._problem is None and self.report.end is not None:
            reason, value, message = self.report.end
            return End(reason, value, frames, message=message)
        if self._problem is not None:
            return End("failed", None, frames, message=self._problem)
        reason, message = self._cut_short()
        return End(reason, None, frames, message=message)

    def _cut_short(self) -> tuple[EndReason, str]:
        """Why the process ended before the call did."""
        limits = self._limits
        where = "" if self.report.calling else " while the file was being loaded, before the call began"
        if self._late and self.report.started:
            return "budget", f"Stopped after {limits.seconds:g} seconds{where}."
        if self.report.exit is None and self.report.started and hasattr(os, "fork"):
            return "failed", f"The program killed the process that watches over it{where}."
        if not self.report.started:
            said = self.stderr.text().strip().splitlines() or [f"exit status {self._status}"]
            return "failed", f"The interpreter {self._python} can't run the recorder: {said[-1]}."
        status, cpu = self.report.exit or (self._status or 0, 0.0)
        if status < 0:
            name = _signal_name(-status)
            if name == "SIGXCPU" or (name == "SIGKILL" and cpu >= limits.cpu_seconds):
                return "budget", f"Stopped after {limits.cpu_seconds:g} seconds of processor time{where}."
            return "failed", f"The program's process was killed by {name}{where}."
        if status == CLOSED:
            return "failed", f"The program closed the recorder's channel{where}."
        return "failed", f"The program ended its own process with exit status {status}{where}."


def _start(python: str, channel: int) -> subprocess.Popen[bytes]:
    """Starts the child isolated as by `-I`, apart from one thing: hashes of strings are the same in every
    run, so that a recording of a loop over a set can be repeated."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONHASHSEED"] = "0"
    extra: dict[str, Any] = {"pass_fds": (channel,), "start_new_session": True}
    if sys.platform == "win32":
        os.set_inheritable(channel, True)
        extra = {"close_fds": False, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return subprocess.Popen(
        [python, "-s", "-B", "-u", "-X", "utf8", str(_CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        **extra,
    )


def _channel_number(channel: int) -> int:
    """What the child calls the channel: the descriptor, on Windows the handle."""
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.get_osfhandle(channel)
    return channel


def _taken(stream: IO[bytes]) -> int:
    """A descriptor of its own for a stream, which is closed."""
    descriptor = os.dup(stream.fileno())
    stream.close()
    return descriptor


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
