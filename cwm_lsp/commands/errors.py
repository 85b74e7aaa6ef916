"""How a command fails: one sentence for the user and an exit status. Leaves out the printing (cli.py)."""

from __future__ import annotations

FAILED = 1
BAD_USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


class CommandError(Exception):
    """The command ends here: 1 if the work failed or was refused, 2 for bad usage."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status
