"""The backend contract: the whole interface between the world and any model. Token ids in, token ids out.

Leaves out everything about Python code and frames; text appears only in `Vocabulary`.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

Priority = Literal["interactive", "prefetch", "background"]
StopReason = Literal["stop", "grammar", "length", "cancelled"]


class BackendError(Exception):
    """The model could not answer; the message is one sentence for the user, with what to do next."""


class Cancel:
    """A cancel token: set from any thread, looked at between tokens."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Asks the work to end; calling it twice is harmless."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._event.is_set()


@dataclass(frozen=True, slots=True)
class Request:
    """What to complete.

    `prompt`: token ids, the whole of it every time (the backend reuses the prefixes it has seen).
    `stop`: ids that end the completion; the stop token is the last of `Completion.tokens`.
    `grammar`: Lark as llguidance reads it, special tokens by name (`<|line_sep|>`); None leaves the model
    alone. Decoding ends when the grammar is complete and can't go on, at a stop id, or after `max_tokens`
    (forced included). `temperature` 0 is greedy; ties go to the lowest id.
    `draft`: a guess at the answer. It is checked in one pass with the prompt and changes nothing but the
    time: tokens that the model would not have chosen are dropped (speculative decoding, arXiv 2211.17192).
    An engine may ignore it.
    """

    prompt: Sequence[int]
    stop: frozenset[int] = frozenset()
    max_tokens: int = 2048
    grammar: str | None = None
    temperature: float = 0.0
    logprobs: bool = True
    priority: Priority = "interactive"
    cancel: Cancel | None = None
    seed: int | None = None
    draft: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """What an answer cost: `seconds` of wall time, `prompt_tokens` computed and `reused_tokens` not
    computed again, and how many forward `passes` the model made."""

    seconds: float = 0.0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    passes: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer: `tokens`; for each of them its natural-log probability under the model's whole vocabulary
    (`logprobs`; 0.0 where forced), the same renormalised over the tokens that the grammar allowed
    (`choice_logprobs`), and whether the grammar left no choice (`forced`)."""

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    choice_logprobs: tuple[float, ...]
    forced: tuple[bool, ...]
    reason: StopReason
    timing: Timing = field(default_factory=Timing)

    @property
    def decisions(self) -> int:
        """How many tokens the model really chose."""
        return sum(not forced for forced in self.forced)


@runtime_checkable
class Vocabulary(Protocol):
    """Text to ids and back, for one model."""

    @property
    def size(self) -> int:
        """Number of ids, special tokens included."""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text: never a special token, whatever the text contains, and no BOS."""

    def token(self, name: str) -> int:
        """The id of a special token by its name, such as `<|frame_sep|>`. Raises KeyError if the model has
        none."""

    def has(self, name: str) -> bool:
        """True if the model has that special token."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of the ids, special tokens by their names."""

    def specials(self) -> dict[str, int]:
        """All special tokens, name to id."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a backend is: shown by `models list`, `doctor` and the hover's origin line."""

    name: str
    backend: str
    codec: Literal["cwm", "mini"]
    parameters: int
    context: int
    details: dict[str, Any] = field(default_factory=dict)


class Backend(Protocol):
    """Whoever predicts tokens. Safe to call from several threads; calls are served one after the other."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The model's vocabulary."""

    def complete(self, request: Request) -> Completion:
        """Answers one request. Raises BackendError with one sentence; never returns half an answer silently:
        a cancelled one says so in `reason`."""

    def stream(self, request: Request) -> AsyncIterator[tuple[int, ...]]:
        """The same, in runs of tokens as they are decided."""

    def describe(self) -> Description:
        """What this is."""

    def close(self) -> None:
        """Frees the model; a later call raises BackendError."""
