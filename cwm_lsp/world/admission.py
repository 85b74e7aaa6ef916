"""Whether a frame is one of the choices: model output is untrusted, so whatever a predictor says is held to
them. What they force is not the model's word and does not count as predicted.

Leaves out where the choices come from (choices.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices, LocalChoice, Option
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.bindings import bindings_of
from cwm_lsp.world.stack import Activation, Stack
from cwm_lsp.world.told import teller_of


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
    one that was told elsewhere is as it was there, one that control flow alone gives was computed. `stack` is
    the one before the frame."""
    if choices.free_form or stack.top is None:
        return frame
    option = next(each for each in _placed(choices, frame) if _mismatch(each, frame) is None)
    known = _known(document, option, stack, stack.top)
    values = {
        choice.name: _as_it_was(choice, frame.locals[choice.name], known.get(choice.name, ()))
        for choice in option.locals
    }
    arg = frame.arg
    if option.arg is not None and arg is not None:
        arg = _argument(document, option.arg, stack.top)
    if arg == frame.arg and all(values[name] is value for name, value in frame.locals.items()):
        return frame
    return replace(frame, locals=values, arg=arg)


def _known(
    document: Document, option: Option, stack: Stack, top: Activation
) -> Mapping[str, Sequence[Value]]:
    """The values that the forced ones of a frame may be taken from, the likeliest first."""
    sources: list[Mapping[str, Value]] = []
    teller = teller_of(document)
    if option.event == "line":
        sources.append(teller.assigned(top))
    elif option.event == "call":
        place = (option.function, option.line)
        sources += [each.locals for each in reversed(stack.suspended) if (each.function, each.line) == place]
        callees = bindings_of(document).callees(option.function)
        sources += [teller.arguments(top, each) for each in callees if each.line == option.line]
    sources.append(top.locals)
    names = [choice.name for choice in option.locals]
    return {name: [source[name] for source in sources if name in source] for name in names}


def _as_it_was(choice: LocalChoice, value: Value, known: Sequence[Value]) -> Value:
    if choice.kind not in ("given", "same"):
        return value
    same = next((each for each in known if each.repr == value.repr), None)
    return same or (value if choice.value is None else Value(value.repr, "computed"))


def _argument(document: Document, text: str, top: Activation) -> Value:
    """The value of a RETURN or EXCEPTION that could be no other."""
    told = teller_of(document).returned(top)
    for value in (top.pending, told):
        if value is not None and value.repr == text:
            return value
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
