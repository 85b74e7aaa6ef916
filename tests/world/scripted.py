"""A model that knows one trace by heart: an engine whose likeliest token is always the next one of the trace.

With it a real recording runs through prompt, grammar, decoder and parser, and what it decides can be counted.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cwm_lsp.model.backend import Description
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import Ids, Logits
from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.source.document import Document
from cwm_lsp.trace.cwm_codec import CwmCodec
from cwm_lsp.trace.cwm_text import Context
from cwm_lsp.trace.frame import Frame

SURE = 40.0


class _Sequence:
    """A cache that only remembers its tokens."""

    def __init__(self, runner: ScriptedRunner, ids: Ids) -> None:
        self.runner, self.ids = runner, ids

    @property
    def length(self) -> int:
        return len(self.ids)

    def extend(self, ids: Ids) -> Logits:
        self.ids = np.concatenate([self.ids, ids])
        return self.runner.after(self.ids)

    def extend_all(self, ids: Ids) -> Logits:
        rows = []
        for token in ids:
            rows.append(self.extend(np.array([token])))
        return np.stack(rows)

    def truncate(self, length: int) -> None:
        self.ids = self.ids[:length]

    def fork(self, length: int) -> _Sequence:
        return _Sequence(self.runner, self.ids[:length])

    def free(self) -> None:
        pass


class ScriptedRunner:
    """The engine. Off its script it finds all tokens equally likely."""

    context = 1 << 20

    def __init__(self, script: Sequence[int], size: int) -> None:
        self.script = np.array(script, dtype=np.int64)
        self.vocabulary_size = size

    def after(self, ids: Ids) -> Logits:
        logits = np.zeros(self.vocabulary_size, np.float32)
        count = len(ids)
        if count < len(self.script) and np.array_equal(ids, self.script[:count]):
            logits[self.script[count]] = SURE
        return logits

    def new(self) -> _Sequence:
        return _Sequence(self, np.empty(0, np.int64))

    def close(self) -> None:
        pass


def scripted(document: Document, frames: Sequence[Frame], vocabulary: HfVocabulary) -> LocalBackend:
    """A backend that would tell this trace in CWM's form."""
    entry = next(f for f in document.functions if f.first_line == frames[0].line)
    prompt = CwmCodec(vocabulary).prompt(Context.entered(document, entry.def_line), frames)
    runner = ScriptedRunner(prompt.ids, vocabulary.size)
    return LocalBackend(runner, vocabulary, Description("script", "scripted", "cwm", 0, runner.context))
