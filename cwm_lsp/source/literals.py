"""Restricted evaluation: what an expression over values that are known literals gives.

It answers what CPython answers, exceptions with type and message included, or refuses. No code is compiled
or run: the syntax tree is walked, names are those given and a whitelist of builtins, attributes are the
listed methods of builtin types, and every size is looked at before anything is made (literals_limits.py).
Where Python 3.11 to 3.13 differ, it refuses or answers as 3.11 does.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cwm_lsp.source import literals_comprehensions as _comprehensions
from cwm_lsp.source.literals_build import BINARY, COMPARE, UNARY, Env, build
from cwm_lsp.source.literals_limits import (
    ATOMS,
    CONTAINERS,
    DEFAULT,
    Budget,
    Limits,
    Refused,
    order_known,
)
from cwm_lsp.source.literals_operators import shown
from cwm_lsp.source.operations import Answer, Operation

LONGEST_TEXT = 200_000
_ONLY_NUMBERS = re.compile(r"[\[\]0-9, -]*\Z")


class Raises(Exception):  # noqa: N818
    """Python would raise `exception` here."""

    def __init__(self, exception: BaseException) -> None:
        super().__init__(repr(exception))
        self.exception = exception


def compute(node: ast.expr, names: Mapping[str, object], limits: Limits = DEFAULT) -> object:
    """The value of an expression; `names` are not changed, their values may be by mutating methods.

    Iterators and functions may come out as well; `text_of` refuses them. Raises Refused where it can't or
    won't be told, Raises where Python would raise.
    """
    budget = Budget(limits)
    try:
        result = prepared(node, limits)(Env({}, budget, Env(names, budget, None, inner=False), inner=False))
        if type(result) in CONTAINERS:
            budget.weigh(result)  # whoever shows or compares it walks through all of it
    except (Refused, Raises):
        raise
    except (RecursionError, MemoryError):
        raise Refused("the expression is nested too deep") from None
    except Exception as error:
        raise Raises(error.with_traceback(None)) from None
    return result


def prepared(node: ast.expr, limits: Limits) -> Any:
    """The closure of an expression that is not too large. Raises Refused."""
    found = getattr(node, "_cwm_prepared", None)
    if found is None:
        measure(node, limits)
        found = node._cwm_prepared = build(node)  # type: ignore[attr-defined]
    return found


def measure(node: ast.AST, limits: Limits) -> None:
    """Raises Refused for a tree with too many nodes or too deep a nesting."""
    level: list[ast.AST] = [node]
    count = depth = 0
    while level:
        count += len(level)
        depth += 1
        if count > limits.nodes or depth > limits.depth:
            raise Refused("the expression is too large")
        level = [child for parent in level for child in ast.iter_child_nodes(parent)]


def evaluate(text: str, names: Mapping[str, object] | None = None, limits: Limits = DEFAULT) -> object:
    """`compute` for the text of an expression. Raises Refused if it is none."""
    return compute(_parsed(text), names or {}, limits)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST_TEXT:
        raise Refused("the text is too long")
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Refused(f"{text[:40]!r} is no expression") from None


# -- values as text


def value_of(text: str) -> Any:
    """The value that a literal's `repr` shows: a fresh object each time. Raises Refused if it shows none."""
    if text.isdigit() and text.isascii() and len(text) < 19 and (text[0] != "0" or len(text) == 1):
        return int(text)
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] == "[" and len(text) <= LONGEST_TEXT and _ONLY_NUMBERS.match(text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Refused(f"{text[:40]!r} is no literal") from None
    if len(text) < 400:
        node, scalar = _literal(text)
        if node is None:
            return scalar
    else:
        node = _parsed(text)
    try:
        return _built(node, 0)
    except (TypeError, ValueError, OverflowError):
        raise Refused(f"{text[:40]!r} is no literal") from None


_WORDS: dict[str, Any] = {
    "True": True,
    "False": False,
    "None": None,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
}
_TYPES: dict[str, Any] = {
    f"<class '{kind.__name__}'>": kind
    for kind in (int, float, complex, str, bytes, bool, list, tuple, dict, set, frozenset, range, slice)
}
_WORDS.update(_TYPES)


@lru_cache(maxsize=4096)
def _literal(text: str) -> tuple[ast.expr | None, Any]:
    """The tree of a short literal, or its value if that is a scalar."""
    node = _parsed(text)
    try:
        value = _built(node, 0)
    except (TypeError, ValueError, OverflowError):
        raise Refused(f"{text[:40]!r} is no literal") from None
    return (None, value) if type(value) in ATOMS else (node, None)


def _built(node: ast.expr, depth: int) -> Any:
    if depth > DEFAULT.depth:
        raise Refused("the value is nested too deep")
    match node:
        case ast.Constant(value=value) if value is not ...:
            return value
        case ast.List(elts=parts):
            return [_built(part, depth + 1) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple([_built(part, depth + 1) for part in parts])
        case ast.Set(elts=parts):
            return {_built(part, depth + 1) for part in parts}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            names = [_built(key, depth + 1) for key in keys if key is not None]
            return dict(zip(names, [_built(value, depth + 1) for value in values], strict=True))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            value = _built(operand, depth + 1)
            if type(value) in (int, float, complex):
                return -value if isinstance(node.op, ast.USub) else +value
        case ast.BinOp(op=ast.Add() | ast.Sub(), left=left, right=ast.Constant(value=complex() as imaginary)):
            real = _built(left, depth + 1)
            if type(real) in (int, float):
                sign = -1 if isinstance(node.op, ast.Sub) else 1
                return complex(real, sign * imaginary.imag)
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="frozenset"), args=parts, keywords=[]) if len(parts) < 2:
            return frozenset(_built(parts[0], depth + 1)) if parts else frozenset()
        case ast.Call(func=ast.Name(id="range" | "slice" as name), args=parts, keywords=[]):
            bounds = [_built(part, depth + 1) for part in parts]
            return range(*bounds) if name == "range" else slice(*bounds)
    raise Refused("this is no literal")


def text_of(value: object, limits: Limits = DEFAULT) -> str:
    """The `repr` of a plain value. Raises Refused for anything else, and for sets whose order differs from
    run to run."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None or kind is float:
        return repr(value)
    if kind is type and value in _TYPES.values():
        return repr(value)
    try:
        return shown(value, Budget(limits))
    except (RecursionError, ValueError):
        raise Refused("the value is too large to be shown") from None


def plain_literal(value: object) -> bool:
    """True if `value_of(text_of(value))` gives an equal value."""
    try:
        Budget(DEFAULT).weigh(value)
    except Refused:
        return False
    return True


__all__ = [
    "ATOMS",
    "BINARY",
    "COMPARE",
    "CONTAINERS",
    "DEFAULT",
    "UNARY",
    "Limits",
    "Raises",
    "Refused",
    "answer",
    "compute",
    "evaluate",
    "order_known",
    "text_of",
    "value_of",
]


def answer(operation: Operation) -> Answer:
    """The answer to one primitive operation of the walk. Raises Refused."""
    from cwm_lsp.source.literals_operations import answer as answered  # it is built on this module

    return answered(operation)


assert _comprehensions  # importing it completes the expressions that can be built
