"""Whatever real runs do was foreseen: lines, calls and changes, over the standard library and random
programs.

The runs are in stdlib_runs and program_generator, the checks in soundness. Slow; the quick tests of the same
things are in test_flow and test_effects.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from cwm_lsp.source.document import Document
from tests.source import stdlib_runs
from tests.source.observed import Change, Log, observing
from tests.source.program_generator import program
from tests.source.soundness import (
    inlined_lines,
    snapshot,
    successor_counts,
    wrong_changes,
    wrong_entries,
    wrong_moves,
)

PROGRAMS = 500
IN_A_TEST = 100
MOST_SUCCESSORS = 1.8
"""On average a line has at most this many."""
MOST_CHANGES = 3000
"""Of one file: those of most are fewer."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Tally:
    """What was looked at, so that a test can't pass by looking at nothing."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    moves: int = 0
    entries: int = 0
    changes: int = 0
    counts: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def look(self, where: str, document: Document, log: Log) -> None:
        self.functions.update((where, function) for function, _ in log.moves)
        self.moves += sum(map(len, log.moves.values()))
        self.entries += len(log.entered)
        self.counts.extend(successor_counts(document, log).values())
        self.wrong.extend(f"{where}: {text}" for text in wrong_moves(document, log))
        self.wrong.extend(f"{where}: {text}" for text in wrong_entries(document, log))

    def look_at_changes(self, where: str, document: Document, seen: list[Change]) -> None:
        self.changes += len(seen)
        self.wrong.extend(f"{where}: {text}" for text in wrong_changes(document, seen))

    @property
    def average(self) -> float:
        return sum(self.counts) / len(self.counts)

    def __str__(self) -> str:
        branching = [count for count in self.counts if count]
        seen = (
            f"{len(self.functions)} functions, {self.moves} different moves, {self.entries} entries, "
            f"{self.changes} changes"
        )
        where_any = sum(branching) / len(branching)
        return f"{seen}; {self.average:.3f} successors a line ({where_any:.3f} where there is any)"


def some(seen: set[Change], most: int, seed: int) -> list[Change]:
    """At most so many of the changes, the same ones for the same run."""
    ordered = sorted(seen, key=lambda c: (c.function, c.line, c.next_line, c.before, c.after))
    return random.Random(seed).sample(ordered, min(most, len(ordered)))


def watch(name: str, *, changes: bool) -> Iterator[tuple[str, Document, Log]]:
    """Runs what a module of the standard library can do, and gives what was seen in each of its files."""
    sources = stdlib_runs.sources(name)
    by_path = {path: Log() for path in sources.values()}
    logs = {seen_as: by_path[path] for seen_as, path in sources.items()}
    with stdlib_runs.in_peace(), observing(logs, snapshot if changes else None):
        stdlib_runs.run(name)
    for path, log in by_path.items():
        yield path, Document.from_file(path), log


def watch_program(seed: int, *, changes: bool) -> tuple[Document, Log]:
    text, log = program(seed), Log()
    names: dict[str, object] = {"__name__": "program"}
    file = f"<program {seed}>"
    exec(compile(text, file, "exec"), names)
    gc.disable()
    try:
        with stdlib_runs.in_peace(), observing({file: log}, snapshot if changes else None):
            names["main"]()  # type: ignore[operator]
    finally:
        gc.enable()
    return Document.from_text(text), log


def test_real_runs_of_the_standard_library_are_foreseen(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for name in stdlib_runs.RUNS:
        for path, document, log in watch(name, changes=False):
            tally.look(path, document, log)
    with capsys.disabled():
        print(f"\nstandard library: {tally}")
    assert not tally.wrong, "\n".join(tally.wrong[:20])
    assert len(stdlib_runs.RUNS) >= 40
    assert len(tally.functions) > 2000
    assert tally.moves > 20_000
    assert tally.average <= MOST_SUCCESSORS


@pytest.mark.parametrize("first", range(0, PROGRAMS, IN_A_TEST))
def test_real_runs_of_random_programs_are_foreseen(first: int, capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for seed in range(first, first + IN_A_TEST):
        changes = seed % 2 == 0
        document, log = watch_program(seed, changes=changes)
        tally.look(f"program({seed})", document, log)
        if changes:
            tally.look_at_changes(f"program({seed})", document, some(log.changes, 100, seed))
    with capsys.disabled():
        print(f"\n{IN_A_TEST} programs: {tally}")
    assert not tally.wrong, "\n".join(tally.wrong[:20])
    assert tally.moves > 10_000
    assert tally.changes > 4000
    assert tally.average <= MOST_SUCCESSORS


@pytest.mark.parametrize("name", stdlib_runs.RUNS)
def test_real_changes_in_the_standard_library_are_foreseen(name: str) -> None:
    """No local that is said to stay as it is changes, none is gone that is said to stay, none is missing that
    is said to be bound."""
    tally = Tally()
    for path, document, log in watch(name, changes=True):
        tally.look_at_changes(path, document, some(log.changes, MOST_CHANGES, 0))
    assert not tally.wrong, "\n".join(tally.wrong[:20])
    assert tally.changes > 100


def test_programs_are_the_same_for_the_same_seed() -> None:
    assert program(7) == program(7)
    assert program(7) != program(8)


def test_a_flow_that_misses_a_line_would_be_caught() -> None:
    document, log = watch_program(3, changes=True)
    (function, _), moves = max(log.moves.items(), key=lambda item: len(item[1]))
    other = Document.from_text("\n" + document.text)  # every line is one further down
    assert wrong_moves(other, Log(moves={(function, 1): moves}))
    assert wrong_entries(other, log)
    assert wrong_changes(other, some(log.changes, 100, 0)) or inlined_lines(document)
