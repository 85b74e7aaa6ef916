"""Random literals of each type, as source text: what the generated programs are called with and compute from.

Types are named by short words: int, float, bool, str, ints, strs, table (dict of str to int), pair (tuple of
two or three), unique (set of int), pairs (list of (str, int)), rows (list of lists of int). Leaves out what
is computed (expressions.py).

Here and in all that makes programs, every draw from the generator is in its place for good: another order, or
a draw more or less, would make other programs of the same seed numbers, held-out ones among them.
"""

from __future__ import annotations

import random

_WORDS = """
apple river stone cloud maple tiger zebra ocean pixel robot lemon amber cedar delta eagle fable grape honey
ivory joker karma linen mango noble olive pearl quilt raven solar tulip urban vivid waltz xenon yield zesty
cat dog sun moon star tree bird fish milk corn salt iron gold blue red green hello world level radar noon
kayak banana python code test data list name user admin guest alpha beta gamma mississippi balloon committee
tomorrow strawberry Ada Bob Cy Dora Eve Finn Gil Hana Ivy Jo x y z a b c ab ba aab xyz
"""
WORDS = _WORDS.split()
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SEPARATORS = (" ", ",", "-", ", ", ":", "/", "_", ";", "")


class Literals:
    """Literal values of each type, as source text."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._makers = {
            "int": self.integer,
            "float": self.floating,
            "bool": self.boolean,
            "str": self.string,
            "ints": self.ints,
            "strs": self.strs,
            "table": self.table,
            "pair": self.pair,
            "unique": self.unique,
            "pairs": self.pairs,
            "rows": self.rows,
        }

    def of(self, kind: str) -> str:
        """A literal of a type."""
        return self._makers[kind]()

    def integer(self) -> str:
        """Mostly small, sometimes in the hundreds, sometimes negative."""
        r = self.rng
        draw = r.random()
        if draw < 0.42:
            value = r.randint(0, 12)
        elif draw < 0.75:
            value = r.randint(0, 99)
        elif draw < 0.88:
            value = r.randint(100, 999)
        elif draw < 0.90:
            value = r.randint(1000, 99999)
        else:
            value = -r.randint(1, r.choice((9, 9, 60)))
        return str(value)

    def floating(self) -> str:
        """One or two decimals."""
        r = self.rng
        lowest = -5 if r.random() < 0.2 else 0
        value = r.uniform(lowest, r.choice((2, 10, 100)))
        return str(round(value, r.choice((1, 1, 2))))

    def boolean(self) -> str:
        """True or False."""
        return self.rng.choice(("True", "False"))

    def raw_string(self) -> str:
        """What a string holds: words, letters, phrases, digits, odd characters."""
        r = self.rng
        draw = r.random()
        if draw < 0.40:
            return r.choice(WORDS)
        if draw < 0.58:
            return "".join(r.choice(ALPHABET) for _ in range(r.randint(0, 9)))
        if draw < 0.66:
            return "".join(r.choice("abc") for _ in range(r.randint(1, 8)))
        if draw < 0.80:
            separator = r.choice((" ", " ", " ", ", ", "-", ","))
            return separator.join(r.choice(WORDS) for _ in range(r.randint(2, 4)))
        if draw < 0.88:
            return "".join(r.choice("0123456789") for _ in range(r.randint(1, 5)))
        if draw < 0.93:
            return r.choice(WORDS).title() + r.choice((" ", "", "!", " 3", "?"))
        if draw < 0.96:
            return r.choice(("  ", " ", "\t")) + r.choice(WORDS) + r.choice(("  ", "", " ", "\n"))
        odd = ALPHABET + "AEIOU 0123.,:;!?()[]{}'\"_-+*/=<>@#"
        return "".join(r.choice(odd) for _ in range(r.randint(1, 12)))

    def string(self) -> str:
        """A string."""
        return repr(self.raw_string())

    def letter(self) -> str:
        """A string of one character."""
        return repr(self.rng.choice(ALPHABET if self.rng.random() < 0.85 else "AEIOU0123456789 .,-"))

    def word(self) -> str:
        """A string of one word."""
        return repr(self.rng.choice(WORDS))

    def size(self) -> int:
        """How many elements."""
        return self.rng.choice((0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8))

    def ints(self) -> str:
        """A list of ints, often within one small range."""
        r = self.rng
        if r.random() < 0.5:
            top = r.choice((5, 9, 20, 50))
            return str([r.randint(0 if r.random() < 0.8 else -top, top) for _ in range(self.size())])
        return "[" + ", ".join(self.integer() for _ in range(self.size())) + "]"

    def strs(self) -> str:
        """A list of words or letters."""
        make = self.letter if self.rng.random() < 0.3 else self.word
        return "[" + ", ".join(make() for _ in range(min(self.size(), 5))) + "]"

    def table(self) -> str:
        """A dict of words or letters to ints."""
        count = min(self.size(), 4)
        keys = [self.letter() if self.rng.random() < 0.4 else self.word() for _ in range(count)]
        return "{" + ", ".join(f"{key}: {self.integer()}" for key in dict.fromkeys(keys)) + "}"

    def pair(self) -> str:
        """A tuple of two or three."""
        makers = (self.integer, self.integer, self.string)
        return "(" + ", ".join(self.rng.choice(makers)() for _ in range(self.rng.choice((2, 2, 3)))) + ")"

    def unique(self) -> str:
        """A set of ints."""
        items = {self.rng.randint(0, 20) for _ in range(self.rng.randint(1, 5))}
        return "{" + ", ".join(str(item) for item in items) + "}"

    def pairs(self) -> str:
        """A list of (word, int)."""
        items = [f"({self.word()}, {self.integer()})" for _ in range(self.rng.randint(0, 4))]
        return "[" + ", ".join(items) + "]"

    def rows(self) -> str:
        """A list of lists of ints."""
        r = self.rng
        return str([[r.randint(0, 9) for _ in range(r.randint(1, 3))] for _ in range(r.randint(1, 3))])
