"""Random expressions for lists, dicts, tuples and sets, and the operands that every expression is made of.

The base of expressions.py, which knows the other types and calls these; types are named as in literals.py.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from literals import SEPARATORS, Literals


class Containers:
    """Expressions of the container types over the variables of `scope`, which maps names to types.

    `makers` has an operation for each type; a subclass adds those of the other types.
    """

    def __init__(self, rng: random.Random, scope: dict[str, str]) -> None:
        self.rng = rng
        self.literals = Literals(rng)
        self.scope = scope
        self.makers: dict[str, Callable[[int], str]] = {
            "ints": self.ints,
            "strs": self.strs,
            "table": self.table,
            "pair": self.pair,
            "unique": self.unique,
            "pairs": self.pairs,
            "rows": self.rows,
        }

    def of(self, kind: str, depth: int = 1) -> str:
        """An expression of a type; depth 0 is a variable or literal."""
        if depth <= 0 or self.rng.random() < 0.12:
            return self.var(kind)
        return self.makers[kind](depth)

    def pick(self, *options: str) -> str:
        """One of several texts."""
        return self.rng.choice(options)

    def names_of(self, kind: str) -> list[str]:
        """Variables of a type."""
        return [name for name, held in self.scope.items() if held == kind]

    def var(self, kind: str) -> str:
        """A variable of the type, or a literal."""
        names = self.names_of(kind)
        if names and self.rng.random() < 0.88:
            return self.rng.choice(names)
        return self.literals.of(kind)

    def small(self) -> str:
        """A small non-negative constant, such as an index or a step."""
        return str(self.rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))

    def index(self) -> str:
        """An index into something short."""
        return self.pick("0", "0", "1", "2", "-1", "-1", self.small(), self.var("int"))

    def slice(self) -> str:
        """The inside of a slice."""
        return self.pick(
            f"{self.small()}:",
            f":{self.small()}",
            f"{self.small()}:{self.rng.randint(2, 7)}",
            "::-1",
            "1:",
            ":-1",
            "::2",
            f"-{self.rng.randint(1, 3)}:",
            f"{self.var('int')}:",
            f":{self.var('int')}",
        )

    def ints(self, depth: int) -> str:
        """A list of ints."""
        r = self.rng
        draw = r.random()
        old = self.var("ints")
        if draw < 0.18:
            return f"{old}[{self.slice()}]"
        if draw < 0.34:
            more = f"[{self.of('int', depth - 1)}]" if r.random() < 0.7 else self.var("ints")
            return f"{old} + {more}"
        if draw < 0.44:
            return f"sorted({old}{r.choice(('', '', ', reverse=True'))})"
        if draw < 0.50:
            return f"list(range({r.choice(('', '1, ', '2, '))}{r.randint(2, 7)}))"
        if draw < 0.56:
            return f"[{self.small()}] * {r.randint(1, 5)}"
        if draw < 0.62:
            return f"[{self.var('int')}, {self.of('int', depth - 1)}]"
        if draw < 0.68:
            source = self.var("unique") if r.random() < 0.3 else f"{self.var('table')}.values()"
            return f"list({source})"
        if draw < 0.72:
            return f"list(reversed({old}))" if r.random() < 0.5 else f"{old}.copy()"
        return self.int_comprehension(old)

    def int_comprehension(self, old: str) -> str:
        """A list of ints made from another list."""
        r = self.rng
        x = r.choice("nxvk")
        element = self.pick(
            f"{x} * 2", f"{x} + 1", f"{x} * {x}", f"{x} - 1", f"{x} % 3", x, f"{x} // 2", f"abs({x})"
        )
        larger, other = f" if {x} > {self.small()}", f" if {x} != {self.var('int')}"
        test = self.pick("", "", larger, f" if {x} % 2 == 0", other)
        if r.random() < 0.2:
            return f"[len(w) for w in {self.var('strs')}]"
        return f"[{element} for {x} in {self.pick(old, old, f'range({r.randint(2, 6)})')}{test}]"

    def strs(self, depth: int) -> str:
        """A list of strings."""
        old = self.var("strs")
        return self.pick(
            f"{self.var('str')}.split()",
            f"{self.var('str')}.split({self.rng.choice(SEPARATORS[:5])!r})",
            f"{old}[{self.slice()}]",
            f"{old} + [{self.of('str', depth - 1)}]",
            f"sorted({old})",
            f"list({self.var('str')})",
            f"[w.upper() for w in {old}]",
            f"[w for w in {old} if len(w) > {self.small()}]",
            f"[w + {self.literals.letter()} for w in {old}]",
            f"list({self.var('table')})",
            f"[c for c in {self.var('str')} if c != {self.literals.letter()}]",
            f"sorted({old}, key=len)",
            f"list({self.var('table')}.keys())",
            f"sorted({self.var('str')})",
        )

    def table(self, _depth: int) -> str:
        """A dict."""
        return self.pick(
            f"{{{self.var('str')}: {self.var('int')}}}",
            f"{{w: len(w) for w in {self.var('strs')}}}",
            f"dict({self.var('pairs')})",
            f"{{k: v + 1 for k, v in {self.var('table')}.items()}}",
            f"dict({self.var('table')})",
            f"{self.var('table')}.copy()",
            f"{{{self.literals.letter()}: {self.var('int')}, {self.literals.letter()}: {self.of('int', 1)}}}",
            f"dict(zip({self.var('strs')}, {self.var('ints')}))",
        )

    def pair(self, depth: int) -> str:
        """A tuple."""
        return self.pick(
            f"({self.of('int', depth - 1)}, {self.var('str')})",
            f"({self.var('int')}, {self.of('int', depth - 1)})",
            f"divmod({self.var('int')}, {self.rng.randint(2, 10)})",
            f"tuple({self.var('ints')})",
            f"{self.var('pair')}[::-1]",
            f"{self.var('pair')} + ({self.var('int')},)",
        )

    def unique(self, _depth: int) -> str:
        """A set."""
        return self.pick(
            f"set({self.var('ints')})",
            f"{self.var('unique')} {self.rng.choice('|&-^')} {self.var('unique')}",
            f"{{{self.var('int')}, {self.small()}}}",
            f"{{n % 5 for n in {self.var('ints')}}}",
            f"{self.var('unique')}.union({self.var('ints')})",
        )

    def pairs(self, _depth: int) -> str:
        """A list of pairs."""
        return self.pick(
            f"list({self.var('table')}.items())",
            f"sorted({self.var('pairs')})",
            f"list(zip({self.var('strs')}, {self.var('ints')}))",
            f"list(enumerate({self.var('strs')}))",
            f"{self.var('pairs')} + [({self.var('str')}, {self.var('int')})]",
        )

    def rows(self, _depth: int) -> str:
        """A list of lists."""
        return self.pick(
            f"{self.var('rows')} + [{self.var('ints')}]",
            f"[[0] * {self.rng.randint(1, 3)} for _ in range({self.rng.randint(1, 3)})]",
            f"{self.var('rows')}[1:]",
        )
