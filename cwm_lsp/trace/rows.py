"""Frames as the rows of a trace log: one row a frame, with what a line changed at its end.

A LINE frame tells the state before its line, so the changes of a line stand in the next frame of the same
call; a row waits for the frame after it. Where a callee runs in between, the changes get a row of their own
("after") when it is back. Leaves out how a row looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import Frame, Value

Kind = Literal["call", "resume", "line", "after", "return", "unwind", "exception"]

STEP = 4
MAX_INDENT = 40


@dataclass(frozen=True, slots=True)
class Item:
    """A name and its value; None if the name is gone. `frame` is the index of the frame that says so."""

    name: str
    value: Value | None
    frame: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `frame` is the index of the frame it shows; an "after" row shows none of its own and repeats
    that of the line it belongs to. `text` is the line's source, indented by depth."""

    kind: Kind
    frame: int
    line: int
    indent: int
    text: str
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """The last state of a running call."""

    frame: int
    line: int
    locals: Mapping[str, Value]


class Rows:
    """Takes frames as they come and gives the rows that are complete."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[int, _Known] = {}
        self._waiting: Row | None = None
        self._depth = 0  # of the waiting row
        self._raised = 0  # the depth at which the frame before was an exception, 0 if it was none
        self._count = 0

    def feed(self, frame: Frame) -> list[Row]:
        """The rows that this frame completes."""
        index, self._count = self._count, self._count + 1
        rows = self._settle(frame, index)
        indent = min((max(frame.depth, 1) - 1) * STEP, MAX_INDENT)
        match frame.event:
            case "line":
                self._waiting = Row("line", index, frame.line, *self._source(frame, indent))
                self._depth = frame.depth
            case "call":
                items = tuple(Item(name, value, index) for name, value in frame.locals.items())
                kind: Kind = "call" if self._is_entry(frame) else "resume"
                rows.append(Row(kind, index, frame.line, indent, frame.function, items))
            case "return" if self._raised == frame.depth:
                rows.append(Row("unwind", index, frame.line, indent, frame.function))
            case "return" | "exception":
                items = (Item("", frame.arg, index),) if frame.arg else ()
                rows.append(Row(frame.event, index, frame.line, indent, frame.function, items))
        self._raised = frame.depth if frame.event == "exception" else 0
        if frame.event in ("call", "line"):
            self._known[frame.depth] = _Known(index, frame.line, frame.locals)
        elif frame.event == "return":
            self._known.pop(frame.depth, None)
        return rows

    def close(self) -> list[Row]:
        """The row that still waits when the trace is over."""
        waiting, self._waiting = self._waiting, None
        return [waiting] if waiting else []

    def _settle(self, frame: Frame, index: int) -> list[Row]:
        """The waiting row, and what this frame says of the line before it in the same call."""
        waiting, self._waiting = self._waiting, None
        known = self._known.get(frame.depth)
        changes = _changes(known.locals, frame.locals, index) if known and frame.event == "line" else ()
        if waiting is None:
            return [self._after(known, frame, changes)] if known and changes else []
        if self._depth == frame.depth:
            return [replace(waiting, items=changes)]
        return [waiting]

    def _after(self, known: _Known, frame: Frame, changes: tuple[Item, ...]) -> Row:
        indent = min((max(frame.depth, 1) - 1) * STEP, MAX_INDENT)
        return Row(
            "after",
            known.frame,
            known.line,
            self._source(replace(frame, line=known.line), indent)[0],
            "",
            changes,
        )

    def _source(self, frame: Frame, indent: int) -> tuple[int, str]:
        """The indentation and the text of the frame's line: relative to the function it stands in."""
        lines = self._document.lines
        text = lines[frame.line - 1].rstrip() if 1 <= frame.line <= len(lines) else ""
        function = self._document.function(frame.function, frame.line)
        base = 0
        if function is not None and function.def_line != frame.line:
            base = _indent_of(lines[function.def_line - 1])
        elif function is not None:
            base = max(0, _indent_of(text) - STEP)
        return indent + max(0, _indent_of(text) - base), text.strip()

    def _is_entry(self, frame: Frame) -> bool:
        """False for a generator that goes on: its CALL stands on the line of a `yield`."""
        function = self._document.function(frame.function, frame.line)
        return function is None or frame.line in (function.first_line, function.def_line)


def _changes(before: Mapping[str, Value], after: Mapping[str, Value], index: int) -> tuple[Item, ...]:
    new = [
        Item(name, value, index)
        for name, value in after.items()
        if name not in before or before[name].repr != value.repr
    ]
    return (*new, *(Item(name, None, index) for name in before if name not in after))


def _indent_of(text: str) -> int:
    return len(text.expandtabs(STEP)) - len(text.expandtabs(STEP).lstrip())
