"""Decoding under a grammar: what is forced, what is decided, what it costs, and that it is what the model
says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import BackendError, Completion, Request
from cwm_lsp.model.drafting import log_sum_exp
from cwm_lsp.model.reference import plainly, without_cache
from cwm_lsp.model.runner import as_ids
from tests.model.conftest import WINDOW

FRAME = (
    'start: <|line_sep|> "{\\"x\\": \\"" VALUE "\\", \\"y\\": \\"..\\"}" <|action_sep|> LINE <|frame_sep|>\n'
    'LINE: "    x = y\\n" | "    return x\\n"\n'
    "VALUE: /-?[0-9]{1,3}|\\[\\]|'[a-z ]{0,8}'/\n"
)
FORCED = 'start: <|line_sep|> "{}" <|action_sep|> "    return self.get(value, 0) + 1\\n" <|frame_sep|>'


def prompt_of(backend: Any, text: str = "def f(x, y):\n    x = y\n    return x\n") -> list[int]:
    vocabulary = backend.vocabulary
    return [
        vocabulary.token("<|begin_of_text|>"),
        *vocabulary.encode(text),
        vocabulary.token("<|frame_sep|>"),
    ]


def logprobs_by_reference(backend: Any, prompt: list[int], tokens: tuple[int, ...]) -> list[float]:
    """Of each token, from one fresh pass over everything."""
    rows = backend.runner.new().extend_all(as_ids([*prompt, *tokens]))[len(prompt) - 1 : -1]
    return [float(row[token]) - log_sum_exp(row) for row, token in zip(rows, tokens, strict=True)]


def runs_of_text(backend: Any, tokens: tuple[int, ...]) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    for token in tokens:
        if backend.vocabulary.is_special(token):
            runs.append([])
        else:
            runs[-1].append(token)
    return [run for run in runs if run]


def well_formed(completion: Completion) -> bool:
    length = len(completion.tokens)
    return length == len(completion.logprobs) == len(completion.choice_logprobs) == len(
        completion.forced
    ) and all(
        choice >= logprob - 1e-5 and choice <= 0 and (not forced or logprob == choice == 0)
        for logprob, choice, forced in zip(
            completion.logprobs, completion.choice_logprobs, completion.forced, strict=True
        )
    )


def test_a_frame_without_decisions_costs_no_pass(backend: Any) -> None:
    completion = backend.complete(Request(prompt_of(backend), grammar=FORCED))
    assert backend.vocabulary.decode(completion.tokens) == (
        "<|line_sep|>{}<|action_sep|>    return self.get(value, 0) + 1\n<|frame_sep|>"
    )
    assert all(completion.forced)
    assert (completion.reason, completion.decisions, completion.timing.passes) == ("grammar", 0, 0)
    assert well_formed(completion)


def test_one_pass_a_decision(backend: Any) -> None:
    vocabulary = backend.vocabulary
    prompt = prompt_of(backend, "one pass a decision")
    completion = backend.complete(
        Request(prompt, grammar=FRAME, stop=frozenset({vocabulary.token("<|frame_sep|>")}))
    )
    assert well_formed(completion)
    assert completion.reason == "stop"
    assert completion.timing.passes == completion.decisions
    assert completion.timing.prompt_tokens + completion.timing.reused_tokens == len(prompt)
    text = vocabulary.decode(completion.tokens)
    assert text.startswith('<|line_sep|>{"x": "')
    assert text.endswith(("x = y\n<|frame_sep|>", "return x\n<|frame_sep|>"))


def test_logprobs_are_the_models(backend: Any, rng: np.random.Generator) -> None:
    specials = "start: EVENT EVENT <|arg_sep|> EVENT EVENT\nEVENT: <|call_sep|> | <|line_sep|> | <|eot_id|>\n"
    for _ in range(3):
        prompt = rng.integers(0, backend.vocabulary.size, WINDOW + 9).tolist()
        for grammar in (specials.replace("EVENT", "event"), None):
            completion = backend.complete(Request(prompt, grammar=grammar, max_tokens=40))
            expected = logprobs_by_reference(backend, prompt, completion.tokens)
            for got, want, forced in zip(completion.logprobs, expected, completion.forced, strict=True):
                assert forced or got == pytest.approx(want, abs=2e-3)


def test_choices_are_renormalised(backend: Any) -> None:
    vocabulary, prompt = backend.vocabulary, prompt_of(backend)
    names = ["<|line_sep|>", "<|call_sep|>", "<|return_sep|>"]
    completion = backend.complete(Request(prompt, grammar="start: " + " | ".join(names)))
    logits = backend.runner.new().extend(as_ids(prompt))
    values = np.array([logits[vocabulary.token(name)] for name in names])
    assert completion.tokens == (vocabulary.token(names[int(values.argmax())]),)
    assert completion.choice_logprobs[0] == pytest.approx(float(values.max()) - log_sum_exp(values), abs=1e-3)
    assert completion.logprobs[0] == pytest.approx(float(values.max()) - log_sum_exp(logits), abs=1e-3)


def test_unconstrained_is_plain_generation(backend: Any, rng: np.random.Generator) -> None:
    prompt = rng.integers(0, backend.vocabulary.size, WINDOW).tolist()
    slow = without_cache(backend.runner, prompt, frozenset(), 2 * WINDOW)
    plain = plainly(backend.runner, prompt, frozenset(), 2 * WINDOW)
    mine = backend.complete(Request(prompt, max_tokens=2 * WINDOW))
    assert slow.tokens == plain.tokens == mine.tokens
    assert mine.reason == "length"
    assert np.allclose(slow.logprobs, mine.logprobs, atol=1e-3)
    stop = slow.tokens[7]
    first = slow.tokens.index(stop)
    for completion in (
        plainly(backend.runner, prompt, frozenset({stop}), 50),
        backend.complete(Request(prompt, stop=frozenset({stop}), max_tokens=50)),
    ):
        assert completion.tokens == slow.tokens[: first + 1]
        assert completion.reason == "stop"


def test_prefix_reuse_changes_nothing(backend: Any, rng: np.random.Generator) -> None:
    """Alternating and growing prompts, each compared with the answer of a decoder that remembers nothing."""
    from cwm_lsp.model.constrained import Decoder
    from cwm_lsp.model.runner import SequencePool

    size = backend.vocabulary.size
    functions = [rng.integers(0, size, 2 * WINDOW).tolist() for _ in range(3)]
    reused = 0
    for turn in range(12):
        prompt = functions[turn % 3]
        if turn % 4 == 3:
            prompt = prompt[: -turn % WINDOW or None]
        prompt = [*prompt, *rng.integers(0, size, turn).tolist()]
        grammar = FRAME if turn % 2 else None
        request = Request(prompt, grammar=grammar, max_tokens=20)
        mine = backend.complete(request)
        fresh = Decoder(backend.runner, backend.vocabulary, SequencePool(backend.runner)).complete(request)
        assert fresh.timing.reused_tokens == 0
        assert mine.tokens == fresh.tokens
        assert mine.forced == fresh.forced
        assert np.allclose(mine.logprobs, fresh.logprobs, atol=1e-3)
        reused += mine.timing.reused_tokens
        functions[turn % 3] = [*prompt, *mine.tokens]
    assert reused > 9 * WINDOW


def test_the_same_question_twice_computes_almost_nothing(backend: Any) -> None:
    request = Request(prompt_of(backend, "asked twice"), grammar="start: <|line_sep|> | <|call_sep|>")
    first, second = backend.complete(request), backend.complete(request)
    assert second.tokens == first.tokens
    assert second.timing.reused_tokens == len(request.prompt)
    assert (second.timing.passes, second.timing.prompt_tokens) == (0, 0)


def test_tokens_are_the_tokenizers_own(backend: Any, rng: np.random.Generator) -> None:
    """Random weights like odd spellings; what comes out is still what the tokenizer gives for the text."""
    value = "VALUE: /[a-zA-Z_ .,(){}:=+]{0,30}/\n"
    odd = total = 0
    for seed in range(12):
        prompt = rng.integers(0, backend.vocabulary.size, 20).tolist()
        frame = '<|line_sep|> "{\\"total\\": \\"" VALUE "\\"}" <|action_sep|> VALUE "\\n" <|frame_sep|>'
        grammar = f"start: {frame}\n{value}"
        completion = backend.complete(Request(prompt, grammar=grammar, temperature=0.7, seed=seed))
        assert well_formed(completion)
        for run in runs_of_text(backend, completion.tokens):
            total += 1
            odd += backend.vocabulary.encode(backend.vocabulary.decode(run)) != run
    assert total == 24
    assert odd <= 1


def test_ties_go_to_the_lowest_id(backend: Any) -> None:
    from cwm_lsp.model.completing import Completing

    work = object.__new__(Completing)
    work._request = Request([0])
    assert work._pick(np.array([0.0, 2.0, 2.0, 1.0], np.float32)) == 1


def test_sampling_follows_the_probabilities_and_the_seed(backend: Any) -> None:
    vocabulary, prompt = backend.vocabulary, prompt_of(backend, "sampling")
    names = ["<|line_sep|>", "<|call_sep|>", "<|return_sep|>", "<|exception_sep|>"]
    grammar = "start: " + " | ".join(names)
    logits = backend.runner.new().extend(as_ids(prompt))
    temperature = 2.0
    scaled = np.array([logits[vocabulary.token(name)] for name in names]) / temperature
    expected = np.exp(scaled - log_sum_exp(scaled))
    drawn = [
        backend.complete(Request(prompt, grammar=grammar, temperature=temperature, seed=seed)).tokens[0]
        for seed in range(400)
    ]
    for name, share in zip(names, expected, strict=True):
        error = 4 * math.sqrt(share * (1 - share) / 400) + 0.01
        assert drawn.count(vocabulary.token(name)) / 400 == pytest.approx(share, abs=error)
    free = Request(prompt, temperature=1.0, seed=5, max_tokens=12)
    assert backend.complete(free).tokens == backend.complete(free).tokens


def test_max_tokens_counts_forced_ones(backend: Any) -> None:
    whole = backend.complete(Request(prompt_of(backend), grammar=FORCED))
    for most in (0, 1, 5, len(whole.tokens)):
        cut = backend.complete(Request(prompt_of(backend), grammar=FORCED, max_tokens=most))
        assert cut.tokens == whole.tokens[:most]
        assert cut.reason == "length"


def test_an_open_grammar_ends_with_the_end_token(backend: Any) -> None:
    """Digits without end: the model may end the text at any of them, by the end-of-sequence token."""
    vocabulary = backend.vocabulary
    completion = backend.complete(
        Request(prompt_of(backend), grammar="start: /[0-9]+/", temperature=3.0, seed=1)
    )
    assert completion.reason == "grammar"
    assert completion.tokens[-1] in vocabulary.eos
    assert vocabulary.decode(completion.tokens[:-1]).isdigit()


def test_the_score_of_an_option_is_the_sum_of_its_tokens(backend: Any) -> None:
    vocabulary, prompt = backend.vocabulary, prompt_of(backend)
    texts = ["    return x\n", "    return x + y\n", "    y = 1\n", "z", "    return x\n"]
    options = [[*vocabulary.encode(text), vocabulary.token("<|frame_sep|>")] for text in texts]
    scores = backend.score(prompt, options)
    for option, score in zip(options, scores, strict=True):
        assert score == pytest.approx(sum(logprobs_by_reference(backend, prompt, tuple(option))), abs=1e-2)


@pytest.mark.parametrize("prompt", [[], [-1], [10**6]])
def test_a_prompt_that_the_model_cannot_take(backend: Any, prompt: list[int]) -> None:
    with pytest.raises(BackendError) as caught:
        backend.complete(Request(prompt, grammar="start: <|line_sep|> | <|call_sep|>"))
    assert "\n" not in str(caught.value)
