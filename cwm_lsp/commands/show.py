"""A trace as people read it: source lines indented by depth, what each changed at its end, one closing line.

Leaves out where the frames come from (trace.py, record.py) and what can be shown where (terminal.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cwm_lsp.commands.terminal import Pair, Terminal
from cwm_lsp.look import cut, marked, percent, printable, strength
from cwm_lsp.source.document import Document
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import End, Frame, Origin, Value
from cwm_lsp.trace.rows import Item, Row, Rows
from cwm_lsp.world.compare import difference, same_place
from cwm_lsp.world.metrics import same_output

CODE_WIDTH = 46
VALUE_WIDTH = 48
PLENTY = 96  # columns of a terminal from which on the code keeps its full width
STYLES = {"sure": "bold cyan", "likely": "cyan", "unsure": "dim yellow"}
ORIGIN_STYLES = {"observed": "green", "edited": "magenta"}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a check came to. None: a run that was cut off says nothing about that."""

    frames_right: int
    frames: int
    full_trace_right: bool
    output_right: bool | None

    def to_json(self) -> dict[str, Any]:
        """The JSON form, in the end of `trace --check --json`."""
        return asdict(self)


class Check:
    """A real run to hold the predicted frames against."""

    def __init__(self, real: Sequence[Frame], end: End) -> None:
        self.real = real
        self.end = end
        self.complete = end.reason in ("returned", "raised")  # and not only stopped by a limit
        self.right = 0
        self.wrong = 0
        self.first: tuple[int, str] | None = None

    def take(self, index: int, frame: Frame) -> bool | None:
        """Is this frame right? None beyond a real run that was cut off."""
        if index >= len(self.real) and not self.complete:
            return None
        real = self.real[index] if index < len(self.real) else None
        clause = difference(frame, real)
        if clause is None:
            self.right += 1
            return True
        self.wrong += 1
        self.first = self.first or (index, clause)
        return False

    def summary(self, end: End) -> Summary:
        """After the last frame. The full trace is right if both runs took the same frames to the same end."""
        judged = self.right + self.wrong
        missing = len(self.real) - judged if end.reason != "budget" else 0
        output = None
        if self.complete and end.reason != "budget":
            output = (end.reason, end.value) == (self.end.reason, self.end.value)
        return Summary(self.right, judged + max(0, missing), not self.wrong and missing <= 0, output)

    def real_value(self, item: Item, frame: Frame) -> Value | None:
        """What a value that was told wrong really is; None if it is right, or has nothing to be held
        against.
        """
        if item.frame >= len(self.real) or not same_place(frame, self.real[item.frame]):
            return None
        real = self.real[item.frame]
        true = real.locals.get(item.name) if item.name else real.arg
        if true is None or item.value is None or true.repr == item.value.repr:
            return None
        return true


def style_of(value: Value) -> str:
    """The colour of a value: by strength if it is predicted, else by origin."""
    return STYLES[strength(value)] if value.origin == "predicted" else ORIGIN_STYLES.get(value.origin, "")


class TraceLog:
    """Prints frames as they come. With a `check`, each gets its mark, and the first difference its
    explanation.
    """

    def __init__(self, terminal: Terminal, document: Document, check: Check | None = None) -> None:
        self._terminal = terminal
        self._rows = Rows(document)
        self._frames: list[Frame] = []
        self._verdicts: list[bool | None] = []
        self._check = check
        self._explained = False
        self._digits = max(3, len(str(len(document.lines))))
        self._code_width = CODE_WIDTH if terminal.width >= PLENTY else max(24, terminal.width // 2)

    @property
    def frames(self) -> Sequence[Frame]:
        """The frames so far."""
        return self._frames

    def feed(self, frame: Frame) -> None:
        """Takes the next frame and prints what it completes."""
        self._frames.append(frame)
        if self._check is not None:
            self._verdicts.append(self._check.take(len(self._frames) - 1, frame))
        self._print(self._rows.feed(frame))

    def close(self) -> None:
        """Prints what still waits."""
        self._print(self._rows.close())

    def _print(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._terminal.line(self._line(row))
            self._explain(row)

    def _line(self, row: Row) -> list[Pair]:
        marks = self._terminal.marks
        pairs: list[Pair] = []
        if self._check is not None:
            verdict = None if row.kind == "after" else self._verdicts[row.frame]
            sign = {True: marks.right, False: marks.wrong, None: " "}[verdict]
            pairs.append((f"{sign} ", {True: "green", False: "bold red", None: ""}[verdict]))
        pairs.append((f"{row.line:>{self._digits}} ", "dim"))
        code = self._code(row)
        pairs += [(" " * row.indent, ""), *code]
        items = [] if row.kind in ("call", "resume") else self._items(row)
        if items:
            used = row.indent + sum(len(text) for text, _ in code)
            pairs += [(" " * max(2, self._code_width - used), ""), *items]
        return pairs

    def _code(self, row: Row) -> list[Pair]:
        name = printable(row.text)
        match row.kind:
            case "call":
                return [("> ", "dim"), (name, "bold"), ("(", ""), *self._items(row, ", "), (")", "")]
            case "resume":
                return [("> ", "dim"), (name, "bold"), (" goes on  ", "dim"), *self._items(row, ", ")]
            case "return":
                return [("< ", "dim"), (name, "bold")]
            case "unwind":
                return [("< ", "dim"), (name, "bold"), (" is left", "dim")]
            case "exception":
                return [("! ", "bold red"), (name, "bold"), (" raises", "dim")]
            case "after":
                return [(self._terminal.marks.ellipsis, "dim")]
            case _:
                return [(name, "")]

    def _items(self, row: Row, between: str = "  ") -> list[Pair]:
        pairs: list[Pair] = []
        for item in row.items:
            if pairs:
                pairs.append((between, ""))
            if item.value is None:
                pairs.append((f"del {item.name}", "dim"))
                continue
            name = printable(item.name)
            pairs += [(f"{name} " if name else "", ""), *self._value(item, self._shown(row, item.value))]
        return pairs

    def _value(self, item: Item, value: Value) -> list[Pair]:
        marks = self._terminal.marks
        frame = self._frames[item.frame]
        true = self._check.real_value(item, frame) if self._check is not None else None
        if true is not None:
            told = cut(printable(value.repr), VALUE_WIDTH, marks)
            really = cut(printable(self._shown_exception(true, frame).repr), VALUE_WIDTH, marks)
            return [(f"{marks.wrong} {told}", "red"), (f" ({marks.right} {really})", "green")]
        text = marked(value, marks, VALUE_WIDTH)
        if strength(value) != "sure" and not self._terminal.colours:
            text += f" ({percent(value.confidence)})"
        return [(text, style_of(value))]

    def _shown(self, row: Row, value: Value) -> Value:
        return self._shown_exception(value, self._frames[row.frame]) if row.kind == "exception" else value

    @staticmethod
    def _shown_exception(value: Value, frame: Frame) -> Value:
        if frame.event != "exception":
            return value
        return Value(exception_text(value.repr), value.origin, value.confidence)

    def _explain(self, row: Row) -> None:
        """After the row of the first wrong frame: what is wrong about it."""
        if self._check is None or self._check.first is None or self._explained:
            return
        index, clause = self._check.first
        if row.frame < index or row.kind == "after":
            return
        self._explained = True
        indent = " " * (self._digits + 3)
        self._terminal.line([(f"{indent}first difference, frame {index + 1}: {printable(clause)}", "red")])


def closing_line(terminal: Terminal, end: End, result: Value | None) -> list[Pair]:
    """The last line of a log: what came out, how sure that is, and what it cost."""
    marks = terminal.marks
    dot = f" {marks.dot} "
    words = {"returned": "returned", "raised": "raised", "budget": "stopped", "failed": "failed"}
    pairs: list[Pair] = [(words[end.reason], "bold")]
    if end.reason == "budget" and end.message:
        pairs = [(printable(end.message.removesuffix(".")), "bold")]
    if result is not None:
        shown = Value(exception_text(result.repr), result.origin, result.confidence)
        pairs += [(" ", ""), (marked(shown, marks, VALUE_WIDTH * 2), style_of(shown))]
        if shown.confidence is not None:
            pairs.append((f"{dot}confidence {percent(shown.confidence)}", "dim"))
    facts = [count(end.frames, "frame")]
    if end.tokens:
        facts += [count(end.decisions, "decision"), count(end.tokens, "token")]
    facts.append(f"{end.seconds:.2f} s")
    if end.tokens and end.seconds > 0:
        facts.append(f"{end.frames / end.seconds:.0f} frames/s")
    pairs.append((dot + dot.join(facts), "dim"))
    return pairs


def expected_line(terminal: Terminal, where: str, expected: str, value: str) -> list[Pair]:
    """Whether the result is what the file says beside the call."""
    marks = terminal.marks
    same = same_output(value, expected)
    sign = (f"{marks.right} ", "green") if same else (f"{marks.wrong} ", "bold red")
    words = "as expected" if same else f"expected {cut(printable(expected), VALUE_WIDTH, marks)}"
    return [sign, (f"{words} ({where})", "")]


def check_line(terminal: Terminal, summary: Summary) -> list[Pair]:
    """What the check came to, in one line."""
    marks = terminal.marks
    dot = f" {marks.dot} "
    good = summary.full_trace_right and summary.output_right is not False
    sign = (f"{marks.right} ", "green") if good else (f"{marks.wrong} ", "bold red")
    words = {True: "right", False: "wrong", None: "unknown (a run was cut off)"}
    facts = [
        f"check: {summary.frames_right:,} of {count(summary.frames, 'frame')} right",
        f"full trace {words[summary.full_trace_right]}",
        f"output {words[summary.output_right]}",
    ]
    return [sign, (dot.join(facts), "")]


def result_of(frames: Sequence[Frame], end: End) -> Value | None:
    """The value that a trace came to, no surer than the least sure value on the way to it."""
    if end.value is None:
        return None
    origin: Origin = "predicted"
    for frame in reversed(frames):
        if frame.arg is not None and end.value in (frame.arg.repr, exception_text(frame.arg.repr)):
            origin = frame.arg.origin
            break
    said = [value for frame in frames for value in (*frame.locals.values(), frame.arg) if value is not None]
    confidences = [value.confidence for value in said if value.confidence is not None]
    return Value(end.value, origin, min(confidences, default=None))


def count(number: int, noun: str) -> str:
    """`1 frame`, `1,204 frames`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
