"""llama.cpp and the converter: what the conformance suite does not ask."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import BackendError, Request
from cwm_lsp.model.catalog import load, target
from cwm_lsp.model.gguf_convert import convert, rope_factors
from cwm_lsp.model.safetensors_reader import Tensors
from tests.model.conformance import need_llama
from tests.model.conftest import VARIANTS, WINDOW, random_model, save


@pytest.fixture(scope="module")
def gguf(checkpoint: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    need_llama()
    root = tmp_path_factory.mktemp("gguf")

    def get(variant: str = "full-last", quant: Any = "f32") -> Path:
        folder = root / f"{variant}-{quant}"
        if not folder.is_dir():
            convert(checkpoint(variant), folder, quant)
        return folder

    return get


def opened(folder: Path, **options: Any) -> Any:
    return load(folder, **{"kv": "f32", "threads": 1, **options})


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_shape_of_checkpoint_is_converted_exactly(
    variant: str, gguf: Any, checkpoint: Callable[[str], Path], rng: np.random.Generator
) -> None:
    """Windows in other layers, tied embeddings, other rotary scaling, one key head, no window at all."""
    from cwm_lsp.model.transformers import TorchRunner

    truth = TorchRunner(checkpoint(variant), device="cpu", threads=1)
    ids = rng.integers(0, truth.vocabulary_size, 6 * WINDOW)
    backend = opened(gguf(variant))
    assert np.abs(backend.runner.new().extend_all(ids) - truth.new().extend_all(ids)).max() < 2e-3
    backend.close()


@pytest.mark.slow
def test_any_history_of_cuts_and_forks_is_exact(gguf: Any, rng: np.random.Generator) -> None:
    """Sequences that share cells, are cut, freed and grow again, in an order drawn by lot: what left the
    window of one must not be lost for another."""
    backend = opened(gguf(), sequences=5, context=2048)
    plain = opened(gguf(), sequences=1, context=2048)
    runner, live = backend.runner, []
    for step in range(120):
        kind = rng.integers(0, 5)
        if kind == 0 and len(live) < 5:
            live.append((runner.new(), []))
        elif kind == 1 and live and len(live) < 5:
            cache, ids = live[rng.integers(len(live))]
            if ids:
                length = int(rng.integers(1, len(ids) + 1))
                live.append((cache.fork(length), ids[:length]))
        elif kind == 2 and live:
            cache, ids = live[rng.integers(len(live))]
            length = int(rng.integers(0, len(ids) + 1))
            cache.truncate(length)
            del ids[length:]
        elif kind == 3 and len(live) > 3:
            live.pop(int(rng.integers(len(live))))[0].free()
        for cache, ids in live:
            new = rng.integers(0, 5000, int(rng.integers(1, 40))).tolist()
            if len(ids) + len(new) > 300:
                continue
            logits = np.array(cache.extend(np.array(new)))
            ids.extend(new)
            if step % 10 == 0:
                fresh = plain.runner.new()
                expected = fresh.extend(np.array(ids))
                assert np.abs(logits - expected).max() < 2e-3, (step, len(ids))
                fresh.free()


@pytest.mark.slow
def test_several_sequences_in_one_pass(gguf: Any, rng: np.random.Generator) -> None:
    backend = opened(gguf(), sequences=6)
    ids = [rng.integers(0, 5000, n) for n in (3, 90, 1, 40, 300)]
    alone = []
    for each in ids:
        cache = backend.runner.new()
        alone.append(np.array(cache.extend_all(each)))
        cache.free()
    caches = [backend.runner.new() for _ in ids]
    for rows, whole in zip(
        backend.runner.extend_many([(c, i, True) for c, i in zip(caches, ids, strict=True)]),
        alone,
        strict=True,
    ):
        assert np.abs(rows - whole).max() < 1e-3
    more = backend.runner.extend_many([(cache, np.array([7]), False) for cache in caches])
    assert [row.shape for row in more] == [(1, backend.runner.vocabulary_size)] * 5


@pytest.mark.slow
def test_a_full_cache_gives_up_old_sequences(gguf: Any, rng: np.random.Generator) -> None:
    backend = opened(gguf(), context=512, sequences=4)
    expected = {}
    for i in range(6):
        prompt = rng.integers(0, 5000, 250).tolist()
        expected[i] = (prompt, backend.complete(Request(prompt, max_tokens=8)).tokens)
    for prompt, tokens in expected.values():
        assert backend.complete(Request(prompt, max_tokens=8)).tokens == tokens
    with pytest.raises(BackendError, match="at most 512"):
        backend.complete(Request([5] * 513))
    assert backend.complete(Request([5] * 510, max_tokens=20)).reason == "length"


@pytest.mark.slow
def test_quantised_with_llama_cpp(exporter: Any, vocabulary: Any, tmp_path: Path) -> None:
    need_llama()
    model = random_model(vocabulary, hidden_size=256, intermediate_size=256, head_dim=64)
    folder = save(model, tmp_path / "wide", exporter)
    ids = np.arange(100, 400)
    full = opened(convert(folder, tmp_path / "f32", "f32").parent)
    truth = np.array(full.runner.new().extend_all(ids))
    sizes = {}
    for quant, least in (("q8_0", 0.97), ("q6_k", 0.95), ("q4_k_m", 0.75)):
        path = convert(folder, tmp_path / quant, quant)  # type: ignore[arg-type]
        sizes[quant] = path.stat().st_size
        logits = np.array(opened(path.parent, kv="f16").runner.new().extend_all(ids))
        assert np.corrcoef(logits.ravel(), truth.ravel())[0, 1] > least
    assert sizes["q8_0"] > sizes["q6_k"] > sizes["q4_k_m"]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_a_gguf_brings_its_own_tokenizer(gguf: Any, tmp_path: Path, vocabulary: Any) -> None:
    alone = tmp_path / "foreign.gguf"
    shutil.copyfile(gguf() / "model.gguf", alone)
    backend = opened(alone)
    for text in ("def f(x):\n    return x * 2\n", "<|frame_sep|> ünïcode \t 12345", "'a'  \"b\"\r\n"):
        assert backend.vocabulary.encode(text) == vocabulary.encode(text)
    assert backend.vocabulary.specials() == vocabulary.specials()
    assert (
        backend.complete(Request([5, 6], max_tokens=3)).tokens
        == opened(gguf()).complete(Request([5, 6], max_tokens=3)).tokens
    )


@pytest.mark.slow
def test_a_plain_llama_is_warned_about_beyond_the_window(gguf: Any, tmp_path: Path) -> None:
    """The same weights as somebody else's converter would name them."""
    import gguf as library

    folder = tmp_path / "plain"
    folder.mkdir()
    _as_llama(library, gguf() / "model.gguf", folder / "model.gguf")
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(gguf() / name, folder / name)
    backend = opened(folder)
    assert backend.describe().details["architecture"] == "llama"
    assert "warning" not in backend.describe().details
    assert backend.describe().context <= 8192
    longer = opened(folder, context=9000)
    assert "beyond 8,192 tokens it is another model" in longer.describe().details["warning"]


def _as_llama(library: Any, source: Path, target: Path) -> None:
    reader = library.GGUFReader(source)
    writer = library.GGUFWriter(target, "llama")
    for key, field in reader.fields.items():
        if key.startswith(("GGUF.", "general.architecture")) or "sliding" in key or "logit" in key:
            continue
        kind = field.types[0]
        sub = field.types[1] if kind == library.GGUFValueType.ARRAY else None
        writer.add_key_value(key.replace("granite_swa", "llama"), field.contents(), kind, sub)
    for tensor in reader.tensors:
        if "sinks" not in tensor.name:
            writer.add_tensor(tensor.name, tensor.data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.slow
def test_what_can_not_be_loaded_is_a_sentence(gguf: Any, tmp_path: Path) -> None:
    whole = (gguf() / "model.gguf").read_bytes()
    for name, content in (("empty", b""), ("noise", b"GGUF" + bytes(500)), ("cut", whole[: len(whole) // 2])):
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(content)
        with pytest.raises(BackendError) as caught:
            opened(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(BackendError, match="no GGUF file"):
        load(tmp_path / "none.gguf")
    with pytest.raises(BackendError, match="no kv 'q1'"):
        opened(gguf(), kv="q1")
    with pytest.raises(BackendError, match="without GPU support"):
        opened(gguf(), gpu_layers=5)
    with pytest.raises(BackendError, match=r"needs 0.0 GB \+ .* GB for .* tokens .* free"):
        opened(gguf(), context=10**9)


def test_checkpoints_that_can_not_be_converted(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("full-last"), folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))

    def refused(said: str, **changes: Any) -> None:
        (folder / "config.json").write_text(json.dumps(config | changes), encoding="utf-8")
        with pytest.raises(BackendError, match=said):
            convert(folder, tmp_path / "out", "f16")
        assert not (tmp_path / "out").exists()
        assert not (tmp_path / "out.part").exists()

    refused("LlamaForCausalLM", architectures=["LlamaForCausalLM"])
    refused("quantised already", quantization_config={"load_in_4bit": True})
    refused("layer_types", layer_types=None)
    refused("can't be written to a GGUF", rope_parameters={"rope_type": "yarn"})
    refused("no tensor model.layers.4", num_hidden_layers=5)
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) - 999])
    refused("cut off; fetch it again")
    weights.write_bytes(b"\xff" * 40)
    refused("not a safetensors file")
    weights.write_bytes(whole)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(BackendError, match="is there already"):
        convert(folder, tmp_path / "out", "f16")


def test_bfloat16_checkpoints_are_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    values = torch.randn(5, 7, dtype=torch.bfloat16)
    save_file({"a": values, "b": values.half(), "c": values.float()}, tmp_path / "x.safetensors")
    tensors = Tensors(tmp_path)
    for name, exact in (("a", values), ("b", values.half()), ("c", values.float())):
        assert np.array_equal(np.asarray(tensors.array(name), np.float32), exact.float().numpy())
    assert sorted(tensors) == ["a", "b", "c"]


def test_rotary_scaling_is_that_of_transformers(vocabulary: Any) -> None:
    model = random_model(vocabulary)
    ours = rope_factors(model.config.to_dict())
    assert ours is not None
    plain = 1.0 / 1e6 ** (np.arange(0, 16, 2) / 16)
    assert np.allclose(plain / ours, model.model.rotary_emb.inv_freq.numpy(), rtol=1e-5)


def test_what_a_path_means(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").touch()
    assert target(tmp_path, {})[0] == "llama_cpp"
    assert target(tmp_path / "model.gguf", {})[0] == "llama_cpp"
    assert target("https://x:8000/v1", {"tokenizer": "t"}) == (
        "remote",
        "https://x:8000/v1",
        {"tokenizer": "t"},
    )
    assert target("facebook-cwm-nf4", {"threads": 2})[2]["dtype"] == "nf4"
    assert target("facebook-cwm-nf4", {"dtype": "int8"})[2]["dtype"] == "int8"
    with pytest.raises(BackendError, match="models fetch cwm-gguf-q4"):
        target("cwm-gguf-q4", {})
    with pytest.raises(BackendError, match="needs the server's address"):
        target("remote", {})
