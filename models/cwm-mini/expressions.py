"""Random expressions of a type over the variables in scope: what stands to the right of an `=`.

Here are numbers, tests and strings; containers.py has the rest, literals.py the literals and the names of the
types. Leaves out statements (statements.py).
"""

from __future__ import annotations

import random

from containers import Containers
from literals import SEPARATORS, WORDS

STRING_METHODS = ("upper", "lower", "title", "capitalize", "strip", "swapcase", "lstrip", "rstrip")
STRING_TESTS = ("isdigit", "isalpha", "isupper", "islower", "isalnum", "isspace")
DIVISORS = (2, 2, 3, 3, 4, 5, 7, 10, 10, 10, 26, 60, 100)
INT_FORMATS = ("", "", ":02d", ":03d", ":>3", ":04", ":+d", ":,", ":5d", ":x", ":<4", ":b")


class Expressions(Containers):
    """Expressions of every type."""

    def __init__(self, rng: random.Random, scope: dict[str, str]) -> None:
        super().__init__(rng, scope)
        self.makers |= {
            "int": self.integer,
            "float": self.floating,
            "bool": self.boolean,
            "str": self.string,
        }

    def integer(self, depth: int) -> str:
        """An int."""
        r = self.rng
        a, b = self.of("int", depth - 1), self.of("int", depth - 1)
        draw = r.random()
        if draw < 0.36:
            if r.random() < 0.6:
                return f"{a} {r.choice('+-+-*')} {b}"
            return f"{a} {r.choice('+-+-*')} {r.randint(1, 12)}"
        if draw < 0.50:
            return f"{a} {r.choice(('//', '%'))} {r.choice(DIVISORS)}"
        if draw < 0.53:
            return f"{a} {r.choice(('//', '%'))} {b}"
        if draw < 0.55:
            return f"{self.small()} ** {self.small()}"
        if draw < 0.63:
            return f"len({self.var(r.choice(('str', 'ints', 'strs', 'table', 'str', 'unique')))})"
        if draw < 0.71:
            name = self.var("ints")
            return f"{name}[{self.pick(self.small(), self.small(), '-1', '-2', self.var('int'))}]"
        if draw < 0.76:
            return f"{r.choice(('sum', 'max', 'min', 'max', 'min'))}({self.var('ints')})"
        if draw < 0.80:
            return f"{r.choice(('max', 'min'))}({a}, {b})"
        if draw < 0.83:
            if r.random() < 0.3:
                return f"{self.var('table')}[{self.var('str')}]"
            return f"{self.var('table')}.get({self.var('str')}, 0)"
        if draw < 0.86:
            text, method = self.var("str"), r.choice(("count", "find", "count"))
            return f"{text}.{method}({self.pick(self.literals.letter(), self.var('str'))})"
        if draw < 0.88:
            return f"{self.var('ints')}.{r.choice(('count', 'index'))}({self.var('int')})"
        if draw < 0.90:
            return f"int({self.pick(repr(str(r.randint(0, 999))), self.var('str'), self.var('float'))})"
        if draw < 0.92:
            return f"abs({a})"
        if draw < 0.94:
            return f"ord({self.literals.letter()})"
        if draw < 0.96:
            return f"{a} {r.choice(('&', '|', '^'))} {b}"
        if draw < 0.98:
            inner = f"({a} {r.choice('+-*')} {b})"
            return f"{inner} {r.choice(('*', '//', '%', '-'))} {r.choice((2, 3, 5, 10))}"
        return f"{a} if {self.of('bool', depth - 1)} else {b}"

    def floating(self, depth: int) -> str:
        """A float."""
        r = self.rng
        a = self.of("float", depth - 1)
        return self.pick(
            f"{a} {r.choice('+-*')} {self.var('int')}",
            f"{self.var('int')} / {r.choice((2, 4, 5, 10, 3))}",
            f"round({a}, {r.choice((0, 1, 2))})",
            f"{a} {r.choice('+-*')} {self.of('float', depth - 1)}",
            f"float({self.var('int')})",
            f"{a} * {r.choice((2, 10, 0.5, 100))}",
            f"sum({self.var('ints')}) / {r.choice((2, 4, 5))}",
        )

    def boolean(self, depth: int) -> str:
        """A test."""
        r = self.rng
        draw = r.random()
        order = r.choice(("<", ">", "<=", ">=", "==", "!="))
        if draw < 0.30:
            left = self.of("int", depth - 1)
            return f"{left} {order} {self.pick(self.of('int', depth - 1), self.literals.integer())}"
        if draw < 0.40:
            left = f"{self.of('int', 0)} % {r.choice((2, 2, 3, 5))}"
            return f"{left} {r.choice(('==', '==', '!='))} {r.choice((0, 0, 1))}"
        if draw < 0.50:
            left, order = self.var("str"), r.choice(("==", "!=", "==", "<", ">"))
            return f"{left} {order} {self.pick(self.literals.letter(), self.var('str'))}"
        if draw < 0.58:
            left, test = self.pick(self.literals.letter(), self.var("str")), r.choice(("in", "not in", "in"))
            return f"{left} {test} {self.var(r.choice(('str', 'strs', 'table')))}"
        if draw < 0.65:
            left, test = self.var("int"), r.choice(("in", "not in"))
            return f"{left} {test} {self.var(r.choice(('ints', 'unique', 'ints')))}"
        if draw < 0.73:
            return f"{self.of('bool', depth - 1)} {r.choice(('and', 'or'))} {self.of('bool', depth - 1)}"
        if draw < 0.77:
            return f"not {self.var(r.choice(('bool', 'ints', 'str', 'int')))}"
        if draw < 0.87:
            method = r.choice(STRING_TESTS)
            if r.random() < 0.5:
                return f"{self.var('str')}.{method}()"
            return f"{self.var('str')}.{r.choice(('startswith', 'endswith'))}({self.literals.letter()})"
        if draw < 0.91:
            lower = f"{self.var('int')} {r.choice(('<', '<='))}"
            return f"{lower} {self.var('int')} {r.choice(('<', '<='))} {self.var('int')}"
        if draw < 0.94:
            return f"{self.var('ints')} == {self.var('ints')}"
        if draw < 0.96:
            name = self.var(r.choice(("int", "str", "ints")))
            return f"isinstance({name}, {r.choice(('int', 'str', 'list'))})"
        return f"{r.choice(('any', 'all'))}([{self.of('bool', 0)}, {self.of('bool', 0)}])"

    def string(self, depth: int) -> str:
        """A string."""
        r = self.rng
        a = self.of("str", depth - 1)
        draw = r.random()
        if draw < 0.20:
            options = self.of("str", depth - 1), self.literals.letter(), repr(r.choice(SEPARATORS[:6]))
            return f"{a} + {r.choice(options)}"
        if draw < 0.40:
            return self.fstring()
        if draw < 0.50:
            return f"{self.var('str')}.{r.choice(STRING_METHODS)}()"
        if draw < 0.60:
            return f"{self.var('str')}[{self.index()}]"
        if draw < 0.70:
            return f"{self.var('str')}[{self.slice()}]"
        if draw < 0.76:
            return f"str({self.var(r.choice(('int', 'int', 'float', 'ints', 'bool')))})"
        if draw < 0.82:
            return f"{r.choice(SEPARATORS)!r}.join({self.var('strs')})"
        if draw < 0.87:
            call = f"{self.var('str')}.replace({self.literals.letter()}"
            return f"{call}, {self.pick(self.literals.letter(), repr(''), repr('--'))})"
        if draw < 0.90:
            return f"{self.pick(self.literals.letter(), self.var('str'))} * {r.randint(0, 4)}"
        if draw < 0.93:
            return f"{self.var('strs')}[{self.index()}]"
        if draw < 0.96:
            text = self.pick(self.var("str"), f"str({self.var('int')})")
            return f"{text}.{r.choice(('zfill', 'center', 'ljust', 'rjust'))}({r.randint(2, 9)})"
        if draw < 0.98:
            return f"chr({r.randint(97, 122)})"
        return f"{a} if {self.of('bool', depth - 1)} else {self.of('str', depth - 1)}"

    def fstring(self) -> str:
        """An f-string with one to three fields."""
        r = self.rng
        parts: list[str] = []
        for _ in range(r.randint(1, 3)):
            word = r.choice(WORDS) + " "
            parts.append(
                self.pick("", "", " ", ": ", "-", " has ", " is ", "=", ", ", word, " of ", "(", "#", "x")
            )
            kind = r.choice(("int", "int", "int", "str", "str", "float", "ints"))
            names = self.names_of(kind)
            if not names:
                continue
            formats = {
                "int": r.choice(INT_FORMATS),
                "str": r.choice(("", "", "", ":>6", ":<8", "!r", ":^9", ":*^7")),
                "float": r.choice((":.1f", ":.2f", "", ":.0f")),
            }
            parts.append("{" + r.choice(names) + formats.get(kind, "") + "}")
        parts.append(self.pick("", "", "!", ")", ".", " " + r.choice(WORDS)))
        return 'f"' + "".join(parts) + '"'
