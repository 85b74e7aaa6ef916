"""What a file says about its functions: calls of them and what they return.

Doctests, asserts and `# cwm: f(1) -> 2` comments. Leaves out calls whose arguments or results are no
literals."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cwm_lsp.source.calls import CallError, TracedCall, bind, calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.source.literals import Refused, text_of, value_of
from cwm_lsp.source.literals_build import Built, build

MOST = 24
"""More examples of one function than this are not looked at."""


@dataclass(frozen=True)
class Example:
    """A call with literal arguments (`repr` texts by parameter) and the `repr` of what it returns.

    `ordered`: the result must also print the same (a dict's order, as a doctest compares).
    """

    call: TracedCall
    arguments: dict[str, str]
    expected: str
    ordered: bool = True
    value: Any = field(default=None, repr=False)

    @property
    def function(self) -> str:
        """The function that is called."""
        return self.call.function

    @cached_property
    def built(self) -> list[Built]:
        """Closures that make fresh arguments."""
        return [build(ast.parse(text, mode="eval").body) for text in self.arguments.values()]

    def met_by(self, value: Any) -> bool:
        """True if this is what the example says, types included."""
        return same(self.value, value, ordered=self.ordered)


def same(expected: Any, value: Any, *, ordered: bool = True) -> bool:
    """True if two plain values have the same types all through and are equal. Bounded by what is expected."""
    kind = type(expected)
    if kind is not type(value):
        return False
    if kind in (list, tuple):
        if len(expected) != len(value):
            return False
        return all(same(a, b, ordered=ordered) for a, b in zip(expected, value, strict=True))
    if kind is dict:
        if len(expected) != len(value):
            return False
        if ordered and not same(list(expected), list(value)):
            return False
        return all(key in value and same(item, value[key], ordered=ordered) for key, item in expected.items())
    if kind is float:
        return repr(expected) == repr(value)
    return bool(expected == value)


def examples_of(document: Document) -> dict[str, list[Example]]:
    """The examples by function, in the order of the file's own wishes (comments first)."""
    found: dict[str, list[Example]] = {}
    for call in calls_in(document):
        if call.expected is None:
            continue
        example = example_of(document, call)
        if example is not None:
            known = found.setdefault(call.function, [])
            if len(known) < MOST and all(known_one.call.text != call.text for known_one in known):
                known.append(example)
    return found


def example_of(document: Document, call: TracedCall) -> Example | None:
    """A call as an example, None if its arguments or its result are no literals."""
    try:
        arguments = bind(document, call)
        value = value_of(call.expected or "")
        for text in arguments.values():
            value_of(text)
        return Example(call, arguments, text_of(value), call.origin != "assert", value)
    except (CallError, Refused):
        return None
