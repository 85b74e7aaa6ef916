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
class World:
    """Who predicts. `name` may be called before the model is loaded."""

    predictor: Predictor
    grounding: Grounding
    name: Callable[[], str]


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
    """The one model of this server. `changed` is told ("loading", what is done), ("idle", "").

    With grounding "values" the model is loaded when a value can't be computed, and not before. `cancel` is
    whatever ends the work under way: it ends loading too.
    """

    def __init__(self, changed: Callable[[str, str], None]) -> None:
        self._changed = changed
        self._backend: Backend | None = None
        self._world: World | None = None
        self._wanted: tuple[str, str, str] | None = None
        self.cancel: Cancel | None = None

    def world(self, settings: Settings) -> World:
        """Who predicts with these settings. Raises BackendError with one sentence, and
        LoadingCancelledError."""
        from cwm_lsp.world.predictors import computing_first, predictor_for

        self._keep(settings)
        if self._world is None:
            if settings.grounding == "values":
                predictor = computing_first(lambda: self.backend(settings))
            else:
                predictor = predictor_for(self.backend(settings), settings.grounding)
            self._world = World(predictor, settings.grounding, lambda: self._name(settings))
        return self._world

    def backend(self, settings: Settings) -> Backend:
        """The model itself, loaded if need be. Raises as `world` does."""
        self._keep(settings)
        if self._backend is None:
            self._changed("loading", settings.model)
            try:
                self._backend = self._load(settings)
            except (BackendError, LoadingCancelledError):
                raise
            except Exception as error:  # a library's own: the server lives on, and says so
                log.exception("the model %s could not be loaded", settings.model)
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                raise BackendError(f"The model {settings.model} could not be loaded: {reason}.") from error
            finally:
                self._changed("idle", "")
        return self._backend

    def _keep(self, settings: Settings) -> None:
        """Lets go of a model that is not the one of these settings."""
        wanted = (settings.model, repr(sorted(map(repr, settings.backend.items()))), settings.grounding)
        if self._wanted != wanted:
            self.close()
            self._wanted = wanted

    def _name(self, settings: Settings) -> str:
        return settings.model if self._backend is None else self._backend.describe().name

    def close(self) -> None:
        """Lets go of the model; the next that needs it loads it anew."""
        backend, self._backend, self._world = self._backend, None, None
        if backend is not None:
            try:
                backend.close()
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

    def _load(self, settings: Settings) -> Backend:
        def progress(doing: str, part: float) -> None:
            if self.cancel is not None and self.cancel.cancelled:
                raise LoadingCancelledError
            self._changed("loading", f"{settings.model}: {doing} {part:.0%}")

        return connect(settings.model, progress=progress, **settings.backend)
