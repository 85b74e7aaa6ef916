"""Who proposes fillings beside the search: a model, asked in the form that it knows.

A proposal is a candidate like any other, tried on the examples. A model also orders the survivors, as far as
it has shown on the code around that it knows better than chance. Leaves out the search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from cwm_lsp.fill.candidates import Proposal
from cwm_lsp.fill.problems import Problem
from cwm_lsp.fill.search import Solution
from cwm_lsp.fill.states import State
from cwm_lsp.model.backend import Backend, Cancel
from cwm_lsp.source.document import Document

Proposals = list[list[Proposal]]


class Proposer(Protocol):
    """Whoever proposes."""

    name: str

    def __call__(
        self, document: Document, problem: Problem, states: Mapping[int, Sequence[State]], cancel: Cancel
    ) -> Proposals:
        """For each hole of the problem what could stand there, likeliest first. Never raises."""

    def order(
        self, document: Document, problem: Problem, survivors: Sequence[Solution], cancel: Cancel
    ) -> list[Solution] | None:
        """The survivors (cheapest first) in a better order; None to leave it."""


class NoProposals:
    """The search alone."""

    name = ""

    def __call__(
        self,
        document: Document,
        problem: Problem,
        states: Mapping[int, Sequence[State]],
        cancel: Cancel,
    ) -> Proposals:
        """Nothing."""
        return []

    def order(
        self,
        document: Document,
        problem: Problem,
        survivors: Sequence[Solution],
        cancel: Cancel,
    ) -> list[Solution] | None:
        """As they are."""
        return None


no_proposals = NoProposals()


def proposer_for(backend: Backend) -> Proposer:
    """The proposer of the layout that the backend's model knows."""
    if backend.describe().codec == "mini":
        from cwm_lsp.fill.mini_proposer import MiniProposer

        return MiniProposer(backend)
    from cwm_lsp.fill.chat_proposer import ChatProposer

    return ChatProposer(backend)
