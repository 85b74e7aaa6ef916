"""The recorder: frames of real runs are what `sys.settrace` tells, in the form of frame.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cwm_lsp.source.document import Document
from cwm_lsp.trace import recorder_report
from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.recorder import Limits, Program, record

from .recorded import QUICK, marked, run, story

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


def test_methods_constructors_and_keywords_can_be_called() -> None:
    text = """\
        class Account:
            def __init__(self, owner, balance=0):
                self.owner = owner
                self.balance = balance
            def pay(self, amount, *, twice=False):
                self.balance += amount * (1 + twice)
                return self.balance
        """
    recording = run(text, "Account('ann', 3).pay(amount=4, twice=True)")
    assert recording.end.value == "11"
    assert [frame.function for frame in recording.frames if frame.event == "call"] == ["Account.pay"]
    assert run(text, "Account('ann')").end.value == "<Account object>"
    assert run(text, "Account(*['ann'], **{'balance': 2})").frames[0].locals["balance"].repr == "2"


def test_a_generator_alone_runs_nothing() -> None:
    text = "def g():\n    yield 1\n"
    recording = run(text, "g()")
    assert (recording.frames, recording.end.reason) == ((), "returned")
    assert recording.end.message is not None
    assert "only made a generator" in recording.end.message
    assert len(run(text, "list(g())").frames) == 5


def test_the_module_is_not_main_and_knows_its_place(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def twice(n):\n    return n * 2\n", encoding="utf-8")
    text = """\
        import helper, os, sys
        if __name__ == "__main__":
            raise SystemExit
        def f():
            place = os.path.basename(__file__), sys.argv == [__file__], sys.path[0]
            return (helper.twice(4), __name__, *place)
        """
    path = tmp_path / "program.py"
    recording = run(text, "f()", path=str(path))
    assert recording.end.value == repr((8, "program", "program.py", True, str(tmp_path)))
    assert not path.exists()
    assert not (tmp_path / "__pycache__").exists()
    assert {frame.function for frame in recording.frames} == {"f"}


def test_a_file_in_a_package_can_import_its_neighbours(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("from shop.till import total\nCURRENCY = 'EUR'\n", encoding="utf-8")
    (package / "prices.py").write_text("PRICE = 3\n", encoding="utf-8")
    text = """\
        from . import prices
        def total(n):
            from . import CURRENCY
            return n * prices.PRICE, CURRENCY, __name__
        """
    assert run(text, "total(2)", path=str(package / "till.py")).end.value == "(6, 'EUR', 'shop.till')"


@pytest.mark.parametrize("name", ["types.py", "with-dash.py", "__main__.py", "7.py", "json.py"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    text = """\
        import dataclasses
        @dataclasses.dataclass
        class Point:
            x: int
        def f():
            return Point(1), __name__ == "__main__"
        """
    assert run(text, "f()", path=str(tmp_path / name)).end.value == "(Point(x=1), False)"


def test_the_working_folder_is_temporary_unless_told(tmp_path: Path) -> None:
    text = "import os\ndef f():\n    open('made', 'w').close()\n    return os.getcwd()\n"
    value = run(text, "f()").end.value
    assert value is not None
    assert not Path(value.strip("'")).exists()
    assert record(Program(text), "f()", QUICK, cwd=str(tmp_path)).end.value == repr(str(tmp_path))
    assert (tmp_path / "made").exists()


def test_a_document_of_any_encoding_and_line_ending(tmp_path: Path) -> None:
    path = tmp_path / "old.py"
    text = '# -*- coding: latin-1 -*-\r\ndef f():\r\n    word = "é"\r\n    return word\r\n'
    path.write_bytes(text.encode("latin-1"))
    recording = record(Document.from_file(path), "f()", QUICK)
    assert recording.end.value == "'é'"
    assert [frame.line for frame in recording.frames] == [2, 3, 4, 4]
    assert record(Program("def f():\r    return 1\r"), "f()", QUICK).end.value == "1"


def test_what_is_printed_is_kept() -> None:
    text = """\
        import sys, os
        def f():
            print("é", end="")
            print("bad", file=sys.stderr)
            os.system("echo from below")
            sys.stdout.buffer.write(b"\\xff")
        """
    recording = run(text, "f()")
    assert recording.stdout == "éfrom below\n\ufffd"
    assert recording.stderr == "bad\n"


def test_input_is_at_its_end() -> None:
    recording = run("def f():\n    return input('? ')\n", "f()")
    assert recording.end.value == "EOFError('EOF when reading a line')"
    assert recording.stdout == "? "


def test_sets_of_words_come_in_the_same_order_in_every_run() -> None:
    text = "def f(text):\n    for word in set(text.split()):\n        pass\n"
    runs = [story(run(text, "f('to be or not to be that is the question')")) for _ in range(2)]
    assert runs[0] == runs[1]


def test_frames_may_be_as_many_as_the_limit() -> None:
    text = "def f():\n    for i in range(3):\n        pass\n"
    assert run(text, "f()", Limits(frames=9)).end.reason == "returned"
    recording = run(text, "f()", Limits(frames=8))
    assert (recording.end.reason, recording.end.frames) == ("budget", 8)
    assert recording.end.message == "Stopped after 8 frames."
    assert recording.end.value is None


def test_deep_recursion_ends_where_it_would_without_tracing() -> None:
    text = """\
        import sys
        def f(n):
            try:
                return f(n + 1)
            except RecursionError:
                return n
        def g(n):
            return g(n + 1)
        def short():
            sys.setrecursionlimit(90)
            return f(0), sys.getrecursionlimit()
        def library():
            import copy
            nested = []
            for _ in range(600):
                nested = [nested]
            try:
                copy.deepcopy(nested)
            except RecursionError:
                return "caught"
        """
    recording = run(text, "f(0)")
    assert recording.end.value == "998"
    assert max(frame.depth for frame in recording.frames) == 999
    recording = run(text, "g(0)")
    assert recording.end.value == "RecursionError('maximum recursion depth exceeded')"
    assert recording.end.reason == "raised"
    assert [frame.event for frame in recording.frames[-4:]] == ["exception", "return"] * 2
    assert run(text, "short()").end.value == "(87, 90)"
    assert run(text, "library()").end.value == "'caught'"
    assert run("def f(n):\n    return f(n + 1)\n", "f(0)", Limits(frames=50)).end.reason == "budget"


FAILURES = [
    ("import nothing_here\ndef f(): pass", "f()", "No module named 'nothing_here'"),
    ("x = 1\n\n1 / 0\n", "f()", "line 3 raised ZeroDivisionError: division by zero"),
    ("import sys\nsys.exit(2)\n", "f()", "line 2 raised SystemExit: 2"),
    ("def f(:\n", "f()", "program.py is not valid Python: line 1, column 7"),
    ("def f(): return ?\n", "f()", "program.py is not valid Python"),
    ("def f(a): pass", "f()", "f() missing 1 required positional argument: 'a'"),
    ("def f(a): pass", "f(1, 2)", "f() takes 1 positional argument but 2 were given"),
    ("def f(a): pass", "g(1)", "program.py has no function g."),
    ("def f(a): pass", "f.g(1)", "'function' object has no attribute 'g'"),
    ("def f(a): pass", "f(b)", "The arguments of the call could not be evaluated: NameError: name 'b'"),
    ("def f(a): pass", "f(1", "The call f(1 is not valid Python"),
    ("def f(a): pass", "f", "f is not a call; write it as f(1, 2)."),
    ("def f(a): pass", "f(1) + 1", "f(1) + 1 is not a call"),
    ("def f(a): pass", "", "The call  is not valid Python"),
    ("f = 3", "f()", "'int' object is not callable"),
    ("def f(): pass\0", "f()", "program.py"),
    ("def f(): return '\udcff'", "f()", "program.py can't be compiled"),
]


@pytest.mark.parametrize(("text", "call", "message"), FAILURES)
def test_what_can_not_begin_says_so_in_one_sentence(text: str, call: str, message: str) -> None:
    recording = run(text, call)
    assert recording.end.reason == "failed"
    assert recording.frames == ()
    assert recording.end.value is None
    assert recording.end.message is not None
    assert message in recording.end.message
    assert "\n" not in recording.end.message
    assert recording.end.message.endswith(".")


def test_a_type_error_inside_the_function_is_no_wrong_call() -> None:
    assert run("def f(a):\n    return a + 1\n", "f('')").end.reason == "raised"


def test_an_interpreter_that_is_none() -> None:
    for python in ("/no/such/python", "/bin/false", str(Path(__file__))):
        recording = run("def f(): pass", "f()", python=python)
        assert recording.end.reason == "failed"
        assert recording.end.message is not None
        assert python in recording.end.message
