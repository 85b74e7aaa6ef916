"""One problem from its examples to the fills of its holes: the search, the survivors' order, the words.

Leaves out which holes belong together (problems.py) and what is kept (holes.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cwm_lsp.fill import style
from cwm_lsp.fill.bank import Clock
from cwm_lsp.fill.doubt import Doubt, Groups, grouped
from cwm_lsp.fill.fills import Fill, HoleFills, Verified
from cwm_lsp.fill.plain import PlainSearch, contradicted
from cwm_lsp.fill.problems import Problem
from cwm_lsp.fill.proposers import Proposer
from cwm_lsp.fill.running import Filling, Program
from cwm_lsp.fill.search import Report, Search, Solution
from cwm_lsp.model.backend import Backend, Cancel
from cwm_lsp.source.document import Document

MOST_FILLS = 8
_SHARES = (0.25, 0.35, 1.0)
"""The part of the time left that each of the search's efforts may take."""


class Work:
    """One problem."""

    def __init__(
        self,
        document: Document,
        program: Program,
        problem: Problem,
        *,
        backend: Backend | None,
        written: style.Style,
        propose: Proposer,
        stop: Cancel,
        seconds: float,
        clock: Clock,
        solved: dict[int, Filling],
    ) -> None:
        self.document, self.program, self.problem = document, program, problem
        self.best: dict[int, Filling] = {}
        self._written, self._propose, self._stop, self._backend = written, propose, stop, backend
        self._seconds, self._clock, self._solved = seconds, clock, solved
        self._known: dict[int, tuple[str, ...]] = {}

    def _given_up(self) -> bool:
        return self._stop.cancelled

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
            stop=self._given_up,
            clock=self._clock,
            base=self._solved,
        )
        arrived = search.observe()
        if self._given_up():
            return
        if not arrived:
            plain = self._plain()
            if self._given_up():
                return
            yield plain if plain is not None else self._unfilled(search, search.report.reason)
            return
        self._known = search.known
        proposals = self._propose(self.document, problem, search.states, self._stop)
        for effort, share in enumerate(_SHARES):
            search.collect(proposals, effort)
            shown = False
            for _ in search.solve(share):
                if not shown:
                    shown = True
                    yield self._found(search, search.solutions, None, done=False)
            if self._given_up():
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

    def _plain(self) -> list[HoleFills] | None:
        """The answer of the plain way; None if it finds nothing either."""
        problem = self.problem
        plain = PlainSearch(
            self.document, self.program, problem.sites, problem.examples,
            backend=self._backend, seconds=self._seconds * len(problem.sites),
            stop=self._given_up, clock=self._clock,
        )  # fmt: skip
        if not plain.observe():
            return None
        self._known = plain.known
        finds = list(plain.solve(self._propose(self.document, problem, plain.states, self._stop)))
        if not finds or self._given_up():
            return None
        finds.sort(key=lambda find: not find.computed)
        count = len(problem.examples)
        found: list[HoleFills] = []
        for place, site in enumerate(problem.sites):
            fills: dict[str, Fill] = {}
            for at, find in enumerate(finds):
                text = style.styled(find.texts[place], self._written)
                verified: Verified = "passed" if find.computed else "passed (predicted)"
                how = "computed" if find.computed else "partly by the model's word"
                together = tuple(
                    (other.index, style.styled(one, self._written))
                    for other, one in zip(problem.sites, find.texts, strict=True)
                    if other is not site
                )
                score = round(0.5 ** (at + 1), 4)
                why = f"{_come(count)} out right, {how}."
                fills.setdefault(text, Fill(text, verified, (count, count), score, why, together))
            found.append(self._hole(site.index, tuple(fills.values()), None, done=True))
        return found

    def _ranked(self, search: Search) -> list[HoleFills]:
        """The survivors in their final order, and where they differ."""
        survivors = sorted(search.solutions, key=lambda solution: solution.cost)[:12]
        while survivors and self._objected(survivors[0]):
            survivors.pop(0)
        if not survivors:
            return self._unfilled(search, "what the search found does not hold when it is simulated")
        scored = self._propose.order(self.document, self.problem, survivors, self._stop)
        survivors = scored if scored is not None else survivors
        fillings = [search.fillings(solution.chosen) for solution in survivors]
        groups = grouped(self.program, self.problem.examples, fillings, self._given_up)
        fewest = min(groups.raised)
        order = sorted(range(len(survivors)), key=lambda at: at + 4 * (groups.raised[at] - fewest >= 4))
        if order != list(range(len(survivors))):
            survivors = [survivors[at] for at in order]
            fillings = [fillings[at] for at in order]
            groups = grouped(self.program, self.problem.examples, fillings, self._given_up)
        self.best = {
            site.index: candidate.run
            for site, candidate in zip(self.problem.sites, survivors[0].chosen, strict=True)
        }
        return self._found(search, survivors, groups, done=True)

    def _objected(self, solution: Solution) -> bool:
        """True if simulating the examples with a solution says something else than the search did."""
        fills = {
            site.index: self._text(site.index, text)
            for site, text in zip(self.problem.sites, solution.texts, strict=True)
        }
        return contradicted(self.document, fills, self.problem.examples, self._given_up)

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
        nearest = search.nearest(3) if search.states and not self._given_up() else []
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


def _come(count: int) -> str:
    return "The example comes" if count == 1 else f"All {count} examples come"


def _why(count: int, groups: Groups | None, at: int) -> str:
    sentence = f"{_come(count)} out right, computed."
    if groups is not None and len(set(groups.group)) > 1 and at < len(groups.group):
        same = sum(group == groups.group[at] for group in groups.group)
        others = len(groups.group) - same
        if others:
            sentence += " Others that pass too do something else on other calls."
    return sentence
