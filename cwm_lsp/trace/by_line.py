"""A trace read line by line: which calls ran, how often each line did, and what it changed each time.

A LINE frame tells the locals before its line, so what a line changed stands in the next frame of the same
call that has locals; what the last line of a call changed, no frame tells. Leaves out how it is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cwm_lsp.trace.frame import End, Frame, Value


@dataclass(slots=True)
class Activation:
    """One call that ran: the index of its CALL frame, its arguments, and what came of it.

    `caller` is the index in `ByLine.activations` of the call that made it, at `caller_line`; None for the
    first. `exception` is what left it, if anything did. Both it and `result` are None while it isn't over.
    """

    function: str
    line: int
    depth: int
    frame: int
    arguments: Mapping[str, Value]
    caller: int | None
    caller_line: int | None
    visits: list[Visit] = field(default_factory=list)
    result: Value | None = None
    exception: Value | None = None
    over: bool = False


@dataclass(slots=True)
class Visit:
    """One time that a line ran.

    `after` are the locals after it, None where no frame tells. `changes` are the names whose values the line
    set or deleted (None). `calls` are the activations that began in it. `returned` is what a `return` gave,
    `raised` what was raised in the line.
    """

    line: int
    frame: int
    activation: int
    before: Mapping[str, Value]
    after: Mapping[str, Value] | None = None
    changes: dict[str, Value | None] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)
    returned: Value | None = None
    raised: Value | None = None
    next_line: int | None = None


class ByLine:
    """A whole trace, by line. Never changed once it is made."""

    def __init__(self, frames: Sequence[Frame], end: End) -> None:
        self.frames = tuple(frames)
        self.end = end
        self.activations: list[Activation] = []
        self._visits: dict[int, list[Visit]] = defaultdict(list)
        self._read()

    def visits(self, line: int, activation: int | None = None) -> list[Visit]:
        """Each time the line ran, in order; in one activation only if it is given."""
        found = self._visits.get(line, [])
        return found if activation is None else [visit for visit in found if visit.activation == activation]

    @property
    def lines(self) -> frozenset[int]:
        """All lines that ran."""
        return frozenset(self._visits)

    def of(self, function: str) -> Iterator[int]:
        """The activations of a function, by index, in the order in which they began."""
        return (index for index, item in enumerate(self.activations) if item.function == function)

    @property
    def functions(self) -> frozenset[str]:
        """All functions that were called."""
        return frozenset(item.function for item in self.activations)

    @property
    def confidence(self) -> float | None:
        """The least confidence of any value of the trace; None if none was predicted."""
        said = [value for frame in self.frames for value in (*frame.locals.values(), frame.arg) if value]
        return min((value.confidence for value in said if value.confidence is not None), default=None)

    @property
    def result(self) -> Value | None:
        """What the entry call returned or raised; None if it got to no end."""
        if not self.activations or not self.activations[0].over:
            return None
        return self.activations[0].exception or self.activations[0].result

    def _read(self) -> None:
        running: list[int] = []
        suspended: dict[tuple[str, int], int] = {}
        before: Frame | None = None
        for index, frame in enumerate(self.frames):
            while running and self.activations[running[-1]].depth >= frame.depth + (frame.event != "call"):
                running.pop()
            match frame.event:
                case "call":
                    running.append(self._enter(frame, index, running, suspended))
                case "line" if running:
                    self._line(running[-1], frame, index)
                case "exception" if running and (visits := self.activations[running[-1]].visits):
                    visits[-1].raised = frame.arg
                case "return" if running:
                    self._leave(running.pop(), frame, before, suspended)
            before = frame

    def _enter(
        self, frame: Frame, index: int, running: Sequence[int], suspended: dict[tuple[str, int], int]
    ) -> int:
        caller = running[-1] if running else None
        resumed = suspended.pop((frame.function, frame.line), None)
        if resumed is not None:  # a generator that goes on where it waited
            return resumed
        last = self.activations[caller].visits[-1:] if caller is not None else []
        made = Activation(
            frame.function,
            frame.line,
            frame.depth,
            index,
            frame.locals,
            caller,
            last[0].line if last else None,
        )
        self.activations.append(made)
        number = len(self.activations) - 1
        if last:
            last[0].calls.append(number)
        return number

    def _line(self, number: int, frame: Frame, index: int) -> None:
        activation = self.activations[number]
        if activation.visits:
            _settle(activation.visits[-1], frame)
        visit = Visit(frame.line, index, number, frame.locals)
        activation.visits.append(visit)
        self._visits[frame.line].append(visit)

    def _leave(
        self, number: int, frame: Frame, before: Frame | None, suspended: dict[tuple[str, int], int]
    ) -> None:
        activation = self.activations[number]
        last = activation.visits[-1] if activation.visits else None
        unwinds = before is not None and before.event == "exception" and before.depth == frame.depth
        activation.over = True
        if unwinds and before is not None:
            activation.exception = before.arg
            return
        activation.exception = None
        activation.result = frame.arg
        if last is not None:
            last.returned = frame.arg
        suspended[frame.function, frame.line] = number


def _settle(visit: Visit, after: Frame) -> None:
    """What the line changed, now that the next frame of its call is known."""
    visit.after, visit.next_line = after.locals, after.line
    for name, value in after.locals.items():
        old = visit.before.get(name)
        if old is None or old.repr != value.repr:
            visit.changes[name] = value
    for name in visit.before:
        if name not in after.locals:
            visit.changes[name] = None


def exception_text(triple: str) -> str:
    """`E('why')` of `(<class 'E'>, E('why'), <traceback object>)`; anything else as it is."""
    _, comma, rest = triple.partition(">, ")
    ending = ", None)" if triple.endswith(", None)") else ", <traceback object>)"
    value, trace, tail = rest.rpartition(ending)
    if triple.startswith("(<class ") and comma and trace and not tail:
        return value
    return triple
