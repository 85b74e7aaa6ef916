"""Values as text: what can be read off a `repr` without building the object.

Leaves out evaluation (a `repr` is never passed to eval here) and objects whose `repr` is not a literal:
those are opaque, and every question about them is answered with "can't tell".
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

OPENING = {"[": "]", "{": "}", "(": ")"}
LONGEST_RANGE = 10_000
_STRING = re.compile(r"""[bB]?('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")""")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?j?|inf|nan)\Z")
_WRAPPED = re.compile(r"(frozenset|deque|Counter|OrderedDict|defaultdict)\(")


@lru_cache(maxsize=4096)
def kind_of(text: str) -> str:
    """The type a `repr` shows: int, float, bool, None, str, bytes, list, tuple, dict, set, frozenset, range,
    exception, or "opaque" where the text doesn't tell."""
    if text in ("True", "False"):
        return "bool"
    if text == "None":
        return "None"
    if _NUMBER.match(text):
        return "int" if text.lstrip("-").isdigit() else "float"
    first = text[:1]
    if first in "'\"":
        return "str" if _STRING.fullmatch(text) else "opaque"
    if first in "bB" and _STRING.fullmatch(text):
        return "bytes"
    if text == "set()":
        return "set"
    if text.startswith("frozenset("):
        return "frozenset"
    if text.startswith("range("):
        return "range"
    if first in OPENING and text.endswith(OPENING[first]):
        if first == "[":
            return "list"
        if first == "(":
            return "tuple"
        inside = elements(text)
        if inside is None:
            return "opaque"
        return "dict" if not inside or split_pair(inside[0]) is not None else "set"
    if re.match(r"[A-Za-z]\w*(Error|Exception|Warning|Iteration|Exit|Interrupt)\(.*\)\Z", text, re.DOTALL):
        return "exception"
    return "opaque"


def is_mutable(text: str) -> bool:
    """False only where the `repr` shows a value that nothing can change in place."""
    kind = kind_of(text)
    if kind in ("tuple", "frozenset"):
        inside = elements(text)
        return inside is None or any(is_mutable(item) for item in inside)
    return kind not in ("int", "float", "bool", "None", "str", "bytes", "range")


@lru_cache(maxsize=4096)
def elements(text: str) -> tuple[str, ...] | None:
    """The elements of a list, tuple, set, frozenset or dict `repr` as texts (`key: value` for a dict), or
    None if the text is no such literal."""
    wrapped = _WRAPPED.match(text)
    if wrapped:
        return elements(text[wrapped.end() : -1]) if text.endswith(")") else None
    if text in ("set()",):
        return ()
    if not text or text[0] not in OPENING or text[-1] != OPENING[text[0]]:
        return None
    parts = split_commas(text[1:-1])
    if parts is None:
        return None
    if parts and not parts[-1]:
        parts = parts[:-1]
    return tuple(parts)


def split_commas(text: str) -> list[str] | None:
    """Splits at the commas of the outermost level; None if brackets or quotes don't close."""
    parts: list[str] = []
    closers: list[str] = []
    start = at = 0
    while at < len(text):
        char = text[at]
        if char in "'\"":
            string = _STRING.match(text, at)
            if string is None:
                return None
            at = string.end()
            continue
        if char in OPENING:
            closers.append(OPENING[char])
        elif char in ")]}":
            if not closers or closers.pop() != char:
                return None
        elif char == "," and not closers:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    if closers:
        return None
    rest = text[start:].strip()
    if rest or parts:
        parts.append(rest)
    return parts


@lru_cache(maxsize=4096)
def split_pair(item: str) -> tuple[str, str] | None:
    """`key: value` of a dict element as two texts, or None if it is no pair."""
    depth = at = 0
    while at < len(item):
        char = item[at]
        if char in "'\"":
            string = _STRING.match(item, at)
            if string is None:
                return None
            at = string.end()
            continue
        if char in OPENING:
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == ":" and depth == 0:
            return item[:at].strip(), item[at + 1 :].strip()
        at += 1
    return None


def iterated(text: str) -> tuple[str, ...] | None:
    """What a `for` over a literal takes one after the other (a dict's keys, a string's characters), or
    None."""
    kind = kind_of(text)
    if kind == "str":
        return tuple(repr(char) for char in ast.literal_eval(text))
    if kind == "range":
        bounds = [int(part) for part in split_commas(text[6:-1]) or []]
        items = range(*bounds) if bounds else range(0)
        return tuple(str(item) for item in items) if len(items) <= LONGEST_RANGE else None
    parts = elements(text)
    if parts is None or kind != "dict":
        return parts
    pairs = [split_pair(part) for part in parts]
    return tuple(pair[0] for pair in pairs if pair is not None)


def sequence_repr(kind: str, items: list[str]) -> str:
    """The `repr` of a list, tuple or dict display put together from its elements' texts."""
    if kind == "list":
        return "[" + ", ".join(items) + "]"
    if kind == "dict":
        return "{" + ", ".join(items) + "}"
    return "(" + ", ".join(items) + (",)" if len(items) == 1 else ")")


def class_of_instance(text: str) -> str | None:
    """The class name in `<module.Name object>` or `<Name object>`, or None."""
    match = re.fullmatch(r"<(?:[\w.<>]+\.)?(\w+) object(?: at 0x[0-9a-fA-F]+)?>", text)
    return match.group(1) if match else None
