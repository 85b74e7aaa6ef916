"""The transformers engine: `CwmForCausalLM` from a checkpoint folder or a downloaded hub name.

torch and transformers are imported when a model is loaded, never before. Leaves out decoding
(constrained.py), how weights are held (transformers_load.py) and downloads (hub.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cwm_lsp.model.backend import BackendError, Description
from cwm_lsp.model.folder import ModelConfig
from cwm_lsp.model.hub import resolve
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.transformers_load import (
    DEVICES,
    DTYPES,
    Loading,
    check_memory,
    import_libraries,
    load_model,
    precision_of,
)
from cwm_lsp.model.vocabulary import HfVocabulary

_ARCHITECTURE = "CwmForCausalLM"
_LARGEST_PASS = 2048
# Keys and values of the 32B model take 256 KiB a token: what the cached sequences may hold together.
_CACHED_TOKENS = 65536


class TorchCache:
    """One sequence. Its `DynamicCache` is made without a config, so that every layer keeps all keys and
    values and the window is a mask: only such a cache can be cut at any depth, again and again."""

    def __init__(self, runner: TorchRunner, cache: Any) -> None:
        self._runner = runner
        self._cache = cache

    @property
    def length(self) -> int:
        """How many tokens are computed."""
        return int(self._cache.get_seq_length())

    def extend(self, ids: Ids) -> Logits:
        """Appends tokens; logits after the last one."""
        logits: Logits = self._runner.forward(ids, self._cache, 1)[-1]
        return logits

    def extend_all(self, ids: Ids) -> Logits:
        """Appends tokens; logits after each."""
        return self._runner.forward(ids, self._cache, 0)

    def truncate(self, length: int) -> None:
        """Forgets what follows the first `length` tokens."""
        surplus = self.length - max(0, length)
        if surplus > 0:
            self._cache.crop(-surplus)  # newer versions take the number to remove, as a negative

    def fork(self, length: int) -> TorchCache:
        """A copy of the first `length` tokens."""
        copy = self._runner.empty()
        for i, layer in enumerate(self._cache.layers):
            copy.update(layer.keys[:, :, :length].clone(), layer.values[:, :, :length].clone(), i)
        return TorchCache(self._runner, copy)

    def free(self) -> None:
        """Drops keys and values."""
        self._cache = self._runner.empty()


class TorchRunner:
    """A loaded model."""

    def __init__(
        self, folder: Path, dtype: str = "auto", device: str = "auto", threads: int | None = None, **how: Any
    ) -> None:
        """`how`: the other fields of `Loading`."""
        torch, library = import_libraries()
        if threads is not None:
            torch.set_num_threads(max(1, threads))
        self._torch = torch
        self._empty = library.DynamicCache
        loaded = load_model(folder, Loading(dtype, device, **how))
        self._model: Any = loaded.model
        self.device: str = loaded.device
        self.dtype: Any = loaded.dtype
        config = self._model.config
        self.vocabulary_size = int(config.vocab_size)
        self.context = int(config.max_position_embeddings)
        self.parameters = loaded.parameters

    def new(self) -> TorchCache:
        """An empty cache."""
        return TorchCache(self, self._empty())

    def empty(self) -> Any:
        """An empty `DynamicCache`."""
        return self._empty()

    def forward(self, ids: Ids, cache: Any, keep: int) -> Logits:
        """One pass: logits of the last `keep` positions (0: of all), (K, V)."""
        torch = self._torch
        with torch.inference_mode():
            tokens = torch.as_tensor(np.ascontiguousarray(ids), device=self.device)[None]
            out = self._model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=keep)
            logits: Logits = out.logits[0].float().cpu().numpy()
        return logits

    def close(self) -> None:
        """Frees the model."""
        self._model = None
        if self.device.startswith("cuda"):
            self._torch.cuda.empty_cache()


class TransformersBackend(LocalBackend):
    """A backend over a checkpoint of CWM's architecture."""

    def __init__(
        self,
        source: Path | str,
        *,
        dtype: str = "auto",
        device: str = "auto",
        offload: bool = False,
        context: int | None = None,
        threads: int | None = None,
        sequences: int = 8,
        name: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """`source`: a checkpoint folder, or a hub name such as `facebook/cwm` that was downloaded before.
        `dtype` auto is float32 on a CPU and the checkpoint's own elsewhere; int8 and nf4 are bitsandbytes'.
        `device` auto spreads over all GPUs, or takes the CPU; `offload` puts what a GPU can't hold into main
        memory. `context`: how many tokens all cached sequences may hold together. Raises BackendError."""
        if dtype not in DTYPES:
            raise BackendError(f"There is no dtype {dtype!r}; choose one of {', '.join(DTYPES)}.")
        folder = resolve(source)
        config = ModelConfig.read(folder)
        if config.architecture != _ARCHITECTURE:
            raise BackendError(
                f"{folder} holds a {config.architecture}; this backend runs {_ARCHITECTURE} only."
            )
        if not any(folder.glob("*.safetensors")):
            raise BackendError(f"{folder} has no model.safetensors; a checkpoint folder needs one.")
        import_libraries()
        kept = min(context or _CACHED_TOKENS, max(config.context, 1))
        called = name or (str(source) if not Path(source).exists() else config.name)
        needed = check_memory(called, config, dtype, device, offload=offload, tokens=kept)
        vocabulary = HfVocabulary.from_folder(folder, config.eos)
        runner = TorchRunner(folder, dtype, device, threads, offload=offload, progress=progress)
        description = Description(
            name=called,
            backend="transformers",
            codec=config.codec,
            parameters=runner.parameters,
            context=runner.context,
            details={
                "folder": str(folder),
                "dtype": precision_of(config, dtype, runner.dtype),
                "device": runner.device,
                "memory": str(needed),
                **config.own_details(),
            },
        )
        super().__init__(
            runner,
            vocabulary,
            description,
            sequences=sequences,
            cached_tokens=context or _CACHED_TOKENS,
            largest_pass=_LARGEST_PASS,
        )


__all__ = ["DEVICES", "DTYPES", "TorchCache", "TorchRunner", "TransformersBackend", "resolve"]
