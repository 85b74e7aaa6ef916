"""Frames and values: the one vocabulary in which every trace is told, predicted, computed or recorded alike.

Leaves out how a frame is written for a model (the codecs) and how it is made (recorder, world).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

Event = Literal["call", "line", "return", "exception"]
Origin = Literal["given", "predicted", "computed", "edited", "observed"]
EndReason = Literal["returned", "raised", "budget", "failed"]

EVENTS: tuple[Event, ...] = get_args(Event)
ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(frozen=True, slots=True)
class Value:
    """A Python value as its `repr`, with where it comes from.

    `confidence` is a probability in [0, 1], or None where the origin makes no guess.
    """

    repr: str
    origin: Origin
    confidence: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON form of the command line: {"repr", "origin", "confidence"}."""
        return {"repr": self.repr, "origin": self.origin, "confidence": self.confidence}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Value:
        """Reads what `to_json` writes. Raises ValueError on anything else."""
        text, origin, confidence = data.get("repr"), data.get("origin"), data.get("confidence")
        if not isinstance(text, str) or origin not in ORIGINS:
            raise ValueError(f"not a value: {dict(data)!r}")
        if confidence is not None and not isinstance(confidence, int | float):
            raise ValueError(f"confidence is not a number: {confidence!r}")
        return cls(text, origin, None if confidence is None else float(confidence))


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a trace, with the meaning of `sys.settrace` events.

    `locals` hold the values *before* the line runs, in the order the frame lists them; call and line
    frames carry them, return and exception frames do not. `arg` is the returned value, or the `repr` of
    the exception triple `(<class 'E'>, E('...'), <traceback object>)`. `line` is 1-based in the document,
    `depth` is 1 for the function the trace starts in. `function` is the qualified name as CPython gives it
    (`f`, `C.m`, `f.<locals>.<listcomp>`).
    """

    event: Event
    function: str
    line: int
    depth: int
    locals: Mapping[str, Value] = field(default_factory=dict)
    arg: Value | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "locals", MappingProxyType(dict(self.locals)))

    def to_json(self) -> dict[str, Any]:
        """The JSON form of the command line, one object a frame."""
        return {
            "event": self.event,
            "function": self.function,
            "line": self.line,
            "depth": self.depth,
            "locals": {name: value.to_json() for name, value in self.locals.items()},
            "arg": None if self.arg is None else self.arg.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Frame:
        """Reads what `to_json` writes. Raises ValueError on anything else."""
        event, function, line, depth = (data.get(key) for key in ("event", "function", "line", "depth"))
        if event not in EVENTS or not isinstance(function, str):
            raise ValueError(f"not a frame: {dict(data)!r}")
        if not isinstance(line, int) or not isinstance(depth, int):
            raise ValueError(f"line and depth must be whole numbers: {dict(data)!r}")
        values = data.get("locals") or {}
        if not isinstance(values, Mapping):
            raise ValueError(f"locals must be an object: {values!r}")
        arg = data.get("arg")
        named = {str(name): Value.from_json(value) for name, value in values.items()}
        return cls(event, function, line, depth, named, None if arg is None else Value.from_json(arg))

    def same_as(self, other: Frame) -> bool:
        """True if both tell the same thing, whatever the origins and confidences of their values."""
        return (
            (self.event, self.function, self.line, self.depth)
            == (other.event, other.function, other.line, other.depth)
            and {n: v.repr for n, v in self.locals.items()} == {n: v.repr for n, v in other.locals.items()}
            and (self.arg.repr if self.arg else None) == (other.arg.repr if other.arg else None)
        )


@dataclass(frozen=True, slots=True)
class End:
    """How a trace ended: the last JSON line of `trace --json` and `record --json`.

    `value` is the `repr` returned by the entry function (or of the exception that left it), None if it did
    not get that far. `decisions` counts tokens the model chose, `tokens` all tokens of the frames,
    `seconds` wall time.
    """

    reason: EndReason
    value: str | None
    frames: int
    decisions: int = 0
    tokens: int = 0
    seconds: float = 0.0
    message: str | None = None

    def to_json(self, *, message: bool = True) -> dict[str, Any]:
        """The JSON form of the command line; beside it `message`, where there is one and it is wanted."""
        data: dict[str, Any] = {
            "event": "end",
            "reason": self.reason,
            "value": self.value,
            "frames": self.frames,
            "decisions": self.decisions,
            "tokens": self.tokens,
            "seconds": self.seconds,
        }
        if message and self.message is not None:
            data["message"] = self.message
        return data
