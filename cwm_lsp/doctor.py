"""Self-diagnosis: what is installed, what is missing, and what to type. Each finding is ok, a warning or an
error.

Nothing is changed, loaded or sent. Leaves out the printing (commands/doctor.py).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cwm_lsp import __version__, config

Status = Literal["ok", "warn", "error"]

SUPPORTED = ((3, 11), (3, 14))
BASE = ("llguidance", "numpy", "onnxruntime", "parso", "platformdirs", "pygls", "rich", "tokenizers")
EXTRAS = {"transformers": ("torch", "transformers", "safetensors", "accelerate", "bitsandbytes")}
LOW_MEMORY = 1.0  # GiB below which even the small model is cramped
NVIDIA_SMI_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice` is what to type or do; empty where nothing is to be done."""

    name: str
    status: Status
    text: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        """The JSON form of `doctor --json`."""
        return {"name": self.name, "status": self.status, "text": self.text, "advice": self.advice}


def examine() -> Iterator[Finding]:
    """All findings, one after the other. A check that itself goes wrong is a finding too."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _extras,
        _settings,
        _models,
        _memory,
        _gpu,
        _terminal,
        *_where_models_run(),
    )
    for check in checks:
        try:
            yield from check()
        except Exception as error:
            name = check.__name__.strip("_")
            yield Finding(name, "error", f"the check itself failed: {type(error).__name__}: {error}")


def _where_models_run() -> tuple[Callable[[], Iterator[Finding]], ...]:
    from cwm_lsp.commands import doctor_engines as more

    return (more.llama, more.chosen, more.gpus, more.engines, more.editors)


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    text = f"{version} ({platform.python_implementation()}) at {sys.executable}"
    if SUPPORTED[0] <= sys.version_info[:2] < SUPPORTED[1]:
        yield Finding("python", "ok", text)
    else:
        yield Finding("python", "error", text, "use Python 3.11, 3.12 or 3.13")
    if sys.implementation.name != "cpython":
        yield Finding("python", "warn", "record and --check need CPython", "use CPython")
    yield Finding("cwm-lsp", "ok", f"{__version__} at {Path(__file__).parent}")
    on_path = shutil.which("cwm-lsp")
    if on_path is None:
        bin_folder = Path(sys.executable).parent
        yield Finding("command", "warn", "cwm-lsp is not on the PATH", f"add {bin_folder} to PATH")


def _packages() -> Iterator[Finding]:
    for package in BASE:
        found = _version(package)
        if found is None:
            yield Finding(package, "error", "not installed", f"pip install --upgrade {package}")
        else:
            yield Finding(package, "ok", found)


def _extras() -> Iterator[Finding]:
    for extra, packages in EXTRAS.items():
        found = {package: _version(package) for package in packages}
        there = ", ".join(f"{package} {version}" for package, version in found.items() if version)
        missing = [package for package, version in found.items() if not version]
        install = f"pip install 'cwm-lsp[{extra}]'"
        if not missing:
            yield Finding(extra, "ok", there)
        elif there:
            yield Finding(extra, "warn", f"{there}; without {', '.join(missing)}", install)
        else:
            yield Finding(extra, "ok", "not installed; only models other than cwm-mini need it", install)


def _settings() -> Iterator[Finding]:
    loaded = config.load()
    where = f"{loaded.path}" if loaded.path.exists() else f"{loaded.path} (not there: the defaults hold)"
    yield Finding("settings", "ok", where)
    for problem in loaded.problems:
        yield Finding("settings", "warn", problem, "correct or remove it")


def _models() -> Iterator[Finding]:
    from cwm_lsp.model.backend import BackendError
    from cwm_lsp.model.catalog import profiles

    chosen = config.load().settings.model
    try:
        known = profiles()
    except BackendError as error:
        yield Finding("models", "error", str(error), "install cwm-lsp again")
        return
    for profile in known:
        folder = profile.folder
        is_default = profile.name == config.Settings().model
        if folder is not None:
            yield Finding(profile.name, "ok", f"{folder} ({_megabytes(folder):,.0f} MB)")
        elif is_default:
            yield Finding(profile.name, "error", "its files are missing", "install cwm-lsp again")
        elif profile.name == chosen and profile.backend != "remote":
            fetch = f"cwm-lsp models fetch {profile.name}"
            yield Finding(profile.name, "error", "chosen in the settings, but not on this machine", fetch)
        elif profile.backend == "remote":
            continue
        else:
            yield Finding(profile.name, "ok", "not on this machine")


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _memory() -> Iterator[Finding]:
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_AVPHYS_PAGES" not in names:
        yield Finding("memory", "ok", "can't be read on this system")
        return
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = (os.sysconf(name) * page / 2**30 for name in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES"))
    available = _available_gib() or free
    text = f"{available:.1f} GiB available of {total:.1f}, {os.cpu_count()} cores"
    if available < LOW_MEMORY:
        yield Finding("memory", "warn", text, "close something; models may fail to load")
    else:
        yield Finding("memory", "ok", text)


def _available_gib() -> float | None:
    """What Linux says can be had, caches that it would give up included."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 2**20
    except (OSError, ValueError, IndexError):
        pass
    return None


def _gpu() -> Iterator[Finding]:
    program = shutil.which("nvidia-smi")
    if program is None:
        yield Finding("gpu", "ok", "none seen (no nvidia-smi); cwm-mini needs none")
        return
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(
            query,
            capture_output=True,
            text=True,
            timeout=NVIDIA_SMI_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding("gpu", "warn", f"nvidia-smi did not answer: {error}", "run nvidia-smi by hand")
        return
    cards = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    if done.returncode or not cards:
        why = (done.stderr or done.stdout).strip().splitlines()
        yield Finding("gpu", "warn", why[0] if why else "nvidia-smi found none", "run nvidia-smi by hand")
    for card in cards:
        yield Finding("gpu", "ok", card)


def _terminal() -> Iterator[Finding]:
    from cwm_lsp.look import UNICODE, marks_for

    encoding = sys.stdout.encoding
    if marks_for(encoding) is UNICODE:
        yield Finding("terminal", "ok", f"encoding {encoding}")
    else:
        advice = "export PYTHONIOENCODING=utf-8 if your terminal can show it"
        yield Finding("terminal", "warn", f"encoding {encoding}: marks are shown in plain ASCII", advice)


def _version(package: str) -> str | None:
    """The version of an installed package that can be found for import; nothing is imported."""
    try:
        if importlib.util.find_spec(package) is None:
            return None
        return importlib.metadata.version(package)
    except (importlib.metadata.PackageNotFoundError, ImportError, ValueError):
        return None
