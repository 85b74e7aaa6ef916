"""How much memory a model needs, how much there is, and what to say when it does not fit.

The numbers are estimates from `config.json`, made before anything is loaded. Leaves out measuring.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import BackendError

GB = 1e9

# Bytes for each weight of the layers; embeddings and output stay in the type of the computation.
BYTES_PER_WEIGHT: Mapping[str, float] = {
    "float32": 4.0,
    "bfloat16": 2.0,
    "float16": 2.0,
    "int8": 1.0,
    "nf4": 0.53,
    "awq": 0.55,
    "q8_0": 1.0625,
    "q6_k": 0.82,
    "q4_k_m": 0.61,
}
_SMALLER_FIRST = ("bfloat16", "int8", "nf4")
# What a framework takes besides weights and cache, and activations of one pass.
OVERHEAD = 0.6 * GB


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes for the weights, and for keys and values of `tokens` tokens."""

    weights: float
    cache: float
    tokens: int

    @property
    def total(self) -> float:
        """All of it, with what the framework takes."""
        return self.weights + self.cache + OVERHEAD

    def __str__(self) -> str:
        return f"{self.weights / GB:.1f} GB + {self.cache / GB:.1f} GB for {self.tokens:,} tokens"


def parameters(raw: Mapping[str, Any]) -> tuple[int, int]:
    """How many weights the layers have, and embeddings and output. Raises KeyError if sizes are missing."""
    width, layers = int(raw["hidden_size"]), int(raw["num_hidden_layers"])
    heads, kv_heads = int(raw["num_attention_heads"]), int(raw["num_key_value_heads"])
    size = int(raw.get("head_dim") or width // heads)
    attention = 2 * width * size * (heads + kv_heads)
    layer = attention + 3 * width * int(raw["intermediate_size"]) + 2 * width
    outer = int(raw["vocab_size"]) * width * (1 if raw.get("tie_word_embeddings") else 2)
    return layers * layer, outer + width


def cache_bytes(raw: Mapping[str, Any], bytes_each: float = 2.0) -> float:
    """Bytes of keys and values for one token, in all layers."""
    size = int(raw.get("head_dim") or raw["hidden_size"] // raw["num_attention_heads"])
    return 2 * int(raw["num_hidden_layers"]) * int(raw["num_key_value_heads"]) * size * bytes_each


def estimate(raw: Mapping[str, Any], precision: str, tokens: int) -> Estimate:
    """What a checkpoint needs when it is loaded as `precision` and keeps `tokens` tokens."""
    inner, outer = parameters(raw)
    wide = 4.0 if precision == "float32" else 2.0
    weights = inner * BYTES_PER_WEIGHT[precision] + outer * wide
    return Estimate(weights, tokens * cache_bytes(raw, wide), tokens)


def available_memory() -> float | None:
    """Bytes of main memory that can be had: caches that the system would give up included, and no more than
    a container may use. None if the system does not say."""
    found: list[float] = []
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024.0)
        group = Path("/sys/fs/cgroup")
        most = (group / "memory.max").read_text(encoding="ascii").strip()
        if most != "max":
            found.append(int(most) - int((group / "memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError, IndexError):
        pass
    if not found and "SC_AVPHYS_PAGES" in getattr(os, "sysconf_names", {}):
        found.append(float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")))
    return min(found) if found else None


def check_fits(
    name: str, raw: Mapping[str, Any], precision: str, *, tokens: int, available: float | None, where: str
) -> Estimate:
    """The estimate, if it fits. Raises BackendError with what would fit instead."""
    needed = estimate(raw, precision, tokens)
    if available is None or needed.total <= available:
        return needed
    smaller = {
        each: estimate(raw, each, tokens)
        for each in _SMALLER_FIRST
        if BYTES_PER_WEIGHT[each] < BYTES_PER_WEIGHT[precision]
    }
    fitting = [f"{each} ({its.total / GB:.1f} GB)" for each, its in smaller.items() if its.total <= available]
    if fitting:
        instead = f"load it as {' or '.join(fitting)}: set dtype in [backend]"
    else:
        instead = (
            "use a GGUF of it with fewer bits (cwm-lsp models convert), a shared server "
            "(cwm-lsp models show remote), or cwm-mini"
        )
    raise BackendError(
        f"{name} as {precision} needs {needed} and {OVERHEAD / GB:.1f} GB to work in; "
        f"{where} has {available / GB:.1f} GB free: {instead}."
    )
