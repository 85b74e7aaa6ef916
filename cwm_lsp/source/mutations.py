"""What the instructions of a line do to objects: which names' objects they may change in place.

Each instruction is brought back to its expression (flow_calls). Code of the document that may be entered is
looked through: a function that changes nothing but its own private objects changes nothing for its caller.
Leaves out which names then show another value (effects).
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from cwm_lsp.source.flow import Flow
from cwm_lsp.source.flow_bytecode import Op
from cwm_lsp.source.flow_calls import FIRST_IN_PLACE, Sites
from cwm_lsp.source.privates import private_globals, private_names
from cwm_lsp.source.scopes import nodes_of
from cwm_lsp.source.tables import (
    ARGUMENT_MODULES,
    HARMLESS,
    ITERATING,
    LOOKING_BUILTINS,
    MUTATING_FUNCTIONS,
    MUTATING_METHODS,
    OPERATOR_GROUPS,
    QUIET,
    QUIET_BUILTINS,
    READING_METHODS,
    READING_MODULES,
    RENAMING,
)

_WRITES = frozenset({"STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR", "STORE_ATTR", "DELETE_ATTR"})
_CALLS = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX"})
_WAITS = frozenset({"YIELD_VALUE", "SEND", "GET_AWAITABLE", "GET_ANEXT"})
_PARTLY_SEEN = _WRITES | {
    "UNPACK_SEQUENCE",
    "UNPACK_EX",
    "MATCH_CLASS",
    "MATCH_KEYS",
    "GET_LEN",
    "RAISE_VARARGS",
}
"""Instructions whose place in the text is not that of all that they work on."""
Level = Literal["nothing", "arguments", "anything"]
"""What a function changes: nothing that others know, only what it is given, or anything."""
_HARMLESS = QUIET | HARMLESS | {"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "RAISE_VARARGS"}


@dataclass(slots=True)
class Mutation:
    """What may be changed in place.

    `objects`: those of these names (`written`: by setting an attribute); `insides`: what those of these names
    hold; `looked_up`: those of these names if looking up an item changes them (a defaultdict). `anything`:
    all that can be reached. `takes`: an iterator moves on. `enters`: code of the document may run.
    """

    objects: set[str] = field(default_factory=set)
    insides: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    looked_up: set[str] = field(default_factory=set)
    anything: bool = False
    takes: bool = False
    enters: bool = False

    def merge(self, other: Mutation) -> None:
        self.objects |= other.objects
        self.insides |= other.insides
        self.written |= other.written
        self.looked_up |= other.looked_up
        self.anything |= other.anything
        self.takes |= other.takes
        self.enters |= other.enters


@dataclass(frozen=True, slots=True)
class Manners:
    """Habits of a document that make texts change which usually don't.

    `shows_itself`: a class has a `__repr__`; `renames`: functions or classes get other names; `classes`:
    those that it defines.
    """

    shows_itself: bool
    renames: bool
    classes: frozenset[str]


class Mutations:
    """The mutations in one document."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._sites: Sites = flow.sites
        self._callables = flow.sites.callables
        used, classes = set[str](), set[str]()
        self._modules: dict[str, set[str]] = defaultdict(set)
        for node in nodes_of(flow.document):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self._modules[alias.asname or alias.name.partition(".")[0]].add(
                        alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self._modules[alias.asname or alias.name].add((node.module or "").partition(".")[0])
            elif isinstance(node, ast.ClassDef):
                classes.add(node.name)
            elif isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.Attribute) and (
                isinstance(node.ctx, ast.Store) or "__" not in node.attr
            ):
                used.add(node.attr)
        self.manners = Manners(
            "__repr__" in self._callables.methods, bool(used & RENAMING), frozenset(classes)
        )
        self._levels: dict[str, Level] = {}
        self._private: dict[ast.AST, frozenset[str]] = {}
        self._globals = private_globals(flow.document.tree, self._callables.scopes, self._callables.methods)

    def private(self, function: str, line: int) -> frozenset[str]:
        """The names there whose objects nobody else can reach."""
        found = self._flow.document.function(function, line)
        if found is None:
            return frozenset()
        if found.node not in self._private:
            self._private[found.node] = private_names(found, self._callables.scopes, self._callables.methods)
        return self._private[found.node]

    def mutation(self, op: Op, before: Op | None) -> Mutation:
        """What one instruction may change, by itself or through code of the document."""
        result = self._own(op)
        result.merge(self._through(op, before, self._level))
        return result

    def _through(self, op: Op, before: Op | None, level: Callable[[str], Level]) -> Mutation:
        """What the code of the document that is entered may change."""
        reach = self._sites.reach(op, before)
        known = set(reach.direct)
        unknown: set[str] = set()
        for group in reach.groups:
            (unknown if group in ("foreign", "overriding") else known).update(self._callables.members(group))
        drops = op.name not in QUIET or op.name.startswith(("STORE", "POP_TOP"))
        unknown |= self._callables.finalizing if drops else frozenset()
        unknown |= known & self._callables.passive
        result = Mutation(enters=bool(known or unknown))
        if any(level(name) != "nothing" for name in unknown):
            result.anything = True
        levels = {level(name) for name in known - unknown}
        if "anything" in levels:
            result.anything = True
        elif "arguments" in levels:
            nodes = [] if op.name in _PARTLY_SEEN else list(self._sites.nodes(op))
            result.insides.update(name for node in nodes for name in self._values_in(node))
            result.anything |= not nodes
        return result

    # -- functions of the document ---------------------------------------------------------------------------

    def _level(self, function: str) -> Level:
        """What running a function may change that is known outside of it."""
        if function not in self._levels:
            self._explore(function)
        return self._levels[function]

    def _explore(self, function: str) -> None:
        """Judges a function and all that it may enter: each is harmless until something in it is not."""
        found: dict[str, Level] = {}
        todo = [function]
        while todo:
            name = todo.pop()
            if name not in found and name not in self._levels:
                found[name] = "nothing"
                for line in self._flow.line_numbers(name):
                    for op, before in self._flow.ops(name, line):
                        todo.extend(self._entered(op, before))
        grows = True
        while grows:
            grows = False
            for name, level in found.items():
                if level != "anything":
                    new = self._judge(name, lambda each: self._levels.get(each) or found[each])
                    grows |= new != level
                    found[name] = new
        self._levels.update(found)

    def _entered(self, op: Op, before: Op | None) -> Iterator[str]:
        reach = self._sites.reach(op, before)
        yield from reach.direct
        yield from self._callables.finalizing
        for group in reach.groups:
            yield from self._callables.members(group)

    def _judge(self, function: str, level: Callable[[str], Level]) -> Level:
        result: Level = "nothing"
        bound = self._flow.bound(function)
        for line in self._flow.line_numbers(function):
            private = self.private(function, line)
            found = self._flow.document.function(function, line)
            given = set(found.parameters) - bound if found is not None else set[str]()
            for op, before in self._flow.ops(function, line):
                # While a generator is suspended others run, but that is not its doing.
                change = Mutation() if op.name in _WAITS else self._own(op)
                change.merge(self._through(op, before, level))
                names = (change.objects | change.looked_up) - private | change.insides
                if change.anything or not names <= given:
                    return "anything"
                if names:
                    result = "arguments"
        return result

    # -- one instruction -------------------------------------------------------------------------------------

    def _own(self, op: Op) -> Mutation:
        """What an instruction changes apart from code of the document that it enters."""
        if op.name in _CALLS:
            return self._call(op)
        if op.name in _WRITES:
            return self._write(op)
        if op.name in _WAITS or op.yields:
            return Mutation(anything=True, takes=True, enters=True)
        if op.name == "BINARY_OP":
            return self._in_place(op) if op.arg >= FIRST_IN_PLACE else Mutation()
        if op.name in ("BINARY_SUBSCR", "BINARY_SLICE"):
            result = Mutation()
            for node in self._sites.nodes(op):
                if isinstance(node, ast.Subscript):
                    result.looked_up.update(name for name, _ in self._roots(node.value) or ())
            return result
        if op.name in ITERATING:
            return Mutation(takes=True, anything=self._callables.calls_lazily)
        if op.name in ("BEFORE_WITH", "BEFORE_ASYNC_WITH", "WITH_EXCEPT_START"):
            return self._manage(op)
        known = (
            op.name in _HARMLESS or op.name in OPERATOR_GROUPS or op.name.startswith(("POP_JUMP", "JUMP_IF"))
        )
        return Mutation(anything=not known)

    def _write(self, op: Op) -> Mutation:
        result = Mutation(anything=True)
        for node in self._sites.nodes(op):
            if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
                result = self._of_object(node.value)
                result.written = set(result.objects) if isinstance(node, ast.Attribute) else set()
        return result

    def _in_place(self, op: Op) -> Mutation:
        for node in self._sites.nodes(op):
            if isinstance(node, ast.AugAssign):
                result = self._of_object(node.target)
                result.takes = True
                return result
        return Mutation(anything=True)

    def _manage(self, op: Op) -> Mutation:
        result = Mutation()
        for node in self._sites.nodes(op):
            if isinstance(node, ast.With | ast.AsyncWith):
                for item in node.items:
                    result.insides.update(self._values_in(item.context_expr))
            elif isinstance(node, ast.expr):
                result.insides.update(self._values_in(node))
        return result

    def _of_object(self, node: ast.expr) -> Mutation:
        """The object that an expression gives is changed."""
        roots = self._roots(node)
        if roots is None:
            return Mutation(anything=True)
        return Mutation(
            {name for name, whole in roots if whole}, {name for name, whole in roots if not whole}
        )

    def _roots(self, node: ast.expr) -> list[tuple[str, bool]] | None:
        """The names whose object, or (False) something inside it, an expression may give; None if it may be
        any."""
        match node:
            case ast.Name(id=name):
                return [] if self._is_private_global(node) else [(name, True)]
            case ast.Attribute(value=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)):
                return [(name, False)]
            case ast.Attribute(value=value) | ast.Subscript(value=value):
                return self._insides(value)
            case ast.Call(func=ast.Attribute(value=value, attr=name), args=arguments):
                if name in self._callables.methods or name not in READING_METHODS | MUTATING_METHODS:
                    return None
                inner = self._insides(value)
                given = [(each, True) for argument in arguments for each in self._values_in(argument)]
                return None if inner is None else [*inner, *given]
            case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
                first, second = self._roots(one), self._roots(other)
                return None if first is None or second is None else [*first, *second]
            case ast.List() | ast.Dict() | ast.Set() | ast.Constant() | ast.ListComp() | ast.JoinedStr():
                return []
        return None

    def _is_private_global(self, node: ast.Name) -> bool:
        scopes = self._callables.scopes
        return node.id in self._globals and scopes.owner(node.id, scopes.scope(node)) is scopes.module

    def _values_in(self, node: ast.AST) -> Iterator[str]:
        """The names in an expression that may mean an object that can change."""
        scopes = self._callables.scopes
        for each in ast.walk(node):
            if isinstance(each, ast.Name):
                bindings = scopes.bindings(each.id, scopes.scope(each))
                if "unknown" in bindings:
                    yield each.id

    def _insides(self, node: ast.expr) -> list[tuple[str, bool]] | None:
        roots = self._roots(node)
        return None if roots is None else [(name, False) for name, _ in roots]

    # -- calls -----------------------------------------------------------------------------------------------

    def _call(self, op: Op) -> Mutation:
        result, known = Mutation(), False
        for node in self._sites.nodes(op):
            match node:
                case ast.Call():
                    result.merge(self._called(node))
                    known = True
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    result.takes = known = True
            if node in self._sites.decorators:
                result.anything |= not (isinstance(node, ast.Name) and node.id in QUIET_BUILTINS)
                known = True
            if node in self._sites.managers:
                result.merge(self._manage(op))
                known = True
            known |= node in self._sites.asserted
        return result if known else Mutation(anything=True)

    def _called(self, node: ast.Call) -> Mutation:
        scopes = self._callables.scopes
        match node.func:
            case ast.Name(id=name):
                bindings = scopes.bindings(name, scopes.scope(node))
                if not bindings:
                    quiet = name in LOOKING_BUILTINS | QUIET_BUILTINS | {"next", "getattr", "open"}
                    return Mutation(
                        takes=True, anything=not quiet and not name.endswith(("Error", "Exception"))
                    )
                result = Mutation()
                for binding in bindings:
                    if binding == "import":
                        result.merge(self._library(self._modules[name], name, node))
                    elif binding == "unknown":
                        result.anything = True
                    elif isinstance(binding, ast.ClassDef) and binding.bases:
                        result.insides.update(self._values_in(node))
                return result
            case ast.Attribute(value=value, attr=name):
                root = value
                while isinstance(root, ast.Attribute):
                    root = root.value
                if isinstance(root, ast.Name) and set(scopes.bindings(root.id, scopes.scope(node))) == {
                    "import"
                }:
                    return self._library(self._modules[root.id], name, node)
                return self._method(value, name)
            case ast.Lambda():
                return Mutation()
        return Mutation(anything=True)

    def _library(self, modules: set[str], name: str, node: ast.Call) -> Mutation:
        if modules <= READING_MODULES and name not in MUTATING_FUNCTIONS:
            return Mutation(takes=True)
        if modules <= READING_MODULES | ARGUMENT_MODULES:
            return Mutation(
                insides=set(self._values_in(node)), objects=set(self._values_in(node)), takes=True
            )
        return Mutation(anything=True, takes=True)

    def _method(self, receiver: ast.expr, name: str) -> Mutation:
        ours = name in self._callables.methods
        if name in MUTATING_METHODS:
            result = self._of_object(receiver)
            result.takes = True
            return result
        if name in READING_METHODS:
            return Mutation(looked_up={each for each, _ in self._roots(receiver) or ()}, takes=True)
        return Mutation(takes=True, anything=not ours)
