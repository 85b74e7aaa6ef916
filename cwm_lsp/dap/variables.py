"""Variables as the protocol shows them: lazily, page by page, each with its mark and origin.

A reference is a path (a call on the stack, a name, items in it), not a value: it stays good when a variable
is edited. Leaves out editing (changing.py) and which calls there are (session.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cwm_lsp.dap.channel import RefusedError
from cwm_lsp.dap.protocol import Variable
from cwm_lsp.look import ASCII, UNICODE, Marks, cut, percent, printable, strength
from cwm_lsp.source.parts import Parts, parts_of, type_of
from cwm_lsp.trace.frame import Value

WIDTH = 300
GROUP = 1000
"""The most parts that are shown in one go to a client that doesn't ask for pages."""


@dataclass(frozen=True, slots=True)
class Path:
    """Where a variable is: the depth of its call in the stack (0 the innermost), or a branch, a scope that
    is no call; its name; the indices of the items on the way into it; and which of the parts, if not all."""

    scope: str
    level: int = 0
    name: str = ""
    items: tuple[int, ...] = ()
    span: tuple[int, int] | None = None


class References:
    """Numbers for paths, until the next movement. A number is never given out twice."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._first = 1

    def clear(self) -> None:
        """All numbers are forgotten."""
        self._first += len(self._paths)
        self._paths.clear()
        self._numbers.clear()

    def number(self, path: Path) -> int:
        """The number of a path."""
        if path not in self._numbers:
            self._numbers[path] = self._first + len(self._paths)
            self._paths.append(path)
        return self._numbers[path]

    def path(self, number: int) -> Path:
        """The path of a number. Raises RefusedError if it is gone."""
        at = number - self._first
        if not 0 <= at < len(self._paths):
            raise RefusedError("These variables are gone: the program has moved on.")
        return self._paths[at]


def text_at(root: str, items: tuple[int, ...]) -> str:
    """The `repr` of a part of a value. Raises RefusedError if it isn't there any more."""
    text = root
    for at in items:
        parts = parts_of(text)
        if parts is None or at >= len(parts.items):
            raise RefusedError("This part of the value is gone.")
        text = parts.named(at)[1]
    return text


def with_part(root: str, items: tuple[int, ...], new: str) -> str:
    """The `repr` of a value with another value for a part of it."""
    if not items:
        return new
    parts = parts_of(root)
    if parts is None or items[0] >= len(parts.items):
        raise RefusedError("This part of the value is gone.")
    return parts.replaced(items[0], with_part(parts.named(items[0])[1], items[1:], new))


def part_name(parent: str, parts: Parts, name: str) -> str | None:
    """The expression for a part of a container; None if there is none."""
    if parts.kind in ("list", "tuple", "dict"):
        return f"{parent}[{name}]"
    return f"{parent}.{name}" if parts.kind == "object" and name.isidentifier() else None


class Shower:
    """Makes the protocol's variables. `plain`: no marks before values."""

    def __init__(self, references: References) -> None:
        self.references = references
        self.plain = False
        self.marks: Marks = UNICODE

    def use_ascii(self) -> None:
        """For clients that can't show our marks."""
        self.marks = ASCII

    def variable(self, name: str, value: Value, path: Path, expression: str | None) -> Variable:
        """One variable; with a reference if it has parts."""
        shown: Variable = {
            "name": name,
            "value": self.text(value),
            "type": self.kind(value),
            "variablesReference": 0,
        }
        if expression is not None:
            shown["evaluateName"] = expression
        self.expandable(shown, value.repr, path)
        return shown

    def expandable(self, shown: Variable, text: str, path: Path) -> None:
        """Gives a variable with parts its reference and their number."""
        parts = parts_of(text)
        if parts is None or not parts.items:
            return
        shown["variablesReference"] = self.references.number(path)
        if parts.kind in ("list", "tuple", "set"):
            shown["indexedVariables"] = len(parts.items)
        else:
            shown["namedVariables"] = len(parts.items)

    def parts(
        self, root: Value, path: Path, expression: str | None, start: int, count: int
    ) -> list[Variable]:
        """Some parts of a value, in order; `count` 0 stands for all, which are put into groups if they are
        many."""
        text = text_at(root.repr, path.items)
        parts = parts_of(text)
        if parts is None:
            return []
        first, last = path.span or (0, len(parts.items))
        start = first + max(start, 0)
        end = last if count <= 0 else min(last, start + count)
        if count <= 0 and end - start > GROUP:
            return self._groups(path, start, end)
        found = []
        for at in range(start, end):
            name, value = parts.named(at)
            inner = Path(path.scope, path.level, path.name, (*path.items, at))
            child = None if expression is None else part_name(expression, parts, name)
            found.append(self.variable(name, Value(value, root.origin, root.confidence), inner, child))
        return found

    def _groups(self, path: Path, start: int, end: int) -> list[Variable]:
        """Parts by the hundred or thousand, each group to be opened on its own."""
        size = max(GROUP, -(-(end - start) // GROUP))
        found: list[Variable] = []
        for first in range(start, end, size):
            last = min(first + size, end)
            span = Path(path.scope, path.level, path.name, path.items, (first, last))
            name = f"[{first}..{last - 1}]"
            found.append({"name": name, "value": "", "variablesReference": self.references.number(span)})
        return found

    def text(self, value: Value, width: int = WIDTH) -> str:
        """The value with its mark, cut to a width."""
        shown = cut(printable(value.repr[: 4 * width] if len(value.repr) > 4 * width else value.repr), width)
        if len(value.repr) > 4 * width:
            shown = cut(printable(value.repr[: 4 * width]) + value.repr[-1], width)
        mark = "" if self.plain else self.marks.of(value.origin)
        return f"{mark} {shown}" if mark else shown

    def kind(self, value: Value) -> str:
        """`int · predicted 97%`: what the value is and where it comes from."""
        told = type_of(value.repr)
        if value.origin == "predicted" and value.confidence is not None:
            sure = "" if strength(value) == "sure" else f", {strength(value)}"
            origin = f"predicted {percent(value.confidence)}{sure}"
        else:
            origin = value.origin
        return f"{told} {self.marks.dot} {origin}" if told else origin

    def unmarked(self, text: str) -> str:
        """What a user typed, without a mark that stood before the value they changed."""
        text = text.strip()
        for mark in (self.marks.predicted, self.marks.edited, self.marks.observed, self.marks.computed):
            if mark and text.startswith(mark + " "):
                return text.removeprefix(mark).strip()
        return text


def locals_of(values: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """Locals in the order in which they are shown: as they came; names of the interpreter's own last."""
    return sorted(values.items(), key=lambda item: item[0].startswith("."))
