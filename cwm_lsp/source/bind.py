"""Binds the arguments of a call to the parameters of a function, as CPython does.

Leaves out default values that are no constants or displays of constants: the caller evaluates those.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from cwm_lsp.source.operations import Ref, Unsupported
from cwm_lsp.source.values import sequence_repr


class WrongArguments(Exception):  # noqa: N818
    """The call doesn't fit the parameters; the message is what CPython's TypeError says."""


def literal_text(node: ast.expr) -> str:
    """The `repr` of a literal expression. Raises Unsupported for any other."""
    try:
        return repr(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise Unsupported("a default value that is no literal can't be taken apart") from None


def bind_arguments(
    name: str, parameters: ast.arguments, positional: Sequence[Ref], named: Sequence[tuple[str, Ref]]
) -> tuple[tuple[str, Ref], ...]:
    """Parameter names with their values, in the order of `co_varnames`. Raises WrongArguments,
    Unsupported."""
    plain = [*parameters.posonlyargs, *parameters.args]
    bound: dict[str, Ref] = {}
    for parameter, value in zip(plain, positional, strict=False):
        bound[parameter.arg] = value
    extra = positional[len(plain) :]
    if extra and parameters.vararg is None:
        takes = f"{len(plain)} positional argument" + ("" if len(plain) == 1 else "s")
        given = f"{len(positional)} {'was' if len(positional) == 1 else 'were'} given"
        raise WrongArguments(f"{name}() takes {takes} but {given}")
    by_name = {parameter.arg for parameter in [*parameters.args, *parameters.kwonlyargs]}
    more: list[str] = []
    for key, value in named:
        if key in by_name:
            if key in bound:
                raise WrongArguments(f"{name}() got multiple values for argument {key!r}")
            bound[key] = value
        elif parameters.kwarg is not None:
            more.append(f"{key!r}: {value.text}")
        else:
            raise WrongArguments(f"{name}() got an unexpected keyword argument {key!r}")
    for parameter, default in zip(
        plain[len(plain) - len(parameters.defaults) :], parameters.defaults, strict=True
    ):
        if parameter.arg not in bound:
            bound[parameter.arg] = Ref(literal_text(default))
    for parameter, keyword_default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
        if parameter.arg not in bound and keyword_default is not None:
            bound[parameter.arg] = Ref(literal_text(keyword_default))
    for group, kind in ((plain, "positional"), (parameters.kwonlyargs, "keyword-only")):
        missing = [repr(parameter.arg) for parameter in group if parameter.arg not in bound]
        if missing:
            listed = (
                missing[0]
                if len(missing) == 1
                else ", ".join(missing[:-1]) + ("," if len(missing) > 2 else "") + " and " + missing[-1]
            )
            plural = "" if len(missing) == 1 else "s"
            raise WrongArguments(
                f"{name}() missing {len(missing)} required {kind} argument{plural}: {listed}"
            )
    order = [parameter.arg for parameter in [*plain, *parameters.kwonlyargs]]
    result = [(key, bound[key]) for key in order]
    if parameters.vararg is not None:
        result.append((parameters.vararg.arg, Ref(sequence_repr("tuple", [value.text for value in extra]))))
    if parameters.kwarg is not None:
        result.append((parameters.kwarg.arg, Ref(sequence_repr("dict", more))))
    return tuple(result)
