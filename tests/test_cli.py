"""The executable's manners: help, version, bad usage, a sentence for each mistake, pipes, Ctrl-C."""

from __future__ import annotations

import importlib.metadata
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cwm_lsp import __version__
from cwm_lsp.cli import COMMANDS
from tests.cli_fixture import COMMAND, EXAMPLES, ROOT, cwm, cwm_here, environment, in_terminal

ENDLESS = "def f(n):\n    while True:\n        n += 1\n"
SLEEPER = "import time\n\ndef f():\n    time.sleep(60)\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(content: str | bytes, name: str = "program.py") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_version() -> None:
    done = cwm("--version")
    assert (done.status, done.out) == (0, f"cwm-lsp {__version__}\n")


def test_help_names_every_command_and_is_instant() -> None:
    done = cwm("--help")
    assert done.status == 0
    assert all(f"    {name}" in done.out for name in COMMANDS)
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        cwm("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.2, times


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from cwm_lsp.cli import build_parser; build_parser(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=environment()
    )
    heavy = {"rich", "numpy", "onnxruntime", "torch", "tokenizers", "llguidance", "cwm_lsp.source.document"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("command", list(COMMANDS))
def test_each_command_has_help_with_examples(command: str) -> None:
    done = cwm_here(command, "--help")
    assert done.status == 0
    assert "examples:\n" in done.out
    assert all(len(line) <= 110 for line in done.out.splitlines())


@pytest.mark.parametrize(
    "args",
    [
        ["nonsense"],
        ["record"],
        ["record", "--nonsense"],
        ["record", "x.py", "--max-frames", "0"],
        ["record", "x.py", "--max-frames", "many"],
        ["record", "x.py", "--seconds", "nan"],
    ],
)
def test_bad_usage_is_status_two(args: list[str]) -> None:
    done = cwm_here(*args)
    assert done.status == 2
    assert done.err.startswith("usage: cwm-lsp")
    assert "Traceback" not in done.err


CALLED = "def f(a, b=1, *, c=2):\n    return a\n\n\nclass C:\n    def m(self):\n        pass\n"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("g(1)", "no function 'g'"),
        ("f()", "missing 1 required positional argument: 'a'"),
        ("f(1, 2, 3)", "takes"),
        ("f(1, d=2)", "unexpected keyword argument 'd'"),
        ("f(1, a=2)", "multiple values"),
        ("f(", "not a call"),
        ("f(1) + 1", "not a call"),
        ("1", "not a call"),
        ("", "no call"),
        ("C().m()", "top level"),
        ("f(1)\nf(2)", ""),
        ("f(" + "(" * 500 + ")" * 500 + ")", ""),
    ],
)
def test_a_call_that_cannot_be_meant(write, call: str, words: str) -> None:
    path = write(CALLED)
    for command in {"record", "trace"} & set(COMMANDS):
        done = cwm_here(command, path, "--call", call)
        assert words in done.refused(2 if command == "trace" else done.status)
        assert done.status in (1, 2)
        assert done.out == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("def f(:\n    pass\n", "line 1"),
        (b"\xff\xfe\x00", "can't be"),
        (b"x = 1\0", "null"),
        ("", "no function"),
        ("x = 1\n", "no function"),
        ("# coding: nonsense\n", "can't be decoded"),
        ("def f(): " + "(" * 5000, ""),
    ],
)
def test_a_file_that_cannot_be_read(write, content: str | bytes, words: str) -> None:
    path = write(content)
    for command in {"record", "trace"} & set(COMMANDS):
        done = cwm_here(command, path)
        assert words in done.refused(1)
        assert str(path) in done.err
        assert done.out == ""


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file" in cwm("trace", tmp_path / "none.py").refused(2)
    for command in ("record", "trace", "eval"):
        assert "no such file" in cwm_here(command, tmp_path / "none.py").refused(2)
        cwm_here(command, tmp_path).refused(1)


def test_mistakes_are_told_by_the_real_executable_as_they_are_here(write) -> None:
    broken = write("def f(:\n", "broken.py")
    for args in (["nonsense"], ["trace", broken], ["record", write(CALLED), "--call", "g(1)"]):
        assert cwm(*args) == cwm_here(*args)


def test_settings_that_are_wrong_are_named_and_the_rest_works(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('colour = "red"\nmax_frames = 0\n', encoding="utf-8")
    done = cwm("doctor", env={"CWM_LSP_CONFIG": str(path)})
    assert "colour" in done.out
    assert "max_frames" in done.out


def test_a_closed_pipe_is_silent(write) -> None:
    path = write(ENDLESS)
    process = subprocess.Popen(
        [*COMMAND, "record", str(path), "--call", "f(1)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait(timeout=30) == 141
    assert errors.splitlines() == [line for line in errors.splitlines() if "running f(1)" in line]


def test_a_full_disk_is_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "doctor"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"No space left" in done.stderr


def test_ctrl_c_ends_with_one_line_and_leaves_no_child_behind(write) -> None:
    path = write(SLEEPER)
    process = subprocess.Popen(
        [*COMMAND, "record", str(path), "--call", "f()", "--seconds", "50"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
        start_new_session=True,
    )
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "cwm-lsp: interrupted"
    assert "Traceback" not in err + out
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_an_error_of_ours_is_one_line_and_debug_shows_where() -> None:
    code = (
        "import sys; import cwm_lsp.commands.doctor as d\n"
        "def run(args): raise RuntimeError('ours\\nmore')\n"
        "d.run = run\n"
        "from cwm_lsp.cli import main; sys.exit(main(['doctor']))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment())
    assert done.returncode == 1
    assert done.stderr == (
        "cwm-lsp: internal error (RuntimeError: ours); CWM_LSP_DEBUG=1 shows where, please report it\n"
    )
    env = environment({"CWM_LSP_DEBUG": "1"})
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env)
    assert "Traceback" in done.stderr


def test_doctor_in_a_pipe_and_as_json() -> None:
    done = cwm("doctor")
    assert done.status == 0, done
    assert "\x1b" not in done.out
    assert "onnxruntime" in done.out
    report = cwm("doctor", "--json").lines[0]
    assert report["healthy"] is True
    assert {finding["status"] for finding in report["findings"]} <= {"ok", "warn"}
    assert {"python", "memory", "gpu", "settings"} <= {finding["name"] for finding in report["findings"]}


def test_colours_in_a_terminal_only_and_not_where_they_are_unwanted() -> None:
    status, shown = in_terminal("doctor")
    assert status == 0
    assert "\x1b[" in shown
    assert "\x1b[3" not in in_terminal("doctor", env={"NO_COLOR": "1"})[1]
    assert "\x1b" not in in_terminal("doctor", env={"TERM": "dumb"})[1]


def test_plain_ascii_where_the_encoding_is() -> None:
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = cwm("record", EXAMPLES / "gcd.py", env=env)
    assert done.status == 0, done
    assert done.out.isascii()
    assert "~" not in done.out
    assert "returned + [4, 3]" in done.out


@pytest.mark.slow
def test_the_installed_script_works_from_anywhere(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("cwm-lsp")
    try:
        importlib.metadata.version("cwm-lsp")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed")
    env = environment()
    env.pop("PYTHONPATH")
    done = subprocess.run(
        [script, "trace", EXAMPLES / "gcd.py", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=env,
        check=False,
    )
    assert done.returncode == 0, done
    assert '"event":"end"' in done.stdout


def test_alone_it_is_the_language_server_and_a_list_of_commands_in_a_terminal() -> None:
    done = cwm(stdin='Content-Length: 44\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"shutdown"}')
    assert done.status == 1  # it was not shut down
    assert '"code": -32002' in done.out
    status, shown = in_terminal()
    assert status == 2
    assert "commands:" in shown
