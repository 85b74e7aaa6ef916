"""Ghost text at a `?` hole: the fills that make all examples come out right, best first; nothing else.

Leaves out the search (fills.py).
"""

from __future__ import annotations

from lsprotocol import types

from cwm_lsp.lsp.fills import good, place_of_hole
from cwm_lsp.lsp.offers import hole_fills
from cwm_lsp.lsp.session import Session


async def inline_completion(
    session: Session, params: types.InlineCompletionParams
) -> types.InlineCompletionList | None:
    """The answer to textDocument/inlineCompletion; waits for a search that is under way."""
    found = await hole_fills(session, params.text_document.uri, params.position)
    if found is None:
        return None
    source, fills = found
    here = place_of_hole(session, source, fills.index)
    if here is None:
        return None
    items = [
        types.InlineCompletionItem(insert_text=fill.text, filter_text="?", range=here[1])
        for fill in good(fills.fills)
    ]
    return types.InlineCompletionList(items) if items else None
