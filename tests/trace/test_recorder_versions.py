"""The recorder with other interpreters: the same frames from Python 3.8 on, but for what
docs/trace-format.md names."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from .recorded import run, story

VERSIONS = ["3.8", "3.9", "3.10", "3.11", "3.12", "3.13"]


@cache
def interpreter(version: str) -> str | None:
    """An interpreter of that version on this machine."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for candidate in (shutil.which(f"python{version}"), *map(str, found)):
        if candidate:
            code = "import sys; print('%d.%d' % sys.version_info[:2])"
            answer = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
            if answer.stdout.strip() == version:
                return candidate
    return None


HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(
    params=[pytest.param(each, marks=() if each == HERE else pytest.mark.slow) for each in VERSIONS]
)
def python(request: pytest.FixtureRequest) -> str:
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} here")
    return found


PROGRAM = """\
    import functools
    class Shop:
        def __init__(self, prices):
            self.prices = prices
        def price(self, name):
            def find(key):
                return self.prices[key]
            return find(name)
    def count(n):
        while n:
            yield n
            n -= 1
    def risky(n):
        if n > 1:
            raise ValueError(n)
        return n
    @functools.lru_cache
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)
    def f(text, *rest, key=1):
        shop = Shop({"a": 3})
        letters = iter(text)
        total = shop.price("a")
        for n in count(2):
            if n == 1:
                early = total
            else:
                late = n
            try:
                total += risky(n)
            except ValueError as error:
                total -= 1
            finally:
                done = True
        add = lambda a: a + total
        return add(fib(3)), sum(n * 2 for n in rest)
    """


def test_the_same_frames(python: str) -> None:
    expected = run(PROGRAM, "f('abc', 4, 5, key=2)", python=interpreter("3.11"))
    got = run(PROGRAM, "f('abc', 4, 5, key=2)", python=python)
    assert got.end.value == expected.end.value == "(5, 18)"
    lines = story(got)
    if python in (interpreter("3.8"), interpreter("3.9")):
        lines = [line for line in lines if not line.endswith("StopIteration(), None)")]
    assert lines == story(expected)


def test_comprehensions_have_frames_up_to_3_11_only(python: str) -> None:
    text = "def f(items):\n    k = 2\n    return [n * k for n in items]\n"
    got = run(text, "f([1, 2])", python=python)
    functions = {frame.function for frame in got.frames}
    if python in (interpreter("3.12"), interpreter("3.13")):
        assert functions == {"f"}
        assert {name for frame in got.frames for name in frame.locals} == {"items", "k", "n"}
    else:
        assert functions == {"f", "f.<locals>.<listcomp>"}
    assert got.end.value == "[2, 4]"


def test_deep_recursion(python: str) -> None:
    text = """\
        def f(n):
            try:
                return f(n + 1)
            except RecursionError:
                return n
        """
    got = run(text, "f(0)", python=python)
    assert got.end.value is not None
    assert abs(int(got.end.value) - 998) <= 1
    assert got.end.frames == 4 * int(got.end.value) + 7


def test_handlers_of_signals(python: str) -> None:
    text = """\
        import signal
        def late(number, frame):
            raise TimeoutError
        def f():
            signal.signal(signal.SIGALRM, late)
            caught = 0
            while caught < 5:
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                try:
                    while True:
                        n = [1]
                except TimeoutError:
                    caught += 1
            return caught
        """
    assert run(text, "f()", python=python).end.value == "5"


def test_failures_are_told_alike(python: str) -> None:
    for text, call, message in [
        ("import nothing_here", "f()", "line 1 raised ModuleNotFoundError: No module named 'nothing_here'."),
        ("def f(a): pass", "f()", "f() missing 1 required positional argument: 'a'."),
        ("def f(a): pass", "g()", "program.py has no function g."),
    ]:
        end = run(text, call, python=python).end
        assert end.reason == "failed"
        assert (end.message or "").endswith(message)
