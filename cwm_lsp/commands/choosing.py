"""Choosing a model: is it here, does it fit, is what it needs installed; and the choice in the settings file.

The file is the user's own, so only the lines that change are touched. Leaves out loading: nothing is loaded
to find out.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cwm_lsp.commands.errors import CommandError
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.catalog import find, target
from cwm_lsp.model.folder import ModelConfig
from cwm_lsp.model.hub import resolve
from cwm_lsp.model.memory import GB, OVERHEAD, available_memory, estimate

NEEDED = {
    "transformers": ("transformers", ("torch", "transformers", "accelerate")),
    "llama_cpp": ("llama", ("llama_cpp",)),
}
_TOKENS = 8192
_TABLE = re.compile(r"^\s*\[")


def check_usable(name: str, options: Mapping[str, Any]) -> list[str]:
    """What to know before it is used. Raises CommandError if it can't be used here, with what to type."""
    profile = find(name)
    backend, source, given = target(name, options)
    extra, packages = NEEDED.get(backend, ("", ()))
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise CommandError(f"{name} needs {', '.join(missing)}: pip install 'cwm-lsp[{extra}]'")
    warnings: list[str] = []
    if backend == "remote":
        from cwm_lsp.model.remote import connect

        connect(source, **{k: v for k, v in given.items() if k != "name"}).close()
        return warnings
    if backend == "transformers":
        try:
            folder = resolve(source)
        except BackendError as error:
            fetch = f": cwm-lsp models fetch {name}" if profile is not None else ""
            raise CommandError(f"{error}" if not fetch else f"{name} is not on this machine{fetch}") from None
        config = ModelConfig.read(folder)
        warnings += _memory(name, config, str(given.get("dtype", "auto")))
    if profile is not None and "Non-Commercial" in profile.licence:
        warnings.append(f"{name} is under the {profile.licence}: non-commercial research only")
    return warnings


def _memory(name: str, config: ModelConfig, dtype: str) -> list[str]:
    precision = "bfloat16" if dtype == "auto" else dtype
    try:
        needed = estimate(config.raw, precision, _TOKENS)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return []
    free = available_memory()
    if free is None or needed.total <= free:
        return []
    return [
        f"{name} needs {needed} and {OVERHEAD / GB:.1f} GB to work in; main memory has {free / GB:.1f} GB "
        "free, so it needs a GPU with as much"
    ]


def write_choice(path: Path, model: str, options: Mapping[str, str]) -> Path:
    """Writes `model` and options of its backend into the settings file, and leaves every other line as it is.
    Raises CommandError."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        before = tomllib.loads(text)
        written = _with_line(text, None, "model", model)
        for key, value in options.items():
            written = _with_line(written, "backend", key, value)
        after = tomllib.loads(written)
        wanted = {**before, "model": model}
        if options:
            wanted["backend"] = {**before.get("backend", {}), **options}
        if after != wanted:
            raise CommandError(
                f"{path} is written in a way that can't be changed here: set model = {_quoted(model)} in it"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".new")
        draft.write_text(written, encoding="utf-8")
        draft.replace(path)
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{path} is not TOML ({error}); correct it first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} can't be written: {error}") from None
    return path


def _with_line(text: str, table: str | None, key: str, value: str) -> str:
    """The text with `key = "value"` in a table (None: before the first one)."""
    lines = text.splitlines()
    heads = [i for i, line in enumerate(lines) if _TABLE.match(line)] + [len(lines)]
    start, end = 0, heads[0]
    if table is not None:
        start = next((i + 1 for i in heads[:-1] if lines[i].split("#")[0].strip() == f"[{table}]"), -1)
        if start < 0:
            return "\n".join(
                [*lines, *([""] if lines else []), f"[{table}]", f"{key} = {_quoted(value)}", ""]
            )
        end = next(i for i in heads if i >= start)
    for i in range(start, end):
        if re.match(rf"\s*{key}\s*=", lines[i]):
            lines[i] = f"{key} = {_quoted(value)}"
            break
    else:
        lines.insert(start, f"{key} = {_quoted(value)}")
        if table is None and len(lines) > 1 and _TABLE.match(lines[1]):
            lines.insert(1, "")
    return "\n".join([*lines, ""])


def _quoted(value: str) -> str:
    """A TOML string."""
    escaped = "".join(
        {"\\": "\\\\", '"': '\\"'}.get(c, c if c.isprintable() else f"\\U{ord(c):08x}") for c in value
    )
    return f'"{escaped}"'
