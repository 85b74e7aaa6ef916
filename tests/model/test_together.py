"""Many requests on one model at once: the answers of one after the other, passes shared, priorities kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import BackendError, Cancel, Request
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.shared import SharedBackend
from cwm_lsp.model.together import Batching


class Batched:
    """The embedded engine, with a pass for several sequences: they are computed one by one, but counted as
    one pass. `poison`: a token that breaks the pass that it is in."""

    def __init__(self, runner: Any, pause: float = 0.0) -> None:
        self._runner = runner
        self.sizes: list[int] = []
        self.pause = pause
        self.poison = -1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    def extend_many(self, work: Sequence[tuple[Any, Ids, bool]]) -> list[Logits]:
        self.sizes.append(len(work))
        time.sleep(self.pause)
        if any(self.poison in ids for _, ids, _ in work):
            raise RuntimeError("poison")
        found = []
        for cache, ids, every in work:
            logits = cache.extend_all(ids) if every else cache.extend(ids)[None]
            found.append(np.array(logits))
        return found


@pytest.fixture(params=["in turn", "together"])
def shared(request: pytest.FixtureRequest, checkpoint: Callable[[str], Path]) -> Any:
    local = EmbeddedBackend(checkpoint("full-last"))
    if request.param == "together":
        local._runner = Batched(local.runner)  # type: ignore[assignment]
    return SharedBackend(local, sequences=8)


def run_all(shared: Any, requests: Sequence[Request]) -> list[Any]:
    got: dict[int, Any] = {}
    begin = threading.Barrier(len(requests))

    def work(i: int) -> None:
        begin.wait()
        try:
            got[i] = shared.complete(requests[i])
        except BackendError as error:
            got[i] = error

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [got[i] for i in range(len(requests))]


def prompts(count: int) -> list[list[int]]:
    rng = np.random.default_rng(5)
    stem = rng.integers(0, 5000, 30).tolist()
    return [[*stem, *rng.integers(0, 5000, 1 + 7 * i).tolist()] for i in range(count)]


def test_the_same_answers(shared: Any, engines: dict[str, Any]) -> None:
    grammar = 'start: <|line_sep|> "{\\"x\\": \\"" /[a-z ]{0,20}/ "\\"}" <|frame_sep|>\n'
    requests = [Request(prompt, max_tokens=15) for prompt in prompts(6)]
    requests += [Request(prompt, grammar=grammar) for prompt in prompts(6)]
    expected = [engines["embedded"].complete(request).tokens for request in requests]
    for _ in range(2):
        assert [done.tokens for done in run_all(shared, requests)] == expected
    assert shared.load().running == shared.load().queued == 0


@pytest.mark.slow
def test_passes_are_shared(shared: Any) -> None:
    run_all(shared, [Request(prompt, max_tokens=20) for prompt in prompts(6)])
    runner = shared._together.runner
    if isinstance(runner, Batching):
        assert max(runner.sizes) >= 3
        load = shared.load()
        assert load.together / load.passes > 1.5


@pytest.mark.slow
def test_scores_while_others_run(shared: Any, engines: dict[str, Any]) -> None:
    prompt, options = prompts(1)[0], [[1, 2, 3], [1, 5]]
    expected = engines["embedded"].score(prompt, options)
    thread = threading.Thread(target=lambda: shared.complete(Request([5], max_tokens=200)))
    thread.start()
    assert np.allclose(shared.score(prompt, options), expected, atol=1e-4)
    thread.join(60)


def test_interactive_before_prefetch_before_background(shared: Any) -> None:
    order: list[str] = []
    begun = threading.Event()

    def work(priority: Any) -> None:
        begun.set()
        shared.complete(Request([5, len(order)], max_tokens=250, priority=priority))
        order.append(priority)

    threads = []
    for priority in ("background", "prefetch", "interactive"):
        begun.clear()
        threads.append(threading.Thread(target=work, args=(priority,)))
        threads[-1].start()
        begun.wait()
        time.sleep(0.03)
    for thread in threads:
        thread.join(60)
    assert order == ["interactive", "prefetch", "background"]


@pytest.mark.slow
def test_cancelled_while_it_waits_for_others(shared: Any) -> None:
    thread = threading.Thread(target=lambda: shared.complete(Request([5], max_tokens=1500)))
    thread.start()
    time.sleep(0.05)
    cancel = Cancel()
    threading.Timer(0.1, cancel.cancel).start()
    began = time.monotonic()
    done = shared.complete(Request([6], max_tokens=1500, priority="background", cancel=cancel))
    assert done.reason == "cancelled"
    assert time.monotonic() - began < 2.0
    thread.join(60)


@pytest.mark.slow
def test_only_the_one_to_blame_fails(checkpoint: Callable[[str], Path]) -> None:
    local = EmbeddedBackend(checkpoint("full-last"))
    batched = Batched(local.runner, pause=0.01)
    local._runner = batched  # type: ignore[assignment]
    shared = SharedBackend(local, sequences=8)
    requests = [Request(prompt, max_tokens=12) for prompt in prompts(4)]
    expected = [done.tokens for done in run_all(shared, requests)]
    shared.close()
    with pytest.raises(BackendError, match="closed"):
        shared.complete(requests[0])
    local = EmbeddedBackend(checkpoint("full-last"))
    batched = Batched(local.runner, pause=0.01)
    batched.poison = 4999
    local._runner = batched  # type: ignore[assignment]
    shared = SharedBackend(local, sequences=8)
    done = run_all(shared, [*requests, Request([4999] * 3, max_tokens=12)])
    assert [each.tokens for each in done[:4]] == expected


@pytest.mark.slow
def test_more_requests_than_sequences(checkpoint: Callable[[str], Path], engines: dict[str, Any]) -> None:
    shared = SharedBackend(EmbeddedBackend(checkpoint("full-last")), sequences=2)
    requests = [Request(prompt, max_tokens=5) for prompt in prompts(9)]
    expected = [engines["embedded"].complete(request).tokens for request in requests]
    assert [done.tokens for done in run_all(shared, requests)] == expected
