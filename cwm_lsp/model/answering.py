"""An answer that grows under a grammar: the tokens so far, how each came, and what the grammar forces.

What a local decoder (completing.py) and one that asks a server choice by choice (remote_choices.py) have in
common. Leaves out who decides.
"""

from __future__ import annotations

from cwm_lsp.model.backend import BackendError, Completion, Request, StopReason, Timing
from cwm_lsp.model.grammar import Allowed, Matcher
from cwm_lsp.model.spelling import respell
from cwm_lsp.model.streaming import Emit
from cwm_lsp.model.vocabulary import HfVocabulary

# While streaming, the last tokens of a text are held back: they may yet be spelt with other tokens.
HELD_BACK = 16


class Answering:
    """One request being answered. A subclass decides where the grammar leaves a choice."""

    def __init__(
        self, vocabulary: HfVocabulary, request: Request, matcher: Matcher | None, emit: Emit | None
    ) -> None:
        self._vocabulary = vocabulary
        self._request = request
        self._matcher = matcher
        self._emit = emit
        self._tokens: list[int] = []
        self._logprobs: list[float] = []
        self._choices: list[float] = []
        self._forced: list[bool] = []
        # What may come next, once `_force` has left a choice.
        self._allowed: Allowed | None = None
        # Where the text after the last special token begins, and whether its spelling is still to be looked
        # at.
        self._text_start = 0
        self._unchecked = False
        self._emitted = 0

    def _answer(self, reason: StopReason, timing: Timing) -> Completion:
        return Completion(
            tuple(self._tokens),
            tuple(self._logprobs),
            tuple(self._choices),
            tuple(self._forced),
            reason,
            timing,
        )

    def _force(self) -> StopReason | None:
        """Appends all that the grammar leaves no choice about."""
        matcher = self._matcher
        if matcher is None:
            return None
        while not matcher.done:
            if self._unchecked:
                self._respell(matcher)
            tokens = matcher.forced(self._text())
            if not tokens:
                self._allowed = matcher.allowed()
                if len(self._allowed) > 1:
                    return None
                if not len(self._allowed):
                    raise BackendError("The grammar leaves the model no token to go on with.")
                tokens = self._allowed.tolist()
            for token in tokens:
                reason = self._append(token, 0.0, 0.0, forced=True)
                if reason is not None:
                    return reason
            matcher.consume(tokens)
        return "grammar"

    def _text(self) -> list[int]:
        """The tokens since the last special one."""
        return self._tokens[self._text_start :]

    def _append(self, token: int, logprob: float, choice: float, *, forced: bool) -> StopReason | None:
        self._tokens.append(token)
        self._logprobs.append(logprob)
        self._choices.append(choice)
        self._forced.append(forced)
        if self._vocabulary.is_special(token):
            self._text_start = len(self._tokens)
            self._unchecked = False
        else:
            self._unchecked = not self._vocabulary.one_spelling
        if token in self._request.stop:
            return "stop"
        return "length" if len(self._tokens) >= self._request.max_tokens else None

    def _respell(self, matcher: Matcher) -> None:
        """Spells the text since the last special token as the tokenizer would, if the model's tokens differ.
        The text stays; only its tokens change. The probability of the old tokens goes to the first of the
        new."""
        self._unchecked, start = False, self._text_start
        ahead, ended = matcher.forced_text()
        found = respell(self._vocabulary, self._tokens[start:], ahead, ended)
        if found is None or start + found[0] < self._emitted:
            return
        at, new = start + found[0], found[1]
        old = self._tokens[at:]
        matcher.rollback(len(old))
        if not matcher.accepts(new):
            matcher.consume(old)
            return
        matcher.consume(new)
        rest = len(new) - 1
        self._logprobs[at:] = [sum(self._logprobs[at:])] + [0.0] * rest
        self._choices[at:] = [sum(self._choices[at:])] + [0.0] * rest
        self._forced[at:] = [all(self._forced[at:])] + [True] * rest
        self._tokens[at:] = new
        self._respelt(at)

    def _respelt(self, at: int) -> None:
        """The tokens from `at` on are others than they were."""

    def _stream(self, *, final: bool) -> None:
        """Hands out what is certain by now."""
        if self._emit is None:
            return
        safe = len(self._tokens) if final else max(self._text_start, len(self._tokens) - HELD_BACK)
        if safe > self._emitted:
            self._emit(tuple(self._tokens[self._emitted : safe]))
            self._emitted = safe
