"""The models by name: reads the profiles (models/*.toml in the repository, inside the package once installed)
and loads a model by its name or folder.

Leaves out downloads, and what is shown (the command line does that).
"""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.model.folder import Codec

BackendName = Literal["embedded", "transformers"]
DEFAULT = "cwm-mini"


@dataclass(frozen=True, slots=True)
class Profile:
    """One model that is known by name. `source` is `package:FOLDER` for one that is shipped, else a hub name.
    `memory` is what it needs to run; `tried` says what was really done with it here."""

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

    @property
    def folder(self) -> Path | None:
        """Where the model is on this machine, None if it isn't."""
        if self.source.startswith("package:"):
            path = Path(str(resources.files("cwm_lsp.model") / self.source.removeprefix("package:")))
            return path if (path / "config.json").is_file() else None
        return _downloaded(self.source)

    def to_json(self) -> dict[str, Any]:
        """All fields, and whether and where it is installed."""
        folder = self.folder
        return asdict(self) | {
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
    """Loads a model by profile name, by folder, or by a hub name that was downloaded. `options` go to the
    backend (`threads`, `dtype`, `device`, `sequences`; which of them, its class says). Raises
    BackendError."""
    profile = find(str(name))
    if profile is not None:
        if profile.backend == "embedded":
            return _make("embedded", profile.folder or _missing(profile), options)
        return _make(profile.backend, profile.source, options)
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _make("embedded" if (folder / "model.onnx").is_file() else "transformers", folder, options)
    if isinstance(name, str) and name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _make("transformers", name, options)
    known = ", ".join(profile.name for profile in profiles())
    raise BackendError(f"There is no model or model folder {name}; known by name: {known}.")


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


def _make(backend: BackendName, source: Path | str, options: dict[str, Any]) -> Backend:
    kind: Any
    if backend == "embedded":
        from cwm_lsp.model.embedded import EmbeddedBackend

        kind = EmbeddedBackend
    else:
        from cwm_lsp.model.transformers import TransformersBackend

        kind = TransformersBackend
    allowed = [name for name, p in inspect.signature(kind).parameters.items() if p.kind is p.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise BackendError(f"The {backend} backend has no option {unknown[0]}; it has {', '.join(allowed)}.")
    made: Backend = kind(source, **options)
    return made


def _missing(profile: Profile) -> Path:
    raise BackendError(f"The model {profile.name} is not in this installation of cwm-lsp; install it again.")


def _downloaded(hub_name: str) -> Path | None:
    """The folder of a hub model that was downloaded, found without importing the hub's library unless it is
    there."""
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(hub_name, local_files_only=True))
    except Exception:  # not installed, not downloaded, a broken cache: for us the same
        return None
