"""Guesses at the answers to simple operations, so that the model can confirm them in one pass.

A guess is never shown and never believed: the decoder keeps only what the model would have said anyway
(speculative decoding). Wrong guesses cost a little time. Leaves out everything that takes long to work out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from cwm_lsp.source.operations import Answer, Operation, Stop
from cwm_lsp.source.values import elements, iterated, kind_of

_LONGEST = 200
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def guess(operation: Operation) -> Answer | None:
    """What the answer may be; None where nothing cheap comes to mind."""
    if any(len(text) > _LONGEST for text in operation.operands):
        return None
    try:
        return _guess(operation)
    except (ValueError, ZeroDivisionError, IndexError, SyntaxError):
        return None


def _guess(operation: Operation) -> Answer | None:
    kind, operands, name = operation.kind, operation.operands, operation.name
    if kind == "item":
        return _item(operation)
    if kind == "binary" and name in _ARITHMETIC and {kind_of(text) for text in operands} == {"int"}:
        return repr(_ARITHMETIC[name](*(int(text) for text in operands)))
    if (kind == "join" or (kind == "binary" and name == "+")) and {kind_of(t) for t in operands} == {"str"}:
        return repr("".join(ast.literal_eval(text) for text in operands))
    if kind == "index" and kind_of(operands[1]) == "int":
        parts = iterated(operands[0])
        return None if parts is None or kind_of(operands[0]) == "dict" else parts[int(operands[1])]
    if kind == "call" and name == "len" and len(operands) == 1:
        parts = iterated(operands[0])
        return None if parts is None else repr(len(parts))
    if kind == "mutated" and name == "append" and kind_of(operands[0]) == "list":
        return "[" + ", ".join([*(elements(operands[0]) or ()), operands[1]]) + "]"
    if kind == "format" and name in ("", "!s") and kind_of(operands[0]) == "int":
        return repr(operands[0])
    return None


def _item(operation: Operation) -> Answer | None:
    if operation.name not in ("item", "key", "range", "reversed"):
        return None
    parts = iterated(operation.operands[0])
    if parts is None:
        return None
    ordered = parts[::-1] if operation.name == "reversed" else parts
    return ordered[operation.position] if operation.position < len(ordered) else Stop()
