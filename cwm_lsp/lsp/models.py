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
from cwm_lsp.model.backend import Backend, BackendError, Cancel
from cwm_lsp.model.catalog import connect, engine_target, find, profiles, target
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


class LoadingCancelledError(Exception):
    """Whoever wanted the model wants it no more."""


class Models:
    """The one model of this server. `changed` is told ("loading", what is done), ("idle", "")."""

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        self._changed = changed
        self._loaded: Loaded | None = None
        self._wanted: tuple[str, str, str] | None = None

    def get(self, settings: Settings, cancel: Cancel | None = None) -> Loaded:
        """The model of these settings, loaded if need be. Raises BackendError with one sentence, and
        LoadingCancelledError."""
        wanted = (settings.model, repr(sorted(map(repr, settings.backend.items()))), settings.grounding)
        if self._loaded is not None and self._wanted == wanted:
            return self._loaded
        self.close()
        self._changed("loading", settings.model)
        try:
            self._loaded = self._load(settings, cancel)
        except (BackendError, LoadingCancelledError):
            raise
        except Exception as error:  # a library's own: the server lives on, and says so
            log.exception("the model %s could not be loaded", settings.model)
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise BackendError(f"The model {settings.model} could not be loaded: {reason}.") from error
        finally:
            self._changed("idle", "")
        self._wanted = wanted
        return self._loaded

    def close(self) -> None:
        """Lets go of the model; the next `get` loads it anew."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:
            try:
                loaded.backend.close()
            except Exception:
                log.exception("the model could not be closed")

    def stop_engine(self, settings: Settings) -> None:
        """Ends the shared engine of these settings, if the model has one and it runs."""
        from cwm_lsp.model.engine_client import Supervisor
        from cwm_lsp.model.http_client import HttpError

        self.close()
        try:
            if target(settings.model, settings.backend)[0] in ("embedded", "remote"):
                return
            supervisor = Supervisor(*engine_target(settings.model, settings.backend))
            supervisor.client().json("POST", "/v1/cwm-lsp/stop", {"when_idle": False}, timeout=5.0)
        except (BackendError, HttpError, OSError) as error:
            log.info("no engine was ended: %s", error)

    def _load(self, settings: Settings, cancel: Cancel | None) -> Loaded:
        from cwm_lsp.world.predictors import predictor_for

        def progress(doing: str, part: float) -> None:
            if cancel is not None and cancel.cancelled:
                raise LoadingCancelledError
            self._changed("loading", f"{settings.model}: {doing} {part:.0%}")

        backend = connect(settings.model, progress=progress, **settings.backend)
        try:
            predictor = predictor_for(backend, settings.grounding)
        except BackendError:
            backend.close()
            raise
        return Loaded(backend, predictor, settings.grounding, backend.describe().name)
