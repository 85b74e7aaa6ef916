"""Fills for the holes of a document, as they are found: the room's front door.

    for found in fill_document(document, backend):
        for fill in found.fills: ...

Each `HoleFills` replaces the one before for the same hole; the last of each hole has `done`. Leaves out the
editor and the command line.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cwm_lsp.fill import style
from cwm_lsp.fill.bank import Clock
from cwm_lsp.fill.candidates import filling_of
from cwm_lsp.fill.doubt import Doubt
from cwm_lsp.fill.examples import examples_of
from cwm_lsp.fill.fills import Fill, HoleFills, Progress
from cwm_lsp.fill.problems import Problem, problems_of
from cwm_lsp.fill.proposers import Proposer, no_proposals, proposer_for
from cwm_lsp.fill.running import Filling, Program
from cwm_lsp.fill.sites import sites_of
from cwm_lsp.fill.work import Work
from cwm_lsp.model.backend import Backend, Cancel
from cwm_lsp.source.document import Document

SECONDS = 2.0
"""The time for each hole."""
_KEPT = 64


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
            for found in _moved(kept, problem):
                if found.fills and found.fills[0].verified == "passed":
                    site = next(one for one in problem.sites if one.index == found.index)
                    filling = filling_of(site, found.fills[0].text)
                    if filling is not None:
                        solved[found.index] = filling
                if found.index in wanted:
                    yield found
            done += len(problem.sites)
            continue
        work = Work(
            document, program, problem,
            backend=backend, written=written, propose=propose, stop=stop, seconds=budget_seconds,
            clock=clock, solved=solved,
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
            _CACHE.put(key, tuple(last))


def _feeds(problem: Problem, problems: Sequence[Problem], wanted: set[int]) -> bool:
    """True if a wanted hole's function may call this one: then it must be solved first."""
    return any(
        other is not problem and not wanted.isdisjoint(site.index for site in other.sites)
        for other in problems
    )


# -- what was found before


Kept = tuple[HoleFills, ...]


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


__all__ = ["Doubt", "Fill", "HoleFills", "Progress", "fill_document", "forget"]
