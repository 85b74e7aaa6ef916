"""The trace log as a document in the editor: a virtual one where the client knows how to ask for its text,
else a file among the user's cache files. Leaves out the text itself (trace_text.py)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import platformdirs
from lsprotocol import types

from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.protocol import TRACE_SCHEME
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.lsp.trace_text import trace_text

MOST_FILES = 200


def show_document(session: Session, source: Source, traced: Traced, opened: bool = True) -> dict[str, Any]:
    """Makes the document and, if the client can, opens it. The answer has the text in any case."""
    text = trace_text(traced, session.marks, source.label)
    name = re.sub(r"[^\w.-]+", "_", f"{source.label.removesuffix('.py')}.{traced.trace.function}")
    if session.client.text_content:
        uri = f"{TRACE_SCHEME}:/{traced.key}/{quote(name)}.trace"
        session.texts[uri] = text
        while len(session.texts) > MOST_FILES:
            session.texts.pop(next(iter(session.texts)))
    else:
        uri = _file(f"{name}.{traced.key[:8]}.trace.txt", text)
    if opened and session.client.show_document and uri:
        params = types.ShowDocumentParams(uri, take_focus=True)
        session.protocol.ask(types.WINDOW_SHOW_DOCUMENT, params)
    return {"uri": uri, "trace": traced.key, "call": traced.trace.call, "language": "plaintext", "text": text}


def content(session: Session, params: types.TextDocumentContentParams) -> types.TextDocumentContentResult:
    """The answer to workspace/textDocumentContent; nothing for a document that is not known any more."""
    return types.TextDocumentContentResult(session.texts.get(params.uri, ""))


def _file(name: str, text: str) -> str:
    """Writes the text and gives the file's address; nothing if it can't be written."""
    folder = Path(platformdirs.user_cache_path("cwm-lsp", appauthor=False)) / "traces"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        files = sorted(folder.glob("*.trace.txt"), key=lambda file: file.stat().st_mtime)
        for old in files[: max(0, len(files) - MOST_FILES)]:
            old.unlink(missing_ok=True)
        path = folder / name
        path.write_text(text, encoding="utf-8")
    except OSError:
        return ""
    return path.as_uri()
