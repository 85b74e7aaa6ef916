"""What the `config.json` of a model folder says, read without transformers.

Leaves out the weights and the tokenizer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cwm_lsp.model.backend import BackendError

Codec = Literal["cwm", "mini"]


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The fields of `config.json` that we need. `eos` are the ids that end a sequence."""

    vocabulary: int
    context: int
    eos: tuple[int, ...]
    codec: Codec
    architecture: str
    name: str
    raw: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> ModelConfig:
        """Raises BackendError if the folder has no usable config.json."""
        if not folder.is_dir():
            raise BackendError(f"There is no model folder {folder}.")
        path = folder / "config.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise BackendError(f"{folder} has no config.json; a model folder needs one.") from None
        except (OSError, ValueError) as error:
            raise BackendError(f"{path} can't be read: {error}.") from error
        if not isinstance(data, dict):
            raise BackendError(f"{path} is not a model's configuration.")
        return cls._of(data, folder)

    def own_details(self) -> dict[str, Any]:
        """What a description's details say of a model that was trained for us: how often it is right at which
        confidence (world/confidence.py), and whether it writes digits backwards (trace/mini_layout.py)."""
        own = self.raw.get("cwm_lsp")
        return (
            {key: own[key] for key in ("calibration", "digits") if key in own}
            if isinstance(own, dict)
            else {}
        )

    @classmethod
    def _of(cls, data: dict[str, Any], folder: Path) -> ModelConfig:
        eos = data.get("eos_token_id")
        own = data.get("cwm_lsp")
        codec: Codec = "mini" if isinstance(own, dict) and own.get("codec") == "mini" else "cwm"
        architectures = data.get("architectures") or [
            "CwmForCausalLM" if data.get("model_type") == "cwm" else "unknown"
        ]
        try:
            return cls(
                vocabulary=int(data["vocab_size"]),
                context=int(data.get("max_position_embeddings", 131072)),
                eos=tuple(int(i) for i in (eos if isinstance(eos, list) else [] if eos is None else [eos])),
                codec=codec,
                architecture=str(architectures[0]),
                name=folder.name.replace("_", "-"),
                raw=data,
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BackendError(
                f"{folder / 'config.json'} is not a model's configuration ({error!r})."
            ) from error
