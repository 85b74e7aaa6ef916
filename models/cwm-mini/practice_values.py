"""Operands for practice.py: values of each type and arguments that suit an operation.

Leaves out which operations there are (practice.py).
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

import oracle
from literals import ALPHABET, SEPARATORS, WORDS

ODD = ALPHABET + "ABCXYZ 0123456789.,:;!?()[]{}'\"_-+*/=<>@#%&$^~|\\"
SIZES = (0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 7, 8)


class Values:
    """Draws operands."""

    TEXT_METHODS: ClassVar[tuple[str, ...]] = (
        "upper", "lower", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "strip", "split",
        "split", "split", "rsplit", "splitlines", "join", "join", "join", "join", "replace", "replace",
        "replace", "find", "rfind", "index", "startswith", "startswith", "endswith", "endswith", "isdigit",
        "isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace", "zfill", "center", "ljust", "rjust",
        "partition", "rpartition", "removeprefix", "removesuffix", "count", "count", "count",
    )  # fmt: skip

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    # -- single values

    def integer(self) -> int:
        """Of one to five digits, a fifth of them negative."""
        r = self.rng
        top = r.choice((9, 20, 20, 99, 99, 99, 999, 999, 9999, 99999))
        value = r.randint(0, top)
        return -value if r.random() < 0.18 else value

    def near(self, value: int) -> int:
        """A number that a comparison with `value` is not trivial for."""
        r = self.rng
        return r.choice(
            (value, value, value + 1, value - 1, value + r.randint(-12, 12), -value, self.integer())
        )

    def floating(self) -> str:
        """One or two decimals."""
        r = self.rng
        value = round(
            r.uniform(-5 if r.random() < 0.2 else 0, r.choice((2, 10, 100))), r.choice((0, 1, 1, 2))
        )
        return str(value)

    def raw(self) -> str:
        """What a string holds."""
        r = self.rng
        draw = r.random()
        if draw < 0.33:
            return r.choice(WORDS)
        if draw < 0.5:
            return "".join(r.choice(ALPHABET) for _ in range(r.randint(0, 9)))
        if draw < 0.58:
            return "".join(r.choice("abc") for _ in range(r.randint(1, 8)))
        if draw < 0.7:
            return r.choice((" ", " ", ", ", "-", ",", "_")).join(
                r.choice(WORDS) for _ in range(r.randint(2, 4))
            )
        if draw < 0.78:
            return "".join(r.choice("0123456789") for _ in range(r.randint(1, 5)))
        if draw < 0.86:
            return r.choice((str.title, str.upper))(r.choice(WORDS)) + r.choice(("", "", "!", " 3", "?", "7"))
        if draw < 0.9:
            return r.choice(("  ", " ", "\t", "")) + r.choice(WORDS) + r.choice(("  ", "", " ", "\n"))
        return "".join(r.choice(ODD) for _ in range(r.randint(1, 12)))

    def string(self) -> str:
        """A string."""
        return repr(self.raw())

    def letter(self) -> str:
        """A string of one character."""
        return repr(self.rng.choice(ALPHABET if self.rng.random() < 0.7 else ODD))

    def near_strings(self) -> tuple[str, str]:
        """Two strings that are the same, or begin in the same way, or are letters."""
        r = self.rng
        if r.random() < 0.45:
            left = r.choice(ODD)
            return repr(left), repr(r.choice((left, r.choice(ODD), left.upper())))
        left = self.raw()
        changed = left[: r.randint(0, len(left))] + r.choice(ODD)
        return repr(left), repr(r.choice((left, left, changed, left[:-1], left[::-1], self.raw())))

    def value(self) -> str:
        """Anything."""
        r = self.rng
        plain = (str(self.integer()), self.string(), self.letter(), self.floating(), "True", "False", "None")
        return r.choice((*plain, self.container()))

    # -- containers

    def element(self, kind: str) -> str:
        """An element of a sequence of some kind."""
        r = self.rng
        if kind == "ints":
            return str(r.randint(0, 20) if r.random() < 0.6 else self.integer())
        if kind == "strs":
            return repr(r.choice(WORDS)) if r.random() < 0.8 else self.string()
        if kind == "letters":
            return self.letter()
        if kind == "bools":
            return r.choice(("True", "False", "False"))
        if kind == "floats":
            return self.floating()
        if kind == "pairs":
            return self.pair()
        return self.sequence(r.choice(("ints", "ints", "strs", "letters")), r.choice((0, 1, 2, 2, 3)))

    def sequence(self, kind: str, size: int | None = None, brackets: str = "[]") -> str:
        """A list (or tuple) display of elements of one kind: ints, strs, letters, bools, pairs, rows…"""
        if size is None:
            size = self.rng.choice(SIZES)
            size = size + self.rng.randint(0, 5) if kind in ("bools", "letters") else size
            size = min(size, 4) if kind in ("pairs", "rows", "strs") else size
        inside = ", ".join(self.element(kind) for _ in range(size))
        return brackets[0] + inside + ("," if brackets == "()" and size == 1 else "") + brackets[1]

    def kind(self) -> str:
        """A kind of elements."""
        return self.rng.choice(
            (
                "ints",
                "ints",
                "ints",
                "ints",
                "strs",
                "strs",
                "letters",
                "letters",
                "bools",
                "floats",
                "pairs",
                "rows",
            )
        )

    def pair(self) -> str:
        """A tuple of two or three."""
        r = self.rng
        first = r.choice((str(r.randint(0, 20)), repr(r.choice(WORDS)), self.letter()))
        rest = [r.choice((str(self.integer()), str(r.randint(0, 9)), repr(r.choice(WORDS))))]
        return f"({first}, {', '.join(rest * r.choice((1, 1, 1, 2)))})"

    def table(self) -> str:
        """A dict."""
        r = self.rng
        make_key = r.choice((lambda: repr(r.choice(WORDS)), self.letter, lambda: str(r.randint(0, 20))))
        kind = r.choice(("ints", "ints", "ints", "strs", "bools", "rows", "letters"))
        made = {make_key(): self.element(kind) for _ in range(r.choice((0, 1, 1, 2, 2, 3, 3, 4, 5)))}
        return "{" + ", ".join(f"{key}: {value}" for key, value in made.items()) + "}"

    def unique(self) -> str:
        """A set, as Python shows it."""
        r = self.rng
        if r.random() < 0.7:
            return repr({r.randint(0, r.choice((9, 20, 50))) for _ in range(r.choice(SIZES))})
        return repr({r.choice(ALPHABET) for _ in range(r.choice((0, 1, 1)))})

    def near_sets(self) -> tuple[str, str]:
        """Two sets of small ints with elements in common."""
        r = self.rng
        left = {r.randint(0, 12) for _ in range(r.choice(SIZES))}
        right = {x for x in left if r.random() < 0.6} | {
            r.randint(0, 12) for _ in range(r.choice((0, 1, 2, 3)))
        }
        return repr(left), repr(right)

    def near_sequences(self) -> tuple[str, str]:
        """Two lists or tuples that begin in the same way."""
        r = self.rng
        left = oracle.value_of(r.choice((self.sequence(r.choice(("ints", "strs"))), self.pair())))
        right = left[: r.randint(0, len(left))] + (
            type(left)([r.choice((1, 5, 20))]) if r.random() < 0.5 else type(left)()
        )
        try:
            _ = left < right
        except TypeError:
            right = left
        return repr(left), repr(r.choice((left, right)))

    def container(
        self, kinds: tuple[str, ...] = ("list", "list", "list", "dict", "tuple", "set", "str")
    ) -> str:
        """A container of one of the kinds."""
        kind = self.rng.choice(kinds)
        if kind == "list":
            return self.sequence(self.kind())
        if kind == "dict":
            return self.table()
        if kind == "tuple":
            return self.rng.choice(
                (self.pair(), self.sequence(self.rng.choice(("ints", "strs")), None, "()"))
            )
        return self.unique() if kind == "set" else self.string()

    def member(self, container: str) -> str:
        """An element of it, or one that might have been."""
        r = self.rng
        held = oracle.value_of(container)
        if isinstance(held, str):
            if held and r.random() < 0.55:
                start = r.randrange(len(held))
                return repr(held[start : start + r.choice((1, 1, 1, 2, 3))])
            return r.choice((self.letter(), self.string()))
        if held and r.random() < 0.5:
            return repr(r.choice(list(held)))
        sample = repr(next(iter(held))) if held else "0"
        return self._like(sample)

    def _like(self, sample: str) -> str:
        value = oracle.value_of(sample)
        if isinstance(value, bool):
            return self.rng.choice(("True", "False"))
        if isinstance(value, int):
            return str(self.near(value))
        if isinstance(value, float):
            return self.floating()
        if isinstance(value, str):
            return self.letter() if len(value) == 1 else self.element("strs")
        if isinstance(value, tuple):
            return self.pair()
        return self.sequence("ints", self.rng.choice((0, 1, 2, 3)))

    def like_elements(self, container: str) -> str:
        """A value of the type that its elements (a dict's values) have."""
        held = oracle.value_of(container)
        if not held:
            return str(self.rng.randint(0, 9))
        return self._like(repr(next(iter(held.values() if isinstance(held, dict) else held))))

    def key(self, container: str, missing: float = 0.06) -> str:
        """An index or key, missing now and then."""
        r = self.rng
        held: Any = oracle.value_of(container)
        if isinstance(held, dict):
            if held and r.random() >= missing:
                return repr(r.choice(list(held)))
            return self._like(repr(next(iter(held)))) if held else self.letter()
        if not held or r.random() < missing:
            return str(len(held) + r.choice((0, 0, 1, 3)))
        return str(r.randrange(len(held)) if r.random() < 0.8 else -r.randint(1, len(held)))

    # -- arguments

    def text_arguments(self, name: str) -> tuple[str, ...]:
        """A string and arguments for one of its methods."""
        r = self.rng
        text = self.raw()
        separator = r.choice(SEPARATORS[:-1])
        if name in ("split", "rsplit"):
            if r.random() < 0.5:
                return (repr(r.choice((" ", "  ")).join(r.choice(WORDS) for _ in range(r.randint(0, 4)))),)
            joined = separator.join(
                r.choice((r.choice(WORDS), str(r.randint(0, 99)))) for _ in range(r.randint(1, 4))
            )
            return (repr(joined), repr(separator)) + (("1",) if r.random() < 0.15 else ())
        if name == "join":
            kind = r.choice(("strs", "letters", "letters"))
            return repr(r.choice(SEPARATORS)), self.sequence(kind)
        if name in ("find", "rfind", "index", "count", "startswith", "endswith", "partition", "rpartition"):
            return repr(text), self._part(name, text)
        if name in ("removeprefix", "removesuffix"):
            return repr(text), self._part("startswith" if name == "removeprefix" else "endswith", text)
        if name == "replace":
            return (
                repr(text),
                self._part(name, text),
                r.choice(("''", "' '", "'-'", self.letter(), self.letter())),
            )
        if name == "zfill":
            return repr(str(self.integer())), str(r.randint(1, 6))
        if name in ("center", "ljust", "rjust"):
            fill = (repr(r.choice("-*. 0")),) if r.random() < 0.5 else ()
            return (repr(r.choice((r.choice(WORDS), str(r.randint(0, 999))))), str(r.randint(0, 10)), *fill)
        if name == "splitlines":
            return (repr("\n".join(r.choice(WORDS) for _ in range(r.randint(0, 3)))),)
        if name in ("strip", "lstrip", "rstrip"):
            edges = r.choice((" ", "  ", "-", "*", "x", "."))
            text = r.choice(("", edges)) + text + r.choice(("", edges))
            return (repr(text),) if r.random() < 0.6 else (repr(text), repr(edges.strip() or "-"))
        if name.startswith("is") and r.random() < 0.6:
            return (r.choice((self.letter(), repr(str(r.randint(0, 99))), repr(r.choice(" \t_7Q!")))),)
        return (repr(text),)

    def _part(self, name: str, text: str) -> str:
        r = self.rng
        length = r.choice((1, 1, 1, 2, 3))
        if not text or r.random() < 0.4:
            return r.choice((self.letter(), self.letter(), repr(r.choice(WORDS))))
        if name == "startswith":
            return repr(text[:length])
        if name == "endswith":
            return repr(text[-length:])
        start = r.randrange(len(text))
        return repr(text[start : start + length])

    def container_call(self) -> tuple[str, str, tuple[str, ...], bool]:
        """A container, a method, arguments, and whether it is asked what it returns (else what is left)."""
        r = self.rng
        draw = r.random()
        if draw < 0.5:
            return self._list_call()
        if draw < 0.82:
            return self._dict_call()
        left, right = self.near_sets()
        name = r.choice(
            ("add", "add", "add", "discard", "remove", "update", "difference_update", "intersection_update")
        )
        return left, name, (right,) if name.endswith("update") else (self.member(left),), False

    def _list_call(self) -> tuple[str, str, tuple[str, ...], bool]:
        r = self.rng
        container = self.sequence(self.kind())
        size = len(oracle.value_of(container))
        name = r.choice(
            ("append", "append", "append", "pop", "pop", "pop", "insert", "insert", "extend", "remove",
             "remove", "reverse", "reverse", "index", "count", "copy", "clear", "sort")
        )  # fmt: skip
        if name in ("append", "remove", "index", "count"):
            given: tuple[str, ...] = (
                self.like_elements(container) if name == "append" else self.member(container),
            )
        elif name == "pop":
            given = () if r.random() < 0.6 else (str(r.choice((0, 0, -1, r.randint(0, max(0, size - 1))))),)
        elif name == "insert":
            given = (str(r.choice((0, 0, r.randint(0, size)))), self.like_elements(container))
        elif name == "extend":
            given = (
                "[" + ", ".join(self.like_elements(container) for _ in range(r.choice((0, 1, 2, 3)))) + "]",
            )
        else:
            given = ()
        returns = name in ("index", "count", "copy") or (name == "pop" and r.random() < 0.5)
        return container, name, given, returns

    def _dict_call(self) -> tuple[str, str, tuple[str, ...], bool]:
        r = self.rng
        container = self.table()
        name = r.choice(
            (
                "get",
                "get",
                "get",
                "get",
                "setdefault",
                "setdefault",
                "pop",
                "pop",
                "update",
                "items",
                "keys",
                "values",
                "copy",
                "popitem",
            )
        )
        if name in ("get", "setdefault", "pop"):
            default = r.choice(("0", "0", "None", "[]", "''", self.like_elements(container)))
            plain = name in ("get", "pop") and r.random() < 0.35
            given: tuple[str, ...] = (self.key(container, 0.4), *(() if plain else (default,)))
        elif name == "update":
            given = ("{" + self.key(container, 0.5) + ": " + self.like_elements(container) + "}",)
        else:
            given = ()
        both = name in ("setdefault", "pop", "popitem")
        returns = name not in ("update",) and not (both and r.random() < 0.5)
        return container, name, given, returns

    def builtin_call(self) -> tuple[str, tuple[str, ...]]:
        """A builtin and its arguments."""
        r = self.rng
        name = r.choice(
            ("len", "len", "len", "abs", "int", "int", "int", "str", "str", "float", "bool", "list", "list",
             "list", "tuple", "set", "set", "sorted", "sorted", "sum", "max", "max", "min", "min", "round",
             "round", "divmod", "ord", "ord", "chr", "any", "all", "isinstance", "dict", "repr", "reversed")
        )  # fmt: skip
        if name in ("abs", "chr", "ord", "int", "float", "round", "divmod", "isinstance"):
            return name, self._scalar_arguments(name)
        if name in ("sorted", "max", "min"):
            kind = r.choice(("ints", "ints", "strs", "letters", "pairs", "floats"))
            if name == "sorted":
                text = self.sequence(kind) if r.random() < 0.8 else r.choice((self.unique(), self.string()))
                return name, (text, *(("reverse=True",) if r.random() < 0.2 else ()))
            if r.random() < 0.5:
                value = self.integer()
                return name, (str(value), str(self.near(value)))
            return name, (self.sequence(r.choice(("ints", "ints", "floats", "strs"))),)
        if name == "sum":
            return name, (self.sequence(r.choice(("ints", "ints", "ints", "floats", "bools"))),)
        if name in ("any", "all"):
            return name, (self.sequence("bools", r.choice(SIZES)),)
        if name == "reversed":
            return "list", (f"reversed({self.sequence(self.kind())})",)
        if name in ("list", "tuple", "set"):
            text = self.container()
            if text.startswith("{") and ":" in text and r.random() < 0.7:
                text += r.choice((".values()", ".items()", ".keys()"))
            elif name == "list" and r.random() < 0.15:
                text = f"range({r.randint(0, 9)})"
            elif name == "set":
                text = r.choice((self.sequence("ints"), self.letter()))
            return name, (text,)
        if name == "dict":
            return name, (r.choice((self.table(), f"[{self.pair()}]", "")),)
        if name == "bool":
            return name, (self.value(),)
        return name, ((self.value() if name in ("str", "repr") else self.container()),)

    def _scalar_arguments(self, name: str) -> tuple[str, ...]:
        r = self.rng
        if name == "chr":
            return (str(ord(r.choice(ODD))),)
        if name == "ord":
            return (self.letter(),)
        if name == "abs":
            return (r.choice((str(self.integer()), str(-abs(self.integer())), self.floating())),)
        if name == "round":
            return (self.floating(),) if r.random() < 0.5 else (self.floating(), str(r.choice((0, 1, 2))))
        if name == "divmod":
            return str(self.integer()), str(r.choice((2, 3, 5, 7, 10, 10, 12, 60)))
        if name == "isinstance":
            return self.value(), r.choice(("int", "str", "list", "dict", "float", "(int, float)", "bool"))
        odd = r.choice((self.floating(), self.string(), "True", "False"))
        return (repr(str(self.integer())) if r.random() < 0.65 else odd,)
