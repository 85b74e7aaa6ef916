"""The state between two frames, as far as frames don't show it: the values themselves, loops under way,
pending calls, generators that wait.

A machine follows a history frame by frame and walks the current line by questions (source/execute.py). What
it knows of values are real objects, so what two names share is one object; what can't be computed is asked
of whoever drives it. It goes forwards only: another history needs another machine (machines.py). Leaves out
who answers, and which of several possible lines comes next (next_frame.py).
"""

from __future__ import annotations

import ast
from collections.abc import Generator

from cwm_lsp.source.asking import PythonRaised
from cwm_lsp.source.comprehensions import run_comprehension
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.execute import Head, run_line
from cwm_lsp.source.literals_limits import Refused
from cwm_lsp.source.objects import ExceptionObject, GeneratorObject, Walker, show
from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Operation,
    Outcome,
    Question,
    Raised,
    Ref,
    Resume,
    Stop,
    Unsupported,
    Visit,
)
from cwm_lsp.world.machine_follow import Follower
from cwm_lsp.world.machine_scope import ActivationScope
from cwm_lsp.world.machine_state import (
    LineRun,
    Running,
    State,
    Step,
    exception_text,
    exception_triple,
    raised_text,
)

COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")


def _generators_of(walker: Walker) -> list[int]:
    found: list[int] = []
    for source in walker.sources:
        if isinstance(source, GeneratorObject):
            found.append(source.number)
        elif isinstance(source, Walker):
            found += _generators_of(source)
    return found


class Machine(Follower):
    """The hidden state after some frames."""

    # -- walking on

    def walk(self) -> Generator[Operation, Answer, Step]:
        """Walks to the next frame by questions. Raises Unsupported for what can't be taken apart."""
        top = self.top
        if top.lost:
            raise Unsupported("what this line does after an unexpected call is not known")
        if top.situation in ("called", "resumed"):
            return Step("line")
        if top.situation == "closing":
            top.result = Ref(ExceptionObject("GeneratorExit"))
            return Step("exception", text="GeneratorExit()", value=top.result)
        if top.situation == "unwound":
            return Step("exception", text=raised_text(top.raised), value=top.raised)
        if top.situation == "raised":
            return self._after_exception()
        return (yield from self._walk_line())

    def _after_exception(self) -> Step:
        top = self.top
        handler = self.names.handler(top.function, top.line)
        top.progress.leaving = None
        self.refuse_dropped(handler)
        if handler is None:
            return Step("return", unwinding=True)
        top.progress.exception = top.raised
        return Step("line", line=handler)

    def refuse_dropped(self, handler: int | None) -> None:
        """An exception that leaves a loop over a generator closes it: frames that are not told yet."""
        top = self.top
        heads = self.names.heads(top.function)
        for start, walker in top.progress.loops.items():
            loop = heads.get(start)
            inside = (
                handler is not None
                and isinstance(loop, ast.For)
                and loop.lineno <= handler <= (loop.end_lineno or handler)
            )
            if not inside and any(
                isinstance(self.generators.get(number), Running) for number in _generators_of(walker)
            ):
                raise Unsupported("an exception that leaves a loop over a generator can't be taken apart yet")

    def _walk_line(self) -> Generator[Operation, Answer, Step]:
        top = self.top
        try:
            if top.run is None:
                top.run = self._begin(top)
                question = next(top.run)
            elif top.waits:
                reply = top.reply
                top.reply, top.waits, top.situation = None, False, "line"
                if isinstance(reply, Raised):
                    reply = Raised(reply.text, reply.exception)
                question = top.run.send(reply)  # type: ignore[arg-type]
            else:
                raise Unsupported("what this line does now is not known")
            while True:
                step = self._enter(question)
                if step is not None:
                    top.waits = True
                    return step
                if isinstance(question, Create):
                    question = top.run.send(self._create(question))
                elif isinstance(question, Resume):
                    question = top.run.send(Stop())
                else:
                    assert isinstance(question, Operation)
                    self.doubts.certain = False
                    top.lost = True  # until it is answered
                    answer = yield question
                    top.lost = False
                    question = top.run.send(answer)
        except StopIteration as finished:
            outcome: Outcome = finished.value
        except Refused as error:
            raise Unsupported(str(error)) from None
        top.run, top.evaluator = None, None
        return self._step(outcome)

    def _begin(self, top: Running) -> LineRun:
        """The walk of a line that has just begun."""
        evaluator = top.evaluator = Evaluator(ActivationScope(self, top))
        if top.function.kind in COMPREHENSIONS:
            if top.walker is None:
                raise Unsupported("what a comprehension walks over is not known here")
            assert isinstance(top.function.node, ast.expr)
            return run_comprehension(evaluator, top.progress, top.function.node, top.walker, top.line)
        if top.function.kind == "lambda":
            return self._lambda(evaluator, top)
        head, block = self._head()
        return run_line(evaluator, top.progress, head, block, top.line)

    @staticmethod
    def _lambda(evaluator: Evaluator, top: Running) -> LineRun:
        node = top.function.node
        assert isinstance(node, ast.Lambda)
        evaluator.over(node.body.lineno, node.body.end_lineno or node.body.lineno)
        try:
            value = yield from evaluator.eval(node.body)
        except PythonRaised as error:
            return Outcome("raise", raised=Ref(error.value, error.sure))
        return Outcome("return", value=value)

    def _enter(self, question: Question) -> Step | None:
        """The step to another frame that a question leads to; None if it is answered without one."""
        if isinstance(question, Enter):
            function = question.function.function
            if function.kind == "async" or function.is_generator:
                raise Unsupported(f"a call of {function.qualname} can't be taken apart yet")
            self.entering = question
            return Step("call", enter=question)
        if isinstance(question, Visit):
            self._visiting = question.line
            return Step("line", line=question.line)
        if isinstance(question, Resume):
            held = self.generators.get(question.generator.number)
            if question.close and isinstance(held, Create) and self.computes:
                raise Unsupported("the end of a generator that never began can't be taken apart")
            if held is None or (question.close and isinstance(held, Create)):
                self.generators[question.generator.number] = None
                return None
            self.resuming = question
            return Step("call", resume=question)
        return None

    def _create(self, question: Create) -> Ref:
        number = len(self.generators) + 1
        self.generators[number] = question
        return Ref(GeneratorObject(question.function.qualname, number))

    def leave(self) -> Step | None:
        """The return that waited for a `finally` to be done; None if none did."""
        outcome = self.top.progress.leaving
        return None if outcome is None else self._leave(outcome)

    def _step(self, outcome: Outcome) -> Step:
        top = self.top
        top.result = outcome.value
        if outcome.kind in ("return", "yield"):
            top.raised = None
            top.yielded = outcome.kind == "yield"
            if top.yielded:
                top.result = self._beneath_doubt(outcome.value)
                return Step("return", text=self._shown(top.result), value=top.result)
            target = self.names.finally_of(top.function, top.line)
            if target is not None:
                top.progress.leaving = outcome
                return Step("line", line=target)
            return self._leave(outcome)
        if outcome.kind == "raise":
            top.result = outcome.raised
            return Step("exception", text=raised_text(outcome.raised), value=outcome.raised)
        if outcome.raised is not None:
            top.raised = outcome.raised
        elif isinstance(self.names.heads(top.function).get(top.line), ast.ExceptHandler):
            top.raised = None  # it was caught
        return Step("line", branch=outcome.branch, line=outcome.line, jump=outcome.jump)

    def _leave(self, outcome: Outcome) -> Step:
        self.top.result = self._beneath_doubt(outcome.value)
        return Step("return", text=self._shown(self.top.result), value=self.top.result)

    def _beneath_doubt(self, value: Ref | None) -> Ref:
        return value or Ref(None)

    @staticmethod
    def _shown(value: Ref | None) -> str:
        return "None" if value is None else show(value.value)

    def _head(self) -> tuple[Head, list[ast.stmt]]:
        top = self.top
        head = self.names.head_around(top.function, top.line)
        if head is None:
            raise Unsupported(f"line {top.line} starts no statement that can be taken apart")
        return head, self.names.block(top.function, head)


__all__ = [
    "COMPREHENSIONS",
    "Machine",
    "Running",
    "State",
    "Step",
    "exception_text",
    "exception_triple",
    "raised_text",
]
