"""From a client's position to a line of the analysed document, and back. Leaves out what stands there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from cwm_lsp.lsp.buffers import Text
from cwm_lsp.lsp.sources import Source
from cwm_lsp.source.document import Document, Unit, convert_column

if TYPE_CHECKING:
    from cwm_lsp.lsp.session import Session


@dataclass(frozen=True, slots=True)
class Place:
    """A position in an open text whose line still reads as it was analysed. `line` is the analysed line
    (1-based), `column` 0-based in code points."""

    source: Source
    document: Document
    text_document: Text
    present_line: int
    line: int
    column: int
    unit: Unit

    @property
    def text(self) -> str:
        """The line, without its ending."""
        return self.text_document.line_text(self.present_line)

    def range(self, start: int, end: int) -> types.Range:
        """Columns of this line (code points) as the client counts them."""
        return line_range(self.text_document, self.present_line, start, end, self.unit)


def place_of(session: Session, uri: str, position: types.Position) -> Place | None:
    """The place of a position; None where nothing is known of the line: not open, not read, or changed."""
    source = session.by_text.get(uri)
    if source is None or source.follow is None or source.analysis is None:
        return None
    document = source.analysis.document
    text = next((item for item in source.texts if item.uri == uri), None)
    line = source.follow.old(uri, position.line)
    if document is None or text is None or line is None:
        return None
    unit = session.client.unit
    return Place(source, document, text, position.line, line, text.column(position, unit), unit)


def line_range(text: Text, line: int, start: int, end: int, unit: Unit) -> types.Range:
    """A piece of a present line, columns in code points, as the client counts."""
    content = text.line_text(line)

    def at(column: int) -> types.Position:
        return types.Position(line, convert_column(content, column, "codepoint", unit))

    return types.Range(at(start), at(end))


def whole_line(text: Text, line: int, unit: Unit) -> types.Range:
    """A present line from its first character that is no space to its end."""
    content = text.line_text(line)
    return line_range(text, line, len(content) - len(content.lstrip()), len(content), unit)


def present_lines(source: Source, uri: str, span: types.Range) -> Iterator[tuple[int, int]]:
    """The present lines (0-based) in a range that still read as analysed, with the analysed line."""
    if source.follow is None:
        return
    for line in range(max(0, span.start.line), span.end.line + 1):
        text = next((item for item in source.texts if item.uri == uri), None)
        if text is None or line >= len(text.lines):
            return
        old = source.follow.old(uri, line)
        if old is not None:
            yield line, old
