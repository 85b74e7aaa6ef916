"""Expressions over the values of a frame: conditions, watches, log points.

What can be computed from known literals is; everything else "can't be told". The user's code is never run.
Leaves out asking a model (probe.py).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from cwm_lsp.source.literals import Raises, Refused, compute, text_of, value_of
from cwm_lsp.trace.frame import Value

LONGEST = 10_000
_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


class CantTellError(Exception):
    """The value of an expression can't be told: one sentence why."""


class FailsError(CantTellError):
    """Python would raise an exception: the message names it."""


def evaluate(text: str, values: Mapping[str, Value]) -> Value:
    """The value of an expression. A bare name is its value with its origin; else what is computed from known
    literals. Raises CantTellError."""
    node = parse(text)
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    return Value(text_of_value(node, values), "computed")


def truth_of(text: str, values: Mapping[str, Value]) -> bool:
    """The truth of an expression. Raises CantTellError."""
    node = parse(text)
    wrapped = ast.copy_location(ast.UnaryOp(ast.Not(), node), node)
    return not _compute(wrapped, values)


def format_log(text: str, values: Mapping[str, Value]) -> str:
    """A log message with each `{expression}` replaced by its value (a string without its quotes), or by the
    reason why it can't be told; `{{` and `}}` are braces."""

    def shown(match: re.Match[str]) -> str:
        if match.group() in ("{{", "}}"):
            return match.group()[0]
        try:
            value = evaluate(match.group(1), values).repr
        except CantTellError as error:
            return "{" + match.group(1).strip() + ": " + str(error) + "}"
        try:
            known = value_of(value)
        except Refused:
            return value
        return known if isinstance(known, str) else value

    return _HOLE.sub(shown, text)


def parse(text: str) -> ast.expr:
    """The expression's tree. Raises CantTellError where it is none."""
    if len(text) > LONGEST:
        raise CantTellError("the expression is too long.")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise CantTellError(f"'{text.strip()}' is no expression: {error.msg}.") from None
    except (ValueError, RecursionError, MemoryError):
        raise CantTellError("the expression can't be read.") from None


def text_of_value(node: ast.expr, values: Mapping[str, Value]) -> str:
    """The `repr` of what an expression gives. Raises CantTellError."""
    try:
        return text_of(_compute(node, values))
    except Refused as error:
        raise CantTellError(str(error)) from None


def _compute(node: ast.expr, values: Mapping[str, Value]) -> object:
    names: dict[str, object] = {}
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id in values and each.id not in names:
            try:
                names[each.id] = value_of(values[each.id].repr)
            except Refused:
                raise CantTellError(f"{each.id} is {values[each.id].repr}, which is opaque.") from None
    try:
        return compute(node, names)
    except Refused as error:
        raise CantTellError(str(error)) from None
    except Raises as error:
        raised = error.exception
        raise FailsError(f"it raises {type(raised).__name__}: {raised}") from None
