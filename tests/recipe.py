"""The recipe of cwm-mini, importable in tests: its programs, its oracle and its tracer."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
RECIPE = ROOT / "models" / "cwm-mini"
_CALL = re.compile(r"^\s*#\s*cwm:\s*(.*?)(?:\s*->.*)?$")


def recipe(name: str) -> ModuleType:
    """A module of the recipe, such as `oracle`."""
    if str(RECIPE) not in sys.path:
        sys.path.append(str(RECIPE))
    return importlib.import_module(name)


def calls_in(source: str) -> list[str]:
    """The calls that a file's `# cwm:` comments name."""
    return [found.group(1) for line in source.splitlines() if (found := _CALL.match(line))]
