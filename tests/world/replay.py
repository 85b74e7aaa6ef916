"""A predictor that answers with the frames of a real run, and fails loudly where the choices don't admit
them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.recorder import Limits, Recording, record
from cwm_lsp.world.admission import refusal
from cwm_lsp.world.choices import choices_after
from cwm_lsp.world.predictor import Prediction, PredictionError
from cwm_lsp.world.stack import Stack

LIMITS = Limits(seconds=60, cpu_seconds=60, frames=3000)


class UnsoundError(AssertionError):
    """The frame that really came was not among the choices."""


class ReplayPredictor:
    """Predicts what a recording says."""

    def __init__(self, frames: Sequence[Frame], tokens: int = 10) -> None:
        self.frames = tuple(frames)
        self.tokens = tokens
        self.asked = 0

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        self.asked += 1
        if cancel.cancelled:
            raise PredictionError("cancelled", "The prediction was cancelled.")
        if len(frames) >= len(self.frames):
            raise PredictionError("refused", "The recording has no more frames.")
        frame = self.frames[len(frames)]
        reason = refusal(choices, frame)
        if reason is not None:
            raise UnsoundError(f"frame {len(frames)}: {reason}")
        return Prediction(frame, 1, self.tokens, 0.001)


@dataclass(frozen=True)
class Point:
    """A moment of a recorded run: the stack, what may come, and what came."""

    index: int
    stack: Stack
    choices: Choices
    frame: Frame


def points(document: Document, frames: Sequence[Frame]) -> Iterator[Point]:
    """Every frame after the first, up to the end of the entry function."""
    stack = Stack()
    for index, frame in enumerate(frames):
        if stack.over:
            return
        if index:
            yield Point(index, stack, choices_after(document, stack), frame)
        stack = stack.push(document, frame)


def unsound(document: Document, frames: Sequence[Frame]) -> list[str]:
    """What the choices did not admit, one line each."""
    found = []
    for point in points(document, frames):
        reason = refusal(point.choices, point.frame)
        if reason is not None:
            before, frame = frames[point.index - 1], point.frame
            found.append(
                f"{point.index}: {frame.event} {frame.function}:{frame.line} "
                f"{document.line_text(frame.line).strip()!r} after {before.event} {before.line} "
                f"{document.line_text(before.line).strip()!r}: {reason}"
            )
    return found


def recorded(document: Document, call: str) -> Recording:
    """A real run. It must give frames."""
    recording = record(document, call, LIMITS)
    assert recording.frames, recording.end.message
    return recording
