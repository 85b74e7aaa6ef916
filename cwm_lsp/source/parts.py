"""The parts of a `repr`: elements of containers, attributes of objects that show them. Fast on long ones.

Only the top level is taken apart. Texts whose parts can't be told have none. Leaves out what a type does
(values.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["list", "tuple", "set", "dict", "object"]

_STRING = r"""'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+\""""
_INSIDE = rf"""(?:[^'"\[\](){{}}<>]++|{_STRING})*+"""
_FLAT = rf"""\[{_INSIDE}\]|\({_INSIDE}\)|\{{{_INSIDE}\}}"""
_PLAIN_ITEM = re.compile(rf"""(?!\Z)((?:[^,'"\[\](){{}}<>]++|{_STRING}|{_FLAT})*+)(?:, |\Z)""", re.DOTALL)
"""An item with at most one level of brackets in it. Possessive, so that no text takes long."""
_TOKEN = re.compile(rf"""{_STRING}|[\[\](){{}}<>,'"]""", re.DOTALL)
_STRUCTURE = re.compile(r"""['"\[\](){}<>]""")
_LONG = 2000
_CLOSES = {"[": "]", "(": ")", "{": "}", "<": ">"}
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_ATTRIBUTE = re.compile(r"([A-Za-z_]\w*)=(?!=)")
_BEFORE_ANGLE = frozenset("[({ =,")
_KINDS: dict[str, Kind] = {"[": "list", "(": "tuple", "{": "set"}
_WRAPPERS = frozenset(
    ("deque", "Counter", "frozenset", "OrderedDict", "dict_keys", "dict_values", "dict_items", "set", "list")
)
_PAIR_END = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\[\](){}:]""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parts:
    """A `repr` taken apart: `head`, the `items` with ", " between them, and `tail` give it again. Items of a
    dict are `key: value`, those of an object `name=value`."""

    kind: Kind
    head: str
    items: tuple[str, ...]
    tail: str

    def named(self, at: int) -> tuple[str, str]:
        """Name and value of an item: its index, its key, or the attribute's name."""
        item = self.items[at]
        if self.kind == "dict":
            key, value = _pair(item)
            return key, value
        if self.kind == "object":
            match = _ATTRIBUTE.match(item)
            return (match.group(1), item[match.end() :]) if match else (str(at), item)
        return str(at), item

    def find(self, name: str) -> int | None:
        """The index of the item of that name."""
        if self.kind in ("list", "tuple", "set"):
            return int(name) if name.isdecimal() and int(name) < len(self.items) else None
        return next((at for at in range(len(self.items)) if self.named(at)[0] == name), None)

    def replaced(self, at: int, value: str) -> str:
        """The whole `repr` with another value for an item."""
        old = self.named(at)[1]
        item = self.items[at]
        new = item[: len(item) - len(old)] + value
        items = (*self.items[:at], new, *self.items[at + 1 :])
        return self.head + ", ".join(items) + self.tail


def parts_of(text: str) -> Parts | None:
    """The parts of a `repr`, None if it has none. Those of long ones are remembered."""
    return _long_parts(text) if len(text) > _LONG else _parts(text)


@lru_cache(maxsize=32)
def _long_parts(text: str) -> Parts | None:
    return _parts(text)


def _parts(text: str) -> Parts | None:
    start = _open(text)
    if start is None:
        return None
    opener, last = text[start], text[-1]
    if last != _CLOSES.get(opener, ""):
        return None
    inner = text[start + 1 : -1]
    items = _split(inner)
    if items is None:
        return None
    tail = text[-1]
    if items and not items[-1]:  # (1,)
        items.pop()
        tail = "," + tail
    name = text[:start]
    if name and opener == "(":
        return _named(text, name, items)
    kind = _KINDS[opener]
    if opener == "{" and (not items or _pair(items[0])[0]):
        kind = "dict"
    return Parts(kind, text[: start + 1], tuple(items), tail)


def _named(text: str, name: str, items: list[str]) -> Parts | None:
    """`Name(...)`: a wrapper around a container, or an object with attributes."""
    if items and (name.rpartition(".")[2] in _WRAPPERS or name == "defaultdict"):
        at = 1 if name == "defaultdict" and len(items) > 1 else 0
        inner = parts_of(items[at])
        if inner is not None:
            offset = len(name) + 1 + sum(len(each) + 2 for each in items[:at])
            head, tail = text[:offset], text[offset + len(items[at]) :]
            return Parts(inner.kind, head + inner.head, inner.items, inner.tail + tail)
    if items and all(_ATTRIBUTE.match(each) for each in items):
        return Parts("object", text[: len(name) + 1], tuple(items), ")")
    return None


def _open(text: str) -> int | None:
    """Where the outermost bracket opens, behind a name or nothing."""
    if text[:1] in _KINDS:
        return 0
    match = _NAME.match(text)
    return match.end() if match and text[match.end() : match.end() + 1] == "(" else None


def _split(text: str) -> list[str] | None:
    """The pieces between the commas of the top level; None if brackets don't close."""
    if not text:
        return []
    if not _STRUCTURE.search(text) and text.count(",") == text.count(", "):
        return text.split(", ")
    plain: list[str] = _PLAIN_ITEM.findall(text)
    if ", ".join(plain) == text:
        return plain
    return _split_nested(text)


def _split_nested(text: str) -> list[str] | None:
    """The same for any nesting, bracket by bracket."""
    closers: list[str] = []
    found: list[str] = []
    start = 0
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark == ",":
            if not closers:
                found.append(text[start : match.start()].strip())
                start = match.end()
        elif mark == "<":
            at = match.start()
            if (closers and closers[-1] == ">") or not at or text[at - 1] in _BEFORE_ANGLE:
                closers.append(">")
        elif mark in ("'", '"'):
            return None
        elif mark in _CLOSES:
            closers.append(_CLOSES[mark])
        elif len(mark) == 1 and mark in ">])}":
            if closers and closers[-1] == mark:
                closers.pop()
            elif mark != ">":
                return None
    if closers:
        return None
    found.append(text[start:].strip())
    return found


def _pair(item: str) -> tuple[str, str]:
    """`key: value` as two texts; no key if it is no pair."""
    depth = 0
    for match in _PAIR_END.finditer(item):
        mark = match.group()
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == ":" and depth == 0:
            return item[: match.start()].strip(), item[match.end() :].strip()
    return "", item


def type_of(text: str) -> str:
    """The name of the type that a `repr` shows, as far as its beginning tells; "" if it doesn't."""
    if text in ("True", "False"):
        return "bool"
    if text in ("None", "Ellipsis", "NotImplemented"):
        return {"None": "NoneType", "Ellipsis": "ellipsis"}.get(text, "NotImplementedType")
    first = text[:1]
    if first.isdigit() or (first == "-" and text[1:2].isdigit()) or text in ("inf", "-inf", "nan"):
        if text[-1] == "j":
            return "complex"
        return "int" if text.lstrip("-").isdigit() else "float"
    if first in "'\"":
        return "str"
    if first in "bB" and text[1:2] in ("'", '"'):
        return "bytes"
    if first in "[(":
        return "list" if first == "[" else "complex" if text.endswith("j)") else "tuple"
    if first == "{":
        parts = parts_of(text)
        return "dict" if parts is None or parts.kind == "dict" else "set"
    if first == "<":
        match = re.match(r"<(?:class '|)([\w.]+(?:\.<locals>\.[\w.]+)*)", text)
        if text.startswith("<class "):
            return "type"
        return match.group(1).rpartition(".")[2] if match else ""
    match = _NAME.match(text)
    return match.group().rpartition(".")[2] if match and text[match.end() :][:1] == "(" else ""
