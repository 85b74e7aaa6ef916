"""Nothing of the user's is run: files that would leave a marker on import, call, doctest or decorator leave
none after every feature has been used on them."""

from __future__ import annotations

from pathlib import Path

from tests.lsp.raw import Raw

CANARY = '''\
"""Leaves a marker wherever it is run.

>>> mark("module doctest")
"""
import os
import pathlib
import {neighbour}

MARKER = {marker!r}


def mark(how):
    pathlib.Path(MARKER).write_text(how)
    os.system("touch " + MARKER)
    return how


def marking(function):
    mark("decorator")
    return function


class Marking(type):
    def __new__(cls, *args):
        mark("metaclass")
        return super().__new__(cls, *args)


class Marked(metaclass=Marking):
    mark("class body")

    def __repr__(self):
        return mark("repr")


@marking
def work(numbers, how=mark("default")):
    """
    >>> work([1, 2])
    3
    """
    total = 0
    for number in numbers:
        total += number
    mark("call")
    eval("mark('eval')")
    exec("mark('exec')")
    __import__("{neighbour}")
    [mark("comprehension") for _ in numbers]
    open(MARKER, "w").close()
    return total


# cwm: work([1, 2, 3]) -> 6
def hole(numbers):
    """
    >>> hole([1, 2])
    3
    """
    return ?


assert work([4]) == 4
mark("module")
if __name__ == "__main__":
    mark("main")
'''


def test_nothing_is_run(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    marker = tmp_path / "marker"
    (workspace / "neighbour.py").write_text(f"open({str(marker)!r}, 'w')\n", encoding="utf-8")
    (workspace / "conftest.py").write_text(f"open({str(marker)!r}, 'w')\n", encoding="utf-8")
    (workspace / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w')\n", encoding="utf-8")
    text = CANARY.format(marker=str(marker), neighbour="neighbour")
    path = workspace / "canary.py"
    path.write_text(text, encoding="utf-8")
    uri, document = path.as_uri(), {"textDocument": {"uri": path.as_uri()}}
    with Raw(
        tmp_path / "home",
        {"CWM_LSP_MAX_FRAMES": "80", "CWM_LSP_IDLE_SECONDS": "0.1", "CWM_LSP_FILL_SECONDS": "0.5"},
    ) as raw:
        raw.open(uri, text)
        raw.quiet()
        everything = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        for line, content in enumerate(text.splitlines()):
            for character in range(0, len(content), 9):
                raw.ask(
                    "textDocument/hover", {**document, "position": {"line": line, "character": character}}
                )
        for hint in raw.ask("textDocument/inlayHint", {**document, "range": everything})["result"]:
            raw.ask("inlayHint/resolve", hint)
        raw.ask("textDocument/codeLens", document)
        stop = {"frameId": 1, "stoppedLocation": everything}
        raw.ask("textDocument/inlineValue", {**document, "range": everything, "context": stop})
        hole = next(line for line, content in enumerate(text.splitlines()) if "return ?" in content)
        place = {"line": hole, "character": 12}
        for method in ("textDocument/inlineCompletion", "textDocument/completion"):
            raw.ask(method, {**document, "position": place, "context": {"triggerKind": 1}})
        at = {"range": {"start": place, "end": place}, "context": {"diagnostics": []}}
        raw.ask("textDocument/codeAction", {**document, **at})
        for name in ("work", "hole", "mark", "marking"):
            for command in ("cwm.trace", "cwm.showTrace", "cwm.explain", "cwm.debugConfiguration"):
                arguments = [{"uri": uri, "function": name, "quiet": True}]
                raw.ask("workspace/executeCommand", {"command": command, "arguments": arguments})
        total = next(line for line, content in enumerate(text.splitlines()) if "total += " in content)
        for command, extra in (
            ("cwm.traceWith", {"call": "work([9])"}),
            ("cwm.whatIf", {"function": "work", "line": total, "name": "total", "value": "mark('x')"}),
            ("cwm.fill", {"hole": 0}),
            ("cwm.fillAll", {}),
            ("cwm.clear", {}),
            ("cwm.restartEngine", {}),
        ):
            arguments = [{"uri": uri, "quiet": True, **extra}]
            raw.ask("workspace/executeCommand", {"command": command, "arguments": arguments})
        raw.ask("cwm/trace", {"uri": uri})
        raw.notify("textDocument/didSave", document)
        raw.quiet()
        assert not marker.exists(), marker.read_text(encoding="utf-8")
        assert raw.end() == 0
        assert b"Traceback" not in raw.errors, raw.errors.decode()
    assert not marker.exists(), marker.read_text(encoding="utf-8")
    assert sorted(item.name for item in workspace.iterdir()) == [
        "canary.py",
        "conftest.py",
        "neighbour.py",
        "sitecustomize.py",
    ]
