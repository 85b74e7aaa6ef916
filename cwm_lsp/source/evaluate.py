"""Walks an expression in evaluation order, operation by operation.

Structure is the walk's own business: what is evaluated first, which side of an `and` is skipped, how a
display is put together, which argument binds which parameter. Values are not: each one is computed or asked
for (asking.py). Leaves out calls (evaluate_calls.py), iterations (iterations.py), statements (execute.py)
and everything about frames.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from typing import Any

from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.asking import NONE, OMITTED, Asking, PythonRaised, direct_of
from cwm_lsp.source.literals_build import BINARY, COMPARE, UNARY, is_constant
from cwm_lsp.source.literals_build import key as as_key
from cwm_lsp.source.literals_calls import Module
from cwm_lsp.source.literals_limits import Budget, Refused
from cwm_lsp.source.objects import (
    BoundMethod,
    Builtin,
    ClassObject,
    ExceptionObject,
    FunctionObject,
    GeneratorObject,
    Instance,
    Opaque,
    Walker,
    lowest,
)
from cwm_lsp.source.operations import Answer, Create, Enter, Question, Ref, Unsupported, Walk
from cwm_lsp.source.told_values import exception_of

_TRUE_OBJECTS = (
    FunctionObject,
    ClassObject,
    Builtin,
    BoundMethod,
    Walker,
    GeneratorObject,
    Module,
    ExceptionObject,
)
_DUNDERS = {
    "+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "//": "__floordiv__", "%": "__mod__",
    "**": "__pow__", "==": "__eq__", "!=": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__",
    ">=": "__ge__", "@": "__matmul__", "&": "__and__", "|": "__or__", "^": "__xor__",
}  # fmt: skip
TRUE, FALSE = Ref(True), Ref(False)


class Evaluator(Asking):
    """Evaluates the expressions of one line."""

    def eval(self, node: ast.expr) -> Walk:
        """The value of an expression. Raises Unsupported for what can't be taken apart."""
        if self.several and node.lineno == node.end_lineno:
            yield from self.at(node)
        if self.computes and (not self.several or node.lineno == node.end_lineno):
            found = self.direct(node)
            if found is not None:
                return found
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise Unsupported(f"{type(node).__name__} expressions can't be taken apart")
        found = yield from handler(self, node)
        return found  # type: ignore[no-any-return]

    def at_once(self, node: ast.expr) -> Ref | None:
        """The value if it can be computed in one go, without a walk."""
        return (
            self.direct(node) if self.computes and not self.several and direct_of(node) is not None else None
        )

    def test(self, node: ast.expr) -> Walk:
        """The truth of an expression that decides what comes next, as Ref(True) or Ref(False)."""
        if self.several:
            return (yield from self._test_of_several_lines(node))
        quick = self.at_once(node) if isinstance(node, ast.BoolOp) else None
        if isinstance(node, ast.BoolOp) and self.computes and quick is None:
            return (yield from self._test_of_several_lines(node))  # each part's truth is asked once
        value = quick or (yield from self.eval(node))
        truth = yield from self.truth(value)
        self.scope.decided(truth.sure)
        return truth

    def _test_of_several_lines(self, node: ast.expr) -> Walk:
        """The same, with the lines on which the compiler puts the jumps: that of the last comparison, else
        where the statement begins."""
        if isinstance(node, ast.BoolOp):
            truth = TRUE
            for part in node.values:
                truth = yield from self._test_of_several_lines(part)
                if truth.value is isinstance(node.op, ast.Or):
                    break
            return truth
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            truth = yield from self._test_of_several_lines(node.operand)
            return Ref(not truth.value, truth.sure)
        if isinstance(node, ast.Compare):
            self.jumps_at = node.lineno
        value = yield from self.eval(node)
        truth = yield from self.truth(value)
        yield from self.at(None, self.jumps_at)
        self.scope.decided(truth.sure)
        return truth

    def truth(self, value: Ref) -> Walk:
        """The truth of a value: asked for unless it is a bool already."""
        held = value.value
        if held is True or held is False:
            return value
        if isinstance(held, (*_TRUE_OBJECTS, type)):
            return Ref(True, value.sure)
        if isinstance(held, Instance):
            for special in ("__bool__", "__len__"):
                method = self.scope.method(held.class_name, special)
                if method is not None:
                    answer = yield from self.enter(method, [value], [])
                    return (yield from self.truth(answer))
            return Ref(True, value.sure)
        return (yield from self.operate(lambda _: operators.truth(held), "truth", (value,)))

    def many(self, nodes: list[ast.expr]) -> Generator[Question, Answer, list[Ref]]:
        """The values of several expressions, starred ones spread."""
        values: list[Ref] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                value = yield from self.eval(node.value)
                values.extend((yield from self.spread(value)))
            else:
                values.append((yield from self.eval(node)))
        return values

    def spread(self, value: Ref) -> Generator[Question, Answer, list[Ref]]:
        """All that an iterable gives."""
        from cwm_lsp.source.iterations import drain

        return (yield from drain(self, value))

    # -- names and displays

    def _constant(self, node: ast.Constant) -> Walk:
        yield from self.at(node)
        return Ref(node.value)

    def _name(self, node: ast.Name) -> Walk:
        yield from ()
        found = self.scope.lookup(node.id)
        if found is None:
            raise Unsupported(f"the value of {node.id} is not known")
        return found

    def _namedexpr(self, node: ast.NamedExpr) -> Walk:
        value = yield from self.eval(node.value)
        assert isinstance(node.target, ast.Name)
        self.scope.store(node.target.id, value)
        return value

    def gathered(self, make: Callable[[list[Any]], Any], values: list[Ref]) -> Ref:
        """A display of values."""
        sure = self.scope.doubt(values)
        try:
            made = make([value.value for value in values])
        except Refused as error:
            raise Unsupported(str(error)) from None
        except TypeError as error:
            raise PythonRaised(exception_of(error), sure) from None
        return self.made(Ref(made, sure))

    def _list(self, node: ast.List) -> Walk:
        values = yield from self._elements(node)
        yield from self.at(node)
        return self.gathered(list, values)

    def _tuple(self, node: ast.Tuple) -> Walk:
        values = yield from self._elements(node)
        yield from self.at(node)
        return self.gathered(tuple, values)

    def _elements(self, node: ast.List | ast.Tuple) -> Generator[Question, Answer, list[Ref]]:
        """The elements; constants are put there as a whole."""
        if all(is_constant(part) for part in node.elts) and (
            len(node.elts) > 2 or isinstance(node, ast.Tuple)
        ):
            return [Ref(ast.literal_eval(part)) for part in node.elts]
        return (yield from self.many(node.elts))

    def _set(self, node: ast.Set) -> Walk:
        values = yield from self.many(node.elts)
        yield from self.at(node)
        held = [value.value for value in values]

        def made(budget: Budget) -> Any:
            if len(held) > 2 and all(is_constant(part) for part in node.elts):
                return set(frozenset(tuple(frozenset(held))))
            return {as_key(each, budget) for each in held}

        return (yield from self.operate(made, "make_set", tuple(values)))

    def _dict(self, node: ast.Dict) -> Walk:
        names: list[Ref] = []
        values: list[Ref] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                spread = yield from self.eval(value)
                if type(spread.value) is not dict:
                    raise Unsupported("** of what is no dict can't be taken apart")
                sure = self.scope.doubt((spread,))
                names += [Ref(each, sure) for each in spread.value]
                values += [Ref(each, sure) for each in spread.value.values()]
                continue
            names.append((yield from self.eval(key)))
            values.append((yield from self.eval(value)))
        count = len(names)
        yield from self.at(node)
        return self.gathered(
            lambda held: dict(zip(held[:count], held[count:], strict=True)), [*names, *values]
        )

    def _joinedstr(self, node: ast.JoinedStr) -> Walk:
        from cwm_lsp.source.evaluate_texts import joined

        return (yield from joined(self, node))

    def shown_by_method(self, value: Ref, name: str) -> Walk:
        """What an instance's own `__str__` or `__repr__` gives; any other value as it is."""
        if isinstance(value.value, Instance):
            for special in dict.fromkeys((name, "__repr__")):
                method = self.scope.method(value.value.class_name, special)
                if method is not None:
                    return (yield from self.enter(method, [value], []))
        return value

    # -- operators

    def _binop(self, node: ast.BinOp) -> Walk:
        left = yield from self.eval(node.left)
        right = yield from self.eval(node.right)
        yield from self.at(node)
        return (yield from self.binary(left, right, BINARY[type(node.op)]))

    def binary(self, left: Ref, right: Ref, name: str) -> Walk:
        """left name right"""
        method = self._own(left, name)
        if method is not None:
            return (yield from self.enter(method, [left, right], []))
        one, two = left.value, right.value
        function = operators.BINARY[name]
        return (
            yield from self.operate(lambda budget: function(one, two, budget), "binary", (left, right), name)
        )

    def _own(self, value: Ref, name: str) -> FunctionObject | None:
        if isinstance(value.value, Instance) and name in _DUNDERS:
            return self.scope.method(value.value.class_name, _DUNDERS[name])
        return None

    def _unaryop(self, node: ast.UnaryOp) -> Walk:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            number = node.operand.value
            if isinstance(number, int | float | complex):
                return Ref(-number)
        value = yield from self.eval(node.operand)
        yield from self.at(node)
        if isinstance(node.op, ast.Not):
            truth = yield from self.truth(value)
            return Ref(not truth.value, truth.sure)
        name = UNARY[type(node.op)]
        held = value.value
        return (yield from self.operate(lambda _: operators.UNARY[name](held), "unary", (value,), name))

    def _boolop(self, node: ast.BoolOp) -> Walk:
        value = NONE
        sure: float | None = None
        for at, part in enumerate(node.values):
            value = yield from self.eval(part)
            if at == len(node.values) - 1:
                break
            truth = yield from self.truth(value)
            sure = lowest(sure, truth.sure)
            if truth.value == isinstance(node.op, ast.Or):
                break
        return Ref(value.value, lowest(sure, value.sure))

    def _compare(self, node: ast.Compare) -> Walk:
        left = yield from self.eval(node.left)
        answer = TRUE
        sure: float | None = None
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = yield from self.eval(part)
            yield from self.at(node)
            answer = yield from self.compared(left, right, COMPARE[type(op)])
            sure = lowest(sure, answer.sure)
            if answer.value is False:
                break
            left = right
        return Ref(answer.value, sure)

    def compared(self, left: Ref, right: Ref, name: str) -> Walk:
        """left name right, as a truth value."""
        one, two = left.value, right.value
        if name in ("is", "is not") and (one is None or two is None):
            sure = self.scope.doubt((left, right))
            return Ref((one is two) == (name == "is"), sure)
        if name in ("is", "is not") and not isinstance(one, Opaque) and not isinstance(two, Opaque):
            both = isinstance(one, _IDENTICAL) and isinstance(two, _IDENTICAL)
            if both:
                return Ref((one is two) == (name == "is"), self.scope.doubt((left, right)))
        method = self._own(left, name)
        if method is not None:
            return (yield from self.enter(method, [left, right], []))
        if name in ("in", "not in") and isinstance(two, Walker | GeneratorObject):
            right = self.gathered(list, (yield from self.spread(right)))
            two = right.value
        if name in ("==", "!=") and isinstance(one, Instance) and isinstance(two, Instance) and one.compared:
            return Ref((one is two) == (name == "=="), self.scope.doubt((left, right)))
        if name in ("==", "!=") and (_apart(one, two) or _apart(two, one)):
            return Ref(name == "!=", self.scope.doubt((left, right)))
        function = operators.COMPARE[name]
        return (
            yield from self.operate(lambda budget: function(one, two, budget), "compare", (left, right), name)
        )

    def _ifexp(self, node: ast.IfExp) -> Walk:
        value = yield from self.eval(node.test)
        yield from self.at(None, (node.test if isinstance(node.test, ast.Compare) else node).lineno)
        truth = yield from self.truth(value)
        found = yield from self.eval(node.body if truth.value else node.orelse)
        return Ref(found.value, lowest(found.sure, truth.sure))

    # -- looking into values

    def _subscript(self, node: ast.Subscript) -> Walk:
        value = yield from self.eval(node.value)
        if isinstance(node.slice, ast.Slice):
            bounds = yield from self.bounds(node.slice)
            yield from self.at(node)
            held = value.value
            where = slice(*[None if bound is None else bound.value for bound in bounds])
            operands = tuple(OMITTED if bound is None else bound for bound in bounds)
            return (
                yield from self.operate(
                    lambda budget: operators.index(held, where, budget), "slice", (value, *operands)
                )
            )
        key = yield from self.eval(node.slice)
        yield from self.at(node)
        return (yield from self.index(value, key))

    def bounds(self, node: ast.Slice) -> Generator[Question, Answer, list[Ref | None]]:
        """The bounds of a slice."""
        found: list[Ref | None] = []
        for bound in (node.lower, node.upper, node.step):
            found.append(None if bound is None else (yield from self.eval(bound)))
        return found

    def index(self, value: Ref, key: Ref) -> Walk:
        """value[key]"""
        held, where = value.value, key.value
        if isinstance(held, Instance):
            method = self.scope.method(held.class_name, "__getitem__")
            if method is not None:
                return (yield from self.enter(method, [value, key], []))
        return (
            yield from self.operate(
                lambda budget: operators.index(held, where, budget), "index", (value, key)
            )
        )

    def _attribute(self, node: ast.Attribute) -> Walk:
        from cwm_lsp.source.evaluate_attributes import unknown_attribute

        if isinstance(node.value, ast.Name) and self.scope.lookup(node.value.id) is None:
            return (yield from unknown_attribute(self, node.value.id, node.attr))
        value = yield from self.eval(node.value)
        yield from self.at(node, node.end_lineno or 0)
        return (yield from self.attribute(value, node.attr))

    def attribute(self, value: Ref, name: str) -> Walk:
        """value.name"""
        from cwm_lsp.source.evaluate_attributes import attribute

        return (yield from attribute(self, value, name))

    # -- functions

    def _lambda(self, node: ast.Lambda) -> Walk:
        return Ref((yield from self.function(node, node.args)))

    def function(self, node: ast.AST, spec: ast.arguments) -> Generator[Question, Answer, FunctionObject]:
        """The function that a def or lambda makes, its defaults evaluated."""
        defaults: dict[str, Ref] = {}
        names = [argument.arg for argument in (*spec.posonlyargs, *spec.args)]
        for name, default in zip(names[len(names) - len(spec.defaults) :], spec.defaults, strict=True):
            defaults[name] = yield from self.eval(default)
        for argument, given in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            if given is not None:
                defaults[argument.arg] = yield from self.eval(given)
        return FunctionObject(self.scope.function(node), self.scope.variables, defaults)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Walk:
        walker = yield from self.iteration(node.generators[0].iter, node.lineno)
        source = node.generators[0].iter
        if isinstance(source, ast.List) and not any(isinstance(part, ast.Starred) for part in source.elts):
            # The compiler makes a tuple of a list display that is only walked over.
            from cwm_lsp.source.iterations import walker_of

            walker = walker_of(tuple(walker.sources[0]))
        function = FunctionObject(self.scope.function(node), self.scope.variables, {})
        kind = Create if isinstance(node, ast.GeneratorExp) else Enter
        yield from self.at(node)
        return (yield from self.entered(kind(function, ((".0", Ref(walker)),), walker)))

    def _call(self, node: ast.Call) -> Walk:
        from cwm_lsp.source.evaluate_calls import call  # the two halves of one walk need each other

        return (yield from call(self, node))

    def enter(self, function: FunctionObject, positional: list[Ref], named: list[tuple[str, Ref]]) -> Walk:
        """The result of a call of one of the document's functions."""
        from cwm_lsp.source.evaluate_calls import enter

        return (yield from enter(self, function, positional, named))

    def iteration(self, node: ast.expr, line: int = 0) -> Generator[Question, Answer, Walker]:
        """What a `for` over this expression walks over; its `__iter__` is called on the line."""
        from cwm_lsp.source.iterations import iteration

        return (yield from iteration(self, node, line))


_IDENTICAL = (
    list,
    dict,
    set,
    Instance,
    FunctionObject,
    ClassObject,
    GeneratorObject,
    ExceptionObject,
    Walker,
)
_HANDLERS: dict[type[ast.AST], Any] = {
    ast.Constant: Evaluator._constant,
    ast.Name: Evaluator._name,
    ast.NamedExpr: Evaluator._namedexpr,
    ast.List: Evaluator._list,
    ast.Tuple: Evaluator._tuple,
    ast.Set: Evaluator._set,
    ast.Dict: Evaluator._dict,
    ast.JoinedStr: Evaluator._joinedstr,
    ast.BinOp: Evaluator._binop,
    ast.UnaryOp: Evaluator._unaryop,
    ast.BoolOp: Evaluator._boolop,
    ast.Compare: Evaluator._compare,
    ast.IfExp: Evaluator._ifexp,
    ast.Subscript: Evaluator._subscript,
    ast.Attribute: Evaluator._attribute,
    ast.Lambda: Evaluator._lambda,
    ast.ListComp: Evaluator._comprehension,
    ast.SetComp: Evaluator._comprehension,
    ast.DictComp: Evaluator._comprehension,
    ast.GeneratorExp: Evaluator._comprehension,
    ast.Call: Evaluator._call,
}


def _apart(one: Any, two: Any) -> bool:
    """True for an object of the document that is compared with a plain value: they are not equal."""
    if isinstance(one, Instance):
        return one.compared and not isinstance(two, Instance | Opaque)
    return isinstance(one, FunctionObject | ClassObject | GeneratorObject) and not isinstance(
        two, Opaque | Instance
    )
