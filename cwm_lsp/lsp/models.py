"""The model that predicts: loaded when it is first needed, kept, changed with the settings.

Used on the worker's thread alone, but for `identity` and `state`. Leaves out what is predicted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cwm_lsp import __version__
from cwm_lsp.config import Settings
from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.model.catalog import connect, find, profiles
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.predictor import Predictor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is there."""

    backend: Backend
    predictor: Predictor
    grounding: Grounding
    name: str


def known_models() -> frozenset[str]:
    """The names of all profiles; none if they can't be read."""
    try:
        return frozenset(profile.name for profile in profiles())
    except BackendError:
        return frozenset()


def identity(settings: Settings) -> str:
    """What tells this model from every other: its name and options, the version of what asks it, and the
    size and time of its files."""
    parts: list[object] = [__version__, settings.model, sorted(map(repr, settings.backend.items()))]
    try:
        profile = find(settings.model)
        folder = profile.folder if profile is not None else Path(settings.model).expanduser()
        if folder is not None and folder.is_dir():
            files = sorted(path for path in folder.iterdir() if path.is_file())
            parts += [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    except (OSError, BackendError):
        pass
    return json.dumps(parts)


def budgets_of(settings: Settings) -> Budgets:
    """The budgets of one trace."""
    return Budgets(settings.max_frames, settings.max_tokens, settings.max_seconds)


class Models:
    """The one model of this server. `changed` is told when it is being loaded, is there, or failed."""

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        self._changed = changed
        self._loaded: Loaded | None = None
        self._wanted: tuple[str, str, str] | None = None

    def get(self, settings: Settings) -> Loaded:
        """The model of these settings, loaded if need be. Raises BackendError with one sentence."""
        wanted = (settings.model, repr(sorted(map(repr, settings.backend.items()))), settings.grounding)
        if self._loaded is not None and self._wanted == wanted:
            return self._loaded
        self.close()
        self._changed("loading", settings.model)
        try:
            self._loaded = _load(settings)
        except BackendError:
            raise
        except Exception as error:  # a library's own: the server lives on, and says so
            log.exception("the model %s could not be loaded", settings.model)
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise BackendError(f"The model {settings.model} could not be loaded: {reason}.") from error
        self._wanted = wanted
        self._changed("idle", self._loaded.name)
        return self._loaded

    def close(self) -> None:
        """Frees the model; the next `get` loads it anew."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            try:
                loaded.backend.close()
            except Exception:
                log.exception("the model could not be closed")


def _load(settings: Settings) -> Loaded:
    from cwm_lsp.world.predictors import predictor_for

    backend = connect(settings.model, **settings.backend)
    try:
        predictor = predictor_for(backend)
    except BackendError:
        backend.close()
        raise
    # Until a predictor can compute values, "flow" is the nearest that can be had.
    grounding: Grounding = "none" if settings.grounding == "none" else "flow"
    return Loaded(backend, predictor, grounding, backend.describe().name)
