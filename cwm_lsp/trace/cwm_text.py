"""The text that CWM was trained on: frames to text and the context that stands before them, byte for byte.

    <|begin_of_text|><|trace_context_start|>CONTEXT<|frame_sep|>
    <|call_sep|>LOCALS<|action_sep|>SOURCE<|frame_sep|>
    <|line_sep|>LOCALS<|action_sep|>SOURCE<|frame_sep|>
    <|return_sep|><|action_sep|>SOURCE<|arg_sep|>VALUE<|frame_sep|>
    <|exception_sep|><|action_sep|>SOURCE<|arg_sep|>VALUE<|frame_sep|>
    <|end_of_text|>

(one after the other, without these line breaks). SOURCE is the text of the line with its indentation and one
newline; it carries no line number, no function and no depth: those are rebuilt by the parser. LOCALS is a
JSON object as `json.dumps` writes it by default, each value the `repr` as a JSON string; VALUE is such a
string too.

`".."` stands for the value of the last frame with locals of the same scope. A CALL frame and the first LINE
frame after a callee has returned write every local in full; the first LINE frame of a callee is all `".."`,
and after an exception in the same function the comparison goes on. What may stand behind `..` is the `Scope`
here.

An exception that leaves a function: EXCEPTION, then RETURN with `"None"` on the same line, then EXCEPTION in
the caller on the line of its call, and so on; after the RETURN of the entry function the trace ends. A
handled exception has no RETURN: a LINE frame on the line of the `except` follows. This is what `sys.settrace`
reports; the evidence that CWM's traces keep it is indirect:
- "Towards a Neural Debugger for Python" (arXiv 2603.09951, the same group, on CWM's traces) says in §3 that
  they are recorded with `sys.settrace`, with its events as they come, and in §4.1 that the call stack is
  reconstructed from "the order of call and return events", which only works if a function that is left by an
  exception has its RETURN too;
- the public re-implementation of the tracer (ASSERT-KTH/cwm, dataset/ground_truth.py) appends a RETURN frame
  for every "return" event, those of unwinding functions included, and scores the released weights against it;
- the client of the released weights (facebookresearch/cwm, demos/cwmdbg.py) stops looking for earlier values
  at CALL and RETURN frames but not at EXCEPTION frames: the scope ends with the RETURN.
No published output of the weights that we found shows an exception leaving a function, so raw output has not
confirmed it.

Leaves out tokens (cwm_codec.py), reading (parser.py) and what may come next (cwm_grammar.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cwm_lsp.trace.frame import Event, Frame, Value

BEGIN = "<|begin_of_text|>"
CONTEXT_START = "<|trace_context_start|>"
FRAME_SEP = "<|frame_sep|>"
ACTION_SEP = "<|action_sep|>"
ARG_SEP = "<|arg_sep|>"
END = "<|end_of_text|>"
EVENT_TOKENS: dict[Event, str] = {
    "call": "<|call_sep|>",
    "line": "<|line_sep|>",
    "return": "<|return_sep|>",
    "exception": "<|exception_sep|>",
}
EVENT_OF: dict[str, Event] = {token: event for event, token in EVENT_TOKENS.items()}
TRACE_TOKENS = (BEGIN, CONTEXT_START, FRAME_SEP, ACTION_SEP, ARG_SEP, END, *EVENT_TOKENS.values())

MARKER = "  # << START_OF_TRACE"
SAME = ".."

_SEPARATOR = re.compile("|".join(re.escape(token) for token in TRACE_TOKENS))
_DOTS = re.compile(r"\.\. *")

Scope = Mapping[str, Value] | None


class Span(Protocol):
    """Where a function is: source/document.py's Function, or the `main` that a context adds."""

    @property
    def qualname(self) -> str:
        """As CPython's `co_qualname`."""

    @property
    def first_line(self) -> int:
        """The line of its CALL frames: `co_firstlineno`."""

    @property
    def last_line(self) -> int:
        """The last line of its body."""


class Source(Protocol):
    """The program as frames see it; source/document.py's Document and `Context` are both one."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Physical lines, each with one trailing newline; index 0 is line 1."""

    @property
    def functions(self) -> Sequence[Span]:
        """All functions in source order."""


class Part(NamedTuple):
    """A piece of text: the name of a special token, or text that must never become one."""

    text: str
    special: bool = False


@dataclass(frozen=True, slots=True)
class AddedFunction:
    """A function that the context adds to the program."""

    qualname: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before the frames. `text` is the whole of it; `lines` and `functions` are the program in
    it, without the marker; `preamble` are the frames that come before the first one of the entry function, at
    depth 0."""

    text: str
    lines: tuple[str, ...]
    functions: tuple[Span, ...]
    preamble: tuple[Frame, ...] = ()

    @classmethod
    def called(cls, source: Source, call: str) -> Context:
        """Fixes the arguments with a caller after the program, as CWM's evaluations do: `return f(1, 2)` in a
        marked `main`. Raises ValueError if `call` is not one line. The name is another one where the program
        uses `main`."""
        if not call.strip() or len(call.splitlines()) != 1:
            raise ValueError("The call must be one line of Python.")
        lines = tuple(unmark(line) for line in source.lines)
        name = _free_name("".join(lines), "main")
        added = (f"def {name}():\n", f"    return {call.strip()}\n")
        first = len(lines) + 1
        preamble = (Frame("call", name, first, 0), Frame("line", name, first + 1, 0))
        text = "\n" + "".join(lines) + mark(added[0]) + added[1]
        function = AddedFunction(name, first, first + 1)
        return cls(text, lines + added, (*source.functions, function), preamble)

    @classmethod
    def entered(cls, source: Source, line: int) -> Context:
        """Marks the `def` on `line` (1-based): the first frame is its CALL, given or invented by the model,
        as in CWM's own debugger."""
        lines = tuple(unmark(text) for text in source.lines)
        if not 1 <= line <= len(lines):
            raise ValueError(f"The program has no line {line}.")
        text = "".join(mark(text) if number == line else text for number, text in enumerate(lines, 1))
        return cls(text, lines, tuple(source.functions))


def _free_name(text: str, name: str) -> str:
    while re.search(rf"\b{name}\b", text):
        name += "_"
    return name


def mark(line: str) -> str:
    """The line with the marker of the entry point."""
    return line.removesuffix("\n") + MARKER + "\n"


def unmark(line: str) -> str:
    """The line without the marker, however often it ends with it: a suffix, not a set of characters."""
    body = line.removesuffix("\n")
    end = line[len(body) :]
    while body.endswith(MARKER):
        body = body.removesuffix(MARKER)
    return body + end


def scope_after(scope: Scope, frame: Frame) -> Scope:
    """What `..` may stand for after this frame; None if the next LINE frame is to be written in full."""
    if frame.event == "return":
        return None
    return scope if frame.event == "exception" else frame.locals


def in_full(event: Event, scope: Scope) -> bool:
    """True if such a frame writes every local in full."""
    return event == "call" or scope is None


def written(repr_: str) -> str:
    """The value as it stands in LOCALS, before JSON. A value that is `..` itself gets a space more, so that
    it stays apart from `".."`; so does one that already is dots and spaces."""
    return repr_ + " " if _DOTS.fullmatch(repr_) else repr_


def unwritten(text: str) -> str:
    """The value of what `written` gives."""
    return text[:-1] if text != SAME and _DOTS.fullmatch(text) else text


def json_string(text: str) -> str:
    """The text as a JSON string, as `json.dumps` writes it by default."""
    return json.dumps(text)


def locals_text(frame: Frame, scope: Scope) -> str:
    """LOCALS of a CALL or LINE frame."""
    full = in_full(frame.event, scope)
    values = {
        name: SAME
        if not full and scope is not None and name in scope and scope[name].repr == value.repr
        else written(value.repr)
        for name, value in frame.locals.items()
    }
    return json.dumps(values)


def frame_parts(frame: Frame, lines: Sequence[str], scope: Scope) -> tuple[Part, ...]:
    """The frame in parts. Raises ValueError if its line is not one of `lines`."""
    if not 1 <= frame.line <= len(lines):
        raise ValueError(f"The program has no line {frame.line}.")
    event = Part(EVENT_TOKENS[frame.event], special=True)
    action = (Part(ACTION_SEP, special=True), Part(unmark(lines[frame.line - 1])))
    end = Part(FRAME_SEP, special=True)
    if frame.event in ("call", "line"):
        return (event, Part(locals_text(frame, scope)), *action, end)
    value = json_string(frame.arg.repr if frame.arg else "None")
    return (event, *action, Part(ARG_SEP, special=True), Part(value), end)


def context_parts(context: Context) -> tuple[Part, ...]:
    """Everything before the first frame, the frames of the preamble not included."""
    return (
        Part(BEGIN, special=True),
        Part(CONTEXT_START, special=True),
        Part(context.text),
        Part(FRAME_SEP, special=True),
    )


def trace_parts(frames: Sequence[Frame], lines: Sequence[str]) -> list[tuple[Part, ...]]:
    """The parts of each frame of a trace that begins with its first frame."""
    scope: Scope = None
    result = []
    for frame in frames:
        result.append(frame_parts(frame, lines, scope))
        scope = scope_after(scope, frame)
    return result


def text_of(parts: Sequence[Part]) -> str:
    """The parts as one text, as published examples show it. Text that itself contains the name of a token
    can't be told apart from the token any more: for reading and tests, never for a model."""
    return "".join(part.text for part in parts)


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of such a text, the names of the trace tokens taken for tokens."""
    parts: list[Part] = []
    position = 0
    for match in _SEPARATOR.finditer(text):
        if match.start() > position:
            parts.append(Part(text[position : match.start()]))
        parts.append(Part(match.group(), special=True))
        position = match.end()
    if position < len(text):
        parts.append(Part(text[position:]))
    return tuple(parts)
