"""A local backend among threads and event loops: cancelling, priorities, streaming, closing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import Backend, BackendError, Cancel, Request
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.local import Gate

LONG = 200


@pytest.fixture
def prompt(backend: Any, rng: np.random.Generator) -> list[int]:
    ids: list[int] = rng.integers(0, backend.vocabulary.size, 60).tolist()
    return ids


class Watched(Cancel):
    """Is cancelled at the n-th look, and knows how long it took from one look to the next: in this process's
    own time, as a busy machine may halt us for longer than that."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.at: list[float] = []
        self._looks = looks

    @property
    def cancelled(self) -> bool:
        self.at.append(time.process_time())
        return len(self.at) > self._looks

    @property
    def longest(self) -> float:
        return float(np.diff(self.at).max())


def test_cancelling_ends_decoding_within_100_ms(backend: Any, prompt: list[int]) -> None:
    backend.complete(Request(prompt, max_tokens=3))
    cancel = Watched(30)
    completion = backend.complete(Request(prompt, max_tokens=LONG, cancel=cancel))
    assert completion.reason == "cancelled"
    assert 25 <= len(completion.tokens) <= 30
    assert cancel.longest < 0.1
    assert backend.complete(Request(prompt, max_tokens=5)).tokens == completion.tokens[:5]


def test_cancelling_ends_a_long_prompt_within_100_ms(backend: Any, rng: np.random.Generator) -> None:
    long = rng.integers(0, backend.vocabulary.size, 2000).tolist()
    cancel = Watched(2)
    completion = backend.complete(Request(long, max_tokens=40, cancel=cancel))
    assert (completion.reason, completion.tokens) == ("cancelled", ())
    assert completion.timing.prompt_tokens < 2000
    whole = Watched(1000)
    backend.complete(Request(long, max_tokens=1, cancel=whole))
    assert max(cancel.longest, whole.longest) < 0.1


def test_cancelled_before_it_began(backend: Any, prompt: list[int]) -> None:
    cancel = Cancel()
    cancel.cancel()
    completion = backend.complete(
        Request(prompt, grammar="start: <|line_sep|> | <|call_sep|>", cancel=cancel)
    )
    assert (completion.reason, completion.tokens) == ("cancelled", ())


def test_threads_get_their_own_answers(backend: Any, rng: np.random.Generator) -> None:
    prompts = [rng.integers(0, backend.vocabulary.size, 30).tolist() for _ in range(6)]
    expected = [backend.complete(Request(prompt, max_tokens=12)).tokens for prompt in prompts]
    got: dict[int, tuple[int, ...]] = {}

    def work(i: int) -> None:
        priority: Any = "background" if i % 2 else "interactive"
        got[i] = backend.complete(Request(prompts[i], max_tokens=12, priority=priority)).tokens

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[i] for i in range(6)] == expected


def test_background_work_gives_way_between_passes(backend: Any, prompt: list[int]) -> None:
    """On a busy machine the background may be over before the other begins: that try tells nothing."""
    told: list[list[str]] = []
    for attempt in range(8):
        done: list[str] = []
        answers: dict[str, Any] = {}

        def work(done: list[str] = done, answers: dict[str, Any] = answers) -> None:
            answers["background"] = backend.complete(Request(prompt, max_tokens=LONG, priority="background"))
            done.append("background")

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.03 / (attempt + 1))
        backend.complete(Request(prompt[::-1], max_tokens=3))
        done.append("interactive")
        thread.join()
        told.append(done)
        if done[0] == "interactive":
            break
    assert told[-1] == ["interactive", "background"]
    assert answers["background"].tokens == backend.complete(Request(prompt, max_tokens=LONG)).tokens


def test_the_gate_lets_a_cancelled_one_go() -> None:
    gate, cancel = Gate(), Cancel()
    assert gate.enter("interactive", None)
    threading.Timer(0.05, cancel.cancel).start()
    assert not gate.enter("interactive", cancel)
    gate.leave()
    assert gate.enter("background", None)


def test_streaming_gives_the_same_tokens(backend: Any, prompt: list[int]) -> None:
    grammar = 'start: <|line_sep|> "{\\"x\\": \\"" /[a-z ]{30,60}/ "\\"}" <|frame_sep|>'
    for request in (Request(prompt, max_tokens=60), Request(prompt, grammar=grammar)):

        async def collect(request: Request = request) -> list[tuple[int, ...]]:
            return [run async for run in backend.stream(request)]

        runs = asyncio.run(collect())
        assert len(runs) > 1
        assert tuple(token for run in runs for token in run) == backend.complete(request).tokens


def test_leaving_a_stream_cancels_it(backend: Any, prompt: list[int]) -> None:
    async def first() -> tuple[int, ...]:
        stream = backend.stream(Request(prompt, max_tokens=LONG))
        run = await anext(stream)
        await stream.aclose()
        return run

    whole = time.process_time()
    backend.complete(Request(prompt[::-1], max_tokens=LONG))
    whole = time.process_time() - whole
    started = time.process_time()
    assert asyncio.run(first())
    backend.complete(Request(prompt, max_tokens=1))
    assert time.process_time() - started < whole / 2


def test_a_stream_tells_its_error(backend: Any) -> None:
    async def collect() -> list[Any]:
        return [run async for run in backend.stream(Request([]))]

    with pytest.raises(BackendError, match="empty"):
        asyncio.run(collect())


def test_closing(checkpoint: Callable[[str], Path]) -> None:
    backend: Backend = EmbeddedBackend(checkpoint("full-last"))
    assert backend.complete(Request([1, 2], max_tokens=1)).tokens
    assert backend.describe().backend == "embedded"
    backend.close()
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.complete(Request([1, 2]))
