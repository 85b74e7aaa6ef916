"""What a machine knows between two frames, and how it shows values: activations, variables, generators that
wait, what is in doubt.

Leaves out how it follows frames (machine_follow.py) and how it walks lines (machine.py).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cwm_lsp.source.closures import Closures, closures_of
from cwm_lsp.source.document import Document
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.execute import Progress
from cwm_lsp.source.functions import Function
from cwm_lsp.source.literals_limits import CONTAINERS
from cwm_lsp.source.names import Names, names_of
from cwm_lsp.source.objects import (
    ClassObject,
    GeneratorObject,
    Variables,
    Walker,
    is_steady,
    lowest,
    show,
)
from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Outcome,
    Question,
    Ref,
    Resume,
)
from cwm_lsp.source.told_values import value_from
from cwm_lsp.trace.frame import Value
from cwm_lsp.world.doubts import Doubts

Situation = Literal["called", "resumed", "closing", "line", "returned", "raised", "unwound"]


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next, without the line where several may come.

    line: `branch` tells where a test sends it, or `line` where it must go; call: `enter` is entered or
    `resume` picked up; return: `value` is what is returned; exception: the instance. `text` is their `repr`.
    """

    event: Literal["call", "line", "return", "exception"]
    branch: bool | None = None
    text: str = "None"
    enter: Enter | None = None
    resume: Resume | None = None
    line: int | None = None
    unwinding: bool = False
    value: Ref | None = None
    jump: str = ""


LineRun = Generator[Question, Answer, Outcome]


@dataclass(slots=True, eq=False)
class Running:
    """One activation as the machine sees it; `shown` are the values of its last frame that had locals,
    `told` the texts that were shown last. `run` is the walk of its line while it waits for an answer."""

    function: Function
    line: int
    env: Variables
    shown: Mapping[str, Value]
    situation: Situation = "called"
    progress: Progress = field(default_factory=Progress)
    walker: Walker | None = None
    raised: Ref | None = None
    generator: GeneratorObject | None = None
    yielded: bool = False
    run: LineRun | None = None
    evaluator: Evaluator | None = None
    reply: Answer | None = None
    waits: bool = False
    lost: bool = False
    result: Ref | None = None
    told: dict[str, str] = field(default_factory=dict)


class State:
    """The hidden state after some frames. With `computes`, operations are computed where they can be.
    `certainty` is the confidence of the answers given on this line so far."""

    def __init__(self, document: Document, *, computes: bool = False) -> None:
        self.document = document
        self.computes = computes
        self.names: Names = names_of(document)
        self.closures: Closures = closures_of(document)
        self.stack: list[Running] = []
        self.certainty = 1.0
        self.doubts = Doubts()
        self.entering: Enter | None = None
        self.resuming: Resume | None = None
        self.generators: dict[int, Create | Running | None] = {}
        self.globals: dict[str, Ref] = {}
        self.shared: dict[tuple[str, str], Ref] = {}
        self.over = False
        self.texts: dict[int, tuple[Any, str]] = {}

    @property
    def top(self) -> Running:
        """The activation that runs now."""
        return self.stack[-1]

    # -- values

    def text_of(self, value: Ref) -> str:
        """The current `repr` of a value; that of a container is kept until any of them changes."""
        held = value.value
        if type(held) not in CONTAINERS:
            return show(held)
        known = self.texts.get(id(held))
        if known is None:
            known = self.texts[id(held)] = (held, show(held))
        return known[1]

    def default(self, function: Function, parameter: str) -> Ref | None:
        """What a parameter of a function of the module's level is without an argument, made once."""
        key = (function.qualname, parameter)
        if key not in self.shared:
            node = self.names.default(function, parameter)
            if node is None:
                return None
            text = self.names.constant_text(node)
            if text is None:
                return None
            self.shared[key] = Ref(value_from(text))
        return self.shared[key]

    def _free(self, running: Running, name: str) -> Ref | None:
        if name == "__class__":
            around = self.names.class_around(running.function)
            return None if around is None else Ref(ClassObject(around))
        owner = self._owner(running, name)
        return None if owner is None else owner[name]

    @staticmethod
    def _owner(running: Running, name: str) -> Variables | None:
        """The variables around an activation that hold a name."""
        env = running.env.around
        while env is not None:
            if name in env:
                return env
            env = env.around
        return None

    def view(self, running: Running) -> Iterator[tuple[str, Ref]]:
        """The names that a frame of the activation shows, its own and those of the functions around it."""
        yield from running.env.items()
        for name in self.closures.free(running.function):
            if name not in running.env:
                found = self._free(running, name)
                if found is not None:
                    yield name, found

    def value(self, ref: Ref) -> Value:
        """A value as a frame shows it."""
        text = self.text_of(ref)
        return self.as_shown(text, ref)

    def as_shown(self, text: str, ref: Ref) -> Value:
        """A value with the origin that it has."""
        sure = self.doubts.of((ref,))
        if ref.shown is not None and ref.shown.repr == text and sure is None and self.computes:
            return ref.shown  # type: ignore[no-any-return]
        if not self.computes:
            return Value(text, "predicted", 1.0 if sure is None else sure)
        sure = lowest(sure, self.doubts.path)
        if not is_steady(ref.value, text):
            sure = lowest(sure, 0.5)
        return Value(text, "computed") if sure is None else Value(text, "predicted", sure)

    def locals_now(self, line: int) -> dict[str, Value]:
        """What the top activation shows in a LINE frame at `line`, in the order its names were bound."""
        return self._locals(self.top, line)

    def entered_locals(self, step: Step) -> tuple[str, int, dict[str, Value]]:
        """The function, line and locals of the CALL frame that a step of that event leads to."""
        held = self.generators[step.resume.generator.number] if step.resume else step.enter
        if isinstance(held, Running):
            return held.function.qualname, held.line, self._locals(held, held.line)
        assert held is not None
        function = held.function.function
        values = {name: self.value(ref) for name, ref in held.arguments}
        started = Running(function, function.first_line, Variables(function.qualname, held.function.env), {})
        started.env.update(dict(held.arguments))
        values |= {name: self.value(ref) for name, ref in self.view(started) if name not in values}
        return function.qualname, function.first_line, values

    def _locals(self, top: Running, line: int) -> dict[str, Value]:
        gone = self.names.unbound_between(top.function, top.line, line)
        held = dict(self.view(top))
        shown = top.shown
        ordered = [name for name in shown if name in held and name not in gone]
        if len(ordered) < len(held):
            fresh = [name for name in held if name not in shown and name not in gone]
            rank = self.closures.rank(top.function)
            fresh.sort(key=lambda name: rank.get(name, len(rank)))
            ordered += fresh
        values: dict[str, Value] = {}
        told: dict[str, str] = {}
        for name in ordered:
            ref = held[name]
            text = told[name] = self.text_of(ref)
            before = shown.get(name)
            values[name] = before if before is not None and before.repr == text else self.as_shown(text, ref)
        top.told = told
        return values


def raised_text(raised: Ref | None) -> str:
    """The `repr` of an exception."""
    return "" if raised is None else show(raised.value)


def exception_text(triple: str) -> str:
    """The instance's `repr` out of `(<class 'E'>, E('...'), <traceback object>)`."""
    text = triple.removesuffix(", <traceback object>)")
    if text.startswith("(<class 'StopIteration'>"):
        text = text.removesuffix(", None)")  # the end of a loop has no traceback
    start = text.find(">, ")
    return text[start + 3 :] if text.startswith("(<class") and start >= 0 else text


def exception_triple(text: str) -> str:
    """What an EXCEPTION frame carries for an instance with this `repr`."""
    name = text.partition("(")[0]
    if text.startswith("<") and text.endswith(" object>"):
        name = text[1:-8]
    return f"(<class '{name}'>, {text}, <traceback object>)"
