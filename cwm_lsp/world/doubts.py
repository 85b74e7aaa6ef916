"""What in a run is a model's word, and how sure it is: everything that comes from it carries it on.

Leaves out what the values are (machine.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cwm_lsp.source.literals_limits import CONTAINERS
from cwm_lsp.source.objects import Instance, Walker, lowest
from cwm_lsp.source.operations import Ref

DEEPEST = 40


class Doubts:
    """`certain` is True while nothing was a model's word; `path` is the confidence that the run took the
    right way so far (None: for sure)."""

    def __init__(self) -> None:
        self.certain = True
        self.path: float | None = None
        self._held: dict[int, tuple[Any, float]] = {}

    def taint(self, value: Any, sure: float | None) -> None:
        """What a container holds is a model's word from now on."""
        if sure is None or (type(value) not in CONTAINERS and not isinstance(value, Instance)):
            return
        self.certain = False
        found = self._held.get(id(value))
        self._held[id(value)] = (value, sure if found is None else min(sure, found[1]))

    def decided(self, sure: float | None) -> None:
        """A test went one way for that reason."""
        if sure is not None:
            self.path = sure if self.path is None else min(sure, self.path)

    def of(self, values: Iterable[Any]) -> float | None:
        """The lowest confidence among values and what they hold; None if all are certain."""
        if self.certain:
            return None
        sure: float | None = None
        for value in values:
            sure = lowest(sure, self._of(value, 0))
        return sure

    def _of(self, value: Any, depth: int) -> float | None:
        if isinstance(value, Ref):
            return lowest(value.sure, self._of(value.value, depth))
        if hasattr(value, "value") and hasattr(value, "name"):  # a keyword operand
            return self._of(value.value, depth)
        kind = type(value)
        if isinstance(value, Walker):
            sure: float | None = None
            for source in value.sources:
                sure = lowest(sure, self._of(source, depth + 1))
            return sure
        if kind not in CONTAINERS:
            return None
        found = self._held.get(id(value))
        sure = None if found is None else found[1]
        if not self._held or depth > DEEPEST:
            return sure
        for item in (*value, *value.values()) if kind is dict else value:
            if type(item) in CONTAINERS:
                sure = lowest(sure, self._of(item, depth + 1))
        return sure
