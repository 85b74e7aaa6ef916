"""Which predictor a backend needs: the one that speaks its model's layout. Leaves out the predictors
themselves.
"""

from __future__ import annotations

from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.world.predictor import Predictor


def predictor_for(backend: Backend) -> Predictor:
    """The predictor of the layout that the model was trained on. Raises BackendError if its vocabulary
    lacks it.
    """
    about = backend.describe()
    try:
        if about.codec == "mini":
            from cwm_lsp.world.mini_predictor import MiniPredictor

            return MiniPredictor(backend)
        from cwm_lsp.world.cwm_predictor import CwmPredictor

        return CwmPredictor(backend)
    except (KeyError, ValueError) as error:
        raise BackendError(f"{about.name} can't predict traces: {error}.") from error
