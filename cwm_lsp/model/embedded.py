"""The embedded engine: a small model under ONNX Runtime, in this process, without torch.

A model folder holds `model.onnx` (written by models/cwm-mini/export.py), `tokenizer.json` and `config.json`.
Keys and values live in buffers of ours, which the graph reads and appends to in place. Leaves out decoding
(constrained.py).
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cwm_lsp.model.backend import BackendError, Description
from cwm_lsp.model.folder import ModelConfig
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.vocabulary import HfVocabulary

FORMAT = 1
"""Version of the graph's inputs and outputs; the exporter writes it into the model's metadata."""

_FIRST_CAPACITY = 512
_LARGEST_PASS = 512
_MASKED = np.float32(-1e30)


def default_folder() -> Path:
    """The folder of the model that is shipped in the package."""
    return Path(str(resources.files("cwm_lsp.model") / "cwm_mini"))


class OnnxCache:
    """Keys and values of one sequence: (layer, key or value, 1, head, position, size), bound to the
    session."""

    def __init__(self, runner: OnnxRunner, capacity: int) -> None:
        self._runner = runner
        self.length = 0
        self.bound: tuple[int, int] | None = None
        self._allocate(capacity)

    @property
    def capacity(self) -> int:
        """How many tokens the buffer has room for."""
        return int(self.state.shape[-2])

    def extend(self, ids: Ids) -> Logits:
        """Appends tokens; logits after the last one (overwritten by the runner's next call)."""
        most = (len(ids) - 1) // _LARGEST_PASS * _LARGEST_PASS
        for start in range(0, most, _LARGEST_PASS):
            self._runner.run(self, ids[start : start + _LARGEST_PASS], 1)
        logits: Logits = self._runner.run(self, ids[most:], 1)[0]
        return logits

    def extend_all(self, ids: Ids) -> Logits:
        """Appends tokens; logits after each (overwritten by the runner's next call if they are few)."""
        return self.extend_last(ids, len(ids))

    def extend_last(self, ids: Ids, count: int) -> Logits:
        """Appends tokens; logits after each of the last `count`."""
        if len(ids) <= _LARGEST_PASS:
            return self._runner.run(self, ids, count)
        parts = [
            self._runner.run(self, part, len(part)).copy()
            for part in (ids[at : at + _LARGEST_PASS] for at in range(0, len(ids), _LARGEST_PASS))
        ]
        return np.concatenate(parts)[-count:]

    def truncate(self, length: int) -> None:
        """Forgets what follows the first `length` tokens."""
        self.length = min(self.length, max(0, length))

    def fork(self, length: int) -> OnnxCache:
        """A copy of the first `length` tokens."""
        other = self._runner.take(self.capacity)
        other.state[..., :length, :] = self.state[..., :length, :]
        other.length = length
        return other

    def free(self) -> None:
        """The buffer goes back to the runner."""
        self.length = 0
        self._runner.give_back(self)

    def grow(self, needed: int) -> None:
        """Makes room for `needed` tokens."""
        old = self.state
        self._allocate(min(self._runner.context, max(needed, 2 * self.capacity)))
        self.state[..., : self.length, :] = old[..., : self.length, :]

    def _allocate(self, capacity: int) -> None:
        runner = self._runner
        shape = (runner.layers, 2, 1, runner.heads, capacity, runner.head_size)
        self.state: NDArray[np.float32] = np.zeros(shape, np.float32)
        self.binding: Any = runner.bind(self.state)
        self.bound = None


class OnnxRunner:
    """A session, and the input and output buffers that its caches share."""

    def __init__(self, model: Path, threads: int = 1) -> None:
        self._session: Any = _open_session(model, threads)
        shape = _shape_of(self._session, model)
        self.layers: int = shape["layers"]
        self.heads: int = shape["kv_heads"]
        self.head_size: int = shape["head_dim"]
        self.parameters: int = shape["parameters"]
        self.dtype: str = shape["dtype"]
        self.context: int = shape["context"]
        self.vocabulary_size: int = shape["vocabulary"]
        # Without a window every layer sees all of the context, and the graph takes no mask.
        self._window: int | None = shape["window"]
        self._ids: NDArray[np.int64] = np.zeros((1, _LARGEST_PASS), np.int64)
        self._positions: NDArray[np.int64] = np.arange(_LARGEST_PASS)
        self._keep: NDArray[np.int64] = np.zeros(_LARGEST_PASS, np.int64)
        self._last: NDArray[np.int32] = np.zeros(1, np.int32)
        self._total: NDArray[np.int32] = np.zeros((), np.int32)
        self._out: NDArray[np.float32] = np.zeros((_LARGEST_PASS, self.vocabulary_size), np.float32)
        self._mask: NDArray[np.float32] = np.zeros(0, np.float32)
        self._unmasked: NDArray[np.float32] = np.zeros(0, np.float32)
        self._row: NDArray[np.float32] = np.zeros(0, np.float32)
        # The heads of these buffers as the session takes them, by length.
        self._heads: dict[tuple[str, int], Any] = {}
        if self._window is not None:
            # The mask of a single new token is the end of this row, however long the sequence is.
            self._row = np.zeros(self.context, np.float32)
            self._row[: self.context - self._window] = _MASKED
        self._idle: list[OnnxCache] = []

    def new(self) -> OnnxCache:
        """An empty cache."""
        return self.take(min(_FIRST_CAPACITY, self.context))

    def take(self, capacity: int) -> OnnxCache:
        """An empty cache with room for `capacity` tokens: a used buffer if one is idle."""
        for cache in self._idle:
            if cache.capacity >= capacity:
                self._idle.remove(cache)
                return cache
        return OnnxCache(self, capacity)

    def give_back(self, cache: OnnxCache) -> None:
        """Keeps a buffer for the next cache."""
        if len(self._idle) < 2:
            self._idle.append(cache)

    def close(self) -> None:
        """Frees the session."""
        self._idle.clear()
        self._heads.clear()
        self._session = None

    def bind(self, state: NDArray[np.float32]) -> Any:
        """A binding that reads and writes `state` in place (the graph appends at the positions that are
        new)."""
        binding = self._session.io_binding()
        for layer in range(self.layers):
            for i, kind in enumerate(("key", "value")):
                part = state[layer, i]
                where = ("cpu", 0, np.float32, part.shape, part.ctypes.data)
                binding.bind_input(f"past.{layer}.{kind}", *where)
                binding.bind_output(f"present.{layer}.{kind}", *where)
        binding.bind_input("last", "cpu", 0, np.int32, (1,), self._last.ctypes.data)
        binding.bind_input("total", "cpu", 0, np.int32, (), self._total.ctypes.data)
        return binding

    def run(self, cache: OnnxCache, ids: Ids, kept: int) -> Logits:
        """One forward pass: appends `ids` to the cache; logits after each of the last `kept` of them,
        (kept, V)."""
        count = len(ids)
        total = cache.length + count
        if total > cache.capacity:
            if total > self.context:
                raise BackendError(f"The sequence grew beyond the model's {self.context} tokens.")
            cache.grow(total)
        binding = cache.binding
        if cache.bound != (count, kept):
            binding.bind_ortvalue_input("ids", self._head("ids", count))
            binding.bind_ortvalue_input("keep", self._head("keep", kept))
            binding.bind_ortvalue_output("logits", self._head("logits", kept))
            cache.bound = (count, kept)
        if self._window is not None:
            mask = self._window_mask(count, total, self._window)
            binding.bind_input("mask", "cpu", 0, np.float32, (1, 1, count, total), mask.ctypes.data)
        self._ids[0, :count] = ids
        self._keep[:kept] = self._positions[count - kept : count]
        self._last[0] = total - 1
        self._total[()] = total
        self._session.run_with_iobinding(binding)
        cache.length = total
        return self._out[:kept]

    def _head(self, name: str, length: int) -> Any:
        """The first `length` places of the buffer of that name, without a copy."""
        found = self._heads.get((name, length))
        if found is None:
            from onnxruntime import OrtValue

            views = {"ids": self._ids[:, :length], "keep": self._keep[:length]}
            view = self._out[None, :length] if name == "logits" else views[name]
            found = self._heads[name, length] = OrtValue.ortvalue_from_numpy(view)
        return found

    def _window_mask(self, count: int, total: int, window: int) -> NDArray[np.float32]:
        """What the sliding layers add to their scores, (count, total): each new token sees `window`
        positions."""
        if count == 1:
            return self._row[self.context - total :]
        if total > window:
            queries = np.arange(total - count, total)[:, None]
            self._mask = np.where(np.arange(total)[None] > queries - window, np.float32(0), _MASKED)
            return self._mask
        if len(self._unmasked) < count * total:
            self._unmasked = np.zeros(2 * count * total, np.float32)
        return self._unmasked


class EmbeddedBackend(LocalBackend):
    """A backend over a model folder with `model.onnx`; without a folder, the model in the package."""

    def __init__(self, folder: Path | str | None = None, *, threads: int = 1, sequences: int = 8) -> None:
        """Loads the model. Raises BackendError with one sentence if it can't."""
        path = default_folder() if folder is None else Path(folder).expanduser()
        config = ModelConfig.read(path)
        vocabulary = HfVocabulary.from_folder(path, config.eos)
        runner = OnnxRunner(path / "model.onnx", threads)
        if runner.vocabulary_size != config.vocabulary:
            raise BackendError(
                f"{path / 'model.onnx'} has {runner.vocabulary_size} tokens and config.json says "
                f"{config.vocabulary}: they are not of one model."
            )
        description = Description(
            name=config.name,
            backend="embedded",
            codec=config.codec,
            parameters=runner.parameters,
            context=runner.context,
            details={
                "folder": str(path),
                "dtype": runner.dtype,
                "threads": threads,
                "device": "cpu",
                **config.own_details(),
            },
        )
        super().__init__(
            runner, vocabulary, description, sequences=sequences, largest_pass=_LARGEST_PASS, first_pass=256
        )


def _open_session(model: Path, threads: int) -> Any:
    import onnxruntime

    if not model.is_file():
        raise BackendError(
            f"{model.parent} has no model.onnx; models/cwm-mini/export.py makes one from a checkpoint."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Shapes change from pass to pass: planning memory for each of them costs more than it saves.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime has a dozen exception types without a common base
        raise BackendError(
            f"{model} can't be loaded; it is damaged or made for another ONNX Runtime."
        ) from error


def _shape_of(session: Any, model: Path) -> dict[str, Any]:
    """The model's sizes, from the metadata that the exporter wrote."""
    try:
        shape: dict[str, Any] = json.loads(session.get_modelmeta().custom_metadata_map["cwm_lsp"])
        version = shape["format"]
    except (KeyError, ValueError, TypeError):
        raise BackendError(
            f"{model} was not made by models/cwm-mini/export.py; its inputs are unknown."
        ) from None
    if version != FORMAT:
        raise BackendError(f"{model} has format {version}, this version reads {FORMAT}: export it again.")
    return shape
