"""Drafts: logits judged under the states of a table grammar, all tokens at once; and a guess out of what was
said before (prompt lookup decoding).

Arithmetic only: leaves out the model, and what becomes of the judgement (completing.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cwm_lsp.model.automaton import State
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.runner import Logits

# How many tokens must have come before in the same order, and how many are then guessed.
_SAME = 3
_GUESSED = 12


class Judgement(NamedTuple):
    """For each state the likeliest of its tokens, its natural-log probability under the whole vocabulary,
    and under what the state allows."""

    tokens: list[int]
    logprobs: list[float]
    choice_logprobs: list[float]


def judge(logits: Logits, states: Sequence[State]) -> Judgement:
    """Judges row after row, (N, V), each under its state. Raises BackendError if a number is none."""
    held = logits[:, : len(states[0].mask)] + np.array([state.mask for state in states])
    tokens: list[int] = held.argmax(axis=1).tolist()
    values = held[range(len(tokens)), tokens]
    choices = np.exp(held - values[:, None]).sum(axis=1).tolist()
    most = logits.max(axis=1)
    totals = np.exp(logits - most[:, None]).sum(axis=1).tolist()
    if not all(map(math.isfinite, totals)):
        raise not_a_number()
    below = (values - most).tolist()
    return Judgement(
        tokens,
        [min(0.0, value - math.log(total)) for value, total in zip(below, totals, strict=True)],
        [min(0.0, -math.log(choice)) for choice in choices],
    )


def repeated(ids: Sequence[int]) -> list[int]:
    """What came the last time after the last few of `ids`, as a guess at what comes now; [] if they are new.
    A period that is shorter than the guess goes on in it."""
    tail = list(ids[-_SAME:])
    for start in range(len(ids) - _SAME - 1, -1, -1):
        if ids[start] == tail[0] and list(ids[start : start + _SAME]) == tail:
            found = list(ids)
            for at in range(start + _SAME, start + _SAME + _GUESSED):
                found.append(found[at])
            return found[len(ids) :]
    return []


def log_sum_exp(values: Logits) -> float:
    """log(sum(exp(values))); NaN if the largest of them is not a finite number."""
    most = values.max()
    return float(most) + math.log(np.exp(values - most).sum()) if np.isfinite(most) else math.nan


def not_a_number() -> BackendError:
    """What is told when the logits can't be used."""
    return BackendError("The model's output is not a number: damaged weights, or too narrow a dtype.")
