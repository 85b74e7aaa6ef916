"""The predictor for cwm-mini: walks the current line by small questions, each answered by the model.

Control flow chooses among the frames that `choices` admits; where several lines stay possible the model
says which. Leaves out the walk (machine.py, source/) and how questions look to the model
(trace/mini_layout.py).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from cwm_lsp.model.backend import Backend, BackendError, Cancel, Completion, Request
from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Answer, Operation, Unsupported, drive
from cwm_lsp.source.unfold import unfold
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.trace.mini_values import text_of_tokens
from cwm_lsp.trace.mini_vocabulary import END, INVENT
from cwm_lsp.world.confidence import Calibration
from cwm_lsp.world.drafts import guess
from cwm_lsp.world.machine import Machine, Step, exception_triple
from cwm_lsp.world.machines import Machines
from cwm_lsp.world.next_frame import (
    ChosenRoads,
    call_frame,
    exception_frame,
    left_frame,
    line_frame,
    lines_ahead,
    return_frame,
)
from cwm_lsp.world.predictor import Prediction, PredictionError

LONGEST_ANSWER = 400
KEPT_ANSWERS = 4096
NOT_LEARNT = ("set_slice", "del_slice")


@dataclass(slots=True)
class Tally:
    """What one frame costs."""

    decisions: int = 0
    tokens: int = 0


@dataclass(slots=True)
class Block:
    """The tokens of the current line's block so far, as ids, behind the function's source; empty until
    something is asked."""

    bare: bool
    ids: list[int] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)


class MiniPredictor:
    """Predicts frames with a model that speaks cwm-mini's layout. Safe to share between simulations."""

    def __init__(self, backend: Backend, calibration: Calibration | None = None) -> None:
        """`calibration` is that of the model, unless another is given."""
        self.backend = backend
        details = backend.describe().details
        self.backwards = details.get("digits") == "backwards"
        self._calibration = calibration or Calibration.from_details(details)
        vocabulary = backend.vocabulary
        self._specials = vocabulary.specials()
        self._names = {identity: name for name, identity in self._specials.items()}
        self._ids: dict[str, tuple[int, ...]] = {}
        self._sources: dict[layout.Tokens, list[int]] = {}
        self._machines = Machines(computes=False)
        self._said: OrderedDict[tuple[tuple[int, ...], str], Completion] = OrderedDict()

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """The next frame. Raises PredictionError: refused where the walk can't take the code apart."""
        began = time.perf_counter()
        try:
            if not frames:
                return self._invented(document, choices, cancel, began)
            machine = self._machines.take(document, frames, lambda machine: self._walk(machine, cancel))
            frame, tally = self._next(machine, choices, cancel)
        except Unsupported as error:
            raise PredictionError("refused", f"cwm-mini can't tell what comes next: {error}.") from error
        except BackendError as error:
            raise PredictionError("engine", str(error)) from error
        except RecursionError:
            raise PredictionError(
                "refused", "cwm-mini can't tell what comes next: the line nests too deep."
            ) from None
        self._machines.keep(frames, machine)
        return Prediction(frame, tally.decisions, tally.tokens, time.perf_counter() - began)

    # -- one frame

    @staticmethod
    def begin() -> Block:
        """What a line's questions and answers are gathered in, for whoever asks single questions."""
        return Block(True)

    def _walk(self, machine: Machine, cancel: Cancel, *, bare: bool = True) -> tuple[Step, Block]:
        """Walks the machine's line, each question answered by the model."""
        block = Block(bare)
        step = drive(machine.walk(), lambda operation: self.answer(machine, block, operation, cancel))
        return step, block

    def _begin(self, machine: Machine, block: Block) -> None:
        """The source and the block's head, once something is asked. A bare head has no values: the questions
        hold those that they need, and half as long a prompt is read in half the time."""
        if block.ids:
            return
        top = machine.top
        qualname = top.function.qualname
        source = layout.source_tokens(machine.document, qualname)
        if source not in self._sources:
            self._sources[source] = self._encode(source)
        naming = layout.naming_of(machine.document, qualname)
        read = () if block.bare else layout.names_read(machine.document, qualname, top.line)
        values = [(name, machine.text_of(top.env[name])) for name in read if name in top.env]
        shown = [(name, text) for name, text in values if not text.startswith("<function")]
        block.ids = [*self._sources[source], *self._encode(layout.block_start(naming, top.line, shown))]

    def answer(self, machine: Machine, block: Block, operation: Operation, cancel: Cancel) -> Answer:
        """What the model says to one question of a walk; to a sum or a sort, by the additions or comparisons
        it is made of. Raises PredictionError, BackendError."""
        if operation.kind in NOT_LEARNT:
            raise Unsupported("cwm-mini has not learnt assignment to slices")
        steps = unfold(operation)
        if steps is None:
            return self._ask(machine, block, operation, cancel)
        return drive(steps, lambda step: self._ask(machine, block, step, cancel))

    def _ask(self, machine: Machine, block: Block, operation: Operation, cancel: Cancel) -> Answer:
        self._begin(machine, block)
        asked = self._encode(layout.question(operation))
        block.ids += asked
        block.tally.tokens += len(asked)
        guessed = None if operation.is_test else guess(operation)
        written = operation if self.backwards else None
        draft = () if guessed is None else self._encode(layout.answer_tokens(guessed, written))
        grammar = layout.grammar(operation, backwards=self.backwards)
        completion = self._complete(block, grammar, cancel, draft)
        machine.certainty *= self._sure(completion)
        try:
            return layout.read_answer(self._decode(completion.tokens), written)
        except ValueError as error:
            raise PredictionError("malformed", f"The model's answer is no value: {error}.") from error

    def _complete(self, block: Block, grammar: str, cancel: Cancel, draft: Sequence[int] = ()) -> Completion:
        request = Request(block.ids, max_tokens=LONGEST_ANSWER, grammar=grammar, cancel=cancel, draft=draft)
        key = (tuple(block.ids), grammar)
        known = self._said.get(key)
        completion = self.backend.complete(request) if known is None else known
        if completion.reason == "cancelled":
            raise PredictionError("cancelled", "The prediction was cancelled.")
        if completion.reason == "length":
            raise PredictionError(
                "malformed", f"The model's answer did not end within {LONGEST_ANSWER} tokens."
            )
        self._said[key] = completion
        if len(self._said) > KEPT_ANSWERS:
            self._said.popitem(last=False)
        block.ids += completion.tokens
        block.tally.tokens += len(completion.tokens)
        block.tally.decisions += completion.decisions
        return completion

    def _next(self, machine: Machine, choices: Choices, cancel: Cancel) -> tuple[Frame, Tally]:
        top, roads = machine.top, ChosenRoads(choices)
        step, block = self._walk(machine, cancel, bare=not choices.free_form)
        if choices.free_form and top.situation in ("line", "returned") and step.event != "call":
            frame = self._free(machine, step, block, choices, cancel)
        elif step.event == "call":
            frame = call_frame(machine, step, roads)
        elif step.event == "exception":
            frame = exception_frame(machine, step)
        elif step.event == "return":
            frame = return_frame(machine, step, roads)
        else:
            frame = self._line_frame(machine, step, block, choices, cancel)
        return frame, block.tally

    def _line_frame(
        self, machine: Machine, step: Step, block: Block, choices: Choices, cancel: Cancel
    ) -> Frame:
        roads = ChosenRoads(choices)
        if choices.free_form and machine.top.situation == "called":
            lines = machine.names.entry_lines(machine.top.function)
        else:
            lines = lines_ahead(machine, step, roads)
        if not lines:
            return left_frame(machine, roads)
        line = lines[0] if len(lines) == 1 else self.choose(machine, block, lines, cancel)
        return line_frame(machine, line, roads)

    def choose(self, machine: Machine, block: Block, lines: Sequence[int], cancel: Cancel) -> int:
        """The line that the model says comes next."""
        naming = layout.naming_of(machine.document, machine.top.function.qualname)
        named = {naming.line(line): line for line in reversed(lines)}
        self._begin(machine, block)
        block.ids.append(self._specials["<|line_sep|>"])
        completion = self._complete(block, f"start: {' | '.join(named)}\n", cancel)
        machine.certainty *= self._sure(completion)
        return named[self._decode(completion.tokens)[0]]

    def _free(self, machine: Machine, step: Step, block: Block, choices: Choices, cancel: Cancel) -> Frame:
        """Grounding "none": the model alone says which event and which line come."""
        top, depth = machine.top, len(machine.stack)
        naming = layout.naming_of(machine.document, top.function.qualname)
        first, last = naming.first_line, layout.root_of(machine.document, top.function).last_line
        lines = [o.line for o in choices.options if first < o.line <= last] or [top.line]
        named = {naming.line(line): line for line in reversed(lines)}
        ways = ["<|line_sep|> line", "<|return_sep|>", "<|exception_sep|>"]
        rule = f"start: {' | '.join(ways)}\nline: {' | '.join(named)}\n"
        self._begin(machine, block)
        completion = self._complete(block, rule, cancel)
        machine.certainty *= self._sure(completion)
        said = self._decode(completion.tokens)
        if said[0] == "<|line_sep|>":
            line = named[said[1]]
            return Frame("line", top.function.qualname, line, depth, machine.locals_now(line))
        if said[0] == "<|return_sep|>":
            text = step.text if step.event == "return" else "None"
            return Frame(
                "return",
                top.function.qualname,
                top.line,
                depth,
                {},
                Value(text, "predicted", machine.certainty),
            )
        if step.event != "exception":
            raise PredictionError("malformed", "The model says that an exception is raised, but not which.")
        arg = Value(exception_triple(step.text), "predicted", machine.certainty)
        return Frame("exception", top.function.qualname, top.line, depth, {}, arg)

    # -- arguments that nobody gave

    def _invented(self, document: Document, choices: Choices, cancel: Cancel, began: float) -> Prediction:
        option = next((option for option in choices.options if option.event == "call"), None)
        if option is None:
            raise PredictionError("refused", "A trace begins with a call.")
        naming = layout.naming_of(document, option.function)
        block = Block(True, self._encode((*layout.source_tokens(document, option.function), INVENT)))
        values: dict[str, Value] = {}
        for choice in option.locals:
            block.ids += self._encode((*naming.variable(choice.name), "<|arg_sep|>"))
            completion = self._complete(block, f"start: value {END}\n{layout.VALUE_RULE}", cancel)
            tokens = self._decode(completion.tokens)
            text = text_of_tokens(list(tokens[:-1]))
            values[choice.name] = Value(text, "predicted", self._sure(completion))
        frame = Frame("call", option.function, option.line, option.depth, values)
        tally = block.tally
        return Prediction(frame, tally.decisions, tally.tokens, time.perf_counter() - began)

    def _sure(self, completion: Completion) -> float:
        return self._calibration.of_value(confidence_of(completion))

    # -- ids

    def _encode(self, tokens: Sequence[str]) -> list[int]:
        ids: list[int] = []
        for token in tokens:
            known = self._ids.get(token)
            ids += self._spelt(token) if known is None else known
        return ids

    def _spelt(self, token: str) -> tuple[int, ...]:
        """The ids of a layout token: a special token, or a run of text."""
        special = self._specials.get(token)
        ids = tuple(self.backend.vocabulary.encode(token)) if special is None else (special,)
        if len(token) == 1 or special is not None:
            self._ids[token] = ids
        return ids

    def _decode(self, ids: Sequence[int]) -> list[str]:
        """Layout tokens of ids; runs of text are joined, since a character may be several ids."""
        tokens: list[str] = []
        run: list[int] = []
        for identity in (*ids, -1):
            name = self._names.get(identity)
            if name is None and identity >= 0:
                run.append(identity)
                continue
            if run:
                tokens.append(self.backend.vocabulary.decode(run))
                run = []
            if name is not None:
                tokens.append(name)
        return tokens


def confidence_of(completion: Completion) -> float:
    """The probability that the model gave to what it chose, among what it could choose."""
    return math.exp(min(0.0, sum(completion.choice_logprobs)))
