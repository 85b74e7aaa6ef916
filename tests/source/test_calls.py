"""Calls worth tracing: which are found, in which order, and what they should return."""

from __future__ import annotations

import pytest

from cwm_lsp.source.calls import BadComment, CallError, TracedCall, bad_comments, bind, calls_in, parse_call
from cwm_lsp.source.document import Document

EVERY_ORIGIN = '''\
"""A module.

>>> f(1)  # doctest of the module
2
"""
def f(a, b=0):
    """
    >>> f(-1)  # doctest of f
    0
    >>> f(
    ...     2,
    ...     b=3)
    5
    >>> g()  # unknown
    """
    assert f(6) == 7  # assert inside
    assert f(a) == 7  # names of the function
    return a + b + 1

f(10)  # module
x = [f(y) for y in ()]
if __name__ == "__main__":
    print(f(20))  # main
    assert f(30, 0) == 31  # assert in main
f(x)  # not a literal
# cwm: f(40) -> 41
'''


def line_of(text: str, mark: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if mark in line)


def test_every_origin_best_first() -> None:
    document = Document.from_text(EVERY_ORIGIN)

    def at(mark: str) -> int:
        return line_of(EVERY_ORIGIN, mark)

    assert calls_in(document) == (
        TracedCall("f", "f(40)", at("# cwm:"), "comment", "41"),
        TracedCall("f", "f(1)", at("# doctest of the module"), "doctest", "2"),
        TracedCall("f", "f(-1)", at("# doctest of f"), "doctest", "0"),
        TracedCall("f", "f(2, b=3)", at(">>> f(") + 7, "doctest", "5"),
        TracedCall("f", "f(6)", at("# assert inside"), "assert", "7"),
        TracedCall("f", "f(30, 0)", at("# assert in main"), "assert", "31"),
        TracedCall("f", "f(20)", at("# main"), "main", None),
        TracedCall("f", "f(10)", at("# module"), "module", None),
        TracedCall("f", "f(x)", at("# not a literal"), "module", None),
    )


@pytest.mark.parametrize(
    ("comment", "text", "expected"),
    [
        ("# cwm: f(1, 2)", "f(1, 2)", None),
        ("#cwm:f(1,2)", "f(1,2)", None),
        ("##  cwm:   f( 1 , b = 2 )   ", "f( 1 , b = 2 )", None),
        ("# cwm: f(1, 2) -> 3", "f(1, 2)", "3"),
        ("# cwm: f(1, 2)->{'b', 'a'}", "f(1, 2)", "{'a', 'b'}"),
        ("# cwm: f((1, (2, [3])), {4: (5)}) -> (1, 2)", "f((1, (2, [3])), {4: (5)})", "(1, 2)"),
        ("# cwm: f('a -> b', '# ( ->') -> '->'", "f('a -> b', '# ( ->')", "'->'"),
        ("# cwm: f(*[1, 2], **{})", "f(*[1, 2], **{})", None),
        ("# cwm: f(a=1)", "f(a=1)", None),
        ("# cwm: f(1)  # with a remark", "f(1)", None),
        ("# cwm: f(1) -> <C object>", "f(1)", "<C object>"),
        ("# cwm: f(1) -> C(x=1)", "f(1)", "C(x=1)"),
        ("# cwm: f('😀é?')", "f('😀é?')", None),
        ("x = '# cwm: f(0)'  # cwm: f(2)", "f(2)", None),
        ("def g(): # cwm: f(3)\n    pass", "f(3)", None),
        ("x = ('a'  # cwm: f(4)\n     'b')", "f(4)", None),
        ("class C:\n    # cwm: f(5)\n    x = 1", "f(5)", None),
        ("x = 1 \\\n  + 1  # cwm: f(6)", "f(6)", None),
    ],
)
def test_comments(comment: str, text: str, expected: str | None) -> None:
    for end in ("\n", "\r\n"):
        document = Document.from_text(f"def f(a=0, b=0): pass\n{comment}\n".replace("\n", end))
        (call,) = calls_in(document)
        assert (call.text, call.expected, call.origin, call.function) == (text, expected, "comment", "f")
        assert text in document.line_text(call.line)
        assert bad_comments(document) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# cwm:", "no call is given: write it like f(1, 2)"),
        ("# cwm: f", "'f' is not a call: write it like f(1, 2)"),
        ("# cwm: f(1", "'f(1' is not a call: '(' was never closed"),
        ("# cwm: f(1) ->", "'f(1) ->' has '->' but no value after it"),
        ("# cwm: g(1)", "no function 'g' is defined at the top level of the file: it defines f"),
        (
            "# cwm: C().m(1)",
            "'C().m(1)' can't be traced: only functions at the top level of the file can be called",
        ),
        ("# cwm: f(1, 2, 3)", "f() takes from 0 to 2 positional arguments but 3 were given"),
        ("# cwm: f(?)", "'f(?)' is not a call: invalid syntax"),
    ],
)
def test_bad_comments(text: str, message: str) -> None:
    document = Document.from_text(f"def f(a=0, b=0): pass\n\n{text}\n")
    assert bad_comments(document) == (BadComment(3, message),)


def test_several_comments_keep_their_order_and_a_call_comes_once() -> None:
    text = "# cwm: f(2)\ndef f(a): # cwm: f(1)\n    pass\n# cwm: f( 2 )\nassert f(1) == 'x'\nf(1)\nf(3)\n"
    assert [(c.text, c.line, c.origin, c.expected) for c in calls_in(Document.from_text(text))] == [
        ("f(2)", 1, "comment", None),
        ("f(1)", 2, "comment", "'x'"),
        ("f(3)", 7, "module", None),
    ]


@pytest.mark.parametrize(
    ("statement", "calls"),
    [
        ("assert f(1) == 2", [("f(1)", "2")]),
        ("assert 2 == f(1), 'message'", [("f(1)", "2")]),
        (
            "assert f(1) is None and f(2) == [1, 'a'] and f(3)",
            [("f(1)", "None"), ("f(2)", "[1, 'a']"), ("f(3)", None)],
        ),
        ("assert f(1) == f(2)", [("f(1)", None), ("f(2)", None)]),
        ("assert f(1) != 2", [("f(1)", None)]),
        ("assert not f(1) == 2", [("f(1)", None)]),
        ("assert f(1) == 2 or f(2) == 2", [("f(1)", None), ("f(2)", None)]),
        ("assert f(1)[0] == 2", [("f(1)", None)]),
        ("assert f(1) == x", [("f(1)", None)]),
        ("assert f(x)", [("f(x)", None)]),
        ("assert f(f(1)) == 2", [("f(1)", None), ("f(f(1))", "2")]),
        ("assert (\n    f(\n        1,\n    )\n    == 2\n)", [("f(1)", "2")]),
        ("def test():\n    assert f(1) == 2\n    assert f(x) == 3", [("f(1)", "2")]),
        (
            "class T:\n    def test(self):\n        s.assertEqual(f(1), 2)\n        s.assertEqual(3, f(2))",
            [("f(1)", "2"), ("f(2)", "3")],
        ),
        ("assert f(?) == 1", []),
        ("assert f(1) == ?", [("f(1)", None)]),
        ("assert (f('é', ?), f('é'))", [("f('é')", None)]),
    ],
)
def test_asserts(statement: str, calls: list[tuple[str, str | None]]) -> None:
    document = Document.from_text(f"def f(a): pass\n{statement}\n")
    assert [(call.text, call.expected) for call in calls_in(document) if call.origin == "assert"] == calls


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (">>> f(1)\n    'a'", "'a'"),
        (">>> f(1)\n    {'b', 'a'}", "{'a', 'b'}"),
        (">>> f(1)", "None"),
        (">>> f(1)\n    <C object>", "<C object>"),
        (">>> f(1)\n    [1,\n     2]", "[1, 2]"),
        (">>> x = f(1)\n    >>> x\n    3", None),
        (">>> print(f(1))\n    3", None),
        (">>> f(1)  # doctest: +ELLIPSIS\n    [1, ...]", None),
        (">>> f(1)\n    Traceback (most recent call last):\n    ValueError: no", None),
    ],
)
def test_doctests(example: str, expected: str | None) -> None:
    (call,) = calls_in(Document.from_text(f'def f(a):\n    """Does.\n\n    {example}\n    """\n'))
    assert (call.text, call.line, call.origin, call.expected) == ("f(1)", 4, "doctest", expected)


def test_what_a_printing_function_shows_is_not_taken_for_its_value() -> None:
    (call,) = calls_in(Document.from_text('def f(a):\n    """\n    >>> f(1)\n    1\n    """\n    print(a)\n'))
    assert call.expected is None


def test_broken_doctests_are_left_alone() -> None:
    text = 'def f(a):\n    """\n    >>> f(\n    >>> f(1\n      >>> x\n  bad\n    """\n'
    assert calls_in(Document.from_text(text)) == ()


@pytest.mark.parametrize(
    ("statement", "origin"),
    [
        ("if __name__ == '__main__': f(1)", "main"),
        ('if "__main__" == __name__:\n    for i in x:\n        print([f(1)])', "main"),
        ("if __name__ != '__main__': f(1)", "module"),
        ("try:\n    x = {'a': f(1)}\nfinally: pass", "module"),
        ("with x as y: y.z(f(1))", "module"),
        ("x: int = f(1)", "module"),
    ],
)
def test_calls_of_the_module(statement: str, origin: str) -> None:
    (call,) = calls_in(Document.from_text(f"def f(a): pass\n{statement}\n"))
    assert (call.text, call.origin) == ("f(1)", origin)


@pytest.mark.parametrize(
    "text",
    [
        "f(1)",
        "class C:\n    def f(a): pass\nf(1)",
        "def g():\n    def f(a): pass\nf(1)",
        "f = lambda a: a\nf(1)",
        "def f(a): pass\ndef g(): f(1)",
        "def f(a): pass\nlambda: f(1)",
        "def f(a): pass\nx.f(1)",
        "def f(a): pass\nf(?)",
    ],
)
def test_no_calls(text: str) -> None:
    assert calls_in(Document.from_text(text)) == ()


def test_functions_may_stand_in_blocks_be_async_or_come_twice() -> None:
    text = "try:\n    def f(a): pass\nexcept E:\n    async def f(b): pass\nf(1)\n"
    document = Document.from_text(text)
    (call,) = calls_in(document)
    assert bind(document, call) == {"b": "1"}


def test_parse_call() -> None:
    document = Document.from_text("x = 1\ndef f(a, b=2): pass\ndef g(): pass\n", "x.py")
    assert parse_call(document, "  f('a')  ") == TracedCall("f", "f('a')", 2, "given")
    assert parse_call(document, "f(1) -> 3").expected == "3"
    assert parse_call(document, "f(\n1,\r\n2)").text == "f(1, 2)"
    assert bind(document, parse_call(document, "f(-1)")) == {"a": "-1", "b": "2"}
    for text, message in (
        ("", "no call is given"),
        ("f(1); g()", "is not a call: invalid syntax"),
        ("h()", "no function 'h' is defined at the top level of the file: it defines f, g$"),
        ("f('\0')", "null bytes|can't be read"),
        ("f('\ud800')", "can't be read"),
        ("(" * 1000, "is not a call: too many nested parentheses"),
    ):
        with pytest.raises(CallError, match=message):
            parse_call(document, text)
    with pytest.raises(CallError, match="it defines none"):
        parse_call(Document.from_text(""), "f()")
    with pytest.raises(CallError, match="is not a call of a function of this file"):
        bind(document, TracedCall("h", "h()", 1, "given"))
