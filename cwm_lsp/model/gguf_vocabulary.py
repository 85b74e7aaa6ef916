"""The vocabulary in a GGUF: written from a tokenizer.json, and read back as one.

So a GGUF that somebody else made, without a tokenizer beside it, can be used too. Leaves out the weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.folder import ModelConfig

# How Llama 3 splits text into words before merging (what llama.cpp calls `llama-bpe`).
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_NORMAL, _CONTROL, _USER, _UNUSED = 1, 3, 4, 5


def add_vocabulary(writer: Any, checkpoint: Path, config: ModelConfig) -> None:
    """Writes the tokenizer of the checkpoint. One without merges (a spelling by bytes) is left out: llama.cpp
    has no such kind, and we work on ids."""
    from cwm_lsp.model.vocabulary import HfVocabulary

    path = checkpoint / "tokenizer.json"
    HfVocabulary.from_folder(checkpoint, config.eos)  # says what is wrong with it, if something is
    data = json.loads(path.read_text(encoding="utf-8"))
    model = data["model"]
    if model.get("type") != "BPE" or not model.get("merges"):
        writer.add_tokenizer_model("none")
        return
    tokens: list[str] = [f"[PAD{i}]" for i in range(config.vocabulary)]
    types = [_UNUSED] * config.vocabulary
    for token, identity in model["vocab"].items():
        tokens[identity], types[identity] = token, _NORMAL
    for entry in data.get("added_tokens", []):
        special = entry.get("special") or entry["content"].startswith("<|")
        tokens[entry["id"]], types[entry["id"]] = entry["content"], _CONTROL if special else _USER
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in model["merges"]])
    bos = config.raw.get("bos_token_id")
    if bos is not None:
        writer.add_bos_token_id(int(bos))
    for identity in config.eos[:1]:
        writer.add_eos_token_id(int(identity))
    writer.add_add_bos_token(False)


def tokenizer_json(path: Path) -> tuple[str, tuple[int, ...]]:
    """The tokenizer in a GGUF as a tokenizer.json, and its end tokens. Raises BackendError if it is not of
    Llama 3's kind."""
    try:
        import gguf
    except ImportError:
        raise BackendError(
            f"{path.parent} has no tokenizer.json, and reading the one in the GGUF needs gguf: "
            "pip install gguf."
        ) from None
    try:
        fields = gguf.GGUFReader(path).fields
    except Exception as error:  # the reader raises whatever it stumbles over
        raise BackendError(f"{path} is not a GGUF that can be read: {error}.") from error
    kind, pre = (_text(fields, f"tokenizer.ggml.{name}") for name in ("model", "pre"))
    if kind != "gpt2" or pre not in ("llama-bpe", "llama3", "llama-v3", "default"):
        raise BackendError(
            f"{path} has a tokenizer of the kind {kind}/{pre}, not Llama 3's; "
            "put the model's tokenizer.json beside it."
        )
    try:
        tokens: list[str] = fields["tokenizer.ggml.tokens"].contents()
        types: list[int] = fields["tokenizer.ggml.token_type"].contents()
        merges: list[str] = fields["tokenizer.ggml.merges"].contents()
        ends = [fields[key].contents() for key in _ENDS if key in fields]
    except (KeyError, ValueError, TypeError) as error:
        raise BackendError(f"{path} has no whole tokenizer: {error}.") from error
    words = {token: i for i, token in enumerate(tokens) if types[i] == _NORMAL}
    added = [
        {
            "id": i,
            "content": token,
            "special": types[i] == _CONTROL,
            **dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False),
        }
        for i, token in enumerate(tokens)
        if types[i] in (_CONTROL, _USER)
    ]
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    by_bytes = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    data = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, by_bytes]},
        "post_processor": None,
        "decoder": {**by_bytes, "use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,
            "vocab": words,
            "merges": merges,
        },
    }
    return json.dumps(data), tuple(dict.fromkeys(int(i) for i in ends))


_ENDS = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")


def _text(fields: Any, key: str) -> str:
    return str(fields[key].contents()) if key in fields else "none"
