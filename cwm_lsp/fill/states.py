"""What the names hold where a hole is: the states in which runs of the examples arrive there.

Before anything fills the holes, runs go on with plausible values; the runs that get furthest are believed.
States in which values differ are preferred, and two made ones are added: where everything is 0, `a + b` and
`b` look the same, and the right one of them would be lost. Leaves out what is made of the states (bank.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cwm_lsp.fill.examples import Example, same
from cwm_lsp.fill.running import UNBOUND, Filling, Program
from cwm_lsp.fill.sites import Site
from cwm_lsp.source.literals import Limits, Refused
from cwm_lsp.source.literals_build import Env

State = dict[str, Any]

MOST_STATES = 8
MADE = 7
VISITS = 6
PROBES = 24
_QUICK = Limits(bits=256, length=500, work=1_200, seconds=0.02)
_PLAIN = (int, float, str, bool, type(None), list, tuple, dict, set, frozenset, range, bytes, complex)


@dataclass(slots=True)
class Seen:
    """A state, the example whose run came there, how good that run was, and when in it this was."""

    state: State
    example: int
    score: float
    visit: int


def state_of(env: Env, module: Any) -> State:
    """The names that an expression at this place sees, inner ones first; plain values are copied."""
    found: State = {}
    inside: Env | None = env
    while inside is not None and inside.names is not module:
        for name, value in inside.names.items():
            if name not in found and value is not UNBOUND and isinstance(value, _PLAIN):
                found[name] = copy_of(value)
        inside = inside.around
    return found


def copy_of(value: Any, depth: int = 6) -> Any:
    """A copy that nothing shares. Raises Refused for what is large or deep."""
    kind = type(value)
    if kind in (list, tuple, set, frozenset):
        if len(value) > 300 or depth == 0:
            raise Refused("too large to be kept")
        return kind(copy_of(item, depth - 1) for item in value)
    if kind is dict:
        if len(value) > 300 or depth == 0:
            raise Refused("too large to be kept")
        return {key: copy_of(item, depth - 1) for key, item in value.items()}
    return value


class Observer:
    """Runs examples with given fillings and notes the states at the holes that are searched."""

    def __init__(self, program: Program, sites: Sequence[Site], examples: Sequence[Example]) -> None:
        self.program = program
        self.sites = sites
        self.examples = examples
        self.seen: dict[int, list[Seen]] = {site.index: [] for site in sites}
        self._module = program.module_names

    def watch(self, fillings: Sequence[Filling], example: int) -> float:
        """One run; its score: how far it got, and how near to what the example says."""
        notes: list[tuple[int, State]] = []
        counts: dict[int, int] = {}

        def watched(at: int, filling: Filling) -> Filling:
            def run(env: Env) -> Any:
                count = counts[at] = counts.get(at, 0) + 1
                if count <= VISITS:
                    with suppress(Refused):
                        notes.append((at, state_of(env, self._module)))
                return filling(env)

            return run

        wrapped = list(fillings)
        for site in self.sites:
            wrapped[site.index] = watched(site.index, fillings[site.index])
        outcome = self.program.run(self.examples[example], wrapped, _QUICK)
        expected = self.examples[example].value
        score = 2.0 * len({at for at, _ in notes})
        if outcome.status == "returned":
            score += 2.0
            if type(outcome.value) is type(expected):
                score += 2.0
                if same(expected, outcome.value):
                    score += 3.0
        visits: dict[int, int] = {}
        for at, state in notes:
            visits[at] = visits.get(at, 0) + 1
            self.seen[at].append(Seen(state, example, score, visits[at]))
        return score

    def states(self, site: Site, rng: random.Random) -> list[State]:
        """The most telling states of a hole, the made ones last; empty if no run ever came there."""
        kept: list[State] = []
        keys: set[str] = set()
        usual = _usual_kinds(self.seen[site.index])
        ranked = sorted(
            self.seen[site.index],
            key=lambda seen: (
                seen.visit, 3.0 * _odd(seen.state, usual) - seen.score - _difference(seen.state)
            ),
        )  # fmt: skip
        rounds: dict[tuple[int, int], list[State]] = {}
        for seen in ranked:
            rounds.setdefault((seen.visit, seen.example), []).append(seen.state)
        for choice in range(3):  # the best of each visit of each example, then the second best
            for states in rounds.values():
                if len(kept) == MOST_STATES or choice >= len(states):
                    continue
                key = repr(sorted(states[choice].items(), key=lambda item: item[0]))
                if key not in keys:
                    keys.add(key)
                    kept.append(states[choice])
        return kept + [made(rng.choice(kept), rng, small=at % 2 == 1) for at in range(MADE)] if kept else []

    def told(self, site: Site) -> tuple[str, ...]:
        """What the names hold when the first example first comes to a hole, as `name = value`."""
        first = [seen for seen in self.seen[site.index] if seen.visit == 1]
        best = min(first, key=lambda seen: (seen.example, -seen.score), default=None)
        if best is None:
            return ()
        return tuple(
            f"{name} = {_short(value)}" for name, value in best.state.items() if not name.startswith(".")
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _usual_kinds(seen: Sequence[Seen]) -> dict[str, type]:
    """The type that each name mostly has in runs that come out well."""
    votes: dict[str, dict[type, float]] = {}
    for one in seen:
        for name, value in one.state.items():
            if value is not None:
                kind = int if isinstance(value, bool) else type(value)
                found = votes.setdefault(name, {})
                found[kind] = found.get(kind, 0.0) + max(one.score, 0.1) ** 3
    return {name: max(found, key=lambda kind: found[kind]) for name, found in votes.items()}


def _odd(state: State, usual: dict[str, type]) -> int:
    """How many names have another type than they mostly have."""
    return sum(
        value is not None and (int if isinstance(value, bool) else type(value)) is not usual[name]
        for name, value in state.items()
    )


def _difference(state: State) -> float:
    """Up to two points for values that differ from one another and from 0, 1 and what is empty."""
    values = [value for value in state.values() if not isinstance(value, bool)]
    telling = {repr(value) for value in values if value and value != 1}
    return 2.0 * len(telling) / max(len(values), 1)


def made(state: State, rng: random.Random, *, small: bool = False) -> State:
    """A state of the same types with other values: all different from one another, or (`small`) few ones, so
    that some are equal or divide each other."""
    numbers = rng.sample(range(1, 6), 5) + rng.sample(range(6, 40), 30)
    if small:
        numbers = [rng.choice((1, 2, 2, 3, 4, 6, 0)) for _ in range(40)]
    found = {name: _made(value, rng, numbers) for name, value in state.items()}
    pool = [value for value in found.values() if isinstance(value, str | int) and not isinstance(value, bool)]
    scalars = list(pool)
    for value in found.values():
        if isinstance(value, list | tuple | str):
            pool += [item for item in value if isinstance(item, str | int)][:4]
    for name, value in found.items():
        if not value and pool and isinstance(value, list | set | dict | str):
            found[name] = _filled(value, rng, pool, scalars)
    return found


def _filled(empty: Any, rng: random.Random, pool: list[Any], scalars: list[Any]) -> Any:
    """Something of the type of an empty value, made of what else there is: a test whether a value is in it
    then comes out now one way, now the other."""
    items = rng.sample(pool, min(len(pool), 3)) + [item for item in scalars if rng.random() < 0.5]
    if isinstance(empty, dict):
        return {item: rng.choice(pool) for item in items}
    if isinstance(empty, str):
        return "".join(rng.sample("abcdexyz", 3))
    return type(empty)(items)


def _made(value: Any, rng: random.Random, numbers: list[int]) -> Any:
    if isinstance(value, bool) or value is None:
        return value if rng.random() < 0.5 or value is None else not value
    if isinstance(value, int):
        return numbers.pop(0) if numbers else rng.randint(40, 99)
    if isinstance(value, float):
        return value + rng.randint(1, 9) / 4
    if isinstance(value, str):
        letters = value + "".join(rng.sample("abcdexyz", 3))
        return letters if len(value) != 1 else rng.choice("abcxyz")
    if isinstance(value, set | frozenset):
        return type(value)(_made(item, rng, rng.sample(range(1, 9), 8)) for item in [*value, *value][:4])
    if isinstance(value, dict):
        changed = {_made(key, rng, numbers): _made(item, rng, numbers) for key, item in [*value.items()][:4]}
        return {**value, **changed} if rng.random() < 0.5 else changed
    if isinstance(value, list | tuple):
        items = [_made(item, rng, rng.sample(range(1, 30), 20)) for item in (*value, *value)][:7]
        if items and all(isinstance(item, int) for item in items):
            items += rng.sample(range(30, 60), max(0, 7 - len(items)))
        if isinstance(value, tuple) and len(items) >= len(value):
            items = items[: len(value)]
        rng.shuffle(items) if isinstance(value, list) else None
        return type(value)(items)
    return value


def probes_for(site: Site, rng: random.Random, value: Any) -> Filling:
    """Something plausible to go on with. `value`: what the example returns, whose type is likely wanted."""
    role = site.role
    if role == "statement":
        return lambda _: None
    if role == "target":
        return lambda _: lambda env, value: env.names.__setitem__("_", value)
    if role == "condition":
        chance = rng.choice((0.0, 0.2, 0.5, 0.8, 1.0))
        return lambda _: rng.random() < chance
    fixed: list[Callable[[], Any]] = [
        lambda: 0, lambda: 1, lambda: 2, lambda: "", list, dict, lambda: None, lambda: 3, set,
    ]  # fmt: skip
    if role == "iterable" and site.arity == 2:
        which = rng.random()
        return lambda env: _pairs(env, which)
    if role == "iterable":
        wanted: tuple[type, ...] = (list, tuple, str, dict, set, range)
        fixed = [lambda: range(3), lambda: range(1, 4), list]
    elif role in ("index", "bound"):
        wanted, fixed = (int,), [lambda: 0, lambda: 1, lambda: -1, lambda: 2]
    else:
        wanted = (object,)
    if role == "tuple":
        arity = site.arity
        fixed = [lambda: (0,) * arity, lambda: (1,) * arity, lambda: ("",) * arity, lambda: ([],) * arity]
        wanted = (tuple,)
    elif role == "return":
        fixed, wanted = [lambda: value], (type(value),)
    constant = rng.choice(fixed)
    from_names = rng.random() < 0.5
    pick = rng.random()

    def run(env: Env) -> Any:
        if not from_names:
            return constant()
        names = [v for v in env.names.values() if isinstance(v, wanted) and isinstance(v, _PLAIN)]
        return names[int(pick * len(names))] if names else constant()

    return run


def _pairs(env: Env, pick: float) -> list[Any]:
    """Pairs to go over: the items of a dict, the numbered elements of a sequence, a list of pairs."""
    held = [value for value in env.names.values() if isinstance(value, list | str | dict | tuple) and value]
    if not held:
        return []
    value = held[int(pick * len(held))]
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list) and all(isinstance(item, list | tuple) and len(item) == 2 for item in value):
        return value
    return list(enumerate(value))


def probe(
    observer: Observer, rng: random.Random, fillings: Sequence[Filling], stop: Callable[[], bool]
) -> None:
    """The first runs: each hole gets something plausible, a few dozen times."""
    for example, told in enumerate(observer.examples):
        for _ in range(PROBES):
            if stop():
                return
            chosen = list(fillings)
            for site in observer.sites:
                chosen[site.index] = probes_for(site, rng, told.value)
            observer.watch(chosen, example)
