"""An expression that could stand in a hole, with what it gives in each state; and how such vectors compare.

Leaves out which expressions there are (bank.py, idioms.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cwm_lsp.fill.states import State
from cwm_lsp.source.literals import Limits, Refused
from cwm_lsp.source.literals_build import Env
from cwm_lsp.source.literals_limits import Budget

ENUMERATION = Limits(bits=400, length=600, work=10**9, seconds=30.0)
ATOM, POWER, UNARY, PRODUCT, SUM, COMPARE, NOT, AND, OR, LAMBDA, TUPLE = 20, 18, 17, 16, 15, 8, 7, 6, 5, 3, 1
"""How tightly an expression holds together: an operand that holds less tightly needs brackets."""


class Failed:
    """Stands in a vector where the expression raises or is refused."""

    def __repr__(self) -> str:
        return "<failed>"


FAILED = Failed()


@dataclass(frozen=True, slots=True)
class Walked:
    """Stands in a vector for an iterator or a view: what a loop over it takes."""

    items: tuple[Any, ...]


_WALKED = frozenset(
    (
        enumerate,
        zip,
        map,
        filter,
        reversed,
        type(reversed([])),
        type({}.items()),
        type({}.keys()),
        type({}.values()),
    )
)


@dataclass(eq=False, slots=True)
class Entry:
    """`run` computes it where it stands; `values` are what it gives in each state; `kind` is the type that
    all of them have (`mixed` if several); `mask` a bit for each name that it reads; `cost` its size, by
    which the search goes; `tight` as above."""

    text: str
    cost: int
    run: Callable[[Env], Any]
    values: tuple[Any, ...]
    kind: str
    mask: int
    tight: int = ATOM
    sure: bool = False

    def within(self, tight: int) -> str:
        """The text as an operand of something that tight."""
        return self.text if self.tight >= tight else f"({self.text})"


def evaluated(run: Callable[[Env], Any], states: Sequence[State], budget: Budget) -> tuple[Any, ...]:
    """What an expression gives in each state."""
    values: list[Any] = []
    for state in states:
        try:
            value = run(Env(state, budget, None, inner=False))
            if type(value) in _WALKED:
                value = Walked(tuple(islice(value, 60)))
                budget.weigh(value.items)
            else:
                budget.weigh(value)
            values.append(value)
        except Exception:
            values.append(FAILED)
    return tuple(values)


def kind_of(values: Sequence[Any]) -> str | None:
    """The type that all values have, "mixed" where they differ, None where too few are values at all."""
    kinds = {type(value) for value in values}
    failed = Failed in kinds
    kinds.discard(Failed)
    if not kinds or (failed and sum(value is not FAILED for value in values) * 4 < len(values)):
        return None
    if len(kinds) == 1:
        return kinds.pop().__name__
    return "int" if kinds == {int, bool} else "mixed"


def key_of(values: Sequence[Any], kind: str) -> Any:
    """What two vectors share exactly if they are the same."""
    if kind in ("str", "bool") and FAILED not in values:
        return (kind, *values)
    if kind == "int" and FAILED not in values and bool not in set(map(type, values)):
        return (kind, *values)
    return (kind, *(value if type(value) is str else (type(value), shown(value)) for value in values))


def shown(value: Any) -> str:
    """A value's text. Raises Refused if it is large."""
    if isinstance(value, list | tuple | set | dict | frozenset) and len(value) > 300:
        raise Refused("too large")
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(repr, value))) + "}"
    return repr(value)


def new_budget() -> Budget:
    """A budget that only sizes can use up."""
    return Budget(ENUMERATION)
