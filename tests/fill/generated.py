"""Tasks made by cutting code out of the recipe's hand-written functions: nobody chose them for the filler.

Some of a function's calls become examples, the others hidden checks. Not a test itself.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cwm_lsp.source.document import Document, DocumentError
from tests.fill.really import really_run
from tests.recipe import recipe

EXAMPLES = 3


@dataclass(frozen=True)
class Made:
    """A text with holes, its examples as `# cwm:` comments in it, what stood in the holes, hidden checks."""

    text: str
    solution: tuple[str, ...]
    examples: tuple[tuple[str, str], ...]
    hidden: tuple[tuple[str, str], ...]


def made_tasks(count: int, seed: int = 0, folders: tuple[str, ...] = ("heldout", "seeds")) -> Iterator[Made]:
    """That many tasks; the same seed gives the same ones."""
    data, holes, mutations = recipe("data"), recipe("holes"), recipe("mutations")
    pieces = [piece for folder in folders for text in data.seeds(folder) for piece in holes.pieces(text)]
    rng = random.Random(seed)
    rng.shuffle(pieces)
    made = 0
    for at in range(20 * count):
        if made == count:
            return
        task = _made(pieces[at % len(pieces)], rng, holes, mutations)
        if task is not None:
            made += 1
            yield task


def _made(piece: str, rng: random.Random, holes: object, mutations: object) -> Made | None:
    calls = mutations.calls_in(piece)  # type: ignore[attr-defined]
    literals = mutations.Literals(rng)  # type: ignore[attr-defined]
    changed = [mutations.changed_call(literals, rng.choice(calls)) for _ in range(8)]  # type: ignore[attr-defined]
    calls = list(dict.fromkeys([*calls, *(call for call in changed if call)]))
    code = "\n".join(line for line in piece.splitlines() if not line.lstrip().startswith("# cwm:")) + "\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = Document.from_text(code)
            function = document.function(calls[0].partition("(")[0])
            if function is None:
                return None
            chosen = holes._chosen(list(holes.cuts(function)), rng)  # type: ignore[attr-defined]
            holed = holes.with_holes(code, chosen)  # type: ignore[attr-defined]
            if not chosen or len(Document.from_text(holed).holes) != len(chosen):
                return None
    except (DocumentError, SyntaxError):
        return None
    [results] = really_run([(code, calls)])
    known = [(call, result) for call, result in zip(calls, results, strict=True) if _literal(result)]
    if len(known) <= EXAMPLES:
        return None
    examples, hidden = tuple(known[:EXAMPLES]), tuple(known[EXAMPLES:])
    comments = "".join(f"# cwm: {call} -> {result}\n" for call, result in examples)
    return Made(comments + holed, tuple(cut.answer for cut in chosen), examples, hidden)


def _literal(text: str) -> bool:
    return text != "?" and not text.endswith(("Error", "Exception", "Iteration")) and "<" not in text
