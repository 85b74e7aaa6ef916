"""Attributes within the walk over an expression: of instances, classes, exceptions and plain values.

Leaves out method calls of plain values (evaluate_methods.py).
"""

from __future__ import annotations

from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source.asking import PythonRaised, Source
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.literals_calls import Module
from cwm_lsp.source.literals_limits import Budget, Refused
from cwm_lsp.source.literals_modules import MEMBERS
from cwm_lsp.source.objects import BoundMethod, ClassObject, ExceptionObject, Instance, lowest
from cwm_lsp.source.operations import Ref, Unsupported, Walk


def unknown_attribute(walk: Evaluator, owner: str, name: str) -> Walk:
    """owner.name, where nothing is known of the owner."""
    return (yield from walk.operate(_unknown, "attribute", (Source(owner),), name))


def attribute(walk: Evaluator, value: Ref, name: str) -> Walk:
    """value.name"""
    held = value.value
    if isinstance(held, Module):
        return (
            yield from walk.operate(lambda _: _of_module(held, name), "attribute", (Source(held.name),), name)
        )
    if isinstance(held, Instance):
        found = held.attributes.get(name)
        if found is not None:
            return Ref(found.value, lowest(found.sure, value.sure))
        method = walk.scope.method(held.class_name, name)
        if method is not None:
            kind = walk.scope.is_method_kind(method.function)
            if kind == "property":
                return (yield from walk.enter(method, [value], []))
            if kind == "method":
                return Ref(BoundMethod(method, value))
            if kind == "static":
                return Ref(method)
            raise Unsupported(f"the decorators of {name} can't be taken apart")
        shared = walk.scope.class_attribute(held.class_name, name)
        if shared is not None:
            return shared
        if held.whole and not walk.scope.method(held.class_name, "__getattr__"):
            missing = f"'{held.class_name}' object has no attribute '{name}'"
            raise PythonRaised(ExceptionObject("AttributeError", (missing,)), value.sure)
    elif isinstance(held, ClassObject):
        shared = walk.scope.class_attribute(held.name, name)
        if shared is not None:
            return shared
        method = walk.scope.method(held.name, name)
        if method is not None and walk.scope.is_method_kind(method.function) in ("method", "static"):
            return Ref(method)
    elif isinstance(held, ExceptionObject):
        if name in held.attributes:
            found = held.attributes[name]
            return Ref(found.value, lowest(found.sure, value.sure))
        if name == "args":
            return Ref(held.arguments, value.sure)
    return (yield from walk.operate(lambda budget: _field(held, name, budget), "attribute", (value,), name))


def _of_module(module: Module, name: str) -> Any:
    if (module.name, name) not in MEMBERS:
        raise Refused("it is not known")
    return MEMBERS[module.name, name]


def _unknown(_: Budget) -> Any:
    raise Refused("it is not known")


def _field(value: Any, name: str, budget: Budget) -> Any:
    found = calls.attribute(value, name, budget)
    if isinstance(found, calls.Function):
        raise Refused("a method that is not called is not computed")
    return found
