"""A simulated run: a tree of immutable frames with a cursor. What was predicted once is never predicted
again.

Leaves out how a frame is predicted (predictor.py), what may come next (choices.py) and what a debugger makes
of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.calls import CallError, TracedCall, bind, parse_call
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import End, EndReason, Frame, Value
from cwm_lsp.world.admission import refusal, settled
from cwm_lsp.world.budgets import Budgets, Deadline
from cwm_lsp.world.choices import Grounding, choices_after, entry_choices, seeded_call
from cwm_lsp.world.predictor import Prediction, PredictionError, Predictor
from cwm_lsp.world.stack import NO_LOCALS, Activation, Stack


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A frame in the tree, with the stack after it and what all predictions up to it cost."""

    frame: Frame
    stack: Stack
    decisions: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Swapped:
    """From the frame at this index of the branch on, another model predicts; `model` is its name."""

    index: int
    model: str


@dataclass(slots=True, eq=False)
class Branch:
    """One line of history. `fork` begins another that shares the frames before it; this one stays as it
    is."""

    nodes: list[Node]
    budgets: Budgets
    end: End | None = None
    failure: PredictionError | None = None
    forked_at: int | None = None
    frames: tuple[Frame, ...] = field(default=())
    swaps: tuple[Swapped, ...] = ()

    def append(self, node: Node) -> None:
        """Grows the history by a frame."""
        self.nodes.append(node)
        self.frames = (*self.frames, node.frame)

    def stop(self, end: End, failure: PredictionError | None = None) -> None:
        """Marks where it stopped and why."""
        self.end, self.failure = end, failure


class Simulation:
    """A predicted run of one call.

    >>> simulation = Simulation.start(document, "f(1, 2)", predictor)
    >>> for frame in simulation.run():
    ...     print(frame.line, dict(frame.locals))
    >>> simulation.end.value
    """

    def __init__(
        self,
        document: Document,
        predictor: Predictor,
        grounding: Grounding,
        budgets: Budgets,
        first: Frame | Choices,
    ) -> None:
        """Use `start`. `first` is the CALL frame that the run begins with, or the choices for it."""
        self.document = document
        self.grounding: Grounding = grounding
        self._predictor = predictor
        self._budgets = budgets
        self._entry = first
        self._busy = threading.Lock()
        self._running: Cancel | None = None
        self._successor: tuple[Predictor, str] | None = None
        self._branch = Branch([], budgets)
        self._branches = [self._branch]
        self._cursor = -1
        if isinstance(first, Frame):
            self._branch.append(Node(first, Stack().push(document, first)))
            self._cursor = 0

    @classmethod
    def start(
        cls,
        document: Document,
        call: str | TracedCall,
        predictor: Predictor,
        grounding: Grounding = "flow",
        budgets: Budgets | None = None,
    ) -> Simulation:
        """A simulation at the CALL frame of `call`. A bare function name leaves its arguments to the model:
        the CALL frame is then the first that `advance` predicts. Raises CallError with one sentence."""
        limits = budgets or Budgets()
        if isinstance(call, str):
            function = document.function(call.strip())
            if function is not None:
                return cls(document, predictor, grounding, limits, entry_choices(document, function))
            call = parse_call(document, call)
        called = document.function(call.function)
        if called is None:
            raise CallError(f"There is no function {call.function} in this file.")
        first = seeded_call(called, bind(document, call))
        return cls(document, predictor, grounding, limits, first)

    @property
    def frames(self) -> tuple[Frame, ...]:
        """All frames of the current branch, those after the cursor too."""
        return self._branch.frames

    @property
    def cursor(self) -> int:
        """The index in `frames` of the current one; -1 before the first."""
        return self._cursor

    @property
    def frame(self) -> Frame | None:
        """The frame at the cursor."""
        return self._node.frame if self._node else None

    @property
    def predictor(self) -> Predictor:
        """Who predicts the frames to come."""
        return self._predictor

    @property
    def end(self) -> End | None:
        """How the current branch ended or why it stopped; None while it can go on."""
        return self._branch.end

    @property
    def failure(self) -> PredictionError | None:
        """The error behind an `end` with the reason "failed"."""
        return self._branch.failure

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All lines of history, oldest first."""
        return tuple(self._branches)

    @property
    def branch(self) -> Branch:
        """The line of history that the cursor is on."""
        return self._branch

    @property
    def _node(self) -> Node | None:
        return self._branch.nodes[self._cursor] if self._cursor >= 0 else None

    def stack(self) -> tuple[Activation, ...]:
        """The running calls at the cursor, outermost first. At a RETURN frame the call that returns is still
        there."""
        if self._node is None:
            return ()
        stack = self._node.stack
        return stack.activations if stack.left is None else (*stack.activations, stack.left)

    def locals(self) -> Mapping[str, Value]:
        """The locals of the innermost running call at the cursor, as last known."""
        stack = self.stack()
        return stack[-1].locals if stack else NO_LOCALS

    def advance(self, cancel: Cancel | None = None) -> Frame | None:
        """Moves the cursor one frame on, predicting it if history has none there. None if the branch has
        ended."""
        branch = self._branch
        if self._cursor + 1 >= len(branch.nodes) and not self.grow(cancel):
            return None
        if branch is self._branch and self._cursor + 1 < len(branch.nodes):
            self._cursor += 1
            return self.frame
        return None

    def run(self, cancel: Cancel | None = None) -> Iterator[Frame]:
        """Advances until the branch ends; the frames passed on the way."""
        while (frame := self.advance(cancel)) is not None:
            yield frame

    def seek(self, index: int) -> Frame:
        """Puts the cursor on a frame of the current branch. Raises IndexError if history has none there."""
        if not 0 <= index < len(self._branch.nodes):
            raise IndexError(f"no frame {index} among {len(self._branch.nodes)}")
        self._cursor = index
        return self._branch.nodes[index].frame

    def grow(self, cancel: Cancel | None = None, choices: Choices | None = None) -> bool:
        """Predicts one frame after the last of the current branch and leaves the cursor where it is.
        `choices` narrow down what it may be.

        False if the branch has ended or this prediction failed; `end` then says why.
        """
        branch = self._branch
        with self._busy:
            if branch.end is not None:
                return False
            spent = branch.nodes[-1] if branch.nodes else Node(_NO_FRAME, Stack())
            exhausted = branch.budgets.spent(len(branch.nodes), spent.tokens, spent.seconds)
            if exhausted is not None:
                branch.stop(_end("budget", branch, message=exhausted))
                return False
            node = self._predicted(branch, spent, cancel, choices)
            if node is None:
                return False
            branch.append(node)
            self._finish(branch)
            return True

    def _predicted(
        self, branch: Branch, spent: Node, cancel: Cancel | None, choices: Choices | None
    ) -> Node | None:
        """The next frame; None if the branch stopped instead. Where another model was swapped in meanwhile it
        is that one's."""
        while True:
            deadline = Deadline(branch.budgets.seconds - spent.seconds, cancel)
            self._running = deadline
            try:
                return self._predict(branch, spent, deadline, choices)
            except PredictionError as error:
                unwanted = deadline.expired or (cancel is not None and cancel.cancelled)
                if error.kind == "cancelled" and not unwanted and self._succeed():
                    continue
                if deadline.expired:
                    limit = f"The budget of {branch.budgets.seconds:g} seconds is used up."
                    branch.stop(_end("budget", branch, message=limit))
                else:
                    branch.stop(_end("failed", branch, message=str(error)), error)
                return None
            finally:
                self._running = None

    def cancel(self) -> None:
        """Ends the prediction that is under way, if any, from any thread; `extend` goes on after it."""
        running = self._running
        if running is not None:
            running.cancel()

    def extend(self, budgets: Budgets | None = None) -> None:
        """Lets a branch go on that ran out of budget or failed, for `budgets` more (what it began with if
        None)."""
        branch = self._branch
        if branch.end is None or branch.end.reason in ("returned", "raised"):
            return
        if branch.end.reason == "budget" or budgets is not None:
            branch.budgets = branch.budgets.plus(budgets or self._budgets)
        branch.end = branch.failure = None

    def swap(self, predictor: Predictor, model: str) -> Swapped:
        """Lets another model go on from the frames that are there: they stay as they are, in all branches.
        A prediction under way is ended first and its frame predicted anew by the new model; a branch that
        failed can go on. `branch.swaps` says from where on which model predicted."""
        self._successor = (predictor, model)
        self.cancel()
        with self._busy:
            self._succeed()
        return self._branch.swaps[-1] if self._branch.swaps else Swapped(len(self._branch.nodes), model)

    def take_up(self, frames: Iterable[Frame], end: End) -> None:
        """Appends frames that are there already, as they are, and ends the branch as they ended."""
        branch = self._branch
        for frame in frames:
            stack = branch.nodes[-1].stack if branch.nodes else Stack()
            branch.nodes.append(Node(frame, stack.push(self.document, frame)))
        branch.frames = tuple(node.frame for node in branch.nodes)
        branch.stop(end)

    def fork(self, edits: Mapping[str, str]) -> Frame:
        """Begins a branch at the cursor in which the locals of the current frame have other values (name to
        `repr`).

        The old branch stays reachable by `switch`. Raises ValueError if the frame has no such locals.
        """
        if self._node is None or self.frame is None or self.frame.event not in ("call", "line"):
            raise ValueError("Only a call or line frame has locals to edit.")
        unknown = [name for name in edits if name not in self.frame.locals]
        if unknown or not edits:
            raise ValueError(
                f"There is no local {unknown[0]!r} here." if unknown else "There is nothing to edit."
            )
        values = {
            name: Value(edits[name], "edited") if name in edits else value
            for name, value in self.frame.locals.items()
        }
        return self._fork(replace(self.frame, locals=values), self._node)

    def switch(self, branch: Branch, cursor: int | None = None) -> None:
        """Makes another branch the current one; the cursor goes to where it was forked, or where it is
        told."""
        if branch not in self._branches:
            raise ValueError("That branch belongs to another simulation.")
        at = cursor if cursor is not None else (branch.forked_at or 0)
        self._branch, self._cursor = branch, min(at, len(branch.nodes) - 1)

    def _fork(self, frame: Frame, replaced: Node) -> Frame:
        before = self._branch.nodes[: self._cursor]
        stack = (before[-1].stack if before else Stack()).push(self.document, frame)
        branch = Branch(
            list(before), self._branch.budgets, None, None, self._cursor, self.frames[: self._cursor]
        )
        branch.swaps = tuple(each for each in self._branch.swaps if each.index <= self._cursor)
        branch.append(replace(replaced, frame=frame, stack=stack))
        self._branches.append(branch)
        self._branch = branch
        self._finish(branch)
        return frame

    def _succeed(self) -> bool:
        """The model that was swapped in takes over; False if none was."""
        if self._successor is None:
            return False
        (self._predictor, model), self._successor = self._successor, None
        for branch in self._branches:
            if branch.end is not None and branch.end.reason == "failed":
                branch.end = branch.failure = None
            if branch.end is None:
                at = Swapped(len(branch.nodes), model)
                branch.swaps = (*(each for each in branch.swaps if each.index < at.index), at)
        return True

    def _predict(self, branch: Branch, spent: Node, cancel: Cancel, wanted: Choices | None = None) -> Node:
        if wanted is None and self.grounding == "values":
            grounded = self._ground(branch, spent, cancel)
            if grounded is not None:
                return grounded
        if wanted is not None:
            choices = wanted
        elif isinstance(self._entry, Choices) and not branch.nodes:
            choices = self._entry
        else:
            choices = choices_after(self.document, spent.stack, self.grounding)
        if not choices.options:
            raise PredictionError("refused", "No frame can follow this one.")
        began = time.perf_counter()
        predictor = self._predictor
        if wanted is not None:  # what nothing but a model can say
            predictor = getattr(predictor, "inner", predictor)
        predicted = predictor.predict(self.document, branch.frames, choices, cancel)
        took = max(time.perf_counter() - began, predicted.seconds)
        reason = refusal(choices, predicted.frame)
        if reason is not None:
            raise PredictionError("malformed", f"The predicted frame is not possible: {reason}")
        frame = settled(self.document, choices, predicted.frame, spent.stack)
        return Node(
            frame,
            spent.stack.push(self.document, frame),
            spent.decisions + predicted.decisions,
            spent.tokens + predicted.tokens,
            spent.seconds + took,
        )

    def _ground(self, branch: Branch, spent: Node, cancel: Cancel) -> Node | None:
        """The next frame as far as it can be computed; None if a model must choose it among what may come."""
        ground = getattr(self._predictor, "ground", None)
        if ground is None or not branch.nodes:
            return None
        predicted: Prediction | None = ground(self.document, branch.frames, spent.stack, cancel)
        if predicted is None:
            return None
        return Node(
            predicted.frame,
            spent.stack.push(self.document, predicted.frame),
            spent.decisions + predicted.decisions,
            spent.tokens + predicted.tokens,
            spent.seconds + predicted.seconds,
        )

    @staticmethod
    def _finish(branch: Branch) -> None:
        """Ends the branch if the entry function was left."""
        stack = branch.nodes[-1].stack
        if stack.over:
            raised = stack.raised
            value = raised if raised is not None else stack.outcome
            branch.stop(_end("returned" if raised is None else "raised", branch, value))


_NO_FRAME = Frame("call", "", 0, 0)


def _end(reason: EndReason, branch: Branch, value: Value | None = None, message: str | None = None) -> End:
    last = branch.nodes[-1] if branch.nodes else Node(_NO_FRAME, Stack())
    return End(
        reason,
        None if value is None else value.repr,
        len(branch.nodes),
        last.decisions,
        last.tokens,
        last.seconds,
        message,
    )
