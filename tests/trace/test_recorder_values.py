"""Values as text: what `repr` says, without addresses, never too long, never an exception."""

from __future__ import annotations

import collections
import functools
import math
import signal
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.trace.recorder_values import Renderer

render = Renderer(10_000, 0.3, "bank")

atoms = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary()
)
hashable: st.SearchStrategy[Any] = st.deferred(
    lambda: atoms | st.tuples(hashable, hashable) | st.frozensets(hashable, max_size=3)
)
values: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        atoms
        | st.lists(values, max_size=4)
        | st.tuples(values)
        | st.tuples(values, values)
        | st.dictionaries(hashable, values, max_size=3)
        | st.sets(hashable, max_size=3)
    )
)


@given(values)
@settings(max_examples=150)
def test_plain_values_are_their_repr(value: Any) -> None:
    assert render(value) == repr(value)


@given(values, st.integers(4, 40))
def test_a_cut_value_is_the_beginning_of_its_repr(value: Any, limit: int) -> None:
    text = Renderer(limit, 0.3, "bank")(value)
    whole = repr(value)
    if len(whole) <= limit:
        assert text == whole
    else:
        assert text == whole[: limit - 3] + "..."


class Account:
    def __init__(self, text: Any = None) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text() if callable(self.text) else self.text  # type: ignore[no-any-return]


Account.__module__ = "bank"
Plain = type("Plain", (), {"__module__": "bank"})


def outer() -> Any:
    def inner() -> None: ...

    return inner


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (iter([1]), "<list_iterator object>"),
        (iter("ab"), "<str_iterator object>"),
        (iter("äb"), "<str_iterator object>"),
        ([iter("ab")], "[<str_iterator object>]"),
        (iter(range(3)), "<range_iterator object>"),
        (outer(), "<function outer.<locals>.inner>"),
        ([outer(), iter(())], "[<function outer.<locals>.inner>, <tuple_iterator object>]"),
        (len, "<built-in function len>"),
        ([].append, "<built-in method append of list object>"),
        (ValueError("x"), "ValueError('x')"),
        (ValueError, "<class 'ValueError'>"),
        (math, "<module 'math'>"),
        (Plain, "<class 'Plain'>"),
        (Plain(), "<Plain object>"),
        ({"a": Plain()}, "{'a': <Plain object>}"),
        ((Plain, Plain()), "(<class 'Plain'>, <Plain object>)"),
        (functools.partial(outer, 1), "functools.partial(<function outer>, 1)"),
        (collections.deque([Plain()], 3), "deque([<Plain object>], maxlen=3)"),
        (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
        ({1: 2}.keys(), "dict_keys([1])"),
        ("<bank.Plain object at 0x7f1234567890>", "'<bank.Plain object at 0x7f1234567890>'"),
        (Account("P('x at 0x7f1234567890', <Q at 0x7f1234567890>)"), "P('x at 0x7f1234567890', <Q>)"),
        (Account("meet at 0x10"), "meet at 0x10"),
        (set(), "set()"),
        (frozenset(), "frozenset()"),
        (frozenset([1]), "frozenset({1})"),
        ((), "()"),
        ((1,), "(1,)"),
        ([[], {}, ""], "[[], {}, '']"),
        (..., "Ellipsis"),
    ],
)
def test_addresses_and_places_are_left_out(value: Any, text: str) -> None:
    assert render(value) == text


def test_frames_tracebacks_and_cells_have_no_address() -> None:
    with pytest.raises(KeyError) as caught:
        raise KeyError(1)
    assert render((caught.type, caught.value, caught.tb)) == (
        "(<class 'KeyError'>, KeyError(1), <traceback object>)"
    )
    assert " at 0x" not in render(caught.tb.tb_frame)


def fails() -> str:
    raise ZeroDivisionError


def exits() -> str:
    raise SystemExit(1)


def returns_no_text() -> Any:
    return 5


def digs_without_end() -> str:
    return digs_without_end()


class Text(str):
    __slots__ = ()

    def __getitem__(self, key: Any) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize("work", [fails, exits, returns_no_text, digs_without_end])
def test_a_repr_that_fails_gets_a_plain_text(work: Any) -> None:
    assert render(Account(work)) == "<Account object>"
    assert render([1, Account(work)]) == "[1, <Account object>]"
    assert render({"a": (Account(work),)}) == "{'a': (<Account object>,)}"


def test_a_repr_may_be_a_kind_of_text_of_its_own() -> None:
    assert render(Account(Text("hello"))) == "hello"
    assert type(render(Account(Text("hello")))) is str


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_a_repr_that_hangs_is_given_up_once() -> None:
    def hang() -> str:
        while True:
            pass

    def hang_and_catch() -> str:
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    for work in (hang, hang_and_catch):
        quick = Renderer(100, 0.5, "bank")
        began = time.monotonic()
        assert [quick([Account(work)]) for _ in range(20)] == ["[<Account object>]"] * 20
        assert time.monotonic() - began < 8


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
def test_the_alarm_of_the_program_survives() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        for _ in range(50):
            render(Account("a"))
        assert not rung
        time.sleep(0.3)
        assert rung == [1]
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_large_values_cost_little() -> None:
    began = time.process_time()
    for value in (
        "x" * 10**7,
        bytearray(10**7),
        list(range(10**6)),
        {i: i for i in range(10**5)},
        10**200_000,
    ):
        assert len(render(value)) <= 10_000
    assert render(10**200_000) == "<int object>"
    assert render(Account("y" * 10**6)) == "y" * 9_997 + "..."
    assert time.process_time() - began < 2


def test_containers_in_themselves_and_deep_ones() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    table: dict[str, Any] = {}
    table["self"] = table
    pair: tuple[Any, ...] = ([],)
    pair[0].append(pair)
    for value in (loop, table, pair):
        assert render(value) == repr(value)
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    assert render(deep) == repr(deep)
    for _ in range(100_000):
        deep = [deep]
    assert render(deep).startswith("[[[")


def test_a_container_that_changes_meanwhile() -> None:
    table: dict[int, int] = {}
    done = threading.Event()

    def churn() -> None:
        number = 0
        while not done.is_set():
            number += 1
            table[number % 50] = number
            table.pop((number * 7) % 50, None)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(300):
            assert render(table)[0] in "{<"
    finally:
        done.set()
        thread.join()
