"""How much an evaluation may cost, and how large the values in it may be.

Everything is weighed before it is made: what would be too large is refused, not computed and thrown away.
Leaves out which operations there are (literals_operators.py, literals_calls.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Any


class Refused(Exception):  # noqa: N818  (it is an answer, not an error)
    """It can't be told, or won't be computed; the message is one sentence."""


@dataclass(frozen=True)
class Limits:
    """The largest whole number in bits, the longest text or container, the most work (about one unit a
    microsecond: an element moved, a step of a loop) and the longest time in seconds of one evaluation, the
    deepest nesting and the most nodes of an expression."""

    bits: int = 4096
    length: int = 100_000
    work: int = 150_000
    seconds: float = 0.03
    depth: int = 60
    nodes: int = 2_000

    @cached_property
    def biggest(self) -> int:
        """The first whole number that is too large."""
        return 1 << self.bits


DEFAULT = Limits()

ATOMS: frozenset[type] = frozenset(
    (int, float, complex, bool, type(None), str, bytes, range, slice, type(...), type(NotImplemented))
)
CONTAINERS: frozenset[type] = frozenset((list, tuple, dict, set, frozenset))
_LARGE_HASH = (1 << 61) - 1


class Budget:
    """What one evaluation has left."""

    __slots__ = ("end", "left", "limits", "next_look")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.left = limits.work
        self.next_look = limits.work - 500
        self.end = 0.0

    def charge(self, amount: int) -> None:
        """Takes some work off. Raises Refused once too much is used up."""
        self.left -= amount
        if self.left < self.next_look:
            self._look()

    def _look(self) -> None:
        if self.left < 0:
            raise Refused("the computation takes too many steps")
        now = time.monotonic()
        if not self.end:
            self.end = now + self.limits.seconds
        elif now > self.end:
            raise Refused("the computation takes too long")
        self.next_look = self.left - 500

    def make(self, length: int) -> None:
        """Before a text or container of that length is made."""
        if length > self.limits.length:
            raise Refused(f"a value of {length if length < 10**30 else 'countless'} elements is too long")
        if length > 16:
            self.charge(length)

    def integer(self, value: int) -> int:
        """A whole number that was made, if it is small enough."""
        biggest = self.limits.biggest
        if -biggest < value < biggest:
            return value
        raise Refused("a whole number is too large")

    def sized(self, value: Any) -> int:
        """The length of what is walked over; iterators are bounded by what they were made of."""
        kind = type(value)
        if kind is range:
            length = range_length(value)
            if length > self.limits.length:
                raise Refused("a range is too long to walk over")
        elif isinstance(value, Sized):
            length = len(value)
        else:
            length = 64
        if length > 16:
            self.charge(length)
        return length

    def weigh(self, value: Any) -> int:
        """How many elements a value shows in all, shared ones counted each time. Raises Refused for a value
        that is too large to walk through, holds itself, or holds something that is no plain value."""
        kind = type(value)
        if kind in ATOMS:
            return 1 if kind is not str and kind is not bytes else 1 + len(value) // 16
        weight = _weigh(value, {}, self.limits.depth, self.limits.work)
        self.charge(weight)
        return weight

    def hashable(self, value: Any) -> None:
        """Before many things at once become keys: equal hashes make that slow."""
        length = self.sized(value)
        if length > 1000 and isinstance(value, list | tuple | set | frozenset | dict | range):
            for item in value:
                kind = type(item)
                if (kind is int and not -_LARGE_HASH < item < _LARGE_HASH) or kind not in ATOMS:
                    raise Refused("so many keys of this kind are not computed")


def range_length(value: range) -> int:
    """`len` of a range of any length."""
    if value.step > 0:
        return max(0, (value.stop - value.start + value.step - 1) // value.step)
    return max(0, (value.start - value.stop - value.step - 1) // -value.step)


def _weigh(value: Any, known: dict[int, int], depth: int, most: int) -> int:
    kind = type(value)
    if kind in ATOMS:
        return 1 if kind is not str and kind is not bytes else 1 + len(value) // 16
    if kind not in CONTAINERS:
        if kind is type:
            return 1
        raise Refused(f"what {article(kind)} object holds is not known")
    found = known.get(id(value))
    if found is not None:
        if found < 0:
            raise Refused("the value holds itself")
        return found
    if depth <= 0:
        raise Refused("the value is nested too deep")
    known[id(value)] = -1
    total = 1
    items = value if kind is not dict else (*value, *value.values())
    if kind is not dict and all_plain(value):
        total += len(value)
    else:
        for item in items:
            total += _weigh(item, known, depth - 1, most)
            if total > most:
                raise Refused("the value is too large to walk through")
    known[id(value)] = total
    return total


_SMALL: frozenset[type] = ATOMS - {str, bytes}


def all_plain(value: Any) -> bool:
    """True if every element is a number or the like: one look at their types, in C."""
    return set(map(type, value)) <= _SMALL


def article(kind: type) -> str:
    """`a list`, `an int`."""
    name = kind.__name__.lstrip("_").lower()
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def order_known(value: Any) -> bool:
    """True unless the order of a set depends on the hash seed of the process that holds it."""
    if type(value) not in (set, frozenset) or len(value) < 2:
        return True
    return all(_plain_hash(item) for item in value)


def _plain_hash(item: Any) -> bool:
    kind = type(item)
    if kind is tuple:
        return all(_plain_hash(part) for part in item)
    return kind in (int, bool) or (kind is float and not math.isnan(item))


def ordered(value: Any) -> Any:
    """The value, if the order of what it gives one after the other is known."""
    if not order_known(value):
        raise Refused("the order of a set of texts differs from run to run")
    return value


__all__ = [
    "ATOMS",
    "CONTAINERS",
    "DEFAULT",
    "Budget",
    "Limits",
    "Refused",
    "article",
    "order_known",
    "ordered",
]
