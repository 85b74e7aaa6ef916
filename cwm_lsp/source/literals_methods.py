"""Methods of builtin types whose cost must be looked at before they are called.

Leaves out which methods there are (literals_calls.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_calls import GUARDS, ITERATORS, METHODS, Arguments, Named, callback, walked
from cwm_lsp.source.literals_limits import ATOMS, CONTAINERS, Budget, Refused, ordered


def _searched(value: Any, budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    """list.count, index and remove compare with everything that is there."""
    if type(value) is range:
        if not all(type(each) is int for each in arguments):
            raise Refused("what is no whole number is not searched in a range")
    elif type(value) in CONTAINERS:
        budget.weigh(value)
        for each in arguments:
            budget.weigh(each)
    else:
        budget.make(len(value))
        for each in arguments:
            operators.plain(each)
    return getattr(value, name)(*arguments, **named)


def _padded(value: Any, budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    for each in arguments[:1]:
        if isinstance(each, int):
            budget.make(max(each, 0))
    return getattr(value, name)(*arguments, **named)


def _expandtabs(value: Any, budget: Budget, arguments: Arguments, named: Named) -> Any:
    for each in (*arguments, *named.values()):
        if isinstance(each, int):
            budget.make(len(value) + max(each, 0) * value.count("\t" if type(value) is str else b"\t"))
    return value.expandtabs(*arguments, **named)


def _replace(value: Any, budget: Budget, arguments: Arguments, named: Named) -> Any:
    if named:
        raise Refused("keywords of replace differ between versions of Python")
    if len(arguments) >= 2 and type(arguments[0]) is type(arguments[1]) is type(value):
        times = value.count(arguments[0])
        budget.make(len(value) + times * len(arguments[1]))
    return value.replace(*arguments)


def _join(value: Any, budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) != 1 or named:
        return value.join(*arguments, **named)
    source = walked(arguments[0], budget)
    if type(source) in ATOMS and type(source) not in (str, bytes, range):
        return value.join(source)
    parts = source if type(source) in (range, bytes) else list(source)
    if type(parts) is list:
        length = sum(len(part) for part in parts if type(part) in (str, bytes))
        budget.make(length + len(value) * len(parts))
        if any(type(part) not in ATOMS and type(part) not in CONTAINERS for part in parts):
            raise Refused("what is joined is not known")
    return value.join(parts)


def _translate(value: Any, budget: Budget, arguments: Arguments, named: Named) -> Any:
    table = arguments[0] if len(arguments) == 1 else None
    if type(table) is not dict or named:
        raise Refused("only a dict translates")
    longest = max((len(each) for each in table.values() if type(each) is str), default=1)
    budget.make(len(value) * max(1, longest))
    return value.translate(table)


def _encode(value: Any, budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    names = [*arguments, *named.values()]
    if any(type(each) is not str for each in names):
        return getattr(value, name)(*arguments, **named)
    known = {"utf-8", "utf8", "ascii", "latin-1", "latin1", "utf-16", "utf-32", "strict", "ignore", "replace"}
    if not {each.lower() for each in names} <= known:
        raise Refused("this encoding is not computed")
    budget.make(4 * len(value))
    return getattr(value, name)(*arguments, **named)


def _extend(value: Any, budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) == 1:
        budget.make(len(value) + budget.sized(walked(arguments[0], budget)))
    return value.extend(*arguments, **named)


def _sort(value: list[Any], budget: Budget, arguments: Arguments, named: Named) -> Any:
    if arguments or not {"key", "reverse"} >= set(named):
        return value.sort(*arguments, **named)
    before = list(value)
    try:
        return value.sort(**sorting(value, budget, named))
    except Refused:
        value[:] = before
        raise


def sorting(items: Any, budget: Budget, named: Named) -> dict[str, Any]:
    """The keywords of a sort, its work charged."""
    rounds = max(1, len(items).bit_length() // 2)
    wanted = dict(named)
    if wanted.get("key") is not None:
        wanted["key"] = weighing(callback(wanted["key"], budget), budget, rounds)
    else:
        wanted.pop("key", None)
        budget.charge(budget.weigh(items) * rounds)
    if "reverse" in wanted and type(wanted["reverse"]) not in (bool, int):
        operators.plain(wanted["reverse"])
    return wanted


def weighing(key: Any, budget: Budget, rounds: int) -> Any:
    def weighed(item: Any) -> Any:
        found = key(item)
        budget.charge(budget.weigh(found) * rounds)
        return found

    return weighed


def _key_taking(value: dict[Any, Any], budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    for each in arguments[:1]:
        if type(each) is slice:
            raise Refused("a slice as a key is not computed")
        if type(each) not in ATOMS:
            budget.weigh(each)
    return getattr(value, name)(*arguments, **named)


def _dict_update(value: dict[Any, Any], budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) == 1:
        source = walked(arguments[0], budget)
        if type(source) is dict:
            budget.make(len(value) + len(source))
        else:
            pairs = drained(source, budget)
            for pair in pairs:
                if type(pair) not in CONTAINERS and type(pair) is not str:
                    operators.plain(pair)
                walked(pair, budget)
            budget.hashable(pairs)
            return value.update(pairs, **named)
    return value.update(*arguments, **named)


def drained(source: Any, budget: Budget) -> list[Any]:
    """All that an iteration gives, as a list."""
    found = list(walked(source, budget))
    budget.make(len(found))
    return found


def _set_with(value: Any, budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    """Methods of sets that take iterables. Their order is not looked at: only the members count."""
    budget.charge(len(value))
    taken: list[Any] = []
    for each in arguments:
        items: Any = each
        if type(each) in ITERATORS:
            items = drained(each, budget)
        elif type(each) in (set, frozenset):
            budget.sized(each)
        else:
            walked(each, budget)
        budget.hashable(items)
        if type(items) not in ATOMS:
            budget.weigh(items if type(items) in CONTAINERS else list(items))
        taken.append(items)
    return getattr(value, name)(*taken, **named)


def _set_add(value: Any, budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    for each in arguments:
        if type(each) is slice:
            raise Refused("a slice as an element is not computed")
        budget.weigh(each)
    return getattr(value, name)(*arguments, **named)


def _set_pop(value: set[Any], _: Budget, arguments: Arguments, named: Named) -> Any:
    ordered(value)
    return value.pop(*arguments, **named)


def _to_bytes(value: int, budget: Budget, arguments: Arguments, named: Named) -> Any:
    for each in (*arguments, *named.values()):
        if type(each) is int:
            budget.make(max(0, each))
    return value.to_bytes(*arguments, **named)


def _with_name(guard: Callable[..., Any], name: str) -> Callable[..., Any]:
    return lambda value, budget, arguments, named: guard(value, budget, arguments, named, name)


def _copied(value: Any, budget: Budget, arguments: Arguments, named: Named) -> Any:
    budget.make(len(value))
    return value.copy(*arguments, **named)


def _text_format(value: str, budget: Budget, arguments: Arguments, named: Named) -> Any:
    return operators.format_method(value, arguments, dict(named), budget)


def _splitting(value: Any, budget: Budget, arguments: Arguments, named: Named, name: str) -> Any:
    budget.make(len(value))
    for each in (*arguments, *named.values()):
        operators.plain(each)
    return getattr(value, name)(*arguments, **named)


_OWN: dict[tuple[type | None, str], Callable[..., Any]] = {
    (None, "copy"): _copied,
    (None, "replace"): _replace,
    (None, "join"): _join,
    (None, "expandtabs"): _expandtabs,
    (str, "translate"): _translate,
    (str, "format"): _text_format,
    (list, "extend"): _extend,
    (list, "sort"): _sort,
    (dict, "update"): _dict_update,
    (set, "pop"): _set_pop,
    (int, "to_bytes"): _to_bytes,
}
for _name in ("count", "index"):
    _OWN[(None, _name)] = _with_name(_searched, _name)
_OWN[(list, "remove")] = _with_name(_searched, "remove")
for _name in ("center", "ljust", "rjust", "zfill"):
    _OWN[(None, _name)] = _with_name(_padded, _name)
for _name in ("encode", "decode"):
    _OWN[(None, _name)] = _with_name(_encode, _name)
for _name in ("get", "pop", "setdefault"):
    _OWN[(dict, _name)] = _with_name(_key_taking, _name)
for _name in ("split", "rsplit", "splitlines"):
    _OWN[(None, _name)] = _with_name(_splitting, _name)
for _kind in (set, frozenset):
    for _name in METHODS[_kind]:
        if _name.startswith(("difference", "intersection", "is", "symmetric", "union", "update")):
            _OWN[(_kind, _name)] = _with_name(_set_with, _name)
for _name in ("add", "discard", "remove"):
    _OWN[(set, _name)] = _with_name(_set_add, _name)

GUARDS.update(_OWN)
