"""Texts of every kind: line endings, UTF-16, tabs, files without a file, large ones, notebooks."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from cwm_lsp.lsp.buffers import Text, split
from tests.lsp.client import position
from tests.lsp.raw import Raw

LETTERS = st.text(st.sampled_from("ab\n\ré😀\x0c\u2028\u0085 "), max_size=20)
EVERYTHING = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}


@given(LETTERS, LETTERS, st.randoms(use_true_random=False))
def test_changes_are_applied_and_lines_are_followed(text: str, piece: str, chance: random.Random) -> None:
    document = Text("u", text, 1, "python")
    tracker, old = document.track(), list(document.lines)
    for version in range(2, 5):
        ends = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        start, end = (i - 1 if text[i - 1 : i + 1] == "\r\n" else i for i in ends)
        span = types.Range(position(text, start), position(text, end))
        document.change([types.TextDocumentContentChangePartial(span, piece)], version)
        text = text[:start] + piece + text[end:]
        assert document.text == text
        assert document.lines == split(text)
        assert len(tracker.old) == len(document.lines)
        kept = [line for line in tracker.old if line]
        assert kept == sorted(set(kept))
        assert all(document.lines[i] == old[line - 1] for i, line in enumerate(tracker.old) if line)
        for line in kept:
            assert tracker.old[tracker.now(line) or 0] == line


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with Raw(tmp_path_factory.mktemp("home")) as server:
        yield server


def hints(raw: Raw, uri: str) -> dict[int, Any]:
    """The inlay hints by line."""
    params = {"textDocument": {"uri": uri}, "range": EVERYTHING}
    return {
        hint["position"]["line"]: hint for hint in raw.ask("textDocument/inlayHint", params)["result"] or ()
    }


def test_crlf_emoji_and_tabs(raw: Raw) -> None:
    text = '# cwm: f("😀")\r\ndef f(é):\r\n\tß = "😀😀" + é; ñ = ß + "x"  # 😀\r\n\treturn ñ\r\n'
    uri = "file:///emoji.py"
    raw.open(uri, text)
    assert raw.command("cwm.trace", uri=uri)["end"]["value"] == "'😀😀😀x'"
    found = hints(raw, uri)
    assert (
        found[2]["position"]["character"]
        == len('\tß = "😀😀" + é; ñ = ß + "x"  # 😀'.encode("utf-16-le")) // 2
    )
    assert "'😀😀😀'" in found[2]["label"]
    column = len('\tß = "😀😀" + é; '.encode("utf-16-le")) // 2
    hover = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": column}}
    answer = raw.ask("textDocument/hover", hover)["result"]
    assert "`ñ`" in answer["contents"]["value"]
    assert answer["range"]["start"] == {"line": 2, "character": column}
    assert answer["range"]["end"] == {"line": 2, "character": column + 1}


def test_a_buffer_without_a_file(raw: Raw) -> None:
    raw.open("untitled:Untitled-1", "def f(n):\n    return n + 1\n\n\n# cwm: f(2)\n")
    traced = raw.command("cwm.trace", uri="untitled:Untitled-1")
    assert traced["end"]["value"] == "3"
    assert hints(raw, "untitled:Untitled-1")
    assert raw.command("cwm.debugConfiguration", uri="untitled:Untitled-1")["program"] is None


def test_other_languages_are_left_alone(raw: Raw) -> None:
    raw.open("file:///x.toml", "a = 1\n", "toml")
    answer = raw.ask(
        "workspace/executeCommand", {"command": "cwm.trace", "arguments": [{"uri": "file:///x.toml"}]}
    )
    assert "not open" in answer["error"]["message"]


def test_a_large_file_is_skipped_and_said_so_once(raw: Raw) -> None:
    uri = "file:///large.py"
    raw.open(uri, "def f(n):\n    return n\n\n\n# cwm: f(2)\n" + "# " + "x" * 1_000_000 + "\n")
    for version in range(2, 5):
        change = {"range": EVERYTHING | {"end": {"line": 0, "character": 0}}, "text": "\n"}
        raw.notify(
            "textDocument/didChange",
            {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]},
        )
        raw.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    answer = raw.ask("workspace/executeCommand", {"command": "cwm.trace", "arguments": [{"uri": uri}]})
    assert "larger than" in answer["error"]["message"]
    assert sum("large.py" in message for message in raw.messages()) == 1
    assert hints(raw, uri) == {}


def test_what_can_not_be_parsed_keeps_what_was_known(raw: Raw) -> None:
    uri = "file:///broken.py"
    text = "def f(n):\n    m = n + 1\n    return m\n\n\n# cwm: f(2)\n\n\ndef g():\n    pass\n"
    raw.open(uri, text)
    raw.command("cwm.trace", uri=uri)
    before = hints(raw, uri)
    end = {"line": 9, "character": 8}
    change = {"range": {"start": end, "end": end}, "text": "\n    x = (\n"}
    raw.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]}
    )
    raw.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    raw.quiet()
    assert hints(raw, uri).keys() == before.keys()
    start = {"line": 0, "character": 0}
    change = {"range": {"start": start, "end": start}, "text": "\n\n"}
    raw.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 3}, "contentChanges": [change]}
    )
    assert hints(raw, uri).keys() == {line + 2 for line in before}  # only shifted
    inside = {"line": 3, "character": 4}
    change = {"range": {"start": inside, "end": inside}, "text": "y = 1\n    "}
    raw.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 4}, "contentChanges": [change]}
    )
    assert hints(raw, uri) == {}  # the function itself was touched


def test_files_in_several_folders(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        for name in ("one", "two"):
            folder = {"uri": f"file:///{name}", "name": name}
            event = {"event": {"added": [folder], "removed": []}}
            raw.notify("workspace/didChangeWorkspaceFolders", event)
            raw.open(f"file:///{name}/a.py", f"# cwm: f({len(name)})\ndef f(n):\n    return n * 2\n")
        assert raw.command("cwm.trace", uri="file:///one/a.py")["end"]["value"] == "6"
        raw.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
        assert raw.command("cwm.trace", uri="file:///two/a.py")["end"]["value"] == "6"


CELLS = [
    ("python", "def double(n):\n    m = n * 2\n    return m"),
    ("markdown", "# Text"),
    ("python", "%matplotlib inline\n# cwm: double(4)\ndouble(21)"),
]


def test_notebooks(raw: Raw) -> None:
    book, uris = "file:///book.ipynb", [f"vscode-notebook-cell:/book.ipynb#c{i}" for i in range(4)]
    cells = [{"kind": 2 if lang == "python" else 1, "document": uris[i]} for i, (lang, _) in enumerate(CELLS)]
    texts = [
        {"uri": uris[i], "languageId": lang, "version": 1, "text": text}
        for i, (lang, text) in enumerate(CELLS)
    ]
    notebook = {"uri": book, "notebookType": "jupyter-notebook", "version": 1, "cells": cells}
    raw.notify("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})
    assert raw.command("cwm.trace", uri=book)["call"] == "double(4)"
    assert hints(raw, uris[0])[1]["label"].startswith("m ")
    assert hints(raw, uris[2]) == {}
    place = {"textDocument": {"uri": uris[0]}, "position": {"line": 2, "character": 12}}
    assert "8" in raw.ask("textDocument/hover", place)["result"]["contents"]["value"]
    new = {"uri": uris[3], "languageId": "python", "version": 1, "text": "print(1)\nprint(2)"}
    structure = {
        "array": {"start": 0, "deleteCount": 0, "cells": [{"kind": 2, "document": uris[3]}]},
        "didOpen": [new],
    }
    change = {"notebookDocument": {"uri": book, "version": 2}, "change": {"cells": {"structure": structure}}}
    raw.notify("notebookDocument/didChange", change)
    assert 1 in hints(raw, uris[0])  # another cell moved in front of it
    end = {"line": 1, "character": 13}
    edit = {"range": {"start": end, "end": end}, "text": " + 1"}
    content = [{"document": {"uri": uris[0], "version": 2}, "changes": [edit]}]
    change = {"notebookDocument": {"uri": book, "version": 3}, "change": {"cells": {"textContent": content}}}
    raw.notify("notebookDocument/didChange", change)
    assert hints(raw, uris[0]) == {}
    assert raw.command("cwm.trace", uri=book)["end"]["value"] == "9"
    lens = raw.ask("textDocument/codeLens", {"textDocument": {"uri": uris[0]}})["result"]
    assert "double(4)" in lens[0]["command"]["title"]
    raw.notify("notebookDocument/didSave", {"notebookDocument": {"uri": book}})
    closed = {"notebookDocument": {"uri": book}, "cellTextDocuments": [{"uri": uri} for uri in uris]}
    raw.notify("notebookDocument/didClose", closed)
    assert book not in str(raw.command("cwm.status")["files"])


def test_nothing_is_predicted_twice_also_after_a_restart(tmp_path: Path) -> None:
    uri, text = "file:///kept.py", "# cwm: f(3)\ndef f(n):\n    while n:\n        n -= 1\n    return n\n"
    with Raw(tmp_path) as raw:
        raw.open(uri, text)
        first = raw.command("cwm.trace", uri=uri)
        assert first["cached"] is False
        assert raw.end() == 0
    with Raw(tmp_path, {"CWM_LSP_PREDICT": "demand"}) as raw:
        raw.open(uri, "import os\n\n\ndef other():\n    pass\n\n\n" + text)
        for _ in range(100):
            if hints(raw, uri):
                break
            time.sleep(0.05)
        again = raw.command("cwm.trace", uri=uri)
        assert again["cached"] is True
        assert again["trace"] == first["trace"]
        assert min(hints(raw, uri)) == 8  # moved with its function
        assert raw.end() == 0
    mode = next((tmp_path / "cache").rglob("traces.sqlite")).stat().st_mode
    assert mode & 0o077 == 0
