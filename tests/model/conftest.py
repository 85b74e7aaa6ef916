"""Small random checkpoints of CWM's architecture with a tokenizer of Llama 3's kind, and both engines on
them."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.transformers import TransformersBackend
from cwm_lsp.model.vocabulary import HfVocabulary
from tests.tokenizer_fixture import tokenizer_json

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

ROOT = Path(__file__).parents[2]
WINDOW = 24


def _exporter() -> Any:
    spec = importlib.util.spec_from_file_location(
        "cwm_mini_export", ROOT / "models" / "cwm-mini" / "export.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def exporter() -> Any:
    pytest.importorskip("onnx")
    return _exporter()


@pytest.fixture(scope="session")
def vocabulary() -> HfVocabulary:
    plain = HfVocabulary(tokenizer_json())
    return HfVocabulary(tokenizer_json(), eos=[plain.token("<|end_of_text|>")])


def config(vocabulary: HfVocabulary, **changes: Any) -> Any:
    """A tiny CWM: windows far smaller than the sequences, both kinds of layers, a full last one."""
    fields: dict[str, Any] = {
        "vocab_size": vocabulary.size,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 2048,
        "sliding_window": WINDOW,
        "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 1e6,
            "factor": 16.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 256,
        },
        "bos_token_id": vocabulary.token("<|begin_of_text|>"),
        "eos_token_id": [vocabulary.token("<|end_of_text|>")],
        "pad_token_id": None,
    }
    return transformers.CwmConfig(**(fields | changes))


def random_model(vocabulary: HfVocabulary, seed: int = 0, **changes: Any) -> Any:
    """Random weights, large enough that the logits are far from flat."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model = transformers.CwmForCausalLM(config(vocabulary, **changes)).eval()
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, 0.0, 0.15)
    return model


def save(model: Any, folder: Path, exporter: Any, codec: str | None = None) -> Path:
    """One folder that both engines read."""
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    if codec:
        data = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        (folder / "config.json").write_text(
            json.dumps(data | {"cwm_lsp": {"codec": codec}}), encoding="utf-8"
        )
    exporter.export(model, folder)
    return folder


VARIANTS: dict[str, dict[str, Any]] = {
    "full-last": {},
    "sliding-last": {"layer_types": ["full_attention", *["sliding_attention"] * 3]},
    "tied-default-rope": {
        "tie_word_embeddings": True,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4},
    },
    "one-kv-head": {"num_key_value_heads": 1, "sliding_window": 5},
    "all-full": {"layer_types": ["full_attention"] * 4},
}


@pytest.fixture(scope="session")
def checkpoint(
    tmp_path_factory: pytest.TempPathFactory, vocabulary: HfVocabulary, exporter: Any
) -> Callable[[str], Path]:
    """The folder of a variant, made once."""
    made: dict[str, Path] = {}

    def get(variant: str = "full-last") -> Path:
        if variant not in made:
            model = random_model(vocabulary, **VARIANTS[variant])
            made[variant] = save(model, tmp_path_factory.mktemp(variant), exporter)
        return made[variant]

    return get


@pytest.fixture(scope="session")
def engines(checkpoint: Callable[[str], Path]) -> dict[str, Any]:
    """Both backends on the same weights."""
    folder = checkpoint("full-last")
    return {
        "embedded": EmbeddedBackend(folder),
        "transformers": TransformersBackend(folder, device="cpu", threads=1),
    }


@pytest.fixture(params=["embedded", "transformers"])
def backend(request: pytest.FixtureRequest, engines: dict[str, Any]) -> Any:
    return engines[request.param]


@pytest.fixture(scope="session")
def engine_folder() -> Iterator[Path]:
    """Where the engines of these tests are found; none of them outlives the tests."""
    folder = Path(tempfile.mkdtemp(prefix="cwm-eng-"))
    before = os.environ.get("CWM_LSP_RUNTIME_DIR")
    os.environ["CWM_LSP_RUNTIME_DIR"] = str(folder)
    yield folder
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            os.kill(json.loads(path.read_text(encoding="utf-8"))["pid"], signal.SIGKILL)
    if before is None:
        del os.environ["CWM_LSP_RUNTIME_DIR"]
    else:
        os.environ["CWM_LSP_RUNTIME_DIR"] = before
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
