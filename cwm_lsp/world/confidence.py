"""What a confidence means: the probability that a model gave to its words, made into a share that is right.

A model's raw probability runs high or low; a `Calibration` is the measured relation of the two, kept with the
model's weights (`calibration` in the details of its description) as points of a rising line. Without one,
raw is taken as it is. Leaves out the measuring (models/cwm-mini/calibrate.py does it for cwm-mini).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

from cwm_lsp.trace.cwm_text import SAME
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.metrics import printed_states

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Two lines through (raw, share that was right), both in [0, 1] and rising: for values and whole traces.

    An empty line leaves the raw number as it is.
    """

    value: Points = ()
    trace: Points = ()

    @classmethod
    def from_details(cls, details: Mapping[str, Any]) -> Calibration:
        """The calibration in a model's description; none where there is none or it is no rising line."""
        told = details.get("calibration")
        if not isinstance(told, Mapping):
            return cls()
        return cls(_points(told.get("value")), _points(told.get("trace")))

    def of_value(self, raw: float) -> float:
        """The confidence of one answer. A value is as sure as the least sure answer that it rests on, so a
        line that was fitted to values holds for answers."""
        return _along(self.value, raw)

    def of_trace(self, raw: float) -> float:
        """The confidence that all frames of a trace are right."""
        return _along(self.trace, raw)


def trace_confidence(frames: Sequence[Frame], calibration: Calibration) -> float:
    """The confidence that all frames are right: 1 where nothing was predicted."""
    said = said_confidences(frames)
    return calibration.of_trace(prod(said)) if said else 1.0


def said_confidences(frames: Sequence[Frame]) -> list[float]:
    """The confidences of all values that the model newly said."""
    found: list[float] = []
    for frame, state in zip(frames, printed_states(frames), strict=True):
        said = [value for name, value in frame.locals.items() if state is None or state[name] != SAME]
        for value in (*said, frame.arg):
            if value is not None and value.origin == "predicted" and value.confidence is not None:
                found.append(value.confidence)
    return found


def _points(told: object) -> Points:
    if not isinstance(told, Sequence) or isinstance(told, str):
        return ()
    try:
        points = tuple((float(raw), float(right)) for raw, right in told)
    except (TypeError, ValueError):
        return ()
    rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(points))
    return points if rising and all(0 <= n <= 1 for point in points for n in point) else ()


def _along(points: Points, raw: float) -> float:
    if not points:
        return raw
    if raw <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if raw <= right:
            return low + (high - low) * (raw - left) / (right - left)
    return points[-1][1]
