"""Random typed expressions and values for the generated programs: what stands to the right of an `=`.

Types are named by short words: int, float, bool, str, ints, strs, table (dict of str to int), pair, unique (set of int),
pairs, rows. Leaves out statements (programs.py).
"""

from __future__ import annotations

import random

WORDS = ["apple", "river", "stone", "cloud", "maple", "tiger", "zebra", "ocean", "pixel", "robot", "lemon", "amber", "cedar", "delta", "eagle", "fable", "grape", "honey", "ivory", "joker", "karma", "linen", "mango", "noble", "olive", "pearl", "quilt", "raven", "solar", "tulip", "urban", "vivid", "waltz", "xenon", "yield", "zesty", "cat", "dog", "sun", "moon", "star", "tree", "bird", "fish", "milk", "corn", "salt", "iron", "gold", "blue", "red", "green", "hello", "world", "level", "radar", "noon", "kayak", "banana", "python", "code", "test", "data", "list", "name", "user", "admin", "guest", "alpha", "beta", "gamma", "mississippi", "balloon", "committee", "tomorrow", "strawberry", "Ada", "Bob", "Cy", "Dora", "Eve", "Finn", "Gil", "Hana", "Ivy", "Jo", "x", "y", "z", "a", "b", "c", "ab", "ba", "aab", "xyz"]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SEPARATORS = (" ", ",", "-", ", ", ":", "/", "_", ";", "")


class Values:
    """Literal values of each type, as source text."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def int(self) -> str:
        """Mostly small, sometimes in the hundreds, sometimes negative."""
        r = self.rng
        kind = r.random()
        if kind < 0.42:
            value = r.randint(0, 12)
        elif kind < 0.75:
            value = r.randint(0, 99)
        elif kind < 0.88:
            value = r.randint(100, 999)
        elif kind < 0.90:
            value = r.randint(1000, 99999)
        else:
            value = -r.randint(1, r.choice((9, 9, 60)))
        return str(value)

    def float(self) -> str:
        """One or two decimals."""
        return str(
            round(
                self.rng.uniform(-5 if self.rng.random() < 0.2 else 0, self.rng.choice((2, 10, 100))),
                self.rng.choice((1, 1, 2)),
            )
        )

    def bool(self) -> str:
        """True or False."""
        return self.rng.choice(("True", "False"))

    def raw_str(self) -> str:
        """Words, letters, phrases, digits, odd characters."""
        r = self.rng
        kind = r.random()
        if kind < 0.40:
            return r.choice(WORDS)
        if kind < 0.58:
            return "".join(r.choice(ALPHABET) for _ in range(r.randint(0, 9)))
        if kind < 0.66:
            return "".join(r.choice("abc") for _ in range(r.randint(1, 8)))
        if kind < 0.80:
            return r.choice((" ", " ", " ", ", ", "-", ",")).join(
                r.choice(WORDS) for _ in range(r.randint(2, 4))
            )
        if kind < 0.88:
            return "".join(r.choice("0123456789") for _ in range(r.randint(1, 5)))
        if kind < 0.93:
            return r.choice(WORDS).title() + r.choice((" ", "", "!", " 3", "?"))
        if kind < 0.96:
            return r.choice(("  ", " ", "\t")) + r.choice(WORDS) + r.choice(("  ", "", " ", "\n"))
        return "".join(
            r.choice(ALPHABET + "AEIOU 0123.,:;!?()[]{}'\"_-+*/=<>@#") for _ in range(r.randint(1, 12))
        )

    def str(self) -> str:
        """A string literal."""
        return repr(self.raw_str())

    def letter(self) -> str:
        """A string of one character."""
        return repr(self.rng.choice(ALPHABET if self.rng.random() < 0.85 else "AEIOU0123456789 .,-"))

    def size(self) -> int:
        """How many elements."""
        return self.rng.choice((0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8))

    def ints(self) -> str:
        """A list of ints, often within one small range."""
        if self.rng.random() < 0.5:
            top = self.rng.choice((5, 9, 20, 50))
            return str(
                [self.rng.randint(0 if self.rng.random() < 0.8 else -top, top) for _ in range(self.size())]
            )
        return "[" + ", ".join(self.int() for _ in range(self.size())) + "]"

    def strs(self) -> str:
        """A list of words or letters."""
        make = self.letter if self.rng.random() < 0.3 else lambda: repr(self.rng.choice(WORDS))
        return "[" + ", ".join(make() for _ in range(min(self.size(), 5))) + "]"

    def table(self) -> str:
        """A dict of words or letters to ints."""
        keys = dict.fromkeys(
            self.letter() if self.rng.random() < 0.4 else repr(self.rng.choice(WORDS))
            for _ in range(min(self.size(), 4))
        )
        return "{" + ", ".join(f"{key}: {self.int()}" for key in keys) + "}"

    def pair(self) -> str:
        """A tuple of two or three."""
        return (
            "("
            + ", ".join(
                self.rng.choice((self.int, self.int, self.str))() for _ in range(self.rng.choice((2, 2, 3)))
            )
            + ")"
        )

    def unique(self) -> str:
        """A set of ints."""
        items = {self.rng.randint(0, 20) for _ in range(self.rng.randint(1, 5))}
        return "{" + ", ".join(str(item) for item in items) + "}"

    def pairs(self) -> str:
        """A list of (word, int)."""
        return (
            "["
            + ", ".join(f"({self.rng.choice(WORDS)!r}, {self.int()})" for _ in range(self.rng.randint(0, 4)))
            + "]"
        )

    def rows(self) -> str:
        """A list of lists of ints."""
        return str(
            [
                [self.rng.randint(0, 9) for _ in range(self.rng.randint(1, 3))]
                for _ in range(self.rng.randint(1, 3))
            ]
        )

    def of(self, kind: str) -> str:
        """A literal of a type."""
        made: str = getattr(self, kind)()
        return made


class Expressions:
    """Expressions of a type over the variables in scope."""

    def __init__(self, rng: random.Random, scope: dict[str, str]) -> None:
        self.rng = rng
        self.values = Values(rng)
        self.scope = scope

    def pick(self, *options: str) -> str:
        """One of several texts."""
        return self.rng.choice(options)

    def var(self, kind: str) -> str:
        """A variable of the type, or a literal."""
        names = [name for name, held in self.scope.items() if held == kind]
        if names and self.rng.random() < 0.88:
            return self.rng.choice(names)
        return self.values.of(kind)

    def has(self, kind: str) -> bool:
        """True if a variable of the type is in scope."""
        return kind in self.scope.values()

    def of(self, kind: str, depth: int = 1) -> str:
        """An expression of a type; depth 0 is a variable or literal."""
        if depth <= 0 or self.rng.random() < 0.12:
            return self.var(kind)
        made: str = getattr(self, kind)(depth)
        return made

    def small(self) -> str:
        """A small non-negative constant, such as an index or a step."""
        return str(self.rng.choice((0, 1, 1, 2, 2, 3, 4, 5)))

    def int(self, d: int) -> str:
        """An int."""
        r = self.rng
        a, b = self.of("int", d - 1), self.of("int", d - 1)
        kind = r.random()
        if kind < 0.36:
            return (
                f"{a} {r.choice('+-+-*')} {b}"
                if r.random() < 0.6
                else f"{a} {r.choice('+-+-*')} {r.randint(1, 12)}"
            )
        if kind < 0.50:
            return f"{a} {r.choice(('//', '%'))} {r.choice((2, 2, 3, 3, 4, 5, 7, 10, 10, 10, 26, 60, 100))}"
        if kind < 0.53:
            return f"{a} {r.choice(('//', '%'))} {b}"
        if kind < 0.55:
            return f"{self.small()} ** {self.small()}"
        if kind < 0.63:
            return f"len({self.var(r.choice(('str', 'ints', 'strs', 'table', 'str', 'unique')))})"
        if kind < 0.71:
            return f"{self.var('ints')}[{self.pick(self.small(), self.small(), '-1', '-2', self.var('int'))}]"
        if kind < 0.76:
            return f"{r.choice(('sum', 'max', 'min', 'max', 'min'))}({self.var('ints')})"
        if kind < 0.80:
            return f"{r.choice(('max', 'min'))}({a}, {b})"
        if kind < 0.83:
            return (
                f"{self.var('table')}[{self.var('str')}]"
                if r.random() < 0.3
                else f"{self.var('table')}.get({self.var('str')}, 0)"
            )
        if kind < 0.86:
            return f"{self.var('str')}.{r.choice(('count', 'find', 'count'))}({self.pick(self.values.letter(), self.var('str'))})"
        if kind < 0.88:
            return f"{self.var('ints')}.{r.choice(('count', 'index'))}({self.var('int')})"
        if kind < 0.90:
            return f"int({self.pick(repr(str(r.randint(0, 999))), self.var('str'), self.var('float'))})"
        if kind < 0.92:
            return f"abs({a})"
        if kind < 0.94:
            return f"ord({self.values.letter()})"
        if kind < 0.96:
            return f"{a} {r.choice(('&', '|', '^'))} {b}"
        if kind < 0.98:
            return f"({a} {r.choice('+-*')} {b}) {r.choice(('*', '//', '%', '-'))} {r.choice((2, 3, 5, 10))}"
        return f"{a} if {self.of('bool', d - 1)} else {b}"

    def float(self, d: int) -> str:
        """A float."""
        r = self.rng
        a = self.of("float", d - 1)
        return self.pick(
            f"{a} {r.choice('+-*')} {self.var('int')}", f"{self.var('int')} / {r.choice((2, 4, 5, 10, 3))}",
            f"round({a}, {r.choice((0, 1, 2))})", f"{a} {r.choice('+-*')} {self.of('float', d - 1)}", f"float({self.var('int')})",
            f"{a} * {r.choice((2, 10, 0.5, 100))}", f"sum({self.var('ints')}) / {r.choice((2, 4, 5))}",
        )  # fmt: skip

    def bool(self, d: int) -> str:
        """A test."""
        r = self.rng
        kind = r.random()
        compare = r.choice(("<", ">", "<=", ">=", "==", "!="))
        if kind < 0.30:
            return f"{self.of('int', d - 1)} {compare} {self.pick(self.of('int', d - 1), self.values.int())}"
        if kind < 0.40:
            return f"{self.of('int', 0)} % {r.choice((2, 2, 3, 5))} {r.choice(('==', '==', '!='))} {r.choice((0, 0, 1))}"
        if kind < 0.50:
            return f"{self.var('str')} {r.choice(('==', '!=', '==', '<', '>'))} {self.pick(self.values.letter(), self.var('str'))}"
        if kind < 0.58:
            return f"{self.pick(self.values.letter(), self.var('str'))} {r.choice(('in', 'not in', 'in'))} {self.var(r.choice(('str', 'strs', 'table')))}"
        if kind < 0.65:
            return f"{self.var('int')} {r.choice(('in', 'not in'))} {self.var(r.choice(('ints', 'unique', 'ints')))}"
        if kind < 0.73:
            return f"{self.of('bool', d - 1)} {r.choice(('and', 'or'))} {self.of('bool', d - 1)}"
        if kind < 0.77:
            return f"not {self.var(r.choice(('bool', 'ints', 'str', 'int')))}"
        if kind < 0.87:
            method = r.choice(("isdigit", "isalpha", "isupper", "islower", "isalnum", "isspace"))
            return (
                f"{self.var('str')}.{method}()"
                if r.random() < 0.5
                else f"{self.var('str')}.{r.choice(('startswith', 'endswith'))}({self.values.letter()})"
            )
        if kind < 0.91:
            return f"{self.var('int')} {r.choice(('<', '<='))} {self.var('int')} {r.choice(('<', '<='))} {self.var('int')}"
        if kind < 0.94:
            return f"{self.var('ints')} == {self.var('ints')}"
        if kind < 0.96:
            return f"isinstance({self.var(r.choice(('int', 'str', 'ints')))}, {r.choice(('int', 'str', 'list'))})"
        return f"{r.choice(('any', 'all'))}([{self.of('bool', 0)}, {self.of('bool', 0)}])"

    def index(self) -> str:
        """An index into something short."""
        return self.pick("0", "0", "1", "2", "-1", "-1", self.small(), self.var("int"))

    def slice(self) -> str:
        """The inside of a slice."""
        s = self.small
        return self.pick(
            f"{s()}:",
            f":{s()}",
            f"{s()}:{self.rng.randint(2, 7)}",
            "::-1",
            "1:",
            ":-1",
            "::2",
            f"-{self.rng.randint(1, 3)}:",
            f"{self.var('int')}:",
            f":{self.var('int')}",
        )

    def str(self, d: int) -> str:
        """A string."""
        r = self.rng
        a = self.of("str", d - 1)
        kind = r.random()
        if kind < 0.20:
            return f"{a} + {self.pick(self.of('str', d - 1), self.values.letter(), repr(r.choice(SEPARATORS[:6])))}"
        if kind < 0.40:
            return self.fstring()
        if kind < 0.50:
            return f"{self.var('str')}.{r.choice(('upper', 'lower', 'title', 'capitalize', 'strip', 'swapcase', 'lstrip', 'rstrip'))}()"
        if kind < 0.60:
            return f"{self.var('str')}[{self.index()}]"
        if kind < 0.70:
            return f"{self.var('str')}[{self.slice()}]"
        if kind < 0.76:
            return f"str({self.var(r.choice(('int', 'int', 'float', 'ints', 'bool')))})"
        if kind < 0.82:
            return f"{r.choice(SEPARATORS)!r}.join({self.var('strs')})"
        if kind < 0.87:
            return f"{self.var('str')}.replace({self.values.letter()}, {self.pick(self.values.letter(), repr(''), repr('--'))})"
        if kind < 0.90:
            return f"{self.pick(self.values.letter(), self.var('str'))} * {r.randint(0, 4)}"
        if kind < 0.93:
            return f"{self.var('strs')}[{self.index()}]"
        if kind < 0.96:
            return f"{self.pick(self.var('str'), 'str(' + self.var('int') + ')')}.{r.choice(('zfill', 'center', 'ljust', 'rjust'))}({r.randint(2, 9)})"
        if kind < 0.98:
            return f"chr({r.randint(97, 122)})"
        return f"{a} if {self.of('bool', d - 1)} else {self.of('str', d - 1)}"

    def fstring(self) -> str:
        """An f-string with one to three fields."""
        r = self.rng
        parts: list[str] = []
        for _ in range(r.randint(1, 3)):
            parts.append(
                r.choice(
                    (
                        "",
                        "",
                        " ",
                        ": ",
                        "-",
                        " has ",
                        " is ",
                        "=",
                        ", ",
                        r.choice(WORDS) + " ",
                        " of ",
                        "(",
                        "#",
                        "x",
                    )
                )
            )
            kind = r.choice(("int", "int", "int", "str", "str", "float", "ints"))
            names = [name for name, held in self.scope.items() if held == kind]
            if not names:
                continue
            spec = {
                "int": r.choice(
                    ("", "", ":02d", ":03d", ":>3", ":04", ":+d", ":,", ":5d", ":x", ":<4", ":b")
                ),
                "str": r.choice(("", "", "", ":>6", ":<8", "!r", ":^9", ":*^7")),
                "float": r.choice((":.1f", ":.2f", "", ":.0f")),
            }.get(kind, "")
            parts.append("{" + r.choice(names) + spec + "}")
        parts.append(r.choice(("", "", "!", ")", ".", " " + r.choice(WORDS))))
        return 'f"' + "".join(parts) + '"'

    def ints(self, d: int) -> str:
        """A list of ints."""
        r = self.rng
        kind = r.random()
        v = self.var("ints")
        if kind < 0.18:
            return f"{v}[{self.slice()}]"
        if kind < 0.34:
            return f"{v} + [{self.of('int', d - 1)}]" if r.random() < 0.7 else f"{v} + {self.var('ints')}"
        if kind < 0.44:
            return f"sorted({v}{r.choice(('', '', ', reverse=True'))})"
        if kind < 0.50:
            return f"list(range({r.choice(('', '1, ', '2, '))}{r.randint(2, 7)}))"
        if kind < 0.56:
            return f"[{self.small()}] * {r.randint(1, 5)}"
        if kind < 0.62:
            return f"[{self.var('int')}, {self.of('int', d - 1)}]"
        if kind < 0.68:
            return (
                f"list({self.var('unique')})" if r.random() < 0.3 else f"list({self.var('table')}.values())"
            )
        if kind < 0.72:
            return f"list(reversed({v}))" if r.random() < 0.5 else f"{v}.copy()"
        x = r.choice("nxvk")
        body = r.choice(
            (f"{x} * 2", f"{x} + 1", f"{x} * {x}", f"{x} - 1", f"{x} % 3", x, f"{x} // 2", f"abs({x})")
        )
        test = r.choice(
            ("", "", f" if {x} > {self.small()}", f" if {x} % 2 == 0", f" if {x} != {self.var('int')}")
        )
        if r.random() < 0.2:
            return f"[len(w) for w in {self.var('strs')}]"
        return f"[{body} for {x} in {r.choice((v, v, f'range({r.randint(2, 6)})'))}{test}]"

    def strs(self, d: int) -> str:
        """A list of strings."""
        r = self.rng
        v = self.var("strs")
        return self.pick(
            f"{self.var('str')}.split()", f"{self.var('str')}.split({r.choice(SEPARATORS[:5])!r})", f"{v}[{self.slice()}]",
            f"{v} + [{self.of('str', d - 1)}]", f"sorted({v})", f"list({self.var('str')})", f"[w.upper() for w in {v}]",
            f"[w for w in {v} if len(w) > {self.small()}]", f"[w + {self.values.letter()} for w in {v}]", f"list({self.var('table')})",
            f"[c for c in {self.var('str')} if c != {self.values.letter()}]", f"sorted({v}, key=len)", f"list({self.var('table')}.keys())",
            f"sorted({self.var('str')})",
        )  # fmt: skip

    def table(self, _: int) -> str:
        """A dict."""
        return self.pick(
            f"{{{self.var('str')}: {self.var('int')}}}", f"{{w: len(w) for w in {self.var('strs')}}}", f"dict({self.var('pairs')})",
            f"{{k: v + 1 for k, v in {self.var('table')}.items()}}", f"dict({self.var('table')})", f"{self.var('table')}.copy()",
            f"{{{self.values.letter()}: {self.var('int')}, {self.values.letter()}: {self.of('int', 1)}}}",
            f"dict(zip({self.var('strs')}, {self.var('ints')}))",
        )  # fmt: skip

    def pair(self, d: int) -> str:
        """A tuple."""
        return self.pick(
            f"({self.of('int', d - 1)}, {self.var('str')})", f"({self.var('int')}, {self.of('int', d - 1)})", f"divmod({self.var('int')}, {self.rng.randint(2, 10)})",
            f"tuple({self.var('ints')})", f"{self.var('pair')}[::-1]", f"{self.var('pair')} + ({self.var('int')},)",
        )  # fmt: skip

    def unique(self, _: int) -> str:
        """A set."""
        return self.pick(
            f"set({self.var('ints')})", f"{self.var('unique')} {self.rng.choice('|&-^')} {self.var('unique')}",
            f"{{{self.var('int')}, {self.small()}}}", f"{{n % 5 for n in {self.var('ints')}}}", f"{self.var('unique')}.union({self.var('ints')})",
        )  # fmt: skip

    def pairs(self, _: int) -> str:
        """A list of pairs."""
        return self.pick(
            f"list({self.var('table')}.items())", f"sorted({self.var('pairs')})", f"list(zip({self.var('strs')}, {self.var('ints')}))",
            f"list(enumerate({self.var('strs')}))", f"{self.var('pairs')} + [({self.var('str')}, {self.var('int')})]",
        )  # fmt: skip

    def rows(self, _: int) -> str:
        """A list of lists."""
        return self.pick(
            f"{self.var('rows')} + [{self.var('ints')}]",
            f"[[0] * {self.rng.randint(1, 3)} for _ in range({self.rng.randint(1, 3)})]",
            f"{self.var('rows')}[1:]",
        )
