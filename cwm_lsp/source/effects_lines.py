"""The names that a line binds and unbinds, read off its instructions: on some way, on every way.

Leaves out changes of objects (mutations) and values.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow_bytecode import Op
from cwm_lsp.source.flow_lines import LineFacts, LineGraph, Node, Road, Step
from cwm_lsp.source.scopes import nodes_of

_STORES = frozenset({"STORE_FAST", "STORE_DEREF", "STORE_NAME", "STORE_FAST_MAYBE_NULL"})
_DELETES = frozenset({"DELETE_FAST", "DELETE_DEREF", "DELETE_NAME"})


@dataclass(frozen=True, slots=True)
class Bound:
    """`names` are bound on some way, `must` on every way out of the statement, `deletes` are unbound on some
    way."""

    names: frozenset[str] = frozenset()
    must: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()


def stored(op: Op) -> tuple[str, ...]:
    """The local names that an instruction binds."""
    if op.name in _STORES:
        return (op.value,)
    if op.name == "STORE_FAST_STORE_FAST":
        return tuple(op.value)
    return (op.value[0],) if op.name == "STORE_FAST_LOAD_FAST" else ()


def deleted(op: Op) -> tuple[str, ...]:
    """The local names that an instruction unbinds."""
    return (op.value,) if op.name in _DELETES else ()


def nodes_to(graph: LineGraph, facts: LineFacts, next_line: int | None) -> frozenset[Node]:
    """The instructions of a line that may run before the line frame at `next_line`; all of them if that is
    None."""
    if next_line is None:
        return frozenset(facts.nodes)
    before: dict[Node, set[Node]] = {}
    for node in facts.nodes:
        for after in _ways(graph, facts, node):
            before.setdefault(after, set()).add(node)
    ends = [step for step in facts.steps if step.line == next_line]
    todo = [
        (step.source, road)
        for step in ends
        for road in _roads_into(step)
        if (step.source, road) in facts.nodes
    ]
    found: set[Node] = set()
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(before.get(node, ()))
    return frozenset(found)


def bound_on(graph: LineGraph, line: int, nodes: Iterable[Node], outside: Iterable[int]) -> Bound:
    """What these instructions of a line bind. `outside` are the lines whose frames mean that the statement is
    over."""
    names: set[str] = set()
    gone: set[str] = set()
    for at in {at for at, _ in nodes}:
        op = graph.ops[at]
        gone.update(deleted(op))
        # At the end of `except E as e` the name is set once more, to be deleted.
        following = deleted(graph.ops[at + 1]) if at + 1 < len(graph.ops) else ()
        names.update(name for name in stored(op) if name not in following)
    return Bound(frozenset(names), _must(graph, graph.lines[line], frozenset(outside)), frozenset(gone))


def _must(graph: LineGraph, facts: LineFacts, outside: frozenset[int]) -> frozenset[str]:
    ends = [step for step in facts.steps if step.road == "line" and step.line in outside]
    if not ends:
        return frozenset()
    states: dict[Node, frozenset[str]] = {}
    todo: list[tuple[Node, frozenset[str]]] = [((at, "line"), frozenset()) for at in facts.starts]
    while todo:
        node, state = todo.pop()
        old = states.get(node)
        if old is not None and old <= state:
            continue
        states[node] = state if old is None else old & state
        after = _after(graph.ops[node[0]], states[node])
        todo.extend((way, after) for way in _ways(graph, facts, node) if way[1] == "line")
    found = [
        _after(graph.ops[step.source], states[step.source, "line"])
        for step in ends
        if (step.source, "line") in states
    ]
    return frozenset.intersection(*found) if found else frozenset()


def _after(op: Op, state: frozenset[str]) -> frozenset[str]:
    return (state | frozenset(stored(op))) - frozenset(deleted(op))


def _ways(graph: LineGraph, facts: LineFacts, node: Node) -> Iterator[Node]:
    """The instructions of the same line that may run next."""
    at, road = node
    op = graph.ops[at]
    onwards: Road = "resumed" if op.yields else road
    ways: list[Node] = [(target, onwards) for target in op.after]
    if op.stops_iteration is not None:
        ways.append((op.stops_iteration, "exception"))
    if op.raises and op.handler is not None:
        ways.append((op.handler, "exception"))
        if op.reraises:
            ways.append((op.handler, road))
    return (way for way in ways if way in facts.nodes)


def _roads_into(step: Step) -> tuple[Road, ...]:
    """The roads on which the last instruction before a step may have been reached: it may itself have
    raised."""
    return ("line", "exception", "resumed") if step.road == "exception" else (step.road,)


class Statements:
    """Which lines belong to the same statement as a line; of a compound statement only its head."""

    def __init__(self, document: Document) -> None:
        self._spans: dict[int, tuple[int, int]] = {}
        for node in nodes_of(document):
            if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
                first, last = _head(node)
                for line in range(first, last + 1):
                    old = self._spans.get(line)
                    if old is None or last - first <= old[1] - old[0]:
                        self._spans[line] = (first, last)

    def span(self, line: int) -> tuple[int, int]:
        """First and last line of the statement."""
        return self._spans.get(line, (line, line))


def _head(node: ast.stmt | ast.excepthandler | ast.match_case) -> tuple[int, int]:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno, max(node.pattern.lineno, node.body[0].lineno - 1)
    first = node.lineno
    for decorator in getattr(node, "decorator_list", ()):
        first = min(first, decorator.lineno)
    body: list[ast.stmt] = getattr(node, "body", [])
    if isinstance(node, ast.Match):
        return first, max(first, node.cases[0].pattern.lineno - 1)
    return first, max(first, body[0].lineno - 1) if body else node.end_lineno or first


@lru_cache(maxsize=32)
def statements_of(document: Document) -> Statements:
    """The statements of a document, worked out once (the last few documents are remembered)."""
    return Statements(document)
