"""Values in cwm-mini's layout: a `repr` as tokens and back, and the forms in which operands are shown.

Every character of a string and every digit is one token; separators outside of strings and the usual
messages of exceptions are one token each. Leaves out ids (mini_layout.py).
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from cwm_lsp.source.values import elements, kind_of
from cwm_lsp.trace.mini_vocabulary import CURSOR, INDICES, MESSAGES, WORDS, index_token, message_token

_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_MESSAGES = {text: message_token(at) for at, text in enumerate(MESSAGES)}
_BY_LENGTH = sorted(MESSAGES, key=len, reverse=True)
_OUTSIDE = re.compile("|".join(re.escape(text) for text in [*_BY_LENGTH, *WORDS]))
_INSIDE = re.compile("|".join(re.escape(text) for text in _BY_LENGTH if not text.endswith("'")))
_TEXT_OF = {token: text for text, token in {**WORDS, **_MESSAGES}.items()}


@lru_cache(maxsize=8192)
def value_tokens(text: str) -> tuple[str, ...]:
    """The tokens that spell a value; each is a special token's name or a single character."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        found = _OUTSIDE.match(text, at)
        if found is not None and _stands_alone(text, at, found.end()):
            tokens.append(WORDS.get(found.group()) or _MESSAGES[found.group()])
            at = found.end()
            continue
        string = _STRING.match(text, at) if text[at] in "'\"" else None
        if string is None:
            tokens.append(text[at])
            at += 1
            continue
        tokens += _string_tokens(string.group())
        at = string.end()
    return tuple(tokens)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """True unless a word such as True is only a part of a longer name."""
    if not text[start].isalpha():
        return True
    before = text[start - 1 : start]
    after = text[end : end + 1] if text[end - 1].isalnum() else ""
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")


def _string_tokens(literal: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(literal):
        found = _INSIDE.match(literal, at) if at else None
        if found is not None and len(found.group()) > 8:
            tokens.append(_MESSAGES[found.group()])
            at = found.end()
        else:
            tokens.append(literal[at])
            at += 1
    return tokens


def text_of_tokens(tokens: list[str]) -> str:
    """The text that tokens spell: the inverse of `value_tokens`."""
    return "".join(_TEXT_OF.get(token, token) for token in tokens)


def indexed_tokens(text: str) -> tuple[str, ...]:
    """A sequence with each element after its index; other values as they are."""
    parts = _parts(text)
    if parts is None or len(parts) > INDICES:
        return value_tokens(text)
    tokens = [text[0]]
    for at, part in enumerate(parts):
        tokens.append(index_token(at))
        tokens += part
    return (*tokens, text[-1])


def cursor_tokens(text: str, position: int) -> tuple[str, ...]:
    """A container with a cursor before the element at `position` (after the last, or before the first if
    -1)."""
    parts = _parts(text)
    if parts is None:
        return (*value_tokens(text), CURSOR, *str(position))
    tokens = [CURSOR] if position < 0 else []
    tokens.append(text[0])
    separated = kind_of(text) != "str"
    for at, part in enumerate(parts):
        if at and separated:
            tokens.append(WORDS[", "])
        if at == position:
            tokens.append(CURSOR)
        tokens += part
    if position >= len(parts):
        tokens.append(CURSOR)
    tokens.append(text[-1])
    return tuple(tokens)


def length_of(text: str) -> int | None:
    """How many elements a literal shows, or None."""
    parts = _parts(text)
    return None if parts is None else len(parts)


@lru_cache(maxsize=2048)
def _parts(text: str) -> tuple[tuple[str, ...], ...] | None:
    kind = kind_of(text)
    if kind == "str":
        quote = text[0]
        try:
            chars = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return None
        return tuple(_escaped(char, quote) for char in chars)
    if kind in ("list", "tuple", "dict", "set") and text != "set()":
        parts = elements(text)
        return None if parts is None else tuple(value_tokens(part) for part in parts)
    return None


def _escaped(char: str, quote: str) -> tuple[str, ...]:
    shown = repr(char)[1:-1]
    if char in "'\"":
        shown = "\\" + char if char == quote else char
    return tuple(shown)
