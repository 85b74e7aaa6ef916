"""The recorder and programs that fight it: always one answer, soon, and nothing left running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cwm_lsp.trace.recorder import Limits, Program, Recording, record

from .recorded import QUICK, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the means of POSIX")

SHORT = Limits(seconds=3.0, memory=2 << 30)


MARK = "CWM_LSP_RECORDER_TEST"


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No process, thread or descriptor of a test is left when it ends."""
    monkeypatch.setenv(MARK, str(uuid.uuid4()))
    if not Path("/proc/self/fd").exists():
        yield
        return
    before = descriptors(), threading.active_count()
    yield
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (processes() or threading.active_count() > before[1]):
        time.sleep(0.05)
    assert processes() == set()
    assert (descriptors(), threading.active_count()) == before


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def processes() -> set[str]:
    """The processes that were started, directly or not, by the test that runs."""
    found = set()
    mark = f"{MARK}={os.environ[MARK]}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                found.add(folder.name)
    return found


def outcome(recording: Recording) -> tuple[str, str]:
    return recording.end.reason, recording.end.message or recording.end.value or ""


def test_it_ends_its_own_process() -> None:
    text = """\
        import os, signal, sys
        def leave(n):
            os._exit(n)
        def kill(n):
            os.kill(os.getpid(), n)
        def group():
            os.killpg(0, signal.SIGKILL)
        def ask(n):
            sys.exit(n)
        """
    assert outcome(run(text, "leave(0)")) == (
        "failed",
        "The program ended its own process with exit status 0.",
    )
    assert outcome(run(text, "kill(9)"))[1] == "The program's process was killed by SIGKILL."
    assert outcome(run(text, "kill(11)"))[1] == "The program's process was killed by SIGSEGV."
    assert outcome(run(text, "group()"))[1] == "The program's process was killed by SIGKILL."
    recording = run(text, "ask(3)")
    assert (recording.end.reason, recording.end.value) == ("raised", "SystemExit(3)")
    assert [frame.event for frame in run(text, "leave(1)").frames] == ["call", "line"]


def test_it_kills_its_parent() -> None:
    text = """\
        import os, signal, time
        def f():
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
            return 1
        """
    assert outcome(run(text, "f()")) == ("failed", "The program killed the process that watches over it.")


@pytest.mark.slow
def test_it_stops_its_parent() -> None:
    text = """\
        import os, signal, time
        def f():
            os.kill(os.getppid(), signal.SIGSTOP)
            time.sleep(100)
        """
    assert outcome(run(text, "f()", SHORT)) == ("budget", "Stopped after 3 seconds.")


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        pytest.param("while True:\n        n = 1", marks=pytest.mark.slow),
        pytest.param("import time; time.sleep(100)", marks=pytest.mark.slow),
        "input_ = 10 ** 10 ** 8",
    ],
)
def test_it_does_not_end(body: str) -> None:
    began = time.monotonic()
    limits = Limits(seconds=3.0, frames=10**8, trace_chars=10**9)
    recording = run(f"def f():\n    {body}\n", "f()", limits)
    assert outcome(recording) == ("budget", "Stopped after 3 seconds.")
    assert len(recording.frames) >= 2
    assert time.monotonic() - began < 30


@pytest.mark.slow
def test_the_module_does_not_end() -> None:
    recording = run("while True: pass\ndef f(): pass\n", "f()", SHORT)
    assert outcome(recording) == (
        "budget",
        "Stopped after 3 seconds while the file was being loaded, before the call began.",
    )


@pytest.mark.slow
@pytest.mark.parametrize("call", ["f()", "g()"])
def test_it_uses_up_the_processor(call: str) -> None:
    text = """\
        import signal
        def f():
            while True: pass
        def g():
            signal.signal(signal.SIGXCPU, signal.SIG_IGN)
            while True: pass
        """
    recording = run(text, call, Limits(seconds=100, cpu_seconds=1))
    assert outcome(recording) == ("budget", "Stopped after 1 seconds of processor time.")


def test_it_uses_up_memory() -> None:
    text = """\
        def f():
            kept = []
            while True:
                kept.append(bytearray(10 ** 7))
        """
    recording = run(text, "f()", Limits(seconds=20, memory=1 << 29))
    assert (recording.end.reason, recording.end.value) == ("raised", "MemoryError()")


def test_values_may_be_large_but_not_the_trace() -> None:
    text = "def f():\n    word = 'x' * 5000\n    while True:\n        word += 'y'\n"
    recording = run(text, "f()", Limits(seconds=20, value_chars=1000, trace_chars=100_000))
    assert recording.end.reason == "budget"
    assert "their values take 100,000 characters" in (recording.end.message or "")
    assert 90 < len(recording.frames) < 110
    assert recording.frames[-1].locals["word"].repr == "'" + "x" * 996 + "..."


@pytest.mark.slow
def test_it_prints_without_end() -> None:
    text = "def f():\n    while True: print('x' * 100_000)\n"
    recording = run(text, "f()", Limits(seconds=3.0, frames=10**8, output_bytes=5000))
    assert recording.end.reason == "budget"
    assert recording.stdout == "x" * 5000


def test_it_fills_the_disk() -> None:
    text = """\
        def f():
            with open("big", "wb") as file:
                while True: file.write(b"x" * 10 ** 6)
        """
    recording = run(text, "f()", Limits(seconds=20, file_bytes=10**7))
    assert recording.end.value == "OSError(27, 'File too large')"


def test_it_writes_to_every_descriptor() -> None:
    text = """\
        import os
        def f(numbers, text):
            for number in numbers:
                try: os.write(number, text)
                except OSError: pass
            return "done"
        """
    for garbage in (b"x", b"\n", b'{"\n[0,"frame"]\n', b"\xff" * 10_000, b"0" * 32 + b"[0]\n"):
        recording = run(text, f"f([3, 4, 5, 6, 7, *range(198, 210)], {garbage!r})")
        assert recording.end.value == "'done'"
        assert len(recording.frames) > 50


def test_it_forges_messages() -> None:
    text = """\
        import gc
        def f():
            kinds = list(map(type, things := gc.get_objects()))
            channel = next(c for c in {*kinds} if c.__name__ == "Channel")
            thing = things[kinds.index(channel)]
            thing.send('"frame","call","made_up",1,1,{},null')
            thing._number = 3
            return 1
        """
    recording = run(text, "f()", Limits(seconds=20, frames=10**6))
    assert outcome(recording) == (
        "failed",
        "The program disturbed the recorder's channel, so the frames can't be trusted.",
    )


def test_it_closes_every_descriptor() -> None:
    text = """\
        import os
        def f():
            os.closerange(0, 1000)
            return 1
        def g():
            os.closerange(3, 1000)
            files = [open(str(n), "w") for n in range(250)]
            return sum(os.stat(str(n)).st_size for n in range(250))
        """
    for call in ("f()", "g()"):
        assert outcome(run(text, call)) == ("failed", "The program closed the recorder's channel.")


def test_it_replaces_everything_that_the_recorder_might_use() -> None:
    text = """\
        import builtins, json, os, re, signal, sys, weakref
        def f():
            for name in dir(builtins):
                if name not in ("dir", "setattr", "print", "range", "BaseException", "Exception"):
                    setattr(builtins, name, 1 / 2)
            for module in (json, json.encoder, os, re, signal, sys, weakref):
                for name in dir(module):
                    if not name.startswith("__"):
                        try:
                            setattr(module, name, None)
                        except Exception:
                            continue
            numbers = [1, {"a": (2,)}]
            return numbers
        """
    recording = run(text, "f()")
    assert recording.end.value == "[1, {'a': (2,)}]"
    assert recording.frames[-1].locals == {}
    assert recording.frames[-2].locals["numbers"].repr == "[1, {'a': (2,)}]"


def test_it_sets_its_own_trace_function() -> None:
    text = """\
        import sys, threading
        def f():
            before = sys.gettrace()
            sys.settrace(print)
            now = sys.gettrace() is print
            sys.settrace(None)
            breakpoint()
            threading.settrace(None)
            return before, now
        """
    recording = run(text, "f()")
    assert recording.end.value == "(None, True)"
    assert [frame.line for frame in recording.frames][-3:] == [8, 9, 9]


def test_it_switches_tracing_off_for_good() -> None:
    text = """\
        import ctypes
        def f():
            ctypes.pythonapi.PyEval_SetTrace(None, None)
            return 1
        """
    assert outcome(run(text, "f()")) == (
        "failed",
        "The program ended its own tracing, so the frames are not complete.",
    )


def test_it_forks() -> None:
    text = """\
        import os
        def f():
            child = os.fork()
            inside = 0
            if child:
                os.waitpid(child, 0)
                return 1
            return 2
        """
    recording = run(text, "f()")
    assert recording.end.value == "1"
    assert len(recording.frames) == 7


@pytest.mark.slow
def test_it_leaves_processes_behind() -> None:
    text = """\
        import os, subprocess, sys, time
        SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
        def plain():
            subprocess.Popen(SLEEP)
            return 1
        def sessions():
            subprocess.Popen(SLEEP, start_new_session=True)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(60)
                os._exit(0)
            return 2
        def breed():
            for _ in range(4):
                os.fork()
            time.sleep(60)
        """
    assert run(text, "plain()").end.value == "1"
    assert run(text, "sessions()").end.value == "2"
    assert run(text, "breed()", SHORT).end.reason == "budget"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts tasks in /proc")
@pytest.mark.skipif(os.geteuid() == 0, reason="the system does not limit root")
def test_it_breeds_without_end() -> None:
    text = """\
        import os, time
        def f():
            count = 0
            try:
                while True:
                    if os.fork() == 0:
                        time.sleep(60)
                    count += 1
            except OSError as error:
                return count, type(error).__name__
        """
    value = run(text, "f()", Limits(seconds=20, processes=20)).end.value
    assert value is not None
    assert "BlockingIOError" in value


def test_threads_that_stay() -> None:
    text = """\
        import threading, time
        def f():
            threading.Thread(target=time.sleep, args=(60,)).start()
            return 1
        """
    began = time.monotonic()
    assert run(text, "f()").end.value == "1"
    assert time.monotonic() - began < 40


def test_its_signal_handlers_raise_at_any_moment() -> None:
    text = """\
        import signal
        class Late(Exception): pass
        def late(number, frame):
            raise Late
        def f(seconds):
            before = signal.signal(signal.SIGALRM, late)
            assert signal.getsignal(signal.SIGALRM) is late
            caught = 0
            for _ in range(8):
                try:
                    signal.setitimer(signal.ITIMER_REAL, seconds)
                    while True:
                        n = [1, 2, {3: 4}]
                except Late:
                    caught += 1
            assert signal.signal(signal.SIGALRM, before) is late
            return caught, before
        """
    recording = run(text, "f(0.02)", Limits(seconds=20, frames=10**6))
    assert recording.end.value == "(8, <Handlers.SIG_DFL: 0>)"
    assert {frame.event for frame in recording.frames} >= {"exception"}


def test_reprs_that_misbehave() -> None:
    text = """\
        import sys, time
        class Odd:
            def __init__(self, work):
                self.work = work
            def __repr__(self):
                return self.work()
        def f():
            a = Odd(lambda: 1 / 0)
            b = Odd(sys.exit)
            c = Odd(lambda: "x" * 10 ** 6)
            d = Odd(lambda: sys.settrace(None) or "d")
            e = [Odd(lambda: time.sleep(100))]
            return e
        """
    recording = run(text, "f()", Limits(seconds=20, value_chars=50, repr_seconds=1.0))
    assert recording.end.value == "[<Odd object>]"
    last = {name: value.repr for name, value in recording.frames[-2].locals.items()}
    assert last == {
        "a": "<Odd object>",
        "b": "<Odd object>",
        "c": "x" * 47 + "...",
        "d": "d",
        "e": "[<Odd object>]",
    }


def test_the_recorder_itself_is_killed() -> None:
    """When the editor dies, so does the program that it recorded."""
    text = "def f():\n    while True: pass\n"
    script = (
        "from cwm_lsp.trace.recorder import Limits, Program, record\n"
        f"record(Program({text!r}), 'f()', Limits(seconds=60, cpu_seconds=60))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).resolve().parents[2])
    deadline = time.monotonic() + 20
    while len(processes()) < 3 and time.monotonic() < deadline:  # the script, and the recorder's two
        time.sleep(0.05)
    assert len(processes()) == 3
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_many_at_once() -> None:
    found: list[str | None] = []

    def one(number: int) -> None:
        program = Program(f"def f(n):\n    return n * {number}\n")
        found.append(record(program, "f(2)", QUICK).end.value)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(value) for value in found) == sorted(str(n * 2) for n in range(8))
