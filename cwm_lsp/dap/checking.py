"""Whether what a client sent has the types that the protocol gives it. Leaves out what it means."""

from __future__ import annotations

import types
from functools import lru_cache
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

MAX_INTEGER = 2**53


@lru_cache(maxsize=256)
def _fields(kind: type) -> tuple[dict[str, Any], frozenset[str]]:
    required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
    hints = get_type_hints(kind, include_extras=True)
    optional = {name for name, hint in hints.items() if get_origin(hint) is NotRequired}
    bare = {n: get_args(h)[0] if get_origin(h) in (NotRequired, Required) else h for n, h in hints.items()}
    return bare, required - optional


def complaint(value: Any, kind: Any, where: str = "arguments") -> str | None:
    """Why the value isn't of that type, in one sentence; None if it is. Fields that the type doesn't name
    are fine."""
    if kind is Any:
        return None
    if is_typeddict(kind):
        if not isinstance(value, dict):
            return f"{where} must be an object."
        hints, required = _fields(kind)
        for name, hint in hints.items():
            if name not in value or (value[name] is None and name not in required):
                if name in required:
                    return f"{where}.{name} is missing."
                continue
            wrong = complaint(value[name], hint, f"{where}.{name}")
            if wrong is not None:
                return wrong
        return None
    return _plain(value, kind, where)


def _plain(value: Any, kind: Any, where: str) -> str | None:
    origin = get_origin(kind)
    if origin is Literal:
        return None if value in get_args(kind) else f"{where} must be one of {', '.join(get_args(kind))}."
    if origin in (Union, types.UnionType):
        wrong = [complaint(value, each, where) for each in get_args(kind)]
        return None if None in wrong else wrong[0]
    if origin is list or kind is list:
        if not isinstance(value, list):
            return f"{where} must be a list."
        item = (get_args(kind) or (Any,))[0]
        wrongs = (complaint(each, item, f"{where}[{at}]") for at, each in enumerate(value))
        return next((wrong for wrong in wrongs if wrong is not None), None)
    if origin is dict or kind is dict:
        return None if isinstance(value, dict) else f"{where} must be an object."
    if kind is int:
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INTEGER
        return None if whole else f"{where} must be a whole number."
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if number else f"{where} must be a number."
    if kind is type(None):
        return None if value is None else f"{where} must be null."
    names = {str: "a text", bool: "true or false"}
    return None if isinstance(value, kind) else f"{where} must be {names.get(kind, str(kind))}."
