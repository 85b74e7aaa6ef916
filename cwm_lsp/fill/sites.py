"""Where a hole stands: its node, what is around it, what role its value plays, and whether it can be filled.

Leaves out values (states.py) and what could stand there (bank.py).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

from cwm_lsp.fill.running import Program
from cwm_lsp.fill.statements import assigned_names
from cwm_lsp.source.document import Document
from cwm_lsp.source.holes import Hole

Role = Literal[
    "condition", "iterable", "init", "value", "step", "return", "operand", "index", "bound", "argument",
    "tuple", "target", "statement", "name",
]  # fmt: skip


@dataclass(eq=False)
class Site:
    """A hole in its surroundings.

    `index` counts the document's holes; `path` are the ancestors, innermost first, each with the field that
    leads to the hole; `function` is the def around it that stands at the top level. `sibling` is the other
    side of its operator, the target that it changes, or the container that it indexes; `sign` the operator;
    `arity` how many values are unpacked.
    """

    index: int
    hole: Hole
    node: ast.AST
    path: tuple[tuple[ast.AST, str], ...]
    function: ast.FunctionDef
    role: Role = "value"
    sibling: ast.expr | None = None
    sign: str = ""
    arity: int = 0
    unread: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    assigned: str | None = None
    loops: tuple[ast.AST, ...] = field(default=())


Refusals = dict[int, str]


def sites_of(document: Document, program: Program) -> tuple[list[Site], Refusals]:
    """The holes that can be filled, and for the others (by index) a sentence why not."""
    parents: dict[ast.AST, tuple[ast.AST, str]] = {}
    for node in ast.walk(program.tree):
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    parents[child] = (node, name)
    sites: list[Site] = []
    refusals: Refusals = {}
    for at, hole in enumerate(document.holes):
        found = program.hole_nodes.get(at)
        if found is None:
            refusals[at] = _unplaced(hole)
            continue
        path: list[tuple[ast.AST, str]] = []
        node = up = found
        while up in parents:
            path.append(parents[up])
            up = parents[up][0]
        reason = _refusal(path)
        functions = [p for p, name in path if isinstance(p, ast.FunctionDef) and name == "body"]
        if reason is None and any(isinstance(p, ast.ClassDef | ast.AsyncFunctionDef) for p, _ in path):
            reason = "it stands in a class or an async function, which are not tried out yet"
        if reason is None and not functions:
            reason = "it stands outside of any function: only code that a call runs can be tried out"
        if reason is not None:
            refusals[at] = f"The hole in line {hole.line}, column {hole.column} is left open: {reason}."
            continue
        site = Site(at, hole, node, tuple(path), functions[-1])
        _find_role(site)
        _find_uses(site)
        sites.append(site)
    return sites, refusals


def _unplaced(hole: Hole) -> str:
    if hole.place == "target":
        what = "it is a pattern of a match statement"
        return f"The hole in line {hole.line}, column {hole.column} is left open: {what}."
    what = (
        "it is part of an f-string"
        if hole.place == "expression"
        else "it names a thing that nothing here can tell"
    )
    return f"The hole in line {hole.line}, column {hole.column} is left open: {what}."


def _refusal(path: list[tuple[ast.AST, str]]) -> str | None:
    for parent, name in path:
        if isinstance(parent, ast.JoinedStr | ast.FormattedValue):
            return "it is part of an f-string"
        if name in ("annotation", "returns"):
            return "it is a type annotation, and no example can tell which type is meant"
        if name == "decorator_list":
            return "it is a decorator, and no call of the examples tells what it does"
        if isinstance(parent, ast.arguments):
            return "it is the default of a parameter, which most calls never use"
        if isinstance(parent, ast.Lambda):
            return "it is part of a lambda; make it a def, and it can be tried out"
        if isinstance(parent, ast.pattern | ast.match_case) and name not in ("body", "guard"):
            return "it is a pattern of a match statement"
    return None


def _find_role(site: Site) -> None:
    parent, name = site.path[0]
    hole = site.hole
    if hole.place == "statement":
        site.role = "statement"
    elif hole.place == "name":
        site.role = "name"
    elif hole.place == "target":
        site.role = "target"
    elif hole.place == "condition":
        site.role = "condition"
    elif hole.place == "iterable":
        site.role = "iterable"
        target = getattr(parent, "target", None)
        site.arity = len(target.elts) if isinstance(target, ast.Tuple) else 0
    elif isinstance(parent, ast.Assign):
        _assigned_role(site, parent)
    elif isinstance(parent, ast.AnnAssign) and isinstance(parent.target, ast.Name):
        site.role, site.assigned = "init", parent.target.id
    elif isinstance(parent, ast.AugAssign):
        site.role, site.sibling, site.sign = "step", parent.target, type(parent.op).__name__
        if isinstance(parent.target, ast.Name):
            site.sibling = ast.Name(parent.target.id, ast.Load())
        elif isinstance(parent.target, ast.Subscript):
            site.sibling = ast.Subscript(parent.target.value, parent.target.slice, ast.Load())
    elif isinstance(parent, ast.Return):
        site.role = "return"
    elif isinstance(parent, ast.BinOp):
        site.role, site.sign = "operand", type(parent.op).__name__
        site.sibling = parent.right if name == "left" else parent.left
    elif isinstance(parent, ast.Compare):
        site.role = "operand"
        if len(parent.ops) == 1:
            site.sign = type(parent.ops[0]).__name__ + (":left" if name == "left" else "")
            site.sibling = parent.comparators[0] if name == "left" else parent.left
    elif isinstance(parent, ast.Subscript):
        site.role, site.sibling = "index", parent.value
    elif isinstance(parent, ast.Slice):
        site.role = "bound"
        site.sibling = next((p.value for p, _ in site.path if isinstance(p, ast.Subscript)), None)
    elif isinstance(parent, ast.Call):
        _argument_role(site, parent)


def _assigned_role(site: Site, parent: ast.Assign) -> None:
    target = parent.targets[0]
    if isinstance(target, ast.Tuple | ast.List):
        site.role, site.arity = "tuple", len(target.elts)
        site.targets = tuple(ast.unparse(part) for part in target.elts)
        return
    if isinstance(target, ast.Name):
        site.assigned = target.id
        inside = any(isinstance(p, ast.For | ast.While) for p, _ in site.path)
        site.role = "value" if inside else "init"


def _argument_role(site: Site, call: ast.Call) -> None:
    site.role = "argument"
    if isinstance(call.func, ast.Name):
        site.sign = call.func.id
    elif isinstance(call.func, ast.Attribute):
        site.sign = "." + call.func.attr
    if site.sign in ("max", "min"):
        others = [argument for argument in call.args if argument is not site.node]
        site.sibling = others[0] if others else None


def _find_uses(site: Site) -> None:
    """Names of the function that nothing reads: what fills the hole likely does. The loops around it."""
    function = site.function
    read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    read |= {
        n.target.id
        for n in ast.walk(function)
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }
    bound = [a.arg for a in function.args.args] + assigned_names(function.body)
    site.unread = tuple(
        name for name in dict.fromkeys(bound) if name not in read and not name.startswith("_")
    )
    site.loops = tuple(p for p, name in site.path if isinstance(p, ast.For | ast.While) and name == "body")
