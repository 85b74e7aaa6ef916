"""A small tokenizer of Llama 3's kind with CWM's special tokens, trained here on the standard library and on
traces.

Byte-level BPE with Llama 3's split and `ignore_merges`, about 6,000 ids, the special tokens behind them. It
is trained once (a few seconds) and kept in the folder for temporary files; `vocabulary()` is it behind the
`Vocabulary` contract."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from cwm_lsp.trace.cwm_text import trace_parts
from tests.trace.programs import examples, generated
from tests.trace.real_runs import Program, run

SIZE = 6_000
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# In CWM's own order; the gaps of its numbering are reserved tokens there.
SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|pad|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|frame_sep|>",
    "<|action_sep|>",
    "<|return_sep|>",
    "<|call_sep|>",
    "<|line_sep|>",
    "<|exception_sep|>",
    "<|arg_sep|>",
    "<|trace_context_start|>",
    "<|reasoning_thinking_start|>",
    "<|reasoning_thinking_end|>",
)


def corpus() -> Iterator[str]:
    """Standard library modules, and CWM-form traces of the examples and of random programs."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))[:100]:
        yield path.read_text(encoding="utf-8", errors="replace")
    programs = [(text, call) for _, text, call in examples()] + list(generated(150, seed=7))
    for text, call in programs:
        lines = Program.of(text).lines
        for parts in trace_parts(run(text, call, limit=120), lines):
            yield from (part.text for part in parts if not part.special)


def train() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=SIZE, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL])
    return tokenizer


@functools.cache
def tokenizer_file() -> Path:
    """The path of its tokenizer.json."""
    recipe = Path(__file__).read_bytes() + sys.version.encode()
    key = hashlib.sha256(recipe).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"cwm-lsp-test-tokenizer-{key}.json"
    if not path.is_file():
        draft = path.with_suffix(f".{os.getpid()}")
        train().save(str(draft))
        draft.replace(path)
    return path


def tokenizer_json() -> str:
    """Its tokenizer.json as text: what `llguidance.LLTokenizer` and `tokenizers.Tokenizer.from_str` read."""
    return tokenizer_file().read_text(encoding="utf-8")


class TrainedVocabulary:
    """The tokenizer behind the `Vocabulary` contract of model/backend.py."""

    def __init__(self, tokenizer: str) -> None:
        self.plain = Tokenizer.from_str(tokenizer)
        self.plain.encode_special_tokens = True
        added = json.loads(tokenizer)["added_tokens"]
        self._specials: dict[str, int] = {
            token["content"]: token["id"] for token in added if token["special"]
        }

    @property
    def size(self) -> int:
        return int(self.plain.get_vocab_size(with_added_tokens=True))

    def encode(self, text: str) -> list[int]:
        return list(self.plain.encode(text, add_special_tokens=False).ids)

    def token(self, name: str) -> int:
        return self._specials[name]

    def has(self, name: str) -> bool:
        return name in self._specials

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.plain.decode(list(ids), skip_special_tokens=False))

    def specials(self) -> dict[str, int]:
        return dict(self._specials)


@functools.cache
def vocabulary() -> TrainedVocabulary:
    return TrainedVocabulary(tokenizer_json())
