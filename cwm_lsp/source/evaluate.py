"""Walks an expression in evaluation order and asks for each primitive operation in it.

Structure is the walk's own business: what is evaluated first, which side of an `and` is skipped, how a
display is put together, which argument binds which parameter. Values are not: each one is asked for.
Leaves out statements (execute.py) and everything about frames.
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from typing import Protocol

from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Operation,
    Question,
    Raised,
    Ref,
    Stop,
    Unsupported,
    Walk,
)
from cwm_lsp.source.values import class_of_instance, elements, kind_of, sequence_repr

BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.MatMult: "@",
}  # fmt: skip
UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not"}
COMPARE = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
NO_RESULT = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "sort",
        "reverse",
        "clear",
        "add",
        "discard",
        "update",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "appendleft",
        "extendleft",
        "rotate",
    ]
)
MUTATING = NO_RESULT | {"pop", "popitem", "setdefault", "popleft"}
CONVERSIONS = {-1: "", 115: "!s", 114: "!r", 97: "!a"}


class PythonRaised(Exception):  # noqa: N818
    """An answer was an exception: unwinds the walk to the statement."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Scope(Protocol):
    """What a walk reads from the activation that it walks in."""

    def lookup(self, name: str) -> Ref | None:
        """The value, function or builtin that a name stands for; None if it is unbound or unknown."""

    def read(self, cell: int) -> str:
        """The current `repr` in a heap cell."""

    def write(self, cell: int, text: str) -> None:
        """Puts a new `repr` into a heap cell."""

    def store(self, name: str, value: Ref) -> None:
        """Binds a local name."""

    def scope_of(self, node: ast.AST) -> str:
        """The qualified name of the function that a lambda or comprehension node makes."""

    def parameters(self, function: str) -> ast.arguments:
        """The parameters of one of the document's functions."""

    def free_variables(self, function: str) -> tuple[tuple[str, Ref], ...]:
        """The closure variables that a nested function sees at its start."""

    def is_class(self, name: str) -> bool:
        """True if the document defines a class of that name at its top level."""

    def constructor(self, class_name: str) -> str | None:
        """The qualified name of `__init__` where the document's class has one."""

    def method(self, class_name: str, name: str) -> str | None:
        """The qualified name of a method of one of the document's classes."""

    def attribute(self, value: Ref, name: str) -> Ref | None:
        """An attribute of an instance of one of the document's classes, as far as the walk has seen it
        set."""

    def set_attribute(self, value: Ref, name: str, to: Ref) -> None:
        """Sets an attribute of an object."""

    def is_generator(self, function: str) -> bool:
        """True for a function whose call makes a generator."""


class Evaluator:
    """Evaluates expressions of one line by questions.

    `answers` are those already given on this line; the walk replays them, without their side effects up to
    `applied`, and asks on from there.
    """

    def __init__(self, scope: Scope, answers: list[Answer], applied: int) -> None:
        self.scope = scope
        self.answers = answers
        self.applied = applied
        self.at = 0

    @property
    def live(self) -> bool:
        """True once the replayed part of the line is over: effects count from here."""
        return self.at > self.applied

    def ask(self, question: Question) -> Walk:
        """Asks (or replays) one question; raises PythonRaised where the answer is an exception."""
        if self.at < len(self.answers):
            answer = self.answers[self.at]
        else:
            answer = yield question
            self.answers.append(answer)
        self.at += 1
        if isinstance(answer, Ref):
            return answer
        if isinstance(answer, Raised):
            raise PythonRaised(answer.text)
        if isinstance(answer, Stop):
            return Ref("")
        return Ref(answer)

    def test(self, node: ast.expr) -> Walk:
        """The truth of an expression, as Ref("True") or Ref("False")."""
        value = yield from self.eval(node)
        return (yield from self.truth(value))

    def truth(self, value: Ref) -> Walk:
        """The truth of a value: asked for unless it is a bool already."""
        text = self.text(value)
        if text in ("True", "False"):
            return Ref(text)
        if value.function or value.builtin or self._is_plain_object(text):
            return Ref("True")
        return (yield from self.ask(Operation("truth", (text,))))

    def _is_plain_object(self, text: str) -> bool:
        """True for an instance of a class of the document that says nothing about its truth."""
        name = class_of_instance(text)
        if name is None or not self.scope.is_class(name):
            return False
        return not any(self.scope.method(name, special) for special in ("__bool__", "__len__"))

    def text(self, value: Ref) -> str:
        """The current `repr` of a value."""
        return value.text if value.cell is None else self.scope.read(value.cell)

    def eval(self, node: ast.expr) -> Walk:
        """The value of an expression. Raises Unsupported for what can't be taken apart."""
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is None:
            raise Unsupported(f"{type(node).__name__} expressions can't be taken apart")
        result: Ref = yield from handler(node)
        return result

    def many(self, nodes: list[ast.expr]) -> Generator[Question, Answer, list[Ref]]:
        """The values of several expressions, starred ones spread."""
        values: list[Ref] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                value = yield from self.eval(node.value)
                parts = elements(self.text(value))
                if parts is None or kind_of(self.text(value)) == "dict":
                    raise Unsupported("a starred value that is no list or tuple can't be taken apart")
                values.extend(Ref(part) for part in parts)
            else:
                values.append((yield from self.eval(node)))
        return values

    def _constant(self, node: ast.Constant) -> Walk:
        yield from ()
        return Ref(repr(node.value))

    def _name(self, node: ast.Name) -> Walk:
        yield from ()
        found = self.scope.lookup(node.id)
        if found is None:
            raise Unsupported(f"the value of {node.id} is not known")
        return found

    def _namedexpr(self, node: ast.NamedExpr) -> Walk:
        value = yield from self.eval(node.value)
        if self.live and isinstance(node.target, ast.Name):
            self.scope.store(node.target.id, value)
        return value

    def _binop(self, node: ast.BinOp) -> Walk:
        left = yield from self.eval(node.left)
        right = yield from self.eval(node.right)
        name = BINARY[type(node.op)]
        return (yield from self.ask(Operation("binary", (self.text(left), self.text(right)), name)))

    def _unaryop(self, node: ast.UnaryOp) -> Walk:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            return Ref("-" + repr(node.operand.value))
        value = yield from self.eval(node.operand)
        if isinstance(node.op, ast.Not):
            truth = yield from self.truth(value)
            return Ref("False" if truth.text == "True" else "True")
        return (yield from self.ask(Operation("unary", (self.text(value),), UNARY[type(node.op)])))

    def _boolop(self, node: ast.BoolOp) -> Walk:
        value = Ref("None")
        for at, part in enumerate(node.values):
            value = yield from self.eval(part)
            if at == len(node.values) - 1:
                break
            truth = (yield from self.truth(value)).text == "True"
            if truth == isinstance(node.op, ast.Or):
                break
        return value

    def _compare(self, node: ast.Compare) -> Walk:
        left = yield from self.eval(node.left)
        answer = Ref("True")
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = yield from self.eval(part)
            if isinstance(op, ast.Is | ast.IsNot) and "None" in (self.text(left), self.text(right)):
                same = self.text(left) == self.text(right)
                answer = Ref(str(same == isinstance(op, ast.Is)))
                if answer.text == "False":
                    break
                left = right
                continue
            operation = Operation("compare", (self.text(left), self.text(right)), COMPARE[type(op)])
            answer = yield from self.ask(operation)
            if answer.text == "False":
                break
            left = right
        return answer

    def _ifexp(self, node: ast.IfExp) -> Walk:
        truth = yield from self.test(node.test)
        return (yield from self.eval(node.body if truth.text == "True" else node.orelse))

    def _list(self, node: ast.List) -> Walk:
        values = yield from self.many(node.elts)
        return Ref(sequence_repr("list", [self.text(value) for value in values]))

    def _tuple(self, node: ast.Tuple) -> Walk:
        values = yield from self.many(node.elts)
        return Ref(sequence_repr("tuple", [self.text(value) for value in values]))

    def _set(self, node: ast.Set) -> Walk:
        values = yield from self.many(node.elts)
        return (yield from self.ask(Operation("make_set", tuple(self.text(value) for value in values))))

    def _dict(self, node: ast.Dict) -> Walk:
        items: list[str] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise Unsupported("** in a dict display can't be taken apart")
            name = yield from self.eval(key)
            held = yield from self.eval(value)
            items.append(f"{self.text(name)}: {self.text(held)}")
        return Ref(sequence_repr("dict", items))

    def _joinedstr(self, node: ast.JoinedStr) -> Walk:
        parts: list[str] = []
        for piece in node.values:
            if isinstance(piece, ast.Constant):
                parts.append(repr(piece.value))
                continue
            assert isinstance(piece, ast.FormattedValue)
            value = yield from self.eval(piece.value)
            spec = CONVERSIONS[piece.conversion]
            if piece.format_spec is not None:
                assert isinstance(piece.format_spec, ast.JoinedStr)
                if not all(isinstance(part, ast.Constant) for part in piece.format_spec.values):
                    raise Unsupported("a computed format spec can't be taken apart")
                spec += ":" + "".join(
                    str(part.value) for part in piece.format_spec.values if isinstance(part, ast.Constant)
                )
            text = self.text(value)
            if not spec and kind_of(text) == "str":
                parts.append(text)
            else:
                parts.append((yield from self.ask(Operation("format", (text,), spec))).text)
        if len(parts) == 1:
            return Ref(parts[0])
        return (yield from self.ask(Operation("join", tuple(parts))))

    def _subscript(self, node: ast.Subscript) -> Walk:
        value = yield from self.eval(node.value)
        if isinstance(node.slice, ast.Slice):
            bounds: list[str] = []
            for bound in (node.slice.lower, node.slice.upper, node.slice.step):
                bounds.append("" if bound is None else self.text((yield from self.eval(bound))))
            return (yield from self.ask(Operation("slice", (self.text(value), *bounds))))
        key = yield from self.eval(node.slice)
        return (yield from self.ask(Operation("index", (self.text(value), self.text(key)))))

    def _attribute(self, node: ast.Attribute) -> Walk:
        if isinstance(node.value, ast.Name) and self.scope.lookup(node.value.id) is None:
            return (yield from self.ask(Operation("attribute", (node.value.id,), node.attr)))
        value = yield from self.eval(node.value)
        held = self.scope.attribute(value, node.attr)
        if held is not None:
            return held
        return (yield from self.ask(Operation("attribute", (self.text(value),), node.attr)))

    def _lambda(self, node: ast.Lambda) -> Walk:
        yield from ()
        name = self.scope.scope_of(node)
        return Ref(f"<function {name}>", function=name)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> Walk:
        iteration = yield from self.iteration(node.generators[0].iter)
        function = self.scope.scope_of(node)
        start = Ref(iterator_repr(iteration, self))
        if _is_constant_list(node.generators[0].iter):
            start = Ref(
                "<tuple_iterator object>"
            )  # the compiler makes a tuple of a list that is only walked over
        arguments = ((".0", start), *self.scope.free_variables(function))
        return (yield from self.ask(Enter(function, arguments, iteration.iteration)))

    _listcomp = _setcomp = _dictcomp = _comprehension

    def _generatorexp(self, node: ast.GeneratorExp) -> Walk:
        iteration = yield from self.iteration(node.generators[0].iter)
        function = self.scope.scope_of(node)
        start = Ref(iterator_repr(iteration, self))
        if _is_constant_list(node.generators[0].iter):
            start = Ref("<tuple_iterator object>")
        arguments = ((".0", start), *self.scope.free_variables(function))
        return (yield from self.ask(Create(function, arguments, iteration.iteration)))

    def _call(self, node: ast.Call) -> Walk:
        from cwm_lsp.source.evaluate_calls import call  # the two halves of one walk need each other

        return (yield from call(self, node))

    def iteration(self, node: ast.expr) -> Walk:
        """What a `for` over this expression walks over, as a Ref whose `iteration` is set."""
        from cwm_lsp.source.evaluate_calls import iteration

        return (yield from iteration(self, node))


def _is_constant_list(node: ast.expr) -> bool:
    """True for a list display of constants (tuples of constants and negative numbers among them)."""
    if not isinstance(node, ast.List):
        return False
    try:
        found = [ast.literal_eval(item) for item in node.elts]
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return not any(isinstance(item, list | dict | set) for item in found)


def iterator_repr(value: Ref, evaluator: Evaluator) -> str:
    """The `repr` that `.0` of a comprehension shows: the kind of iterator, its address removed."""
    if value.generator is not None:
        return value.text
    spec = value.iteration
    if spec is None:
        return "<iterator object>"
    if spec.mode in ("enumerate", "zip"):
        return f"<{spec.mode} object>"
    if spec.mode == "reversed":
        kind = kind_of(evaluator.text(spec.sources[0]))
        return "<list_reverseiterator object>" if kind == "list" else "<reversed object>"
    if spec.mode in ("key", "value", "pair"):
        return {"key": "<dict_keyiterator object>", "value": "<dict_valueiterator object>"}.get(
            spec.mode, "<dict_itemiterator object>"
        )
    kind = kind_of(evaluator.text(spec.sources[0]))
    return "<dict_keyiterator object>" if kind == "dict" else f"<{kind}_iterator object>"
