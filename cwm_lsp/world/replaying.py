"""A run that is there already, taken up as a simulation: a recording, or a trace that was predicted before.

Its frames are history and are not checked again: they happened. What is edited in it goes on with a
predictor. Leaves out where traces are kept (trace/cache.py) and read from.
"""

from __future__ import annotations

from collections.abc import Sequence

from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import End, Frame
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.predictor import Predictor
from cwm_lsp.world.simulation import Simulation


def replay(
    document: Document,
    frames: Sequence[Frame],
    end: End,
    predictor: Predictor,
    *,
    grounding: Grounding = "flow",
    budgets: Budgets | None = None,
) -> Simulation:
    """A simulation whose history is `frames`, the cursor on the first. `end` is how they ended: a branch that
    ran out of budget or failed can be extended, and goes on with `predictor`. Raises ValueError if there are
    no frames."""
    if not frames:
        raise ValueError("The trace has no frames.")
    simulation = Simulation(document, predictor, grounding, budgets or Budgets(), frames[0])
    simulation.take_up(frames[1:], end)
    return simulation
