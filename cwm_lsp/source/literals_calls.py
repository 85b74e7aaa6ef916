"""Calls and attributes that are computed: a whitelist, each call weighed before it is made.

Leaves out what each of them weighs (literals_methods.py, literals_builtins.py). What is not listed is
Refused, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_limits import ATOMS, CONTAINERS, Budget, Refused, article, ordered

Arguments = tuple[Any, ...]
Named = Mapping[str, Any]
Guarded = Callable[[Budget, Arguments, Named], Any]

ITERATORS: frozenset[type] = frozenset(
    (
        zip, enumerate, map, filter, reversed, type(iter(())), type(iter([])), type(iter({})), type(iter("")),
        type(iter("é")), type(iter(set())), type(iter(range(0))), type(iter(range(1 << 70))), type(iter(b"")),
        type(iter({}.items())), type(iter({}.values())), type(reversed([])), type(reversed({})),
        type(reversed({}.items())), type(reversed({}.values())), type(_ for _ in ()),
    )
)  # fmt: skip


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


BUILTINS: dict[Any, Guarded] = {}
"""What a call of a builtin does (literals_builtins.py)."""
GUARDS: dict[tuple[type | None, str], Callable[..., Any]] = {}
"""What stands before a method of a type, or of any type (literals_methods.py)."""


MODULES: dict[tuple[str, str], Any] = {}
"""Functions and constants of modules (literals_modules.py)."""


class Module:
    """An imported module, or a name from one."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<module {self.name!r}>"


class Function:
    """A function as a value: what computing calls, and C code may call back."""

    __slots__ = ("call", "name")

    def __init__(self, call: Callable[..., Any], name: str = "<lambda>") -> None:
        self.call = call
        self.name = name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.call(*arguments, **named)


def walked(value: Any, budget: Budget) -> Any:
    """The value, if what a `for` over it takes is known."""
    kind = type(value)
    if kind in CONTAINERS or kind in operators.VIEWS:
        if kind in (set, frozenset):
            ordered(value)
        budget.sized(value)
    elif kind is range or kind is str or kind is bytes:
        budget.sized(value)
    elif kind not in ITERATORS:
        operators.plain(value)
    return value


def callback(value: Any, budget: Budget) -> Any:
    """A function that C code may call: guarded like any other call."""
    if value is None or isinstance(value, Function):
        return value
    return Function(lambda *arguments, **named: call(value, arguments, named, budget))


def call(function: Any, arguments: Arguments, named: Named, budget: Budget) -> Any:
    """function(*arguments, **named)"""
    try:
        guarded = BUILTINS.get(function)
    except TypeError:
        guarded = None
    if guarded is not None:
        return guarded(budget, arguments, named)
    if isinstance(function, Function):
        budget.charge(10)
        return function.call(*arguments, **named)
    if type(function) in ATOMS or type(function) in CONTAINERS:
        raise TypeError(f"{type(function).__name__!r} object is not callable")
    raise Refused(f"a call of {article(type(function))} object is not computed")


def attribute(value: Any, name: str, budget: Budget) -> Any:
    """value.name, for the listed attributes of builtin types."""
    if name.startswith("_"):
        raise Refused(f"the attribute {name} is not computed")
    kind = type(value)
    if kind is Module and (value.name, name) in MODULES:
        return MODULES[value.name, name]
    if kind is type:
        if value in METHODS and (name in METHODS[value] or (value, name) in _CLASS_METHODS):
            return Function(lambda *rest, **named: _unbound(value, name, rest, named, budget), name)
        raise Refused(f"the attribute {name} of a type is not computed")
    if (kind, name) in _FIELDS:
        return getattr(value, name)
    if name in METHODS.get(kind, ()):
        return Function(lambda *rest, **named: method(value, name, rest, named, budget), name)
    if (kind in ATOMS or kind in CONTAINERS) and not hasattr(kind, name):
        return getattr(value, name)  # raises what Python raises
    raise Refused(f"the attribute {name} of {article(kind)} object is not computed")


def _unbound(kind: type, name: str, arguments: Arguments, named: Named, budget: Budget) -> Any:
    if (kind, name) in _CLASS_METHODS:
        if name == "fromkeys" and arguments:
            budget.hashable(walked(arguments[0], budget))
        if name == "from_bytes" and any(type(each) is not bytes or len(each) > 512 for each in arguments[:1]):
            raise Refused("a whole number is too large")
        for each in (*arguments, *named.values()):
            budget.weigh(each) if name != "fromkeys" else operators.plain(each)
        return getattr(kind, name)(*arguments, **named)
    if not arguments or type(arguments[0]) is not kind:
        raise Refused(f"{kind.__name__}.{name} of something else is not computed")
    return method(arguments[0], name, arguments[1:], named, budget)


_FIELDS = {
    (kind, name)
    for kind, names in (
        (int, ("real", "imag", "numerator", "denominator")),
        (bool, ("real", "imag", "numerator", "denominator")),
        (float, ("real", "imag")),
        (complex, ("real", "imag")),
        (range, ("start", "stop", "step")),
        (slice, ("start", "stop", "step")),
    )
    for name in names
}
_CLASS_METHODS = {
    (str, "maketrans"),
    (dict, "fromkeys"),
    (int, "from_bytes"),
    (bytes, "fromhex"),
    (float, "fromhex"),
}

_TEXT = words(
    "capitalize center count endswith expandtabs find index isalnum isalpha isascii isdigit "
    "islower isspace istitle isupper join ljust lower lstrip partition removeprefix "
    "removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines "
    "startswith strip swapcase title translate upper zfill "
)
METHODS: dict[type, frozenset[str]] = {
    str: _TEXT | {"casefold", "encode", "format", "isdecimal", "isidentifier", "isnumeric", "isprintable"},
    bytes: (_TEXT | {"decode", "hex"}) - {"translate"},
    list: words("append clear copy count extend index insert pop remove reverse sort"),
    tuple: frozenset(("count", "index")),
    dict: words("clear copy get items keys pop popitem setdefault update values"),
    set: words(
        "add clear copy difference difference_update discard intersection intersection_update "
        "isdisjoint issubset issuperset pop remove symmetric_difference "
        "symmetric_difference_update union update "
    ),
    frozenset: words(
        "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
    ),
    int: frozenset(("bit_length", "bit_count", "to_bytes", "conjugate", "as_integer_ratio")),
    bool: frozenset(("bit_length", "bit_count", "conjugate", "as_integer_ratio")),
    float: frozenset(("is_integer", "hex", "conjugate", "as_integer_ratio")),
    complex: frozenset(("conjugate",)),
    range: frozenset(("count", "index")),
    slice: frozenset(("indices",)),
    type({}.keys()): frozenset(("isdisjoint",)),
    type({}.values()): frozenset(),
    type({}.items()): frozenset(("isdisjoint",)),
}


def method(value: Any, name: str, arguments: Arguments, named: Named, budget: Budget) -> Any:
    """value.name(*arguments, **named) for the listed methods of builtin types. Raises Refused, or what Python
    raises."""
    kind = type(value)
    if name not in METHODS.get(kind, ()):
        found = attribute(value, name, budget)
        return call(found, arguments, named, budget)
    guard = GUARDS.get((kind, name)) or GUARDS.get((None, name))
    if guard is not None:
        return guard(value, budget, arguments, named)
    if kind is bool:
        value, kind = int(value), int  # bool has no methods of its own, and messages name the class
    held = kind is list and name in ("append", "insert")
    for at, each in enumerate((*arguments, *named.values())):
        if held and at == len(arguments) - 1:
            continue  # a list takes anything
        operators.plain(each)
        if type(each) in CONTAINERS and kind not in (list, dict):
            budget.weigh(each)
    if kind is str or kind is bytes:
        budget.charge(len(value) // 16)
    return getattr(value, name)(*arguments, **named)


def iterate(value: Any, budget: Budget) -> Iterator[Any]:
    """What a `for` over the value takes."""
    return iter(walked(value, budget))
