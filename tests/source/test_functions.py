"""The function table against the code objects that CPython 3.11 makes."""

from __future__ import annotations

import sys
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.functions import Function, mangle

CO_OPTIMIZED, CO_VARARGS, CO_VARKEYWORDS, CO_SOME_GENERATOR = 0x1, 0x4, 0x8, 0x20 | 0x200

Row = tuple[str, int, tuple[str, ...], bool]


def real_functions(code: CodeType) -> Iterator[Row]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & CO_OPTIMIZED:  # a class body is not
                flags = inner.co_flags
                count = inner.co_argcount + inner.co_kwonlyargcount
                count += bool(flags & CO_VARARGS) + bool(flags & CO_VARKEYWORDS)
                generator = bool(flags & CO_SOME_GENERATOR)
                yield inner.co_qualname, inner.co_firstlineno, inner.co_varnames[:count], generator
            yield from real_functions(inner)


def row(function: Function) -> Row:
    return function.qualname, function.first_line, function.parameters, function.is_generator


TRICKY = """\
def f(a, /, b, *c, d, **e):
    def g(): return [lambda: (x for x in y) for y in a]
    global h
    def h():
        def inner(): pass
        class C:
            def m(self): pass
    class K(object, metaclass=type, flag=lambda: 0):
        global made, _K__made
        def made(self): pass
        def __made(self, __private, __dunder__): yield
        class __Inner:
            def m(self, __p): return {__p: 1 for __p in self}
    def annotated(x: [i for i in b] = [j for j in b]) -> (lambda: 0): pass
    local: [never for never in b] = 3
    a.attribute: [never for never in b] = 3
    return {z for z in [w for w in a] if (lambda: z)}, {k: v for k, v in (m for m in a)}
@(lambda function: function)
@staticmethod
async def co(x=[y for y in ()]):
    return [z async for z in x if await z]
async def agen():
    yield [await x for x in y]
def gen():
    return (yield 1) if 0 else [x for x in (yield)]
at_module: [i for i in ()] = lambda *, k=(lambda: 1): (yield)
class ___:
    def __m(self, __x): pass
class D(list[[x for x in ()]]):
    names = [x for x in (lambda: 1)()]
    def m(self, *, a=[y for y in names]): return f"{[x for x in self]} {(lambda: 1)():{(lambda: 2)()}}"
match [x for x in ()]:
    case [1] if (lambda: 1)():
        pass
"""
FUTURE = """\
from __future__ import annotations
def f(x: [i for i in b] = [j for j in b]) -> (lambda: 0): pass
y: (lambda: 1)
"""

QUALNAMES = [
    "f",
    "f.<locals>.g",
    "f.<locals>.g.<locals>.<listcomp>",
    "f.<locals>.g.<locals>.<listcomp>.<lambda>",
    "f.<locals>.g.<locals>.<listcomp>.<lambda>.<locals>.<genexpr>",
    "h",
    "h.<locals>.inner",
    "h.<locals>.C.m",
    "f.<locals>.<lambda>",
    "made",
    "__made",
    "f.<locals>.K.__Inner.m",
    "f.<locals>.K.__Inner.m.<locals>.<dictcomp>",
]


def test_qualnames_on_every_python() -> None:
    assert [function.qualname for function in Document.from_text(TRICKY).functions][
        : len(QUALNAMES)
    ] == QUALNAMES


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="3.12 inlines comprehensions")
@pytest.mark.parametrize("text", [TRICKY, FUTURE])
def test_tricky_functions_are_those_of_the_compiler(text: str) -> None:
    assert sorted(map(row, Document.from_text(text).functions)) == sorted(
        real_functions(compile(text, "", "exec", dont_inherit=True))
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="3.12 inlines comprehensions")
def test_standard_library_functions_are_those_of_the_compiler() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    seen = 0
    for path in sorted(folder.glob("*.py")) + sorted(folder.glob("asyncio/*.py")):
        try:
            document = Document.from_file(path)
        except DocumentError:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            real = list(real_functions(compile(path.read_bytes(), str(path), "exec", dont_inherit=True)))
        # Code after a constant test is compiled away: the table may hold more, never less.
        assert set(real) <= set(map(row, document.functions)), path
        assert len(document.functions) <= len(real) + 3, path
        seen += len(real)
    assert seen > 5000


def test_kinds_lines_and_parents() -> None:
    text = """\
@decorate
# between
async def f(
    a,
):
    class C:
        def m(self):
            return (
                x
                for x in self
            )
    return C

g = lambda: 1
"""
    f, m, genexpr, g = Document.from_text(text).functions
    assert [function.kind for function in (f, m, genexpr, g)] == ["async", "function", "genexpr", "lambda"]
    assert (f.first_line, f.def_line, f.last_line) == (1, 3, 12)
    assert (genexpr.first_line, genexpr.last_line, genexpr.is_generator) == (8, 11, True)
    assert [function.parent for function in (f, m, genexpr, g)] == [None, "f", "f.<locals>.C.m", None]
    assert (f.name, g.name, m.is_generator) == ("f", "<lambda>", False)


def test_an_outer_function_comes_before_those_inside_it() -> None:
    text = "@(lambda g: g)\ndef f(a=lambda: [x for x in y]): return [lambda: 1 for z in (w for w in y)]\n"
    assert [function.qualname for function in Document.from_text(text).functions] == [
        "f",
        "<lambda>",
        "<lambda>",
        "<lambda>.<locals>.<listcomp>",
        "f.<locals>.<listcomp>",
        "f.<locals>.<listcomp>.<lambda>",
        "f.<locals>.<genexpr>",
    ]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of 3.12")
def test_generic_functions_of_3_12() -> None:
    text = """\
def f[T: (lambda: 1)](a: T = [x for x in y]) -> T:
    def g[U](): pass
class C[T]:
    def m(self): pass
"""
    names = [function.qualname for function in Document.from_text(text).functions]
    assert names == ["f", "<listcomp>", "f.<locals>.g", "C.m"]


def test_mangle() -> None:
    assert mangle("C", "__x") == "_C__x"
    assert mangle("__C", "__x") == "_C__x"
    for private, name in ((None, "__x"), ("___", "__x"), ("C", "__x__"), ("C", "_x"), ("C", "x")):
        assert mangle(private, name) == name
