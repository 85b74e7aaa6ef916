"""Which names of the functions around it a function sees, and in which order its frames show their locals.

Read from the compiled code, which is never run. Leaves out what the names mean (names.py).
"""

from __future__ import annotations

from functools import lru_cache
from types import CodeType

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow_compile import FlowError, codes_of
from cwm_lsp.source.functions import Function


class Closures:
    """Look-ups for one document. Make it with `closures_of`, which keeps it."""

    def __init__(self, document: Document) -> None:
        self._codes = _by_function(document)
        self._ranks: dict[int, dict[str, int]] = {}

    def free(self, function: Function) -> tuple[str, ...]:
        """Names that the function takes from those around it, sorted as in `co_freevars`."""
        code = self._codes.get(id(function))
        return () if code is None else code.co_freevars

    def rank(self, function: Function) -> dict[str, int]:
        """The place of each variable in a frame's locals: its own, those that inner functions use, those of
        functions around."""
        found = self._ranks.get(id(function))
        if found is None:
            code = self._codes.get(id(function))
            names = () if code is None else (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
            found = self._ranks[id(function)] = {}
            for name in names:
                found.setdefault(name, len(found))
        return found


def _by_function(document: Document) -> dict[int, CodeType]:
    places: dict[tuple[str, int], list[CodeType]] = {}
    try:
        for code in codes_of(document):
            places.setdefault((code.qualname, code.object.co_firstlineno), []).append(code.object)
    except FlowError:
        return {}
    found: dict[int, CodeType] = {}
    for function in document.functions:
        waiting = places.get((function.qualname, function.first_line))
        if waiting:
            # Several of one name may stand on a line: both tables have them in order.
            found[id(function)] = waiting.pop(0) if len(waiting) > 1 else waiting[0]
    return found


@lru_cache(maxsize=64)
def closures_of(document: Document) -> Closures:
    """The look-ups of a document, made once."""
    return Closures(document)
