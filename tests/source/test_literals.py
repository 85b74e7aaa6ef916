"""Restricted evaluation is held against CPython: the same value, the same exception, or refused."""

from __future__ import annotations

import ast
import contextlib
import time
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from cwm_lsp.source.literals import Raises, Refused, answer, compute, evaluate, text_of, value_of
from cwm_lsp.source.literals_limits import order_known
from cwm_lsp.source.operations import Operation, Raised, Stop
from tests.source.expressions import EXPRESSIONS, NAMES

HOSTILE = Path(__file__).parent.parent / "fixtures" / "hostile_expressions.txt"


RAISING = HOSTILE.with_name("raising_expressions.txt")


def real(text: str) -> tuple[str, Any, dict[str, Any]]:
    """What CPython makes of it."""
    names = {name: ast.literal_eval(value) for name, value in NAMES.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return "value", eval(text, names), names
    except RecursionError:
        raise
    except Exception as error:
        return "raises", (type(error), str(error)), names


def ours(text: str) -> tuple[str, Any, dict[str, Any]]:
    names = {name: value_of(value) for name, value in NAMES.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(text, mode="eval").body
            return "value", compute(node, names), names
    except Refused as error:
        return "refused", str(error), names
    except Raises as error:
        return "raises", (type(error.exception), str(error.exception)), names


def alike(one: Any, two: Any) -> bool:
    if type(one) is not type(two):
        return False
    try:
        return text_of(one) == text_of(two)
    except Refused:
        if isinstance(one, set | frozenset) and not order_known(one):
            return {repr(item) for item in one} == {repr(item) for item in two}
        return True  # an iterator, a function: nothing to compare


def check(text: str) -> str:
    """Compares both; says what came out."""
    try:
        compile(text, "<text>", "eval")
    except (SyntaxError, ValueError):
        return "no expression"
    kind, found, names = ours(text)
    if kind == "refused":
        return kind
    true_kind, true, true_names = real(text)
    assert kind == true_kind, f"{text}: {kind} {found!r}, really {true_kind} {true!r}"
    if kind == "raises":
        assert found == true, f"{text}: raises {found}, really {true}"
    else:
        assert alike(found, true), f"{text}: {found!r}, really {true!r}"
    for name in NAMES:
        assert alike(names[name], true_names[name]), (
            f"{text}: {name} is {names[name]!r}, really {true_names[name]!r}"
        )
    return kind


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
@given(EXPRESSIONS)
def test_an_expression_gives_what_cpython_gives_or_is_refused(text: str) -> None:
    check(text)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_fifty_thousand_expressions_give_what_cpython_gives_or_are_refused() -> None:
    counts = {"value": 0, "raises": 0, "refused": 0, "no expression": 0}

    @settings(max_examples=50_000, deadline=None, suppress_health_check=QUIET, database=None)
    @given(EXPRESSIONS)
    def run(text: str) -> None:
        counts[check(text)] += 1

    run()
    print(counts)
    assert counts["value"] + counts["raises"] > 0.7 * sum(counts.values()), counts
    assert counts["value"] > 10_000


def test_hostile_expressions_are_refused_quickly_and_cheaply() -> None:
    hostile = HOSTILE.read_text().splitlines()
    assert len(hostile) >= 300
    slow, large, done = [], [], []
    tracemalloc.start()
    try:
        for text in hostile:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                done.append((text, repr(evaluate(text))[:60]))
            except Raises as error:
                done.append((text, str(error)))
            except Refused:
                pass
            peak = tracemalloc.get_traced_memory()[1] - before
            if peak > 50_000_000:
                large.append((text, peak))
    finally:
        tracemalloc.stop()
    for text in hostile:
        took = min(_seconds(text) for _ in range(3))
        if took > 0.05:
            slow.append((text, took))
    assert (done, large, slow) == ([], [], [])


def _seconds(text: str) -> float:
    began = time.thread_time()  # our own time: a busy machine may halt us for longer
    with contextlib.suppress(Refused, Raises):
        evaluate(text)
    return time.thread_time() - began


@pytest.mark.parametrize("text", RAISING.read_text(encoding="utf-8").splitlines())
def test_what_goes_wrong_goes_wrong_as_in_cpython(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert check(text) in ("value", "raises", "refused")


OPERATIONS = [
    (Operation("binary", ("2", "3"), "**"), "8"),
    (Operation("binary", ("[1]", "[2]"), "+"), "[1, 2]"),
    (
        Operation("binary", ("1", "0"), "//"),
        Raised("ZeroDivisionError('integer division or modulo by zero')"),
    ),
    (Operation("compare", ("'a'", "'b'"), "<"), "True"),
    (Operation("unary", ("5",), "-"), "-5"),
    (Operation("truth", ("[]",)), "False"),
    (Operation("index", ("{'a': 1}", "'b'")), Raised("KeyError('b')")),
    (Operation("slice", ("'hello'", "1", "", "2")), "'el'"),
    (Operation("call", ("[1, 2]",), "len"), "2"),
    (Operation("call", ("enumerate([7, 8], 1)",), "list"), "[(1, 7), (2, 8)]"),
    (Operation("call", ("['b', 'a']", "key=len", "reverse=True"), "sorted"), "['b', 'a']"),
    (Operation("call", ("['bb', 'a']", "keys=[2, 1]"), "sorted"), "['a', 'bb']"),
    (Operation("call", ("['bb', 'a']", "keys=[2, 1]"), "max"), "'bb'"),
    (Operation("call", ("'7'",), "int"), "7"),
    (Operation("method", ("'a,b'", "','"), "split"), "['a', 'b']"),
    (Operation("method", ("[3]", "0"), "pop"), "3"),
    (Operation("mutated", ("[3]", "0"), "pop"), "[]"),
    (Operation("mutated", ("['b', 'a']",), "sort"), "['a', 'b']"),
    (Operation("mutated", ("['b', 'aa']", "keys=[2, 1]"), "sort"), "['aa', 'b']"),
    (Operation("set_index", ("[1, 2]", "0", "9")), "[9, 2]"),
    (Operation("del_index", ("{'a': 1}", "'a'")), "{}"),
    (Operation("format", ("3.14159",), ":.2f"), "'3.14'"),
    (Operation("format", ("'x'",), "!r:>5"), "\"  'x'\""),
    (Operation("join", ("'a'", "'b'")), "'ab'"),
    (Operation("item", ("{'a': 1}",), "pair", 0), "('a', 1)"),
    (Operation("item", ("[1, 2]",), "reversed", 0), "2"),
    (Operation("item", ("[1, 2]",), "item", 2), Stop()),
    (Operation("matches", ("KeyError('x')", "(ValueError, LookupError)")), "True"),
    (Operation("make_set", ("1", "1")), "{1}"),
]


@pytest.mark.parametrize(("operation", "expected"), OPERATIONS, ids=lambda part: str(part)[:60])
def test_operations_of_the_walk_are_answered(operation: Operation, expected: object) -> None:
    assert answer(operation) == expected


@pytest.mark.parametrize(
    "operation",
    [
        Operation("call", ("1",), "os.system"),
        Operation("call", ("'1'",), "eval"),
        Operation("method", ("<C object>",), "run"),
        Operation("index", ("<C object>", "0")),
        Operation("binary", ("<C object>", "0"), "+"),
        Operation("call", ("[<C object>]",), "len"),
        Operation("matches", ("MyError()", "ValueError")),
        Operation("attribute", ("'a'",), "__class__"),
        Operation("compare", ("[1]", "[1]"), "is"),
    ],
    ids=str,
)
def test_operations_on_what_is_not_known_are_refused(operation: Operation) -> None:
    with pytest.raises(Refused):
        answer(operation)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "-1",
        "1.5",
        "'a'",
        "[1, [2]]",
        "(1,)",
        "{'a': {1}}",
        "set()",
        "frozenset({1})",
        "range(0, 3)",
        "1j",
        "(1-2j)",
    ],
)
def test_a_text_becomes_a_fresh_value_and_a_text_again(text: str) -> None:
    assert text_of(value_of(text)) == text
    if text[0] in "[{":
        assert value_of(text) is not value_of(text)


@pytest.mark.parametrize(
    "text", ["", "x", "f()", "[x]", "<C object>", "[...]", "1 +", "{**{}}", "__import__('os')", "1+1"]
)
def test_a_text_that_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        value_of(text)


def test_values_given_are_changed_only_by_methods_that_change_them() -> None:
    names: dict[str, object] = {"xs": [1]}
    assert evaluate("xs + [2]", names) == [1, 2]
    assert evaluate("(y := xs[0])", names) == 1
    assert names == {"xs": [1]}
    evaluate("xs.append(5)", names)
    assert names == {"xs": [1, 5]}
