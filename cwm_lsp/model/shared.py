"""`SharedBackend`: a local model that answers many requests at the same time, for the engine.

The same decoder and the same answers as in `LocalBackend`; what differs is who waits for whom (together.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cwm_lsp.model.backend import BackendError, Completion, Description, Request
from cwm_lsp.model.constrained import Decoder
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import SequencePool
from cwm_lsp.model.streaming import Emit, streamed
from cwm_lsp.model.together import Load, Together
from cwm_lsp.model.vocabulary import HfVocabulary


class SharedBackend:
    """A backend over the model of a `LocalBackend`, which is not used otherwise from then on."""

    def __init__(self, local: LocalBackend, *, sequences: int = 8, largest_pass: int = 512) -> None:
        """`sequences`: how many are cached, and how many requests may be under way at once."""
        self._local = local
        self._together = Together(local.runner, sequences)
        self._vocabulary = local.vocabulary
        self._pool = SequencePool(self._together, sequences, local.cached_tokens)
        inner: Any = local.runner
        if hasattr(inner, "relieve"):
            inner.relieve = self._pool.relieve
        self._decoder = Decoder(self._together, local.vocabulary, self._pool, largest_pass=largest_pass)
        self._closed = False

    @property
    def vocabulary(self) -> HfVocabulary:
        """The model's vocabulary."""
        return self._vocabulary

    def complete(self, request: Request) -> Completion:
        """Answers one request."""
        return self.complete_and_emit(request, None)

    def complete_and_emit(self, request: Request, emit: Emit | None) -> Completion:
        """The same, with the tokens as they become certain. `emit` must not wait: the others wait for it."""
        with self._together.request(request.priority, request.cancel) as entered:
            if not entered:
                return Completion((), (), (), (), "cancelled")
            self._check_open()
            return self._decoder.complete(request, self._together.before_pass, emit)

    def score(self, prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """The log probability of each of the `options` as what follows `prompt`."""
        with self._together.request("interactive", None):
            self._check_open()
            return self._decoder.score(prompt, options)

    def stream(self, request: Request) -> AsyncIterator[tuple[int, ...]]:
        """The tokens of `complete` in runs."""
        return streamed(self.complete_and_emit, request)

    def load(self) -> Load:
        """What goes on."""
        return self._together.load()

    def describe(self) -> Description:
        """What this is."""
        return self._local.describe()

    def close(self) -> None:
        """Frees the model once the requests under way are answered; a later call raises BackendError."""
        with self._together.alone():
            if not self._closed:
                self._closed = True
                self._pool.clear()
                self._local.close()

    def _check_open(self) -> None:
        if self._closed:
            raise BackendError(f"The model {self._local.describe().name} is closed.")
