"""Walks what a statement binds, changes in place or deletes.

Leaves out how the values come about (evaluate.py).
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.asking import OMITTED, PythonRaised
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.iterations import drain, is_drawn, take, walker_of
from cwm_lsp.source.literals_build import BINARY
from cwm_lsp.source.literals_limits import CONTAINERS, Budget, Refused
from cwm_lsp.source.objects import ClassObject, ExceptionObject, Instance, Opaque, replace_contents
from cwm_lsp.source.operations import Answer, Operation, Question, Raised, Ref, Unsupported, Walk
from cwm_lsp.source.told_values import value_from

Nothing = Generator[Question, Answer, None]


def assign(walk: Evaluator, target: ast.expr, value: Ref) -> Nothing:
    """Stores a value in a target of any form."""
    match target:
        case ast.Name():
            yield from walk.at(target)
            walk.scope.store(target.id, value)
        case ast.Tuple() | ast.List():
            parts = yield from _unpack(walk, target.elts, value)
            for part, held in zip(target.elts, parts, strict=True):
                yield from assign(walk, part.value if isinstance(part, ast.Starred) else part, held)
        case ast.Subscript():
            owner = yield from walk.eval(target.value)
            yield from _set_item(walk, owner, (yield from _key(walk, target.slice)), value)
        case ast.Attribute():
            owner = yield from walk.eval(target.value)
            _set_attribute(walk, owner, target.attr, value)
        case _:
            raise Unsupported(f"{type(target).__name__} targets can't be taken apart")


Key = Ref | tuple[Ref | None, ...]


def _key(walk: Evaluator, node: ast.expr) -> Generator[Question, Answer, Key]:
    if isinstance(node, ast.Slice):
        return tuple((yield from walk.bounds(node)))
    return (yield from walk.eval(node))


def _slice(bounds: tuple[Ref | None, ...]) -> slice:
    return slice(*[None if bound is None else bound.value for bound in bounds])


def _set_attribute(walk: Evaluator, owner: Ref, name: str, value: Ref) -> None:
    held = owner.value
    if isinstance(held, Instance):
        method = walk.scope.method(held.class_name, name)
        if method is not None and walk.scope.is_method_kind(method.function) != "method":
            raise Unsupported(f"setting the property {name} can't be taken apart yet")
        if walk.scope.method(held.class_name, "__setattr__") is not None:
            raise Unsupported("a __setattr__ can't be taken apart yet")
        held.attributes[name] = value
    elif isinstance(held, ExceptionObject):
        held.attributes[name] = value
    elif isinstance(held, ClassObject):
        if walk.scope.method(held.name, name) is not None:
            raise Unsupported("a change of a method can't be taken apart")
        walk.scope.set_class_attribute(held.name, name, value)
    elif not isinstance(held, Opaque):
        raise Unsupported(f"setting the attribute {name} here can't be taken apart")


def _set_item(walk: Evaluator, owner: Ref, key: Key, value: Ref) -> Nothing:
    if isinstance(owner.value, Instance):
        method = walk.scope.method(owner.value.class_name, "__setitem__")
        if method is None or isinstance(key, tuple):
            raise Unsupported("setting an item of this object can't be taken apart")
        yield from walk.enter(method, [owner, key, value], [])
        return
    held = value.value
    if isinstance(key, tuple):
        if is_drawn(held):
            value = walk.gathered(list, (yield from drain(walk, value)))
            held = value.value
        where = _slice(key)
        bounds = tuple(OMITTED if bound is None else bound for bound in key)
        yield from walk.change(
            owner,
            lambda target, budget: operators.set_index(target, where, held, budget),
            "set_slice",
            (owner, value, *bounds),
        )
        return
    name = key.value
    yield from walk.change(
        owner,
        lambda target, budget: operators.set_index(target, name, held, budget),
        "set_index",
        (owner, key, value),
    )


def _unpack(walk: Evaluator, targets: list[ast.expr], value: Ref) -> Generator[Question, Answer, list[Ref]]:
    starred = [at for at, target in enumerate(targets) if isinstance(target, ast.Starred)]
    wanted = len(targets) - len(starred)
    held = value.value
    if isinstance(held, Opaque):
        raise Unsupported(f"unpacking {held.text[:40]} can't be taken apart")
    if type(held) in (int, float, complex, bool, type(None)):
        name = "NoneType" if held is None else type(held).__name__
        raise PythonRaised(
            ExceptionObject("TypeError", (f"cannot unpack non-iterable {name} object",)), value.sure
        )
    if is_drawn(held) and not starred:
        walker = walker_of(held)
        parts: list[Ref] = []
        while len(parts) <= wanted and (item := (yield from take(walk, walker))) is not None:
            parts.append(item)
        count = str(len(parts))
    else:
        parts = yield from drain(walk, value)
        count = str(len(parts))
    if len(parts) < wanted:
        least = "at least " if starred else ""
        message = f"not enough values to unpack (expected {least}{wanted}, got {count})"
        raise PythonRaised(ExceptionObject("ValueError", (message,)), value.sure)
    if starred:
        first, rest = starred[0], len(targets) - starred[0] - 1
        middle = walk.gathered(list, parts[first : len(parts) - rest])
        return [*parts[:first], middle, *parts[len(parts) - rest :]]
    if len(parts) > wanted:
        message = f"too many values to unpack (expected {wanted})"
        raise PythonRaised(ExceptionObject("ValueError", (message,)), value.sure)
    return parts


# -- augmented


def augmented(walk: Evaluator, node: ast.AugAssign) -> Nothing:
    """`target op= value`: in place for lists, sets and dicts."""
    name = BINARY[type(node.op)]
    target = node.target
    if isinstance(target, ast.Name):
        left = yield from walk.eval(ast.copy_location(ast.Name(target.id, ast.Load()), target))
        result = yield from _combined(walk, left, node, name)
        walk.scope.store(target.id, result)
    elif isinstance(target, ast.Attribute):
        owner = yield from walk.eval(target.value)
        left = yield from walk.attribute(owner, target.attr)
        result = yield from _combined(walk, left, node, name)
        _set_attribute(walk, owner, target.attr, result)
    else:
        owner = yield from walk.eval(target.value)
        key = yield from _key(walk, target.slice)
        if isinstance(key, tuple):
            raise Unsupported("augmented assignment to a slice can't be taken apart")
        left = yield from walk.index(owner, key)
        result = yield from _combined(walk, left, node, name)
        if result.value is left.value and type(left.value) in (list, set, dict) and not walk.computes:
            return
        yield from _set_item(walk, owner, key, result)


def _combined(walk: Evaluator, left: Ref, node: ast.AugAssign, name: str) -> Walk:
    right = yield from walk.eval(node.value)
    held = left.value
    if isinstance(held, Instance):
        special = {"+": "__iadd__", "-": "__isub__", "*": "__imul__"}.get(name, "")
        method = walk.scope.method(held.class_name, special)
        if method is not None:
            return (yield from walk.enter(method, [left, right], []))
    if type(held) not in (list, set, dict):
        return (yield from walk.binary(left, right, name))
    if is_drawn(right.value) and type(held) is list and name == "+":
        right = walk.gathered(list, (yield from drain(walk, right)))
    other = right.value

    def change(target: Any, budget: Budget) -> None:
        in_place(target, other, name, budget)

    if walk.change_now(left, change, (left, right)) is not None:
        return left
    sure = walk.scope.doubt((left, right))
    answer = yield Operation("binary", (walk.operand(left), walk.operand(right)), name)
    if isinstance(answer, Raised):
        walk.adopted(answer, None, sure)
    walk.scope.touched()
    new = value_from(str(answer), walk.scope)
    twin = held.copy()
    try:
        change(twin, walk.budget)
        alike = repr(twin) == answer
    except Exception:
        alike = False
    if alike:
        change(held, walk.budget)
    elif not replace_contents(held, new):
        return Ref(new, walk.lowest(sure))
    walk.scope.taint(held, walk.lowest(sure))
    return left


_SET_UPDATES = {
    "|": "update",
    "&": "intersection_update",
    "-": "difference_update",
    "^": "symmetric_difference_update",
}


def in_place(target: Any, other: Any, name: str, budget: Budget) -> None:
    """`target op= other` for a list, set or dict. Raises what Python raises."""
    kind = type(target)
    if kind is list and name == "+":
        try:
            calls.walked(other, budget)
            calls.method(target, "extend", (other,), {}, budget)
        except TypeError:
            if type(other) in CONTAINERS:
                raise
            raise TypeError(f"'{type(other).__name__}' object is not iterable") from None
    elif kind is list and name == "*" and type(other) in (int, bool):
        budget.make(len(target) * max(0, other))
        target *= other
    elif kind is set and name in _SET_UPDATES and type(other) in (set, frozenset):
        calls.method(target, _SET_UPDATES[name], (other,), {}, budget)
    elif kind is dict and name == "|" and type(other) is dict:
        calls.method(target, "update", (other,), {}, budget)
    else:
        try:
            operators.BINARY[name](target, other, budget)
        except TypeError as error:
            raise TypeError(str(error).replace(f" {name}:", f" {name}=:")) from None
        raise Refused("this augmented assignment is not computed")


# -- deleting


def delete(walk: Evaluator, target: ast.expr) -> Nothing:
    """del target"""
    if isinstance(target, ast.Name):
        walk.scope.unbind(target.id)
        return
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from delete(walk, part)
        return
    if isinstance(target, ast.Attribute):
        owner = yield from walk.eval(target.value)
        if not isinstance(owner.value, Instance) or target.attr not in owner.value.attributes:
            raise Unsupported("this form of del can't be taken apart")
        del owner.value.attributes[target.attr]
        return
    assert isinstance(target, ast.Subscript)
    owner = yield from walk.eval(target.value)
    key = yield from _key(walk, target.slice)
    if isinstance(owner.value, Instance):
        raise Unsupported("del of an item of this object can't be taken apart")
    if isinstance(key, tuple):
        where = _slice(key)
        bounds = tuple(OMITTED if bound is None else bound for bound in key)
        yield from walk.change(
            owner,
            lambda held, budget: operators.del_index(held, where, budget),
            "del_slice",
            (owner, *bounds),
        )
        return
    name = key.value
    yield from walk.change(
        owner, lambda held, budget: operators.del_index(held, name, budget), "del_index", (owner, key)
    )
