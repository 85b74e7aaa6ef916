"""What a trace says about each line of a function: the values that the line set, every time it ran.

Made once a trace, on the worker's thread, so that hovers and hints only look things up. Leaves out how facts
are shown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function
from cwm_lsp.trace.by_line import ByLine, Visit
from cwm_lsp.trace.cache import CachedTrace
from cwm_lsp.trace.frame import Value

History = tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class LineFact:
    """One line in one activation: how often it ran, the names that it set with the value after each run
    (None: deleted, or not told), what it returned or raised."""

    line: int
    visits: int
    names: tuple[tuple[str, History], ...]
    returned: tuple[Value, ...] = ()
    raised: Value | None = None


class Traced:
    """A trace on one document, with its facts."""

    def __init__(self, trace: CachedTrace, document: Document, cached: bool = False) -> None:
        self.trace = trace
        self.document = document
        self.cached = cached
        self.by_line = ByLine(trace.frames, trace.end)
        self._facts: dict[int, dict[int, LineFact]] = {}
        self.kept: dict[object, Any] = {}  # what a feature made of it, under a key of its own

    @property
    def key(self) -> str:
        """The key in the cache."""
        return self.trace.key

    @cached_property
    def confidence(self) -> float | None:
        """The least confidence of any of its values."""
        return self.by_line.confidence

    def facts(self, activation: int) -> dict[int, LineFact]:
        """The facts of one activation, by line."""
        known = self._facts.get(activation)
        if known is None:
            known = self._facts[activation] = {fact.line: fact for fact in self._of(activation)}
        return known

    @cached_property
    def entered(self) -> dict[Function, int]:
        """The functions that the trace entered, each with its first activation."""
        names = self.by_line.functions
        found: dict[Function, int] = {}
        for function in self.document.functions:
            if function.qualname in names and function.kind in ("function", "async"):
                for index in self.activations(function)[:1]:
                    found[function] = index
        return found

    def activations(self, function: Function) -> list[int]:
        """The activations of this very function (two of one name are told apart by their lines)."""
        return [
            index
            for index in self.by_line.of(function.qualname)
            if function.first_line <= self.by_line.activations[index].line <= function.last_line
        ]

    def prepare(self) -> None:
        """Works out the facts of each function's first activation."""
        for activation in self.entered.values():
            self.facts(activation)

    def _of(self, activation: int) -> Iterator[LineFact]:
        visits: dict[int, list[Visit]] = {}
        for visit in self.by_line.activations[activation].visits:
            visits.setdefault(visit.line, []).append(visit)
        for line, here in visits.items():
            yield self._fact(line, here)

    @cached_property
    def _targets(self) -> dict[int, dict[str, None]]:
        """The names that a line binds, as the syntax tree tells: a loop may set the same value again."""
        stored = [n for n in self._nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        found: dict[int, dict[str, None]] = {}
        for node in sorted(stored, key=lambda node: (node.lineno, node.col_offset)):
            found.setdefault(node.lineno, {})[node.id] = None
        return found

    @cached_property
    def _loops(self) -> dict[int, tuple[int, int]]:
        """The lines of `for` heads, with the first and last line of their bodies."""
        return {
            node.lineno: (node.body[0].lineno, node.body[-1].end_lineno or node.body[-1].lineno)
            for node in self._nodes
            if isinstance(node, ast.For | ast.AsyncFor)
        }

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        """The nodes of the statements involved, without the insides of comprehensions."""
        spans = self.trace.spans
        todo: list[ast.AST] = [
            node
            for node in self.document.tree.body
            if any(first <= node.lineno <= last for first, last in spans)
        ]
        found: list[ast.AST] = []
        while todo:
            node = todo.pop()
            found.append(node)
            if not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                todo.extend(ast.iter_child_nodes(node))
        return found

    def _fact(self, line: int, visits: list[Visit]) -> LineFact:
        targets = self._targets.get(line, {})
        bound = [name for name in targets if any(v.after is not None and name in v.after for v in visits)]
        changed = dict.fromkeys(name for visit in visits for name in visit.changes)
        histories = []
        for name in [*bound, *(name for name in changed if name not in targets)]:
            values: list[Value | None] = []
            for visit in visits:
                if name in visit.changes:
                    values.append(visit.changes[name])
                elif name in targets and visit.after is not None and self._sets(visit):
                    values.append(visit.after.get(name))
            histories.append((name, tuple(values)))
        return LineFact(
            line,
            len(visits),
            tuple(histories),
            tuple(visit.returned for visit in visits if visit.returned is not None),
            next((visit.raised for visit in reversed(visits) if visit.raised is not None), None),
        )

    def _sets(self, visit: Visit) -> bool:
        """False if the line set nothing this time: it raised, or it is the head of a loop that was over."""
        if visit.raised is not None:
            return False
        body = self._loops.get(visit.line)
        return body is None or visit.next_line is None or body[0] <= visit.next_line <= body[1]

    def iterations(self, line: int, activation: int) -> int | None:
        """How often a loop's body began in one activation; None if no loop begins on the line."""
        body = self._bodies.get(line)
        if body is None:
            return None
        visits = self.by_line.visits(line, activation)
        return sum(visit.next_line is not None and body[0] <= visit.next_line <= body[1] for visit in visits)

    @cached_property
    def _bodies(self) -> dict[int, tuple[int, int]]:
        loops = [node for node in self._nodes if isinstance(node, ast.For | ast.AsyncFor | ast.While)]
        return {
            node.lineno: (node.body[0].lineno, node.body[-1].end_lineno or node.body[-1].lineno)
            for node in loops
        }
