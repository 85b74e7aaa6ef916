"""What of the standard library is computed: numbers of `math`, constants of `string`.

Each function answers as this Python's does, weighed before it is called. Leaves out every other module.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable
from typing import Any

from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals_calls import BUILTINS, MODULES, Arguments, Guarded, Named, walked
from cwm_lsp.source.literals_limits import Budget, Refused

_PLAIN = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "copysign",
    "cos",
    "cosh",
    "degrees",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "fabs",
    "floor",
    "fmod",
    "frexp",
    "gamma",
    "gcd",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isqrt",
    "ldexp",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "modf",
    "pow",
    "radians",
    "remainder",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]
_CONSTANTS = {
    "math": ["e", "inf", "nan", "pi", "tau"],
    "string": ["ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits"],
}
_LARGEST = 400


def _numbers(function: Callable[..., Any]) -> Guarded:
    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        for each in (*arguments, *named.values()):
            if type(each) not in (int, float, bool, str, type(None), list, tuple, dict, complex):
                raise Refused(f"math.{function.__name__} of this is not computed")
        found = function(*arguments, **named)
        return budget.integer(found) if type(found) is int else found

    return guarded


def _counting(function: Callable[..., Any]) -> Guarded:
    """factorial, comb, perm and lcm grow fast."""

    def guarded(budget: Budget, arguments: Arguments, named: Named) -> Any:
        for each in arguments:
            operators.plain(each)
            if type(each) is int and abs(each) > _LARGEST and function is not math.lcm:
                raise Refused("a whole number is too large")
        bits = sum(each.bit_length() for each in arguments if type(each) is int)
        if bits > budget.limits.bits:
            raise Refused("a whole number is too large")
        return budget.integer(function(*arguments, **named))

    return guarded


def _prod(budget: Budget, arguments: Arguments, named: Named) -> Any:
    if len(arguments) != 1 or not {"start"} >= set(named):
        raise Refused("this form of prod() is not computed")
    total = named.get("start", 1)
    for item in walked(arguments[0], budget):
        if type(item) not in (int, float, bool, complex) or type(total) not in (int, float, bool, complex):
            raise Refused("prod() of what are no numbers is not computed")
        total = operators.multiply(total, item, budget)
    return total


FUNCTIONS: dict[tuple[str, str], Any] = {("math", name): getattr(math, name) for name in _PLAIN}
BUILTINS.update({function: _numbers(function) for function in FUNCTIONS.values()})
for _function in (math.factorial, math.comb, math.perm, math.lcm):
    BUILTINS[_function] = _counting(_function)
    FUNCTIONS["math", _function.__name__] = _function
BUILTINS[math.prod] = _prod
FUNCTIONS["math", "prod"] = math.prod

MEMBERS: dict[tuple[str, str], Any] = FUNCTIONS | {
    (module, name): getattr({"math": math, "string": string}[module], name)
    for module, names in _CONSTANTS.items()
    for name in names
}
KNOWN = frozenset(_CONSTANTS)
MODULES.update(MEMBERS)
