"""What the tree doesn't hold: the comments and the `?` of a file, found by a tokenizer.

From 3.12 on an f-string may hold strings with its own quotes (PEP 701), which only the standard
library's tokenizer knows; but 3.12's takes quadratic time for long lines, and to 3.11's an f-string is
one token. parso's tokenizer does what they don't. Leaves out what is found there (holes, calls).
"""

from __future__ import annotations

import sys
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parso.python.tokenize import tokenize_lines
from parso.utils import parse_version_string

_SEES_INTO_FSTRINGS: bool = sys.version_info >= (3, 12)
_LONG_LINE = 2000


@dataclass(frozen=True, slots=True)
class Mark:
    """A `?` outside strings and comments: 1-based line, 1-based column in code points."""

    line: int
    column: int
    in_fstring: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its `#`; 1-based line."""

    line: int
    text: str


def question_marks(lines: Sequence[str]) -> Iterator[Mark]:
    """Every `?` outside strings and comments, in order; a guess in a file that isn't Python."""
    if _SEES_INTO_FSTRINGS and _short(lines):
        found: list[Mark] = []
        try:
            depth = 0
            for token in _stdlib_tokens(lines):
                kind = tokenize.tok_name[token.type]
                if token.string == "?" and kind in ("OP", "ERRORTOKEN"):
                    found.append(Mark(token.start[0], token.start[1] + 1, depth > 0))
                depth += (kind == "FSTRING_START") - (kind == "FSTRING_END")
        except (tokenize.TokenError, SyntaxError):
            pass  # not Python: parsing will say why, unless it is a `?` that melts into a number
        else:
            yield from found
            return
    depth = 0
    for token in tokenize_lines(list(lines), version_info=parse_version_string("3.11")):
        kind = token.type.name
        if kind == "ERRORTOKEN" and token.string == "?":
            yield Mark(token.start_pos[0], token.start_pos[1] + 1, depth > 0)
        depth += (kind == "FSTRING_START") - (kind == "FSTRING_END")


def comments(lines: Sequence[str]) -> Iterator[Comment]:
    """Every comment, in order."""
    if not _SEES_INTO_FSTRINGS or _short(lines):
        try:
            for token in _stdlib_tokens(lines):
                if token.type == tokenize.COMMENT:
                    yield Comment(token.start[0], token.string)
        except (tokenize.TokenError, SyntaxError):
            pass
        return
    line = 1
    for token in tokenize_lines(list(lines), version_info=parse_version_string("3.11")):
        # parso keeps comments in the white space before a token.
        for number, part in enumerate(token.prefix.split("\n"), line):
            if (text := part.lstrip(" \t\f")).startswith("#"):
                yield Comment(number, text)
        line += token.prefix.count("\n") + token.string.count("\n")


def _stdlib_tokens(lines: Sequence[str]) -> Iterator[tokenize.TokenInfo]:
    source = iter(lines)
    return tokenize.generate_tokens(lambda: next(source, ""))


def _short(lines: Sequence[str]) -> bool:
    return max(map(len, lines), default=0) <= _LONG_LINE
