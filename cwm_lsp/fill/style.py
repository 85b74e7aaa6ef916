"""A filling written as the file is written: its quotes, its spaces, and brackets where the place needs them.

Leaves out names and longer layout.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from cwm_lsp.source.document import Document
from cwm_lsp.source.holes import STAND_IN, Hole, fill_holes
from cwm_lsp.source.tokens import Mark

_SPACED = frozenset(
    [
        "+",
        "-",
        "*",
        "/",
        "//",
        "%",
        "**",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&",
        "|",
        "^",
        "<<",
        ">>",
        "=",
        "+=",
        "-=",
        "*=",
        "//=",
        "%=",
    ]
)


@dataclass(frozen=True, slots=True)
class Style:
    """`quote` is the usual quote; whether operators and commas stand between spaces."""

    quote: str
    operators: bool
    commas: bool


def style_of(document: Document) -> Style:
    """How a file is written, where it shows; else as most Python is."""
    marks = [Mark(hole.line, hole.column, False) for hole in document.holes]
    quotes = {"'": 0, '"': 0}
    operators = {True: 1, False: 0}
    commas = {True: 1, False: 0}
    for before, token, after in _neighbours("".join(fill_holes(document.lines, marks))):
        if token.type == tokenize.STRING and not token.string.lstrip("rbfuRBFU").startswith(('"""', "'''")):
            quotes[token.string.lstrip("rbfuRBFU")[0]] += 1
        elif token.type == tokenize.OP and before.end[0] == token.start[0] == after.start[0]:
            left, right = before.end != token.start, token.end != after.start
            binary = before.type in (tokenize.NAME, tokenize.NUMBER) or before.string in (")", "]")
            if token.string in _SPACED and token.string not in ("*", "**", "=") and binary:
                operators[left or right] += 1
            elif token.string == ",":
                commas[right] += 1
    quote = "'" if quotes["'"] > quotes['"'] else '"'
    if not any(quotes.values()):
        quote = '"'
    return Style(quote, operators[True] >= operators[False], commas[True] >= commas[False])


Neighbours = tuple[tokenize.TokenInfo, tokenize.TokenInfo, tokenize.TokenInfo]


def _neighbours(text: str) -> Iterator[Neighbours]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return
    yield from zip(tokens, tokens[1:], tokens[2:], strict=False)


def styled(text: str, style: Style) -> str:
    """A piece of code in that style."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return text
    pieces: list[str] = []
    at = 0
    for place, token in enumerate(tokens):
        if token.start[0] != 1 or token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            continue
        gap = text[at : token.start[1]]
        before = tokens[place - 1].string if place else ""
        if (not style.operators and _SPACED & {token.string, before}) or (not style.commas and before == ","):
            gap = ""
        pieces += [gap, _quoted(token.string, style.quote) if token.type == tokenize.STRING else token.string]
        at = token.end[1]
    return "".join(pieces)


def _quoted(literal: str, quote: str) -> str:
    prefix = literal[: len(literal) - len(literal.lstrip("rbfuRBFU"))]
    body = literal[len(prefix) :]
    inside = body[1:-1]
    if (
        body[0] == quote
        or body[:3] in ("'''", '"""')
        or quote in inside
        or "\\" in inside
        or "f" in prefix.lower()
    ):
        return literal
    return f"{prefix}{quote}{inside}{quote}"


def bracketed(document: Document, hole: Hole, text: str) -> str:
    """The text, in brackets where it would mean something else at the hole without them."""
    if hole.place in ("statement", "target", "name"):
        return text
    bare, held = _tree(document, hole, text), _tree(document, hole, f"({text})")
    return text if bare is not None and bare == held else f"({text})"


def _tree(document: Document, hole: Hole, text: str) -> str | None:
    marks = [Mark(h.line, h.column, False) for h in document.holes]
    lines = fill_holes(document.lines, marks)
    line = lines[hole.line - 1]
    assert line[hole.column - 1] == STAND_IN
    lines[hole.line - 1] = line[: hole.column - 1] + text + line[hole.column :]
    try:
        return ast.dump(ast.parse("".join(lines)))
    except (SyntaxError, ValueError, RecursionError):
        return None


def put(document: Document, fills: dict[int, str]) -> str:
    """The document's text with these holes (by index) replaced; everything else is as it was."""
    text = document.text
    for at in sorted(fills, reverse=True):
        hole = document.holes[at]
        offset = document.offset(hole.line, hole.column)
        text = text[:offset] + fills[at] + text[offset + 1 :]
    return text
