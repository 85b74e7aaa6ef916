"""What the client tells of its files, and of its progress bars. Leaves out notebooks."""

from __future__ import annotations

from lsprotocol import types

from cwm_lsp.lsp.buffers import Text
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source

PYTHON = ("python", "")


def opened(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """A file is open; opening it again begins anew."""
    item = params.text_document
    session.remove(item.uri)
    if item.language_id in PYTHON or item.uri.endswith((".py", ".pyi")):
        session.add(Source(item.uri, [Text(item.uri, item.text, item.version, item.language_id)]))


def changed(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """It was typed in."""
    source = session.sources.get(params.text_document.uri)
    if source is None or source.notebook:
        return
    source.texts[0].change(params.content_changes, params.text_document.version, session.client.unit)
    first = params.content_changes[0] if params.content_changes else None
    if isinstance(first, types.TextDocumentContentChangePartial):
        source.focus = first.range.start.line + 1
    session.touched(source)


def saved(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """It was saved."""
    source = session.sources.get(params.text_document.uri)
    if source is not None:
        session.saved(source)


def closed(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """It was closed."""
    session.remove(params.text_document.uri)


def progress_cancelled(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """The user has cancelled a progress bar."""
    bar = session.bars.get(params.token)
    if bar is not None:
        bar.cancelled()
