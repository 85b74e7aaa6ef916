"""The tokens of a text as the tokenizer itself would choose them.

A model under a grammar may spell a text with tokens that no tokenizer would give it; in training it never saw
such, and predicts worse after them. Leaves out the grammar and the decoding loop, which use this.
"""

from __future__ import annotations

from collections.abc import Sequence

from cwm_lsp.model.vocabulary import HfVocabulary

# How many tokens of a text are looked at to see whether they are the tokenizer's own, before all of them are.
_WINDOW = 24


def respell(
    vocabulary: HfVocabulary, old: list[int], ahead: bytes, ended: bool
) -> tuple[int, list[int]] | None:
    """Where the tokens `old` of a text first differ from the tokenizer's own, and its tokens from there on;
    None if they don't, or if it can't be told yet: a character is half there, or only the last token differs
    and the text goes on. The new tokens may reach into `ahead`, the text that must follow; `ended`: after it
    the text ends."""
    window = old[-_WINDOW:]
    found = _respell(vocabulary, window, ahead, ended)
    if found is None or len(window) == len(old):
        return found
    return _respell(vocabulary, old, ahead, ended)


def _respell(
    vocabulary: HfVocabulary, old: list[int], ahead: bytes, ended: bool
) -> tuple[int, list[int]] | None:
    spelt = vocabulary.decode_bytes(old)
    try:
        new = vocabulary.encode((spelt + ahead).decode("utf-8"))
    except UnicodeDecodeError:
        return None
    first = _first_difference(old, new)
    if first >= len(old) or first >= len(new) - (not ended):
        return None
    length = len(vocabulary.decode_bytes(new[:first]))
    count = first
    while length < len(spelt) and count < len(new):
        length += len(vocabulary.decode_bytes(new[count : count + 1]))
        count += 1
    return first, new[first:count]


def _first_difference(old: Sequence[int], new: Sequence[int]) -> int:
    return next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
