"""Which of the fillings that pass do the same, and where they differ: the call to ask about.

The survivors are run on calls like the examples', with other arguments. Those that give the same everywhere
are one group. Leaves out the search (search.py) and asking (the editor).
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.running import Filling, Outcome, Program
from cwm_lsp.source.literals import Refused, text_of, value_of
from cwm_lsp.source.literals_build import build

CALLS = 32


@dataclass(frozen=True, slots=True)
class Doubt:
    """A call on which the survivors differ: its text, the answers (best survivor's first), and for each
    survivor which answer is its own. An answer is the `repr` of what is returned, or the exception's name."""

    call: str
    answers: tuple[str, ...]
    chosen: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """For each survivor: its group (0 is the best survivor's) and on how many calls it raises."""

    group: tuple[int, ...]
    raised: tuple[int, ...]
    doubt: Doubt | None


def grouped(
    program: Program,
    examples: Sequence[Example],
    survivors: Sequence[Sequence[Filling]],
    stop: Callable[[], bool] = lambda: False,
    seed: int = 0,
) -> Groups:
    """Runs the survivors (best first) on calls like the examples'."""
    results: list[list[str]] = [[] for _ in survivors]
    asked: list[Example] = []
    for call in _calls(examples, random.Random(seed)):
        if stop() or len(asked) == CALLS:
            break
        answers = [_answer(program.run(call, fillings)) for fillings in survivors]
        if all(answer is None for answer in answers):
            continue
        asked.append(call)
        for found, answer in zip(results, answers, strict=True):
            found.append(answer or "?")
    groups: dict[tuple[str, ...], int] = {}
    numbers = tuple(groups.setdefault(tuple(found), len(groups)) for found in results)
    raised = tuple(sum(answer.endswith("!") for answer in found) for found in results)
    return Groups(numbers, raised, _distinguishing(asked, results) if len(groups) > 1 else None)


def _answer(outcome: Outcome) -> str | None:
    if outcome.status == "refused":
        return None
    if outcome.status == "raised":
        return f"{type(outcome.value).__name__}!"
    try:
        return text_of(outcome.value)
    except Refused:
        return None


def _distinguishing(asked: Sequence[Example], results: Sequence[Sequence[str]]) -> Doubt | None:
    """The call that tells most survivors apart and is easy to judge: short, and nothing raised."""
    best: tuple[tuple[int, int, int], int] | None = None
    for at, example in enumerate(asked):
        answers = [found[at] for found in results]
        if len(set(answers)) < 2 or "?" in answers or answers[0].endswith("!"):
            continue
        differs = sum(answer != answers[0] for answer in answers)
        raising = sum(answer.endswith("!") for answer in answers)
        rank = (raising, -differs, len(example.call.text))
        if best is None or rank < best[0]:
            best = rank, at
    if best is None:
        return None
    answers = [found[best[1]] for found in results]
    distinct = tuple(dict.fromkeys(answers))
    shown = tuple(answer.removesuffix("!") for answer in distinct)
    return Doubt(asked[best[1]].call.text, shown, tuple(distinct.index(answer) for answer in answers))


def _calls(examples: Sequence[Example], rng: random.Random) -> Iterator[Example]:
    """Calls like the examples', each once, none of them an example."""
    seen = {tuple(example.arguments.values()) for example in examples}
    for _ in range(6 * CALLS):
        example = rng.choice(examples)
        values = [value_of(text) for text in example.arguments.values()]
        changed = [changed_value(value, rng) if rng.random() < 0.7 else value for value in values]
        try:
            texts = tuple(text_of(value) for value in changed)
            if texts in seen or sum(map(len, texts)) > 200:
                continue
            seen.add(texts)
            yield with_arguments(example, texts)
        except (Refused, SyntaxError):
            continue


def with_arguments(example: Example, texts: Sequence[str]) -> Example:
    """The example's call with other arguments (in the order of the parameters); what it returns is not
    known."""
    text = f"{example.function}({', '.join(texts)})"
    call = type(example.call)(example.function, text, example.call.line, "given")
    for argument in texts:
        build(ast.parse(argument, mode="eval").body)
    return Example(call, dict(zip(example.arguments, texts, strict=True)), "None")


def changed_value(value: Any, rng: random.Random) -> Any:
    """A value of the same type, not far away."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        if value < 0:
            return rng.choice((value + 1, -value, value * 2))
        return rng.choice((value + 1, value - 1, value + rng.randint(2, 9), value * 2, 0, 1, 2))
    if isinstance(value, float):
        return value + rng.choice((0.5, -0.5, 1.0, 2.25))
    if isinstance(value, str):
        return _changed_text(value, rng)
    if isinstance(value, list):
        return _changed_list(value, rng)
    if isinstance(value, tuple):
        return tuple(changed_value(item, rng) if rng.random() < 0.5 else item for item in value)
    if isinstance(value, dict):
        return {
            (changed_value(key, rng) if rng.random() < 0.3 else key): (
                changed_value(item, rng) if rng.random() < 0.5 else item
            )
            for key, item in value.items()
        }
    if isinstance(value, set):
        return {changed_value(item, rng) if rng.random() < 0.5 else item for item in value}
    return value


def _changed_text(value: str, rng: random.Random) -> str:
    if value.isdigit():
        return str(int(value) + rng.randint(1, 9))
    letters = [*value] or ["a"]
    way = rng.randrange(5)
    if way == 0 and value:
        del letters[rng.randrange(len(letters))]
    elif way == 1:
        letters.insert(rng.randint(0, len(letters)), rng.choice(letters))
    elif way == 2:
        rng.shuffle(letters)
    elif way == 3:
        letters += letters[:3]
    else:
        letters[rng.randrange(len(letters))] = rng.choice("abcxyz")
    return "".join(letters)


def _changed_list(value: list[Any], rng: random.Random) -> list[Any]:
    items = [changed_value(item, rng) if rng.random() < 0.4 else item for item in value]
    way = rng.randrange(5)
    if way == 0 and items:
        del items[rng.randrange(len(items))]
    elif way == 1 and items:
        items.insert(rng.randint(0, len(items)), changed_value(rng.choice(items), rng))
    elif way == 2:
        rng.shuffle(items)
    elif way == 3 and items:
        items.append(rng.choice(items))
    return items[:8]
