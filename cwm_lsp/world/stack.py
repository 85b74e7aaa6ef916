"""The call stack rebuilt from a history of frames: who is running, on which line, and what is known of its
locals.

A `Stack` is immutable and grows by one frame at a time, so that a simulation keeps one a frame and a fork
shares them. Leaves out what may come next (choices.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow_lines import Road
from cwm_lsp.source.names import is_builtin_exception
from cwm_lsp.source.sharing import is_settled
from cwm_lsp.source.values import elements, split_commas
from cwm_lsp.trace.frame import Event, Frame, Value
from cwm_lsp.world.bindings import Bindings, Callee, Leaving, Position, bindings_of

NO_LOCALS: Mapping[str, Value] = MappingProxyType({})
MOST_SUSPENDED = 256


@dataclass(frozen=True, slots=True)
class CallResult:
    """A call that came back while its caller stayed on one line."""

    function: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Activation:
    """One running call of a function.

    `locals` are those of its last frame that had any, from before `line` ran. `event` is what it did last:
    its own call or line, an exception that was raised in it, or "return" when a callee came back to it.
    `road` is the last of its own events that was no return of a callee, as flow names it. `results` are the
    calls that came back on this line, oldest first. `caller_line` is None for the function the trace starts
    in. `exception` is the last one raised in it, `pending` the one that has just left its callee
    (`pending_for_sure`: its RETURN frame can't have been anything else). `position` is where in its bytecode
    it may be. `fresh`: as far as its CALL frame tells, it may have begun with that.
    """

    function: str
    line: int
    depth: int
    position: Position
    locals: Mapping[str, Value] = field(default_factory=lambda: NO_LOCALS)
    caller_line: int | None = None
    event: Event = "call"
    road: Road = "line"
    results: tuple[CallResult, ...] = ()
    exception: Value | None = None
    pending: Value | None = None
    pending_for_sure: bool = False
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Stack:
    """The activations, outermost first, and the generators that wait to be resumed, oldest first.

    `left` is the activation that the last frame left by a RETURN. `over` is True once the entry function is
    done: `outcome` is what it returned, or `raised` the exception that left it.
    """

    activations: tuple[Activation, ...] = ()
    suspended: tuple[Activation, ...] = ()
    left: Activation | None = None
    over: bool = False
    outcome: Value | None = None
    raised: Value | None = None

    @classmethod
    def of(cls, document: Document, frames: Iterable[Frame]) -> Stack:
        """The stack after these frames."""
        stack = cls()
        for frame in frames:
            stack = stack.push(document, frame)
        return stack

    @property
    def top(self) -> Activation | None:
        """The activation that runs now."""
        return self.activations[-1] if self.activations else None

    def push(self, document: Document, frame: Frame) -> Stack:
        """The stack after one more frame. Any frame is taken: what doesn't fit is read as well as it can
        be."""
        bindings = bindings_of(document)
        below = self.activations[: max(frame.depth - 1, 0)]
        if frame.event == "call":
            return self._call(bindings, frame, below)
        top = self._activation_at(bindings, frame)
        if frame.event == "return":
            return self._return(bindings, frame, below, top)
        if frame.event == "line":
            position = bindings.move(top.function, top.position, top.road, frame.line)
            top = replace(
                top,
                line=frame.line,
                position=position,
                locals=frame.locals,
                event="line",
                road="line",
                results=(),
                pending=None,
            )
        else:
            top = replace(
                top, line=frame.line, event="exception", road="exception", exception=frame.arg, pending=None
            )
        return replace(self, activations=(*below, top), left=None)

    def _call(self, bindings: Bindings, frame: Frame, below: tuple[Activation, ...]) -> Stack:
        caller_line = below[-1].line if below else None
        position = bindings.entry(frame.function, frame.line)
        started = Activation(frame.function, frame.line, frame.depth, position, frame.locals, caller_line)
        fresh = any(_begins(callee, frame) for callee in bindings.callees(frame.function))
        resumed = self._suspended_as(frame, fresh)
        suspended = self.suspended
        if resumed is not None:
            suspended = tuple(waiting for waiting in suspended if waiting is not resumed)
            started = replace(
                started,
                position=resumed.position,
                event="call",
                road="resumed",
                exception=resumed.exception,
                fresh=fresh,
            )
        return replace(self, activations=(*below, started), suspended=suspended, left=None)

    def _suspended_as(self, frame: Frame, fresh: bool) -> Activation | None:
        """The generator that this CALL resumes: the newest with the same locals, else the newest with their
        names. `fresh`: the frame may as well begin a new one."""
        waiting = [
            s for s in reversed(self.suspended) if (s.function, s.line) == (frame.function, frame.line)
        ]
        same_names = [s for s in waiting if list(s.locals) == list(frame.locals)]
        same_values = [s for s in same_names if _reprs(s.locals) == _reprs(frame.locals)]
        return next(iter(same_values or same_names or ([] if fresh else waiting)), None)

    def _return(
        self, bindings: Bindings, frame: Frame, below: tuple[Activation, ...], top: Activation
    ) -> Stack:
        leaving = bindings.leaving(top.function, top.position, top.road)
        unwound = _is_unwinding(frame, top, leaving)
        suspended = self.suspended
        if not unwound and leaving.yields:
            waiting = replace(top, line=frame.line, event="return", results=(), caller_line=None)
            suspended = (*suspended, waiting)[-MOST_SUSPENDED:]
        if not below:
            # On a line that may yield None or end with it, the end is taken for what happened.
            ended = leaving.ends and (frame.arg is None or frame.arg.repr == "None")
            over = ended or suspended is self.suspended
            raised, outcome = (top.exception, None) if unwound else (None, frame.arg)
            return Stack((), suspended, top, over, outcome if over else None, raised)
        for_sure = unwound and not (leaving.returns or leaving.nothing)
        pending = top.exception if unwound else None
        caller = replace(below[-1], event="return", pending=pending, pending_for_sure=for_sure)
        if not unwound:
            caller = replace(caller, results=(*caller.results, CallResult(frame.function, frame.arg)))
        return replace(self, activations=(*below[:-1], caller), suspended=suspended, left=top)

    def _activation_at(self, bindings: Bindings, frame: Frame) -> Activation:
        """The activation that a frame belongs to; those above it are gone."""
        if 0 < frame.depth <= len(self.activations):
            found = self.activations[frame.depth - 1]
            if found.function == frame.function:
                return found
        return Activation(
            frame.function, frame.line, frame.depth, bindings.anywhere(frame.function, frame.line)
        )


def _begins(callee: Callee, frame: Frame) -> bool:
    """True if such a CALL frame may be the first of a call."""
    return callee.line == frame.line and set(callee.parameters) <= set(frame.locals) <= {
        *callee.parameters,
        *callee.free,
    }


def _reprs(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: value.repr for name, value in values.items()}


def _is_unwinding(frame: Frame, top: Activation, leaving: Leaving) -> bool:
    """True if this RETURN is an exception on its way out: the frame itself doesn't say."""
    if frame.arg is not None and frame.arg.repr != "None":
        return False
    if not (leaving.returns or leaving.nothing):
        return bool(leaving.unwinds) or top.road == "exception"
    if not leaving.unwinds or top.exception is None:
        return False
    # Either may be. A StopIteration has probably ended a loop; any other exception is probably still on its
    # way.
    return not may_stop(top.exception.repr) if top.road == "exception" else not leaving.catches


def may_stop(raised: str) -> bool:
    """True if an exception, as a frame shows it, may be a StopIteration, which ends loops quietly."""
    name = exception_name(raised)
    return name.endswith(("StopIteration", "StopAsyncIteration")) or not is_builtin_exception(name)


def exception_name(raised: str) -> str:
    """The name of an exception's class, as a frame shows it."""
    return raised.removeprefix("(<class '").partition("'")[0]


def is_settled_exception(raised: str) -> bool:
    """True if an exception, as a frame shows it, was given only values that nothing can change."""
    parts = elements(raised)
    shown = parts[1] if parts and len(parts) == 3 else ""
    name, _, arguments = shown.partition("(")
    values = split_commas(arguments[:-1]) if name.isidentifier() and arguments.endswith(")") else None
    return values is not None and all(is_settled(value) for value in values)
