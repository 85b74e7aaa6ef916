"""Settings from editors: live, limited, and named where they are refused."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest

from cwm_lsp.config import Settings, from_editor
from cwm_lsp.config_values import READ
from tests.cli_fixture import ROOT
from tests.lsp.raw import Raw

MODELS = frozenset({"cwm-mini", "facebook-cwm"})
URI = "file:///s.py"
TEXT = "# cwm: f(3)\ndef f(n):\n    while n:\n        n -= 1\n    return n\n"


def test_there_are_few_and_each_is_read_and_documented() -> None:
    names = [field.name for field in dataclasses.fields(Settings)]
    assert len(names) < 25
    assert set(names) == set(READ)
    documented = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in names:
        assert f"`{name}`" in documented, name


def test_names_in_both_cases_and_null_for_the_default() -> None:
    base = Settings(max_frames=100)
    settings, problems = from_editor(
        base, {"hintWidth": 30, "idle_seconds": 2, "maxFrames": None, "inlayHints": False}, MODELS
    )
    assert problems == ()
    assert (settings.hint_width, settings.idle_seconds, settings.max_frames) == (30, 2.0, 100)
    assert settings.inlay_hints is False


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"backend": {"url": "http://evil.example"}}, "backend"),
        ({"model": "http://evil.example/v1"}, "model"),
        ({"model": "./weights"}, "model"),
        ({"model": "/tmp/weights"}, "model"),
        ({"model": "someone/weights"}, "model"),
        ({"model": ["cwm-mini"]}, "model"),
        ({"apiKey": "x"}, "apiKey"),
        ({"maxFrames": 10**9}, "max_frames"),
        ({"maxFileBytes": 10**12}, "max_file_bytes"),
        ({"hintWidth": "wide"}, "hintWidth"),
        ({"predict": {}}, "predict"),
        ({"diagnostics": ["everything"]}, "diagnostics"),
        ("all", "no table"),
        ([1], "no table"),
    ],
)
def test_what_a_workspace_may_not_set(sent: object, named: str) -> None:
    settings, problems = from_editor(Settings(), sent, MODELS)
    assert len(problems) == 1
    assert named in problems[0]
    assert dataclasses.replace(settings, max_frames=500) == Settings()


def test_the_users_own_model_may_be_named_by_the_editor_too() -> None:
    own = Settings(model="/home/me/model", backend={"threads": 2})
    settings, problems = from_editor(own, {"model": "/home/me/model"}, MODELS)
    assert (settings, problems) == (own, ())


def test_a_hostile_workspace_and_a_bad_value(tmp_path: Path) -> None:
    with Raw(tmp_path, initialized=False) as raw:
        data = json.loads((ROOT / "tests/fixtures/lsp/vscode.json").read_text(encoding="utf-8"))
        evil = {"model": "http://127.0.0.1:9/v1", "backend": {"url": "http://127.0.0.1:9"}, "hintWidth": -1}
        raw.replies["workspace/configuration"] = [evil]
        raw.ask("initialize", {"processId": None, "rootUri": None, **data})
        raw.notify("initialized", {})
        raw.open(URI, TEXT)
        assert raw.command("cwm.trace")["model"] == "cwm-mini"
        problems = raw.command("cwm.status")["problems"]
        assert len(problems) == 3
        for name in ("model", "backend", "hintWidth"):
            assert any(name in problem for problem in problems), problems
            assert sum(name in message for message in raw.messages()) == 1
        raw.notify("workspace/didChangeConfiguration", {"settings": None})
        raw.command("cwm.status")
        assert sum("hintWidth" in message for message in raw.messages()) == 1  # said once
        assert raw.end() == 0


def test_settings_apply_live(tmp_path: Path) -> None:
    with Raw(tmp_path) as raw:
        raw.open(URI, TEXT)
        everything = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
        hint = {"textDocument": {"uri": URI}, "range": everything}
        raw.command("cwm.trace")
        assert raw.ask("textDocument/inlayHint", hint)["result"]

        def configure(**settings: object) -> None:
            raw.replies["workspace/configuration"] = [settings]
            asked = sum(item["method"] == "workspace/configuration" for item in raw.said)
            raw.notify("workspace/didChangeConfiguration", {"settings": None})
            while sum(item["method"] == "workspace/configuration" for item in raw.said) == asked:
                time.sleep(0.01)
            raw.command("cwm.status")
            time.sleep(0.1)

        configure(inlayHints=False, codeLens=False, hover=False)
        assert raw.ask("textDocument/inlayHint", hint)["result"] is None
        assert raw.ask("textDocument/codeLens", {"textDocument": {"uri": URI}})["result"] is None
        place = {"textDocument": {"uri": URI}, "position": {"line": 3, "character": 8}}
        assert raw.ask("textDocument/hover", place)["result"] is None
        configure(ascii=True)
        shown = raw.ask("textDocument/inlayHint", hint)["result"]
        assert all(item["label"].isascii() for item in shown)
        configure(grounding="none")
        assert raw.command("cwm.status")["grounding"] == "none"
        raw.quiet()
        assert raw.command("cwm.trace")["grounding"] == "none"
        configure(maxFrames=3)
        raw.quiet()
        assert raw.command("cwm.trace")["end"]["frames"] > 3  # what is known is not thrown away
        assert raw.command("cwm.traceWith", call="f(8)")["end"]["frames"] == 3
        assert raw.end() == 0
