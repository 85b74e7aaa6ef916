"""The llama.cpp engine: GGUF files through llama-cpp-python's low-level interface.

Sequences share one cache of keys and values whose windowed layers keep everything (`swa_full`): only so can a
sequence be cut at any depth. Several sequences go through one pass. Leaves out decoding (constrained.py),
converting (gguf_convert.py), and llama.cpp's own grammars, which kill the process where they are wrong.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cwm_lsp.model.backend import BackendError, Description
from cwm_lsp.model.folder import Codec, ModelConfig
from cwm_lsp.model.gguf_convert import has_window
from cwm_lsp.model.llama_library import library, quiet
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.memory import GB, OVERHEAD, available_memory
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.vocabulary import HfVocabulary

KV_TYPES = {"f32": 0, "f16": 1, "q8_0": 8}
_KV_BYTES = {"f32": 4.0, "f16": 2.0, "q8_0": 1.0625}
_BATCH = 512
# Logits of one pass: a row of CWM's vocabulary takes half a megabyte.
_OUTPUTS = 64
DEFAULT_CONTEXT = 16384
PLAIN_LLAMA = 8192
"""CWM's window: a GGUF of the architecture `llama` knows none, and is another model beyond it."""


class LlamaCache:
    """One sequence of a context."""

    def __init__(self, runner: LlamaRunner, seq: int, length: int = 0) -> None:
        self._runner = runner
        self.seq = seq
        self.length = length

    def extend(self, ids: Ids) -> Logits:
        """Appends tokens; logits after the last one (overwritten by the next call)."""
        logits: Logits = self._runner.extend_many([(self, ids, False)])[0][-1]
        return logits

    def extend_all(self, ids: Ids) -> Logits:
        """Appends tokens; logits after each."""
        return self._runner.extend_many([(self, ids, True)])[0]

    def truncate(self, length: int) -> None:
        """Forgets what follows the first `length` tokens."""
        if length < self.length:
            self._runner.cut(self.seq, max(0, length))
            self.length = max(0, length)

    def fork(self, length: int) -> LlamaCache:
        """Another sequence with the same first `length` tokens, which both share in memory."""
        return LlamaCache(self._runner, self._runner.copy(self.seq, length), length)

    def free(self) -> None:
        """Gives the sequence back."""
        self._runner.release(self.seq)
        self.length = 0


class LlamaRunner:
    """A loaded GGUF and one context."""

    def __init__(
        self,
        path: Path,
        *,
        context: int,
        sequences: int,
        threads: int,
        gpu_layers: int,
        kv: str,
        flash: bool | None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """`context`: tokens of all sequences together. Raises BackendError."""
        llama = self._llama = library()
        self._model = self._context = None
        params = llama.llama_model_default_params()
        params.n_gpu_layers = gpu_layers
        if progress is not None:
            self._progress = llama.llama_progress_callback(lambda part, _: progress(part) is None)
            params.progress_callback = self._progress
        with quiet() as said:
            self._model = llama.llama_model_load_from_file(str(path).encode(), params)
            if not self._model:
                raise BackendError(
                    f"{path} can't be loaded: {said.last('it is no GGUF that llama.cpp knows')}."
                )
            self.vocabulary_size = int(llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self._model)))
            self.context = context
            self.window = int(llama.llama_model_n_swa(self._model))
            self.parameters = int(llama.llama_model_n_params(self._model))
            self.size = int(llama.llama_model_size(self._model))
            # One sequence more than the pool holds: a fork is made before an old one is dropped. And a
            # shadow for each: llama.cpp overwrites what has left the window of its only owner, also with
            # `swa_full`, and what has two owners it keeps.
            self._shadow = sequences + 1
            made = self._context_params(context, 2 * self._shadow, threads, kv=kv, flash=flash)
            self._context = llama.llama_init_from_model(self._model, made)
            if not self._context:
                self.close()
                why = said.last("not enough memory")
                raise BackendError(f"{path} can't run with {context:,} tokens of context: {why}.")
        self._memory = llama.llama_get_memory(self._context)
        self._idle = list(range(sequences + 1))
        self._batch = _Batch(llama, _BATCH)
        self.relieve: Callable[[], bool] | None = None
        """Called where the cache is full: frees a sequence that nobody uses, False if there is none."""

    def _context_params(
        self, context: int, sequences: int, threads: int, *, kv: str, flash: bool | None
    ) -> Any:
        params = self._llama.llama_context_default_params()
        params.n_ctx = context
        params.n_batch = params.n_ubatch = _BATCH
        params.n_outputs_max = params.n_outputs_max_per_seq = _OUTPUTS
        params.n_seq_max = sequences
        params.n_threads = params.n_threads_batch = threads
        params.type_k = params.type_v = KV_TYPES[kv]
        params.flash_attn_type = -1 if flash is None else int(flash)
        params.swa_full = True
        params.kv_unified = True
        params.no_perf = True
        return params

    def new(self) -> LlamaCache:
        """An empty sequence."""
        return LlamaCache(self, self._take())

    def extend_many(self, work: Sequence[tuple[LlamaCache, Ids, bool]]) -> list[Logits]:
        """Appends tokens to several sequences in as few passes as can be. For each of them the logits after
        its last token, (1, V), or after every token, (T, V). Those of a single sequence's single row are
        overwritten by the next call."""
        before = [cache.length for cache, _, _ in work]
        if any(start + len(ids) > self.context for start, (_, ids, _) in zip(before, work, strict=True)):
            raise BackendError(f"The sequence grew beyond the model's {self.context} tokens.")
        rows: list[list[Logits]] = [[] for _ in work]
        lone = len(work) == 1 and not work[0][2]
        try:
            for piece in self._pieces(work):
                self._pass(piece, rows, copy=not lone)
        except BaseException:
            for start, (cache, _, _) in zip(before, work, strict=True):
                self.cut(cache.seq, start)
                cache.length = start
            raise
        return [each[0][None] if len(each) == 1 else np.stack(each) for each in rows]

    def cut(self, seq: int, length: int) -> None:
        """Forgets a sequence's tokens from `length` on. Raises BackendError if what the window needs is not
        kept any more (it always is with `swa_full`)."""
        llama = self._llama
        oldest = int(llama.llama_memory_seq_pos_min(self._memory, seq))
        if length and oldest > max(0, length - self.window + 1 if self.window else 0):
            raise BackendError("llama.cpp dropped a part of the window; the sequence can't be cut there.")
        for each in (seq, seq + self._shadow):
            if not llama.llama_memory_seq_rm(self._memory, each, length, -1):
                raise BackendError("llama.cpp could not cut a sequence.")

    def copy(self, seq: int, length: int) -> int:
        """A new sequence that shares the first `length` tokens."""
        other = self._take()
        for each in (other, other + self._shadow):
            self._llama.llama_memory_seq_cp(self._memory, seq, each, 0, length)
        return other

    def release(self, seq: int) -> None:
        """Empties a sequence for the next one."""
        if self._context and seq not in self._idle:
            for each in (seq, seq + self._shadow):
                self._llama.llama_memory_seq_rm(self._memory, each, -1, -1)
            self._idle.append(seq)

    def close(self) -> None:
        """Frees the context and the model."""
        if self._context:
            self._llama.llama_free(self._context)
        if self._model:
            self._llama.llama_model_free(self._model)
        self._context = self._model = None

    def _take(self) -> int:
        if not self._idle and not (self.relieve is not None and self.relieve()):
            raise BackendError("All sequences of the model are in use; try again in a moment.")
        return self._idle.pop()

    @staticmethod
    def _pieces(
        work: Sequence[tuple[LlamaCache, Ids, bool]],
    ) -> list[list[tuple[int, LlamaCache, Ids, bool]]]:
        """The work cut into passes of at most so many tokens, and so many rows of logits."""
        pieces: list[list[tuple[int, LlamaCache, Ids, bool]]] = [[]]
        tokens = outputs = 0
        for at, (cache, ids, every) in enumerate(work):
            start = 0
            while start < len(ids):
                room = min(_BATCH - tokens, _OUTPUTS - outputs if every else _BATCH)
                if room <= 0 or outputs >= _OUTPUTS:
                    pieces.append([])
                    tokens = outputs = 0
                    continue
                part = ids[start : start + room]
                start += len(part)
                pieces[-1].append((at, cache, part, every))
                tokens += len(part)
                outputs += len(part) if every else 1
        return pieces

    def _pass(
        self, piece: list[tuple[int, LlamaCache, Ids, bool]], rows: list[list[Logits]], *, copy: bool
    ) -> None:
        batch = self._batch
        batch.clear()
        for _, cache, ids, every in piece:
            batch.add(ids, cache.length, cache.seq, every)
        while (status := self._llama.llama_decode(self._context, batch.native)) == 1:
            if self.relieve is None or not self.relieve():
                raise BackendError(
                    f"The model's cache of {self.context:,} tokens is full; ask for a larger context in "
                    f"[backend]."
                )
        if status:
            raise BackendError(f"llama.cpp failed in a pass (status {status}).")
        at_token = 0
        for at, cache, ids, every in piece:
            end = cache.length + len(ids)
            shadow = cache.seq + self._shadow
            self._llama.llama_memory_seq_cp(self._memory, cache.seq, shadow, cache.length, end)
            cache.length = end
            if not every:
                rows[at].clear()
            for i in range(at_token if every else at_token + len(ids) - 1, at_token + len(ids)):
                row = self._row(i)
                rows[at].append(row.copy() if copy else row)
            at_token += len(ids)

    def _row(self, index: int) -> Logits:
        pointer = self._llama.llama_get_logits_ith(self._context, index)
        if not pointer:
            raise BackendError("llama.cpp gave no logits.")
        row: Logits = np.ctypeslib.as_array(pointer, (self.vocabulary_size,))
        return row


class _Batch:
    """A `llama_batch` over arrays of ours."""

    def __init__(self, llama: Any, size: int) -> None:
        self._tokens: NDArray[np.int32] = np.zeros(size, np.int32)
        self._positions: NDArray[np.int32] = np.zeros(size, np.int32)
        self._counts: NDArray[np.int32] = np.ones(size, np.int32)
        self._sequences: NDArray[np.int32] = np.zeros(size, np.int32)
        self._wanted: NDArray[np.int8] = np.zeros(size, np.int8)
        first = self._sequences.ctypes.data
        self._pointers: NDArray[np.uintp] = (first + 4 * np.arange(size)).astype(np.uintp)
        self.native: Any = llama.llama_batch()
        arrays: list[tuple[str, NDArray[Any], Any]] = [
            ("token", self._tokens, ctypes.c_int32),
            ("pos", self._positions, ctypes.c_int32),
            ("n_seq_id", self._counts, ctypes.c_int32),
            ("seq_id", self._pointers, ctypes.POINTER(ctypes.c_int32)),
            ("logits", self._wanted, ctypes.c_int8),
        ]
        for name, array, kind in arrays:
            pointer = array.ctypes.data_as(ctypes.POINTER(kind))
            setattr(self.native, name, pointer)

    def clear(self) -> None:
        """Begins a pass."""
        self.native.n_tokens = 0

    def add(self, ids: Ids, position: int, seq: int, every: bool) -> None:
        """Adds tokens of a sequence; logits of all of them or of the last."""
        start = int(self.native.n_tokens)
        end = start + len(ids)
        self._tokens[start:end] = ids
        self._positions[start:end] = np.arange(position, position + len(ids))
        self._sequences[start:end] = seq
        self._wanted[start:end] = every
        self._wanted[end - 1] = 1
        self.native.n_tokens = end


class LlamaBackend(LocalBackend):
    """A backend over a GGUF file."""

    def __init__(
        self,
        source: Path | str,
        *,
        context: int | None = None,
        threads: int | None = None,
        gpu_layers: int | None = None,
        kv: str = "f16",
        flash: bool | None = None,
        sequences: int = 4,
        name: str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """`source`: a GGUF, or a folder with one. `gpu_layers`: how many layers a GPU takes (all that fit if
        None and llama.cpp was built for one). `context` is what all cached sequences share. Raises
        BackendError."""
        if kv not in KV_TYPES:
            raise BackendError(f"There is no kv {kv!r}; choose one of {', '.join(KV_TYPES)}.")
        llama = library()
        path = find_gguf(source)
        vocabulary, config, codec = _vocabulary(path)
        about = metadata(path)
        architecture = about["architecture"]
        warning = None
        windowless = architecture == "llama" and (config is None or has_window(config.raw))
        if context is None:
            context = min(int(about["context"]), PLAIN_LLAMA if windowless else DEFAULT_CONTEXT)
        if windowless and context > PLAIN_LLAMA:
            warning = (
                f"{path.name} was converted as a plain llama, without CWM's window: beyond {PLAIN_LLAMA:,} "
                f"tokens "
                "it is another model than CWM (cwm-lsp models convert makes an exact one)"
            )
        on_gpu = bool(llama.llama_supports_gpu_offload())
        layers = gpu_layers if gpu_layers is not None else (-1 if on_gpu else 0)
        if layers and not on_gpu:
            raise BackendError(
                "This llama-cpp-python was built without GPU support; set gpu_layers = 0, or install it with "
                "CMAKE_ARGS=-DGGML_CUDA=on pip install --no-binary :all: llama-cpp-python."
            )
        if not layers:
            _check_memory(path, about, context, kv)
        runner = LlamaRunner(
            path,
            context=context,
            sequences=sequences,
            threads=threads or max(1, (os.cpu_count() or 2) // 2),
            gpu_layers=layers,
            kv=kv,
            flash=flash if flash is not None else (None if layers else False),
            progress=progress,
        )
        details = {
            "file": str(path),
            "architecture": architecture,
            "quant": about["quant"],
            "window": runner.window or None,
            "gpu_layers": layers,
            "kv": kv,
            "device": "gpu" if layers else "cpu",
            **(config.own_details() if config is not None else {}),
        }
        description = Description(
            name=name or (config.name if config is not None else path.stem),
            backend="llama_cpp",
            codec=codec,
            parameters=runner.parameters,
            context=context,
            details=details if warning is None else details | {"warning": warning},
        )
        super().__init__(
            runner, vocabulary, description, sequences=sequences, cached_tokens=context, largest_pass=_BATCH
        )
        runner.relieve = self._pool.relieve


def find_gguf(source: Path | str) -> Path:
    """The GGUF file that `source` names: itself, or the one in a folder. Raises BackendError."""
    path = Path(source).expanduser()
    if path.is_dir():
        found = sorted(path.glob("*.gguf"))
        if not found:
            raise BackendError(
                f"{path} has no GGUF file; cwm-lsp models convert makes one from a checkpoint."
            )
        if len(found) > 1 and "-00001-of-" not in found[0].name:
            raise BackendError(f"{path} has several GGUF files; name one of them.")
        return found[0]
    if not path.is_file():
        raise BackendError(f"There is no GGUF file {path}.")
    return path


def metadata(path: Path) -> dict[str, Any]:
    """Architecture, context and sizes, as llama.cpp reads them; no weights are loaded. Raises
    BackendError."""
    llama = library()
    params = llama.llama_model_default_params()
    params.vocab_only = True
    with quiet() as said:
        model = llama.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise BackendError(f"{path} can't be loaded: {said.last('it is no GGUF that llama.cpp knows')}.")
    try:
        architecture = _meta(llama, model, "general.architecture") or "unknown"

        def number(key: str, otherwise: int) -> int:
            text = _meta(llama, model, f"{architecture}.{key}")
            return int(text) if text else otherwise

        buffer = ctypes.create_string_buffer(256)
        llama.llama_model_desc(model, buffer, 256)
        heads = number("attention.head_count", 1)
        return {
            "architecture": architecture,
            "context": number("context_length", DEFAULT_CONTEXT),
            "layers": number("block_count", 0),
            "kv_heads": number("attention.head_count_kv", heads),
            "head": number("attention.key_length", number("embedding_length", 0) // max(1, heads)),
            "quant": buffer.value.decode("utf-8", "replace"),
        }
    finally:
        llama.llama_model_free(model)


def _meta(llama: Any, model: Any, key: str) -> str | None:
    buffer = ctypes.create_string_buffer(256)
    length = llama.llama_model_meta_val_str(model, key.encode(), buffer, 256)
    return buffer.value.decode("utf-8", "replace") if length >= 0 else None


def _vocabulary(path: Path) -> tuple[HfVocabulary, ModelConfig | None, Codec]:
    """The vocabulary beside the GGUF, else the one in it."""
    folder = path.parent
    config = ModelConfig.read(folder) if (folder / "config.json").is_file() else None
    eos = config.eos if config is not None else ()
    codec: Codec = config.codec if config is not None else "cwm"
    if (folder / "tokenizer.json").is_file():
        return HfVocabulary.from_folder(folder, eos), config, codec
    from cwm_lsp.model.gguf_vocabulary import tokenizer_json

    text, ends = tokenizer_json(path)
    return HfVocabulary(text, eos or ends), config, codec


def _check_memory(path: Path, about: dict[str, Any], context: int, kv: str) -> None:
    weights = sum(part.stat().st_size for part in _parts(path))
    cache = 2 * about["layers"] * about["kv_heads"] * about["head"] * _KV_BYTES[kv] * context
    free = available_memory()
    if free is not None and weights + cache + OVERHEAD > free:
        raise BackendError(
            f"{path.name} needs {weights / GB:.1f} GB + {cache / GB:.1f} GB for {context:,} tokens and "
            f"{OVERHEAD / GB:.1f} GB to work in; this machine has {free / GB:.1f} GB free: take a smaller "
            f"context "
            "or kv = 'q8_0' in [backend], a GGUF with fewer bits, a shared server, or cwm-mini."
        )


def _parts(path: Path) -> list[Path]:
    """The files of a GGUF that is split."""
    if "-00001-of-" not in path.name:
        return [path]
    return sorted(path.parent.glob(path.name.replace("-00001-of-", "-*-of-")))
