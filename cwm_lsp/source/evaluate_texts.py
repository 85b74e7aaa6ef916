"""Texts with values in them, within the walk over an expression.

Leaves out all other expressions (evaluate.py).
"""

from __future__ import annotations

import ast
from typing import Any

from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.literals_limits import Budget
from cwm_lsp.source.objects import ExceptionObject
from cwm_lsp.source.operations import Ref, Unsupported, Walk

CONVERSIONS = {-1: "", 115: "!s", 114: "!r", 97: "!a"}


def joined(walk: Evaluator, node: ast.JoinedStr) -> Walk:
    """The value of an f-string."""
    parts: list[Ref] = []
    for piece in node.values:
        parts.append((yield from _piece(walk, piece)))
    if not parts:
        return Ref("")
    if len(parts) == 1:
        return parts[0]
    texts = [part.value for part in parts]
    if not all(type(text) is str for text in texts):
        raise Unsupported("the parts of this text are not known")

    def put_together(budget: Budget) -> str:
        budget.make(sum(map(len, texts)))
        return "".join(texts)

    return (yield from walk.operate(put_together, "join", tuple(parts)))


def _piece(walk: Evaluator, piece: ast.expr) -> Walk:
    if isinstance(piece, ast.Constant):
        return Ref(piece.value)
    assert isinstance(piece, ast.FormattedValue)
    value = yield from walk.eval(piece.value)
    spec = CONVERSIONS[piece.conversion]
    if piece.format_spec is not None:
        inner = yield from joined(walk, piece.format_spec)  # type: ignore[arg-type]
        if inner.value:
            spec += f":{inner.value}"
    if not spec and type(value.value) is str:
        return value
    value = yield from walk.shown_by_method(value, "__repr__" if spec[:2] == "!r" else "__str__")
    held = value.value
    return (yield from walk.operate(lambda budget: formatted(held, spec, budget), "format", (value,), spec))


def formatted(value: Any, name: str, budget: Budget) -> str:
    """format(value, spec) after a conversion; `name` is both, such as `!r:>5`."""
    conversion, _, spec = name.partition(":")
    if isinstance(value, ExceptionObject):
        value = value.message if conversion in ("", "!s") else repr(_weighed(value, budget))
        conversion = "!s"
    if conversion == "!s":
        value = operators.as_text(value, budget)
    elif conversion:
        value = operators.shown(value, budget)
        if conversion == "!a":
            value = value.encode("ascii", "backslashreplace").decode()
    return operators.formatted(value, spec, budget)


def _weighed(value: ExceptionObject, budget: Budget) -> ExceptionObject:
    for argument in value.arguments:
        operators.shown(argument, budget)
    return value
