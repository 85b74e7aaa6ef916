"""Frames to token ids and back: nothing is lost, prompts only grow, and text never becomes a special
token."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, seed, settings

from cwm_lsp.trace.cwm_codec import CwmCodec
from cwm_lsp.trace.cwm_text import TRACE_TOKENS, Context, frame_parts, scope_after, text_of
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.trace.parser import Parser, read
from tests.tokenizer_fixture import TrainedVocabulary, tokenizer_json, vocabulary
from tests.trace.made_traces import Made, as_option, traces
from tests.trace.programs import examples, generated
from tests.trace.real_runs import Program, run

CODEC = CwmCodec(vocabulary())
STEADY = settings(deadline=None, suppress_health_check=list(HealthCheck))


def round_trip(made: Made) -> None:
    parser = Parser(vocabulary(), made.program)
    scope = None
    for frame in made.frames:
        ids = CODEC.frame(frame, made.program.lines, scope)
        parser.expect([as_option(frame)])
        (got,) = read(parser, ids)
        assert got.same_as(frame)
        assert list(got.locals) == list(frame.locals)
        # the tokens are those of the whole text, and the only special ones are the frame's own
        text = text_of(frame_parts(frame, made.program.lines, scope))
        assert vocabulary().decode(ids) == text
        special = set(vocabulary().specials().values())
        wanted = 4 if frame.event in ("return", "exception") else 3
        assert sum(token in special for token in ids) == wanted
        scope = scope_after(scope, frame)


@given(traces())
@settings(STEADY, max_examples=60)
def test_made_traces_come_back(made: Made) -> None:
    round_trip(made)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(5))
def test_ten_thousand_made_traces_come_back(part: int) -> None:
    @seed(part)
    @given(traces(most=5))
    @settings(STEADY, max_examples=2_000, database=None)
    def part_of_them(made: Made) -> None:
        round_trip(made)

    part_of_them()


@given(traces())
@settings(STEADY, max_examples=60)
def test_a_prompt_grows_by_appending(made: Made) -> None:
    context = Context.called(made.program, "f('<|frame_sep|>')")
    prompt, expected = CODEC.prompt(context), None
    for frame in made.frames:
        expected = scope_after(expected, frame)
        longer = prompt.then(frame)
        assert longer.ids[: len(prompt.ids)] == prompt.ids
        prompt = longer
    assert prompt.ids == CODEC.prompt(context, made.frames).ids
    assert prompt.scope == expected


def test_real_runs_come_back() -> None:
    total = wrong = 0
    for text, call in [(text, call) for _, text, call in examples()] + list(generated(40)):
        program, frames = Program.of(text), run(text, call, limit=150)
        context = Context.called(program, call)
        start = len(CODEC.prompt(context).ids)
        parser = Parser(vocabulary(), context, context.preamble)
        got = read(parser, CODEC.prompt(context, frames).ids[start:])
        assert len(got) == len(frames)
        total += len(frames)
        wrong += sum(not one.same_as(other) for one, other in zip(got, frames, strict=True))
    # without candidates a line can't always be told from another one with the same text
    assert wrong <= total // 100


def test_a_program_that_contains_trace_tokens() -> None:
    text = "def f(a):\n    x = '<|frame_sep|><|end_of_text|>'\n    return x + a  # <|line_sep|>{}\n"
    program, frames = Program.of(text), run(text, "f('<|call_sep|>')")
    context = Context.called(program, "f('<|call_sep|>')")
    prompt = CODEC.prompt(context, frames)
    assert list(prompt.ids).count(CODEC.frame_end) == 1 + 2 + len(frames)
    assert not set(prompt.ids) & CODEC.ends
    parser = Parser(vocabulary(), context, context.preamble)
    got = read(parser, prompt.ids[len(CODEC.prompt(context).ids) :])
    assert [one.same_as(other) for one, other in zip(got, frames, strict=True)] == [True] * len(frames)


def test_the_text_of_a_prompt() -> None:
    program = Program.of("def f(a):\n    return a\n")
    frames = run("def f(a):\n    return a\n", "f(1)")
    prompt = CODEC.prompt(Context.entered(program, 1), frames[:2])
    assert vocabulary().decode(prompt.ids) == (
        "<|begin_of_text|><|trace_context_start|>def f(a):  # << START_OF_TRACE\n    return a\n<|frame_sep|>"
        '<|call_sep|>{"a": "1"}<|action_sep|>def f(a):\n<|frame_sep|>'
        '<|line_sep|>{"a": ".."}<|action_sep|>    return a\n<|frame_sep|>'
    )


def test_a_tokenizer_without_trace_tokens_is_refused() -> None:
    plain = tokenizer_json().replace("<|arg_sep|>", "<|other|>")
    with pytest.raises(ValueError, match="arg_sep"):
        CwmCodec(TrainedVocabulary(plain))


def test_tokens_are_found_by_name() -> None:
    for name in TRACE_TOKENS:
        assert vocabulary().decode([vocabulary().token(name)]) == name
    assert vocabulary().decode([CODEC.event("line")]) == "<|line_sep|>"
    assert {vocabulary().decode([token]) for token in CODEC.ends} == {
        "<|end_of_text|>",
        "<|eom_id|>",
        "<|eot_id|>",
    }


def test_a_frame_outside_the_program_is_refused() -> None:
    prompt = CODEC.prompt(Context.entered(Program.of("def f(a):\n    return a\n"), 1))
    with pytest.raises(ValueError, match="no line 9"):
        prompt.then(Frame("call", "f", 9, 1, {"a": Value("1", "given")}))
