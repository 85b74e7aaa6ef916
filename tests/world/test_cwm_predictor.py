"""CWM's form end to end: prompt, grammar, decoder, parser; with a model that knows the trace and with random
ones."""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path

import pytest

from cwm_lsp.model.backend import Backend, BackendError, Cancel, Completion, Description, Request
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.trace.recorder import Recording
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import choices
from cwm_lsp.world.cwm_predictor import CwmPredictor
from cwm_lsp.world.predictor import PredictionError
from cwm_lsp.world.simulation import Simulation
from tests.tokenizer_fixture import tokenizer_json
from tests.world.replay import recorded
from tests.world.scripted import scripted

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ENDING = sorted(p.stem for p in EXAMPLES.glob("*.py") if p.stem not in ("missing_import", "endless_loop"))
PLENTY = Budgets(frames=10_000, tokens=1_000_000, seconds=3600)


@cache
def vocabulary() -> HfVocabulary:
    return HfVocabulary(tokenizer_json())


@cache
def example(name: str) -> tuple[Document, str, Recording]:
    document = Document.from_file(EXAMPLES / f"{name}.py")
    call = calls_in(document)[0].text
    return document, call, recorded(document, call)


def replayed(name: str) -> tuple[Simulation, Recording]:
    document, call, recording = example(name)
    predictor = CwmPredictor(scripted(document, recording.frames, vocabulary()))
    simulation = Simulation.start(document, call, predictor, budgets=PLENTY)
    list(simulation.run())
    return simulation, recording


def told(name: str) -> tuple[int, int]:
    """Decisions and tokens of an example told by a model that knows it."""
    simulation, recording = replayed(name)
    assert simulation.end is not None, name
    assert simulation.end.reason == recording.end.reason, simulation.end.message
    for ours, real in zip(simulation.frames, recording.frames, strict=True):
        assert ours.same_as(real)
    return simulation.end.decisions, simulation.end.tokens


@pytest.mark.parametrize("name", ["gcd", "raises"])
def test_a_model_that_knows_the_trace_tells_it(name: str) -> None:
    decisions, tokens = told(name)
    assert 0 < decisions < tokens / 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_at_most_15_percent_of_the_tokens_are_decided() -> None:
    costs = {name: told(name) for name in ENDING}
    decisions, tokens = (sum(each) for each in zip(*costs.values(), strict=True))
    print({name: round(d / t, 3) for name, (d, t) in costs.items()}, decisions / tokens)
    assert decisions / tokens <= 0.15, costs


def test_values_say_where_they_come_from_and_how_sure_they_are() -> None:
    simulation, _ = replayed("gcd")
    entry = [frame for frame in simulation.frames if frame.depth == 1 and frame.event == "line"]
    assert all(frame.locals["top"] == Value("48", "given") for frame in entry)
    divisor = entry[-1].locals["divisor"]
    assert divisor.origin == "predicted"
    assert divisor.confidence is not None
    assert 0.99 < divisor.confidence <= 1.0
    returned = simulation.frames[-1].arg
    assert returned is not None
    assert (returned.repr, returned.origin) == ("[4, 3]", "predicted")


def test_the_confidence_of_a_value_is_the_product_of_its_decisions() -> None:
    document, call, recording = example("gcd")
    backend = scripted(document, recording.frames, vocabulary())
    seen: list[Completion] = []
    complete = backend.complete

    class Listening(LocalBackend):
        def __init__(self) -> None:
            pass

        vocabulary = backend.vocabulary
        describe = backend.describe

        def complete(self, request: Request) -> Completion:
            seen.append(complete(request))
            half = math.log(0.5)
            done = seen[-1]
            marked = tuple(0.0 if forced else half for forced in done.forced)
            return Completion(done.tokens, marked, marked, done.forced, done.reason, done.timing)

        score = backend.score

    simulation = Simulation.start(document, call, CwmPredictor(Listening()))
    checked = 0
    while True:
        before = len(seen)
        frame = simulation.advance()
        if frame is None:
            break
        every = [*frame.locals.values(), *([frame.arg] if frame.arg else [])]
        values = [value for value in every if value.origin == "predicted"]
        decided = sum(done.decisions for done in seen[before:])
        if len(values) == 1 and len(seen) - before == 1 and decided >= 2:
            # The event may be a decision too.
            assert values[0].confidence in (pytest.approx(0.5**decided), pytest.approx(0.5 ** (decided - 1)))
            checked += 1
    assert checked >= 2


def test_a_fork_is_told_from_its_own_history() -> None:
    document, call, recording = example("gcd")
    predictor = CwmPredictor(scripted(document, recording.frames, vocabulary()))
    simulation = Simulation.start(document, call, predictor)
    for _ in range(4):
        simulation.advance()
    asked: list[Request] = []
    complete = predictor.backend.complete

    def listening(request: Request) -> Completion:
        asked.append(request)
        return complete(request)

    predictor.backend.complete = listening  # type: ignore[method-assign]
    name = next(iter(simulation.locals()))
    simulation.fork({name: "1234567"})
    simulation.advance()
    assert "1234567" in vocabulary().decode(asked[0].prompt)
    fresh = CwmPredictor(predictor.backend)
    simulation.seek(simulation.cursor)
    fresh._history(document, simulation.frames, choices(document, simulation.frames))
    mine = predictor._history(document, simulation.frames, choices(document, simulation.frames))[0]
    again = fresh._history(document, simulation.frames, choices(document, simulation.frames))[0]
    assert mine.ids == again.ids
    assert mine.scope == again.scope


def test_a_cancelled_prediction_says_so() -> None:
    document, call, recording = example("gcd")
    predictor = CwmPredictor(scripted(document, recording.frames, vocabulary()))
    simulation = Simulation.start(document, call, predictor)
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(PredictionError) as error:
        predictor.predict(document, simulation.frames, choices(document, simulation.frames), cancel)
    assert error.value.kind == "cancelled"


def test_a_trace_that_outgrows_the_model_is_refused() -> None:
    document, call, recording = example("gcd")
    backend = scripted(document, recording.frames, vocabulary())
    small = Description("script", "scripted", "cwm", 0, 20)
    backend.describe = lambda: small  # type: ignore[method-assign]
    simulation = Simulation.start(document, call, CwmPredictor(backend))
    assert simulation.advance() is None
    assert simulation.failure is not None
    assert simulation.failure.kind == "refused"


class Babbling:
    """A backend that answers with anything: no grammar, no end, sometimes an error."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.vocabulary = vocabulary()
        self.specials = list(self.vocabulary.specials().values())

    def complete(self, request: Request) -> Completion:
        pick = self.random.randrange(12)
        if pick == 0:
            raise BackendError("The model is gone.")
        count = self.random.randrange(30)
        tokens = [
            self.random.choice(self.specials) if self.random.random() < 0.3 else self.random.randrange(2000)
            for _ in range(count)
        ]
        if pick < 9:
            tokens.append(next(iter(request.stop)))
        zeros = (0.0,) * len(tokens)
        return Completion(tuple(tokens), zeros, zeros, (False,) * len(tokens), "stop")

    async def stream(self, request: Request) -> AsyncIterator[tuple[int, ...]]:
        yield self.complete(request).tokens

    def describe(self) -> Description:
        return Description("babble", "none", "cwm", 0, 1 << 20)

    def close(self) -> None:
        pass


class Weighing(Babbling):
    """The same with a choice between lines that means nothing either."""

    def score(self, prompt: object, options: list[object]) -> list[float]:
        return [self.random.choice([math.nan, -math.inf, 0.0, 1.0]) for _ in options]


@pytest.mark.parametrize("kind", [Babbling, Weighing])
@pytest.mark.parametrize("grounding", ["flow", "none"])
def test_whatever_a_backend_answers_is_a_frame_or_one_clear_failure(
    kind: type[Babbling], grounding: str
) -> None:
    document, call, _ = example("recover")
    for seed in range(60):
        predictor = CwmPredictor(kind(seed))
        simulation = Simulation.start(document, call, predictor, grounding=grounding)  # type: ignore[arg-type]
        for _ in range(6):
            if simulation.advance() is None:
                assert simulation.end is not None
                assert simulation.end.reason == "failed"
                assert "\n" not in (simulation.end.message or "\n")
                simulation.extend()


@pytest.fixture(scope="module")
def random_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    pytest.importorskip("torch")
    from cwm_lsp.model.transformers import TransformersBackend
    from tests.model.conftest import random_model

    folder = tmp_path_factory.mktemp("random")
    random_model(vocabulary(), max_position_embeddings=8192).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    backend = TransformersBackend(folder, device="cpu", threads=1)
    yield backend
    backend.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("grounding", ["flow", "none"])
@pytest.mark.parametrize("name", ["strawberry", "recover", "fibonacci_recursive"])
def test_a_model_of_random_weights_gives_legal_frames_or_a_clear_end(
    random_backend: Backend, name: str, grounding: str
) -> None:
    document, call, _ = example(name)
    predictor = CwmPredictor(random_backend, longest_frame=120)
    budgets = Budgets(frames=10, tokens=600, seconds=60)
    for asked in (call, call.partition("(")[0]):
        simulation = Simulation.start(document, asked, predictor, grounding=grounding, budgets=budgets)  # type: ignore[arg-type]
        legal(document, list(simulation.run()))
        assert simulation.end is not None
        assert len(simulation.frames) <= budgets.frames
        assert simulation.end.tokens <= budgets.tokens + 120


def legal(document: Document, frames: list[Frame]) -> None:
    for frame in frames:
        assert 1 <= frame.line <= len(document.lines)
        assert document.function(frame.function) is not None
        for value in frame.locals.values():
            assert value.confidence is None or 0.0 <= value.confidence <= 1.0
