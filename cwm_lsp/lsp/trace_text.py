"""A trace as a text document that reads like a good log: source lines indented by depth, what each changed
at its end. Leaves out colours; the marks tell where a value comes from."""

from __future__ import annotations

from collections.abc import Iterator

from cwm_lsp.look import Marks, cut, marked, percent, printable, strength
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.render import ended, origin, outcome
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.trace.rows import Item, Row, Rows

CODE = 46
VALUE = 120


def trace_text(traced: Traced, marks: Marks, label: str) -> str:
    """The whole document."""
    trace = traced.trace
    head = [
        f"{trace.call} {outcome(traced, marks, VALUE)}",
        f"{label} {marks.dot} {trace.model}, grounding {trace.grounding} {marks.dot} nothing was run",
        f"{marks.predicted} predicted, {marks.computed} computed, {marks.edited} edited, no mark: given;"
        " what is not sure has its confidence beside it",
        "",
    ]
    return "\n".join([*head, *_body(traced, marks), "", *_foot(traced, marks)]) + "\n"


def _body(traced: Traced, marks: Marks) -> Iterator[str]:
    rows = Rows(traced.document)
    frames = traced.trace.frames
    for frame in frames:
        for row in rows.feed(frame):
            yield _line(row, frames, marks)
    for row in rows.close():
        yield _line(row, frames, marks)


def _foot(traced: Traced, marks: Marks) -> Iterator[str]:
    end = traced.trace.end
    dot = f" {marks.dot} "
    facts = [ended(end), f"{end.frames:,} frames", f"{end.decisions:,} decisions", f"{end.seconds:.2f} s"]
    if traced.confidence is not None:
        facts.append(f"least sure value {percent(traced.confidence)}")
    yield dot.join(facts)
    if end.message:
        yield printable(end.message)
    if (result := traced.by_line.result) is not None:
        yield f"the result is {origin(result)}"


def _line(row: Row, frames: tuple[Frame, ...], marks: Marks) -> str:
    start = f"{row.line:>4} {' ' * row.indent}"
    items = [_item(item, frames[row.frame], marks) for item in row.items]
    name = printable(row.text)
    match row.kind:
        case "call":
            return f"{start}> {name}({', '.join(items)})"
        case "resume":
            return f"{start}> {name} goes on  {', '.join(items)}".rstrip()
        case "return":
            name = f"< {name}"
        case "unwind":
            name = f"< {name} is left"
        case "exception":
            name = f"! {name} raises"
        case "after":
            name = marks.ellipsis
    if not items:
        return (start + name).rstrip()
    return f"{start}{name.ljust(max(0, CODE - row.indent))}  {'  '.join(items)}".rstrip()


def _item(item: Item, frame: Frame, marks: Marks) -> str:
    if item.value is None:
        return f"del {printable(item.name)}"
    value = item.value
    if frame.event == "exception":
        value = Value(exception_text(value.repr), value.origin, value.confidence)
    shown = cut(marked(value, marks, VALUE), VALUE + 2, marks)
    sure = f" ({percent(value.confidence)})" if strength(value) != "sure" else ""
    return f"{printable(item.name)} {shown}{sure}".strip()
