"""How a machine follows what happened, frame by frame, whatever was walked before.

Leaves out walking lines (machine.py).
"""

from __future__ import annotations

import ast

from cwm_lsp.source.functions import Function
from cwm_lsp.source.objects import (
    GeneratorObject,
    Variables,
    replace_contents,
    show,
)
from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Ref,
    Stop,
    Unsupported,
)
from cwm_lsp.source.told_values import value_from
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.machine_scope import ActivationScope
from cwm_lsp.world.machine_state import (
    Running,
    State,
    exception_text,
    raised_text,
)


class Follower(State):
    """A state that takes frames."""

    # -- following what happened

    def follow(self, frame: Frame) -> None:
        """Takes one more frame as what happened, whatever was walked before it."""
        if frame.event == "call":
            self._follow_call(frame)
        else:
            del self.stack[frame.depth :]
            if frame.event == "line":
                self._follow_line(frame)
            elif frame.event == "exception":
                self._follow_exception(frame)
            else:
                self._follow_return(frame)
        self.entering = self.resuming = None
        self.certainty = 1.0

    def _follow_call(self, frame: Frame) -> None:
        del self.stack[frame.depth - 1 :]
        if self.stack and not self.stack[-1].waits:
            self.stack[-1].lost = True  # a call that the walk didn't ask for
        held = self.generators.get(self.resuming.generator.number) if self.resuming else None
        if isinstance(held, Running) and held.function.qualname == frame.function:
            self._pick_up(held, frame)
            return
        expected: Enter | Create | None = held if isinstance(held, Create) else self.entering
        expected = expected if expected and expected.function.qualname == frame.function else None
        if self.stack and expected is None:
            self.stack[-1].lost = True
        function = expected.function.function if expected else self._named(frame)
        env = Variables(function.qualname, expected.function.env if expected else self._around(function))
        given = dict(expected.arguments) if expected else {}
        running = Running(
            function, frame.line, env, frame.locals, walker=expected.walker if expected else None
        )
        for name, value in frame.locals.items():
            known = given.get(name)
            if known is not None and self.text_of(known) == value.repr:
                env[name] = known
            elif name in function.parameters or self._free(running, name) is None:
                env[name] = self._given(function, name, value)
            else:
                self._adopt_one(running, name, value)
        if isinstance(expected, Create) and self.resuming is not None:
            running.generator = self.resuming.generator
        self.stack.append(running)

    def _named(self, frame: Frame) -> Function:
        function = self.document.function(frame.function, frame.line) or self.document.function(
            frame.function
        )
        if function is None:
            raise Unsupported(f"{frame.function} is not a function of this file")
        return function

    def _around(self, function: Function) -> Variables | None:
        """The variables of the running function that a function stands in."""
        for running in reversed(self.stack):
            if running.function.qualname == function.parent:
                return running.env
        return None

    def _given(self, function: Function, name: str, value: Value) -> Ref:
        """An argument that only its frame tells: a default if it looks like it, else a new value."""
        if not self.stack:
            default = self.default(function, name)
            if default is not None and show(default.value) == value.repr:
                return default
        return self.from_frame(value)

    def from_frame(self, value: Value) -> Ref:
        """A new value that shows what a frame says."""
        sure = None
        if value.origin == "predicted":
            sure = 0.5 if value.confidence is None else value.confidence
            self.doubts.certain = False
        shown = value if value.origin in ("given", "edited", "observed") else None
        ref = Ref(value_from(value.repr, self._scope()), sure, shown)
        self.doubts.taint(ref.value, sure)
        return ref

    def _scope(self) -> ActivationScope | None:
        return ActivationScope(self, self.stack[-1]) if self.stack else None

    def _pick_up(self, held: Running, frame: Frame) -> None:
        """A generator goes on where it yielded."""
        assert self.resuming is not None
        self.generators[self.resuming.generator.number] = None
        held.situation = "closing" if self.resuming.close else "resumed"
        held.yielded = False
        self.stack.append(held)
        self._adopt(held, frame)
        held.line, held.shown = frame.line, frame.locals

    def _follow_line(self, frame: Frame) -> None:
        top = self.top
        self._adopt(top, frame)
        visited = top.waits and top.run is not None and top.reply is None and top.situation != "returned"
        top.line, top.shown = frame.line, frame.locals
        if visited and self._visiting == frame.line:
            self._visiting = None
            return
        self._visiting = None
        top.situation = "line"
        top.run, top.evaluator, top.reply, top.waits, top.lost = None, None, None, False, False
        heads = self.names.heads(top.function)
        for start in list(top.progress.loops):
            loop = heads.get(start)
            if isinstance(loop, ast.For) and not loop.lineno <= frame.line <= (
                loop.end_lineno or loop.lineno
            ):
                del top.progress.loops[start]

    _visiting: int | None = None

    def _adopt(self, running: Running, frame: Frame) -> None:
        """The locals are what the frame says, whatever was walked."""
        told = running.told
        for name, value in frame.locals.items():
            if told.get(name) != value.repr or (value.origin == "predicted" and self.computes):
                self._adopt_one(running, name, value)
        env = running.env
        if len(env) > len(frame.locals):
            for name in [name for name in env if name not in frame.locals]:
                del env[name]

    def _adopt_one(self, running: Running, name: str, value: Value) -> None:
        owner = running.env if name in running.env else self._owner(running, name) or running.env
        known = owner.get(name)
        if known is not None and self.text_of(known) == value.repr:
            if value.origin == "predicted" and self.doubts.of((known,)) is None:
                sure = 0.5 if value.confidence is None else value.confidence
                self.doubts.certain = False
                self.doubts.taint(known.value, sure)
                owner[name] = Ref(known.value, sure)
            return
        new = self.from_frame(value)
        self.texts.clear()
        if known is not None and name in running.told and replace_contents(known.value, new.value):
            self.doubts.taint(known.value, new.sure)
            return
        owner[name] = new

    def _follow_exception(self, frame: Frame) -> None:
        top = self.top
        top.line = frame.line
        text = exception_text(frame.arg.repr if frame.arg else "")
        known = top.result if top.situation != "unwound" else top.raised
        if known is None or show(known.value) != text:
            predicted = frame.arg is not None and frame.arg.origin == "predicted"
            sure = (frame.arg.confidence if frame.arg else None) if predicted else None
            known = Ref(value_from(text, self._scope()), sure)
        top.situation, top.raised = "raised", known
        top.run, top.reply, top.waits = None, None, False

    def _follow_return(self, frame: Frame) -> None:
        ended = self.stack.pop()
        if not self.stack:
            self.over = True
            return
        text = frame.arg.repr if frame.arg else "None"
        result = ended.result
        if self._drops_generators(ended, result):
            self.top.lost = True
        unwinding = ended.raised is not None and text == "None" and not ended.yielded
        if unwinding and ended.progress.leaving is not None and ended.progress.leaving.kind == "return":
            unwinding = False
        raised = raised_text(ended.raised)
        if ended.generator is not None and (ended.yielded or not unwinding or raised == "GeneratorExit()"):
            self.generators[ended.generator.number] = ended if ended.yielded else None
            ended.situation = "line"
            left = Stop(None if result is None or unwinding else result.value)
            self._answer(self._returned(result, text, frame) if ended.yielded else left)
            return
        if unwinding:
            self.top.situation, self.top.raised = "unwound", ended.raised
            return
        self._answer(self._returned(result, text, frame))

    def _drops_generators(self, ended: Running, result: Ref | None) -> bool:
        """True if a generator that is not done is held by nothing any more: it is closed now, unasked."""
        waiting = [number for number, held in self.generators.items() if held is not None]
        if not waiting or ended.yielded:
            return False
        scope = ActivationScope(self, self.top)
        return any(
            isinstance(ref.value, GeneratorObject)
            and ref.value.number in waiting
            and (result is None or result.value is not ref.value)
            and not scope.held(ref.value)
            for ref in ended.env.values()
        )

    def _returned(self, result: Ref | None, text: str, frame: Frame) -> Ref:
        if result is not None and self.text_of(result) == text:
            return result
        return self.from_frame(frame.arg) if frame.arg is not None else Ref(None)

    def _answer(self, answer: Answer) -> None:
        """A callee came back to the top activation."""
        self.top.situation = "returned"
        self.top.reply = answer
