"""What parses but stands where Python refuses it: a `return` outside a function, a `break` outside a loop.

CPython finds these when it compiles. A document is not compiled, because 3.12 and 3.13 crash, and don't
raise, on two dozen nested comprehensions. Leaves out the compiler's rarer refusals, which don't matter to
control flow.
"""

from __future__ import annotations

import ast
from typing import Literal, NamedTuple

_Around = Literal["function", "async", "lambda"] | None


class Misplaced(NamedTuple):
    """The first thing that stands in a wrong place, in CPython's words; `column` is 0-based, in bytes."""

    message: str
    line: int
    column: int


def misplaced(tree: ast.Module) -> Misplaced | None:
    """The first misplaced statement or expression of the tree, None if all may stand where they are."""
    found: list[Misplaced] = []
    stack: list[tuple[ast.AST, _Around, bool]] = [(tree, None, False)]
    while stack:
        node, around, in_loop = stack.pop()
        message = _refusal(node, around, in_loop)
        if message is not None and isinstance(node, ast.stmt | ast.expr):
            found.append(Misplaced(message, node.lineno, node.col_offset))
        for name, value in ast.iter_fields(node):
            inside, looping = around, in_loop
            if name == "body":
                if isinstance(node, ast.FunctionDef):
                    inside, looping = "function", False
                elif isinstance(node, ast.AsyncFunctionDef):
                    inside, looping = "async", False
                elif isinstance(node, ast.Lambda):
                    inside = "lambda"
                elif isinstance(node, ast.ClassDef):
                    inside, looping = None, False
                elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
                    looping = True
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    stack.append((child, inside, looping))
    return min(found, key=lambda m: (m.line, m.column), default=None)


def _refusal(node: ast.AST, around: _Around, in_loop: bool) -> str | None:
    match node:
        case ast.Return() if around is None:
            return "'return' outside function"
        case ast.Yield() | ast.YieldFrom() if around is None:
            return "'yield' outside function"
        case ast.YieldFrom() if around == "async":
            return "'yield from' inside async function"
        case ast.Break() if not in_loop:
            return "'break' outside loop"
        case ast.Continue() if not in_loop:
            return "'continue' not properly in loop"
        case ast.Await() if around != "async":
            return "'await' outside function" if around is None else "'await' outside async function"
        case ast.AsyncFor() if around != "async":
            return "'async for' outside async function"
        case ast.AsyncWith() if around != "async":
            return "'async with' outside async function"
    return None
