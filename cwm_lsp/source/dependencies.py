"""Which statements of a file a function depends on: itself, and what of the module it names, directly or not.

Two versions of a file in which these statements read the same give the same trace of a call. Read from names
alone, so it may hold too much, and misses only what no name tells (`globals()[...]`, a patch from outside).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from cwm_lsp.source.document import Document

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Closure:
    """The top-level statements involved: their lines (1-based, both ends included) in source order, and the
    text of those lines."""

    spans: tuple[Span, ...]
    text: str

    def holds(self, line: int) -> bool:
        """True if the line is in one of the statements."""
        return any(first <= line <= last for first, last in self.spans)


@dataclass(frozen=True, slots=True)
class _Statement:
    span: Span
    binds: frozenset[str]
    names: frozenset[str]
    everywhere: bool  # a star import: nobody knows what it binds


_statements_of: WeakKeyDictionary[Document, tuple[_Statement, ...]] = WeakKeyDictionary()


def closure_of(document: Document, names: Iterable[str]) -> Closure:
    """What the statements that bind these module-level names depend on, themselves included."""
    statements = _statements(document)
    wanted, todo = set[int](), list(names)
    seen = set(todo)
    wanted.update(index for index, statement in enumerate(statements) if statement.everywhere)
    while todo:
        name = todo.pop()
        for index, statement in enumerate(statements):
            if name not in statement.binds or index in wanted:
                continue
            wanted.add(index)
            todo.extend(statement.names - seen)
            seen |= statement.names
    spans = tuple(statements[index].span for index in sorted(wanted))
    text = "".join("".join(document.lines[first - 1 : last]) for first, last in spans)
    return Closure(spans, text)


def _statements(document: Document) -> tuple[_Statement, ...]:
    known = _statements_of.get(document)
    if known is None:
        known = _statements_of[document] = tuple(_read(node) for node in document.tree.body)
    return known


def _read(node: ast.stmt) -> _Statement:
    first = node.lineno
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        first = min([first, *(decorator.lineno for decorator in node.decorator_list)])
    span = (first, node.end_lineno or node.lineno)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return _Statement(span, frozenset({node.name}), _loaded(node), False)
    binds, names, everywhere = set[str](), set[str](), False
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            (names if isinstance(part.ctx, ast.Load) else binds).add(part.id)
        elif isinstance(part, ast.alias):
            everywhere |= part.name == "*"
            binds.add(part.asname or part.name.partition(".")[0])
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            binds.add(part.name)
        elif isinstance(part, ast.Attribute | ast.Subscript) and (root := _root(part)) is not None:
            # `TABLE.append(…)` and `TABLE[k] = …` change what TABLE is.
            binds.add(root)
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        binds.clear()  # a check and a docstring change nothing
    return _Statement(span, frozenset(binds), frozenset(names), everywhere)


def _loaded(node: ast.AST) -> frozenset[str]:
    return frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
