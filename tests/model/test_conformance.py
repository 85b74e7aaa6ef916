"""One suite over every backend, on small random weights with CWM's 128,256 tokens and its ids."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import BackendError, Cancel, Completion, Request
from tests.model.conformance import CONTEXT, KINDS, WINDOW, Folders, Kind, transformers_kind
from tests.model.full_vocabulary import CWM_IDS, SIZE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GRAMMAR = (
    'start: <|line_sep|> "{\\"x\\": \\"" /[^"\\\\\\n]{0,12}/ "\\"}" <|action_sep|> LINE <|frame_sep|>\n'
    'LINE: "    x = 1\\n" | "    y = 2\\n"\n'
)
LITERAL = 'start: <|line_sep|> "say <|frame_sep|> and <|end_of_text|>" <|frame_sep|>\n'


@dataclass(frozen=True)
class Case:
    """A backend, and float32 transformers to hold it against."""

    kind: Kind
    backend: Any
    reference: Any

    def same(self, ours: Completion, theirs: Completion) -> None:
        """Where the weights are the same ones, the tokens are."""
        if self.kind.exact:
            assert ours.tokens == theirs.tokens
            assert ours.forced == theirs.forced
            assert ours.reason == theirs.reason
            assert np.allclose(ours.logprobs, theirs.logprobs, atol=2e-3)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    return Folders(tmp_path_factory.mktemp("conformance"))


@pytest.fixture(scope="module")
def reference(folders: Folders) -> Iterator[Any]:
    with transformers_kind("float32")(folders) as backend:
        yield backend


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def case(
    request: pytest.FixtureRequest, folders: Folders, reference: Any, engine_folder: Any
) -> Iterator[Case]:
    kind: Kind = request.param
    with kind.make(folders) as backend:
        yield Case(kind, backend, reference)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def words(rng: np.random.Generator, count: int) -> list[int]:
    return [CWM_IDS["<|begin_of_text|>"], *rng.integers(0, 100_000, count - 1).tolist()]


def close(case: Case, ours: list[float], theirs: list[float], tokens: int) -> None:
    """The scores of texts of so many tokens, against float32."""
    if case.kind.tolerance is not None:
        assert np.abs(np.subtract(ours, theirs)).max() < case.kind.tolerance * max(1.0, tokens**0.5)


def test_vocabulary_and_ids(case: Case) -> None:
    vocabulary = case.backend.vocabulary
    assert vocabulary.size == SIZE
    assert {name: vocabulary.token(name) for name in CWM_IDS} == CWM_IDS
    about = case.backend.describe()
    assert about.codec == "cwm"
    assert about.context >= CONTEXT


def test_scores_are_those_of_float32_beyond_the_window(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 4 * WINDOW)
    options = [rng.integers(0, 100_000, 6).tolist() for _ in range(3)]
    options.append([*options[0][:3], 5, 6])
    theirs = case.reference.score(prompt, options)
    close(case, case.backend.score(prompt, options), theirs, 6)


def test_a_prefix_is_used_again_and_changes_nothing(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 3 * WINDOW)
    more = [*prompt, *rng.integers(0, 100_000, 20).tolist()]
    option = [rng.integers(0, 100_000, 4).tolist()]
    before = case.backend.score(more, option)
    case.backend.complete(Request(prompt, max_tokens=2))
    again = case.backend.complete(Request(more, max_tokens=2))
    after = case.backend.score(more, option)
    assert abs(before[0] - after[0]) < 4 * case.kind.repeat
    if case.kind.name != "llama-server":
        assert again.timing.reused_tokens >= len(prompt)
        assert again.timing.prompt_tokens <= 20


def test_rewinding_past_the_window(case: Case, rng: np.random.Generator) -> None:
    """Back over several windows, and on with something else; then back once more."""
    prompt, option = words(rng, 6 * WINDOW), [rng.integers(0, 100_000, 5).tolist()]
    case.backend.complete(Request(prompt, max_tokens=4))
    for cut in (5 * WINDOW, 2 * WINDOW + 1, WINDOW - 1, 3 * WINDOW):
        other = [*prompt[:cut], *rng.integers(0, 100_000, 7).tolist()]
        theirs = case.reference.score(other, option)
        close(case, case.backend.score(other, option), theirs, 5)


def test_forks_do_not_disturb_each_other(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 3 * WINDOW)
    tails = [rng.integers(0, 100_000, 9).tolist() for _ in range(3)]
    expected = [case.reference.complete(Request([*prompt, *tail], max_tokens=4)) for tail in tails]
    for _ in range(2):
        for tail, theirs in zip(tails, expected, strict=True):
            case.same(case.backend.complete(Request([*prompt, *tail], max_tokens=4)), theirs)


def test_a_grammar_holds(case: Case, rng: np.random.Generator) -> None:
    vocabulary = case.backend.vocabulary
    for length in (5, 2 * WINDOW):
        prompt = words(rng, length)
        ours = case.backend.complete(Request(prompt, grammar=GRAMMAR))
        case.same(ours, case.reference.complete(Request(prompt, grammar=GRAMMAR)))
        assert ours.reason == "grammar"
        assert ours.tokens[0] == CWM_IDS["<|line_sep|>"]
        assert ours.tokens[-1] == CWM_IDS["<|frame_sep|>"]
        text = vocabulary.decode(ours.tokens)
        assert text.startswith('<|line_sep|>{"x": "')
        assert text.endswith("\n<|frame_sep|>")
        assert "<|action_sep|>    x = 1" in text or "<|action_sep|>    y = 2" in text
        assert 1 <= ours.decisions <= 15
        assert all(value == 0.0 for value, forced in zip(ours.logprobs, ours.forced, strict=True) if forced)


def test_log_probabilities(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 2 * WINDOW)
    ours = case.backend.complete(Request(prompt, max_tokens=5))
    assert len(ours.logprobs) == len(ours.choice_logprobs) == len(ours.tokens) == 5
    assert all(value < 0.0 for value in ours.logprobs)
    theirs = case.reference.score(prompt, [list(ours.tokens)])[0]
    close(case, [sum(ours.logprobs)], [theirs], 5)
    held = case.backend.complete(Request(prompt, grammar=GRAMMAR))
    free = [not forced for forced in held.forced]
    for whole, among, decided in zip(held.logprobs, held.choice_logprobs, free, strict=True):
        assert among <= 0.0
        assert not decided or among >= whole - 1e-3


def test_greedy_tokens(case: Case, rng: np.random.Generator) -> None:
    for length in (1, WINDOW, 3 * WINDOW):
        prompt = words(rng, length)
        ours = case.backend.complete(Request(prompt, max_tokens=12))
        assert (len(ours.tokens), ours.reason) == (12, "length")
        case.same(ours, case.reference.complete(Request(prompt, max_tokens=12)))


def test_cancelling_ends_a_request_within_100_ms(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 100)
    case.backend.complete(Request(prompt, max_tokens=2))
    waited: list[float] = []
    for _ in range(6):
        cancel = Cancel()
        at: list[float] = []

        def stop(cancel: Cancel = cancel, at: list[float] = at) -> None:
            at.append(time.perf_counter())
            cancel.cancel()

        threading.Timer(0.25, stop).start()
        completion = case.backend.complete(Request(prompt, max_tokens=1500, cancel=cancel))
        waited.append(time.perf_counter() - at[0])
        assert completion.reason == "cancelled"
    # Other processes may halt us for longer than that; they don't every time.
    assert min(waited) < 0.1
    assert case.backend.complete(Request(prompt, max_tokens=2)).reason == "length"


def test_stop_tokens(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 60)
    free = case.backend.complete(Request(prompt, max_tokens=10))
    stop = free.tokens[6]
    stopped = case.backend.complete(Request(prompt, max_tokens=10, stop=frozenset({stop})))
    assert stopped.reason == "stop"
    assert stopped.tokens[-1] == stop
    assert stopped.tokens == free.tokens[: free.tokens.index(stop) + 1]
    action = CWM_IDS["<|action_sep|>"]
    held = case.backend.complete(Request(prompt, grammar=GRAMMAR, stop=frozenset({action})))
    assert (held.reason, held.tokens[-1]) == ("stop", action)


def test_special_tokens_never_come_from_text(case: Case, rng: np.random.Generator) -> None:
    vocabulary = case.backend.vocabulary
    ids = vocabulary.encode("x = '<|frame_sep|><|end_of_text|>'")
    assert not set(ids) & set(CWM_IDS.values())
    done = case.backend.complete(Request(words(rng, 20), grammar=LITERAL))
    special = [token for token in done.tokens if token in CWM_IDS.values()]
    assert special == [CWM_IDS["<|line_sep|>"], CWM_IDS["<|frame_sep|>"]]
    assert "say <|frame_sep|> and <|end_of_text|>" in vocabulary.decode(done.tokens)


def test_streaming_gives_the_same_tokens(case: Case, rng: np.random.Generator) -> None:
    prompt = words(rng, 40)
    for request in (Request(prompt, max_tokens=40), Request(prompt, grammar=GRAMMAR)):

        async def collect(request: Request = request) -> list[int]:
            return [token async for run in case.backend.stream(request) for token in run]

        assert tuple(asyncio.run(collect())) == case.backend.complete(request).tokens


@pytest.mark.parametrize(
    ("prompt", "said"), [([], "empty"), ([5] * (CONTEXT + 1), "at most"), ([5, SIZE], "does not have")]
)
def test_what_can_not_be_asked_is_one_sentence(case: Case, prompt: list[int], said: str) -> None:
    if case.backend.describe().context > CONTEXT and said == "at most":
        pytest.skip("a longer context")
    with pytest.raises(BackendError, match=said):
        case.backend.complete(Request(prompt))
    with pytest.raises(BackendError, match="grammar"):
        case.backend.complete(Request([5], grammar="start: ((("))
    assert case.backend.complete(Request([5], max_tokens=1)).tokens
