"""The models by name: reads the profiles (models/*.toml in the repository, inside the package once installed)
and loads a model by its name, folder or address.

`connect` is what a user's programs call: a large model comes from the engine that all of them share. `load`
loads into this process. Leaves out downloads (hub.py), and what is shown (the command line does that).
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.model.folder import Codec, ModelConfig
from cwm_lsp.model.hub import is_hub_name, resolve

BackendName = Literal["embedded", "transformers", "llama_cpp", "remote"]
DEFAULT = "cwm-mini"
Progress = Callable[[str, float], None]

# Options of `connect` itself; all others go to the backend.
_OURS = ("engine", "url")
_CONVERTED = "convert:"


@dataclass(frozen=True, slots=True)
class Profile:
    """One model that is known by name.

    `source` is `package:FOLDER` for one that is shipped, `convert:NAME:QUANT` for a GGUF made here from a hub
    model, "" where the settings name the address, else a hub name. `memory` is what it needs to run; `tried`
    says what was really done with it here; `options` go to its backend. `reasoning`: it was trained to think
    in a chat.
    """

    name: str
    title: str
    backend: BackendName
    codec: Codec
    source: str
    parameters: int
    context: int
    memory: str
    licence: str
    summary: str
    tried: str
    gated: bool = False
    reasoning: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hub_name(self) -> str | None:
        """The hub model that it is, or is made from."""
        if self.source.startswith(_CONVERTED):
            return self.source.split(":")[1]
        return self.source if is_hub_name(self.source) else None

    @property
    def quant(self) -> str | None:
        """As what it is converted."""
        return self.source.split(":")[2] if self.source.startswith(_CONVERTED) else None

    @property
    def folder(self) -> Path | None:
        """Where the model is on this machine, None if it isn't."""
        if self.source.startswith("package:"):
            path = Path(str(resources.files("cwm_lsp.model") / self.source.removeprefix("package:")))
            return path if (path / "config.json").is_file() else None
        if self.quant is not None:
            made = models_folder() / self.name
            return made if any(made.glob("*.gguf")) else None
        return _downloaded(self.source) if self.hub_name else None

    def to_json(self) -> dict[str, Any]:
        """All fields, and whether and where it is installed."""
        folder = self.folder
        return asdict(self) | {
            "options": dict(self.options),
            "installed": folder is not None,
            "folder": None if folder is None else str(folder),
        }


def profiles() -> tuple[Profile, ...]:
    """All profiles, the shipped model first. Raises BackendError if one of the files is broken."""
    found = [read_profile(path) for path in sorted(profile_folder().glob("*.toml"))]
    return tuple(
        sorted(found, key=lambda profile: (profile.name != DEFAULT, profile.parameters, profile.name))
    )


def find(name: str) -> Profile | None:
    """The profile of that name."""
    return next((profile for profile in profiles() if profile.name == name), None)


def load(name: str | Path = DEFAULT, **options: Any) -> Backend:
    """Loads a model into this process, by profile name, folder, GGUF file, or by a hub name that was
    downloaded. `options` go to the backend (`threads`, `dtype`, `device`, `sequences`; which of them, its
    class says). Raises BackendError."""
    backend, source, given = target(name, options)
    return _make(backend, source, given)


def connect(
    name: str | Path = DEFAULT,
    *,
    progress: Progress | None = None,
    engine: bool | None = None,
    **options: Any,
) -> Backend:
    """The model for a program of the user: in this process if it is small, else from the engine that all
    programs share, which is started if it does not run; or from a server, if `name` is an address or a
    profile of one (`url` is then the address). `engine`: True or False decides for yourself. `progress` is
    told what is done while the model loads. Raises BackendError."""
    backend, source, given = target(name, options)
    if backend == "remote" or not (engine if engine is not None else backend != "embedded"):
        tell = None if progress is None else lambda part: progress("loading", part)
        return _make(backend, source, given, tell)
    from cwm_lsp.model.engine_client import open_engine

    _check_options(backend, given)
    _check_here(backend, source)
    model, wanted = engine_target(name, options)
    return open_engine(model, wanted, progress=progress)


def engine_target(name: str | Path, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the engine of a model is told: its name or absolute path, and the options of its backend. Raises
    BackendError if it needs no engine."""
    if target(name, options)[0] == "remote":
        raise BackendError(f"{name} is a server already; it needs no engine.")
    folder = Path(name).expanduser()
    known = find(str(name)) is not None or not folder.exists()
    return str(name) if known else str(folder.resolve()), {k: v for k, v in options.items() if k not in _OURS}


def target(name: str | Path, options: Mapping[str, Any]) -> tuple[BackendName, Path | str, dict[str, Any]]:
    """Which backend a model needs, on what, with which options (the profile's own, and over them the user's).
    Raises BackendError if there is no such model here."""
    given = {key: value for key, value in options.items() if key not in _OURS}
    profile = find(str(name))
    if profile is not None:
        given = {**profile.options, **given}
        if profile.backend == "remote":
            url = options.get("url")
            if not url:
                raise BackendError(
                    "The profile remote needs the server's address: cwm-lsp models use remote --url "
                    "https://HOST:PORT, or url in [backend]."
                )
            return "remote", str(url), given
        if profile.backend == "embedded" or profile.quant is not None:
            return profile.backend, profile.folder or _missing(profile), given
        return profile.backend, profile.source, {"name": profile.name, **given}
    if str(name).startswith(("http://", "https://")):
        return "remote", str(name), given
    folder = Path(name).expanduser()
    if folder.is_dir():
        if (folder / "model.onnx").is_file():
            return "embedded", folder, given
        return "llama_cpp" if any(folder.glob("*.gguf")) else "transformers", folder, given
    if folder.suffix == ".gguf":
        return "llama_cpp", folder, given
    if is_hub_name(name):
        return "transformers", str(name), given
    known = ", ".join(profile.name for profile in profiles())
    raise BackendError(f"There is no model or model folder {name}; known by name: {known}.")


def check(name: str | Path, options: Mapping[str, Any], *, here: bool = False) -> None:
    """Raises BackendError if there is no such model, as far as can be told without an engine. `here`: a model
    of the hub must have been downloaded."""
    backend, source, _ = target(name, options)
    if backend in ("embedded", "transformers") and isinstance(source, Path):
        ModelConfig.read(source)
    if here:
        _check_here(backend, source)


def models_folder() -> Path:
    """Where models go that are made here (converted)."""
    import platformdirs

    return Path(platformdirs.user_data_path("cwm-lsp", appauthor=False)) / "models"


def profile_folder() -> Path:
    """Where the profiles are: in the package once it is built, else in the repository around it."""
    package = Path(str(resources.files("cwm_lsp.model") / "profiles"))
    return package if package.is_dir() else Path(__file__).parents[2] / "models"


def read_profile(path: Path) -> Profile:
    """Reads one file. Raises BackendError if it is not a profile."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        profile = Profile(**data)
    except (OSError, ValueError, TypeError) as error:
        raise BackendError(f"{path} is not a model profile: {error}.") from error
    if profile.backend not in get_args(BackendName) or profile.codec not in get_args(Codec):
        raise BackendError(f"{path} names a backend or codec that this version does not have.")
    return profile


def _kind(backend: BackendName) -> Any:
    if backend == "embedded":
        from cwm_lsp.model.embedded import EmbeddedBackend

        return EmbeddedBackend
    if backend == "llama_cpp":
        from cwm_lsp.model.llama_cpp import LlamaBackend

        return LlamaBackend
    if backend == "remote":
        from cwm_lsp.model.remote import connect as connect_remote

        return connect_remote
    from cwm_lsp.model.transformers import TransformersBackend

    return TransformersBackend


def _make(backend: BackendName, source: Path | str, options: dict[str, Any], progress: Any = None) -> Backend:
    allowed = _check_options(backend, options)
    progress = options.get("progress", progress)
    wanted = {key: value for key, value in options.items() if key != "progress"}
    if "name" not in allowed:
        wanted.pop("name", None)
    if progress is not None and "progress" in allowed:
        wanted["progress"] = progress
    made: Backend = _kind(backend)(source, **wanted)
    return made


def _check_options(backend: BackendName, options: Mapping[str, Any]) -> list[str]:
    """The options that a backend has. Raises BackendError for one that it hasn't."""
    allowed = [n for n, p in inspect.signature(_kind(backend)).parameters.items() if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - {*allowed, "progress", "name"})
    if unknown:
        shown = ", ".join(name for name in allowed if name != "progress")
        raise BackendError(f"The {backend} backend has no option {unknown[0]}; it has {shown}.")
    return allowed


def _check_here(backend: BackendName, source: Path | str) -> None:
    """Raises BackendError if the model isn't on this machine: no engine needs to be started to find out."""
    if backend == "transformers":
        resolve(source)
    elif backend == "llama_cpp" and not Path(source).exists():
        raise BackendError(f"There is no GGUF file {source}.")


def _missing(profile: Profile) -> Path:
    if profile.quant is not None:
        raise BackendError(
            f"The model {profile.name} is not on this machine; `cwm-lsp models fetch {profile.name}` makes "
            f"it "
            f"from {profile.hub_name}."
        )
    raise BackendError(f"The model {profile.name} is not in this installation of cwm-lsp; install it again.")


def _downloaded(hub_name: str) -> Path | None:
    """The folder of a hub model that was downloaded, found without importing the hub's library unless it is
    there."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(hub_name, local_files_only=True))
    except Exception:  # not installed, not downloaded, a broken cache: for us the same
        return None
