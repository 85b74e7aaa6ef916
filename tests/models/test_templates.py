"""Templates for measuring: they run, each in many forms, and nothing that trains knows them."""

from __future__ import annotations

import re

from cwm_lsp.source.document import Document
from tests.recipe import RECIPE, recipe

templates, tracing = recipe("templates"), recipe("tracing")
MEASURING = {"templates.py", "sets.py"}


def test_every_template_gives_programs_that_end() -> None:
    made = [templates.program(seed) for seed in range(6 * len(templates.TEMPLATES))]
    assert len({kind for kind, _, _ in made}) == len(templates.TEMPLATES)
    assert len({source for _, source, _ in made}) > 0.8 * len(made)
    for _, source, call in made:
        Document.from_text(source, "program.py")
        frames = tracing.trace(tracing.load(source, "program.py"), "program.py", call, 400)
        assert frames[-1].depth == 1
        assert frames[-1].event in ("return", "exception")


def test_nothing_that_trains_knows_them() -> None:
    for path in RECIPE.glob("*.py"):
        if path.name not in MEASURING:
            assert not re.search(r"^(?:import|from) templates\b", path.read_text(), re.MULTILINE), path
