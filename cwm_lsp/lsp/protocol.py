"""The wire: pygls' protocol with the rules that it leaves open.

Every request gets exactly one answer: malformed parameters an InvalidParams, bad JSON a ParseError, a request
before `initialize` or after `shutdown` an error that says so. Parameters of our own methods stay plain
dictionaries. The texts of documents are kept by buffers.py, which counts lines as the specification does
(pygls' own store splits at form feeds and Unicode separators too). Leaves out every feature.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import JsonRPCNotification, JsonRPCRequestMessage, JsonRPCResponseMessage

log = logging.getLogger(__name__)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
NOT_INITIALIZED = -32002

OURS = ("cwm/", "cwm.")
TRACE_SCHEME = "cwm-trace"


class InvalidParamsError(JsonRpcInvalidParams):
    """Parameters that can't be used; the message says which and why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(message=sentence)


class Protocol(LanguageServerProtocol):
    """One connection."""

    def __init__(self, server: Any, converter: Any) -> None:
        super().__init__(server, converter)
        self._initialized = False
        self.exit_status: int | None = None
        self.ended: asyncio.Event | None = None

    def take(self, body: bytes) -> None:
        """Reads and handles one message. Never raises: whatever is wrong with it is answered or logged."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            log.warning("a message is not JSON: %s", error)
            self._refuse(None, PARSE_ERROR, f"The message is not JSON: {error}.")
            return
        for item in data if isinstance(data, list) and data else [data]:
            try:
                self._take_one(item)
            except Exception:
                log.exception("a message could not be handled")

    def _take_one(self, data: Any) -> None:
        if not isinstance(data, dict) or data.get("jsonrpc") != "2.0":
            self._refuse(None, INVALID_REQUEST, "This is not a JSON-RPC 2.0 message.")
            return
        identity, method = data.get("id"), data.get("method")
        if "method" in data:
            if not isinstance(method, str):
                self._refuse(identity, INVALID_REQUEST, "The method of a message must be a string.")
                return
            if "id" in data and (isinstance(identity, bool) or not isinstance(identity, int | str)):
                self._refuse(None, INVALID_REQUEST, "The id of a request must be a number or a string.")
                return
            refusal = self._untimely(method)
            if refusal is not None:
                if "id" in data:
                    self._refuse(identity, *refusal)
                return
            self._take_call(data, method, identity)
        elif "id" in data:
            self._take_answer(data)
        else:
            self._refuse(None, INVALID_REQUEST, "A message must have a method or an id.")

    def _untimely(self, method: str) -> tuple[int, str] | None:
        if method == types.EXIT:
            return None
        if self._shutdown:
            return INVALID_REQUEST, "The server is shutting down."
        if method == types.INITIALIZE:
            return (INVALID_REQUEST, "The server is initialized already.") if self._initialized else None
        return None if self._initialized else (NOT_INITIALIZED, "The server is not initialized yet.")

    def _take_call(self, data: dict[str, Any], method: str, identity: Any) -> None:
        is_request = "id" in data
        known = self.get_message_type(method)
        try:
            if known is None:
                message: Any = (
                    JsonRPCRequestMessage(
                        id=identity, method=method, jsonrpc="2.0", params=data.get("params")
                    )
                    if is_request
                    else JsonRPCNotification(method=method, jsonrpc="2.0", params=data.get("params"))
                )
            else:
                _check_addresses(data.get("params"))
                message = self._converter.structure(data, known)
                if is_request != hasattr(message, "id"):
                    self._refuse(identity, INVALID_REQUEST, f"{method} is not sent in this way.")
                    return
        except Exception as error:
            sentence = f"The parameters of {method} can't be used: {_reason(error)}."
            log.warning("%s", sentence)
            if is_request:
                self._refuse(identity, INVALID_PARAMS, sentence)
            return
        if is_request and identity in self._request_futures:
            self._refuse(identity, INVALID_REQUEST, f"There is a request {identity!r} already.")
            return
        if method == types.INITIALIZE:
            self._initialized = True
        self.handle_message(message)

    def _take_answer(self, data: dict[str, Any]) -> None:
        """The client's answer to a request of ours; one that can't be read counts as an error."""
        future = self._request_futures.get(data["id"])
        kind = self._result_types.pop(data["id"], None)
        if future is None:
            log.warning("an answer to nothing: %r", data["id"])
            return
        message: Any
        try:
            if "error" in data:
                message = self._converter.structure(data, types.ResponseErrorMessage)
            elif kind is None:
                message = JsonRPCResponseMessage(data["id"], "2.0", data.get("result"))
            else:
                message = self._converter.structure({"result": None, **data}, kind)
        except Exception as error:
            self._request_futures.pop(data["id"], None)
            future.set_exception(JsonRpcException(message=f"the answer can't be read: {_reason(error)}"))
            return
        self.handle_message(message)

    def _refuse(self, identity: Any, code: int, sentence: str) -> None:
        """An error answer. Without an id (it could not be read) it has the id null, as JSON-RPC wants."""
        identity = identity if isinstance(identity, int | str) and not isinstance(identity, bool) else None
        error = {"code": code, "message": sentence}
        self._send_data({"jsonrpc": "2.0", "id": identity, "error": error})

    def get_message_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        """Our own methods take plain parameters; all others those of the specification."""
        return None if method.startswith(OURS) else types.METHOD_TO_TYPES.get(method, (None,))[0]

    def get_result_type(self, method: str) -> type[Any] | None:  # type: ignore[override]
        """The same for answers. lsprotocol would read settings, which may be anything, as empty objects."""
        plain = method.startswith(OURS) or method == types.WORKSPACE_CONFIGURATION
        return None if plain else types.METHOD_TO_TYPES.get(method, (None, None))[1]

    def _send_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        # pygls answers by the type of the *client's* requests; ids of both sides may be the same.
        if error is not None:
            data = {"code": error.code, "message": error.message}
            self._send_data({"jsonrpc": "2.0", "id": msg_id, "error": data})
            return
        self._send_data({"jsonrpc": "2.0", "id": msg_id, "result": self._converter.unstructure(result)})

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(self, params: types.InitializeParams) -> Generator[Any, Any, types.InitializeResult]:
        """pygls' answer, with the scheme of our virtual documents, which pygls can't announce."""
        result = yield from super().lsp_initialize(params)
        if result.capabilities.workspace is not None:
            options = types.TextDocumentContentOptions([TRACE_SCHEME])
            result.capabilities.workspace.text_document_content = options
        return result

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Ours alone: see the module's docstring."""
        self._to_feature(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Ours alone."""
        self._to_feature(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Ours alone."""
        self._to_feature(types.TEXT_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Ours alone."""
        self._to_feature(types.NOTEBOOK_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Ours alone."""
        self._to_feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Ours alone."""
        self._to_feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE, params)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """A coroutine, so that a cancelled command is cancelled."""
        command = self.fm.commands.get(params.command)
        if command is None:
            raise InvalidParamsError(f"There is no command {params.command}.")
        result = command(list(params.arguments or []), params.work_done_token)
        return await result if asyncio.iscoroutine(result) else result

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: Any) -> None:  # type: ignore[override]
        """Ends the connection; the exit status is 1 if there was no `shutdown` before."""
        self.exit_status = 0 if self._shutdown else 1
        if self.ended is not None:
            self.ended.set()

    def _to_feature(self, method: str, params: Any) -> None:
        self.fm.features[method](params)

    def ask(self, method: str, params: Any) -> Future[Any]:
        """Sends a request to the client; the answer's future never breaks the event loop."""
        return self.send_request(method, params)


def _check_addresses(params: Any) -> None:
    """The converter would make a string of any address. Raises TypeError."""
    if isinstance(params, dict):
        for name in ("textDocument", "notebookDocument"):
            document = params.get(name)
            if isinstance(document, dict) and not isinstance(document.get("uri"), str):
                raise TypeError(f"the uri of {name} is no string")


def _reason(error: BaseException) -> str:
    """The innermost reason why a message could not be read, in a few words."""
    seen: list[str] = []
    todo: list[BaseException] = [error]
    while todo and len(seen) < 3:
        current = todo.pop(0)
        inner = list(getattr(current, "exceptions", ()))
        if inner:
            todo = inner + todo
            continue
        words = f"{type(current).__name__}: {current}" if str(current) else type(current).__name__
        notes = [str(note) for note in getattr(current, "__notes__", ())]
        seen.append(" ".join((words + (f" ({notes[-1]})" if notes else "")).split())[:200])
    return "; ".join(seen) or type(error).__name__


__all__ = ["InvalidParamsError", "Protocol"]
