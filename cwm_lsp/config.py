"""Settings: one small dataclass, filled from the user's own TOML file, from `CWM_LSP_*` variables, and, by
the language server, from what an editor sends.

A value that can't be used is named in `problems`; its default holds, and the rest works. Only the user's own
file is read, never one from a workspace. An editor's settings may come from a workspace: `from_editor` takes
nothing from them that could start a program, load a file or send code elsewhere. Leaves out what the settings
do, and how values are read (config_values.py).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cwm_lsp.config_values import (
    DIAGNOSTIC_KINDS,
    GROUNDINGS,
    READ,
    BadValueError,
    DiagnosticKind,
    Grounding,
    LogLevel,
    Predict,
    Severity,
    snake_case,
)

__all__ = [
    "GROUNDINGS",
    "BadValueError",
    "Grounding",
    "Loaded",
    "Settings",
    "config_path",
    "from_editor",
    "load",
]

PREFIX = "CWM_LSP_"
NOT_SETTINGS = {
    "CONFIG",
    "DEBUG",
    "RUNTIME_DIR",
    "API_KEY",
    "TEST_LLAMA_SERVER",
}  # variables with our prefix that have a meaning of their own
OWN_ONLY = {"backend": "it may send your code elsewhere or start a program"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, with its default.

    `model` is a name that `cwm-lsp models list` shows, or a folder; `backend` are options of its backend. The
    `max_*` are the budgets of one trace. The rest is the language server's: docs/settings.md tells each.
    """

    model: str = "cwm-mini"
    backend: Mapping[str, Any] = field(default_factory=dict)
    grounding: Grounding = "values"
    max_frames: int = 500
    max_tokens: int = 100_000
    max_seconds: float = 600.0
    predict: Predict = "idle"
    idle_seconds: float = 1.0
    background_seconds: float = 60.0
    hover: bool = True
    inlay_hints: bool = True
    hint_width: int = 60
    code_lens: bool = True
    fills: bool = True
    fill_seconds: float = 2.0
    diagnostics: tuple[DiagnosticKind, ...] = DIAGNOSTIC_KINDS
    diagnostics_confidence: float = 0.7
    diagnostics_severity: Severity = "information"
    max_file_bytes: int = 1_000_000
    cache: bool = True
    cache_megabytes: int = 200
    ascii: bool = False
    log_level: LogLevel = "info"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings that hold, where the file is (or would be), and a sentence for each refused value."""

    settings: Settings
    path: Path
    problems: tuple[str, ...] = ()


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
        values["backend"] = READ["backend"](options)
    return Loaded(Settings(**values), path, tuple(problems))


def from_editor(
    base: Settings, sent: Any, models: frozenset[str], where: str = "the editor's settings"
) -> tuple[Settings, tuple[str, ...]]:
    """`base` with what an editor sent on top: (settings, a sentence for each refused value).

    The names are those of the dataclass, in snake_case or camelCase; null leaves a setting as it is. `model`
    may only be one of `models`, the names of profiles: a path or an address may have come from a workspace
    file. A workspace may lower the budgets of the user's own file, not raise them.
    """
    problems: list[str] = []
    if sent is None:
        return base, ()
    if not isinstance(sent, Mapping):
        return base, (f"{where} are no table of settings, they are left out",)
    values: dict[str, Any] = {}
    for key, value in sent.items():
        name = snake_case(str(key))
        if value is None:
            continue
        if name in OWN_ONLY:
            if value:
                own = f"set it in {config_path()}"
                problems.append(
                    f"{where}: {key} is taken only from your own settings, {OWN_ONLY[name]}: {own}"
                )
            continue
        if name == "model" and value != base.model and (not isinstance(value, str) or value not in models):
            known = ", ".join(sorted(models))
            problems.append(
                f"{where}: model is {value!r}, and from an editor only the names of known models are taken "
                f"({known}); set others in {config_path()}"
            )
            continue
        _take(values, name, value, f"{where}: {key}", problems)
    for name in ("max_frames", "max_tokens", "max_seconds", "cache_megabytes", "max_file_bytes"):
        most = max(getattr(base, name), getattr(_DEFAULTS, name))
        if values.get(name, 0) > most:
            problems.append(f"{where}: {name} may not be more than {most:g} here; that holds")
            values[name] = most
    return replace(base, **values), tuple(problems)


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
    if name not in READ:
        known = ", ".join(item.name for item in fields(Settings))
        problems.append(f"{where} is not a setting; the settings are {known}")
        return
    try:
        values[name] = READ[name](value)
    except BadValueError as error:
        problems.append(f"{where} is {value!r}, not {error}; it is left out")


def _literal(text: str) -> Any:
    """`2` is a number and `true` a truth value, as in TOML; everything else is the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text


_DEFAULTS = Settings()
