"""The server as the client first meets it: what it offers, without what stands behind it.

An editor waits for the answer to `initialize`, so nothing is imported for it that it doesn't need; the
features (features.py) come with the first message after it. Two kinds of handler: plain functions change
state or look things up, and never wait; commands and fills are coroutines that may wait for the model's
thread, each for its own request, and are cancelled with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from cwm_lsp import __version__
from cwm_lsp.lsp.client import Client, read_client
from cwm_lsp.lsp.protocol import Protocol

if TYPE_CHECKING:
    from cwm_lsp.lsp.features import Features

log = logging.getLogger(__name__)

NOTEBOOKS = types.NotebookDocumentSyncOptions(
    [types.NotebookDocumentFilterWithNotebook("*", [types.NotebookCellLanguage("python")])]
)
NOTIFICATIONS = (
    types.INITIALIZED,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL,
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_SAVE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_SAVE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
)
ANSWERS: dict[str, Any] = {
    types.TEXT_DOCUMENT_HOVER: None,
    types.TEXT_DOCUMENT_INLAY_HINT: types.InlayHintOptions(resolve_provider=True),
    types.INLAY_HINT_RESOLVE: None,
    types.TEXT_DOCUMENT_CODE_LENS: types.CodeLensOptions(resolve_provider=False),
    types.TEXT_DOCUMENT_INLINE_VALUE: None,
    types.WORKSPACE_TEXT_DOCUMENT_CONTENT: None,
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions([types.CodeActionKind.QuickFix]),
}
WAITING: dict[str, Any] = {
    # Announced statically: some clients know no other way. Without options pygls would leave it out.
    types.TEXT_DOCUMENT_INLINE_COMPLETION: types.InlineCompletionOptions(),
    types.TEXT_DOCUMENT_COMPLETION: types.CompletionOptions(trigger_characters=["?"]),
}
COMMANDS = (
    "cwm.trace",
    "cwm.traceWith",
    "cwm.showTrace",
    "cwm.whatIf",
    "cwm.clear",
    "cwm.selectModel",
    "cwm.restartEngine",
    "cwm.status",
    "cwm.explain",
    "cwm.text",
    "cwm.debugConfiguration",
    "cwm.fill",
    "cwm.fillAll",
)
REQUESTS = ("cwm/trace",)


class Server(LanguageServer):
    """The language server of one connection. Make it on the event loop."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("cwm-lsp", __version__, notebook_document_sync=NOTEBOOKS, protocol_cls=Protocol)
        self.client = Client()
        self.feature(types.INITIALIZE)(partial(self._initialize))
        for method in NOTIFICATIONS:
            self.feature(method)(self._notification(method))
        for method, options in ANSWERS.items():
            self.feature(method, options)(self._answer(method))
        for method, options in WAITING.items():
            self.feature(method, options)(self._waiting(method))
        for name in COMMANDS:
            self.command(name)(self._command(name))
        for method in REQUESTS:
            self.feature(method)(self._request(method))

    @cached_property
    def features(self) -> Features:
        """All that stands behind; imported now."""
        from cwm_lsp.lsp.features import Features

        return Features(self.protocol, self.client)

    def close(self) -> None:
        """Ends all work."""
        if "features" in self.__dict__:
            self.features.session.close()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Errors go to the log; a request has its error answer, and a notification can have none."""
        log.error("%s: %s", getattr(source, "__name__", source), error, exc_info=error)

    def _initialize(self, params: types.InitializeParams) -> None:
        encoding = self.workspace.position_encoding
        self.client = read_client(params, str(getattr(encoding, "value", encoding) or "utf-16"))
        if self.client.ghost_text:  # the same fills twice would be in the way
            self.protocol.fm.features.pop(types.TEXT_DOCUMENT_COMPLETION, None)

    def _notification(self, method: str) -> Any:
        def notice(params: Any) -> None:
            self.features.notice(method, params)

        return notice

    def _answer(self, method: str) -> Any:
        def answer(params: Any) -> Any:
            return self.features.answer(method, params)

        return answer

    def _waiting(self, method: str) -> Any:
        async def answer(params: Any) -> Any:
            return await self.features.wait(method, params)

        return answer

    def _command(self, name: str) -> Any:
        def command(raw: Any, token: types.ProgressToken | None = None) -> Awaitable[Any]:
            return self.features.run(name, raw, token)

        return command

    def _request(self, method: str) -> Any:
        async def request(params: Any) -> Any:
            raw = dict(params) if isinstance(params, dict) else params
            token = raw.pop("workDoneToken", None) if isinstance(raw, dict) else None
            return await self.features.run(method, raw, token)

        return request


async def connect(server: Server) -> int:
    """Waits for the end of the connection, and ends all work. Returns the exit status."""
    ended = server.protocol.ended = asyncio.Event()
    await ended.wait()
    server.close()
    return 1 if server.protocol.exit_status is None else server.protocol.exit_status
