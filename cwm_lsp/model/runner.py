"""The token-level contract that every local engine implements, and the pool of cached sequences above it.

A `Runner` makes `Cache`s; a `Cache` is one sequence whose keys and values are kept. `SequencePool` remembers
a few of them, so that a prompt starts from the longest prefix that was ever computed and still is there.
Leaves out decoding (constrained.py) and everything that knows an engine (embedded.py, transformers.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Logits = NDArray[np.float32]

# A tail of at most this many tokens, or of 1/8 of the common prefix, is given up rather than the sequence
# forked.
_SHORT_TAIL = 16
# Logits of so many bytes are kept beside a sequence.
_MOST_LOGITS = 4_000_000


class Cache(Protocol):
    """One sequence in an engine. Not safe for two threads at once."""

    @property
    def length(self) -> int:
        """How many tokens are computed."""

    def extend(self, ids: Ids) -> Logits:
        """Appends tokens (at least one) in one forward pass: logits after the last of them, (V,) float32. The
        array may be overwritten by the next call."""

    def extend_all(self, ids: Ids) -> Logits:
        """The same, logits after each of them: (T, V)."""

    def truncate(self, length: int) -> None:
        """Forgets everything after the first `length` tokens; exact at any depth, also past a sliding
        window."""

    def fork(self, length: int) -> Cache:
        """A new cache that holds the first `length` tokens of this one; the two are independent."""

    def free(self) -> None:
        """Gives the memory back; the cache is not used again."""


class Runner(Protocol):
    """An engine with a model loaded."""

    @property
    def vocabulary_size(self) -> int:
        """Length of the logits."""

    @property
    def context(self) -> int:
        """The most tokens a sequence can have."""

    def new(self) -> Cache:
        """An empty cache."""

    def close(self) -> None:
        """Frees the model."""


class CachedSequence:
    """A cache and the ids that it holds."""

    def __init__(self, cache: Cache, ids: Ids) -> None:
        self.cache = cache
        self.used = 0
        self.busy = False
        self._ids: Ids = np.empty(max(512, 2 * len(ids)), np.int64)
        self._ids[: len(ids)] = ids
        self._length = len(ids)
        # Logits after the last tokens: the last row after the last of them, the row before it after the last
        # but one, and so on. None where the last is not known.
        self._rows: Logits | None = None

    @property
    def ids(self) -> Ids:
        """The tokens computed so far (a view)."""
        return self._ids[: self._length]

    @property
    def length(self) -> int:
        """How many tokens are computed."""
        return self._length

    @property
    def logits(self) -> Logits | None:
        """Logits after the last token, where they are still known."""
        return None if self._rows is None else self._rows[-1]

    def logits_after(self, length: int) -> Logits | None:
        """Logits after the first `length` tokens and after each that follows, (tokens that follow + 1, V);
        None if they are not all known."""
        rows, count = self._rows, self._length - length + 1
        return rows[-count:] if rows is not None and 0 < count <= len(rows) else None

    def knows(self, first: int, last: int) -> bool:
        """True if the logits after the first `first` to `last` tokens are known."""
        return last <= self._length and self.logits_after(first) is not None

    def extend(self, ids: Ids) -> Logits:
        """Appends tokens in one pass and keeps the logits."""
        logits = self.cache.extend(ids)
        self._append(ids)
        self._rows = logits[None]
        return logits

    def extend_all(self, ids: Ids) -> Logits:
        """Appends tokens in one pass and keeps all their logits; those after each of them."""
        return self.extend_last(ids, len(ids))

    def extend_last(self, ids: Ids, count: int) -> Logits:
        """Appends tokens in one pass and keeps the logits after each of the last `count`; these."""
        few = getattr(self.cache, "extend_last", None)  # engines that can leave logits out have it
        logits: Logits = (few(ids, count) if few else self.cache.extend_all(ids)[-count:]).copy()
        self._append(ids)
        self._rows = logits if logits.nbytes <= _MOST_LOGITS else logits[-1:].copy()
        return logits

    def truncate(self, length: int) -> None:
        """Forgets everything after the first `length` tokens."""
        if length < self._length:
            self.cache.truncate(length)
            self._forget_after(length)

    def fork(self, length: int) -> CachedSequence:
        """A copy of the first `length` tokens, with what is known of their logits."""
        twin = CachedSequence(self.cache.fork(length), self._ids[: self._length])
        twin._rows = self._rows
        twin._forget_after(length)
        return twin

    def _forget_after(self, length: int) -> None:
        dropped = self._length - length
        if self._rows is not None:
            self._rows = self._rows[: len(self._rows) - dropped] if dropped < len(self._rows) else None
        self._length = length

    def keep_logits(self) -> None:
        """Copies the last logits, which the engine may overwrite for another sequence."""
        if self._rows is not None and len(self._rows) == 1:
            self._rows = self._rows.copy()

    def common(self, prompt: Ids, at_least: int = 0) -> int:
        """Length of the common prefix with `prompt`; 0 where it can't be longer than `at_least`."""
        most = min(self._length, len(prompt))
        if most <= at_least or self._ids[at_least] != prompt[at_least]:
            return 0
        different = self._ids[:most] != prompt[:most]
        first = int(different.argmax())
        return first if different[first] else most

    def _append(self, ids: Ids) -> None:
        end = self._length + len(ids)
        if end > len(self._ids):
            grown = np.empty(2 * end, np.int64)
            grown[: self._length] = self.ids
            self._ids = grown
        self._ids[self._length : end] = ids
        self._length = end


class SequencePool:
    """A small LRU of cached sequences. `tokens` bounds what all of them may hold together (None: no
    bound)."""

    def __init__(self, runner: Runner, sequences: int = 8, tokens: int | None = None) -> None:
        self._runner = runner
        self._limit = max(1, sequences)
        self._tokens = tokens
        self._sequences: list[CachedSequence] = []
        self._clock = 0

    def __len__(self) -> int:
        return len(self._sequences)

    def checkout(self, prompt: Ids, given: int | None = None) -> CachedSequence:
        """The best sequence to compute `prompt` on, cut to what the two share, marked busy until `checkin`.
        If it holds the whole prompt its logits are known, else at least one token is left to compute.
        `given`: what comes after so many tokens is a draft; if the sequence holds some of it, the logits
        after the given ones and each of these are known."""
        best, shared = None, 0
        for sequence in self._sequences:
            common = sequence.common(prompt, shared)
            if common > shared:
                best, shared = sequence, common
        given = len(prompt) if given is None else given
        if best is not None and shared >= given and not best.knows(given, shared):
            shared = given - 1
        sequence = self._start(prompt, best, shared)
        sequence.busy = True
        return sequence

    def checkin(self, sequence: CachedSequence) -> None:
        """Ends the use of a sequence; it stays cached."""
        sequence.busy = False
        sequence.keep_logits()
        self._clock += 1
        sequence.used = self._clock
        if self._tokens is not None:
            while len(self._sequences) > 1 and sum(s.length for s in self._sequences) > self._tokens:
                if not self._drop(self._oldest(self._sequences[:], spare=sequence)):
                    break

    def discard(self, sequence: CachedSequence) -> None:
        """Ends the use of a sequence whose state is not known any more (the engine failed in the middle)."""
        sequence.busy = False
        self._drop(sequence)

    def relieve(self) -> bool:
        """Drops the oldest sequence that nobody uses, where the engine is full. False if there is none."""
        return self._drop(self._oldest(self._sequences, None))

    def clear(self) -> None:
        """Forgets all sequences."""
        for sequence in self._sequences:
            sequence.cache.free()
        self._sequences.clear()

    def _start(self, prompt: Ids, best: CachedSequence | None, shared: int) -> CachedSequence:
        if best is None or shared < _SHORT_TAIL:
            if best is not None and not best.busy and best.length == shared > 0:
                return best
            self._make_room(prompt, None, 0)
            fresh = CachedSequence(self._runner.new(), prompt[:0])
            self._sequences.append(fresh)
            return fresh
        if not best.busy and best.length - shared <= max(_SHORT_TAIL, shared // 8):
            best.truncate(shared)
            return best
        self._make_room(prompt, best, shared)
        fork = best.fork(shared)
        self._sequences.append(fork)
        return fork

    def _make_room(self, prompt: Ids, best: CachedSequence | None, shared: int) -> None:
        """Drops one sequence if the pool is full. Forks of one prefix crowd each other out before they crowd
        out the others: at most half of the pool belongs to one family."""
        if len(self._sequences) < self._limit:
            return
        family = [s for s in self._sequences if shared and s is not best and 2 * s.common(prompt) >= shared]
        crowded = len(family) >= self._limit // 2
        victim = self._oldest(family, best) if crowded else None
        self._drop(victim or self._oldest(self._sequences, best))

    @staticmethod
    def _oldest(among: Sequence[CachedSequence], spare: CachedSequence | None) -> CachedSequence | None:
        free = [s for s in among if not s.busy and s is not spare]
        return min(free, key=lambda s: s.used, default=None)

    def _drop(self, sequence: CachedSequence | None) -> bool:
        if sequence is None:
            return False
        self._sequences.remove(sequence)
        sequence.cache.free()
        return True


def as_ids(ids: Sequence[int] | Ids | Any) -> Ids:
    """The ids as the arrays that runners take."""
    return np.asarray(ids, dtype=np.int64).reshape(-1)
