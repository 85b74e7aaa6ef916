"""A trace by line, from real runs: every frame finds its place, changes are what frames tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.by_line import ByLine, exception_text
from cwm_lsp.trace.recorder import Limits, record

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def traced(text: str, call: str) -> tuple[Document, ByLine]:
    document = Document.from_text(text)
    recording = record(document, call, Limits())
    return document, ByLine(recording.frames, recording.end)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    document = Document.from_file(path)
    recording = record(document, calls_in(document)[0].text, Limits(frames=300))
    found = ByLine(recording.frames, recording.end)
    lines = [frame for frame in recording.frames if frame.event == "line"]
    assert sum(len(found.visits(line)) for line in found.lines) == len(lines)
    if recording.frames:
        assert found.activations[0].caller is None
        assert all(a.caller is not None for a in found.activations[1:])
    if recording.end.reason == "returned":
        assert found.result is not None
        assert found.result.repr == recording.end.value
    if recording.end.reason == "raised":
        assert found.result is not None
        assert exception_text(found.result.repr) == recording.end.value


NESTED = """\
def outer(items):
    total = 0
    for item in items:
        total += inner(item)  # calls
    try:
        raise ValueError(total)  # raises
    except ValueError:
        pass
    return total


def inner(n):
    if n > 1:
        return n * inner(n - 1)
    return 1


def leaves():
    return 1 / 0
"""


def test_calls_belong_to_the_line_that_made_them() -> None:
    document, found = traced(NESTED, "outer([1, 3])")
    line = next(i for i, text in enumerate(document.lines, 1) if "# calls" in text)
    visits = found.visits(line, 0)
    assert [[found.activations[i].arguments["n"].repr for i in visit.calls] for visit in visits] == [
        ["1"],
        ["3"],
    ]
    assert [visit.changes["total"].repr for visit in visits if visit.changes["total"]] == ["1", "7"]
    inner = [found.activations[i] for i in found.of("inner")]
    assert [item.result.repr for item in inner if item.result] == ["1", "6", "2", "1"]
    assert inner[2].caller_line == next(i for i, text in enumerate(document.lines, 1) if "n * inner" in text)
    raising = next(i for i, text in enumerate(document.lines, 1) if "# raises" in text)
    assert found.visits(raising)[0].raised is not None
    assert found.result is not None
    assert found.result.repr == "7"


def test_an_exception_that_escapes() -> None:
    _, found = traced(NESTED, "leaves()")
    assert found.activations[0].exception is not None
    assert found.activations[0].result is None


def test_a_generator_is_one_activation() -> None:
    generator = "def count(n):\n    for i in range(n):\n        yield i\n\n"
    text = generator + "def total(n):\n    return sum(count(n))\n"
    _, found = traced(text, "total(3)")
    generators = list(found.of("count"))
    assert len(generators) == 1
    assert len(found.visits(3, generators[0])) == 3


def test_a_deleted_name_and_an_end_that_tells_nothing() -> None:
    _, found = traced("def f(a):\n    b = a\n    del b\n    c = 1\n", "f(5)")
    assert found.visits(3)[0].changes == {"b": None}
    assert found.visits(4)[0].after is None
    assert ByLine((), found.end).result is None
