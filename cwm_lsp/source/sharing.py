"""What two values may have in common, read off their `repr`: who changes if a thing inside one of them
changes.

Two values that share an object that can change both show it, so where no part of one looks like a part of the
other they share none. Leaves out which objects a line changes (effects).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from cwm_lsp.source.values import elements, kind_of, split_commas, split_pair

_MOST = 20_000
"""A longer text is taken to be anything."""
_ADDRESS = r"(?: at 0x[0-9a-fA-F]+)?"
_PLAIN_OBJECT = re.compile(rf"<[\w.<>]+ object{_ADDRESS}>")
_NAMED = re.compile(
    r"<(?:function|class|module|built-in|slot wrapper|method(?:-wrapper)?|generator object|enum|member"
    r"|coroutine object|async_generator object|code object|frame|traceback|weakref|cell|property)\b.*>",
    re.DOTALL,
)
_COMPLEX = re.compile(r"\([-+]?[\d.einfa+-]+[-+][\d.einfa+-]+j\)")
_SETTLED_CALL = re.compile(
    r"(?:Decimal|Fraction|(?:datetime\.)?(?:datetime|date|time|timedelta|timezone)|UUID|(?:Pure)?(?:Posix|Windows)Path"
    r"|slice|re\.compile|IPv[46](?:Address|Network|Interface))\([^\[{<]*\)"
)
_WRAPPED = re.compile(r"(?:deque|Counter|OrderedDict|defaultdict)\(")
_COUNTING = re.compile(r"(?:count|repeat)\(")
"""Iterators that show how far they are."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The things inside a value that can change.

    `containers`: lists, dicts and sets, each by its text. `custom`: something whose text may depend on
    anything it holds. `hides`: something that holds what can't be seen.
    """

    containers: frozenset[str] = frozenset()
    custom: bool = False
    hides: bool = False

    @property
    def settled(self) -> bool:
        return not self.containers and not self.custom


_NOTHING = Parts()
_ANYTHING = Parts(custom=True, hides=True)


@lru_cache(maxsize=4096)
def parts_of(text: str) -> Parts:
    """What is inside a value, by its `repr`."""
    if len(text) > _MOST:
        return _ANYTHING
    kind = kind_of(text)
    if kind in ("int", "float", "bool", "None", "str", "bytes", "range") or text in (
        "Ellipsis",
        "NotImplemented",
    ):
        return _NOTHING
    if kind in ("list", "tuple", "set", "frozenset", "dict"):
        if kind == "tuple" and _COMPLEX.fullmatch(text):
            return _NOTHING
        return _container(text, kind)
    if _WRAPPED.match(text) and text.endswith(")"):
        return _wrapped(text)
    if _PLAIN_OBJECT.fullmatch(text):
        return Parts(hides=True)
    if _NAMED.fullmatch(text):
        # A generator, a bound method or a function with cells holds values, but doesn't show them.
        return Parts(hides=not text.startswith(("<class", "<module", "<built-in function", "<enum")))
    if _SETTLED_CALL.fullmatch(text):
        return _NOTHING
    return _ANYTHING


def _container(text: str, kind: str) -> Parts:
    inside = elements(text)
    if inside is None:
        return _ANYTHING
    items: list[str] = []
    for item in inside:
        pair = split_pair(item) if kind == "dict" else None
        if kind == "dict" and pair is None:
            return _ANYTHING
        items.extend(pair or (item,))
    # What is repeated inside itself is shown as dots.
    found = [
        _ANYTHING if item in ("[...]", "{...}", "(...)") else parts_of(item) for item in dict.fromkeys(items)
    ]
    own = frozenset({text}) if kind in ("list", "set", "dict") else frozenset[str]()
    return Parts(
        own.union(*(each.containers for each in found)),
        any(each.custom for each in found),
        any(each.hides for each in found),
    )


def _wrapped(text: str) -> Parts:
    """A container of collections: `deque([...])`, `defaultdict(<class 'list'>, {...})`. What stands in
    brackets is how it shows its elements, and no object of its own."""
    arguments = split_commas(text[text.index("(") + 1 : -1])
    if arguments is None:
        return _ANYTHING
    found = [parts_of(argument) for argument in arguments]
    inside = frozenset[str]().union(*(each.containers for each in found)) - set(arguments)
    return Parts(inside | {text}, any(each.custom for each in found), any(each.hides for each in found))


def is_settled(text: str) -> bool:
    """True if nothing that is done to the value, or to what it holds, can change its `repr`."""
    return parts_of(text).settled


def is_flat(text: str) -> bool:
    """True for a list, dict or set of things that can't change and hold nothing."""
    parts = parts_of(text)
    return parts.containers == frozenset({text}) and not parts.custom and not parts.hides


def counts(text: str) -> bool:
    """True for an iterator whose `repr` tells how much is left."""
    return _COUNTING.match(text) is not None


def may_show(text: str, changed: str, *, inside: bool) -> bool:
    """True if a value may look different once another one was changed in place, or, with `inside`, something
    it holds was."""
    mine = parts_of(text)
    if mine.settled:
        return False
    if mine.custom:
        return True
    theirs = parts_of(changed)
    if not inside and not theirs.custom:
        # Only what holds that very object shows it.
        return changed in mine.containers
    return theirs.hides or theirs.custom or bool(mine.containers & theirs.containers)
