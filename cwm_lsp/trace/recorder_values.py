"""Values as text inside the traced process: `repr` without memory addresses, bounded in size and time.

Part of the recorder's child: runs on Python 3.8 and later. Whatever a `__repr__` does (raise, hang, exit,
return a gigabyte), the answer is a short text. Leaves out which values are asked for.

A text that a program can't print is that of `object.__repr__` (`<Account object>`); a text over the limit is
cut and ends in `...`. Two more things are left out beside addresses, because nothing in the document tells
them: the document's own module name (`<Account object>`, not `<bank.Account object>`) and where a module was
loaded from (`<module 'math'>`). An iterator over a string is a `<str_iterator object>` on every Python,
though from 3.11 on there are two kinds.
"""

from __future__ import annotations

import builtins
import re
import signal
from collections.abc import Callable
from typing import Any

# Functions look their builtins up here: a program that replaces `builtins.repr` does not reach this file.
__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

_NUMBERS = frozenset({int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented)})
_MAX_BITS = 14_284
"""About 4,300 digits: the length up to which Python 3.11 and later turn a whole number into text."""
_MAX_NESTING = 40
_SLACK = 200
_MARKER = "..."
_ASCII_ITERATOR = "<str_ascii_iterator"


class _FullError(Exception):
    """The text has reached its limit."""


class _SlowError(BaseException):
    """A `__repr__` took too long."""


class _Out:
    """Collects pieces of text until there is no more room."""

    def __init__(self, room: int) -> None:
        self.parts: list[str] = []
        self.room = room

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.room -= len(text)
        if self.room < 0:
            raise _FullError


class Renderer:
    """Turns values into text of at most `limit` characters; a `__repr__` of the program has `seconds`."""

    def __init__(self, limit: int, seconds: float, module: str) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clean = _cleaner(module)
        self._own_mark = module + "."
        self._slow: set[type] = set()

    def __call__(self, value: Any) -> str:
        """The text of a value. Never raises because of the value."""
        out = _Out(self.limit)
        try:
            self._write(value, out, set())
        except _FullError:
            pass
        except BaseException:
            # A container that changed under our hands, or no memory left: whatever it is, it has this text.
            return self._plain(value)
        text = "".join(out.parts)
        if len(text) <= self.limit:
            return text
        return text[: max(self.limit - len(_MARKER), 0)] + _MARKER

    def _write(self, value: Any, out: _Out, around: set[int]) -> None:
        kind = type(value)
        if kind is str or kind is bytes or kind is bytearray:
            out.add(repr(value if len(value) <= out.room else value[: out.room + 1]))
        elif kind in _NUMBERS:
            out.add(self._number(value))
        elif kind is list:
            self._items(value, "[]", out, around)
        elif kind is dict:
            self._pairs(value, out, around)
        elif kind is tuple:
            self._items(value, "()", out, around)
        elif (kind is set or kind is frozenset) and value:
            out.add("" if kind is set else "frozenset(")
            self._items(value, "{}", out, around)
            out.add("" if kind is set else ")")
        else:
            out.add(self._opaque(value, out.room))

    def _number(self, value: Any) -> str:
        if type(value) is int and value.bit_length() > _MAX_BITS:
            return self._plain(value)
        try:
            return repr(value)
        except ValueError:
            return self._plain(value)

    def _items(self, value: Any, brackets: str, out: _Out, around: set[int]) -> None:
        opening, closing = brackets[0], brackets[1]
        if not self._enter(value, brackets, out, around):
            return
        separator = opening
        for item in value:
            out.add(separator)
            self._write(item, out, around)
            separator = ", "
        if separator == opening:
            out.add(opening)
        elif brackets == "()" and len(value) == 1:
            out.add(",")
        out.add(closing)
        around.discard(id(value))

    def _pairs(self, value: dict[Any, Any], out: _Out, around: set[int]) -> None:
        if not self._enter(value, "{}", out, around):
            return
        out.add("{")
        separator = ""
        for key, item in value.items():
            out.add(separator)
            self._write(key, out, around)
            out.add(": ")
            self._write(item, out, around)
            separator = ", "
        out.add("}")
        around.discard(id(value))

    def _enter(self, value: Any, brackets: str, out: _Out, around: set[int]) -> bool:
        """False if the container holds itself or is nested very deep, and its text is written already."""
        if id(value) in around:
            out.add("...".join(brackets))
        elif len(around) >= _MAX_NESTING:
            out.add(self._opaque(value, out.room))
        else:
            around.add(id(value))
            return True
        return False

    def _opaque(self, value: Any, room: int) -> str:
        """The text of an object by its own `__repr__`, under guard."""
        kind = type(value)
        if kind in self._slow:
            return self._plain(value)
        try:
            text = _within(self.seconds, repr, value)
        except _SlowError:
            self._slow.add(kind)
            return self._plain(value)
        except BaseException:
            return self._plain(value)
        return self._cleaned(str.__str__(text)[: room + _SLACK])

    def _plain(self, value: Any) -> str:
        try:
            return self._cleaned(object.__repr__(value))
        except BaseException:
            return "<object>"

    def _cleaned(self, text: str) -> str:
        if " at 0x" in text or _ASCII_ITERATOR in text or self._own_mark in text or " from '" in text:
            return self._clean(text)
        return text


def _cleaner(module: str) -> Callable[[str], str]:
    own = re.escape(module)
    pattern = re.compile(
        r"(?P<from>(?P<module><module '[^'\n]*') from '[^'\n]*'>)"
        rf"|(?P<class><class '{own}\.(?P<name>[^'\n]*)'>)"
        rf"|(?P<object><){own}\."
        rf"|(?P<iterator>{_ASCII_ITERATOR})"
        r"|(?P<quoted>'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
        r"|(?P<address>[ ]at[ ]0x[0-9a-fA-F]{6,16}(?![0-9a-fA-F]))"
    )

    def replacement(match: Any) -> str:
        kind = match.lastgroup
        if kind == "from":
            return str(match.group("module")) + ">"
        if kind == "class":
            return f"<class '{match.group('name')}'>"
        if kind == "iterator":
            return "<str_iterator"
        if kind == "address":
            return ""
        return str(match.group(kind))

    def clean(text: str) -> str:
        return pattern.sub(replacement, text)

    return clean


def _within(seconds: float, function: Callable[[Any], str], value: Any) -> str:
    """`function(value)`, or _SlowError after some time (where the system has timers).

    The program may use the same alarm: one of its own that rings meanwhile rings again afterwards.
    """
    if _set_timer is None:
        return function(value)
    armed = missed = False
    rest = interval = 0.0

    def alarm(_number: int, _frame: Any) -> None:
        nonlocal missed
        if armed:
            raise _SlowError
        # Before our timer has taken the place of the program's, it is the program's alarm that rings.
        missed = True

    def disarm() -> None:
        _set_timer(_TIMER, 0)
        if before is not None:
            _set_handler(_ALARM, before)
        if rest:
            _set_timer(_TIMER, rest, interval)

    before = _set_handler(_ALARM, alarm)
    try:
        try:
            rest, interval = _set_timer(_TIMER, seconds, 0.1)
            armed = True
            return function(value)
        finally:
            disarm()
            if missed and callable(before):
                _ring(_ALARM)
    except _SlowError:
        # The alarm may have rung inside `disarm`.
        disarm()
        raise


# The C functions themselves: `signal.signal` is a wrapper in Python that costs ten times as much.
_set_handler: Any = getattr(__import__("_signal"), "signal", None)
_set_timer: Any = getattr(signal, "setitimer", None)
_TIMER: Any = getattr(signal, "ITIMER_REAL", None)
_ALARM: Any = getattr(signal, "SIGALRM", None)
_ring: Any = getattr(signal, "raise_signal", None)
