"""Larger expressions of smaller ones: what an operator, an index or a call gives in each state, and its code.

Leaves out which are made (bank.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cwm_lsp.fill import entries as e
from cwm_lsp.fill.entries import FAILED, Entry
from cwm_lsp.fill.states import State
from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_build import Env
from cwm_lsp.source.literals_builtins import NAMES
from cwm_lsp.source.literals_limits import Budget


@dataclass(frozen=True, slots=True)
class Known:
    """A function of the file with `count` parameters: `target` really computes it; `tell` says what it gives
    for some arguments, also where it can't be computed because a hole is in it. `kinds` are the types that
    each parameter takes (none known: any); a call costs `extra` more."""

    name: str
    count: int
    target: calls.Function
    tell: Callable[[tuple[Any, ...]], Any]
    kinds: tuple[frozenset[str], ...]
    extra: int = 0


class Combiner:
    """Makes entries of entries, over some states."""

    def __init__(self, states: Sequence[State], functions: dict[str, Known]) -> None:
        self.states = states
        self.budget = e.new_budget()
        self._functions = functions

    def binary(self, cost: int, sign: str, left: Entry, right: Entry, tight: int) -> Entry | None:
        """left sign right, for an operator of arithmetic."""
        function = operators.BINARY[sign]
        values = self._applied(function, left, right)
        kind = e.kind_of(values)
        if kind is None:
            return None
        one, two = left.run, right.run
        text = f"{left.within(tight)} {sign} {right.within(tight + 1)}"
        bracketed = (left.tight < tight) + (right.tight <= tight)
        return Entry(
            text, cost + bracketed, lambda env: function(one(env), two(env), env.budget), values, kind,
            left.mask | right.mask, tight, FAILED not in values,
        )  # fmt: skip

    def _applied(self, function: operators.Binary, left: Entry, right: Entry) -> tuple[Any, ...]:
        budget = self.budget
        values: list[Any] = []
        for a, b in zip(left.values, right.values, strict=True):
            if a is FAILED or b is FAILED:
                values.append(FAILED)
                continue
            try:
                values.append(function(a, b, budget))
            except Exception:
                values.append(FAILED)
        return tuple(values)

    def compare(self, cost: int, sign: str, left: Entry, right: Entry) -> Entry | None:
        """left sign right, for a comparison."""
        function = operators.COMPARE[sign]
        values = self._applied(function, left, right)
        if e.kind_of(values) != "bool":
            return None
        one, two = left.run, right.run
        text = f"{left.within(e.COMPARE + 1)} {sign} {right.within(e.COMPARE + 1)}"
        return Entry(
            text, cost, lambda env: function(one(env), two(env), env.budget), values, "bool",
            left.mask | right.mask, e.COMPARE, FAILED not in values,
        )  # fmt: skip

    def junction(self, cost: int, word: str, left: Entry, right: Entry) -> Entry | None:
        """left word right, for `and` and `or`."""
        stop = word == "or"
        values: list[Any] = []
        for a, b in zip(left.values, right.values, strict=True):
            values.append(a if a is stop or a is FAILED else b)
        kind = e.kind_of(values)
        if kind != "bool":
            return None
        one, two = left.run, right.run
        tight = e.OR if stop else e.AND

        def run(env: Env) -> Any:
            value = one(env)
            return value if operators.truth(value) is stop else two(env)

        text = f"{left.within(tight)} {word} {right.within(tight + 1)}"
        return Entry(
            text, cost, run, tuple(values), "bool", left.mask | right.mask, tight, FAILED not in values
        )

    def indexed(self, cost: int, container: Entry, key: Entry) -> Entry | None:
        """container[key]"""
        values = self._applied(operators.index, container, key)
        kind = e.kind_of(values)
        if kind is None:
            return None
        one, two = container.run, key.run
        return Entry(
            f"{container.within(e.ATOM)}[{key.text}]", cost,
            lambda env: operators.index(one(env), two(env), env.budget), values, kind,
            container.mask | key.mask, e.ATOM, FAILED not in values,
        )  # fmt: skip

    def sliced(self, cost: int, container: Entry, first: Entry | None, last: Entry | None) -> Entry | None:
        """container[first:last], either of which may be left out."""

        def cut(value: Any, start: Any, stop: Any, budget: Budget) -> Any:
            return operators.index(value, slice(start, stop), budget)

        budget, values = self.budget, []
        count = len(container.values)
        starts = first.values if first else (None,) * count
        stops = last.values if last else (None,) * count
        for value, start, stop in zip(container.values, starts, stops, strict=True):
            try:
                values.append(FAILED if FAILED in (value, start, stop) else cut(value, start, stop, budget))
            except Exception:
                values.append(FAILED)
        kind = e.kind_of(values)
        if kind is None:
            return None
        one = container.run
        low = first.run if first else (lambda _: None)
        high = last.run if last else (lambda _: None)
        mask = container.mask | (first.mask if first else 0) | (last.mask if last else 0)
        text = f"{container.within(e.ATOM)}[{first.text if first else ''}:{last.text if last else ''}]"
        return Entry(
            text, cost, lambda env: cut(one(env), low(env), high(env), env.budget), tuple(values), kind, mask,
            e.ATOM, FAILED not in values,
        )  # fmt: skip

    def call(self, cost: int, name: str, *arguments: Entry) -> Entry | None:
        """A builtin, or a function of the file."""
        own = self._functions.get(name)
        target = own.target if own is not None else NAMES.get(name)
        if target is None:
            return None
        runs = [argument.run for argument in arguments]

        def run(env: Env) -> Any:
            return calls.call(target, tuple([part(env) for part in runs]), {}, env.budget)

        if own is not None:
            return self._told(cost, own, run, arguments)
        return self._made(cost, f"{name}({', '.join(a.text for a in arguments)})", run, arguments)

    def _told(
        self, cost: int, function: Known, run: Callable[[Env], Any], arguments: Sequence[Entry]
    ) -> Entry | None:
        values: list[Any] = []
        for given in zip(*(argument.values for argument in arguments), strict=True):
            try:
                values.append(FAILED if FAILED in given else function.tell(given))
            except Exception:
                values.append(FAILED)
        kind = e.kind_of(values)
        if kind is None:
            return None
        mask = 0
        for argument in arguments:
            mask |= argument.mask
        text = f"{function.name}({', '.join(a.text for a in arguments)})"
        return Entry(text, cost, run, tuple(values), kind, mask, e.ATOM, FAILED not in values)

    def method(self, cost: int, name: str, *arguments: Entry) -> Entry | None:
        """A method of the first argument that changes nothing."""
        runs = [argument.run for argument in arguments]

        def run(env: Env) -> Any:
            first, *others = [part(env) for part in runs]
            return calls.method(first, name, tuple(others), {}, env.budget)

        receiver = arguments[0].within(e.ATOM)
        if receiver.isdigit():
            return None
        return self._made(
            cost, f"{receiver}.{name}({', '.join(a.text for a in arguments[1:])})", run, arguments
        )

    def _made(self, cost: int, text: str, run: Callable[[Env], Any], parts: Sequence[Entry]) -> Entry | None:
        values = e.evaluated(run, self.states, self.budget)
        kind = e.kind_of(values)
        if kind is None:
            return None
        mask = 0
        for part in parts:
            mask |= part.mask
        return Entry(text, cost, run, values, kind, mask, e.ATOM, FAILED not in values)

    def negation(self, cost: int, operand: Entry) -> Entry | None:
        """not operand"""
        run = operand.run
        values = tuple(FAILED if value is FAILED else not operators.truth(value) for value in operand.values)
        text = f"not {operand.within(e.NOT)}"
        return Entry(
            text,
            cost,
            lambda env: not operators.truth(run(env)),
            values,
            "bool",
            operand.mask,
            e.NOT,
            operand.sure,
        )

    def negative(self, cost: int, operand: Entry) -> Entry | None:
        """-operand"""
        run = operand.run
        values = tuple(FAILED if value is FAILED else -value for value in operand.values)
        return Entry(f"-{operand.within(e.UNARY)}", cost, lambda env: operators.UNARY["-"](run(env)), values,
                     operand.kind, operand.mask, e.UNARY, operand.sure)  # fmt: skip

    def backwards(self, cost: int, operand: Entry) -> Entry | None:
        """operand[::-1]"""
        run = operand.run
        back = slice(None, None, -1)
        return self._made(
            cost,
            f"{operand.within(e.ATOM)}[::-1]",
            lambda env: operators.index(run(env), back, env.budget),
            (operand,),
        )
