"""What can be wrong with a model folder is one sentence, and never an exception of a library."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.catalog import load
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.transformers import TransformersBackend


def sentence(caught: pytest.ExceptionInfo[BackendError]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert "Traceback" not in text
    return text


@pytest.fixture
def folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint("full-last"), tmp_path / "model"))


BACKENDS: list[Any] = [EmbeddedBackend, TransformersBackend]


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_folder(backend: Any, tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        backend(tmp_path / "nothing")
    assert "nothing" in sentence(caught)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model"])
def test_something_is_missing(backend: Any, missing: str, folder: Path) -> None:
    for path in folder.glob(f"{missing}*"):
        path.unlink()
    with pytest.raises(BackendError) as caught:
        backend(folder)
    assert missing in sentence(caught)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.onnx", "model.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_something_is_damaged(backend: Any, name: str, damage: str, folder: Path) -> None:
    if (name == "model.onnx") == (backend is TransformersBackend) and name.startswith("model."):
        pytest.skip("not read by this backend")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(
        {"cut": content[: len(content) // 2], "garbage": b"\x00\xffx" * 99, "empty": b""}[damage]
    )
    with pytest.raises(BackendError) as caught:
        backend(folder)
    assert str(folder) in sentence(caught)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_tokenizer_of_another_model(backend: Any, folder: Path) -> None:
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    most = max(entry["id"] for entry in data["added_tokens"])
    for i in range(5):
        data["added_tokens"].append(
            {**data["added_tokens"][0], "id": most + 1 + i, "content": f"<|more{i}|>"}
        )
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BackendError) as caught:
        backend(folder)
    assert "not of one model" in sentence(caught)


def test_another_architecture(folder: Path) -> None:
    path = folder / "config.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(
        json.dumps(data | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}), encoding="utf-8"
    )
    with pytest.raises(BackendError) as caught:
        TransformersBackend(folder)
    assert "LlamaForCausalLM" in sentence(caught)


def test_an_onnx_model_that_is_not_ours(folder: Path) -> None:
    import onnx

    model = onnx.load(folder / "model.onnx")
    del model.metadata_props[:]
    onnx.save(model, folder / "model.onnx")
    with pytest.raises(BackendError) as caught:
        EmbeddedBackend(folder)
    assert "export.py" in sentence(caught)


@pytest.mark.parametrize("options", [{"dtype": "int3"}, {"device": "cuda:7"}, {"device": "abacus"}])
def test_an_option_that_is_not_there(options: dict[str, Any], folder: Path) -> None:
    with pytest.raises(BackendError) as caught:
        TransformersBackend(folder, **options)
    assert next(iter(options.values())) in sentence(caught)


def test_a_hub_name_that_was_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BackendError) as caught:
        TransformersBackend("nobody/nothing")
    assert "hf download nobody/nothing" in sentence(caught)


def test_without_torch(folder: Path) -> None:
    """In a process where torch can't be imported."""
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from cwm_lsp.model.catalog import load\n"
        "from cwm_lsp.model.backend import BackendError, Request\n"
        f"assert load({str(folder)!r}).complete(Request([1], max_tokens=2)).tokens\n"
        "from cwm_lsp.model.transformers import TransformersBackend\n"
        f"try: TransformersBackend({str(folder)!r})\n"
        "except BackendError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "pip install 'cwm-lsp[transformers]'" in done.stdout, done.stderr


def test_loading_by_name_or_folder(folder: Path) -> None:
    assert load(folder).describe().backend == "embedded"
    (folder / "model.onnx").unlink()
    loaded = load(folder, device="cpu")
    assert loaded.describe().backend == "transformers"
    for name, word in [("no-such-model", "cwm-mini"), ("./nothing", "nothing")]:
        with pytest.raises(BackendError) as caught:
            load(name)
        assert word in sentence(caught)
    with pytest.raises(BackendError) as caught:
        load(folder, colour="blue")
    assert "colour" in sentence(caught)
