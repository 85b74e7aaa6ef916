"""Texts as values of a walk: literals, exceptions, instances of known classes; anything else is opaque.

Leaves out values as texts (objects.py).
"""

from __future__ import annotations

import ast
from typing import Any

from cwm_lsp.source.literals import value_of
from cwm_lsp.source.literals_limits import Refused
from cwm_lsp.source.objects import ExceptionObject, Instance, Opaque, class_named, show
from cwm_lsp.source.operations import Unsupported
from cwm_lsp.source.scope import Scope


def value_from(text: str, scope: Scope | None = None) -> Any:
    """The value that a text shows: a literal, an exception, an instance of a known class; else an Opaque."""
    try:
        return value_of(text)
    except Refused:
        pass
    if text[:1] == "<":
        name = class_named(text)
        if name is not None and scope is not None:
            try:
                made = scope.make(name)
            except Unsupported:
                return Opaque(text)
            made.whole = False
            return made if show(made) == text else Opaque(text)
        return Opaque(text)
    return exception_from(text, scope)


def exception_from(text: str, scope: Scope | None = None) -> Any:
    """The exception that a text shows, such as `KeyError('a')`; an Opaque if it shows none."""
    name, bracket, rest = text.partition("(")
    if not bracket or not name.isidentifier() or not rest.endswith(")"):
        return Opaque(text)
    if scope is not None and not scope.is_exception(name):
        return Opaque(text)
    try:
        call = ast.parse(text, mode="eval").body
        if isinstance(call, ast.Call) and not call.keywords:
            found = ExceptionObject(name, tuple(value_of(ast.unparse(each)) for each in call.args))
            if show(found) == text:
                return found
    except (SyntaxError, ValueError, Refused, RecursionError, MemoryError):
        pass
    return Opaque(text)


def exception_of(error: BaseException) -> ExceptionObject:
    """A real exception as a value of the walk."""
    if isinstance(error, StopIteration):
        return ExceptionObject("StopIteration", error.args)
    return ExceptionObject(type(error).__name__, error.args)


def raised_name(value: Any) -> str:
    """The class name of an exception."""
    if isinstance(value, ExceptionObject | Instance):
        return value.class_name
    return show(value).partition("(")[0]
