"""What a line can change: which local names may get a new value, which surely do, and which are deleted.

New values by binding are read off the instructions of the line; those by mutation come from what the line
does to objects: methods, items, attributes, and the functions it may enter, which may change whatever they
can reach. The values' `repr` texts tell what can't change at all and what can't be the same object. When
unsure, a name is in. Two things are taken on trust: a `repr` that looks like a literal is one, and looking at
a value (an operator, an attribute of a library's object) doesn't change it, unless the document's own code is
entered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.effects_lines import Bound, Statements, bound_on, nodes_to, statements_of
from cwm_lsp.source.flow import Flow, flow_of
from cwm_lsp.source.mutations import Manners, Mutation, Mutations
from cwm_lsp.source.sharing import counts, is_flat, is_settled, may_show, parts_of
from cwm_lsp.source.values import class_of_instance

__all__ = ["Changes", "changes", "is_settled"]


@dataclass(frozen=True, slots=True)
class Changes:
    """`names` may get a new value or appear, `must` are bound if the next event is a line frame outside of
    the statement, `deletes` may be gone."""

    names: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()


def changes(
    document: Document,
    function: str,
    line: int,
    locals: Mapping[str, str],  # noqa: A002
    next_line: int | None = None,
) -> Changes:
    """What may become of the local names between the line frame at `line` and the next one.

    `locals` are the `repr` texts before the line. `next_line` narrows the answer to the ways that lead to a
    line frame there. Raises FlowError if the document can't be compiled.
    """
    effect = _effects_of(document).line(function, line, next_line)
    names = set(effect.bound.names)
    if effect.mutation.enters or effect.mutation.anything:
        names |= effect.shared
    names |= {name for name, text in locals.items() if _may_change(name, text, effect, locals)}
    return Changes(frozenset(names), effect.bound.must, effect.bound.deletes)


@dataclass(frozen=True, slots=True)
class _Effect:
    """What is known of a line before any value is."""

    bound: Bound
    mutation: Mutation
    private: frozenset[str]
    shared: frozenset[str]
    manners: Manners


class _Effects:
    """The effects of one document, by line."""

    def __init__(self, document: Document) -> None:
        self._flow: Flow = flow_of(document)
        self._statements: Statements = statements_of(document)
        self._mutations = Mutations(self._flow)
        self._lines: dict[tuple[str, int, int | None], _Effect] = {}

    def line(self, function: str, line: int, next_line: int | None) -> _Effect:
        key = (function, line, next_line)
        if key not in self._lines:
            self._lines[key] = self._line(function, line, next_line)
        return self._lines[key]

    def _line(self, function: str, line: int, next_line: int | None) -> _Effect:
        first, last = self._statements.span(line)
        bounds: list[Bound] = []
        mutation = Mutation()
        for graph in self._flow.line_graphs(function):
            if line in graph.lines:
                facts = graph.lines[line]
                nodes = nodes_to(graph, facts, next_line)
                after = {step.line for step in facts.steps if not first <= step.line <= last}
                bounds.append(bound_on(graph, line, nodes, after if next_line is None else {next_line}))
                for at in {at for at, _ in nodes}:
                    before = graph.ops[at - 1] if at else None
                    mutation.merge(self._mutations.mutation(graph.ops[at], before))
        bound = Bound(
            frozenset[str]().union(*(each.names for each in bounds)),
            frozenset.intersection(*(each.must for each in bounds)) if bounds else frozenset(),
            frozenset[str]().union(*(each.deletes for each in bounds)),
        )
        private = self._mutations.private(function, line)
        return _Effect(bound, mutation, private, self._flow.shared(function), self._mutations.manners)


def _may_change(name: str, text: str, effect: _Effect, values: Mapping[str, str]) -> bool:
    """True if the line may change the object of a name so that its `repr` shows it."""
    mutation = effect.mutation
    if any(values.get(root) == text for root in mutation.written) and class_of_instance(text) is None:
        return True  # what has attributes is no literal, whatever it looks like
    if is_settled(text) and not _is_unfinished(text, effect.manners):
        return False
    if counts(text):
        return True
    alone = name in effect.private and is_flat(text)
    if name in mutation.objects or (name in mutation.looked_up and not _is_literal(text)):
        return True
    if alone:
        return False
    if mutation.anything or (name in mutation.insides):
        return True
    return any(_shows(text, root, inside, effect, values) for root, inside in _roots(mutation, values))


def _is_unfinished(text: str, manners: Manners) -> bool:
    """True for a text that usually never changes, but may here: that of an object whose class can't show it
    yet, of an instance of a class of the document, of a function that gets another name."""
    if manners.shows_itself and class_of_instance(text) in manners.classes:
        return True
    if manners.renames and text.startswith(("<function", "<class")):
        return True
    return text.partition("(")[0] in manners.classes


def _roots(mutation: Mutation, values: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    yield from ((name, False) for name in mutation.objects)
    yield from ((name, True) for name in mutation.insides)
    yield from ((name, False) for name in mutation.looked_up if not _is_literal(values.get(name, "[]")))


def _shows(text: str, root: str, inside: bool, effect: _Effect, values: Mapping[str, str]) -> bool:
    if root not in values:
        return True  # a global, or a name of an enclosing function: it may be anything
    changed = values[root]
    if is_settled(changed) and not parts_of(changed).hides:
        return False
    if root in effect.private and not inside and is_flat(changed):
        return False
    return may_show(text, changed, inside=inside)


def _is_literal(text: str) -> bool:
    return text[:1] in "[{("


@lru_cache(maxsize=32)
def _effects_of(document: Document) -> _Effects:
    return _Effects(document)
