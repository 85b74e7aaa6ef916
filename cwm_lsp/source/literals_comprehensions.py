"""Comprehensions and generator expressions as closures: the rest of literals_build.py."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_build import MAKERS, Built, Env, build, key
from cwm_lsp.source.literals_limits import CONTAINERS, Refused


def target_of(node: ast.expr) -> Callable[[Env, Any], None]:
    """Binds what a comprehension's target names."""
    if isinstance(node, ast.Name):
        name = node.id

        def store(env: Env, value: Any) -> None:
            env.names[name] = value

        return store
    if not isinstance(node, ast.Tuple | ast.List) or any(isinstance(part, ast.Starred) for part in node.elts):
        raise Refused("this target of a comprehension is not computed")
    parts = [target_of(part) for part in node.elts]

    def unpack(env: Env, value: Any) -> None:
        kind = type(value)
        if kind not in CONTAINERS and kind is not str and kind is not range and kind is not bytes:
            raise Refused("this is not unpacked")
        calls.walked(value, env.budget)
        if len(value) < len(parts):
            raise ValueError(f"not enough values to unpack (expected {len(parts)}, got {len(value)})")
        if len(value) > len(parts):
            raise ValueError(f"too many values to unpack (expected {len(parts)})")
        for part, item in zip(parts, value, strict=True):
            part(env, item)

    return unpack


Rounds = Callable[[Env, Any], Iterator[None]]


def _rounds(generators: list[ast.comprehension]) -> Rounds:
    """Binds the targets for each round; the first iteration is given."""
    head, *rest = generators
    if head.is_async:
        raise Refused("async comprehensions are not computed")
    bind = target_of(head.target)
    tests = [build(test) for test in head.ifs]
    inner = _rounds(rest) if rest else None
    source = build(rest[0].iter) if rest else None

    def run(env: Env, iterator: Any) -> Iterator[None]:
        for item in iterator:
            env.budget.charge(4)
            bind(env, item)
            for test in tests:
                if not operators.truth(test(env)):
                    break
            else:
                if inner is None or source is None:
                    yield
                else:
                    yield from inner(env, calls.iterate(source(env), env.budget))

    return run


def _comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Built:
    first = build(node.generators[0].iter)
    rounds = _rounds(node.generators)
    element = build(node.elt)
    kind = type(node)

    def values(env: Env, iterator: Any) -> Iterator[Any]:
        for _ in rounds(env, iterator):
            yield element(env)

    def run(env: Env) -> Any:
        iterator = calls.iterate(first(env), env.budget)
        inside = Env({}, env.budget, env, inner=True)
        if kind is ast.GeneratorExp:
            return values(inside, iterator)
        if kind is ast.ListComp:
            return list(values(inside, iterator))
        found: set[Any] = set()
        for value in values(inside, iterator):
            found.add(key(value, env.budget))
            _collisions(found, value)
        return found

    return run


def _collisions(found: Any, value: Any) -> None:
    if len(found) > 1000 and (type(value) not in (int, str, float) or value.__hash__() != value):
        if type(value) is str:
            return
        raise Refused("so many keys of this kind are not computed")


def _dictcomp(node: ast.DictComp) -> Built:
    first = build(node.generators[0].iter)
    rounds = _rounds(node.generators)
    name, value = build(node.key), build(node.value)

    def run(env: Env) -> Any:
        iterator = calls.iterate(first(env), env.budget)
        inside = Env({}, env.budget, env, inner=True)
        found: dict[Any, Any] = {}
        for _ in rounds(inside, iterator):
            left = name(inside)
            right = value(inside)
            found[key(left, env.budget)] = right
            _collisions(found, left)
        return found

    return run


MAKERS.update(
    {
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _dictcomp,
    }
)
