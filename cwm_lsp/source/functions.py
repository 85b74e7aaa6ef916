"""The table of functions: every def, async def, lambda and comprehension, named as CPython 3.11 names it.

Read from the syntax tree, so it is the same on every Python: on 3.12 and later, which inline comprehensions,
they are still listed. Leaves out what happens inside a function (flow, effects).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

FunctionKind = Literal["function", "async", "lambda", "listcomp", "setcomp", "dictcomp", "genexpr"]
FunctionNode = (
    ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

_COMPREHENSIONS: dict[type[ast.AST], FunctionKind] = {
    ast.ListComp: "listcomp",
    ast.SetComp: "setcomp",
    ast.DictComp: "dictcomp",
    ast.GeneratorExp: "genexpr",
}


@dataclass(frozen=True, slots=True)
class Function:
    """One function as the interpreter would make it.

    `qualname` is the code object's (`f`, `C.m`, `f.<locals>.<listcomp>`); `first_line` its `co_firstlineno`
    (that of the first decorator, if any), `def_line` where `def`, `lambda` or the comprehension itself is.
    `parameters` are in the order of `co_varnames` (positional, keyword-only, `*args`, `**kwargs`), private
    names mangled.
    `parent` is the qualname of the nearest enclosing function, classes skipped.
    """

    qualname: str
    name: str
    node: FunctionNode
    first_line: int
    def_line: int
    last_line: int
    parameters: tuple[str, ...]
    kind: FunctionKind
    is_generator: bool
    parent: str | None


@dataclass(eq=False)
class _Scope:
    """A scope while the table is made; classes and the module are scopes too, but no functions."""

    kind: Literal["module", "class"] | FunctionKind
    qualname: str
    name: str
    node: ast.AST
    private: str | None  # the class whose name mangles `__x` here
    function: _Scope | None  # the nearest enclosing function
    globals: set[str] = field(default_factory=set)
    yields: bool = False

    @property
    def prefix(self) -> str:
        """What the qualnames of the functions directly inside begin with."""
        if self.kind == "module":
            return ""
        return self.qualname + (".<locals>." if self.kind in ("function", "async", "lambda") else ".")

    @property
    def nearest_function(self) -> _Scope | None:
        return self.function if self.kind in ("module", "class") else self


def mangle(private: str | None, name: str) -> str:
    """The name as the compiler stores it inside class `private`: `__x` becomes `_C__x`."""
    if private is None or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    owner = private.lstrip("_")
    return f"_{owner}{name}" if owner else name


def functions_of(tree: ast.Module) -> tuple[Function, ...]:
    """All functions of the module in source order, an outer one before those inside it."""
    lazy = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
    module = _Scope("module", "", "", tree, None, None)
    found: list[_Scope] = []
    # A scope's `global` statements must be known before a def in it is named: a whole scope is walked first.
    todo = [(module, cast("list[ast.AST]", list(tree.body)))]
    while todo:
        scope, nodes = todo.pop()
        inner = _walk_scope(scope, nodes, lazy)
        scope.globals = {
            mangle(scope.private, name)
            for node in inner
            if isinstance(node, ast.Global)
            for name in node.names
        }
        for node in inner:
            if isinstance(node, ast.Yield | ast.YieldFrom):
                scope.yields = True
            elif not isinstance(node, ast.Global):
                child = _open(scope, node)
                todo.append((child, list(_inside(node))))
                if child.kind != "class":
                    found.append(child)
    found.sort(key=_position)
    return tuple(_function(scope) for scope in found)


def _walk_scope(scope: _Scope, nodes: Iterable[ast.AST], lazy: bool) -> list[ast.AST]:
    """What matters of one scope: its yields, global statements and the scopes that open in it."""
    wanted: list[ast.AST] = []
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom | ast.Global):
            wanted.append(node)
            stack.extend(ast.iter_child_nodes(node))
        elif isinstance(node, FunctionNode | ast.ClassDef):
            wanted.append(node)
            stack.extend(_outside(node, lazy))
        elif isinstance(node, ast.AnnAssign):
            stack.append(node.target)
            # Annotations of variables are never evaluated in a function, only in a module or a class.
            if not lazy and scope.kind in ("module", "class"):
                stack.append(node.annotation)
            if node.value is not None:
                stack.append(node.value)
        else:
            stack.extend(ast.iter_child_nodes(node))
    return wanted


def _outside(node: ast.AST, lazy: bool) -> Iterator[ast.AST]:
    """The parts of a scope's statement or expression that the scope around it evaluates."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from node.decorator_list
        yield from _defaults(node.args)
        if not lazy:
            arguments = node.args
            every = [
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                arguments.vararg,
                arguments.kwarg,
            ]
            yield from (a.annotation for a in every if a is not None and a.annotation is not None)
            if node.returns is not None:
                yield node.returns
    elif isinstance(node, ast.Lambda):
        yield from _defaults(node.args)
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
        yield from (keyword.value for keyword in node.keywords)
    elif isinstance(node, _Comprehension):
        yield node.generators[0].iter


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from (default for default in arguments.kw_defaults if default is not None)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that the new scope evaluates itself."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from node.body
    elif isinstance(node, ast.Lambda):
        yield node.body
    elif isinstance(node, _Comprehension):
        first, *others = node.generators
        yield first.target
        yield from first.ifs
        yield from others
        if isinstance(node, ast.DictComp):
            yield node.key
            yield node.value
        else:
            yield node.elt


def _open(scope: _Scope, node: ast.AST) -> _Scope:
    kind: Literal["class"] | FunctionKind
    private = scope.private
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        name = node.name
        if isinstance(node, ast.ClassDef):
            kind, private = "class", name
        else:
            kind = "function" if isinstance(node, ast.FunctionDef) else "async"
        # `global g` in the scope around makes `def g` a module-level name, and its qualname says so.
        prefix = "" if mangle(scope.private, name) in scope.globals else scope.prefix
    else:
        kind = "lambda" if isinstance(node, ast.Lambda) else _COMPREHENSIONS[type(node)]
        name, prefix = f"<{kind}>", scope.prefix
    return _Scope(kind, prefix + name, name, node, private, scope.nearest_function)


def _first_line(node: ast.AST) -> int:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list:
        return node.decorator_list[0].lineno
    return cast("int", node.lineno)  # type: ignore[attr-defined]


def _position(scope: _Scope) -> tuple[int, int]:
    return _first_line(scope.node), cast("int", scope.node.col_offset)  # type: ignore[attr-defined]


def _function(scope: _Scope) -> Function:
    node = cast("FunctionNode", scope.node)
    if isinstance(node, _Comprehension):
        parameters: tuple[str, ...] = (".0",)
    else:
        a = node.args
        ordered = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
        parameters = tuple(mangle(scope.private, arg.arg) for arg in ordered if arg is not None)
    return Function(
        qualname=scope.qualname,
        name=scope.name,
        node=node,
        first_line=_first_line(node),
        def_line=node.lineno,
        last_line=node.end_lineno or node.lineno,
        parameters=parameters,
        kind=cast("FunctionKind", scope.kind),
        is_generator=scope.yields or scope.kind == "genexpr",
        parent=scope.function.qualname if scope.function else None,
    )
