"""Statements as closures, beside the expressions of source/literals_build.py.

A statement gives None, or a signal: BREAK, CONTINUE, or a tuple with the value that is returned. Leaves out
classes, imports, `with`, `match`, generators and `global`: Refused.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals import Refused
from cwm_lsp.source.literals_build import BINARY, Env, build

BREAK, CONTINUE = "break", "continue"
Block = Callable[[Env], Any]
Maker = Callable[[ast.FunctionDef, Env], Any]
ROUND = 20
"""What a round of a loop costs, in the evaluator's units of work."""

EXCEPTIONS: dict[str, type[Exception]] = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and not issubclass(kind, Warning)
}


def assigned_names(statements: Iterable[ast.AST]) -> list[str]:
    """The names that statements bind, those of inner functions and comprehensions apart."""
    names: list[str] = []
    todo = list(statements)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.append(node.id)
        elif isinstance(node, ast.ExceptHandler):
            names += [node.name] if node.name else []
            todo.extend(node.body)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            todo.extend(ast.iter_child_nodes(node))
    return list(dict.fromkeys(names))


def block_of(statements: Sequence[ast.stmt], function: Maker) -> Block:
    """Some statements, one after the other."""
    parts = [
        statement_of(node, function)
        for node in statements
        if not (
            isinstance(node, ast.Pass)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        )
    ]
    if len(parts) == 1:
        return parts[0]

    def run(env: Env) -> Any:
        for part in parts:
            signal = part(env)
            if signal is not None:
                return signal
        return None

    return run


def statement_of(node: ast.stmt, function: Maker) -> Block:
    """One statement. Raises Refused for what is not computed."""
    match node:
        case ast.Expr(value=value):
            return _expression(value)
        case ast.Assign(targets=targets, value=value):
            return _assign(targets, build(value))
        case ast.AnnAssign(target=target, value=value):
            return _assign([target], build(value)) if value is not None else lambda _: None
        case ast.AugAssign():
            return _augmented(node)
        case ast.If(test=test, body=body, orelse=orelse):
            return _if(test, block_of(body, function), block_of(orelse, function) if orelse else None)
        case ast.While():
            return _while(node, function)
        case ast.For():
            return _for(node, function)
        case ast.Return(value=value):
            if value is None:
                return lambda _: (None,)
            returned = build(value)
            return lambda env: (returned(env),)
        case ast.Break():
            return lambda _: BREAK
        case ast.Continue():
            return lambda _: CONTINUE
        case ast.Pass():
            return lambda _: None
        case ast.Delete(targets=targets):
            return _delete(targets)
        case ast.Assert(test=test, msg=msg):
            return _assert(test, msg)
        case ast.Raise():
            return _raise(node)
        case ast.Try():
            return _try(node, function)
        case ast.FunctionDef(name=name):
            return lambda env: env.names.__setitem__(name, function(node, env))
    raise Refused(f"{type(node).__name__} statements are not computed")


def _expression(value: ast.expr) -> Block:
    run = build(value)
    if getattr(value, "_cwm_hole", None) is not None:
        return run  # a statement hole gives a signal

    def ignore(env: Env) -> None:
        run(env)

    return ignore


# -- targets


Store = Callable[[Env, Any], None]


def store_of(target: ast.expr) -> Store:
    """What binds a target."""
    if getattr(target, "_cwm_hole", None) is not None:
        look = build(target)
        return lambda env, value: look(env)(env, value)
    match target:
        case ast.Name(id=name):
            return lambda env, value: env.names.__setitem__(name, value)
        case ast.Subscript(value=container, slice=key):
            inside, where = build(container), build(key)
            return lambda env, value: operators.set_index(inside(env), where(env), value, env.budget)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return _unpack([store_of(p.value if isinstance(p, ast.Starred) else p) for p in parts], parts)
    raise Refused(f"{type(target).__name__} targets are not computed")


def _unpack(stores: list[Store], parts: list[ast.expr]) -> Store:
    starred = [at for at, part in enumerate(parts) if isinstance(part, ast.Starred)]
    count = len(parts)

    def run(env: Env, value: Any) -> None:
        items = list(calls.iterate(value, env.budget))
        if starred:
            at, rest = starred[0], len(items) - count + 1
            if rest < 0:
                raise ValueError(
                    f"not enough values to unpack (expected at least {count - 1}, got {len(items)})"
                )
            items = [*items[:at], items[at : at + rest], *items[at + rest :]]
        if len(items) < count:
            raise ValueError(f"not enough values to unpack (expected {count}, got {len(items)})")
        if len(items) > count:
            raise ValueError(f"too many values to unpack (expected {count})")
        for store, item in zip(stores, items, strict=True):
            store(env, item)

    return run


def _assign(targets: list[ast.expr], value: Block) -> Block:
    if len(targets) == 1 and isinstance(targets[0], ast.Name) and not hasattr(targets[0], "_cwm_hole"):
        name = targets[0].id

        def to_name(env: Env) -> None:
            env.names[name] = value(env)

        return to_name
    stores = [store_of(target) for target in targets]

    def run(env: Env) -> None:
        found = value(env)
        for store in stores:
            store(env, found)

    return run


def _augmented(node: ast.AugAssign) -> Block:
    function = operators.BINARY[BINARY[type(node.op)]]
    change = build(node.value)
    sign = BINARY[type(node.op)]
    target = node.target
    if isinstance(target, ast.Name):
        load = build(ast.copy_location(ast.Name(target.id, ast.Load()), target))
        if getattr(target, "_cwm_hole", None) is not None:
            raise Refused("a hole that is changed in place is not computed")
        name = target.id

        def to_name(env: Env) -> None:
            before = load(env)
            env.names[name] = in_place(sign, function, before, change(env), env)

        return to_name
    if isinstance(target, ast.Subscript):
        inside, where = build(target.value), build(target.slice)

        def to_item(env: Env) -> None:
            container, key = inside(env), where(env)
            before = operators.index(container, key, env.budget)
            operators.set_index(
                container, key, in_place(sign, function, before, change(env), env), env.budget
            )

        return to_item
    raise Refused("attributes are not computed")


_IN_PLACE: dict[tuple[type[Any], str], str] = {
    (list, "+"): "extend", (set, "|"): "update", (set, "&"): "intersection_update",
    (set, "-"): "difference_update", (set, "^"): "symmetric_difference_update", (dict, "|"): "update",
}  # fmt: skip


def in_place(sign: str, function: operators.Binary, before: Any, change: Any, env: Env) -> Any:
    """`before sign= change`: lists, sets and dicts are changed, others made anew."""
    method = _IN_PLACE.get((type(before), sign))
    if method is None:
        if type(before) is list:
            raise Refused("this is not computed in place")
        return function(before, change, env.budget)
    if type(before) is set and type(change) not in (set, frozenset):
        raise TypeError(f"unsupported operand type(s) for {sign}=")
    calls.method(before, method, (change,), {}, env.budget)
    return before


def _delete(targets: list[ast.expr]) -> Block:
    parts: list[Block] = []
    for target in targets:
        if isinstance(target, ast.Name):
            parts.append(_unbind(target.id))
        elif isinstance(target, ast.Subscript):
            parts.append(_remove(build(target.value), build(target.slice)))
        else:
            raise Refused("this is not deleted")

    def run(env: Env) -> None:
        for part in parts:
            part(env)

    return run


def _unbind(name: str) -> Block:
    def run(env: Env) -> None:
        if name not in env.names:
            raise UnboundLocalError(
                f"cannot access local variable '{name}' where it is not associated with a value"
            )
        del env.names[name]

    return run


def _remove(container: Block, key: Block) -> Block:
    return lambda env: operators.del_index(container(env), key(env), env.budget)


# -- control flow


def _if(test: ast.expr, body: Block, orelse: Block | None) -> Block:
    decide, truth = build(test), operators.truth
    if orelse is None:
        return lambda env: body(env) if truth(decide(env)) else None
    other = orelse
    return lambda env: body(env) if truth(decide(env)) else other(env)


def _while(node: ast.While, function: Maker) -> Block:
    decide, body = build(node.test), block_of(node.body, function)
    orelse = block_of(node.orelse, function) if node.orelse else None
    truth = operators.truth

    def run(env: Env) -> Any:
        charge = env.budget.charge
        while truth(decide(env)):
            charge(ROUND)
            signal = body(env)
            if signal is not None:
                if signal is BREAK:
                    return None
                if signal is not CONTINUE:
                    return signal
        return None if orelse is None else orelse(env)

    return run


def _for(node: ast.For, function: Maker) -> Block:
    source, body = build(node.iter), block_of(node.body, function)
    store = store_of(node.target)
    orelse = block_of(node.orelse, function) if node.orelse else None

    def run(env: Env) -> Any:
        charge = env.budget.charge
        for item in calls.iterate(source(env), env.budget):
            charge(ROUND)
            store(env, item)
            signal = body(env)
            if signal is not None:
                if signal is BREAK:
                    return None
                if signal is not CONTINUE:
                    return signal
        return None if orelse is None else orelse(env)

    return run


# -- exceptions


def _assert(test: ast.expr, msg: ast.expr | None) -> Block:
    decide = build(test)
    said = build(msg) if msg is not None else None

    def run(env: Env) -> None:
        if not operators.truth(decide(env)):
            raise AssertionError(*([said(env)] if said else []))

    return run


def _raise(node: ast.Raise) -> Block:
    match node.exc:
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in EXCEPTIONS:
            parts = [build(argument) for argument in arguments]
        case ast.Name(id=name) if name in EXCEPTIONS:
            parts = []
        case _:
            raise Refused("this exception is not computed")
    kind = EXCEPTIONS[name]

    def run(env: Env) -> None:
        raise kind(*[part(env) for part in parts])

    return run


def _try(node: ast.Try, function: Maker) -> Block:
    body = block_of(node.body, function)
    orelse = block_of(node.orelse, function) if node.orelse else None
    final = block_of(node.finalbody, function) if node.finalbody else None
    handlers = [(_caught(h.type), h.name, block_of(h.body, function)) for h in node.handlers]

    def guarded(env: Env) -> Any:
        try:
            signal = body(env)
        except (Refused, RecursionError, MemoryError):
            raise
        except Exception as error:
            for kinds, name, handler in handlers:
                if isinstance(error, kinds):
                    if name:
                        env.names[name] = error
                    try:
                        return handler(env)
                    finally:
                        if name:
                            env.names.pop(name, None)
            raise
        if signal is None and orelse is not None:
            return orelse(env)
        return signal

    def run(env: Env) -> Any:
        if final is None:
            return guarded(env)
        try:
            signal = guarded(env)
        except (Refused, RecursionError, MemoryError):
            raise
        except Exception:
            over = final(env)
            if over is not None:
                return over
            raise
        over = final(env)
        return signal if over is None else over

    return run


def _caught(node: ast.expr | None) -> tuple[type[Exception], ...]:
    if node is None:
        return (Exception,)
    names = node.elts if isinstance(node, ast.Tuple) else [node]
    kinds = []
    for name in names:
        if not (isinstance(name, ast.Name) and name.id in EXCEPTIONS):
            raise Refused("this exception is not caught")
        kinds.append(EXCEPTIONS[name.id])
    return tuple(kinds)
