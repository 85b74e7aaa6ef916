"""Method calls within the walk over an expression, and changes of containers in place.

Leaves out what is no method (evaluate_calls.py).
"""

from __future__ import annotations

import ast
from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source.asking import MUTATING, NO_RESULT, Keys, Keyword
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.evaluate_calls import (
    Named,
    apply,
    arguments,
    builtin_operation,
    by_keys,
    enter,
    keys_of,
    must_be_drawn,
    unknown_call,
)
from cwm_lsp.source.iterations import drain, is_drawn
from cwm_lsp.source.literals_calls import Module
from cwm_lsp.source.literals_limits import Budget, Refused
from cwm_lsp.source.literals_modules import MEMBERS
from cwm_lsp.source.objects import BoundMethod, ClassObject, FunctionObject, GeneratorObject, Instance, Opaque
from cwm_lsp.source.operations import Ref, Unsupported, Walk

_ITERABLE_TAKING = frozenset(
    [
        "join",
        "extend",
        "update",
        "union",
        "intersection",
        "difference",
        "symmetric_difference",
        "issubset",
        "issuperset",
        "isdisjoint",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "fromkeys",
    ]
)


def method_call(walk: Evaluator, node: ast.Call, func: ast.Attribute) -> Walk:
    """The value of `receiver.name(...)`."""
    if isinstance(func.value, ast.Name) and walk.scope.lookup(func.value.id) is None:
        positional, named = yield from arguments(walk, node)
        yield from walk.at(node, func.end_lineno or 0)
        return (yield from unknown_call(walk, f"{func.value.id}.{func.attr}", positional, named))
    module = walk.scope.lookup(func.value.id) if isinstance(func.value, ast.Name) else None
    if module is not None and isinstance(module.value, Module):
        return (yield from _of_module(walk, node, func, module.value))
    if _is_super(func.value):
        return (yield from _super_call(walk, node, func.attr))
    receiver = yield from walk.eval(func.value)
    held = receiver.value
    if isinstance(held, Instance | ClassObject):
        found = yield from walk.attribute(receiver, func.attr)
        positional, named = yield from arguments(walk, node)
        yield from walk.at(node, func.end_lineno or 0)
        if isinstance(found.value, FunctionObject):
            kind = walk.scope.is_method_kind(found.value.function)
            if kind == "class" and "." in found.value.qualname:
                raise Unsupported("class methods can't be taken apart yet")
        return (yield from apply(walk, found, positional, named))
    if walk.computes and type(held) in calls.METHODS and not hasattr(type(held), func.attr):
        yield from walk.attribute(receiver, func.attr)
    positional, named = yield from arguments(walk, node)
    yield from walk.at(node, func.end_lineno or 0)
    if isinstance(held, GeneratorObject):
        raise Unsupported(f"{func.attr}() of a generator can't be taken apart")
    if func.attr in _ITERABLE_TAKING or walk.computes:
        for at, each in enumerate(positional):
            if is_drawn(each.value) and (walk.computes or must_be_drawn(each.value)):
                positional[at] = walk.gathered(list, (yield from drain(walk, each)))
    return (yield from method(walk, receiver, func.attr, positional, named))


def _of_module(walk: Evaluator, node: ast.Call, func: ast.Attribute, module: Module) -> Walk:
    """`math.sqrt(...)`"""
    positional, named = yield from arguments(walk, node)
    yield from walk.at(node, func.end_lineno or 0)
    function = MEMBERS.get((module.name, func.attr))
    name = f"{ast.unparse(func.value)}.{func.attr}"
    if function is None:
        return (yield from unknown_call(walk, name, positional, named))
    return (yield from builtin_operation(walk, function, positional, named, name))


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _super_call(walk: Evaluator, node: ast.Call, name: str) -> Walk:
    """`super().name(...)`: the method of the next class up."""
    around = walk.scope.variables.function.rpartition(".")[0]
    receiver = next(iter(walk.scope.variables.values()), None)
    assert isinstance(node.func, ast.Attribute)
    assert isinstance(node.func.value, ast.Call)
    if node.func.value.args or receiver is None or not isinstance(receiver.value, Instance):
        raise Unsupported("this form of super() can't be taken apart")
    positional, named = yield from arguments(walk, node)
    found = walk.scope.method(f"super {around}", name)
    if found is None:
        if name == "__init__" and not positional and not named:
            return Ref(None)
        raise Unsupported(f"super().{name} is no method of this file")
    return (yield from enter(walk, found, [receiver, *positional], named))


def method(walk: Evaluator, receiver: Ref, name: str, positional: list[Ref], named: Named) -> Walk:
    """A method of a plain value, or of something that is not known."""
    held = receiver.value
    if isinstance(held, Opaque | BoundMethod | FunctionObject):
        operands = (receiver, *positional, *(Keyword(*pair) for pair in named))
        result = yield from walk.operate(_not_known, "method", operands, name)
        for each in (*positional, *(value for _, value in named)):
            walk.scope.taint(each.value, result.sure)
        return result
    if type(held) is dict and name in ("items", "keys", "values") and not positional and not named:
        view = {"items": held.items, "keys": held.keys, "values": held.values}[name]()
        walk.views[id(view)] = (view, held, name)
        return Ref(view, walk.scope.doubt((receiver,)))
    key = next((value.value for label, value in named if label == "key"), None)
    if name == "sort" and type(held) is list and isinstance(key, FunctionObject | BoundMethod | ClassObject):
        return (yield from _sort(walk, receiver, key, [pair for pair in named if pair[0] != "key"]))
    values = tuple(each.value for each in positional)
    words = {label: value.value for label, value in named}
    operands = (receiver, *positional, *(Keyword(*pair) for pair in named))
    if name not in MUTATING or type(held) not in (list, dict, set):

        def compute(budget: Budget) -> Any:
            found = calls.method(held, name, values, words, budget)
            if type(found) in calls.ITERATORS:
                raise Refused("an iterator is no value")
            return found

        return (yield from walk.operate(compute, "method", operands, name))

    def change(target: Any, budget: Budget) -> Any:
        return calls.method(target, name, values, words, budget)

    if name in NO_RESULT:
        yield from walk.change(receiver, change, "mutated", operands, name)
        return Ref(None)
    found = walk.change_now(receiver, change, operands)
    if found is not None:
        return found
    result = yield from walk.operate(
        lambda budget: _looked(held, name, values, words, budget), "method", operands, name
    )
    yield from walk.change(receiver, change, "mutated", operands, name)
    return result


def _looked(held: Any, name: str, values: tuple[Any, ...], words: dict[str, Any], budget: Budget) -> Any:
    """What a changing method gives back, asked before the change."""
    if name == "setdefault" and values and values[0] not in held:
        return values[1] if len(values) > 1 else None
    return calls.method(held.copy(), name, values, words, budget)


def _not_known(_: Budget) -> Any:
    raise Refused("it is not known")


def _sort(walk: Evaluator, receiver: Ref, key: Any, named: Named) -> Walk:
    items = [Ref(each) for each in receiver.value]
    keys = yield from keys_of(walk, key, items)
    reverse = any(label == "reverse" and bool(value.value) for label, value in named)
    for each in keys:
        if each.sure is not None:
            walk.scope.taint(receiver.value, each.sure)

    def change(target: Any, budget: Budget) -> Any:
        target[:] = by_keys("sorted", list(target), [each.value for each in keys], reverse, budget)

    operands = (receiver, Keys(tuple(each.value for each in keys)), *(Keyword(*pair) for pair in named))
    yield from walk.change(receiver, change, "mutated", operands, "sort")
    return Ref(None)
