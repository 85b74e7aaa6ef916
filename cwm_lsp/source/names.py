"""Names and places of a document, looked up once: what a name means, where statements start, what a
function binds.

Leaves out values at run time (world/machine.py).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from functools import cached_property, lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.execute import Head, heads_by_line
from cwm_lsp.source.flow import flow_of
from cwm_lsp.source.functions import Function
from cwm_lsp.source.operations import Ref, Unsupported


class Names:
    """Look-ups for one document. Make it with `names_of`, which keeps it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._heads: dict[str, dict[int, Head]] = {}
        self._nonlocals: dict[str, frozenset[str]] = {}
        self._free: dict[str, tuple[str, ...]] = {}
        self._variables: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _by_node(self) -> dict[int, Function]:
        return {id(function.node): function for function in self.document.functions}

    @cached_property
    def _constants(self) -> dict[str, str]:
        """Module-level names bound exactly once, to a literal."""
        bound: dict[str, list[str | None]] = {}
        for node in ast.walk(self.document.tree):
            if isinstance(node, ast.Global):
                for name in node.names:
                    bound.setdefault(name, []).append(None)
        for node in self.document.tree.body:
            for target, value in _assignments(node):
                bound.setdefault(target, []).append(value)
        return {
            name: values[0] for name, values in bound.items() if len(values) == 1 and values[0] is not None
        }

    @cached_property
    def _classes(self) -> dict[str, ast.ClassDef]:
        return {node.name: node for node in self.document.tree.body if isinstance(node, ast.ClassDef)}

    def module_name(self, name: str) -> Ref | None:
        """What a name means outside of any function: a function, class, constant or builtin; None if
        unknown."""
        if self.document.function(name) is not None:
            return Ref(f"<function {name}>", function=name)
        if name in self._classes:
            if self._is_exception(name):
                return Ref(f"<class '{name}'>", builtin=name)
            return Ref(f"<class '{name}'>", function=f"class {name}")
        if name in self._constants:
            return Ref(self._constants[name])
        if hasattr(builtins, name):
            kind = "class" if isinstance(getattr(builtins, name), type) else "built-in function"
            return Ref(f"<{kind} {name}>" if kind != "class" else f"<class '{name}'>", builtin=name)
        return None

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

    def parameters(self, qualname: str) -> ast.arguments:
        """The parameters of a def or lambda."""
        node = self._function(qualname).node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return node.args
        raise Unsupported(f"{qualname} has no parameters")

    def heads(self, function: Function) -> dict[int, Head]:
        """The statement that starts on each line of a function."""
        found = self._heads.get(function.qualname)
        if found is None:
            body = (
                function.node.body
                if isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef)
                else []
            )
            found = self._heads[function.qualname] = heads_by_line(body)
        return found

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

    def span(self, function: Function, line: int) -> tuple[int, int] | None:
        """First and last line of the statement head over several lines that holds a line; None on one
        line."""
        for head in self.heads(function).values():
            first, last = head_span(head)
            if first <= line <= last and first != last:
                return first, last
        return None

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
        body = getattr(self.heads(function).get(line), "body", None)
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
        return frozenset(
            head.name
            for head in self.heads(function).values()
            if isinstance(head, ast.ExceptHandler)
            and head.name
            and head.lineno <= line <= (head.end_lineno or line)
            and not head.lineno <= following <= (head.end_lineno or following)
        )

    def nonlocals(self, function: Function) -> frozenset[str]:
        """Names that the function declares nonlocal."""
        found = self._nonlocals.get(function.qualname)
        if found is None:
            node = function.node
            body = node.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
            declared = (part for statement in body for part in ast.walk(statement))
            found = frozenset(
                name for part in declared if isinstance(part, ast.Nonlocal) for name in part.names
            )
            self._nonlocals[function.qualname] = found
        return found

    def free_names(self, qualname: str) -> tuple[str, ...]:
        """Names that a function reads from the functions around it, in the order of `co_freevars`
        (sorted)."""
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
        found = self._variables.get(function.qualname)
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
            found = self._variables[function.qualname] = tuple(names)
        return found


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


def _assignments(node: ast.stmt) -> list[tuple[str, str | None]]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    value = getattr(node, "value", None)
    text: str | None = None
    if isinstance(value, ast.expr):
        try:
            text = repr(ast.literal_eval(value))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            text = None
    return [(target.id, text) for target in targets if isinstance(target, ast.Name)]


def head_span(head: Head) -> tuple[int, int]:
    """The lines of a statement without its blocks."""
    if isinstance(head, ast.If | ast.While):
        return head.lineno, head.test.end_lineno or head.lineno
    if isinstance(head, ast.For | ast.AsyncFor):
        return head.lineno, head.iter.end_lineno or head.lineno
    if isinstance(head, ast.With | ast.AsyncWith):
        return head.lineno, head.items[-1].context_expr.end_lineno or head.lineno
    if isinstance(head, ast.Match):
        return head.lineno, head.subject.end_lineno or head.lineno
    if isinstance(head, ast.match_case):
        return head.pattern.lineno, head.pattern.end_lineno or head.pattern.lineno
    if isinstance(head, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Try | ast.ExceptHandler):
        return head.lineno, head.lineno
    return head.lineno, head.end_lineno or head.lineno


def is_builtin_exception(name: str) -> bool:
    """True for the builtin exception classes."""
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


@lru_cache(maxsize=64)
def names_of(document: Document) -> Names:
    """The look-ups of a document, made once."""
    return Names(document)


__all__ = ["Names", "head_span", "is_builtin_exception", "names_of"]
