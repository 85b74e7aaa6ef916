"""How much of a trace is decided and how much is forced, and that forced tokens are the tokenizer's own.

The real predictor and decoder run over recorded traces with an oracle for a model, which wants the tokens
that the tokenizer gives for the frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from cwm_lsp.model.backend import Cancel
from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.source.document import Document
from cwm_lsp.trace.cwm_codec import CwmCodec
from cwm_lsp.trace.cwm_text import Context
from cwm_lsp.world.choices import choices_after
from cwm_lsp.world.cwm_predictor import CwmPredictor
from cwm_lsp.world.stack import Stack
from tests.source.program_generator import program
from tests.tokenizer_fixture import tokenizer_json
from tests.trace.oracle import OracleBackend
from tests.trace.programs import examples, generated
from tests.trace.real_runs import run


@dataclass
class Tally:
    """What was seen."""

    frames: int = 0
    tokens: int = 0
    decisions: int = 0
    strayed: int = 0

    @property
    def share(self) -> float:
        """The part of the tokens that the model decided."""
        return self.decisions / self.tokens


def decode(programs: Iterable[tuple[str, str]]) -> Tally:
    """Every frame after the first, each predicted from the true ones before it."""
    backend = OracleBackend(HfVocabulary(tokenizer_json()))
    codec, tally = CwmCodec(backend.vocabulary), Tally()
    for text, call in programs:
        document, frames = Document.from_text(text), run(text, call, limit=150)
        if not frames:
            continue
        predictor = CwmPredictor(backend, longest_frame=50_000)
        entry = next(f.def_line for f in document.functions if f.first_line == frames[0].line)
        prompt = codec.prompt(Context.entered(document, entry)).then(frames[0])
        stack = Stack().push(document, frames[0])
        for number, frame in enumerate(frames[1:], 1):
            longer = prompt.then(frame)
            backend.oracle.target = list(longer.ids)
            before = backend.strayed
            choices = choices_after(document, stack)
            prediction = predictor.predict(document, frames[:number], choices, Cancel())
            assert prediction.frame.same_as(frame)
            tally.frames += 1
            tally.tokens += prediction.tokens
            tally.decisions += prediction.decisions
            wrong = backend.strayed > before or prediction.tokens != len(longer.ids) - len(prompt.ids)
            tally.strayed += wrong
            prompt, stack = longer, stack.push(document, frame)
    return tally


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_at_most_15_percent_of_the_examples_are_decisions() -> None:
    tally = decode((text, call) for _, text, call in examples())
    print(tally, tally.share)
    assert tally.frames > 400
    assert tally.share <= 0.15
    assert tally.strayed == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(4))
def test_the_tokens_of_frames_are_the_tokenizer_s_own(part: int) -> None:
    tally = decode([*generated(50, seed=11 + part), *((program(seed), "main()") for seed in odd(part))])
    print(tally)
    assert tally.frames > 1_500
    assert tally.strayed <= tally.frames // 1_000


def odd(part: int) -> range:
    """Seeds of programs that use every statement of Python."""
    return range(part * 10, part * 10 + 10)
