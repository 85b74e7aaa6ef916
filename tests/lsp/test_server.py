"""The language server's features, driven over stdio with the capabilities of real editors."""

from __future__ import annotations

import asyncio
import warnings
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp.checks import LspSpecificationWarning

from tests.lsp.client import EXAMPLES, Editor, plain, recorded, run_editor, soon

STRAWBERRY = EXAMPLES / "strawberry.py"

pytestmark = [
    pytest.mark.filterwarnings("error::pytest_lsp.checks.LspSpecificationWarning"),
    pytest.mark.asyncio(loop_scope="module"),
]


async def test_the_checks_would_warn() -> None:
    assert issubclass(LspSpecificationWarning, UserWarning)
    with pytest.raises(LspSpecificationWarning):
        warnings.warn("x", LspSpecificationWarning, stacklevel=1)


async def test_hover_tells_values_with_their_origin(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.command("cwm.trace", uri=uri)
    history = await editor.hover(uri, "count += 1", "count")
    assert "→" in history
    assert "predicted, " in history
    assert "| run | value | origin |" in history
    assert "Nothing was run" in history
    argument = await editor.hover(uri, "def how_many(word, letter)", "word")
    assert "'strawberry'" in argument
    assert "given" in argument
    call = await editor.hover(uri, "count = count_letter(word, letter)", "count_letter")
    assert "| arguments | result | origin |" in call
    loop = await editor.hover(uri, "for char in word:", "for")
    assert "runs 10 times" in loop
    function = await editor.hover(uri, "def how_many", "how_many")
    assert 'how_many("strawberry", "r")' in function
    assert "frames" in function
    assert await editor.hover(uri, '"""Counts', "Counts") is None


async def test_what_can_be_computed_is_computed(tmp_path: Path) -> None:
    async with run_editor(tmp_path, recorded("vscode")) as editor:
        uri = editor.open(STRAWBERRY)
        traced = await editor.command("cwm.trace", uri=uri)
        assert traced["grounding"] == "values"
        assert traced["result"] == {"repr": "'strawberry has 03 r'", "origin": "computed", "confidence": None}
        hints = await editor.hints(uri)
        assert hints[editor.line(uri, "count += 1")] == "count = 1 → 2 → 3"
        assert "computed" in await editor.hover(uri, "count += 1", "count")
        assert editor.diagnostics(uri) == []


async def test_hints_stand_at_the_end_of_the_line_and_their_tooltip_is_lazy(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.command("cwm.trace", uri=uri)
    hints = {hint.position.line: hint for hint in await editor.raw_hints(uri)}
    assert len(hints) == len(await editor.raw_hints(uri))  # one a line
    loop = hints[editor.line(uri, "for char in word:")]
    assert str(loop.label).startswith("char ≈ ")
    assert "…" in str(loop.label)
    assert loop.position.character == len("    for char in word:")
    given = hints[editor.line(uri, "def how_many")]
    assert "≈" not in str(given.label)  # given values have no mark
    lazy = "tooltip" in getattr(
        editor.client.capabilities.text_document.inlay_hint.resolve_support, "properties", ()
    )
    assert (loop.tooltip is None) == lazy
    whole = await soon(editor.client.inlay_hint_resolve_async(loop))
    assert whole.tooltip.value.count("- `char") == 10
    assert "predicted, " in whole.tooltip.value
    strange = types.InlayHint(types.Position(0, 0), "x", data={"uri": 5, "trace": [], "line": "x"})
    assert (await soon(editor.client.inlay_hint_resolve_async(strange))).tooltip is None


async def test_lenses_tell_the_call_and_its_outcome(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.command("cwm.trace", uri=uri)
    lenses = await editor.lenses(uri)
    titles = [command.title for command in lenses[editor.line(uri, "def how_many")]]
    assert titles[0].startswith('▷ how_many("strawberry", "r") → ')
    reached = lenses[editor.line(uri, "def count_letter")][0]
    assert reached.title.startswith("▷ count_letter('strawberry', 'r') → ")
    assert reached.title.endswith("in how_many")
    assert reached.command == "cwm.showTrace"


async def test_predictions_begin_when_a_file_has_been_idle(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.quiet(traces=1)
    assert await editor.hints(uri)
    refreshed = {method for method, _ in editor.seen}
    assert types.WORKSPACE_INLAY_HINT_REFRESH in refreshed


CALLS = """\
def half(number):
    return number // 2


# cwm: half(8)
assert half(10) == 5
"""


async def test_another_call_is_remembered(editor: Editor, tmp_path: Path) -> None:
    path = tmp_path / "calls.py"
    uri = editor.open(path, CALLS)
    first = await editor.command("cwm.trace", uri=uri)
    assert first["call"] == "half(8)"
    picked = await editor.command("cwm.traceWith", uri=uri, function="half")
    assert picked["call"] == "half(10)"  # the last one offered is what the client picks
    typed = await editor.command("cwm.traceWith", uri=uri, call="half(100)")
    assert typed["call"] == "half(100)"
    lens = (await editor.lenses(uri))[0][0]
    assert lens.title.startswith("▷ half(100)")
    editor.edit(uri, "number // 2", "number // 3")
    await asyncio.sleep(0)
    again = await editor.command("cwm.trace", uri=uri)
    assert again["call"] == "half(100)"
    editor.close(uri)
    editor.open(path, CALLS)
    assert (await editor.command("cwm.trace", uri=uri))["call"] == "half(100)"


async def test_the_trace_is_a_document(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    shown = await editor.command("cwm.showTrace", uri=uri)
    assert shown["text"].startswith('how_many("strawberry", "r") → ')
    assert "> count_letter(word 'strawberry', letter 'r')" in shown["text"]
    assert "nothing was run" in shown["text"]
    if editor.client.capabilities.window.show_document:
        assert editor.client.shown_documents[-1].uri == shown["uri"]
    if editor.client.capabilities.workspace.text_document_content is not None:
        assert shown["uri"].startswith("cwm-trace:/")
        announced = editor.capabilities.workspace.text_document_content
        assert announced.schemes[0] == "cwm-trace"
        params = types.TextDocumentContentParams(shown["uri"])
        method = types.WORKSPACE_TEXT_DOCUMENT_CONTENT
        content = await soon(editor.client.protocol.send_request_async(method, params))
        assert content.text == shown["text"]
    else:
        assert Path(types_path(shown["uri"])).read_text(encoding="utf-8") == shown["text"]
    again = await editor.command("cwm.showTrace", trace=shown["trace"], quiet=True)
    assert again["text"] == shown["text"]


def types_path(uri: str) -> str:
    from pygls.uris import to_fs_path

    path = to_fs_path(uri)
    assert path is not None
    return path


async def test_cwm_trace_gives_the_frames(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    traced = await editor.request("cwm/trace", {"uri": uri})
    assert traced["frames"][0]["event"] == "call"
    assert len(traced["frames"]) == traced["end"]["frames"]
    assert traced["frames"][0]["locals"]["word"]["origin"] == "given"
    by_key = await editor.request("cwm/trace", {"trace": traced["trace"]})
    assert by_key["frames"] == traced["frames"]
    place = {"line": editor.line(uri, "count += 1"), "character": 8}
    with pytest.raises(Exception, match="not a call"):
        await editor.request("cwm/trace", {"uri": uri, "position": place, "call": "nonsense("})


async def test_what_if_a_variable_held_another_value(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    line = editor.line(uri, "return count")
    found = await editor.command("cwm.whatIf", uri=uri, line=line, name="count", value="7", quiet=True)
    assert "count = 7" in found["call"]
    assert "count ✎ 7" in found["document"]["text"] or "✎ 7" in found["document"]["text"]
    frames = (await editor.request("cwm/trace", {"trace": found["trace"]}))["frames"]
    edited = [frame for frame in frames if frame["locals"].get("count", {}).get("origin") == "edited"]
    assert edited[0]["locals"]["count"]["repr"] == "7"
    with pytest.raises(Exception, match="no local nothing"):
        await editor.command("cwm.whatIf", uri=uri, line=line, name="nothing", value="7")


async def test_explain_and_status(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.command("cwm.trace", uri=uri)
    why = await editor.command("cwm.explain", uri=uri, function="how_many")
    assert why["state"] == "shown"
    assert why["end"]["decisions"] > 0
    assert "a comment on line 17" in why["text"]
    assert sum(why["origins"].values()) > 20
    invented = await editor.command("cwm.explain", uri=uri, function="count_letter")
    assert "No call of" in invented["text"]
    status = await editor.command("cwm.status")
    assert status["model"] == "cwm-mini"
    assert status["files"][0]["functions"] == 3


async def test_clear_forgets_and_restart_begins_anew(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.quiet(traces=1)
    assert (await editor.command("cwm.clear", uri=uri))["cleared"] == 1
    assert await editor.hints(uri) == {}
    await editor.command("cwm.restartEngine")
    await editor.quiet(traces=1)
    assert await editor.hints(uri)


async def test_the_model_can_be_chosen(editor: Editor) -> None:
    editor.open(STRAWBERRY)
    with pytest.raises(Exception, match="no model nonsense"):
        await editor.command("cwm.selectModel", model="nonsense")
    assert await editor.command("cwm.selectModel", model="cwm-mini") == {"model": "cwm-mini"}
    configured = await editor.command("cwm.debugConfiguration", uri=editor.open(STRAWBERRY))
    assert configured["request"] == "attach"
    assert configured["program"] == str(STRAWBERRY)


DIAGNOSED = """\
def first(items):
    return items[0]


# cwm: first([])


def double(number):
    return number * 2


# cwm: double(2) -> 5


def sign(number):
    if number > 0:
        return "plus"
    return "minus"


# cwm: sign(3)
"""


async def test_diagnostics_of_what_is_predicted(editor: Editor, tmp_path: Path) -> None:
    editor.configure({"diagnosticsConfidence": 0.0})
    uri = editor.open(tmp_path / "diagnosed.py", DIAGNOSED)
    await editor.quiet(traces=3)
    by_code = {str(item.code): item for item in editor.diagnostics(uri)}
    assert set(by_code) == {"exception", "expectation", "unreached"}
    raised = by_code["exception"]
    assert raised.message.startswith("predicted: ")
    assert raised.range.start.line == editor.line(uri, "items[0]")
    assert raised.severity == types.DiagnosticSeverity.Information
    wrong = by_code["expectation"]
    assert "expected 5" in wrong.message
    assert wrong.range.start.line == editor.line(uri, "double(2) -> 5")
    missed = by_code["unreached"]
    assert missed.severity == types.DiagnosticSeverity.Hint
    assert missed.range.start.line == editor.line(uri, 'return "minus"')
    related = editor.client.capabilities.text_document.publish_diagnostics.related_information
    assert bool(raised.related_information) == bool(related)
    editor.configure({"diagnostics": ["expectation"], "diagnosticsConfidence": 0})
    await editor.until(lambda: {item.code for item in editor.diagnostics(uri)} == {"expectation"})
    editor.close(uri)
    await editor.command("cwm.status")
    assert editor.diagnostics(uri) == []


EXAMPLES_THAT_FAIL = """\
def middle(a, b, c):
    \'\'\'
    >>> middle(1, 2, 3)
    2
    >>> middle(3, 1, 2)
    2
    \'\'\'
    if a > c:
        return b
    return b


assert middle(5, 6, 7) == 6
assert middle(2, 9, 4) == 4
"""


async def test_every_doctest_and_assert_is_held_against_its_trace(editor: Editor, tmp_path: Path) -> None:
    uri = editor.open(tmp_path / "examples.py", EXAMPLES_THAT_FAIL)
    wrong = {"predicted 1, expected 2", "predicted 9, expected 4"}
    await editor.until(lambda: {item.message.split(" (")[0] for item in editor.diagnostics(uri)} == wrong)
    lines = sorted(item.range.start.line for item in editor.diagnostics(uri))
    assert lines == [editor.line(uri, "middle(3, 1, 2)"), editor.line(uri, "middle(2, 9, 4)")]


async def test_inline_values_name_the_variables_up_to_the_stop(editor: Editor) -> None:
    uri = editor.open(STRAWBERRY)
    await editor.command("cwm.trace", uri=uri)
    stop = editor.line(uri, "if char == letter")
    span = types.Range(types.Position(0, 0), types.Position(40, 0))
    here = types.Range(types.Position(stop, 0), types.Position(stop, 5))
    params = types.InlineValueParams(
        types.TextDocumentIdentifier(uri), span, types.InlineValueContext(1, here)
    )
    values = await soon(editor.client.text_document_inline_value_async(params))
    lines = editor.texts[uri].splitlines()
    named = {
        (v.range.start.line, lines[v.range.start.line][v.range.start.character : v.range.end.character])
        for v in values
    }
    assert (stop, "char") in named
    assert (editor.line(uri, "def count_letter"), "word") in named
    assert all(line <= stop for line, _ in named)


async def test_holes_are_filled_with_what_passes(editor: Editor) -> None:
    uri = editor.open(EXAMPLES / "holes" / "best_profit.py")
    line = editor.line(uri, "lowest = ?")
    place = types.Position(line, len("    lowest = ?"))
    document = types.TextDocumentIdentifier(uri)
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
    params = types.InlineCompletionParams(context, document, place)
    assert editor.capabilities.completion_provider is None  # it would offer the same
    found = await soon(editor.client.text_document_inline_completion_async(params))
    texts = [item.insert_text for item in found.items]
    nowhere = types.InlineCompletionParams(context, document, types.Position(0, 0))
    assert await soon(editor.client.text_document_inline_completion_async(nowhere)) is None
    assert texts
    params = types.CodeActionParams(document, types.Range(place, place), types.CodeActionContext([]))
    actions = await soon(editor.client.text_document_code_action_async(params))
    assert any(texts[0] in action.title for action in actions)
    filled = await editor.command("cwm.fillAll", uri=uri)
    assert filled == {"filled": 2, "left": []}
    edit = [params for method, params in editor.seen if method == types.WORKSPACE_APPLY_EDIT][-1]
    assert len(edit.edit.changes[uri]) == 2


async def test_an_editor_without_ghost_text_and_markdown(tmp_path: Path) -> None:
    env = {"CWM_LSP_FILL_SECONDS": "10"}
    async with run_editor(tmp_path, recorded("emacs"), env=env) as editor:
        uri = editor.open(EXAMPLES / "holes" / "best_profit.py")
        place = types.Position(editor.line(uri, "lowest = ?"), len("    lowest = ?"))
        document = types.TextDocumentIdentifier(uri)
        asked = types.CompletionParams(document, place)
        found = await soon(editor.client.text_document_completion_async(asked))
        assert found.items
        for item in found.items:
            assert item.filter_text == "?"
            assert item.text_edit.range.start.character == len("    lowest = ")
            assert "examples come out right" in item.detail
            assert isinstance(item.documentation, str)
        nowhere = types.CompletionParams(document, types.Position(0, 3))
        assert await soon(editor.client.text_document_completion_async(nowhere)) is None
        whole = editor.open(STRAWBERRY)
        await editor.command("cwm.trace", uri=whole)
        told = await editor.hover(whole, "count += 1", "count")
        assert "`" not in told
        assert "|" not in told


async def test_a_hover_says_what_it_waits_for(tmp_path: Path) -> None:
    env = {"CWM_LSP_MAX_FRAMES": "100000", "CWM_LSP_GROUNDING": "flow"}
    async with run_editor(tmp_path, recorded("vscode"), env=env) as editor:
        uri = editor.open(tmp_path / "loop.py", "def f(n):\n    while n:\n        n += 1\n\n\n# cwm: f(1)\n")
        for _ in range(400):
            told = await editor.hover(uri, "n += 1", "n") or ""
            if "frames so far" in told:
                break
            await asyncio.sleep(0.02)
        assert "Predicting `f(1)`" in told
        assert "waits for cwm-mini" in told
        assert "predicting" in (await editor.lenses(uri))[0][0].title


async def test_progress_is_shown_and_can_be_cancelled(tmp_path: Path) -> None:
    env = {"CWM_LSP_MAX_FRAMES": "100000", "CWM_LSP_PREDICT": "demand", "CWM_LSP_GROUNDING": "flow"}
    options = {"status": True}
    async with run_editor(tmp_path, recorded("vscode"), env=env, options=options) as editor:
        uri = editor.open(tmp_path / "loop.py", "def f(n):\n    while n:\n        n += 1\n\n\n# cwm: f(1)\n")
        asked = asyncio.create_task(editor.command("cwm.trace", uri=uri))
        reports = editor.client.progress_reports
        for _ in range(400):
            begun = [t for t, r in reports.items() if any("f(1)" in str(item.title) for item in begins(r))]
            if begun:
                break
            await asyncio.sleep(0.05)
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(begun[0]))
        with pytest.raises(Exception, match="cancelled"):
            await asked
        await editor.quiet()
        kinds = [
            type(report.value if hasattr(report, "value") else report).__name__
            for report in reports[begun[0]]
        ]
        assert kinds[0] == "WorkDoneProgressBegin"
        assert kinds[-1] == "WorkDoneProgressEnd"
        states = [plain(params)["state"] for method, params in editor.seen if method == "cwm/status"]
        assert "loading" in states
        assert "predicting" in states
        assert states[-1] == "idle"


def begins(reports: list[Any]) -> list[types.WorkDoneProgressBegin]:
    values = [getattr(report, "value", report) for report in reports]
    return [value for value in values if isinstance(value, types.WorkDoneProgressBegin)]
