"""The world that a command's options and the settings ask for: a model, its predictor, grounding and budgets.

Every way this can fail is one sentence. Leaves out what is predicted and how it is shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.options import settings
from cwm_lsp.commands.target import Target
from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.source.calls import CallError
from cwm_lsp.source.document import Document
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.predictor import Predictor
from cwm_lsp.world.simulation import Simulation

VALUES_SENTENCE = "grounding 'values' is not there yet: use 'flow' (or 'none' for the model alone)"


@dataclass(frozen=True, slots=True)
class World:
    """A loaded model and how it is to predict."""

    backend: Backend
    predictor: Predictor
    grounding: Grounding
    budgets: Budgets

    @property
    def model(self) -> str:
        """The model's name."""
        return self.backend.describe().name

    def start(self, document: Document, target: Target) -> Simulation:
        """A simulation of the target. Raises CommandError."""
        try:
            call = target.call or target.function
            return Simulation.start(document, call, self.predictor, self.grounding, self.budgets)
        except CallError as error:
            raise CommandError(str(error), BAD_USAGE) from None


@contextmanager
def open_world(args: argparse.Namespace) -> Iterator[World]:
    """Loads the model of `--backend`, else of the settings; closes it at the end. Raises CommandError."""
    from cwm_lsp.commands.terminal import note
    from cwm_lsp.model.catalog import connect
    from cwm_lsp.world.predictors import predictor_for

    chosen = settings()
    grounding = args.grounding or chosen.grounding
    if grounding == "values":
        raise CommandError(VALUES_SENTENCE)
    frames = getattr(args, "max_frames", None) or chosen.max_frames
    budgets = Budgets(frames, chosen.max_tokens, chosen.max_seconds)
    try:
        backend = connect(args.backend or chosen.model, **chosen.backend)
        if warning := backend.describe().details.get("warning"):
            note(str(warning))
    except BackendError as error:
        raise CommandError(str(error)) from None
    try:
        yield World(backend, predictor_for(backend), grounding, budgets)
    finally:
        backend.close()
