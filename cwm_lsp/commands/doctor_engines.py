"""The part of the diagnosis about where models run: llama.cpp, engines, the chosen model, GPUs, editors.

Loads no model and starts no engine; a server that is chosen is asked who it is. Leaves out the rest
(doctor.py).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cwm_lsp import config
from cwm_lsp.doctor import Finding
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.catalog import find, target
from cwm_lsp.model.memory import GB, available_memory

EDITORS = {
    "code": "VS Code",
    "codium": "VSCodium",
    "nvim": "Neovim",
    "emacs": "Emacs",
    "hx": "Helix",
    "kak": "Kakoune",
    "kate": "Kate",
    "zed": "Zed",
    "subl": "Sublime Text",
}
# What the weights of CWM take in GB, smallest last, by the profile's name.
_SIZES = {"facebook-cwm": 65.0, "facebook-cwm-int8": 34.0, "facebook-cwm-nf4": 20.0}


def llama() -> Iterator[Finding]:
    """Whether GGUF files can be run, and on what."""
    if importlib.util.find_spec("llama_cpp") is None:
        yield Finding(
            "llama.cpp",
            "ok",
            "not installed; only GGUF models need it",
            "pip install 'cwm-lsp[llama]' (compiles)",
        )
        return
    from cwm_lsp.model.llama_library import library

    try:
        module = library()
    except BackendError as error:
        yield Finding("llama.cpp", "warn", str(error), "pip install --force-reinstall 'cwm-lsp[llama]'")
        return
    version = importlib.metadata.version("llama-cpp-python")
    where = "with GPU support" if module.llama_supports_gpu_offload() else "for the CPU"
    yield Finding("llama.cpp", "ok", f"llama-cpp-python {version}, {where}")
    if importlib.util.find_spec("gguf") is None:
        yield Finding("gguf", "warn", "not installed: models can't be converted", "pip install gguf")


def engines() -> Iterator[Finding]:
    """Engines that run, and what dead ones left."""
    from cwm_lsp.model.engine_paths import FileLock, places, runtime_folder
    from cwm_lsp.model.http_client import Endpoint, HttpClient, HttpError

    try:
        folder = runtime_folder()
    except BackendError as error:
        yield Finding("engines", "error", str(error), "set CWM_LSP_RUNTIME_DIR to a folder of yours")
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    yield Finding("engines", "ok", f"found in {folder} (mode {mode:o})")
    for place in places():
        state = place.read_state()
        name = str(state.get("model", place.key))
        try:
            if state.get("port"):
                client = HttpClient(
                    Endpoint(f"http://127.0.0.1:{state['port']}", key=str(state.get("token", "")))
                )
            else:
                client = HttpClient(Endpoint(socket=place.socket))
            said = client.json("GET", "/v1/cwm-lsp/status", timeout=5.0)
            client.close()
        except HttpError as error:
            lock = FileLock(place.lock)
            if lock.acquire():
                lock.release()
                yield Finding(
                    "engine", "warn", f"{name} died and left its files", "cwm-lsp engine status removes them"
                )
            else:
                yield Finding("engine", "warn", f"{name} does not answer: {error}", "cwm-lsp engine stop")
            continue
        memory = f", {said.get('memory', 0) / GB:.1f} GB of memory"
        yield Finding("engine", "ok", f"{name} is {said.get('state')}{memory}, pid {said.get('pid')}")


def chosen() -> Iterator[Finding]:
    """The model that the settings name: can it be had."""
    loaded = config.load()
    settings = loaded.settings
    name = settings.model
    profile = find(name)
    try:
        backend, source, _ = target(name, settings.backend)
    except BackendError as error:
        yield Finding("model", "error", str(error), "cwm-lsp models use NAME")
        return
    if backend == "remote":
        yield from _server(str(source))
    elif profile is not None and profile.name == config.Settings().model and not loaded.path.exists():
        yield Finding(
            "model", "ok", f"{name}, the one that comes with the package", _better(available_memory())
        )
    else:
        yield Finding("model", "ok", f"{name} ({backend})")


def _server(url: str) -> Iterator[Finding]:
    from cwm_lsp.model.http_client import Endpoint, HttpClient, HttpError
    from cwm_lsp.model.remote import KEY_VARIABLE, key_of

    options = config.load().settings.backend
    url = url.rstrip("/").removesuffix("/v1")
    ca = options.get("ca")
    try:
        client = HttpClient(
            Endpoint(
                url,
                key=key_of(str(options.get("key_env", KEY_VARIABLE)), url),
                ca=None if ca is None else Path(str(ca)).expanduser(),
                connect_timeout=5.0,
            )
        )
        client.json("GET", "/v1/models", timeout=5.0)
        yield Finding("server", "ok", f"{client.endpoint.shown} answers")
    except HttpError as error:
        if error.status in (404, 405):
            yield Finding("server", "ok", f"{urlsplit(url).netloc} answers")
        else:
            yield Finding("server", "error", str(error), "start it, or cwm-lsp models use cwm-mini")
    except BackendError as error:
        yield Finding("server", "error", str(error), "correct url in [backend]")


def _better(free: float | None) -> str:
    """How to get a better model than the small one."""
    fits = [name for name, size in _SIZES.items() if free is not None and size * GB < free]
    if fits and importlib.util.find_spec("torch") is not None:
        return f"{fits[0]} knows far more, and would fit here: cwm-lsp models show {fits[0]}"
    return "models with far more knowledge run on a GPU or a server: cwm-lsp models list"


def gpus() -> Iterator[Finding]:
    """What torch sees, and which of the known models fit."""
    if importlib.util.find_spec("torch") is None or shutil.which("nvidia-smi") is None:
        return
    import torch

    if not torch.cuda.is_available():
        yield Finding(
            "torch",
            "warn",
            "there is nvidia-smi, but this torch has no CUDA",
            "pip install torch for CUDA (pytorch.org)",
        )
        return
    free = sum(float(torch.cuda.mem_get_info(i)[0]) for i in range(torch.cuda.device_count()))
    fits = [name for name, size in _SIZES.items() if size * GB + 3 * GB < free]
    text = f"torch {torch.__version__} sees {torch.cuda.device_count()} GPUs with {free / GB:.0f} GB free"
    yield Finding("torch", "ok", text, f"{fits[0]} fits: cwm-lsp models use {fits[0]}" if fits else "")


def editors() -> Iterator[Finding]:
    """Editors that are installed."""
    found = [f"{name} ({path})" for program, name in EDITORS.items() if (path := shutil.which(program))]
    yield Finding("editors", "ok", ", ".join(found) or "none of those known here is on the PATH")
