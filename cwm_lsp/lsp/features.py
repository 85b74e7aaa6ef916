"""The wiring: which feature answers which method. One file a feature; nothing is worked out here."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types

from cwm_lsp import __version__
from cwm_lsp.config import load
from cwm_lsp.lsp import (
    code_lens,
    diagnostics,
    documents,
    hover,
    inlay_hints,
    inline_completion,
    inline_values,
    notebooks,
    offers,
    settings_sync,
    trace_document,
)
from cwm_lsp.lsp.arguments import Arguments
from cwm_lsp.lsp.client import Client
from cwm_lsp.lsp.commands import COMMANDS, REQUESTS
from cwm_lsp.lsp.protocol import Protocol
from cwm_lsp.lsp.session import Session

log = logging.getLogger(__name__)

NOTICES: dict[str, Callable[[Session, Any], None]] = {
    types.INITIALIZED: lambda session, _: settings_sync.begin(session),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: settings_sync.changed,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: documents.progress_cancelled,
    types.TEXT_DOCUMENT_DID_OPEN: documents.opened,
    types.TEXT_DOCUMENT_DID_CHANGE: documents.changed,
    types.TEXT_DOCUMENT_DID_SAVE: documents.saved,
    types.TEXT_DOCUMENT_DID_CLOSE: documents.closed,
    types.NOTEBOOK_DOCUMENT_DID_OPEN: notebooks.opened,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: notebooks.changed,
    types.NOTEBOOK_DOCUMENT_DID_SAVE: notebooks.saved,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: notebooks.closed,
}
ANSWERS: dict[str, Callable[[Session, Any], Any]] = {
    types.TEXT_DOCUMENT_HOVER: hover.hover,
    types.TEXT_DOCUMENT_INLAY_HINT: inlay_hints.inlay_hints,
    types.INLAY_HINT_RESOLVE: inlay_hints.resolve,
    types.TEXT_DOCUMENT_CODE_LENS: code_lens.code_lens,
    types.TEXT_DOCUMENT_INLINE_VALUE: inline_values.inline_values,
    types.WORKSPACE_TEXT_DOCUMENT_CONTENT: trace_document.content,
    types.TEXT_DOCUMENT_CODE_ACTION: offers.code_actions,
}
WAITING: dict[str, Callable[[Session, Any], Awaitable[Any]]] = {
    types.TEXT_DOCUMENT_INLINE_COMPLETION: inline_completion.inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: offers.completion,
}
RUN = {**COMMANDS, **REQUESTS}


class Features:
    """The features of one connection, around its session."""

    def __init__(self, protocol: Protocol, client: Client) -> None:
        session = self.session = Session(protocol, load(), client)
        session.changed.append(lambda source: diagnostics.publish(session, source))
        session.closed.append(lambda source: diagnostics.withdraw(session, source))
        log.info("cwm-lsp %s with %s", __version__, client.name)

    def notice(self, method: str, params: Any) -> None:
        """A notification."""
        NOTICES[method](self.session, params)

    def answer(self, method: str, params: Any) -> Any:
        """A request that is answered from what is at hand."""
        return ANSWERS[method](self.session, params)

    async def wait(self, method: str, params: Any) -> Any:
        """A request that may wait for the model's thread."""
        return await WAITING[method](self.session, params)

    async def run(self, name: str, raw: Any, token: Any) -> Any:
        """A command or request that may wait."""
        good = token if isinstance(token, int | str) and not isinstance(token, bool) else None
        return await RUN[name](self.session, Arguments(self.session, name, raw), good)
