"""Short forms for the recorder's tests: run a text, look at its frames."""

from __future__ import annotations

from textwrap import dedent

from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.recorder import Limits, Program, Recording, record

QUICK = Limits(seconds=20, cpu_seconds=20, memory=2 << 30)


def run(
    text: str, call: str, limits: Limits = QUICK, *, path: str | None = None, python: str | None = None
) -> Recording:
    return record(Program(dedent(text), path), call, limits, python=python)


def marked(text: str, mark: str) -> int:
    """The number of the line that carries the comment `# <mark>`."""
    lines = [n for n, line in enumerate(dedent(text).split("\n"), 1) if line.endswith(f"# <{mark}>")]
    assert len(lines) == 1, mark
    return lines[0]


def told(frame: Frame) -> str:
    """A frame as one line: `2 line f:3 n=1 word='a'`."""
    held = "".join(f" {name}={value.repr}" for name, value in frame.locals.items())
    arg = f" -> {frame.arg.repr}" if frame.arg else ""
    return f"{frame.depth} {frame.event} {frame.function}:{frame.line}{held}{arg}"


def story(recording: Recording) -> list[str]:
    return [told(frame) for frame in recording.frames]
