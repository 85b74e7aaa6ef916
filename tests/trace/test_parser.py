"""The streaming parser: each mistake is one clear error, and no tokens whatever crash it or break the
rules."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Sequence
from typing import get_args

import pytest

from cwm_lsp.trace.codec import Choices, LocalChoice, Option
from cwm_lsp.trace.cwm_codec import CwmCodec
from cwm_lsp.trace.cwm_text import Part, parts_of, scope_after
from cwm_lsp.trace.frame import EVENTS, Frame, Value
from cwm_lsp.trace.parser import Kind, ParseError, Parser, read
from tests.tokenizer_fixture import vocabulary
from tests.trace.offered import choices_along
from tests.trace.programs import examples, generated
from tests.trace.real_runs import Program, run

CODEC = CwmCodec(vocabulary())
PROGRAM = Program.of("""\
def f(n):
    total = 0
    for i in range(n):
        total += i
    for i in range(n):
        total += i
    return total
""")
CALL = '<|call_sep|>{"n": "2"}<|action_sep|>def f(n):\n<|frame_sep|>'
FIRST = '<|line_sep|>{"n": ".."}<|action_sep|>    total = 0\n<|frame_sep|>'
LOOP = '<|line_sep|>{"n": "..", "total": "0"}<|action_sep|>    for i in range(n):\n<|frame_sep|>'
BACK = '<|return_sep|><|action_sep|>    return total\n<|arg_sep|>"2"<|frame_sep|>'
END = "<|end_of_text|>"


def ids(*texts: str) -> list[int]:
    names = vocabulary().specials()
    found: list[int] = []
    for part in parts_of("".join(texts)):
        found += [names[part.text]] if part.special else vocabulary().encode(part.text)
    return found


def kind_of(tokens: Iterable[int], parser: Parser | None = None) -> Kind:
    parser = parser or Parser(vocabulary(), PROGRAM)
    with pytest.raises(ParseError) as caught:
        read(parser, tokens)
    with pytest.raises(ParseError) as again:
        parser.feed(0)
    assert again.value is caught.value
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return caught.value.kind


def test_frames_come_with_their_last_token() -> None:
    parser = Parser(vocabulary(), PROGRAM)
    tokens = ids(CALL, FIRST, LOOP, BACK, END)
    frames = [
        (number, frame) for number, token in enumerate(tokens) if (frame := parser.feed(token)) is not None
    ]
    assert [tokens[number] for number, _ in frames] == [CODEC.frame_end] * 4
    assert [(frame.event, frame.line, frame.depth) for _, frame in frames] == [
        ("call", 1, 1),
        ("line", 2, 1),
        ("line", 3, 1),
        ("return", 7, 1),
    ]
    assert frames[2][1].locals["n"].repr == "2"
    assert parser.ended
    parser.finish()


MISTAKES: list[tuple[Kind, str]] = [
    ("truncated", CALL + "<|line_sep|>"),
    ("truncated", CALL + FIRST.removesuffix("<|frame_sep|>")),
    ("truncated", CALL + "<|return_sep|><|action_sep|>    return total\n<|arg_sep|>"),
    ("json", CALL + '<|line_sep|>{"n": ".."<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("json", CALL + "<|line_sep|><|action_sep|>    total = 0\n<|frame_sep|>"),
    ("json", CALL + '<|line_sep|>["n", ".."]<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("json", CALL + '<|line_sep|>[["n", "1"]]<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("json", CALL + "<|line_sep|>" + "[" * 3_000 + "<|action_sep|>    total = 0\n<|frame_sep|>"),
    ("json", CALL + "<|line_sep|>{'n': '..'}<|action_sep|>    total = 0\n<|frame_sep|>"),
    ("json", CALL + "<|return_sep|><|action_sep|>    return total\n<|arg_sep|>2'<|frame_sep|>"),
    ("json", CALL + "<|return_sep|><|action_sep|>    return total\n<|arg_sep|><|frame_sep|>"),
    ("value", CALL + '<|line_sep|>{"n": 2}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + '<|line_sep|>{"n": NaN}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + '<|line_sep|>{"n": {"a": "b"}}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + '<|line_sep|>{"n": "1", "n": "2"}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + '<|line_sep|>{"n!": "1"}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + '<|line_sep|>{"": "1"}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + '<|line_sep|>{"n": "\\ud800"}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("value", CALL + "<|return_sep|><|action_sep|>    return total\n<|arg_sep|>2<|frame_sep|>"),
    ("value", CALL + '<|return_sep|><|action_sep|>    return total\n<|arg_sep|>"\\udfff"<|frame_sep|>'),
    ("order", "hello"),
    ("order", "<|action_sep|>"),
    ("order", "<|frame_sep|>"),
    ("order", "<|begin_of_text|>"),
    ("order", FIRST),
    ("order", BACK),
    ("order", END),
    ("order", CALL + END),
    ("order", CALL + '<|line_sep|>{"n": ".."}<|frame_sep|>'),
    ("order", CALL + '<|line_sep|>{"n": ".."}<|arg_sep|>"1"<|frame_sep|>'),
    ("order", CALL + '<|line_sep|>{"n": ".."}<|line_sep|>'),
    ("order", CALL + '<|line_sep|>{"n": ".."}<|action_sep|>    total = 0\n<|end_of_text|>'),
    ("order", CALL + '<|line_sep|>{"n": ".."}<|action_sep|>    total = 0\n<|arg_sep|>"1"<|frame_sep|>'),
    ("order", CALL + "<|return_sep|><|action_sep|>    return total\n<|frame_sep|>"),
    ("order", CALL + '<|return_sep|>{"n": ".."}<|action_sep|>    return total\n<|arg_sep|>"1"<|frame_sep|>'),
    ("line", CALL + '<|line_sep|>{"n": ".."}<|action_sep|>    total = 1\n<|frame_sep|>'),
    ("line", CALL + '<|line_sep|>{"n": ".."}<|action_sep|><|frame_sep|>'),
    ("line", CALL + '<|line_sep|>{"n": ".."}<|action_sep|>total = 0\n<|frame_sep|>'),
    ("line", '<|call_sep|>{"n": "2"}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("same", '<|call_sep|>{"n": ".."}<|action_sep|>def f(n):\n<|frame_sep|>'),
    ("same", CALL + '<|line_sep|>{"m": ".."}<|action_sep|>    total = 0\n<|frame_sep|>'),
    ("same", CALL + CALL + BACK + FIRST),
    ("after_end", CALL + BACK + END + CALL),
    ("after_end", CALL + BACK + END + "x"),
    ("after_end", CALL + BACK + FIRST),
    ("after_end", CALL + BACK + CALL),
]


@pytest.mark.parametrize(("kind", "text"), MISTAKES)
def test_each_mistake_is_one_clear_error(kind: Kind, text: str) -> None:
    assert kind_of(ids(text)) == kind


def test_all_kinds_of_mistakes_are_tried() -> None:
    assert {kind for kind, _ in MISTAKES} | {"unending", "token", "not_offered"} == set(get_args(Kind))


def test_a_frame_that_never_ends() -> None:
    endless = itertools.chain(ids(CALL, "<|line_sep|>"), itertools.repeat(vocabulary().encode("a")[0]))
    assert kind_of(endless, Parser(vocabulary(), PROGRAM, max_tokens=50)) == "unending"


def test_tokens_that_are_none() -> None:
    for token in (-1, vocabulary().size, 10**9):
        assert kind_of([token]) == "token"
    half = (
        vocabulary().encode("é")[0]
        if len(vocabulary().encode("é")) > 1
        else vocabulary().plain.token_to_id("Ã")
    )
    assert kind_of([*ids(CALL, "<|line_sep|>"), half, *ids("<|action_sep|>")]) == "token"


def test_lines_with_the_same_text_are_told_apart_by_position() -> None:
    body = '<|line_sep|>{"n": "..", "total": "..", "i": "0"}<|action_sep|>        total += i\n<|frame_sep|>'
    again = LOOP.replace('"0"', '".."').replace("}", ', "i": ".."}')
    parser = Parser(vocabulary(), PROGRAM)
    lines = [frame.line for frame in read(parser, ids(CALL, FIRST, LOOP, body, again, body))]
    assert lines == [1, 2, 3, 4, 5, 6]
    # a caller that knows better says so
    parser = Parser(vocabulary(), PROGRAM, resolve=lambda event, text, position, places: ("f", 3))
    assert [frame.line for frame in read(parser, ids(CALL, FIRST, LOOP, body, again))] == [1, 2, 3, 4, 3]
    # so does a set of candidates, and of several the nearest that follows is taken
    start = read(Parser(vocabulary(), PROGRAM), ids(CALL, FIRST, LOOP, body))
    held = tuple(LocalChoice(name, "same") for name in ("n", "total", "i"))
    for offered, line in (((3,), 3), ((5,), 5), ((3, 5), 5), ((5, 3), 5)):
        candidates = [Option("line", "f", number, 1, held) for number in offered]
        parser = Parser(vocabulary(), PROGRAM, start, candidates=candidates)
        assert [frame.line for frame in read(parser, ids(again))] == [line]


def test_methods_with_the_same_text_are_told_apart_by_their_object() -> None:
    text = """\
class A:
    def __init__(self):
        self.x = 1
class B(A):
    def __init__(self):
        A.__init__(self)
def f():
    a = A()
    return B()
"""
    program, frames = Program.of(text), run(text, "f()")
    calls = [frame.function for frame in frames if frame.event == "call"]
    assert calls == ["f", "A.__init__", "B.__init__", "A.__init__"]
    scope = None
    for number, frame in enumerate(frames):
        tokens = CODEC.frame(frame, program.lines, scope)
        scope = scope_after(scope, frame)
        if frame.function in calls[1:3] and frame.event == "call":
            held = (LocalChoice("self", "must"),)
            offered = [
                Option("call", f"{name}.__init__", line, frame.depth, held)
                for name, line in (("A", 2), ("B", 5))
            ]
            parser = Parser(vocabulary(), program, frames[:number], candidates=offered)
            assert [frame.function for frame in read(parser, tokens)] == [frame.function]


def test_a_frame_beside_the_candidates_is_refused() -> None:
    start = read(Parser(vocabulary(), PROGRAM), ids(CALL))
    given = Option("line", "f", 2, 1, (LocalChoice("n", "given", "3"),))
    same = Option("line", "f", 2, 1, (LocalChoice("n", "same", "2"),))
    back = Option("return", "f", 7, 1, arg="5")
    changed = FIRST.replace("..", "3")
    assert kind_of(ids(FIRST), Parser(vocabulary(), PROGRAM, start, candidates=[given])) == "not_offered"
    assert kind_of(ids(changed), Parser(vocabulary(), PROGRAM, start, candidates=[same])) == "not_offered"
    assert kind_of(ids(FIRST), Parser(vocabulary(), PROGRAM, start, candidates=[back])) == "not_offered"
    assert kind_of(ids(BACK), Parser(vocabulary(), PROGRAM, start, candidates=[back])) == "not_offered"
    assert kind_of(ids(LOOP), Parser(vocabulary(), PROGRAM, start, candidates=[same])) == "not_offered"
    elsewhere = Option("line", "f", 4, 1, (LocalChoice("n", "same", "2"),))
    assert kind_of(ids(FIRST), Parser(vocabulary(), PROGRAM, start, candidates=[elsewhere])) == "line"
    (frame,) = read(Parser(vocabulary(), PROGRAM, start, candidates=[given, same]), ids(FIRST))
    assert frame.locals["n"].repr == "2"


def test_the_marker_and_the_last_newline_may_be_there_or_not() -> None:
    for text in (
        CALL,
        CALL.replace("def f(n):\n", "def f(n):  # << START_OF_TRACE\n"),
        CALL.replace(":\n", ":"),
    ):
        (frame,) = read(Parser(vocabulary(), PROGRAM), ids(text))
        assert (frame.function, frame.line) == ("f", 1)


def test_confidence_is_the_probability_of_the_value_s_tokens() -> None:
    parser = Parser(vocabulary(), PROGRAM, depth=3)
    call = [parser.feed(token, 0.0) for token in ids(CALL)][-1]
    assert call is not None
    assert (call.depth, call.locals["n"]) == (3, Value("2", "predicted", 1.0))
    tokens = ids('<|line_sep|>{"n": "..", "total": "0"}<|action_sep|>    total = 0\n<|frame_sep|>')
    decided = next(number for number, token in enumerate(tokens) if vocabulary().decode([token]) == "0")
    frame = None
    for number, token in enumerate(tokens):
        frame = parser.feed(token, math.log(0.5) if number == decided else 0.0)
    assert frame is not None
    assert frame.locals["total"].confidence == pytest.approx(0.5)
    # nothing was decided about n: it is the value that it was
    assert frame.locals["n"] is call.locals["n"]


def test_an_unchanged_value_keeps_its_origin_unless_that_was_a_decision() -> None:
    start = [Frame("call", "f", 1, 1, {"n": Value("2", "given")})]
    tokens = ids(FIRST)
    for probability, wanted in ((1.0, Value("2", "given")), (0.25, Value("2", "predicted", 0.25))):
        parser, frame = Parser(vocabulary(), PROGRAM, start), None
        for token in tokens:
            dots = ".." in vocabulary().decode([token])
            frame = parser.feed(token, math.log(probability) if dots else 0.0)
        assert frame is not None
        value = frame.locals["n"]
        assert (value.repr, value.origin) == (wanted.repr, wanted.origin)
        assert value.confidence == (pytest.approx(0.25) if wanted.confidence else None)


def test_a_value_restated_after_a_call_keeps_its_origin() -> None:
    text = "def g():\n    return 1\ndef f(n):\n    g()\n    return n\n"
    program, frames = Program.of(text), run(text, "f(7)")
    scope, start = None, []
    for frame in frames[:5]:
        given = {name: Value(value.repr, "given") for name, value in frame.locals.items()}
        start.append(Frame(frame.event, frame.function, frame.line, frame.depth, given, frame.arg))
        scope = scope_after(scope, frame)
    assert scope is None
    parser, got = Parser(vocabulary(), program, start), None
    for token in CODEC.frame(frames[5], program.lines, scope):
        got = parser.feed(token, 0.0)
    assert got is not None
    assert got.locals["n"] == Value("7", "given")


# Whatever the tokens are


def check(frames: Sequence[Frame], program: Program) -> None:
    """The rules that every frame keeps."""
    stack: list[str] = []
    for frame in frames:
        assert frame.event in EVENTS
        if frame.event == "call":
            stack.append(frame.function)
        assert stack
        assert stack[-1] == frame.function
        assert frame.depth == len(stack)
        spans = [each for each in program.functions if each.qualname == frame.function]
        assert any(each.first_line <= frame.line <= each.last_line for each in spans)
        if frame.event in ("return", "exception"):
            assert frame.arg is not None
            assert not frame.locals
        else:
            assert frame.arg is None
        for name, value in frame.locals.items():
            assert name.isidentifier() or name.startswith(".")
            assert isinstance(value.repr, str)
            value.repr.encode("utf-8")
        if frame.event == "return":
            stack.pop()


def survives(tokens: Sequence[int], program: Program) -> tuple[int, bool]:
    """(frames read, whether all was read without an error)."""
    parser, frames = Parser(vocabulary(), program, max_tokens=500), []
    try:
        for token in tokens:
            frame = parser.feed(token)
            if frame is not None:
                frames.append(frame)
        parser.finish()
    except ParseError:
        check(frames, program)
        return len(frames), False
    check(frames, program)
    return len(frames), True


def real_traces(count: int) -> list[tuple[Program, list[int]]]:
    found = []
    programs = [(text, call) for _, text, call in examples()] + list(generated(count))
    for text, call in programs[:count]:
        program, frames, scope, tokens = Program.of(text), run(text, call, limit=25), None, list[int]()
        for frame in frames:
            tokens += CODEC.frame(frame, program.lines, scope)
            scope = scope_after(scope, frame)
        if frames:
            found.append((program, tokens))
    return found


def test_random_tokens_never_break_anything() -> None:
    """2,000 streams: any ids, only special ones, special ones among pieces of real frames."""
    chance = random.Random(1)
    names = list(vocabulary().specials().values())
    traces = real_traces(20)
    pieces = [piece for _, tokens in traces for piece in tokens]
    for number in range(2_000):
        program, tokens = chance.choice(traces)
        length = chance.randrange(1, 80)
        if number % 3 == 0:
            stream = [chance.randrange(-2, vocabulary().size + 2) for _ in range(length)]
        elif number % 3 == 1:
            stream = [chance.choice(names) for _ in range(length)]
        else:
            start = tokens[: chance.randrange(len(tokens))]
            stream = start + [
                chance.choice(names if chance.random() < 0.3 else pieces) for _ in range(length)
            ]
        survives(stream, program)


def test_truncations_are_errors_or_whole_frames() -> None:
    for program, tokens in real_traces(12):
        for length in range(0, len(tokens), 3):
            frames, whole = survives(tokens[:length], program)
            assert whole == (length == 0 or tokens[length - 1] == CODEC.frame_end)
            assert frames == tokens[:length].count(CODEC.frame_end)


def test_flipped_bits_never_break_anything() -> None:
    chance = random.Random(2)
    traces = real_traces(20)
    for _ in range(1_000):
        program, tokens = chance.choice(traces)
        spoilt = list(tokens)
        for _ in range(chance.randrange(1, 4)):
            spoilt[chance.randrange(len(spoilt))] ^= 1 << chance.randrange(13)
        survives(spoilt, program)


def test_mixed_up_frames_keep_to_the_candidates() -> None:
    """Real frames in the wrong places, and spoilt ones: with candidates only what was offered comes out."""
    chance = random.Random(3)
    for text, call in list(generated(15, seed=5)):
        program, frames = Program.of(text), run(text, call, limit=40)
        scope = None
        encoded = []
        for frame in frames:
            encoded.append(CODEC.frame(frame, program.lines, scope))
            scope = scope_after(scope, frame)
        for number, choices in enumerate(choices_along(frames, program.lines)):
            tokens = list(chance.choice(encoded))
            if chance.random() < 0.5:
                tokens[chance.randrange(len(tokens))] = chance.choice(chance.choice(encoded))
            offered_only(program, frames[:number], choices, tokens)


def offered_only(program: Program, history: Sequence[Frame], choices: Choices, tokens: Sequence[int]) -> None:
    parser = Parser(vocabulary(), program, history, candidates=choices.options, max_tokens=500)
    try:
        got = read(parser, tokens)
    except ParseError:
        return
    for frame in got[:1]:
        offered = [
            each
            for each in choices.options
            if (each.event, each.function, each.line, each.depth)
            == (frame.event, frame.function, frame.line, frame.depth)
        ]
        assert offered
        assert any([choice.name for choice in each.locals] == list(frame.locals) for each in offered)


def test_parts_are_what_the_tests_think() -> None:
    assert parts_of(CALL)[0] == Part("<|call_sep|>", True)
