"""Where in its bytecode an activation can be, and from there: which lines, what becomes of names, how it may
leave.

Frames name lines, but one line may stand for several places: each copy of a `finally`, the first and the
last visit to a statement over several lines. A `Position` follows all places that agree with the frames so
far, which is what keeps the choices few. Leaves out what a line changes without binding it:
source/effects.py tells that.
"""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    CO_OPTIMIZED,
    CO_VARARGS,
    CO_VARKEYWORDS,
)
from types import CodeType
from typing import Literal

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow import flow_of
from cwm_lsp.source.flow_bytecode import Op
from cwm_lsp.source.flow_compile import Code, codes_of
from cwm_lsp.source.flow_lines import LineFacts, LineGraph, Node, Road, Step

Fate = Literal["kept", "bound", "unbound"]
Fates = Mapping[str, frozenset[Fate]]
"""For each name that may be touched, what may have become of it; the others are kept."""

_KEPT: frozenset[Fate] = frozenset({"kept"})
_STORES = frozenset(
    {"STORE_FAST", "STORE_DEREF", "STORE_NAME", "STORE_FAST_MAYBE_NULL", "STORE_FAST_LOAD_FAST"}
)
_DELETES = frozenset({"DELETE_FAST", "DELETE_DEREF", "DELETE_NAME"})


@dataclass(frozen=True, slots=True)
class Position:
    """Where the last LINE frame of an activation may have begun: (which code object of that name,
    instruction). `entered`: there was no LINE frame yet."""

    places: frozenset[tuple[int, int]] = frozenset()
    entered: bool = False


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a RETURN frame may come next.

    returns: by `return`, the end or a `yield`, with some value; nothing: by a `return` or the end with None
    for sure. `yields`: the first may be a suspension; `ends`: it may be none. `unwinds`: an exception goes on
    to the caller, with the lines that such a frame may name (often the one where it was raised). `catches`:
    the line asks whether the exception is one that it handles.
    """

    returns: bool = False
    nothing: bool = False
    yields: bool = False
    ends: bool = False
    unwinds: frozenset[int] = frozenset()
    catches: bool = False


@dataclass(frozen=True, slots=True)
class Callee:
    """How a code object is called: the line of its CALL frames, and the names it has from the start.

    `restarts`: it is a generator or coroutine, which is called again wherever it was suspended.
    """

    function: str
    line: int
    parameters: tuple[str, ...]
    free: tuple[str, ...]
    restarts: bool


@dataclass(frozen=True, slots=True)
class _Names:
    callee: Callee
    order: tuple[str, ...]
    shared: tuple[str, ...]


class Bindings:
    """The places of one document. Functions of one name are told apart by the lines of their CALL frames."""

    def __init__(self, document: Document) -> None:
        self._flow = flow_of(document)
        self._codes: dict[str, list[_Names]] = {}
        self._walks: dict[tuple[str, Position], tuple[tuple[int, LineGraph, LineFacts], ...]] = {}
        self._fates: dict[tuple[str, Position, Road, int], Fates] = {}
        unbound: set[str] = set()
        for code in codes_of(document):
            self._codes.setdefault(code.qualname, []).append(_names(code))
            unbound.update(_unbinds_for_others(code.object))
        self._unbound_elsewhere = frozenset(unbound)
        self._callees = {
            name: tuple(dict.fromkeys(each.callee for each in found)) for name, found in self._codes.items()
        }

    def order(self, function: str, position: Position) -> tuple[str, ...]:
        """All names that a frame there may have, in the order in which new ones are listed."""
        return tuple(dict.fromkeys(name for names in self._at(function, position) for name in names.order))

    def shared(self, function: str, position: Position) -> frozenset[str]:
        """The names there that other functions may bind: free ones, and its own that inner functions use."""
        return frozenset(name for names in self._at(function, position) for name in names.shared)

    def callees(self, function: str) -> tuple[Callee, ...]:
        """The functions of that name, class bodies among them."""
        return self._callees.get(function, ())

    def _at(self, function: str, position: Position) -> list[_Names]:
        codes = self._codes.get(function, [])
        return [codes[number] for number in sorted({number for number, _ in position.places})]

    def entry(self, function: str, line: int) -> Position:
        """The position after a CALL frame at `line`."""
        graphs = list(enumerate(self._flow.line_graphs(function)))
        codes = self._codes.get(function, [])
        here = [(number, graph.start) for number, graph in graphs if codes[number].callee.line == line]
        return Position(frozenset(here or ((number, graph.start) for number, graph in graphs)), entered=True)

    def anywhere(self, function: str, line: int) -> Position:
        """The position of a LINE frame of which only the line is known."""
        graphs = enumerate(self._flow.line_graphs(function))
        return Position(
            frozenset(
                (number, start)
                for number, graph in graphs
                if line in graph.lines
                for start in graph.lines[line].starts
            )
        )

    def move(self, function: str, position: Position, road: Road, line: int) -> Position:
        """The position after a LINE frame at `line`; wherever that line is, if it can't be reached from
        here."""
        places = frozenset(
            (number, step.target)
            for number, _, facts in self._walk(function, position)
            for step in facts.steps
            if step.road == road and step.line == line
        )
        return Position(places) if places else self.anywhere(function, line)

    def lines(
        self, function: str, position: Position, road: Road, *, stopped: bool = True
    ) -> tuple[int, ...]:
        """The LINE frames that may follow. `road` is what was seen last on the line: its LINE frame, an
        exception, or the generator resumed. `stopped`: whether the exception may be a StopIteration, which
        ends a loop."""
        return tuple(
            sorted(
                {
                    step.line
                    for _, graph, facts in self._walk(function, position)
                    for step in facts.steps
                    if step.road == road and (stopped or _is_caught(graph.ops, facts, step))
                }
            )
        )

    def fates(self, function: str, position: Position, road: Road, line: int) -> Fates:
        """What becomes of the names on the way to the LINE frame at `line`."""
        key = (function, position, road, line)
        if key not in self._fates:
            found: list[Fates] = []
            for _, graph, facts in self._walk(function, position):
                ends = [step for step in facts.steps if step.road == road and step.line == line]
                if ends:
                    states = _states(graph.ops, facts)
                    found.extend(
                        _after(graph.ops[step.source], states[step.source, before])
                        for step in ends
                        for before in _roads_into(step)
                        if (step.source, before) in states
                    )
            self._fates[key] = _join(found)
        return self._fates[key]

    def fates_at_yield(self, function: str, position: Position) -> Fates:
        """What may have become of the names where the line suspends its generator."""
        found: list[Fates] = []
        for _, graph, facts in self._walk(function, position):
            found.extend(
                state for (at, _), state in _states(graph.ops, facts).items() if graph.ops[at].yields
            )
        return _join(found)

    def bound(self, function: str, position: Position) -> frozenset[str]:
        """The names that the line may bind or unbind, whatever way it takes."""
        return frozenset(name for op, *_ in self._ops(function, position) for name in _after(op, {}))

    def unbound(self, function: str, position: Position) -> frozenset[str]:
        """The names that may be unbound there: by the line, or at any time by an inner function."""
        gone = (_after(op, {}).items() for op, *_ in self._ops(function, position))
        here = frozenset(name for fates in gone for name, fate in fates if "unbound" in fate)
        return here | self._unbound_elsewhere

    def class_bodies(self, function: str, position: Position) -> tuple[str, ...]:
        """The class bodies that the line runs."""
        return tuple(
            dict.fromkeys(
                op.value.co_qualname
                for op, *_ in self._ops(function, position)
                if isinstance(op.value, CodeType) and not op.value.co_flags & CO_OPTIMIZED
            )
        )

    def leaving(self, function: str, position: Position, road: Road) -> Leaving:
        """How a RETURN frame may come next."""
        returns = nothing = yields = ends = catches = False
        unwinds: set[int] = set()
        for op, seen, graph, at in self._ops(function, position):
            if seen == road:
                empty = op.leaves and _returns_none(graph.ops, at)
                nothing |= empty
                yields |= op.yields
                ends |= op.leaves
                catches |= op.name == "CHECK_EXC_MATCH"
                returns |= op.yields or (op.leaves and not empty)
            if op.raises and op.handler is None and (seen == road if op.reraises else road == "exception"):
                unwinds |= _lines_shown(graph, at)
        if 0 in unwinds:
            # An instruction without a line seems to be where the function begins.
            unwinds = unwinds - {0} | {names.callee.line for names in self._at(function, position)}
        return Leaving(returns, nothing, yields, ends, frozenset(unwinds), catches)

    def may_raise(self, function: str, position: Position, road: Road) -> bool:
        """True if an EXCEPTION frame may come next."""
        return any(
            seen == road and (op.stops_iteration is not None or (op.raises and not op.reraises))
            for op, seen, _, _ in self._ops(function, position)
        )

    def goes_on(self, function: str, position: Position) -> bool:
        """True if after an exception more of the line may run: past a loop's end, a `with` on one line."""
        return any(
            seen == "exception" and not op.reraises for op, seen, _, _ in self._ops(function, position)
        )

    def _ops(self, function: str, position: Position) -> Iterator[tuple[Op, Road, LineGraph, int]]:
        for _, graph, facts in self._walk(function, position):
            for at, seen in facts.nodes:
                yield graph.ops[at], seen, graph, at

    def _walk(self, function: str, position: Position) -> tuple[tuple[int, LineGraph, LineFacts], ...]:
        """What may happen from this position to the next LINE frame, for each code object it may be in."""
        key = (function, position)
        if key not in self._walks:
            graphs = self._flow.line_graphs(function)
            found = []
            for number in sorted({number for number, _ in position.places}):
                starts = {start for other, start in position.places if other == number}
                found.append((number, graphs[number], graphs[number].walk(starts, entering=position.entered)))
            self._walks[key] = tuple(found)
        return self._walks[key]


def _names(code: Code) -> _Names:
    plain = code.object
    count = plain.co_argcount + plain.co_kwonlyargcount
    count += bool(plain.co_flags & CO_VARARGS) + bool(plain.co_flags & CO_VARKEYWORDS)
    restarts = bool(plain.co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) and not code.inlined
    if not plain.co_flags & CO_OPTIMIZED:
        # A class body's locals are a dictionary of its own, which only ever holds what the body binds.
        stored = (each.argval for each in dis.get_instructions(plain) if each.opname == "STORE_NAME")
        return _Names(Callee(code.qualname, plain.co_firstlineno, (), (), restarts), tuple(stored), ())
    # The order in which CPython fills a dictionary of locals: variables, cells, free variables.
    order = (*plain.co_varnames, *plain.co_cellvars, *plain.co_freevars)
    callee = Callee(
        code.qualname, plain.co_firstlineno, plain.co_varnames[:count], plain.co_freevars, restarts
    )
    return _Names(callee, order, (*plain.co_cellvars, *plain.co_freevars))


def _unbinds_for_others(code: CodeType) -> Iterator[str]:
    """The names of functions around it that a code object unbinds (`nonlocal x; del x`)."""
    for each in dis.get_instructions(code):
        if each.opname == "DELETE_DEREF" and each.argval in code.co_freevars:
            yield each.argval


def _lines_shown(graph: LineGraph, at: int) -> set[int]:
    """The lines on which an exception that goes on from here seems to be; 0 for none."""
    op = graph.ops[at]
    places = graph.places[at] if op.restores_place else (at,)
    return {graph.ops[place].line or 0 for place in places}


def _returns_none(ops: tuple[Op, ...], at: int) -> bool:
    if ops[at].name == "RETURN_CONST":
        return ops[at].value is None
    before = ops[at - 1] if at else None
    return before is not None and before.name == "LOAD_CONST" and before.value is None


def _is_caught(ops: tuple[Op, ...], facts: LineFacts, step: Step) -> bool:
    """True if an exception that is no StopIteration may lead to this step."""
    todo = [op.handler for op in (ops[at] for at, _ in facts.nodes) if op.raises and op.handler is not None]
    if step.target in todo:
        return True
    seen: set[int] = set()
    while todo:
        at = todo.pop()
        if at == step.source:
            return True
        if at not in seen and (at, "exception") in facts.nodes:
            seen.add(at)
            todo.extend(ops[at].after)
    return False


def _roads_into(step: Step) -> tuple[Road, ...]:
    """The roads on which the last instruction of a step may have begun: it may itself have raised."""
    return ("line", "resumed", "exception") if step.road == "exception" else (step.road,)


def _states(ops: tuple[Op, ...], facts: LineFacts) -> dict[Node, Fates]:
    """For each instruction of the line, what may have become of the names when it is reached."""
    states: dict[Node, Fates] = {}
    todo: list[tuple[Node, Fates]] = [((at, "line"), {}) for at in facts.starts]
    while todo:
        node, state = todo.pop()
        old = states.get(node)
        new = state if old is None else _join((old, state))
        if old is not None and new == old:
            continue
        states[node] = new
        at, road = node
        op = ops[at]
        done = _after(op, new)
        after: Road = "resumed" if op.yields else road
        ways: list[tuple[Node, Fates]] = [((target, after), done) for target in op.after]
        if op.stops_iteration is not None:
            ways.append(((op.stops_iteration, "exception"), new))
        if op.raises and op.handler is not None:
            ways.append(((op.handler, road if op.reraises else "exception"), new))
        todo.extend(way for way in ways if way[0] in facts.nodes)
    return states


def _after(op: Op, state: Fates) -> Fates:
    """The state after the instruction."""
    fate: Fate = "unbound" if op.name in _DELETES else "bound"
    names: tuple[str, ...] = ()
    if op.name == "STORE_FAST_STORE_FAST":
        names = tuple(op.value)
    elif op.name in _STORES or op.name in _DELETES:
        names = (op.value,) if isinstance(op.value, str) else (op.value[0],)
    return {**state, **dict.fromkeys(names, frozenset({fate}))} if names else state


def _join(states: Iterable[Fates]) -> Fates:
    """What holds if any of the states does."""
    every = list(states)
    names = dict.fromkeys(name for state in every for name in state)
    return {name: frozenset[Fate]().union(*(state.get(name, _KEPT) for state in every)) for name in names}


@lru_cache(maxsize=32)
def bindings_of(document: Document) -> Bindings:
    """The bindings of a document, made once (the last few documents are remembered). Raises FlowError."""
    return Bindings(document)
