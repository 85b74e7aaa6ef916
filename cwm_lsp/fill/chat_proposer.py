"""Proposals of an instruct model, asked in CWM's chat format: the code, its examples, and what is known
there.

Leaves out cwm-mini, which can't chat (mini_proposer.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cwm_lsp.fill.candidates import Proposal
from cwm_lsp.fill.problems import Problem
from cwm_lsp.fill.search import Solution
from cwm_lsp.fill.states import State
from cwm_lsp.model.backend import Backend, BackendError, Cancel, Request
from cwm_lsp.source.document import Document

SYSTEM = "You are a helpful AI assistant."
REASONING_SYSTEM = (
    "You are a helpful AI assistant. You always reason before responding, using the following format:\n\n"
    "<think>\nyour internal reasoning\n</think>\nyour external response"
)
STOPS = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")
ALTERNATIVES = 4
STATES = 4
_LINE = re.compile(r"^\s*(?:hole\s*)?(\d+)\s*[:.)]\s*`?(.+?)`?\s*$", re.IGNORECASE)


class ChatProposer:
    """Asks a model that follows instructions. `reasoning`: it may think first, which takes long."""

    def __init__(self, backend: Backend, *, reasoning: bool = False) -> None:
        self.backend = backend
        self.reasoning = reasoning
        self.name = backend.describe().name

    def __call__(
        self, document: Document, problem: Problem, states: Mapping[int, Sequence[State]], cancel: Cancel
    ) -> list[list[Proposal]]:
        """For each hole the model's answers, in its order; none if it can't chat."""
        if cancel.cancelled or not self.backend.vocabulary.has("<|start_header_id|>"):
            return []
        try:
            completion = self.backend.complete(
                Request(
                    self.prompt(document, problem, states),
                    stop=frozenset(self._token(name) for name in STOPS if self.backend.vocabulary.has(name)),
                    max_tokens=4096 if self.reasoning else 60 * len(problem.sites) * ALTERNATIVES,
                    cancel=cancel,
                )
            )
        except (BackendError, KeyError):
            return []
        if completion.reason == "cancelled":
            return []
        return self.read(self.backend.vocabulary.decode(completion.tokens), len(problem.sites))

    def order(
        self,
        document: Document,
        problem: Problem,
        survivors: Sequence[Solution],
        cancel: Cancel,
    ) -> list[Solution] | None:
        """The order of cost holds: what the model proposes is cheap already."""
        return None

    def prompt(
        self, document: Document, problem: Problem, states: Mapping[int, Sequence[State]]
    ) -> list[int]:
        """The ids of the conversation up to the model's turn. What comes from the file is encoded as text."""
        vocabulary = self.backend.vocabulary
        ids = [self._token("<|begin_of_text|>")] if vocabulary.has("<|begin_of_text|>") else []
        turns = (
            ("system", REASONING_SYSTEM if self.reasoning else SYSTEM),
            ("user", question(document, problem, states)),
        )
        for speaker, text in turns:
            ids += self._header(speaker)
            ids += [*vocabulary.encode(text), self._token("<|eot_id|>")]
        ids += self._header("assistant")
        return ids + (vocabulary.encode("<think>\n") if self.reasoning else [])

    def _header(self, speaker: str) -> list[int]:
        vocabulary = self.backend.vocabulary
        return [
            self._token("<|start_header_id|>"), *vocabulary.encode(speaker), self._token("<|end_header_id|>"),
            *vocabulary.encode("\n\n"),
        ]  # fmt: skip

    def _token(self, name: str) -> int:
        return self.backend.vocabulary.token(name)

    @staticmethod
    def read(answer: str, holes: int) -> list[list[Proposal]]:
        """The lines `1: code` of an answer, by hole; whatever else it says is left out."""
        answer = answer.rpartition("</think>")[2]
        found: list[list[Proposal]] = [[] for _ in range(holes)]
        for line in answer.splitlines():
            match = _LINE.match(line.strip().strip("`"))
            if match is None or not 1 <= int(match[1]) <= holes:
                continue
            known = found[int(match[1]) - 1]
            text = match[2].strip()
            if "?" not in text and len(known) < ALTERNATIVES and all(one.text != text for one in known):
                known.append(Proposal(text, -float(len(known)), 1 + len(known)))
        return found


def question(document: Document, problem: Problem, states: Mapping[int, Sequence[State]]) -> str:
    """What the model is asked, as text."""
    names = list(dict.fromkeys(site.function.name for site in problem.sites))
    code: list[str] = []
    for name in names:
        function = document.function(name)
        if function is not None:
            code += document.lines[function.first_line - 1 : function.last_line]
    parts = [
        f"In this Python code each `?` marks a hole.\n\n```python\n{''.join(code)}```\n",
        "\n".join(f"{example.call.text} must return {example.expected}" for example in problem.examples[:8]),
    ]
    for number, site in enumerate(problem.sites, 1):
        line = document.lines[site.hole.line - 1].strip()
        parts.append(
            f"Hole {number} is a {site.hole.place}, in the line `{line}` (column {site.hole.column})."
        )
        for state in list(states.get(site.index, ()))[:STATES]:
            told = ", ".join(f"{name} = {value!r}" for name, value in state.items() if len(repr(value)) <= 80)
            parts.append(f"A run comes there with {told}.")
    parts.append(
        f"For each hole give up to {ALTERNATIVES} pieces of code that could stand there, likeliest first, "
        "one a line in the form `1: code`. Write nothing else."
    )
    return "\n".join(parts)
