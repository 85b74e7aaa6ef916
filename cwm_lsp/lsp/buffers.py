"""The texts that the client has open, as the client has them: changes are applied, and lines can be followed
from an older version to the present one.

Lines end where the specification says: at \\n, \\r\\n and \\r, nowhere else. Leaves out what the texts mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol import types

from cwm_lsp.source.document import Unit, convert_column

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$")


def split(text: str) -> list[str]:
    """The lines with their endings; the last one has none (it may be empty)."""
    lines = _LINE.findall(text)
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


class Tracker:
    """Where the lines of an older version are now.

    `old[i]` is the 1-based line of that version which line i (0-based) of the present text still is, 0 if
    that line is new or was touched.
    """

    def __init__(self, count: int, first: int) -> None:
        self.old = list(range(first, first + count))
        self._new: dict[int, int] | None = None

    def replaced(self, start: int, end: int, lines: list[int]) -> None:
        """The present lines `start` up to `end` gave way to others, of which these are the old ones."""
        self.old[start:end] = lines
        self._new = None

    def now(self, old: int) -> int | None:
        """The present 0-based line of an old one; None if it is gone or was touched."""
        if self._new is None:
            self._new = {line: index for index, line in enumerate(self.old) if line}
        return self._new.get(old)

    def intact(self, first: int, last: int) -> bool:
        """True if these old lines are all there, untouched, one after the other."""
        start = self.now(first)
        if start is None:
            return False
        return self.old[start : start + last - first + 1] == list(range(first, last + 1))


class Text:
    """One open text document or notebook cell."""

    def __init__(self, uri: str, text: str, version: int, language: str) -> None:
        self.uri = uri
        self.version = version
        self.language = language
        self.lines = split(text)
        self._trackers: list[Tracker] = []

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.lines)

    @property
    def size(self) -> int:
        """Its length in characters."""
        return sum(map(len, self.lines))

    def track(self, first: int = 1) -> Tracker:
        """Follows the present lines from now on; they are the lines `first` and up of something larger."""
        tracker = Tracker(len(self.lines), first)
        self._trackers.append(tracker)
        return tracker

    def untrack(self, tracker: Tracker) -> None:
        """Follows them no more."""
        self._trackers = [item for item in self._trackers if item is not tracker]

    def change(
        self,
        changes: Sequence[types.TextDocumentContentChangeEvent],
        version: int,
        unit: Unit = "utf16",
    ) -> None:
        """Applies the changes of one notification, in order."""
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                self._splice(change.range.start, change.range.end, change.text, unit)
            else:
                self._replace_all(change.text)
        self.version = version

    def line_text(self, line: int) -> str:
        """A 0-based line without its ending; nothing past the end."""
        return self.lines[line].rstrip("\r\n") if 0 <= line < len(self.lines) else ""

    def column(self, position: types.Position, unit: Unit) -> int:
        """The 0-based column in code points of a position in its line."""
        return convert_column(self.line_text(position.line), position.character, unit, "codepoint")

    def _place(self, position: types.Position, unit: Unit) -> tuple[int, int]:
        if position.line >= len(self.lines):
            return len(self.lines) - 1, len(self.line_text(len(self.lines) - 1))
        return position.line, self.column(position, unit)

    def _splice(self, start: types.Position, end: types.Position, text: str, unit: Unit) -> None:
        first, from_column = self._place(start, unit)
        last, to_column = self._place(end, unit)
        if (last, to_column) < (first, from_column):
            first, from_column, last, to_column = last, to_column, first, from_column
        text = self.lines[first][:from_column] + text + self.lines[last][to_column:]
        # What now stands beside each other may be one line ending (\r\n) where it were two, or none.
        if first > 0 and self.lines[first - 1].endswith("\r"):
            first -= 1
            text = self.lines[first] + text
        if last + 1 < len(self.lines) and not text.endswith("\n"):
            last += 1
            text += self.lines[last]
        new = split(text)
        if last + 1 < len(self.lines):
            new.pop()  # the empty line after the ending of the last one: the next line is there already
        old = self.lines[first : last + 1]
        self.lines[first : last + 1] = new
        self._moved(first, old, new)

    def _replace_all(self, text: str) -> None:
        old, self.lines = self.lines, split(text)
        self._moved(0, old, self.lines)

    def _moved(self, first: int, old: list[str], new: list[str]) -> None:
        """Tells the trackers. Lines that read the same at both ends of the change are still those."""
        head = 0
        while head < len(old) and head < len(new) and old[head] == new[head]:
            head += 1
        tail = 0
        while tail < len(old) - head and tail < len(new) - head and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        start, end = first + head, first + len(old) - tail
        for tracker in self._trackers:
            tracker.replaced(start, end, [0] * (len(new) - head - tail))
