"""Turns a call that was really run into what cwm-mini learns from: sources and blocks of tokens with roles.

Walks each recorded frame as the product does, with the oracle in the model's place, and keeps a block only
where the walk arrives at the frame that was recorded. Leaves out ids and batches (data.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import oracle

from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Answer, Operation, Unsupported, drive
from cwm_lsp.source.unfold import unfold
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.mini_values import value_tokens
from cwm_lsp.trace.mini_vocabulary import END, INVENT, INVERSE, STEP_OVER
from cwm_lsp.world.machine import Machine, Step, exception_triple

GIVEN, FORCED, EVENT, DECIDED, JUMPED, FILLED = 0, 1, 2, 3, 4, 5
"""What a token is to the model: part of the prompt, forced by the walk, the next event, its own decision,
one that sees only a whole call (stepping over it, its arguments invented or found by the result), or code for
a hole."""


@dataclass(slots=True)
class Block:
    """Tokens of one block and what each is."""

    tokens: list[str] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)

    def add(self, tokens: Sequence[str], role: int) -> None:
        """Appends tokens of one role."""
        self.tokens.extend(tokens)
        self.roles.extend([role] * len(tokens))


@dataclass(slots=True)
class Sample:
    """A function's source and the blocks that belong to it."""

    source: tuple[str, ...]
    blocks: list[Block]


class MismatchError(Exception):
    """The walk did not arrive at the recorded frame."""


def samples_of(document: Document, frames: Sequence[Frame]) -> tuple[dict[str, Sample], str | None]:
    """Samples by function, and why the trace was left early (None if it was walked to its end)."""
    samples: dict[str, Sample] = {}
    machine = Machine(document)
    calls: list[Frame] = []
    for frame, following in pairwise(frames):
        try:
            machine.follow(frame)
            if frame.event == "call":
                calls.append(frame)
            if frame.event == "return" and calls:
                _jump_blocks(document, samples, calls.pop(), frame)
            block = line_block(document, machine, following)
        except (Unsupported, oracle.TooLarge, MismatchError) as error:
            return samples, f"{type(error).__name__}: {error}"
        if block is not None:
            _sample(document, samples, machine.top.function.qualname).blocks.append(block)
    if frames and frames[-1].event == "return" and calls:
        _jump_blocks(document, samples, calls.pop(), frames[-1])
    return samples, None


def _sample(document: Document, samples: dict[str, Sample], qualname: str) -> Sample:
    found = samples.get(qualname)
    if found is None:
        found = samples[qualname] = Sample(layout.source_tokens(document, qualname), [])
    return found


def line_block(document: Document, machine: Machine, following: Frame) -> Block | None:
    """The block of the machine's current line, checked against the frame that really followed."""
    top = machine.top
    qualname = top.function.qualname
    naming = layout.naming_of(document, qualname)
    block = Block()
    if top.situation in ("line", "returned"):
        read = layout.names_read(document, qualname, top.line)
        values = [(name, machine.text_of(top.env[name])) for name in read if name in top.env]
        block.add(
            layout.block_start(
                naming, top.line, [(n, t) for n, t in values if not t.startswith("<function")]
            ),
            GIVEN,
        )
    step = drive(machine.walk(), partial(asked, block))
    check(machine, step, following)
    if not block.tokens:
        return None
    block.add(
        layout.event_tokens(naming, following.event, line=following.line, function=following.function), EVENT
    )
    return block


def asked(block: Block, operation: Operation) -> Answer:
    """The true answer to an operation; the block gets it as the product asks it, unfolded where it is."""
    steps = unfold(operation)
    if steps is None:
        answer = oracle.answer(operation)
        block.add(layout.question(operation), FORCED)
        block.add(layout.answer_tokens(answer, operation), DECIDED)
        return answer
    unfolded = drive(steps, partial(asked, block))
    if unfolded != oracle.answer(operation):
        raise MismatchError(f"{operation.name} unfolds into something else")
    return unfolded


def check(machine: Machine, step: Step, following: Frame) -> None:
    """Raises MismatchError unless the step leads to the frame."""
    if (
        step.event == "line"
        and following.event == "return"
        and following.arg
        and following.arg.repr == "None"
    ):
        return
    if step.event != following.event:
        raise MismatchError(f"{step.event} instead of {following.event}")
    if step.event == "line" and machine.top.situation != "called":
        values = {name: value.repr for name, value in machine.locals_now(following.line).items()}
        if values != {name: value.repr for name, value in following.locals.items()}:
            raise MismatchError("other locals")
    elif step.event == "call":
        function, _, given = machine.entered_locals(step)
        wanted = {name: value.repr for name, value in following.locals.items()}
        if function != following.function or {name: value.repr for name, value in given.items()} != wanted:
            raise MismatchError("other arguments")
    elif step.event == "return":
        if following.arg is None or step.text != following.arg.repr:
            raise MismatchError("another value")
    elif step.event == "exception" and (
        following.arg is None or exception_triple(step.text) != following.arg.repr
    ):
        raise MismatchError("another exception")


def _jump_blocks(document: Document, samples: dict[str, Sample], call: Frame, end: Frame) -> None:
    """The tasks that see a whole call: step over it, invent its arguments, or find them by its result."""
    function = document.function(call.function)
    if function is None or function.kind != "function" or end.arg is None or not call.locals:
        return
    naming = layout.naming_of(document, call.function)
    given: list[str] = []
    for name, value in call.locals.items():
        given += [*naming.variable(name), *value_tokens(value.repr)]
    answer = layout.answer_tokens(end.arg.repr)
    if len(given) > 120 or len(answer) > 60:
        return
    over = Block()
    over.add([STEP_OVER, *given, "<|arg_sep|>"], GIVEN)
    over.add(answer, JUMPED)
    invent, inverse = Block(), Block()
    invent.add([INVENT], GIVEN)
    inverse.add([INVERSE, *value_tokens(end.arg.repr), "<|return_sep|>"], GIVEN)
    for name, value in call.locals.items():
        for block in (invent, inverse):
            block.add([*naming.variable(name), "<|arg_sep|>"], FORCED)
            block.add([*value_tokens(value.repr), END], JUMPED)
    sample = _sample(document, samples, call.function)
    sample.blocks += [over, invent, inverse]
