"""Unfolded operations: whatever they are asked about, the simpler questions lead to Python's own answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.source.operations import Answer, Operation, Raised, drive
from cwm_lsp.source.unfold import unfold
from tests.recipe import recipe

oracle = recipe("oracle")

ELEMENTS = st.one_of(
    st.lists(st.integers(-50, 50), max_size=9),
    st.lists(st.text("abcXY ", max_size=3), max_size=7),
    st.lists(st.tuples(st.integers(0, 3), st.text("ab", max_size=2)), max_size=6),
    st.lists(st.one_of(st.integers(), st.text(max_size=2), st.none()), max_size=4),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4),
    st.sets(st.integers(0, 30), max_size=6),
    st.text("abcz", max_size=6),
    st.dictionaries(st.integers(0, 9), st.integers(), max_size=4),
)
NUMBERS = st.integers(-60, 60)


def answered(operation: Operation) -> tuple[Answer, int]:
    """The answer with Python asked each simpler question, and how many there were; 0 if it isn't unfolded."""
    steps = unfold(operation)
    if steps is None:
        return oracle.answer(operation), 0
    asked: list[Operation] = []

    def answer(step: Operation) -> Answer:
        assert unfold(step) is None
        assert step.kind in ("binary", "compare")
        asked.append(step)
        said: Answer = oracle.answer(step)
        return said

    return drive(steps, answer), len(asked)


@given(st.sampled_from(("sum", "max", "min", "sorted")), ELEMENTS)
def test_over_a_container(name: str, elements: object) -> None:
    operation = Operation("call", (repr(elements),), name)
    assert answered(operation)[0] == oracle.answer(operation)


@given(ELEMENTS, st.sampled_from(((), ("reverse=True",), ("reverse=False",))))
def test_a_list_sorted_in_place(elements: object, options: tuple[str, ...]) -> None:
    operation = Operation("mutated", (repr(list(elements)), *options), "sort")  # type: ignore[call-overload]
    assert answered(operation)[0] == oracle.answer(operation)


@given(
    st.lists(st.tuples(st.text("abc", max_size=3), st.integers(-3, 3)), min_size=1, max_size=7),
    st.sampled_from(("sorted", "max", "min")),
    st.booleans(),
)
def test_with_keys_elements_that_are_equal_keep_their_order(
    pairs: list[tuple[str, int]], name: str, reverse: bool
) -> None:
    elements, keys = [text for text, _ in pairs], [key for _, key in pairs]
    more = ("reverse=True",) if reverse and name == "sorted" else ()
    operation = Operation("call", (repr(elements), f"keys={keys!r}", *more), name)
    told, asked = answered(operation)
    assert told == oracle.answer(operation)
    assert asked or len(pairs) == 1


@given(NUMBERS, NUMBERS)
def test_both_halves_of_a_division(left: int, right: int) -> None:
    operation = Operation("call", (str(left), str(right)), "divmod")
    assert answered(operation)[0] == oracle.answer(operation)


@given(st.lists(NUMBERS, min_size=2, max_size=5), st.sampled_from(("max", "min")))
def test_of_several_arguments(numbers: list[int], name: str) -> None:
    operation = Operation("call", tuple(map(str, numbers)), name)
    assert answered(operation)[0] == oracle.answer(operation)


@pytest.mark.parametrize(
    "operation",
    [
        Operation(
            "call", ("[0.1, 0.2]",), "sum"
        ),  # the order and way of adding floats is Python's own affair
        Operation("call", ("[1, 'a']",), "sorted"),
        Operation("call", ("[]",), "max"),
        Operation("call", ("[1, 2]", "key=len"), "sorted"),
        Operation("call", (repr(list(range(40))),), "sorted"),
        Operation("call", ("'abc'",), "len"),
    ],
    ids=str,
)
def test_what_stands_for_itself(operation: Operation) -> None:
    assert unfold(operation) is None


def test_an_exception_within_is_the_answer() -> None:
    steps = unfold(Operation("call", ("[1, 2]",), "sum"))
    assert steps is not None
    next(steps)
    with pytest.raises(StopIteration) as finished:
        steps.send(Raised("OverflowError()"))
    assert finished.value.value == Raised("OverflowError()")
