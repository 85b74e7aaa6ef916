"""Movements over real runs: laws of going forwards and back, and where breakpoints stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.recorder import Recording
from cwm_lsp.world.breakpoints import Breakpoint, Exceptions, HitCondition
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.expressions import CantTellError, evaluate, format_log, truth_of
from cwm_lsp.world.grounding import LazyPredictor
from cwm_lsp.world.predictor import Prediction, PredictionError, Predictor
from cwm_lsp.world.prefetch import Prefetcher
from cwm_lsp.world.replaying import replay
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.stepping import Stepper
from tests.world.replay import ReplayPredictor, recorded

ROOT = Path(__file__).resolve().parents[2]

RUNS = [
    ("examples/strawberry.py", None),
    ("examples/raises.py", None),
    ("examples/recover.py", None),
    ("examples/fibonacci_recursive.py", None),
    ("examples/bank.py", None),
    ("tests/fixtures/world/generators.py", "comprehensions(3)"),
    ("tests/fixtures/world/generators.py", "talking(3)"),
    ("tests/fixtures/world/errors.py", "loops(4)"),
    ("tests/fixtures/world/errors.py", "fails(3)"),
]


@cache
def run(number: int) -> tuple[Document, str, Recording]:
    path, call = RUNS[number]
    document = Document.from_file(ROOT / path)
    call = call or calls_in(document)[0].text
    return document, call, recorded(document, call)


def no_model() -> Predictor:
    raise AssertionError("history is never predicted again")


def stepper(number: int) -> Stepper:
    document, _, recording = run(number)
    made = Stepper(replay(document, recording.frames, recording.end, LazyPredictor(no_model)))
    made.begin()
    return made


def view(one: Stepper) -> Any:
    """All that is seen at a stop."""
    levels = one.levels
    return [
        (level.function, level.line, {name: value.repr for name, value in level.locals.items()})
        for level in levels
    ]


runs = st.integers(0, len(RUNS) - 1)
steps = st.lists(st.sampled_from(["into", "over", "out"]), min_size=1, max_size=12)


@st.composite
def breakpoints(draw: st.DrawFn, number: int) -> tuple[tuple[Breakpoint, ...], Exceptions]:
    recording = run(number)[2]
    lines = sorted({frame.line for frame in recording.frames if frame.event == "line"})
    names = sorted({frame.function for frame in recording.frames})
    data = sorted({(f.function, name) for f in recording.frames for name in f.locals})
    made: list[Breakpoint] = []
    for line in draw(st.lists(st.sampled_from(lines), max_size=3, unique=True)):
        hit = draw(
            st.sampled_from([None, HitCondition("==", 2), HitCondition(">=", 2), HitCondition("%", 2)])
        )
        made.append(Breakpoint(len(made), "line", line=line, hit=hit))
    for name in draw(st.lists(st.sampled_from(names), max_size=1)):
        made.append(Breakpoint(len(made), "function", function=name))
    for function, name in draw(st.lists(st.sampled_from(data), max_size=1)) if data else []:
        made.append(Breakpoint(len(made), "data", function=function, name=name))
    return tuple(made), Exceptions(draw(st.booleans()), draw(st.booleans()))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(data=st.data(), number=runs, way=steps)
def test_n_steps_forward_and_n_back_restore_everything(
    data: st.DataObject, number: int, way: list[str]
) -> None:
    one = stepper(number)
    one.breakpoints, one.exceptions = data.draw(breakpoints(number))
    one.seek(data.draw(st.integers(0, one.timeline.known - 1)))
    seen = [(one.index, view(one))]
    for name in way:
        before = one.simulation.cursor
        stop = getattr(one, name)()
        if one.simulation.cursor != before:
            seen.append((one.index, view(one)))
        if stop.reason == "end" or stop.uncaught:
            break
    for place in reversed(seen[:-1]):
        one.back()
        assert (one.index, view(one)) == place


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(data=st.data(), number=runs)
def test_reverse_continue_finds_the_last_stop_that_continue_finds(data: st.DataObject, number: int) -> None:
    one = stepper(number)
    one.breakpoints, one.exceptions = data.draw(breakpoints(number))
    stops = []
    stop = one.first_stop()
    while stop.reason != "end" and not stop.uncaught:
        stops.append((stop.index, stop.reason, stop.breakpoints, view(one)))
        stop = one.continue_()
    at = data.draw(st.integers(0, one.timeline.known - 1))
    one.seek(at)
    for expected in reversed([each for each in stops if each[0] < at]):
        stop = one.reverse_continue()
        assert (stop.index, stop.reason, stop.breakpoints, view(one)) == expected
    stop = one.reverse_continue()
    assert (stop.index, stop.reason) == (0, "entry")


@settings(max_examples=30, deadline=None)
@given(number=runs, way=st.lists(st.sampled_from(["into", "over", "out", "back", "reverse"]), max_size=25))
def test_whatever_is_done_the_same_place_looks_the_same(number: int, way: list[str]) -> None:
    one = stepper(number)
    seen: dict[int, Any] = {}
    for name in way:
        one.reverse_continue() if name == "reverse" else getattr(one, name)()
        assert seen.setdefault(one.index, view(one)) == view(one)


def test_back_goes_line_by_line_where_there_is_no_step_to_undo() -> None:
    one = stepper(0)
    lines = [
        index
        for index, frame in enumerate(one.simulation.frames)
        if frame.event == "line" and frame.depth == 1
    ]
    one.seek(lines[-1])
    passed = []
    while one.index > 0:
        one.back()
        passed.append(one.index)
    assert passed == [*reversed(lines[:-1]), 0]
    one.seek(lines[-1])
    one.back(one_frame=True)
    assert one.timeline.frame(one.index).depth == 2


def test_the_fast_search_for_stops_agrees_with_a_plain_one() -> None:
    """Every frame of a run, judged one by one from a new stepper, against what continue passes through."""
    for number in range(len(RUNS)):
        one, other = stepper(number), stepper(number)
        lines = {frame.line for frame in one.simulation.frames if frame.event == "line"}
        for line in lines:
            one.breakpoints = (Breakpoint(1, "line", line=line),)
            found = []
            one.seek(0)
            while (stop := one.continue_()).reason == "breakpoint":
                found.append(stop.index)
            plain = [
                index
                for index, frame in enumerate(other.simulation.frames)
                if frame.event == "line" and frame.line == line
            ]
            assert found == plain


def test_recursive_calls_are_told_apart() -> None:
    one = stepper(3)
    one.breakpoints = ()
    top = one.levels[0].id
    while one.into().reason != "end" and len(one.levels) < 3:
        pass
    ids = [level.id for level in one.levels]
    assert len(set(ids)) == len(ids) == 3
    assert ids[-1] == top
    depth = len(one.levels)
    one.over()
    assert len(one.levels) <= depth


# -- what is predicted


class Slow(ReplayPredictor):
    """Takes its time, and can be cancelled meanwhile."""

    def __init__(self, frames: Sequence[Frame], seconds: float) -> None:
        super().__init__(frames)
        self.seconds = seconds

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            if cancel.cancelled:
                raise PredictionError("cancelled", "The prediction was cancelled.")
            time.sleep(0.002)
        return super().predict(document, frames, choices, cancel)


class Failing(ReplayPredictor):
    """Fails at some frames, the first time it is asked for them."""

    def __init__(self, frames: Sequence[Frame], at: set[int]) -> None:
        super().__init__(frames)
        self.at = at

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        if len(frames) in self.at:
            self.at.discard(len(frames))
            raise PredictionError("engine", "The engine is gone.")
        return super().predict(document, frames, choices, cancel)


def predicted(number: int, predictor: Predictor, budgets: Budgets | None = None) -> Stepper:
    document, call, _ = run(number)
    made = Stepper(Simulation.start(document, call, predictor, budgets=budgets))
    made.begin()
    return made


def test_a_failure_stops_on_the_last_good_frame_and_goes_on_when_asked() -> None:
    frames = run(0)[2].frames
    one = predicted(0, Failing(frames, {7, 20}))
    reasons = []
    while (stop := one.continue_()).reason != "end":
        reasons.append((stop.reason, stop.index, stop.text))
    assert reasons == [("failed", 6, "The engine is gone."), ("failed", 19, "The engine is gone.")]
    assert one.simulation.frames == tuple(one.simulation.frames)
    assert stop.text == run(0)[2].end.value


def test_a_budget_stops_and_goes_on_when_asked() -> None:
    frames = run(0)[2].frames
    one = predicted(0, ReplayPredictor(frames), Budgets(frames=10))
    places = []
    while (stop := one.continue_()).reason == "budget":
        places.append(stop.index)
    assert places == [9, 19, 29]
    assert stop.reason == "end"


def test_a_pause_stops_within_a_moment_and_loses_nothing() -> None:
    frames = run(0)[2].frames
    predictor = Slow(frames, 0.05)
    one = predicted(0, predictor)
    cancel = Cancel()
    threading.Timer(0.17, cancel.cancel).start()
    stop = one.continue_(cancel)
    assert stop.reason == "pause"
    assert stop.index < len(frames) - 5
    assert one.simulation.end is None
    predictor.seconds = 0
    assert one.continue_().reason == "end"
    assert len(one.simulation.frames) == len(frames)


def test_frames_are_predicted_ahead_within_bounds_and_each_once() -> None:
    frames = run(0)[2].frames
    predictor = Slow(frames, 0.001)
    one = predicted(0, predictor)
    ahead = Prefetcher(one.timeline, 8)
    ahead.aim(0)
    _until(lambda: one.timeline.known >= 9)
    time.sleep(0.05)
    assert one.timeline.known == 9
    one.seek(4)
    ahead.aim(4)
    _until(lambda: one.timeline.known >= 13)
    ahead.rest()
    known = one.timeline.known
    time.sleep(0.05)
    assert one.timeline.known == known
    assert one.continue_().reason == "end"
    ahead.close()
    assert predictor.asked == len(frames) - 1


def test_what_was_predicted_ahead_is_dropped_with_a_fork() -> None:
    predictor = Slow(run(0)[2].frames, 0.03)
    one = predicted(0, predictor)
    ahead = Prefetcher(one.timeline, 30)
    one.into()
    ahead.aim(one.index)
    time.sleep(0.1)
    ahead.rest()
    assert one.timeline.known < 30
    assert one.simulation.end is None
    old = one.simulation.branch
    one.edit({"letter": "'z'"})
    assert len(one.simulation.branch.nodes) == 2
    assert len(old.nodes) > 2
    ahead.close()


def test_a_failure_ahead_is_nobody_s_until_somebody_gets_there() -> None:
    frames = run(0)[2].frames
    one = predicted(0, Failing(frames, {5}))
    ahead = Prefetcher(one.timeline, 100)
    ahead.aim(0)
    time.sleep(0.1)
    ahead.close()
    assert one.timeline.known == 5
    assert one.continue_().reason == "end"


def _until(done: Any, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.005)


# -- branches


def test_branches_stay_as_they_were() -> None:
    one = stepper(0)
    one.seek(6)
    frames = one.simulation.frames
    old = one.simulation.branch
    one.edit({"count": "7"})
    assert one.simulation.frame is not None
    assert one.simulation.frame.locals["count"].repr == "7"
    assert one.levels[0].id == one.timeline.place(5).ids[-1]
    stop = one.switch(old)
    assert (stop.index, one.simulation.frames) == (6, frames)
    assert one.simulation.frames[6].locals["count"].repr == "0"


# -- expressions


def test_expressions_over_values() -> None:
    values = run(0)[2].frames[5].locals
    assert evaluate("count", values).origin == "observed"
    assert evaluate("word[:3] + letter", values).repr == "'strr'"
    assert truth_of("char in word and count == 0", values)
    for text in ("nobody", "open('x')", "__import__('os')", "word.nothing", "1 +"):
        with pytest.raises(CantTellError):
            evaluate(text, values)
    assert format_log("{count}: {char} {{x}}", values) == "0: s {x}"
