"""One thing that can be traced, a file or a notebook, with what is known of it: the last analysis, the traces
shown, and where its lines are now.

State only, used on the event loop alone. Leaves out when it is analysed and predicted (session.py).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pygls.uris import to_fs_path

from cwm_lsp.lsp.analysis import Analysis, Snapshot
from cwm_lsp.lsp.buffers import Text, Tracker
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.worker import Job
from cwm_lsp.source.functions import Function

_MAGIC = re.compile(r"^\s*[%!?]")


@dataclass(slots=True, eq=False)
class Running:
    """A prediction under way. `asked`: by the user, and not in the background. `done` gets its trace, or the
    error; `listeners` are told how many frames there are."""

    key: str
    text: str
    asked: bool
    done: asyncio.Future[Traced]
    job: Job[Traced] | None = None
    frames: int = 0
    waiting: int = 0
    listeners: list[Callable[[int], None]] = field(default_factory=list)


class Follow:
    """Where the lines of an analysed snapshot are now: a tracker for each text, in the order of the lines."""

    def __init__(self, texts: list[Text]) -> None:
        self.parts: list[tuple[Text, Tracker, int, int]] = []
        first = 1
        for text in texts:
            count = len(text.lines)
            self.parts.append((text, text.track(first), first, first + count - 1))
            first += count

    def close(self) -> None:
        """Follows no more."""
        for text, tracker, _, _ in self.parts:
            text.untrack(tracker)

    def old(self, uri: str, line: int) -> int | None:
        """The analysed line (1-based) that a present line (0-based) still is."""
        for text, tracker, _, _ in self.parts:
            if text.uri == uri:
                return (tracker.old[line] or None) if 0 <= line < len(tracker.old) else None
        return None

    def now(self, line: int) -> tuple[Text, int] | None:
        """Where an analysed line is now: the text and its 0-based line."""
        for text, tracker, first, last in self.parts:
            if first <= line <= last:
                found = tracker.now(line)
                return None if found is None else (text, found)
        return None

    def intact(self, first: int, last: int) -> bool:
        """True if these analysed lines are all there, untouched and together."""
        return any(
            tracker.intact(first, last)
            for _, tracker, start, end in self.parts
            if start <= first and last <= end
        )


@dataclass(slots=True)
class Source:
    """A file (one text) or a notebook (a text for each Python cell, in their order)."""

    uri: str
    texts: list[Text]
    notebook: bool = False
    analysis: Analysis | None = None
    follow: Follow | None = None
    results: dict[str, Traced] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    edits: int = 0
    analysed_edits: int = -1
    skipped: str | None = None
    focus: int = 1
    spent: float = 0.0
    _intact: tuple[int, dict[str, bool]] = (-1, {})
    _by_function: dict[Function, list[tuple[Traced, int]]] | None = None

    @property
    def path(self) -> str | None:
        """The file's path; None for a buffer without a file."""
        return to_fs_path(self.uri) if self.uri.startswith("file:") else None

    @property
    def label(self) -> str:
        """How to call it in a sentence."""
        return Path(self.path).name if self.path else self.uri

    @property
    def size(self) -> int:
        """Its length in characters."""
        return sum(text.size for text in self.texts)

    def snapshot(self) -> Snapshot:
        """What is to be analysed now. Each text begins on a line of its own, magics of notebooks are
        comments."""
        if not self.notebook:
            return Snapshot(self.texts[0].text, self.path, self.label)
        lines = (
            "# " + line if _MAGIC.match(line) else line
            for text in self.texts
            for line in (*text.lines[:-1], text.lines[-1] + "\n")
        )
        return Snapshot("".join(lines), self.path, self.label)

    def take(self, analysis: Analysis, follow: Follow) -> None:
        """A new analysis, whose lines `follow` has followed since its snapshot. One that can't be read
        leaves what was known."""
        if analysis.document is None and self.analysis is not None and self.analysis.document is not None:
            follow.close()
            return
        if self.follow is not None:
            self.follow.close()
        self.analysis, self.follow = analysis, follow
        self._intact, self._by_function = (-1, {}), None

    @property
    def fresh(self) -> bool:
        """True if the last analysis is of the present text."""
        return self.analysis is not None and self.analysed_edits == self.edits

    def intact(self, traced: Traced) -> bool:
        """True if all the code that a trace depends on still stands as it was."""
        if self.follow is None:
            return False
        if self._intact[0] != self.edits:
            self._intact = (self.edits, {})
        known = self._intact[1].get(traced.key)
        if known is None:
            spans = traced.trace.spans
            known = self._intact[1][traced.key] = all(self.follow.intact(*span) for span in spans)
        return known

    def set_results(self, results: dict[str, Traced]) -> None:
        """Other traces are to be shown."""
        self.results = results
        self._by_function = None

    def shown(self) -> list[tuple[Function, Traced, int]]:
        """Each function that some trace of unchanged code entered, with the trace that tells about it."""
        document = self.analysis.document if self.analysis is not None else None
        found = [(function, self.tells(function)) for function in document.functions] if document else []
        return [(function, *known) for function, known in found if known is not None]

    def tells(self, function: Function) -> tuple[Traced, int] | None:
        """The trace that tells about a function, and the activation: its own if it has one, else the first
        in which another function's trace entered it. None if there is none, or the code has changed."""
        for traced, activation in self._index().get(function, ()):
            if self.intact(traced):
                return traced, activation
        return None

    def about(self, line: int) -> tuple[Function, Traced, int] | None:
        """What tells about an analysed line: the innermost function around it, if a trace entered it."""
        function = self.analysis.around.get(line) if self.analysis is not None else None
        known = self.tells(function) if function is not None else None
        return (function, *known) if function is not None and known is not None else None

    def _index(self) -> dict[Function, list[tuple[Traced, int]]]:
        """The traces of each function, its own first; made anew only when there are other traces."""
        if self._by_function is not None or self.analysis is None or self.analysis.document is None:
            return self._by_function or {}
        found: dict[Function, list[tuple[Traced, int]]] = {}
        for plan in self.analysis.plans:
            traced = self.results.get(plan.key or "")
            for function, activation in traced.entered.items() if traced is not None else ():
                known = found.setdefault(function, [])
                own = plan.function is function
                known.insert(0 if own else len(known), (traced, activation))  # type: ignore[arg-type]
        others = [other for plan in self.analysis.plans for other in plan.others]
        for other in others:
            traced = self.results.get(other.key or "")
            for function, activation in traced.entered.items() if traced is not None else ():
                found.setdefault(function, []).append((traced, activation))  # type: ignore[arg-type]
        self._by_function = found
        return found
