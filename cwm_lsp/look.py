"""One look everywhere: a value's mark by its origin, the strengths of a prediction, values cut to a width.

Plain text only. Leaves out colours and layout: they belong to whoever shows it (terminal, hints, variables).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from cwm_lsp.trace.frame import Origin, Value

Strength = Literal["sure", "likely", "unsure"]

# Cut points on the confidence, until calibration against real runs moves them.
SURE = 0.95
LIKELY = 0.70


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs of one look. A given value has no mark: it is what the code or the caller says."""

    given: str = ""
    computed: str = "="
    predicted: str = "≈"
    edited: str = "✎"
    observed: str = "✓"
    right: str = "✓"
    wrong: str = "✗"
    ellipsis: str = "…"
    dot: str = "·"
    arrow: str = "→"

    def of(self, origin: Origin) -> str:
        """The mark of a value with that origin."""
        return {
            "given": self.given,
            "computed": self.computed,
            "predicted": self.predicted,
            "edited": self.edited,
            "observed": self.observed,
        }[origin]


UNICODE = Marks()
ASCII = Marks(
    predicted="~", edited="*", observed="+", right="+", wrong="x", ellipsis="...", dot="-", arrow="->"
)


def marks_for(encoding: str | None) -> Marks:
    """The marks that an output with this encoding can show."""
    signs = "".join(getattr(UNICODE, item.name) for item in fields(Marks))
    try:
        signs.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def strength(value: Value) -> Strength:
    """How sure a value is. What is not predicted, or has no confidence, is as sure as its origin."""
    confidence = value.confidence
    if value.origin != "predicted" or confidence is None or confidence >= SURE:
        return "sure"
    return "likely" if confidence >= LIKELY else "unsure"


def percent(confidence: float | None) -> str:
    """`97%`; a prediction is never shown as 100 % sure, nor as 0 %. Nothing for no confidence."""
    if confidence is None:
        return ""
    return f"{min(99, max(1, round(confidence * 100)))}%"


def printable(text: str) -> str:
    """The text on one line, with nothing in it that moves a cursor or changes a colour.

    Values and source lines are other people's text.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    if char == "\t":
        return "    "
    return char.encode("unicode_escape").decode("ascii")


def cut(text: str, width: int, marks: Marks = UNICODE) -> str:
    """The text in at most `width` characters.

    What is left is its beginning, an ellipsis, and its last character: a bracket or a quote says what it was.
    """
    if len(text) <= width:
        return text
    room = max(0, width - len(marks.ellipsis) - 1)
    return (text[:room] + marks.ellipsis + text[-1])[: max(1, width)]


def marked(value: Value, marks: Marks = UNICODE, width: int = 60) -> str:
    """`≈ 3`, `= 3`, `3`: the value with its mark, cut to `width`."""
    shown = cut(printable(value.repr), width, marks)
    mark = marks.of(value.origin)
    return f"{mark} {shown}" if mark else shown
