"""What the names of a module hold once it is loaded, as far as its plain assignments tell.

Nothing is run: values are computed by restricted evaluation, one statement after the other. Leaves out
functions and classes (names.py).
"""

from __future__ import annotations

import ast

from cwm_lsp.source.document import Document
from cwm_lsp.source.literals import Raises, Refused, compute, text_of

_QUIET = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass)


def module_constants(document: Document) -> dict[str, str]:
    """Name to `repr`, for values that nothing on the module's level can have changed since."""
    values: dict[str, object] = {}
    lost: set[str] = set()
    loud = False
    for node in document.tree.body:
        if isinstance(node, _QUIET) or _is_text(node) or _is_main(node):
            continue
        stored = {
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)
        }
        target = _target(node)
        if target is None:
            lost |= stored
            loud = loud or any(isinstance(part, ast.Call) for part in ast.walk(node))
            continue
        name, value = target
        try:
            values[name] = compute(
                value, {known: held for known, held in values.items() if known not in lost}
            )
            lost.discard(name)
        except (Refused, Raises):
            lost.add(name)
            loud = loud or any(isinstance(part, ast.Call) for part in ast.walk(value))
    written = {
        name for node in ast.walk(document.tree) if isinstance(node, ast.Global) for name in node.names
    }
    found: dict[str, str] = {}
    for name, held in values.items():
        if name in lost or (loud and (name in written or isinstance(held, list | dict | set))):
            continue
        if sum(1 for other in values.values() if other is held) > 1 and isinstance(held, list | dict | set):
            continue  # two names share it, which texts can't say
        try:
            found[name] = text_of(held)
        except Refused:
            continue
    return found


def is_loud(document: Document) -> bool:
    """True if loading the module calls functions, which may change what its classes and containers hold."""
    return any(
        isinstance(part, ast.Call)
        for node in document.tree.body
        if not (isinstance(node, _QUIET) or _is_text(node) or _is_main(node))
        for part in ast.walk(node)
    )


def _target(node: ast.stmt) -> tuple[str, ast.expr] | None:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id, node.value
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        return node.target.id, node.value
    return None


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_main(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":` is not run when the module is imported."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
        and not node.orelse
    )
