"""Whether a frame is one of the choices: model output is untrusted, so whatever a predictor says is held to
them. What they force is not the model's word and does not count as predicted.

Leaves out where the choices come from (choices.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices, LocalChoice, Option
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.bindings import bindings_of
from cwm_lsp.world.stack import NO_LOCALS, Stack


def refusal(choices: Choices, frame: Frame) -> str | None:
    """Why the frame is none of the choices, in one sentence; None if it is one of them."""
    if choices.free_form:
        if any(option.line == frame.line for option in choices.options):
            return None
        return f"Line {frame.line} is no line of the file."
    placed = _placed(choices, frame)
    if not placed:
        return f"A {frame.event} frame of {frame.function} at line {frame.line} can't come here."
    reasons = [_mismatch(option, frame) for option in placed]
    return None if None in reasons else reasons[0]


def settled(document: Document, choices: Choices, frame: Frame, stack: Stack) -> Frame:
    """The frame with the origins that its forced values have: a value that can't have changed is as it was,
    one that control flow alone gives was computed. `stack` is the one before the frame."""
    if choices.free_form:
        return frame
    option = next(each for each in _placed(choices, frame) if _mismatch(each, frame) is None)
    known = _known(option, stack)
    values = {
        choice.name: _as_it_was(choice, frame.locals[choice.name], known.get(choice.name))
        for choice in option.locals
    }
    arg = frame.arg
    if option.arg is not None and arg is not None:
        arg = _returned(document, option.arg, stack)
    if arg == frame.arg and all(values[name] is value for name, value in frame.locals.items()):
        return frame
    return replace(frame, locals=values, arg=arg)


def _known(option: Option, stack: Stack) -> Mapping[str, Value]:
    """The values that the forced ones of a frame are taken from."""
    if option.event == "call":
        for waiting in reversed(stack.suspended):
            same = (waiting.function, waiting.line) == (option.function, option.line)
            if same and all(choice.name in waiting.locals for choice in option.locals):
                return waiting.locals
    return stack.top.locals if stack.top is not None else NO_LOCALS


def _as_it_was(choice: LocalChoice, value: Value, known: Value | None) -> Value:
    if choice.kind not in ("given", "same"):
        return value
    if known is not None and known.repr == value.repr:
        return known
    return value if choice.value is None else Value(value.repr, "computed")


def _returned(document: Document, text: str, stack: Stack) -> Value:
    """The value of a RETURN or EXCEPTION that could be no other: that of the local which is returned or of
    the exception that goes on, else known from control flow."""
    top = stack.top
    if top is not None and top.pending is not None and top.pending.repr == text:
        return top.pending
    if top is not None and top.event == "line":
        name = bindings_of(document).returned_name(top.function, top.position)
        if name is not None and name in top.locals and top.locals[name].repr == text:
            return top.locals[name]
    return Value(text, "computed")


def _placed(choices: Choices, frame: Frame) -> list[Option]:
    place = (frame.event, frame.function, frame.line, frame.depth)
    return [
        option
        for option in choices.options
        if (option.event, option.function, option.line, option.depth) == place
    ]


def _mismatch(option: Option, frame: Frame) -> str | None:
    wanted, names = [choice.name for choice in option.locals], list(frame.locals)
    if wanted != names:
        return f"The locals are {', '.join(names) or 'none'}, not {', '.join(wanted) or 'none'}."
    for choice in option.locals:
        is_open = choice.kind in ("may", "must")
        if not is_open and choice.value is not None and frame.locals[choice.name].repr != choice.value:
            return f"{choice.name} is {choice.value} and can't become {frame.locals[choice.name].repr} here."
    if option.arg is not None and (frame.arg is None or frame.arg.repr != option.arg):
        return f"The value is {option.arg} and nothing else."
    return None
