"""A draft changes how long an answer takes and nothing else, whatever it says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cwm_lsp.model.backend import Request
from cwm_lsp.model.catalog import load
from cwm_lsp.model.constrained import Decoder
from cwm_lsp.model.drafting import repeated
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import SequencePool
from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Operation
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.world import mini_predictor
from cwm_lsp.world.drafts import guess
from cwm_lsp.world.mini_predictor import MiniPredictor
from cwm_lsp.world.simulation import Simulation
from tests.recipe import ROOT, calls_in

OPERATIONS = [
    Operation("binary", ("12", "30"), "+"),
    Operation("binary", ("'ab'", "'cd'"), "+"),
    Operation("item", ("[3, 14, 15]",), "item", 1),
    Operation("item", ("'xyz'",), "item", 3),
    Operation("item", ("range(0, 5)", "4"), "range", 5),
    Operation("index", ("['red', 'green']", "-1")),
    Operation("call", ("'strawberry'",), "len"),
    Operation("mutated", ("[1, 2]", "3"), "append"),
    Operation("call", ("'x'",), "int"),
    Operation("binary", ("'abc'", "15"), "*"),
    Operation("mutated", (repr(["fizz", "buzz"] * 6), "'fizz'"), "append"),
]


@pytest.fixture(scope="module")
def backend() -> LocalBackend:
    loaded = load("cwm-mini")
    assert isinstance(loaded, LocalBackend)
    return loaded


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_answer_is_the_same_with_any_draft(backend: LocalBackend, operation: Operation) -> None:
    predictor = MiniPredictor(backend)
    prompt = predictor._encode(("<|trace_context_start|>", *layout.question(operation)))
    grammar = layout.grammar(operation)
    plain = backend.complete(Request(prompt, grammar=grammar, max_tokens=60))
    rng = random.Random(str(operation))
    answer = list(plain.tokens)
    drafts = [answer, answer[:1], [*answer, 5, 6], [*answer[:-1], 40], [rng.randrange(700) for _ in range(6)]]
    guessed = guess(operation)
    if guessed is not None:
        drafts.append(predictor._encode(layout.answer_tokens(guessed)))
    for draft in drafts:
        told = backend.complete(Request(prompt, grammar=grammar, max_tokens=60, draft=draft))
        assert (told.tokens, told.forced, told.reason) == (plain.tokens, plain.forced, plain.reason)
        assert told.logprobs == pytest.approx(plain.logprobs, abs=2e-3)
        assert told.choice_logprobs == pytest.approx(plain.choice_logprobs, abs=2e-3)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_quick_road_is_the_plain_one(backend: LocalBackend, operation: Operation) -> None:
    """All tokens of a draft at once under a table, or token by token under llguidance."""
    predictor = MiniPredictor(backend)
    quick, plain = (
        Decoder(backend.runner, backend.vocabulary, SequencePool(backend.runner), tables=tables)
        for tables in (True, False)
    )
    head = predictor._encode(("<|trace_context_start|>", *layout.question(operation)))
    grammar, rng = layout.grammar(operation), random.Random(str(operation))
    answer = list(plain.complete(Request(head, grammar=grammar, max_tokens=60)).tokens)
    drafts = [[], answer, answer[:1], [*answer, 5, 6], [*answer[:-1], 40], [rng.randrange(700)] * 3]
    # What follows the answer may be drafted too, so that the next question is read already.
    drafts.append([*answer, *head[1:], *answer])
    for prompt in (head, [*head, *answer, *head[1:]]):
        for draft in drafts:
            request = Request(prompt, grammar=grammar, max_tokens=60, draft=draft)
            left, right = quick.complete(request), plain.complete(request)
            assert (left.tokens, left.forced, left.reason) == (right.tokens, right.forced, right.reason)
            assert left.logprobs == pytest.approx(right.logprobs, abs=2e-3)
            assert left.choice_logprobs == pytest.approx(right.choice_logprobs, abs=2e-3)


def test_what_came_before_is_guessed_again() -> None:
    assert repeated([1, 2, 3, 4, 5, 6, 1, 2, 3])[:4] == [4, 5, 6, 1]
    assert repeated([9, 5, 5, 5, 5])[:3] == [5, 5, 5]
    assert repeated([0, 7, 8, 7, 8, 7])[:5] == [8, 7, 8, 7, 8]
    assert repeated([1, 2, 3, 4, 5, 6]) == repeated([1, 2]) == repeated([]) == []


def test_an_answer_that_repeats_itself_takes_few_passes(backend: LocalBackend) -> None:
    """Without any draft: what is said in circles is drafted out of itself."""
    predictor = MiniPredictor(backend)
    question = predictor._encode(("<|trace_context_start|>", *layout.question(OPERATIONS[-1])))
    request = Request(question, grammar=f"start: {'DIGIT ' * 80}<|end|>\nDIGIT: /[0-9]/\n")
    quick, plain = (
        Decoder(backend.runner, backend.vocabulary, SequencePool(backend.runner), tables=tables)
        for tables in (True, False)
    )
    left, right = quick.complete(request), plain.complete(request)
    assert left.tokens == right.tokens
    assert left.logprobs == pytest.approx(right.logprobs, abs=2e-3)
    assert right.timing.passes >= 80
    assert left.timing.passes < 40


def test_a_question_that_was_drafted_is_not_read_again(backend: LocalBackend) -> None:
    predictor = MiniPredictor(backend)
    operation = OPERATIONS[1]
    question, grammar = predictor._encode(layout.question(operation)), layout.grammar(operation)
    head = [*predictor._encode(("<|trace_context_start|>", "<|L9|>")), *question]
    apart = Decoder(backend.runner, backend.vocabulary, SequencePool(backend.runner))
    first = apart.complete(Request(head, grammar=grammar)).tokens
    second = apart.complete(Request([*head, *first, *question], grammar=grammar)).tokens
    drafted = backend.complete(Request(head, grammar=grammar, draft=[*first, *question, *second]))
    assert (drafted.tokens, drafted.timing.passes) == (first, 1)
    answered = backend.complete(Request([*head, *first, *question], grammar=grammar, draft=second))
    assert (answered.tokens, answered.timing.passes) == (second, 0)


def test_a_right_draft_is_confirmed_in_one_pass(backend: LocalBackend) -> None:
    predictor = MiniPredictor(backend)
    operation = OPERATIONS[1]
    grammar = layout.grammar(operation)
    for number in range(3):
        # Another prompt each time: nothing of it is cached.
        head = ("<|trace_context_start|>", f"<|L{number}|>", *layout.question(operation))
        prompt = predictor._encode(head)
        answer = load("cwm-mini").complete(Request(prompt, grammar=grammar, max_tokens=60)).tokens
        confirmed = backend.complete(Request(prompt, grammar=grammar, max_tokens=60, draft=answer))
        assert confirmed.tokens == answer
        assert confirmed.timing.passes == 1


@pytest.mark.parametrize("name", ["strawberry", "bubble_sort", "string_builder", "collatz"])
def test_traces_are_the_same_without_drafts(
    backend: LocalBackend, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path: Path = ROOT / "examples" / f"{name}.py"
    document, call = Document.from_file(path), calls_in(path.read_text())[0]
    drafted = list(Simulation.start(document, call, MiniPredictor(backend)).run())
    monkeypatch.setattr(mini_predictor, "guess", lambda _: None)
    plain = list(Simulation.start(document, call, MiniPredictor(backend)).run())
    assert [frame.to_json()["event"] for frame in drafted] == [frame.event for frame in plain]
    assert all(told.same_as(other) for told, other in zip(drafted, plain, strict=True))
