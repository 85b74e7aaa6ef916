"""Programs of the tests really run, as frames: a small tracer beside the project's recorder, to check
against."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from cwm_lsp.trace.cwm_text import AddedFunction
from cwm_lsp.trace.frame import Event, Frame, Value

FILE = "<program of a test>"
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Program:
    """A `Source` made of text."""

    lines: tuple[str, ...]
    functions: tuple[AddedFunction, ...]

    @classmethod
    def of(cls, text: str) -> Program:
        lines = tuple(line + "\n" for line in text.split("\n"))
        return cls(
            lines[:-1] if text.endswith("\n") else lines, tuple(functions_of(compile(text, FILE, "exec")))
        )


def functions_of(code: CodeType) -> Iterator[AddedFunction]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            within = list(functions_of(inner))
            last = max(
                [line for *_, line in inner.co_lines() if line] + [other.last_line for other in within]
            )
            yield AddedFunction(inner.co_qualname, inner.co_firstlineno, last)
            yield from within


def value(thing: Any) -> Value:
    try:
        text = repr(thing)
    except Exception:  # an object that is not made yet; a trace function that raises is never called again
        text = object.__repr__(thing)
    return Value(ADDRESS.sub("", text), "observed")


def run(text: str, call: str, limit: int = 400) -> list[Frame]:
    """The frames of `call` in the program, at most `limit`; none if the program can't be imported."""
    frames: list[Frame] = []
    depth = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal depth
        code = frame.f_code
        if code.co_filename != FILE or code.co_name == "<module>":
            return None
        if len(frames) >= limit:
            raise TimeoutError
        depth += event == "call"
        kind: Event = event  # type: ignore[assignment]
        if event in ("call", "line"):
            held = {name: value(thing) for name, thing in frame.f_locals.items()}
            frames.append(Frame(kind, code.co_qualname, frame.f_lineno, depth, held))
        else:
            frames.append(Frame(kind, code.co_qualname, frame.f_lineno, depth, {}, value(arg)))
        depth -= event == "return"
        return trace

    names: dict[str, Any] = {"__name__": "program"}
    before = sys.gettrace()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        exec(compile(text, FILE, "exec"), names)
        expression = compile(call, "<call>", "eval")
        sys.settrace(trace)
        try:
            eval(expression, names)
        finally:
            sys.settrace(before)
    return frames
