"""A Cwm checkpoint as a GGUF for llama.cpp, equal in logits, also beyond the sliding window.

llama.cpp has no `cwm` architecture, and its `llama` has no sliding window. `granite_swa` is CWM's block with
a switch per layer between a window and all of the context; what it has beyond that is set so that it does
nothing (a logit scale of 1, attention sinks of -1e30). Leaves out K-quants' arithmetic (llama.cpp does it)
and the vocabulary's form in the file (gguf_vocabulary.py).
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.folder import ModelConfig
from cwm_lsp.model.gguf_vocabulary import add_vocabulary
from cwm_lsp.model.safetensors_reader import Tensors

Quant = Literal["f32", "f16", "bf16", "q8_0", "q6_k", "q4_k_m"]
QUANTS: tuple[Quant, ...] = get_args(Quant)

ARCHITECTURE = "granite_swa"
PLAIN = "llama"
"""For a model without any window: `granite_swa` must have one."""
FILE = "model.gguf"
# What the other files of a model folder are called; they are copied beside the GGUF.
_BESIDE = ("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")
# A finite number that no score comes near: -inf would do the same, but llama.cpp's quantiser rejects it.
_NO_SINK = np.float32(-1e30)
_K_QUANTS = {"q6_k": "LLAMA_FTYPE_MOSTLY_Q6_K", "q4_k_m": "LLAMA_FTYPE_MOSTLY_Q4_K_M"}
_BLOCK = {"q8_0": 32, "q6_k": 256, "q4_k_m": 256}

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """One tensor of the GGUF: its name, shape and how to get it."""

    name: str
    shape: tuple[int, ...]
    make: Callable[[], NDArray[Any]]

    @property
    def vector(self) -> bool:
        return len(self.shape) == 1


def convert(checkpoint: Path, folder: Path, quant: Quant = "q8_0", progress: Progress | None = None) -> Path:
    """Writes `folder/model.gguf` from a checkpoint folder, and the tokenizer and configuration beside it.

    The folder appears only when it is whole. Raises BackendError with one sentence.
    """
    config = ModelConfig.read(checkpoint)
    if config.architecture != "CwmForCausalLM":
        raise BackendError(
            f"{checkpoint} holds a {config.architecture}; only a CwmForCausalLM can be converted."
        )
    gguf = _import_gguf()
    if config.raw.get("quantization_config"):
        raise BackendError(f"{checkpoint} is quantised already; convert the full checkpoint.")
    if folder.exists() and any(folder.iterdir()):
        raise BackendError(f"{folder} is there already; remove it or name another with --output.")
    if quant in _K_QUANTS:
        _import_llama()
    plans = list(_plans(config.raw, Tensors(checkpoint)))
    _check_rows(plans, quant)
    _check_disk(plans, folder, quant)
    draft = folder.with_name(folder.name + ".part")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        first = draft / ("full.gguf" if quant in _K_QUANTS else FILE)
        _write(
            gguf,
            first,
            checkpoint=checkpoint,
            config=config,
            plans=plans,
            quant="f16" if quant in _K_QUANTS else quant,
            progress=progress,
        )
        if quant in _K_QUANTS:
            _quantise(first, draft / FILE, quant, progress)
            first.unlink()
        for name in _BESIDE:
            if (checkpoint / name).is_file():
                shutil.copyfile(checkpoint / name, draft / name)
        with suppress(OSError):
            folder.rmdir()
        draft.rename(folder)
    except OSError as error:
        raise BackendError(f"{folder} can't be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder / FILE


def rope_factors(raw: dict[str, Any]) -> NDArray[np.float32] | None:
    """By what each frequency of the rotary embedding is divided (Llama 3's scaling), (head size / 2,); None
    if there is no scaling."""
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        return None
    if kind != "llama3":
        raise BackendError(f"Positions scaled as {kind!r} can't be written to a GGUF by this version.")
    size = head_size(raw)
    wavelengths = 2 * math.pi * _theta(raw) ** (np.arange(0, size, 2, dtype=np.float64) / size)
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    factor, original = float(rope["factor"]), float(rope["original_max_position_embeddings"])
    smooth = (original / wavelengths - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    scaled = np.where(wavelengths > original / low, factor, between)
    return np.where(wavelengths < original / high, 1.0, scaled).astype(np.float32)


def has_window(raw: dict[str, Any]) -> bool:
    """True if some layers see a window of the context only."""
    return "sliding_attention" in (raw.get("layer_types") or ())


def head_size(raw: dict[str, Any]) -> int:
    """The size of an attention head."""
    return int(raw.get("head_dim") or raw["hidden_size"] // raw["num_attention_heads"])


def _theta(raw: dict[str, Any]) -> float:
    rope = raw.get("rope_parameters") or {}
    return float(rope.get("rope_theta") or raw.get("rope_theta") or 1e6)


def _plans(raw: dict[str, Any], tensors: Tensors) -> Iterator[_Plan]:
    """The tensors of the GGUF in order."""
    heads, kv_heads = int(raw["num_attention_heads"]), int(raw["num_key_value_heads"])
    embedding = "model.embed_tokens.weight"
    yield _plan("token_embd.weight", embedding, tensors)
    yield _plan("output_norm.weight", "model.norm.weight", tensors)
    if not raw.get("tie_word_embeddings"):
        yield _plan("output.weight", "lm_head.weight", tensors)
    factors = rope_factors(raw)
    if factors is not None:
        yield _Plan("rope_freqs.weight", factors.shape, lambda: factors)
    for i in range(int(raw["num_hidden_layers"])):
        theirs, ours = f"model.layers.{i}.", f"blk.{i}."
        sinks = np.full(heads, _NO_SINK, np.float32)
        yield _plan(ours + "attn_norm.weight", theirs + "input_layernorm.weight", tensors)
        yield _plan(ours + "attn_q.weight", theirs + "self_attn.q_proj.weight", tensors, heads)
        yield _plan(ours + "attn_k.weight", theirs + "self_attn.k_proj.weight", tensors, kv_heads)
        yield _plan(ours + "attn_v.weight", theirs + "self_attn.v_proj.weight", tensors)
        yield _plan(ours + "attn_output.weight", theirs + "self_attn.o_proj.weight", tensors)
        if has_window(raw):
            yield _Plan(ours + "attn_sinks.weight", (heads,), lambda sinks=sinks: sinks)  # type: ignore[misc]
        yield _plan(ours + "ffn_norm.weight", theirs + "post_attention_layernorm.weight", tensors)
        for name in ("gate", "up", "down"):
            yield _plan(f"{ours}ffn_{name}.weight", f"{theirs}mlp.{name}_proj.weight", tensors)


def _plan(name: str, theirs: str, tensors: Tensors, heads: int | None = None) -> _Plan:
    def make() -> NDArray[Any]:
        array = tensors.array(theirs)
        return array if heads is None else _interleaved(array, heads)

    return _Plan(name, tensors.shape(theirs), make)


def _interleaved(weight: NDArray[Any], heads: int) -> NDArray[Any]:
    """Rows of queries or keys in the order in which llama.cpp rotates them: pairs side by side."""
    rows, columns = weight.shape
    paired = weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2)
    return paired.reshape(rows, columns)


def _write(
    gguf: Any,
    path: Path,
    *,
    checkpoint: Path,
    config: ModelConfig,
    plans: list[_Plan],
    quant: str,
    progress: Progress | None,
) -> None:
    kinds = gguf.GGMLQuantizationType
    kind = {"f32": kinds.F32, "f16": kinds.F16, "bf16": kinds.BF16, "q8_0": kinds.Q8_0}[quant]
    file_types = gguf.LlamaFileType
    writer = gguf.GGUFWriter(path, ARCHITECTURE if has_window(config.raw) else PLAIN)
    writer.add_file_type(
        {
            "f32": file_types.ALL_F32,
            "f16": file_types.MOSTLY_F16,
            "bf16": file_types.MOSTLY_BF16,
            "q8_0": file_types.MOSTLY_Q8_0,
        }[quant]
    )
    _add_sizes(writer, config)
    add_vocabulary(writer, checkpoint, config)
    each = [kinds.F32 if plan.vector else kind for plan in plans]
    for plan, its in zip(plans, each, strict=True):
        shape, size = plan.shape, math.prod(plan.shape)
        block, bytes_of_block = gguf.GGML_QUANT_SIZES[its]
        dtype = {kinds.F32: np.float32, kinds.F16: np.float16}.get(its, np.uint8)
        if dtype is np.uint8:
            shape = gguf.quant_shape_to_byte_shape(shape, its)
        writer.add_tensor_info(plan.name, shape, np.dtype(dtype), size // block * bytes_of_block, its)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for done, (plan, its) in enumerate(zip(plans, each, strict=True)):
        if progress is not None:
            progress("writing tensors", done, len(plans))
        array = np.ascontiguousarray(plan.make(), dtype=np.float32)
        writer.write_tensor_data(gguf.quants.quantize(array, its))
    writer.close()


def _add_sizes(writer: Any, config: ModelConfig) -> None:
    raw = config.raw
    layers = int(raw["num_hidden_layers"])
    kinds = raw.get("layer_types")
    if not isinstance(kinds, list) or len(kinds) != layers:
        raise BackendError("config.json does not say which layers have a window (layer_types).")
    writer.add_name(config.name)
    writer.add_vocab_size(config.vocabulary)
    writer.add_context_length(config.context)
    writer.add_embedding_length(int(raw["hidden_size"]))
    writer.add_block_count(layers)
    writer.add_feed_forward_length(int(raw["intermediate_size"]))
    writer.add_head_count(int(raw["num_attention_heads"]))
    writer.add_head_count_kv(int(raw["num_key_value_heads"]))
    writer.add_key_length(head_size(raw))
    writer.add_value_length(head_size(raw))
    writer.add_rope_dimension_count(head_size(raw))
    writer.add_rope_freq_base(_theta(raw))
    writer.add_layer_norm_rms_eps(float(raw.get("rms_norm_eps", 1e-5)))
    if has_window(raw):
        writer.add_logit_scale(1.0)
        writer.add_sliding_window(int(raw.get("sliding_window") or config.context))
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in kinds])


def _check_rows(plans: list[_Plan], quant: str) -> None:
    block = _BLOCK.get(quant, 1)
    odd = next((plan for plan in plans if not plan.vector and plan.shape[-1] % block), None)
    if odd is not None:
        raise BackendError(
            f"{odd.name} has rows of {odd.shape[-1]}, and {quant} needs multiples of {block}; use --quant "
            f"f16."
        )


def _check_disk(plans: list[_Plan], folder: Path, quant: str) -> None:
    bits = {"f32": 32, "f16": 16, "bf16": 16, "q8_0": 8.5, "q6_k": 6.6 + 16, "q4_k_m": 4.9 + 16}[quant]
    needed = sum(math.prod(plan.shape) for plan in plans) * bits / 8
    parent = next((each for each in (folder, *folder.parents) if each.is_dir()), None)
    free = shutil.disk_usage(parent).free if parent is not None else math.inf
    if free < needed * 1.02:
        raise BackendError(
            f"Converting needs {needed / 1e9:.1f} GB of disk, and {parent} has {free / 1e9:.1f} GB free; "
            "name another place with --output."
        )


def _quantise(source: Path, target: Path, quant: str, progress: Progress | None) -> None:
    llama = _import_llama()
    if progress is not None:
        progress(f"llama.cpp quantises to {quant}", 0, 1)
    params = llama.llama_model_quantize_default_params()
    params.ftype = getattr(llama, _K_QUANTS[quant])
    from cwm_lsp.model.llama_library import quiet

    with quiet() as said:
        status = llama.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    if status:
        raise BackendError(f"llama.cpp could not quantise to {quant}: {said.last('no reason given')}.")


def _import_gguf() -> Any:
    try:
        import gguf
        import gguf.quants
    except ImportError:
        raise BackendError(
            "Converting to GGUF needs the gguf package: pip install 'cwm-lsp[llama]', or pip install gguf."
        ) from None
    return gguf


def _import_llama() -> Any:
    from cwm_lsp.model.llama_library import library

    return library()
