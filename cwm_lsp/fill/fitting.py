"""Which types fit a hole's role, read off what stands beside it; and what an expression of another type
costs.

Leaves out the expressions (bank.py).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cwm_lsp.fill.bank import COMPARED, ITERABLES
from cwm_lsp.fill.entries import Entry
from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.sites import Site
from cwm_lsp.fill.states import State
from cwm_lsp.source.literals import Limits, Refused
from cwm_lsp.source.literals_build import Env, build
from cwm_lsp.source.literals_limits import Budget


def wanted_kinds(site: Site, states: Sequence[State], examples: Sequence[Example]) -> frozenset[str] | None:
    """The types that fit a role, None where any may."""
    role = site.role
    if role == "condition":
        return frozenset(("bool",))
    if role == "iterable":
        return ITERABLES | {"Walked"}
    if role == "tuple":
        return frozenset(("tuple", "list"))
    if role == "bound":
        return frozenset(("int",))
    kinds = _kinds_of(site.sibling, states)
    if role == "return":
        inside = isinstance(site.path[0][0], ast.Return)
        return (
            frozenset(type(example.value).__name__ for example in examples) if inside and examples else None
        )
    if role == "index":
        if kinds and kinds <= {"list", "str", "tuple", "range"}:
            return frozenset(("int",))
        return frozenset(("int", "str", "tuple", "bool", "mixed"))
    if role in ("step", "operand") and kinds:
        return _operand_kinds(site, kinds)
    if role == "argument":
        return _argument_kinds(site, kinds)
    if role == "value" and kinds:
        return kinds | ({"int", "float"} if kinds & {"int", "float"} else set())
    return None


def _operand_kinds(site: Site, kinds: frozenset[str]) -> frozenset[str] | None:
    sign = site.sign.partition(":")[0]
    if sign in ("In", "NotIn"):
        return ITERABLES if not site.sign.endswith(":left") else None
    if sign in ("Is", "IsNot"):
        return frozenset(("NoneType", "bool"))
    if kinds & {"int", "float"}:
        extra = {"str", "list"} if sign == "Mult" else set()
        return frozenset({"int", "float"} | extra)
    if sign == "Mult":
        return frozenset(("int",))
    if sign == "Mod" and "str" in kinds:
        return None
    return kinds


def _argument_kinds(site: Site, kinds: frozenset[str] | None) -> frozenset[str] | None:
    name = site.sign
    if name in ("range", "chr", "abs", "round"):
        return frozenset(("int", "float"))
    if name in (
        "len",
        "sum",
        "sorted",
        "list",
        "set",
        "enumerate",
        "zip",
        "reversed",
        "any",
        "all",
        "tuple",
        ".extend",
        ".join",
    ):
        return ITERABLES | {"Walked"}
    if name in ("max", "min"):
        return kinds
    if name in ("ord", "int"):
        return frozenset(("str",))
    return None


def _kinds_of(node: ast.expr | None, states: Sequence[State]) -> frozenset[str] | None:
    if node is None or any(hasattr(part, "_cwm_hole") for part in ast.walk(node)):
        return None
    try:
        run = build(ast.fix_missing_locations(node))
    except Refused:
        return None
    budget = Budget(Limits())
    kinds: set[str] = set()
    for state in states:
        try:
            kinds.add(type(run(Env(dict(state), budget, None, inner=False))).__name__)
        except Exception:  # noqa: S112  (a made state may not fit)
            continue
    return frozenset(kinds) if kinds else None


def misfit(site: Site, entry: Entry, wanted: frozenset[str] | None) -> int:
    """What an entry costs more because it doesn't look like something for this role."""
    if site.role in ("condition", "operand", "step", "iterable", "index", "bound") and not entry.mask:
        constant = 2 if site.role in ("condition", "iterable") else 0
    else:
        constant = 0
    if wanted is None:
        if site.role == "init" and entry.kind == "bool" and entry.mask:
            return 4
        return constant
    if entry.kind in wanted:
        return constant
    if site.role == "condition":
        return 3 + constant if entry.kind not in ("range", "zip") else 50
    if site.role == "iterable":
        return 50
    return 6 if entry.kind == "mixed" or entry.kind in COMPARED else 9
