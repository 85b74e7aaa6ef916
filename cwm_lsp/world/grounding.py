"""Grounded prediction: what can be computed is computed, the model answers for the rest.

The walk over each line is answered by restricted evaluation (source/literals.py). Where it can't tell, the
model is asked: a model that answers single operations (cwm-mini) just that one, another for the frame. Then
the run goes on, grounded again; what comes from a model's word is marked as predicted and carries its
confidence on. A run that is computable to its end needs no model at all. Leaves out the walk (machine.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol, runtime_checkable

from cwm_lsp.model.backend import BackendError, Cancel
from cwm_lsp.source.calls import TracedCall, bind, parse_call
from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function
from cwm_lsp.source.operations import Answer, Operation, Unsupported, drive
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.choices import seeded_call
from cwm_lsp.world.machine import Machine, exception_text
from cwm_lsp.world.machines import Machines, replay
from cwm_lsp.world.next_frame import (
    ChosenRoads,
    Roads,
    StackRoads,
    call_frame,
    exception_frame,
    left_frame,
    line_frame,
    lines_ahead,
    return_frame,
)
from cwm_lsp.world.predictor import Prediction, PredictionError, Predictor
from cwm_lsp.world.stack import Stack


class Tallied(Protocol):
    """What questions have cost."""

    @property
    def tally(self) -> Any:
        """`decisions` and `tokens`."""


@runtime_checkable
class Conversing(Protocol):
    """A predictor whose model answers single operations."""

    def begin(self) -> Tallied:
        """What a line's questions and answers are gathered in."""

    def answer(self, machine: Machine, block: Any, operation: Operation, cancel: Cancel) -> Answer:
        """What the model says to one question."""

    def choose(self, machine: Machine, block: Any, lines: Sequence[int], cancel: Cancel) -> int:
        """The line that the model says comes next."""


class GroundedPredictor:
    """Computes the next frame where it can, and lets `inner` fill in what it can't. Safe to share between
    simulations."""

    def __init__(self, inner: Predictor) -> None:
        self.inner = inner
        self._machines = Machines(computes=True)
        self._stuck: tuple[int, Frame] | None = None

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """The frame after `frames`, one of `choices`. Raises PredictionError."""
        if not frames or choices.free_form:
            return self.inner.predict(document, frames, choices, cancel)
        stuck = self._stuck
        if stuck is None or stuck[0] != len(frames) or stuck[1] is not frames[-1]:
            found = self._next(document, frames, ChosenRoads(choices), cancel)
            if found is not None:
                return found
        return self.inner.predict(document, frames, choices, cancel)

    def ground(
        self, document: Document, frames: Sequence[Frame], stack: Stack, cancel: Cancel
    ) -> Prediction | None:
        """The same without choices, `stack` being the one after the frames; None where the model must choose
        the frame as a whole."""
        return self._next(document, frames, StackRoads(document, stack), cancel) if frames else None

    def _next(
        self, document: Document, frames: Sequence[Frame], roads: Roads, cancel: Cancel
    ) -> Prediction | None:
        began = time.perf_counter()
        if cancel.cancelled:
            raise PredictionError("cancelled", "The prediction was cancelled.")
        talk = _Talk(self.inner, cancel)
        machine = self._machines.take(document, frames, lambda machine: self._again(machine, talk))
        try:
            frame = next_frame(machine, roads, talk.answer, talk.choose)
        except (Unsupported, RecursionError):
            machine.top.lost = True
            self._machines.keep(frames, machine)
            self._stuck = (len(frames), frames[-1])
            return None
        except BackendError as error:
            raise PredictionError("engine", str(error)) from error
        self._machines.keep(frames, machine)
        return Prediction(frame, talk.decisions, talk.tokens, time.perf_counter() - began)

    @staticmethod
    def _again(machine: Machine, talk: _Talk) -> object:
        """Walks a line that was walked before."""
        return drive(machine.walk(), partial(talk.answer, machine))


class _Talk:
    """The questions of one frame that could not be computed."""

    def __init__(self, inner: Predictor, cancel: Cancel) -> None:
        self._inner = inner
        self._cancel = cancel
        self._block: Any = None
        self._machine: Machine | None = None

    def _partner(self, machine: Machine) -> Conversing:
        inner = self._inner.loaded() if isinstance(self._inner, LazyPredictor) else self._inner
        if not isinstance(inner, Conversing):
            raise Unsupported("the model is asked for the frame as a whole")
        if self._block is None or self._machine is not machine:
            self._block, self._machine = inner.begin(), machine
        return inner

    def answer(self, machine: Machine, operation: Operation) -> Answer:
        """The model's answer."""
        return self._partner(machine).answer(machine, self._block, operation, self._cancel)

    def choose(self, machine: Machine, lines: Sequence[int]) -> int:
        """The line that the model says comes next."""
        found = self._partner(machine).choose(machine, self._block, lines, self._cancel)
        machine.doubts.certain = False
        machine.doubts.decided(machine.certainty)
        return found

    @property
    def decisions(self) -> int:
        """Tokens that the model chose."""
        return 0 if self._block is None else int(self._block.tally.decisions)

    @property
    def tokens(self) -> int:
        """All tokens of the questions."""
        return 0 if self._block is None else int(self._block.tally.tokens)


class LazyPredictor:
    """A predictor whose model is loaded when it is first asked something."""

    def __init__(self, load: Callable[[], Predictor]) -> None:
        self._load = load
        self._loaded: Predictor | None = None

    def loaded(self) -> Predictor:
        """The predictor. Raises BackendError if its model can't be loaded."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """What the loaded predictor says."""
        try:
            predictor = self.loaded()
        except BackendError as error:
            raise PredictionError("engine", str(error)) from error
        return predictor.predict(document, frames, choices, cancel)


Answering = Callable[[Machine, Operation], Answer]
Choosing = Callable[[Machine, Sequence[int]], int]


def next_frame(machine: Machine, roads: Roads, answer: Answering, choose: Choosing) -> Frame:
    """The frame after those that the machine has followed. Raises Unsupported."""
    step = drive(machine.walk(), partial(answer, machine))
    if step.event == "call":
        return call_frame(machine, step, roads)
    if step.event == "exception":
        return exception_frame(machine, step)
    if step.event == "return":
        return return_frame(machine, step, roads)
    lines = lines_ahead(machine, step, roads)
    if step.line is not None and lines and step.line not in lines:
        raise Unsupported("where this line goes is not known")
    if not lines:
        return left_frame(machine, roads)
    return line_frame(machine, lines[0] if len(lines) == 1 else choose(machine, lines), roads)


# -- one call, without a model


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The most frames of a run, and seconds."""

    frames: int = 2_000
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run without a model ended. `value` is what it returned, or the exception that left it, as text;
    `result` the object itself; `steps` counts frames. `all_computed` is False if it stopped at something that
    can't be computed (`why` says what)."""

    kind: Literal["returned", "raised", "stopped"]
    value: str | None
    steps: int
    all_computed: bool
    result: object = None
    why: str = ""


def run_call(document: Document, call: str | TracedCall, limits: RunLimits | None = None) -> Outcome:
    """Simulates a call as far as it can be computed. Raises CallError for a call that can't be read.

    Never loads a model and never runs code. Stops at the first thing that can't be computed.
    """
    limits = limits or RunLimits()
    traced = parse_call(document, call) if isinstance(call, str) else call
    function = document.function(traced.function)
    if function is None:
        return Outcome("stopped", None, 0, False, why=f"there is no function {traced.function}")
    return run_function(document, function, bind(document, traced), limits)


def run_function(
    document: Document, function: Function, arguments: dict[str, str], limits: RunLimits
) -> Outcome:
    """The same for a function and its bound arguments as texts."""
    end = time.monotonic() + limits.seconds
    machine = Machine(document, computes=True)
    frame = seeded_call(function, arguments)
    stack = Stack()
    result: object = None
    steps = 0
    while True:
        machine.follow(frame)
        stack = stack.push(document, frame)
        steps += 1
        if machine.over:
            break
        if steps >= limits.frames:
            return Outcome("stopped", None, steps, False, why="the run takes too many steps")
        if steps % 16 == 0 and time.monotonic() > end:
            return Outcome("stopped", None, steps, False, why="the run takes too long")
        try:
            frame = next_frame(machine, StackRoads(document, stack), _nobody, _nothing)
        except (Unsupported, RecursionError) as error:
            return Outcome("stopped", None, steps, False, why=str(error))
        top = machine.top
        result = None if top.result is None else top.result.value
    return _outcome(frame, stack, steps, result, all_computed=machine.doubts.certain)


def _outcome(frame: Frame, stack: Stack, steps: int, result: object, *, all_computed: bool) -> Outcome:
    raised = stack.raised
    if raised is not None:
        return Outcome("raised", exception_text(raised.repr), steps, all_computed, result)
    shown = frame.arg or Value("None", "computed")
    steady = all_computed and shown.origin != "predicted"
    return Outcome("returned", shown.repr, steps, steady, result)


def _nobody(_: Machine, operation: Operation) -> Answer:
    raise Unsupported(f"{operation.kind} {operation.name} can't be computed")


def _nothing(*_: object) -> int:
    raise Unsupported("which line comes next can't be told")


__all__ = ["GroundedPredictor", "LazyPredictor", "Outcome", "RunLimits", "replay", "run_call", "run_function"]
