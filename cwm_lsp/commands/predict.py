"""The world that a command's options and the settings ask for: a model, its predictor, grounding and budgets.

Every way this can fail is one sentence. Leaves out what is predicted and how it is shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class World:
    """A model and how it is to predict. With grounding "values" it is loaded when it is first needed."""

    model: str
    predictor: Predictor
    grounding: Grounding
    budgets: Budgets

    def start(self, document: Document, target: Target) -> Simulation:
        """A simulation of the target. Raises CommandError."""
        try:
            call = target.call or target.function
            return Simulation.start(document, call, self.predictor, self.grounding, self.budgets)
        except CallError as error:
            raise CommandError(str(error), BAD_USAGE) from None


@contextmanager
def open_world(args: argparse.Namespace) -> Iterator[World]:
    """The model of `--backend`, else of the settings; closes it at the end. Raises CommandError."""
    from cwm_lsp.model.catalog import check
    from cwm_lsp.world.predictors import computing_first, predictor_for

    chosen = settings()
    grounding = args.grounding or chosen.grounding
    name = args.backend or chosen.model
    loaded: list[Backend] = []

    def load() -> Backend:
        loaded.append(_connected(name, chosen.backend))
        return loaded[-1]

    frames = getattr(args, "max_frames", None) or chosen.max_frames
    budgets = Budgets(frames, chosen.max_tokens, chosen.max_seconds)
    try:
        if grounding == "values":
            check(name, chosen.backend, here=args.backend is not None)
            world = World(str(name), computing_first(load), grounding, budgets)
        else:
            backend = load()
            world = World(backend.describe().name, predictor_for(backend), grounding, budgets)
    except BackendError as error:
        for backend in loaded:
            backend.close()
        raise CommandError(str(error)) from None
    try:
        yield world
    finally:
        for backend in loaded:
            backend.close()


def _connected(name: str, options: Mapping[str, Any]) -> Backend:
    from cwm_lsp.commands.terminal import note
    from cwm_lsp.model.catalog import connect

    backend = connect(name, **options)
    if warning := backend.describe().details.get("warning"):
        note(str(warning))
    return backend
