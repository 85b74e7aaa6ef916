"""The recorder's surroundings: what can be called, files, folders, output, limits, and what can't begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from cwm_lsp.source.document import Document
from cwm_lsp.trace.recorder import Limits, Program, record

from .recorded import QUICK, run, story


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
