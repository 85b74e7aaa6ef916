"""What is told about a hole: the fills, how far each is verified, what is known there.

Leaves out how they are found (holes.py is the room's front door).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cwm_lsp.fill.doubt import Doubt
from cwm_lsp.fill.search import Report
from cwm_lsp.source.holes import Hole

Verified = Literal["passed", "passed (predicted)", "failed", "untested"]


@dataclass(frozen=True, slots=True)
class Fill:
    """What a hole could be. `examples`: how many of how many come out right with it; `score` in [0, 1]
    compares the fills of one hole; `why` is one sentence. `together`: what stands in the other holes (index
    in `document.holes`, text) when it passes."""

    text: str
    verified: Verified
    examples: tuple[int, int]
    score: float
    why: str = ""
    together: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HoleFills:
    """The fills of a hole so far, best first. `index` counts the document's holes; `reason` is a sentence why
    there are none; `known` says what is known there (`left = 0`); `calls` are the examples that were tried;
    `doubt` is a call on which the fills differ (its `chosen` count `fills`)."""

    hole: Hole
    index: int
    fills: tuple[Fill, ...] = ()
    reason: str | None = None
    known: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    doubt: Doubt | None = None
    done: bool = False
    report: Report | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is going on: a sentence, and how many of how many holes are done."""

    text: str
    done: int
    holes: int
