"""How the value of each setting is read and checked. Leaves out where settings come from (config.py)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, get_args

Grounding = Literal["none", "flow", "values"]
Predict = Literal["idle", "save", "demand"]
DiagnosticKind = Literal["exception", "expectation", "unreached"]
Severity = Literal["hint", "information", "warning"]
LogLevel = Literal["debug", "info", "warning", "error"]

GROUNDINGS: tuple[Grounding, ...] = get_args(Grounding)
DIAGNOSTIC_KINDS: tuple[DiagnosticKind, ...] = get_args(DiagnosticKind)


class BadValueError(ValueError):
    """A value that can't be used; the message says what would do."""


def snake_case(name: str) -> str:
    """`maxFrames` and `max-frames` are `max_frames`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadValueError("a name or a folder")
    return value


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in choices:
            raise BadValueError("one of " + ", ".join(choices))
        return value

    return read


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadValueError("a whole number from 1 up")
    return int(value)


def _width(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 8 <= value <= 500:
        raise BadValueError("a whole number from 8 to 500")
    return int(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise BadValueError("a number of seconds above 0")
    return float(value)


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadValueError("a number from 0 to 1")
    return float(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValueError("true or false")
    return value


def _kinds(value: Any) -> tuple[DiagnosticKind, ...]:
    """`["exception", …]`, or `true` and `false` for all and none."""
    if isinstance(value, bool):
        return DIAGNOSTIC_KINDS if value else ()
    if not isinstance(value, list | tuple) or any(item not in DIAGNOSTIC_KINDS for item in value):
        raise BadValueError("a list of " + ", ".join(DIAGNOSTIC_KINDS))
    return tuple(kind for kind in DIAGNOSTIC_KINDS if kind in value)


def _options(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadValueError("a table of options")
    return MappingProxyType({str(key): item for key, item in value.items()})


READ: dict[str, Callable[[Any], Any]] = {
    "model": _name,
    "backend": _options,
    "grounding": _one_of(GROUNDINGS),
    "max_frames": _count,
    "max_tokens": _count,
    "max_seconds": _seconds,
    "predict": _one_of(get_args(Predict)),
    "idle_seconds": _seconds,
    "background_seconds": _seconds,
    "hover": _switch,
    "inlay_hints": _switch,
    "hint_width": _width,
    "code_lens": _switch,
    "fills": _switch,
    "fill_seconds": _seconds,
    "diagnostics": _kinds,
    "diagnostics_confidence": _fraction,
    "diagnostics_severity": _one_of(get_args(Severity)),
    "max_file_bytes": _count,
    "cache": _switch,
    "cache_megabytes": _count,
    "ascii": _switch,
    "log_level": _one_of(get_args(LogLevel)),
}
