"""Models that propose: asked in their own form, believed as far as they have shown, never trusted blindly."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from cwm_lsp.fill.chat_proposer import ChatProposer, question
from cwm_lsp.fill.examples import examples_of
from cwm_lsp.fill.holes import fill_document, forget
from cwm_lsp.fill.mini_proposer import MiniProposer, Trust
from cwm_lsp.fill.problems import Problem, problems_of
from cwm_lsp.fill.proposers import proposer_for
from cwm_lsp.fill.running import Program
from cwm_lsp.fill.sites import sites_of
from cwm_lsp.model.backend import Cancel, Description
from cwm_lsp.model.chat import Message, chat_prompt
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.vocabulary import HfVocabulary
from cwm_lsp.source.document import Document
from cwm_lsp.trace import mini_holes
from cwm_lsp.trace.mini_layout import naming_of
from tests.fill.tasks import TASKS
from tests.tokenizer_fixture import tokenizer_json
from tests.world.scripted import ScriptedRunner

# The answer needs a constant that stands nowhere, beyond what is searched.
TEXT = """def cents(n, rate):
    total = n * rate
    return total + ?


# cwm: cents(1, 2) -> 7739
# cwm: cents(3, 5) -> 7752
"""


STATES = {0: [{"n": 1, "rate": 2, "total": 2}]}


def problem_of(document: Document) -> Problem:
    """The only problem of a document."""
    program = Program(document)
    sites, _ = sites_of(document, program)
    [problem] = problems_of(program.tree, sites, examples_of(document))
    return problem


@pytest.fixture
def backend() -> Iterator[EmbeddedBackend]:
    """cwm-mini."""
    found = EmbeddedBackend()
    yield found
    found.close()


def chatting(document: Document, answer: str) -> LocalBackend:
    """A model that answers the question about a document."""
    words = HfVocabulary(tokenizer_json())
    said = Message("user", question(document, problem_of(document), STATES))
    script = [*chat_prompt(words, [said], reasoning=False), *words.encode(answer), words.token("<|eot_id|>")]
    runner = ScriptedRunner(script, words.size)
    return LocalBackend(runner, words, Description("chat", "scripted", "cwm", 0, 1 << 20))


def test_a_chat_model_is_asked_in_its_own_format() -> None:
    document = Document.from_text(TEXT.replace("total + ?", "total + ? # <|eot_id|>"))
    backend = chatting(document, "1: 7737\n1: total\nnonsense\n2: x\n1: 7737\n1: a ? b\n")
    proposer = proposer_for(backend)
    assert isinstance(proposer, ChatProposer)
    [found] = proposer(document, problem_of(document), STATES, Cancel())
    assert [one.text for one in found] == ["7737", "total"]


def test_a_model_that_can_not_chat_proposes_nothing(backend: EmbeddedBackend) -> None:
    document = Document.from_text(TEXT)
    assert ChatProposer(backend)(document, problem_of(document), STATES, Cancel()) == []


def test_a_chat_model_sees_code_examples_and_states() -> None:
    document = Document.from_text(TEXT)
    told = question(document, problem_of(document), {0: [{"n": 1, "total": 2}]})
    for part in (
        "return total + ?",
        "cents(1, 2) must return 7739",
        "Hole 1 is a operand",
        "n = 1, total = 2",
    ):
        assert part in told


def test_an_answer_is_read_leniently() -> None:
    [found] = ChatProposer.read("Sure!\n`1: right`\nHole 1: also\n3: no such hole\n", 1)
    assert [one.text for one in found] == ["right", "also"]


def test_what_a_model_proposes_is_tried_like_the_rest() -> None:
    document = Document.from_text(TEXT)

    class Knowing(ChatProposer):
        """Proposes without being asked the exact prompt."""

        def __call__(self, *_: object) -> list[list[object]]:  # type: ignore[override]
            return [*self.read("1: 7737\n1: 1 +\n1: total.__class__\n1: 9 ** 9 ** 9\n", 1)]  # type: ignore[list-item]

    forget()
    alone = [one for one in fill_document(document, budget_seconds=0.2, clock=time.thread_time) if one.done]
    assert not any(fill.verified == "passed" for fill in alone[0].fills)
    proposer = Knowing(chatting(document, ""))
    forget()
    found = [one for one in fill_document(document, proposer=proposer, clock=time.thread_time) if one.done]
    assert [fill.text for fill in found[0].fills[:1]] == ["7737"]
    assert found[0].fills[0].verified == "passed"


def test_without_examples_a_proposal_is_untested() -> None:
    document = Document.from_text("def f(n):\n    return n + ?\n")
    forget()

    class Knowing(ChatProposer):
        """Proposes a name."""

        def __call__(self, *_: object) -> list[list[object]]:  # type: ignore[override]
            return [*self.read("1: n\n", 1)]  # type: ignore[list-item]

    [found] = fill_document(document, proposer=Knowing(chatting(Document.from_text(TEXT), "")))
    assert [(fill.text, fill.verified, fill.examples) for fill in found.fills] == [("n", "untested", (0, 0))]


def test_cwm_mini_writes_code_over_the_names_in_scope(backend: EmbeddedBackend) -> None:
    task = next(task for task in TASKS if task.name == "merge")
    document = Document.from_text(task.text)
    proposer = proposer_for(backend)
    assert isinstance(proposer, MiniProposer)
    proposer.trust = Trust()
    proposer.trust.asked = proposer.trust.right = 100
    problem = problem_of(document)
    [found] = proposer(document, problem, {}, Cancel())
    for one in found:
        compile(one.text, "proposal", "eval")
        assert one.logprob <= 0
    assert [one.logprob for one in found] == sorted((one.logprob for one in found), reverse=True)


def test_cwm_mini_is_believed_only_once_it_has_shown(backend: EmbeddedBackend) -> None:
    task = next(task for task in TASKS if task.name == "moving_sum")
    document = Document.from_text(task.text)
    proposer = MiniProposer(backend)
    proposer.trust = Trust()
    problem = problem_of(document)
    assert proposer.order(document, problem, [], Cancel()) is None
    states = {0: [{"numbers": [1, 2], "width": 1, "total": 1, "sums": [1], "i": 1}]}
    proposals = proposer(document, problem, states, Cancel())
    assert proposer.trust.asked > 0
    assert not proposer.trust.believed
    assert all(one.cost >= 6 for some in proposals for one in some)


def test_a_model_that_knows_gives_the_first_proposal() -> None:
    document = Document.from_text(TEXT)
    problem = problem_of(document)
    real = EmbeddedBackend()
    proposer = MiniProposer(real)
    prompt = proposer._prompt(document, document.holes[0], "cents", problem)
    answer = proposer._encode(mini_holes.answer_tokens(naming_of(document, "cents"), "7737"))
    runner = ScriptedRunner([*prompt, *answer], real.vocabulary.size)
    knowing = LocalBackend(runner, real.vocabulary, Description("knows", "scripted", "mini", 0, 1 << 20))
    scripted = MiniProposer(knowing)
    scripted.trust = Trust()
    scripted.trust.asked = scripted.trust.right = 100
    forget()
    found = [one for one in fill_document(document, proposer=scripted, clock=time.thread_time) if one.done]
    assert found[0].fills[0].text == "7737"
    assert found[0].fills[0].verified == "passed"
    real.close()
