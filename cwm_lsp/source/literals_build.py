"""Expressions as closures: a syntax tree is taken apart once, and computed as often as it is asked for.

Nothing here is handed to Python's own compiler. Leaves out comprehensions
(literals_comprehensions.py) and what operators, methods and builtins do.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable
from typing import Any, Protocol

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_builtins import NAMES
from cwm_lsp.source.literals_limits import ATOMS, Budget, Refused

BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.MatMult: "@",
}  # fmt: skip
UNARY = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not"}
COMPARE = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
CONVERSIONS: dict[int, Callable[[Any, Budget], str]] = {
    115: operators.as_text,
    114: operators.shown,
    97: lambda value, budget: operators.shown(value, budget).encode("ascii", "backslashreplace").decode(),
}


class Names(Protocol):
    """Whatever has values by name."""

    def __getitem__(self, name: str, /) -> Any:
        """The value; KeyError if there is none."""


class Env:
    """The names that an expression sees. A comprehension has its own; what `:=` binds goes around it."""

    __slots__ = ("around", "budget", "inner", "names")

    def __init__(self, names: Names, budget: Budget, around: Env | None, *, inner: bool) -> None:
        self.names: Any = names
        self.budget = budget
        self.around = around
        self.inner = inner

    def get(self, name: str) -> Any:
        """The value of a name."""
        env: Env | None = self
        while env is not None:
            try:
                return env.names[name]
            except KeyError:
                env = env.around
        return builtin(name)


def builtin(name: str) -> Any:
    """The builtin of that name, if it is computed."""
    found = NAMES.get(name)
    if found is not None:
        return found
    if hasattr(builtins, name):
        raise Refused(f"{name} is not computed")
    raise Refused(f"the value of {name} is not known")


Built = Callable[[Env], Any]


def build(node: ast.expr) -> Built:
    """The closure that computes an expression; kept with the node."""
    found: Built | None = getattr(node, "_cwm_built", None)
    if found is None:
        maker = MAKERS.get(type(node))
        if maker is None:
            raise Refused(f"{type(node).__name__} expressions are not computed")
        found = maker(node)
        node._cwm_built = found  # type: ignore[attr-defined]
    return found


def _constant(node: ast.Constant) -> Built:
    value = node.value
    return lambda _: value


def _name(node: ast.Name) -> Built:
    name = node.id

    def run(env: Env) -> Any:
        try:
            return env.names[name]
        except KeyError:
            return env.get(name)

    return run


def _binop(node: ast.BinOp) -> Built:
    left, right = build(node.left), build(node.right)
    function = operators.BINARY[BINARY[type(node.op)]]
    return lambda env: function(left(env), right(env), env.budget)


def _unaryop(node: ast.UnaryOp) -> Built:
    operand = build(node.operand)
    function = operators.UNARY[UNARY[type(node.op)]]
    return lambda env: function(operand(env))


def _boolop(node: ast.BoolOp) -> Built:
    parts = [build(part) for part in node.values]
    last = parts.pop()
    stop = isinstance(node.op, ast.Or)

    def run(env: Env) -> Any:
        for part in parts:
            value = part(env)
            if operators.truth(value) is stop:
                return value
        return last(env)

    return run


def _compare(node: ast.Compare) -> Built:
    first = build(node.left)
    rest = [
        (operators.COMPARE[COMPARE[type(op)]], build(part))
        for op, part in zip(node.ops, node.comparators, strict=True)
    ]
    if len(rest) == 1:
        function, second = rest[0]
        return lambda env: function(first(env), second(env), env.budget)

    def run(env: Env) -> Any:
        left = first(env)
        answer: Any = True
        for function, part in rest:
            right = part(env)
            answer = function(left, right, env.budget)
            if not operators.truth(answer):
                break
            left = right
        return answer

    return run


def _ifexp(node: ast.IfExp) -> Built:
    test, body, orelse = build(node.test), build(node.body), build(node.orelse)
    return lambda env: body(env) if operators.truth(test(env)) else orelse(env)


def _many(nodes: list[ast.expr]) -> Callable[[Env], list[Any]]:
    if not any(isinstance(node, ast.Starred) for node in nodes):
        parts = [build(node) for node in nodes]
        return lambda env: [part(env) for part in parts]
    marked = [
        (True, build(node.value)) if isinstance(node, ast.Starred) else (False, build(node)) for node in nodes
    ]

    def run(env: Env) -> list[Any]:
        found: list[Any] = []
        for starred, part in marked:
            value = part(env)
            if not starred:
                found.append(value)
                continue
            if type(value) in ATOMS and type(value) not in (str, bytes, range):
                raise Refused("what is no iterable is not spread")
            found.extend(calls.walked(value, env.budget))
            env.budget.make(len(found))
        return found

    return run


def _list(node: ast.List) -> Built:
    return _many(node.elts)


def _tuple(node: ast.Tuple) -> Built:
    many = _many(node.elts)
    return lambda env: tuple(many(env))


def _set(node: ast.Set) -> Built:
    many = _many(node.elts)
    # The compiler keeps three and more constants as a frozenset: their order is that of its copy's copy.
    constant = sys.version_info[:2] == (3, 11) and all(is_constant(part) for part in node.elts)
    starred = any(isinstance(part, ast.Starred) for part in node.elts)
    named = any(isinstance(part, ast.Name) for each in node.elts for part in ast.walk(each))

    def run(env: Env) -> Any:
        items = many(env)
        for item in items:
            key(item, env.budget)
        try:
            found = set(items)
            if len(items) > 2 and not starred:
                folded = set().union(frozenset(tuple(frozenset(items))))
                if list(folded) != list(found):
                    if not constant and not named:
                        raise Refused("what the compiler makes of these constants is not told")
                    found = folded if constant else found
        except TypeError:
            raise_all(items, 29)
            raise
        return found

    return run


def is_constant(node: ast.expr) -> bool:
    """True for what the compiler certainly folds to a constant."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
        return isinstance(node, ast.Constant) and type(node.value) in (int, float, complex)
    if isinstance(node, ast.Tuple):
        return all(is_constant(part) for part in node.elts)
    return isinstance(node, ast.Constant)


def raise_all(items: list[Any], most: int) -> None:
    """Long displays are made piece by piece, so what is wrong shows earlier than here."""
    if len(items) > most:
        raise Refused("a display of so many elements, some of which can't be there, is not computed")


def key(value: Any, budget: Budget) -> Any:
    """A value that becomes a key or an element of a set."""
    if type(value) is slice:
        raise Refused("a slice as a key is not computed")
    if type(value) not in ATOMS and type(value) is not type:
        budget.weigh(value)
    return value


def _dict(node: ast.Dict) -> Built:
    pairs = [
        (None if name is None else build(name), build(value))
        for name, value in zip(node.keys, node.values, strict=True)
    ]

    def run(env: Env) -> Any:
        found: dict[Any, Any] = {}
        waiting: list[tuple[Any, Any]] = []
        for name, value in pairs:
            if name is not None:
                waiting.append((name(env), value(env)))
                continue
            _put(found, waiting, env.budget)
            waiting = []
            more = value(env)
            if type(more) is not dict:
                raise Refused("what is no dict is not spread")
            env.budget.make(len(found) + len(more))
            found.update(more)
        _put(found, waiting, env.budget)
        return found

    return run


def _put(found: dict[Any, Any], pairs: list[tuple[Any, Any]], budget: Budget) -> None:
    try:
        for left, right in pairs:
            found[key(left, budget)] = right
    except TypeError:
        raise_all(pairs, 14)
        raise


def _joinedstr(node: ast.JoinedStr) -> Built:
    pieces: list[Built] = []
    for piece in node.values:
        pieces.append(build(piece))

    def run(env: Env) -> str:
        texts = [piece(env) for piece in pieces]
        env.budget.make(sum(map(len, texts)))
        return "".join(texts)

    return run


def _formattedvalue(node: ast.FormattedValue) -> Built:
    value = build(node.value)
    spec = None if node.format_spec is None else build(node.format_spec)
    convert = CONVERSIONS.get(node.conversion)

    def run(env: Env) -> str:
        found = value(env)
        if convert is not None:
            found = convert(found, env.budget)
        return operators.formatted(found, "" if spec is None else spec(env), env.budget)

    return run


def _slice(node: ast.Slice) -> Built:
    parts = [None if part is None else build(part) for part in (node.lower, node.upper, node.step)]

    def run(env: Env) -> slice:
        return slice(*[None if part is None else part(env) for part in parts])

    return run


def _subscript(node: ast.Subscript) -> Built:
    value, where = build(node.value), build(node.slice)
    return lambda env: operators.index(value(env), where(env), env.budget)


def _attribute(node: ast.Attribute) -> Built:
    value, name = build(node.value), node.attr
    return lambda env: calls.attribute(value(env), name, env.budget)


def _namedexpr(node: ast.NamedExpr) -> Built:
    value = build(node.value)
    if not isinstance(node.target, ast.Name):
        raise Refused("this target is not computed")
    name = node.target.id

    def run(env: Env) -> Any:
        found = value(env)
        outer = env
        while outer.inner and outer.around is not None:
            outer = outer.around
        outer.names[name] = found
        return found

    return run


def _lambda(node: ast.Lambda) -> Built:
    spec = node.args
    if spec.vararg or spec.kwarg or spec.kwonlyargs:
        raise Refused("this form of lambda is not computed")
    names = [argument.arg for argument in (*spec.posonlyargs, *spec.args)]
    defaults = [build(part) for part in spec.defaults]
    body = build(node.body)

    def run(env: Env) -> Any:
        held = [part(env) for part in defaults]
        running = 0

        def function(*arguments: Any, **named: Any) -> Any:
            nonlocal running
            missing = len(names) - len(arguments)
            if named or missing < 0 or missing > len(held):
                raise Refused("this call of a lambda is not computed")
            filled = (*arguments, *held[len(held) - missing :]) if missing else arguments
            env.budget.charge(8)
            running += 1
            if running > 50:
                raise Refused("a lambda calls itself too often")
            try:
                return body(Env(dict(zip(names, filled, strict=True)), env.budget, env, inner=False))
            finally:
                running -= 1

        return calls.Function(function)

    return run


def _call(node: ast.Call) -> Built:
    many = _many(node.args)
    named = [(keyword.arg, build(keyword.value)) for keyword in node.keywords]

    def words(env: Env) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, part in named:
            value = part(env)
            if name is None:
                if type(value) is not dict or any(type(word) is not str for word in value):
                    raise Refused("this ** argument is not computed")
                more = value
            else:
                more = {name: value}
            if not found.keys().isdisjoint(more):
                raise Refused("a keyword is given twice")
            found.update(more)
        return found

    if isinstance(node.func, ast.Attribute):
        receiver, method = build(node.func.value), node.func.attr

        def run_method(env: Env) -> Any:
            value = receiver(env)
            if type(value) is type or method not in calls.METHODS.get(type(value), ()):
                function = calls.attribute(value, method, env.budget)
                return calls.call(function, tuple(many(env)), words(env), env.budget)
            return calls.method(value, method, tuple(many(env)), words(env), env.budget)

        return run_method
    function = build(node.func)

    def run(env: Env) -> Any:
        target = function(env)
        return calls.call(target, tuple(many(env)), words(env), env.budget)

    return run


MAKERS: dict[type[ast.AST], Callable[[Any], Built]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binop,
    ast.UnaryOp: _unaryop,
    ast.BoolOp: _boolop,
    ast.Compare: _compare,
    ast.IfExp: _ifexp,
    ast.List: _list,
    ast.Tuple: _tuple,
    ast.Set: _set,
    ast.Dict: _dict,
    ast.JoinedStr: _joinedstr,
    ast.FormattedValue: _formattedvalue,
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.Attribute: _attribute,
    ast.NamedExpr: _namedexpr,
    ast.Lambda: _lambda,
    ast.Call: _call,
}
