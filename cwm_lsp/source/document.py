"""A document: an immutable snapshot of one Python file, with its lines, holes, tree and functions.

Reads every encoding that Python reads and every line ending, and turns whatever is wrong with a file into one
`DocumentError`. The text is parsed, never executed. Leaves out what the code means (flow, effects, calls).
"""

from __future__ import annotations

import ast
import io
import re
import stat
import symtable
import tokenize
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from cwm_lsp.source.functions import Function, functions_of
from cwm_lsp.source.holes import Hole, HoleError, fill_holes, find_holes, place_holes
from cwm_lsp.source.legality import misplaced

Unit = Literal["utf8", "utf16", "codepoint"]

MAX_BYTES = 2_000_000
"""Larger files are refused: nobody debugs them by hand, and every keystroke would parse them anew."""
MAX_DEPTH = 200
"""No tree is nested deeper than this, so that a recursive visitor of it can't exhaust the stack."""

_LINE = re.compile(r"\r\n|\r|\n")


class DocumentError(Exception):
    """A file that can't be a document: one sentence for the user, with 1-based `line` and `column` if any."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


# Compared by identity: a snapshot is a key for whatever is worked out from it.
@dataclass(frozen=True, eq=False)
class Document:
    """One version of one file.

    `text` is what was decoded (a byte order mark apart), `lines` the physical lines as Python counts them,
    each with one trailing newline whatever the file's line ending; index 0 is line 1. `tree` is parsed from
    the text with `_` in place of each hole.
    """

    text: str
    path: str | None
    version: int | None
    encoding: str
    lines: tuple[str, ...]
    holes: tuple[Hole, ...]
    tree: ast.Module
    functions: tuple[Function, ...]

    @classmethod
    def from_text(
        cls, text: str, path: str | None = None, version: int | None = None, encoding: str = "utf-8"
    ) -> Document:
        """Takes decoded text, as an editor sends it. Raises DocumentError."""
        where = path or "the text"
        if text.startswith("\ufeff"):
            text, encoding = text[1:], "utf-8-sig"
        lines = split_lines(text)
        _refuse_characters(where, text, lines)
        try:
            found = find_holes(lines)
        except HoleError as error:
            _refuse_unterminated(where, lines)
            place = f"line {error.line}, column {error.column}"
            message = f"{where} has a '?' at {place} that is no hole: {error}."
            raise DocumentError(message, error.line, error.column) from None
        filled = fill_holes(lines, found)
        tree = _parse(where, filled, whole=not found)
        return cls(
            text, path, version, encoding, lines, place_holes(tree, filled, found), tree, functions_of(tree)
        )

    @classmethod
    def from_bytes(cls, data: bytes, path: str | None = None, version: int | None = None) -> Document:
        """Takes a file's bytes; a byte order mark or a coding comment says how to decode them (PEP 263)."""
        where = path or "the text"
        _refuse_size(where, len(data))
        try:
            encoding, _ = tokenize.detect_encoding(
                io.BytesIO(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).readline
            )
        except SyntaxError as error:
            reason = str(error.msg).partition(" for ")[0]
            raise DocumentError(f"{where} can't be decoded: {reason}.", 1, 1) from None
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            line = len(_LINE.findall(data[: error.start].decode("latin-1"))) + 1
            raise DocumentError(
                f"{where} can't be decoded: line {line} is not valid {encoding}.", line, 1
            ) from None
        except (LookupError, UnicodeError, ValueError):
            raise DocumentError(
                f"{where} can't be decoded: {encoding} is no encoding for text.", 1, 1
            ) from None
        return cls.from_text(text, path, version, encoding)

    @classmethod
    def from_file(cls, path: str | Path, version: int | None = None) -> Document:
        """Reads a file. Raises DocumentError if it is missing, no file, too large, or not Python."""
        where = str(path)
        try:
            info = Path(path).stat()
            if not stat.S_ISREG(info.st_mode):
                raise DocumentError(f"{where} is not a file.")
            _refuse_size(where, info.st_size)
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise DocumentError(f"{where} can't be read: {reason}.") from None
        return cls.from_bytes(data, where, version)

    def line_text(self, line: int) -> str:
        """The line (1-based) with its trailing newline. Raises IndexError if there is no such line."""
        if not 1 <= line <= len(self.lines):
            raise IndexError(f"no line {line} in a document of {len(self.lines)} lines")
        return self.lines[line - 1]

    def function(self, qualname: str, line: int | None = None) -> Function | None:
        """The function of that name. Where several share it the last one wins, as when the file runs;
        `line` asks for the innermost one whose lines contain it (two comprehensions of one function may
        differ by nothing else)."""
        same = [function for function in self.functions if function.qualname == qualname]
        if line is not None:
            around = [f for f in same if f.first_line <= line <= f.last_line]
            if around:
                return max(around, key=lambda f: (f.first_line, -f.last_line))
        return same[-1] if same else None

    def function_at(self, line: int) -> Function | None:
        """The innermost def whose lines, decorators included, contain this one."""
        around = [
            f
            for f in self.functions
            if f.kind in ("function", "async") and f.first_line <= line <= f.last_line
        ]
        return max(around, key=lambda f: (f.first_line, f.node.col_offset), default=None)

    def convert_column(self, line: int, column: int, source: Unit, target: Unit) -> int:
        """A 0-based column of a line (1-based) from one unit to another; see the function of this name."""
        text = self.line_text(line).rstrip("\n") if 1 <= line <= len(self.lines) else ""
        return convert_column(text, column, source, target)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return (0, *(match.end() for match in _LINE.finditer(self.text)))

    def offset(self, line: int, column: int) -> int:
        """The index in `text` of a 1-based line and column in code points; past a line's end is its end."""
        if line > len(self._starts):
            return len(self.text)
        start = self._starts[max(line, 1) - 1]
        length = len(self.lines[line - 1]) - 1 if 1 <= line <= len(self.lines) else 0
        return start + min(max(column - 1, 0), length)

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column in code points of an index in `text`."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def split_lines(text: str) -> tuple[str, ...]:
    """Physical lines as Python counts them (only \\n, \\r\\n, \\r end one), each ending in one newline."""
    lines = _LINE.split(text)
    if not lines[-1]:
        lines.pop()
    return tuple(line + "\n" for line in lines)


def convert_column(text: str, column: int, source: Unit, target: Unit) -> int:
    """A 0-based column in one line, from one unit to another. Past the end is the end; inside a
    character is its beginning."""
    if source == "codepoint":
        index = min(max(column, 0), len(text))
    elif text.isascii():
        return min(max(column, 0), len(text))
    else:
        index = units = 0
        for character in text:
            units += _width(character, source)
            if units > column:
                break
            index += 1
    if target == "codepoint":
        return index
    return sum(_width(character, target) for character in text[:index])


def _width(character: str, unit: Unit) -> int:
    if unit == "utf16":
        return 2 if character > "\uffff" else 1
    return len(character.encode("utf-8", "surrogatepass"))


def _refuse_size(where: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DocumentError(f"{where} is too large: {size} bytes, and the limit is {MAX_BYTES}.")


def _refuse_characters(where: str, text: str, lines: tuple[str, ...]) -> None:
    _refuse_size(where, len(text))
    bad = re.search("[\0\ud800-\udfff]", text)
    if bad is not None:
        line = len(_LINE.findall(text, 0, bad.start())) + 1
        column = lines[line - 1].index(bad.group()) + 1
        what = "a null byte" if bad.group() == "\0" else "half a surrogate pair"
        raise DocumentError(f"{where} has {what} at line {line}, column {column}.", line, column)


def _parse(where: str, lines: list[str], *, whole: bool) -> ast.Module:
    """The tree of the lines. `whole`: nothing stands in for a hole, so names that clash are the user's."""
    text = "".join(lines)
    parsed = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
            parsed = True
            _refuse_depth(where, tree)
            if whole:
                symtable.symtable(text, "<document>", "exec")
    except SyntaxError as error:
        unit: Unit = "utf8" if parsed else "codepoint"  # the symbol table counts bytes, the parser characters
        position = (error.lineno, (error.offset or 1) - 1)
        raise _syntax_error(where, lines, error.msg, position, unit) from None
    except (RecursionError, MemoryError):
        raise DocumentError(f"{where} is nested too deeply to be read.") from None
    except (ValueError, OverflowError) as error:
        raise DocumentError(f"{where} can't be parsed: {error}.") from None
    wrong = misplaced(tree)
    if wrong is not None:
        raise _syntax_error(where, lines, wrong.message, (wrong.line, wrong.column), "utf8")
    return tree


def _refuse_unterminated(where: str, lines: tuple[str, ...]) -> None:
    """In a string that never ends every `?` looks like a hole: say what is really wrong."""
    try:
        _parse(where, [line.replace("?", "_") for line in lines], whole=False)
    except DocumentError as error:
        if "unterminated" in str(error):
            raise


def _syntax_error(
    where: str, lines: list[str], message: str | None, position: tuple[int | None, int], unit: Unit
) -> DocumentError:
    line = min(max(position[0] or 1, 1), max(len(lines), 1))
    content = lines[line - 1].rstrip("\n") if lines else ""
    column = convert_column(content, position[1], unit, "codepoint") + 1
    message = (message or "invalid syntax").rstrip(".")
    return DocumentError(
        f"{where} has a syntax error at line {line}, column {column}: {message}.", line, column
    )


def _refuse_depth(where: str, tree: ast.Module) -> None:
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            line = next((node.lineno for node in level if isinstance(node, ast.stmt | ast.expr)), 1)
            raise DocumentError(f"{where} is nested too deeply at line {line}.", line, 1)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
