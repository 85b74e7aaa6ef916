"""How a checkpoint is loaded with transformers: types of numbers, quantisation, devices, memory, progress.

Leaves out what is done with the model (transformers.py).
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.folder import ModelConfig
from cwm_lsp.model.memory import Estimate, available_memory, check_fits, estimate, parameters

DTYPES = ("auto", "float32", "bfloat16", "float16", "int8", "nf4")
DEVICES = ("auto", "cpu", "cuda", "mps")
QUANTISED = ("int8", "nf4")

_ARCHITECTURE = "CwmForCausalLM"
_INSTALL = "pip install 'cwm-lsp[transformers]'"
# Tokens that must have room beside the weights before a model is loaded at all.
_LEAST_CACHE = 8192


@dataclass(frozen=True, slots=True)
class Loading:
    """How to load."""

    dtype: str = "auto"
    device: str = "auto"
    offload: bool = False
    progress: Callable[[float], None] | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model, where its input goes, the type that it computes in, and how many weights it has."""

    model: Any
    device: str
    dtype: Any
    parameters: int


def load_model(folder: Path, how: Loading) -> Loaded:
    """Loads a checkpoint. Raises BackendError."""
    torch, library = import_libraries()
    device = pick_device(torch, how.device)
    dtype = _compute_type(torch, how.dtype, device)
    options: dict[str, Any] = {"dtype": dtype, "local_files_only": True}
    if how.dtype in QUANTISED:
        _need("bitsandbytes", how.dtype)
        options["quantization_config"] = _bitsandbytes(library, how.dtype, dtype)
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    if how.dtype in QUANTISED or how.offload or (how.device in ("auto", "cuda") and device == "cuda"):
        _need("accelerate", "this way of loading")
        options["device_map"] = "auto" if device == "cuda" else device
    if how.offload and device == "cuda":
        options["offload_state_dict"] = True
    try:
        with _progress(how.progress):
            model = library.CwmForCausalLM.from_pretrained(str(folder), **options)
        if "device_map" not in options:
            model = model.to(device)
        model = model.eval()
    except MemoryError:
        raise
    except Exception as error:  # OSError, SafetensorError, ImportError, RuntimeError (out of memory)...
        raise BackendError(f"The model in {folder} can't be loaded: {_why(error)}.") from error
    config = ModelConfig.read(folder)
    where = str(model.get_input_embeddings().weight.device)
    return Loaded(model, where, model.dtype, sum(parameters(config.raw)))


def check_memory(
    name: str, config: ModelConfig, dtype: str, device: str, *, offload: bool, tokens: int
) -> Estimate:
    """What the model needs, if it fits where it is to run. Raises BackendError with what would fit."""
    torch, _ = import_libraries()
    where = pick_device(torch, device)
    precision = precision_of(config, dtype, _compute_type(torch, dtype, where))
    try:
        needed = estimate(config.raw, precision, tokens)
        least = min(tokens, _LEAST_CACHE)
        free, place = available_memory(), "this machine"
        if where == "cuda":
            count = torch.cuda.device_count()
            free = sum(float(torch.cuda.mem_get_info(i)[0]) for i in range(count))
            place = "the GPU" if count == 1 else f"{count} GPUs"
            if offload:
                free += available_memory() or 0.0
        check_fits(name, config.raw, precision, tokens=least, available=free, where=place)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise BackendError(f"The configuration of {name} lacks {error}; it is no Cwm checkpoint.") from error
    return needed


def precision_of(config: ModelConfig, dtype: str, computed: Any) -> str:
    """How the weights are held, by the name that memory.py knows."""
    if dtype in QUANTISED:
        return dtype
    quantised = config.raw.get("quantization_config")
    if isinstance(quantised, dict):
        if quantised.get("load_in_8bit") or quantised.get("quant_method") == "fp8":
            return "int8"
        return "nf4" if quantised.get("load_in_4bit") else "awq"
    found = str(computed).removeprefix("torch.")
    own = str(config.raw.get("dtype") or config.raw.get("torch_dtype") or "bfloat16")
    found = own if found == "auto" else found
    return found if found in ("float32", "bfloat16", "float16") else "bfloat16"


def pick_device(torch: Any, device: str) -> str:
    """The device that `device` means here. Raises BackendError if it isn't here."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
    if not available.get(device.partition(":")[0]):
        raise BackendError(f"There is no device {device!r} here; choose one of {', '.join(DEVICES)}.")
    return device


def import_libraries() -> tuple[Any, Any]:
    """torch and transformers. Raises BackendError if they are missing or too old."""
    try:
        import torch
        import transformers
    except ImportError as error:
        raise BackendError(
            f"The transformers backend needs {error.name or 'torch'}, which is not installed: {_INSTALL}."
        ) from error
    if not hasattr(transformers, _ARCHITECTURE):
        raise BackendError(
            f"transformers {transformers.__version__} does not know {_ARCHITECTURE}: "
            f"{_INSTALL} brings one that does."
        )
    return torch, transformers


def _compute_type(torch: Any, dtype: str, device: str) -> Any:
    """The type of numbers that the model computes in, or `auto` for the checkpoint's own."""
    if dtype == "auto":
        return torch.float32 if device == "cpu" else "auto"
    # bitsandbytes' int8 computes in float16 whatever it is told, and says so at every product.
    return {"int8": torch.float16, "nf4": torch.bfloat16}.get(dtype) or getattr(torch, dtype)


def _bitsandbytes(library: Any, dtype: str, computed: Any) -> Any:
    if dtype == "int8":
        return library.BitsAndBytesConfig(load_in_8bit=True)
    return library.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=computed,
    )


def _need(package: str, what: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise BackendError(f"{what} needs {package}, which is not installed: {_INSTALL}.")


@contextmanager
def _progress(tell: Callable[[float], None] | None) -> Iterator[None]:
    """Passes on how far the weights are read, and keeps the library's own bar off the terminal."""
    from transformers.utils import logging as library

    def hook(factory: Any, args: Any, kwargs: Any) -> Any:
        bar = factory(*args, **(kwargs | {"disable": True}))
        items = args[0] if args else kwargs.get("iterable")
        if tell is None or items is None:
            return bar
        return _Told(bar, items, kwargs.get("total"), tell)

    previous = library.set_tqdm_hook(hook)
    try:
        yield
    finally:
        library.set_tqdm_hook(previous)


class _Told:
    """A progress bar that tells a function instead of a terminal."""

    def __init__(self, bar: Any, items: Any, total: int | None, tell: Callable[[float], None]) -> None:
        self._bar, self._items, self._tell = bar, items, tell
        self._total = total or (len(items) if hasattr(items, "__len__") else 0)

    def __iter__(self) -> Iterator[Any]:
        for done, item in enumerate(self._items):
            if self._total:
                self._tell(done / self._total)
            yield item

    def __enter__(self) -> _Told:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bar, name)


def _why(error: BaseException) -> str:
    """The reason in a few words, with the step to take where it is known."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
    if "out of memory" in str(error).lower():
        return "there is not enough memory; take dtype int8 or nf4, or offload = true, in [backend]"
    missing = re.search(r"`?(compressed[-_]tensors|autoawq|gptqmodel|bitsandbytes)`?", str(error))
    if isinstance(error, ImportError) and missing:
        package = missing[1].replace("_", "-")
        return f"its weights are quantised and need the package {package}: pip install {package}"
    return text
