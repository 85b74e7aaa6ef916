"""Values that a line doesn't compute but only hands on: literals, other locals, what a call has just given
back.

They can be no other, so they are forced like `..` is; the value keeps the origin of where it was told.
Whatever takes an operator, a method or a library function to know is left out: that is for the model, or for
grounding "values".
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache

from cwm_lsp.source.binding import CallError, bind_values, literal_repr
from cwm_lsp.source.document import Document
from cwm_lsp.source.effects import is_settled
from cwm_lsp.source.functions import Function
from cwm_lsp.source.scopes import scopes_of
from cwm_lsp.trace.frame import Value
from cwm_lsp.world.bindings import Callee
from cwm_lsp.world.stack import Activation

Told = Mapping[str, Value]

LONGEST = 2000
"""Longer values are not forced: a recording cuts them somewhere."""
_PLAIN = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp, ast.Load, ast.UAdd, ast.USub)
_OTHER_SCOPES = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_NEITHER_NOR = ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom


class Teller:
    """What the statements of one document hand on."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._scopes = scopes_of(document)
        self._functions: dict[ast.AST, Function] = {
            function.node: function for function in document.functions
        }
        self._only_calls: dict[ast.AST, ast.Call | None] = {}
        self._running: dict[tuple[str, int], Function | None] = {}
        self._holes = {hole.line for hole in document.holes}
        self._heads: dict[int, list[ast.AST]] = defaultdict(list)
        for node in ast.walk(document.tree):
            if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                for line in _lines(node):
                    self._heads[line].append(node)

    def assigned(self, top: Activation) -> Told:
        """What the names of an assignment will hold once it is through."""
        statement = self._statement(top)
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            return dict(self._pairs(statement.target, statement.value, top))
        if not isinstance(statement, ast.Assign):
            return {}
        return {
            name: v for target in statement.targets for name, v in self._pairs(target, statement.value, top)
        }

    def returned(self, top: Activation) -> Value | None:
        """What a `return` gives back."""
        statement = self._statement(top)
        if not isinstance(statement, ast.Return):
            return None
        return self._value(statement.value, top) if statement.value is not None else Value("None", "computed")

    def arguments(self, top: Activation, callee: Callee) -> Told:
        """What the parameters of a function will hold that the line calls by its name."""
        head = self._head(top)
        if head is None or top.event != "line":
            return {}
        if head not in self._only_calls:
            self._only_calls[head] = _only_call(head)
        call = self._only_calls[head]
        if call is None or self._callee(call) != callee.function:
            return {}
        return self._bound(callee, call, top)

    def function(self, qualname: str, line: int) -> Function | None:
        """The function of that name that has the line."""
        key = (qualname, line)
        if key not in self._running:
            self._running[key] = self._document.function(qualname, line)
        return self._running[key]

    def _bound(self, callee: Callee, call: ast.Call, top: Activation) -> Told:
        function = self.function(callee.function, callee.line)
        if function is None or not isinstance(function.node, ast.FunctionDef):
            return {}
        if any(isinstance(each, ast.Starred) for each in call.args) or not all(k.arg for k in call.keywords):
            return {}
        try:
            values = bind_values(
                callee.function,
                function.node.args,
                [self._value(each, top) for each in call.args],
                [(each.arg or "", self._value(each.value, top)) for each in call.keywords],
                default=_default,
                packed=lambda rest: None if rest else Value("()", "computed"),
                named=lambda extra: None if extra else Value("{}", "computed"),
            )
        except CallError:
            return {}
        return {
            name: value
            for name, value in zip(callee.parameters, values.values(), strict=False)
            if value is not None
        }

    def _pairs(self, target: ast.expr, value: ast.expr, top: Activation) -> Iterator[tuple[str, Value]]:
        """The names of a target with what they get."""
        if isinstance(target, ast.Name):
            told = self._value(value, top)
            if told is not None:
                yield target.id, told
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            parts = [*target.elts, *value.elts]
            if len(target.elts) == len(value.elts) and not any(isinstance(p, ast.Starred) for p in parts):
                for inner, part in zip(target.elts, value.elts, strict=True):
                    yield from self._pairs(inner, part, top)

    def _value(self, node: ast.expr, top: Activation) -> Value | None:
        """What the expression is worth, where nobody needs to compute it."""
        if isinstance(node, ast.Name):
            return top.locals.get(node.id) if top.event == "line" else None
        if isinstance(node, ast.Call):
            last = top.results[-1] if top.event == "return" and top.pending is None and top.results else None
            return last.value if last is not None and self._callee(node) == last.function else None
        return _literal(node)

    def _callee(self, call: ast.Call) -> str | None:
        """The function that is called, if it can be only that one and calling it runs it."""
        if not isinstance(call.func, ast.Name):
            return None
        meant = self._scopes.bindings(call.func.id, self._scopes.scope(call.func))
        node = meant[0] if len(meant) == 1 else None
        if not isinstance(node, ast.FunctionDef) or node.decorator_list:
            return None
        function = self._functions.get(node)
        return None if function is None or function.is_generator else function.qualname

    def _head(self, top: Activation) -> ast.AST | None:
        """The only statement, or beginning of one, on the line of a running def."""
        heads = [] if top.line in self._holes else self._heads.get(top.line, [])
        function = self.function(top.function, top.line)
        if len(heads) != 1 or function is None or function.kind not in ("function", "async"):
            return None
        return heads[0]

    def _statement(self, top: Activation) -> ast.AST | None:
        return self._head(top) if top.road == "line" and top.event in ("line", "return") else None


def _literal(node: ast.expr | None) -> Value | None:
    if node is None or not all(isinstance(part, _PLAIN) for part in ast.walk(node)):
        return None
    try:
        text = literal_repr(node)
    except CallError:
        return None
    return Value(text, "computed") if len(text) <= LONGEST else None


def _default(_parameter: str, node: ast.expr) -> Value | None:
    value = _literal(node)
    return value if value is not None and is_settled(value.repr) else None


def _evaluated(head: ast.AST) -> Iterator[ast.AST]:
    """What runs with the beginning of a statement: not its blocks, and no bodies of functions."""
    todo: list[ast.AST] = [head]
    while todo:
        node = todo.pop()
        yield node
        for name, field in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody", "handlers", "cases") and isinstance(field, list):
                continue
            parts = field if isinstance(field, list) else [field]
            for part in parts:
                if isinstance(part, ast.AST):
                    todo.append(part)


def _lines(head: ast.stmt | ast.ExceptHandler | ast.match_case) -> range:
    """The lines of the beginning of a statement, or of all of it if it has no blocks."""
    ends = [node.end_lineno or 0 for node in _evaluated(head) if isinstance(node, ast.expr | ast.pattern)]
    starts = [node.lineno for node in _evaluated(head) if isinstance(node, ast.expr | ast.pattern | ast.stmt)]
    first = min(starts, default=0)
    return range(first, max([first, *ends]) + 1)


def _only_call(head: ast.AST) -> ast.Call | None:
    """The call by name that runs with the beginning of a statement, if nothing there can run before it or
    mean the same function."""
    parts = list(_evaluated(head))
    calls = [node for node in parts if isinstance(node, ast.Call)]
    if len(calls) != 1 or any(isinstance(node, _NEITHER_NOR | _OTHER_SCOPES) for node in parts):
        return None
    name = calls[0].func
    if not isinstance(name, ast.Name):
        return None
    uses = sum(isinstance(part, ast.Name) and part.id == name.id for part in parts)
    return calls[0] if uses == 1 else None


@lru_cache(maxsize=32)
def teller_of(document: Document) -> Teller:
    """What a document's statements hand on, looked up once (the last few documents are remembered)."""
    return Teller(document)
