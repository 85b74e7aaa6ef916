"""Which calls are worth tracing: those that a file shows itself, best first.

Comments (`# cwm: f(1, 2)`, `# cwm: f(1, 2) -> 3`) are the user's own wish; then doctests, asserts, the
`__main__` block, module-level calls. Leaves out methods, and calls of anything but functions defined at the
top level of the file.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, replace
from typing import Literal, get_args
from weakref import WeakKeyDictionary

from cwm_lsp.source.binding import CallError, bind_arguments, module_names
from cwm_lsp.source.call_sites import comment_texts, expected_repr, sites
from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function

__all__ = [
    "BadComment",
    "CallError",
    "Origin",
    "TracedCall",
    "bad_comments",
    "bind",
    "calls_in",
    "parse_call",
]

Origin = Literal["given", "comment", "doctest", "assert", "main", "module"]

_RANK = {origin: rank for rank, origin in enumerate(get_args(Origin))}


@dataclass(frozen=True, slots=True)
class TracedCall:
    """A call to trace: of `function` (its qualname), its text on one line.

    `line` is where it stands (of a call that the user gives: where the function is defined). `expected` is
    what it should return, as the `repr` where it is a literal, else as written; None if nothing says.
    """

    function: str
    text: str
    line: int
    origin: Origin
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class BadComment:
    """A `# cwm:` comment that is no call of this file, with one sentence why."""

    line: int
    message: str


def calls_in(document: Document) -> tuple[TracedCall, ...]:
    """The calls of the document worth tracing, best first, the same call once.

    First the comments, then what can be bound from literals alone, then the rest; each in the order doctest,
    assert, main, module, and of the source. Comments that are no calls are left out (see `bad_comments`).
    """
    functions = _names(document).functions
    if not functions:
        return ()
    found: list[tuple[bool, TracedCall]] = []
    for line, text in comment_texts(document):
        try:
            found.append((False, replace(parse_call(document, text), line=line, origin="comment")))
        except CallError:
            continue
    for site in sites(document, functions):
        call = TracedCall(site.function, site.text, site.line, site.origin, site.expected)
        unbound = not _bindable(document, call)
        if site.at_module_level or not unbound:
            found.append((unbound, call))
    # Sorting keeps the order of the source within a rank.
    found.sort(key=lambda item: (item[1].origin != "comment", item[0], _RANK[item[1].origin]))
    kept: dict[str, TracedCall] = {}
    for _, call in found:
        key = ast.unparse(_expression(call.text))
        first = kept.setdefault(key, call)
        if first.expected is None and call.expected is not None:
            kept[key] = replace(first, expected=call.expected)
    return tuple(kept.values())


def bad_comments(document: Document) -> tuple[BadComment, ...]:
    """`# cwm:` comments that are no calls of this file, or whose arguments don't fit or aren't literals."""
    found: list[BadComment] = []
    for line, text in comment_texts(document):
        try:
            bind(document, parse_call(document, text))
        except CallError as error:
            found.append(BadComment(line, str(error)))
    return tuple(found)


def parse_call(document: Document, text: str) -> TracedCall:
    """Reads a call that a user wrote, `f(1, 2)` or `f(1, 2) -> 3`. Raises CallError."""
    source, expected = _split_arrow(text.strip())
    if not source:
        raise CallError("no call is given: write it like f(1, 2)")
    node = _expression(source)
    if not isinstance(node, ast.Call):
        raise CallError(f"'{source}' is not a call: write it like f(1, 2)")
    functions = _names(document).functions
    if not isinstance(node.func, ast.Name):
        raise CallError(
            f"'{source}' can't be traced: only functions at the top level of the file can be called"
        )
    function = functions.get(node.func.id)
    if function is None:
        known = ", ".join(list(functions)[:5]) + (", ..." if len(functions) > 5 else "")
        hint = f"it defines {known}" if functions else "it defines none"
        raise CallError(f"no function '{node.func.id}' is defined at the top level of the file: {hint}")
    written = ast.get_source_segment(source, node) or source
    one_line = node.lineno == node.end_lineno
    return TracedCall(
        function.qualname, written if one_line else ast.unparse(node), function.def_line, "given", expected
    )


def bind(document: Document, call: TracedCall) -> dict[str, str]:
    """Parameter to `repr` for a call with literal arguments, defaults filled in, in the order of the locals.

    Raises CallError in CPython's words where the arguments don't fit, and where one is no literal.
    """
    names = _names(document)
    function = names.functions.get(call.function)
    node = _expression(call.text)
    if function is None or not isinstance(node, ast.Call):
        raise CallError(f"'{call.text}' is not a call of a function of this file")
    return bind_arguments(function, node, names.bound)


def _bindable(document: Document, call: TracedCall) -> bool:
    try:
        bind(document, call)
    except CallError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Names:
    functions: dict[str, Function]  # those that the module itself defines; of two with one name the last
    bound: set[str]


_names_of: WeakKeyDictionary[Document, _Names] = WeakKeyDictionary()


def _names(document: Document) -> _Names:
    names = _names_of.get(document)
    if names is None:
        functions = {
            function.qualname: function
            for function in document.functions
            if function.kind in ("function", "async")
            and function.parent is None
            and "." not in function.qualname
        }
        names = _names_of[document] = _Names(functions, module_names(document))
    return names


def _expression(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise CallError(f"'{text}' is not a call: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise CallError("the call is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise CallError(f"the call can't be read: {error}") from None


def _split_arrow(text: str) -> tuple[str, str | None]:
    """`f(1) -> 3` into the call and what it should return; an arrow inside a string is none."""
    start = text.find("->")
    while start >= 0:
        left, right = text[:start].strip(), text[start + 2 :].strip()
        try:
            _expression(left)
        except CallError:
            start = text.find("->", start + 2)
            continue
        if not right:
            raise CallError(f"'{text}' has '->' but no value after it")
        try:
            return left, expected_repr(right, _expression(right))
        except CallError:
            return left, right
    return text, None
