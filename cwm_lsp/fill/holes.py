"""Fills for the holes of a document, as they are found: the room's front door.

    for found in fill_document(document, backend):
        for fill in found.fills: ...

Each `HoleFills` replaces the one before for the same hole; the last of each hole has `done`. Leaves out the
editor and the command line.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from cwm_lsp.fill import style
from cwm_lsp.fill.bank import Clock
from cwm_lsp.fill.doubt import Doubt, Groups, grouped
from cwm_lsp.fill.examples import Example, examples_of
from cwm_lsp.fill.problems import Problem, problems_of
from cwm_lsp.fill.proposers import Proposer, no_proposals, proposer_for
from cwm_lsp.fill.running import Filling, Program
from cwm_lsp.fill.search import Report, Search, Solution
from cwm_lsp.fill.sites import sites_of
from cwm_lsp.model.backend import Backend, Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.source.holes import Hole

Verified = Literal["passed", "passed (predicted)", "failed", "untested"]

SECONDS = 2.0
"""The time for each hole."""
MOST_FILLS = 8
_QUICK_SHARE = 0.3
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Fill:
    """What a hole could be. `examples`: how many of how many come out right with it; `score` in [0, 1]
    compares the fills of one hole; `why` is one sentence. `together`: what stands in the other holes (index
    in `document.holes`, text) when it passes."""

    text: str
    verified: Verified
    examples: tuple[int, int]
    score: float
    why: str = ""
    together: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HoleFills:
    """The fills of a hole so far, best first. `index` counts the document's holes; `reason` is a sentence why
    there are none; `known` says what is known there (`left = 0`); `calls` are the examples that were tried;
    `doubt` is a call on which the fills differ (its `chosen` count `fills`)."""

    hole: Hole
    index: int
    fills: tuple[Fill, ...] = ()
    reason: str | None = None
    known: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    doubt: Doubt | None = None
    done: bool = False
    report: Report | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is going on: a sentence, and how many of how many holes are done."""

    text: str
    done: int
    holes: int


def fill_document(
    document: Document,
    backend: Backend | None = None,
    *,
    budget_seconds: float = SECONDS,
    cancel: Cancel | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    only: Sequence[int] | None = None,
    proposer: Proposer | None = None,
    clock: Clock = time.monotonic,
) -> Iterator[HoleFills]:
    """Fills of the document's holes, streaming. `budget_seconds` is the time for each hole; `only` names
    holes by their index. Cancelled, it ends at once. Never raises for what stands in the document."""
    stop = cancel or Cancel()

    def given_up() -> bool:
        return stop.cancelled

    program = Program(document)
    sites, refusals = sites_of(document, program)
    wanted = set(range(len(document.holes)) if only is None else only)
    done = 0
    for at in sorted(refusals):
        if at in wanted:
            done += 1
            yield HoleFills(document.holes[at], at, reason=refusals[at], done=True)
    propose = proposer or (proposer_for(backend) if backend is not None else no_proposals)
    written = style.style_of(document)
    solved: dict[int, Filling] = {}
    problems = problems_of(program.tree, sites, examples_of(document))
    for problem in problems:
        if given_up():
            return
        if wanted.isdisjoint(site.index for site in problem.sites) and not _feeds(problem, problems, wanted):
            continue
        if on_progress is not None:
            on_progress(Progress(f"searching {problem.name}", done, len(document.holes)))
        key = (problem.key(document), tuple(sorted(solved)), budget_seconds, getattr(propose, "name", ""))
        kept = _CACHE.get(key)
        if kept is not None:
            solved.update(kept[1])
            for found in _moved(kept[0], problem):
                if found.index in wanted:
                    yield found
            done += len(problem.sites)
            continue
        work = _Work(
            document, program, problem,
            written=written, propose=propose, stop=stop, seconds=budget_seconds, clock=clock, solved=solved,
        )  # fmt: skip
        last: list[HoleFills] = []
        for batch in work.run():
            last = batch
            for found in batch:
                if found.index in wanted:
                    yield found
        done += len(problem.sites)
        if given_up():
            return
        solved.update(work.best)
        if last:
            _CACHE.put(key, (tuple(last), dict(work.best)))


def _feeds(problem: Problem, problems: Sequence[Problem], wanted: set[int]) -> bool:
    """True if a wanted hole's function may call this one: then it must be solved first."""
    return any(
        other is not problem and not wanted.isdisjoint(site.index for site in other.sites)
        for other in problems
    )


class _Work:
    """One problem."""

    def __init__(
        self,
        document: Document,
        program: Program,
        problem: Problem,
        *,
        written: style.Style,
        propose: Proposer,
        stop: Cancel,
        seconds: float,
        clock: Clock,
        solved: dict[int, Filling],
    ) -> None:
        self.document, self.program, self.problem = document, program, problem
        self.best: dict[int, Filling] = {}
        self._written, self._propose, self._stop = written, propose, stop
        self._seconds, self._clock, self._solved = seconds, clock, solved
        self._known: dict[int, tuple[str, ...]] = {}

    def run(self) -> Iterator[list[HoleFills]]:
        """The state of all holes of the problem, whenever it is better than before; the last is done."""
        problem = self.problem
        if problem.reason is not None:
            yield self._without_examples(problem.reason)
            return
        search = Search(
            self.program,
            problem.sites,
            problem.examples,
            seconds=self._seconds * len(problem.sites),
            stop=lambda: self._stop.cancelled,
            clock=self._clock,
            base=self._solved,
        )
        if not search.observe():
            yield self._unfilled(search, search.report.reason)
            return
        self._known = search.known
        proposals = self._propose(self.document, problem, search.states, self._stop)
        for quick in (True, False):
            search.collect(proposals, quick=quick)
            shown = False
            for _ in search.solve(_QUICK_SHARE if quick else 1.0):
                if not shown:
                    shown = True
                    yield self._found(search, search.solutions, None, done=False)
            if self._stop.cancelled:
                return
            if search.solutions or search.over:
                break
        search.finish()
        if not search.solutions:
            yield self._unfilled(
                search, search.report.reason or "nothing that was tried makes all examples come out right"
            )
            return
        yield self._ranked(search)

    def _ranked(self, search: Search) -> list[HoleFills]:
        """The survivors in their final order, and where they differ."""
        survivors = sorted(search.solutions, key=lambda solution: solution.cost)[:12]
        scored = self._propose.order(self.document, self.problem, survivors, self._stop)
        survivors = scored if scored is not None else survivors
        fillings = [search.fillings(solution.chosen) for solution in survivors]
        groups = grouped(self.program, self.problem.examples, fillings, lambda: self._stop.cancelled)
        fewest = min(groups.raised)
        order = sorted(range(len(survivors)), key=lambda at: at + 4 * (groups.raised[at] - fewest >= 4))
        if order != list(range(len(survivors))):
            survivors = [survivors[at] for at in order]
            fillings = [fillings[at] for at in order]
            groups = grouped(self.program, self.problem.examples, fillings, lambda: self._stop.cancelled)
        self.best = {
            site.index: candidate.run
            for site, candidate in zip(self.problem.sites, survivors[0].chosen, strict=True)
        }
        return self._found(search, survivors, groups, done=True)

    def _found(
        self, search: Search, solutions: Sequence[Solution], groups: Groups | None, *, done: bool
    ) -> list[HoleFills]:
        ordered = list(solutions) if groups is not None else sorted(solutions, key=lambda one: one.cost)
        count = len(self.problem.examples)
        weights = [math.exp(-0.5 * at) for at in range(len(ordered))]
        texts = [
            tuple(
                self._text(site.index, text) for site, text in zip(self.problem.sites, one.texts, strict=True)
            )
            for one in ordered[: 2 * MOST_FILLS]
        ]
        found: list[HoleFills] = []
        for place, site in enumerate(self.problem.sites):
            fills: dict[str, Fill] = {}
            holders: list[int] = []
            for at, row in enumerate(texts):
                score = weights[at] / sum(weights)
                known = fills.get(row[place])
                if known is not None:
                    fills[row[place]] = replace(known, score=round(known.score + score, 4))
                elif len(fills) < MOST_FILLS:
                    together = tuple(
                        (other.index, text)
                        for other, text in zip(self.problem.sites, row, strict=True)
                        if other is not site
                    )
                    why = _why(count, groups, at)
                    fills[row[place]] = Fill(
                        row[place], "passed", (count, count), round(score, 4), why, together
                    )
                    holders.append(at)
            doubt = groups.doubt if groups is not None else None
            if doubt is not None:
                chosen = tuple(doubt.chosen[at] for at in holders)
                doubt = replace(doubt, chosen=chosen) if len(set(chosen)) > 1 or place == 0 else None
            found.append(self._hole(site.index, tuple(fills.values()), search.report, doubt=doubt, done=done))
        return found

    def _text(self, index: int, text: str) -> str:
        hole = self.document.holes[index]
        return style.bracketed(self.document, hole, style.styled(text, self._written))

    def _unfilled(self, search: Search, reason: str | None) -> list[HoleFills]:
        """No filling passes: the nearest ones, marked as what they are."""
        count = len(self.problem.examples)
        nearest = search.nearest(3) if search.states and not self._stop.cancelled else []
        found: list[HoleFills] = []
        for place, site in enumerate(self.problem.sites):
            fills: dict[str, Fill] = {}
            for at, solution in enumerate(nearest):
                if solution.passed:
                    text = self._text(site.index, solution.texts[place])
                    why = f"Only {solution.passed} of {count} examples come out right."
                    score = round(solution.passed / count / (at + 2), 4)
                    fills.setdefault(text, Fill(text, "failed", (solution.passed, count), score, why))
            sentence = f"The hole in line {site.hole.line}, column {site.hole.column} is left open: {reason}."
            found.append(
                self._hole(site.index, tuple(fills.values()), search.report, reason=sentence, done=True)
            )
        return found

    def _without_examples(self, reason: str) -> list[HoleFills]:
        """Nothing says what is right: what the model proposes, untested."""
        proposals = self._propose(self.document, self.problem, {}, self._stop)
        found: list[HoleFills] = []
        for place, site in enumerate(self.problem.sites):
            fills = [
                Fill(self._text(site.index, one.text), "untested", (0, 0), round(math.exp(one.logprob), 4),
                     "No example says what is right here: the model proposes it.")
                for one in (proposals[place] if place < len(proposals) else ())
            ]  # fmt: skip
            sentence = f"The hole in line {site.hole.line}, column {site.hole.column} is left open: {reason}."
            found.append(self._hole(site.index, tuple(fills[:MOST_FILLS]), None, reason=sentence, done=True))
        return found

    def _hole(
        self,
        index: int,
        fills: tuple[Fill, ...],
        report: Report | None,
        *,
        reason: str | None = None,
        doubt: Doubt | None = None,
        done: bool,
    ) -> HoleFills:
        calls = tuple(f"{example.call.text} -> {example.expected}" for example in self.problem.examples)
        known = self._known.get(index, ())
        return HoleFills(self.document.holes[index], index, fills, reason, known, calls, doubt, done, report)


def _why(count: int, groups: Groups | None, at: int) -> str:
    what = "The example comes" if count == 1 else f"All {count} examples come"
    sentence = f"{what} out right, computed."
    if groups is not None and len(set(groups.group)) > 1 and at < len(groups.group):
        same = sum(group == groups.group[at] for group in groups.group)
        others = len(groups.group) - same
        if others:
            sentence += " Others that pass too do something else on other calls."
    return sentence


# -- what was found before


Kept = tuple[tuple[HoleFills, ...], dict[int, Filling]]


class _Cache:
    """Answers by what they depend on, the latest ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> Kept | None:
        """An answer, if it is kept."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: object, value: Kept) -> None:
        """Keeps an answer."""
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forgets all."""
        with self._lock:
            self._kept.clear()


_CACHE = _Cache()


def forget() -> None:
    """Forgets all answers: for measurements."""
    _CACHE.clear()


def _moved(kept: Sequence[HoleFills], problem: Problem) -> list[HoleFills]:
    """Kept answers at the places where the holes are now."""
    indices = [site.index for site in problem.sites]
    renamed = dict(zip((found.index for found in kept), indices, strict=True))
    moved: list[HoleFills] = []
    for found, site in zip(kept, problem.sites, strict=True):
        fills = tuple(
            replace(fill, together=tuple((renamed[at], text) for at, text in fill.together))
            for fill in found.fills
        )
        moved.append(replace(found, hole=site.hole, index=site.index, fills=fills))
    return moved


__all__ = ["Doubt", "Example", "Fill", "HoleFills", "Progress", "fill_document", "forget"]
