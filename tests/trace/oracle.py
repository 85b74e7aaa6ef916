"""A model that knows the answer: whatever is asked, the next token of a given text is the most probable one.

It takes the place of the weights under the real decoder, so that what the grammar and the decoding loop do
can be measured without any model's mistakes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cwm_lsp.model.backend import Completion, Description, Request
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.vocabulary import HfVocabulary


class OracleCache:
    """The tokens so far; the logits point at the next one of the target, or nowhere after another text."""

    def __init__(self, oracle: OracleRunner, ids: Sequence[int] = ()) -> None:
        self.oracle = oracle
        self.ids = list(ids)

    @property
    def length(self) -> int:
        return len(self.ids)

    def extend(self, ids: Ids) -> Logits:
        return self.extend_all(ids)[-1]

    def extend_all(self, ids: Ids) -> Logits:
        rows = np.zeros((len(ids), self.oracle.vocabulary_size), np.float32)
        for row, token in zip(rows, ids.tolist(), strict=True):
            self.ids.append(token)
            target = self.oracle.target
            if len(self.ids) < len(target) and self.ids == target[: len(self.ids)]:
                row[target[len(self.ids)]] = 20.0
        return rows

    def truncate(self, length: int) -> None:
        del self.ids[length:]

    def fork(self, length: int) -> OracleCache:
        return OracleCache(self.oracle, self.ids[:length])

    def free(self) -> None:
        self.ids.clear()


class OracleRunner:
    """The engine; `target` is the whole text that it has in mind."""

    def __init__(self, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self.context = 1 << 20
        self.target: list[int] = []

    def new(self) -> OracleCache:
        return OracleCache(self)

    def close(self) -> None:
        self.target = []


class OracleBackend(LocalBackend):
    """The real backend on the oracle. `strayed` counts completions that are not what the oracle had in
    mind."""

    def __init__(self, vocabulary: HfVocabulary) -> None:
        self.oracle = OracleRunner(vocabulary.size)
        self.strayed = 0
        what = Description("oracle", "test", "cwm", 0, self.oracle.context)
        super().__init__(self.oracle, vocabulary, what)

    def complete(self, request: Request) -> Completion:
        completion = super().complete(request)
        whole = [*request.prompt, *completion.tokens]
        self.strayed += whole != self.oracle.target[: len(whole)]
        return completion
