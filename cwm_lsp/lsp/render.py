"""Values as text in an editor: histories, marks, origins in words. The look itself is cwm_lsp/look.py's.

Leaves out where the text stands (hover, hints, lenses).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cwm_lsp.look import Marks, cut, percent, printable, strength
from cwm_lsp.lsp.facts import History, LineFact, Traced
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import End, Value

WORDS = {
    "given": "given",
    "predicted": "predicted",
    "computed": "computed",
    "edited": "edited by you",
    "observed": "observed in a real run",
}
_WEAKEST = ("predicted", "edited", "computed", "observed", "given")
DELETED = "(gone)"


def weakest(values: Iterable[Value | None]) -> Value | None:
    """The value that one should trust least: the mark of a history is its."""
    known = [value for value in values if value is not None]
    return min(
        known,
        key=lambda value: (
            _WEAKEST.index(value.origin),
            1.0 if value.confidence is None else value.confidence,
        ),
        default=None,
    )


def history(values: History, marks: Marks, width: int, most: int = 5) -> str:
    """`0 → 1 → … → 9`: the first ones, and the last."""
    texts = [DELETED if value is None else printable(value.repr) for value in values]
    arrow = f" {marks.arrow} "
    if len(texts) > most:
        texts = [*texts[: most - 2], marks.ellipsis, texts[-1]]
    whole = arrow.join(texts)
    if len(whole) <= width:
        return whole
    if len(texts) > 2:
        return history_ends(texts[0], texts[-1], marks, width)
    each = max(8, (width - len(arrow) * (len(texts) - 1)) // len(texts))
    return arrow.join(cut(text, each, marks) for text in texts)


def history_ends(first: str, last: str, marks: Marks, width: int) -> str:
    """Only the first and the last value."""
    between = f" {marks.arrow} {marks.ellipsis} {marks.arrow} "
    each = max(6, (width - len(between)) // 2)
    return cut(first, each, marks) + between + cut(last, each, marks)


def marked_history(values: History, marks: Marks, width: int, most: int = 5) -> str:
    """The history with the mark of its weakest value, and a question mark if that is unsure."""
    value = weakest(values)
    if value is None:
        return history(values, marks, width, most)
    mark = marks.of(value.origin)
    unsure = " ?" if strength(value) == "unsure" else ""
    return f"{mark} {history(values, marks, width, most)}{unsure}".strip()


def hint_text(fact: LineFact, marks: Marks, width: int) -> str:
    """What stands at the end of a line; nothing where the line set nothing."""
    parts: list[str] = []
    for name, values in fact.names:
        if values:
            room = max(8, width - sum(len(part) + 2 for part in parts) - len(name) - 1)
            parts.append(f"{name} {marked_history(values, marks, room)}")
    if fact.returned:
        parts.append(f"{marks.arrow} {marked_history(fact.returned, marks, width)}")
    if fact.raised is not None:
        parts.append(f"{marks.wrong} {cut(printable(exception_text(fact.raised.repr)), width, marks)}")
    return cut("  ".join(parts), width * 2, marks)


def origin(value: Value) -> str:
    """`predicted, 97%`."""
    sure = percent(value.confidence)
    return WORDS[value.origin] + (f", {sure}" if sure else "")


def outcome(traced: Traced, marks: Marks, width: int) -> str:
    """What came of a trace: `→ 3`, `✗ ValueError('…')`, or why it is not over."""
    end, result = traced.trace.end, traced.by_line.result
    if end.reason == "raised" and result is not None:
        return f"{marks.wrong} {cut(printable(exception_text(result.repr)), width, marks)}"
    if end.reason == "returned" and result is not None:
        mark = marks.of(result.origin)
        return f"{marks.arrow} {mark} {cut(printable(result.repr), width, marks)}".replace("  ", " ")
    return f"{marks.arrow} {marks.ellipsis} ({ended(end)})"


def ended(end: End) -> str:
    """How a trace ended, in a few words."""
    match end.reason:
        case "returned":
            return "returned"
        case "raised":
            return "raised"
        case "budget":
            return f"stopped after {end.frames:,} frames"
        case _:
            return f"failed after {end.frames:,} frames"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], markdown: bool) -> list[str]:
    """A small table: Markdown's, or columns of plain text."""
    if markdown:
        lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        return lines + ["| " + " | ".join(cell(text) for text in row) + " |" for row in rows]
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return ["  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)]


def cell(text: str) -> str:
    """Text in a cell of a Markdown table: as code, with nothing in it that would end the cell."""
    return code(text.replace("|", "\\|")) if text else ""


def code(text: str) -> str:
    """Text as code in Markdown, whatever backticks it holds."""
    text = printable(text)
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{pad}{text}{pad}{fence}"
