"""The function that a file is entered by, where nothing in it says so. Leaves out calls (calls.py)."""

from __future__ import annotations

import ast

from cwm_lsp.source.document import Document


def entry_function(document: Document) -> str | None:
    """The function that a reader would take for the way in: the last one that no other function calls."""
    plain = [f for f in document.functions if f.kind in ("function", "async") and f.parent is None]
    called = {
        node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for node in ast.walk(document.tree)
        if isinstance(node, ast.Call)
    }
    free = [f for f in plain if f.name not in called and "." not in f.qualname]
    top = [f for f in plain if "." not in f.qualname]
    best = free or top or plain
    return best[-1].qualname if best else None
