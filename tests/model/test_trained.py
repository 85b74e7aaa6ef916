"""On a small model that learnt some frames: constrained and unconstrained decoding agree where the latter is
legal."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from cwm_lsp.model.backend import Request
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.reference import plainly, without_cache
from cwm_lsp.model.vocabulary import HfVocabulary
from tests.model.conftest import config, save, transformers

LINES = ["    total = 0\n", "    for item in items:\n", "        total += item\n", "    return total\n"]
FRAMES = 8


def grammar() -> str:
    """Any line, any small number; the frame is one sentence of it."""
    lines = " | ".join(json.dumps(line) for line in LINES)
    return (
        "start: <|line_sep|> LOCALS <|action_sep|> LINE <|frame_sep|>\n"
        'LOCALS: "{\\"item\\": \\"" N "\\", \\"total\\": \\"" N "\\"}"\n'
        f"LINE: {lines}\nN: /-?[0-9]{{1,4}}|\\.\\./\n"
    )


def frame_text(rng: np.random.Generator, i: int) -> str:
    total = ".." if i % 3 == 0 else str(rng.integers(0, 2000))
    return f'{{"item": "{rng.integers(-9, 99)}", "total": "{total}"}}'


@pytest.fixture(scope="module")
def learnt(
    vocabulary: HfVocabulary, exporter: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, list[int]]:
    """A model that learnt one trace by heart, and the trace."""
    rng = np.random.default_rng(3)
    token = vocabulary.token
    ids = [token("<|begin_of_text|>")]
    for i in range(FRAMES):
        ids += [token("<|line_sep|>"), *vocabulary.encode(frame_text(rng, i)), token("<|action_sep|>")]
        ids += [*vocabulary.encode(LINES[i % len(LINES)]), token("<|frame_sep|>")]
    torch.set_num_threads(1)
    torch.manual_seed(1)
    model = transformers.CwmForCausalLM(config(vocabulary, sliding_window=48))
    optimiser = torch.optim.AdamW(model.parameters(), lr=6e-3)
    batch = torch.tensor(ids)[None]
    for step in range(120):
        loss = model(batch, labels=batch).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 10 == 9 and loss.item() < 0.01:
            break
    folder = save(model.eval(), tmp_path_factory.mktemp("learnt"), exporter)
    return EmbeddedBackend(folder), ids


@pytest.mark.slow
def test_constrained_and_unconstrained_agree_on_legal_frames(learnt: tuple[Any, list[int]]) -> None:
    backend, ids = learnt
    end = backend.vocabulary.token("<|frame_sep|>")
    starts = [i + 1 for i, token in enumerate(ids) if token == end][:-1]
    legal = decisions = tokens = 0
    for start in [1, *starts]:
        free = without_cache(backend.runner, ids[:start], frozenset({end}), 60)
        if free.tokens != tuple(ids[start : start + len(free.tokens)]):
            continue
        legal += 1
        assert plainly(backend.runner, ids[:start], frozenset({end}), 60).tokens == free.tokens
        held = backend.complete(Request(ids[:start], grammar=grammar(), stop=frozenset({end})))
        assert held.tokens == free.tokens
        for i, forced in enumerate(held.forced):
            assert forced or held.logprobs[i] == pytest.approx(free.logprobs[i], abs=1e-3)
        decisions += held.decisions
        tokens += len(held.tokens)
    assert legal >= FRAMES - 2
    assert decisions < 0.6 * tokens
