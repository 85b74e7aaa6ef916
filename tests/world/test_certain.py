"""Exceptions that can't come are left out, and none that does come in a real run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Option
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.admission import refusal
from cwm_lsp.world.certain import certain
from cwm_lsp.world.choices import choices_after
from cwm_lsp.world.stack import Stack
from tests.source.program_generator import program
from tests.trace.programs import generated
from tests.trace.real_runs import run
from tests.world.replay import points, recorded

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests" / "fixtures" / "world").glob("*.py")) + [
    path for path in sorted((ROOT / "examples").glob("*.py")) if path.stem != "missing_import"
]

PROGRAM = """\
def double(x, y=2):
    return x + y

def f(n, items):
    low = -1  #: low
    copy = items  #: copy
    low = double(n, 5)  #: call
    low = str(double(n, 5))  #: wrapped
    items.append(n)  #: append
    if n < 3 and not items:  #: test
        low = items[1]  #: element
    low = items[7]  #: outside
    low += n  #: sum
    low = n // 0  #: zero
    low = n // 2  #: half
    for each in items:  #: loop
        low = unknown  #: unknown
    low = f"{n}{items}"  #: text
    low = len(items)  #: len
    low = n.real  #: attribute
    return items  #: back
"""
DOCUMENT = Document.from_text(PROGRAM)


def after(mark: str, **held: str) -> list[Option]:
    """The options after the line with this mark, the locals being these."""
    number = next(n for n, line in enumerate(DOCUMENT.lines, 1) if line.endswith(f"#: {mark}\n"))
    values = {name: Value(text, "given") for name, text in {"n": "4", "items": "[4, 'a']", **held}.items()}
    frames = [Frame("call", "f", 4, 1, values), Frame("line", "f", number, 1, values)]
    stack = Stack.of(DOCUMENT, frames)
    return list(certain(DOCUMENT, stack, choices_after(DOCUMENT, stack)).options)


def may_raise(mark: str, **held: str) -> bool:
    return any(option.event == "exception" for option in after(mark, **held))


@pytest.mark.parametrize(
    "mark", ["low", "copy", "append", "test", "element", "sum", "half", "loop", "text", "len", "back"]
)
def test_lines_that_cannot_raise(mark: str) -> None:
    assert not may_raise(mark, low="1")


@pytest.mark.parametrize("mark", ["outside", "zero", "unknown", "attribute", "wrapped", "call"])
def test_lines_that_may_raise(mark: str) -> None:
    assert may_raise(mark, low="1")


def test_what_the_values_are_decides() -> None:
    assert may_raise("test", n="'4'")
    assert may_raise("test", n="<Box object>")
    assert may_raise("sum", low="'1'")
    assert may_raise("append", items="<Basket object>")
    assert may_raise("loop", items="{1, 2}")
    assert may_raise("element", items="[4]")
    assert may_raise("text", items="<Basket object>")


def test_nothing_is_certain_about_a_hole() -> None:
    document = Document.from_text("def f(_):\n    x = ?\n    return ?\n")
    held = {"_": Value("1", "given")}
    stack = Stack.of(document, [Frame("call", "f", 1, 1, held), Frame("line", "f", 2, 1, held)])
    choices = choices_after(document, stack)
    assert certain(document, stack, choices) == choices


def unsound(document: Document, call: str, *, traced: bool = True) -> list[str]:
    """What `certain` alone ruled out although it came, one line each."""
    frames = recorded(document, call).frames if traced else run(document.text, call, limit=150)
    found = []
    for point in points(document, frames) if frames else ():
        reason = refusal(certain(document, point.stack, point.choices), point.frame)
        if reason is not None and refusal(point.choices, point.frame) is None:
            found.append(f"{call} {point.index}: {reason}")
    return found


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.slow if "fixtures" in path.parts else (), id=path.stem)
        for path in FILES
    ],
)
def test_files_are_told_right(path: Path) -> None:
    document = Document.from_file(path)
    assert [line for call in calls_in(document) for line in unsound(document, call.text)] == []


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(4))
def test_generated_programs_are_told_right(part: int) -> None:
    found = [
        line
        for text, call in generated(40, seed=part)
        for line in unsound(Document.from_text(text), call, traced=False)
    ]
    found += [
        line
        for seed in range(part * 20, part * 20 + 20)
        for line in unsound(Document.from_text(program(seed)), "main()")
    ]
    assert found == []
