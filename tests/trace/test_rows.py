"""Rows of a trace log, from real runs: what stands where, and that nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.commands.show import Check, TraceLog
from cwm_lsp.commands.terminal import Terminal
from cwm_lsp.look import ASCII, UNICODE, cut, marks_for, percent, printable
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import EVENTS, End, Frame, Value
from cwm_lsp.trace.recorder import Limits, record
from cwm_lsp.trace.rows import Row, Rows

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))

NESTED = """\
def outer(n):
    total = inner(n)  # calls
    total += 1
    del n
    try:
        raise KeyError(total)
    except KeyError:
        pass
    return total


def inner(n):
    return n * 2
"""

GENERATOR = """\
def numbers():
    yield 1  # first
    yield 2


def collect():
    found = []
    for number in numbers():
        found.append(number)
    return found
"""


def rows_of(document: Document, frames: tuple[Frame, ...]) -> list[Row]:
    rows = Rows(document)
    return [row for frame in frames for row in rows.feed(frame)] + rows.close()


def traced(source: str, call: str) -> tuple[Document, tuple[Frame, ...]]:
    document = Document.from_text(source)
    return document, record(document, call).frames


RETURNED = End("returned", "7", 12)
CUT_OFF = End("budget", None, 3)


def said(row: Row) -> dict[str, str | None]:
    return {item.name: item.value.repr if item.value else None for item in row.items}


def test_changes_stand_on_the_line_that_made_them() -> None:
    document, frames = traced(NESTED, "outer(3)")
    rows = rows_of(document, frames)
    told = [(row.kind, row.text, said(row)) for row in rows]
    assert told[0] == ("call", "outer", {"n": "3"})
    assert told[1] == ("line", "total = inner(n)  # calls", {})
    assert told[2] == ("call", "inner", {"n": "3"})
    assert told[4] == ("return", "inner", {"": "6"})
    assert told[5] == ("after", "", {"total": "6"})
    assert told[6] == ("line", "total += 1", {"total": "7"})
    assert told[7] == ("line", "del n", {"n": None})
    assert ("exception", "outer", {"": "(<class 'KeyError'>, KeyError(7), <traceback object>)"}) in told
    assert told[-1] == ("return", "outer", {"": "7"})
    assert [row.indent for row in rows[:6]] == [0, 4, 4, 8, 4, 4]
    assert rows[5].line == rows[1].line


def test_an_exception_that_leaves_a_function() -> None:
    document, frames = traced("def f(x):\n    return 1 / x\n", "f(0)")
    kinds = [row.kind for row in rows_of(document, frames)]
    assert kinds == ["call", "line", "exception", "unwind"]


def test_a_generator_goes_on() -> None:
    document, frames = traced(GENERATOR, "collect()")
    kinds = [row.kind for row in rows_of(document, frames) if row.kind in ("call", "resume", "return")]
    assert kinds == ["call", "call", "return", "resume", "return", "resume", "return", "return"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_frame_has_one_row(path: Path) -> None:
    document = Document.from_file(path)
    frames = record(document, calls_in(document)[0].text, Limits(frames=300)).frames
    own = [row.frame for row in rows_of(document, frames) if row.kind != "after"]
    assert own == list(range(len(frames)))


frames_of_any_kind = st.builds(
    Frame,
    st.sampled_from(EVENTS),
    st.sampled_from(["outer", "inner", "nobody"]),
    st.integers(-1, 20),
    st.integers(0, 30),
    st.dictionaries(st.sampled_from("abc"), st.builds(Value, st.text(max_size=5), st.just("predicted"))),
    st.none() | st.builds(Value, st.text(max_size=5), st.just("predicted"), st.floats(0, 1)),
)


@settings(max_examples=60)
@given(st.lists(frames_of_any_kind, max_size=15))
def test_any_frames_can_be_shown(frames: list[Frame]) -> None:
    document = Document.from_text(NESTED)
    rows = rows_of(document, tuple(frames))
    assert sorted(row.frame for row in rows if row.kind != "after") == list(range(len(frames)))


def test_a_check_marks_each_frame_and_explains_the_first_difference(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document, real = traced(NESTED, "outer(3)")
    wrong = Frame(
        "line", "outer", real[5].line, 1, {"n": Value("3", "predicted"), "total": Value("5", "predicted")}
    )
    check = Check(real, RETURNED)
    log = TraceLog(Terminal(), document, check)
    for frame in (*real[:5], wrong, *real[6:]):
        log.feed(frame)
    log.close()
    out = capsys.readouterr().out
    assert (check.right, check.wrong) == (len(real) - 1, 1)
    assert out.count("✗") == 2  # the value that is wrong, and the frame that holds it
    assert "✗ 5 (✓ 6)" in out
    assert "first difference, frame 6: total is predicted as 5, really 6" in out


def test_beyond_a_run_that_was_cut_off_nothing_is_judged() -> None:
    _, real = traced(NESTED, "outer(3)")
    check = Check(real[:3], CUT_OFF)
    assert [check.take(i, frame) for i, frame in enumerate(real[:5])] == [True, True, True, None, None]
    assert Check(real[:3], RETURNED).take(3, real[3]) is False


def test_exceptions_are_shown_without_their_triple() -> None:
    assert exception_text("(<class 'E'>, E('>, x'), <traceback object>)") == "E('>, x')"
    assert exception_text("(<class 'm.E'>, E(), <traceback object>)") == "E()"
    assert exception_text("(1, 2)") == "(1, 2)"


def test_marks_by_encoding() -> None:
    assert marks_for("utf-8") is UNICODE
    assert marks_for("ascii") is ASCII
    assert marks_for(None) is ASCII
    assert marks_for("no such thing") is ASCII
    assert "".join(getattr(ASCII, name) for name in ASCII.__slots__).isascii()


def test_percents_never_claim_certainty() -> None:
    assert [percent(value) for value in (0.0, 0.004, 0.5, 0.999, 1.0, None)] == [
        "1%",
        "1%",
        "50%",
        "99%",
        "99%",
        "",
    ]


@given(st.text(max_size=50), st.integers(1, 30))
def test_cut_text_fits_and_keeps_its_ends(text: str, width: int) -> None:
    shown = cut(text, width)
    assert len(shown) <= width
    assert shown == text or width < len(text)


@given(st.text(max_size=50))
def test_printable_text_moves_no_cursor(text: str) -> None:
    assert printable(text).isprintable()
    assert printable("\x1b[31m") == "\\x1b[31m"
