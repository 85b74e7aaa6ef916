"""Loading for real use: memory that does not suffice, packages that are missing, gated models, and what each
of these says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cwm_lsp.model import hub, memory, transformers_load
from cwm_lsp.model.backend import BackendError, Request
from cwm_lsp.model.catalog import connect, find, profiles
from cwm_lsp.model.memory import Estimate, available_memory, check_fits, estimate, parameters
from cwm_lsp.model.transformers import TransformersBackend

CWM: dict[str, Any] = {
    "vocab_size": 128256,
    "hidden_size": 6144,
    "intermediate_size": 21504,
    "num_hidden_layers": 64,
    "num_attention_heads": 48,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "tie_word_embeddings": False,
}


def test_the_estimate_of_cwm_itself() -> None:
    assert sum(parameters(CWM)) == pytest.approx(32.6e9, rel=0.01)
    assert memory.cache_bytes(CWM) == 256 * 1024
    for precision, weights in (("bfloat16", 65.1), ("int8", 34.0), ("nf4", 19.6), ("float32", 130.3)):
        assert estimate(CWM, precision, 0).weights / 1e9 == pytest.approx(weights, rel=0.02), precision
    assert str(estimate(CWM, "nf4", 8192)).endswith("GB + 2.1 GB for 8,192 tokens")
    for name in ("facebook-cwm", "facebook-cwm-int8", "facebook-cwm-nf4"):
        profile = find(name)
        assert profile is not None
        said = float(profile.memory.split()[0])
        assert said == pytest.approx(estimate(CWM, profile.options["dtype"], 0).weights / 1e9, rel=0.05)
        assert profile.parameters == pytest.approx(sum(parameters(CWM)), rel=0.01)


@pytest.mark.slow
def test_the_estimate_is_what_is_loaded(checkpoint: Callable[[str], Path]) -> None:
    torch = pytest.importorskip("torch")
    folder = checkpoint("full-last")
    raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for dtype, size in (("float32", 4), ("bfloat16", 2)):
        backend = TransformersBackend(folder, dtype=dtype, device="cpu", threads=1)
        model: Any = backend.runner._model  # type: ignore[attr-defined]
        real = sum(p.numel() * p.element_size() for p in model.parameters())
        assert estimate(raw, dtype, 0).weights == pytest.approx(real, rel=0.001)
        assert backend.describe().details["dtype"] == dtype
        assert model.dtype == {4: torch.float32, 2: torch.bfloat16}[size]
        backend.close()


@pytest.mark.parametrize(
    ("free", "precision", "said"),
    [
        (24e9, "bfloat16", r"needs 65\.\d GB \+ 2.1 GB for 8,192 tokens .*24.0 GB free: load it as nf4"),
        (48e9, "bfloat16", r"load it as int8 \(.*\) or nf4"),
        (8e9, "nf4", "GGUF of it with fewer bits"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(free: float, precision: str, said: str) -> None:
    with pytest.raises(BackendError, match=said):
        check_fits("facebook/cwm", CWM, precision, tokens=8192, available=free, where="the GPU")
    assert isinstance(check_fits("x", CWM, "nf4", tokens=8192, available=30e9, where="here"), Estimate)
    assert check_fits("x", CWM, "float32", tokens=8192, available=None, where="here").total > 1e11


def test_a_checkpoint_larger_than_the_machine(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused before anything is loaded."""
    folder = tmp_path / "big"
    shutil.copytree(checkpoint("full-last"), folder)
    raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(raw | CWM), encoding="utf-8")
    monkeypatch.setattr(transformers_load, "available_memory", lambda: 16e9)
    monkeypatch.setattr(transformers_load, "load_model", lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(BackendError, match=r"big as bfloat16 needs .*this machine has 16.0 GB free"):
        TransformersBackend(folder, dtype="bfloat16", device="cpu")


def test_the_machines_memory_is_read() -> None:
    free = available_memory()
    assert free is None or 1e7 < free < 1e14


@pytest.mark.slow
def test_progress_is_told(checkpoint: Callable[[str], Path], capfd: pytest.CaptureFixture[str]) -> None:
    told: list[float] = []
    checkpoint("sliding-last")
    capfd.readouterr()
    backend = connect(
        checkpoint("sliding-last"),
        engine=False,
        progress=lambda _, part: told.append(part),
    )
    assert backend.describe().backend in ("embedded", "transformers")
    TransformersBackend(checkpoint("sliding-last"), device="cpu", threads=1, progress=told.append)
    assert len(told) > 5
    assert told == sorted(told)
    assert "%" not in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["int8", "nf4"])
def test_quantised_on_the_cpu(
    dtype: str, checkpoint: Callable[[str], Path], vocabulary: Any, tmp_path: Path
) -> None:
    pytest.importorskip("bitsandbytes")
    pytest.importorskip("accelerate")
    from tests.model.conftest import random_model

    model = random_model(vocabulary, hidden_size=128, intermediate_size=128, head_dim=32)
    model.save_pretrained(tmp_path)
    shutil.copyfile(checkpoint("full-last") / "tokenizer.json", tmp_path / "tokenizer.json")
    backend = TransformersBackend(tmp_path, dtype=dtype, device="cpu", threads=1)
    assert backend.describe().details["dtype"] == dtype
    prompt = [5, 6, 7] * 30
    assert len(backend.complete(Request(prompt, max_tokens=10)).tokens) == 10
    held: Any = backend.runner._model  # type: ignore[attr-defined]
    layer = sum(p.numel() * p.element_size() for p in held.model.layers.parameters())
    full = sum(p.numel() * 4 for p in model.model.layers.parameters())
    assert layer < 0.4 * full


def test_packages_that_are_missing(
    checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_load.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BackendError, match=r"int8 needs bitsandbytes.*pip install 'cwm-lsp\[transformers\]'"):
        TransformersBackend(checkpoint("full-last"), dtype="int8", device="cpu")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            RuntimeError("CUDA out of memory. Tried to allocate 3 GiB"),
            "not enough memory; take dtype int8 or nf4",
        ),
        (
            ImportError("Using `compressed-tensors` quantized models requires ..."),
            "pip install compressed-tensors",
        ),
        (OSError("header too large\nsecond line"), "can't be loaded: header too large."),
    ],
)
def test_reasons_are_put_in_words(
    error: Exception, said: str, checkpoint: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    def fails(*_args: Any, **_options: Any) -> Any:
        raise error

    monkeypatch.setattr(transformers.CwmForCausalLM, "from_pretrained", fails)
    with pytest.raises(BackendError, match=said) as caught:
        TransformersBackend(checkpoint("full-last"), device="cpu")
    assert "\n" not in str(caught.value)


# The hub


class Hub:
    """huggingface_hub with a given outcome."""

    def __init__(self, error: Exception | None, size: int = 10) -> None:
        self.error, self.size = error, size

    def model_info(self, name: str, files_metadata: bool = False) -> Any:
        if self.error is not None:
            raise self.error
        files = [("model.safetensors", self.size), ("config.json", 5), ("pytorch_model.bin", 10**15)]
        return SimpleNamespace(siblings=[SimpleNamespace(rfilename=n, size=s) for n, s in files])


def response(status: int) -> Any:
    return SimpleNamespace(status_code=status, headers={}, request=SimpleNamespace(url="u"), text="")


def errors() -> list[tuple[Any, str]]:
    kinds = pytest.importorskip("huggingface_hub.errors")

    def made(kind: Any, status: int) -> Exception:
        error: Exception = kind.__new__(kind)
        Exception.__init__(error, "a\nb")
        error.response = response(status)  # type: ignore[attr-defined]
        return error

    return [
        (
            made(kinds.GatedRepoError, 403),
            r"is gated: open https://huggingface.co/facebook/cwm, accept .*hf auth login",
        ),
        (made(kinds.RepositoryNotFoundError, 404), "no model facebook/cwm on the hub, or it is private"),
        (made(kinds.HfHubHTTPError, 401), "does not let you fetch"),
        (made(kinds.HfHubHTTPError, 500), r"hub failed \(500\); try again later"),
        (OSError("Network is unreachable"), "goes on where it stopped"),
        (ValueError("something else"), "could not be fetched"),
    ]


@pytest.mark.parametrize("which", range(6))
def test_what_the_hub_says_becomes_a_step_to_take(which: int, monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("huggingface_hub")
    error, said = errors()[which]
    monkeypatch.setattr(library, "HfApi", lambda: Hub(error))
    with pytest.raises(BackendError, match=said) as caught:
        hub.fetch("facebook/cwm")
    assert "\n" not in str(caught.value)


def test_fetching(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(library, "HfApi", lambda: Hub(None, 10**15))
    with pytest.raises(BackendError, match=r"takes 1000000.0 GB, and .* has .* GB free"):
        hub.fetch("facebook/cwm")
    asked: list[Any] = []
    monkeypatch.setattr(library, "HfApi", lambda: Hub(None))
    monkeypatch.setattr(
        library, "snapshot_download", lambda name, **how: asked.append((name, how)) or str(tmp_path)
    )
    told: list[str] = []
    assert hub.fetch("facebook/cwm", tell=told.append) == tmp_path
    assert asked[0][0] == "facebook/cwm"
    assert "*.bin" not in asked[0][1]["allow_patterns"]
    assert told == ["fetching facebook/cwm: 0.0 GB"]


def test_every_profile_says_its_licence_and_what_was_tried() -> None:
    for profile in profiles():
        assert profile.licence
        assert profile.tried
        if profile.hub_name and profile.hub_name.startswith("facebook/"):
            assert profile.gated
            assert "Non-Commercial" in profile.licence
    assert {each.backend for each in profiles()} == {"embedded", "transformers", "llama_cpp", "remote"}
