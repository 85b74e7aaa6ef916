"""What may come next, as data: the contract between the world (which builds the choices) and the codecs.

Leaves out where the choices come from (world/choices.py) and how a model's tokens spell them (the codecs).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cwm_lsp.trace.frame import Event

LocalKind = Literal["given", "same", "may", "must"]


@dataclass(frozen=True, slots=True)
class LocalChoice:
    """What one local may be in the next frame.

    given: `value` is known and forced, written out in full; same: unchanged, `..` is forced (`value` is
    what it still holds); may: `..` or a new value; must: the line assigns it (`..` if it gets the value
    that it had).
    """

    name: str
    kind: LocalKind
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One frame that may come next, its open values left to the model. `arg` is the returned value where
    known."""

    event: Event
    function: str
    line: int
    depth: int
    locals: tuple[LocalChoice, ...] = ()
    arg: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """All frames that may come next. With `free_form` (grounding "none") the options only name the lines
    of the file: any event, any of these lines, any locals; just the form of a frame is held."""

    options: tuple[Option, ...]
    free_form: bool = False
