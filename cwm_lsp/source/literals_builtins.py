"""Builtin functions and types, each weighed before it is called.

Leaves out methods (literals_methods.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_calls import (
    BUILTINS,
    ITERATORS,
    Arguments,
    Function,
    Guarded,
    Named,
    callback,
    walked,
)
from cwm_lsp.source.literals_limits import CONTAINERS, Budget, Refused, order_known
from cwm_lsp.source.literals_methods import drained, sorting, weighing


def _direct(function: Callable[..., Any]) -> Guarded:
    """A builtin over plain values that makes nothing large."""

    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        for each in (*arguments, *named.values()):
            operators.plain(each)
            if type(each) in CONTAINERS:
                budget.charge(len(each) // 16)
        return function(*arguments, **named)

    return guarded


def _weighed(function: Callable[..., Any]) -> Guarded:
    """A builtin whose result shows all of its arguments."""

    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        for each in (*arguments, *named.values()):
            operators.shown(each, budget)
        return function(*arguments, **named)

    return guarded


def _len(_: Budget, arguments: Arguments, named: Named) -> Any:
    for each in arguments:
        if type(each) not in ITERATORS:
            operators.plain(each)
    return len(*arguments, **named)


def _int(budget: Budget, arguments: Arguments, named: Named) -> Any:
    for each in (*arguments, *named.values()):
        operators.plain(each)
        if type(each) in (str, bytes) and len(each) > budget.limits.bits // 6:
            raise Refused("a whole number is too large")
    return budget.integer(int(*arguments, **named))


def _pow(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if named or not 2 <= len(arguments) <= 3:
        return pow(*arguments, **named) if not arguments else _refuse("this form of pow is not computed")
    if len(arguments) == 2:
        return operators.power(*arguments, budget)
    for each in arguments:
        operators.plain(each)
    return pow(*arguments)


def _refuse(sentence: str) -> Any:
    raise Refused(sentence)


def _round(_: Budget, arguments: Arguments, named: Named) -> Any:
    for each in (*arguments, *named.values()):
        operators.plain(each)
    digits = named.get("ndigits", arguments[1] if len(arguments) > 1 else None)
    if type(digits) is int and abs(digits) > 400:
        raise Refused("so many digits are not computed")
    return round(*arguments, **named)


def _collected(kind: Callable[..., Any]) -> Guarded:
    """list, tuple, set and frozenset"""

    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        if len(arguments) != 1 or named:
            if named:
                raise Refused("keywords of a type differ between versions of Python")
            return kind(*arguments)
        source = arguments[0]
        into_set = kind in (set, frozenset)
        if into_set and type(source) in (set, frozenset):
            budget.sized(source)
        else:
            walked(source, budget)
        if into_set:
            if type(source) in ITERATORS:
                source = drained(source, budget)
            budget.hashable(source)
            if any(type(each) is slice for each in source) if type(source) in CONTAINERS else False:
                raise Refused("a slice as an element is not computed")
            if type(source) in CONTAINERS:
                budget.weigh(source)
        return kind(source)

    return guarded


def _dict(budget: Budget, arguments: Arguments, named: Named) -> Any:
    made: dict[Any, Any] = {}
    if len(arguments) == 1:
        source = walked(arguments[0], budget)
        if type(source) is dict:
            budget.make(len(source))
            return dict(source, **named)
        if (
            type(source) not in CONTAINERS
            and type(source) not in ITERATORS
            and type(source) not in operators.VIEWS
        ):
            return dict(source, **named)
        pairs = drained(source, budget)
        for pair in pairs:
            if type(pair) in (set, frozenset) or type(pair) in ITERATORS:
                raise Refused("these pairs are not computed")
            walked(pair, budget)
        budget.hashable([pair[0] for pair in pairs if type(pair) in (tuple, list) and pair])
        return dict(pairs, **named)
    if arguments:
        return dict(*arguments, **named)
    made.update(named)
    return made


def _str(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) == 1 and not named:
        return operators.as_text(arguments[0], budget)
    if not arguments and not named:
        return ""
    raise Refused("this form of str() is not computed")


def _bytes(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if named or len(arguments) > 1:
        raise Refused("this form of bytes() is not computed")
    for each in arguments:
        operators.plain(each)
        if type(each) is int:
            budget.make(max(0, each))
        else:
            walked(each, budget)
    return bytes(*arguments)


def _sum(budget: Budget, arguments: Arguments, named: Named) -> Any:
    """Added one by one: from Python 3.12 on, floats are summed in another way."""
    if not 1 <= len(arguments) <= 2 or not {"start"} >= set(named):
        return sum(*arguments, **named)
    start = named.get("start", arguments[1] if len(arguments) > 1 else 0)
    if isinstance(start, str | bytes):
        return sum(arguments[0], start)
    total = start
    items = walked(arguments[0], budget)
    for item in items:
        if type(total) in CONTAINERS:
            budget.charge(len(total) // 4)
        total = operators.add(total, item, budget)
    return total


def _sorted(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) != 1 or not {"key", "reverse"} >= set(named):
        return sorted(*arguments, **named)
    source = arguments[0]
    loose = not order_known(source)
    if not loose:
        walked(source, budget)
    elif named.get("key") is not None:
        raise Refused("the order of a set of texts differs from run to run")
    items = list(source)
    budget.make(len(items))
    try:
        return sorted(items, **sorting(items, budget, named))
    except TypeError:
        if loose:
            raise Refused("the order of a set of texts differs from run to run") from None
        raise


def _least(function: Callable[..., Any]) -> Guarded:
    """min and max"""

    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        if not {"key", "default"} >= set(named):
            return function(*arguments, **named)
        wanted = dict(named)
        if wanted.get("key") is not None:
            wanted["key"] = weighing(callback(wanted["key"], budget), budget, 1)
        if len(arguments) != 1:
            if "key" not in wanted or wanted["key"] is None:
                for each in arguments:
                    budget.weigh(each)
            return function(*arguments, **wanted)
        source = arguments[0]
        loose = not order_known(source)
        if loose and wanted.get("key") is not None:
            raise Refused("the order of a set of texts differs from run to run")
        items = source if loose else walked(source, budget)
        if type(items) in ITERATORS or type(items) in CONTAINERS:
            items = list(items)
            budget.make(len(items))
            if wanted.get("key") is None:
                budget.weigh(items)
        try:
            return function(items, **wanted)
        except TypeError:
            if loose:
                raise Refused("the order of a set of texts differs from run to run") from None
            raise

    return guarded


def _any_all(stop: bool) -> Guarded:
    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        if len(arguments) != 1 or named:
            return (any if stop else all)(*arguments, **named)
        source = arguments[0]
        if order_known(source):
            source = walked(source, budget)
        for item in source:
            if operators.truth(item) is stop:
                return stop
        return not stop

    return guarded


def _lazy(kind: Callable[..., Any], functions: int = 0) -> Guarded:
    """zip, enumerate, map, filter, reversed, iter"""

    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        taken = list(arguments)
        for at, each in enumerate(taken):
            if at < functions:
                taken[at] = callback(each, budget)
            elif kind is enumerate and at == 1:
                operators.plain(each)
            else:
                walked(each, budget)
        if kind is iter and len(arguments) > 1:
            raise Refused("iter() with a sentinel is not computed")
        for each in named.values():
            operators.plain(each)
        return kind(*taken, **named)

    return guarded


def _filter(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) == 2 and arguments[0] is None:
        return filter(operators.truth, walked(arguments[1], budget))
    if len(arguments) == 2 and not named:
        function = callback(arguments[0], budget)
        return filter(lambda item: operators.truth(function(item)), walked(arguments[1], budget))
    return filter(*arguments, **named)


def _next(_: Budget, arguments: Arguments, named: Named) -> Any:
    if named or not arguments or type(arguments[0]) not in ITERATORS:
        for each in arguments:
            operators.plain(each)
    return next(*arguments, **named)


def _isinstance(_: Budget, arguments: Arguments, named: Named) -> Any:
    for each in arguments[:1]:
        if type(each) not in ITERATORS:
            operators.plain(each)
    return isinstance(*arguments, **named)


def _type(_: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) != 1 or named:
        raise Refused("a class is not made")
    value = arguments[0]
    if type(value) in ITERATORS:
        raise Refused("the type of an iterator is not told")
    return type(operators.plain(value))


def _format(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if named or not 1 <= len(arguments) <= 2 or not all(type(each) is str for each in arguments[1:]):
        raise Refused("this form of format() is not computed")
    return operators.formatted(arguments[0], arguments[1] if len(arguments) > 1 else "", budget)


def _hash(_: Budget, arguments: Arguments, named: Named) -> Any:
    if any(type(each) not in (int, bool, float, complex, list, dict, set) for each in arguments):
        raise Refused("this hash differs from run to run")
    return hash(*arguments, **named)


def _callable(_: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) != 1 or not isinstance(arguments[0], Function):
        for each in arguments:
            operators.plain(each)
    else:
        return True
    return callable(*arguments, **named)


def _divmod(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) == 2 and type(arguments[0]) is str:
        raise Refused("divmod of texts is not computed")
    return _direct(divmod)(budget, arguments, named)


_OWN: dict[Any, Guarded] = {
    abs: _direct(abs), bool: _direct(bool), bin: _direct(bin), oct: _direct(oct), hex: _direct(hex),
    chr: _direct(chr), ord: _direct(ord), float: _direct(float), complex: _direct(complex),
    range: _direct(range), slice: _direct(slice), divmod: _divmod,
    repr: _weighed(repr), ascii: _weighed(ascii), str: _str, format: _format, bytes: _bytes,
    len: _len, int: _int, pow: _pow, round: _round, sum: _sum, sorted: _sorted,
    min: _least(min), max: _least(max), any: _any_all(True), all: _any_all(False),
    list: _collected(list), tuple: _collected(tuple), set: _collected(set), frozenset: _collected(frozenset),
    dict: _dict, zip: _lazy(zip), enumerate: _lazy(enumerate), map: _lazy(map, 1), filter: _filter,
    reversed: _lazy(reversed), iter: _lazy(iter), next: _next, isinstance: _isinstance, type: _type,
    hash: _hash, callable: _callable,
}  # fmt: skip

BUILTINS.update(_OWN)
NAMES: dict[str, Any] = {function.__name__: function for function in BUILTINS}
