"""What to trace: the document of a file, and the call in it. Every way this can go wrong is one sentence.

Leaves out the tracing.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.terminal import note
from cwm_lsp.source.calls import CallError, TracedCall, bad_comments, bind, calls_in, parse_call
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.entry import entry_function
from cwm_lsp.trace.frame import Frame

ORIGINS = {
    "given": "given",
    "comment": "a comment",
    "doctest": "a doctest",
    "assert": "an assert",
    "main": "the main block",
    "module": "a call in the file",
}


@dataclass(frozen=True, slots=True)
class Target:
    """The call to trace, or, with `call` None, the function whose arguments the model is to invent. `why`
    says where that comes from."""

    function: str
    call: TracedCall | None
    why: str

    @property
    def text(self) -> str:
        """`f(1, 2)`, or `f(…)` where the arguments are open."""
        return self.call.text if self.call else f"{self.function}(...)"


def open_document(path: str) -> Document:
    """The document of a file; `-` is stdin. Raises CommandError."""
    try:
        if path == "-":
            return Document.from_bytes(sys.stdin.buffer.read(), "<stdin>")
        if not Path(path).exists():
            raise CommandError(f"{path} can't be read: there is no such file.", BAD_USAGE)
        return Document.from_file(path)
    except DocumentError as error:
        raise CommandError(str(error)) from None


def choose(document: Document, text: str | None, *, literal: bool = True) -> Target:
    """The call that `--call` names; else the best one that the file shows; else a function alone.

    `literal`: the arguments must be literals, as for a prediction; a real run evaluates what they are.
    """
    if text is not None:
        return named(document, text, literal=literal)
    for bad in bad_comments(document):
        note(f"the '# cwm:' comment on line {bad.line} is left out: {bad.message}")
    for call in calls_in(document):
        if not literal or _is_literal(document, call):
            return Target(call.function, call, f"{ORIGINS[call.origin]} on line {call.line}")
    function = entry_function(document)
    if function is None:
        raise CommandError(f"{document.path} has no function to trace")
    return Target(function, None, "no call in the file")


def named(document: Document, text: str, *, literal: bool = True) -> Target:
    """The call that a user typed: `f(1, 2)`, or `f` alone where the model is to invent the arguments."""
    function = document.function(text.strip())
    if function is not None:
        return Target(function.qualname, None, "given without arguments")
    try:
        call = parse_call(document, text)
        if literal:
            bind(document, call)
    except CallError as error:
        raise CommandError(str(error), BAD_USAGE) from None
    return Target(call.function, call, "given")


def _is_literal(document: Document, call: TracedCall) -> bool:
    try:
        bind(document, call)
    except CallError:
        return False
    return True


def call_of(document: Document, frame: Frame) -> TracedCall | None:
    """The call that a CALL frame tells, so that it can be run; None if its arguments can't be written as a
    call.
    """
    function = document.function(frame.function)
    arguments = getattr(getattr(function, "node", None), "args", None)
    if function is None or not isinstance(arguments, ast.arguments) or arguments.vararg or arguments.kwarg:
        return None
    keyword_only = {argument.arg for argument in arguments.kwonlyargs}
    written = [
        f"{name}={value.repr}" if name in keyword_only else value.repr for name, value in frame.locals.items()
    ]
    try:
        call = parse_call(document, f"{frame.function}({', '.join(written)})")
        bind(document, call)
    except CallError:
        return None
    return call
