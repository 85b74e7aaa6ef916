"""The contract of a predictor: given what happened and what may come next, it says which frame comes.

Leaves out how: the predictor for CWM's text is cwm_predictor.py; one for another layout only has to keep to
this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame

Failure = Literal["malformed", "cancelled", "refused", "engine"]


class PredictionError(Exception):
    """No frame came; the message is one sentence for the user.

    malformed: the model's output is no legal frame; cancelled: it was asked to end; refused: there is
    nothing that the model could be asked (the prompt is too long, nothing may come next); engine: the
    backend failed.
    """

    def __init__(self, kind: Failure, message: str) -> None:
        super().__init__(message)
        self.kind: Failure = kind


@dataclass(frozen=True, slots=True)
class Prediction:
    """The frame that comes next, and what it cost: tokens the model chose, all tokens of the frame, wall
    time."""

    frame: Frame
    decisions: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Predictor(Protocol):
    """Whoever predicts frames."""

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """The frame after `frames`, one of `choices`. Raises PredictionError and nothing else, and never
        hangs."""
