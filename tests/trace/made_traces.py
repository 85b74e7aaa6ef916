"""Traces made up by hypothesis: any program text, any values, frames in any order that keeps the rules."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from cwm_lsp.trace.codec import LocalChoice, Option
from cwm_lsp.trace.cwm_text import TRACE_TOKENS, AddedFunction
from cwm_lsp.trace.frame import Frame, Value
from tests.trace.real_runs import Program

TRICKY = [
    *TRACE_TOKENS,
    "..",
    ".. ",
    "...",
    "  # << START_OF_TRACE",
    '"',
    "\\",
    "\\n",
    "\n",
    "\t",
    "'",
    '", "b": "',
    "}",
    "{}",
    "\u2028",
    "\x7f",
    "\x00",
    "é",
    "日本",
    "😀",
    "\u0301",
    "\ufeff",
]
TEXT = st.lists(
    st.one_of(st.sampled_from(TRICKY), st.text(st.characters(exclude_categories=["Cs"]), max_size=6)),
    max_size=4,
).map("".join)
VALUES = st.one_of(
    st.integers().map(repr),
    TEXT.map(repr),
    TEXT,
    st.floats().map(repr),
    st.lists(st.integers(), max_size=4).map(repr),
    st.dictionaries(TEXT, st.booleans(), max_size=2).map(repr),
).filter(lambda value: "\ufffd" not in value)
NAMES = st.sampled_from(["a", "b", "n", "self", "текст", "_", ".0", "x1", "größe"])
LOCALS = st.dictionaries(NAMES, VALUES, max_size=4)
LINES = TEXT.map(lambda text: "    " + "".join(text.splitlines()).replace("\ufffd", "") + "\n")


@dataclass(frozen=True)
class Made:
    """A program of two functions, and a trace in it."""

    program: Program
    frames: tuple[Frame, ...]


def values(held: dict[str, str]) -> dict[str, Value]:
    return {name: Value(text, "predicted") for name, text in held.items()}


@st.composite
def traces(draw: st.DrawFn, most: int = 8) -> Made:
    """A CALL and then calls, lines, exceptions and returns while any function is still running."""
    bodies = [draw(st.lists(LINES, min_size=1, max_size=4)) for _ in range(2)]
    lines = ["def f(a):\n", *bodies[0], "def g(b):\n", *bodies[1]]
    second = len(bodies[0]) + 2
    functions = (AddedFunction("f", 1, second - 1), AddedFunction("g", second, len(lines)))
    program = Program(tuple(lines), functions)
    stack: list[AddedFunction] = []
    frames: list[Frame] = []
    for _ in range(draw(st.integers(1, most))):
        event = draw(st.sampled_from(["line", "line", "call", "return", "exception"])) if stack else "call"
        if event == "call":
            stack.append(draw(st.sampled_from(functions)) if stack else functions[0])
            made = Frame("call", stack[-1].qualname, stack[-1].first_line, len(stack), values(draw(LOCALS)))
        else:
            running = stack[-1]
            number = draw(st.integers(running.first_line, running.last_line))
            if event == "line":
                held = dict(frames[-1].locals) if draw(st.booleans()) else {}
                held.update(values(draw(LOCALS)))
                made = Frame("line", running.qualname, number, len(stack), held)
            else:
                arg = Value(draw(VALUES), "predicted")
                made = Frame(event, running.qualname, number, len(stack), {}, arg)  # type: ignore[arg-type]
                if event == "return":
                    stack.pop()
        frames.append(made)
        if not stack:
            break
    return Made(program, tuple(frames))


def as_option(frame: Frame) -> Option:
    """The frame as a candidate, its values open."""
    held = tuple(LocalChoice(name, "may") for name in frame.locals)
    return Option(frame.event, frame.function, frame.line, frame.depth, held)
