"""Which functions of a document a call, an operator or foreign code may enter: the facts that hold everywhere
in it.

A name that can only mean functions of the document enters these; what may be called by code that can't be
seen (a library, a builtin with a callback, a value from a variable) is collected in sets. Sound for what
Python code does openly; a function fetched by a name made at run time makes every function callable from
everywhere. Leaves out lines (flow_calls).
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeGuard

from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function, mangle
from cwm_lsp.source.scopes import Binding, Scope, Scopes, nodes_of, scopes_of
from cwm_lsp.source.tables import (
    ATTRIBUTE_DECORATORS,
    CALM_BASES,
    CONSUMERS,
    HARMLESS_BASES,
    LAZY_CALLERS,
    LOOKUP_METHODS,
    OPERATOR_BUILTINS,
    PLAIN_DECORATORS,
    QUIET_BUILTINS,
    QUIET_METHODS,
    REFLECTION,
    SPECIAL,
)

_Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Reach:
    """What may be entered: `direct` by name, in order, and groups of functions: what the special methods of a
    group of SPECIAL may be, "overriding", "foreign" (whatever code that can't be seen may enter), "callee"
    (whatever an unknown value that is called may be)."""

    direct: dict[str, None] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)

    def add(self, *groups: str, direct: Iterable[str] = ()) -> Reach:
        self.direct.update(dict.fromkeys(direct))
        self.groups.update(groups)
        return self

    def merge(self, other: Reach) -> Reach:
        return self.add(*other.groups, direct=other.direct)


class Callables:
    """The callable things of one document; make it with `callables_of`."""

    def __init__(self, document: Document) -> None:
        self.scopes: Scopes = scopes_of(document)
        self._functions = {function.node: function for function in document.functions}
        nodes = nodes_of(document)
        self.all = frozenset(function.qualname for function in document.functions)
        self._consumed = {id(node.args[0]) for node in nodes if self._consumes(node)}  # type: ignore[attr-defined]
        suspended = [f for f in document.functions if f.is_generator or f.kind == "async"]
        self.passive = frozenset(f.qualname for f in suspended)
        """Calling these enters nothing: taking from what they give does."""
        self.suspendable = frozenset(f.qualname for f in suspended if id(f.node) not in self._consumed)
        """Those of them that may be resumed from elsewhere: not the argument of `any(... for ...)`."""
        self._classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
        self._methods: dict[str, dict[str, None]] = defaultdict(dict)
        self._accessors: dict[str, dict[str, None]] = defaultdict(dict)
        self._set_attributes: set[str] = set()
        self._computed: set[str] = set()
        """Class attributes made by a call that gets a function: they may be properties."""
        self._special: dict[str, dict[str, None]] = defaultdict(dict)
        self._special_aliases: set[str] = set()
        overriding: dict[str, bool] = {}
        for each in self._classes:
            self._read_class(each, overriding)
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                self._set_attributes.add(node.attr)
            elif (
                isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _passes_name(node.value)
            ):
                self._computed.update(each.attr for each in node.targets if self._is_of_class(each))
        self.overriding = frozenset(overriding)
        """Methods that a base class from elsewhere may call."""
        self._overriding_operators = {name for name, operators in overriding.items() if operators}
        self.escaping = frozenset(self._escaping(nodes))
        """Functions that are values somewhere, so that whoever gets hold of the value may call them."""
        names = _names_used(nodes)
        self._reflects = bool(names & REFLECTION)
        foreign = any(not _is_standard(node) for node in nodes)
        self._calls_factories = foreign or bool(names & {"defaultdict", "ChainMap"})
        self._calls_lazily = foreign or bool(names & LAZY_CALLERS)

    def _read_class(self, node: ast.ClassDef, overriding: dict[str, bool]) -> None:
        foreign = self._is_foreign(node, set())
        operators = foreign and self._is_foreign(node, set(), CALM_BASES)
        for name, binding in _class_members(node):
            function = self.function(binding) if binding is not None else None
            if function is None:
                self._set_attributes.add(name)
                if isinstance(binding, ast.Call) and _passes_name(binding):
                    self._computed.add(name)
                if _is_special(name):
                    self._special_aliases.add(name)
                continue
            decorators = _decorator_names(binding)
            enters = not (function.is_generator or function.kind == "async")
            if enters and not decorators <= PLAIN_DECORATORS:
                if not decorators <= PLAIN_DECORATORS | ATTRIBUTE_DECORATORS:
                    self._computed.add(name)
                for table_name in {name, mangle(node.name, name)}:
                    self._accessors[table_name][function.qualname] = None
            if not decorators & ATTRIBUTE_DECORATORS:
                for table_name in {name, mangle(node.name, name)}:
                    self._methods[table_name][function.qualname] = None
                if not decorators <= PLAIN_DECORATORS:
                    self._set_attributes.add(name)
            if enters and _is_special(name):
                self._special[name][function.qualname] = None
            if foreign and enters:
                overriding[function.qualname] = operators

    def _is_of_class(self, node: ast.AST) -> TypeGuard[ast.Attribute]:
        """True for an attribute of something that is no variable: a class, here or imported."""
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            return False
        bindings = self.scopes.bindings(node.value.id, self.scopes.scope(node))
        return node.value.id == "cls" or "unknown" not in bindings

    def _is_foreign(self, node: ast.ClassDef, seen: set[ast.AST], calm: frozenset[str] = frozenset()) -> bool:
        """True if some base or metaclass is not of the document and may call overriding methods. Bases named
        in `calm` are taken not to."""
        if node in seen:
            return False
        seen.add(node)
        if node.keywords:
            return True
        scope = self.scopes.scope(node)
        for base in node.bases:
            name = _last_name(base)
            bindings = self.scopes.bindings(base.id, scope) if isinstance(base, ast.Name) else ("unknown",)
            if name in HARMLESS_BASES | calm or (
                not bindings and name.endswith(("Error", "Exception", "Warning"))
            ):
                continue
            if not bindings or any(not isinstance(each, ast.ClassDef) for each in bindings):
                return True
            if any(self._is_foreign(each, seen, calm) for each in bindings if isinstance(each, ast.ClassDef)):
                return True
        return False

    def _escaping(self, nodes: Iterable[ast.AST]) -> Iterator[str]:
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        called |= {
            id(node.value)
            for node in nodes
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda)
        }
        for node in nodes:
            match node:
                case ast.Lambda() if id(node) not in called:
                    yield from self._enterable(node)
                case ast.FunctionDef() if (
                    not _decorator_names(node) <= PLAIN_DECORATORS | ATTRIBUTE_DECORATORS
                ):
                    yield from self._enterable(node)
                case ast.Assign(targets=targets, value=ast.Lambda() as value):
                    if not all(isinstance(target, ast.Name) for target in targets):
                        yield from self._enterable(value)
                case ast.Name(id=name, ctx=ast.Load()) if id(node) not in called:
                    for binding in self.scopes.bindings(name, self.scopes.scope(node)):
                        if isinstance(binding, _Def | ast.Lambda):
                            yield from self._enterable(binding)
                case ast.Attribute(attr=name, ctx=ast.Load()):
                    if id(node) not in called:
                        yield from self._only_enterable(self._methods.get(name, ()))
                case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=name), *_]):
                    yield from self._only_enterable(self._methods.get(str(name), ()))

    def _consumes(self, node: ast.AST) -> bool:
        """True for a call that takes all it needs from a generator expression and keeps nothing of it."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.GeneratorExp()]):
                return name in CONSUMERS and not self.scopes.bindings(name, self.scopes.scope(node))
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[ast.GeneratorExp()]):
                return True
        return False

    def _enterable(self, node: _Def | ast.Lambda) -> Iterator[str]:
        function = self._functions.get(node)
        if function is not None:
            yield from self._only_enterable([function.qualname])

    def _only_enterable(self, names: Iterable[str]) -> Iterator[str]:
        return (name for name in names if name not in self.passive)

    # -- what is entered -------------------------------------------------------------------------------------

    def function(self, node: ast.AST) -> Function | None:
        """The function that a def, lambda or comprehension defines."""
        return self._functions.get(node)  # type: ignore[call-overload, no-any-return]

    def members(self, group: str) -> frozenset[str]:
        """The functions of a group."""
        if group == "overriding":
            return self.overriding
        if group in ("foreign", "callee"):
            special = {name for names in self._special.values() for name in names}
            found = self.escaping | self.suspendable | self.overriding | special
            return found | (self.all - self.passive) if group == "callee" and self._reflects else found
        wanted = SPECIAL[group]
        found = frozenset(q for name, names in self._special.items() if name in wanted for q in names)
        if group != "attribute":
            found |= self._overriding_operators
        if group in ("iterate", "manage"):
            found |= self.suspendable
        calls_back = {"iterate": self._calls_lazily, "item": self._calls_factories, "manage": True}
        if calls_back.get(group, False) or self._special_aliases & wanted:
            found |= self.escaping
        return found

    @cached_property
    def finalizing(self) -> frozenset[str]:
        """Those of the finalizers that run statements of theirs when something is dropped."""
        cleaning = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith)
        held = {
            function.qualname
            for node, function in self._functions.items()
            if function.qualname in self.suspendable
            and any(isinstance(each, cleaning) for each in ast.walk(node))
        }
        return frozenset(held) | frozenset(self._special.get("__del__", ()))

    @property
    def methods(self) -> frozenset[str]:
        """The names of the methods that the document's classes define."""
        return frozenset(self._methods)

    @property
    def calls_lazily(self) -> bool:
        """True if taking the next item of something may call back what was handed over before."""
        return self._calls_lazily

    @property
    def finalizers(self) -> frozenset[str]:
        """What may be entered because something is no longer needed: generators are closed, `__del__`
        runs."""
        return self.suspendable | frozenset(self._special.get("__del__", ()))

    def attribute(self, name: str) -> Reach:
        """Reading, writing or deleting an attribute."""
        reach = Reach().add("attribute", direct=self._accessors.get(name, ()))
        if name in self._computed:
            reach.add("foreign")
        if name not in self._set_attributes and name not in self._methods:
            reach.add("overriding")  # it may be a property of a base class from elsewhere
        return reach

    def call(self, callee: ast.expr, node: ast.Call | None, scope: Scope) -> Reach:
        """Calling what an expression gives; `node` is the whole call if there are arguments to look at."""
        reach = self._call(callee, node, scope)
        if node is not None and node.args and id(node.args[0]) in self._consumed:
            consumed = self._functions.get(node.args[0])  # type: ignore[call-overload]
            reach.add(direct=[consumed.qualname] if consumed is not None else [])
        return reach

    def _call(self, callee: ast.expr, node: ast.Call | None, scope: Scope) -> Reach:
        match callee:
            case ast.Name(id=name):
                bindings = self.scopes.bindings(name, scope)
                return self._bound(bindings) if bindings else self._builtin(name, node)
            case ast.Lambda():
                return Reach().add(direct=self._enterable(callee))
            case ast.Attribute(value=value, attr=name):
                return self._method(value, name, node, scope)
        return Reach().add("callee")

    def _bound(self, bindings: Iterable[Binding]) -> Reach:
        reach = Reach()
        for binding in bindings:
            if isinstance(binding, ast.ClassDef):
                reach.merge(self.construct(binding, set()))
            elif isinstance(binding, ast.AST):
                if isinstance(binding, _Def) and not _decorator_names(binding) <= PLAIN_DECORATORS:
                    reach.add("callee")
                reach.add(direct=self._enterable(binding))
            else:
                reach.add("foreign" if binding == "import" else "callee")
        return reach

    def construct(self, node: ast.ClassDef, seen: set[ast.AST]) -> Reach:
        """Calling a class of the document: what it and its bases define of the making of an instance."""
        reach = Reach()
        seen.add(node)
        names = {name: each for name, each in _class_members(node) if name in SPECIAL["make"]}
        for each in names.values():
            function = self.function(each) if each is not None else None
            reach.add(direct=self._only_enterable([function.qualname] if function else ()))
        if (
            any(self.function(each) is None for each in names.values() if each)
            or None in names.values()
            or node.keywords
            or (node.decorator_list and "__post_init__" not in names)
        ):
            reach.add("make")
        if self._is_foreign(node, set()) or any(not _is_dataclass(each) for each in node.decorator_list):
            reach.add("foreign")
        scope = self.scopes.scope(node)
        for base in node.bases:
            bindings = self.scopes.bindings(base.id, scope) if isinstance(base, ast.Name) else ()
            for binding in bindings:
                if isinstance(binding, ast.ClassDef) and binding not in seen:
                    reach.merge(self.construct(binding, seen))
        return reach

    def _builtin(self, name: str, node: ast.Call | None) -> Reach:
        if name in OPERATOR_BUILTINS:
            reach = Reach().add(OPERATOR_BUILTINS[name])
            if name == "print":
                named = {keyword.arg for keyword in node.keywords} if node is not None else {None}
                if named - {"sep", "end", "flush"}:
                    reach.add("foreign")
                reach.add(direct=[*self._methods.get("write", ()), *self._methods.get("flush", ())])
            if OPERATOR_BUILTINS[name] == "attribute":
                reach.add(direct=(q for names in self._accessors.values() for q in names))
            return reach
        if name == "type" and (node is None or len(node.args) != 1):
            return Reach().add("make", "foreign")
        if name in QUIET_BUILTINS or name.endswith(("Error", "Exception", "Warning")):
            return Reach()
        return Reach().add("foreign")

    def _method(self, receiver: ast.expr, name: str, node: ast.Call | None, scope: Scope) -> Reach:
        reach = Reach().add(direct=self._only_enterable(self._methods.get(name, ())))
        if reach.direct and name not in self._set_attributes and self._is_own(receiver, scope):
            return reach
        if name in QUIET_METHODS:
            return reach
        if name in LOOKUP_METHODS and not (node is not None and node.keywords):
            return reach.add("compare", "hash", "item", "text")
        return reach.add("foreign" if self._is_module(receiver, scope) else "callee")

    def _is_module(self, receiver: ast.expr, scope: Scope) -> bool:
        """True for what is imported, and attributes of it."""
        while isinstance(receiver, ast.Attribute):
            receiver = receiver.value
        return isinstance(receiver, ast.Name) and set(self.scopes.bindings(receiver.id, scope)) == {"import"}

    def _is_own(self, receiver: ast.expr, scope: Scope) -> bool:
        """True for `self`, `super()` and classes of the document, if no class here has a base from
        elsewhere."""
        match receiver:
            case ast.Call(func=ast.Name(id="super")):
                own = True
            case ast.Name(id=name):
                bindings = self.scopes.bindings(name, scope)
                own = bool(bindings) and all(isinstance(each, ast.ClassDef) for each in bindings)
                own = own or self._is_self(name, scope)
            case _:
                own = False
        return own and not self.overriding

    def _is_self(self, name: str, scope: Scope) -> bool:
        at: Scope | None = scope
        while at is not None and name not in at.bound:
            at = at.parent
        if at is None or at.bound[name] != ["unknown"] or not isinstance(at.node, _Def):
            return False
        arguments = [*at.node.args.posonlyargs, *at.node.args.args]
        plain = _decorator_names(at.node) <= {"classmethod", "property", "abstractmethod"}
        return (
            at.parent is not None
            and at.parent.is_class
            and plain
            and bool(arguments)
            and arguments[0].arg == name
        )


def _class_members(node: ast.ClassDef) -> Iterator[tuple[str, ast.AST | None]]:
    """The names a class body binds, with the def or lambda if it is one. Looks into `if` and `try` as
    well."""
    todo: list[ast.AST] = list(node.body)
    while todo:
        each = todo.pop(0)
        match each:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield each.name, each
            case ast.ClassDef():
                yield each.name, None
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    for part in ast.walk(target):
                        if isinstance(part, ast.Name):
                            yield part.id, value if isinstance(value, ast.Lambda | ast.Call) else None
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, None
            case ast.AnnAssign(value=None):
                pass
            case ast.stmt() | ast.excepthandler() | ast.match_case() | ast.withitem():
                todo.extend(ast.iter_child_nodes(each))


def _passes_name(node: ast.Call) -> bool:
    """True if a call gets a name or a lambda, which may be a function: `property(get)`."""
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return isinstance(node.func, ast.Name | ast.Attribute) and any(
        isinstance(value, ast.Name | ast.Lambda | ast.Attribute) for value in values
    )


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and len(name) > 4


def _last_name(node: ast.expr) -> str:
    """`b` of `a.b`, of `b[T]` and of `b(...)`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value) | ast.Call(func=value):
            return _last_name(value)
    return ""


def _is_dataclass(node: ast.expr) -> bool:
    return _last_name(node) in ("dataclass", "total_ordering", "final", "runtime_checkable")


def _decorator_names(node: ast.AST | None) -> set[str]:
    return {_last_name(each) for each in node.decorator_list} if isinstance(node, _Def) else set()


def _names_used(nodes: Iterable[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                names.add(name)
    return names


def _is_standard(node: ast.AST) -> bool:
    """False for an import of what is not in the standard library."""
    match node:
        case ast.Import(names=names):
            modules = [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=level):
            modules = [module or ""] if level == 0 else [""]
        case _:
            return True
    return all(name.partition(".")[0] in sys.stdlib_module_names | {"__future__"} for name in modules)


@lru_cache(maxsize=32)
def callables_of(document: Document) -> Callables:
    """The callables of a document, worked out once (the last few documents are remembered)."""
    return Callables(document)
