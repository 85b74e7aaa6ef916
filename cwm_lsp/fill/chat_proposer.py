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
from cwm_lsp.model.backend import Backend, BackendError, Cancel
from cwm_lsp.model.chat import Message, ask, can_chat
from cwm_lsp.source.document import Document

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
        if cancel.cancelled or not can_chat(self.backend.vocabulary):
            return []
        said = [Message("user", question(document, problem, states))]
        longest = 4096 if self.reasoning else 60 * len(problem.sites) * ALTERNATIVES
        try:
            reply = ask(self.backend, said, reasoning=self.reasoning, max_tokens=longest, cancel=cancel)
        except (BackendError, KeyError):
            return []
        return [] if cancel.cancelled else self.read(reply.text, len(problem.sites))

    def order(
        self,
        document: Document,
        problem: Problem,
        survivors: Sequence[Solution],
        cancel: Cancel,
    ) -> list[Solution] | None:
        """The order of cost holds: what the model proposes is cheap already."""
        return None

    @staticmethod
    def read(answer: str, holes: int) -> list[list[Proposal]]:
        """The lines `1: code` of an answer, by hole; whatever else it says is left out."""
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
