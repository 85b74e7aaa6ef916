"""Grammars: what they force, what they allow, and that a lent matcher comes back as new."""

from __future__ import annotations

import random

import numpy as np
import pytest

from cwm_lsp.model.automaton import Table, compile_grammar
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.embedded import default_folder
from cwm_lsp.model.grammar import Grammars
from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.source.operations import Operation
from cwm_lsp.trace import mini_layout as layout


@pytest.fixture
def grammars(vocabulary: HfVocabulary) -> Grammars:
    return Grammars(vocabulary)


def test_one_of_a_few_specials_is_what_llguidance_says(grammars: Grammars, vocabulary: HfVocabulary) -> None:
    quick = grammars.checkout("start: <|line_sep|> | <|call_sep|>|<|return_sep|>")
    slow = grammars.checkout('start: (<|line_sep|> | <|call_sep|> | <|return_sep|>) ""')
    assert type(quick) is not type(slow)
    assert quick.allowed().tolist() == slow.allowed().tolist()
    token = vocabulary.token("<|call_sep|>")
    for matcher in (quick, slow):
        assert matcher.forced([]) == []
        assert matcher.accepts([token])
        assert not matcher.accepts([vocabulary.token("<|frame_sep|>")])
        assert not matcher.accepts([token, token])
        matcher.consume([token])
        assert matcher.done
        matcher.reset()
        assert not matcher.done
        with pytest.raises(BackendError):
            matcher.consume([vocabulary.token("<|frame_sep|>")])


def test_one_special_is_forced(grammars: Grammars, vocabulary: HfVocabulary) -> None:
    assert grammars.checkout("start: <|line_sep|>").forced([]) == [vocabulary.token("<|line_sep|>")]


def test_a_matcher_comes_back_as_new(grammars: Grammars, vocabulary: HfVocabulary) -> None:
    grammar = "start: <|line_sep|> /[a-z]+/ <|frame_sep|>"
    first = grammars.checkout(grammar)
    other = grammars.checkout(grammar)
    assert other is not first
    first.consume(
        [vocabulary.token("<|line_sep|>"), *vocabulary.encode("abc"), vocabulary.token("<|frame_sep|>")]
    )
    assert first.done
    grammars.checkin(grammar, first)
    again = grammars.checkout(grammar)
    assert again is first
    assert again.forced([]) == other.forced([]) == [vocabulary.token("<|line_sep|>")]


@pytest.mark.parametrize(
    "grammar",
    [
        "",
        "start",
        "start: x",
        "start: /[/",
        "start: <|nothing|>",
        "start: <|line_sep|> | <|nothing|>",
        "\x00",
    ],
)
def test_a_bad_grammar_is_one_sentence(grammars: Grammars, grammar: str) -> None:
    with pytest.raises(BackendError) as caught:
        grammars.checkout(grammar)
    assert "grammar" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_indentation_is_spelt_in_the_only_way(grammars: Grammars, vocabulary: HfVocabulary) -> None:
    matcher = grammars.checkout('start: <|action_sep|> ("    return x\\n" | "    y = x\\n") <|frame_sep|>')
    matcher.consume([vocabulary.token("<|action_sep|>")])
    assert matcher.forced_text() == (b"    ", False)
    # Four spaces and a word are three spaces, and the word with the fourth; the model has nothing to choose
    # here.
    assert matcher.forced([]) == vocabulary.encode("   ")


def test_a_spelling_that_may_reach_on_is_left_to_the_model(
    grammars: Grammars, vocabulary: HfVocabulary
) -> None:
    matcher = grammars.checkout('start: "{\\"x\\": \\"" /[^"\\\\]*/ "\\"}" <|frame_sep|>')
    tokens = []
    while forced := matcher.forced([]):
        matcher.consume(forced)
        tokens += forced
    assert vocabulary.decode(tokens) == '{"x":'
    allowed = [vocabulary.decode([token]) for token in matcher.allowed()]
    assert ' "' in allowed
    assert ' "[' in allowed


def test_the_end_of_a_forced_text_is_known(grammars: Grammars) -> None:
    matcher = grammars.checkout('start: "ab" <|frame_sep|>')
    assert matcher.forced_text() == (b"ab", True)


MINI_GRAMMARS = {
    "value": layout.grammar(Operation("binary", ("1", "2"), "+")),
    "test": layout.grammar(Operation("compare", ("1", "2"), "<")),
    "item": layout.grammar(Operation("item", ("[1]",), "item")),
    "invented": f"start: value <|end|>\n{layout.VALUE_RULE}",
    "class": "start: WORD+ <|end|>\nWORD: /[a-c0-1x]/\n",
}


@pytest.fixture(scope="module")
def mini() -> HfVocabulary:
    return HfVocabulary.from_folder(default_folder())


@pytest.mark.parametrize("grammar", MINI_GRAMMARS.values(), ids=MINI_GRAMMARS)
def test_a_table_is_what_llguidance_says(mini: HfVocabulary, grammar: str) -> None:
    quick, slow = Grammars(mini).checkout(grammar), Grammars(mini, tables=False).checkout(grammar)
    assert isinstance(quick, Table)
    assert not isinstance(slow, Table)
    rng, end = random.Random(grammar), mini.token("<|end|>")
    for _ in range(40):
        quick.reset()
        slow.reset()
        steps = 0
        while not slow.done:
            steps += 1
            assert not quick.done
            assert quick.forced([]) == slow.forced([])
            allowed = slow.allowed().tolist()
            assert quick.allowed().tolist() == allowed
            (state,) = quick.states([])
            assert np.flatnonzero(state.mask == 0).tolist() == allowed
            # Half of them begin or go on with a character beyond ASCII.
            beyond = [token for token in allowed if 0x80 <= token <= 0xFF]
            token = rng.choice(beyond if beyond and rng.random() < 0.5 else allowed)
            token = end if steps > 25 and end in allowed else token
            wrong = rng.randrange(mini.size - 1)  # the last one ends a sequence for llguidance
            assert quick.accepts([token, wrong]) == slow.accepts([token, wrong])
            quick.consume([token])
            slow.consume([token])
            if rng.random() < 0.1:
                quick.rollback(1)
                slow.rollback(1)
        assert quick.done
        with pytest.raises(BackendError):
            quick.consume([0])


@pytest.mark.parametrize(
    "grammar",
    [
        'start: "a" <|end|>',
        "start: <|end|> | <|end|> <|end|>",
        "start: start <|end|> | <|end|>",
        "start: A <|end|>\nA: /[a-z]+/",
        "start: A <|end|>\nA: /[^a-z]|b/",
        "start: <|end|>?",
        "start: (<|end|> | <|stop|>) <|end|>",
        "start: missing <|end|>",
        "start: <|nothing|> <|end|>",
        "start: <|end|> |",
    ],
)
def test_what_is_no_table_is_left_to_llguidance(mini: HfVocabulary, grammar: str) -> None:
    assert compile_grammar(grammar, mini) is None


def test_longer_tokens_are_left_to_llguidance(vocabulary: HfVocabulary) -> None:
    assert compile_grammar("start: A <|frame_sep|>\nA: /[a-z]/\n", vocabulary) is None
