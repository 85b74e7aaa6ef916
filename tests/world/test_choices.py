"""What may come next, on small programs: the exact options where they should be exact."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices, Option
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.choices import choices, entry_choices, seeded_call
from tests.world.replay import points, recorded

PROGRAM = """\
def double(x):                          # double
    return x + x                        # doubled


def visit(items, word):                 # visit
    total = 0                           # start
    for item in items:                  # loop
        if item:                        # test
            total = double(item)        # calls
        else:
            items.append(word)          # mutates
    return total                        # last
"""


def line(mark: str, text: str = PROGRAM) -> int:
    (found,) = [n for n, each in enumerate(text.split("\n"), 1) if re.search(rf"# {mark}$", each)]
    return found


def kinds(option: Option) -> dict[str, str]:
    return {choice.name: choice.kind for choice in option.locals}


def places(found: Choices) -> set[tuple[str, int]]:
    return {(option.event, option.line) for option in found.options}


def after(mark: str, event: str = "line", text: str = PROGRAM, call: str = "visit([2, 0], 'w')") -> Choices:
    """The choices after the first frame of that event on the marked line of a real run."""
    document = Document.from_text(text)
    frames = recorded(document, call).frames
    number = line(mark, text)
    for point in points(document, frames):
        before = frames[point.index - 1]
        if (before.event, before.line) == (event, number):
            return point.choices
    raise AssertionError(f"no {event} frame at {mark}")


def option(found: Choices, event: str, mark: str, text: str = PROGRAM) -> Option:
    (only,) = [each for each in found.options if (each.event, each.line) == (event, line(mark, text))]
    return only


def test_after_a_call_comes_its_first_line_unchanged() -> None:
    (only,) = after("visit", "call").options
    assert (only.event, only.line, only.depth) == ("line", line("start"), 1)
    assert kinds(only) == {"items": "same", "word": "same"}
    assert [choice.value for choice in only.locals] == ["[2, 0]", "'w'"]


def test_an_assignment_of_a_constant_has_one_way_on() -> None:
    (only,) = after("start").options
    assert (only.event, only.line) == ("line", line("loop"))
    assert kinds(only) == {"items": "same", "word": "same", "total": "given"}
    assert only.locals[-1].value == "0"


def test_a_loop_binds_its_target_only_on_the_way_in() -> None:
    found = after("loop")
    assert places(found) == {("line", line("test")), ("line", line("last"))}
    assert kinds(option(found, "line", "test"))["item"] == "must"
    assert "item" not in kinds(option(found, "line", "last"))


def test_a_line_that_calls_may_enter_the_callee() -> None:
    found = after("calls")
    called = option(found, "call", "double")
    assert (called.function, called.depth, kinds(called)) == ("double", 2, {"x": "given"})
    assert called.locals[0].value == "2"
    assert kinds(option(found, "line", "loop"))["total"] == "must"
    assert ("exception", line("calls")) in places(found)


def test_after_a_callee_everything_is_written_and_what_can_not_have_changed_is_given() -> None:
    found = after("doubled", "return")
    back = option(found, "line", "loop")
    assert kinds(back)["word"] == "given"
    assert kinds(back)["item"] == "given"
    values = {choice.name: choice.value for choice in back.locals}
    assert values["word"] == "'w'"
    assert (kinds(back)["total"], values["total"]) == ("given", "4")


def test_a_method_may_change_its_object_and_nothing_else() -> None:
    found = option(after("mutates"), "line", "loop")
    assert kinds(found) == {"items": "may", "word": "same", "total": "same", "item": "same"}


def test_the_value_of_a_return_is_known_where_it_is_a_local_or_nothing() -> None:
    (only,) = [each for each in after("doubled").options if each.event == "return"]
    assert only.arg is None
    (only,) = [each for each in after("last").options if each.event == "return"]
    assert only.arg == "'ww'"
    text = "def f(a):\n    a = 1  # end\n"
    (only,) = after("end", text=text, call="f(0)").options
    assert (only.event, only.arg) == ("return", "None")


def test_nothing_comes_after_the_end() -> None:
    document = Document.from_text(PROGRAM)
    frames = recorded(document, "visit([], 1)").frames
    assert choices(document, frames).options == ()
    assert choices(document, ()).options == ()


def test_an_exception_goes_to_the_handler_or_on_with_its_own_value() -> None:
    text = """\
def f(a):
    try:
        b = 1 // a              # raises
    except ValueError as error: # asks
        b = 2                   # caught
    except ZeroDivisionError:   # asks again
        b = 3                   # caught too
    return b                    # last
"""
    raised = after("raises", "exception", text, "f(0)")
    assert places(raised) == {("line", line("asks", text))}
    assert [kinds(each) for each in raised.options] == [{"a": "same"}]
    asked = after("asks", "line", text, "f(0)")
    caught = option(asked, "line", "caught", text)
    assert kinds(caught) == {"a": "same", "error": "must"}
    assert kinds(option(asked, "line", "asks again", text)) == {"a": "same"}
    again = after("asks again", "line", text, "f(0)")
    assert kinds(option(again, "line", "caught too", text)) == {"a": "same"}
    unwinding = option(again, "return", "asks again", text)
    assert unwinding.arg == "None"


def test_an_exception_that_leaves_its_function_is_shown_in_the_caller() -> None:
    text = "def f(a):\n    return 1 // a  # raises\n\ndef g(a):\n    return f(a)  # calls\n"
    left = after("raises", "exception", text, "g(0)")
    assert [(each.event, each.line, each.arg) for each in left.options] == [("return", 2, "None")]
    found = after("raises", "return", text, "g(0)")
    assert ("exception", line("calls", text)) in places(found)


def test_an_exception_on_its_way_is_open_where_its_arguments_can_change() -> None:
    text = """\
def f(a):
    raise ValueError(a)     # raises

def g(a):
    try:
        f(a)                # calls
    except ValueError as e:
        e.args = (3, *a)
        raise               # again
    finally:
        a.append(4)         # adds

def h(a):
    g(a)                    # outermost
"""
    (only,) = after("adds", "return", text, "h([1])").options
    assert (only.event, only.line, only.arg) == ("exception", line("outermost", text), None)
    for argument, known in (("1", True), ("[1]", False)):
        simple = text[: text.index("        e.args")] + "        pass\n" + text[text.index("def h") :]
        (only,) = after("raises", "return", simple, f"h({argument})").options
        assert (only.line, only.arg is not None) == (line("calls", simple), known)


def test_a_name_that_the_line_unbinds_may_be_missing_in_a_callee() -> None:
    text = """\
def f(n):
    n = 2                                   # first
    del n; m = sum([i for i in [1] if i]); n = sum([i + n for i in ()])     # unbinds
    return n
"""
    offered = [
        list(kinds(each))
        for each in after("unbinds", "line", text, "f(1)").options
        if each.event == "call" and each.function.endswith("<listcomp>")
    ]
    assert [".0"] in offered
    assert [".0", "n"] in offered


def test_a_statement_over_several_lines_binds_when_it_is_visited_again() -> None:
    text = """\
def f(a):
    b = max(    # head
        a,      # middle
        2,
    )
    return b    # last
"""
    document = Document.from_text(text)
    frames = recorded(document, "f(1)").frames
    heads = [
        point for point in points(document, frames) if frames[point.index - 1].line == line("head", text)
    ]
    first, second = heads[0].choices, heads[-1].choices
    assert places(first) >= {("line", line("middle", text))}
    assert ("line", line("last", text)) not in places(first)
    assert kinds(option(first, "line", "middle", text)) == {"a": "same"}
    assert ("line", line("last", text)) in places(second)
    assert kinds(option(second, "line", "last", text)) == {"a": "same", "b": "must"}


def test_a_comprehension_sees_what_is_around_it() -> None:
    text = "def f(a, b):\n    return [a + x for x in b]  # makes\n"
    called = next(each for each in after("makes", "line", text, "f(1, [2])").options if each.event == "call")
    assert called.function == "f.<locals>.<listcomp>"
    assert [(c.name, c.kind, c.value) for c in called.locals] == [
        (".0", "must", None),
        ("a", "given", "1"),
    ]


def test_a_generator_is_resumed_where_it_stopped_with_the_values_it_had() -> None:
    text = """\
def g(n):
    done = []
    yield n     # first
    yield done  # second


def f(n):
    a, b = g(n) # takes
    return b
"""
    found = after("first", "return", text, "f(4)")
    resumed = option(found, "call", "first", text)
    assert [(c.name, c.kind, c.value) for c in resumed.locals] == [("n", "given", "4"), ("done", "may", "[]")]
    inside = after("first", "call", text, "f(4)")
    assert kinds(option(inside, "line", "second", text))["n"] == "same"


def test_values_that_others_bind_are_open() -> None:
    text = """\
def f(n):
    def add():
        nonlocal n
        n += 1
    add()       # calls
    return n    # last
"""
    found = after("calls", "line", text, "f(4)")
    assert kinds(option(found, "line", "last", text))["n"] in ("may", "must")


def test_an_except_name_is_gone_after_its_block() -> None:
    text = """\
def f(n):
    try:
        return 1 // n
    except ZeroDivisionError as error:
        n = 1   # inside
    return n    # last
"""
    found = option(after("inside", "line", text, "f(0)"), "line", "last", text)
    assert kinds(found) == {"n": "given"}


def test_the_same_text_on_two_lines_is_told_apart() -> None:
    text = """\
def f(n):
    if n:       # test
        n = 0   # one
    else:
        n = 0   # two
    return n
"""
    same = text.replace("  # one", "").replace("  # two", "")
    document = Document.from_text(same)
    values = {"n": Value("1", "given")}
    frames = [Frame("call", "f", 1, 1, values), Frame("line", "f", 2, 1, values)]
    assert places(choices(document, frames)) >= {("line", 3), ("line", 5)}


def test_without_grounding_every_line_may_come() -> None:
    document = Document.from_text(PROGRAM)
    frames = recorded(document, "visit([1], 2)").frames
    found = choices(document, frames[:3], "none")
    assert found.free_form
    assert {each.line for each in found.options} == {
        n for n, text in enumerate(document.lines, 1) if text.strip()
    }


def test_the_entry_of_a_function() -> None:
    document = Document.from_text("def f(a, /, b, *rest, c=1, **more):\n    return a\n")
    (function,) = document.functions
    (only,) = entry_choices(document, function).options
    assert kinds(only) == dict.fromkeys(["a", "b", "c", "rest", "more"], "must")
    values = dict.fromkeys(function.parameters, "1")
    frame = seeded_call(function, values)
    assert list(frame.locals) == list(function.parameters)
    assert {value.origin for value in frame.locals.values()} == {"given"}


@pytest.mark.parametrize("frames", [[Frame("line", "nowhere", 1, 1)], [Frame("return", "double", 99, 3)]])
def test_frames_that_make_no_sense_have_some_answer(frames: Sequence[Frame]) -> None:
    choices(Document.from_text(PROGRAM), frames)
