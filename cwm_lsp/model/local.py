"""`LocalBackend`: a runner, a vocabulary and a decoder as a `Backend` that several threads may call.

Requests are served one after the other; an interactive one goes before background ones, also between the
passes of one that has begun. Leaves out how tokens are decided (constrained.py) and computed (the engines).
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Sequence

from cwm_lsp.model.backend import BackendError, Cancel, Completion, Description, Priority, Request
from cwm_lsp.model.constrained import Decoder
from cwm_lsp.model.runner import Runner, SequencePool
from cwm_lsp.model.streaming import Emit, streamed
from cwm_lsp.model.vocabulary import HfVocabulary

# How often a waiting request looks whether it was cancelled, in seconds.
_LOOK = 0.02


class Gate:
    """One holder at a time; who is interactive goes first."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._held = False
        self._interactive = 0

    def enter(self, priority: Priority, cancel: Cancel | None) -> bool:
        """Waits for the gate. False if the request was cancelled first."""
        interactive = priority == "interactive"
        with self._condition:
            self._interactive += interactive
            try:
                while self._held or (self._interactive and not interactive):
                    if cancel is not None and cancel.cancelled:
                        return False
                    self._condition.wait(None if cancel is None else _LOOK)
                self._held = True
            finally:
                self._interactive -= interactive
                if not self._held:
                    self._condition.notify_all()
        return True

    def leave(self) -> None:
        """Lets the next one in."""
        with self._condition:
            self._held = False
            self._condition.notify_all()

    def give_way(self) -> None:
        """The holder, which is background work, lets interactive requests go first."""
        if self._interactive:
            self.leave()
            self.enter("background", None)


class LocalBackend:
    """A `Backend` whose model is in this process."""

    def __init__(
        self,
        runner: Runner,
        vocabulary: HfVocabulary,
        description: Description,
        *,
        sequences: int = 8,
        cached_tokens: int | None = None,
        largest_pass: int = 512,
        first_pass: int = 64,
    ) -> None:
        """`sequences` and `cached_tokens` bound the KV cache; `largest_pass` the tokens of one forward
        pass."""
        if vocabulary.size > runner.vocabulary_size:
            runner.close()
            raise BackendError(
                f"The tokenizer has {vocabulary.size} tokens and the model only {runner.vocabulary_size}: "
                "they are not of one model."
            )
        self._runner: Runner | None = runner
        self.cached_tokens = cached_tokens
        self._vocabulary = vocabulary
        self._description = description
        self._pool = SequencePool(runner, sequences, cached_tokens)
        self._decoder = Decoder(
            runner, vocabulary, self._pool, largest_pass=largest_pass, first_pass=first_pass
        )
        self._gate = Gate()

    @property
    def vocabulary(self) -> HfVocabulary:
        """The model's vocabulary."""
        return self._vocabulary

    @property
    def runner(self) -> Runner:
        """The engine below, for those who measure. Raises BackendError once closed."""
        if self._runner is None:
            raise BackendError(f"The model {self._description.name} is closed.")
        return self._runner

    def complete(self, request: Request) -> Completion:
        """Answers one request."""
        return self._complete(request, None)

    def score(self, prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """The log probability of each of the `options` (token ids) as what follows `prompt`: a choice between
        whole lines, not between their first tokens."""
        self._enter("interactive", None)
        try:
            return self._decoder.score(prompt, options)
        finally:
            self._gate.leave()

    def stream(self, request: Request) -> AsyncIterator[tuple[int, ...]]:
        """The tokens of `complete` in runs, as they become certain. Leaving the loop early cancels the
        request."""
        return streamed(self._complete, request)

    def describe(self) -> Description:
        """What this is."""
        return self._description

    def close(self) -> None:
        """Frees the model; a later call raises BackendError."""
        self._gate.enter("interactive", None)
        try:
            if self._runner is not None:
                self._pool.clear()
                self._runner.close()
                self._runner = None
        finally:
            self._gate.leave()

    def _complete(self, request: Request, emit: Emit | None) -> Completion:
        if not self._enter(request.priority, request.cancel):
            return Completion((), (), (), (), "cancelled")
        try:
            give_way = self._gate.give_way if request.priority == "background" else None
            return self._decoder.complete(request, give_way, emit)
        finally:
            self._gate.leave()

    def _enter(self, priority: Priority, cancel: Cancel | None) -> bool:
        entered = self._gate.enter(priority, cancel)
        if entered and self._runner is None:
            self._gate.leave()
            raise BackendError(f"The model {self._description.name} is closed.")
        return entered
