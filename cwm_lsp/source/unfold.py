"""Operations that are made of simpler ones: a sum is additions one after the other, a sort is comparisons.

A small model that adds and compares well can't add up a list at one glance. Whoever asks it may `unfold` an
operation into a walk of simpler questions first. Only what has no order of its own to get wrong is unfolded
(whole numbers, strings and tuples of one kind), so that the answer is exactly what the operation gives.
Leaves out who answers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from cwm_lsp.source.operations import Answer, Operation, Raised
from cwm_lsp.source.values import elements, iterated, kind_of, sequence_repr

Unfolding = Generator[Operation, Answer, Answer]
MOST_ELEMENTS = 24
_SORTABLE = ("int", "str")
_KEYS = "keys="
_REVERSE = "reverse=True"


class _Ended(Exception):  # noqa: N818
    """A step raised: so does the whole."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def unfold(operation: Operation) -> Unfolding | None:
    """A walk over simpler operations that ends in the answer of this one, or None if it stands for itself."""
    unfolding = _UNFOLDINGS.get((operation.kind, operation.name))
    walk = None if unfolding is None else unfolding(operation.operands)
    return None if walk is None else _guarded(walk)


def _guarded(walk: Unfolding) -> Unfolding:
    try:
        return (yield from walk)
    except _Ended as ended:
        return ended.answer


def _ask(operation: Operation) -> Generator[Operation, Answer, str]:
    answer = yield operation
    if not isinstance(answer, str):
        raise _Ended(answer if isinstance(answer, Raised) else Raised("TypeError('bad answer')"))
    return answer


def _alike(parts: tuple[str, ...] | None, kinds: tuple[str, ...]) -> bool:
    """True for elements of one kind among `kinds`, or tuples of such with the same kinds in each place."""
    if parts is None or not 0 < len(parts) <= MOST_ELEMENTS:
        return False
    first = _shape(parts[0], kinds)
    return first is not None and all(_shape(part, kinds) == first for part in parts)


def _shape(text: str, kinds: tuple[str, ...]) -> tuple[str, ...] | None:
    kind = kind_of(text)
    if kind in kinds:
        return (kind,)
    if kind == "tuple" and "str" in kinds:
        inner = tuple(kind_of(part) for part in elements(text) or ())
        return ("tuple", *inner) if inner and all(part in kinds for part in inner) else None
    return None


def _sum(operands: tuple[str, ...]) -> Unfolding | None:
    parts = elements(operands[0]) if operands and kind_of(operands[0]) in ("list", "tuple", "set") else None
    start = operands[1].removeprefix("start=") if len(operands) == 2 else "0"
    if not _alike(parts, ("int",)) or len(operands) > 2 or kind_of(start) != "int":
        return None
    return _added(start, parts or ())


def _added(total: str, parts: tuple[str, ...]) -> Unfolding:
    for part in parts:
        total = yield from _ask(Operation("binary", (total, part), "+"))
    return total


def _extreme(sign: str) -> Callable[[tuple[str, ...]], Unfolding | None]:
    def unfolding(operands: tuple[str, ...]) -> Unfolding | None:
        keys = _keys_of(operands)
        plain = tuple(part for part in operands if not part.startswith(_KEYS))
        if any("=" in part and kind_of(part) == "opaque" for part in plain):
            return None
        parts = iterated(plain[0]) if len(plain) == 1 else plain
        by = parts if keys is None else keys
        if parts is None or by is None or len(by) != len(parts) or not _alike(by, _SORTABLE):
            return None
        return _best(parts, by, sign)

    return unfolding


def _best(parts: tuple[str, ...], by: tuple[str, ...], sign: str) -> Unfolding:
    best = 0
    for at in range(1, len(parts)):
        if (yield from _ask(Operation("compare", (by[at], by[best]), sign))) == "True":
            best = at
    return parts[best]


def _sorted(operands: tuple[str, ...]) -> Unfolding | None:
    keys = _keys_of(operands)
    others = [part for part in operands[1:] if not part.startswith(_KEYS)]
    if not operands or any(part not in (_REVERSE, "reverse=False") for part in others):
        return None
    parts = iterated(operands[0])
    by = parts if keys is None else keys
    if parts is None or by is None or len(by) != len(parts) or not _alike(by, _SORTABLE):
        return None
    return _inserted(parts, by, _REVERSE in others)


def _inserted(parts: tuple[str, ...], by: tuple[str, ...], reverse: bool) -> Unfolding:
    """Binary insertion: each element goes behind those that it doesn't have to stand before."""
    order: list[int] = []
    for at in range(len(parts)):
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            left, right = (by[order[middle]], by[at]) if reverse else (by[at], by[order[middle]])
            if (yield from _ask(Operation("compare", (left, right), "<"))) == "True":
                high = middle
            else:
                low = middle + 1
        order.insert(low, at)
    return sequence_repr("list", [parts[at] for at in order])


def _divmod(operands: tuple[str, ...]) -> Unfolding | None:
    if len(operands) != 2 or any(kind_of(part) != "int" for part in operands):
        return None
    return _divided(operands)


def _divided(operands: tuple[str, ...]) -> Unfolding:
    quotient = yield from _ask(Operation("binary", operands, "//"))
    rest = yield from _ask(Operation("binary", operands, "%"))
    return f"({quotient}, {rest})"


def _keys_of(operands: tuple[str, ...]) -> tuple[str, ...] | None:
    given = [part for part in operands if part.startswith(_KEYS)]
    return elements(given[0].removeprefix(_KEYS)) if given else None


_UNFOLDINGS: dict[tuple[str, str], Callable[[tuple[str, ...]], Unfolding | None]] = {
    ("call", "sum"): _sum,
    ("call", "max"): _extreme(">"),
    ("call", "min"): _extreme("<"),
    ("call", "sorted"): _sorted,
    ("mutated", "sort"): _sorted,
    ("call", "divmod"): _divmod,
}
