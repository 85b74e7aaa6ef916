"""Where a file calls its own functions: `# cwm:` comments, doctests, asserts, the module's own statements.

Leaves out which of them are worth tracing and whether their arguments fit (calls).
"""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard, cast

from cwm_lsp.source.binding import CallError, literal_repr
from cwm_lsp.source.document import Document, split_lines
from cwm_lsp.source.functions import Function
from cwm_lsp.source.tokens import comments

SiteOrigin = Literal["doctest", "assert", "main", "module"]
Functions = Mapping[str, Function]

_COMMENT = re.compile(r"#+[ \t]*cwm:(.*)")
_EQUALITIES = frozenset(
    f"assert{kind}"
    for kind in ("Equal", "Equals", "Is", "ListEqual", "DictEqual", "SetEqual", "TupleEqual", "SequenceEqual")
)


@dataclass(frozen=True, slots=True)
class Site:
    """A call of a known function: its text on one line, where it stands, and what it should return (if said).

    `at_module_level` is False for an assert inside a function, whose names are not the module's.
    """

    function: str
    text: str
    line: int
    origin: SiteOrigin
    expected: str | None
    at_module_level: bool = True


class _NamedCall(ast.Call):
    """A call by a plain name; only for the type checker."""

    func: ast.Name


def comment_texts(document: Document) -> Iterator[tuple[int, str]]:
    """Line and text of every `# cwm: ...` comment."""
    if "cwm:" in document.text:
        for comment in comments(document.lines):
            match = _COMMENT.match(comment.text)
            if match:
                yield comment.line, match[1].strip()


def sites(document: Document, functions: Functions) -> Iterator[Site]:
    """All calls of the functions, by origin, then in source order. A call with a hole in it is none yet."""
    yield from _doctests(document, functions)
    yield from _asserts(document, functions)
    for statement in document.tree.body:
        main = isinstance(statement, ast.If) and _is_main(statement.test)
        for node in _calls(document, statement, functions):
            yield _site(node, document.lines, node.lineno, "main" if main else "module")


def expected_repr(text: str, node: ast.expr) -> str:
    """What a call should return, as its `repr` where it is a literal, else as written."""
    return _literal(node) or text


def _literal(node: ast.expr) -> str | None:
    try:
        return literal_repr(node)
    except CallError:
        return None


def _doctests(document: Document, functions: Functions) -> Iterator[Site]:
    parser = doctest.DocTestParser()
    for holder in ast.walk(document.tree):
        if not isinstance(holder, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = holder.body[0] if holder.body else None
        if not (isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)):
            continue
        text = first.value.value
        if not isinstance(text, str) or ">>>" not in text:
            continue
        try:
            examples = parser.get_examples(text)
        except ValueError:
            continue
        for example in examples:
            last = first.end_lineno or first.lineno
            yield from _of_example(document, example, min(first.lineno + example.lineno, last), functions)


def _of_example(
    document: Document, example: doctest.Example, line: int, functions: Functions
) -> Iterator[Site]:
    try:
        body = ast.parse(example.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines = split_lines(example.source)
    for statement in body:
        for node in _calls(None, statement, functions):
            expected = None
            if isinstance(statement, ast.Expr) and statement.value is node and example.exc_msg is None:
                expected = _wanted(example, functions[node.func.id])
            last = document.tree.body[-1].end_lineno or line
            yield _site(node, lines, min(line + node.lineno - 1, last), "doctest", expected)


def _wanted(example: doctest.Example, function: Function) -> str | None:
    want = example.want.strip("\n")
    if doctest.ELLIPSIS in example.options and "..." in want:
        return None
    if any(isinstance(node, ast.Name) and node.id == "print" for node in ast.walk(function.node)):
        return None  # what is shown may have been printed
    if not want:
        return "None"
    try:
        return expected_repr(want, ast.parse(want, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return want


def _asserts(document: Document, functions: Functions) -> Iterator[Site]:
    at_module_level = {id(node) for node in _running(document.tree)}
    found: list[tuple[int, int, Site]] = []
    for node in ast.walk(document.tree):
        expected: dict[int, str | None] = {}
        checked: Sequence[ast.expr]
        if isinstance(node, ast.Assert):
            checked = [node.test]
            _expectations(node.test, expected)
        elif _is_equality(node):
            checked = node.args[:2]
            _equal(node.args[0], node.args[1], expected)
        else:
            continue
        for root in checked:
            for call in _calls(document, root, functions):
                site = _site(call, document.lines, call.lineno, "assert", expected.get(id(call)))
                site = replace(site, at_module_level=id(node) in at_module_level)
                found.append((call.lineno, call.col_offset, site))
    yield from (site for _, _, site in sorted(found, key=lambda item: item[:2]))


def _is_equality(node: ast.AST) -> TypeGuard[ast.Call]:
    """`self.assertEqual(a, b)` and its kin."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _EQUALITIES
        and len(node.args) >= 2
    )


def _expectations(test: ast.expr, expected: dict[int, str | None]) -> None:
    """Notes the values that calls must equal for the test to hold."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for value in test.values:
            _expectations(value, expected)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq | ast.Is):
        _equal(test.left, test.comparators[0], expected)


def _equal(left: ast.expr, right: ast.expr, expected: dict[int, str | None]) -> None:
    expected[id(left)] = _literal(right)
    expected[id(right)] = _literal(left)


def _is_main(test: ast.expr) -> bool:
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


_LATER = (
    ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.ClassDef
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)


def _running(root: ast.AST) -> Iterator[ast.AST]:
    """What runs when the node runs, in source order; insides of functions, classes, comprehensions don't."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _LATER):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _calls(document: Document | None, root: ast.AST, functions: Functions) -> Iterator[_NamedCall]:
    for node in _running(root):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions):
            continue
        if document is None or not _has_hole(document, node):
            yield cast("_NamedCall", node)


def _has_hole(document: Document, node: ast.expr) -> bool:
    last = node.end_lineno or node.lineno
    for hole in document.holes:
        if node.lineno <= hole.line <= last:
            column = document.convert_column(hole.line, hole.column - 1, "codepoint", "utf8")
            begun = (hole.line, column) >= (node.lineno, node.col_offset)
            if begun and (hole.line, column) < (last, node.end_col_offset or 0):
                return True
    return False


def _site(
    node: _NamedCall,
    lines: Sequence[str],
    line: int,
    origin: SiteOrigin,
    expected: str | None = None,
) -> Site:
    if node.end_lineno == node.lineno:
        text = lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()
    else:
        text = ast.unparse(node)
    return Site(node.func.id, text, line, origin, expected)
