"""Holes: every `?` of a file that stands outside strings and comments, with its exact place.

A hole is one character wide and so is the `_` that stands in for it, so no position moves when holes are
filled to get a tree. A user's own `_` is no hole. Leaves out what to put into a hole (the fill room).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cwm_lsp.source.tokens import Mark, question_marks

Place = Literal["expression", "iterable", "condition", "target", "argument", "operand", "statement", "name"]

STAND_IN = "_"


@dataclass(frozen=True, slots=True)
class Hole:
    """A `?`: 1-based line, 1-based column in code points, and its place in the syntax.

    place: "statement" (alone on its line), "condition" (decides a branch), "iterable" (after `in` of a
    for), "target" (assigned or matched), "argument" (of a call), "operand" (of an operator or comparison),
    "name" (an identifier that is no expression: an attribute, a parameter, what is defined or imported), else
    "expression".
    """

    line: int
    column: int
    place: Place = "expression"


class HoleError(ValueError):
    """A `?` that can't be a hole; the message is half a sentence, `line` and `column` say where."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def find_holes(lines: Sequence[str]) -> tuple[Mark, ...]:
    """Every `?` outside strings and comments, in order. Raises HoleError if one touches a name or a `?`."""
    if not any("?" in line for line in lines):
        return ()
    found = tuple(question_marks(lines))
    for hole in found:
        line, index = lines[hole.line - 1], hole.column - 1
        before, after = line[:index][-1:], line[index + 1 : index + 2]
        if "?" in (before, after):
            raise HoleError("two holes must not touch", hole.line, hole.column)
        for neighbour in (before, after):
            if neighbour and ("a" + neighbour).isidentifier():
                message = f"a hole must not touch '{neighbour}', put a space between"
                raise HoleError(message, hole.line, hole.column)
    return found


def fill_holes(lines: Sequence[str], holes: Sequence[Mark]) -> list[str]:
    """The lines with `_` in place of each hole."""
    filled = list(lines)
    for hole in holes:
        line, index = filled[hole.line - 1], hole.column - 1
        filled[hole.line - 1] = line[:index] + STAND_IN + line[index + 1 :]
    return filled


def place_holes(tree: ast.Module, lines: Sequence[str], found: Sequence[Mark]) -> tuple[Hole, ...]:
    """The holes with their place in the tree, which is that of the filled lines."""
    if not found:
        return ()
    wanted = {(hole.line, len(lines[hole.line - 1][: hole.column - 1].encode())) for hole in found}
    places: dict[tuple[int, int], Place] = {}
    stack: list[tuple[ast.AST, tuple[tuple[ast.AST, str], ...]]] = [(tree, ())]
    while stack:
        node, path = stack.pop()
        if isinstance(node, ast.Name | ast.MatchAs) and (node.lineno, node.col_offset) in wanted:
            if isinstance(node, ast.MatchAs) and node.pattern is not None:
                pass
            elif node.end_lineno == node.lineno and node.end_col_offset == node.col_offset + 1:
                places[node.lineno, node.col_offset] = _place(node, path)
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    stack.append((child, ((node, name), *path[:7])))
    return tuple(
        Hole(
            hole.line,
            hole.column,
            places.get(
                (hole.line, len(lines[hole.line - 1][: hole.column - 1].encode())),
                # Python 3.11 gives wrong positions inside some f-strings.
                "expression" if hole.in_fstring else "name",
            ),
        )
        for hole in found
    )


_OPERATORS = ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp


def _place(node: ast.AST, path: tuple[tuple[ast.AST, str], ...]) -> Place:
    """`path`: the nearest ancestors, innermost first, each with the field that leads to the node."""
    if isinstance(node, ast.MatchAs) or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)):
        return "target"
    (parent, name), above = path[0], path[1:]
    if isinstance(parent, ast.Starred) and above:
        (parent, name), above = above[0], above[1:]
    if isinstance(parent, ast.Expr):
        return "statement"
    if name == "iter":
        return "iterable"
    if isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and name == "args"):
        return "argument"
    if _decides(parent, name):
        return "condition"
    if isinstance(parent, ast.BoolOp | ast.UnaryOp) and (
        isinstance(parent, ast.BoolOp) or isinstance(parent.op, ast.Not)
    ):
        for ancestor, leads in above:
            if _decides(ancestor, leads):
                return "condition"
            if not isinstance(ancestor, ast.BoolOp | ast.UnaryOp):
                break
    return "operand" if isinstance(parent, _OPERATORS) else "expression"


def _decides(parent: ast.AST, name: str) -> bool:
    return name in ("test", "ifs", "guard") or (
        isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    )
