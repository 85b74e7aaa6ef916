"""The recorder: frames of real runs are what `sys.settrace` tells, in the form of frame.py."""

from __future__ import annotations

import sys

import pytest

from cwm_lsp.trace import recorder_report
from cwm_lsp.trace.frame import Frame

from .recorded import marked, run, story

old_comprehensions = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="comprehensions have no frame from 3.12 on"
)


def test_a_call_line_by_line() -> None:
    text = """\
        def double(n):
            return n + n

        def main(word):
            size = double(len(word))
            return word * size
        """
    recording = run(text, "main('ab')")
    assert story(recording) == [
        "1 call main:4 word='ab'",
        "1 line main:5 word='ab'",
        "2 call double:1 n=2",
        "2 line double:2 n=2",
        "2 return double:2 -> 4",
        "1 line main:6 word='ab' size=4",
        "1 return main:6 -> 'abababab'",
    ]
    assert recording.end.reason == "returned"
    assert recording.end.value == "'abababab'"
    assert recording.end.frames == 7
    assert recording.end.seconds > 0
    for frame in recording.frames:
        values = [*frame.locals.values(), *([frame.arg] if frame.arg else [])]
        assert all(value.origin == "observed" and value.confidence is None for value in values)
        assert Frame.from_json(frame.to_json()) == frame


def test_an_exception_is_a_frame_and_unwinds() -> None:
    text = """\
        def check(n):
            if n > 1:
                raise ValueError("too much")  # <raise>
            return n

        def caught(n):
            try:
                check(n)  # <call>
            except ValueError as error:  # <except>
                return str(error)  # <handled>

        def escapes(n):
            check(n)  # <escape>
        """
    triple = "(<class 'ValueError'>, ValueError('too much'), <traceback object>)"
    recording = run(text, "caught(2)")
    assert story(recording)[-6:] == [
        f"2 exception check:{marked(text, 'raise')} -> {triple}",
        f"2 return check:{marked(text, 'raise')} -> None",
        f"1 exception caught:{marked(text, 'call')} -> {triple}",
        f"1 line caught:{marked(text, 'except')} n=2",
        f"1 line caught:{marked(text, 'handled')} n=2 error=ValueError('too much')",
        f"1 return caught:{marked(text, 'handled')} -> 'too much'",
    ]
    recording = run(text, "escapes(2)")
    assert recording.end.reason == "raised"
    assert recording.end.value == "ValueError('too much')"
    assert recording.end.message == "escapes(2) raised ValueError: too much."
    assert story(recording)[-2:] == [
        f"1 exception escapes:{marked(text, 'escape')} -> {triple}",
        f"1 return escapes:{marked(text, 'escape')} -> None",
    ]


def test_returns_of_unwinding_can_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """\
        def deep():
            yield None
            raise KeyError(1)
        def f():
            try:
                for item in deep():
                    pass
            finally:
                done = True
        def quiet(n):
            return None
        def g():
            try:
                f()
            except KeyError:
                pass
            return quiet(0)
        """
    whole = run(text, "g()")
    monkeypatch.setattr(recorder_report, "UNWINDING_RETURNS", False)
    less = run(text, "g()")
    gone = [line for line in story(whole) if line not in story(less)]
    assert gone == ["3 return deep:3 -> None", "2 return f:9 -> None"]
    assert "2 return quiet:11 -> None" in story(less)
    assert "3 return deep:2 -> None" in story(less)


def test_recursion_and_depth() -> None:
    recording = run("def f(n):\n    return 0 if n == 0 else f(n - 1)\n", "f(3)")
    assert [frame.depth for frame in recording.frames if frame.event == "call"] == [1, 2, 3, 4]
    assert [frame.depth for frame in recording.frames if frame.event == "return"] == [4, 3, 2, 1]


def test_library_frames_are_stepped_over_and_do_not_count() -> None:
    text = """\
        import functools, json
        def add(a, b):
            return a + b
        def f(numbers):
            total = functools.reduce(add, numbers)
            return json.dumps({"total": total}, default=add)
        def g(items):
            return sorted(items, key=functools.cmp_to_key(lambda a, b: a - b))
        class Word:
            def __init__(self, text):
                self.text = text
            def __getstate__(self):
                return {"text": self.text}
            def __setstate__(self, state):
                self.text = state["text"]
        def h():
            import copy
            return copy.deepcopy(Word("a")).text
        """
    assert {frame.function: frame.depth for frame in run(text, "f([1, 2])").frames} == {"f": 1, "add": 2}
    assert {frame.function: frame.depth for frame in run(text, "g([2, 1])").frames} == {
        "g": 1,
        "g.<locals>.<lambda>": 2,
    }
    depths = {frame.function: frame.depth for frame in run(text, "h()").frames}
    assert depths == {"h": 1, "Word.__init__": 2, "Word.__getstate__": 2, "Word.__setstate__": 2}


def test_names_are_qualified() -> None:
    text = """\
        class Outer:
            class Inner:
                def method(self):
                    def helper(n):
                        return (lambda m: m)(n)
                    return helper(1)
        def f():
            class Local:
                def go(self):
                    return 1
            return Local().go() + Outer.Inner().method()
        """
    names = [frame.function for frame in run(text, "f()").frames if frame.event == "call"]
    assert names == [
        "f",
        "f.<locals>.Local",
        "f.<locals>.Local.go",
        "Outer.Inner.method",
        "Outer.Inner.method.<locals>.helper",
        "Outer.Inner.method.<locals>.helper.<locals>.<lambda>",
    ]


def test_locals_are_in_order_of_first_appearance() -> None:
    text = """\
        def f(b, a, *rest, key=1, **more):
            for i in range(2):
                if i:
                    first = 1
                else:
                    second = 2
            del second
            third = 3
            second = 4
            return 0
        """
    frames = run(text, "f(1, 2, z=3)").frames
    arguments = ["b", "a", "key", "rest", "more"]
    assert list(frames[0].locals) == arguments
    assert list(frames[-2].locals) == [*arguments, "i", "first", "third", "second"]


def test_free_and_cell_variables_are_among_the_locals() -> None:
    text = """\
        def outer(start):
            step = 2
            def inner(n):
                nonlocal start
                start += step
                return start + n
            return inner(1)
        """
    recording = run(text, "outer(10)")
    assert "2 call outer.<locals>.inner:3 n=1 start=10 step=2" in story(recording)
    assert "2 line outer.<locals>.inner:6 n=1 start=12 step=2" in story(recording)
    assert "1 line outer:7 start=10 step=2 inner=<function outer.<locals>.inner>" in story(recording)


@old_comprehensions
def test_comprehensions_are_frames() -> None:
    text = """\
        def f(items):
            k = 2
            return [n * k for n in items]
        """
    assert story(run(text, "f([1, 2])"))[3:-1] == [
        "2 call f.<locals>.<listcomp>:3 .0=<list_iterator object> k=2",
        "2 line f.<locals>.<listcomp>:3 .0=<list_iterator object> k=2",
        "2 line f.<locals>.<listcomp>:3 .0=<list_iterator object> k=2 n=1",
        "2 line f.<locals>.<listcomp>:3 .0=<list_iterator object> k=2 n=2",
        "2 return f.<locals>.<listcomp>:3 -> [2, 4]",
    ]


def test_generators_return_at_each_yield_and_are_called_again() -> None:
    text = """\
        def count(n):
            for i in range(n):
                yield i  # <yield>
        def f():
            total = sum(count(2))
            return total
        """
    line = marked(text, "yield")
    frames = [frame for frame in run(text, "f()").frames if frame.function == "count"]
    assert [(frame.event, frame.line, frame.arg and frame.arg.repr) for frame in frames] == [
        ("call", 1, None),
        ("line", 2, None),
        ("line", line, None),
        ("return", line, "0"),
        ("call", line, None),
        ("line", 2, None),
        ("line", line, None),
        ("return", line, "1"),
        ("call", line, None),
        ("line", 2, None),
        ("return", 2, "None"),
    ]
    resumed = frames[4]
    assert {name: value.repr for name, value in resumed.locals.items()} == {"n": "2", "i": "0"}


def test_generator_locals_keep_their_order_while_it_is_suspended() -> None:
    text = """\
        def g(a):
            for i in range(2):
                if i:
                    early = 1
                else:
                    late = 2
                yield i
        def f():
            first, second = g(1), g(2)
            return [next(first), next(second), next(first), next(second)]
        """
    calls = [frame for frame in run(text, "f()").frames if frame.function == "g" and frame.event == "call"]
    assert [list(frame.locals) for frame in calls] == [["a"], ["a"], ["a", "i", "late"], ["a", "i", "late"]]


def test_classes_made_while_running_are_frames() -> None:
    text = """\
        def f():
            class Point:
                x = 1
            return Point.x
        """
    body = [frame for frame in run(text, "f()").frames if frame.function == "f.<locals>.Point"]
    assert body[0].event == "call"
    assert body[0].line == 2
    assert body[-1].event == "return"
    assert body[-2].locals["__qualname__"].repr == "'f.<locals>.Point'"


def test_multi_line_statements_and_decorators() -> None:
    text = """\
        import functools
        @functools.lru_cache
        @functools.wraps(print)
        def f(n):
            total = max(
                n,
                abs(
                    n
                ),
            )
            return total
        """
    recording = run(text, "f(-3)")
    assert [frame.line for frame in recording.frames] == [2, 5, 6, 7, 8, 7, 5, 11, 11]
    assert recording.frames[0].event == "call"


def test_async_functions_run_inside_the_call() -> None:
    text = """\
        import asyncio
        async def part(n):
            await asyncio.sleep(0)
            return n
        async def whole():
            return sum(await asyncio.gather(part(1), part(2)))
        def f():
            return asyncio.run(whole())
        """
    for call, depth in (("f()", 2), ("asyncio.run(whole())", 1), ("whole()", 1)):
        recording = run(text, call)
        assert recording.end.reason == "returned"
        assert recording.end.value == "3"
        assert {frame.depth for frame in recording.frames if frame.function == "whole"} == {depth}
        assert [
            frame.arg.repr
            for frame in recording.frames
            if frame.function == "part" and frame.event == "return"
        ] == [
            "None",
            "None",
            "1",
            "2",
        ]


def test_only_the_main_thread_is_traced() -> None:
    text = """\
        import threading
        def work(out):
            out.append(1)
        def f():
            out = []
            thread = threading.Thread(target=work, args=(out,))
            thread.start()
            thread.join()
            return out
        """
    recording = run(text, "f()")
    assert recording.end.value == "[1]"
    assert {frame.function for frame in recording.frames} == {"f"}
