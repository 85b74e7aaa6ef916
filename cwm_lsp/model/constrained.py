"""The decoder of every local engine: it answers requests, in passes that can be cancelled between.

Leaves out how one completion goes on (completing.py), locks and threads (local.py), and the engines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from cwm_lsp.model.backend import BackendError, Completion, Request
from cwm_lsp.model.completing import Completing
from cwm_lsp.model.drafting import log_sum_exp
from cwm_lsp.model.grammar import Grammars
from cwm_lsp.model.runner import CachedSequence, Ids, Logits, Runner, SequencePool, as_ids
from cwm_lsp.model.streaming import Emit
from cwm_lsp.model.vocabulary import HfVocabulary

# A pass over many tokens is cut so that it takes about this long: what lies between two looks at `cancel`.
_PASS_SECONDS = (0.025, 0.07)
_SMALLEST_PASS = 8


class Decoder:
    """Answers requests on one runner, one at a time. `first_pass` and `largest_pass` bound the tokens of a
    pass, at the beginning and ever; in between it is paced by what the machine does. `tables`: False takes
    the plain road through llguidance and token by token for every grammar, which is the reference."""

    def __init__(
        self,
        runner: Runner,
        vocabulary: HfVocabulary,
        pool: SequencePool,
        *,
        first_pass: int = 64,
        largest_pass: int = 512,
        tables: bool = True,
    ) -> None:
        self.runner = runner
        self.vocabulary = vocabulary
        self.pool = pool
        self.grammars = Grammars(vocabulary, tables=tables)
        self._largest = largest_pass
        self._chunk = min(first_pass, largest_pass)

    def complete(
        self, request: Request, before_pass: Callable[[], None] | None = None, emit: Emit | None = None
    ) -> Completion:
        """One completion. `before_pass` is called before each forward pass, `emit` with the tokens as they
        become certain. Raises BackendError; the engine's own exceptions become one."""
        started = time.perf_counter()
        prompt = self.checked(request.prompt)
        grammar = request.grammar
        matcher = None if grammar is None else self.grammars.checkout(grammar)
        with self._sequence(prompt, request.draft) as sequence:
            work = Completing(
                self, request, prompt, sequence, matcher=matcher, before_pass=before_pass, emit=emit
            )
            reason = work.go()
            completion = work.completion(reason, started)
        if matcher is not None and grammar is not None:
            self.grammars.checkin(grammar, matcher)
        return completion

    def score(self, prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """The log probability of each of the `options` (token ids) as what follows `prompt`."""
        ids = self.checked(prompt)
        tails = [self.checked(option) for option in options]
        with self._sequence(ids) as sequence:
            if sequence.length < len(ids):
                self.compute(sequence, ids[sequence.length :], None)
            sequence.keep_logits()
            first = sequence.logits
            assert first is not None
            rows: list[Logits] = []
            done, scores = ids[:0], []
            for tail in tails:
                most = min(len(done), len(tail) - 1)
                same = int(np.logical_and.accumulate(done[:most] == tail[:most]).sum())
                sequence.truncate(len(ids) + same)
                del rows[same:]
                if len(tail) - 1 > same:
                    rows.extend(sequence.extend_all(tail[same:-1]))
                done = tail[:-1]
                each = zip((first, *rows), tail.tolist(), strict=True)
                scores.append(sum(float(row[token]) - log_sum_exp(row) for row, token in each))
        return scores

    def checked(self, prompt: Sequence[int]) -> Ids:
        """The prompt as an array. Raises BackendError if the model can't take it."""
        ids = as_ids(prompt)
        if not len(ids):
            raise BackendError("An empty prompt can't be completed; it needs at least one token.")
        if len(ids) > self.runner.context:
            most = self.runner.context
            raise BackendError(f"The prompt has {len(ids)} tokens; this model takes at most {most}.")
        if ids.view(np.uint64).max() >= self.runner.vocabulary_size:  # a negative one is a large one here
            wrong = ids.min() if ids.min() < 0 else ids.max()
            raise BackendError(f"The prompt holds token {wrong}, which the model does not have.")
        return ids

    def compute(self, sequence: CachedSequence, ids: Ids, before_pass: Callable[[], None] | None) -> int:
        """Appends ids to a sequence, in several passes if they are many; how many were made."""
        passes = 0
        while len(ids):
            if before_pass is not None:
                before_pass()
            now = ids if len(ids) <= self._chunk else ids[: self._chunk]
            started = time.perf_counter()
            sequence.extend(now)
            passes += 1
            if len(now) > 1:
                self._pace(len(now), time.perf_counter() - started)
            ids = ids[len(now) :]
        return passes

    def _pace(self, tokens: int, seconds: float) -> None:
        quick, slow = _PASS_SECONDS
        if seconds < quick and tokens == self._chunk:
            self._chunk = min(2 * self._chunk, self._largest)
        elif seconds > slow:
            self._chunk = max(_SMALLEST_PASS, min(self._chunk, tokens) // 2)

    @contextmanager
    def _sequence(self, prompt: Ids, draft: Sequence[int] = ()) -> Iterator[CachedSequence]:
        """A cached sequence for the prompt; if the engine fails it is thrown away, and the failure told in a
        sentence."""
        drafted = np.concatenate([prompt, as_ids(draft)]) if draft else prompt
        sequence = self.pool.checkout(drafted, len(prompt))
        try:
            yield sequence
        except BackendError:
            self.pool.discard(sequence)
            raise
        except Exception as error:
            self.pool.discard(sequence)
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise BackendError(f"The model failed: {lines[0].rstrip('.')[:200]}.") from error
        except BaseException:
            self.pool.discard(sequence)
            raise
        self.pool.checkin(sequence)
