"""Settings: one small dataclass, filled from the user's own TOML file and then from `CWM_LSP_*` variables.

A value that can't be used is named in `Loaded.problems`; its default holds, and the rest works. Only the
user's own file is read, never one from a workspace: what names a model or a folder must not come from a
stranger. Leaves out what the settings do.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

Grounding = Literal["none", "flow", "values"]
GROUNDINGS: tuple[Grounding, ...] = get_args(Grounding)

PREFIX = "CWM_LSP_"
NOT_SETTINGS = {"CONFIG", "DEBUG"}  # variables with our prefix that have a meaning of their own


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, with its default.

    `model` is a name that `cwm-lsp models list` shows, or a folder; `backend` are options of its backend. The
    `max_*` are the budgets of one trace.
    """

    model: str = "cwm-mini"
    backend: Mapping[str, Any] = field(default_factory=dict)
    grounding: Grounding = "flow"
    max_frames: int = 500
    max_tokens: int = 100_000
    max_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings that hold, where the file is (or would be), and a sentence for each refused value."""

    settings: Settings
    path: Path
    problems: tuple[str, ...] = ()


class BadValueError(ValueError):
    """A value that can't be used; the message says what would do."""


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadValueError("a name or a folder")
    return value


def _grounding(value: Any) -> Grounding:
    if value not in GROUNDINGS:
        raise BadValueError("one of " + ", ".join(GROUNDINGS))
    return value  # type: ignore[no-any-return]


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadValueError("a whole number from 1 up")
    return int(value)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise BadValueError("a number of seconds above 0")
    return float(value)


def _options(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadValueError("a table of options")
    return MappingProxyType({str(key): item for key, item in value.items()})


_READ: dict[str, Callable[[Any], Any]] = {
    "model": _name,
    "backend": _options,
    "grounding": _grounding,
    "max_frames": _count,
    "max_tokens": _count,
    "max_seconds": _seconds,
}


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where the settings file is: `CWM_LSP_CONFIG`, else the platform's place for it."""
    import platformdirs

    given = (os.environ if environ is None else environ).get(PREFIX + "CONFIG")
    return Path(given) if given else platformdirs.user_config_path("cwm-lsp", appauthor=False) / "config.toml"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Reads the file (none is fine) and the environment, which wins. Never raises for what a user wrote."""
    environ = os.environ if environ is None else environ
    path = path or config_path(environ)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, value in _read_file(path, problems).items():
        _take(values, name, value, f"{path}: {name}", problems)
    options = dict(values.get("backend", {}))
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        name = variable.removeprefix(PREFIX)
        if name in NOT_SETTINGS:
            continue
        text = environ[variable]
        if name.startswith("BACKEND_"):
            options[name.removeprefix("BACKEND_").lower()] = _literal(text)
        elif name == "BACKEND":
            problems.append(f"{variable} is not a setting: give each option as {PREFIX}BACKEND_NAME")
        else:
            _take(values, name.lower(), text if name == "MODEL" else _literal(text), variable, problems)
    if options:
        values["backend"] = _options(options)
    return Loaded(Settings(**values), path, tuple(problems))


def _read_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{path} could not be read: {error}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}")
    return {}


def _take(values: dict[str, Any], name: str, value: Any, where: str, problems: list[str]) -> None:
    if name not in _READ:
        known = ", ".join(item.name for item in fields(Settings))
        problems.append(f"{where} is not a setting; the settings are {known}")
        return
    try:
        values[name] = _READ[name](value)
    except BadValueError as error:
        problems.append(f"{where} is {value!r}, not {error}; it is left out")


def _literal(text: str) -> Any:
    """`2` is a number and `true` a truth value, as in TOML; everything else is the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text
