"""The pool of cached sequences: what is reused, what is forked, what is forgotten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.runner import Ids, SequencePool, as_ids


@pytest.fixture
def runner(engines: dict[str, Any]) -> Any:
    return engines["embedded"].runner


def ask(pool: SequencePool, prompt: Ids) -> int:
    """Computes a prompt; how much of it was there."""
    sequence = pool.checkout(prompt)
    reused = sequence.length
    assert np.array_equal(sequence.ids, prompt[:reused])
    if reused < len(prompt):
        sequence.extend(prompt[reused:])
    else:
        assert sequence.logits is not None
    pool.checkin(sequence)
    return reused


@pytest.fixture
def ids(rng: np.random.Generator, runner: Any) -> Ids:
    return rng.integers(0, runner.vocabulary_size, 400)


def test_a_growing_prompt_is_one_sequence(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner)
    assert [ask(pool, ids[:n]) for n in (50, 60, 61, 61, 200)] == [0, 50, 60, 61, 61]
    assert len(pool) == 1


def test_a_short_tail_is_given_up_and_a_long_one_is_forked(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner)
    ask(pool, ids[:100])
    assert ask(pool, np.concatenate([ids[:95], ids[200:205]])) == 95
    assert len(pool) == 1
    assert ask(pool, np.concatenate([ids[:50], ids[300:340]])) == 50
    assert len(pool) == 2
    assert ask(pool, np.concatenate([ids[:95], ids[200:205]])) == 100


def test_a_prompt_that_ends_inside_a_sequence_needs_its_last_token(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner)
    ask(pool, ids[:100])
    assert ask(pool, ids[:90]) == 89


def test_nothing_in_common_is_a_new_sequence(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner)
    ask(pool, ids[:40])
    assert ask(pool, ids[100:140]) == 0
    assert ask(pool, as_ids([*ids[:3], *ids[200:220]])) == 0
    assert len(pool) == 3
    assert ask(pool, ids[:40]) == 40


def test_a_family_of_forks_does_not_crowd_out_the_others(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner, sequences=8)
    others = [ids[200 + 30 * i : 230 + 30 * i] for i in range(3)]
    for other in others:
        ask(pool, other)
    for i in range(20):
        ask(pool, np.concatenate([ids[:60], np.roll(ids, i + 1)[:60]]))
        assert len(pool) <= 8
    assert [ask(pool, other) for other in others] == [30, 30, 30]


def test_the_oldest_is_forgotten_first(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner, sequences=2)
    a, b, c = ids[:30], ids[100:130], ids[200:230]
    assert [ask(pool, prompt) for prompt in (a, b, a, c, a, b)] == [0, 0, 30, 0, 30, 0]


def test_a_bound_on_all_tokens(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner, sequences=8, tokens=100)
    for start in (0, 100, 200):
        ask(pool, ids[start : start + 45])
    assert len(pool) == 2
    ask(pool, ids[:300])
    assert len(pool) == 1


def test_a_busy_sequence_is_left_alone(runner: Any, ids: Ids) -> None:
    pool = SequencePool(runner, sequences=1)
    held = pool.checkout(ids[:50])
    held.extend(ids[:50])
    other = pool.checkout(ids[:60])
    assert other is not held
    assert other.length == 50
    other.extend(ids[50:60])
    assert np.array_equal(held.ids, ids[:50])
    pool.checkin(other)
    pool.checkin(held)
    pool.clear()
    assert len(pool) == 0
