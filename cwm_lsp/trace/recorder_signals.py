"""Keeps the program's signal handlers out of the recorder's own code.

Part of the recorder's child: runs on Python 3.8 and later. A handler that raises (a timeout, say) would
otherwise, when it happens to run inside the trace function, break a message in two or end the tracing. It is
put off until the trace function is about to leave. Leaves out the alarm that guards `__repr__`
(recorder_values.py).
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

# Functions look their builtins up here: a program that replaces `builtins.callable` does not reach this file.
__builtins__ = dict(vars(builtins))  # type: ignore[assignment]


class SignalHandlers:
    """Stands between the program and `signal.signal`; `codes` are the functions not to be interrupted."""

    def __init__(self, *codes: CodeType) -> None:
        self._codes = frozenset(codes)
        self._put_off: list[tuple[Callable[..., Any], int]] = []
        self._own: dict[int, tuple[Any, Any]] = {}
        module: Any = importlib.import_module("_signal")
        self._set, self._get = module.signal, module.getsignal
        module.signal, module.getsignal = self._signal, self._getsignal

    def run(self, frame: FrameType) -> None:
        """Runs the handlers that were put off, as if the signal came now; raises what they raise."""
        while self._put_off:
            handler, number = self._put_off.pop(0)
            handler(number, frame)

    def _signal(self, number: Any, handler: Any) -> Any:
        def careful(number: int, frame: FrameType | None) -> Any:
            outer = frame
            while outer is not None:
                if outer.f_code in self._codes:
                    self._put_off.append((handler, number))
                    return None
                outer = outer.f_back
            return handler(number, frame)

        if not callable(handler):
            return self._theirs(self._set(number, handler))
        before = self._theirs(self._set(number, careful))
        self._own[int(number)] = (careful, handler)
        return before

    def _getsignal(self, number: Any) -> Any:
        return self._theirs(self._get(number))

    def _theirs(self, handler: Any) -> Any:
        """The handler that the program gave, for the one that stands in for it."""
        for own, theirs in self._own.values():
            if own is handler:
                return theirs
        return handler
