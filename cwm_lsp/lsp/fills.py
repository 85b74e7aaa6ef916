"""Fills for the `?` holes of open files: searched in the background, kept for the analysis that they are of.

Leaves out how fills are found (the room fill/) and how they are offered (inline_completion, completion,
code_actions, commands).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types

from cwm_lsp.lsp.buffers import Text
from cwm_lsp.lsp.models import LoadingCancelledError
from cwm_lsp.lsp.places import line_range
from cwm_lsp.lsp.progress import Bar
from cwm_lsp.lsp.sources import Source
from cwm_lsp.lsp.worker import CancelledJobError, Job, Priority, Steps
from cwm_lsp.model.backend import BackendError, Cancel
from cwm_lsp.source.document import Document

if TYPE_CHECKING:
    from cwm_lsp.fill.holes import Fill, HoleFills
    from cwm_lsp.lsp.session import Session

log = logging.getLogger(__name__)

GOOD = ("passed", "passed (predicted)")


class Search:
    """The search in one document: what was found so far, by the hole's index."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: dict[int, HoleFills] = {}
        self.over = False
        self.problem: str | None = None
        self.job: Job[None] | None = None
        self._changed: list[asyncio.Future[None]] = []

    def settled(self, hole: int) -> bool:
        """True if nothing better is to be expected for this hole."""
        found = self.found.get(hole)
        return self.over or (found is not None and found.done)

    async def wait(self, hole: int | None) -> None:
        """Until the hole (or all) is settled."""
        while not (self.over or (hole is not None and self.settled(hole))):
            change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._changed.append(change)
            await change

    def tell(self) -> None:
        """Something was found, or it is over."""
        changed, self._changed = self._changed, []
        for change in changed:
            if not change.done():
                change.set_result(None)


class Filler:
    """The searches of a session, one a source."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._searches: dict[str, Search] = {}

    def search(self, source: Source, asked: bool) -> Search | None:
        """The search in the present analysis, begun if it isn't yet; None if it has no holes."""
        document = source.analysis.document if source.analysis is not None else None
        if document is None or not document.holes or not self._session.settings.fills:
            self.stop(source)
            return None
        known = self._searches.get(source.uri)
        if known is not None and known.document.text == document.text:
            if asked and known.job is not None:
                known.job.priority = Priority.INTERACTIVE
            return known
        self.stop(source)
        search = self._searches[source.uri] = Search(document)
        self._begin(source, search, asked)
        return search

    def at_hand(self, source: Source) -> Search | None:
        """The search in the present analysis, if one was begun."""
        known = self._searches.get(source.uri)
        document = source.analysis.document if source.analysis is not None else None
        return (
            known
            if known is not None and document is not None and known.document.text == document.text
            else None
        )

    def stop(self, source: Source) -> None:
        """Ends the search of a source."""
        search = self._searches.pop(source.uri, None)
        if search is not None and search.job is not None and not search.over:
            self._session.predictions.worker.cancel(search.job)

    def reset(self) -> None:
        """Another model, or other settings: everything is searched anew when it is wanted."""
        for source in self._session.sources.values():
            self.stop(source)

    def _begin(self, source: Source, search: Search, asked: bool) -> None:
        session, settings = self._session, self._session.settings
        models = session.predictions.models

        def steps(cancel: Cancel) -> Steps[None]:
            from cwm_lsp.fill.holes import fill_document

            yield
            try:
                models.cancel = cancel
                backend = models.backend(settings)
            except LoadingCancelledError:
                raise CancelledJobError from None
            except BackendError as error:
                log.warning("holes are filled without a model: %s", error)
                backend = None
            yield
            seconds = settings.fill_seconds
            for found in fill_document(search.document, backend, budget_seconds=seconds, cancel=cancel):
                session.deliver(partial(self._found, source, search, found))
                yield

        def done(_: None, error: BaseException | None) -> None:
            search.over = True
            if error is not None and not isinstance(error, CancelledJobError):
                log.error("the holes of %s could not be filled", source.label, exc_info=error)
                search.problem = f"The holes could not be filled: {type(error).__name__}: {error}"
            bar.end()
            search.tell()

        priority = Priority.INTERACTIVE if asked else Priority.BACKGROUND
        search.job = Job(f"fill {source.label}", priority, steps, done)
        worker = session.predictions.worker
        bar = Bar(session, f"Filling {source.label}", partial(worker.cancel, search.job))
        worker.submit(search.job)

    def _found(self, source: Source, search: Search, found: HoleFills) -> None:
        if self._searches.get(source.uri) is search:
            search.found[found.index] = found
            search.tell()


def hole_at(session: Session, source: Source, uri: str, position: types.Position) -> int | None:
    """The index of the hole at a position: before or behind its `?`. None if there is none, or the line has
    changed since it was read."""
    text = next((item for item in source.texts if item.uri == uri), None)
    document = source.analysis.document if source.analysis is not None else None
    if text is None or document is None or source.follow is None:
        return None
    line, column = source.follow.old(uri, position.line), text.column(position, session.client.unit)
    for index, hole in enumerate(document.holes):
        if hole.line == line and hole.column - 1 <= column <= hole.column:
            return index
    return None


def place_of_hole(session: Session, source: Source, index: int) -> tuple[Text, types.Range] | None:
    """Where a hole's `?` is now; None if its line has changed."""
    document = source.analysis.document if source.analysis is not None else None
    if document is None or source.follow is None or not 0 <= index < len(document.holes):
        return None
    hole = document.holes[index]
    here = source.follow.now(hole.line)
    if here is None:
        return None
    return here[0], line_range(here[0], here[1], hole.column - 1, hole.column, session.client.unit)


def touches_hole(text: Text, position: types.Position, column: int) -> bool:
    """True if a `?` is right before or behind the position, whatever it is in."""
    line = text.line_text(position.line)
    return "?" in line[max(0, column - 1) : column + 1]


def good(fills: Sequence[Fill]) -> list[Fill]:
    """Those that make all examples come out right."""
    return [fill for fill in fills if fill.verified in GOOD]


def label(fill: Fill) -> str:
    """What is known of a fill, in a few words."""
    passed, total = fill.examples
    if fill.verified == "untested":
        return "untested: no example says what is right"
    words = f"{passed} of {total} examples come out right"
    return words + (", as predicted" if fill.verified == "passed (predicted)" else "")
