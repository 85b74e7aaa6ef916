"""`HfVocabulary`: text to ids and back over a `tokenizer.json`, and the same vocabulary for llguidance.

Plain text never yields a special token here, neither in `encode` nor in the forced text of a grammar.
Leaves out transformers (only the `tokenizers` library is used) and everything about frames.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import llguidance
from tokenizers import Tokenizer

from cwm_lsp.model.backend import BackendError

_MOST_NEIGHBOURS = 200_000
_CONTEXT = 24
_FOLLOWERS = ("0", "a", ".", "\n")
_UNKNOWN = "\ufffd".encode()


class _Spelling:
    """What llguidance asks of a tokenizer. A plain `LLTokenizer(json)` would read `<|frame_sep|>` in forced
    *text* as the special token; this one encodes text as text, and specials are reached by name alone."""

    is_tokenizer_wrapper = True
    bos_token_id: int | None = None

    def __init__(self, text: Tokenizer, tokens: list[bytes], special_ids: list[int], eos: int) -> None:
        self._text = text
        self.tokens = tokens
        self.special_token_ids = special_ids
        self.eos_token_id = eos

    def __call__(self, text: str | bytes) -> list[int]:
        plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        ids: list[int] = self._text.encode(plain, add_special_tokens=False).ids
        return ids


class HfVocabulary:
    """The vocabulary of one model (the `Vocabulary` contract). `eos` are the ids that end a sequence for the
    model."""

    def __init__(
        self, tokenizer_json: str, eos: Iterable[int] = (), extra: Mapping[str, int] | None = None
    ) -> None:
        """`extra`: special tokens that the file leaves out (some folders keep them in
        tokenizer_config.json)."""
        data: dict[str, Any] = json.loads(tokenizer_json)
        data.update(truncation=None, padding=None)
        added: list[dict[str, Any]] = data.setdefault("added_tokens", []) or []
        known = {entry["content"] for entry in added}
        for name, identity in sorted((extra or {}).items(), key=lambda item: item[1]):
            if name not in known:
                flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
                added.append({"id": identity, "content": name, "special": True, **flags})
        data["added_tokens"] = added
        self._specials: dict[str, int] = {
            entry["content"]: int(entry["id"]) for entry in added if _is_special(entry)
        }
        self._names = {identity: name for name, identity in self._specials.items()}
        self._tokenizer: Tokenizer = Tokenizer.from_str(json.dumps(data))
        self._text: Tokenizer = Tokenizer.from_str(json.dumps(_without_specials(data, self._specials)))
        self._ids = frozenset(self._tokenizer.get_vocab(with_added_tokens=True).values())
        self._size = max(self._ids) + 1
        self._eos = tuple(eos)
        self._bytes: list[bytes] | None = None
        self._guide: Any = None
        self.one_spelling = data["model"].get("type") == "BPE" and not data["model"].get("merges")
        """True if a text can be spelt in one way only: no token stands for several bytes."""
        self._neighbours: dict[tuple[int, int], bool] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_folder(cls, folder: Path, eos: Iterable[int] = ()) -> HfVocabulary:
        """Reads `tokenizer.json` of a model folder. Raises BackendError if it is missing or not a
        tokenizer."""
        path = folder / "tokenizer.json"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise BackendError(f"{folder} has no tokenizer.json; a model folder needs one.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise BackendError(f"{path} can't be read: {error}.") from error
        try:
            return cls(text, eos, _extra_specials(folder))
        except Exception as error:  # the tokenizers library raises a bare Exception
            raise BackendError(
                f"{path} is not a tokenizer that can be used: {_first_line(error)}."
            ) from error

    @property
    def size(self) -> int:
        """Number of ids, special tokens included."""
        return self._size

    @property
    def eos(self) -> tuple[int, ...]:
        """The ids that end a sequence."""
        return self._eos

    def to_json(self) -> str:
        """A tokenizer.json of this vocabulary: for a client of the process that has it."""
        text: str = self._tokenizer.to_str()
        return text

    def encode(self, text: str) -> list[int]:
        """Ids of plain text: never a special token, whatever the text contains, and no BOS. A lone surrogate,
        which UTF-8 can't hold, is spelt `\\udcxx`."""
        try:
            ids: list[int] = self._text.encode(text, add_special_tokens=False).ids
        except (UnicodeEncodeError, TypeError):
            spelt = text.encode("utf-8", "backslashreplace").decode("utf-8")
            ids = self._text.encode(spelt, add_special_tokens=False).ids
        return ids

    def token(self, name: str) -> int:
        """The id of a special token by its name. Raises KeyError if the model has none."""
        return self._specials[name]

    def has(self, name: str) -> bool:
        """True if the model has that special token."""
        return name in self._specials

    def specials(self) -> dict[str, int]:
        """All special tokens, name to id."""
        return dict(self._specials)

    def is_special(self, identity: int) -> bool:
        """True for the id of a special token."""
        return identity in self._names

    def decode(self, ids: Sequence[int]) -> str:
        """Text of the ids, special tokens by their names; an id that the vocabulary lacks is U+FFFD."""
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The bytes of the ids: a character may be spread over several tokens."""
        spelling = self._token_bytes()
        return b"".join(spelling[i] if 0 <= i < self._size else _UNKNOWN for i in ids)

    def may_follow(self, text: Sequence[int], token: int, ahead: bytes = b"") -> bool:
        """False if the tokenizer would not put `token` after the tokens of a text: it spells the two together
        otherwise. `ahead`: spaces that are known to follow. True at the start of a text and for special
        tokens."""
        if ahead and token not in self._names:
            return self._spells((*text[-_CONTEXT:], token), ahead)
        if not text or self._are_neighbours(text[-1], token):
            return True
        # Split otherwise alone, they may yet be right behind what comes before them (`12`, `3`, `4`).
        return len(text) > 1 and self._spells((*text[-_CONTEXT:], token))

    def _are_neighbours(self, first: int, second: int) -> bool:
        key = (first, second)
        known = self._neighbours.get(key)
        if known is None:
            known = first in self._names or second in self._names or self._spells(key)
            if len(self._neighbours) >= _MOST_NEIGHBOURS:
                self._neighbours.clear()
            self._neighbours[key] = known
        return known

    def guide(self) -> Any:
        """The llguidance tokenizer of this vocabulary, made on the first call and kept."""
        spelling = self._token_bytes()
        with self._lock:
            if self._guide is None:
                eos = [identity for identity in self._eos if 0 <= identity < self._size] or [self._size - 1]
                wrapper = _Spelling(self._text, spelling, sorted(self._names), eos[0])
                self._guide = llguidance.LLTokenizer(wrapper, eos_token=eos)
            return self._guide

    def _spells(self, ids: tuple[int, ...], ahead: bytes = b"") -> bool:
        """True if these ids are the tokenizer's own for their text where `ahead` and anything else follows,
        or if it can't be told. Spaces are split in view of what comes behind them: two are one token at the
        end of a text, and two tokens before a digit."""
        try:
            text = (self.decode_bytes(ids) + ahead).decode("utf-8")
        except UnicodeDecodeError:
            return True
        follows = ("", *_FOLLOWERS) if text[-1:].isspace() else ("",)
        return any(self.encode(text + more)[: len(ids)] == list(ids) for more in follows)

    def _token_bytes(self) -> list[bytes]:
        """The bytes of each id, made on the first call."""
        with self._lock:
            if self._bytes is None:
                reader = llguidance.LLTokenizer(self._tokenizer.to_str(), eos_token=self._size - 1)
                self._bytes = [self._bytes_of(reader, i) for i in range(self._size)]
            return self._bytes

    def _bytes_of(self, reader: Any, identity: int) -> bytes:
        name = self._names.get(identity)
        if name is not None:
            return name.encode()
        if identity not in self._ids:
            return _UNKNOWN
        spelt: bytes = reader.decode_bytes([identity])
        return spelt


def _is_special(entry: Mapping[str, Any]) -> bool:
    """Special by its flag, or by its look: some checkpoints leave the flag out."""
    name = str(entry["content"])
    return bool(entry.get("special")) or (name.startswith("<|") and name.endswith("|>"))


def _without_specials(data: Mapping[str, Any], specials: Mapping[str, int]) -> dict[str, Any]:
    """The same tokenizer for plain text: the specials are neither matched in the text nor reachable as a
    word."""
    text = dict(data)
    text["added_tokens"] = [entry for entry in data["added_tokens"] if entry["content"] not in specials]
    text["post_processor"] = None
    model = dict(data["model"])
    if isinstance(model.get("vocab"), dict):
        kept = model.get("unk_token")
        model["vocab"] = {
            word: i for word, i in model["vocab"].items() if word not in specials or word == kept
        }
    text["model"] = model
    return text


def _extra_specials(folder: Path) -> dict[str, int]:
    """Special tokens that only tokenizer_config.json names."""
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        entries = config.get("added_tokens_decoder", {}).items()
        return {entry["content"]: int(key) for key, entry in entries if _is_special(entry)}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}


def _first_line(error: BaseException) -> str:
    """The first line of an error's text, without its full stop."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
