"""Reads tensors of a checkpoint folder (`*.safetensors`) as numpy arrays, one at a time, from mapped files.

Neither torch nor the safetensors library is needed, and bfloat16, which numpy lacks, is widened to float32.
Leaves out writing, and quantised checkpoints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cwm_lsp.model.backend import BackendError

_LONGEST_HEADER = 100_000_000
_KINDS = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "BF16": "<u2"}


class Tensors:
    """The tensors of a folder by name."""

    def __init__(self, folder: Path) -> None:
        """Reads the headers only. Raises BackendError if there is no whole checkpoint."""
        self._entries: dict[str, tuple[Path, int, dict[str, Any]]] = {}
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            raise BackendError(f"{folder} has no *.safetensors; a checkpoint folder needs them.")
        for path in files:
            self._read_header(path)
        self._check_index(folder)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor. Raises BackendError if there is none of that name."""
        return tuple(self._entry(name)[2]["shape"])

    def array(self, name: str) -> NDArray[Any]:
        """A tensor as float32 or float16, read when it is used. Raises BackendError."""
        path, start, entry = self._entry(name)
        kind = _KINDS.get(entry["dtype"])
        if kind is None:
            raise BackendError(
                f"{path} holds {entry['dtype']} weights, which are quantised; a full checkpoint is needed."
            )
        shape = tuple(entry["shape"])
        first, last = entry["data_offsets"]
        if start + last > path.stat().st_size:
            raise BackendError(f"{path} is cut off; fetch it again.")
        raw: NDArray[Any] = np.memmap(path, kind, "r", start + first, (int(np.prod(shape)),)).reshape(shape)
        if entry["dtype"] == "BF16":
            return (raw.astype(np.uint32) << 16).view(np.float32)
        return raw.astype(np.float32) if entry["dtype"] == "F64" else raw

    def _entry(self, name: str) -> tuple[Path, int, dict[str, Any]]:
        if name not in self._entries:
            raise BackendError(
                f"The checkpoint has no tensor {name}: it is not a CwmForCausalLM, or not whole."
            )
        return self._entries[name]

    def _read_header(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                header = json.loads(file.read(length if length < _LONGEST_HEADER else 0))
            for name, entry in header.items():
                if name != "__metadata__":
                    first, last = entry["data_offsets"]
                    self._entries[name] = (path, 8 + length, {**entry, "data_offsets": (first, last)})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackendError(f"{path} is not a safetensors file, or cut off; fetch it again.") from error

    def _check_index(self, folder: Path) -> None:
        index = folder / "model.safetensors.index.json"
        if not index.is_file():
            return
        try:
            wanted = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackendError(f"{index} can't be read; fetch it again.") from error
        missing = sorted({file for name, file in wanted.items() if name not in self._entries})
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise BackendError(f"{folder} lacks {missing[0]}{more} of its weights; fetch the model again.")
