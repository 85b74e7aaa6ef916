"""Exceptions that can't come: `choices` offers one after every line that could raise with other values.

A line that only moves, compares and adds up values whose `repr` shows what they are raises nothing
(source/harmless.py); without the EXCEPTION frame among its choices the event of most frames is no decision
any more. Values that are only handed on are told.py's."""

from __future__ import annotations

import ast
from functools import lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.harmless import Harmless
from cwm_lsp.trace.codec import Choices
from cwm_lsp.world.stack import Stack


def certain(document: Document, stack: Stack, choices: Choices) -> Choices:
    """The same choices without an exception that can't come after this stack."""
    top = stack.top
    if choices.free_form or top is None or (top.event, top.road, top.pending) != ("line", "line", None):
        return choices
    statement = statement_at(document, top.line)
    has_hole = any(hole.line == top.line for hole in document.holes)
    held = {name: value.repr for name, value in top.locals.items()}
    if statement is None or has_hole or not Harmless(document, held).statement(statement):
        return choices
    kept = tuple(
        option
        for option in choices.options
        if option.event != "exception" or (option.line, option.depth) != (top.line, top.depth)
    )
    return Choices(kept) if kept else choices


def statement_at(document: Document, line: int) -> ast.stmt | None:
    """The only statement on this line, all of it or its head; None if there are several, or it has more
    lines."""
    return _statements(document).get(line)


@lru_cache(maxsize=32)
def _statements(document: Document) -> dict[int, ast.stmt]:
    found: dict[int, ast.stmt | None] = {}
    for node in ast.walk(document.tree):
        if isinstance(node, ast.stmt):
            last = _end(node)
            for line in range(node.lineno, last + 1):
                found[line] = node if line not in found and last == node.lineno else None
    return {line: node for line, node in found.items() if node is not None}


def _end(node: ast.stmt) -> int:
    """The last line of a statement without the statements in it."""
    if not isinstance(getattr(node, "body", None), list):
        return node.end_lineno or node.lineno
    parts = [
        part
        for child in ast.iter_child_nodes(node)
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
        for part in ast.walk(child)
        if isinstance(part, ast.expr)
    ]
    return max([node.lineno, *(part.end_lineno or 0 for part in parts)])
