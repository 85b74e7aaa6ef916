"""Random programs for cwm-mini: typed functions of straight lines, branches and loops, and calls of them.

Every program is a pure function of its seed number. Nothing is run here. Leaves out the hand-written programs
(mutations.py) and the drills (drills.py).
"""

from __future__ import annotations

import random

from literals import Literals
from statements import COMMON_KINDS, KINDS, Helper
from writer import Writer

CALLS = 2


def program(seed: int) -> tuple[str, list[str]]:
    """Source and calls of one generated program."""
    rng = random.Random(seed)
    helpers: list[Helper] = []
    lines: list[str] = []
    if rng.random() < 0.2:
        code, helper = function(rng, "helper", [], rng.choice((1, 2)))
        lines += [*code, "", ""]
        helpers.append(helper)
    code, main = function(rng, "main", helpers, rng.choice((2, 3, 4, 5, 6)))
    return "\n".join([*lines, *code]) + "\n", calls_of_main(rng, main.kinds)


def straight(seed: int) -> tuple[str, list[str]]:
    """A function of straight lines only, and calls: dense practice of single operations."""
    rng = random.Random(seed ^ 0x5EED)
    writer = Writer(rng, [])
    kinds = tuple(rng.choice(KINDS) for _ in range(rng.choice((3, 4, 5))))
    head = f"def main({', '.join(writer.parameter(kind) for kind in kinds)}):"
    for _ in range(rng.randint(5, 9)):
        if rng.random() < 0.3:
            writer.statement(1)
        else:
            writer.assign(1)
    return "\n".join([head, *writer.lines]) + "\n", calls_of_main(rng, kinds)


def function(rng: random.Random, name: str, helpers: list[Helper], size: int) -> tuple[list[str], Helper]:
    """Lines of a function, and how to call it."""
    writer = Writer(rng, helpers)
    kinds = tuple(rng.choice(COMMON_KINDS) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    parameters = [writer.parameter(kind) for kind in kinds]
    for kind in rng.sample(("int", "str", "ints", "table", "strs"), rng.choice((0, 1, 2))):
        new = writer.fresh()
        empty = {"int": rng.choice(("0", "0", "1")), "str": "''", "ints": "[]", "table": "{}", "strs": "[]"}
        writer.put(1, f"{new} = {empty[kind]}")
        writer.bind(new, kind)
    writer.block(1, size, 2)
    gives = rng.choice(list(writer.scope.values()))
    if rng.random() < 0.5:
        writer.put(1, f"return {rng.choice(writer.names_of(gives))}")
    else:
        writer.put(1, f"return {writer.expr.of(gives, 1)}")
    return [f"def {name}({', '.join(parameters)}):", *writer.lines], Helper(name, kinds, gives)


def calls_of_main(rng: random.Random, kinds: tuple[str, ...]) -> list[str]:
    """Calls of `main` with literals of the types."""
    literals = Literals(rng)
    return [f"main({', '.join(literals.of(kind) for kind in kinds)})" for _ in range(CALLS)]
