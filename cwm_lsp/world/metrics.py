"""How good predicted traces are: the numbers of `cwm-lsp eval`, each defined here and nowhere else.

The frames of a predicted and of a real trace are aligned by position. All fractions are taken per trace and
then averaged over the traces (macro-average), as the published figures for CWM are. The entry's CALL frame
is not counted where its arguments were given: nobody predicted it. Frames that one trace has and the other
hasn't count as wrong.

action_exact      event, function, line and depth are right.
state_exact       a frame with locals (call, line) prints the same state: the locals as a trace prints them,
                  that is in full at a CALL and at the first LINE after a callee is back, else only what
                  changed since the last frame of the same call. A wrong value thus counts where it appears,
                  not in every later frame.
full_trace_exact  every frame of the trace is the same: place, all locals, argument.
output_accuracy   the returned value is right: the same text, or a literal that is equal and of the same type;
                  or the raised exception is.
ece               expected calibration error of the values that a frame newly says (and of returned values
                  and exceptions), over ten bins of equal width, weighted by their counts. Only values that
                  carry a confidence, at frames whose place is right: elsewhere there is nothing to hold
                  them against.

Free-running: the model goes on from its own frames (`score`). Teacher-forced: each frame is predicted from
the true frames before it (`score_steps`), so that one mistake costs one frame. Leaves out the running and
the recording.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeVar

from cwm_lsp.source.values import kind_of
from cwm_lsp.trace.cwm_text import SAME, Scope, in_full, scope_after
from cwm_lsp.trace.frame import End, Frame, Value
from cwm_lsp.world.compare import same_place
from cwm_lsp.world.machine import exception_text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TraceScore:
    """One trace. `frames` is what was counted, `right` how many of these frames were the same in
    everything.
    """

    state_exact: float
    action_exact: float
    full: bool
    frames: int
    right: int


def printed_states(frames: Sequence[Frame]) -> list[Mapping[str, str] | None]:
    """The state of each frame as a trace prints it; None for frames without locals."""
    states: list[Mapping[str, str] | None] = []
    scope: Scope = None
    for frame in frames:
        if frame.event in ("call", "line"):
            states.append(_printed(frame, scope))
        else:
            states.append(None)
        scope = scope_after(scope, frame)
    return states


def _printed(frame: Frame, scope: Scope) -> Mapping[str, str]:
    before = {} if scope is None or in_full(frame.event, scope) else scope
    return {
        name: SAME if name in before and before[name].repr == value.repr else value.repr
        for name, value in frame.locals.items()
    }


def score(predicted: Sequence[Frame], real: Sequence[Frame]) -> TraceScore:
    """A free-running trace against the real one."""
    skip = 1 if predicted and real and _is_given(predicted[0]) else 0
    told, true = printed_states(predicted), printed_states(real)
    pairs = [
        (_at(predicted, i), _at(real, i), _at(told, i), _at(true, i))
        for i in range(skip, max(len(predicted), len(real)))
    ]
    actions = [bool(p and r and same_place(p, r)) for p, r, _, _ in pairs]
    states = [
        told_state == true_state
        for _, _, told_state, true_state in pairs
        if told_state is not None or true_state is not None
    ]
    right = sum(bool(p and r and p.same_as(r)) for p, r, _, _ in pairs)
    return TraceScore(_fraction(states), _fraction(actions), right == len(pairs), len(pairs), right)


def score_steps(steps: Sequence[tuple[Sequence[Frame], Frame | None, Frame]]) -> TraceScore:
    """Teacher-forced: each step is the true frames before, the predicted frame (None if none came), the
    true one.
    """
    actions, states, right = [], [], 0
    for before, predicted, real in steps:
        actions.append(predicted is not None and same_place(predicted, real))
        true = printed_states([*before, real])[-1]
        if true is not None:
            told = printed_states([*before, predicted])[-1] if predicted is not None else None
            states.append(told == true)
        right += predicted is not None and predicted.same_as(real)
    return TraceScore(_fraction(states), _fraction(actions), right == len(steps), len(steps), right)


@dataclass(frozen=True, slots=True)
class SaidValue:
    """A value that a frame newly says: its confidence (None for a value nobody guessed), the type of the true
    value (as `values.kind_of` names it), and whether it was right."""

    confidence: float | None
    kind: str
    right: bool


def said_values(predicted: Sequence[Frame], real: Sequence[Frame]) -> Iterator[SaidValue]:
    """Every value that `predicted` newly says at a place that is right, the given ones apart."""
    states = printed_states(predicted)
    for told, true, state in zip(predicted, real, states, strict=False):
        if not same_place(told, true):
            continue
        for name, value in told.locals.items():
            if value.origin != "given" and state is not None and state[name] != SAME:
                yield _said(value, true.locals.get(name))
        if told.arg is not None and told.arg.origin != "given":
            yield _said(told.arg, true.arg)


def confident_values(predicted: Sequence[Frame], real: Sequence[Frame]) -> Iterator[tuple[float, bool]]:
    """(confidence, was it right) of every value that `predicted` newly says at a place that is right."""
    for said in said_values(predicted, real):
        if said.confidence is not None:
            yield said.confidence, said.right


@dataclass(frozen=True, slots=True)
class Bin:
    """Values of like confidence: how many, their mean confidence, and the share that was right."""

    count: int
    confidence: float
    right: float


def reliability(values: Iterable[tuple[float, bool]], bins: int = 10) -> list[Bin]:
    """The values in bins of equal width, the empty ones left out."""
    sorted_in: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for confidence, right in values:
        sorted_in[min(bins - 1, int(confidence * bins))].append((confidence, right))
    return [Bin(len(e), fmean(c for c, _ in e), fmean(right for _, right in e)) for e in sorted_in if e]


def ece(values: Iterable[tuple[float, bool]], bins: int = 10) -> float | None:
    """Expected calibration error: how far confidence is from the share that was right; None without
    values.
    """
    found = reliability(values, bins)
    count = sum(each.count for each in found)
    if not count:
        return None
    return sum(each.count * abs(each.confidence - each.right) for each in found) / count


def same_output(told: str | None, expected: str) -> bool:
    """True if the returned value is the expected one."""
    if told is None:
        return False
    if told.strip() == expected.strip():
        return True
    try:
        left, right = ast.literal_eval(told.strip()), ast.literal_eval(expected.strip())
        return type(left) is type(right) and bool(left == right)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False


def same_end(end: End, expected: str) -> bool:
    """True if a run ended as expected: with a value, or with an exception whose instance has that `repr`."""
    if end.reason == "raised":
        return end.value is not None and exception_text(end.value) == expected.strip()
    return end.reason == "returned" and same_output(end.value, expected)


def mean(numbers: Iterable[float]) -> float | None:
    """The average; None of nothing."""
    found = list(numbers)
    return fmean(found) if found else None


def _is_given(frame: Frame) -> bool:
    return frame.event == "call" and all(value.origin == "given" for value in frame.locals.values())


def _at(items: Sequence[T], index: int) -> T | None:
    return items[index] if index < len(items) else None


def _said(told: Value, true: Value | None) -> SaidValue:
    kind = kind_of(true.repr if true is not None else told.repr)
    return SaidValue(told.confidence, kind, true is not None and told.repr == true.repr)


def _fraction(marks: Sequence[bool]) -> float:
    return sum(marks) / len(marks) if marks else 1.0
