"""The tracer inside the traced process: `sys.settrace` events to messages on the recorder's channel.

Part of the recorder's child: runs on Python 3.8 and later. Leaves out how
the program is loaded and called (recorder_program.py) and how values look (recorder_values.py).
"""

from __future__ import annotations

import builtins
import json.encoder
import os
import sys
import weakref
from collections.abc import Callable
from opcode import opname
from types import CodeType, FrameType
from typing import Any

from cwm_lsp.trace.recorder_signals import SignalHandlers

# Functions look their builtins up here: a program that replaces `builtins.len` does not reach this file.
__builtins__ = dict(vars(builtins))  # type: ignore[assignment]

CLOSED = 113
"""Exit status of a traced process that lost its channel."""

HEADROOM = 300
"""Levels of recursion beyond the program's own limit that are left to the tracer."""
_CALL_DEPTH = 8 if sys.version_info < (3, 12) else 7
"""How much deeper the entry function runs here than when a file calls it at its top level, as the interpreter
counts: up to 3.11 with the calls between C functions."""

_VERSION = sys.hexversion
_GENERATOR = 0x20 | 0x80 | 0x200
_FUNCTION = 0x02

quote: Callable[[str], str] = json.encoder.encode_basestring_ascii

_write, _fstat, _getpid, _exit = os.write, os.fstat, os.getpid, os._exit
_set_trace, _get_trace = sys.settrace, sys.gettrace
_set_limit, _get_limit = sys.setrecursionlimit, sys.getrecursionlimit


class Channel:
    """The way to the recorder: numbered lines, each after a token that the program does not know."""

    def __init__(self, descriptor: int, token: str) -> None:
        self._descriptor = descriptor
        self._token = token
        self._pid = _getpid()
        self._identity = self._who()
        self._number = 0

    def send(self, body: str) -> None:
        """Sends the inside of a JSON array; nothing in a process that the program forked."""
        rest = f"{self._token}[{self._number},{body}]\n".encode("ascii")
        self._number += 1
        while rest and _getpid() == self._pid:
            # The program may have closed the descriptor and opened a file of its own under its number.
            if self._who() != self._identity:
                _exit(CLOSED)
            rest = rest[_write(self._descriptor, rest) :]

    def _who(self) -> tuple[int, int]:
        try:
            status = _fstat(self._descriptor)
        except OSError:
            _exit(CLOSED)
        return status.st_dev, status.st_ino


class _Token:
    """Something that can be referred to weakly."""


class Tracer:
    """Records the frames of one file, from `start` to `stop`, in the thread that calls them."""

    def __init__(
        self, code: CodeType, channel: Channel, render: Callable[[Any], str], limits: dict[str, Any]
    ) -> None:
        self.frames = 0
        self._path = code.co_filename
        self._channel = channel
        self._render = render
        self._max_frames: int = limits["frames"]
        self._max_chars: int = limits["trace_chars"]
        self._memory: int = limits["memory"]
        self._chars = 0
        self._names = qualified_names(code)
        self._code = code  # keeps the ids in `_names` alive
        self._ranks: dict[CodeType, dict[str, int]] = {}
        self._depths: dict[int, int] = {}
        self._orders: dict[int, tuple[CodeType, list[str]]] = {}
        self._raised: set[int] = set()
        self._limit = _get_limit()
        self._keep: Any = None
        self._entry: CodeType | None = None
        self._over = False
        self._handlers = SignalHandlers(Tracer._enter.__code__, Tracer._step.__code__)
        self._replace_functions()

    def start(self, entry: CodeType | None = None) -> None:
        """Traces the calls that are made from now on, until the first call of `entry` has returned: what runs
        then are generators that are closed, because the locals of the call are gone."""
        self._entry = entry
        self._use_limit()
        _set_trace(self._enter)

    def stop(self) -> bool:
        """Ends tracing; False if something else had ended it before."""
        whole = _get_trace() == self._enter
        _set_trace(None)
        return whole

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The trace function of the thread: called when any Python function is entered."""
        if self._too_deep():
            self._raise(frame, RecursionError("maximum recursion depth exceeded"), None)
        if frame.f_code.co_filename == self._path and not self._over:
            return self._step(frame, event, arg)
        self._run_handlers(frame, None)
        return None

    def _step(self, frame: FrameType, event: str, arg: Any) -> Any:
        """The trace function of a frame of the document."""
        if self._over:
            return None
        try:
            self._record(frame, event, arg)
        except MemoryError:
            self._give_up(f"Stopped when the memory was used up: the limit is {self._memory >> 20:,} MiB.")
        self._run_handlers(frame, self._step)
        return self._step

    def _run_handlers(self, frame: FrameType, then: Any) -> None:
        try:
            self._handlers.run(frame)
        except BaseException as error:
            self._raise(frame, error, then)

    def _record(self, frame: FrameType, event: str, arg: Any) -> None:
        if self.frames >= self._max_frames:
            self._give_up(f"Stopped after {self._max_frames:,} frames.")
        code = frame.f_code
        key = id(frame)
        if event == "call" or key not in self._depths:
            self._depths[key] = self._depth(frame)
        line = frame.f_lineno or code.co_firstlineno
        values = ""
        result = "null"
        kind = event
        if event == "exception":
            self._raised.add(key)
            result = quote(self._render(arg))
        elif event == "return":
            if arg is None and self._unwinding(frame, key in self._raised):
                kind = "unwind"
            result = quote(self._render(arg))
        else:
            self._raised.discard(key)
            values = self._locals(frame, fresh=event == "call")
        self._chars += len(values) + len(result)
        if self._chars > self._max_chars:
            self._give_up(
                f"Stopped after {self.frames:,} frames: their values take {self._max_chars:,} characters."
            )
        name = getattr(code, "co_qualname", None) or self._names.get(id(code), code.co_name)
        depth = self._depths[key]
        self._channel.send(f'"frame","{kind}",{quote(name)},{line},{depth},{{{values}}},{result}')
        self.frames += 1
        if event == "return":
            self._over = depth == 1 and code is self._entry
            self._leave(key, code)

    def _leave(self, key: int, code: CodeType) -> None:
        del self._depths[key]
        self._raised.discard(key)
        if not code.co_flags & _GENERATOR:
            self._orders.pop(key, None)

    def _give_up(self, message: str) -> None:
        self._channel.send(f'"end","budget",null,{quote(message)}')
        _exit(0)

    def _depth(self, frame: FrameType) -> int:
        """1 for the entry function; frames of other files do not count."""
        outer = frame.f_back
        while outer is not None:
            depth = self._depths.get(id(outer))
            if depth is not None and outer.f_code.co_filename == self._path:
                return depth + 1
            outer = outer.f_back
        return 1

    def _locals(self, frame: FrameType, fresh: bool) -> str:
        """The locals as the inside of a JSON object, in the order in which they first had a value.

        That is the order of `frame.f_locals` up to Python 3.12, where this dictionary lives as long as the
        frame; from 3.13 on it is a view in the order of the code's variables.
        """
        held = frame.f_locals
        order = self._order(frame, held, fresh) if frame.f_code.co_flags & _FUNCTION else list(held)
        render = self._render
        return ",".join([f"{quote(name)}:{quote(render(held[name]))}" for name in order])

    def _order(self, frame: FrameType, held: Any, fresh: bool) -> list[str]:
        code = frame.f_code
        ranks = self._ranks.get(code)
        if ranks is None:
            names = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
            ranks = self._ranks[code] = {name: rank for rank, name in reversed(list(enumerate(names)))}
        live = {name for name in held if name in ranks}
        before: list[str] = []
        known = self._orders.get(id(frame))
        # A frame that is called again is a resumed generator, unless its id was used by one that is gone.
        if known is not None and known[0] is code and not (fresh and not live.issuperset(known[1])):
            before = [name for name in known[1] if name in live]
        order = before + sorted(live.difference(before), key=ranks.__getitem__)
        self._orders[id(frame)] = (code, order)
        return order

    def _unwinding(self, frame: FrameType, raised: bool) -> bool:
        """True if this "return" of None is an exception that leaves the function."""
        code = frame.f_code.co_code
        here = _opcode_name(code, frame.f_lasti)
        if here in ("RETURN_VALUE", "RETURN_CONST"):
            return False
        suspended = here in ("YIELD_VALUE", "RESUME") or _opcode_name(code, frame.f_lasti + 2) == "YIELD_FROM"
        return raised or not suspended

    def _too_deep(self) -> bool:
        """True if the function that is being entered goes beyond the program's recursion limit.

        `sys.setrecursionlimit` refuses a limit below the present depth: the only way to ask for the depth as
        the interpreter counts it.
        """
        try:
            _set_limit(_accepted_at(self._limit + _CALL_DEPTH))
        except RecursionError:
            return True
        finally:
            self._use_limit()
        return False

    def _use_limit(self) -> None:
        _set_limit(self._limit + _CALL_DEPTH + HEADROOM)

    def _raise(self, frame: FrameType, error: BaseException, then: Any) -> None:
        """Raises an exception in the traced frame, whose local trace function becomes `then`.

        An exception that leaves a trace function is raised in the traced frame, but it also ends all tracing.
        The interpreter then drops the frame's trace function: when the token put there dies, tracing begins
        anew.
        """

        def resume(_: Any) -> None:
            self._keep = None
            _set_trace(self._enter)
            if then is not None:
                frame.f_trace = then

        token = _Token()
        self._keep = weakref.ref(token, resume)
        frame.f_trace = token  # type: ignore[assignment]
        del token
        raise error

    def _replace_functions(self) -> None:
        """What would end the recording gets a stand-in, which tells the program what it expects."""
        theirs: list[Any] = [None]

        def settrace(function: Any) -> None:
            theirs[0] = function

        def setrecursionlimit(limit: int) -> None:
            _set_limit(limit + _CALL_DEPTH if limit > 0 else limit)  # raises what the real one raises
            self._limit = limit
            if _get_trace() is not None:
                self._use_limit()

        sys.settrace = settrace
        sys.gettrace = lambda: theirs[0]
        sys.setrecursionlimit = setrecursionlimit
        sys.getrecursionlimit = lambda: self._limit
        sys.breakpointhook = lambda *_, **__: None


def qualified_names(code: CodeType, prefix: str = "") -> dict[int, str]:
    """For the id of every code object in a module's code, its qualified name (an attribute from 3.11 on)."""
    names: dict[int, str] = {}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            name = prefix + inner.co_name
            names[id(inner)] = name
            inside = ".<locals>." if inner.co_flags & _FUNCTION else "."
            names.update(qualified_names(inner, name + inside))
    return names


def _accepted_at(depth: int) -> int:
    """The lowest recursion limit that the interpreter still accepts just below this depth."""
    if _VERSION >= 0x03090000:
        return depth
    return depth + 50 if depth > 150 else depth * 4 // 3 + 1


def _opcode_name(code: bytes, index: int) -> str:
    return opname[code[index]] if 0 <= index < len(code) else ""
