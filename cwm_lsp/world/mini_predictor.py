"""The predictor for cwm-mini: walks the current line by small questions, each answered by the model.

Control flow chooses among the frames that `choices` admits; where several lines stay possible the model
says which. Leaves out the walk (machine.py, source/) and how questions look to the model
(trace/mini_layout.py).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cwm_lsp.model.backend import Backend, BackendError, Cancel, Completion, Request
from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Answer, Operation, Unsupported
from cwm_lsp.source.unfold import unfold
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.trace.codec import Choices, Option
from cwm_lsp.trace.frame import Event, Frame, Value
from cwm_lsp.trace.mini_values import text_of_tokens
from cwm_lsp.trace.mini_vocabulary import END, INVENT
from cwm_lsp.world.drafts import guess
from cwm_lsp.world.machine import Machine, Step, exception_triple
from cwm_lsp.world.predictor import Prediction, PredictionError

LONGEST_ANSWER = 400
KEPT_MACHINES = 2048


@dataclass(slots=True)
class _Tally:
    """What one frame costs."""

    decisions: int = 0
    tokens: int = 0


@dataclass(slots=True)
class _Block:
    """The tokens of the current line's block so far, as ids, behind the function's source; empty until
    something is asked."""

    bare: bool
    ids: list[int] = field(default_factory=list)
    tally: _Tally = field(default_factory=_Tally)


class MiniPredictor:
    """Predicts frames with a model that speaks cwm-mini's layout. Safe to share between simulations."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        vocabulary = backend.vocabulary
        self._specials = vocabulary.specials()
        self._names = {identity: name for name, identity in self._specials.items()}
        self._sources: dict[layout.Tokens, list[int]] = {}
        self._machines: OrderedDict[tuple[int, int], tuple[Frame, Machine]] = OrderedDict()

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """The next frame. Raises PredictionError: refused where the walk can't take the code apart."""
        began = time.perf_counter()
        try:
            if not frames:
                return self._invented(document, choices, cancel, began)
            machine = self._machine(document, frames, cancel).copy()
            frame, tally = self._next(machine, choices, cancel)
            machine.follow(frame)
        except Unsupported as error:
            raise PredictionError("refused", f"cwm-mini can't tell what comes next: {error}.") from error
        except BackendError as error:
            raise PredictionError("engine", str(error)) from error
        except RecursionError:
            raise PredictionError(
                "refused", "cwm-mini can't tell what comes next: the line nests too deep."
            ) from None
        self._keep(len(frames) + 1, frame, machine)
        return Prediction(frame, tally.decisions, tally.tokens, time.perf_counter() - began)

    # -- machines

    def _machine(self, document: Document, frames: Sequence[Frame], cancel: Cancel) -> Machine:
        """The machine after these frames; what is not kept is walked again."""
        start = len(frames)
        machine: Machine | None = None
        while start > 0 and machine is None:
            found = self._machines.get((start, id(frames[start - 1])))
            if found is not None and found[0] is frames[start - 1] and found[1].document is document:
                machine = found[1].copy()
            else:
                start -= 1
        machine = machine or Machine(document)
        for at in range(start, len(frames)):
            if at and machine.stack and machine.top.situation in ("line", "returned"):
                self._walk(machine, cancel)
            machine.follow(frames[at])
            self._keep(at + 1, frames[at], machine.copy())
        return machine

    def _keep(self, count: int, frame: Frame, machine: Machine) -> None:
        self._machines[(count, id(frame))] = (frame, machine)
        while len(self._machines) > KEPT_MACHINES:
            self._machines.popitem(last=False)

    # -- one frame

    def _walk(self, machine: Machine, cancel: Cancel, *, bare: bool = True) -> tuple[Step, _Block]:
        """Walks the machine's line, each question answered by the model."""
        block = _Block(bare)
        walk = machine.walk()
        try:
            operation = next(walk)
            while True:
                operation = walk.send(self._answer(machine, block, operation, cancel))
        except StopIteration as finished:
            step: Step = finished.value
        return step, block

    def _begin(self, machine: Machine, block: _Block) -> None:
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

    def _answer(self, machine: Machine, block: _Block, operation: Operation, cancel: Cancel) -> Answer:
        """The model's answer; to a sum or a sort by the additions or comparisons it is made of."""
        steps = unfold(operation)
        if steps is None:
            return self._ask(machine, block, operation, cancel)
        try:
            step = next(steps)
            while True:
                step = steps.send(self._ask(machine, block, step, cancel))
        except StopIteration as finished:
            answer: Answer = finished.value
            return answer

    def _ask(self, machine: Machine, block: _Block, operation: Operation, cancel: Cancel) -> Answer:
        self._begin(machine, block)
        asked = self._encode(layout.question(operation))
        block.ids += asked
        block.tally.tokens += len(asked)
        guessed = None if operation.is_test else guess(operation)
        draft = () if guessed is None else self._encode(layout.answer_tokens(guessed, operation))
        completion = self._complete(block, layout.grammar(operation), cancel, draft)
        machine.certainty *= confidence_of(completion)
        try:
            return layout.read_answer(self._decode(completion.tokens), operation)
        except ValueError as error:
            raise PredictionError("malformed", f"The model's answer is no value: {error}.") from error

    def _complete(self, block: _Block, grammar: str, cancel: Cancel, draft: Sequence[int] = ()) -> Completion:
        request = Request(block.ids, max_tokens=LONGEST_ANSWER, grammar=grammar, cancel=cancel, draft=draft)
        completion = self.backend.complete(request)
        if completion.reason == "cancelled":
            raise PredictionError("cancelled", "The prediction was cancelled.")
        if completion.reason == "length":
            raise PredictionError(
                "malformed", f"The model's answer did not end within {LONGEST_ANSWER} tokens."
            )
        block.ids += completion.tokens
        block.tally.tokens += len(completion.tokens)
        block.tally.decisions += completion.decisions
        return completion

    def _next(self, machine: Machine, choices: Choices, cancel: Cancel) -> tuple[Frame, _Tally]:
        top, depth = machine.top, len(machine.stack)
        step, block = self._walk(machine, cancel, bare=not choices.free_form)
        if choices.free_form and top.situation in ("line", "returned") and step.event != "call":
            frame = self._free(machine, step, block, choices, cancel)
        elif step.event == "call":
            frame = _call_frame(machine, step, choices)
        elif step.event == "exception":
            arg = Value(exception_triple(step.text), "predicted", machine.certainty)
            frame = Frame("exception", top.function.qualname, top.line, depth, {}, arg)
        elif step.event == "return":
            frame = _return_frame(machine, step, choices)
        else:
            frame = self._line_frame(machine, step, block, choices, cancel)
        return frame, block.tally

    def _line_frame(
        self, machine: Machine, step: Step, block: _Block, choices: Choices, cancel: Cancel
    ) -> Frame:
        top, depth = machine.top, len(machine.stack)
        here = [
            o
            for o in choices.options
            if o.event == "line" and o.depth == depth and o.function == top.function.qualname
        ]
        lines = list(dict.fromkeys(option.line for option in here))
        if choices.free_form:
            lines = machine.names.entry_lines(top.function) if top.situation == "called" else lines
        if step.line is not None:
            lines = [line for line in lines if line == step.line] or lines
        elif step.branch is not None:
            inside = machine.names.first_inside(top.function, top.line)
            taken = [line for line in lines if line == inside]
            lines = (taken or lines) if step.branch else [line for line in lines if line not in taken]
        if not lines:
            if any(option.event == "return" and option.depth == depth for option in choices.options):
                return _return_frame(machine, Step("return", unwinding=bool(top.raised)), choices)
            raise PredictionError(
                "refused", "cwm-mini can't tell what comes next: no line of the function can follow."
            )
        line = lines[0] if len(lines) == 1 else self._choose(machine, block, lines, cancel)
        return _line_frame(machine, line, choices)

    def _choose(self, machine: Machine, block: _Block, lines: Sequence[int], cancel: Cancel) -> int:
        """The line that the model says comes next."""
        naming = layout.naming_of(machine.document, machine.top.function.qualname)
        named = {naming.line(line): line for line in reversed(lines)}
        self._begin(machine, block)
        block.ids.append(self._specials["<|line_sep|>"])
        completion = self._complete(block, f"start: {' | '.join(named)}\n", cancel)
        machine.certainty *= confidence_of(completion)
        return named[self._decode(completion.tokens)[0]]

    def _free(self, machine: Machine, step: Step, block: _Block, choices: Choices, cancel: Cancel) -> Frame:
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
        machine.certainty *= confidence_of(completion)
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
        block = _Block(True, self._encode((*layout.source_tokens(document, option.function), INVENT)))
        values: dict[str, Value] = {}
        for choice in option.locals:
            block.ids += self._encode((*naming.variable(choice.name), "<|arg_sep|>"))
            completion = self._complete(block, f"start: value {END}\n{layout.VALUE_RULE}", cancel)
            tokens = self._decode(completion.tokens)
            text = text_of_tokens(list(tokens[:-1]))
            values[choice.name] = Value(text, "predicted", confidence_of(completion))
        frame = Frame("call", option.function, option.line, option.depth, values)
        tally = block.tally
        return Prediction(frame, tally.decisions, tally.tokens, time.perf_counter() - began)

    # -- ids

    def _encode(self, tokens: Sequence[str]) -> list[int]:
        ids: list[int] = []
        for token in tokens:
            special = self._specials.get(token)
            if special is None:
                ids += self.backend.vocabulary.encode(token)
            else:
                ids.append(special)
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


def _matching(
    choices: Choices, event: Event, function: str, depth: int, names: Mapping[str, Value]
) -> list[Option]:
    return [
        option
        for option in choices.options
        if (option.event, option.function, option.depth) == (event, function, depth)
        and {choice.name for choice in option.locals} == set(names)
    ]


def _ordered(values: Mapping[str, Value], options: Sequence[Option]) -> dict[str, Value]:
    """Locals in the order in which the frame lists them."""
    if not options:
        return dict(values)
    return {choice.name: values[choice.name] for choice in options[0].locals}


def _line_frame(machine: Machine, line: int, choices: Choices) -> Frame:
    qualname, depth = machine.top.function.qualname, len(machine.stack)
    values = machine.locals_now(line)
    options = [
        option for option in _matching(choices, "line", qualname, depth, values) if option.line == line
    ]
    return Frame("line", qualname, line, depth, _ordered(values, options))


def _call_frame(machine: Machine, step: Step, choices: Choices) -> Frame:
    depth = len(machine.stack) + 1
    qualname, line, values = machine.entered_locals(step)
    options = [
        option for option in _matching(choices, "call", qualname, depth, values) if option.line == line
    ]
    return Frame("call", qualname, line, depth, _ordered(values, options))


def _return_frame(machine: Machine, step: Step, choices: Choices) -> Frame:
    top, depth = machine.top, len(machine.stack)
    lines = [option.line for option in choices.options if option.event == "return" and option.depth == depth]
    line = top.line if top.line in lines or not lines else lines[0]
    confidence = None if step.unwinding else machine.certainty
    return Frame("return", top.function.qualname, line, depth, {}, Value(step.text, "predicted", confidence))
