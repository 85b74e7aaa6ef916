"""Every request has exactly one answer, whatever is sent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cwm_lsp.lsp.features import ANSWERS as ANSWER_FEATURES
from cwm_lsp.lsp.features import NOTICES, RUN
from cwm_lsp.lsp.features import WAITING as WAITING_FEATURES
from cwm_lsp.lsp.server import ANSWERS, COMMANDS, NOTIFICATIONS, REQUESTS, WAITING
from tests.lsp.raw import Raw

STANDARD = [*ANSWERS, "textDocument/inlineCompletion"]
BAD = [None, 5, "x", [], [1, 2], {}, {"textDocument": 3}, {"textDocument": {"uri": 7}, "position": []}]
BAD_ARGUMENTS: list[Any] = [
    [5],
    ["x"],
    [[]],
    [1, 2],
    [{"uri": 7}],
    [{"uri": "file:///not/open.py"}],
    [{"uri": None, "function": 5}],
    [{"function": "f", "position": "x"}],
    [{"call": ["f"]}],
    [{"call": "os.system('x')"}],
    [{"model": 3}],
    [{"trace": {}}],
    [{"trace": "unknown"}],
    [{"name": "x", "value": 5}],
    [{"anew": "yes"}],
]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with Raw(tmp_path_factory.mktemp("home")) as server:
        yield server


def test_what_is_announced_is_wired() -> None:
    assert set(ANSWERS) == set(ANSWER_FEATURES)
    assert set(WAITING) == set(WAITING_FEATURES)
    assert set(NOTIFICATIONS) == set(NOTICES)
    assert {*COMMANDS, *REQUESTS} == set(RUN)


@pytest.mark.parametrize("method", STANDARD)
def test_malformed_parameters_get_an_error(raw: Raw, method: str) -> None:
    numbers = [raw.start(method, params) for params in BAD]
    if method in ("textDocument/hover", "textDocument/inlineValue"):
        place = {"line": -1, "character": "a"}
        numbers.append(raw.start(method, {"textDocument": {"uri": "u"}, "position": place}))
    for number in numbers:
        answer = raw.wait(number)
        code = answer.get("error", {}).get("code")
        assert code == -32602, (method, answer)
        assert answer["error"]["message"].startswith(f"The parameters of {method} can't be used")


@pytest.mark.parametrize("params", BAD)
def test_malformed_commands_get_an_error(raw: Raw, params: Any) -> None:
    answer = raw.ask("workspace/executeCommand", params)
    assert answer["error"]["code"] == -32602


@pytest.mark.parametrize("name", [*COMMANDS, *REQUESTS])
def test_malformed_arguments_get_an_error_or_mean_nothing(raw: Raw, name: str) -> None:
    for arguments in BAD_ARGUMENTS:
        if name in REQUESTS:
            answer = raw.ask(name, arguments[0] if len(arguments) == 1 else arguments)
        else:
            answer = raw.ask("workspace/executeCommand", {"command": name, "arguments": arguments})
        unused = name in ("cwm.status", "cwm.restartEngine", "cwm.clear", "cwm.selectModel")
        if "error" in answer:
            assert answer["error"]["code"] in (-32602, -32803), answer
            assert answer["error"]["message"].endswith("."), answer
            assert "Traceback" not in answer["error"]["message"]
        else:
            assert unused, (name, arguments, answer)


def test_unknown_methods_and_commands(raw: Raw) -> None:
    assert (
        raw.ask("textDocument/nonsense", {"a-b": 1, "class": 2, "type_name": "1 x"})["error"]["code"]
        == -32601
    )
    assert raw.ask("cwm/nonsense", [1])["error"]["code"] == -32601
    answer = raw.ask("workspace/executeCommand", {"command": "rm -rf", "arguments": []})
    assert answer["error"]["code"] == -32602
    raw.notify("$/nonsense", {"x": 1})
    raw.notify("textDocument/didChange", {"nonsense": 1})
    raw.notify("textDocument/didOpen", None)
    raw.notify("$/cancelRequest", {"id": 99_999})
    raw.notify("window/workDoneProgress/cancel", {"token": "nobody's"})
    assert "result" in raw.ask("workspace/executeCommand", {"command": "cwm.status"})


def test_messages_that_are_none(raw: Raw) -> None:
    before = len(raw.answers[None])
    for body in (b"{", b"\xff\xfe", b"[]", b"5", b'"x"', b'{"jsonrpc":"1.0","id":1,"method":"x"}', b"{}"):
        raw.send_bytes(body)
    raw.send({"jsonrpc": "2.0", "id": None, "method": "textDocument/hover", "params": {}})
    raw.send({"jsonrpc": "2.0", "id": 1.5, "method": "textDocument/hover", "params": {}})
    raw.send({"jsonrpc": "2.0", "id": "m", "method": 7, "params": {}})
    raw.send({"jsonrpc": "2.0", "id": 123_456, "result": "an answer to nothing"})
    raw.send({"jsonrpc": "2.0", "id": 123_457, "error": {"code": "x"}})
    raw.send_bytes(b"[" * 100_000)
    assert "result" in raw.ask("workspace/executeCommand", {"command": "cwm.status"})
    assert raw.wait("m")["error"]["code"] == -32600
    codes = [answer["error"]["code"] for answer in raw.answers[None][before:]]
    assert len(codes) == 10
    assert codes.count(-32700) == 3


def test_other_headers_and_the_same_id_twice(raw: Raw) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": "h", "method": "cwm/nonsense"}).encode()
    assert raw.process.stdin is not None
    raw.process.stdin.write(
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:  %d\r\n\r\n" % len(body)
    )
    raw.process.stdin.write(body)
    raw.process.stdin.flush()
    assert raw.wait("h")["error"]["code"] == -32601


def test_before_initialize_and_after_shutdown(tmp_path: Path) -> None:
    with Raw(tmp_path, initialized=False) as raw:
        assert raw.ask("textDocument/hover", {})["error"]["code"] == -32002
        raw.open("file:///a.py", "x = 1\n")
        assert "result" in raw.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert raw.ask("initialize", {"capabilities": {}, "processId": None})["error"]["code"] == -32600
        raw.notify("initialized", {})
        assert "result" in raw.ask("shutdown", None)
        assert raw.ask("textDocument/hover", {})["error"]["code"] == -32600
        raw.notify("exit", None)
        assert raw.process.wait(20) == 0


def test_the_server_ends_with_its_client(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        raw.open("file:///a.py", LOOP)
        time.sleep(0.3)
        assert raw.process.stdin is not None
        raw.process.stdin.close()
        assert raw.process.wait(20) == 1
        raw._stderr.join(5)
        assert b"Traceback" not in raw.errors, raw.errors.decode()


LOOP = "def f(n):\n    while n:\n        n += 1\n    return n\n\n\n# cwm: f(3)\n"


def test_a_cancelled_command_is_cancelled_at_once(tmp_path: Path) -> None:
    with Raw(tmp_path, {"CWM_LSP_MAX_FRAMES": "100000", "CWM_LSP_PREDICT": "demand"}) as raw:
        raw.open("file:///a.py", LOOP)
        number = raw.start("workspace/executeCommand", {"command": "cwm.trace", "arguments": [{}]})
        began = time.monotonic()
        while raw.command("cwm.status")["state"] != "predicting":
            assert time.monotonic() - began < 20.0
            assert not raw.answers[number]
        began = time.monotonic()
        raw.notify("$/cancelRequest", {"id": number})
        assert raw.wait(number)["error"]["code"] == -32800
        assert time.monotonic() - began < 2.0
        while raw.command("cwm.status")["jobs"]:
            assert time.monotonic() - began < 5.0
        assert len(raw.answers[number]) == 1
        assert raw.end() == 0
