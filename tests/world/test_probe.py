"""Expressions asked from the model, and calls jumped over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cwm_lsp.model.backend import Backend, Cancel
from cwm_lsp.model.catalog import load
from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.breakpoints import Breakpoint
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.cwm_predictor import CwmPredictor
from cwm_lsp.world.expressions import CantTellError
from cwm_lsp.world.grounding import GroundedPredictor
from cwm_lsp.world.jumping import guessed, jump_choices, jumped
from cwm_lsp.world.predictor import Predictor
from cwm_lsp.world.predictors import predictor_for
from cwm_lsp.world.prefetch import Prefetcher
from cwm_lsp.world.probe import probe
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.stepping import Stepper
from tests.tokenizer_fixture import tokenizer_json
from tests.world.replay import recorded
from tests.world.scripted import scripted

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CALL = 'how_many("strawberry", "r")'


@cache
def document() -> Document:
    return Document.from_file(EXAMPLES / "strawberry.py")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    one = load()
    yield one
    one.close()


VALUES = {"word": Value("'strawberry'", "given"), "n": Value("3", "given"), ".0": Value("<x>", "given")}


@pytest.mark.parametrize(
    ("expression", "value"),
    [("count_letter(word, 'a')", "1"), ("n + 2", "5"), ("[c for c in word][0]", "'s'")],
)
def test_what_can_not_be_computed_is_asked(backend: Backend, expression: str, value: str) -> None:
    predictor = predictor_for(backend)
    found = probe(document(), predictor, "flow", values=VALUES, expression=expression, cancel=Cancel())
    assert found.repr == value
    assert found.origin == "predicted"
    assert found.confidence is not None
    assert 0 < found.confidence < 1


@pytest.mark.parametrize("expression", ["nobody + 1", "1 +", "(yield)", "(x := 1)", "lambda", "word\nn"])
def test_what_can_not_be_asked_is_said_to_be(backend: Backend, expression: str) -> None:
    with pytest.raises(CantTellError):
        probe(
            document(), predictor_for(backend), "flow", values=VALUES, expression=expression, cancel=Cancel()
        )


def test_a_question_can_be_cancelled(backend: Backend) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(CantTellError, match="cancelled"):
        probe(document(), predictor_for(backend), "flow", values=VALUES, expression="n + 2", cancel=cancel)


# -- jumps


def shortened(value: str) -> list[Frame]:
    """The real run, with the call of count_letter answered at once."""
    frames = list(recorded(document(), CALL).frames)
    entered = next(at for at, f in enumerate(frames) if f.event == "call" and f.function == "count_letter")
    left = next(at for at, f in enumerate(frames) if f.event == "return" and f.function == "count_letter")
    answer = Frame("return", "count_letter", frames[left].line, 2, {}, Value(value, "predicted"))
    return [*frames[: entered + 1], answer, *frames[left + 1 :]]


def stepper(predictor: Predictor, grounding: Grounding = "flow") -> Stepper:
    one = Stepper(Simulation.start(document(), CALL, predictor, grounding))
    one.begin()
    one.jump_over = True
    return one


@pytest.mark.parametrize("grounding", ["flow", "values"])
def test_cwm_is_made_to_say_what_a_call_gives(grounding: Grounding) -> None:
    predictor: Predictor = CwmPredictor(scripted(document(), shortened("3"), HfVocabulary(tokenizer_json())))
    if grounding == "values":
        predictor = GroundedPredictor(predictor)
    one = stepper(predictor, grounding)
    said: list[Frame] = []
    one.on_jump = said.append
    one.into()
    one.over()
    assert [frame.arg.repr for frame in said if frame.arg] == ["3"]
    assert [frame.event for frame in one.simulation.frames] == ["call", "line", "call", "return", "line"]
    assert one.levels[0].locals["count"].repr == "3"
    assert jumped(one.timeline, 3)
    assert guessed(one.timeline, one.index, "count") == "count_letter"
    assert guessed(one.timeline, one.index, "word") is None
    one.back()
    one.over()
    assert len(said) == 1
    assert one.continue_().text == "'strawberry has 03 r'"


def test_a_model_that_can_not_jump_follows_the_call(backend: Backend) -> None:
    one = stepper(predictor_for(backend))
    one.into()
    stop = one.over()
    assert stop.reason == "step"
    assert one.levels[0].locals["count"].repr == "3"
    assert sum(frame.function == "count_letter" for frame in one.simulation.frames) > 10
    assert one.simulation.end is None


def test_a_call_with_a_breakpoint_in_it_is_followed() -> None:
    predictor = CwmPredictor(
        scripted(document(), recorded(document(), CALL).frames, HfVocabulary(tokenizer_json()))
    )
    one = stepper(predictor)
    one.breakpoints = (Breakpoint(1, "line", line=9),)
    one.into()
    assert one.over().reason == "breakpoint"


def test_what_is_predicted_ahead_waits_at_a_call_that_may_be_jumped_over() -> None:
    predictor = CwmPredictor(scripted(document(), shortened("3"), HfVocabulary(tokenizer_json())))
    one = stepper(predictor)
    ahead = Prefetcher(one.timeline, 20, into_calls=False)
    ahead.aim(0)
    import time

    end = time.monotonic() + 5
    while one.timeline.known < 3 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)
    assert one.timeline.known == 3
    ahead.close()


def test_generators_are_never_jumped_over() -> None:
    generator = Document.from_text("def g():\n    yield 1\n\n\ndef f():\n    return list(g())\n")
    assert not jump_choices(generator, Frame("call", "g", 1, 2)).options
    assert [option.line for option in jump_choices(generator, Frame("call", "f", 5, 1)).options] == [6]
