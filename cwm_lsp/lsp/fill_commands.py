"""The commands that fill holes: for editors that offer fills in their own way, and to fill a whole file."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from cwm_lsp.lsp.arguments import Arguments
from cwm_lsp.lsp.fills import Search, good, hole_at, place_of_hole
from cwm_lsp.lsp.progress import Bar
from cwm_lsp.lsp.protocol import InvalidParamsError
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.lsp.tracing import FailedError, read

if TYPE_CHECKING:
    from cwm_lsp.fill.holes import HoleFills

Token = types.ProgressToken | None


async def fill(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.fill: the fills of one hole, at `position` or by its number (`hole`); `apply` puts in the best, or
    the one with the number `fill`."""
    source, search = await _search(session, arguments)
    uri = arguments.text("uri") or source.texts[0].uri
    position, index = arguments.position(), arguments.number("hole")
    if index is None:
        index = hole_at(session, source, uri, position) if position is not None else None
        if index is None and position is None and len(search.document.holes) == 1:
            index = 0
    if index is None or index >= len(search.document.holes):
        raise InvalidParamsError(f"There is no such hole; {source.label} has {len(search.document.holes)}.")
    await _wait(session, search, index, token)
    found = search.found.get(index)
    answer = describe(session, source, search, index)
    if arguments.flag("apply"):
        number = arguments.number("fill") or 0
        fills = good(found.fills) if found is not None else []
        if number >= len(fills):
            reason = found.reason if found is not None else None
            raise FailedError(reason or "Nothing that was tried fills this hole.")
        await _apply(session, source, {index: fills[number].text})
        answer["applied"] = fills[number].text
    return answer


async def fill_all(session: Session, arguments: Arguments, token: Token) -> Any:
    """cwm.fillAll: fills every hole of a file for which a fill is found that makes all examples come out
    right, all together; with `function` or `position`, those of one function."""
    source, search = await _search(session, arguments)
    wanted = _wanted(source, search, arguments)
    await _wait(session, search, None, token)
    texts: dict[int, str] = {}
    for index in wanted:
        found = search.found.get(index)
        fills = good(found.fills) if found is not None else []
        if index not in texts and fills:
            texts[index] = fills[0].text
            # Fills of one function belong together: those that passed with the first one.
            texts.update({other: text for other, text in fills[0].together if other not in texts})
    left = [index for index in wanted if index not in texts]
    if texts:
        await _apply(session, source, texts)
    return {
        "filled": len(texts),
        "left": [describe(session, source, search, index) for index in left],
    }


def _wanted(source: Source, search: Search, arguments: Arguments) -> list[int]:
    """The holes that are meant: all, or those of a function. Raises FailedError if it has none."""
    document, position, name = search.document, arguments.position(), arguments.text("function")
    function = document.function(name) if name is not None else None
    if name is None and position is not None and source.follow is not None:
        line = source.follow.old(arguments.text("uri") or source.texts[0].uri, position.line)
        function = document.function_at(line) if line else None
    if name is None and position is None:
        return list(range(len(document.holes)))
    if function is None:
        raise FailedError(f"There is no function {name or 'here'} in {source.label}.")
    within = [
        index
        for index, hole in enumerate(document.holes)
        if function.first_line <= hole.line <= function.last_line
    ]
    if not within:
        raise FailedError(f"There is no hole (a ?) in {function.qualname}.")
    return within


def describe(session: Session, source: Source, search: Search, index: int) -> dict[str, Any]:
    """A hole with its fills, as plain data; `range` is null if its line has changed since."""
    found: HoleFills | None = search.found.get(index)
    here = place_of_hole(session, source, index)
    span = None
    if here is not None:
        start, end = here[1].start, here[1].end
        span = {
            "start": {"line": start.line, "character": start.character},
            "end": {"line": end.line, "character": end.character},
        }
    return {
        "hole": index,
        "uri": here[0].uri if here is not None else source.uri,
        "range": span,
        "fills": [
            {
                "text": fill.text,
                "verified": fill.verified,
                "examples": list(fill.examples),
                "score": fill.score,
                "why": fill.why,
            }
            for fill in (found.fills if found is not None else ())
        ],
        "reason": found.reason if found is not None else search.problem,
        "known": list(found.known) if found is not None else [],
        "done": search.settled(index),
    }


async def _search(session: Session, arguments: Arguments) -> tuple[Source, Search]:
    source = arguments.source()
    await read(session, source)
    if not session.settings.fills:
        raise FailedError("Filling holes is switched off (the setting fills).")
    search = session.filler.search(source, asked=True)
    if search is None:
        raise FailedError(f"There is no hole (a ?) in {source.label}.")
    return source, search


async def _wait(session: Session, search: Search, index: int | None, token: Token) -> None:
    bar = None
    if token is not None and search.job is not None:
        worker, job = session.predictions.worker, search.job
        bar = Bar(session, "Filling holes", lambda: worker.cancel(job), token)
    try:
        await search.wait(index)
    finally:
        if bar is not None:
            bar.end()


async def _apply(session: Session, source: Source, texts: dict[int, str]) -> None:
    """Asks the client to put the texts in. Raises FailedError if it can't or won't."""
    if not session.client.apply_edit:
        raise FailedError("This editor takes no edits from a server.")
    changes: dict[str, list[types.TextEdit]] = {}
    for index, text in texts.items():
        here = place_of_hole(session, source, index)
        if here is None:
            raise FailedError("The text has changed meanwhile: nothing was filled in.")
        changes.setdefault(here[0].uri, []).append(types.TextEdit(here[1], text))
    params = types.ApplyWorkspaceEditParams(types.WorkspaceEdit(changes=changes), "Fill holes")
    asked: Future[Any] = session.protocol.ask(types.WORKSPACE_APPLY_EDIT, params)
    try:
        answer = await asyncio.wrap_future(asked)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        raise FailedError(f"The editor did not take the edit: {error}.") from None
    if not getattr(answer, "applied", False):
        reason = getattr(answer, "failure_reason", None) or "no reason given"
        raise FailedError(f"The editor did not take the edit: {reason}.")
