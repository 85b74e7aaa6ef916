"""Arguments to parameters without running anything: literals are read, everything else is refused.

Errors are worded as CPython words them. Leaves out arithmetic and names, even where they are constant, and
how a call is found (calls).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function

T = TypeVar("T")

MAX_ITEMS = 10_000
"""`list(range(n))` and the like are read up to this many items."""


class CallError(Exception):
    """A call that can't be traced: one sentence for the user."""


def literal_repr(node: ast.expr, shadowed: Collection[str] = ()) -> str:
    """The `repr` of a literal expression: constants, signed numbers, containers of literals, and empty or
    converting calls of builtin types (`set()`, `frozenset({1})`, `range(3)`, `float('inf')`).

    `shadowed`: names that no longer mean the builtin. Sets of strings, whose order changes from run to run,
    are sorted. Raises CallError for anything else.
    """
    try:
        return show(_literal(node, shadowed))
    except RecursionError:
        raise CallError("the literal is nested too deeply") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise CallError(f"{_quote(node)} is not a value: {error}") from None


def show(value: object) -> str:
    """`repr`, with the sets whose order is by chance in sorted order."""
    if type(value) is list:
        return f"[{_joined(value)}]"
    if type(value) is tuple:
        return f"({_joined(value)}{',' if len(value) == 1 else ''})"
    if type(value) is dict:
        return "{" + ", ".join(f"{show(key)}: {show(item)}" for key, item in value.items()) + "}"
    if isinstance(value, set | frozenset):
        items = [show(item) for item in value]
        if not all(_steady(item) for item in value):
            items.sort()
        body = "{" + ", ".join(items) + "}" if items else ""
        if type(value) is set:
            return body or "set()"
        return f"frozenset({body})"
    return repr(value)


def _joined(items: Iterable[object]) -> str:
    return ", ".join(map(show, items))


def _steady(item: object) -> bool:
    """True if the hash is the same in every run."""
    if isinstance(item, tuple | frozenset):
        return all(map(_steady, item))
    return isinstance(item, int | float | complex)


def _literal(node: ast.expr, shadowed: Collection[str]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=value)):
            if isinstance(value, int | float | complex) and not isinstance(value, bool):
                return -value if isinstance(sign, ast.USub) else +value
        case ast.BinOp(
            left=left, op=ast.Add() | ast.Sub() as operator, right=ast.Constant(value=complex() as imaginary)
        ):
            real = _literal(left, shadowed)
            if isinstance(real, int | float) and not isinstance(real, bool):
                return real + imaginary if isinstance(operator, ast.Add) else real - imaginary
        case ast.Tuple(elts=items):
            return tuple(_literal(item, shadowed) for item in items)
        case ast.List(elts=items):
            return [_literal(item, shadowed) for item in items]
        case ast.Set(elts=items):
            members = [_literal(item, shadowed) for item in items]
            if len(items) > 2 and not any(isinstance(part, ast.Call) for part in ast.walk(node)):
                # The compiler makes three constants and more a frozenset first, which can change their order.
                return set(frozenset(tuple(frozenset(members))))
            return set(members)
        case ast.Dict(keys=keys, values=values) if None not in keys:
            pairs = zip(keys, values, strict=True)
            return {
                _literal(key, shadowed): _literal(value, shadowed) for key, value in pairs if key is not None
            }
        case ast.Call(func=ast.Name(id=name)) if name in _BUILTINS and name not in shadowed:
            if any(isinstance(argument, ast.Starred) for argument in node.args):
                raise CallError(f"{_quote(node)} is not a literal")
            arguments = [_literal(argument, shadowed) for argument in node.args]
            named = {
                word.arg: _literal(word.value, shadowed) for word in node.keywords if word.arg is not None
            }
            if len(named) == len(node.keywords) and (not named or name == "dict"):
                return _BUILTINS[name](*arguments, **named)
    raise CallError(f"{_quote(node)} is not a literal")


def _converting(make: Callable[..., Any], *kinds: type) -> Callable[..., Any]:
    def convert(*arguments: Any, **named: Any) -> Any:
        if len(arguments) > 1 or not all(type(argument) in kinds for argument in arguments):
            raise CallError(f"only simple literals can be given to {make.__name__}()")
        for argument in arguments:
            if isinstance(argument, range) and argument[MAX_ITEMS:]:
                raise CallError(f"more than {MAX_ITEMS} items are too many to trace")
        return make(*arguments, **named)

    return convert


_ITERABLES = (list, tuple, set, frozenset, dict, str, bytes, range)
_BUILTINS: dict[str, Callable[..., Any]] = {
    "set": _converting(set, *_ITERABLES),
    "frozenset": _converting(frozenset, *_ITERABLES),
    "list": _converting(list, *_ITERABLES),
    "tuple": _converting(tuple, *_ITERABLES),
    "dict": _converting(dict, dict),
    "bytes": _converting(bytes, bytes),
    "bytearray": _converting(bytearray, bytes),
    "float": _converting(float, int, float, str),
    "range": range,
}


def _quote(node: ast.expr) -> str:
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):
        return "the argument"
    return f"'{text}'" if len(text) <= 40 else f"'{text[:37]}...'"


def module_names(document: Document) -> set[str]:
    """The names that the module's own statements bind: defs, classes, imports, assignments."""
    names: set[str] = set()
    stack: list[ast.AST] = list(document.tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif not isinstance(node, ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return names


def bind_arguments(function: Function, call: ast.Call, shadowed: Collection[str] = ()) -> dict[str, str]:
    """Parameter to `repr`, in the function's order, defaults filled in; `*args` is a tuple's, `**kwargs` a
    dict's.

    Raises CallError with CPython's words where the arguments don't fit, and where one is no literal.
    """
    try:
        return _bind(function, call, shadowed)
    except RecursionError:
        raise CallError("the arguments are nested too deeply") from None


def _bind(function: Function, call: ast.Call, shadowed: Collection[str]) -> dict[str, str]:
    if not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        raise CallError(f"{function.qualname} can't be called by name")
    given, words = _arguments(function.qualname, call, shadowed)
    return bind_values(
        function.qualname,
        function.node.args,
        given,
        words,
        default=lambda parameter, node: _default(parameter, node, shadowed),
        packed=lambda rest: f"({', '.join(rest)}{',' if len(rest) == 1 else ''})",
        named=lambda extra: "{" + ", ".join(f"{word!r}: {value}" for word, value in extra) + "}",
    )


def bind_values(
    name: str,
    signature: ast.arguments,
    given: Sequence[T],
    words: Sequence[tuple[str, T]],
    *,
    default: Callable[[str, ast.expr], T],
    packed: Callable[[Sequence[T]], T],
    named: Callable[[Sequence[tuple[str, T]]], T],
) -> dict[str, T]:
    """Parameter to value, in the order of `co_varnames`, whatever a value is: `default` makes one of a
    default expression, `packed` and `named` make those of `*args` and `**kwargs`. Raises CallError as
    CPython would."""
    only = [a.arg for a in signature.posonlyargs]
    positional = only + [a.arg for a in signature.args]
    keyword_only = [a.arg for a in signature.kwonlyargs]
    bound = dict(zip(positional, given, strict=False))
    extra: list[tuple[str, T]] = []
    for word, value in words:
        if word in keyword_only or word in positional[len(only) :]:
            if word in bound:
                raise CallError(f"{name}() got multiple values for argument '{word}'")
            bound[word] = value
        elif signature.kwarg is not None:
            extra.append((word, value))
        else:
            wrong = [parameter for parameter in only if parameter in dict(words)]
            if wrong:
                listed = ", ".join(wrong)
                raise CallError(
                    f"{name}() got some positional-only arguments passed as keyword arguments: '{listed}'"
                )
            raise CallError(f"{name}() got an unexpected keyword argument '{word}'")
    if len(given) > len(positional) and signature.vararg is None:
        raise CallError(_too_many(name, signature, len(given), sum(word in bound for word in keyword_only)))
    defaults: dict[str, ast.expr | None] = dict(
        zip(positional[len(positional) - len(signature.defaults) :], signature.defaults, strict=True)
    )
    _refuse_missing(name, "positional", [p for p in positional if p not in bound and p not in defaults])
    defaults |= {p: d for p, d in zip(keyword_only, signature.kw_defaults, strict=True) if d is not None}
    _refuse_missing(name, "keyword-only", [p for p in keyword_only if p not in bound and p not in defaults])
    for parameter, node in defaults.items():
        if parameter not in bound and node is not None:
            bound[parameter] = default(parameter, node)
    values = {parameter: bound[parameter] for parameter in positional + keyword_only}
    if signature.vararg is not None:
        values[signature.vararg.arg] = packed(given[len(positional) :])
    if signature.kwarg is not None:
        values[signature.kwarg.arg] = named(extra)
    return values


def _arguments(
    name: str, call: ast.Call, shadowed: Collection[str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """The positional arguments and the keyword arguments of a call, literal `*` and `**` unpacked."""
    given: list[str] = []
    for argument in call.args:
        if isinstance(argument, ast.Starred):
            items = _unpacked(argument.value, shadowed, "*")
            given.extend(map(show, items))
        else:
            given.append(literal_repr(argument, shadowed))
    words: dict[str, str] = {}
    for keyword in call.keywords:
        if keyword.arg is not None:
            if keyword.arg in words:
                raise CallError(f"{name}() got multiple values for keyword argument '{keyword.arg}'")
            words[keyword.arg] = literal_repr(keyword.value, shadowed)
            continue
        mapping = _unpacked(keyword.value, shadowed, "**")
        for word, value in mapping.items():
            if not isinstance(word, str):
                raise CallError("keywords must be strings")
            if word in words:
                raise CallError(f"{name}() got multiple values for keyword argument '{word}'")
            words[word] = show(value)
    return given, list(words.items())


def _unpacked(node: ast.expr, shadowed: Collection[str], stars: str) -> Any:
    literal_repr(node, shadowed)  # the same refusals
    value = _literal(node, shadowed)
    if stars == "**" and not isinstance(value, dict):
        raise CallError(f"argument after ** must be a mapping, not {type(value).__name__}")
    if not isinstance(value, _ITERABLES):
        raise CallError(f"argument after * must be an iterable, not {type(value).__name__}")
    if isinstance(value, range) and value[MAX_ITEMS:]:
        raise CallError(f"more than {MAX_ITEMS} items are too many to trace")
    return value


def _default(parameter: str, node: ast.expr, shadowed: Collection[str]) -> str:
    try:
        return literal_repr(node, shadowed)
    except CallError:
        raise CallError(
            f"the default of '{parameter}', {_quote(node)}, is not a literal: give the argument in the call"
        ) from None


def _too_many(name: str, signature: ast.arguments, given: int, keyword_only: int) -> str:
    most = len(signature.posonlyargs) + len(signature.args)
    least = most - len(signature.defaults)
    takes = f"from {least} to {most}" if signature.defaults else str(most)
    takes += " positional argument" + ("s" if signature.defaults or most != 1 else "")
    count = str(given)
    if keyword_only:
        count += f" positional argument{'s' if given != 1 else ''}"
        count += f" (and {keyword_only} keyword-only argument{'s' if keyword_only != 1 else ''})"
    return f"{name}() takes {takes} but {count} {'was' if given == 1 and not keyword_only else 'were'} given"


def _refuse_missing(name: str, kind: str, missing: list[str]) -> None:
    if not missing:
        return
    quoted = [f"'{parameter}'" for parameter in missing]
    *others, last = quoted
    listed = f"{', '.join(others)}, and {last}" if len(others) > 1 else " and ".join(quoted)
    plural = "s" if len(quoted) > 1 else ""
    raise CallError(f"{name}() missing {len(quoted)} required {kind} argument{plural}: {listed}")
