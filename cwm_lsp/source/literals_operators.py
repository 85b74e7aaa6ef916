"""Operators over plain values, each weighed before it is computed.

What Python raises is raised; what is too large, or would look into something that is no plain value, is
Refused. Leaves out calls (literals_calls.py) and expressions (literals_build.py).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from string import Formatter
from typing import Any

from cwm_lsp.source.literals_limits import ATOMS, CONTAINERS, Budget, Refused, article, order_known, ordered

_NUMBERS = frozenset((int, float, bool, complex))
_WHOLE = frozenset((int, bool))
_TEXTS = frozenset((str, bytes))
_SEQUENCES = frozenset((list, tuple, str, bytes))
_SETS: frozenset[type] = frozenset((set, frozenset))
LARGEST_FIELD = 2_000

Binary = Callable[[Any, Any, Budget], Any]


def plain(value: Any) -> Any:
    """The value, if its operators are Python's own. (Containers may hold anything: what looks into them
    weighs them.)"""
    kind = type(value)
    if kind in ATOMS or kind in CONTAINERS or kind is type or kind in VIEWS:
        return value
    raise Refused(f"what {article(kind)} object does here is not known")


VIEWS = frozenset((type({}.keys()), type({}.values()), type({}.items())))
_SET_LIKE: frozenset[type] = _SETS | {type({}.keys()), type({}.items())}


def add(left: Any, right: Any, budget: Budget) -> Any:
    """left + right"""
    one, two = type(left), type(right)
    if one is int and two is int:
        return budget.integer(left + right)
    if one in _SEQUENCES and two in _SEQUENCES:
        budget.make(len(left) + len(right))
    elif one in _WHOLE and two in _WHOLE:
        return left + right
    return plain(left) + plain(right)


def subtract(left: Any, right: Any, budget: Budget) -> Any:
    """left - right"""
    if type(left) is int and type(right) is int:
        return budget.integer(left - right)
    _set_like(left, right, budget)
    return plain(left) - plain(right)


def _set_like(left: Any, right: Any, budget: Budget) -> None:
    """Weighs the operands of a set operator."""
    if type(left) in _SET_LIKE and type(right) in _SET_LIKE:
        budget.charge(len(left) + len(right))
        for side in (left, right):
            if type(side) in VIEWS:
                budget.weigh(list(side))


def multiply(left: Any, right: Any, budget: Budget) -> Any:
    """left * right"""
    one, two = type(left), type(right)
    if one in _WHOLE and two in _WHOLE:
        if left.bit_length() + right.bit_length() > budget.limits.bits + 2:
            raise Refused("a whole number is too large")
        return budget.integer(left * right)
    if one in _SEQUENCES and two in _WHOLE:
        budget.make(len(left) * max(right, 0))
    elif two in _SEQUENCES and one in _WHOLE:
        budget.make(len(right) * max(left, 0))
    return plain(left) * plain(right)


def power(left: Any, right: Any, budget: Budget) -> Any:
    """left ** right"""
    if type(left) in _WHOLE and type(right) in _WHOLE and right > 0:
        if left not in (0, 1, -1) and left.bit_length() * right > budget.limits.bits + left.bit_length():
            raise Refused("a whole number is too large")
        return budget.integer(left**right)
    return plain(left) ** plain(right)


def modulo(left: Any, right: Any, budget: Budget) -> Any:
    """left % right, formatting included"""
    if type(left) is str:
        return percent(left, right, budget)
    if type(left) is bytes:
        raise Refused("% of bytes is not computed")
    return plain(left) % plain(right)


def shift_left(left: Any, right: Any, budget: Budget) -> Any:
    """left << right"""
    if type(left) in _WHOLE and type(right) in _WHOLE and left and right > budget.limits.bits:
        raise Refused("a whole number is too large")
    result = plain(left) << plain(right)
    return budget.integer(result)


def unite(left: Any, right: Any, budget: Budget) -> Any:
    """left | right"""
    if type is type(left) or type is type(right):
        raise Refused("unions of types are not computed")
    _set_like(left, right, budget)
    if type(left) is dict and type(right) is dict:
        budget.charge(len(left) + len(right))
    return plain(left) | plain(right)


def _simple(function: Callable[[Any, Any], Any]) -> Binary:
    def apply(left: Any, right: Any, budget: Budget) -> Any:
        if type(left) is not int or type(right) is not int:
            _set_like(left, right, budget)
            plain(left), plain(right)
        return function(left, right)

    return apply


BINARY: dict[str, Binary] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": _simple(operator.truediv),
    "//": _simple(operator.floordiv),
    "%": modulo,
    "**": power,
    "<<": shift_left,
    ">>": _simple(operator.rshift),
    "&": _simple(operator.and_),
    "|": unite,
    "^": _simple(operator.xor),
    "@": _simple(operator.matmul),
}

UNARY: dict[str, Callable[[Any], Any]] = {
    "-": lambda value: -plain(value),
    "+": lambda value: +plain(value),
    "~": lambda value: ~plain(value),
    "not": lambda value: not truth(value),
}


def truth(value: Any) -> bool:
    """bool(value)"""
    if type(value) is bool:
        return value
    return bool(plain(value))


# -- comparing


def _weighed(left: Any, right: Any, budget: Budget) -> None:
    one, two = type(left), type(right)
    if one in CONTAINERS and two in CONTAINERS:
        budget.weigh(left)
        budget.weigh(right)
    elif one is range and two is range:
        pass
    elif one in VIEWS or two in VIEWS:
        raise Refused("views are not compared")
    else:
        plain(left), plain(right)


def _compare(function: Callable[[Any, Any], Any]) -> Binary:
    def apply(left: Any, right: Any, budget: Budget) -> Any:
        if not (type(left) is type(right) and type(left) in _SIMPLE):
            _weighed(left, right, budget)
        return function(left, right)

    return apply


_SIMPLE = frozenset((int, float, str, bool))


def contains(item: Any, container: Any, budget: Budget) -> bool:
    """item in container"""
    kind = type(container)
    if kind is range and type(item) not in _WHOLE:
        budget.sized(container)
        plain(item)
    elif kind in _TEXTS:
        budget.charge(len(container) // 16)
        plain(item)
    elif kind in CONTAINERS or kind in VIEWS:
        if type(item) not in ATOMS:
            budget.weigh(item)
        if kind in (list, tuple):
            budget.weigh(container)
        elif kind in VIEWS and kind not in _SET_LIKE:
            budget.weigh(list(container))
    else:
        plain(container)
    return item in container


def _identity(left: Any, right: Any) -> bool:
    for side in (left, right):
        if side is None or side is True or side is False or side is ... or side is NotImplemented:
            return left is right
        if isinstance(side, type):
            return left is right
        if type(side) in (list, dict, set):
            return left is right
    if type(left) is not type(right) and type(left) in ATOMS and type(right) in ATOMS:
        return False
    raise Refused("whether equal values are one object is not told")


COMPARE: dict[str, Binary] = {
    "==": _compare(operator.eq),
    "!=": _compare(operator.ne),
    "<": _compare(operator.lt),
    "<=": _compare(operator.le),
    ">": _compare(operator.gt),
    ">=": _compare(operator.ge),
    "in": contains,
    "not in": lambda left, right, budget: not contains(left, right, budget),
    "is": lambda left, right, _: _identity(left, right),
    "is not": lambda left, right, _: not _identity(left, right),
}


# -- containers


def index(container: Any, key: Any, budget: Budget) -> Any:
    """container[key], slices too"""
    kind = type(container)
    if type(key) is slice:
        if kind in _SEQUENCES:
            budget.charge(len(container) // 16)
        if kind is dict:
            raise Refused("a slice as a key is not computed")
    elif kind is dict and type(key) not in ATOMS:
        budget.weigh(key)
    if isinstance(container, type):
        raise Refused("a type with parameters is not computed")
    plain(key)
    return plain(container)[key]


def set_index(container: Any, key: Any, value: Any, budget: Budget) -> None:
    """container[key] = value"""
    kind = type(container)
    if type(key) is slice:
        if kind is list:
            budget.make(len(container) + budget.sized(_plain_items(value)))
            value = ordered(value)
        elif kind is dict:
            raise Refused("a slice as a key is not computed")
    elif type(key) not in ATOMS:
        budget.weigh(key)
    plain(container)[key] = value


def _plain_items(value: Any) -> Any:
    if type(value) in ATOMS or type(value) in CONTAINERS or type(value) in VIEWS:
        return value
    raise Refused(f"what {article(type(value))} object gives is not known")


def del_index(container: Any, key: Any, budget: Budget) -> None:
    """del container[key]"""
    if type(key) is slice and type(container) is dict:
        raise Refused("a slice as a key is not computed")
    if type(key) not in ATOMS:
        budget.weigh(key)
    if type(container) is list:
        budget.charge(len(container) // 16)
    del plain(container)[key]


# -- texts


def shown(value: Any, budget: Budget) -> str:
    """repr(value)"""
    budget.make(budget.weigh(value))
    _tellable(value)
    return repr(value)


def _tellable(value: Any) -> None:
    """Refused if the text of the value depends on the hash seed."""
    kind = type(value)
    if kind in (set, frozenset):
        ordered(value)
    elif kind in (list, tuple):
        for item in value:
            if type(item) in CONTAINERS:
                _tellable(item)
    elif kind is dict:
        for item in (*value, *value.values()):
            if type(item) in CONTAINERS:
                _tellable(item)


def as_text(value: Any, budget: Budget) -> str:
    """str(value)"""
    return value if type(value) is str else shown(value, budget)


def formatted(value: Any, spec: str, budget: Budget) -> str:
    """format(value, spec)"""
    _fields(spec, budget)
    if not spec:
        return as_text(value, budget)
    if type(value) is str:
        budget.make(len(value))
    elif type(value) in CONTAINERS:
        budget.weigh(value)
    return format(plain(value), spec)


def _fields(spec: str, budget: Budget) -> None:
    """Refuses a spec with a width or precision that is no small number."""
    budget.make(len(spec))
    for number in re.findall(r"\d+", spec):
        if len(number) > 6 or int(number) > LARGEST_FIELD:
            raise Refused("a field is too wide")
    if "n" in spec:
        raise Refused("what depends on the locale is not computed")


_FIELD = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?(?P<flags>[-+ #0]*)(?P<width>\d+|\*)?(?:\.(?P<precision>\d+|\*))?"
    r"[hlL]?(?P<kind>.)?",
    re.DOTALL,
)


def percent(template: str, values: Any, budget: Budget) -> str:
    """template % values"""
    budget.make(len(template))
    length = len(template)
    longest = 0
    for field in _FIELD.finditer(template):
        for number in (field["width"], field["precision"]):
            if number == "*" or (number and (len(number) > 6 or int(number) > LARGEST_FIELD)):
                raise Refused("a field is too wide")
            length += int(number or 0)
        longest += 1
    weight = budget.weigh(values)
    _tellable(values)
    if type(values) is dict:
        weight *= max(1, longest)
    budget.make(length + weight)
    return str(template % values)


def format_method(template: str, values: tuple[Any, ...], named: dict[str, Any], budget: Budget) -> str:
    """template.format(*values, **named), without fields that look into objects."""
    budget.make(len(template))
    uses = 0
    for _, field, spec, _ in Formatter().parse(template):
        if field is None:
            continue
        uses += 1
        if "." in field or "[" in field:
            raise Refused("a field that looks into an object is not computed")
        if spec and "{" in spec:
            raise Refused("a field within a field is not computed")
        _fields(spec or "", budget)
    for value in (*values, *named.values()):
        budget.make(budget.weigh(value) * max(1, uses))
        _tellable(value)
    return template.format(*values, **named)


__all__ = [
    "BINARY",
    "COMPARE",
    "UNARY",
    "VIEWS",
    "as_text",
    "del_index",
    "format_method",
    "formatted",
    "index",
    "order_known",
    "plain",
    "set_index",
    "shown",
    "truth",
]
