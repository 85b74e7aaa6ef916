"""examples/: every program that ends returns what its comment says, in a trace short enough to read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from cwm_lsp.source.document import Document
from cwm_lsp.trace.recorder import Limits, record

FOLDER = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(FOLDER.glob("*.py"))
COMMENT = re.compile(r"^# cwm: (?P<call>.+?)(?: -> (?P<value>.+))?\n(?=def )", re.MULTILINE)
UNLIKE = {
    "raises": ("raised", "ValueError('not enough money')"),
    "endless_loop": ("budget", None),
    "missing_import": ("failed", None),
}


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 10
    assert {path.stem for path in FILES} >= {"strawberry", "binary_search", "gcd", *UNLIKE}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_does_what_its_comment_says(path: Path) -> None:
    document = Document.from_file(path)
    docstring = ast.get_docstring(document.tree)
    assert docstring is not None
    assert "\n" not in docstring
    assert docstring.endswith(".")
    comment = COMMENT.search(document.text)
    assert comment is not None
    recording = record(document, comment["call"], Limits(frames=200))
    reason, value = UNLIKE.get(path.stem, ("returned", comment["value"]))
    assert (recording.end.reason, recording.end.value) == (reason, value)
    if reason in ("returned", "raised"):
        assert 10 <= len(recording.frames) <= 80


def test_the_one_with_a_missing_import_would_return_what_it_says() -> None:
    text = (FOLDER / "missing_import.py").read_text(encoding="utf-8")
    document = Document.from_text(text.replace("import attic_thermometer", ""))
    comment = COMMENT.search(text)
    assert comment is not None
    assert record(document, comment["call"]).end.value == comment["value"]
