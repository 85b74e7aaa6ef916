"""What a function depends on: the same statements give the same run, and no more than names tell."""

from __future__ import annotations

import pytest

from cwm_lsp.source.dependencies import closure_of
from cwm_lsp.source.document import Document

PROGRAM = '''\
"""A docstring."""
import os  # os
from math import sqrt as root  # root
LIMIT = 3  # limit
TABLE = {}  # table
TABLE["x"] = 1  # entry
TABLE.update(y=2)  # update
print("hello")  # print


def decorate(f):  # decorate
    return f


@decorate
def used(n):  # used
    return n + LIMIT


class Point:  # point
    def norm(self):
        return root(self.x)


def entry(n):  # entry function
    p = Point()
    return used(n) + TABLE["x"]


def other():  # other
    return os.getcwd()


assert entry(1)  # assert
'''


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "entry",
            {"root", "limit", "table", "entry", "update", "decorate", "used", "point", "entry function"},
        ),
        ("used", {"limit", "decorate", "used"}),
        ("other", {"os", "other"}),
        ("nothing", set()),
    ],
)
def test_names_lead_to_statements(name: str, wanted: set[str]) -> None:
    document = Document.from_text(PROGRAM)
    closure = closure_of(document, [name])
    marks = {
        text.partition("  # ")[2].strip()
        for number, text in enumerate(document.lines, 1)
        if "  # " in text and closure.holds(number)
    }
    assert marks == wanted
    assert closure.text.count("\n") == sum(last - first + 1 for first, last in closure.spans)


def test_decorators_and_star_imports_belong_to_it() -> None:
    document = Document.from_text("from a import *\n\n@f\n@g\ndef h():\n    pass\n\n\ndef i():\n    pass\n")
    assert closure_of(document, ["h"]).spans == ((1, 1), (3, 6))


def test_the_same_text_elsewhere_is_the_same_closure() -> None:
    moved = Document.from_text("def unrelated():\n    pass\n\n\n" + PROGRAM)
    assert closure_of(moved, ["entry"]).text == closure_of(Document.from_text(PROGRAM), ["entry"]).text
