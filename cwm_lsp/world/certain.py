"""What is certain without computing anything: copies of names and constants, and lines that can't raise.

`choices` leaves all that a line does to the model. But `count = 0` sets 0, `return total` returns what
`total` holds, `f(word, 2)` is called with these, `x = f(y)` keeps what `f` has just returned, and a line that
only moves and compares numbers raises nothing. Each of these is a decision less, in every layout of the
trace. Values are taken for what their `repr` shows, as everywhere. Leaves out whatever needs evaluation
(grounding "values")."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function
from cwm_lsp.source.harmless import Harmless
from cwm_lsp.trace.codec import Choices, LocalChoice, Option
from cwm_lsp.world.stack import Activation, Stack


def certain(document: Document, stack: Stack, choices: Choices) -> Choices:
    """The same choices, with what is certain after this stack forced, and without what can't come."""
    top = stack.top
    if choices.free_form or top is None or top.event not in ("line", "return") or top.road != "line":
        return choices
    statement = statement_at(document, top.line)
    has_hole = any(hole.line == top.line for hole in document.holes)
    if statement is None or has_hole or top.pending is not None:
        return choices
    facts = _Facts(document, top, statement)
    return Choices(tuple(facts.forced(option) for option in choices.options if not facts.excludes(option)))


def statement_at(document: Document, line: int) -> ast.stmt | None:
    """The only statement on this line, all of it or its head; None if there are several, or it has more
    lines."""
    return _statements(document).get(line)


@lru_cache(maxsize=32)
def _statements(document: Document) -> dict[int, ast.stmt]:
    found: dict[int, ast.stmt | None] = {}
    for node in ast.walk(document.tree):
        if isinstance(node, ast.stmt):
            last = _end(node)
            for line in range(node.lineno, last + 1):
                found[line] = node if line not in found and last == node.lineno else None
    return {line: node for line, node in found.items() if node is not None}


def _end(node: ast.stmt) -> int:
    """The last line of a statement without the statements in it."""
    head = [node.lineno]
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            head += [
                part.end_lineno for part in ast.walk(child) if isinstance(part, ast.expr) and part.end_lineno
            ]
    has_body = isinstance(getattr(node, "body", None), list)
    return max(head) if has_body else node.end_lineno or node.lineno


class _Facts:
    """What a statement does for certain."""

    def __init__(self, document: Document, top: Activation, statement: ast.stmt) -> None:
        self.document = document
        self.top = top
        self.statement = statement
        self.untouched = top.event == "line"

    def excludes(self, option: Option) -> bool:
        """True for an exception on a line that can't raise."""
        if option.event != "exception" or not self.untouched or not self._here(option):
            return False
        held = {name: value.repr for name, value in self.top.locals.items()}
        return Harmless(self.document, held).statement(self.statement)

    def forced(self, option: Option) -> Option:
        """The option with the values that are certain."""
        if option.event == "return" and self._here(option) and option.arg is None:
            value = self._value(self.statement.value) if isinstance(self.statement, ast.Return) else None
            return option if value is None else replace(option, arg=value)
        if option.event == "line" and option.depth == self.top.depth:
            return self._assigned(option)
        if option.event == "call" and option.depth == self.top.depth + 1 and self.untouched:
            return self._called(option)
        return option

    def _here(self, option: Option) -> bool:
        return (option.function, option.line, option.depth) == (
            self.top.function,
            self.top.line,
            self.top.depth,
        )

    def _value(self, node: ast.expr | None) -> str | None:
        """The `repr` of what an expression gives, if it only names it."""
        if node is None:
            return "None" if isinstance(self.statement, ast.Return) else None
        if isinstance(node, ast.Call):
            return self._returned(node)
        if not self.untouched:
            return None
        if isinstance(node, ast.Constant):
            return repr(node.value) if node.value is not Ellipsis else None
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._negative(node.operand)
        if isinstance(node, ast.Name) and node.id in self.top.locals:
            return self.top.locals[node.id].repr
        return None

    def _negative(self, node: ast.expr) -> str | None:
        number = node.value if isinstance(node, ast.Constant) else None
        return repr(-number) if isinstance(number, int | float) and not isinstance(number, bool) else None

    def _returned(self, node: ast.Call) -> str | None:
        """What a call gave that has just come back."""
        if self.untouched or not self.top.results or not isinstance(node.func, ast.Name):
            return None
        last = self.top.results[-1]
        callee = self._plain(last.function)
        if callee is None or callee.name != node.func.id or last.value is None:
            return None
        return last.value.repr

    def _plain(self, qualname: str) -> Function | None:
        """The function of that name, if a call of it is a run of its body and nothing else."""
        same = [each for each in self.document.functions if each.qualname == qualname]
        if len(same) != 1 or same[0].kind != "function" or same[0].is_generator:
            return None
        node = same[0].node
        return same[0] if isinstance(node, ast.FunctionDef) and not node.decorator_list else None

    def _assigned(self, option: Option) -> Option:
        statement = self.statement
        if not isinstance(statement, ast.Assign) or not all(
            isinstance(t, ast.Name) for t in statement.targets
        ):
            return option
        value = self._value(statement.value)
        if value is None:
            return option
        names = {target.id for target in statement.targets if isinstance(target, ast.Name)}
        held = tuple(_given(each, value) if each.name in names else each for each in option.locals)
        return replace(option, locals=held)

    def _called(self, option: Option) -> Option:
        nodes = list(_head(self.statement))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        inner = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr)
        if len(calls) != 1 or any(isinstance(node, inner) for node in nodes):
            return option
        (call,) = calls
        callee = self._plain(option.function)
        if callee is None or not isinstance(call.func, ast.Name) or callee.name != call.func.id:
            return option
        given = dict(self._arguments(call, callee))
        if not given:
            return option
        held = tuple(_given(each, given[each.name]) if each.name in given else each for each in option.locals)
        return replace(option, locals=held)

    def _arguments(self, call: ast.Call, callee: Function) -> Iterator[tuple[str, str]]:
        """The parameters whose values the call names."""
        assert isinstance(callee.node, ast.FunctionDef)
        arguments = callee.node.args
        if any(isinstance(each, ast.Starred) for each in call.args) or any(
            k.arg is None for k in call.keywords
        ):
            return
        positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        passed: Mapping[str, ast.expr] = {
            **dict(zip(positional, call.args, strict=False)),
            **{keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None},
        }
        for name, node in passed.items():
            value = self._value(node)
            if value is not None and name in callee.parameters:
                yield name, value


def _head(statement: ast.stmt) -> Iterator[ast.AST]:
    """All nodes of a statement without the statements in it."""
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case):
            yield from ast.walk(child)


def _given(choice: LocalChoice, value: str) -> LocalChoice:
    return choice if choice.kind == "given" else LocalChoice(choice.name, "given", value)
