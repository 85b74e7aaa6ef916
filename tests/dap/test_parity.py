"""Parity with debugpy: random commands against the real program there and against a recording of it here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from tests.dap.parity import Program, compare
from tests.source.program_generator import program

pytestmark = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="frames are those of CPython 3.11")

ROOT = Path(__file__).resolve().parents[2]
NO_RUN = {"missing_import", "endless_loop"}
GENERATED = 20


def programs() -> Iterator[Program]:
    """60 programs: the examples, fixtures on generators, exceptions, classes and coroutines, held-out
    programs, and generated ones."""
    examples = [path for path in sorted((ROOT / "examples").glob("*.py")) if path.stem not in NO_RUN]
    fixtures = sorted((ROOT / "tests" / "fixtures" / "world").glob("*.py"))
    heldout = sorted((ROOT / "models" / "cwm-mini" / "heldout").glob("*.py"))
    for path in (*examples, *fixtures):
        yield from _of(path, 99)
    for path in heldout:
        yield from _of(path, 2)
    for seed in range(GENERATED):
        yield Program(f"generated {seed}", program(seed), "main()")


def _of(path: Path, most: int) -> Iterator[Program]:
    document = Document.from_file(path)
    for call in calls_in(document)[:most]:
        yield Program(f"{path.stem} {call.text}", document.text, call.text)


ALL = list(programs())


def test_there_are_enough_programs() -> None:
    assert len(ALL) >= 60


@pytest.mark.slow
def test_two_programs(tmp_path: Path) -> None:
    for name in ("recover", "comprehensions"):
        chosen = next(each for each in ALL if name in each.name)
        assert compare(chosen, tmp_path, 1, 6).differences == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", range(len(ALL)), ids=[each.name for each in ALL])
def test_parity(number: int, tmp_path: Path) -> None:
    outcome = compare(ALL[number], tmp_path, 0)
    assert outcome.differences == []
    assert outcome.counts["stops"] + outcome.counts["ends"] > 0
