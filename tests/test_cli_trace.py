"""`trace` as a subprocess, with the model of the package: its form, its marks, its manners. Not how right
it is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cwm_lsp.trace.frame import Frame
from tests.cli_fixture import (
    COMMAND,
    EXAMPLES,
    ROOT,
    Done,
    cwm,
    cwm_here,
    environment,
    in_terminal,
    without_escapes,
)

GCD = EXAMPLES / "gcd.py"
ENDLESS = "def f(n):\n    while True:\n        n = n\n"  # control flow alone keeps it going

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str) -> Path:
        path = tmp_path / "program.py"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def frames_of(done: Done) -> list[Frame]:
    """The frames of `--json`, each in the design's form."""
    assert done.status == 0, done
    *frames, end = done.lines
    for frame in frames:
        assert list(frame)[:6] == ["event", "function", "line", "depth", "locals", "arg"]
        for value in frame["locals"].values():
            assert list(value) == ["repr", "origin", "confidence"]
    more = ["check"] if "check" in end else []
    assert list(end) == ["event", "reason", "value", "frames", "decisions", "tokens", "seconds", *more]
    assert end["event"] == "end"
    assert end["frames"] == len(frames)
    return [Frame.from_json(frame) for frame in frames]


FLOW = {"CWM_LSP_GROUNDING": "flow"}


def test_a_log_in_a_pipe() -> None:
    done = cwm("trace", GCD, env=FLOW)
    assert done.status == 0, done
    assert done.err == ""
    assert "\x1b" not in done.out
    lines = done.out.splitlines()
    assert lines[0].startswith("shorten(48, 36) · a comment on line 12 · predicted by cwm-mini")
    assert "> shorten(top 48, bottom 36)" in lines[2]
    assert any("frames · " in line and "decision" in line for line in lines[-2:])


def test_json_is_the_designs_form() -> None:
    frames = frames_of(cwm("trace", GCD, "--json", env=FLOW))
    first = frames[0]
    assert (first.event, first.function, first.depth) == ("call", "shorten", 1)
    assert {name: (v.repr, v.origin) for name, v in first.locals.items()} == {
        "top": ("48", "given"),
        "bottom": ("36", "given"),
    }
    predicted = [
        value for frame in frames[1:] for value in frame.locals.values() if value.origin == "predicted"
    ]
    assert predicted
    assert all(value.confidence is not None and 0 <= value.confidence <= 1 for value in predicted)


def test_record_prints_the_same_form() -> None:
    frames = frames_of(cwm("record", GCD, "--call", "shorten(48, 36)", "--json"))
    assert frames[-1].arg is not None
    assert frames[-1].arg.repr == "[4, 3]"
    assert {value.origin for frame in frames for value in frame.locals.values()} == {"observed"}


@pytest.mark.slow
def test_the_same_command_gives_the_same_frames() -> None:
    first, second = (cwm("trace", GCD, "--json").lines[:-1] for _ in range(2))
    assert first == second


def test_a_call_that_is_given_wins_over_the_comment() -> None:
    first = frames_of(cwm("trace", GCD, "--call", "gcd(6, 4)", "--json", "--max-frames", "4"))[0]
    assert first.function == "gcd"


def test_a_check_says_first_that_it_runs_the_code(write: Write, tmp_path: Path) -> None:
    path = write("open('was_run', 'w').close()\n\n# cwm: f(2) -> 3\ndef f(n):\n    n += 1\n    return n\n")
    assert cwm("trace", path, cwd=tmp_path).status == 0
    assert not (tmp_path / "was_run").exists(), "trace must never run the code"
    done = cwm("trace", path, "--check", cwd=tmp_path)
    assert done.status == 0, done
    assert (tmp_path / "was_run").exists()
    assert "--check runs the code: f(2)" in done.err
    assert any(line.startswith(("✓ check:", "✗ check:")) for line in done.out.splitlines())
    assert all(line[:2] in ("✓ ", "✗ ") for line in done.out.splitlines() if "  > f(" in line)


def test_a_check_in_json_judges_every_frame() -> None:
    done = cwm("trace", GCD, "--check", "--json")
    frames_of(done)
    *frames, end = done.lines
    assert {frame["right"] for frame in frames} <= {True, False}
    assert set(end["check"]) == {"frames_right", "frames", "full_trace_right", "output_right"}
    assert end["check"]["frames_right"] == sum(frame["right"] for frame in frames)


def test_a_check_of_code_that_cannot_run_is_one_sentence() -> None:
    done = cwm("trace", EXAMPLES / "missing_import.py", "--check")
    assert "attic_thermometer" in done.refused(1)
    assert "returned" in done.out or "stopped" in done.out or "failed" in done.out
    assert cwm("trace", EXAMPLES / "missing_import.py").status == 0


def test_budgets_end_a_loop_that_never_ends(write: Write) -> None:
    done = cwm("trace", write(ENDLESS), "--call", "f(1)", "--max-frames", "12", "--json")
    assert len(frames_of(done)) == 12
    assert done.lines[-1]["reason"] == "budget"
    done = cwm("trace", write(ENDLESS), "--call", "f(1)", "--json", env={"CWM_LSP_MAX_FRAMES": "7"})
    assert len(frames_of(done)) == 7


def test_frames_come_while_the_rest_is_predicted(write: Write) -> None:
    process = subprocess.Popen(
        [*COMMAND, "trace", str(write(ENDLESS)), "--call", "f(1)", "--json", "--max-frames", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    seen = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert seen[0]["event"] == "call"
    assert process.poll() is None
    process.stdout.close()
    assert process.wait(timeout=30) == 141
    assert process.stderr.read() == ""


def test_ctrl_c(write: Write) -> None:
    process = subprocess.Popen(
        [*COMMAND, "trace", str(write(ENDLESS)), "--call", "f(1)", "--max-frames", "100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
    )
    assert process.stdout is not None
    for _ in range(4):
        process.stdout.readline()
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == "cwm-lsp: interrupted\n"


def test_arguments_are_invented_where_no_call_is_found(write: Write) -> None:
    path = write("def helper(n):\n    return n\n\n\ndef entry(count):\n    return helper(count)\n")
    done = cwm("trace", path, "--json")
    first = frames_of(done)[0]
    assert first.function == "entry"
    assert first.locals["count"].origin == "predicted"
    assert "invents the arguments of entry" in done.err
    assert frames_of(cwm("trace", path, "--call", "helper", "--json"))[0].function == "helper"


def test_special_tokens_in_a_file_are_text(write: Write) -> None:
    text = "<|frame_sep|><|end_of_text|><|line_sep|>"
    path = write(f"# {text}\n\n\ndef f(word):  # {text}\n    return word\n")
    frames = frames_of(cwm("trace", path, "--call", f"f('{text}')", "--json"))
    assert frames[0].locals["word"].repr == repr(text)
    assert frames[-1].event == "return"


def test_stdin_is_a_file_too() -> None:
    done = cwm("trace", "-", "--json", stdin=GCD.read_text(encoding="utf-8"))
    assert frames_of(done)[0].function == "shorten"


def test_what_can_be_computed_is_and_needs_no_model() -> None:
    done = cwm("trace", GCD, "--json", env={"CWM_LSP_BACKEND_THREADS": "nonsense"})
    origins = {value["origin"] for frame in done.lines[:-1] for value in frame["locals"].values()}
    assert (done.status, origins) == (0, {"given", "computed"})
    assert done.lines[-1]["tokens"] == 0
    assert cwm("trace", GCD, "--grounding", "much").status == 2


def test_without_grounding_there_is_still_a_trace_or_one_sentence() -> None:
    done = cwm("trace", GCD, "--grounding", "none", "--json", "--max-frames", "40")
    assert done.lines[0]["function"] == "shorten"
    assert done.lines[-1]["event"] == "end"
    assert done.status == (1 if done.lines[-1]["reason"] == "failed" else 0)


@pytest.mark.parametrize("grounding", ["flow", "values"])
@pytest.mark.parametrize("name", ["no-such-model", "an empty folder", "./no/such/folder"])
def test_a_model_that_is_not_there(tmp_path: Path, name: str, grounding: str) -> None:
    name = str(tmp_path) if name == "an empty folder" else name
    done = cwm_here("trace", GCD, "--backend", name, "--grounding", grounding)
    assert name in done.refused(1)
    assert done.out == ""


@pytest.mark.slow
def test_a_hub_model_that_is_not_there() -> None:
    assert "some/where" in cwm("trace", GCD, "--backend", "some/where").refused(1)


def test_settings_that_name_no_model_or_option() -> None:
    assert "no-such-model" in cwm("trace", GCD, env={"CWM_LSP_MODEL": "no-such-model"}).refused(1)
    assert "nonsense" in cwm("trace", GCD, env=FLOW | {"CWM_LSP_BACKEND_NONSENSE": "1"}).refused(1)


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["none.py"], 2),
        (["examples"], 1),
        ([str(GCD), "--call", "nobody(1)"], 2),
        ([str(GCD), "--call", "gcd(1)"], 2),
        ([str(GCD), "--call", "gcd(a, b)"], 2),
        ([str(GCD), "--max-frames", "-3"], 2),
    ],
)
def test_mistakes_are_one_sentence(args: list[str], status: int) -> None:
    assert cwm_here("trace", *args).refused(status)


def test_a_bad_comment_is_named_and_left_out(write: Write) -> None:
    path = write("# cwm: f(1, 2, 3)\ndef f(n):\n    return n\n\n\nassert f(4) == 4\n")
    done = cwm("trace", path, "--json")
    assert frames_of(done)[0].locals["n"].repr == "4"
    assert "comment on line 1 is left out" in done.err


def test_in_a_terminal_there_are_colours_and_no_numbers() -> None:
    status, shown = in_terminal("trace", GCD, env=FLOW)
    assert status == 0
    assert "\x1b[" in shown
    text = without_escapes(shown)
    assert "> shorten(top 48, bottom 36)" in text
    assert "predicting" in text
    log, _, closing = text.rpartition("confidence")
    assert "%" not in log.replace("a % b", "")
    assert "frames/s" in closing


def test_without_colours_numbers_say_how_sure() -> None:
    _, shown = in_terminal("trace", GCD, env={"NO_COLOR": "1"})
    assert "\x1b[3" not in shown
    _, narrow = in_terminal("trace", GCD, columns=40)
    assert "shorten" in without_escapes(narrow)


def test_plain_ascii_where_the_encoding_is() -> None:
    env = FLOW | {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = cwm("trace", GCD, env=env)
    assert done.status == 0, done
    assert done.out.isascii()
    assert " ~ " in done.out


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_is_told_or_refused_in_one_sentence(path: Path) -> None:
    done = cwm("trace", path, "--max-frames", "60", "--json")
    assert done.status in (0, 1)
    assert done.lines[-1]["event"] == "end"
    if done.status == 1:
        assert done.lines[-1]["reason"] == "failed"
        done.refused(1)
