"""`eval` and `models` as subprocesses: the form of what they print, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_fixture import cwm, in_terminal, without_escapes

KEYS = [
    "n",
    "output_accuracy",
    "state_exact",
    "action_exact",
    "full_trace_exact",
    "ece",
    "decisions_per_frame",
    "tokens_per_frame",
    "frames_per_second",
    "grounding",
    "model",
]
ITEMS = [
    {"code": "def f(n):\n    n += 1\n    return n\n", "input": "2", "output": "3"},
    {
        "code": "def f(s, t='b'):\n    for c in s:\n        t += c\n    return t\n",
        "input": "'xy'",
        "output": "'bxy'",
    },
    {"code": "def f(n):\n    return n\n", "input": "5", "output": "6"},  # the file is wrong about itself
]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    path = tmp_path / "programs.jsonl"
    path.write_text("\n".join(map(json.dumps, ITEMS)) + "\n\n", encoding="utf-8")
    return path


def test_json_is_the_designs_form(programs: Path) -> None:
    done = cwm("eval", programs, "--json")
    assert done.status == 0, done
    (report,) = done.lines
    assert list(report) == KEYS
    assert report["n"] == 3
    assert (report["grounding"], report["model"]) == ("values", "cwm-mini")
    for name in KEYS[1:5]:
        assert 0 <= report[name] <= 1
    assert report["tokens_per_frame"] >= report["decisions_per_frame"] >= 0
    assert "runs the code of 3 programs" in done.err
    assert "1 of 3 programs really return something else" in done.err


def test_without_running_there_is_only_the_output(programs: Path) -> None:
    done = cwm("eval", programs, "--json", "--no-run", "--limit", "2")
    (report,) = done.lines
    assert report["n"] == 2
    assert report["output_accuracy"] is not None
    assert report["state_exact"] is report["action_exact"] is report["full_trace_exact"] is None
    assert "runs" not in done.err


def test_single_steps(programs: Path) -> None:
    (report,) = cwm("eval", programs, "--json", "--teacher-forced", "--limit", "1").lines
    assert list(report) == [*KEYS, "state_exact_teacher_forced", "action_exact_teacher_forced"]
    assert 0 <= report["state_exact_teacher_forced"] <= 1
    assert cwm("eval", programs, "--teacher-forced", "--no-run").status == 2


def test_a_table_for_people(programs: Path) -> None:
    done = cwm("eval", programs, "--limit", "1")
    assert "outputs right" in done.out
    status, shown = in_terminal("eval", programs, "--limit", "1")
    assert status == 0
    assert "outputs right" in without_escapes(shown)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no programs"),
        ("{}\n", "line 1"),
        ('{"code": "x", "input": 1, "output": "2"}\n', "line 1"),
        (json.dumps(ITEMS[0]) + "\nnot json\n", "line 2"),
        ("[" * 100_000, "line 1"),
    ],
)
def test_a_file_in_another_form(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "programs.jsonl"
    path.write_text(content, encoding="utf-8")
    assert words in cwm("eval", path).refused(1)


def test_programs_that_cannot_be_read_or_run_count_as_wrong(tmp_path: Path) -> None:
    broken = [
        {"code": "def f(:\n", "input": "1", "output": "1"},
        {"code": "def g(n):\n    return n\n", "input": "1", "output": "1"},
        {"code": "import no_such_module_at_all\n\ndef f(n):\n    return n\n", "input": "1", "output": "1"},
    ]
    path = tmp_path / "programs.jsonl"
    path.write_text("\n".join(map(json.dumps, broken)), encoding="utf-8")
    done = cwm("eval", path, "--json")
    (report,) = done.lines
    assert report["n"] == 3
    assert report["state_exact"] is None
    assert "2 of 3 programs could not be predicted, the first: line 1" in done.err
    assert "1 of 3 programs could not be run" in done.err


def test_models_list_and_show() -> None:
    done = cwm("models", "list")
    assert done.status == 0, done
    assert done.out.splitlines()[1].startswith("cwm-mini")
    assert "\x1b" not in done.out
    listed = cwm("models", "list", "--json").lines
    assert listed[0]["name"] == "cwm-mini"
    assert listed[0]["installed"] is True
    shown = cwm("models", "show", "cwm-mini", "--json").lines[0]
    assert shown == listed[0]
    assert "cwm_mini" in cwm("models", "show", "cwm-mini").out
    status, text = in_terminal("models", "list")
    assert status == 0
    assert "cwm-mini" in without_escapes(text)


def test_models_that_are_unknown() -> None:
    assert "cwm-mini" in cwm("models", "show", "nobody").refused(2)
    assert cwm("models").status == 2
    assert cwm("models", "melt").status == 2


@pytest.mark.slow
def test_a_report_under_every_grounding(programs: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    more = {"code": ITEMS[0]["code"].replace("f(", "g("), "input": "", "output": "8", "call": "g(7)"}  # type: ignore[attr-defined]
    with programs.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**more, "kind": "other"}) + "\n")
    done = cwm("eval", programs, "--json", "--report", tmp_path / "pages")
    assert done.status == 0, done
    page = (tmp_path / "pages" / "report.md").read_text()
    rows = (
        "| none | 4 |",
        "| values | 4 | 75.0% |",
        "| flow | 4 |",
        "| other | 1 |",
        "| all | 3 |",
        "| 1-10 | 4 |",
    )
    for part in (*rows, "| int | "):
        assert part in page
    for picture in ("reliability.png", "lengths.png"):
        assert f"({picture})" in page
        assert (tmp_path / "pages" / picture).read_bytes().startswith(b"\x89PNG")


def test_a_report_needs_real_runs(programs: Path, tmp_path: Path) -> None:
    done = cwm("eval", programs, "--no-run", "--report", tmp_path)
    assert done.status == 2
    assert "--report needs the true frames" in done.err
