"""llama.cpp's library, imported where it is used, with its log caught instead of printed.

Leaves out everything that is done with it (llama_cpp.py, gguf_convert.py).
"""

from __future__ import annotations

import importlib.metadata
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cwm_lsp.model.backend import BackendError

OLDEST = (0, 3, 36)
"""The first llama-cpp-python whose llama.cpp has per-layer windows of the kind that CWM needs."""

INSTALL = "pip install 'cwm-lsp[llama]' (it compiles llama.cpp: some minutes and a C++ compiler)"


class Said:
    """What llama.cpp wrote into its log."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=400)

    def last(self, otherwise: str) -> str:
        """The last line that tells an error, as part of a sentence."""
        wrong = [line for line in self.lines if "error" in line.lower() or "fail" in line.lower()]
        text = (wrong or [otherwise])[0].partition(": ")[2] or (wrong or [otherwise])[0]
        return " ".join(text.split()).rstrip(".")[:200]


_lock = threading.Lock()
_listeners: list[Said] = []
_callback: Any = None


def library() -> Any:
    """The module `llama_cpp`. Raises BackendError if it is missing or too old."""
    global _callback  # noqa: PLW0603  (the C library holds a pointer to it for as long as the process lives)
    try:
        import llama_cpp
    except ImportError as error:
        raise BackendError(f"The llama.cpp backend needs llama-cpp-python: {INSTALL}.") from error
    except (OSError, RuntimeError) as error:
        raise BackendError(
            f"llama-cpp-python can't be loaded ({error}); it may be built for another machine: {INSTALL}."
        ) from error
    found = importlib.metadata.version("llama-cpp-python")
    if tuple(int(part) for part in found.split(".")[:3] if part.isdigit()) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise BackendError(f"llama-cpp-python {found} is too old, {needed} is needed: {INSTALL}.")
    with _lock:
        if _callback is None:
            _callback = llama_cpp.llama_log_callback(_log)
            llama_cpp.llama_log_set(_callback, None)
            llama_cpp.llama_backend_init()
    return llama_cpp


def _log(_level: int, text: bytes, _data: Any) -> None:
    line = text.decode("utf-8", "replace").strip()
    if line:
        for said in _listeners:
            said.lines.append(line)


@contextmanager
def quiet() -> Iterator[Said]:
    """Catches the log for a while."""
    said = Said()
    _listeners.append(said)
    try:
        yield said
    finally:
        _listeners.remove(said)
