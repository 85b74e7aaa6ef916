"""Fills offered where the cursor is: completion items and code actions, for editors without ghost text; and
the wait for a search that all offers share. Leaves out the search (fills.py)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsprotocol import types

from cwm_lsp.look import cut, printable
from cwm_lsp.lsp.fills import good, hole_at, label, place_of_hole, touches_hole
from cwm_lsp.lsp.render import code
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source

if TYPE_CHECKING:
    from cwm_lsp.fill.holes import Fill, HoleFills

WIDTH = 60


async def hole_fills(session: Session, uri: str, position: types.Position) -> tuple[Source, HoleFills] | None:
    """The fills of the hole at a position, once they are found; None if there is no hole, or nothing is
    found in time. Whoever waits is cancelled with its request."""
    source = session.by_text.get(uri)
    text = next((item for item in source.texts if item.uri == uri), None) if source is not None else None
    if source is None or text is None or not session.settings.fills:
        return None
    if not touches_hole(text, position, text.column(position, session.client.unit)):
        return None
    await session.analysed(source)
    index = hole_at(session, source, uri, position)
    search = session.filler.search(source, asked=True) if index is not None else None
    if search is None or index is None:
        return None
    holes = len(search.document.holes)
    try:
        async with asyncio.timeout(2 * session.settings.fill_seconds * (holes + 1) + 5):
            await search.wait(index)
    except TimeoutError:
        pass
    found = search.found.get(index)
    return None if found is None else (source, found)


async def completion(session: Session, params: types.CompletionParams) -> types.CompletionList | None:
    """The answer to textDocument/completion: fills at a hole, nothing anywhere else."""
    found = await hole_fills(session, params.text_document.uri, params.position)
    if found is None:
        return None
    source, fills = found
    here = place_of_hole(session, source, fills.index)
    if here is None:
        return None
    shown = good(fills.fills) or [fill for fill in fills.fills if fill.verified == "untested"]
    items = [_item(session, fill, here[1], number) for number, fill in enumerate(shown)]
    return types.CompletionList(is_incomplete=False, items=items)


def _item(session: Session, fill: Fill, span: types.Range, number: int) -> types.CompletionItem:
    text = f"{label(fill)}. {fill.why}".strip()
    documentation: types.MarkupContent | str = text
    if session.client.completion_markdown:
        value = f"{code(fill.text)}\n\n{text}"
        documentation = types.MarkupContent(types.MarkupKind.Markdown, value)
    return types.CompletionItem(
        label=cut(printable(fill.text), WIDTH, session.marks),
        kind=types.CompletionItemKind.Snippet,
        detail=f"cwm: {label(fill)}",
        documentation=documentation,
        sort_text=f"{number:03}",
        filter_text="?",
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(span, fill.text),
        preselect=True if number == 0 else None,
    )


def code_actions(
    session: Session, params: types.CodeActionParams
) -> list[types.CodeAction | types.Command] | None:
    """The answer to textDocument/codeAction: fills that are found already, and to look for them."""
    wanted = params.context.only
    if wanted and not any(str(getattr(kind, "value", kind)) in ("quickfix", "") for kind in wanted):
        return None
    uri = params.text_document.uri
    source = session.by_text.get(uri)
    if source is None or not session.settings.fills:
        return None
    index = hole_at(session, source, uri, params.range.start)
    if index is None and params.range.end != params.range.start:
        index = hole_at(session, source, uri, params.range.end)
    if index is None:
        return None
    search = session.filler.at_hand(source)
    found = search.found.get(index) if search is not None else None
    actions: list[types.CodeAction | types.Command] = []
    here = place_of_hole(session, source, index)
    for number, fill in enumerate(good(found.fills) if found is not None and here is not None else ()):
        assert here is not None
        title = f"Fill with {cut(printable(fill.text), WIDTH, session.marks)} ({label(fill)})"
        if not session.client.action_literals:
            arguments = {"uri": source.uri, "hole": index, "fill": number, "apply": True}
            actions.append(types.Command(title, "cwm.fill", arguments=[arguments]))
            continue
        edit = types.WorkspaceEdit(changes={here[0].uri: [types.TextEdit(here[1], fill.text)]})
        actions.append(types.CodeAction(title, types.CodeActionKind.QuickFix, edit=edit))
    if found is None or not found.done:
        arguments = {"uri": source.uri, "hole": index, "apply": True}
        actions.append(types.Command("Find a fill for this hole", "cwm.fill", arguments=[arguments]))
    document = source.analysis.document if source.analysis is not None else None
    if document is not None and len(document.holes) > 1:
        title = f"Fill all {len(document.holes)} holes of this file"
        actions.append(types.Command(title, "cwm.fillAll", arguments=[{"uri": source.uri}]))
    return actions
