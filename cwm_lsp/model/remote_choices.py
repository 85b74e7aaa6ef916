"""Frames under a grammar from a server that knows none: decided here, choice by choice.

What the grammar forces is appended here. At a choice the server is asked to go on freely, and as much of its
answer is taken as the grammar allows: a token that is the likeliest of all and allowed is the likeliest of
the allowed. Where it is not allowed, the likeliest allowed one that the server told is taken, else it is
asked again among the allowed only. So the answer is that of a constrained decoder, whatever the server says.
Leaves out the server's form (remote_dialects.py) and transport.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from cwm_lsp.model.answering import Answering
from cwm_lsp.model.backend import Completion, Request, StopReason, Timing
from cwm_lsp.model.grammar import Allowed, Matcher
from cwm_lsp.model.remote_dialects import Ask, Features, Told
from cwm_lsp.model.streaming import Emit
from cwm_lsp.model.vocabulary import HfVocabulary

# How many tokens the server may run ahead: doubled while it is right, halved where it is not.
_SHORTEST, _LONGEST = 4, 64
# A restriction names each allowed token; where there are more, the likeliest that are told must do.
_MOST_NAMED = 2048
_TRIES = 4


class Choosing(Answering):
    """One request being answered."""

    def __init__(
        self,
        ask: Callable[[Ask], Told],
        vocabulary: HfVocabulary,
        features: Features,
        request: Request,
        *,
        matcher: Matcher,
        emit: Emit | None,
    ) -> None:
        super().__init__(vocabulary, request, matcher, emit)
        self._ask = ask
        self._features = features
        # What the server went on with, beginning after so many of our tokens.
        self._ahead = Told([])
        self._ahead_from = 0
        self._run = 16
        self._asked = 0
        self._rng = np.random.default_rng(request.seed)

    def complete(self) -> Completion:
        """Decodes to the end."""
        started = time.perf_counter()
        reason: StopReason | None = "length" if self._request.max_tokens <= 0 else None
        cancel = self._request.cancel
        while reason is None:
            if cancel is not None and cancel.cancelled:
                reason = "cancelled"
                break
            reason = self._force() or self._decide()
            self._stream(final=reason is not None)
        timing = Timing(time.perf_counter() - started, len(self._request.prompt), 0, self._asked)
        return self._answer(reason, timing)

    def _decide(self) -> StopReason | None:
        assert self._allowed is not None
        assert self._matcher is not None
        token, logprob, choice = self._choose(self._allowed)
        reason = self._append(token, logprob, choice, forced=False)
        if reason is None:
            self._matcher.consume((token,))
        return reason

    def _choose(self, allowed: Allowed) -> tuple[int, float, float]:
        """One of the allowed tokens, its log probability, and the same among the allowed."""
        for attempt in range(_TRIES if self._request.temperature > 0 or not self._features.top else 1):
            told, at = self._told(fresh=attempt > 0)
            if at < len(told.tokens) and self._fits(told.tokens[at], allowed):
                token = told.tokens[at]
                return (token, *self._weigh(token, told, at, allowed))
        tops = told.tops[at] if at < len(told.tops) else {}
        self._run = max(_SHORTEST, self._run // 2)
        fitting = {token: value for token, value in tops.items() if self._fits(token, allowed)}
        if fitting:
            token = self._pick(fitting)
            return (token, *self._weigh(token, told, at, allowed))
        return self._among(allowed)

    def _among(self, allowed: Allowed) -> tuple[int, float, float]:
        """The server chooses among the allowed only; where it can't, the first that fits is taken, as likely
        as any other."""
        text = self._text()
        if self._features.allowed and len(allowed) <= _MOST_NAMED:
            named = [token for token in allowed.tolist() if self._vocabulary.may_follow(text, token)]
            told = self._request_run(1, named or allowed.tolist())
            if told.tokens and told.tokens[0] in set(named or allowed.tolist()):
                return (told.tokens[0], *self._weigh(told.tokens[0], told, 0, allowed))
        token = next((t for t in allowed.tolist() if self._vocabulary.may_follow(text, t)), int(allowed[0]))
        even = -math.log(len(allowed))
        return token, even, even

    def _told(self, *, fresh: bool) -> tuple[Told, int]:
        """What the server says comes next, and where in its answer."""
        at = len(self._tokens) - self._ahead_from
        if (
            fresh
            or not (0 <= at < len(self._ahead.tokens))
            or self._ahead.tokens[:at] != self._tokens[self._ahead_from :]
        ):
            self._ahead = self._request_run(self._run, None)
            self._ahead_from, at = len(self._tokens), 0
            self._run = min(_LONGEST, 2 * self._run)
        return self._ahead, at

    def _request_run(self, count: int, allowed: Sequence[int] | None) -> Told:
        request = self._request
        self._asked += 1
        room = request.max_tokens - len(self._tokens)
        return self._ask(
            Ask(
                [*request.prompt, *self._tokens],
                max(1, min(count, room)),
                temperature=request.temperature if allowed is None else 0.0,
                seed=None if request.seed is None else request.seed + self._asked,
                stop=request.stop,
                top=self._features.top,
                allowed=allowed,
                priority=request.priority,
            )
        )

    def _weigh(self, token: int, told: Told, at: int, allowed: Allowed) -> tuple[float, float]:
        """The log probability of a token, and among those allowed that the server told."""
        tops = dict(told.tops[at]) if at < len(told.tops) else {}
        value = told.logprobs[at] if at < len(told.logprobs) and told.tokens[at] == token else tops.get(token)
        value = tops.get(token) if value is None else value
        return (0.0, 0.0) if value is None else (min(0.0, value), among(token, value, tops, allowed))

    def _fits(self, token: int, allowed: Allowed) -> bool:
        return _in(token, allowed) and self._vocabulary.may_follow(self._text(), token)

    def _pick(self, fitting: dict[int, float]) -> int:
        if self._request.temperature <= 0:
            return min(fitting, key=lambda token: (-fitting[token], token))
        values = np.array(list(fitting.values())) / self._request.temperature
        weights = np.exp(values - values.max())
        return int(self._rng.choice(list(fitting), p=weights / weights.sum()))


def among(token: int, value: float, tops: Mapping[int, float], allowed: Allowed) -> float:
    """The log probability of `token`, which has `value` among all, among the `allowed`.

    What the server did not tell is counted against it as far as it can be: the allowed tokens that are not
    among `tops` may have all that is left, but each at most what the last of `tops` has.
    """
    known = {other: each for other, each in tops.items() if other != token}
    mass = math.exp(value) + sum(math.exp(each) for other, each in known.items() if _in(other, allowed))
    told = math.exp(value) + sum(math.exp(each) for each in known.values())
    unknown = len(allowed) - 1 - sum(_in(other, allowed) for other in known)
    least = math.exp(min([value, *known.values()]))
    mass += max(0.0, min(1.0 - told, unknown * least))
    return min(0.0, value - math.log(mass)) if mass > 0 else 0.0


def _in(token: int, allowed: Allowed) -> bool:
    at = int(np.searchsorted(allowed, token))
    return at < len(allowed) and int(allowed[at]) == token
