"""stdout and stderr of a command: styled lines, tables and a status line in a terminal, plain text in a pipe.

A line is a list of (text, style) pairs. rich is imported only where it is shown. Leaves out what is said.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cwm_lsp.look import marks_for

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

Pair = tuple[str, str]
Line = Sequence[Pair]

PLAIN_WIDTH = 100


def print_json(data: Any) -> None:
    """One JSON object on a line of its own, written at once: whoever reads it may be waiting."""
    sys.stdout.write(json.dumps(data, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def note(sentence: str) -> None:
    """A sentence on stderr."""
    sys.stdout.flush()
    sys.stderr.write(f"cwm-lsp: {sentence}\n")
    sys.stderr.flush()


class Terminal:
    """Where a command's answer goes. `styled`: the output shows colours; `live`: it can be written over."""

    def __init__(self) -> None:
        self.marks = marks_for(sys.stdout.encoding)
        self.live = sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")
        self.styled = self.live or bool(os.environ.get("FORCE_COLOR"))
        self._live: Live | None = None

    @cached_property
    def console(self) -> Console:
        """rich's console on stdout."""
        from rich.console import Console

        return Console(
            highlight=False, markup=False, emoji=False, force_terminal=True if self.styled else None
        )

    @property
    def width(self) -> int:
        """The columns of a line."""
        return self.console.width if self.live else PLAIN_WIDTH

    @property
    def colours(self) -> bool:
        """False where strengths have to be said by numbers."""
        return self.styled and not os.environ.get("NO_COLOR")

    def line(self, pairs: Line = ()) -> None:
        """Prints a line, cut to the width of a terminal and whole in a pipe."""
        if self.styled:
            self.console.print(self._text(pairs), no_wrap=True, overflow="crop", crop=self.live)
            return
        sys.stdout.write("".join(text for text, _ in pairs).rstrip() + "\n")
        sys.stdout.flush()

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Pair]]) -> None:
        """Prints a table; the last column wraps in a terminal."""
        if self.styled:
            from rich import box
            from rich.table import Table

            table = Table(*header, box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
            for row in rows:
                table.add_row(*(self._text([cell]) for cell in row))
            self.console.print(table)
            return
        texts = [list(header), *([text for text, _ in row] for row in rows)]
        widths = [max(len(text[i]) for text in texts) for i in range(len(header))]
        for text in texts:
            self.line([("  ".join(cell.ljust(width) for cell, width in zip(text, widths, strict=True)), "")])

    @contextmanager
    def status(self) -> Iterator[None]:
        """While it holds, `say` shows what is going on in a last line that leaves nothing behind."""
        if not self.live:
            yield
            return
        from rich.live import Live

        with Live("", console=self.console, transient=True, auto_refresh=False) as self._live:
            yield
        self._live = None

    def say(self, text: str) -> None:
        """What is going on; shown only in a terminal."""
        if self._live is not None:
            self._live.update(self._text([(text, "dim")]), refresh=True)

    def _text(self, pairs: Line) -> Text:
        from rich.text import Text

        return Text.assemble(*pairs)
