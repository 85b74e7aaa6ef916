"""One code object as a graph of instructions: what runs after what, what may raise, and who catches.

Reads the bytecode of CPython 3.11 to 3.13 through `dis` and the exception table (its form: CPython's
Objects/exception_handling_notes). Leaves out line events (flow_lines) and what an instruction means for
values.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from cwm_lsp.source.flow_compile import Code, Span
from cwm_lsp.source.tables import COMPREHENSION_FRAME, GIVES_BOOL, JUMPS, LEAVES, QUIET, RERAISES

_STOPS = LEAVES | {"RERAISE", "RAISE_VARARGS"}
_TARGETS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
_CHECKS_LOADS = "LOAD_FAST_CHECK" in dis.opmap
"""Since 3.12 a local that may be unbound is loaded by an instruction of its own."""


@dataclass(slots=True)
class Op:
    """One instruction. `after`: indices that run next if nothing is raised. `handler`: where an exception
    goes, None out of the code object; meaningless unless `raises`. `keeps_place`: that handler remembers
    where the exception came from (and a RERAISE there pretends to be there again)."""

    name: str
    arg: int
    value: Any
    line: int | None
    span: Span | None
    after: tuple[int, ...] = ()
    stops_iteration: int | None = None
    """For FOR_ITER and SEND: where a StopIteration leads, which is reported as an exception and then
    swallowed."""
    raises: bool = True
    handler: int | None = None
    keeps_place: bool = False
    yields: bool = False

    @property
    def reraises(self) -> bool:
        """True if it passes on an exception that was reported before."""
        return self.name in RERAISES or (self.name == "RAISE_VARARGS" and self.arg == 0)

    @property
    def raises_anew(self) -> bool:
        """True if it may raise an exception that is reported. A bare `raise` does where none is being
        handled."""
        return self.raises and self.name not in RERAISES

    @property
    def leaves(self) -> bool:
        return self.name in LEAVES

    @property
    def restores_place(self) -> bool:
        return self.name == "RERAISE" and self.arg > 0


@dataclass(frozen=True, slots=True)
class Graph:
    """The instructions of a code object; `start` is the RESUME at which its frame is first seen."""

    ops: tuple[Op, ...]
    start: int


def graph_of(code: Code) -> Graph:
    """The graph of one code object."""
    ops: list[Op] = []
    index: dict[int, int] = {}
    for instruction in dis.get_instructions(code.object):
        if instruction.opname == "CACHE":
            continue
        place = instruction.positions
        line = place.lineno if place is not None else None
        span = None
        if place is not None and place.lineno and place.end_lineno:
            span = (place.lineno, place.end_lineno, place.col_offset or 0, place.end_col_offset or 0)
        index[instruction.offset] = len(ops)
        ops.append(Op(instruction.opname, instruction.arg or 0, instruction.argval, line, span))
    start = next((at for at, op in enumerate(ops) if op.name == "RESUME"), 0)
    if code.inlined:
        _as_comprehension(ops, code.object)
    _link(ops, index)
    _catch(ops, index, code.object)
    _quieten(ops, code.object)
    return Graph(tuple(ops), start)


def _link(ops: list[Op], index: dict[int, int]) -> None:
    for at, op in enumerate(ops):
        after = [] if op.name in _STOPS or op.name in JUMPS else [at + 1]
        if op.name == "YIELD_VALUE":
            op.yields = True
        if dis.opmap.get(op.name, -1) in _TARGETS and op.value in index:
            target = index[op.value]
            # Since 3.12 the loop's end skips the instructions that would take the iterator off the stack.
            if op.name == "FOR_ITER" and ops[target].name == "END_FOR":
                target += 2 if ops[target + 1].name == "POP_TOP" else 1
            if op.name in ("FOR_ITER", "SEND"):
                op.stops_iteration = target
            after.append(target)
        op.after = tuple(at for at in after if at < len(ops))


def _as_comprehension(ops: list[Op], code: CodeType) -> None:
    """Gives a comprehension compiled as a generator the lines of the function it was before 3.12.

    Its loops, tests and appends stand on its first line; only the parts it evaluates have lines of their own.
    """
    for at, op in enumerate(ops):
        is_first = op.name == "RESUME" and op.line == code.co_firstlineno
        if op.line is not None and not is_first and (op.name in COMPREHENSION_FRAME or op.value == ".0"):
            op.line = code.co_firstlineno
        # Every yield but those of an await (a SEND leads to them) appends an element.
        if op.name == "YIELD_VALUE" and ops[at - 1].name != "SEND":
            op.name = "NOP"
        if op.name == "CALL_INTRINSIC_1" and ops[at + 1].name in ("YIELD_VALUE", "NOP"):
            op.name = "NOP"


def _catch(ops: list[Op], index: dict[int, int], code: CodeType) -> None:
    for start, end, target, keeps_place in _exception_table(code.co_exceptiontable):
        handler = index.get(target)
        if handler is None:
            continue
        for offset in range(start, end, 2):
            at = index.get(offset)
            if at is not None:
                ops[at].handler, ops[at].keeps_place = handler, keeps_place


def _exception_table(table: bytes) -> Iterator[tuple[int, int, int, bool]]:
    """(start, end, handler, keeps place) in bytes of code, as the table's numbers of 6 bits each tell."""
    numbers: list[int] = []
    value = 0
    for byte in table:
        value = (value << 6) | (byte & 63)
        if not byte & 64:
            numbers.append(value)
            value = 0
    for start, size, target, depth in zip(*(iter(numbers),) * 4, strict=False):
        yield start * 2, (start + size) * 2, target * 2, bool(depth & 1)


def _quieten(ops: list[Op], code: CodeType) -> None:
    """Marks what can't raise. A parameter that is never deleted can be loaded for sure."""
    arguments = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    deleted = {op.value for op in ops if op.name in ("DELETE_FAST", "DELETE_DEREF")}
    sure = set(code.co_varnames[:arguments]) - deleted
    for at, op in enumerate(ops):
        if op.name in QUIET:
            op.raises = False
        elif op.name in ("LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF"):
            op.raises = op.value not in sure and not (op.name == "LOAD_FAST" and _CHECKS_LOADS)
        elif op.name.startswith(("POP_JUMP", "JUMP_IF")):
            op.raises = ops[at - 1].name not in GIVES_BOOL
        elif op.name == "DELETE_FAST":
            # At the end of `except E as e` the name was set the instruction before.
            op.raises = not (ops[at - 1].name == "STORE_FAST" and ops[at - 1].value == op.value)


def bound_outside(code: CodeType) -> frozenset[str]:
    """The variables of enclosing functions, inner ones, or the module that a code object binds or deletes."""
    wanted = {"STORE_DEREF", "DELETE_DEREF", "STORE_GLOBAL", "DELETE_GLOBAL"}
    return frozenset(i.argval for i in dis.get_instructions(code) if i.opname in wanted)
