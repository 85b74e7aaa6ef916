"""When a request is tried again: with growing pauses, for as long as the user's patience lasts, and never
after it was cancelled.

Leaves out what is tried.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from cwm_lsp.model.backend import BackendError, Cancel
from cwm_lsp.model.http_client import CancelledError, HttpError

Result = TypeVar("Result")

_FIRST, _LONGEST = 0.1, 8.0
_LOOK = 0.02


def with_retries(
    work: Callable[[], Result],
    *,
    patience: float,
    cancel: Cancel | None = None,
    before: Callable[[int, HttpError], None] | None = None,
) -> Result:
    """The result of `work`. Raises BackendError with the last reason once `patience` seconds have passed or
    trying again is no use, and CancelledError. `before` is called before each further try, with its
    number."""
    deadline = time.monotonic() + patience
    tries = 0
    while True:
        try:
            return work()
        except HttpError as error:
            tries += 1
            pause = min(_LONGEST, _FIRST * 2 ** (tries - 1)) * random.uniform(0.7, 1.3)
            pause = max(pause, error.after or 0.0)
            if not error.again:
                raise BackendError(f"{error}.") from error
            if time.monotonic() + pause > deadline:
                raise BackendError(f"{error}; gave up after {tries} tries in {patience:g} s.") from error
            wait(pause, cancel)
            if before is not None:
                before(tries, error)


def wait(seconds: float, cancel: Cancel | None) -> None:
    """Sleeps. Raises CancelledError as soon as the request is cancelled."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if cancel is not None and cancel.cancelled:
            raise CancelledError
        time.sleep(min(left, _LOOK))
