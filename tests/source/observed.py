"""What real runs do: a small `sys.settrace` collector that notes where each frame goes and whom it enters.

Independent of the project's recorder and of the flow it checks. Keeps facts, not traces.
"""

from __future__ import annotations

import contextlib
import dis
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from types import CodeType, FrameType
from typing import Any, Literal

Kind = Literal["enter", "line", "exception", "resumed", "return", "unwind"]
Snapshot = Callable[[FrameType], dict[str, str] | None]


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a frame: from line `last` to line `line`. `kind` says what came between: nothing ("line"),
    an exception, a suspension ("resumed"); "enter" is the first line after a call from line `last` (its
    own)."""

    kind: Kind
    last: int
    line: int


@dataclass(frozen=True, slots=True)
class Entered:
    """A function of the file was entered, or resumed, while `caller` was at `line`."""

    caller: str
    line: int
    callee: str


@dataclass(frozen=True, slots=True)
class Change:
    """The locals before and after a line, and the line that came next (None: none of this activation)."""

    function: str
    line: int
    next_line: int
    plain: bool  # the next event was a line: no exception, no suspension in between
    before: tuple[tuple[str, str], ...]
    after: tuple[tuple[str, str], ...]


@dataclass
class Log:
    """What was seen in one file."""

    moves: dict[tuple[str, int], set[Move]] = field(default_factory=dict)
    """By qualname and first line."""
    entered: set[Entered] = field(default_factory=set)
    changes: set[Change] = field(default_factory=set)
    generators: set[str] = field(default_factory=set)


@cache
def entry_offset(code: CodeType) -> int:
    """The offset at which a frame of the code is first seen; one that is called again elsewhere is
    resumed."""
    return next(i.offset for i in dis.get_instructions(code) if i.opname == "RESUME")


class _Activation:
    """One stay in a frame, from a call or resumption to its return or suspension."""

    def __init__(self, frame: FrameType, log: Log, snapshot: Snapshot | None) -> None:
        code = frame.f_code
        self.moves = log.moves.setdefault((code.co_qualname, code.co_firstlineno), set())
        self.log, self.snapshot = log, snapshot
        self.last = frame.f_lineno
        self.kind: Kind = "enter" if frame.f_lasti == entry_offset(code) else "resumed"
        self.before: dict[str, str] | None = None

    def event(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line":
            line = frame.f_lineno
            self.moves.add(Move(self.kind, self.last, line))
            if self.snapshot is not None:
                self.note_change(frame, line)
            self.last, self.kind = line, "line"
        elif event == "exception":
            self.kind = "exception"
        elif event == "return":
            left = self.kind == "exception" and arg is None
            self.moves.add(Move("unwind" if left else "return", self.last, frame.f_lineno or self.last))
        return self.event

    def note_change(self, frame: FrameType, line: int) -> None:
        assert self.snapshot is not None
        after = self.snapshot(frame)
        if self.before is not None and after is not None and self.kind != "enter":
            self.log.changes.add(
                Change(
                    frame.f_code.co_qualname,
                    self.last,
                    line,
                    self.kind == "line",
                    tuple(self.before.items()),
                    tuple(after.items()),
                )
            )
        self.before = after


@contextlib.contextmanager
def observing(logs: dict[str, Log], snapshot: Snapshot | None = None) -> Iterator[None]:
    """Notes what the files named in `logs` do meanwhile."""

    def call(frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        log = logs.get(code.co_filename)
        if log is None:
            return None
        caller = frame.f_back
        while caller is not None and caller.f_code.co_filename != code.co_filename:
            caller = caller.f_back
        if caller is not None and caller.f_lineno is not None:
            log.entered.add(Entered(caller.f_code.co_qualname, caller.f_lineno, code.co_qualname))
        return _Activation(frame, log, snapshot).event

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield
    finally:
        sys.settrace(before)
