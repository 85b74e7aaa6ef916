"""Walks the rounds of a comprehension or generator expression: what happens from one jump back to the next.

Leaves out the comprehension's activation and its frames (world/machine.py).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from cwm_lsp.source.asking import PythonRaised
from cwm_lsp.source.assign import assign
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.execute import LineWalk, Progress
from cwm_lsp.source.iterations import take
from cwm_lsp.source.literals_build import key as as_key
from cwm_lsp.source.literals_limits import Budget, Refused
from cwm_lsp.source.objects import Walker
from cwm_lsp.source.operations import Outcome, Ref, Unsupported, Walk

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class Rounds:
    """How far a comprehension has come: the walkers of its `for`s that are under way, outermost first, and
    the values kept (keys and values by turns for a dict)."""

    walkers: list[Walker]
    kept: list[Ref] = field(default_factory=list)


def run_comprehension(
    walk: Evaluator, progress: Progress, node: ast.expr, walker: Walker, line: int
) -> LineWalk:
    """One round: takes an item, filters it, keeps its element (or yields it)."""
    if not isinstance(node, Comprehension) or any(each.is_async for each in node.generators):
        raise Unsupported("this form of comprehension can't be taken apart yet")
    walk.over(node.lineno, node.end_lineno or node.lineno, line)
    if progress.rounds is None:
        progress.rounds = Rounds([walker])
    try:
        return (yield from _round(walk, progress.rounds, node))
    except PythonRaised as error:
        return Outcome("raise", raised=Ref(error.value, error.sure))
    except Refused as error:
        raise Unsupported(str(error)) from None


def _round(walk: Evaluator, rounds: Rounds, node: Comprehension) -> LineWalk:
    places = _places(node)
    if not rounds.walkers:
        raise Unsupported("a comprehension that is over can't go on")
    while True:
        level = len(rounds.walkers) - 1
        walk.jumps_at = places[level]
        item = yield from take(walk, rounds.walkers[level])
        if item is None:
            rounds.walkers.pop()
            yield from walk.at(None, places[-1])
            if level:
                return Outcome("next", line=places[level - 1])
            if isinstance(node, ast.GeneratorExp):
                return Outcome("return", value=Ref(None))
            return Outcome("return", value=(yield from _collected(walk, rounds, node)))
        generator = node.generators[level]
        yield from assign(walk, generator.target, item)
        for test in generator.ifs:
            if (yield from walk.test(test)).value is False:
                return Outcome("next", line=places[level])
        if level + 1 == len(node.generators):
            break
        walker = yield from walk.iteration(node.generators[level + 1].iter)
        yield from walk.at(None, places[level + 1])
        rounds.walkers.append(walker)
    if isinstance(node, ast.GeneratorExp):
        value = yield from walk.eval(node.elt)
        yield from walk.at(None, places[-1])
        return Outcome("yield", value=value)
    if isinstance(node, ast.DictComp):
        rounds.kept.append((yield from walk.eval(node.key)))
        rounds.kept.append((yield from walk.eval(node.value)))
        yield from walk.at(None, places[-1])
        _check_key(walk, rounds.kept[-2])
    else:
        rounds.kept.append((yield from walk.eval(node.elt)))
        yield from walk.at(None, places[-1])
        if isinstance(node, ast.SetComp):
            _check_key(walk, rounds.kept[-1])
    return Outcome("next", line=places[level])


def _places(node: Comprehension) -> list[int]:
    """The line on which the compiler puts what each `for` does, and last what is done with the elements: that
    of the comparison before it, else where the comprehension begins."""
    place = node.lineno
    places: list[int] = []
    for generator in node.generators:
        places.append(place)
        for test in generator.ifs:
            place = _compared_at(test) or place
    return [*places, place]


def _compared_at(test: ast.expr) -> int | None:
    if isinstance(test, ast.Compare):
        return test.lineno
    parts = test.values if isinstance(test, ast.BoolOp) else []
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        parts = [test.operand]
    found = [place for place in map(_compared_at, parts) if place is not None]
    return found[-1] if found else None


def _check_key(walk: Evaluator, value: Ref) -> None:
    """What can't be a key shows when it is put there."""
    kind = type(value.value)
    if kind in (list, dict, set):
        walk.gathered(set, [value])


def _collected(walk: Evaluator, rounds: Rounds, node: Comprehension) -> Walk:
    kept = rounds.kept
    if isinstance(node, ast.SetComp):

        def made(budget: Budget) -> Any:
            return {as_key(each.value, budget) for each in kept}

        return (yield from walk.operate(made, "make_set", tuple(kept)))
    if isinstance(node, ast.ListComp):
        return walk.gathered(list, kept)
    return walk.gathered(lambda held: dict(zip(held[::2], held[1::2], strict=True)), kept)
