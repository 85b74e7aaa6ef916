"""The transformers engine: `CwmForCausalLM` from a checkpoint folder or a downloaded hub name.

torch and transformers are imported when a model is loaded, never before. Leaves out decoding
(constrained.py), quantisation and downloads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cwm_lsp.model.backend import BackendError, Description
from cwm_lsp.model.folder import ModelConfig
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.vocabulary import HfVocabulary

DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")

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
        self, folder: Path, dtype: str = "auto", device: str = "auto", threads: int | None = None
    ) -> None:
        torch, library = _import()
        if threads is not None:
            torch.set_num_threads(max(1, threads))
        self._torch = torch
        self._empty = library.DynamicCache
        self.device = _device(torch, device)
        self.dtype = _dtype(torch, dtype, self.device)
        try:
            model = library.CwmForCausalLM.from_pretrained(
                str(folder), dtype=self.dtype, local_files_only=True
            )
            self._model: Any = model.to(self.device).eval()
        except Exception as error:  # OSError, SafetensorError, RuntimeError (out of memory)...
            raise BackendError(f"The model in {folder} can't be loaded: {_first_line(error)}.") from error
        config = self._model.config
        self.vocabulary_size = int(config.vocab_size)
        self.context = int(config.max_position_embeddings)
        self.parameters = sum(p.numel() for p in self._model.parameters())

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
        if self.device == "cuda":
            self._torch.cuda.empty_cache()


class TransformersBackend(LocalBackend):
    """A backend over a checkpoint of CWM's architecture."""

    def __init__(
        self,
        source: Path | str,
        *,
        dtype: str = "auto",
        device: str = "auto",
        threads: int | None = None,
        sequences: int = 8,
        name: str | None = None,
    ) -> None:
        """`source`: a checkpoint folder, or a hub name such as `facebook/cwm` that was downloaded before.
        `dtype` auto is float32 on a CPU and the checkpoint's own elsewhere. Raises BackendError."""
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
        _import()
        vocabulary = HfVocabulary.from_folder(folder, config.eos)
        runner = TorchRunner(folder, dtype, device, threads)
        description = Description(
            name=name or (str(source) if not Path(source).exists() else config.name),
            backend="transformers",
            codec=config.codec,
            parameters=runner.parameters,
            context=runner.context,
            details={
                "folder": str(folder),
                "dtype": str(runner.dtype).removeprefix("torch."),
                "device": runner.device,
            },
        )
        super().__init__(
            runner,
            vocabulary,
            description,
            sequences=sequences,
            cached_tokens=_CACHED_TOKENS,
            largest_pass=_LARGEST_PASS,
        )


def resolve(source: Path | str) -> Path:
    """The folder of a checkpoint. Raises BackendError if it isn't on this machine: nothing is downloaded
    here, a model of this size is never a surprise."""
    folder = Path(source).expanduser()
    name = str(source)
    if folder.is_dir():
        return folder
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise BackendError(f"There is no model folder {source}.")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except Exception as error:
        raise BackendError(
            f"The model {name} is not on this machine; `hf download {name}` fetches it."
        ) from error


def _import() -> tuple[Any, Any]:
    """torch and transformers."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise BackendError(
            f"The transformers backend needs {error.name or 'torch'}, which is not installed: "
            "pip install 'cwm-lsp[transformers]'."
        ) from error
    if not hasattr(transformers, _ARCHITECTURE):
        raise BackendError(
            f"transformers {transformers.__version__} does not know {_ARCHITECTURE}: "
            "pip install 'cwm-lsp[transformers]' brings one that does."
        )
    return torch, transformers


def _device(torch: Any, device: str) -> str:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available.get(device.partition(":")[0]):
        raise BackendError(f"There is no device {device!r} here; choose one of {', '.join(DEVICES)}.")
    return device


def _dtype(torch: Any, dtype: str, device: str) -> Any:
    if dtype == "auto":
        return torch.float32 if device == "cpu" else "auto"
    return getattr(torch, dtype)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
