"""Programs of kinds that training never sees: templates of functions, filled with random names and numbers.

The generator of training (programs.py) puts random statements together; what it makes is unseen by seed
number but not by kind. These templates are used for measuring only: nothing that trains may import this
module (tests/models/test_templates.py watches). Each is a pure function of its generator of random numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from literals import WORDS

Program = tuple[str, str]
"""Source, and the arguments of one call of `f`."""
Template = Callable[[random.Random], Program]

ITEMS = ("xs", "items", "values", "data", "numbers", "nums", "scores")
ONE = ("x", "item", "value", "n", "num", "v")
TOTALS = ("total", "result", "acc", "out", "amount", "s")
TEXTS = ("text", "s", "word", "line", "message")
CHARS = ("c", "ch", "char", "letter")


def names(r: random.Random, *pools: Sequence[str]) -> list[str]:
    """A name from each pool, all of them different."""
    chosen: list[str] = []
    for pool in pools:
        chosen.append(r.choice([name for name in pool if name not in chosen]))
    return chosen


def ints(r: random.Random, low: int = 0, high: int = 20, least: int = 2, most: int = 6) -> list[int]:
    """A list of ints."""
    return [r.randint(low, high) for _ in range(r.randint(least, most))]


def words(r: random.Random, least: int = 1, most: int = 4) -> list[str]:
    """A list of words."""
    return [r.choice(WORDS) for _ in range(r.randint(least, most))]


def capped_sum(r: random.Random) -> Program:
    xs, x, total, cap = names(r, ITEMS, ONE, TOTALS, ("cap", "limit", "most"))
    sign = r.choice((">", ">="))
    return (
        f"def f({xs}, {cap}):\n    {total} = 0\n    for {x} in {xs}:\n"
        f"        if {total} + {x} {sign} {cap}:\n"
        f"            break\n        {total} += {x}\n    return {total}\n",
        f"{ints(r)}, {r.randint(5, 50)}",
    )


def alternating_sum(r: random.Random) -> Program:
    xs, x, total = names(r, ITEMS, ONE, TOTALS)
    first = r.choice((1, -1))
    return (
        f"def f({xs}):\n    {total} = 0\n    sign = {first}\n    for {x} in {xs}:\n"
        f"        {total} += sign * {x}\n"
        f"        sign = -sign\n    return {total}\n",
        f"{ints(r)}",
    )


def count_between(r: random.Random) -> Program:
    xs, x = names(r, ITEMS, ONE)
    low, high = sorted((r.randint(0, 10), r.randint(5, 20)))
    inner = r.choice(("<=", "<"))
    return (
        f"def f({xs}, low={low}, high={high}):\n    inside = 0\n    outside = 0\n    for {x} in {xs}:\n"
        f"        if low {inner} {x} {inner} high:\n            inside += 1\n        else:\n"
        "            outside += 1\n"
        "    return inside, outside\n",
        f"{ints(r)}" + r.choice(("", f", {r.randint(0, 8)}")),
    )


def position_of_change(r: random.Random) -> Program:
    xs, i = names(r, ITEMS, ("i", "k", "pos", "index"))
    sign = r.choice(("<", ">"))
    return (
        f"def f({xs}):\n    for {i} in range(1, len({xs})):\n        if {xs}[{i}] {sign} {xs}[{i} - 1]:\n"
        f"            return {i}\n    return {r.choice(('-1', 'None', f'len({xs})'))}\n",
        f"{sorted(ints(r)) if r.random() < 0.5 else ints(r)}",
    )


def label_grades(r: random.Random) -> Program:
    xs, x = names(r, ITEMS, ONE)
    high, low = r.choice((90, 80, 75)), r.choice((60, 50, 40))
    return (
        f"def mark({x}):\n    if {x} >= {high}:\n        return 'high'\n    if {x} >= {low}:\n"
        "        return 'middle'\n"
        f"    return 'low'\n\n\ndef f({xs}):\n    marks = []\n    for {x} in {xs}:\n"
        f"        marks.append(mark({x}))\n"
        "    return marks\n",
        f"{ints(r, 20, 100, 1, 4)}",
    )


def vowels_and_rest(r: random.Random) -> Program:
    text, c = names(r, TEXTS, CHARS)
    mark = r.choice(("*", "-", "_", "."))
    return (
        f"def f({text}):\n    shown = ''\n    hidden = 0\n    for {c} in {text}:\n"
        f"        if {c} in 'aeiou':\n"
        f"            shown += {mark!r}\n            hidden += 1\n        else:\n            shown += {c}\n"
        "    return f'{shown} ({hidden})'\n",
        repr(r.choice(WORDS)),
    )


def count_words_of(r: random.Random) -> Program:
    text, word = names(r, TEXTS, ("w", "part", "piece", "token"))
    least = r.randint(2, 5)
    return (
        f"def f({text}):\n    counts = {{}}\n    for {word} in {text}.split():\n"
        f"        if len({word}) < {least}:\n"
        f"            continue\n        counts[{word}] = counts.get({word}, 0) + 1\n    return counts\n",
        repr(" ".join(r.choice([*words(r, 3, 3), "a", "of"]) for _ in range(r.randint(3, 6)))),
    )


def halve_until(r: random.Random) -> Program:
    n, steps = names(r, ("n", "value", "size", "amount"), ("steps", "count", "rounds"))
    by, end = r.choice((2, 3, 10)), r.randint(1, 5)
    return (
        f"def f({n}):\n    {steps} = 0\n    while {n} > {end}:\n        {n} //= {by}\n        {steps} += 1\n"
        f"    return {steps}, {n}\n",
        str(r.randint(10, 900)),
    )


def grow_until(r: random.Random) -> Program:
    goal, level = names(r, ("goal", "target", "limit"), ("level", "size", "n"))
    add, times = r.randint(1, 9), r.choice((1, 2, 2, 3))
    return (
        f"def f({goal}):\n    {level} = {r.randint(1, 4)}\n    history = []\n    while {level} < {goal}:\n"
        f"        history.append({level})\n        {level} = {level} * {times} + {add}\n    return history\n",
        str(r.randint(5, 90)),
    )


def stock(r: random.Random) -> Program:
    moves, kind = names(r, ("moves", "orders", "events"), ("kind", "what", "action"))
    start = r.randint(0, 20)
    listed = [(r.choice(("in", "out")), r.randint(1, 15)) for _ in range(r.randint(1, 4))]
    return (
        f"def f({moves}):\n    left = {start}\n    for {kind}, amount in {moves}:\n"
        f"        if {kind} == 'in':\n"
        f"            left += amount\n        elif amount > left:\n"
        f"            raise ValueError(f'only {{left}} left')\n"
        "        else:\n            left -= amount\n    return left\n",
        repr(listed),
    )


def safe_ratio(r: random.Random) -> Program:
    a, b = names(r, ("a", "x", "top", "part"), ("b", "y", "bottom", "whole"))
    default = r.choice(("0", "None", "-1"))
    return (
        f"def ratio({a}, {b}):\n    try:\n        return {a} // {b}\n    except ZeroDivisionError:\n"
        f"        return {default}\n\n\ndef f(pairs):\n    return [ratio({a}, {b}) for {a}, {b} in pairs]\n",
        repr([(r.randint(0, 60), r.choice((0, 2, 3, 5, 7))) for _ in range(r.randint(1, 4))]),
    )


def power_recursive(r: random.Random) -> Program:
    base, exponent = names(r, ("base", "b", "x"), ("exponent", "n", "e"))
    return (
        f"def f({base}, {exponent}):\n    if {exponent} == 0:\n        return 1\n"
        f"    return {base} * f({base}, {exponent} - 1)\n",
        f"{r.randint(2, 9)}, {r.randint(0, 4)}",
    )


def join_range(r: random.Random) -> Program:
    low, high = names(r, ("low", "start", "first"), ("high", "stop", "last"))
    return (
        f"def f({low}, {high}):\n    parts = []\n"
        f"    for number in range({low}, {high}, {r.choice((1, 2, 3))}):\n"
        f"        parts.append(str(number))\n    return {r.choice(('-', ', ', '+', ' '))!r}.join(parts)\n",
        f"{r.randint(0, 5)}, {r.randint(4, 12)}",
    )


def longest_key(r: random.Random) -> Program:
    table, key = names(r, ("table", "prices", "ages", "counts"), ("key", "name", "k"))
    sign = r.choice((">", "<", ">="))
    made = {word: r.randint(1, 40) for word in words(r, 1, 4)}
    return (
        f"def f({table}):\n    best = None\n    for {key}, value in {table}.items():\n"
        f"        if best is None or value {sign} {table}[best]:\n            best = {key}\n"
        "    return best\n",
        repr(made),
    )


def swap_neighbours(r: random.Random) -> Program:
    xs, i = names(r, ITEMS, ("i", "k", "at"))
    step = r.choice((1, 2))
    return (
        f"def f({xs}):\n    for {i} in range(0, len({xs}) - 1, {step}):\n"
        f"        {xs}[{i}], {xs}[{i} + 1] = {xs}[{i} + 1], {xs}[{i}]\n    return {xs}\n",
        f"{ints(r)}",
    )


def filter_words(r: random.Random) -> Program:
    listed, word = names(r, ("words", "names", "tags"), ("w", "word", "name"))
    test = r.choice(
        (
            f"len({word}) > {r.randint(2, 5)}",
            f"{word}[0] in 'abcm'",
            f"'a' in {word}",
            f"{word}.endswith('e')",
        )
    )
    change = r.choice((f"{word}.upper()", f"{word}.title()", word, f"{word}[::-1]"))
    return f"def f({listed}):\n    return [{change} for {word} in {listed} if {test}]\n", repr(words(r, 1, 5))


def first_missing_digit(r: random.Random) -> Program:
    text, digit = names(r, TEXTS, ("digit", "d", "wanted"))
    return (
        f"def f({text}):\n    for {digit} in '{''.join(sorted(r.sample('0123456789', 4)))}':\n"
        f"        if {digit} not in {text}:\n            return int({digit})\n    return None\n",
        repr("".join(r.choice("0123456789") for _ in range(r.randint(2, 7)))),
    )


def grid_total(r: random.Random) -> Program:
    grid, row, cell = names(r, ("grid", "rows", "matrix"), ("row", "r"), ("cell", "x", "value"))
    test = r.choice((f"{cell} > {r.randint(1, 6)}", f"{cell} % 2 == 0", f"{cell} != 0"))
    made = [[r.randint(0, 9) for _ in range(r.randint(1, 3))] for _ in range(r.randint(1, 3))]
    return (
        f"def f({grid}):\n    total = 0\n    for {row} in {grid}:\n        for {cell} in {row}:\n"
        f"            if {test}:\n"
        f"                total += {cell}\n    return total\n",
        repr(made),
    )


def queue_turns(r: random.Random) -> Program:
    queue, who = names(r, ("queue", "line", "people"), ("who", "person", "first"))
    times = r.randint(1, 4)
    return (
        f"def f({queue}):\n    served = []\n    for turn in range({times}):\n        if not {queue}:\n"
        "            break\n"
        f"        {who} = {queue}.pop(0)\n        served.append({who})\n"
        f"        if turn % 2 == {r.randint(0, 1)}:\n"
        f"            {queue}.append({who})\n    return served, {queue}\n",
        repr(words(r, 1, 4)),
    )


def change_case(r: random.Random) -> Program:
    text, c = names(r, TEXTS, CHARS)
    every = r.choice((2, 3))
    return (
        f"def f({text}):\n    out = []\n    for i, {c} in enumerate({text}):\n        if i % {every} == 0:\n"
        f"            out.append({c}.upper())\n        else:\n            out.append({c})\n"
        "    return ''.join(out)\n",
        repr(r.choice(WORDS)),
    )


def set_of_ends(r: random.Random) -> Program:
    listed, number = names(r, ITEMS, ONE)
    by = r.choice((2, 3, 4, 5))
    return (
        f"def f({listed}):\n    seen = set()\n    again = []\n    for {number} in {listed}:\n"
        f"        rest = {number} % {by}\n"
        f"        if rest in seen:\n            again.append({number})\n        seen.add(rest)\n"
        "    return again\n",
        f"{ints(r)}",
    )


def receipt(r: random.Random) -> Program:
    basket, name = names(r, ("basket", "cart", "order"), ("name", "thing", "what"))
    listed = [(r.choice(WORDS), r.randint(1, 5), r.randint(1, 30)) for _ in range(r.randint(1, 3))]
    return (
        f"def f({basket}):\n    lines = []\n    total = 0\n    for {name}, count, price in {basket}:\n"
        f"        cost = count * price\n        total += cost\n"
        f"        lines.append(f'{{{name}}}: {{cost}}')\n"
        "    lines.append(f'total {total:03d}')\n    return lines\n",
        repr(listed),
    )


def two_ends(r: random.Random) -> Program:
    xs, left, right = names(r, ITEMS, ("left", "i", "low"), ("right", "j", "high"))
    goal = r.randint(8, 30)
    return (
        f"def f({xs}, goal={goal}):\n    {left} = 0\n    {right} = len({xs}) - 1\n"
        f"    while {left} < {right}:\n"
        f"        both = {xs}[{left}] + {xs}[{right}]\n        if both == goal:\n"
        f"            return {left}, {right}\n"
        f"        if both < goal:\n            {left} += 1\n        else:\n            {right} -= 1\n"
        "    return None\n",
        f"{sorted(ints(r))}",
    )


def parse_numbers(r: random.Random) -> Program:
    text, part = names(r, TEXTS, ("part", "piece", "field"))
    pieces = [
        r.choice((str(r.randint(0, 99)), r.choice(WORDS), str(r.randint(-9, 9))))
        for _ in range(r.randint(1, 4))
    ]
    return (
        f"def f({text}):\n    good = []\n    bad = 0\n    for {part} in {text}.split(','):\n        try:\n"
        f"            good.append(int({part}))\n        except ValueError:\n            bad += 1\n"
        "    return good, bad\n",
        repr(",".join(pieces)),
    )


TEMPLATES: tuple[Template, ...] = (
    capped_sum, alternating_sum, count_between, position_of_change, label_grades,
    vowels_and_rest, count_words_of, halve_until, grow_until, stock, safe_ratio, power_recursive,
    join_range, longest_key, swap_neighbours, filter_words, first_missing_digit, grid_total,
    queue_turns, change_case, set_of_ends, receipt, two_ends, parse_numbers,
)  # fmt: skip


def program(seed: int) -> tuple[str, str, str]:
    """The template's name, a source, and a call, of a seed number; the templates come in turn."""
    template = TEMPLATES[seed % len(TEMPLATES)]
    source, arguments = template(random.Random(seed ^ 0x7E39))
    return template.__name__, source, f"f({arguments})"
