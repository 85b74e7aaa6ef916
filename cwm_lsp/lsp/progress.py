"""Progress bars in the editor: begun only if the work takes a while, cancellable. Leaves out the work."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from lsprotocol import types

if TYPE_CHECKING:
    from cwm_lsp.lsp.session import Session

AFTER_S = 0.4
EVERY_S = 0.2

_numbers = itertools.count(1)


class Bar:
    """One bar. `token` is the client's, of the request that the work is for; without one the client is asked
    for a bar of its own, if it has any. Used on the event loop."""

    def __init__(
        self,
        session: Session,
        title: str,
        cancel: Callable[[], None],
        token: types.ProgressToken | None = None,
    ) -> None:
        self._session, self._title, self._cancel = session, title, cancel
        self._token = token
        self._open = self._over = False
        self._told = 0.0
        self._timer = asyncio.get_running_loop().call_later(AFTER_S, self._ask)

    def report(self, message: str) -> None:
        """Tells how far it is; not more often than anybody can read."""
        now = asyncio.get_running_loop().time()
        if self._open and now - self._told >= EVERY_S:
            self._told = now
            self._send(types.WorkDoneProgressReport(message=message, cancellable=True))

    def end(self, message: str | None = None) -> None:
        """The work is over, however."""
        if self._over:
            return
        self._over = True
        self._timer.cancel()
        if self._open:
            self._send(types.WorkDoneProgressEnd(message=message))
        if self._token is not None:
            self._session.bars.pop(self._token, None)

    def cancelled(self) -> None:
        """The user has had enough."""
        self._cancel()

    def _ask(self) -> None:
        if self._over:
            return
        if self._token is not None:
            self._begin()
        elif self._session.client.progress:
            self._token = f"cwm-{next(_numbers)}"
            params = types.WorkDoneProgressCreateParams(token=self._token)
            asked = self._session.protocol.ask(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params)
            asked.add_done_callback(self._created)

    def _created(self, answer: Future[Any]) -> None:
        if not self._over and not answer.cancelled() and answer.exception() is None:
            self._begin()

    def _begin(self) -> None:
        assert self._token is not None
        self._open = True
        self._session.bars[self._token] = self
        self._send(types.WorkDoneProgressBegin(title=self._title, cancellable=True))

    def _send(self, value: Any) -> None:
        assert self._token is not None
        self._session.protocol.notify(types.PROGRESS, types.ProgressParams(token=self._token, value=value))
