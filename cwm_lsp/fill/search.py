"""The search over all holes of some functions at once: cheapest combinations first, each tried on the
examples.

When an example fails, what stood in the holes that it reached is a dead end, whatever the others hold: no
combination with the same is tried again. Leaves out where candidates come from (candidates.py) and which
survivor is right (doubt.py).
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from cwm_lsp.fill.bank import Clock
from cwm_lsp.fill.candidates import Candidate, Pool, Proposal, candidates_for
from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.running import LIMITS, Filling, Program, unfilled
from cwm_lsp.fill.sites import Site
from cwm_lsp.fill.states import Observer, State, probe

UNREAD_LEFT = 2
"""What a combination costs for each name that it leaves unread."""
MORE_SECONDS, MORE_SHARE, MORE_LEVELS = 0.3, 0.5, 4
"""After the first find the search looks for rivals: so long, plus this share of the time spent, and for no
more than so many levels of cost."""
MOST_SURVIVORS = 40
SECOND_RUNS = 60
EFFORTS = ((3, 1_500, 0.12, 700), (5, 5_000, 0.3, 1_300), (9, 16_000, 0.9, 3_000))
"""Rounds of the search: the highest cost and number of expressions at a hole, the seconds to make them, and
the work that a run of an example may be (running.LIMITS)."""


@dataclass(eq=False, slots=True)
class Solution:
    """What stands in each hole (in the order of the sites), at what cost. `passed` of the examples it
    meets."""

    chosen: tuple[Candidate, ...]
    cost: float
    passed: int = 0

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts, hole by hole."""
        return tuple(candidate.text for candidate in self.chosen)


@dataclass(slots=True)
class Report:
    """What a search cost: combinations tried, calls run for them, and when the first one passed."""

    verified: int = 0
    runs: int = 0
    skipped: int = 0
    first_verified: int | None = None
    first_seconds: float | None = None
    seconds: float = 0.0
    candidates: list[int] = field(default_factory=list)
    reason: str | None = None


class Search:
    """The holes of some functions that are searched together."""

    def __init__(
        self,
        program: Program,
        sites: Sequence[Site],
        examples: Sequence[Example],
        *,
        seconds: float,
        stop: Callable[[], bool] = lambda: False,
        seed: int = 0,
        clock: Clock = time.monotonic,
        base: Mapping[int, Filling] | None = None,
    ) -> None:
        """`base`: what stands in other holes of the document, by index."""
        self._clock: Clock = lambda: math.inf if stop() else clock()
        self.known: dict[int, tuple[str, ...]] = {}
        self.program = program
        self.sites = list(sites)
        self.examples = list(examples)
        self.report = Report()
        self.solutions: list[Solution] = []
        self.states: dict[int, list[State]] = {}
        self.candidates: list[list[Candidate]] = []
        self._pools: list[Pool] = []
        self._rng = random.Random(seed)
        self._began = clock()
        self._end = self._began + seconds
        self._seconds = seconds
        self._pause = self._end
        self._limits = LIMITS
        self._stop = stop
        self._base: list[Filling] = [unfilled] * len(program.document.holes)
        for at, filling in (base or {}).items():
            self._base[at] = filling
        self._failed: set[tuple[str, ...]] = set()
        self._dead: dict[int, set[tuple[int, ...]]] = {}
        self._bit_of = {site.index: 1 << at for at, site in enumerate(self.sites)}

    @property
    def over(self) -> bool:
        """True once the time is used up or nobody wants the answer any more."""
        return self._stop() or self._clock() > self._end

    def observe(self) -> bool:
        """Finds the states at the holes. False, with a reason in the report, if no run comes to one of
        them."""
        observer = Observer(self.program, self.sites, self.examples)
        probe(observer, self._rng, self._base, lambda: self.over)
        self.states = {site.index: observer.states(site, self._rng) for site in self.sites}
        if not any(self.states.values()):
            outcome = self.program.run(self.examples[0], self._base)
            why = (
                f": {outcome.value}"
                if outcome.status == "refused" and "hole" not in str(outcome.value)
                else ""
            )
            self.report.reason = (
                f"no run of the examples of {self.sites[0].function.name} comes to this hole{why}"
            )
            return False
        if len(self.sites) > 1 or self.sites[0].loops:
            self._observe_again(observer)
        self.known = {site.index: observer.told(site) for site in self.sites}
        return True

    def _observe_again(self, observer: Observer) -> None:
        """A second look with cheap real candidates: the states of runs that come out nearly right."""
        small = [
            candidates_for(
                site,
                self.program,
                self.states[site.index] or [{}],
                self.examples,
                highest=3,
                seconds=0.08,
                most=300,
                clock=self._clock,
            )[:40]
            for site in self.sites
        ]
        if not all(small):
            return
        for at in range(SECOND_RUNS):
            if self.over:
                break
            chosen = list(self._base)
            for site, some in zip(self.sites, small, strict=True):
                pick = some[min(int(self._rng.expovariate(0.15)), len(some) - 1)]
                chosen[site.index] = pick.run
            observer.watch(chosen, at % len(self.examples))
        for site in self.sites:
            self.states[site.index] = observer.states(site, self._rng)

    def collect(self, proposals: Sequence[Sequence[Proposal]] = (), effort: int = len(EFFORTS) - 1) -> None:
        """Makes the candidates of every hole, the model's among them, with one of EFFORTS."""
        highest, most, longest, work = EFFORTS[effort]
        self._limits = replace(LIMITS, work=work)
        share = min(longest, 0.45 * self._seconds / len(self.sites))
        self.candidates = []
        self._dead.clear()
        for at, site in enumerate(self.sites):
            if at == len(self._pools):
                states = self.states[site.index] or [{}]
                given = proposals[at] if at < len(proposals) else ()
                pool = Pool(site, self.program, states, self.examples, given, clock=self._clock)
                self._pools.append(pool)
            self.candidates.append(self._pools[at].extend(highest, share, most))
            if self._stop():
                return
        self.report.candidates = [len(some) for some in self.candidates]

    def solve(self, share: float = 1.0) -> Iterator[Solution]:
        """The combinations that meet all examples, as they are found, within a share of the time."""
        self._pause = self._clock() + share * (self._end - self._clock())
        if len(self.candidates) < len(self.sites) or not all(self.candidates):
            self.report.reason = self.report.reason or "nothing fits there"
            return
        levels = [self._levels(some) for some in self.candidates]
        lowest = [min(level) for level in levels]
        total = sum(lowest)
        unread = frozenset(name for site in self.sites for name in site.unread)
        highest = sum(max(level) for level in levels) + UNREAD_LEFT * len(unread)
        first_level: int | None = None
        while total <= highest and not self._finished(first_level, total):
            for left in range(len(unread) + 1):
                rest = total - UNREAD_LEFT * left
                for indices in self._combinations(levels, lowest, rest) if rest >= 0 else ():
                    if self._finished(first_level, total):
                        break
                    if unread and self._left_unread(unread, indices) != left:
                        continue
                    if self.try_out(indices):
                        solution = self._solution(indices)
                        self.solutions.append(solution)
                        if first_level is None:
                            first_level = total
                            self.report.first_verified = self.report.verified
                            self.report.first_seconds = self._clock() - self._began
                        yield solution
                    elif self.report.reason:
                        return
            total += 1

    def _finished(self, first_level: int | None, total: int) -> bool:
        if self.over or len(self.solutions) >= MOST_SURVIVORS or self._clock() > self._pause:
            return True
        if first_level is None or self.report.first_seconds is None:
            return False
        if total > first_level + MORE_LEVELS:
            return True
        allowed = self.report.first_seconds * (1 + MORE_SHARE) + MORE_SECONDS
        return self._clock() - self._began > allowed

    def _left_unread(self, unread: frozenset[str], indices: tuple[int, ...]) -> int:
        left = set(unread)
        for some, at in zip(self.candidates, indices, strict=True):
            left -= some[at].reads
        return len(left)

    @staticmethod
    def _levels(candidates: Sequence[Candidate]) -> dict[int, list[int]]:
        levels: dict[int, list[int]] = {}
        for at, candidate in enumerate(candidates):
            levels.setdefault(candidate.cost, []).append(at)
        return levels

    def _combinations(
        self, levels: Sequence[dict[int, list[int]]], lowest: Sequence[int], total: int
    ) -> Iterator[tuple[int, ...]]:
        """All choices that cost exactly `total`, dead ends left out as soon as they show."""
        count = len(levels)
        rest = [sum(lowest[at + 1 :]) for at in range(count)]

        def choose(at: int, left: int, chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
            costs = (left,) if at == count - 1 else sorted(c for c in levels[at] if c <= left - rest[at])
            for cost in costs:
                for index in levels[at].get(cost, ()):
                    now = (*chosen, index)
                    if self._is_dead(at, now):
                        self.report.skipped += 1
                        continue
                    if at == count - 1:
                        yield now
                    else:
                        yield from choose(at + 1, left - cost, now)

        yield from choose(0, total, ())

    def _is_dead(self, at: int, chosen: tuple[int, ...]) -> bool:
        for pattern, known in self._dead.items():
            if pattern.bit_length() == at + 1:
                key = tuple(index for place, index in enumerate(chosen) if pattern >> place & 1)
                if key in known:
                    return True
        return False

    def try_out(self, indices: tuple[int, ...]) -> bool:
        """True if the combination meets every example; an example that fails is asked first from then on."""
        chosen = [some[at] for some, at in zip(self.candidates, indices, strict=True)]
        texts = tuple(candidate.text for candidate in chosen)
        if texts in self._failed:
            return False  # a round before tried it
        fillings = self.fillings(chosen)
        self.report.verified += 1
        for at, example in enumerate(self.examples):
            self.report.runs += 1
            outcome = self.program.run(example, fillings, self._limits)
            if outcome.status == "returned" and example.met_by(outcome.value):
                continue
            if outcome.status != "refused":
                self._failed.add(texts)
            pattern = 0
            for site in self.sites:
                if outcome.reached >> site.index & 1:
                    pattern |= self._bit_of[site.index]
            if not pattern:
                told = f"{example.call.text} should give {example.expected}"
                self.report.reason = f"{told}, and doesn't whatever stands in the holes"
                return False
            key = tuple(index for place, index in enumerate(indices) if pattern >> place & 1)
            self._dead.setdefault(pattern, set()).add(key)
            if at:
                self.examples.insert(0, self.examples.pop(at))
            return False
        return True

    def fillings(self, chosen: Sequence[Candidate]) -> list[Filling]:
        """What stands in each hole of the document with these candidates."""
        fillings = list(self._base)
        for site, candidate in zip(self.sites, chosen, strict=True):
            fillings[site.index] = candidate.run
        return fillings

    def _solution(self, indices: tuple[int, ...]) -> Solution:
        chosen = tuple(some[at] for some, at in zip(self.candidates, indices, strict=True))
        unread = {name for site in self.sites for name in site.unread}
        left = len(unread.difference(*(candidate.reads for candidate in chosen)))
        return Solution(chosen, sum(c.cost for c in chosen) + UNREAD_LEFT * left, len(self.examples))

    def finish(self) -> None:
        """Notes how long it took."""
        self.report.seconds = self._clock() - self._began

    def nearest(self, count: int) -> list[Solution]:
        """Of the cheapest combinations, those that meet most examples, for when none meets all."""
        if len(self.candidates) < len(self.sites) or not all(self.candidates):
            return []
        levels = [self._levels(some) for some in self.candidates]
        lowest = [min(level) for level in levels]
        found: list[Solution] = []
        self._dead.clear()
        end = self._clock() + 0.1
        for total in range(sum(lowest), sum(lowest) + 4):
            for indices in self._combinations(levels, lowest, total):
                solution = self._solution(indices)
                fillings = self.fillings(solution.chosen)
                solution.passed = sum(self.program.works(example, fillings) for example in self.examples)
                found.append(solution)
                if self._clock() > end or self._stop():
                    found.sort(key=lambda one: (-one.passed, one.cost))
                    return found[:count]
        found.sort(key=lambda one: (-one.passed, one.cost))
        return found[:count]
