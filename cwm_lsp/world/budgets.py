"""How far a simulation may go before it stops and asks. Leaves out what a stop means (simulation.py)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from cwm_lsp.model.backend import Cancel


@dataclass(frozen=True, slots=True)
class Budgets:
    """The most frames of a trace, tokens of its predicted frames, and seconds spent predicting them."""

    frames: int = 500
    tokens: int = 100_000
    seconds: float = 600.0

    def __post_init__(self) -> None:
        if self.frames < 1 or self.tokens < 1 or not self.seconds > 0 or math.isnan(self.seconds):
            raise ValueError(f"a budget must be above zero: {self}")

    def plus(self, other: Budgets) -> Budgets:
        """Both together: what a simulation that may go on for `other` more has in all."""
        return Budgets(self.frames + other.frames, self.tokens + other.tokens, self.seconds + other.seconds)

    def spent(self, frames: int, tokens: int, seconds: float) -> str | None:
        """One sentence on the budget that is used up, None while there is some of each."""
        if frames >= self.frames:
            return f"The budget of {self.frames} frames is used up."
        if tokens >= self.tokens:
            return f"The budget of {self.tokens} tokens is used up."
        if seconds >= self.seconds:
            return f"The budget of {self.seconds:g} seconds is used up."
        return None


class Deadline(Cancel):
    """A cancel token that also ends when the time is up or when any of `others` was cancelled."""

    def __init__(self, seconds: float, *others: Cancel | None) -> None:
        super().__init__()
        self._end = time.monotonic() + seconds
        self._others = tuple(other for other in others if other is not None)

    @property
    def expired(self) -> bool:
        """True if the time is up."""
        return time.monotonic() >= self._end

    @property
    def cancelled(self) -> bool:
        """True once there is any reason to end."""
        return super().cancelled or self.expired or any(other.cancelled for other in self._others)
