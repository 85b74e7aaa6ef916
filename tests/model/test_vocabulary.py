"""Text to ids and back: plain text stays plain, whatever it contains."""

from __future__ import annotations

import json
from pathlib import Path

import llguidance
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from cwm_lsp.model.backend import BackendError, Vocabulary
from cwm_lsp.model.vocabulary import HfVocabulary
from tests.tokenizer_fixture import SPECIAL, tokenizer_json

NASTY = st.lists(st.one_of(st.sampled_from(SPECIAL), st.text(max_size=8)), max_size=6).map("".join)


def low_specials() -> HfVocabulary:
    """Special tokens with the lowest ids, and in the model's word list as well, and each a word of its
    own."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=["<|a|>", "<|b|>"], show_progress=False
    )
    tokenizer.train_from_iterator(["for x in y: return x"] * 9, trainer)
    return HfVocabulary(tokenizer.to_str())


def test_is_the_contract(vocabulary: HfVocabulary) -> None:
    assert isinstance(vocabulary, Vocabulary)
    assert vocabulary.has("<|frame_sep|>")
    assert not vocabulary.has("frame_sep")
    assert set(SPECIAL) == set(vocabulary.specials())
    with pytest.raises(KeyError):
        vocabulary.token("<|nothing|>")


@given(text=NASTY)
def test_text_is_never_special_and_comes_back(vocabulary: HfVocabulary, text: str) -> None:
    ids = vocabulary.encode(text)
    assert not set(ids) & set(vocabulary.specials().values())
    assert vocabulary.decode(ids) == text


@pytest.mark.parametrize("text", ["<|a|>", "x<|b|>y", "<|a|><|b|>"])
def test_specials_among_the_words_are_not_found_in_text(text: str) -> None:
    vocabulary = low_specials()
    assert vocabulary.token("<|a|>") == 0
    assert not set(vocabulary.encode(text)) & {0, 1}
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.decode([0, 1]) == "<|a|><|b|>"


@given(text=st.text(alphabet=st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20))
def test_forced_text_of_a_grammar_is_plain_too(vocabulary: HfVocabulary, text: str) -> None:
    for content in (text, text + "<|frame_sep|>", "<|line_sep|>" + text):
        grammar = f"start: <|call_sep|> {json.dumps(content)} <|frame_sep|>"
        matcher = llguidance.LLMatcher(vocabulary.guide(), grammar)
        call, frame = vocabulary.token("<|call_sep|>"), vocabulary.token("<|frame_sep|>")
        tokens = matcher.compute_ff_tokens()
        assert tokens == [call, *vocabulary.encode(content), frame], matcher.get_error()


def test_a_lone_surrogate_is_spelt(vocabulary: HfVocabulary) -> None:
    assert vocabulary.decode(vocabulary.encode("a\udc80b")) == "a\\udc80b"


def test_unknown_ids_decode_to_something(vocabulary: HfVocabulary) -> None:
    assert vocabulary.decode([-1, vocabulary.size, 10**9]) == "\ufffd" * 3


def test_what_may_follow(vocabulary: HfVocabulary) -> None:
    for text in (
        "    return self.x + 1\n",
        "x = 12345678 + f((x), [0, 10, 100])",
        "it's\n\n    'a'  # b",
        "'1-  2    3'",
    ):
        ids = vocabulary.encode(text)
        assert all(vocabulary.may_follow(ids[:i], ids[i]) for i in range(len(ids)))
    four, word = vocabulary.encode("    ")[0], vocabulary.encode("return")[0]
    assert not vocabulary.may_follow([four], word)
    assert vocabulary.may_follow([four], vocabulary.token("<|frame_sep|>"))


def test_byte_vocabularies_have_one_spelling(vocabulary: HfVocabulary) -> None:
    tokenizer = Tokenizer(
        models.BPE(vocab={c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, merges=[])
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True, normalized=False)])
    assert HfVocabulary(tokenizer.to_str()).one_spelling
    assert not vocabulary.one_spelling


def test_specials_that_only_the_configuration_names(tmp_path: Path) -> None:
    data = json.loads(tokenizer_json())
    last = data["added_tokens"].pop()
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    entries = {str(last["id"]): {"content": last["content"], "special": True}}
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"added_tokens_decoder": entries}), encoding="utf-8"
    )
    vocabulary = HfVocabulary.from_folder(tmp_path)
    assert vocabulary.token(last["content"]) == last["id"]
    assert vocabulary.decode([last["id"]]) == last["content"]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"model": {}}', "\x00\x01"])
def test_a_bad_tokenizer_is_one_sentence(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(BackendError) as caught:
        HfVocabulary.from_folder(tmp_path)
    assert "tokenizer.json" in str(caught.value)
    assert "\n" not in str(caught.value)
