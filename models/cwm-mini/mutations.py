"""Variations of the hand-written programs: other arguments for their calls, and code changed a little.

A variation is a pure function of the program and a seed number. Nothing is run here. Leaves out programs that
are made from nothing (programs.py).
"""

from __future__ import annotations

import ast
import random
import re

from literals import ALPHABET, Literals

CALL = re.compile(r"^\s*#\s*cwm:\s*(.*?)(?:\s*->.*)?$")
"""A comment that names a call, perhaps with what it returns."""
CHANGED_CODE = 0.35
CHANGED_NODES = 0.12


def calls_in(source: str) -> list[str]:
    """The calls that a program's comments name."""
    return [found.group(1) for line in source.splitlines() if (found := CALL.match(line))]


def mutated_seed(source: str, seed: int) -> tuple[str, list[str]]:
    """The program, its code changed a little now and then, and its calls, their arguments changed freely."""
    rng = random.Random(seed)
    literals = Literals(rng)
    changed = source
    if rng.random() < CHANGED_CODE:
        tree = Mutation(rng, CHANGED_NODES).visit(ast.parse(source))
        changed = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    calls = [changed_call(literals, call) for call in calls_in(source)]
    return changed, [call for call in calls if call is not None]


def changed_call(literals: Literals, call: str) -> str | None:
    """A call with other arguments, or None where it is not a call with literals."""
    node = ast.parse(call, mode="eval").body
    if not isinstance(node, ast.Call):
        return None
    try:
        arguments = [repr(changed_value(literals, ast.literal_eval(argument))) for argument in node.args]
        named = [f"{word.arg}={ast.literal_eval(word.value)!r}" for word in node.keywords]
    except (ValueError, TypeError):
        return None
    return f"{ast.unparse(node.func)}({', '.join([*arguments, *named])})"


def changed_value(literals: Literals, value: object) -> object:
    """A value of the same kind."""
    r = literals.rng
    if isinstance(value, bool) or value is None:
        return value if r.random() < 0.5 else not value
    if isinstance(value, int):
        return r.choice((value, value + r.randint(-3, 6), abs(value) + r.randint(0, 30), r.randint(0, 20)))
    if isinstance(value, float):
        return round(value * r.choice((1, 1.5, 2)) + r.choice((0, 0.5, 1)), 2)
    if isinstance(value, str):
        return changed_text(literals, value)
    if isinstance(value, list | tuple):
        items = [changed_value(literals, item) if r.random() < 0.7 else item for item in value]
        return changed_list(literals, items) if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {
            changed_value(literals, key) if r.random() < 0.5 else key: changed_value(literals, item)
            for key, item in value.items()
        }
    return value


def changed_text(literals: Literals, value: str) -> str:
    """Another string: a letter stays a letter as a rule, and digits stay digits."""
    r = literals.rng
    if len(value) == 1 and r.random() < 0.7:
        return r.choice(ALPHABET)
    if value.isdigit():
        return str(r.randint(0, 10 ** len(value)))
    one, other = literals.raw_string(), literals.raw_string()
    return r.choice((value, value[1:], value[::-1], one, other, value + literals.raw_string()[:3]))


def changed_list(literals: Literals, items: list[object]) -> list[object]:
    """Now and then an element less, one more, or another order."""
    r = literals.rng
    draw = r.random()
    if items and draw < 0.2:
        items.pop(r.randrange(len(items)))
    elif items and draw < 0.45 and len(items) < 7:
        items.insert(r.randint(0, len(items)), changed_value(literals, r.choice(items)))
    elif draw < 0.55:
        r.shuffle(items)
    return items


class Mutation(ast.NodeTransformer):
    """Changes constants and operators now and then."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        self.rng = rng
        self.rate = rate

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Another int near by."""
        if type(node.value) is int and self.rng.random() < self.rate:
            near = max(node.value + self.rng.choice((-1, 1, 2)), 0)
            return ast.copy_location(ast.Constant(near), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """+ and - change places."""
        self.generic_visit(node)
        if self.rng.random() < self.rate / 2 and isinstance(node.op, ast.Add | ast.Sub):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """An order comparison becomes another."""
        self.generic_visit(node)
        orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
        if self.rng.random() < self.rate and len(node.ops) == 1 and isinstance(node.ops[0], orders):
            node.ops = [self.rng.choice(orders)()]
        return node
