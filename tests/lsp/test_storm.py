"""A storm of random edits with hovers, hints and cancels in between. At its end the server's text is the
client's, every request has exactly one answer, and no work is left over."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import position
from tests.lsp.raw import Raw

URI = "file:///storm/storm.py"
START = '''\
def grow(items, by):
    """Adds to each item.

    >>> grow([1, 2], 3)
    [4, 5]
    """
    found = []
    for item in items:
        found.append(item + by)
    return found


# cwm: twice("é😀")
def twice(text):
    return text + text


# cwm: spin(3)
def spin(n):
    while n > 0:
        n -= 1
    return n
'''
PIECES = (
    *(
        "x",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "é",
        "😀",
        "?",
        "    ",
        "(",
        ")",
        '"',
        "\x0c",
        "\u2028",
        "0",
        ":",
        "",
    ),
    *("def f(n):\n    return n\n", "# cwm: f(1)\n", "pass\n", "\n\n"),
)


@pytest.mark.parametrize("seed", [11])
def test_a_small_storm(tmp_path: Path, seed: int) -> None:
    storm(tmp_path, seed, edits=300)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_storm_of_5000_edits(tmp_path: Path) -> None:
    storm(tmp_path, 20_261_120, edits=5000)


def storm(home: Path, seed: int, edits: int) -> None:
    chance = random.Random(seed)
    env = {"CWM_LSP_IDLE_SECONDS": "0.05", "CWM_LSP_MAX_FRAMES": "60"}
    with Raw(home, env) as raw:
        raw.open(URI, START)
        text, version, asked = START, 1, []
        for _ in range(edits):
            version += 1
            text, changes = edited(text, chance)
            document = {"uri": URI, "version": version}
            raw.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
            for _ in range(chance.choice((0, 0, 1, 1, 2))):
                asked.append(raw.start(*request(text, chance)))
            if asked and chance.random() < 0.2:
                raw.notify("$/cancelRequest", {"id": chance.choice(asked[-5:])})
            if chance.random() < 0.02:
                raw.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
            if chance.random() < 0.02:
                time.sleep(0.1)  # long enough for something to be read and predicted
        for number in asked:
            raw.wait(number)
        assert all(len(raw.answers[number]) == 1 for number in asked)
        codes = {answer[0].get("error", {}).get("code") for answer in raw.answers.values()}
        assert codes <= {None, -32800, -32803, -32602}, codes
        assert raw.command("cwm.text", uri=URI) == {"text": text, "version": version}
        last = {"textDocument": {"uri": URI, "version": version + 1}, "contentChanges": [{"text": START}]}
        raw.notify("textDocument/didChange", last)
        status = raw.quiet()
        assert status["jobs"] == 0
        assert raw.command("cwm.trace", uri=URI, function="spin")["end"]["reason"] == "returned"
        everything = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        hints = raw.ask("textDocument/inlayHint", {"textDocument": {"uri": URI}, "range": everything})[
            "result"
        ]
        lines = START.split("\n")
        assert hints
        assert all(hint["position"]["line"] < len(lines) for hint in hints)
        unknown = [message for message in raw.answers if message is None]
        assert not unknown
        assert raw.end() == 0
        assert b"Traceback" not in raw.errors, raw.errors.decode()


def edited(text: str, chance: random.Random) -> tuple[str, list[dict[str, Any]]]:
    """The text after one to three random changes, and the changes."""
    changes = []
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if chance.random() < 0.01:
            text = START
            changes.append({"text": text})
            continue
        start = boundary(text, chance.randrange(len(text) + 1))
        length = chance.choice((0, 0, 0, 1, 1, 2, 5, 40)) if len(text) < 3000 else 400
        end = boundary(text, min(len(text), start + length))
        piece = chance.choice(PIECES)
        span = {"start": place(text, start), "end": place(text, end)}
        changes.append({"range": span, "text": piece})
        text = text[:start] + piece + text[end:]
    return text, changes


def boundary(text: str, offset: int) -> int:
    """No client has a position between \\r and \\n."""
    return offset - 1 if text[offset - 1 : offset + 1] == "\r\n" else offset


def place(text: str, offset: int) -> dict[str, int]:
    found = position(text, offset)
    return {"line": found.line, "character": found.character}


def request(text: str, chance: random.Random) -> tuple[str, Any]:
    """A random request; now and then at a place that there isn't."""
    document = {"uri": URI}
    where = place(text, chance.randrange(len(text) + 1))
    if chance.random() < 0.1:
        where = {"line": where["line"] + 500, "character": 10_000}
    span = {"start": {"line": 0, "character": 0}, "end": where}
    match chance.randrange(7):
        case 0 | 1:
            return "textDocument/hover", {"textDocument": document, "position": where}
        case 2 | 3:
            return "textDocument/inlayHint", {"textDocument": document, "range": span}
        case 4:
            return "textDocument/codeLens", {"textDocument": document}
        case 5:
            context = {"triggerKind": 1}
            return "textDocument/inlineCompletion", {
                "textDocument": document,
                "position": where,
                "context": context,
            }
        case _:
            name = chance.choice(("cwm.trace", "cwm.explain", "cwm.showTrace"))
            return "workspace/executeCommand", {"command": name, "arguments": [{"uri": URI, "quiet": True}]}
