"""Names and places of a document, looked up once: what a name means, where statements start, what a
function binds.

Leaves out values at run time (world/machine.py).
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

from cwm_lsp.source.binding import module_names
from cwm_lsp.source.constants import is_loud, module_constants
from cwm_lsp.source.document import Document
from cwm_lsp.source.execute import Head, head_span, heads_by_line
from cwm_lsp.source.flow import flow_of
from cwm_lsp.source.functions import Function
from cwm_lsp.source.literals import Raises, Refused, compute, text_of, value_of
from cwm_lsp.source.literals_calls import Module
from cwm_lsp.source.literals_modules import KNOWN, MEMBERS
from cwm_lsp.source.operations import Unsupported


class Names:
    """Look-ups for one document. Make it with `names_of`, which keeps it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._heads: dict[int, dict[int, Head]] = {}
        self._locals: dict[int, frozenset[str]] = {}
        self._free: dict[str, tuple[str, ...]] = {}
        self._declared: dict[tuple[int, type], frozenset[str]] = {}
        self._try_nodes: dict[int, list[ast.Try]] = {}
        self._handlers: dict[tuple[int, int], int | None] = {}
        self._gone: dict[tuple[int, int, int], frozenset[str]] = {}
        self._variables: dict[int, tuple[str, ...]] = {}

    @cached_property
    def _by_node(self) -> dict[int, Function]:
        return {id(function.node): function for function in self.document.functions}

    @cached_property
    def constants(self) -> dict[str, str]:
        """What the module's names hold once it is loaded, as texts: those that plain assignments give."""
        return module_constants(self.document)

    @cached_property
    def _classes(self) -> dict[str, ast.ClassDef]:
        return {node.name: node for node in self.document.tree.body if isinstance(node, ast.ClassDef)}

    def meaning(self, name: str) -> Any:
        """What a name means outside of any function: a Function, a ClassDef, or a builtin object; None if it
        is unknown or one of `constants`."""
        if name in self.constants:
            return None
        function = self.document.function(name)
        if function is not None:
            return function if self._bound_once(name) else None
        if name in self._classes:
            return self._classes[name] if self._bound_once(name) else None
        if name in self._imports and self._bound_once(name):
            return self._imports[name]
        if name in self._module_names or name.startswith("__"):
            return None
        return getattr(builtins, name, None)

    @cached_property
    def _module_names(self) -> set[str]:
        return module_names(self.document)

    @cached_property
    def _imports(self) -> dict[str, Any]:
        """What of the modules that are computed the file imports, by the names that it gives them."""
        found: dict[str, Any] = {}
        for node in self.document.tree.body:
            if isinstance(node, ast.Import):
                known = [alias for alias in node.names if alias.name in KNOWN]
                found |= {alias.asname or alias.name: Module(alias.name) for alias in known}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                places = [(alias, (node.module or "", alias.name)) for alias in node.names]
                found |= {
                    alias.asname or alias.name: MEMBERS[place] for alias, place in places if place in MEMBERS
                }
        return found

    @cached_property
    def _times_bound(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for node in self.document.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[node.name] += 1
            else:
                found.update(
                    part.id
                    for part in ast.walk(node)
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
                )
        return found

    def _bound_once(self, name: str) -> bool:
        return self._times_bound[name] < 2

    def _is_exception(self, name: str) -> bool:
        node = self._classes.get(name)
        if node is None or self.document.function(f"{name}.__init__") is not None:
            return False
        bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        return any(is_builtin_exception(base) or self._is_exception(base) for base in bases)

    def is_class(self, name: str) -> bool:
        """True for a class that the module defines."""
        return name in self._classes

    def is_exception(self, name: str) -> bool:
        """True for exception classes whose `repr` is the usual one, builtin or of the document."""
        return is_builtin_exception(name) or self._is_exception(name)

    def function_of(self, node: ast.AST) -> Function:
        """The function that a def, lambda or comprehension makes. Raises Unsupported if it makes none."""
        found = self._by_node.get(id(node))
        if found is None:
            raise Unsupported("this part of the file makes no function that is known")
        return found

    def _function(self, qualname: str) -> Function:
        found = self.document.function(qualname)
        if found is None:
            raise Unsupported(f"{qualname} is not a function of this file")
        return found

    def parameters(self, function: Function) -> ast.arguments:
        """The parameters of a def or lambda."""
        node = function.node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return node.args
        raise Unsupported(f"{function.qualname} has no parameters")

    def default(self, function: Function, parameter: str) -> ast.expr | None:
        """The default expression of a parameter."""
        spec = getattr(function.node, "args", None)
        if not isinstance(spec, ast.arguments):
            return None
        names = [argument.arg for argument in (*spec.posonlyargs, *spec.args)]
        found: dict[str, ast.expr | None] = dict(
            zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True)
        )
        found |= {
            argument.arg: given for argument, given in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        }
        return found.get(parameter)

    def constant_text(self, node: ast.expr) -> str | None:
        """The `repr` of an expression over the module's constants; None if it can't be told."""
        try:
            values = {name: value_of(text) for name, text in self.constants.items()}
            return text_of(compute(node, values))
        except (Refused, Raises):
            return None

    def decorators(self, function: Function) -> tuple[str, ...]:
        """What stands before a def, as texts."""
        return tuple(ast.unparse(part) for part in getattr(function.node, "decorator_list", ()))

    def class_around(self, function: Function) -> str | None:
        """The class of the module in whose body a method stands."""
        name = function.qualname.rpartition(".")[0]
        return name if name in self._classes else None

    def bases(self, class_name: str) -> tuple[str, ...] | None:
        """A class of the document and those that it is based on, in the order in which they are looked
        through; None if one of them is not of the document."""
        node = self._classes.get(class_name)
        if node is None or len(node.bases) > 1 or node.keywords:
            return None
        if not node.bases:
            return (class_name,)
        base = node.bases[0]
        if not isinstance(base, ast.Name):
            return None
        if base.id == "object":
            return (class_name,)
        above = self.bases(base.id)
        return None if above is None or class_name in above else (class_name, *above)

    def class_is_special(self, class_name: str) -> bool:
        """True for a class whose instances are not made in the usual way."""
        node = self._classes.get(class_name)
        return (
            node is None
            or bool(node.decorator_list)
            or self.document.function(f"{class_name}.__new__") is not None
            or any(isinstance(part, ast.Name) and part.id == "__slots__" for part in ast.walk(node))
        )

    def class_constant(self, class_name: str, name: str) -> str | None:
        """The `repr` of a value that a class's body gives to a name, once."""
        node = self._classes.get(class_name)
        found = [
            part.value
            for part in (node.body if node is not None else ())
            if isinstance(part, ast.Assign | ast.AnnAssign) and part.value is not None
            for target in (part.targets if isinstance(part, ast.Assign) else [part.target])
            if isinstance(target, ast.Name) and target.id == name
        ]
        if len(found) != 1 or (name in self._set_attributes and is_loud(self.document)):
            return None
        return self.constant_text(found[0])

    @cached_property
    def _set_attributes(self) -> frozenset[str]:
        """Attributes that are set anywhere in the file."""
        return frozenset(
            node.attr
            for node in ast.walk(self.document.tree)
            if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
        )

    def exception_bases(self, name: str) -> tuple[str, ...] | None:
        """The names of an exception class and of all its bases; None if they are not known."""
        node = self._classes.get(name)
        if node is not None:
            found = [name]
            for base in node.bases:
                above = (
                    self.exception_bases(base.id) if isinstance(base, ast.Name) and base.id != name else None
                )
                if above is None:
                    return None
                found += above
            return tuple(found)
        if name in self._module_names or not is_builtin_exception(name):
            return None
        return tuple(kind.__name__ for kind in getattr(builtins, name).__mro__)

    def is_local(self, function: Function, name: str) -> bool:
        """True for a name that the function itself binds."""
        found = self._locals.get(id(function))
        if found is None:
            found = self._locals[id(function)] = frozenset(self.variables(function)) - self.declared(
                function, ast.Global
            )
        return name in found

    def declared(self, function: Function, kind: type[ast.Global] | type[ast.Nonlocal]) -> frozenset[str]:
        """Names that the function declares global or nonlocal."""
        key = (id(function), kind)
        found = self._declared.get(key)
        if found is None:
            node = function.node
            body = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
            found = self._declared[key] = frozenset(
                name for part in _own_parts(body) if isinstance(part, kind) for name in part.names
            )
        return found

    def finally_of(self, function: Function, line: int) -> int | None:
        """The line of the `finally` that a return at a line goes through; None if there is none."""
        best: tuple[int, int] | None = None
        for node in self._tries(function):
            if not node.finalbody:
                continue
            first, last = node.finalbody[0].lineno, node.finalbody[-1].end_lineno or 0
            if node.lineno <= line <= last and line < first and (best is None or node.lineno > best[0]):
                best = (node.lineno, first)
        return best[1] if best else None

    def _tries(self, function: Function) -> list[ast.Try]:
        found = self._try_nodes.get(id(function))
        if found is None:
            found = self._try_nodes[id(function)] = [
                node for node in ast.walk(function.node) if isinstance(node, ast.Try)
            ]
        return found

    def heads(self, function: Function) -> dict[int, Head]:
        """The statement that starts on each line of a function."""
        found = self._heads.get(id(function))
        if found is None:
            body = (
                function.node.body
                if isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef)
                else []
            )
            found = self._heads[id(function)] = heads_by_line(body)
        return found

    def head_around(self, function: Function, line: int) -> Head | None:
        """The statement that starts on a line, or whose head goes on there."""
        heads = self.heads(function)
        found = heads.get(line)
        if found is not None:
            return found
        around = [head for head in heads.values() if head_span(head)[0] <= line <= head_span(head)[1]]
        return max(around, key=lambda head: head_span(head)[0], default=None)

    def block(self, function: Function, head: Head) -> list[ast.stmt]:
        """The statements among which a statement stands."""
        return self._blocks(function).get(id(head), [])

    @lru_cache(maxsize=256)  # noqa: B019
    def _blocks(self, function: Function) -> dict[int, list[ast.stmt]]:
        blocks: dict[int, list[ast.stmt]] = {}
        for node in ast.walk(function.node):
            for name in ("body", "orelse", "finalbody"):
                part = getattr(node, name, None)
                if isinstance(part, list):
                    for statement in part:
                        blocks[id(statement)] = part
        return blocks

    def loop_starts(self, function: Function, line: int) -> tuple[int, ...]:
        """Where the innermost loop around a line goes on: its head, or the first line of its body."""
        loops = [
            node
            for node in ast.walk(function.node)
            if isinstance(node, ast.For | ast.While)
            and node.lineno <= line <= (node.body[-1].end_lineno or line)
        ]
        inner = max(loops, key=lambda node: node.lineno, default=None)
        return () if inner is None else (inner.lineno, inner.body[0].lineno)

    def after_one_liner(self, function: Function, line: int) -> tuple[int, ...] | None:
        """What comes after an `if` whose body stands on its line; None if there is no such `if`."""
        head = self.heads(function).get(line)
        if not isinstance(head, ast.If) or head.body[0].lineno != line:
            return None
        if head.orelse:
            return (head.orelse[0].lineno,)
        block = self.block(function, head)
        at = next(at for at, each in enumerate(block) if each is head)
        return (block[at + 1].lineno,) if at + 1 < len(block) else self.loop_starts(function, line)

    def successors(self, function: Function, line: int) -> tuple[int, ...]:
        """The lines that may come after a line."""
        return flow_of(self.document).successors(function.qualname, line)

    def entry_lines(self, function: Function) -> list[int]:
        """Where a function begins: its first statement that is no docstring."""
        node = function.node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return [function.def_line]
        real = [part for part in node.body if not is_docstring(part)]
        return [(real or node.body)[0].lineno]

    def first_inside(self, function: Function, line: int) -> int | None:
        """The line on which the body of the statement at a line begins (a comprehension's is its own)."""
        if not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
            return line
        body = getattr(self.head_around(function, line), "body", None)
        if not isinstance(body, list) or not body:
            return None
        first: ast.stmt = body[0]
        decorators = getattr(first, "decorator_list", [])
        return decorators[0].lineno if decorators else first.lineno

    def handler(self, function: Function, line: int) -> int | None:
        """Where an exception raised at a line goes in this function: its first except clause or finally
        line."""
        best: tuple[int, int] | None = None
        for node in ast.walk(function.node):
            if not isinstance(node, ast.Try):
                continue
            body_end = node.body[-1].end_lineno or line
            rest = [*node.orelse, *(part for handler in node.handlers for part in handler.body)]
            if node.body[0].lineno <= line <= body_end and node.handlers:
                target = node.handlers[0].lineno
            elif node.finalbody and (
                node.body[0].lineno <= line <= body_end
                or any(part.lineno <= line <= (part.end_lineno or line) for part in rest)
                or any(handler.lineno == line for handler in node.handlers)
            ):
                target = node.finalbody[0].lineno
            else:
                continue
            if best is None or node.lineno > best[0]:
                best = (node.lineno, target)
        return best[1] if best else None

    def unbound_between(self, function: Function, line: int, following: int) -> frozenset[str]:
        """Names of `except ... as name` clauses that are left when going from one line to another."""
        key = (id(function), line, following)
        found = self._gone.get(key)
        if found is None:
            found = self._gone[key] = frozenset(
                head.name
                for head in self.heads(function).values()
                if isinstance(head, ast.ExceptHandler)
                and head.name
                and head.lineno <= line <= (head.end_lineno or line)
                and not head.lineno <= following <= (head.end_lineno or following)
            )
        return found

    def nonlocals(self, function: Function) -> frozenset[str]:
        """Names that the function declares nonlocal."""
        return self.declared(function, ast.Nonlocal)

    def free_names(self, qualname: str) -> tuple[str, ...]:
        """Names that a function uses and does not bind, sorted: those of the functions around it (closures.py
        knows which they really are), of the module, and builtins."""
        found = self._free.get(qualname)
        if found is None:
            function = self._function(qualname)
            node = function.node
            bound = set(function.parameters) | set(self.variables(function))
            outside: set[int] = set()
            if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
                outside = {id(part) for part in ast.walk(node.generators[0].iter)}
            used = {
                name.id for name in ast.walk(node) if isinstance(name, ast.Name) and id(name) not in outside
            }
            free = (used - bound) | set(self.nonlocals(function))
            found = self._free[qualname] = tuple(sorted(free))
        return found

    def variables(self, function: Function) -> tuple[str, ...]:
        """The function's own variables in the order of `co_varnames`: parameters, then as first met."""
        found = self._variables.get(id(function))
        if found is None:
            names = dict.fromkeys(function.parameters)
            outer = self.nonlocals(function)
            node = function.node
            parts: Sequence[ast.AST] = (node,)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                parts = node.body
            for part in parts:
                for name in _stores(part):
                    if name not in outer:
                        names.setdefault(name)
            found = self._variables[id(function)] = tuple(names)
        return found


def _own_parts(body: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of a function's body that are not in functions or classes within it."""
    todo = list(body)
    while todo:
        part = todo.pop()
        yield part
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(part))


def is_docstring(node: ast.stmt) -> bool:
    """True for a statement that is only a string."""
    if not isinstance(node, ast.Expr):
        return False
    return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _stores(node: ast.AST) -> list[str]:
    """Names bound by a node, inner functions left out, in source order."""
    found: list[tuple[int, int, str]] = []
    todo: list[tuple[ast.AST, bool]] = [(node, True)]
    while todo:
        current, outermost = todo.pop()
        if isinstance(current, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((current.lineno, current.col_offset, current.name))
            continue
        if isinstance(current, ast.Lambda) and not outermost:
            continue
        comprehension = isinstance(current, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
        if comprehension and not outermost:
            continue
        if isinstance(current, ast.Name) and isinstance(current.ctx, ast.Store):
            found.append((current.lineno, current.col_offset, current.id))
        elif isinstance(current, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and current.name:
            found.append((current.lineno, current.col_offset, current.name))
        elif isinstance(current, ast.alias):
            found.append(
                (current.lineno, current.col_offset, current.asname or current.name.partition(".")[0])
            )
        todo.extend((child, False) for child in ast.iter_child_nodes(current))
    return [name for _, _, name in sorted(found)]


def is_builtin_exception(name: str) -> bool:
    """True for the builtin exception classes."""
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


@lru_cache(maxsize=64)
def names_of(document: Document) -> Names:
    """The look-ups of a document, made once."""
    return Names(document)


__all__ = ["Names", "head_span", "is_builtin_exception", "names_of"]
