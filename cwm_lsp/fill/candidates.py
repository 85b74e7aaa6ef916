"""What could stand in each hole, cheapest first: names, constants, code that is there already, idioms of the
hole's role, all smaller expressions, what a model proposes; statements of these.

One bank a hole, whoever an entry comes from. Leaves out which combination is right (search.py).
"""

from __future__ import annotations

import ast
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cwm_lsp.fill import idioms
from cwm_lsp.fill.bank import Bank, Clock
from cwm_lsp.fill.combining import Known
from cwm_lsp.fill.drafting import Draft, Drafts
from cwm_lsp.fill.entries import FAILED, Entry, kind_of
from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.fitting import misfit, wanted_kinds
from cwm_lsp.fill.running import Filling, Program, unfilled
from cwm_lsp.fill.sites import Site
from cwm_lsp.fill.states import State
from cwm_lsp.source.literals import Limits, Refused
from cwm_lsp.source.literals_build import Env, build
from cwm_lsp.source.literals_calls import METHODS, Function
from cwm_lsp.source.literals_limits import Budget


@dataclass(eq=False, slots=True)
class Candidate:
    """A filling of one hole: its text, what it costs, and what it does. `reads` are unread names it reads."""

    text: str
    cost: int
    run: Callable[[Env], Any]
    reads: frozenset[str] = field(default=frozenset())
    proposed: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a model proposes for a hole, likeliest first, `logprob` its log-probability; `cost` says how
    soon it is tried: low for a model that is believed."""

    text: str
    logprob: float
    cost: int = 2


def candidates_for(
    site: Site,
    program: Program,
    states: Sequence[State],
    examples: Sequence[Example],
    proposals: Sequence[Proposal] = (),
    *,
    highest: int = 9,
    seconds: float = 0.5,
    most: int = 6_000,
    clock: Clock = time.monotonic,
) -> list[Candidate]:
    """The candidates of a hole over these states."""
    return Pool(site, program, states, examples, proposals, clock=clock).extend(highest, seconds, most)


class Pool:
    """The candidates of one hole, made in rounds: what was made before is not made again."""

    def __init__(
        self,
        site: Site,
        program: Program,
        states: Sequence[State],
        examples: Sequence[Example],
        proposals: Sequence[Proposal] = (),
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self.site, self._examples, self._proposals, self._clock = site, examples, proposals, clock
        self._names = _names(states)
        self._bank = Bank(
            states, known_functions(program, examples), seconds=0.0, clock=clock,
            telling=site.unread, positions=positions(site.function),
        )  # fmt: skip
        self._wanted = wanted_kinds(site, states, examples)
        self._proposed: list[Draft] | None = None

    def extend(self, highest: int, seconds: float, most: int) -> list[Candidate]:
        """All candidates up to a cost, cheapest first, as far as the time and the room go."""
        site, bank = self.site, self._bank
        if site.role == "name":
            return _methods(site, bank.states)
        if site.role == "target":
            return [
                Candidate(name, 1 + at // 4, _store(name), frozenset({name} & {*site.unread}))
                for at, name in enumerate([*self._names, *_missing(site, self._names)])
            ]
        bank.allow(seconds, most)
        if self._proposed is None:
            self._proposed = self._begin()
        if site.role == "statement":
            bank.grow(min(highest, 4), iterables=False)
            kinds = frozenset(type(example.value).__name__ for example in self._examples)
            drafts = Drafts(site, bank, self._names, kinds, seconds=seconds / 2, clock=self._clock).all()
            return _finished(site, bank, [*self._proposed, *drafts], self._names)
        bank.grow(highest, site.role in ("iterable", "argument"), self._wanted)
        if site.role == "tuple":
            _tuples(site, bank)
        if site.role in ("value", "return"):
            _choices(bank, self._wanted)
        ranked = [(entry, entry.cost + misfit(site, entry, self._wanted)) for entry in bank.entries]
        found = [Draft(entry.text, cost, entry.mask, entry.run) for entry, cost in ranked if cost < 40]
        return _finished(site, bank, [*self._proposed, *found], self._names)

    def _begin(self) -> list[Draft]:
        """What is there before anything is put together: names, constants, code, idioms, proposals."""
        site, bank = self.site, self._bank
        templates = idioms.Templates(bank, self._names)
        _leaves(site, bank, templates, self._names, self._examples)
        proposed = _proposed(site, templates, self._proposals)
        for template, cost in idioms.ROLES.get(site.role, ()):
            templates.add(template, cost, bare=site.role == "tuple")
            if bank.full:
                break
        if site.role == "statement":
            for template, cost in (*idioms.VALUES[:24], *idioms.CONDITIONS[:24]):
                templates.add(template, cost + 1)
        return proposed


def positions(function: ast.FunctionDef) -> list[str]:
    """The names that the code uses as places in a sequence: in subscripts and ranges, as counters of
    loops."""
    found: list[str] = []
    for node in ast.walk(function):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Subscript):
            parts = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            parts = [*node.args]
        elif (
            isinstance(node, ast.For)
            and isinstance(node.iter, ast.Call)
            and isinstance(node.iter.func, ast.Name)
        ):
            if node.iter.func.id == "range":
                parts = [node.target]
            elif node.iter.func.id == "enumerate" and isinstance(node.target, ast.Tuple):
                parts = [node.target.elts[0]]
        elif isinstance(node, ast.Compare) and "len(" in ast.unparse(node):
            parts = [node]
        found += [n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)]
    return [name for name in dict.fromkeys(found) if name not in ("_", "len", "range")]


def _finished(site: Site, bank: Bank, drafts: Iterable[Draft], names: dict[str, str]) -> list[Candidate]:
    unread = {name: bank.bit(name) for name in site.unread if name in names}
    found: dict[str, Candidate] = {}
    for draft in drafts:
        reads = frozenset(name for name, bit in unread.items() if draft.mask & bit)
        known = found.get(draft.text)
        if known is None or draft.cost < known.cost:
            found[draft.text] = Candidate(draft.text, draft.cost, draft.run, reads)
    return sorted(found.values(), key=lambda candidate: candidate.cost)


def _names(states: Sequence[State]) -> dict[str, str]:
    """The names in scope with their types: those that most states have, the ones in all of them first."""
    counts: dict[str, int] = {}
    for state in states:
        for name in state:
            counts[name] = counts.get(name, 0) + 1
    ordered = sorted(counts, key=lambda name: -counts[name])
    found: dict[str, str] = {}
    for name in ordered:
        kind = kind_of([state.get(name, FAILED) for state in states])
        if kind is not None and not name.startswith(".") and name != "_":
            found[name] = kind
    return found


def known_functions(program: Program, examples: Sequence[Example]) -> dict[str, Known]:
    """The functions of the file as the enumeration sees them."""
    found: dict[str, Known] = {}
    for node in program.tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        target = program.value_of(node.name)
        if isinstance(target, Function) and 1 <= len(node.args.args) <= 2:
            own = [example for example in examples if example.function == node.name]
            given = [_values(example) for example in own]
            kinds = tuple(
                frozenset({"mixed", *(type(values[at]).__name__ for values in given if at < len(values))})
                if given
                else frozenset[str]()
                for at in range(len(node.args.args))
            )
            open_ = any(hasattr(part, "_cwm_hole") for part in ast.walk(node))
            tell = _teller(node, target, program, own)
            found[node.name] = Known(node.name, len(node.args.args), target, tell, kinds, 2 * open_)
    return found


def _teller(
    node: ast.FunctionDef, target: Function, program: Program, examples: list[Example]
) -> Callable[[tuple[Any, ...]], Any]:
    """What a function gives. One with a hole can't be asked: what its examples say, else a made value of the
    same type, always the same for the same arguments."""
    if not any(hasattr(part, "_cwm_hole") for part in ast.walk(node)):

        def really(given: tuple[Any, ...]) -> Any:
            return program.computed(target, given)

        return really
    told = {repr(tuple(_values(example))): example.value for example in examples}
    kept: dict[str, Any] = {}
    results = [example.value for example in examples]

    def made(given: tuple[Any, ...]) -> Any:
        key = repr(given)
        if key in told:
            return told[key]
        if key not in kept:
            rng = random.Random(key)
            kept[key] = _like(rng.choice(results), rng) if results else rng.randint(2, 9)
        return kept[key]

    return made


def _values(example: Example) -> list[Any]:
    budget = Budget(Limits())
    return [part(Env({}, budget, None, inner=False)) for part in example.built]


def _like(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool):
        return rng.random() < 0.5
    if isinstance(value, int):
        return rng.randint(2, 40)
    if isinstance(value, str):
        return "".join(rng.choice("abcxyz") for _ in range(3))
    if isinstance(value, list):
        return [_like(item, rng) for item in value[:3]] + value[3:]
    return value


def _leaves(
    site: Site, bank: Bank, templates: idioms.Templates, names: dict[str, str], examples: Sequence[Example]
) -> None:
    for name in names:
        if name == site.assigned and site.role == "init":
            continue
        again = site.role == "step" and isinstance(site.sibling, ast.Name) and site.sibling.id == name
        bank.leaf(name, 3 if again else 2 if site.role == "init" else 1, _load(name), [name])
    for text, cost in idioms.constants_of(site, [example.value for example in examples]):
        templates.expression(text, cost)
    for text in _code(site):
        templates.expression(text, 2 if len(text) > 1 else 1)


def _load(name: str) -> Callable[[Env], Any]:
    return build(ast.Name(name, ast.Load()))


def _store(name: str) -> Callable[[Env], Any]:
    def store(env: Env, value: Any) -> None:
        env.names[name] = value

    return lambda _: store


def filling_of(site: Site, text: str) -> Filling | None:
    """What a text does at a hole; None if that can't be told from the text alone."""
    try:
        if site.role == "statement":
            return Draft(text, 0, 0).run
        if site.role == "target":
            return _store(text)
        return None if site.role == "name" else build(ast.parse(text, mode="eval").body)
    except (SyntaxError, Refused):
        return None


def _missing(site: Site, names: dict[str, str]) -> list[str]:
    """Names that the function reads and that nothing sets."""
    read = [n.id for n in ast.walk(site.function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return [name for name in dict.fromkeys(read) if name not in names and name != "_"]


def _code(site: Site) -> list[str]:
    """Expressions of the function that are no names or constants: they are often needed again. The parts of
    targets too, as what they read."""
    found: list[str] = []
    for node in ast.walk(site.function):
        if isinstance(node, ast.BinOp | ast.Subscript | ast.Call | ast.Compare):
            text = ast.unparse(node)
            if len(text) <= 40 and "_" not in [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]:
                found.append(text)
    return list(dict.fromkeys(found))


def _proposed(site: Site, templates: idioms.Templates, proposals: Sequence[Proposal]) -> list[Draft]:
    """What a model proposes, in the bank beside the rest; its parts become cheap as well."""
    drafts: list[Draft] = []
    for proposal in proposals:
        cost = proposal.cost
        if site.role == "statement":
            drafts.append(Draft(proposal.text, cost, 0))
            continue
        entry = templates.expression(proposal.text, cost, bare=site.role == "tuple")
        if entry is not None:
            drafts.append(Draft(entry.text, cost, entry.mask, entry.run))
        try:
            parts = [
                n for n in ast.walk(ast.parse(proposal.text, mode="eval").body) if isinstance(n, ast.expr)
            ]
        except SyntaxError:
            continue
        for part in parts[1:8]:
            templates.expression(ast.unparse(part), min(cost + 1, 6))
    return drafts


def _tuples(site: Site, bank: Bank) -> None:
    """Pairs of cheap entries for `a, b = ?`, and the targets mirrored."""
    mirrored = ", ".join(reversed(site.targets))
    bank_templates = idioms.Templates(bank, _names(bank.states))
    bank_templates.expression(mirrored, 1, bare=True)
    if site.arity != 2:
        return
    cheap = [
        entry for cost in range(1, 4) for entries in bank.by_cost.get(cost, {}).values() for entry in entries
    ]
    for left in cheap[:40]:
        for right in cheap[:40]:
            text = f"{left.within(2)}, {right.within(2)}"
            values = tuple(
                FAILED if FAILED in (a, b) else (a, b) for a, b in zip(left.values, right.values, strict=True)
            )
            if kind_of(values) is not None:
                bank.add(_pair(text, left, right, values))


def _pair(text: str, left: Entry, right: Entry, values: tuple[Any, ...]) -> Entry:
    one, two = left.run, right.run
    cost = 1 + left.cost + right.cost
    return Entry(text, cost, lambda env: (one(env), two(env)), values, "tuple", left.mask | right.mask, 1)


def _choices(bank: Bank, wanted: frozenset[str] | None) -> None:
    """`a if test else b` of the cheapest."""
    tests = [entry for cost in range(1, 4) for entry in bank.at(cost, ("bool",)) if entry.mask][:24]
    kinds = tuple(wanted or ("int", "str", "list"))
    values = [entry for cost in range(1, 3) for entry in bank.at(cost, kinds)][:14]
    for test in tests:
        for yes in values:
            for no in values:
                if yes is no:
                    continue
                entry = _choice(test, yes, no)
                if entry is not None:
                    bank.add(entry)
        if bank.full:
            return


def _choice(test: Entry, yes: Entry, no: Entry) -> Entry | None:
    values = tuple(
        FAILED if t is FAILED else (y if t else n)
        for t, y, n in zip(test.values, yes.values, no.values, strict=True)
    )
    kind = kind_of(values)
    if kind is None:
        return None
    decide, one, two = test.run, yes.run, no.run
    text = f"{yes.within(4)} if {test.within(4)} else {no.within(4)}"
    cost = 3 + test.cost + yes.cost + no.cost
    mask = test.mask | yes.mask | no.mask
    return Entry(text, cost, lambda env: one(env) if decide(env) else two(env), values, kind, mask, 3)


def _methods(site: Site, states: Sequence[State]) -> list[Candidate]:
    """For `x.?` and `x.?(…)`: the methods of what x is."""
    node = site.node
    attribute = node.func if isinstance(node, ast.Call) else node
    if not isinstance(attribute, ast.Attribute):
        return []
    try:
        value = build(attribute.value)
    except Refused:
        return []
    budget = Budget(Limits())
    kinds: list[type] = []
    for state in states:
        try:
            kinds.append(type(value(Env(state, budget, None, inner=False))))
        except Exception:  # noqa: S112  (a made state may not fit)
            continue
    names = sorted({name for kind in dict.fromkeys(kinds) for name in METHODS.get(kind, ())})
    found: list[Candidate] = []
    for name in names:
        changed = ast.Attribute(attribute.value, name, ast.Load())
        whole: ast.expr = changed
        if isinstance(node, ast.Call):
            whole = ast.Call(changed, node.args, node.keywords)
        try:
            found.append(Candidate(name, 2 + (name not in _USUAL), build(whole)))
        except Refused:
            continue
    return sorted(found, key=lambda candidate: candidate.cost)


_USUAL = frozenset(
    word
    for line in (
        "append pop add get items keys values split join strip lower upper replace count index find",
        "extend remove sort startswith endswith insert isdigit isalpha",
    )
    for word in line.split()
)


__all__ = ["Candidate", "Proposal", "candidates_for", "known_functions", "unfilled"]
