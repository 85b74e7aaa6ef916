"""The line events of one code object: which lines may follow which, by the rule of `sys.settrace`.

An instruction starts a new line event if its line differs from that of the instruction before it, or if it is
jumped back to (but for the loop inside an `await` or `yield from`). Everything that runs between two events
belongs to the line of the first; the answers are read off that. Leaves out names and documents (flow).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from cwm_lsp.source.flow_bytecode import Graph, Op

Road = Literal["line", "exception", "resumed"]
"""What was seen last: the line event itself, an exception on the line, or the line again after a
suspension."""
Node = tuple[int, Road]


@dataclass(frozen=True, slots=True)
class Step:
    """A way out of a line: the instruction that ends it, how it was reached, and the next line."""

    source: int
    road: Road
    line: int
    target: int


@dataclass(slots=True)
class LineFacts:
    """What may happen from one line event to the next."""

    starts: set[int] = field(default_factory=set)
    nodes: set[Node] = field(default_factory=set)
    steps: set[Step] = field(default_factory=set)
    may_return: bool = False
    may_raise: bool = False
    may_unwind: bool = False
    may_pass_on: bool = False
    """An exception being handled may leave the code object from here, with no exception event of its own."""

    def lines(self, road: Road) -> tuple[int, ...]:
        return tuple(sorted({step.line for step in self.steps if step.road == road}))


class LineGraph:
    """The line events of a code object. `entry` is where its first one may be, `lines` tells about each
    line. `start` is the instruction at which its frame is first seen."""

    def __init__(self, graph: Graph) -> None:
        self.ops = graph.ops
        self.start = graph.start
        self.lines: dict[int, LineFacts] = defaultdict(LineFacts)
        self.entry: tuple[int, ...] = ()
        self._explore()

    def _explore(self) -> None:
        # Before the first event the frame is on no line at all: what runs there is told under line 0.
        before = self.lines[0]
        before.starts.add(self.start)
        todo = {0}
        while todo:
            line = todo.pop()
            facts = self.lines[line]
            self._walk(facts, first=line == 0)
            for step in facts.steps:
                starts = self.lines[step.line].starts
                if step.target not in starts:
                    starts.add(step.target)
                    todo.add(step.line)
        del self.lines[0]
        self.entry = before.lines("line")
        self._expect_close()
        self.lines = dict(self.lines)

    def _expect_close(self) -> None:
        """A generator that is dropped before its first step is entered on its first line, raises and
        leaves."""
        for op in self.ops[: self.start]:
            if op.name == "RETURN_GENERATOR" and op.line is not None:
                facts = self.lines[op.line]
                facts.may_raise = facts.may_unwind = True

    def walk(self, starts: Iterable[int], *, entering: bool) -> LineFacts:
        """What may happen up to the next line event from these instructions alone: a line event may begin at
        several. `entering`: from the start of the frame, which is on no line yet."""
        facts = LineFacts(starts=set(starts))
        self._walk(facts, first=entering)
        return facts

    def _walk(self, facts: LineFacts, *, first: bool) -> None:
        facts.nodes, facts.steps = set(), set()
        todo: list[Node] = [(at, "line") for at in facts.starts]
        while todo:
            node = todo.pop()
            if node in facts.nodes:
                continue
            facts.nodes.add(node)
            at, road = node
            op = self.ops[at]
            facts.may_return |= op.leaves or op.yields
            if op.yields:
                todo.extend((after, "resumed") for after in op.after)
            else:
                todo.extend(self._go(facts, road, at, op.after, entering=first and at == self.start))
            if op.stops_iteration is not None:
                facts.may_raise = True
                todo.extend(self._go(facts, "exception", at, (op.stops_iteration,)))
            if op.raises:
                todo.extend(self._raise(facts, road, at, op))

    def _go(
        self,
        facts: LineFacts,
        road: Road,
        at: int,
        targets: Iterable[int],
        *,
        place: int | None = None,
        entering: bool = False,
    ) -> list[Node]:
        """Notes the targets that begin an event; the others are still on the line. `place`: where the frame
        seems to be while `at` runs."""
        stay: list[Node] = []
        for target in targets:
            line = self.ops[target].line
            if line is not None and (entering or self._is_event(at if place is None else place, target)):
                facts.steps.add(Step(at, road, line, target))
            else:
                stay.append((target, road))
        return stay

    def _raise(self, facts: LineFacts, road: Road, at: int, op: Op) -> list[Node]:
        roads: set[Road] = {road} if op.reraises else set()
        if op.raises_anew:
            facts.may_raise = True
            roads.add("exception")
        if op.handler is None:
            facts.may_unwind = True
            facts.may_pass_on |= op.reraises
            return []
        places = self.places[at] if op.restores_place else (at,)
        return [
            node
            for place in places
            for way in roads
            for node in self._go(facts, way, at, (op.handler,), place=place)
        ]

    def _is_event(self, previous: int, current: int) -> bool:
        before, after = self.ops[previous], self.ops[current]
        return before.line != after.line or (current < previous and after.name != "SEND")

    @cached_property
    def places(self) -> dict[int, frozenset[int]]:
        """For each RERAISE that restores the place of the exception: where that may have been."""
        covered: dict[int, set[int]] = defaultdict(set)
        for at, op in enumerate(self.ops):
            if op.raises and op.keeps_place and op.handler is not None:
                covered[op.handler].add(at)
        inside = {handler: self._restores_from(handler) for handler in covered}
        places: dict[int, set[int]] = {at: set() for at, op in enumerate(self.ops) if op.restores_place}
        grows = True
        while grows:
            grows = False
            for handler, sources in covered.items():
                from_here: set[int] = set()
                for source in sources:
                    from_here |= places.get(source, {source})
                for restore in inside[handler]:
                    if not from_here <= places[restore]:
                        places[restore] |= from_here
                        grows = True
        return {at: frozenset(found) or frozenset({at}) for at, found in places.items()}

    def _restores_from(self, handler: int) -> set[int]:
        seen: set[int] = set()
        todo = [handler]
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo.extend(self.ops[at].after)
        return {at for at in seen if self.ops[at].restores_place}
