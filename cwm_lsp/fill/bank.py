"""Expressions over the names at a hole, smallest first, one of each behaviour.

Bottom-up on vectors: an operator is applied to what its operands give in each state, never to code. Two
expressions that give the same in all states and read the same names are one; the first, cheaper one stands
for both. Leaves out statements (drafting.py) and the search over several holes (search.py).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cwm_lsp.fill import entries as e
from cwm_lsp.fill.combining import Combiner, Known
from cwm_lsp.fill.entries import FAILED, Entry
from cwm_lsp.fill.states import State
from cwm_lsp.source.literals import Refused
from cwm_lsp.source.literals_build import Env

Clock = Callable[[], float]

MOST = 6_000
"""Classes of one bank: enumeration stops there, whatever time is left."""
CHEAP = 4
NUMBERS = frozenset(("int", "float", "bool"))
SEQUENCES = frozenset(("list", "tuple", "str"))
ITERABLES = SEQUENCES | {"dict", "set", "range"}
COMPARED = frozenset(("int", "float", "str", "list", "tuple"))


class Bank(Combiner):
    """The expressions at one hole. `functions` are those of the file, by name."""

    def __init__(
        self,
        states: Sequence[State],
        functions: dict[str, Known] | None = None,
        *,
        seconds: float = 0.5,
        most: int = MOST,
        clock: Clock = time.monotonic,
        telling: Iterable[str] = (),
        positions: Iterable[str] = (),
    ) -> None:
        """`telling`: names that nothing reads yet, so that expressions which read them stay apart;
        `positions`: names that the code uses as indices."""
        super().__init__(states, functions or {})
        self.entries: list[Entry] = []
        self.by_cost: dict[int, dict[str, list[Entry]]] = {}
        self.by_text: dict[str, Entry] = {}
        self._classes: dict[Any, Entry] = {}
        self._bits: dict[str, int] = {}
        self._clock = clock
        self._end = clock() + seconds
        self._most = most
        self._bools = self._texts = True
        self._grown = 1
        self._telling = sum(self.bit(name) for name in dict.fromkeys(telling))
        self._positions = sum(self.bit(name) for name in dict.fromkeys(positions))

    @property
    def full(self) -> bool:
        """True once there is no room or no time left."""
        return len(self.entries) >= self._most or self._clock() >= self._end

    def bit(self, name: str) -> int:
        """The bit of a name in masks."""
        return self._bits.setdefault(name, 1 << len(self._bits))

    # -- adding

    def add(self, entry: Entry | None) -> Entry | None:
        """Takes an entry if its behaviour is new, or the same as one that costs more."""
        if entry is None:
            return None
        try:
            key = (entry.mask & self._telling, e.key_of(entry.values, entry.kind))
            known = self._classes.get(key)
        except (Refused, TypeError, ValueError, RecursionError):
            return None
        if known is not None:
            if (entry.cost, len(entry.text)) < (known.cost, len(known.text)):
                # The cheaper one stands for both from now on; what was built on the other stays as it is.
                known.text, known.cost, known.run = entry.text, entry.cost, entry.run
                known.mask, known.tight = entry.mask, entry.tight
                self.by_text[entry.text] = known
                self._list(known)
            return None
        self._classes[key] = entry
        self.entries.append(entry)
        self.by_text[entry.text] = entry
        self._list(entry)
        return entry

    def _list(self, entry: Entry) -> None:
        kind = entry.kind
        if entry.cost > 3 and kind in NUMBERS and _LAST.search(entry.text):
            kind += "!"  # nobody looks for operands under this name
        self.by_cost.setdefault(entry.cost, {}).setdefault(kind, []).append(entry)

    def leaf(
        self, text: str, cost: int, run: Callable[[Env], Any], names: Iterable[str], tight: int = e.ATOM
    ) -> Entry | None:
        """Evaluates an expression in all states and adds it."""
        values = e.evaluated(run, self.states, self.budget)
        kind = e.kind_of(values)
        if kind is None:
            return None
        mask = 0
        for name in names:
            mask |= self.bit(name)
        return self.add(Entry(text, cost, run, values, kind, mask, tight, FAILED not in values))

    def at(self, cost: int, kinds: Iterable[str]) -> Iterator[Entry]:
        """The entries of one cost and some types."""
        level = self.by_cost.get(cost, {})
        for kind in kinds:
            yield from level.get(kind, ())

    # -- growing

    def grow(self, highest: int, iterables: bool, wanted: frozenset[str] | None = None) -> None:
        """All expressions up to a cost. `iterables`: ranges and the like too. Of the dear ones only those
        whose type is `wanted` are made, where that is known: they are no parts of others any more."""
        self._bools = wanted is None or "bool" in wanted
        self._texts = wanted is None or not wanted.isdisjoint(("str", "list", "bool", "tuple", "dict"))
        for cost in range(self._grown + 1, highest + 1):
            for entry in self._level(cost, iterables, wanted if cost > CHEAP else None):
                self.add(entry)
                if self.full:
                    return
            self._grown = cost

    def allow(self, seconds: float, most: int) -> None:
        """More time from now on, and more room."""
        self._end = self._clock() + seconds
        self._most = most

    def _level(self, cost: int, iterables: bool, wanted: frozenset[str] | None) -> Iterator[Entry | None]:
        def makes(*kinds: str) -> bool:
            return wanted is None or not wanted.isdisjoint(kinds)

        rest = cost - 1
        for left in range(1, cost):
            yield from self._subscripts(cost, left, cost - left, slices=makes("str", "list", "tuple"))
        for left in range(1, rest):
            right = rest - left
            if right > 2 and (makes("int", "float") or (self._bools and cost < 6)):
                yield from self._divided(cost, left, right - 1)
            if makes("int", "float") or (self._bools and cost < 6):
                yield from self._arithmetic(cost, left, right)
            if makes("str", "list", "tuple"):
                yield from self._joined(cost, left, right)
            if self._bools or cost <= 3:
                yield from self._comparisons(cost, left, right)
            if self._bools:
                yield from self._junctions(cost, left, right - 1)
            yield from self._pairs_of_calls(cost, left, right - 1, iterables)
        yield from self._unary(cost, rest, iterables)

    def _arithmetic(self, cost: int, left: int, right: int) -> Iterator[Entry | None]:
        for a in self.at(left, ("int", "float")):
            for b in self.at(right, ("int", "float")):
                if a.text == b.text:
                    if a.mask and a.tight == e.ATOM:
                        yield self.binary(cost, "*", a, b, e.PRODUCT)
                    continue
                if not a.mask:
                    if b.mask and b.tight >= e.SUM:
                        yield self.binary(cost, "-", a, b, e.SUM)
                        if a.text in ("2", "10"):
                            yield self.binary(cost, "**", a, b, e.POWER)
                    continue
                unit = b.text in ("0", "1", "-1")
                if b.text not in ("0", "-1"):
                    if left < right or (left == right and a.text <= b.text) or not b.mask:
                        yield self.binary(cost, "+", a, b, e.SUM)
                    yield self.binary(cost, "-", a, b, e.SUM)
                if not unit:
                    if right == 1 or b.text in ("2", "10"):
                        yield self.binary(cost, "%", a, b, e.PRODUCT)
                        yield self.binary(cost, "//", a, b, e.PRODUCT)
                    if (left <= right or not b.mask) and left <= 3:
                        yield self.binary(cost, "*", a, b, e.PRODUCT)
                    if b.text == "2" or (left == 2 and right == 1 and b.mask):
                        yield self.binary(cost, "**", a, b, e.POWER)
                    if (left <= 3 and right <= 2) and cost > 3:
                        yield self.binary(cost, "/", a, b, e.PRODUCT)

    def _divided(self, cost: int, left: int, right: int) -> Iterator[Entry | None]:
        """% and // by what is no name or usual constant: dearer."""
        for a in self.at(left, ("int", "float")):
            for b in self.at(right, ("int", "float")):
                if a.mask and a.text != b.text and b.text not in ("0", "1", "-1", "2", "10"):
                    yield self.binary(cost, "%", a, b, e.PRODUCT)
                    yield self.binary(cost, "//", a, b, e.PRODUCT)

    def _joined(self, cost: int, left: int, right: int) -> Iterator[Entry | None]:
        for kind in ("str", "list", "tuple"):
            for a in self.at(left, (kind,)):
                for b in self.at(right, (kind,)):
                    if a.text not in _EMPTY and b.text not in _EMPTY and (a.mask or b.mask):
                        yield self.binary(cost, "+", a, b, e.SUM)
        if cost <= 5:
            for a in self.at(left, ("str", "list")):
                for b in self.at(right, ("int",)):
                    if a.text not in _EMPTY and b.text not in ("0", "1"):
                        yield self.binary(cost, "*", a, b, e.PRODUCT)
            for a in self.at(left, ("set",)):
                for b in self.at(right, ("set",)):
                    for sign in "|&-":
                        yield self.binary(cost, sign, a, b, {"|": 12, "&": 14, "-": 15}[sign])

    def _comparisons(self, cost: int, left: int, right: int) -> Iterator[Entry | None]:
        for a in self.at(left, (*COMPARED, "mixed", "bool", "NoneType", "set", "dict")):
            if not a.mask:
                continue
            for b in self.at(right, (a.kind, "float") if a.kind == "int" else (a.kind,)):
                if a is b or (a.mask == b.mask and a.text == b.text):
                    continue
                ordered = left < right or (left == right and a.text < b.text) or not b.mask
                if ordered:
                    yield self.compare(cost, "==", a, b)
                    yield self.compare(cost, "!=", a, b)
                if a.kind in COMPARED:
                    yield self.compare(cost, "<", a, b)
                    yield self.compare(cost, "<=", a, b)
                    if not b.mask or ordered or left > right:
                        yield self.compare(cost, ">", a, b)
                        yield self.compare(cost, ">=", a, b)
            if a.kind == "mixed":
                for b in self.at(right, ("NoneType",)):
                    yield self.compare(cost, "is", a, b)
                    yield self.compare(cost, "is not", a, b)
        for a in self.at(left, ("int", "str", "tuple", "mixed", "list", "float")):
            for b in self.at(
                right,
                ("list", "tuple", "set", "dict", "str") if a.kind != "mixed" else ("set", "dict", "list"),
            ):
                if a is not b and b.text not in _EMPTY and (b.kind != "str" or a.kind == "str"):
                    yield self.compare(cost, "in", a, b)
                    yield self.compare(cost, "not in", a, b)

    def _junctions(self, cost: int, left: int, right: int) -> Iterator[Entry | None]:
        for a in self.at(left, ("bool",)):
            for b in self.at(right, ("bool",)):
                if a is b or (left == right and a.text > b.text):
                    continue
                yield self.junction(cost, "and", a, b)
                yield self.junction(cost, "or", a, b)

    def _subscripts(self, cost: int, left: int, right: int, *, slices: bool) -> Iterator[Entry | None]:
        for a in self.at(left, SEQUENCES):
            if not a.mask or not _SIMPLE.match(a.text):
                continue
            for extra in (0, 1, 2):
                for b in self.at(right - extra, ("int",)):
                    dear = ("[" in b.text or "(" in b.text[1:]) + self._no_position(b)
                    if dear == extra:
                        yield self.indexed(cost, a, b)
                    if dear == extra - 1 and b.text != "0" and slices and not a.text.endswith("]"):
                        yield self.sliced(cost, a, b, None)
                        yield self.sliced(cost, a, None, b)
        for a in self.at(left, ("dict",)):
            if a.mask:
                for b in self.at(right, ("int", "str", "tuple", "bool", "mixed")):
                    yield self.indexed(cost, a, b)

    def _no_position(self, entry: Entry) -> bool:
        return bool(self._positions and entry.mask & ~self._positions)

    # -- calls

    def _unary(self, cost: int, rest: int, iterables: bool) -> Iterator[Entry | None]:
        for a in self.at(rest, ("bool",)):
            if a.tight != e.COMPARE or " in " in a.text:
                yield self.negation(cost, a)
        for a in self.at(rest, ("list", "str", "dict", "set")):
            if a.mask and a.tight == e.ATOM and cost <= 3:
                yield self.negation(cost, a)
        for a in self.at(rest, ITERABLES):
            if a.mask and _SIMPLE.match(a.text):
                yield self.call(cost, "len", a)
        if cost <= 5:
            for a in self.at(rest - 1, ("int", "float")):
                if a.mask and a.tight == e.ATOM:
                    yield self.negative(cost, a)
        for a in self.at(rest, ("int", "float", "str")):
            if a.mask and a.kind != "str" and self._texts:
                yield self.call(cost, "str", a)
            elif a.mask and a.kind == "str" and a.tight == e.ATOM:
                yield self.call(cost, "int", a)
        inner = rest - 1
        for name, (kinds,) in _ONE:
            for a in self.at(inner, kinds):
                if a.mask and (_SIMPLE.match(a.text) or name in ("abs", "sorted", "sum", "list", "set")):
                    yield self.call(cost, name, a)
        for name, (kinds,) in _METHODS:
            for a in self.at(inner, kinds):
                if a.mask and _SIMPLE.match(a.text):
                    yield self.method(cost, name, a)
        for name, known in self._functions.items():
            if known.count == 1:
                for a in self.at(rest - known.extra, known.kinds[0] or (*self.by_cost.get(rest, {}),)):
                    if a.mask:
                        yield self.call(cost, name, a)
        for a in self.at(inner, ("list", "str", "tuple")):
            if a.mask:
                yield self.backwards(cost, a)
        if iterables:
            for a in self.at(rest, ("int",)):
                if a.mask:
                    yield self.call(cost, "range", a)

    def _pairs_of_calls(self, cost: int, left: int, right: int, iterables: bool) -> Iterator[Entry | None]:
        for a in self.at(left, ("int", "float", "str")):
            for b in self.at(right + 1, (a.kind,)):
                if (
                    a is not b
                    and (a.mask or b.mask)
                    and (a.text < b.text or left < right)
                    and left <= right + 1
                ):
                    yield self.call(cost, "max", a, b)
                    yield self.call(cost, "min", a, b)
        for name, (first, second) in _METHODS_OF_TWO:
            for a in self.at(left, first):
                if (a.mask and _SIMPLE.match(a.text)) or name == "join":
                    for b in self.at(right, second):
                        if a is not b:
                            yield self.method(cost, name, a, b)
        for name, known in self._functions.items():
            if known.count == 2:
                below = right - known.extra
                for a in self.at(left, known.kinds[0] or (*self.by_cost.get(left, {}),)):
                    for b in self.at(below, known.kinds[1] or (*self.by_cost.get(below, {}),)):
                        if a.mask or b.mask:
                            yield self.call(cost, name, a, b)
        if cost <= 5:
            for a in self.at(left, ("dict",)):
                for b in self.at(right, ("int", "str", "tuple")):
                    zero = self.by_text.get("0")
                    if a.mask and zero is not None:
                        yield self.method(cost, "get", a, b, zero)
        if iterables:
            for a in self.at(left, ("int",)):
                for b in self.at(right, ("int",)):
                    if (a.mask or b.mask) and a.text != "0":
                        yield self.call(cost, "range", a, b)


_SIMPLE = re.compile(r"\w+(\[[^\[\]()]*\])?(\.split\(\))?\Z")
"""What is indexed and measured: a name, an element of one."""
_LAST = re.compile(r"^(max|min)\(|\*\*| / | // | % |^\d+ - |\.\w+\(|\*.*\*|-.*-|^-")
"""What is rarely a part of something larger."""
_EMPTY = frozenset(("''", '""', "[]", "()", "{}", "set()"))
Signatures = tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]


def _signatures(text: str) -> Signatures:
    """Calls of lines `name name: type type, type type`: the types of each argument."""
    found: list[tuple[str, tuple[tuple[str, ...], ...]]] = []
    for line in text.strip().splitlines():
        names, _, kinds = line.partition(":")
        arguments = tuple(tuple(one.split()) for one in kinds.split(","))
        found += [(name, arguments) for name in names.split()]
    return tuple(found)


_ONE = _signatures("""
    sum: list tuple range
    max min: list tuple set
    sorted: list str set dict tuple
    abs: int float
    list: str dict tuple set
    set: list str tuple
    ord: str
    chr: int
    any all: list tuple
    tuple: list
    round: float
""")
_METHODS = _signatures("""
    upper lower strip split isdigit isalpha isupper islower isspace isalnum title capitalize swapcase: str
    copy: list dict set
    values keys items: dict
""")
_METHODS_OF_TWO = _signatures("""
    count split startswith endswith find: str, str
    count index: list tuple, int str
    index: str, str
    join: str, list
    get: dict, int str tuple
    union intersection: set, set list
""")
