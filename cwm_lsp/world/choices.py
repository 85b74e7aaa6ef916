"""All frames that may come next, from control flow, effects and the locals so far.

The answer is sound: what a real run does next is among the options, and what an option forces is right. What
the options leave open is left to the model; nothing here looks at a value beyond telling whether it can
change.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from cwm_lsp.source.document import Document
from cwm_lsp.source.effects import changes, is_settled
from cwm_lsp.source.flow import flow_of
from cwm_lsp.source.functions import Function
from cwm_lsp.source.names import is_builtin_exception
from cwm_lsp.trace.codec import Choices, LocalChoice, LocalKind, Option
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.bindings import Bindings, Callee, Fates, Position, bindings_of
from cwm_lsp.world.certain import certain
from cwm_lsp.world.stack import Activation, Stack, exception_name, is_settled_exception, may_stop
from cwm_lsp.world.told import Told, teller_of

Grounding = Literal["none", "flow", "values"]

_MOST_UNSURE = 6
"""Names that may or may not be there: above this number only all or none of them are offered together."""

Locals = tuple[LocalChoice, ...]

_CAUGHT_QUIETLY = frozenset(
    {
        "AttributeError",
        "GeneratorExit",
        "IndexError",
        "KeyError",
        "StopAsyncIteration",
        "StopIteration",
        "TypeError",
    }
)
"""The interpreter asks for an attribute, an item or the next element, and takes these for an answer."""


def choices(document: Document, frames: Sequence[Frame], grounding: Grounding = "flow") -> Choices:
    """What may come after these frames; no options if nothing may. Raises FlowError if the document can't be
    read."""
    return choices_after(document, Stack.of(document, frames), grounding)


def choices_after(document: Document, stack: Stack, grounding: Grounding = "flow") -> Choices:
    """The same from the stack that the frames have built."""
    if stack.over or (stack.top is None and not stack.suspended):
        return Choices(())
    if grounding == "none":
        return Choices(tuple(_lines(document, stack)), free_form=True)
    found = Choices(tuple(dict.fromkeys(_Next(document, stack).options())))
    return certain(document, stack, found)


def entry_choices(document: Document, function: Function) -> Choices:
    """The CALL frame that a run of the function begins with, its arguments left to the model."""
    return Choices((entry_option(document, function),))


def entry_option(document: Document, function: Function) -> Option:
    """That frame: every name must get a value."""
    callees = bindings_of(document).callees(function.qualname)
    free = next((callee.free for callee in callees if callee.line == function.first_line), ())
    held = tuple(LocalChoice(name, "must") for name in (*function.parameters, *free))
    return Option("call", function.qualname, function.first_line, 1, held)


def seeded_call(function: Function, arguments: Mapping[str, str]) -> Frame:
    """The CALL frame that a run of the function begins with, its arguments given."""
    values = {name: Value(arguments[name], "given") for name in function.parameters}
    return Frame("call", function.qualname, function.first_line, 1, values)


def _lines(document: Document, stack: Stack) -> Iterator[Option]:
    """Every line with code in it, as the free form takes them."""
    depth = stack.top.depth if stack.top else 1
    for number, text in enumerate(document.lines, 1):
        function = document.function_at(number)
        if function is not None and text.strip() and not text.lstrip().startswith("#"):
            yield Option("line", function.qualname, number, depth)


class _Held(NamedTuple):
    """One local of the next frame: what it may be, and whether it may be missing."""

    choice: LocalChoice
    unsure: bool = False


class _Next:
    """The options after one stack."""

    def __init__(self, document: Document, stack: Stack) -> None:
        self.document = document
        self.stack = stack
        self.bindings: Bindings = bindings_of(document)
        self.flow = flow_of(document)
        self.teller = teller_of(document)
        running = {each.function.rpartition(".")[2] for each in stack.activations}
        self._making = not running.isdisjoint(("__init__", "__new__", "__post_init__"))

    def options(self) -> Iterator[Option]:
        top = self.stack.top
        if top is None:
            yield from self._resumptions(1)
            yield from self._coroutines()
        elif top.event == "call" and top.road == "line":
            yield from self._begin(top)
        elif top.pending is not None and self._passes_on(top):
            known = top.pending.repr if self._stays(top.pending.repr) else None
            yield Option("exception", top.function, top.line, top.depth, arg=known)
        else:
            yield from self._into_lines(top)
            yield from self._calls(top)
            yield from self._leave(top)
            if top.event == "call" and top.fresh:
                yield from self._begin(replace(top, road="line", position=self._entry(top)))
            if (
                top.pending is not None
                or top.event == "call"
                or self.bindings.may_raise(top.function, top.position, top.road)
            ):
                yield Option("exception", top.function, top.line, top.depth)

    def _passes_on(self, top: Activation) -> bool:
        """True if the exception that left a callee is raised in its caller as it is: nothing stood between
        the two. (A library function may catch it, the interpreter itself catches some.)"""
        left = self.stack.left
        name = exception_name(top.pending.repr) if top.pending is not None else ""
        if (
            left is None
            or not top.pending_for_sure
            or not is_builtin_exception(name)
            or name in _CAUGHT_QUIETLY
        ):
            return False
        callees = self.bindings.callees(left.function)
        reasons = {e.reason for e in self.flow.entries(top.function, top.line) if e.function == left.function}
        return reasons == {"call"} and not any(callee.restarts for callee in callees)

    def _stays(self, raised: str) -> bool:
        """True if nothing that ran since an exception was raised (a `finally`, a handler that raises it
        again) can have changed how it is shown."""
        direct = self.stack.left is not None and self.stack.left.event == "exception"
        return is_settled_exception(raised) and (direct or ".args" not in self.document.text)

    def _entry(self, top: Activation) -> Position:
        return self.bindings.entry(top.function, top.line)

    def _begin(self, top: Activation) -> Iterator[Option]:
        """After the first CALL frame: a line, or the end of a generator that was dropped before it began."""
        yield from self._into_lines(top)
        if any(callee.restarts for callee in self.bindings.callees(top.function)):
            yield Option("exception", top.function, top.line, top.depth)

    # Lines of the same function

    def _into_lines(self, top: Activation) -> Iterator[Option]:
        stopped = top.road != "exception" or top.exception is None or may_stop(top.exception.repr)
        told = self.teller.assigned(top)
        for line in self.bindings.lines(top.function, top.position, top.road, stopped=stopped):
            fates = self.bindings.fates(top.function, top.position, top.road, line)
            touched = frozenset[str]() if top.position.entered else self._touched(top, line)
            for held in _variants(self._locals(top, fates, touched, told)):
                yield Option("line", top.function, line, top.depth, held)

    def _locals(self, top: Activation, fates: Fates, touched: frozenset[str], told: Told) -> Iterator[_Held]:
        """The locals once `fates` have met them and what they hold was `touched`, in the order in which a
        frame lists them. `told`: what those that are bound will hold, where nobody needs to compute it."""
        full = top.event == "return"
        for name, value in top.locals.items():
            fate = fates.get(name, frozenset({"kept"}))
            if fate == {"unbound"}:
                continue
            if fate == {"bound"}:
                choice = _bound(name, value, told)
            elif "bound" in fate or name in touched:
                choice = LocalChoice(name, "may", value.repr)
            else:
                choice = LocalChoice(name, "given" if full else "same", value.repr)
            yield _Held(choice, "unbound" in fate)
        yield from self._new(top, fates, touched, told)

    def _new(self, top: Activation, fates: Fates, touched: frozenset[str], told: Told) -> Iterator[_Held]:
        """The locals that were not there before."""
        shared = self.bindings.shared(top.function, top.position)
        for name in self.bindings.order(top.function, top.position):
            if name not in top.locals:
                fate = fates.get(name, frozenset({"kept"}))
                if fate == {"bound"}:
                    yield _Held(_bound(name, None, told))
                elif "bound" in fate or (name in shared and name in touched):
                    yield _Held(LocalChoice(name, "must"), unsure=True)

    def _touched(self, top: Activation, following: int | None = None) -> frozenset[str]:
        """The names whose values the line may change without binding them itself."""
        known = {name: value.repr for name, value in top.locals.items()}
        shared = self.bindings.shared(top.function, top.position)
        found = {
            name
            for name in changes(self.document, top.function, top.line, known, following).names
            if name in shared or name not in known or not is_settled(known[name])
        }
        if self._making and "__repr__" in self.document.text:
            # An object that can't show itself yet may be able to a line later.
            found |= {name for name, text in known.items() if " object>" in text}
        return frozenset(found)

    # Calls

    def _calls(self, top: Activation) -> Iterator[Option]:
        names = self.flow.calls(top.function, top.line)
        runs_on = top.event != "exception" or self.bindings.goes_on(top.function, top.position)
        bodies = self.bindings.class_bodies(top.function, top.position)
        for name in (*names, *bodies) if runs_on else ():
            yield from self._call(name, top)
        yield from self._resumptions(top.depth + 1, frozenset(names))

    def _call(self, name: str, top: Activation) -> Iterator[Option]:
        for callee in self.bindings.callees(name):
            told = self.teller.arguments(top, callee)
            held = [_Held(_bound(each, None, told)) for each in callee.parameters]
            for variant in _variants([*held, *self._free(callee, top)]):
                yield Option("call", name, callee.line, top.depth + 1, variant)

    def _free(self, callee: Callee, top: Activation) -> Iterator[_Held]:
        """The names that a function sees of those around it: known for a comprehension that runs where it
        stands."""
        function = self.teller.function(callee.function, callee.line)
        parent = None if function is None else function.parent
        here = parent == top.function and callee.parameters == (".0",)
        open_ = frozenset[str]()
        if here:
            open_ = self._touched(top) | self.bindings.bound(top.function, top.position)
        around = [each for each in self.stack.activations if each.function == parent]
        for name in callee.free:
            if here and name not in open_:
                if name in top.locals:
                    yield _Held(LocalChoice(name, "given", top.locals[name].repr))
            else:
                sure = bool(around) and all(
                    name in each.locals and name not in self.bindings.unbound(each.function, each.position)
                    for each in around
                )
                unsure = name != "__class__" and not sure
                yield _Held(LocalChoice(name, "must"), unsure)

    def _resumptions(self, depth: int, names: frozenset[str] | None = None) -> Iterator[Option]:
        """The CALL frames of generators that go on, or that are closed because nothing holds them any
        more."""
        for waiting in self.stack.suspended:
            if names is not None and waiting.function not in names:
                continue
            fates = self.bindings.fates_at_yield(waiting.function, waiting.position)
            shared = self.bindings.shared(waiting.function, waiting.position)
            held = self._locals(waiting, fates, self._touched(waiting), {})
            for variant in _variants(_reopened(held, shared)):
                yield Option("call", waiting.function, waiting.line, depth, variant)

    def _coroutines(self) -> Iterator[Option]:
        """The CALL frames of coroutines that an event loop may start beside those that wait."""
        for function in self.document.functions:
            if function.kind == "async":
                yield entry_option(self.document, function)

    # Ways out

    def _leave(self, top: Activation) -> Iterator[Option]:
        leaving = self.bindings.leaving(top.function, top.position, top.road)
        if leaving.returns:
            told = self.teller.returned(top)
            yield Option("return", top.function, top.line, top.depth, arg=told.repr if told else None)
        elif leaving.nothing:
            yield Option("return", top.function, top.line, top.depth, arg="None")
        unwinds = leaving.unwinds
        if top.position.entered and top.event == "exception":
            unwinds |= {top.line}
        for line in sorted(unwinds):
            if line != top.line or not (leaving.returns or leaving.nothing):
                yield Option("return", top.function, line, top.depth, arg="None")


def _bound(name: str, before: Value | None, told: Told) -> LocalChoice:
    """A name that gets a value for sure."""
    if name in told:
        return LocalChoice(name, "given", told[name].repr)
    return LocalChoice(name, "must", before.repr if before is not None else None)


def _reopened(held: Iterable[_Held], shared: frozenset[str]) -> Iterator[_Held]:
    """The locals of a generator that slept: what others can reach may have changed meanwhile."""
    for each in held:
        choice = each.choice
        if choice.kind in ("same", "given"):
            fixed = choice.value is not None and is_settled(choice.value) and choice.name not in shared
            kind: LocalKind = "given" if fixed else "may"
            choice = LocalChoice(choice.name, kind, choice.value)
        yield _Held(choice, each.unsure)


def _variants(held: Iterable[_Held]) -> Iterator[Locals]:
    """The locals with and without those that may be missing."""
    every = list(held)
    unsure = [index for index, each in enumerate(every) if each.unsure]
    if len(unsure) <= _MOST_UNSURE:
        missing: Iterable[tuple[int, ...]] = itertools.chain.from_iterable(
            itertools.combinations(unsure, count) for count in range(len(unsure) + 1)
        )
    else:
        missing = [(), tuple(unsure)]
    for left_out in missing:
        yield tuple(each.choice for index, each in enumerate(every) if index not in left_out)
