"""An editor for tests: pytest-lsp's client with the recorded capabilities of a real one. No test itself."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pytest_lsp import LanguageClient, make_test_lsp_client

from tests.cli_fixture import ROOT, environment

EXAMPLES = ROOT / "examples"
RECORDED = ROOT / "tests" / "fixtures" / "lsp"
TIMEOUT_S = 60


class Editor:
    """One editor with one server."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.seen: list[tuple[str, Any]] = []
        self.opened: list[str] = []
        self.capabilities: types.ServerCapabilities | None = None

    # --- documents ----------------------------------------------------------------------------------------

    def open(self, path: Path | str, text: str | None = None, uri: str | None = None) -> str:
        """Opens a file (or a text) and gives its address."""
        uri = uri or Path(path).resolve().as_uri()
        text = Path(path).read_text(encoding="utf-8") if text is None else text
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri, "python", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def edit(self, uri: str, old: str, new: str) -> None:
        """Replaces the only place where `old` stands."""
        text = self.texts[uri]
        assert text.count(old) == 1, (old, text.count(old))
        start = text.index(old)
        change = types.TextDocumentContentChangePartial(
            types.Range(position(text, start), position(text, start + len(old))), new
        )
        self.change(uri, change, text[:start] + new + text[start + len(old) :])

    def change(self, uri: str, change: types.TextDocumentContentChangeEvent, text: str) -> None:
        """Sends one change, after which the text is `text`."""
        self.texts[uri] = text
        self.versions[uri] += 1
        identity = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(identity, [change]))

    def save(self, uri: str) -> None:
        """Says that it was saved."""
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def close(self, uri: str) -> None:
        """Closes it."""
        self.texts.pop(uri, None)
        params = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        self.client.text_document_did_close(params)

    def clean(self) -> None:
        """Closes everything, and takes all settings back."""
        for uri in list(self.texts):
            self.close(uri)
        self.configure({})
        self.seen.clear()
        self.client.shown_documents.clear()

    def configure(self, settings: dict[str, Any]) -> None:
        """Other settings hold from now on."""
        self.client.set_configuration(settings, section="cwm")
        params = types.DidChangeConfigurationParams({"cwm": settings})
        self.client.workspace_did_change_configuration(params)

    def line(self, uri: str, piece: str) -> int:
        """The 0-based line of the only line that has this piece."""
        found = [i for i, line in enumerate(self.texts[uri].splitlines()) if piece in line]
        assert len(found) == 1, (piece, found)
        return found[0]

    def at(self, uri: str, line: str, name: str) -> types.Position:
        """The position inside of a name on the line that has this piece."""
        number = self.line(uri, line)
        text = self.texts[uri].splitlines()[number]
        start = text.index(line) + line.index(name)
        return types.Position(number, len(text[:start].encode("utf-16-le")) // 2 + 1)

    # --- requests -----------------------------------------------------------------------------------------

    async def command(self, command: str, /, **arguments: Any) -> Any:
        """Executes a command with its one object."""
        params = types.ExecuteCommandParams(command, [arguments] if arguments else [])
        return await soon(self.client.workspace_execute_command_async(params))

    async def request(self, method: str, params: Any) -> Any:
        """A request of our own; its answer as plain data."""
        return plain(await soon(self.client.protocol.send_request_async(method, params)))

    async def hover(self, uri: str, line: str, name: str) -> str | None:
        """The text of the hover on a name."""
        return await self.hover_at(uri, self.at(uri, line, name))

    async def hover_at(self, uri: str, place: types.Position) -> str | None:
        """The text of the hover at a position."""
        params = types.HoverParams(types.TextDocumentIdentifier(uri), place)
        found = await soon(self.client.text_document_hover_async(params))
        return None if found is None else found.contents.value

    async def raw_hints(self, uri: str) -> list[types.InlayHint]:
        """All inlay hints."""
        span = types.Range(types.Position(0, 0), types.Position(100_000, 0))
        params = types.InlayHintParams(types.TextDocumentIdentifier(uri), span)
        return list(await soon(self.client.text_document_inlay_hint_async(params)) or [])

    async def hints(self, uri: str) -> dict[int, str]:
        """All inlay hints, by line."""
        return {hint.position.line: str(hint.label) for hint in await self.raw_hints(uri)}

    async def lenses(self, uri: str) -> dict[int, list[types.Command]]:
        """All code lenses, by line."""
        params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
        found: dict[int, list[types.Command]] = {}
        for lens in await soon(self.client.text_document_code_lens_async(params)) or []:
            assert lens.command is not None
            found.setdefault(lens.range.start.line, []).append(lens.command)
        return found

    def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """The last published diagnostics."""
        return list(self.client.diagnostics.get(uri, ()))

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds."""
        for _ in range(TIMEOUT_S * 20):
            if holds():
                return
            await asyncio.sleep(0.05)
        raise AssertionError("it never came to hold")

    async def quiet(self, traces: int | None = None) -> dict[str, Any]:
        """Waits until nothing is under way; the status then."""
        for _ in range(TIMEOUT_S * 20):
            status = plain(await self.command("cwm.status"))
            enough = traces is None or sum(item["traces"] for item in status["files"]) >= traces
            if status["state"] in ("idle", "error") and not status["jobs"] and enough:
                return status
            await asyncio.sleep(0.05)
        raise AssertionError(f"still busy: {status}")


def position(text: str, offset: int) -> types.Position:
    """The position of an offset, as a client counts (UTF-16)."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return types.Position(len(before) - 1, len(before[-1].encode("utf-16-le")) // 2)


async def soon(answer: Any) -> Any:
    """An answer that must not take for ever; objects of ours as plain data."""
    return plain(await asyncio.wait_for(answer, TIMEOUT_S))


def plain(data: Any) -> Any:
    """Named tuples (as pygls' client reads what has no type) as dictionaries."""
    if hasattr(data, "_asdict"):
        return {key: plain(value) for key, value in data._asdict().items()}
    return [plain(item) for item in data] if isinstance(data, list) else data


def recorded(name: str) -> types.ClientCapabilities:
    """The capabilities that an editor sent, as they were recorded."""
    from lsprotocol.converters import get_converter

    data = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return get_converter().structure(data["capabilities"], types.ClientCapabilities)


@asynccontextmanager
async def run_editor(
    home: Path,
    capabilities: types.ClientCapabilities,
    configuration: dict[str, Any] | None = None,
    options: Any = None,
    env: dict[str, str] | None = None,
    name: str | None = None,
) -> AsyncIterator[Editor]:
    """A server, started as an editor starts it, and its editor."""
    client = make_test_lsp_client()
    editor = Editor(client)
    answer(client, editor)
    client.set_configuration(configuration or {}, section="cwm")
    extra = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "XDG_STATE_HOME": str(home / "state")}
    await client.start_io(
        sys.executable, "-m", "cwm_lsp", env=environment({**extra, **(env or {})}), cwd=str(ROOT)
    )
    try:
        params = types.InitializeParams(
            capabilities=capabilities,
            initialization_options=options,
            client_info=types.ClientInfo(name) if name else None,
        )
        result = await asyncio.wait_for(client.initialize_session(params), TIMEOUT_S)
        editor.capabilities = result.capabilities
        yield editor
        await asyncio.wait_for(client.shutdown_session(), TIMEOUT_S)
    finally:
        await asyncio.wait_for(client.stop(), TIMEOUT_S)


def answer(client: LanguageClient, editor: Editor) -> None:
    """The requests of the server that pytest-lsp's client has no answer for."""

    def note(method: str, result: Any = None) -> None:
        @client.feature(method)
        def _(params: Any) -> Any:
            editor.seen.append((method, params))
            return result

    note(types.CLIENT_REGISTER_CAPABILITY)
    note(types.WORKSPACE_INLAY_HINT_REFRESH)
    note(types.WORKSPACE_CODE_LENS_REFRESH)
    note(types.WORKSPACE_INLINE_VALUE_REFRESH)
    note(types.WORKSPACE_APPLY_EDIT, types.ApplyWorkspaceEditResult(applied=True))
    note(types.TELEMETRY_EVENT)
    note("cwm/status")

    @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
    def _(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        editor.seen.append((types.WINDOW_SHOW_MESSAGE_REQUEST, params))
        return params.actions[-1] if params.actions else None
