"""Grammars at work: what a Lark grammar forces and allows next, compiled once and used again.

A grammar that is one token out of a few special ones (`start: <|a|> | <|b|>`) needs no parser and gets none;
one that fits into a small table is looked up there (automaton.py).
Leaves out the model: nothing here knows a probability.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import llguidance
import numpy as np
from numpy.typing import NDArray

from cwm_lsp.model.automaton import State, Table, compile_grammar
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.vocabulary import HfVocabulary

Allowed = NDArray[np.intp]

_ONE_OF = re.compile(r"\s*start\s*:\s*(<\|[^|<>\s]+\|>(?:\s*\|\s*<\|[^|<>\s]+\|>)*)\s*")
_NAME = re.compile(r"<\|[^|<>\s]+\|>")
# How many masks a look ahead over forced text may cost, and how many tokens it looks at, before
# the model is asked.
_LOOK_AHEAD = 24
_WIDEST = 64


class Matcher(Protocol):
    """Where a completion stands in its grammar."""

    @property
    def done(self) -> bool:
        """The grammar is complete and can't go on."""

    def forced(self, text: Sequence[int]) -> list[int]:
        """The tokens that must come next, [] if there is something to decide first. `text`: the tokens of the
        text that they go on with."""

    def forced_text(self) -> tuple[bytes, bool]:
        """The text that must come next, and whether a special token ends it; its tokens may still be open."""

    def allowed(self) -> Allowed:
        """The ids that may come next, ascending."""

    def consume(self, ids: Sequence[int]) -> None:
        """Goes on. Raises BackendError if the grammar does not allow the tokens."""

    def accepts(self, ids: Sequence[int]) -> bool:
        """True if all of the tokens may come next; changes nothing."""

    def rollback(self, count: int) -> None:
        """Takes the last `count` tokens back."""

    def reset(self) -> None:
        """Goes back to the start."""


class _OneOf:
    """One token out of a few."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._allowed: Allowed = np.array(sorted(set(ids)), dtype=np.intp)
        self._taken = False

    @property
    def done(self) -> bool:
        return self._taken

    def forced(self, text: Sequence[int]) -> list[int]:  # noqa: ARG002
        return self._allowed.tolist() if not self._taken and len(self._allowed) == 1 else []

    def forced_text(self) -> tuple[bytes, bool]:
        return b"", False

    def allowed(self) -> Allowed:
        return self._allowed[:0] if self._taken else self._allowed

    def consume(self, ids: Sequence[int]) -> None:
        if not self.accepts(ids):
            raise BackendError("The model's answer broke its grammar.")
        self._taken = self._taken or bool(ids)

    def accepts(self, ids: Sequence[int]) -> bool:
        return not ids or (not self._taken and len(ids) == 1 and ids[0] in self._allowed)

    def rollback(self, count: int) -> None:
        self._taken = self._taken and not count

    def reset(self) -> None:
        self._taken = False


class _Masks:
    """Bit masks to ids. The same few masks come back all the time."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: dict[bytes, Allowed] = {}
        self._limit = max(64, 8_000_000 // max(1, size))

    def ids(self, mask: bytes) -> Allowed:
        """The ids whose bit is set, ascending (not to be changed)."""
        found = self._known.get(mask)
        if found is None:
            bits = np.unpackbits(np.frombuffer(mask, np.uint8), count=self._size, bitorder="little")
            found = bits.view(np.bool_).nonzero()[0]
            if len(self._known) >= self._limit:
                self._known.clear()
            self._known[mask] = found
        return found


class _Lark:
    """A grammar under llguidance."""

    def __init__(self, vocabulary: HfVocabulary, grammar: str, masks: _Masks) -> None:
        self._vocabulary = vocabulary
        self._masks = masks
        self._matcher: Any = llguidance.LLMatcher(vocabulary.guide(), grammar, log_level=0)
        if self._matcher.is_error():
            raise BackendError(f"The grammar can't be used: {_sentence(self._matcher.get_error())}.")

    @property
    def done(self) -> bool:
        return bool(self._matcher.is_stopped())

    def forced(self, text: Sequence[int]) -> list[int]:
        tokens: list[int] = self._matcher.compute_ff_tokens()
        return tokens if tokens or self._vocabulary.one_spelling else self._only_spelling([*text])

    def forced_text(self) -> tuple[bytes, bool]:
        # A special token appears in these bytes as 0xff and its id; 0xff is never part of UTF-8.
        text, end, _ = self._matcher.compute_ff_bytes().partition(b"\xff")
        return text, bool(end)

    def allowed(self) -> Allowed:
        return self._masks.ids(self._matcher.compute_bitmask())

    def consume(self, ids: Sequence[int]) -> None:
        if not self._matcher.consume_tokens(ids):
            raise BackendError(
                f"The model's answer broke its grammar: {_sentence(self._matcher.get_error())}."
            )

    def accepts(self, ids: Sequence[int]) -> bool:
        return bool(self._matcher.validate_tokens(ids) == len(ids))

    def rollback(self, count: int) -> None:
        if count and not self._matcher.rollback(count):
            raise BackendError(f"The grammar could not go back: {_sentence(self._matcher.get_error())}.")

    def reset(self) -> None:
        self._matcher.reset()

    def _only_spelling(self, before: list[int]) -> list[int]:
        """llguidance stops before the end of forced text, because its last token might reach into what
        follows, and leaves spellings such as `"    "`, `"   "`, `"  "` for the model to choose from. Only one
        of them may be the tokenizer's own, whatever follows; then it is forced."""
        text, _ = self.forced_text()
        if not text:
            return []
        viable: list[int] = []
        budget = [_LOOK_AHEAD]
        try:
            for token in self.allowed().tolist():
                ahead = self._behind(token, text)
                fits = self._vocabulary.may_follow(before, token, ahead)
                if fits and self._goes_on(before, token, text, budget):
                    viable.append(token)
                    if len(viable) > 1:
                        return []
        except _TooFar:
            return []
        return viable

    def _behind(self, token: int, text: bytes) -> bytes:
        """The spaces that come behind a token at the beginning of the forced `text`."""
        spelt = self._vocabulary.decode_bytes((token,))
        rest = text[len(spelt) :] if text.startswith(spelt) else b""
        return rest[: len(rest) - len(rest.lstrip(b" "))]

    def _goes_on(self, before: list[int], token: int, text: bytes, budget: list[int]) -> bool:
        """True if the tokenizer could spell the forced `text` beginning with `token`."""
        spelt = self._vocabulary.decode_bytes((token,))
        if not text.startswith(spelt):
            return True
        budget[0] -= 1
        if budget[0] < 0:
            raise _TooFar
        rest, path = text[len(spelt) :], [*before, token]
        self._matcher.consume_tokens([token])
        try:
            following = self.allowed().tolist()
            if not following or len(following) > _WIDEST:
                return True
            fitting = (
                after
                for after in following
                if self._vocabulary.may_follow(path, after, self._behind(after, rest))
            )
            return any(not rest or self._goes_on(path, after, rest, budget) for after in fitting)
        finally:
            self._matcher.rollback(1)


class _TooFar(Exception):  # noqa: N818  (caught where it is raised)
    """The look ahead costs more than it saves."""


class Grammars:
    """Compiled grammars by their text. The same small ones come back thousands of times, so a matcher is
    reset and lent again rather than built anew (compiling costs about 1 ms, a reset less than 1 µs)."""

    def __init__(self, vocabulary: HfVocabulary, limit: int = 1024, *, tables: bool = True) -> None:
        """`tables`: False leaves all but the smallest to llguidance, which is the reference."""
        self._vocabulary = vocabulary
        self._with_tables = tables
        self._tables: dict[str, list[State]] = {}
        self._limit = limit
        self._masks = _Masks(vocabulary.size)
        self._idle: OrderedDict[str, list[Matcher]] = OrderedDict()
        self._lock = threading.Lock()

    def checkout(self, grammar: str) -> Matcher:
        """A matcher at the start of the grammar. Raises BackendError if the grammar is not one."""
        with self._lock:
            idle = self._idle.get(grammar)
            if idle:
                self._idle.move_to_end(grammar)
                return idle.pop()
        return self._compile(grammar)

    def checkin(self, grammar: str, matcher: Matcher) -> None:
        """Gives a matcher back for the next request."""
        matcher.reset()
        with self._lock:
            self._idle.setdefault(grammar, []).append(matcher)
            if len(self._idle) > self._limit:
                self._idle.popitem(last=False)

    def _compile(self, grammar: str) -> Matcher:
        if _ONE_OF.fullmatch(grammar):
            names = _NAME.findall(grammar)
            missing = [name for name in names if not self._vocabulary.has(name)]
            if missing:
                raise BackendError(f"The grammar names {missing[0]}, which the model's vocabulary lacks.")
            return _OneOf([self._vocabulary.token(name) for name in names])
        states = self._tables.get(grammar)
        if states is None and self._with_tables:
            states = compile_grammar(grammar, self._vocabulary)
            if states is not None:
                self._tables[grammar] = states
        return _Lark(self._vocabulary, grammar, self._masks) if states is None else Table(states)


def _sentence(error: str) -> str:
    """The first line of llguidance's message, short enough for a person."""
    return (error.strip().splitlines() or ["no reason given"])[0].rstrip(".")[:200]
