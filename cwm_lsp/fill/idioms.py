"""What people usually write in a hole of each role: small templates at a low cost, typed by the states.

They come before the enumeration, so that it is not the first to find them. Leaves out statements
(drafting.py).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cwm_lsp.fill import entries as e
from cwm_lsp.fill.bank import Bank
from cwm_lsp.fill.entries import Entry
from cwm_lsp.fill.sites import Site
from cwm_lsp.source.literals import Refused
from cwm_lsp.source.literals_build import Built, Env, build


def table(text: str) -> tuple[tuple[str, int], ...]:
    """Templates with their costs, of lines `cost | template ; template`."""
    found: list[tuple[str, int]] = []
    for line in text.strip().splitlines():
        cost, _, templates = line.partition("|")
        found += [(template.strip(), int(cost)) for template in templates.split(" ; ")]
    return tuple(found)


CONSTANTS = dict(
    table(
        r"""
    1 | 0 ; 1
    2 | 2 ; -1 ; '' ; [] ; {} ; True ; False ; None
    3 | set()
    4 | 3 ; 10 ; ' ' ; float('inf')
    5 | 4 ; 5 ; 0.0 ; ()
    """
    )
)
RARE = dict(
    table(
        r"""
    5 | -2 ; -float('inf') ; ', ' ; ','
    6 | 6 ; 7 ; 8 ; 9 ; 12 ; 60 ; 100 ; '-' ; 'aeiou' ; '\n'
    7 | 16 ; 24 ; 26 ; 1000 ; 360 ; 365 ; 3600 ; 255 ; 256
    """
    )
)
# Letters stand for names of a type: n, m numbers; x, y sequences; s, t texts; d, e dicts or sets; b a bool;
# v, w anything.
CONDITIONS = table(
    r"""
    2 | n < m ; n <= m ; n > m ; n == m ; n % m == 0 ; n > 0 ; n < 0 ; n == 0 ; v in d ; v not in d ; v in x
    2 | v == w ; v != w ; v is None ; not x ; x ; b ; not b
    3 | n < len(x) ; n >= m ; n % 2 == 0 ; n % 2 == 1 ; n != 0 ; x[n] == x[m] ; x[n] < x[m] ; x[n] > x[m]
    3 | x[n] <= y[m] ; x[n] < y[m] ; x[n] > x[n + 1] ; x[n] == v ; v not in x ; v is not None ; s < t
    3 | s.isalpha() ; s.isdigit() ; len(x) > n ; len(x) == n
    4 | n < len(x) - 1 ; x[n] == x[n + 1] ; x[n] == x[n - 1] ; x[n] == y[n] ; x[n] != y[n] ; x[n] < v
    4 | x[n] > v ; s.startswith(t) ; len(x) < n ; len(x) == 0 ; n * n <= m ; len(x) > 1 ; x == x[::-1]
    4 | x[-1] == v ; n and m ; x[-1] < v
    5 | s in 'aeiou' ; x and x[-1] == v ; n <= v <= m
    6 | s.lower() in 'aeiou' ; n < 0 or n >= len(x) ; 0 <= n < len(x) ; x and x[-1] < v
    """
)
ITERABLES = table(
    r"""
    1 | x ; d
    2 | range(n) ; range(len(x)) ; enumerate(x) ; d.items() ; x[1:]
    3 | range(1, n + 1) ; range(1, n) ; range(2, n) ; range(len(x) - 1) ; range(1, len(x)) ; range(n, m)
    3 | range(n, m + 1) ; range(n + 1, len(x)) ; zip(x, y) ; zip(x, x[1:]) ; reversed(x) ; sorted(x)
    3 | sorted(d) ; d.keys() ; d.values() ; x[n:] ; s.split() ; str(n) ; x[n] ; range(n + 1)
    4 | range(2, n + 1) ; range(n, len(x)) ; range(len(x) - n) ; range(n, 0, -1) ; range(len(x) - n + 1)
    4 | range(0, len(x), n) ; x[::-1] ; x[:-1] ; x[:n] ; set(x) ; s.lower() ; reversed(s)
    5 | range(len(x) - n - 1) ; range(len(x) - 1, -1, -1) ; range(n, -1, -1) ; range(n, m, v)
    5 | enumerate(x[1:]) ; enumerate(x, 1) ; sorted(set(x)) ; sorted(d.items()) ; s.split(',')
    5 | range(len(x[0]))
    6 | s.splitlines()
    """
)
VALUES = table(
    r"""
    2 | d[v] ; len(x) ; x[0] ; x[n] ; n + m
    3 | d.get(v, 0) + 1 ; d.get(v, 0) ; max(n, m) ; min(n, m) ; len(x) - 1 ; x[-1] ; x[n - 1] ; x[n + 1]
    3 | n + 1 ; n - 1 ; n // 2 ; (n + m) // 2 ; n - m ; n * m ; n % m ; n // m ; s + t ; s.upper()
    3 | s.lower() ; str(n) ; int(s) ; s[0] ; x[:n] ; x[n:] ; x[1:] ; [v] ; (v, w) ; sum(x) ; max(x) ; min(x)
    3 | sorted(x) ; ''.join(x) ; list(x) ; not b
    4 | d.get(v, 0) + n ; d[v] + 1 ; n // 10 ; n % 10 ; s * n ; s + str(n) ; str(n) + s ; s[::-1] ; x[:-1]
    4 | x[n:m] ; x + y ; x + [v] ; [v, w] ; sum(x) / len(x) ; x[n][m] ; abs(n - m) ; n ** 2 ; n * n
    4 | s.strip() ; s.split() ; ' '.join(x) ; set(x) ; x[::-1] ; tuple(x) ; x.count(v) ; d.get(v) ; list(d)
    4 | sorted(d) ; [0] * n ; [0] * len(x) ; x[-1] + n
    5 | x[n] - x[m] ; x[n] + y[m] ; x[n] * y[n] ; ', '.join(x) ; x.copy() ; chr(n) ; len(set(x))
    5 | x.index(v) ; d.get(v, []) ; sum(x) // len(x) ; sorted(x)[n] ; x[len(x) // 2] ; d.items() ; x[-n:]
    5 | [0] * (n + 1) ; x[n] + x[n + 1] ; x[n - 1] + x[n] ; x[-1] + x[-2]
    6 | x[n] - x[n - m] ; s[n] + s ; ord(s) - ord('a') ; [[v]] ; [False] * n ; [True] * (n + 1) ; n + x[n]
    8 | b or n < m
    9 | n if n > m else m
    """
)
INITS = table(
    r"""
    2 | x[0] ; len(x) ; len(x) - 1 ; n
    3 | list(x) ; n - 1 ; n + 1
    4 | x[-1] ; x[:] ; set(x) ; sum(x) ; sorted(x) ; [0] ; str(n) ; abs(n) ; s.split() ; n // 2
    4 | len(x) // 2 ; [0] * n ; [0] * len(x) ; [0] * (n + 1) ; -float('inf')
    5 | x[0][0] ; x[:1] ; [x[0]] ; [1] ; s.lower() ; max(n, m) ; min(n, m) ; min(len(x), len(y)) ; max(x)
    5 | min(x) ; [[]] ; [False] * n ; [True] * (n + 1)
    6 | dict() ; x[0], 0 ; [1, 1] ; [0, 1] ; {0} ; {x[0]} ; [None] * n
    """
)
TUPLES = table(
    r"""
    2 | v, w ; 0, 0 ; 0, 1 ; x[0]
    3 | 0, len(x) - 1 ; x[0], x[0] ; v, v ; w, v + w ; n, m % n ; m, n % m ; divmod(n, m) ; [], []
    3 | None, None ; x[n + 1], x[n]
    4 | 1, 0 ; 1, 1 ; 0, len(x) ; x[0], 0 ; x[0], x[1] ; v + w, v ; '', '' ; x[n], x[m] ; None, 0
    4 | s.split() ; n + 1, m - 1 ; x, y
    5 | divmod(n, 10) ; 0, None ; [], 0 ; '', 0 ; n - 1, m + 1 ; n + 1, m + 1 ; n, m + 1 ; n + 1, m
    5 | m, n - m
    6 | divmod(n, 60) ; True, 0
    """
)


def constants_of(site: Site, results: list[Any]) -> Iterator[tuple[str, int]]:
    """The constants worth trying, with their costs: the usual ones, those of the code, those of the
    results."""
    found = dict(RARE)
    for value in results:
        for part in _parts(value):
            if isinstance(part, str):
                for letter in part:
                    if not letter.isalnum():
                        every = all(letter in part for part in results if isinstance(part, str))
                        found[repr(letter)] = min(found.get(repr(letter), 5), 3 if every else 5)
                if len(part) <= 12 and _often(part, results):
                    found[repr(part)] = 4
            elif (isinstance(part, int) and not isinstance(part, bool) and abs(part) < 10**6) or isinstance(
                part, float
            ):
                found.setdefault(repr(part), 7)
    for node in ast.walk(site.function):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | bool):
            text = repr(node.value)
            if len(text) <= 20 and not (isinstance(node.value, str) and "\n" in node.value):
                found[text] = min(found.get(text, 3), 3)
    for text, cost in CONSTANTS.items():
        found[text] = min(cost, found.get(text, cost))
    yield from found.items()


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple | set):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _parts(key)
            yield from _parts(item)
    else:
        yield value


def _often(text: str, results: list[Any]) -> bool:
    return bool(text) and sum(text in [*_parts(value)] for value in results) >= 1


_LETTERS = {
    **dict.fromkeys("nm", ("int", "float")),
    **dict.fromkeys("xy", ("list", "str", "tuple")),
    **dict.fromkeys("st", ("str",)),
    **dict.fromkeys("de", ("dict", "set")),
    "b": ("bool",),
}


@dataclass(frozen=True, slots=True)
class Template:
    """An idiom: what it reads, in pieces around its letters, and its closure over them."""

    pieces: tuple[str, ...]
    letters: tuple[str, ...]
    run: Built
    tight: int
    tuple_: bool


_LETTER = re.compile(r"(?<![\w'])([a-z])(?![\w'(])")


@lru_cache(maxsize=1024)
def template_of(text: str) -> Template:
    """A template, read once."""
    node = ast.parse(text, mode="eval").body
    pieces = tuple(_LETTER.split(text))
    letters = tuple(dict.fromkeys(pieces[1::2]))
    return Template(pieces, letters, build(node), _tightness(node), isinstance(node, ast.Tuple))


class Templates:
    """Turns templates into entries of one bank."""

    def __init__(self, bank: Bank, names: dict[str, str], most: int = 5) -> None:
        """`names`: the names at the hole with their types; of each type the first `most` are used."""
        self.bank = bank
        self._names = names
        self._most = most
        self._fitting = {
            letter: [name for name, kind in names.items() if kind in _LETTERS.get(letter, (kind,))][:most]
            for letter in "nmxystdebvwk"
        }

    def add(self, text: str, cost: int, *, bare: bool = False) -> None:
        """The entries of one template. `bare`: a tuple is written without brackets."""
        template = template_of(text)
        for names in self._choices(template.letters, ()):
            self._instance(template, names, cost, bare=bare)
            if self.bank.full:
                return

    def _choices(self, letters: tuple[str, ...], chosen: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if len(chosen) == len(letters):
            yield chosen
            return
        for name in self._fitting[letters[len(chosen)]]:
            if name not in chosen:
                yield from self._choices(letters, (*chosen, name))

    def _instance(self, template: Template, names: tuple[str, ...], cost: int, *, bare: bool) -> None:
        put = dict(zip(template.letters, names, strict=True))
        text = "".join(put[piece] if at % 2 else piece for at, piece in enumerate(template.pieces))
        compute, pairs = template.run, tuple(put.items())

        def run(env: Env) -> Any:
            return compute(
                Env({letter: env.get(name) for letter, name in pairs}, env.budget, None, inner=False)
            )

        tight = template.tight
        if template.tuple_:
            bracketed = text.startswith("(") and text.endswith(")")
            text, tight = (text, e.TUPLE) if bare else (text if bracketed else f"({text})", e.ATOM)
        self.bank.leaf(text, cost, run, names, tight)

    def expression(self, text: str, cost: int, *, bare: bool = False) -> Entry | None:
        """One expression over names of the states."""
        try:
            node = ast.parse(text, mode="eval").body
            run = build(node)
        except (SyntaxError, ValueError, Refused, RecursionError):
            return None
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in self._names}
        tight = _tightness(node)
        if tight == e.TUPLE and not bare:
            text, tight = text if text.startswith("(") else f"({text})", e.ATOM
        return self.bank.leaf(text, cost, run, sorted(names), tight)


def _tightness(node: ast.expr) -> int:
    match node:
        case ast.BoolOp(op=ast.Or()):
            return e.OR
        case ast.BoolOp():
            return e.AND
        case ast.UnaryOp(op=ast.Not()):
            return e.NOT
        case ast.UnaryOp():
            return e.UNARY
        case ast.Compare():
            return e.COMPARE
        case ast.BinOp(op=ast.Pow()):
            return e.POWER
        case ast.BinOp(op=ast.Mult() | ast.Div() | ast.FloorDiv() | ast.Mod()):
            return e.PRODUCT
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return e.SUM
        case ast.BinOp():
            return 12
        case ast.IfExp() | ast.Lambda() | ast.NamedExpr():
            return e.LAMBDA
        case ast.Tuple():
            return e.TUPLE
    return e.ATOM


_OF_ROLE = {
    "condition": CONDITIONS,
    "iterable": ITERABLES,
    "init": (*INITS, *VALUES),
    "tuple": TUPLES,
    **dict.fromkeys(("value", "step", "return", "operand", "index", "bound", "argument"), VALUES),
}
ROLES = {
    role: tuple(sorted(dict.fromkeys(table), key=lambda item: item[1])) for role, table in _OF_ROLE.items()
}
