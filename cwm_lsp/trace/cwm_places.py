"""Where a frame of CWM is: its function, line and depth, which the text does not say, found from its event
and SOURCE.

`Position` is the call stack as the order of frames tells it; `place` finds the line among those with the same
text. Leaves out the text itself (cwm_text.py) and what the lines do: without options from the world the
nearest line that follows in the same function is taken, never just the first one with that text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cwm_lsp.trace.cwm_text import Source, Span, unmark
from cwm_lsp.trace.frame import Event, Frame

Place = tuple[str, int]
"""A function's qualified name and a line, 1-based."""

Resolve = Callable[[Event, str, "Position", Sequence[Place]], Place | None]
"""Chooses between places with the same text, the nearest first; None leaves it at that one."""


@dataclass(frozen=True, slots=True)
class Position:
    """Who is running: (function, line) from the outermost call to the innermost. `depth` is that of the next
    frame in the running function; `left` are the places that were returned from, where a generator may be
    resumed; `over` is True once the function the trace began in was left."""

    stack: tuple[Place, ...] = ()
    depth: int = 0
    left: frozenset[Place] = frozenset()
    over: bool = False

    def after(self, frame: Frame) -> Position:
        """The position after one more frame, whose depth counts."""
        here = (frame.function, frame.line)
        if frame.event == "call":
            return Position((*self.stack, here), frame.depth, self.left)
        below = self.stack[:-1]
        if frame.event == "return":
            return Position(below, frame.depth - 1, self.left | {here}, over=not below)
        return Position((*below, here), frame.depth, self.left)

    @property
    def function(self) -> str | None:
        """The function that runs."""
        return self.stack[-1][0] if self.stack else None

    @property
    def line(self) -> int:
        """The line that runs, 0 before the first frame."""
        return self.stack[-1][1] if self.stack else 0


def whole(text: str) -> str:
    """A line's text as lines are compared: without the marker, with its newline."""
    return unmark(text.removesuffix("\n")) + "\n"


class Places:
    """The lines of a program by their text."""

    def __init__(self, source: Source) -> None:
        self._functions: tuple[Span, ...] = tuple(source.functions)
        self._lines: dict[str, list[int]] = {}
        for number, text in enumerate(source.lines, 1):
            self._lines.setdefault(whole(text), []).append(number)

    def knows(self, text: str) -> bool:
        """True if the program has such a line."""
        return whole(text) in self._lines

    def of(self, event: Event, text: str, position: Position) -> list[Place]:
        """All places where such a frame could be: a CALL where a function begins or was left, another frame
        in the function that runs."""
        numbers = self._lines.get(whole(text), [])
        if event == "call":
            begins = [
                (each.qualname, each.first_line) for each in self._functions if each.first_line in numbers
            ]
            return begins + sorted(
                place for place in position.left if place[1] in numbers and place not in begins
            )
        spans = [each for each in self._functions if each.qualname == position.function]
        running = [each for each in spans if each.first_line <= position.line <= each.last_line]
        return [
            (each.qualname, number)
            for each in running or spans
            for number in numbers
            if each.first_line <= number <= each.last_line
        ]

    def place(self, event: Event, text: str, position: Position, resolve: Resolve | None) -> Place | None:
        """The place of such a frame, None if there is none."""
        places = self.of(event, text, position)
        if not places:
            return None
        return chosen(places, event, text, position, resolve)


def chosen(
    places: Iterable[Place], event: Event, text: str, position: Position, resolve: Resolve | None
) -> Place:
    """The one of these places that is meant. There must be one."""
    ordered = by_nearness(places, event, position.line)
    if resolve is not None and len(ordered) > 1:
        place = resolve(event, whole(text), position, ordered)
        if place in ordered:
            return place
    return ordered[0]


def of_its_class(places: Iterable[Place], first: str | None, caller: str | None) -> list[Place]:
    """Of the methods that a CALL may be, those of the class that its `first` local shows it is an instance
    of; all of them if that tells nothing. What a method calls on the same object is not itself once more: it
    is that of a base class (`super().__init__()`)."""
    every = list(places)
    shown, marker, _ = (first or "").removeprefix("<").partition(" object")
    if not marker:
        return every
    own = [place for place in every if f".{shown}".endswith("." + place[0].rpartition(".")[0])]
    return [place for place in own if place[0] != caller] or every


def by_nearness(places: Iterable[Place], event: Event, line: int) -> list[Place]:
    """The places that follow `line` first, then those from the beginning. A LINE frame on the line itself is
    the farthest away: it comes after all that follow."""
    at_least = line + 1 if event == "line" else line
    return sorted(places, key=lambda place: (place[1] < at_least, place[1]))
