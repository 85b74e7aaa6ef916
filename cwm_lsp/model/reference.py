"""Plain greedy generation, for comparison: no grammar, nothing forced, one token a pass.

`without_cache` computes the whole sequence anew for every token and is what the tests believe; `plainly`
keeps the cache and is what the benchmark calls plain generation.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from cwm_lsp.model.backend import Completion, StopReason, Timing
from cwm_lsp.model.drafting import log_sum_exp
from cwm_lsp.model.runner import Logits, Runner, as_ids


def without_cache(runner: Runner, prompt: Sequence[int], stop: frozenset[int], max_tokens: int) -> Completion:
    """One whole forward pass a token, each on a fresh cache."""
    started, tokens, logprobs = time.perf_counter(), list[int](), list[float]()
    reason: StopReason = "length"
    while len(tokens) < max_tokens and reason == "length":
        cache = runner.new()
        token, logprob = _likeliest(cache.extend(as_ids([*prompt, *tokens])))
        cache.free()
        tokens.append(token)
        logprobs.append(logprob)
        reason = "stop" if token in stop else "length"
    return _completion(tokens, logprobs, reason, time.perf_counter() - started, len(prompt))


def plainly(runner: Runner, prompt: Sequence[int], stop: frozenset[int], max_tokens: int) -> Completion:
    """The prompt in one pass, then one token a pass on the cache."""
    started, tokens, logprobs = time.perf_counter(), list[int](), list[float]()
    reason: StopReason = "length"
    cache, ids = runner.new(), as_ids(prompt)
    while len(tokens) < max_tokens and reason == "length":
        token, logprob = _likeliest(cache.extend(ids))
        ids = as_ids([token])
        tokens.append(token)
        logprobs.append(logprob)
        reason = "stop" if token in stop else "length"
    cache.free()
    return _completion(tokens, logprobs, reason, time.perf_counter() - started, len(prompt))


def _likeliest(logits: Logits) -> tuple[int, float]:
    token = int(logits.argmax())
    return token, float(logits[token]) - log_sum_exp(logits)


def _completion(
    tokens: list[int], logprobs: list[float], reason: StopReason, seconds: float, prompt: int
) -> Completion:
    timing = Timing(seconds, prompt, 0, len(tokens))
    free = (False,) * len(tokens)
    return Completion(tuple(tokens), tuple(logprobs), tuple(logprobs), free, reason, timing)
