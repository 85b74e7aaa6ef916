"""A tokenizer of Llama 3's kind with as many tokens as CWM has, 128,256, and CWM's ids for the special ones.

It is trained once on the standard library (half a minute) and kept in the folder for temporary files.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.tokenizer_fixture import SPLIT

WORDS = 128_000
SIZE = 128_256
CWM_IDS = {
    "<|begin_of_text|>": 128000,
    "<|end_of_text|>": 128001,
    "<|pad|>": 128004,
    "<|start_header_id|>": 128006,
    "<|end_header_id|>": 128007,
    "<|eom_id|>": 128008,
    "<|eot_id|>": 128009,
    "<|frame_sep|>": 128100,
    "<|action_sep|>": 128101,
    "<|return_sep|>": 128102,
    "<|call_sep|>": 128103,
    "<|line_sep|>": 128104,
    "<|exception_sep|>": 128105,
    "<|arg_sep|>": 128106,
    "<|trace_context_start|>": 128107,
    "<|reasoning_thinking_start|>": 128120,
    "<|reasoning_thinking_end|>": 128121,
}
EOS = (128001, 128008, 128009)


def corpus() -> Iterator[str]:
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if "site-packages" not in path.parts:
            yield path.read_text(encoding="utf-8", errors="replace")


def train() -> str:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS, initial_alphabet=alphabet, show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    data = json.loads(tokenizer.to_str())
    assert len(data["model"]["vocab"]) == WORDS, "the corpus is too small"
    names = {identity: name for name, identity in CWM_IDS.items()}
    data["added_tokens"] = [
        {
            "id": identity,
            "content": names.get(identity, f"<|reserved_special_token_{identity - WORDS}|>"),
            "special": True,
            **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
        }
        for identity in range(WORDS, SIZE)
    ]
    return json.dumps(data)


@functools.cache
def full_tokenizer_json() -> str:
    """Its tokenizer.json."""
    recipe = Path(__file__).read_bytes() + sys.version.encode()
    key = hashlib.sha256(recipe).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"cwm-lsp-test-full-tokenizer-{key}.json"
    if not path.is_file():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(train(), encoding="utf-8")
        draft.replace(path)
    return path.read_text(encoding="utf-8")
