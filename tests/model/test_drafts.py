"""A draft changes how long an answer takes and nothing else, whatever it says."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from cwm_lsp.model.backend import Backend, Request
from cwm_lsp.model.catalog import load
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
]


@pytest.fixture(scope="module")
def backend() -> Backend:
    return load("cwm-mini")


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_answer_is_the_same_with_any_draft(backend: Backend, operation: Operation) -> None:
    predictor = MiniPredictor(backend)
    prompt = predictor._encode(("<|trace_context_start|>", *layout.question(operation)))
    grammar = layout.grammar(operation)
    plain = backend.complete(Request(prompt, grammar=grammar, max_tokens=60))
    rng = random.Random(str(operation))
    answer = list(plain.tokens)
    drafts = [answer, answer[:1], [*answer, 5, 6], [*answer[:-1], 40], [rng.randrange(700) for _ in range(6)]]
    guessed = guess(operation)
    if guessed is not None:
        drafts.append(predictor._encode(layout.answer_tokens(guessed, operation)))
    for draft in drafts:
        told = backend.complete(Request(prompt, grammar=grammar, max_tokens=60, draft=draft))
        assert (told.tokens, told.forced, told.reason) == (plain.tokens, plain.forced, plain.reason)
        assert told.logprobs == pytest.approx(plain.logprobs, abs=2e-3)
        assert told.choice_logprobs == pytest.approx(plain.choice_logprobs, abs=2e-3)


def test_a_right_draft_is_confirmed_in_one_pass(backend: Backend) -> None:
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
    backend: Backend, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path: Path = ROOT / "examples" / f"{name}.py"
    document, call = Document.from_file(path), calls_in(path.read_text())[0]
    drafted = list(Simulation.start(document, call, MiniPredictor(backend)).run())
    monkeypatch.setattr(mini_predictor, "guess", lambda _: None)
    plain = list(Simulation.start(document, call, MiniPredictor(backend)).run())
    assert [frame.to_json()["event"] for frame in drafted] == [frame.event for frame in plain]
    assert all(told.same_as(other) for told, other in zip(drafted, plain, strict=True))
