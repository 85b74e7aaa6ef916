"""Notebooks: their Python cells, in order, are one document. Leaves out every other cell, and kernels."""

from __future__ import annotations

from collections.abc import Iterable

from lsprotocol import types

from cwm_lsp.lsp.buffers import Text
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source

PYTHON = "python"


def opened(session: Session, params: types.DidOpenNotebookDocumentParams) -> None:
    """A notebook is open."""
    notebook = params.notebook_document
    texts = [_text(item) for item in params.cell_text_documents if item.language_id == PYTHON]
    order = [cell.document for cell in notebook.cells]
    texts.sort(key=lambda text: order.index(text.uri) if text.uri in order else len(order))
    session.remove(notebook.uri)
    session.orders[notebook.uri] = order
    session.add(Source(notebook.uri, texts, notebook=True))


def changed(session: Session, params: types.DidChangeNotebookDocumentParams) -> None:
    """Cells came, went, moved, or were typed in."""
    source = session.sources.get(params.notebook_document.uri)
    cells = params.change.cells
    if source is None or cells is None:
        return
    if cells.structure is not None:
        _restructure(session, source, cells.structure)
    for item in cells.text_content or ():
        text = next((text for text in source.texts if text.uri == item.document.uri), None)
        if text is not None:
            text.change(item.changes, item.document.version, session.client.unit)
    session.touched(source)


def saved(session: Session, params: types.DidSaveNotebookDocumentParams) -> None:
    """The notebook was saved."""
    source = session.sources.get(params.notebook_document.uri)
    if source is not None:
        session.saved(source)


def closed(session: Session, params: types.DidCloseNotebookDocumentParams) -> None:
    """The notebook was closed."""
    session.orders.pop(params.notebook_document.uri, None)
    session.remove(params.notebook_document.uri)


def _restructure(
    session: Session, source: Source, structure: types.NotebookDocumentCellChangeStructure
) -> None:
    order = session.orders.setdefault(source.uri, [])
    array = structure.array
    start = min(array.start, len(order))
    order[start : start + array.delete_count] = [cell.document for cell in array.cells or ()]
    texts = {text.uri: text for text in source.texts}
    for item in structure.did_open or ():
        if item.language_id == PYTHON:
            texts[item.uri] = _text(item)
    for gone in _uris(structure.did_close or ()):
        texts.pop(gone, None)
        session.by_text.pop(gone, None)
    source.texts = [texts[uri] for uri in order if uri in texts]
    for text in source.texts:
        session.by_text[text.uri] = source


def _uris(items: Iterable[types.TextDocumentIdentifier]) -> list[str]:
    return [item.uri for item in items]


def _text(item: types.TextDocumentItem) -> Text:
    return Text(item.uri, item.text, item.version, item.language_id)
