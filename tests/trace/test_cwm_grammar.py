"""The grammar of the next frame: exactly the frames of the choices, whatever their text."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import llguidance
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.trace.codec import Choices, LocalChoice, Option
from cwm_lsp.trace.cwm_codec import CwmCodec
from cwm_lsp.trace.cwm_grammar import grammar, line_alternatives, literal, rest_grammar
from cwm_lsp.trace.cwm_text import Part, Scope, frame_parts, parts_of, scope_after
from cwm_lsp.trace.frame import Frame, Value
from tests.tokenizer_fixture import tokenizer_json
from tests.trace.made_traces import LINES, VALUES, Made, as_option, traces
from tests.trace.real_runs import Program

PROGRAM = Program.of("""\
def f(n):
    total = 0
    for i in range(n):
        total += i
    for i in range(n):
        total += i
    return "<|frame_sep|>", total
""")
HELD = {"n": "2", "total": "0"}
SCOPE: Scope = {name: Value(text, "given") for name, text in HELD.items()}
RETURNS = '    return "<|frame_sep|>", total\n'


@functools.cache
def vocabulary() -> HfVocabulary:
    return HfVocabulary(tokenizer_json())


def takes(rules: str, parts: Sequence[Part]) -> bool:
    """True if the grammar takes these parts, all of them, and nothing more may come."""
    matcher = llguidance.LLMatcher(vocabulary().guide(), rules, log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    ids = CwmCodec(vocabulary()).encode(parts)
    return matcher.validate_tokens(ids) == len(ids) and matcher.consume_tokens(ids) and matcher.is_stopped()


def told(text: str) -> tuple[Part, ...]:
    """The parts of a frame whose line is the last one of PROGRAM, or has no names of tokens in it."""
    before, found, after = text.partition(RETURNS)
    return (*parts_of(before), Part(RETURNS), *parts_of(after)) if found else parts_of(text)


def line(number: int, *held: LocalChoice) -> Option:
    return Option("line", "f", number, 1, held)


N_SAME, N_MAY, N_MUST = (LocalChoice("n", kind, "2") for kind in ("same", "may", "must"))
TOTAL_SAME, TOTAL_MUST = (LocalChoice("total", kind, "0") for kind in ("same", "must"))


def offered(options: Sequence[Option], scope: Scope = SCOPE) -> str:
    return grammar(Choices(tuple(options)), PROGRAM, scope)


ACTION = "<|action_sep|>        total += i\n<|frame_sep|>"


@pytest.mark.parametrize(
    ("choices", "scope", "right", "wrong"),
    [
        (
            [line(4, N_SAME, TOTAL_MUST)],
            SCOPE,
            [
                '{"n": "..", "total": "1"}',
                '{"n": "..", "total": ".."}',
                '{"n": "..", "total": "\\"\\u00fc\\n\\\\"}',
            ],
            [
                '{"n": "2", "total": "1"}',
                '{"n": ".."}',
                '{"total": "1", "n": ".."}',
                '{"n": "..", "total": 1}',
                '{"n": "..", "total": "1", "x": "1"}',
                '{"n":"..","total":"1"}',
                '{"n": "..", "total": "ü"}',
                '{"n": "..", "total": "\\u0041"}',
                '{"n": "..", "total": "\\u00FC"}',
                '{"n": "..", "total": "\\ud800"}',
                '{"n": "..", "total": "\t"}',
                '{"n": "..", "total": "\\/"}',
            ],
        ),
        # after a callee has returned all is written in full
        (
            [line(4, N_SAME, TOTAL_MUST)],
            None,
            ['{"n": "2", "total": "1"}', '{"n": "2", "total": "..."}', '{"n": "2", "total": ".. "}'],
            ['{"n": "..", "total": "1"}', '{"n": "2", "total": ".."}', '{"n": "3", "total": "1"}'],
        ),
        # a name without an earlier value has nothing that `..` could stand for
        (
            [line(4, LocalChoice("i", "may"))],
            SCOPE,
            ['{"i": "1"}', '{"i": ""}', '{"i": "."}', '{"i": ".x"}', '{"i": "\\ud83d\\ude00"}'],
            ['{"i": ".."}', "{}"],
        ),
        # a given value is forced, and is `..` where it did not change
        (
            [line(4, LocalChoice("n", "given", "2"), LocalChoice("total", "given", "'a\"'"))],
            SCOPE,
            ['{"n": "..", "total": "\'a\\"\'"}'],
            ['{"n": "2", "total": "\'a\\"\'"}', '{"n": "..", "total": ".."}', '{"n": "..", "total": "1"}'],
        ),
        # options with other locals stand side by side
        (
            [line(4, N_SAME), line(4, N_SAME, TOTAL_SAME)],
            SCOPE,
            ['{"n": ".."}', '{"n": "..", "total": ".."}'],
            ['{"n": "..", "total": "1"}', "{}"],
        ),
        ([line(4)], SCOPE, ["{}"], ["{ }", '{"n": ".."}']),
    ],
)
def test_locals(choices: list[Option], scope: Scope, right: list[str], wrong: list[str]) -> None:
    rules = offered(choices, scope)
    for held in right:
        assert takes(rules, told(f"<|line_sep|>{held}{ACTION}")), held
    for held in wrong:
        assert not takes(rules, told(f"<|line_sep|>{held}{ACTION}")), held


def test_only_the_lines_and_events_of_the_choices() -> None:
    rules = offered(
        [line(3, N_MAY), line(2, N_SAME), Option("return", "f", 7, 1), Option("exception", "f", 7, 1)]
    )
    raised = "\"(<class 'ValueError'>, ValueError('x'), <traceback object>)\""
    for text in (
        '<|line_sep|>{"n": ".."}<|action_sep|>    total = 0\n<|frame_sep|>',
        '<|line_sep|>{"n": "5"}<|action_sep|>    for i in range(n):\n<|frame_sep|>',
        f'<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>".."<|frame_sep|>',
        f"<|exception_sep|><|action_sep|>{RETURNS}<|arg_sep|>{raised}<|frame_sep|>",
    ):
        assert takes(rules, told(text)), text
    for text in (
        '<|line_sep|>{"n": "5"}<|action_sep|>    total = 0\n<|frame_sep|>',
        '<|line_sep|>{"n": ".."}<|action_sep|>    for i in range(n):<|frame_sep|>',
        '<|line_sep|>{"n": ".."}<|action_sep|>def f(n):\n<|frame_sep|>',
        '<|call_sep|>{"n": ".."}<|action_sep|>    total = 0\n<|frame_sep|>',
        f"<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>1<|frame_sep|>",
        f"<|return_sep|><|action_sep|>{RETURNS}<|frame_sep|>",
        f"<|exception_sep|><|action_sep|>{RETURNS}<|arg_sep|>\"ValueError('x')\"<|frame_sep|>",
        "<|end_of_text|>",
    ):
        assert not takes(rules, told(text)), text


def test_the_text_of_a_token_in_a_line_is_not_the_token() -> None:
    rules = offered([Option("return", "f", 7, 1, arg="1")])
    assert not takes(rules, parts_of(f'<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>"1"<|frame_sep|>'))
    matcher = llguidance.LLMatcher(vocabulary().guide(), rules, log_level=0)
    forced = matcher.compute_ff_tokens()
    assert forced == CwmCodec(vocabulary()).encode(
        told(f'<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>"1"<|frame_sep|>')
    )
    # and nobody who looks for names of tokens in the grammar finds one in the user's text
    assert rules.count("<|frame_sep|>") == 1


def test_a_known_argument_is_forced() -> None:
    rules = offered([Option("return", "f", 7, 1, arg="None")])
    assert takes(rules, told(f'<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>"None"<|frame_sep|>'))
    assert not takes(rules, told(f'<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>"1"<|frame_sep|>'))


def test_options_with_the_same_text_are_one() -> None:
    rules = offered([line(3, N_SAME), line(5, N_SAME), line(4, N_SAME), line(6, N_SAME)])
    assert rules.count("for i in range") == 1
    assert rules.count("total += i") == 1
    choices = Choices((line(3, N_SAME), line(5, N_SAME), line(4, N_SAME)))
    loop, body = line_alternatives(choices, PROGRAM, "line", {"n": ".."}, SCOPE)
    assert [option.line for option in loop.options] == [3, 5]
    assert [option.line for option in body.options] == [4]


def test_what_was_decoded_narrows_the_lines() -> None:
    choices = Choices((line(3, N_SAME), line(4, N_MUST), Option("return", "f", 7, 1, arg="1")))

    def texts(event: str, values: Mapping[str, str] | None) -> list[str]:
        found = line_alternatives(choices, PROGRAM, event, values, SCOPE)  # type: ignore[arg-type]
        return [each.text.strip() for each in found]

    assert texts("line", {"n": ".."}) == ["for i in range(n):", "total += i"]
    assert texts("line", {"n": "7"}) == ["total += i"]
    assert texts("line", {"m": "7"}) == []
    assert texts("return", None) == [RETURNS.strip()]
    (alternative,) = line_alternatives(choices, PROGRAM, "return", None, SCOPE)
    rest = rest_grammar(alternative, "return")
    assert rest is not None
    assert takes(rest, parts_of('"1"<|frame_sep|>'))
    assert not takes(rest, parts_of('"2"<|frame_sep|>'))
    assert rest_grammar(line_alternatives(choices, PROGRAM, "line", {"n": "7"}, SCOPE)[0], "line") is None
    ids = CwmCodec(vocabulary()).alternatives(line_alternatives(choices, PROGRAM, "line", {"n": ".."}, SCOPE))
    assert [vocabulary().decode(each) for each in ids] == [
        "    for i in range(n):\n<|frame_sep|>",
        "        total += i\n<|frame_sep|>",
    ]


def test_the_free_form_holds_the_form_alone() -> None:
    choices = Choices(tuple(line(number) for number in range(1, 8)), free_form=True)
    rules = grammar(choices, PROGRAM, SCOPE)
    for text in (
        '<|line_sep|>{"n": "..", "x": "..."}<|action_sep|>def f(n):\n<|frame_sep|>',
        "<|line_sep|>{}<|action_sep|>        total += i\n<|frame_sep|>",
        '<|call_sep|>{".0": "<list_iterator object>", "\\u00fc": "1"}<|action_sep|>def f(n):\n<|frame_sep|>',
        f'<|exception_sep|><|action_sep|>{RETURNS}<|arg_sep|>"anything"<|frame_sep|>',
        f'<|return_sep|><|action_sep|>{RETURNS}<|arg_sep|>""<|frame_sep|>',
    ):
        assert takes(rules, told(text)), text
    for text in (
        '<|line_sep|>{"x": ".."}<|action_sep|>def f(n):\n<|frame_sep|>',
        '<|call_sep|>{"n": ".."}<|action_sep|>def f(n):\n<|frame_sep|>',
        '<|line_sep|>{"x": 1}<|action_sep|>def f(n):\n<|frame_sep|>',
        '<|line_sep|>{"x y": "1"}<|action_sep|>def f(n):\n<|frame_sep|>',
        "<|line_sep|>{}<|action_sep|>def g(n):\n<|frame_sep|>",
    ):
        assert not takes(rules, told(text)), text
    assert len(line_alternatives(choices, PROGRAM, "line", {"x": "1"}, SCOPE)) == 5


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(ValueError, match="No frame may come next"):
        grammar(Choices(()), PROGRAM, None)


STEADY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@given(text=LINES, value=VALUES)
@settings(STEADY, max_examples=100)
def test_any_text_is_spelt_as_it_is(text: str, value: str) -> None:
    matcher = llguidance.LLMatcher(
        vocabulary().guide(), f"start: {literal(text)} <|frame_sep|>\n", log_level=0
    )
    assert not matcher.is_error(), matcher.get_error()
    assert matcher.consume_tokens([*vocabulary().encode(text), vocabulary().token("<|frame_sep|>")])
    assert matcher.is_stopped()
    program = Program(("def f():\n", text), ())
    option = Option("line", "f", 2, 1, (LocalChoice("a", "given", value),))
    frame = Frame("line", "f", 2, 1, {"a": Value(value, "given")})
    assert takes(grammar(Choices((option,)), program, {}), frame_parts(frame, program.lines, {}))


@given(traces(), st.integers(0, 10))
@settings(STEADY, max_examples=50)
def test_every_frame_of_a_made_trace_is_taken(made: Made, number: int) -> None:
    scope: Scope = None
    options = tuple(as_option(frame) for frame in made.frames)
    for index, frame in enumerate(made.frames):
        if index >= number % len(made.frames):
            parts = frame_parts(frame, made.program.lines, scope)
            own = [each for each in options if each.event != "exception"]
            if frame.event == "exception":
                continue
            rules = grammar(Choices((as_option(frame), *own[:3])), made.program, scope)
            assert takes(rules, parts)
            free = Choices(
                tuple(Option("line", "f", n, 1) for n in range(1, len(made.program.lines) + 1)), True
            )
            assert takes(grammar(free, made.program, scope), parts)
            break
        scope = scope_after(scope, frame)
