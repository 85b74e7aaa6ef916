"""Which predictor a backend and a grounding need. Leaves out the predictors themselves."""

from __future__ import annotations

from collections.abc import Callable

from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.predictor import Predictor


def predictor_for(backend: Backend, grounding: Grounding = "flow") -> Predictor:
    """The predictor of the layout that the model was trained on; with grounding "values", around it the one
    that computes what can be computed. Raises BackendError if its vocabulary lacks the layout.
    """
    inner = _of_model(backend)
    if grounding != "values":
        return inner
    from cwm_lsp.world.grounding import GroundedPredictor

    return GroundedPredictor(inner)


def computing_first(load: Callable[[], Backend]) -> Predictor:
    """A predictor that computes what can be computed, and loads the model when it first needs it."""
    from cwm_lsp.world.grounding import GroundedPredictor, LazyPredictor

    return GroundedPredictor(LazyPredictor(lambda: _of_model(load())))


def _of_model(backend: Backend) -> Predictor:
    about = backend.describe()
    try:
        if about.codec == "mini":
            from cwm_lsp.world.mini_predictor import MiniPredictor

            return MiniPredictor(backend)
        from cwm_lsp.world.cwm_predictor import CwmPredictor

        return CwmPredictor(backend)
    except (KeyError, ValueError) as error:
        raise BackendError(f"{about.name} can't predict traces: {error}.") from error
