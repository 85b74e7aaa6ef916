"""The state between two frames, as far as frames don't show it: loops under way, shared containers,
pending calls.

A machine follows a history frame by frame and walks the current line by questions (source/execute.py); it
never answers them. Leaves out who answers and which of several possible lines comes next (mini_predictor.py).
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from cwm_lsp.source.document import Document
from cwm_lsp.source.evaluate import Evaluator, PythonRaised
from cwm_lsp.source.execute import Head, Progress, run_comprehension, run_line
from cwm_lsp.source.functions import Function
from cwm_lsp.source.names import Names, names_of
from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Iteration,
    New,
    Operation,
    Outcome,
    Question,
    Ref,
    Resume,
    Stop,
    Unsupported,
)
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.machine_scope import ActivationScope

Situation = Literal["called", "resumed", "closing", "line", "returned", "raised", "unwound"]


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next, without the line where several may come.

    line: `branch` tells where a test sends it; call: `enter` is entered or `resume` picked up; return:
    `text` is the value; exception: `text` is the `repr` of the instance.
    """

    event: Literal["call", "line", "return", "exception"]
    branch: bool | None = None
    text: str = "None"
    enter: Enter | None = None
    resume: Resume | None = None
    line: int | None = None
    unwinding: bool = False


@dataclass(slots=True)
class Running:
    """One activation as the machine sees it; `shown` are the values of its last frame that had locals."""

    function: Function
    line: int
    env: dict[str, Ref]
    shown: Mapping[str, Value]
    situation: Situation = "called"
    progress: Progress = field(default_factory=Progress)
    pending: Progress | None = None
    answers: list[Answer] = field(default_factory=list)
    applied: int = -1
    iteration: Iteration | None = None
    previous: int | None = None
    raised: str = ""
    generator: int | None = None
    yielded: bool = False

    def copy(self) -> Running:
        """A copy that can go its own way."""
        return replace(
            self,
            env=dict(self.env),
            answers=list(self.answers),
            progress=self.progress.copy(),
            pending=None if self.pending is None else self.pending.copy(),
        )


class Machine:
    """The hidden state after some frames. `certainty` is the confidence of the answers given on this line
    so far."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.names: Names = names_of(document)
        self.stack: list[Running] = []
        self.heap: dict[int, str] = {}
        self.sure: dict[int, float] = {}
        self.certainty = 1.0
        self.entering: Enter | None = None
        self.resuming: Resume | None = None
        self.generators: dict[int, Create | Running | None] = {}
        self.attributes: dict[int, dict[str, Ref]] = {}
        self.over = False
        self._cells = 0

    def copy(self) -> Machine:
        """A machine in the same state that can follow other frames."""
        twin = Machine.__new__(Machine)
        twin.__dict__.update(self.__dict__)
        twin.stack = [running.copy() for running in self.stack]
        twin.generators = {
            number: held.copy() if isinstance(held, Running) else held
            for number, held in self.generators.items()
        }
        twin.attributes = {cell: dict(held) for cell, held in self.attributes.items()}
        reached = self._reached()
        twin.heap = {cell: text for cell, text in self.heap.items() if cell in reached}
        twin.sure = {cell: confidence for cell, confidence in self.sure.items() if cell in reached}
        return twin

    def _reached(self) -> set[int]:
        """The cells that a name, a loop or a pending call still leads to."""
        waiting = [held for held in self.generators.values() if isinstance(held, Running)]
        everyone = [*self.stack, *waiting]
        refs = [ref for running in everyone for ref in running.env.values()]
        refs += [answer for running in everyone for answer in running.answers if isinstance(answer, Ref)]
        refs += [ref for held in self.attributes.values() for ref in held.values()]
        for held in self.generators.values():
            if isinstance(held, Create):
                refs += [ref for _, ref in held.arguments]
                refs += sources_of(held.iteration) if held.iteration is not None else []
        for running in everyone:
            for progress in (running.progress, running.pending):
                if progress is not None:
                    refs += [ref for spec, _, _ in progress.loops.values() for ref in sources_of(spec)]
            if running.iteration is not None:
                refs += sources_of(running.iteration)
        if self.entering is not None:
            refs += [ref for _, ref in self.entering.arguments]
        return {ref.cell for ref in refs if ref.cell is not None}

    @property
    def top(self) -> Running:
        """The activation that runs now."""
        return self.stack[-1]

    # -- following what happened
    # -------------------------------------------------------------------------------

    def follow(self, frame: Frame) -> None:
        """Takes one more frame as what happened, whatever was walked before it."""
        if frame.event == "call":
            self._follow_call(frame)
        else:
            del self.stack[frame.depth :]
            if frame.event == "line":
                self._follow_line(frame)
            elif frame.event == "exception":
                self._settle()
                self.top.situation, self.top.line = "raised", frame.line
                self.top.raised = exception_text(frame.arg.repr if frame.arg else "")
            else:
                self._follow_return(frame)
        self.entering = self.resuming = None
        self.certainty = 1.0

    def _follow_call(self, frame: Frame) -> None:
        function = self.document.function(frame.function, frame.line) or self.document.function(
            frame.function
        )
        if function is None:
            raise Unsupported(f"{frame.function} is not a function of this file")
        del self.stack[frame.depth - 1 :]
        held = self.generators.get(self.resuming.generator) if self.resuming else None
        if isinstance(held, Running) and held.function.qualname == frame.function:
            self._pick_up(held, frame)
            return
        expected: Enter | Create | None = held if isinstance(held, Create) else self.entering
        expected = expected if expected and expected.function == frame.function else None
        given = dict(expected.arguments) if expected else {}
        env = {}
        for name, value in frame.locals.items():
            known = given.get(name)
            env[name] = self.cell_for(
                known if known and self.text_of(known) == value.repr else Ref(value.repr)
            )
        iteration = expected.iteration if expected else None
        running = Running(function, frame.line, env, frame.locals, iteration=iteration)
        if isinstance(expected, Create) and self.resuming is not None:
            running.generator = self.resuming.generator
        self.stack.append(running)

    def _pick_up(self, held: Running, frame: Frame) -> None:
        """A generator goes on where it yielded."""
        assert self.resuming is not None
        self.generators[self.resuming.generator] = None
        held.situation = "closing" if self.resuming.close else "resumed"
        held.yielded = False
        held.line, held.shown = frame.line, frame.locals
        self.stack.append(held)
        self._adopt(held, frame)

    def _follow_line(self, frame: Frame) -> None:
        self._settle()
        top = self.top
        self._adopt(top, frame)
        top.previous = top.line if top.situation in ("line", "returned") else None
        top.line, top.situation, top.shown = frame.line, "line", frame.locals
        top.answers, top.applied = [], -1
        heads = self.names.heads(top.function)
        for start in list(top.progress.loops):
            loop = heads.get(start)
            if isinstance(loop, ast.For) and not loop.lineno <= frame.line <= (
                loop.end_lineno or loop.lineno
            ):
                del top.progress.loops[start]

    def _adopt(self, running: Running, frame: Frame) -> None:
        """The locals are what the frame says, whatever was walked."""
        for name, value in frame.locals.items():
            known = running.env.get(name)
            if known is None or self.text_of(known) != value.repr:
                running.env[name] = self.cell_for(Ref(value.repr))
        for name in [name for name in running.env if name not in frame.locals]:
            del running.env[name]

    def _settle(self) -> None:
        """The walked line is over: what it did to loops and the like counts."""
        if self.top.pending is not None:
            self.top.progress, self.top.pending = self.top.pending, None

    def _follow_return(self, frame: Frame) -> None:
        self._settle()
        ended = self.stack.pop()
        if not self.stack:
            self.over = True
            return
        text = frame.arg.repr if frame.arg else "None"
        if ended.generator is not None and (ended.yielded or ended.raised in ("", "GeneratorExit()")):
            self.generators[ended.generator] = ended if ended.yielded else None
            self._answer(text if ended.yielded else Stop())
            return
        if ended.situation == "raised" and text == "None":
            self.top.situation, self.top.raised = "unwound", ended.raised
            return
        self._answer(text)

    def _answer(self, answer: Answer) -> None:
        """A callee came back to the top activation."""
        self.top.situation = "returned"
        self.top.applied = len(self.top.answers)
        self.top.answers.append(answer)

    # -- walking on
    # -------------------------------------------------------------------------------------------

    def walk(self) -> Generator[Operation, Answer, Step]:
        """Walks to the next frame by questions. Raises Unsupported for what can't be taken apart."""
        top = self.top
        if top.situation in ("called", "resumed"):
            return Step("line")
        if top.situation == "closing":
            return Step("exception", text="GeneratorExit()")
        if top.situation == "unwound":
            return Step("exception", text=top.raised)
        if top.situation == "raised":
            return self._after_exception()
        return (yield from self._walk_line())

    def _after_exception(self) -> Step:
        top = self.top
        handler = self.names.handler(top.function, top.line)
        if handler is None:
            return Step("return", unwinding=True)
        top.progress.exception = top.raised
        return Step("line", line=handler)

    def _walk_line(self) -> Generator[Operation, Answer, Step]:
        top = self.top
        evaluator = Evaluator(ActivationScope(self, top), top.answers, top.applied)
        progress = top.progress.copy()
        if top.function.kind in ("listcomp", "setcomp", "dictcomp", "genexpr"):
            if top.iteration is None:
                raise Unsupported("what a comprehension walks over is not known here")
            assert isinstance(top.function.node, ast.expr)
            walk = run_comprehension(evaluator, progress, top.function.node, top.iteration)
        elif top.function.kind == "lambda":
            walk = self._lambda(evaluator)
        else:
            inside = self._within_statement()
            if inside is not None:
                return inside
            head, block = self._head()
            walk = run_line(evaluator, progress, head, block, top.line)
        try:
            question = next(walk)
            while True:
                if isinstance(question, Enter):
                    return self._enter(question)
                if isinstance(question, Create):
                    question = walk.send(self._create(question))
                elif isinstance(question, New):
                    question = walk.send(self.cell_for(Ref(f"<{question.class_name} object>")))
                elif isinstance(question, Resume):
                    if isinstance(
                        self.generators.get(question.generator), Create if question.close else type(None)
                    ):
                        self.generators[question.generator] = None
                        question = walk.send(Stop())
                        continue
                    self.resuming = question
                    return Step("call", resume=question)
                else:
                    question = walk.send((yield question))
        except StopIteration as finished:
            outcome: Outcome = finished.value
        top.pending = progress
        return self._step(outcome)

    def _create(self, question: Create) -> Ref:
        number = len(self.generators) + 1
        arguments = tuple((name, self.cell_for(value)) for name, value in question.arguments)
        self.generators[number] = Create(question.function, arguments, question.iteration)
        return Ref(f"<generator object {question.function}>", generator=number)

    def _lambda(self, evaluator: Evaluator) -> Generator[Question, Answer, Outcome]:
        node = self.top.function.node
        assert isinstance(node, ast.Lambda)
        try:
            value = yield from evaluator.eval(node.body)
        except PythonRaised as error:
            return Outcome("raise", raised=error.text)
        return Outcome("return", value=evaluator.text(value))

    def _enter(self, question: Enter) -> Step:
        function = self.document.function(question.function)
        if function is None or function.is_generator or function.kind == "async":
            raise Unsupported(f"a call of {question.function} can't be taken apart yet")
        arguments = tuple((name, self.cell_for(value)) for name, value in question.arguments)
        self.entering = Enter(question.function, arguments, question.iteration)
        return Step("call", enter=self.entering)

    def _step(self, outcome: Outcome) -> Step:
        if outcome.kind in ("return", "yield"):
            self.top.yielded = outcome.kind == "yield"
            return Step("return", text=outcome.value or "None")
        if outcome.kind == "raise":
            return Step("exception", text=outcome.raised or "Exception()")
        if "unhandled" in outcome.notes:
            self.top.raised = outcome.notes["unhandled"]
        return Step("line", branch=outcome.branch)

    def _head(self) -> tuple[Head, list[ast.stmt]]:
        top = self.top
        head = self.names.heads(top.function).get(top.line)
        if head is None:
            raise Unsupported(f"line {top.line} starts no statement that can be taken apart")
        return head, self.names.block(top.function, head)

    def _within_statement(self) -> Step | None:
        """Inside a statement over several lines: its work is done where the first line is visited again."""
        top = self.top
        span = self.names.span(top.function, top.line)
        if span is None:
            return None
        first, last = span
        been_inside = top.previous is not None and first < top.previous <= last
        if top.line == first and been_inside:
            return None
        following = [line for line in self.names.successors(top.function, top.line) if first <= line <= last]
        if not following or (top.situation == "returned"):
            return None
        return Step("line", line=min((line for line in following if line > top.line), default=first))

    # -- values ----------------------------------------------------------------------------------------------

    def text_of(self, value: Ref) -> str:
        """The current `repr` of a value."""
        return value.text if value.cell is None else self.heap[value.cell]

    def cell_for(self, value: Ref) -> Ref:
        if value.cell is not None:
            return value
        self._cells += 1
        self.heap[self._cells] = value.text
        self.sure[self._cells] = self.certainty
        return replace(value, cell=self._cells)

    def locals_now(self, line: int) -> dict[str, Value]:
        """What the top activation shows in a LINE frame at `line`, in the order its names were bound."""
        return self._locals(self.top, line)

    def entered_locals(self, step: Step) -> tuple[str, int, dict[str, Value]]:
        """The function, line and locals of the CALL frame that a step of that event leads to."""
        held = self.generators[step.resume.generator] if step.resume else step.enter
        if isinstance(held, Running):
            return held.function.qualname, held.line, self._locals(held, held.line)
        assert held is not None
        function = self.document.function(held.function)
        values = {
            name: Value(self.text_of(ref), "predicted", self.sure.get(ref.cell or 0, 1.0))
            for name, ref in held.arguments
        }
        return held.function, function.first_line if function else 0, values

    def _locals(self, top: Running, line: int) -> dict[str, Value]:
        gone = self.names.unbound_between(top.function, top.line, line)
        ordered = [name for name in top.shown if name in top.env and name not in gone]
        fresh = [name for name in top.env if name not in top.shown and name not in gone]
        rank = {name: at for at, name in enumerate(self.names.variables(top.function))}
        fresh.sort(key=lambda name: rank.get(name, len(rank)))
        values: dict[str, Value] = {}
        for name in (*ordered, *fresh):
            ref = top.env[name]
            text = self.text_of(ref)
            before = top.shown.get(name)
            if before is not None and before.repr == text:
                values[name] = before
            else:
                values[name] = Value(text, "predicted", self.sure.get(ref.cell or 0, 1.0))
        return values


def sources_of(spec: Iteration) -> list[Ref]:
    """All values that an iteration walks over."""
    found: list[Ref] = []
    for source in spec.sources:
        found.append(source)
        if source.iteration is not None and source.iteration is not spec:
            found += sources_of(source.iteration)
    return found


def exception_text(triple: str) -> str:
    """The instance's `repr` out of `(<class 'E'>, E('...'), <traceback object>)`."""
    text = triple.removesuffix(", <traceback object>)")
    start = text.find(">, ")
    return text[start + 3 :] if text.startswith("(<class") and start >= 0 else text


def exception_triple(text: str) -> str:
    """What an EXCEPTION frame carries for an instance with this `repr`."""
    name = text.partition("(")[0]
    return f"(<class '{name}'>, {text}, <traceback object>)"
