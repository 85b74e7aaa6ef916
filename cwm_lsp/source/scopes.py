"""What a name in a document may be bound to: the scopes of the tree, and who binds what in each.

Follows Python's rules (global, nonlocal, class scopes are skipped from inside, `:=` in a comprehension binds
outside of it). Leaves out values: a binding is a `def`, a `class`, a `lambda`, or something that can't be
told from the text.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from cwm_lsp.source.document import Document

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
Binding = Definition | Literal["import", "unknown"]
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_ScopeNode = ast.Module | Definition | _Comprehension


@dataclass(eq=False)
class Scope:
    """One scope. `bound` tells what the statements of this scope bind each name to."""

    node: _ScopeNode
    parent: Scope | None
    bound: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, Literal["global", "nonlocal"]] = field(default_factory=dict)

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)


class Scopes:
    """The scopes of one document; make it with `scopes_of`."""

    def __init__(self, tree: ast.Module) -> None:
        self.module = Scope(tree, None)
        self._of: dict[ast.AST, Scope] = {}
        self._by_node: dict[ast.AST, Scope] = {}
        self._elsewhere: list[tuple[Scope, str, Binding]] = []
        todo: list[tuple[ast.AST, Scope]] = [(child, self.module) for child in tree.body]
        while todo:
            node, scope = todo.pop()
            todo.extend(self._visit(node, scope))
        for scope, name, binding in self._elsewhere:
            self.owner(name, scope).bound.setdefault(name, []).append(binding)

    def scope(self, node: ast.AST) -> Scope:
        """The scope in which a call, a decorator, a name or an attribute is evaluated."""
        return self._of.get(node, self.module)

    def inside(self, node: ast.AST) -> Scope | None:
        """The scope that a definition or comprehension opens."""
        return self._by_node.get(node)

    def owner(self, name: str, scope: Scope) -> Scope:
        """The scope that a name used there belongs to; the module's if no other."""
        at, first = scope, True
        while at.parent is not None:
            if at.outer.get(name) == "global":
                return self.module
            if name not in at.outer and name in at.bound and (first or not at.is_class):
                return at
            at, first = at.parent, False
        return self.module

    def bindings(self, name: str, scope: Scope) -> tuple[Binding, ...]:
        """Everything in the document that the name may mean there; nothing if no one binds it (a builtin)."""
        first, at = True, scope
        while True:
            declared = at.outer.get(name)
            if declared == "global":
                return tuple(self.module.bound.get(name, ()))
            if declared is None and name in at.bound and (first or not at.is_class):
                found = tuple(at.bound[name])
                # A class body looks further out for what it has not bound yet.
                return found if not at.is_class else (*found, *self._further(name, at))
            if at.parent is None:
                return ()
            first, at = False, at.parent

    def _further(self, name: str, scope: Scope) -> tuple[Binding, ...]:
        return self.bindings(name, scope.parent) if scope.parent is not None else ()

    def _bind(self, scope: Scope, name: str, binding: Binding) -> None:
        if name in scope.outer:
            self._elsewhere.append((scope, name, binding))
        else:
            scope.bound.setdefault(name, []).append(binding)

    def _visit(self, node: ast.AST, scope: Scope) -> list[tuple[ast.AST, Scope]]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(scope, node.name, node)
                return self._open(node, scope)
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._open(node, scope)
            case ast.Name(id=name, ctx=context):
                self._of[node] = scope
                if not isinstance(context, ast.Load):
                    self._bind(scope, name, "unknown")
            case ast.NamedExpr(target=ast.Name(id=name) as target, value=value):
                outer = scope
                while isinstance(outer.node, _Comprehension) and outer.parent is not None:
                    outer = outer.parent
                self._of[target] = scope
                self._bind(outer, name, "unknown")
                return [(value, scope)]
            case ast.Assign(targets=targets, value=ast.Lambda() as value):
                others = [each for each in targets if not isinstance(each, ast.Name)]
                for each in targets:
                    if isinstance(each, ast.Name):
                        self._of[each] = scope
                        self._bind(scope, each.id, value)
                return [(child, scope) for child in [*others, value]]
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    self._bind(scope, (alias.asname or alias.name).partition(".")[0], "import")
            case ast.ExceptHandler(name=str(name)):
                self._bind(scope, name, "unknown")
            case (
                ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name))
            ):
                self._bind(scope, name, "unknown")
            case _:
                self._of[node] = scope
        return [(child, scope) for child in ast.iter_child_nodes(node)]

    def _open(self, node: Definition | _Comprehension, scope: Scope) -> list[tuple[ast.AST, Scope]]:
        inner = Scope(node, scope)
        self._by_node[node] = inner
        self._of[node] = scope
        if isinstance(node, ast.ClassDef):
            outside: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
            self._declare(inner, node.body)
            return [*((each, scope) for each in outside), *((each, inner) for each in node.body)]
        if isinstance(node, _Comprehension):
            first, *others = node.generators
            elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
            parts: list[ast.AST] = [first.target, *first.ifs, *others, *elements]
            return [(first.iter, scope), *((each, inner) for each in parts)]
        arguments = node.args
        every = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]
        for each in every:
            if each is not None:
                inner.bound.setdefault(each.arg, []).append("unknown")
        body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        around: list[ast.AST] = [arguments]
        if not isinstance(node, ast.Lambda):
            self._declare(inner, node.body)
            around.extend(node.decorator_list)
            if node.returns is not None:
                around.append(node.returns)
        return [*((each, scope) for each in around), *((each, inner) for each in body)]

    def _declare(self, scope: Scope, body: list[ast.stmt]) -> None:
        """Takes up the global and nonlocal statements of a body before anything in it is bound."""
        todo: list[ast.AST] = list(body)
        while todo:
            node = todo.pop()
            if isinstance(node, ast.Global | ast.Nonlocal):
                kind: Literal["global", "nonlocal"] = "global" if isinstance(node, ast.Global) else "nonlocal"
                scope.outer.update(dict.fromkeys(node.names, kind))
            elif not isinstance(node, Definition):
                todo.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))


@lru_cache(maxsize=32)
def scopes_of(document: Document) -> Scopes:
    """The scopes of a document, worked out once (the last few documents are remembered)."""
    return Scopes(document.tree)


@lru_cache(maxsize=32)
def nodes_of(document: Document) -> tuple[ast.AST, ...]:
    """All nodes of a document's tree, listed once."""
    return tuple(ast.walk(document.tree))
