"""Holes: found where they are planted, nowhere else, and put in their place in the syntax."""

from __future__ import annotations

import ast
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.tokens import comments


def columns(text: str) -> list[tuple[int, int]]:
    return [(hole.line, hole.column) for hole in Document.from_text(text).holes]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("?", "statement"),
        ("def f():\n    ?", "statement"),
        ("x = ?", "expression"),
        ("x: int = ?", "expression"),
        ("return_ = a[?]", "expression"),
        ("def f(): return ?", "expression"),
        ("x = [1, ?]", "expression"),
        ("?(x)", "expression"),
        ("with open(x) as f, ?: pass", "expression"),
        ("match ?:\n    case 1: pass", "expression"),
        ("x = lambda: ?", "expression"),
        ("f(?)", "argument"),
        ("f(a, b=?)", "argument"),
        ("f(*?)", "argument"),
        ("f(**?)", "argument"),
        ("for i in ?: pass", "iterable"),
        ("[x for x in ?]", "iterable"),
        ("if ?: pass", "condition"),
        ("if x: pass\nelif ?: pass", "condition"),
        ("while not ?: pass", "condition"),
        ("while a and (b or not ?): pass", "condition"),
        ("x = a if ? else b", "condition"),
        ("[x for x in y if ?]", "condition"),
        ("assert ?, m", "condition"),
        ("match x:\n    case 1 if ?: pass", "condition"),
        ("? = 1", "target"),
        ("a, (b, *?) = 1", "target"),
        ("for ? in x: pass", "target"),
        ("with x as ?: pass", "target"),
        ("del ?", "target"),
        ("(? := 1)", "target"),
        ("match x:\n    case [1, ?]: pass", "target"),
        ("x = a + ?", "operand"),
        ("x += -?", "operand"),
        ("while ? < 3: pass", "operand"),
        ("x = a or ?", "operand"),
        ("def ?(x): pass", "name"),
        ("def f(?): pass", "name"),
        ("class ?: pass", "name"),
        ("import ?", "name"),
        ("x.? = 1", "name"),
        ("f(?=1)", "name"),
        ("try: pass\nexcept E as ?: pass", "name"),
        ("match x:\n    case [*?]: pass", "name"),
        ("x = f'a{?}b'", "expression"),
        ("x = f'a{y:{?}}b'", "expression"),
        ("x = f'{?!r}'", "expression"),
        ("x = \\\n  ?", "expression"),
    ],
)
def test_places(text: str, place: str) -> None:
    document = Document.from_text(text)
    assert [hole.place for hole in document.holes] == [place]
    (hole,) = document.holes
    assert document.text[document.offset(hole.line, hole.column)] == "?"


@pytest.mark.parametrize(
    "text",
    [
        "x = '?'",
        'x = r\'\\?\' \'?\' """\n?"""',
        "# ?\nx = 1  # really?\n",
        "x = f'? {{?}} {y!r:?>3} {y:%H?%M}'",
        "x = f'''\n?{y\n}?'''",
        "_ = _",
        "x = 'a\\\n?'",
    ],
)
def test_what_is_no_hole(text: str) -> None:
    assert columns(text) == []


def test_positions_count_code_points_and_python_lines() -> None:
    assert columns("é = '😀?', ?\r\n\t?\r".replace("\t", "")) == [(1, 11), (2, 1)]
    assert columns("if 1:\n\tx = 𝒳 + ?\n\x0cy = ?") == [(2, 10), (3, 6)]
    assert columns("f'é{?}' f'''\n{\n?}'''") == [(1, 5), (3, 1)]
    assert columns("def f(?, ?, *, k=?): return ? . ?") == [(1, 7), (1, 10), (1, 18), (1, 29), (1, 33)]


def test_the_tree_has_a_stand_in_and_the_lines_keep_the_hole() -> None:
    document = Document.from_text("_ = ?\nx = '?'")
    assert ast.unparse(document.tree) == "_ = _\nx = '?'"
    assert document.lines[0] == "_ = ?\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of 3.12")
def test_quotes_inside_f_strings() -> None:
    assert columns('x = f"{d["?"]} {?} {f"{"?"}"}" + ?') == [(1, 17), (1, 34)]


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("x = ??", 5, "two holes must not touch"),
        ("x = a?", 6, "a hole must not touch 'a', put a space between"),
        ("x = a?b", 6, "a hole must not touch 'a', put a space between"),
        ("x = ?1", 5, "a hole must not touch '1', put a space between"),
        ("x = 1?", 6, "a hole must not touch '1', put a space between"),
        ("x = ?é", 5, "a hole must not touch 'é', put a space between"),
        ("return?", 7, "a hole must not touch 'n', put a space between"),
    ],
)
def test_holes_that_touch_a_name_are_refused(text: str, column: int, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Document.from_text(text, "x.py")
    assert (caught.value.line, caught.value.column) == (1, column)
    assert str(caught.value) == f"x.py has a '?' at line 1, column {column} that is no hole: {reason}."


@pytest.mark.parametrize("text", ["x = 'a?b", "x = '''\nreally? or not ?\n", "x = 'what ? "])
def test_a_hole_in_a_string_without_end_is_not_blamed(text: str) -> None:
    with pytest.raises(DocumentError, match="unterminated"):
        Document.from_text(text)


def test_a_hole_where_no_name_fits_is_a_syntax_error() -> None:
    with pytest.raises(DocumentError, match=r"syntax error at line 1, column 3"):
        Document.from_text("x ? y")


PIECES = {
    "x = {}": True,
    "f({}, a={}, *{})": True,
    "s = '?' + {} # ? and more": True,
    "s = f'?{{{}}}?' f\"{{{}!r:?>{{{}}}}}\"": True,
    's = """\n?\n""" + {}': True,
    "s = '😀é?', {}": True,
    "if {} and not {}: {}": True,
    "for {} in {}: pass": True,
    "x = [{} for {} in {} if {}]": True,
    "x = (\n    {},  # ?\n\x0c    {},\n)": True,
    "x = 1 + \\\n  {}": True,
    "# {}?": False,
    "r'{}?\\?'": False,
}


@st.composite
def planted(draw: st.DrawFn) -> tuple[str, list[int]]:
    """A program and the offsets of its holes."""
    text, offsets = "", []
    for _ in range(draw(st.integers(1, 6))):
        piece = draw(st.sampled_from(sorted(PIECES)))
        # `\0` stands for a possible hole, so that the real ones are told from the question marks around them.
        marked = piece.replace("{{", "\1").replace("}}", "\2").replace("{}", "\0")
        for character in marked.replace("\1", "{").replace("\2", "}"):
            if character != "\0":
                text += character
            elif PIECES[piece] and draw(st.booleans()):
                offsets.append(len(text))
                text += "?"
            else:
                text += "w"
        text += draw(st.sampled_from(["\n", "\r\n", "\r"]))
    return text, offsets


@settings(deadline=None)
@given(planted())
def test_the_holes_found_are_those_planted(case: tuple[str, list[int]]) -> None:
    text, offsets = case
    document = Document.from_text(text)
    assert [document.offset(hole.line, hole.column) for hole in document.holes] == offsets
    assert [document.position(offset) for offset in offsets] == [(h.line, h.column) for h in document.holes]


@pytest.mark.slow
def test_names_of_real_modules_turned_into_holes() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    for name in ("argparse.py", "heapq.py", "textwrap.py", "statistics.py", "_pydecimal.py"):
        source = Document.from_file(folder / name)
        assert source.holes == ()
        lines, planted_at = list(source.lines), []
        nodes = [n for n in ast.walk(source.tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        inside = {id(n) for f in ast.walk(source.tree) if isinstance(f, ast.JoinedStr) for n in ast.walk(f)}
        for node in sorted((n for n in nodes if id(n) not in inside), key=lambda n: (n.lineno, n.col_offset))[
            ::7
        ]:
            column = source.convert_column(node.lineno, node.col_offset, "utf8", "codepoint")
            line = lines[node.lineno - 1]
            # As many columns as the name had, for the names that follow on the line.
            filled = "?".ljust(len(node.id))
            lines[node.lineno - 1] = line[:column] + filled + line[column + len(node.id) :]
            planted_at.append((node.lineno, column + 1))
        assert columns("".join(lines)) == planted_at


def test_comments_are_found_whatever_the_tokenizer() -> None:
    long = "x = [" + "1, " * 1000 + "]"
    for first in ("", long):
        text = f"{first}\nx = '# no'  # one\n  # two\n\ny = ('a'  # three\n  '# no')\n\\\n\n# four"
        found = [(comment.line, comment.text) for comment in comments(Document.from_text(text).lines)]
        assert found == [(2, "# one"), (3, "# two"), (5, "# three"), (9, "# four")]


def test_long_lines_with_holes() -> None:
    text = "x = [" + "f(1), " * 20_000 + "?]\n"
    assert columns(text) == [(1, len(text) - 2)]
