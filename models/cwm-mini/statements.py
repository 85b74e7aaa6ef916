"""Simple statements of a generated function: assignments, changes of numbers, strings and containers.

The base of writer.py, which adds branches and loops. Leaves out what is assigned (expressions.py).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from expressions import Expressions

COMMON_KINDS = ("int", "int", "int", "str", "str", "ints", "ints", "strs", "bool", "table", "float")
"""Types as often as they are drawn; those of parameters."""
KINDS = (*COMMON_KINDS, "pair", "unique", "pairs", "rows")
_NAME_STYLES = """
total count result value current best index left right low high size step text word item limit
a b c d x y z n m k i j s t u v w p q r
my_total n_items max_val new_list tmp_str cur_word num_chars last_seen out_text row_sum
amount price score level name label message buffer queue stack history table groups pairs
"""
NAME_STYLES = [line.split() for line in _NAME_STYLES.strip().splitlines()]


@dataclass(frozen=True, slots=True)
class Helper:
    """A function that can be called: its name, the types of its parameters, and what it returns."""

    name: str
    kinds: tuple[str, ...]
    gives: str


class Statements:
    """The lines of one function as they are written, and the variables that are in scope."""

    def __init__(self, rng: random.Random, helpers: list[Helper]) -> None:
        self.rng = rng
        self.scope: dict[str, str] = {}
        self.expr = Expressions(rng, self.scope)
        self.lines: list[str] = []
        self.helpers = helpers
        self.names = rng.sample([name for style in rng.sample(NAME_STYLES, 2) for name in style], 14)
        self.used: set[str] = set()

    def fresh(self) -> str:
        """A name that is not in use, known to the scope once `bind` is called."""
        left = [name for name in self.names if name not in self.used]
        name = left[0] if left else f"{self.rng.choice(self.names)}{len(self.used)}"
        self.used.add(name)
        return name

    def bind(self, name: str, kind: str) -> None:
        """Puts a variable into scope."""
        self.scope[name] = kind

    def parameter(self, kind: str) -> str:
        """A new variable that has a value from the start."""
        name = self.fresh()
        self.bind(name, kind)
        return name

    def forget(self, before: dict[str, str]) -> None:
        """Takes the variables out of scope that were not in it before."""
        for name in [name for name in self.scope if name not in before]:
            del self.scope[name]

    def put(self, indent: int, line: str) -> None:
        """One line of code."""
        self.lines.append("    " * indent + line)

    def put_one(self, indent: int, *lines: str) -> None:
        """One of several lines of code."""
        self.put(indent, self.rng.choice(lines))

    def names_of(self, kind: str) -> list[str]:
        """Variables of a type."""
        return self.expr.names_of(kind)

    def statement(self, indent: int) -> None:
        """One simple statement."""
        ints, lists, strs, tables = (self.names_of(kind) for kind in ("int", "ints", "str", "table"))
        draw = self.rng.random()
        if draw < 0.20 and ints:
            self.augment(indent, ints)
        elif draw < 0.28 and lists:
            self.change_list(indent, self.rng.choice(lists))
        elif draw < 0.34 and lists:
            self.change_element(indent, self.rng.choice(lists), ints)
        elif draw < 0.42 and tables:
            self.change_table(indent, self.rng.choice(tables))
        elif draw < 0.50 and strs:
            self.change_text(indent, self.rng.choice(strs))
        elif draw < 0.54 and len(ints) > 1:
            a, b = self.rng.sample(ints, 2)
            self.put(indent, f"{a}, {b} = {b}, {self.rng.choice((a, f'{a} + {b}', f'{a} % ({b} or 1)'))}")
        elif draw < 0.57:
            self.assign_two(indent)
        elif draw < 0.62 and self.names_of("unique"):
            self.change_set(indent, self.rng.choice(self.names_of("unique")))
        elif draw < 0.67 and self.names_of("strs"):
            self.change_words(indent, self.rng.choice(self.names_of("strs")))
        elif draw < 0.75 and self.helpers:
            self.call_helper(indent)
        else:
            self.assign(indent)

    def assign(self, indent: int) -> None:
        """An assignment to a new or an old variable."""
        r = self.rng
        kind = r.choice(KINDS)
        old = self.names_of(kind)
        name = r.choice(old) if old and r.random() < 0.35 else self.fresh()
        self.put(indent, f"{name} = {self.expr.of(kind, r.choice((0, 1, 1, 1, 2)))}")
        self.bind(name, kind)

    def assign_two(self, indent: int) -> None:
        """Two new ints at once."""
        a, b = self.fresh(), self.fresh()
        x, y = self.expr.var("int"), self.expr.of("int", 1)
        self.put_one(indent, f"{a}, {b} = divmod({x}, {self.rng.randint(2, 10)})", f"{a}, {b} = {x}, {y}")
        self.bind(a, "int")
        self.bind(b, "int")

    def augment(self, indent: int, ints: list[str]) -> None:
        """+= and its kind on an int."""
        r = self.rng
        operator = r.choice(("+=", "+=", "+=", "-=", "*=", "//=", "%="))
        grows = operator in ("+=", "-=")
        if grows:
            right = r.choice(("1", "1", "2", str(r.randint(2, 10)), *ints))
        else:
            right = r.choice(("2", "3", "10"))
        name = r.choice(ints)
        if r.random() < 0.2 and grows:
            right = self.expr.of("int", 1)
        self.put(indent, f"{name} {operator} {right}")

    def change_list(self, indent: int, name: str) -> None:
        """A method of a list of ints."""
        r = self.rng
        append = f".append({self.expr.of('int', r.choice((0, 1)))})"
        insert = f".insert({self.expr.small()}, {self.expr.var('int')})"
        extend = f".extend({self.expr.var('ints')})"
        remove = f".remove({self.expr.var('int')})"
        others = (".pop()", ".pop(0)", ".sort()", ".reverse()", insert, extend, remove)
        action = r.choice((append, append, append, append, *others))
        if action.startswith(".pop") and r.random() < 0.6:
            new = self.fresh()
            self.put(indent, f"{new} = {name}{action}")
            self.bind(new, "int")
        else:
            self.put(indent, name + action)

    def change_element(self, indent: int, name: str, ints: list[str]) -> None:
        """A new element of a list of ints, or two that change places."""
        r = self.rng
        at, to = (r.choice(("0", "-1", "1", self.expr.small(), *ints)) for _ in range(2))
        if r.random() < 0.5:
            self.put(indent, f"{name}[{at}], {name}[{to}] = {name}[{to}], {name}[{at}]")
        else:
            self.put(indent, f"{name}[{at}] {r.choice(('=', '=', '+='))} {self.expr.of('int', 1)}")

    def change_table(self, indent: int, name: str) -> None:
        """An entry of a dict."""
        key = self.expr.of("str", self.rng.choice((0, 0, 1)))
        self.put_one(
            indent,
            f"{name}[{key}] = {self.expr.of('int', 1)}",
            f"{name}[{key}] = {name}.get({key}, 0) + 1",
            f"{name}[{key}] = {name}.get({key}, 0) + {self.expr.var('int')}",
            f"{name}.setdefault({key}, {self.expr.var('int')})",
            f"{name}.pop({key}, None)",
            f"{name}.update({self.expr.var('table')})",
            f"{name}[{key}] += 1",
        )

    def change_set(self, indent: int, name: str) -> None:
        """An element more or less in a set."""
        method = self.rng.choice(("add", "add", "discard"))
        self.put(indent, f"{name}.{method}({self.expr.of('int', self.rng.choice((0, 1)))})")

    def change_text(self, indent: int, name: str) -> None:
        """A string grows."""
        self.put_one(
            indent,
            f"{name} += {self.expr.of('str', 1)}",
            f"{name} = {self.expr.of('str', 1)} + {name}",
            f"{name} = {name} + {self.expr.literals.letter()}",
            f"{name} += str({self.expr.var('int')})",
        )

    def change_words(self, indent: int, name: str) -> None:
        """A method or an element of a list of strings."""
        self.put_one(
            indent,
            f"{name}.append({self.expr.of('str', 1)})",
            f"{name}.append({self.expr.of('str', 1)})",
            f"{name}.sort()",
            f"{name}.pop()",
            f"{name}[0] = {self.expr.of('str', 1)}",
            f"{name}.reverse()",
        )

    def call_helper(self, indent: int) -> None:
        """A call of another function of the program."""
        helper = self.rng.choice(self.helpers)
        new = self.fresh()
        arguments = [self.expr.of(kind, self.rng.choice((0, 0, 1))) for kind in helper.kinds]
        self.put(indent, f"{new} = {helper.name}({', '.join(arguments)})")
        self.bind(new, helper.gives)
