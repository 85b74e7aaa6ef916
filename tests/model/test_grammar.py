"""Grammars: what they force, what they allow, and that a lent matcher comes back as new."""

from __future__ import annotations

import pytest

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.grammar import Grammars
from cwm_lsp.model.vocabulary import HfVocabulary


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
