"""From what a walk arrived at to the frame that comes next: the line among those that control flow admits,
and the locals as the machine has them.

Leaves out the walk itself (machine.py) and who answers its questions.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Protocol

from cwm_lsp.source.document import Document
from cwm_lsp.source.names import head_span
from cwm_lsp.source.objects import lowest
from cwm_lsp.source.operations import Unsupported
from cwm_lsp.trace.codec import Choices, Option
from cwm_lsp.trace.frame import Event, Frame, Value
from cwm_lsp.world.bindings import bindings_of
from cwm_lsp.world.machine import Machine, Step, exception_triple
from cwm_lsp.world.stack import Stack, may_stop


class Roads(Protocol):
    """Where control flow may go from here."""

    def lines(self, machine: Machine) -> list[int]:
        """The lines of the running function that may come next."""

    def may_return(self, machine: Machine, /) -> bool:
        """Whether the function may be left."""

    def ordered(self, frame: Frame) -> Frame:
        """The frame with its locals in the order in which frames list them."""


class ChosenRoads:
    """The roads that choices offer."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def lines(self, machine: Machine) -> list[int]:
        """The lines among the options."""
        here, depth = machine.top.function.qualname, len(machine.stack)
        return list(
            dict.fromkeys(
                option.line
                for option in self.choices.options
                if (option.event, option.depth, option.function) == ("line", depth, here)
            )
        )

    def may_return(self, machine: Machine) -> bool:
        """Whether a RETURN is among the options."""
        depth = len(machine.stack)
        return any(option.event == "return" and option.depth == depth for option in self.choices.options)

    def ordered(self, frame: Frame) -> Frame:
        """As the option of that frame lists them."""
        options = matching(self.choices, frame.event, frame.function, frame.depth, frame.locals)
        options = [option for option in options if option.line == frame.line]
        if frame.event == "return":
            return self._return(frame)
        if not options:
            return frame
        names = [choice.name for choice in options[0].locals]
        if names == list(frame.locals):
            return frame
        return Frame(
            frame.event,
            frame.function,
            frame.line,
            frame.depth,
            {name: frame.locals[name] for name in names},
            frame.arg,
        )

    def _return(self, frame: Frame) -> Frame:
        lines = [
            option.line
            for option in self.choices.options
            if option.event == "return" and option.depth == frame.depth
        ]
        if frame.line in lines or not lines:
            return frame
        return Frame("return", frame.function, lines[0], frame.depth, {}, frame.arg)


class StackRoads:
    """The roads from where the bytecode may be."""

    def __init__(self, document: Document, stack: Stack) -> None:
        self._bindings = bindings_of(document)
        self._stack = stack

    def lines(self, machine: Machine) -> list[int]:
        """The lines that a step leads to."""
        top = self._stack.top
        if top is None or top.function != machine.top.function.qualname:
            return []
        stopped = top.road != "exception" or top.exception is None or may_stop(top.exception.repr)
        return list(self._bindings.lines(top.function, top.position, top.road, stopped=stopped))

    def may_return(self, _: Machine, /) -> bool:
        """True: a function that has no line to go to is left."""
        return True

    def ordered(self, frame: Frame) -> Frame:
        """The machine's own order."""
        return frame


def lines_ahead(machine: Machine, step: Step, roads: Roads) -> list[int]:
    """The lines that may come next; none if the function is left."""
    lines = roads.lines(machine)
    if step.line is not None:
        return [line for line in lines if line == step.line] or lines
    if step.branch is not None:
        inside = machine.names.first_inside(machine.top.function, machine.top.line)
        taken = [line for line in lines if line == inside]
        found = (taken or lines) if step.branch else [line for line in lines if line not in taken]
        lines = found if len(found) < 2 else _beyond_head(machine, found)
    if len(lines) > 1 or step.jump == "break":
        lines = _past_one_liner(machine, step, lines)
    return lines


def _past_one_liner(machine: Machine, step: Step, lines: list[int]) -> list[int]:
    """`if x: break` and the like: where the jump goes, or what comes after it."""
    top = machine.top
    after = machine.names.after_one_liner(top.function, top.line)
    if after is None:
        return lines
    if step.jump == "continue":
        heads = [line for line in lines if line in machine.names.loop_starts(top.function, top.line)]
        return heads[:1] or lines
    head = machine.names.heads(top.function).get(top.line)
    otherwise = isinstance(head, ast.If) and bool(head.orelse)
    if step.branch is False or not (step.jump or otherwise):
        return [line for line in lines if line in after][:1] or lines
    return [line for line in lines if line not in after]


def _beyond_head(machine: Machine, lines: list[int]) -> list[int]:
    """A test over several lines is done: what comes next is none of them."""
    head = machine.names.head_around(machine.top.function, machine.top.line)
    first, last = head_span(head) if head is not None else (0, 0)
    return [line for line in lines if not first <= line <= last] or lines


def line_frame(machine: Machine, line: int, roads: Roads) -> Frame:
    """The LINE frame at a line."""
    frame = Frame("line", machine.top.function.qualname, line, len(machine.stack), machine.locals_now(line))
    return roads.ordered(frame)


def call_frame(machine: Machine, step: Step, roads: Roads) -> Frame:
    """The CALL frame that a step leads to."""
    qualname, line, values = machine.entered_locals(step)
    return roads.ordered(Frame("call", qualname, line, len(machine.stack) + 1, values))


def exception_frame(machine: Machine, step: Step) -> Frame:
    """The EXCEPTION frame of a step."""
    top = machine.top
    arg = argument(machine, exception_triple(step.text), step)
    return Frame("exception", top.function.qualname, top.line, len(machine.stack), {}, arg)


def return_frame(machine: Machine, step: Step, roads: Roads) -> Frame:
    """The RETURN frame of a step."""
    top = machine.top
    if step.unwinding:
        arg = Value("None", "computed") if machine.computes else Value("None", "predicted")
    else:
        arg = argument(machine, step.text, step)
    return roads.ordered(Frame("return", top.function.qualname, top.line, len(machine.stack), {}, arg))


def left_frame(machine: Machine, roads: Roads) -> Frame:
    """The RETURN frame where no line follows: the end of the function, of a `finally`, or an exception that
    goes on to the caller. Raises Unsupported if it can't be any of them."""
    if machine.top.situation in ("called", "resumed"):
        raise Unsupported("a call that has just begun is not left at once")
    waiting = machine.leave()
    if waiting is not None:
        return return_frame(machine, waiting, roads)
    if not roads.may_return(machine):
        raise Unsupported("no line of the function can follow")
    machine.refuse_dropped(None)
    return return_frame(machine, Step("return", unwinding=machine.top.raised is not None), roads)


def argument(machine: Machine, text: str, step: Step) -> Value:
    """What a frame hands on, with where it comes from."""
    if machine.computes and step.value is not None:
        shown = machine.as_shown(step.text, step.value)
        return Value(text, shown.origin, shown.confidence)
    sure = lowest(machine.certainty, machine.doubts.of((step.value,)) if step.value is not None else None)
    return Value(text, "predicted", sure)


def matching(
    choices: Choices, event: Event, function: str, depth: int, names: Mapping[str, Value]
) -> Sequence[Option]:
    """The options with that place and those locals."""
    return [
        option
        for option in choices.options
        if (option.event, option.function, option.depth) == (event, function, depth)
        and {choice.name for choice in option.locals} == set(names)
    ]
