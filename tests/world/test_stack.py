"""The call stack rebuilt from frames, against what the frames of real runs say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import EVENTS, Frame, Value
from cwm_lsp.world.stack import CallResult, Stack
from tests.world.replay import recorded

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "world"


@cache
def runs(name: str) -> tuple[Document, tuple[tuple[Frame, ...], ...]]:
    document = Document.from_file(FIXTURES / f"{name}.py")
    return document, tuple(recorded(document, call.text).frames for call in calls_in(document))


def stacks(document: Document, frames: Sequence[Frame]) -> list[Stack]:
    found = [Stack()]
    for frame in frames:
        found.append(found[-1].push(document, frame))
        if found[-1].over:
            break
    return found


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    ["generators", *(pytest.param(each, marks=SLOW) for each in ("errors", "functions", "coroutines"))],
)
def test_the_stack_agrees_with_every_frame_of_real_runs(name: str) -> None:
    document, recordings = runs(name)
    for frames in recordings:
        found = stacks(document, frames)
        for frame, stack in zip(frames, found[1:], strict=False):
            running = stack.activations if frame.event != "return" else (*stack.activations, stack.left)
            top = running[-1]
            assert top is not None
            assert (len(running), top.function, top.depth) == (frame.depth, frame.function, frame.depth)
            if frame.event != "return":
                assert top.line == frame.line
            if frame.locals:
                assert top.locals == frame.locals
        assert found[-1].over


@pytest.mark.parametrize("name", ["generators", pytest.param("errors", marks=SLOW)])
def test_growing_by_a_frame_is_the_same_as_starting_over(name: str) -> None:
    document, recordings = runs(name)
    for frames in recordings:
        for count, stack in list(enumerate(stacks(document, frames)))[::7]:
            assert Stack.of(document, frames[:count]) == stack


def test_results_callers_and_outcome() -> None:
    document = Document.from_text(
        "def f(a):\n    return a + 1\n\ndef g(b):\n    c = f(b) * f(b + 1)\n    return c\n"
    )
    frames = recorded(document, "g(1)").frames
    found = stacks(document, frames)
    last_call = max(index for index, frame in enumerate(frames) if frame.event == "call")
    inside = found[last_call + 1]
    assert [(a.function, a.caller_line) for a in inside.activations] == [("g", None), ("f", 5)]
    assert inside.activations[0].results == (CallResult("f", Value("2", "observed")),)
    back = found[last_call + 3]
    assert [result.value.repr for result in back.activations[0].results if result.value] == ["2", "3"]
    assert back.left is not None
    assert back.left.function == "f"
    after = found[last_call + 4]
    assert after.activations[0].results == ()
    assert after.left is None
    assert found[-1].over
    assert found[-1].outcome == Value("6", "observed")
    assert found[-1].raised is None


def test_an_exception_is_pending_until_it_is_seen_in_the_caller() -> None:
    document = Document.from_text("def f():\n    return 1 // 0\n\ndef g():\n    return f()\n")
    found = stacks(document, recorded(document, "g()").frames)
    shown = "(<class 'ZeroDivisionError'>, ZeroDivisionError('integer division or modulo by zero'), "
    left = next(stack for stack in found if stack.left is not None)
    assert left.top is not None
    assert left.top.pending is not None
    assert left.top.pending.repr.startswith(shown)
    assert found[-1].raised is not None
    assert found[-1].raised.repr.startswith(shown)
    assert found[-1].outcome is None


def test_suspended_generators_are_found_again() -> None:
    document, recordings = runs("generators")
    for frames in recordings:
        for before, frame, after in zip(
            stacks(document, frames), frames, stacks(document, frames)[1:], strict=False
        ):
            if frame.event == "call" and frame.line not in {f.first_line for f in document.functions}:
                assert after.top is not None
                assert after.top.road == "resumed"
                assert len(after.suspended) == len(before.suspended) - 1


FRAMES = st.builds(
    Frame,
    st.sampled_from(EVENTS),
    st.sampled_from(
        ["loops", "count", "tree", "Steps.__next__", "nowhere", "comprehensions.<locals>.<listcomp>"]
    ),
    st.integers(-1, 130),
    st.integers(-1, 6),
    st.dictionaries(
        st.sampled_from(["n", "i", ".0"]), st.builds(Value, st.text(max_size=3), st.just("predicted"))
    ),
    st.none()
    | st.builds(Value, st.sampled_from(["None", "1", "(<class 'StopIteration'>, ..."]), st.just("predicted")),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(FRAMES, max_size=12))
def test_any_frames_are_taken(frames: list[Frame]) -> None:
    document, _ = runs("generators")
    stack = Stack.of(document, frames)
    assert all(activation.depth <= 6 for activation in stack.activations)
