"""Where engines are found on this machine: one name for each model with its options, and the files under it.

The folder is the user's alone. Leaves out starting and talking to engines.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import BackendError

PROTOCOL = 1
"""Version of what client and engine say to each other; those of another never meet."""

FOLDER_VARIABLE = "CWM_LSP_RUNTIME_DIR"
_LONGEST_SOCKET = 100
HAS_UNIX_SOCKETS = sys.platform != "win32"


def runtime_folder() -> Path:
    """The folder of sockets and states, made with mode 0700. Raises BackendError if it isn't ours alone."""
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        folder = Path(given)
    else:
        import platformdirs

        folder = Path(platformdirs.user_runtime_path("cwm-lsp", appauthor=False))
    if HAS_UNIX_SOCKETS and len(str(folder)) + 30 > _LONGEST_SOCKET:
        folder = Path(tempfile.gettempdir()) / f"cwm-lsp-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if HAS_UNIX_SOCKETS:
            found = folder.stat()
            if found.st_uid != os.getuid():
                raise BackendError(
                    f"{folder} belongs to somebody else; set {FOLDER_VARIABLE} to a folder of yours."
                )
            if stat.S_IMODE(found.st_mode) & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise BackendError(
            f"{folder}, where engines are found, can't be used ({error.strerror}); "
            f"set {FOLDER_VARIABLE} to a folder of yours."
        ) from error
    return folder


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one engine."""

    folder: Path
    key: str

    @classmethod
    def of(cls, model: str, options: Mapping[str, Any]) -> Place:
        """The place of a model with options."""
        text = json.dumps([PROTOCOL, model, sorted(options.items())], default=str)
        return cls(runtime_folder(), hashlib.sha256(text.encode()).hexdigest()[:12])

    @property
    def socket(self) -> Path:
        """The Unix socket, mode 0600."""
        return self.folder / f"{self.key}.sock"

    @property
    def state(self) -> Path:
        """What the engine says about itself, as JSON; on systems without Unix sockets port and token too."""
        return self.folder / f"{self.key}.json"

    @property
    def lock(self) -> Path:
        """Locked by the engine for as long as it lives, so that there is one."""
        return self.folder / f"{self.key}.lock"

    @property
    def starting(self) -> Path:
        """Locked by the client that starts the engine."""
        return self.folder / f"{self.key}.start"

    @property
    def starts(self) -> Path:
        """When the engine was started and had not answered anything yet, one time a line."""
        return self.folder / f"{self.key}.starts"

    @property
    def log(self) -> Path:
        """What the engine wrote to stderr."""
        return self.folder / f"{self.key}.log"

    def read_state(self) -> dict[str, Any]:
        """The state, {} if there is none that can be read."""
        try:
            found = json.loads(self.state.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def clear(self) -> None:
        """Removes what an engine leaves behind; its log stays."""
        for path in (self.socket, self.state):
            path.unlink(missing_ok=True)


def places() -> list[Place]:
    """All engines that there are traces of."""
    folder = runtime_folder()
    return [Place(folder, path.stem) for path in sorted(folder.glob("*.json"))]


class FileLock:
    """An advisory lock on a file; it goes when the process goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None

    def acquire(self) -> bool:
        """Takes the lock if it is free."""
        file = self._path.open("a+b")
        try:
            if HAS_UNIX_SOCKETS:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Gives the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None
