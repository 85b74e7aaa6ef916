"""The server's log: a file among the user's log files, and window/logMessage. Never the text of a file, never
a key."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import logging.handlers
from typing import TYPE_CHECKING

import platformdirs
from lsprotocol import types

if TYPE_CHECKING:
    from cwm_lsp.lsp.server import Server

MOST_BYTES = 1_000_000
LEVELS = {
    logging.DEBUG: types.MessageType.Debug,
    logging.INFO: types.MessageType.Log,
    logging.WARNING: types.MessageType.Warning,
    logging.ERROR: types.MessageType.Error,
}


def log_to_file() -> None:
    """Begins to write the log file; without a place for it there is none."""
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    logging.getLogger("cwm_lsp").setLevel(logging.INFO)
    for name in ("pygls", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        folder = platformdirs.user_log_path("cwm-lsp", appauthor=False)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler: logging.Handler = logging.handlers.RotatingFileHandler(
            folder / "lsp.log", maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)


class LogMessages(logging.Handler):
    """Sends records to the client, from whatever thread they come."""

    def __init__(self, server: Server) -> None:
        super().__init__(logging.INFO)
        self._server = server
        self._loop = asyncio.get_running_loop()
        logging.getLogger("cwm_lsp").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Hands the record to the event loop."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._send, record.levelno, self.format(record))

    def close(self) -> None:
        """Sends no more."""
        logging.getLogger("cwm_lsp").removeHandler(self)
        super().close()

    def _send(self, level: int, text: str) -> None:
        kind = LEVELS.get(level, types.MessageType.Error)
        params = types.LogMessageParams(type=kind, message=text)
        self._server.protocol.notify(types.WINDOW_LOG_MESSAGE, params)
