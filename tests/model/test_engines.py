"""The two engines on the same weights: same logits, same tokens; cutting, forking and growing are exact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cwm_lsp.model.backend import BackendError, Request
from cwm_lsp.model.embedded import OnnxRunner
from cwm_lsp.model.transformers import TorchRunner
from tests.model.conftest import VARIANTS, WINDOW

EACH_VARIANT = [
    pytest.param(each, marks=() if each == "full-last" else pytest.mark.slow) for each in VARIANTS
]

TOLERANCE = 2e-4
LENGTH = 5 * WINDOW + 7


def truth(runner: TorchRunner, ids: np.ndarray) -> np.ndarray:
    """One plain forward pass of transformers, without a cache."""
    with torch.no_grad():
        return runner._model(torch.tensor(ids)[None]).logits[0].float().numpy()


def close(left: np.ndarray, right: np.ndarray) -> bool:
    return float(np.abs(left - right).max()) < TOLERANCE


@pytest.fixture(params=["embedded", "transformers"])
def runner(request: pytest.FixtureRequest, engines: dict[str, Any]) -> Any:
    return engines[request.param].runner


@pytest.mark.parametrize("variant", EACH_VARIANT)
def test_same_logits_past_the_window(
    variant: str, checkpoint: Callable[[str], Path], rng: np.random.Generator
) -> None:
    folder = checkpoint(variant)
    torch_runner = TorchRunner(folder, device="cpu", threads=1)
    ids = rng.integers(0, torch_runner.vocabulary_size, LENGTH)
    expected = truth(torch_runner, ids)
    assert expected.std() > 0.5
    for runner in (OnnxRunner(folder / "model.onnx"), torch_runner):
        assert close(runner.new().extend_all(ids), expected)
        cache = runner.new()
        for start, end in (
            (0, 1),
            (1, 9),
            (9, 10),
            (10, WINDOW + 3),
            (WINDOW + 3, WINDOW + 4),
            (WINDOW + 4, LENGTH),
        ):
            assert close(cache.extend(ids[start:end]), expected[end - 1])
        cache = runner.new()
        cache.extend(ids[: WINDOW - 3])
        for i in range(WINDOW - 3, WINDOW + 9):
            assert close(cache.extend(ids[i : i + 1]), expected[i])


def test_the_window_matters_in_these_tests(
    checkpoint: Callable[[str], Path], rng: np.random.Generator
) -> None:
    """The variants differ where the sequence is longer than the window, and only there."""
    sliding, full = (TorchRunner(checkpoint(name), device="cpu") for name in ("full-last", "all-full"))
    ids = rng.integers(0, sliding.vocabulary_size, LENGTH)
    difference = np.abs(truth(sliding, ids) - truth(full, ids)).max(axis=1)
    assert difference[:WINDOW].max() < TOLERANCE
    assert difference[WINDOW:].max() > 0.05


def test_cutting_is_exact_at_any_depth(
    runner: Any, engines: dict[str, Any], rng: np.random.Generator
) -> None:
    ids = rng.integers(0, runner.vocabulary_size, LENGTH)
    other = rng.integers(0, runner.vocabulary_size, 6)
    reference = engines["transformers"].runner
    cache = runner.new()
    cache.extend(ids)
    for cut in (LENGTH - 1, 3 * WINDOW, WINDOW + 1, WINDOW, WINDOW - 1, 3):
        cache.truncate(cut)
        assert cache.length == cut
        logits = cache.extend(other)
        assert close(logits, truth(reference, np.concatenate([ids[:cut], other]))[-1])


def test_forks_are_independent(runner: Any, engines: dict[str, Any], rng: np.random.Generator) -> None:
    ids = rng.integers(0, runner.vocabulary_size, LENGTH)
    left, right = rng.integers(0, runner.vocabulary_size, (2, 9))
    reference = engines["transformers"].runner
    cache = runner.new()
    cache.extend(ids)
    fork = cache.fork(2 * WINDOW)
    assert (fork.length, cache.length) == (2 * WINDOW, LENGTH)
    on_left = np.array(fork.extend(left))
    on_right = np.array(cache.extend(right))
    assert close(on_left, truth(reference, np.concatenate([ids[: 2 * WINDOW], left]))[-1])
    assert close(on_right, truth(reference, np.concatenate([ids, right]))[-1])
    fork.free()
    fresh = runner.new()
    assert close(fresh.extend(ids[:5]), truth(reference, ids[:5])[-1])


def test_a_sequence_grows_beyond_its_first_buffer(engines: dict[str, Any], rng: np.random.Generator) -> None:
    ids = rng.integers(0, engines["embedded"].runner.vocabulary_size, 1300)
    expected = truth(engines["transformers"].runner, ids)
    cache = engines["embedded"].runner.new()
    cache.extend(ids[:500])
    for start in range(500, 560, 6):
        assert close(cache.extend(ids[start : start + 6]), expected[start + 5])
    assert close(cache.extend(ids[560:]), expected[-1])
    cache.truncate(520)
    assert close(cache.extend(ids[520:521]), expected[520])


def test_a_sequence_does_not_outgrow_the_context(engines: dict[str, Any], rng: np.random.Generator) -> None:
    backend = engines["embedded"]
    assert backend.runner.context == 2048
    with pytest.raises(BackendError, match="2048"):
        backend.runner.new().extend(rng.integers(0, 50, 2049))
    with pytest.raises(BackendError, match="at most 2048"):
        backend.complete(Request(rng.integers(0, 50, 2049).tolist()))
    full = backend.complete(Request(rng.integers(0, 50, 2046).tolist(), max_tokens=10))
    assert (full.reason, len(full.tokens)) == ("length", 3)


@pytest.mark.parametrize("variant", EACH_VARIANT)
def test_same_tokens(variant: str, checkpoint: Callable[[str], Path], rng: np.random.Generator) -> None:
    from cwm_lsp.model.embedded import EmbeddedBackend
    from cwm_lsp.model.transformers import TransformersBackend

    folder = checkpoint(variant)
    embedded, torch_backend = EmbeddedBackend(folder), TransformersBackend(folder, device="cpu", threads=1)
    grammar = (
        'start: <|line_sep|> "{\\"x\\": \\"" /[^"\\\\\\n]{0,20}/ "\\"}" <|action_sep|> LINE <|frame_sep|>\n'
        'LINE: "    x = 1\\n" | "    y = 2\\n"\n'
    )
    for length in (3, WINDOW, 3 * WINDOW):
        prompt = rng.integers(0, embedded.vocabulary.size, length).tolist()
        for request in (Request(prompt, max_tokens=2 * WINDOW), Request(prompt, grammar=grammar)):
            left, right = embedded.complete(request), torch_backend.complete(request)
            assert left.tokens == right.tokens
            assert left.forced == right.forced
            assert left.reason == right.reason
            assert np.allclose(left.logprobs, right.logprobs, atol=1e-3)
            assert np.allclose(left.choice_logprobs, right.choice_logprobs, atol=1e-3)


@pytest.mark.parametrize(("dtype", "limit"), [("fp16", 0.01), ("int8", 0.15)])
def test_smaller_weights(dtype: str, limit: float, vocabulary: Any, exporter: Any, tmp_path: Path) -> None:
    from tests.model.conftest import random_model

    model = random_model(vocabulary)
    path = exporter.export(model, tmp_path, dtype)
    assert path.stat().st_size < 0.6 * exporter.export(model, tmp_path / "fp32").stat().st_size
    difference, agree = exporter.compare(model, path)
    assert difference < limit
    assert agree > 0.7
    assert OnnxRunner(path).dtype == dtype


def test_the_exporter_as_a_command(
    checkpoint: Callable[[str], Path], exporter: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exporter.main([str(checkpoint("full-last")), str(tmp_path / "out"), "--context", "100"]) == 0
    assert '"ok": true' in capsys.readouterr().out
    from cwm_lsp.model.embedded import EmbeddedBackend

    assert EmbeddedBackend(tmp_path / "out").describe().context == 100
