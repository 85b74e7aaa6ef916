"""What `eval` counts, over all programs and over kinds of them.

The definitions of the numbers are those of world/metrics.py. Leaves out the running and the printing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cwm_lsp.world.metrics import SaidValue, TraceScore, ece, mean

LENGTHS = (10, 20, 40, 80)
"""The longest trace, in frames, of each group but the last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One program: `score`, `forced` and `values` are there where it was really run."""

    kind: str
    right: bool
    frames: int = 0
    decisions: int = 0
    tokens: int = 0
    seconds: float = 0.0
    real_frames: int = 0
    score: TraceScore | None = None
    forced: TraceScore | None = None
    values: tuple[SaidValue, ...] = ()


@dataclass(slots=True)
class Tally:
    """What has been counted so far under one grounding."""

    grounding: str
    model: str
    outcomes: list[Outcome] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """The numbers, in the form of `eval --json`."""
        numbers = figures(self.outcomes)
        forced = {name: numbers.pop(name) for name in list(numbers) if name.endswith("_teacher_forced")}
        known = {name: value for name, value in forced.items() if value is not None}
        return {**numbers, "grounding": self.grounding, "model": self.model, **known}

    def groups(self, key: Callable[[Outcome], str]) -> dict[str, dict[str, Any]]:
        """The numbers of each group of programs, groups in order of appearance."""
        names = dict.fromkeys(key(outcome) for outcome in self.outcomes)
        return {name: figures(o for o in self.outcomes if key(o) == name) for name in names}

    def by_type(self) -> dict[str, tuple[int, float]]:
        """How many values of each type were said, and the share that was right; the commonest first."""
        marks: dict[str, list[bool]] = {}
        for outcome in self.outcomes:
            for said in outcome.values:
                marks.setdefault(said.kind, []).append(said.right)
        ordered = sorted(marks.items(), key=lambda item: -len(item[1]))
        return {kind: (len(rights), sum(rights) / len(rights)) for kind, rights in ordered}

    def confident(self) -> list[tuple[float, bool]]:
        """(confidence, right) of all values that carry a confidence."""
        return _confident(self.outcomes)


def length_group(outcome: Outcome) -> str:
    """The group of lengths that a program's real trace is in."""
    lowest = 1
    for highest in LENGTHS:
        if outcome.real_frames <= highest:
            return f"{lowest}-{highest}"
        lowest = highest + 1
    return f"over {LENGTHS[-1]}"


def figures(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """All numbers of some programs; None for those that can't be told."""
    found = list(outcomes)
    scores = [o.score for o in found if o.score is not None]
    forced = [o.forced for o in found if o.forced is not None]
    frames = sum(o.frames for o in found)
    seconds = sum(o.seconds for o in found)
    numbers: dict[str, Any] = {
        "n": len(found),
        "output_accuracy": mean(o.right for o in found),
        "state_exact": mean(s.state_exact for s in scores),
        "action_exact": mean(s.action_exact for s in scores),
        "full_trace_exact": mean(s.full for s in scores),
        "ece": ece(_confident(found)),
        "decisions_per_frame": sum(o.decisions for o in found) / (frames or 1),
        "tokens_per_frame": sum(o.tokens for o in found) / (frames or 1),
        "frames_per_second": frames / seconds if seconds else None,
        "state_exact_teacher_forced": mean(s.state_exact for s in forced),
        "action_exact_teacher_forced": mean(s.action_exact for s in forced),
    }
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in numbers.items()}


def _confident(outcomes: Iterable[Outcome]) -> list[tuple[float, bool]]:
    said = (value for outcome in outcomes for value in outcome.values)
    return [(value.confidence, value.right) for value in said if value.confidence is not None]
