"""A debugger's movements over a simulation, forwards and backwards: into, over, out, back, continue, reverse
continue, restart a call, run to a line.

Forwards it stops where debugpy stops: `over` ends on the next line of the same call, or on the next line or
return after it; `into` also stops in the caller when a call returns. Backwards nothing is predicted: `back`
undoes the last step, or goes to the line before in the same call or around it. History is never predicted
twice. Leaves out any protocol, and predicting ahead (prefetch.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cwm_lsp.model.backend import Cancel
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.breakpoints import Answer, Breakpoint, Exceptions
from cwm_lsp.world.expressions import CantTellError, format_log, truth_of
from cwm_lsp.world.jumping import jump
from cwm_lsp.world.simulation import Branch, Simulation
from cwm_lsp.world.stack import exception_name
from cwm_lsp.world.timeline import Level, Timeline

Reason = Literal[
    "entry",
    "step",
    "breakpoint",
    "function breakpoint",
    "data breakpoint",
    "exception",
    "pause",
    "goto",
    "restart",
    "budget",
    "failed",
    "end",
]
Mode = Literal["into", "over", "out", "within", "run"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a movement ended and why. `breakpoints` are the ids of those that were hit. `text` is a sentence
    for the user, or an exception's name. `uncaught`: the exception leaves the first function."""

    reason: Reason
    index: int
    breakpoints: tuple[int, ...] = ()
    text: str = ""
    uncaught: bool = False


@dataclass(slots=True)
class _Walk:
    """A movement under way: `target` is the call it is about, `start` the call and line it began on."""

    mode: Mode
    target: int
    start: tuple[int, int]
    line: int = 0


class Stepper:
    """Moves the cursor of a simulation.

    >>> stepper = Stepper(simulation)
    >>> stepper.breakpoints = (Breakpoint(1, "line", line=8),)
    >>> stepper.continue_().reason
    'breakpoint'
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.timeline = Timeline(simulation)
        self.breakpoints: tuple[Breakpoint, ...] = ()
        self.exceptions = Exceptions()
        self.on_log: Callable[[str, Frame], None] = lambda _text, _frame: None
        self.on_grown: Callable[[], None] = lambda: None
        self.on_jump: Callable[[Frame], None] = lambda _frame: None
        self.jump_over = False
        self._undo: list[tuple[int, int]] = []
        self._uncaught_shown: Branch | None = None
        # Where a budget or a failure stopped a movement, and it was said: asked again, it goes on.
        self._told: tuple[Branch, int] | None = None

    # -- where we are

    @property
    def index(self) -> int:
        """The index of the frame that is looked at: the cursor, but for an uncaught exception the frame that
        raised it, which tells more than the last one."""
        cursor = self.simulation.cursor
        if self._uncaught_shown is self.simulation.branch and self._at_end(cursor):
            raised = self.timeline.raised_at()
            return cursor if raised is None else raised
        return cursor

    @property
    def levels(self) -> tuple[Level, ...]:
        """The running calls, innermost first."""
        return self.timeline.levels(self.index) if self.simulation.cursor >= 0 else ()

    # -- forwards

    def begin(self, cancel: Cancel | None = None) -> Stop:
        """Goes to the first frame, which is predicted if the arguments are the model's to invent."""
        if not self.timeline.reach(0, cancel, self.on_grown):
            return self._stuck(-1, cancel)
        self.simulation.seek(0)
        return Stop("entry", 0)

    def first_stop(self, cancel: Cancel | None = None) -> Stop:
        """From the first frame: there, if a breakpoint is on it, else on to the next one."""
        stop = self._breakpoint_at(0, forwards=True)
        return self._arrive(stop) if stop is not None else self.continue_(cancel)

    def into(self, cancel: Cancel | None = None, function: str | None = None) -> Stop:
        """To the next line, wherever it is; `function`: to the first line of the next call of that name that
        this line makes, else to the next line."""
        if function is not None:
            return self._step("over", cancel, function)
        return self._step("into", cancel)

    def over(self, cancel: Cancel | None = None) -> Stop:
        """To the next line of the same call, following the frames of what it calls without stopping there.
        With `jump_over`, calls that nothing is known of yet are jumped over instead (jumping.py)."""
        return self._step("over", cancel)

    def out(self, cancel: Cancel | None = None) -> Stop:
        """To the caller, when this call returns."""
        return self._step("out", cancel)

    def continue_(self, cancel: Cancel | None = None) -> Stop:
        """To the next breakpoint, or the end."""
        return self._go(_Walk("run", 0, (0, 0)), cancel)

    def run_to(self, line: int, cancel: Cancel | None = None) -> Stop:
        """To the next time that a line is about to run, breakpoints before it apart."""
        return self._go(_Walk("run", 0, (0, 0), line), cancel)

    # -- backwards

    def back(self, *, one_frame: bool = False) -> Stop:
        """Undoes the last step; where there is none to undo, goes to the last line before this one in the
        same call or around it. `one_frame`: to the line before, wherever it is."""
        at_end = self.simulation.cursor
        self._undo = [(start, end) for start, end in self._undo if end <= at_end]
        if not one_frame and self._undo and self._undo[-1][1] == at_end:
            return self._arrive(Stop("step", self._undo.pop()[0]))
        cursor = self.index
        around = {level.id for level in self.timeline.levels(cursor)} if cursor >= 0 else set()
        for index in range(cursor - 1, 0, -1):
            if self.timeline.frame(index).event == "line" and (
                one_frame or self.timeline.place(index).own in around
            ):
                return self._arrive(Stop("step", index))
        return self._arrive(Stop("entry" if cursor <= 0 else "step", 0))

    def reverse_continue(self) -> Stop:
        """To the last earlier place where `continue_` would have stopped, else to the beginning."""
        for index in range(self.index - 1, -1, -1):
            stop = self._breakpoint_at(index, forwards=False)
            if stop is not None:
                return self._arrive(stop)
        return self._arrive(Stop("entry", 0))

    def back_to(self, line: int) -> Stop | None:
        """To the last earlier time that a line was about to run; None if there was none."""
        for index in range(self.index - 1, 0, -1):
            frame = self.timeline.frame(index)
            if frame.event == "line" and frame.line == line:
                return self._arrive(Stop("goto", index))
        return None

    def restart_frame(self, level: Level) -> Stop:
        """To the CALL frame of a running call."""
        index = self.timeline.call_of(level.id, self.index)
        return self._arrive(Stop("restart", index or 0))

    def seek(self, index: int) -> Stop:
        """To a frame of history, or as near as there is one."""
        return self._arrive(Stop("goto", min(max(index, 0), self.timeline.known - 1)))

    # -- changes

    def resume(self) -> str | None:
        """Lets a branch go on that stopped for its budget or a failure: why it had stopped, if so."""
        end = self.simulation.end
        if end is None or end.reason in ("returned", "raised"):
            return None
        self.simulation.extend()
        return end.message or end.reason

    def edit(self, edits: dict[str, str]) -> Frame:
        """Forks with other values (name to `repr`) for locals of the innermost call. Raises ValueError with
        one sentence."""
        if self.index != self.simulation.cursor:
            self.simulation.seek(self.index)
        cursor = self.simulation.cursor
        frame = self.simulation.fork(edits)
        self._undo = [(start, end) for start, end in self._undo if end <= cursor]
        return frame

    def switch(self, branch: Branch) -> Stop:
        """Goes over to another line of history, to the frame at which the two part (or its last one)."""
        at = self._parting(branch)
        self.simulation.switch(branch, at)
        self._undo.clear()
        return Stop("goto", self.simulation.cursor)

    # -- the walk

    def _step(self, mode: Mode, cancel: Cancel | None, function: str | None = None) -> Stop:
        start = self.simulation.cursor
        top = self.levels[0] if self.levels else None
        walk = _Walk(mode, top.id if top else 0, (top.id, top.line) if top and mode == "into" else (0, 0))
        if mode == "into" and top is not None and self._is_coroutine(top):
            walk.mode = "within"  # not into another task that an event loop runs meanwhile
        stop = self._go(walk, cancel, function)
        if self.simulation.cursor > start:
            self._undo = [(a, b) for a, b in self._undo if b <= start]
            self._undo.append((start, self.simulation.cursor))
        return stop

    def _go(self, walk: _Walk, cancel: Cancel | None, function: str | None = None) -> Stop:
        index = self.simulation.cursor
        if self._told == (self.simulation.branch, index):
            self.resume()
        while True:
            if cancel is not None and cancel.cancelled:
                return self._arrive(Stop("pause", index))
            if self.jump_over and walk.mode == "over":
                self._jump(index, walk, cancel)
            try:
                there = self.timeline.reach(index + 1, cancel, self.on_grown)
            except Exception:  # nobody foresaw it: the run stays where it got to
                self.simulation.seek(max(index, 0))
                raise
            if not there:
                return self._stuck(index, cancel)
            index += 1
            stop = self._stop_at(index, walk)
            if stop is not None:
                return self._arrive(stop)
            if function is not None and self._entered(index, walk, function):
                walk, function = _Walk("into", 0, (0, 0)), None

    def _jump(self, index: int, walk: _Walk, cancel: Cancel | None) -> None:
        """At the CALL of a function by the line that is stepped over, with nothing known after it: has the
        model say what it returns. A function with a breakpoint in it is followed."""
        if index != self.timeline.known - 1 or self.timeline.frame(index).event != "call":
            return
        place = self.timeline.place(index)
        function = self.timeline.document.function(self.timeline.frame(index).function)
        if len(place.ids) < 2 or place.ids[-2] != walk.target or function is None:
            return
        inside = range(function.first_line, function.last_line + 1)
        if any(each.line in inside or each.kind != "line" for each in self.breakpoints):
            return
        with self.timeline.growing:
            done = self.timeline.known == index + 1 and jump(self.simulation, cancel)
        if done:
            self.on_jump(self.timeline.frame(index + 1))

    def _entered(self, index: int, walk: _Walk, function: str) -> bool:
        frame, place = self.timeline.frame(index), self.timeline.place(index)
        return (
            frame.event == "call"
            and frame.function == function
            and len(place.ids) > 1
            and place.ids[-2] == walk.target
        )

    def _stop_at(self, index: int, walk: _Walk) -> Stop | None:
        """Whether the walk ends at this frame; else the walk changes as the frame tells."""
        frame = self.timeline.frame(index)
        stop = self._breakpoint_at(index, forwards=True)
        if stop is not None:
            return stop
        place = self.timeline.place(index)
        if frame.event == "line":
            if walk.line and frame.line == walk.line:
                return Stop("goto", index)
            if (
                walk.mode == "into"
                or (walk.mode == "over" and place.own == walk.target)
                or (walk.mode == "within" and walk.target in place.ids)
            ):
                return Stop("step", index)
        elif frame.event == "return" and place.leaves:
            return self._returned(index, walk, frame)
        return None

    def _returned(self, index: int, walk: _Walk, frame: Frame) -> Stop | None:
        """At a RETURN, which is shown in the caller. A step over that ends here goes on to whatever comes
        next; in a generator, to what comes next in its consumer."""
        place = self.timeline.place(index)
        mode, target = walk.mode, walk.target
        caller = place.ids[-1] if place.ids else None
        if place.own == target and mode in ("over", "out", "within"):
            generator = self._is_generator(frame)
            if generator and caller is not None and mode != "out":
                walk.mode, walk.target = "within", caller
            elif not generator or mode != "out":
                walk.mode = "into"
        if caller is None:
            return None
        stops = (
            mode == "into"
            or (mode == "out" and place.own == target)
            or (mode == "within" and (target in place.ids or place.own == target))
        )
        if mode != "out" and (caller, self.timeline.levels(index)[0].line) == walk.start:
            return None
        return Stop("step", index) if stops else None

    def _is_coroutine(self, level: Level) -> bool:
        function = self.timeline.document.function(level.function, level.line)
        return function is not None and function.kind == "async" and not function.is_generator

    def _is_generator(self, frame: Frame) -> bool:
        function = self.timeline.document.function(frame.function, frame.line)
        return function is not None and (function.is_generator or function.kind in ("genexpr", "async"))

    def _breakpoint_at(self, index: int, *, forwards: bool) -> Stop | None:
        frame = self.timeline.frame(index)
        if self.exceptions.stops_at(frame):
            assert frame.arg is not None
            return Stop("exception", index, text=exception_name(frame.arg.repr))
        hit: list[Breakpoint] = []
        doubts: list[str] = []
        for each in self.breakpoints:
            answer = each.judge(self.timeline, index, self._ask)
            if answer.verdict == "no":
                continue
            if each.log and answer.verdict == "yes":
                if forwards:
                    self.on_log(format_log(each.log, self._locals(index)), frame)
                continue
            hit.append(each)
            if answer.verdict == "unknown":
                doubts.append(f"The condition '{each.condition}' can't be told here: {answer.why}")
        if not hit:
            return None
        reasons: dict[str, Reason] = {"function": "function breakpoint", "data": "data breakpoint"}
        return Stop(
            reasons.get(hit[0].kind, "breakpoint"), index, tuple(each.id for each in hit), " ".join(doubts)
        )

    def _ask(self, index: int, condition: str) -> Answer:
        try:
            return Answer("yes" if truth_of(condition, self._locals(index)) else "no")
        except CantTellError as error:
            return Answer("unknown", str(error))

    def _locals(self, index: int) -> Mapping[str, Value]:
        levels = self.timeline.levels(index)
        return levels[0].locals if levels else {}

    def _at_end(self, cursor: int) -> bool:
        end = self.simulation.end
        return end is not None and end.reason in ("returned", "raised") and cursor == self.timeline.known - 1

    def _stuck(self, index: int, cancel: Cancel | None) -> Stop:
        """No frame comes after this one: why."""
        simulation = self.simulation
        was = simulation.cursor
        if index >= 0:
            simulation.seek(index)
        end = simulation.end
        assert end is not None
        if end.reason == "raised" and was < index and self.exceptions.stops_uncaught(end.value):
            self._uncaught_shown = simulation.branch
            return Stop("exception", self.index, text=exception_name(end.value or ""), uncaught=True)
        if end.reason in ("returned", "raised"):
            return Stop("end", index, text=end.value or "")
        failure = simulation.failure
        if failure is not None and failure.kind == "cancelled" and cancel is not None and cancel.cancelled:
            simulation.extend()
            return Stop("pause", index)
        self._told = (simulation.branch, index)
        return Stop("budget" if end.reason == "budget" else "failed", index, text=end.message or "")

    def _arrive(self, stop: Stop) -> Stop:
        if self.timeline.known:
            self.simulation.seek(max(stop.index, 0))
        self._uncaught_shown = None
        return stop

    def _parting(self, branch: Branch) -> int:
        ours, theirs = self.simulation.branch.nodes, branch.nodes
        for index, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if one is not other:
                return index
        return min(len(ours), len(theirs)) - 1
