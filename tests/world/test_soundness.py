"""Soundness: whatever a real run does next is among the choices, and what they force is right."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from tests.source.program_generator import program
from tests.world.replay import recorded, unsound

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = sorted((ROOT / "tests" / "fixtures" / "world").glob("*.py"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PROGRAMS = 240
IN_A_TEST = 20


# From 3.12 on, runs show no frames of comprehensions and other lines of some statements: what is predicted
# everywhere is what 3.11 does.
ON_3_11 = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="frames are those of CPython 3.11")


def check(path: Path) -> None:
    document = Document.from_file(path)
    found = []
    for call in calls_in(document):
        recording = recorded(document, call.text)
        found += [f"{call.text} {line}" for line in unsound(document, recording.frames)]
    assert found == []


@ON_3_11
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_fixtures(path: Path) -> None:
    check(path)


@pytest.mark.parametrize(
    "path", [each for each in EXAMPLES if each.stem != "missing_import"], ids=lambda p: p.stem
)
def test_examples(path: Path) -> None:
    check(path)


@ON_3_11
@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("first", range(0, PROGRAMS, IN_A_TEST))
def test_generated_programs(first: int) -> None:
    found = []
    for seed in range(first, first + IN_A_TEST):
        document = Document.from_text(program(seed))
        recording = recorded(document, "main()")
        found += [f"program({seed}) {line}" for line in unsound(document, recording.frames)]
    assert found == []
