"""The metrics of `eval` and the words for a difference, on traces small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.trace.frame import EVENTS, Frame, Value
from cwm_lsp.world.compare import difference
from cwm_lsp.world.metrics import (
    confident_values,
    ece,
    mean,
    printed_states,
    same_output,
    score,
    score_steps,
)


def frame(
    event: str, line: int, depth: int = 1, arg: str | None = None, function: str = "f", **names: str
) -> Frame:
    values = {name: Value(text, "observed") for name, text in names.items()}
    return Frame(event, function, line, depth, values, None if arg is None else Value(arg, "observed"))  # type: ignore[arg-type]


def guess(real: Frame, confidence: float = 0.9) -> Frame:
    """The same frame as a prediction."""
    values = {name: Value(value.repr, "predicted", confidence) for name, value in real.locals.items()}
    arg = None if real.arg is None else Value(real.arg.repr, "predicted", confidence)
    return replace(real, locals=values, arg=arg)


# def f(n): / m = g(n) / m += 1 / return m       def g(x): / return x
REAL = [
    frame("call", 1, n="1"),
    frame("line", 2, n="1"),
    frame("call", 6, 2, function="g", x="1"),
    frame("line", 7, 2, function="g", x="1"),
    frame("return", 7, 2, function="g", arg="1"),
    frame("line", 3, n="1", m="1"),
    frame("line", 4, n="1", m="2"),
    frame("return", 4, arg="2"),
]
GIVEN = replace(REAL[0], locals={"n": Value("1", "given")})


def test_states_are_printed_as_a_trace_prints_them() -> None:
    assert printed_states(REAL) == [
        {"n": "1"},
        {"n": ".."},
        {"x": "1"},
        {"x": ".."},
        None,
        {"n": "1", "m": "1"},  # in full: a callee is back
        {"n": "..", "m": "2"},
        None,
    ]


def test_a_right_trace_scores_one_and_does_not_count_the_given_call() -> None:
    scored = score([GIVEN, *map(guess, REAL[1:])], REAL)
    assert (scored.state_exact, scored.action_exact, scored.full) == (1.0, 1.0, True)
    assert (scored.frames, scored.right) == (7, 7)
    assert score([*map(guess, REAL)], REAL).frames == 8


def test_a_wrong_value_counts_where_it_appears() -> None:
    predicted = [GIVEN, *REAL[1:5], frame("line", 3, n="1", m="9"), frame("line", 4, n="1", m="9"), REAL[7]]
    scored = score(predicted, REAL)
    # of line 2, call 6, line 7, line 3 and line 4 the last two are wrong: m is 9, then m is ".."
    assert scored.state_exact == pytest.approx(3 / 5)
    assert scored.action_exact == 1.0
    assert not scored.full
    assert scored.right == 5
    kept_wrong = [GIVEN, *REAL[1:5], frame("line", 3, n="0", m="1"), frame("line", 4, n="0", m="2"), REAL[7]]
    assert score(kept_wrong, REAL).state_exact == pytest.approx(4 / 5)


def test_a_short_and_a_long_trace_lose_what_is_missing_or_too_much() -> None:
    assert score([GIVEN, *REAL[1:4]], REAL).action_exact == pytest.approx(3 / 7)
    long = [*REAL[:1], *REAL[1:], frame("line", 2, n="1")]
    assert score([GIVEN, *long[1:]], REAL).action_exact == pytest.approx(7 / 8)
    assert score([], REAL).action_exact == 0.0


def test_teacher_forced_one_mistake_costs_one_frame() -> None:
    steps = [(REAL[:i], REAL[i], REAL[i]) for i in range(1, len(REAL))]
    assert score_steps(steps).full
    wrong = frame("line", 4, n="1", m="1")
    steps[4] = (REAL[:5], wrong, REAL[5])
    steps[6] = (REAL[:7], None, REAL[7])
    scored = score_steps(steps)
    assert scored.action_exact == pytest.approx(5 / 7)
    assert scored.state_exact == 1.0  # the state of the wrong line is what the right one has
    assert scored.right == 5


def test_confidences_are_held_against_reality_once_a_value_and_only_at_right_places() -> None:
    predicted = [GIVEN, *(guess(real, 0.8) for real in REAL[1:])]
    found = list(confident_values(predicted, REAL))
    # x at the call, the returned 1, n and m in full after the return, the new m, the returned 2
    assert found == [(0.8, True)] * 6
    elsewhere = [replace(told, line=told.line + 1) for told in predicted]
    assert list(confident_values(elsewhere, REAL)) == []


def test_ece_by_hand() -> None:
    assert ece([]) is None
    assert ece([(1.0, True)] * 5) == 0.0
    assert ece([(0.95, True), (0.95, False)]) == pytest.approx(0.45)
    assert ece([(0.95, True)] * 3 + [(0.25, False)]) == pytest.approx((3 * 0.05 + 0.25) / 4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans())))
def test_ece_is_a_fraction(values: list[tuple[float, bool]]) -> None:
    error = ece(values)
    assert error is None if not values else 0 <= error <= 1  # type: ignore[operator]


@pytest.mark.parametrize(
    ("told", "expected", "same"),
    [
        ("'a'", '"a"', True),
        ("[1,2]", "[1, 2]", True),
        ("{1, 2}", "{2, 1}", True),
        ("1", "True", False),
        ("1", "1.0", False),
        ("<object>", "<object>", True),
        ("<object>", "1", False),
        (None, "None", False),
        ("[" * 5000, "1", False),
    ],
)
def test_outputs(told: str | None, expected: str, same: bool) -> None:
    assert same_output(told, expected) is same


def test_mean() -> None:
    assert mean([]) is None
    assert mean([1, 0]) == 0.5


frames = st.builds(
    frame,
    st.sampled_from(EVENTS),
    st.integers(1, 9),
    st.integers(1, 3),
    st.none() | st.sampled_from(["1", "2"]),
    a=st.sampled_from(["1", "2"]),
    b=st.sampled_from(["1", ".."]),
)


@given(st.lists(frames, max_size=12), st.lists(frames, max_size=12))
def test_laws(left: list[Frame], right: list[Frame]) -> None:
    assert score(left, left).full
    scored = score(left, right)
    assert 0 <= scored.state_exact <= 1
    assert 0 <= scored.action_exact <= 1
    assert scored.full == (scored.right == scored.frames)
    same = len(left) == len(right) and all(a.same_as(b) for a, b in zip(left, right, strict=True))
    assert scored.full == same
    for a, b in zip(left, right, strict=False):
        assert (difference(a, b) is None) == a.same_as(b)


def test_differences_in_words() -> None:
    assert difference(None, None) is None
    assert difference(REAL[1], REAL[1]) is None
    assert difference(REAL[1], REAL[2]) == "line 2 was predicted, really a call of g came next"
    assert difference(REAL[4], REAL[5]) == "a return from g at line 7 was predicted, really line 3 came next"
    assert difference(None, REAL[5]) == "an end was predicted, really line 3 came next"
    assert difference(REAL[5], None) == "line 3 was predicted, really the run was over"
    assert difference(frame("line", 3, n="1", m="2"), REAL[5]) == "m is predicted as 2, really 1"
    assert difference(frame("line", 3, n="1"), REAL[5]) == "m is missing, really 1"
    assert difference(REAL[5], frame("line", 3, n="1")) == "m is predicted but not there"
    assert (
        difference(frame("return", 4, arg="3"), REAL[7]) == "the returned value is predicted as 3, really 2"
    )
