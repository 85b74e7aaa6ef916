"""The wiring: which feature answers which method. One file a feature; nothing is worked out here.

Two kinds of handler. Plain functions change state or look things up, and never wait. Commands are coroutines
that may wait for the model's thread; each has its own request, and is cancelled with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from cwm_lsp import __version__
from cwm_lsp.config import load
from cwm_lsp.lsp import (
    code_lens,
    diagnostics,
    hover,
    inlay_hints,
    inline_values,
    notebooks,
    settings_sync,
    trace_document,
)
from cwm_lsp.lsp.arguments import Arguments
from cwm_lsp.lsp.buffers import Text
from cwm_lsp.lsp.client import read_client
from cwm_lsp.lsp.commands import COMMANDS, REQUESTS, Command
from cwm_lsp.lsp.protocol import Protocol
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source

log = logging.getLogger(__name__)


class Server(LanguageServer):
    """The language server of one connection. Make it on the event loop."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "cwm-lsp",
            __version__,
            notebook_document_sync=notebooks.SYNC,
            protocol_cls=Protocol,
            max_workers=1,
        )
        self.session = Session(self.protocol, load())
        _lifecycle(self, self.session)
        _documents(self, self.session)
        _features(self, self.session)
        _commands(self, self.session)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Errors go to the log; a request has its error answer, and a notification can have none."""
        log.error("%s: %s", getattr(source, "__name__", source), error, exc_info=error)


def _lifecycle(server: Server, session: Session) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        session.client = read_client(params, str(server.workspace.position_encoding or "utf-16"))
        log.info("cwm-lsp %s with %s", __version__, session.client.name)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        settings_sync.begin(session)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration(params: types.DidChangeConfigurationParams) -> None:
        settings_sync.changed(session, params)

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancel_progress(params: types.WorkDoneProgressCancelParams) -> None:
        bar = session.bars.get(params.token)
        if bar is not None:
            bar.cancelled()

    session.changed.append(lambda source: diagnostics.publish(session, source))
    session.closed.append(lambda source: diagnostics.withdraw(session, source))


def _documents(server: Server, session: Session) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        session.remove(item.uri)
        if item.language_id in ("python", "") or item.uri.endswith((".py", ".pyi")):
            text = Text(item.uri, item.text, item.version, item.language_id)
            session.add(Source(item.uri, [text]))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        source = session.sources.get(params.text_document.uri)
        if source is not None and not source.notebook:
            version = params.text_document.version
            source.texts[0].change(params.content_changes, version, session.client.unit)
            if params.content_changes:
                first = params.content_changes[0]
                if isinstance(first, types.TextDocumentContentChangePartial):
                    source.focus = first.range.start.line + 1
            session.touched(source)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        source = session.sources.get(params.text_document.uri)
        if source is not None:
            session.saved(source)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        session.remove(params.text_document.uri)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def notebook_open(params: types.DidOpenNotebookDocumentParams) -> None:
        notebooks.opened(session, params)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def notebook_change(params: types.DidChangeNotebookDocumentParams) -> None:
        notebooks.changed(session, params)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def notebook_close(params: types.DidCloseNotebookDocumentParams) -> None:
        notebooks.closed(session, params)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_SAVE)
    def notebook_save(params: types.DidSaveNotebookDocumentParams) -> None:
        source = session.sources.get(params.notebook_document.uri)
        if source is not None:
            session.saved(source)


def _features(server: Server, session: Session) -> None:
    answers: dict[str, tuple[Callable[[Session, Any], Any], Any]] = {
        types.TEXT_DOCUMENT_HOVER: (hover.hover, None),
        types.TEXT_DOCUMENT_INLAY_HINT: (
            inlay_hints.inlay_hints,
            types.InlayHintOptions(resolve_provider=True),
        ),
        types.INLAY_HINT_RESOLVE: (inlay_hints.resolve, None),
        types.TEXT_DOCUMENT_CODE_LENS: (code_lens.code_lens, types.CodeLensOptions(resolve_provider=False)),
        types.TEXT_DOCUMENT_INLINE_VALUE: (inline_values.inline_values, None),
        types.WORKSPACE_TEXT_DOCUMENT_CONTENT: (trace_document.content, None),
    }
    for method, (answer, options) in answers.items():

        def handle(params: Any, answer: Callable[[Session, Any], Any] = answer) -> Any:
            return answer(session, params)

        server.feature(method, options)(handle)


def _commands(server: Server, session: Session) -> None:
    for name, command in COMMANDS.items():

        def run(
            raw: Any, token: types.ProgressToken | None = None, name: str = name, command: Command = command
        ) -> Coroutine[Any, Any, Any]:
            return _run(session, name, command, raw, token)

        server.command(name)(run)
    for method, request in REQUESTS.items():

        async def ask(params: Any, method: str = method, request: Command = request) -> Any:
            raw = dict(params) if isinstance(params, dict) else params
            token = raw.pop("workDoneToken", None) if isinstance(raw, dict) else None
            return await _run(session, method, request, raw, token)

        server.feature(method)(ask)


async def _run(session: Session, name: str, command: Command, raw: Any, token: Any) -> Any:
    good = token if isinstance(token, int | str) and not isinstance(token, bool) else None
    return await command(session, Arguments(session, name, raw), good)


async def connect(server: Server) -> int:
    """Waits for the end of the connection, and ends all work. Returns the exit status."""
    ended = server.protocol.ended = asyncio.Event()
    await ended.wait()
    server.session.close()
    return 1 if server.protocol.exit_status is None else server.protocol.exit_status
