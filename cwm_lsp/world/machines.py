"""Machines that have followed some history, kept so that the next frame is one walk away.

A machine goes forwards only. Where none has followed just the frames before this one (a fork, a step back),
a new one follows all of them. Leaves out what a machine is (machine.py) and who answers it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Unsupported
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.machine import Machine, Step

KEPT = 64


class Machines:
    """The machines of the histories that were predicted last."""

    def __init__(self, *, computes: bool) -> None:
        self._computes = computes
        self._kept: OrderedDict[tuple[int, int], tuple[Frame, Machine]] = OrderedDict()

    def take(self, document: Document, frames: Sequence[Frame], walk: Callable[[Machine], object]) -> Machine:
        """A machine that has followed these frames. It belongs to the caller until it is kept again. `walk`
        takes a machine through its line once more."""
        count = len(frames)
        if count > 1:
            found = self._kept.pop((count - 1, id(frames[count - 2])), None)
            if found is not None and found[0] is frames[count - 2] and found[1].document is document:
                found[1].follow(frames[count - 1])
                return found[1]
        machine = Machine(document, computes=self._computes)
        for at, frame in enumerate(frames):
            if at and machine.stack:
                try:
                    walk(machine)
                except Unsupported:
                    machine.top.lost = True
            machine.follow(frame)
        return machine

    def keep(self, frames: Sequence[Frame], machine: Machine) -> None:
        """Takes back a machine that has followed these frames and walked on from them."""
        last = frames[-1]
        self._kept[(len(frames), id(last))] = (last, machine)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def replay(machine: Machine) -> Step:
    """Walks as far as no question must be asked. Raises Unsupported where one must."""
    steps = machine.walk()
    try:
        question = next(steps)
    except StopIteration as finished:
        step: Step = finished.value
        return step
    machine.top.lost = True
    raise Unsupported(f"{question.kind} {question.name} must be asked".strip())
