"""Local variables whose objects nobody else can reach: only what the function itself does to them changes
them.

A variable is private if it is only ever bound to objects made on the spot, and every use of it leaves no
other way to the object: its methods, its items, loops over it, builtins that look at it. Judged by the text
of the function alone. Leaves out what is inside the object: an element may well be known elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass

from cwm_lsp.source.functions import Function
from cwm_lsp.source.scopes import Binding, Scopes
from cwm_lsp.source.tables import (
    LOOKING_BUILTINS,
    MAKING_BUILTINS,
    MAKING_IMPORTS,
    MUTATING_METHODS,
    READING_METHODS,
    TAKING_METHODS,
)

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_Display = (
    ast.List
    | ast.Dict
    | ast.Set
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.JoinedStr
    | ast.Constant
    | ast.Compare
)
_SEES_LOCALS = frozenset({"locals", "vars", "eval", "exec"})


def private_names(function: Function, scopes: Scopes, defined: Container[str]) -> frozenset[str]:
    """The private variables of a function. `defined`: the methods that the document defines, which may do
    anything."""
    if not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return frozenset()
    judge = _Judge(scopes, defined)
    names: dict[str, bool] = {}
    bound: set[str] = set()
    # With each node: what decides about it, whether this function runs it, whether a comprehension does.
    todo: list[tuple[ast.AST, ast.AST, bool, bool]] = [
        (child, function.node, True, False) for child in function.node.body
    ]
    while todo:
        node, parent, own, inside = todo.pop()
        if isinstance(node, ast.Name):
            stores = isinstance(node.ctx, ast.Store)
            good = own and (judge.is_fresh(node, parent) if stores else judge.is_looked_at(node, parent))
            good = good and not (inside and _mutates(node, parent))
            if stores:
                bound.add(node.id)
            names[node.id] = names.get(node.id, True) and good
        elif isinstance(node, ast.Global | ast.Nonlocal):
            names.update(dict.fromkeys(node.names, False))
        for name in _bound_otherwise(node):
            names[name] = False
        own = own and not isinstance(node, _Inner)
        inside = inside or isinstance(node, _Comprehension)
        decides = _decider(node, parent)
        todo.extend((child, decides, own, inside) for child in ast.iter_child_nodes(node))
    if _SEES_LOCALS & names.keys():
        return frozenset()
    return frozenset(
        name for name, good in names.items() if good and name in bound and name not in function.parameters
    )


def private_globals(tree: ast.Module, scopes: Scopes, defined: Container[str]) -> frozenset[str]:
    """The module's variables whose objects are reached in the document through their names only."""
    judge = _Judge(scopes, defined)
    names: dict[str, bool] = {}
    todo: list[tuple[ast.AST, ast.AST]] = [(child, tree) for child in tree.body]
    while todo:
        node, parent = todo.pop()
        if isinstance(node, ast.Name) and scopes.owner(node.id, scopes.scope(node)) is scopes.module:
            stores = isinstance(node.ctx, ast.Store)
            good = judge.is_fresh(node, parent) if stores else judge.is_looked_at(node, parent)
            names[node.id] = names.get(node.id, True) and good and not isinstance(parent, ast.Return)
        for name in _bound_otherwise(node):
            names[name] = False
        decides = _decider(node, parent)
        todo.extend((child, decides) for child in ast.iter_child_nodes(node))
    if _SEES_LOCALS & names.keys():
        return frozenset()
    return frozenset(name for name, good in names.items() if good)


def _decider(node: ast.AST, parent: ast.AST) -> ast.AST:
    """The node that decides what becomes of the children: for `a.append` in `a.append(x)` that is the
    call."""
    if isinstance(node, ast.Attribute) and isinstance(parent, ast.Call) and parent.func is node:
        return parent
    if isinstance(node, ast.Tuple) and isinstance(parent, ast.Return):
        return parent
    return node


def _mutates(node: ast.Name, parent: ast.AST) -> bool:
    match parent:
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return value is node and name in MUTATING_METHODS
    return False


def _bound_otherwise(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case ast.alias(name=name, asname=other):
            yield (other or name).partition(".")[0]


@dataclass(frozen=True, slots=True)
class _Judge:
    scopes: Scopes
    defined: Container[str]

    def is_fresh(self, node: ast.Name, parent: ast.AST) -> bool:
        """True if what is bound to the variable here is a new object."""
        match parent:
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                return self._makes(value)
            case ast.AnnAssign(value=None) | ast.Delete():
                return True
            case ast.AugAssign(target=target):
                return target is node
        return False

    def _makes(self, value: ast.expr) -> bool:
        """True if the expression gives an object that nobody knows yet, or one that can't change."""
        if isinstance(value, _Display):
            return True
        match value:
            case ast.BinOp(left=left, op=ast.Add() | ast.Mult(), right=right):
                return isinstance(left, _Display) or isinstance(right, _Display)
            case ast.Subscript(slice=ast.Slice()):
                return True
            case ast.Call(func=ast.Name(id=name)):
                bindings = self._bindings(name, value)
                return (name in MAKING_BUILTINS and not bindings) or (
                    name in MAKING_IMPORTS and bindings == {"import"}
                )
            case ast.Call(func=ast.Attribute(attr="copy"), args=[]):
                return "copy" not in self.defined
            case ast.IfExp(body=body, orelse=other):
                return self._makes(body) and self._makes(other)
        return False

    def is_looked_at(self, node: ast.Name, parent: ast.AST) -> bool:
        """True if the place where the variable is read lets its object go nowhere."""
        match parent:
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if value is node:
                return name in MUTATING_METHODS or name in READING_METHODS
            case ast.Call(func=ast.Attribute(attr=name)):
                return name in TAKING_METHODS and name not in self.defined
            case ast.Call(func=ast.Name(id=name), args=arguments):
                gives_back = name in ("min", "max", "sum") and len(arguments) > 1
                return name in LOOKING_BUILTINS and not gives_back and not self._bindings(name, parent)
            case ast.Subscript(value=value):
                return value is node
            case ast.For(iter=value) | ast.AsyncFor(iter=value) | ast.comprehension(iter=value):
                return value is node
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
                return test is node
            case ast.BinOp(op=ast.Add() | ast.Mult() | ast.Mod()):
                return True
            case ast.AugAssign(value=value):
                return value is node
            case (
                ast.Compare()
                | ast.FormattedValue()
                | ast.Starred()
                | ast.Return()
                | ast.Expr()
                | ast.Delete()
            ):
                return True
            case ast.UnaryOp(op=ast.Not()):
                return True
        return False

    def _bindings(self, name: str, node: ast.AST) -> set[Binding]:
        return set(self.scopes.bindings(name, self.scopes.scope(node)))
