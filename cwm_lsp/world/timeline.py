"""History as a debugger needs it: which running call each frame belongs to, what the stack looks like from
there, and frames further on, predicted when they are asked for.

Leaves out where to stop (stepping.py, breakpoints.py).
"""

from __future__ import annotations

import dis
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.source.flow_compile import codes_of
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.simulation import Branch, Simulation
from cwm_lsp.world.stack import Activation

_GENERATOR_FLAGS = 0x20 | 0x80 | 0x200  # generator, coroutine, asynchronous generator


@dataclass(frozen=True, slots=True)
class Place:
    """A frame's place among the running calls.

    Each call has a number for as long as it lives, also while it is a generator that waits. `own` is the call
    that the frame tells of, `ids` are those that run after it, outermost first; `before` is the index of the
    last frame of `own` that has locals, -1 if there is none. `leaves` is False for a RETURN that only
    suspends a generator.
    """

    own: int
    ids: tuple[int, ...]
    before: int
    leaves: bool
    waiting: tuple[tuple[Activation, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Level:
    """One running call as seen from a frame. `id` is its number, `locals` are as last known."""

    id: int
    function: str
    line: int
    locals: Mapping[str, Value]


class Timeline:
    """The frames of a simulation's current branch with their places."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        # Held by whoever makes history longer.
        self.growing = threading.Lock()
        self._places: dict[int, list[Place]] = {}
        self._numbers = 0

    @property
    def document(self) -> Document:
        """What is debugged."""
        return self.simulation.document

    @property
    def known(self) -> int:
        """How many frames there are so far."""
        return len(self.simulation.branch.nodes)

    def frame(self, index: int) -> Frame:
        """The frame with that index."""
        return self.simulation.branch.nodes[index].frame

    def reach(
        self, index: int, cancel: Cancel | None = None, grown: Callable[[], None] | None = None
    ) -> bool:
        """True if there is such a frame, once those up to it have been predicted; `grown` is called after
        each. False: the branch's `end` says why not. Safe from several threads: a frame is predicted once."""
        while True:
            with self.growing:
                if index < len(self.simulation.branch.nodes):
                    return True
                if not self.simulation.grow(cancel):
                    return False
            if grown is not None:
                grown()

    def place(self, index: int) -> Place:
        """The place of the frame with that index."""
        branch = self.simulation.branch
        places = self._of(branch)
        while len(places) <= index:
            self._add(branch, places)
        return places[index]

    def levels(self, index: int) -> tuple[Level, ...]:
        """The running calls at a frame, innermost first. At a RETURN that is the caller and those around it;
        where the first function is left, it is that function itself."""
        stack, place = self.simulation.branch.nodes[index].stack, self.place(index)
        if not stack.activations:
            left = stack.left
            return () if left is None else (Level(place.own, left.function, left.line, left.locals),)
        pairs = zip(place.ids, stack.activations, strict=True)
        return tuple(Level(id_, each.function, each.line, each.locals) for id_, each in pairs)[::-1]

    def call_of(self, number: int, upto: int) -> int | None:
        """The index of the CALL frame with which a call began, if history up to `upto` has it."""
        for index in range(upto + 1):
            if self.place(index).own == number:
                return index
        return None

    def raised_at(self) -> int | None:
        """Where the exception that ended the branch was raised: the index of its innermost EXCEPTION
        frame."""
        found: int | None = None
        depth = 1
        index = len(self.simulation.branch.nodes) - 1
        while index >= 0:
            frame = self.frame(index)
            if frame.event == "exception" and frame.depth == depth:
                found = index
                inner = self.frame(index - 1) if index else None
                if inner is None or inner.event != "return" or inner.depth != depth + 1:
                    return found
                depth += 1
            elif frame.depth < depth or (frame.event == "call" and frame.depth == depth):
                return found
            index -= 1
        return found

    def _of(self, branch: Branch) -> list[Place]:
        found = self._places.get(id(branch))
        if found is None:
            # What a fork shares with the branch it left has the same calls, by the same numbers.
            found, shared = [], branch.forked_at or 0
            for other in self.simulation.branches:
                known = self._places.get(id(other), [])
                if other is not branch and other.nodes[:shared] == branch.nodes[:shared]:
                    found = known[:shared] if len(known) >= shared else found
            self._places[id(branch)] = found
        return found

    def _add(self, branch: Branch, places: list[Place]) -> None:
        index = len(places)
        frame, stack = branch.nodes[index].frame, branch.nodes[index].stack
        last = places[-1] if places else None
        ids = last.ids if last else ()
        waiting = last.waiting if last else ()
        below = ids[: max(frame.depth - 1, 0)]
        if len(below) < frame.depth - 1:
            below = (*below, *(self._new() for _ in range(frame.depth - 1 - len(below))))
        if frame.event == "call":
            still = {id(each) for each in stack.suspended}
            resumed = next((number for each, number in waiting if id(each) not in still), None)
            own = self._new() if resumed is None else resumed
            waiting = tuple(pair for pair in waiting if id(pair[0]) in still)
        else:
            own = ids[frame.depth - 1] if 0 < frame.depth <= len(ids) else self._new()
        after = below if frame.event == "return" else (*below, own)
        if frame.event == "return" and stack.suspended:
            newest = stack.suspended[-1]
            if all(newest is not each for each, _ in waiting):
                waiting = (*waiting, (newest, own))
        leaves = frame.event == "return" and _leaves(self.document, frame)
        count = len(stack.activations)
        after = (
            after[:count]
            if len(after) >= count
            else (*after, *(self._new() for _ in range(count - len(after))))
        )
        places.append(Place(own, after, self._before(places, branch, own), leaves, waiting))

    def _before(self, places: list[Place], branch: Branch, own: int) -> int:
        for index in range(len(places) - 1, -1, -1):
            if places[index].own == own and branch.nodes[index].frame.event in ("call", "line"):
                return index
        return -1

    def _new(self) -> int:
        self._numbers += 1
        return self._numbers


def _leaves(document: Document, frame: Frame) -> bool:
    """False for a generator's RETURN on a line from which it can't return for good."""
    lines = _return_lines(document).get(frame.function)
    return lines is None or frame.line in lines


@lru_cache(maxsize=32)
def _return_lines(document: Document) -> Mapping[str, frozenset[int]]:
    """For each generator and coroutine of the document, the lines that a `return` or its end stands on."""
    found: dict[str, frozenset[int]] = {}
    for code in codes_of(document):
        if code.object.co_flags & _GENERATOR_FLAGS and not code.inlined:
            lines = {
                place.positions.lineno
                for place in dis.get_instructions(code.object)
                if place.opname in ("RETURN_VALUE", "RETURN_CONST") and place.positions is not None
            }
            known = found.get(code.qualname, frozenset())
            found[code.qualname] = known | {line for line in lines if line is not None}
    return found
