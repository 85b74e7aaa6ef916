"""Values in cwm-mini's layout: whatever the text, tokens give it back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.source.operations import Operation, Raised, Stop
from cwm_lsp.trace.mini_layout import answer_tokens, read_answer
from cwm_lsp.trace.mini_values import cursor_tokens, indexed_tokens, text_of_tokens, value_tokens
from cwm_lsp.trace.mini_vocabulary import CURSOR, MESSAGES, special_tokens

PLAIN = st.one_of(st.integers(), st.booleans(), st.none(), st.text(max_size=12), st.floats(allow_nan=False))
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
)
SPECIAL = frozenset(special_tokens())


@given(VALUES)
def test_tokens_of_a_value_give_its_text_back(value: object) -> None:
    text = repr(value)
    assert text_of_tokens(list(value_tokens(text))) == text


@given(st.text(max_size=40))
def test_tokens_of_any_text_give_it_back(text: str) -> None:
    assert text_of_tokens(list(value_tokens(text))) == text


@given(st.text(max_size=30))
def test_a_token_is_special_or_one_character(text: str) -> None:
    assert all(token in SPECIAL or len(token) == 1 for token in value_tokens(repr(text)))


@given(VALUES.map(repr).filter(lambda text: text not in ("True", "False")))
def test_answers_are_read_as_they_were_written(text: str) -> None:
    assert read_answer(list(answer_tokens(text))) == text
    assert read_answer(list(answer_tokens(Raised(f"ValueError({text})")))) == Raised(f"ValueError({text})")


def test_tests_and_the_end_of_an_iteration_are_one_token() -> None:
    for answer in ("True", "False", Stop()):
        assert len(answer_tokens(answer)) == 1
        assert read_answer(list(answer_tokens(answer))) == answer


@given(st.integers(), st.integers(), st.sampled_from(("+", "-", "*", "//")), st.integers())
def test_numbers_are_written_from_the_digit_that_is_known_first(
    left: int, right: int, sign: str, answer: int
) -> None:
    operation = Operation("binary", (str(left), str(right)), sign)
    tokens = answer_tokens(str(answer), operation)
    assert read_answer(list(tokens), operation) == str(answer)
    digits = "".join(tokens[:-1])
    assert digits == (str(answer) if sign == "//" else str(answer)[::-1])


def test_text_of_special_tokens_in_a_string_stays_text() -> None:
    text = repr("<|frame_sep|><|end|>")
    assert not SPECIAL & set(value_tokens(text))
    assert text_of_tokens(list(value_tokens(text))) == text


def test_messages_of_exceptions_are_short() -> None:
    assert len(value_tokens("IndexError('list index out of range')")) == 3
    for message in MESSAGES:
        assert text_of_tokens(list(value_tokens(message))) == message


def test_a_word_inside_a_name_is_not_a_word() -> None:
    assert value_tokens("TrueValue") == tuple("TrueValue")
    assert value_tokens("[True, None]")[1] == "<|True|>"


@given(st.lists(st.integers(0, 99), max_size=8))
def test_indices_stand_before_their_elements(items: list[int]) -> None:
    tokens = indexed_tokens(repr(items))
    for at, item in enumerate(items):
        where = tokens.index(f"<|i{at}|>")
        assert "".join(tokens[where + 1 : where + 1 + len(str(item))]) == str(item)


@given(st.text("abc '\"\\\n", min_size=1, max_size=6), st.data())
def test_the_cursor_stands_before_the_next_character(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    tokens = cursor_tokens(repr(text), at)
    after = "".join(tokens[tokens.index(CURSOR) + 1 : -1])
    quote = repr(text)[0]
    assert after == "".join("\\" + c if c == quote else c if c in "'\"" else repr(c)[1:-1] for c in text[at:])
