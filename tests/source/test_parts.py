"""Values taken apart: what goes together again, and the fast way against the plain one."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.source.parts import _split, _split_nested, parts_of, type_of

atoms = st.one_of(
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=4),
    st.complex_numbers(),
)
hashable = st.recursive(atoms, lambda inner: st.tuples(inner, inner), max_leaves=4)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(hashable, inner, max_size=3),
        st.sets(hashable, max_size=3),
        st.frozensets(hashable, max_size=3),
    ),
    max_leaves=12,
)


@given(values)
def test_containers_come_apart_as_they_are(value: Any) -> None:
    parts = parts_of(repr(value))
    if isinstance(value, list | tuple):
        assert parts is not None
        assert list(parts.items) == [repr(item) for item in value]
        assert parts.kind == ("list" if isinstance(value, list) else "tuple")
    elif isinstance(value, dict):
        assert parts is not None
        assert [parts.named(at) for at in range(len(parts.items))] == [
            (repr(k), repr(v)) for k, v in value.items()
        ]
    elif isinstance(value, set | frozenset) and value:
        assert parts is not None
        assert list(parts.items) == [repr(item) for item in value]
        assert parts.kind == "set"
    elif not isinstance(value, set | frozenset | complex):
        assert parts is None
    if not isinstance(value, complex) or not repr(value).startswith("("):
        assert type_of(repr(value)) == type(value).__name__


@given(values)
def test_an_item_can_be_replaced(value: Any) -> None:
    parts = parts_of(repr(value))
    if not isinstance(value, list | dict) or not value:
        return
    assert parts is not None
    at = len(value) - 1
    if isinstance(value, list):
        value[at] = "new"
    else:
        value[list(value)[at]] = "new"
    assert parts.replaced(at, "'new'") == repr(value)


@settings(max_examples=300)
@given(st.text("[](){}<>,'\"\\ ab=:", max_size=30))
def test_the_fast_split_agrees_with_the_plain_one(text: str) -> None:
    plain, fast = _split_nested(text) if text else [], _split(text)
    assert (fast and [item.strip() for item in fast]) == plain


@dataclass
class Point:
    x: int
    y: list[int]


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (Point(1, [2, 3]), [("x", "1"), ("y", "[2, 3]")]),
        (deque([1, 2], maxlen=3), [("0", "1"), ("1", "2")]),
        (Counter("aab"), [("'a'", "2"), ("'b'", "1")]),
        (defaultdict(list, {1: [2]}), [("1", "[2]")]),
        (OrderedDict(a=1), None),
        ([Point, len], [("0", repr(Point)), ("1", "<built-in function len>")]),
    ],
)
def test_objects_that_show_their_parts(value: Any, names: list[tuple[str, str]] | None) -> None:
    parts = parts_of(repr(value))
    assert parts is not None
    if names is not None:
        assert [parts.named(at) for at in range(len(parts.items))] == names
    assert parts.head + ", ".join(parts.items) + parts.tail == repr(value)


@pytest.mark.parametrize(
    "text", ["", "x", "f(", "[1", "[(])", "<object>", "f(1)", "range(3)", "'[1]'", "f()", "[']"]
)
def test_what_has_no_parts(text: str) -> None:
    assert parts_of(text) is None


def test_no_text_takes_long() -> None:
    for text in (
        "[" + "'" * 50_000 + "]",
        "[" + "(" * 50_000 + "]",
        "[" + "a, " * 100_000 + "<]",
        "[" + "\\" * 9999,
    ):
        began = time.process_time()
        parts_of(text)
        assert time.process_time() - began < 1
