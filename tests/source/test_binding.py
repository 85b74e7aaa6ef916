"""Arguments to parameters: the values and the refusals are CPython's own."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.source.binding import CallError, literal_repr
from cwm_lsp.source.calls import bind, parse_call
from cwm_lsp.source.document import Document

SIGNATURES = st.sampled_from(
    [
        "",
        "a",
        "a, b",
        "a, b=1",
        "a=1, b='x'",
        "a, b, c",
        "a, /",
        "a, b, /, c=3",
        "a, /, **k",
        "*c",
        "a, *c",
        "*, k",
        "*, k, m",
        "*, k, m, n=0",
        "a, *, k=None",
        "a, b=2, *, k, m=4",
        "**kw",
        "a, b=2, *c, k=3, **kw",
    ]
)
NAMES = st.sampled_from(["a", "b", "c", "k", "m", "zz"])
VALUES = st.sampled_from(
    ["1", "-2.5", "'x'", "[1, {}]", "(1,)", "None", "1-2j", "{1: b'x'}", "...", "True", "frozenset({3})"]
)
ARGUMENTS = st.tuples(st.lists(VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=3))


@settings(deadline=None)
@given(SIGNATURES, ARGUMENTS)
def test_binding_is_what_the_interpreter_does(
    signature: str, arguments: tuple[list[str], dict[str, str]]
) -> None:
    positional, named = arguments
    call = f"f({', '.join([*positional, *(f'{name}={value}' for name, value in named.items())])})"
    source = f"def f({signature}): return locals()\n"
    scope: dict[str, object] = {}
    exec(source, scope)
    try:
        real: object = {name: repr(value) for name, value in eval(call, scope).items()}
    except TypeError as error:
        real = str(error).partition(". Did you mean")[0]
    document = Document.from_text(source)
    try:
        ours: object = bind(document, parse_call(document, call))
    except CallError as error:
        ours = str(error)
    assert ours == real
    if isinstance(ours, dict):
        assert tuple(ours) == document.functions[0].parameters


LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
        | st.sets(st.integers(), max_size=4)
        | st.frozensets(st.integers(), max_size=4)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(LITERALS)
def test_the_repr_of_a_value_is_read_as_itself(value: object) -> None:
    text = repr(value)
    if "inf" in text or "nan" in text:  # the text of these is no literal
        return
    assert literal_repr(ast.parse(text, mode="eval").body) == repr(eval(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0x10", "16"),
        ("+1", "1"),
        ("1_000", "1000"),
        ("'a' 'b'", "'ab'"),
        ("-1j", "(-0-1j)"),
        ("1 + 2j", "(1+2j)"),
        ("-1.5 - 2j", "(-1.5-2j)"),
        ("set()", "set()"),
        ("set([2, 1, 2])", "{1, 2}"),
        ("{'c', 'a', 'b'}", "{'a', 'b', 'c'}"),
        ("[{('b', 1), ('a', 1)}]", "[{('a', 1), ('b', 1)}]"),
        ("frozenset()", "frozenset()"),
        ("frozenset('ba')", "frozenset({'a', 'b'})"),
        ("list(range(3))", "[0, 1, 2]"),
        ("range(1, 10, -2)", "range(1, 10, -2)"),
        ("dict(a=1)", "{'a': 1}"),
        ("dict({'a': 1}, b=2)", "{'a': 1, 'b': 2}"),
        ("bytes(b'a')", "b'a'"),
        ("bytearray(b'a')", "bytearray(b'a')"),
        ("float('inf')", "inf"),
        ("float('-inf')", "-inf"),
        ("tuple('ab')", "('a', 'b')"),
        ("{1: (2,), True: 3}", "{1: 3}"),
    ],
)
def test_literals(text: str, expected: str) -> None:
    assert literal_repr(ast.parse(text, mode="eval").body) == expected


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1 + 1",
        "2 ** 3",
        "-True",
        "not 1",
        "~1",
        "1j + 1",
        "True + 1j",
        "'a' * 3",
        "f'{1}'",
        "[*'ab']",
        "{**{}}",
        "lambda: 1",
        "[x for x in 'ab']",
        "1 < 2",
        "1 if 1 else 2",
        "{[]}",
        "{[]: 1}",
        "range('a')",
        "range(1, 2, 0)",
        "range()",
        "list(range(10**9))",
        "list(range(1000000000))",
        "set(1)",
        "set([], [])",
        "set([[]])",
        "set(*[])",
        "list(sequence=[])",
        "bytes(1000000000)",
        "float('x')",
        "open('x')",
        "__import__('os')",
        "'a'.upper()",
        "(1).real",
        "0x" + "f" * 5000,
    ],
)
def test_what_is_no_literal(text: str) -> None:
    with pytest.raises(CallError) as caught:
        literal_repr(ast.parse(text, mode="eval").body)
    assert len(str(caught.value)) < 200


def test_a_builtin_that_the_file_redefines_is_no_literal() -> None:
    document = Document.from_text("import collections as set\ndef f(a): list = 1\ndef g(): return set\n")
    assert bind(document, parse_call(document, "f(list())")) == {"a": "[]"}
    with pytest.raises(CallError, match=r"^'set\(\)' is not a literal$"):
        bind(document, parse_call(document, "f(set())"))


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ("f(*[1, 2])", {"a": "1", "b": "2", "rest": "()", "more": "{}"}),
        ("f(*range(1), **{'b': 2})", {"a": "0", "b": "2", "rest": "()", "more": "{}"}),
        ("f(1, *'xy', 3, z=[{'b'}])", {"a": "1", "b": "'x'", "rest": "('y', 3)", "more": "{'z': [{'b'}]}"}),
        ("f(1, 2, 3)", {"a": "1", "b": "2", "rest": "(3,)", "more": "{}"}),
        ("f(a=1, **{'a': 2})", "f() got multiple values for keyword argument 'a'"),
        ("f(1, b=1, b=2)", "f() got multiple values for keyword argument 'b'"),
        ("f(**[])", "argument after ** must be a mapping, not list"),
        ("f(*1)", "argument after * must be an iterable, not int"),
        ("f(**{1: 2})", "keywords must be strings"),
        ("f(*range(1000000000))", "more than 10000 items are too many to trace"),
        ("f(1)", "the default of 'b', 'list(other)', is not a literal: give the argument in the call"),
        ("f(other, 1)", "'other' is not a literal"),
        ("f(1 + 1, 1)", "'1 + 1' is not a literal"),
        (
            "f([[]] + [[]] * 1000000000000 + [1, 2, 3, 4], 1)",
            "'[[]] + [[]] * 1000000000000 + [1, 2, ...' is not a literal",
        ),
    ],
)
def test_unpacking_defaults_and_refusals(call: str, outcome: object) -> None:
    document = Document.from_text("def f(a, b=list(other), *rest, **more): pass")
    try:
        answer: object = bind(document, parse_call(document, call))
    except CallError as error:
        answer = str(error)
    assert answer == outcome


@pytest.mark.parametrize(
    "call", ["f(" + "[" * 150 + "]" * 150 + ")", "f(" + "-" * 50_000 + "1)", "f(" + "+".join("1" * 900) + ")"]
)
def test_calls_nested_deeply_are_bound_or_refused(call: str) -> None:
    document = Document.from_text("def f(a): pass")
    try:
        bound: object = bind(document, parse_call(document, call))
    except CallError:
        bound = None
    assert bound in (None, {"a": "[" * 150 + "]" * 150})
