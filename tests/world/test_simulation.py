"""Simulations over replayed real runs: history, cursor, forks, budgets, failures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.calls import CallError, calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.trace.recorder import Recording
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.predictor import Prediction, PredictionError
from cwm_lsp.world.simulation import Simulation
from tests.world.replay import ReplayPredictor, recorded

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@cache
def example(name: str) -> tuple[Document, str, Recording]:
    document = Document.from_file(EXAMPLES / f"{name}.py")
    call = calls_in(document)[0].text
    return document, call, recorded(document, call)


def simulate(name: str, budgets: Budgets | None = None) -> tuple[Simulation, ReplayPredictor, Recording]:
    document, call, recording = example(name)
    predictor = ReplayPredictor(recording.frames)
    return Simulation.start(document, call, predictor, budgets=budgets), predictor, recording


@pytest.mark.parametrize("name", ["strawberry", "raises", "recover", "gcd", "fibonacci_recursive"])
def test_a_run_gives_the_frames_and_the_end_of_the_real_run(name: str) -> None:
    simulation, _, recording = simulate(name)
    passed = list(simulation.run())
    assert len(simulation.frames) == len(recording.frames) == len(passed) + 1
    for ours, real in zip(simulation.frames, recording.frames, strict=True):
        assert ours.same_as(real)
    assert simulation.end is not None
    assert (simulation.end.reason, simulation.end.frames) == (recording.end.reason, len(recording.frames))
    if recording.end.reason == "returned":
        assert simulation.end.value == recording.end.value
    assert simulation.end.decisions == len(passed)
    assert simulation.end.tokens == 10 * len(passed)


def test_the_first_frame_is_the_call_with_its_arguments_given() -> None:
    simulation, predictor, _ = simulate("strawberry")
    assert simulation.cursor == 0
    assert simulation.frame is not None
    assert simulation.frame.event == "call"
    assert simulation.locals() == {"word": Value("'strawberry'", "given"), "letter": Value("'r'", "given")}
    assert predictor.asked == 0


def test_unchanged_values_keep_their_origin() -> None:
    document, call, recording = example("strawberry")

    class Forgetful(ReplayPredictor):
        """Says of every value that it was predicted."""

        def predict(self, *arguments: object) -> Prediction:
            done = super().predict(*arguments)  # type: ignore[arg-type]
            values = {name: Value(v.repr, "predicted", 0.5) for name, v in done.frame.locals.items()}
            frame = done.frame
            again = Frame(frame.event, frame.function, frame.line, frame.depth, values, frame.arg)
            return Prediction(again, done.decisions, done.tokens, done.seconds)

    simulation = Simulation.start(document, call, Forgetful(recording.frames))
    list(simulation.run())
    entry = [frame for frame in simulation.frames if frame.depth == 1 and frame.event == "line"]
    assert {frame.locals["word"].origin for frame in entry} == {"given"}
    counts = {v.repr: v.origin for f in simulation.frames for n, v in f.locals.items() if n == "count"}
    assert counts == {"0": "computed", "1": "predicted", "2": "predicted", "3": "predicted"}


def test_history_is_never_predicted_twice() -> None:
    simulation, predictor, _ = simulate("gcd")
    list(simulation.run())
    asked, frames = predictor.asked, simulation.frames
    assert simulation.seek(3) is frames[3]
    assert [simulation.advance() for _ in range(4, len(frames))] == list(frames[4:])
    assert simulation.advance() is None
    assert predictor.asked == asked
    assert simulation.frames is frames


def test_stack_and_locals_belong_to_the_cursor() -> None:
    simulation, _, recording = simulate("strawberry")
    list(simulation.run())
    for index, frame in enumerate(recording.frames):
        simulation.seek(index)
        stack = simulation.stack()
        assert len(stack) == frame.depth
        assert (stack[-1].function, stack[-1].line) == (frame.function, frame.line)
        if frame.locals:
            assert {n: v.repr for n, v in simulation.locals().items()} == {
                n: v.repr for n, v in frame.locals.items()
            }
    with pytest.raises(IndexError):
        simulation.seek(len(recording.frames))


def test_growing_leaves_the_cursor_where_it_is() -> None:
    simulation, _, recording = simulate("gcd")
    assert simulation.grow()
    assert simulation.grow()
    assert simulation.cursor == 0
    assert len(simulation.frames) == 3
    frame = simulation.advance()
    assert frame is not None
    assert frame.same_as(recording.frames[1])


def test_a_fork_edits_one_frame_and_keeps_the_old_branch() -> None:
    simulation, _, recording = simulate("running_totals")
    for _ in range(6):
        simulation.advance()
    before, old = simulation.frames, simulation.branch
    name = next(iter(simulation.locals()))
    edited = simulation.fork({name: "[9]"})
    assert edited.locals[name] == Value("[9]", "edited")
    assert simulation.frames[: simulation.cursor] == before[: simulation.cursor]
    assert simulation.frames[-1] is edited
    assert simulation.locals()[name].repr == "[9]"
    assert len(simulation.branches) == 2
    simulation.switch(old)
    assert simulation.frames == before
    assert simulation.frame is not None
    assert simulation.frame.same_as(recording.frames[0])


def test_a_fork_goes_on_with_the_edited_value() -> None:
    document = Document.from_text("def f(a):\n    b = 1\n    return a\n")
    frames = recorded(document, "f(3)").frames
    simulation = Simulation.start(document, "f(3)", ReplayPredictor(frames))
    simulation.advance()
    simulation.fork({"a": "4"})
    seen: list[Choices] = []

    class Watching:
        def predict(
            self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
        ) -> Prediction:
            seen.append(choices)
            assert frames[-1].locals["a"] == Value("4", "edited")
            option = choices.options[0]
            values = {each.name: Value(each.value or "1", "predicted") for each in option.locals}
            return Prediction(Frame(option.event, option.function, option.line, option.depth, values))

    simulation._predictor = Watching()
    frame = simulation.advance()
    assert frame is not None
    assert [(local.name, local.kind, local.value) for local in seen[0].options[0].locals] == [
        ("a", "same", "4"),
        ("b", "given", "1"),
    ]
    assert frame.locals["a"] == Value("4", "edited")


@pytest.mark.parametrize("edits", [{}, {"nobody": "1"}])
def test_a_fork_needs_locals_of_the_frame(edits: dict[str, str]) -> None:
    simulation, _, _ = simulate("gcd")
    with pytest.raises(ValueError):
        simulation.fork(edits)


@pytest.mark.parametrize(
    ("budgets", "word"), [(Budgets(frames=5), "5 frames"), (Budgets(tokens=35), "35 tokens")]
)
def test_a_budget_ends_the_run_and_can_be_extended(budgets: Budgets, word: str) -> None:
    simulation, _, recording = simulate("strawberry", budgets)
    list(simulation.run())
    assert len(simulation.frames) == 5
    assert simulation.end is not None
    assert simulation.end.reason == "budget"
    assert word in (simulation.end.message or "")
    assert simulation.advance() is None
    simulation.extend(Budgets(frames=1000, tokens=100_000))
    list(simulation.run())
    assert simulation.end.reason == recording.end.reason == "returned"


def test_time_ends_a_prediction_that_takes_too_long() -> None:
    document, call, _ = example("gcd")

    class Slow:
        def predict(
            self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
        ) -> Prediction:
            while not cancel.cancelled:
                threading.Event().wait(0.005)
            raise PredictionError("cancelled", "The prediction was cancelled.")

    simulation = Simulation.start(document, call, Slow(), budgets=Budgets(seconds=0.1))
    assert simulation.advance() is None
    assert simulation.end is not None
    assert simulation.end.reason == "budget"
    assert len(simulation.frames) == 1


def test_cancelling_stops_and_the_run_can_go_on() -> None:
    simulation, _, recording = simulate("gcd")
    cancel = Cancel()
    cancel.cancel()
    assert simulation.advance(cancel) is None
    assert simulation.end is not None
    assert simulation.end.reason == "failed"
    assert simulation.failure is not None
    assert simulation.failure.kind == "cancelled"
    simulation.extend()
    list(simulation.run())
    assert simulation.end.reason == recording.end.reason


def test_a_frame_that_is_not_offered_is_a_failure_and_no_frame() -> None:
    document, call, recording = example("gcd")

    class Lying:
        def predict(
            self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
        ) -> Prediction:
            return Prediction(recording.frames[-1])

    simulation = Simulation.start(document, call, Lying())
    assert simulation.advance() is None
    assert len(simulation.frames) == 1
    assert simulation.failure is not None
    assert simulation.failure.kind == "malformed"
    simulation._predictor = ReplayPredictor(recording.frames)
    simulation.extend()
    assert simulation.advance() is not None


def test_a_bare_function_leaves_its_arguments_to_the_predictor() -> None:
    document, _, recording = example("gcd")
    simulation = Simulation.start(document, "shorten", ReplayPredictor(recording.frames))
    assert simulation.frames == ()
    assert simulation.cursor == -1
    assert simulation.stack() == ()
    assert simulation.locals() == {}
    frame = simulation.advance()
    assert frame is not None
    assert frame.event == "call"
    assert list(frame.locals) == ["top", "bottom"]


@pytest.mark.parametrize("call", ["nobody(1)", "shorten(1)", "shorten(1, 2", "shorten(1, x)", ""])
def test_a_call_that_can_not_be_made_is_one_sentence(call: str) -> None:
    document, _, recording = example("gcd")
    with pytest.raises(CallError) as error:
        Simulation.start(document, call, ReplayPredictor(recording.frames))
    assert "\n" not in str(error.value)


def test_a_generator_is_taken_to_its_end() -> None:
    document = Document.from_text("def g(n):\n    while n:\n        yield n\n        n -= 1\n")
    frame = Simulation.start(document, "g(1)", ReplayPredictor(())).frame
    assert frame is not None
    value = {"n": Value("1", "given")}
    frames = [
        frame,
        Frame("line", "g", 2, 1, value),
        Frame("line", "g", 3, 1, value),
        Frame("return", "g", 3, 1, {}, Value("1", "predicted")),
        Frame("call", "g", 3, 1, value),
        Frame("line", "g", 4, 1, value),
        Frame("line", "g", 2, 1, {"n": Value("0", "predicted")}),
        Frame("return", "g", 2, 1, {}, Value("None", "predicted")),
    ]
    simulation = Simulation.start(document, "g(1)", ReplayPredictor(frames))
    list(simulation.run())
    assert simulation.end is not None
    assert (simulation.end.reason, simulation.end.frames) == ("returned", 8)
