"""Documents: decoding, lines, columns, and one clear sentence for whatever is wrong with a file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cwm_lsp.source.document import MAX_BYTES, MAX_DEPTH, Document, DocumentError, convert_column, split_lines
from cwm_lsp.source.legality import misplaced

CHARACTERS = st.sampled_from([*"ab \t\x0c\x0b\x1c\x85\u2028é𝒳😀", "\n", "\r", "\r\n"])
TEXTS = st.lists(CHARACTERS, max_size=40).map("".join)
UNITS = st.sampled_from(["utf8", "utf16", "codepoint"])


def error_of(text: str, path: str | None = None) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        Document.from_text(text, path)
    return caught.value


def test_the_snapshot_keeps_the_text_and_normalises_the_lines() -> None:
    document = Document.from_text("a = 1\r\nb = 2\rc = 3\nd = 4", "x.py", 7)
    assert document.text == "a = 1\r\nb = 2\rc = 3\nd = 4"
    assert document.lines == ("a = 1\n", "b = 2\n", "c = 3\n", "d = 4\n")
    assert (document.path, document.version, document.encoding) == ("x.py", 7, "utf-8")
    assert [node.lineno for node in document.tree.body] == [1, 2, 3, 4]
    assert document.line_text(4) == "d = 4\n"
    for line in (0, -1, 5):
        with pytest.raises(IndexError):
            document.line_text(line)
    with pytest.raises(AttributeError):
        document.text = ""  # type: ignore[misc]
    assert len({document, Document.from_text(document.text)}) == 2


@pytest.mark.parametrize("text", ["", "\n", "\x0c\n", "# only a comment", "\ufeff"])
def test_files_with_hardly_anything_in_them(text: str) -> None:
    document = Document.from_text(text)
    assert document.functions == ()
    assert document.holes == ()


@settings(deadline=None)
@given(TEXTS)
def test_lines_end_where_python_ends_them(text: str) -> None:
    # A string literal over the whole text: what ast makes of it has one "\n" for every line end.
    literal = ast.parse(f'"""{text}"""').body[0].value  # type: ignore[attr-defined]
    assert split_lines(text) == split_lines(literal.value)
    assert split_lines(f"{text}x")[-1][-2:] == "x\n"
    assert len(split_lines(f"{text}x")) == literal.end_lineno


def test_form_feeds_and_unicode_separators_end_no_line() -> None:
    document = Document.from_text("a = '\u2028\x85\x1c\x0b'\n\x0cdef f():\n    return 1\n")
    assert len(document.lines) == 3
    assert document.functions[0].def_line == 2


@settings(deadline=None)
@given(TEXTS)
def test_offsets_and_positions_round_trip(text: str) -> None:
    document = Document.from_text(
        "".join(f"#{line}" for line in text.splitlines(keepends=True)).replace("\x00", "")
    )
    for offset in range(len(document.text) + 1):
        line, column = document.position(offset)
        inside_line_end = document.text[offset - 1 : offset + 1] == "\r\n"
        assert document.offset(line, column) == offset - inside_line_end
    assert document.offset(10_000, 1) == len(document.text)


@settings(deadline=None)
@given(TEXTS, UNITS, UNITS)
def test_columns_round_trip(text: str, source: str, target: str) -> None:
    line = text.replace("\n", "").replace("\r", "")
    width = {
        "utf8": lambda s: len(s.encode()),
        "utf16": lambda s: len(s.encode("utf-16-le")) // 2,
        "codepoint": len,
    }
    for index in range(len(line) + 1):
        there = width[source](line[:index])
        assert convert_column(line, there, source, target) == width[target](line[:index])  # type: ignore[arg-type]
        assert convert_column(line, width[target](line[:index]), target, source) == there  # type: ignore[arg-type]
    assert convert_column(line, 10_000, source, target) == width[target](line)  # type: ignore[arg-type]
    assert convert_column(line, -1, source, target) == 0  # type: ignore[arg-type]


def test_a_column_inside_a_character_is_its_beginning() -> None:
    document = Document.from_text("x\t= '😀é'\n")
    assert document.convert_column(1, 6, "utf16", "codepoint") == 5
    assert document.convert_column(1, 7, "utf16", "codepoint") == 6
    assert document.convert_column(1, 7, "utf8", "codepoint") == 5
    assert document.convert_column(1, 10, "utf8", "utf16") == 7
    assert document.convert_column(99, 4, "utf8", "utf16") == 0


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (b"x = '\xc3\xa9'\n", "utf-8", "x = 'é'\n"),
        (b"\xef\xbb\xbfx = 1\n", "utf-8-sig", "x = 1\n"),
        (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "iso-8859-1", "# -*- coding: latin-1 -*-\nx = 'é'\n"),
        (b"#!/bin/x\r\n# vim: set fileencoding=cp1252 :\r\nx = '\x80'", "cp1252", None),
        (b"#!x\r# coding: koi8-r\rx = '\xc1'", "koi8-r", None),
        (b"\n\n# coding: cp1252\nx = 1", "utf-8", None),
    ],
)
def test_encodings(data: bytes, encoding: str, text: str | None) -> None:
    document = Document.from_bytes(data)
    assert document.encoding == encoding
    assert text is None or document.text == text
    assert document.text.endswith(data.decode(encoding)[-5:])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"# coding: klingon\n", "x.py can't be decoded: unknown encoding: klingon."),
        (b"\xef\xbb\xbf# coding: latin-1\n", "x.py can't be decoded: encoding problem: utf-8."),
        (b"# coding: rot13\nk = 1\n", "x.py can't be decoded: rot13 is no encoding for text."),
        (b"# coding: hex\nk = 1\n", "x.py can't be decoded: hex is no encoding for text."),
        (b"a = 1\r\nb = '\xff'\n", "x.py can't be decoded: line 2 is not valid utf-8."),
        (b"a = 1\n\0", "x.py has a null byte at line 2, column 1."),
        (b"#" * (MAX_BYTES + 1), f"x.py is too large: {MAX_BYTES + 1} bytes, and the limit is {MAX_BYTES}."),
    ],
)
def test_bytes_that_are_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(DocumentError) as caught:
        Document.from_bytes(data, "x.py")
    assert str(caught.value) == sentence


@settings(deadline=None)
@given(
    st.binary(max_size=60),
    st.sampled_from([b"", b"# coding: utf-7\n", b"# coding: utf-16\n", b"# coding: idna\n"]),
)
def test_any_bytes_are_a_document_or_one_sentence(data: bytes, start: bytes) -> None:
    try:
        Document.from_bytes(start + data)
    except DocumentError as error:
        sentence = str(error)
    else:
        sentence = "."
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "café.py"
    path.write_bytes(b"x = 1\r\n")
    document = Document.from_file(path, version=3)
    assert (document.path, document.text, document.version) == (str(path), "x = 1\r\n", 3)
    with pytest.raises(DocumentError, match=r"is not a file\.$"):
        Document.from_file(tmp_path)
    with pytest.raises(DocumentError, match=r"missing\.py can't be read: No such file or directory\.$"):
        Document.from_file(tmp_path / "missing.py")
    with pytest.raises(DocumentError, match="can't be read"):
        Document.from_file("a\0b")
    large = tmp_path / "large.py"
    with large.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(DocumentError, match="too large"):
        Document.from_file(large)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_a_device_is_not_read() -> None:
    with pytest.raises(DocumentError, match="is not a file"):
        Document.from_file("/dev/zero")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("x = (1,\n", 1, 5),
        ("é = 'ü' $ 3\n", 1, 9),
        ("if x:\npass\n", 2, 1),
        ("x = 'é\n", 1, 5),
        ("def f(é, é): pass\n", 1, 10),
        ("é = 1; return é\n", 1, 8),
        ("def f():\n    nonlocal x\n", 2, 5),
        ("x = '''\n", 1, 5),
    ],
)
def test_syntax_errors_have_a_line_and_a_column(text: str, line: int, column: int) -> None:
    error = error_of(text, "bad.py")
    assert (error.line, error.column) == (line, column)
    assert str(error).startswith(f"bad.py has a syntax error at line {line}, column {column}: ")
    assert str(error).endswith(".")


def test_a_text_without_a_path_is_called_the_text() -> None:
    assert str(error_of("1 +")).startswith("the text has a syntax error at line 1, column ")


def test_half_a_surrogate_pair_is_refused() -> None:
    assert str(error_of("x = 1\ny = '\ud83d'")) == "the text has half a surrogate pair at line 2, column 6."


@pytest.mark.parametrize(
    "text",
    [
        "return 1",
        "yield 1",
        "await x",
        "break",
        "continue",
        "class C:\n    return 1",
        "class C:\n    x = yield",
        "for x in y:\n    def f(): break",
        "for x in y:\n    pass\nelse:\n    continue",
        "for x in y:\n    class C: break",
        "def f(): await x",
        "def f():\n    async with x: pass",
        "def f():\n    async for x in y: pass",
        "async def f(): yield from x",
        "async def f(): return lambda: await_(await x)",
    ],
)
def test_what_stands_in_a_wrong_place_is_refused_as_the_compiler_does(text: str) -> None:
    with pytest.raises(SyntaxError) as compiled:
        compile(text, "", "exec")
    error = error_of(text)
    assert error.line == compiled.value.lineno
    assert str(error).endswith(f": {compiled.value.msg}.")


def test_standard_library_modules_stand_right() -> None:
    for module in (ast, subprocess):
        assert misplaced(ast.parse(Path(str(module.__file__)).read_text())) is None


BOMBS = {
    "parentheses": "(" * 5000,
    "signs": "-" * 100_000 + "1",
    "not": "not " * 2000 + "1",
    "sum": "+".join(["1"] * 50_000),
    "attributes": "a" + ".b" * 50_000,
    "calls": "f" + "()" * 20_000,
    "lambdas": "lambda:" * 20_000 + "1",
    "conditions": "1 if 1 else " * 20_000 + "1",
    "elif": "if 1:pass\n" + "elif 1:pass\n" * 20_000,
    "lists": "[" * 90 + "]" * 90,
    "comprehensions": "[" * 60 + "x" + " for x in y]" * 60,
    "indentation": "".join(" " * i + "if 1:\n" for i in range(150)) + " " * 150 + "pass",
    "f-strings": 'f"{' * 20_000,
    "just deep enough": "+".join(["1"] * (MAX_DEPTH - 10)),
    "just too deep": "+".join(["1"] * (MAX_DEPTH + 10)),
}
BOMB_PROGRAM = """
import sys
from cwm_lsp.source.document import Document, DocumentError
text = sys.stdin.read()
for text in (text, text + "\\n?\\n"):
    try:
        Document.from_text(text)
    except DocumentError as error:
        print(str(error)[:200])
    else:
        print("document")
"""


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_one_sentence(name: str) -> None:
    # In a child: what goes wrong here takes the whole process down.
    run = subprocess.run(
        [sys.executable, "-c", BOMB_PROGRAM], input=BOMBS[name], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-300:]
    answers = run.stdout.splitlines()
    if name in ("lists", "comprehensions", "just deep enough"):
        assert answers == ["document", "document"]
    else:
        assert len(answers) == 2
        assert all(
            " is nested too deeply " in answer or " has a syntax error " in answer for answer in answers
        )


def test_no_warning_of_the_parser_gets_out(recwarn: pytest.WarningsRecorder) -> None:
    Document.from_text("x = '\\d' is 1\nassert (x, 1)\n")
    assert not recwarn.list


def test_function_lookup() -> None:
    text = """\
@first
def f(a):
    def g():
        return [x for x in a]  # inner
    return g, [y for y in a]

def f(b):
    return b
"""
    document = Document.from_text(text)
    inner = text.splitlines().index("        return [x for x in a]  # inner") + 1
    assert document.function("f").parameters == ("b",)  # type: ignore[union-attr]
    assert document.function("f", 1).parameters == ("a",)  # type: ignore[union-attr]
    assert document.function("nothing") is None
    assert document.function_at(inner).qualname == "f.<locals>.g"  # type: ignore[union-attr]
    assert document.function_at(1).qualname == "f"  # type: ignore[union-attr]
    assert document.function_at(6) is None
