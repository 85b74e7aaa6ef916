"""Writes cwm-mini's tokenizer.json: one id a byte, and the special tokens by name.

python models/cwm-mini/tokenizer.py OUT_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from cwm_lsp.trace.mini_vocabulary import special_tokens


def byte_alphabet() -> list[str]:
    """The 256 characters that byte-level tokenizers write bytes with, in the order of the bytes."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) if byte in shown else chr(256 + hidden.index(byte)) for byte in range(256)]


def ids() -> dict[str, int]:
    """Every token by its name: single characters by their byte, special tokens after them."""
    return {name: 256 + at for at, name in enumerate(special_tokens())}


def encode(tokens: tuple[str, ...] | list[str], table: dict[str, int]) -> list[int]:
    """Ids of layout tokens."""
    found: list[int] = []
    for token in tokens:
        special = table.get(token)
        if special is None:
            found.extend(token.encode())
        else:
            found.append(special)
    return found


def build() -> Tokenizer:
    """The tokenizer."""
    tokenizer = Tokenizer(models.BPE(vocab={char: at for at, char in enumerate(byte_alphabet())}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in special_tokens()]
    )
    return tokenizer


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    build().save(str(folder / "tokenizer.json"))
