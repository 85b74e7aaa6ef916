"""One completion under way: the grammar's forced tokens are appended, the model decides the rest.

One forward pass a decision: all forced tokens before it go into the same pass, and none is made for forced
tokens after the last decision. Leaves out the engine, the cache of sequences and what a grammar is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from cwm_lsp.model.answering import Answering
from cwm_lsp.model.automaton import Table
from cwm_lsp.model.backend import Completion, Request, StopReason, Timing
from cwm_lsp.model.drafting import judge, log_sum_exp, not_a_number, repeated
from cwm_lsp.model.grammar import Allowed, Matcher
from cwm_lsp.model.runner import CachedSequence, Ids, Logits, as_ids
from cwm_lsp.model.streaming import Emit

if TYPE_CHECKING:
    from cwm_lsp.model.constrained import Decoder

# How many tokens may be ruled out at one decision because the tokenizer would not put them there.
_MISFITS = 16
# Prompt and draft are computed in one pass up to this many tokens; beyond it the draft is not used.
_LONGEST_DRAFTED = 256
# A draft that was wrong at one token is tried again behind it if it was right about so many before.
_ENOUGH = 2
# A draft that repeats what came before is tried after so many tokens without one.
_PATIENCE = 6


class _Cancelled(Exception):  # noqa: N818  (it is an answer, not an error)
    """Unwinds to the end of a cancelled request."""


class Completing(Answering):
    """One request being answered: the tokens so far, and how each came."""

    def __init__(
        self,
        decoder: Decoder,
        request: Request,
        prompt: Ids,
        sequence: CachedSequence,
        *,
        matcher: Matcher | None,
        before_pass: Callable[[], None] | None,
        emit: Emit | None,
    ) -> None:
        super().__init__(decoder.vocabulary, request, matcher, emit)
        self._decoder = decoder
        self._prompt = prompt
        self._sequence = sequence
        self._before_pass = before_pass
        self._reused = sequence.length
        self._passes = 0
        self._rng: np.random.Generator | None = None
        self._draft = list(request.draft)
        # From so many tokens on it may be tried whether the answer repeats itself.
        self._next_repeat = _PATIENCE
        # Logits after the prompt and after each token of the draft, once they are computed.
        self._ahead: Logits | None = None

    def go(self) -> StopReason:
        """Decodes to the end; why it ended."""
        reason: StopReason | None = "length" if self._request.max_tokens <= 0 else None
        try:
            table = self._matcher if isinstance(self._matcher, Table) else None
            if table is not None and self._request.temperature > 0:
                table = None
            if table is not None and reason is None:
                reason = self._confirm(table)
            while reason is None:
                reason = self._go_on(table) if table is not None else self._force() or self._decide()
                self._stream(final=reason is not None)
        except _Cancelled:
            reason = "cancelled"
        return reason

    def completion(self, reason: StopReason, started: float) -> Completion:
        """The answer to a request that was `started` then."""
        computed = max(0, min(self._sequence.length, len(self._prompt)) - self._reused)
        timing = Timing(time.perf_counter() - started, computed, self._reused, self._passes)
        return self._answer(reason, timing)

    def _decide(self) -> StopReason | None:
        """One forward pass over what is not computed yet, and one decision."""
        logits = self._compute()
        if logits is None:
            return "length"
        allowed = self._allowed
        values = logits[: self._vocabulary.size] if allowed is None else logits[allowed]
        total = log_sum_exp(logits)
        if not math.isfinite(total):
            raise not_a_number()
        if allowed is None or self._vocabulary.one_spelling:
            index = self._pick(values)
        else:
            index = self._pick_fitting(values, allowed)
        token = index if allowed is None else int(allowed[index])
        logprob = choice = 0.0
        if self._request.logprobs:
            value = float(values[index])
            logprob = min(0.0, value - total)
            choice = logprob if allowed is None else min(0.0, value - log_sum_exp(values))
        reason = self._append(token, logprob, choice, forced=False)
        if self._matcher is not None and reason is None:
            self._matcher.consume((token,))
        return reason

    def _pick(self, values: Logits) -> int:
        if self._request.temperature <= 0:
            return int(values.argmax())
        if self._rng is None:
            self._rng = np.random.default_rng(self._request.seed)
        scaled = values.astype(np.float64) / self._request.temperature
        sums = np.exp(scaled - scaled.max()).cumsum()
        return min(int(np.searchsorted(sums, self._rng.random() * sums[-1], side="right")), len(values) - 1)

    def _pick_fitting(self, values: Logits, allowed: Allowed) -> int:
        """The best token that the tokenizer could put here; what it would spell otherwise is ruled out."""
        first = index = self._pick(values)
        text, kept = self._text(), None
        for _ in range(min(_MISFITS, len(values) - 1)):
            if self._vocabulary.may_follow(text, int(allowed[index])):
                return index
            kept = values.copy() if kept is None else kept
            values[index] = -np.inf
            index = self._pick(values)
        if kept is None or self._vocabulary.may_follow(text, int(allowed[index])):
            return index
        values[:] = kept
        return first

    def _compute(self) -> Logits | None:
        """Logits after the last token, None if the context is full."""
        sequence, start = self._sequence, len(self._prompt)
        if start + len(self._tokens) > self._decoder.runner.context:
            return None
        drafted = self._drafted()
        if drafted is not None:
            return drafted
        if sequence.length < start:
            pending = self._prompt[sequence.length :]
            if self._tokens:
                pending = np.concatenate([pending, as_ids(self._tokens)])
        else:
            pending = as_ids(self._tokens[sequence.length - start :])
        if len(pending):
            self._passes += self._decoder.compute(sequence, pending, self._look_up)
        else:
            self._look_up()
        return sequence.logits

    def _drafted(self) -> Logits | None:
        """Logits after the last token out of a pass over the whole draft; None once the answer is another."""
        count = len(self._tokens)
        if not self._draft:
            return None
        if self._tokens != self._draft[:count]:
            self._leave_draft()
            return None
        if self._ahead is None:
            self._ahead = None if count else self._read_draft()
            if self._ahead is None:
                self._leave_draft()
                return None
        row: Logits = self._ahead[count]
        return row

    def _read_draft(self) -> Logits | None:
        """Logits after the tokens so far and after each that the draft adds to them, in one pass with what is
        not computed before; None if that is too much for one."""
        sequence, start = self._sequence, len(self._prompt) + len(self._tokens)
        ids = np.concatenate([self._prompt, as_ids(self._draft)])
        known = sequence.logits_after(start)
        most = min(_LONGEST_DRAFTED, self._decoder.runner.context - sequence.length)
        if len(ids) - sequence.length > most or (known is None and sequence.length >= start):
            return None
        self._look_up()
        if known is not None and sequence.length >= len(ids):
            return known[: len(ids) - start + 1]
        self._passes += 1
        if known is None:
            return sequence.extend_last(ids[sequence.length :], len(ids) - start + 1)
        return np.concatenate([known, sequence.extend_all(ids[sequence.length :])])

    def _leave_draft(self) -> None:
        """Takes back what is computed of the draft beyond the answer so far."""
        if not self._draft:
            return
        pairs = enumerate(zip(self._tokens, self._draft, strict=False))
        same = next((at for at, (told, drafted) in pairs if told != drafted), len(self._draft))
        self._sequence.truncate(len(self._prompt) + min(same, len(self._tokens)))
        self._draft, self._ahead = [], None

    def _confirm(self, table: Table) -> StopReason | None:
        """Takes over as much of the draft as the model would have said, and its own next token, in one go:
        what `_force` and `_decide` would do token by token. After a token that differs the rest of the draft
        may fit again; None once no draft is left that promises anything."""
        draft = self._draft
        while len(draft) > len(self._tokens):
            before = len(self._tokens)
            states = table.states(draft[before:])
            end = before + len(states)
            # What the grammar does not take, and the last token of an answer, need not be read to be judged;
            # what stands behind an answer is.
            behind = len(draft) > end and draft[end - 1] in states[-1].following
            self._draft = draft if behind else draft[: end - 1]
            rows = self._read_draft()
            if rows is None:
                break
            judged = judge(rows[: len(states)], states)
            reason: StopReason | None = None
            for at, token in enumerate(judged.tokens):
                forced = len(states[at].allowed) == 1
                logprobs = (0.0, 0.0) if forced else (judged.logprobs[at], judged.choice_logprobs[at])
                reason = self._append(token, *logprobs, forced=forced)
                if reason is not None or draft[before + at : before + at + 1] != [token]:
                    break
            said = self._tokens[before:]
            table.consume(said)
            if table.done or reason is not None:
                return reason
            self._leave_draft()
            draft = [*self._tokens, *draft[len(self._tokens) :]] if len(said) > _ENOUGH else []
        self._leave_draft()
        return None

    def _go_on(self, table: Table) -> StopReason | None:
        """Some more tokens: those that came the last time after the same few, if the model says them again,
        else one decision. A draft of this kind that was wrong is not tried again at once."""
        before = len(self._tokens)
        if table.done:
            return "grammar"
        if before >= self._next_repeat:
            again = repeated([*self._request.prompt[-_LONGEST_DRAFTED:], *self._tokens])
            self._draft = [*self._tokens, *again] if again else []
            reason = self._confirm(table)
            told = len(self._tokens) - before
            if again and told <= _ENOUGH:
                self._next_repeat = len(self._tokens) + _PATIENCE
            if told:
                return reason
        return self._force() or self._decide()

    def _look_up(self) -> None:
        """Between passes: others may go first, and the request may have been cancelled."""
        if self._before_pass is not None:
            self._sequence.keep_logits()
            self._before_pass()
        if self._request.cancel is not None and self._request.cancel.cancelled:
            raise _Cancelled

    def _respelt(self, at: int) -> None:
        """What was computed on the old tokens is taken back."""
        self._sequence.truncate(min(self._sequence.length, len(self._prompt) + at))
