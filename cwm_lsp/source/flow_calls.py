"""Which functions of the document may be entered from a line: what its instructions do, and what they do it
to.

Each instruction of the line is brought back to the expression it comes from by its place in the text; one
that can't be is taken to enter anything. Leaves out what may be called from where in general (callables).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cwm_lsp.source.callables import Callables, Reach, callables_of
from cwm_lsp.source.document import Document
from cwm_lsp.source.flow_bytecode import Op
from cwm_lsp.source.scopes import nodes_of
from cwm_lsp.source.tables import HARMLESS, OPERATOR_GROUPS, QUIET

Reason = Literal["call", "operator", "unknown", "dropped"]
_UNKNOWN = ("foreign", "callee")
_SET_OPERATORS = frozenset({1, 7, 10, 12})
"""The numbers of `&`, `|`, `-` and `^` in BINARY_OP, the same in all versions."""
FIRST_IN_PLACE = 13
"""From here on the numbers in BINARY_OP are those of the in-place operators."""
_Placed = ast.expr | ast.stmt


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that may be entered, and why: called by its name; by an operator, a loop, an attribute;
    because whatever is called may lead there; because a generator (or an object with `__del__`) is
    dropped."""

    function: str
    reason: Reason


class Sites:
    """The expressions of one document by their place, and what running them may enter."""

    def __init__(self, document: Document) -> None:
        self.callables: Callables = callables_of(document)
        self._by_end: dict[tuple[int, int], list[_Placed]] = defaultdict(list)
        self.decorators: dict[ast.AST, ast.AST] = {}
        self.managers: set[ast.AST] = set()
        self.asserted: set[ast.AST] = set()
        for node in nodes_of(document):
            if isinstance(node, ast.expr | ast.stmt):
                self._by_end[(node.end_lineno or 0, node.end_col_offset or 0)].append(node)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.decorators.update(dict.fromkeys(node.decorator_list, node))
            elif isinstance(node, ast.Assert):
                self.asserted.add(node.test)
            elif isinstance(node, ast.With | ast.AsyncWith):
                self.managers.update([node, *(item.context_expr for item in node.items)])

    def entries(self, ops: Iterable[tuple[Op, Op | None]]) -> tuple[Entry, ...]:
        """What the instructions may enter, the likeliest first. With each comes the one before it."""
        reach, seen = Reach(), False
        for op, before in ops:
            reach.merge(self.reach(op, before))
            seen = True
        found: dict[str, Reason] = dict.fromkeys(reach.direct, "call")
        for group in sorted(reach.groups, key=lambda name: (name in _UNKNOWN, name)):
            reason: Reason = "unknown" if group in _UNKNOWN else "operator"
            for name in sorted(self.callables.members(group)):
                found.setdefault(name, reason)
        if seen:
            for name in sorted(self.callables.finalizers):
                found.setdefault(name, "dropped")
        return tuple(Entry(name, reason) for name, reason in found.items())

    def reach(self, op: Op, before: Op | None) -> Reach:
        """What one instruction may enter."""
        if op.name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX"):
            return self._call(op)
        if op.name in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "LOAD_SUPER_ATTR"):
            return self.callables.attribute(op.value if isinstance(op.value, str) else op.value[-1])
        if op.name.startswith(("POP_JUMP", "JUMP_IF")):
            return Reach().add(*(["truth"] if op.raises else []))
        if op.name == "BINARY_OP":
            # Sets and in-place operators take from any iterable.
            takes = op.arg in _SET_OPERATORS or op.arg >= FIRST_IN_PLACE
            return Reach().add("number", "text", *(["iterate"] if takes else []))
        if op.name in OPERATOR_GROUPS:
            return Reach().add(*OPERATOR_GROUPS[op.name])
        if op.name == "RAISE_VARARGS" and before is not None and before.name in ("CALL", "CALL_KW"):
            return Reach()
        if op.name in QUIET or op.name in HARMLESS:
            return Reach()
        return Reach().add("make") if op.name == "RAISE_VARARGS" else Reach().add("callee")

    def _call(self, op: Op) -> Reach:
        nodes = list(self.nodes(op))
        scopes = self.callables.scopes
        reach = Reach()
        known = False
        for node in nodes:
            match node:
                case ast.Call():
                    reach.merge(self.callables.call(node.func, node, scopes.scope(node)))
                    known = True
                case ast.ListComp() | ast.SetComp() | ast.DictComp():
                    function = self.callables.function(node)
                    reach.add(direct=[function.qualname] if function else [])
                    known = True
                case ast.ClassDef():
                    plain = not node.keywords and not node.bases
                    reach.add(*(["make"] if plain else ["make", "foreign"]))
                    known = True
                case ast.GeneratorExp() | ast.Assert():
                    known = True
            if node in self.decorators:
                reach.merge(
                    self.callables.call(node, None, scopes.scope(node))
                    if isinstance(node, ast.Name | ast.Attribute)
                    else Reach().add("callee")
                )
                known = True
            known |= node in self.asserted  # the making of an AssertionError
            if node in self.managers:
                reach.add("manage")
                known = True
        return reach if known else reach.add("callee")

    def nodes(self, op: Op) -> Iterator[_Placed]:
        """The expressions and statements that an instruction may come from: those at its place, or, since the
        start of a call in a chain over several lines is that of its last link, those that end where it
        does."""
        if op.span is None:
            return
        line, end_line, column, end_column = op.span
        at_end = self._by_end.get((end_line, end_column), [])
        exact = [node for node in at_end if (node.lineno, node.col_offset) == (line, column)]
        calls = [node for node in at_end if isinstance(node, ast.Call)]
        yield from exact or calls
