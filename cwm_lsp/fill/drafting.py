"""Statements that could stand in a hole: small ones, made of one bank, told apart by what they change.

Which name a missing statement changes is read off the code: one that is set before the loop and read, and
that nothing in the loop changes. Leaves out expressions (bank.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cwm_lsp.fill.bank import Bank, Clock
from cwm_lsp.fill.entries import FAILED, Entry, key_of
from cwm_lsp.fill.sites import Site
from cwm_lsp.fill.statements import assigned_names, statement_of
from cwm_lsp.source.literals import Refused
from cwm_lsp.source.literals_build import Env
from cwm_lsp.source.literals_builtins import NAMES

MOST_DRAFTS = 4_000
_SIMPLE = (
    "int",
    "float",
    "str",
    "list",
    "tuple",
    "bool",
    "NoneType",
    "dict",
    "set",
    "mixed",
    "int!",
    "float!",
)


@dataclass(eq=False, slots=True)
class Draft:
    """A statement on one line; `run` is made when it is first tried."""

    text: str
    cost: int
    mask: int
    _run: Any = None

    def run(self, env: Env) -> Any:
        """Does it, and gives its signal."""
        if self._run is None:
            try:
                node = ast.parse(self.text).body[0]
                self._run = statement_of(node, _no_function)
            except (SyntaxError, Refused) as error:
                raise Refused(str(error)) from None
        return self._run(env)


def _no_function(_: ast.FunctionDef, __: Env) -> Any:
    raise Refused("no functions are defined in a hole")


def target_costs(site: Site, names: dict[str, str]) -> dict[str, int]:
    """What it costs to change each name: nothing for those that something must change here."""
    function = site.function
    scope: ast.AST = site.loops[0] if site.loops else function
    changed = _changed(scope, site.node)
    read_in_tests = _read_in_tests(site)
    loop_names = set(assigned_names([loop.target for loop in site.loops if isinstance(loop, ast.For)]))
    read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    parameters = {argument.arg for argument in function.args.args}
    augmented = {
        n.target.id
        for n in ast.walk(function)
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name)
    }
    plain = (n for n in ast.walk(function) if isinstance(n, ast.stmt) and not isinstance(n, ast.AugAssign))
    bound = parameters | {name for node in plain for name in _binds(node)}
    read |= augmented
    costs: dict[str, int] = {}
    for name in names:
        cost = 0
        if name in loop_names:
            cost += 4
        if name in changed:
            cost += 2
        if name in parameters and name not in read_in_tests:
            cost += 2
        if name not in read:
            cost += 2
        costs[name] = cost
    for name in read - bound - NAMES.keys() - {"_"}:
        if name not in names:
            costs[name] = -1  # read, and nothing sets it: this statement must
    return costs


def _binds(node: ast.stmt) -> list[str]:
    """The names that a statement itself binds, its body apart."""
    match node:
        case ast.Assign(targets=targets):
            return assigned_names(targets)
        case ast.AnnAssign(target=target) | ast.For(target=target):
            return assigned_names([target])
        case ast.FunctionDef(name=name):
            return [name]
        case ast.Try(handlers=handlers):
            return [handler.name for handler in handlers if handler.name]
    return []


def _changed(scope: ast.AST, hole: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(scope):
        if node is hole:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
        ):
            found.add(node.value.id)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.attr in ("append", "add", "extend", "pop", "remove", "insert", "update", "discard")
        ):
            found.add(node.func.value.id)
    return found


def _read_in_tests(site: Site) -> set[str]:
    tests = [loop.test for loop in site.loops if isinstance(loop, ast.While)]
    return {n.id for test in tests for n in ast.walk(test) if isinstance(n, ast.Name)}


class Drafts:
    """The statements over one bank."""

    def __init__(
        self,
        site: Site,
        bank: Bank,
        names: dict[str, str],
        wanted: frozenset[str],
        *,
        seconds: float,
        clock: Clock,
    ) -> None:
        self.site = site
        self.bank = bank
        self.names = names
        self.wanted = wanted
        self._costs = target_costs(site, names)
        self._keys: set[Any] = set()
        self._clock = clock
        self._end = clock() + seconds

    def all(self) -> list[Draft]:
        """Every draft, cheapest first."""
        drafts: list[Draft] = []
        for at, draft in enumerate(self._simple()):
            drafts.append(draft)
            if not at % 64 and self._late:
                break
        drafts.sort(key=lambda draft: draft.cost)
        plain = [draft for draft in drafts if draft.cost <= 6][:120]
        drafts += self._guarded(plain)
        drafts.sort(key=lambda draft: draft.cost)
        return drafts[:MOST_DRAFTS]

    @property
    def _late(self) -> bool:
        return self._clock() >= self._end

    def _new(self, key: Any) -> bool:
        try:
            if key in self._keys:
                return False
            self._keys.add(key)
        except TypeError:
            return False
        return True

    def _entries(self, most: int, kinds: tuple[str, ...] = _SIMPLE) -> Iterator[Entry]:
        for cost in range(1, most + 1):
            yield from self.bank.at(cost, kinds)

    def _simple(self) -> Iterator[Draft]:
        yield from self._pairs()
        yield from self._leaving()
        for name, penalty in sorted(self._costs.items(), key=lambda item: item[1]):
            kind = self.names.get(name)
            mine = self.bank.by_text.get(name)
            bit = self.bank.bit(name)
            for draft in self._of_target(name, kind, mine, bit):
                draft.cost += penalty
                yield draft

    def _of_target(self, name: str, kind: str | None, mine: Entry | None, bit: int) -> Iterator[Draft]:
        for entry in self._entries(5):
            fits = kind is None or kind in (entry.kind, "mixed", "NoneType") or entry.kind == "mixed"
            number = kind in ("int", "float") and entry.kind in ("int", "float")
            again = number and entry.text.startswith(
                (f"{name} +", f"{name} -", f"{name} /", f"{name} *", f"{name} %")
            )
            other = entry is not mine and entry.text != name and not again
            if (fits or number) and other and self._new(("set", name, _key(entry))):
                yield Draft(f"{name} = {entry.text}", 1 + entry.cost + (not entry.mask), entry.mask)
            if mine is None or entry.cost > 4:
                continue
            if number:
                for sign, extra in (("+", 0), ("-", 1), ("*", 1), ("//", 1), ("%", 3)):
                    if entry.text not in (name, "0", "-1") and not (
                        entry.text == "1" and sign in ("*", "//", "%")
                    ):
                        yield Draft(f"{name} {sign}= {entry.text}", 1 + extra + entry.cost, entry.mask | bit)
            elif kind == "str" and entry.kind == "str" and entry.text != "''":
                yield Draft(f"{name} += {entry.text}", 1 + entry.cost, entry.mask | bit)
            elif kind == "list":
                yield Draft(f"{name}.append({entry.text})", 1 + entry.cost, entry.mask | bit)
                if entry.kind == "list" and entry.text != "[]":
                    yield Draft(f"{name}.extend({entry.text})", 2 + entry.cost, entry.mask | bit)
                if entry.kind in ("int", "str", "tuple"):
                    yield Draft(f"{name}.insert(0, {entry.text})", 4 + entry.cost, entry.mask | bit)
                    yield Draft(f"{name}.remove({entry.text})", 4 + entry.cost, entry.mask | bit)
            elif kind == "set" and entry.kind in ("int", "str", "tuple", "float", "mixed", "bool"):
                yield Draft(f"{name}.add({entry.text})", 1 + entry.cost, entry.mask | bit)
                yield Draft(f"{name}.discard({entry.text})", 4 + entry.cost, entry.mask | bit)
        if kind == "list":
            for text, cost in (
                (f"{name}.pop()", 3),
                (f"{name}.sort()", 3),
                (f"{name}.reverse()", 3),
                (f"{name}.pop(0)", 4),
            ):
                yield Draft(text, cost, bit)
        if kind in ("list", "dict") and self._costs.get(name, 0) <= 2:
            yield from self._items(name, kind, bit)

    def _items(self, name: str, kind: str, bit: int) -> Iterator[Draft]:
        keys = ("int",) if kind == "list" else ("int", "str", "tuple", "mixed", "bool")
        for key in self._entries(3, keys):
            if not key.mask:
                continue
            for entry in self._entries(4 - key.cost // 2, self._stored(name)):
                mask = key.mask | entry.mask | bit
                yield Draft(f"{name}[{key.text}] = {entry.text}", 1 + key.cost + entry.cost, mask)
                if entry.kind in ("int", "str", "list") and entry.text not in ("0", "''", "[]"):
                    yield Draft(f"{name}[{key.text}] += {entry.text}", 2 + key.cost + entry.cost, mask)
            if kind == "dict":
                for entry in self._entries(2):
                    mask = key.mask | entry.mask | bit
                    text = f"{name}.setdefault({key.text}, []).append({entry.text})"
                    yield Draft(text, 4 + key.cost + entry.cost, mask)
                    counted = f"{name}[{key.text}] = {name}.get({key.text}, 0) + {entry.text}"
                    if entry.kind == "int" and entry.text != "0":
                        yield Draft(counted, 3 + key.cost + entry.cost, mask)
                yield Draft(f"del {name}[{key.text}]", 4 + key.cost, key.mask | bit)

    def _stored(self, name: str) -> tuple[str, ...]:
        """The types of what a container holds in the states, any where it is empty."""
        kinds: set[str] = set()
        for state in self.bank.states:
            held = state.get(name)
            items = held.values() if isinstance(held, dict) else held if isinstance(held, list) else ()
            kinds.update(type(item).__name__ for item in items)
        return tuple(kinds) or _SIMPLE

    def _pairs(self) -> Iterator[Draft]:
        """Two names at once, and two elements that change places."""
        names = [name for name, kind in self.names.items() if kind in ("int", "str", "list", "tuple")]
        for a in names[:6]:
            for b in names[:6]:
                if a == b or self.names[a] != self.names[b]:
                    continue
                penalty = self._costs.get(a, 0) + self._costs.get(b, 0)
                mask = self.bank.bit(a) | self.bank.bit(b)
                if a < b:
                    yield Draft(f"{a}, {b} = {b}, {a}", 4 + penalty, mask)
                if self.names[a] == "int":
                    for text in (f"{b}, {a} + {b}", f"{b}, {a} % {b}", f"{b}, {a} - {b}", f"{a} + {b}, {a}"):
                        yield Draft(f"{a}, {b} = {text}", 4 + penalty, mask)
                    for text in (f"{a} + 1, {b} - 1", f"{a} + 1, {b} + 1"):
                        yield Draft(f"{a}, {b} = {text}", 6 + penalty, mask)
        items = [entry for entry in self._entries(5) if entry.text.endswith("]") and ":" not in entry.text]
        items = [entry for entry in items if entry.text[0].isalpha() and entry.text.count("[") == 1][:14]
        for left in items:
            for right in items:
                if left.text < right.text and left.text.partition("[")[0] == right.text.partition("[")[0]:
                    name = left.text.partition("[")[0]
                    if self.names.get(name) == "list":
                        text = f"{left.text}, {right.text} = {right.text}, {left.text}"
                        yield Draft(text, 5 + self._costs.get(name, 0), left.mask | right.mask)

    def _leaving(self) -> Iterator[Draft]:
        inside = bool(self.site.loops)
        for entry in self._entries(5, (*_SIMPLE,)):
            if not self.wanted or entry.kind in self.wanted or entry.kind == "mixed":
                yield Draft(f"return {entry.text}", 2 + entry.cost + 3 * inside, entry.mask)
        if inside:
            yield Draft("break", 5, 0)
            yield Draft("continue", 6, 0)

    def _guarded(self, plain: list[Draft]) -> list[Draft]:
        tests = [entry for entry in self._entries(4, ("bool",)) if entry.mask][:60]
        tests += list(self._entries(1, ("list", "dict", "str", "set")))[:4]
        made: list[Draft] = []
        bodies = [*plain, *self._short()]
        for test in tests:
            for body in bodies:
                cost = 2 + test.cost + body.cost
                if cost <= 11:
                    made.append(Draft(f"if {test.text}: {body.text}", cost, test.mask | body.mask))
        return made

    def _short(self) -> Iterator[Draft]:
        if self.site.loops:
            yield Draft("break", 1, 0)
            yield Draft("continue", 1, 0)
        for entry in self._entries(2, (*_SIMPLE,)):
            if not self.wanted or entry.kind in self.wanted:
                yield Draft(f"return {entry.text}", 1 + entry.cost, entry.mask)


def _key(entry: Entry) -> Any:
    return key_of(entry.values, entry.kind) if FAILED not in entry.values else (entry.text,)
