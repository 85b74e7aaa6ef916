"""Frames and contexts as CWM's text, byte for byte."""

from __future__ import annotations

import pytest

from cwm_lsp.trace.cwm_text import (
    MARKER,
    Context,
    Part,
    mark,
    parts_of,
    scope_after,
    text_of,
    trace_parts,
    unmark,
    unwritten,
    written,
)
from cwm_lsp.trace.frame import Frame, Value
from tests.trace.real_runs import Program, run

PROGRAM = """\
def double(x):
    y = 2 * x
    return y


def f(text, n):
    kept = [c for c in text]
    n = double(n)
    try:
        kept.index("zz")
    except ValueError as error:
        text = "ü" + text
    return (text, n)
"""


def told(text: str, call: str) -> list[str]:
    frames = run(text, call)
    return [text_of(parts) for parts in trace_parts(frames, Program.of(text).lines)]


def test_a_trace_byte_for_byte() -> None:
    frames = [line for line in told(PROGRAM, "f('a\"b', 3)") if "<listcomp>" not in line]
    wanted = [
        '<|call_sep|>{"text": "\'a\\"b\'", "n": "3"}<|action_sep|>def f(text, n):\n<|frame_sep|>',
        '<|line_sep|>{"text": "..", "n": ".."}<|action_sep|>    kept = [c for c in text]\n<|frame_sep|>',
        '<|call_sep|>{"x": "3"}<|action_sep|>def double(x):\n<|frame_sep|>',
        '<|line_sep|>{"x": ".."}<|action_sep|>    y = 2 * x\n<|frame_sep|>',
        '<|line_sep|>{"x": "..", "y": "6"}<|action_sep|>    return y\n<|frame_sep|>',
        '<|return_sep|><|action_sep|>    return y\n<|arg_sep|>"6"<|frame_sep|>',
        # after the callee has returned every local is written in full
        '<|line_sep|>{"text": "\'a\\"b\'", "n": "6", "kept": "[\'a\', \'\\"\', \'b\']"}'
        "<|action_sep|>    try:\n<|frame_sep|>",
        '<|line_sep|>{"text": "..", "n": "..", "kept": ".."}'
        '<|action_sep|>        kept.index("zz")\n<|frame_sep|>',
        '<|exception_sep|><|action_sep|>        kept.index("zz")\n'
        "<|arg_sep|>\"(<class 'ValueError'>, ValueError(\\\"'zz' is not in list\\\"), "
        '<traceback object>)"<|frame_sep|>',
        # after an exception in the same function the comparison goes on
        '<|line_sep|>{"text": "..", "n": "..", "kept": ".."}'
        "<|action_sep|>    except ValueError as error:\n<|frame_sep|>",
        '<|line_sep|>{"text": "..", "n": "..", "kept": "..", '
        '"error": "ValueError(\\"\'zz\' is not in list\\")"}'
        '<|action_sep|>        text = "ü" + text\n<|frame_sep|>',
        '<|line_sep|>{"text": "\'\\u00fca\\"b\'", "n": "..", "kept": ".."}'
        "<|action_sep|>    return (text, n)\n<|frame_sep|>",
        '<|return_sep|><|action_sep|>    return (text, n)\n<|arg_sep|>"(\'\\u00fca\\"b\', 6)"<|frame_sep|>',
    ]
    assert [line for line in frames if line in wanted] == wanted


def test_an_exception_that_leaves_a_function_has_a_return_frame() -> None:
    text = "def g(x):\n    return 1 // x\n\n\ndef f(x):\n    return g(x)\n"
    raised = (
        "\"(<class 'ZeroDivisionError'>, ZeroDivisionError('integer division or modulo by zero'), "
        '<traceback object>)"'
    )
    assert told(text, "f(0)")[-4:] == [
        f"<|exception_sep|><|action_sep|>    return 1 // x\n<|arg_sep|>{raised}<|frame_sep|>",
        '<|return_sep|><|action_sep|>    return 1 // x\n<|arg_sep|>"None"<|frame_sep|>',
        f"<|exception_sep|><|action_sep|>    return g(x)\n<|arg_sep|>{raised}<|frame_sep|>",
        '<|return_sep|><|action_sep|>    return g(x)\n<|arg_sep|>"None"<|frame_sep|>',
    ]


def test_a_generator_is_resumed_with_all_its_locals() -> None:
    text = "def g(n):\n    yield n\n    yield n + 1\n\n\ndef f():\n    return list(g(1))\n"
    frames = told(text, "f()")
    assert '<|return_sep|><|action_sep|>    yield n\n<|arg_sep|>"1"<|frame_sep|>' in frames
    assert '<|call_sep|>{"n": "1"}<|action_sep|>    yield n\n<|frame_sep|>' in frames


def test_the_marker_is_a_suffix() -> None:
    assert mark("def f(a):\n") == "def f(a):  # << START_OF_TRACE\n"
    assert unmark("def f(a):  # << START_OF_TRACE\n") == "def f(a):\n"
    assert unmark("def f(a):  # << START_OF_TRACE") == "def f(a):"
    assert unmark(mark(mark("def f(a):\n"))) == "def f(a):\n"
    # characters of the marker at the end of a line are no marker
    for line in ("x = 'START_OF_TRACE'\n", "T = A # RACE\n", "F(<<)\n", "\n", MARKER.strip() + "\n"):
        assert unmark(line) == line


def test_a_caller_fixes_the_arguments() -> None:
    program = Program.of("def f(a):\n    return a")
    context = Context.called(program, " f(1) ")
    assert context.text == "\ndef f(a):\n    return a\ndef main():  # << START_OF_TRACE\n    return f(1)\n"
    assert context.lines[-2:] == ("def main():\n", "    return f(1)\n")
    assert [text_of(parts) for parts in trace_parts(context.preamble, context.lines)] == [
        "<|call_sep|>{}<|action_sep|>def main():\n<|frame_sep|>",
        "<|line_sep|>{}<|action_sep|>    return f(1)\n<|frame_sep|>",
    ]
    assert [frame.depth for frame in context.preamble] == [0, 0]


def test_the_caller_does_not_hide_the_program_s_own_main() -> None:
    program = Program.of("def main(a):\n    return a\n")
    assert (
        "\ndef main_():  # << START_OF_TRACE\n    return main(1)\n" in Context.called(program, "main(1)").text
    )


def test_a_call_is_one_line() -> None:
    for call in ("", " ", "f(1,\n2)", "f(1)\rg(2)"):
        with pytest.raises(ValueError, match="one line"):
            Context.called(Program.of("def f(a):\n    return a\n"), call)


def test_a_seeded_call_marks_its_def() -> None:
    program = Program.of("# one  # << START_OF_TRACE\ndef f(a):\n    return a\n")
    context = Context.entered(program, 2)
    assert context.text == "# one\ndef f(a):  # << START_OF_TRACE\n    return a\n"
    assert context.preamble == ()
    assert context.lines == ("# one\n", "def f(a):\n", "    return a\n")
    with pytest.raises(ValueError, match="no line 4"):
        Context.entered(program, 4)


def test_a_value_that_is_two_dots_stays_apart() -> None:
    for value in ("..", ".. ", "..  ", "...", ".", "", "'..'"):
        assert unwritten(written(value)) == value
        assert written(value) != ".."
    scope = scope_after(None, Frame("call", "f", 1, 1, {"a": Value("..", "observed")}))
    again = Frame("line", "f", 1, 1, {"a": Value("..", "observed"), "b": Value("..", "observed")})
    (parts,) = trace_parts([again], ["x\n"])
    assert parts[1].text == '{"a": ".. ", "b": ".. "}'
    assert scope is not None


def test_text_is_split_at_trace_tokens() -> None:
    text = '<|return_sep|><|action_sep|>x\n<|arg_sep|>"1"<|frame_sep|>rest'
    parts = parts_of(text)
    assert text_of(parts) == text
    assert parts[:3] == (Part("<|return_sep|>", True), Part("<|action_sep|>", True), Part("x\n"))
    assert parts[-1] == Part("rest")


def test_a_line_outside_the_program_is_refused() -> None:
    for number in (0, 2, -1):
        with pytest.raises(ValueError, match="no line"):
            trace_parts([Frame("call", "f", number, 1)], ["def f():\n"])
