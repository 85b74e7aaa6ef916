"""Inline values for a debug session: which variables stand on the lines up to where it stopped.

The debugger, ours or any other, is asked for their values by the client. Leaves out values of our own: beside
a debug session they would contradict it.
"""

from __future__ import annotations

import ast

from lsprotocol import types

from cwm_lsp.lsp.places import line_range
from cwm_lsp.lsp.session import Session
from cwm_lsp.source.document import convert_column


def inline_values(session: Session, params: types.InlineValueParams) -> list[types.InlineValue] | None:
    """The answer to textDocument/inlineValue."""
    uri = params.text_document.uri
    source = session.by_text.get(uri)
    if source is None or source.follow is None or source.analysis is None or source.analysis.document is None:
        return None
    document = source.analysis.document
    text = next(item for item in source.texts if item.uri == uri)
    stopped = source.follow.old(uri, params.context.stopped_location.end.line)
    function = document.function_at(stopped) if stopped else None
    if stopped is None or function is None:
        return None
    names = {
        node.id
        for node in ast.walk(function.node)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | set(function.parameters)
    found: dict[tuple[int, int], types.InlineValue] = {}
    for node in ast.walk(function.node):
        name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else None
        line = getattr(node, "lineno", 0)
        if name is None or name not in names or line > stopped:
            continue
        here = source.follow.now(line)
        if here is None or here[0] is not text:
            continue
        if not params.range.start.line <= here[1] <= params.range.end.line:
            continue
        start = convert_column(text.line_text(here[1]), node.col_offset, "utf8", "codepoint")  # type: ignore[attr-defined]
        span = line_range(text, here[1], start, start + len(name), session.client.unit)
        found[here[1], start] = types.InlineValueVariableLookup(span, case_sensitive_lookup=True)
    return [found[place] for place in sorted(found)]
