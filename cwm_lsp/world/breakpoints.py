"""Where a debugger stops besides the end of a step: breakpoints on lines, functions, data and exceptions.

Hits are counted in history, not in time: the third hit stays the third however often one goes back and
forth over it. Leaves out the walk (stepping.py) and how conditions are answered (expressions.py).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow import FlowError, flow_of
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.stack import exception_name
from cwm_lsp.world.timeline import Timeline

Kind = Literal["line", "function", "data"]
Verdict = Literal["yes", "no", "unknown"]

CONTROL_FLOW = frozenset({"StopIteration", "StopAsyncIteration", "GeneratorExit"})
"""Raised to say that there is nothing more: no stop for them."""

_HIT = re.compile(r"\s*(==|=|>=|<=|>|<|%)?\s*(\d+)\s*\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a condition. `why` is a sentence where it can't be told."""

    verdict: Verdict
    why: str = ""


Ask = Callable[[int, str], Answer]
"""Whether an expression is true at a frame (by index)."""


@dataclass(frozen=True, slots=True)
class HitCondition:
    """Which hits count: `5`, `== 5`, `>= 5`, `% 5` (every fifth) and the like."""

    operator: str
    number: int

    @classmethod
    def parse(cls, text: str) -> HitCondition:
        """Raises ValueError with one sentence."""
        match = _HIT.match(text)
        if match is None or (match.group(1) == "%" and int(match.group(2)) == 0):
            raise ValueError(
                f"'{text.strip()}' is no hit condition: write a number, or one after >=, >, <=, < or %."
            )
        return cls(match.group(1) or "==", int(match.group(2)))

    def holds(self, hits: int) -> bool:
        """True for that hit, the first being 1."""
        match self.operator:
            case ">=":
                return hits >= self.number
            case "<=":
                return hits <= self.number
            case ">":
                return hits > self.number
            case "<":
                return hits < self.number
            case "%":
                return hits % self.number == 0
        return hits == self.number


@dataclass(slots=True, eq=False)
class Breakpoint:
    """One breakpoint. `line` for those on lines, `function` (qualname, or its last part) for those on
    functions, both `function` and `name` for those on data. One with a `log` prints that and doesn't stop."""

    id: int
    kind: Kind
    line: int = 0
    function: str = ""
    name: str = ""
    condition: str = ""
    hit: HitCondition | None = None
    log: str = ""
    # For each branch, by identity: the indices at which it was hit, and how far that was looked for.
    _hits: dict[int, tuple[int, list[int]]] = field(default_factory=dict)

    def matches(self, timeline: Timeline, index: int) -> bool:
        """True if the frame is where it stands, conditions apart."""
        frame = timeline.frame(index)
        if self.kind == "line":
            return frame.event == "line" and frame.line == self.line
        if self.kind == "function":
            return (
                frame.event == "call"
                and (frame.function == self.function or frame.function.rpartition(".")[2] == self.function)
                and timeline.place(index).before < 0
            )
        return self._changed(timeline, index, frame)

    def hits(self, timeline: Timeline, index: int, ask: Ask) -> int:
        """How often it was hit up to this frame."""
        branch = id(timeline.simulation.branch)
        looked, found = self._hits.get(branch, (-1, []))
        for at in range(looked + 1, index + 1):
            if self.matches(timeline, at) and (
                not self.condition or ask(at, self.condition).verdict == "yes"
            ):
                found.append(at)
        self._hits[branch] = max(looked, index), found
        return bisect_right(found, index)

    def judge(self, timeline: Timeline, index: int, ask: Ask) -> Answer:
        """Whether it stops here."""
        if not self.matches(timeline, index):
            return Answer("no")
        if self.condition:
            answer = ask(index, self.condition)
            if answer.verdict != "yes":
                return answer
        if self.hit is not None and not self.hit.holds(self.hits(timeline, index, ask)):
            return Answer("no")
        return Answer("yes")

    def forget(self) -> None:
        """Begins to count hits anew."""
        self._hits.clear()

    def _changed(self, timeline: Timeline, index: int, frame: Frame) -> bool:
        if frame.event != "line" or frame.function != self.function:
            return False
        before = timeline.place(index).before
        if before < 0:
            return False
        old, new = timeline.frame(before).locals.get(self.name), frame.locals.get(self.name)
        return (old.repr if old else None) != (new.repr if new else None)


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Which exceptions stop: every `raised` one, in each function that it passes, and those that are
    `uncaught` in the end. Names of classes narrow it down; none stand for all."""

    raised: bool = False
    uncaught: bool = False
    raised_only: tuple[str, ...] = ()
    uncaught_only: tuple[str, ...] = ()

    def stops_at(self, frame: Frame) -> bool:
        """True for an EXCEPTION frame that is to stop."""
        if not self.raised or frame.event != "exception" or frame.arg is None:
            return False
        name = exception_name(frame.arg.repr)
        return name not in CONTROL_FLOW and _among(name, self.raised_only)

    def stops_uncaught(self, raised: str | None) -> bool:
        """True if the exception (its triple) that ended the run is to stop."""
        return self.uncaught and (raised is None or _among(exception_name(raised), self.uncaught_only))


def runnable_lines(document: Document) -> tuple[int, ...]:
    """The lines of a document's functions on which there can be a line frame, sorted. Those of the module
    itself don't run in a call."""
    try:
        flow = flow_of(document)
    except FlowError:
        return ()
    ours = {each.qualname for each in document.functions}
    names = (name for name in flow.functions if name in ours or "<locals>" in name)
    return tuple(sorted({line for name in names for line in flow.line_numbers(name)}))


def line_for(document: Document, line: int) -> int | None:
    """The line that a breakpoint there stands on: the next one that can run, else the last; None if the
    document has none."""
    lines = runnable_lines(document)
    return next((each for each in lines if each >= line), lines[-1] if lines else None)


def _among(name: str, names: tuple[str, ...]) -> bool:
    return not names or name in names or name.rpartition(".")[2] in names
