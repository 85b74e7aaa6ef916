"""Which holes belong together: those of one function, and of the functions that only it can tell about.

A function with examples of its own is a problem by itself, solved before its callers; one without is searched
together with its caller. Leaves out the search.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.sites import Site
from cwm_lsp.source.dependencies import closure_of
from cwm_lsp.source.document import Document

MOST_HOLES = 5
"""More holes than this are not searched together."""


@dataclass(eq=False, slots=True)
class Problem:
    """Holes that are searched together, and the examples that say what is right; `reason` why not, if so."""

    name: str
    sites: list[Site]
    examples: list[Example]
    reason: str | None = None

    def key(self, document: Document) -> tuple[object, ...]:
        """What an answer depends on: the code that is reached, where the holes are in it, and the
        examples."""
        names = list(dict.fromkeys([self.name, *(site.function.name for site in self.sites)]))
        closure = closure_of(document, names)
        first = closure.spans[0][0] if closure.spans else 0
        places = tuple((site.hole.line - first, site.hole.column) for site in self.sites)
        told = tuple((example.call.text, example.expected) for example in self.examples)
        return closure.text, places, told


def problems_of(tree: ast.Module, sites: Sequence[Site], examples: dict[str, list[Example]]) -> list[Problem]:
    """The problems in the order in which they are to be solved: a function before its callers."""
    by_function: dict[str, list[Site]] = {}
    for site in sites:
        by_function.setdefault(site.function.name, []).append(site)
    calls = _calls(tree)
    asked = {name for name in by_function if examples.get(name)}
    problems: dict[str, Problem] = {}
    for name in asked:
        problems[name] = Problem(name, list(by_function[name]), examples[name])
    for name in by_function.keys() - asked:
        caller = _caller(name, calls, examples)
        if caller is None:
            reason = (
                f"no example says what {name} should return: "
                f"add a doctest, or a comment such as '# cwm: {name}(…) -> …'"
            )
            problems[name] = Problem(name, list(by_function[name]), [], reason)
        elif caller in problems:
            problems[caller].sites += by_function[name]
        else:
            problems[caller] = Problem(caller, list(by_function[name]), examples[caller])
    for problem in problems.values():
        problem.sites.sort(key=lambda site: site.index)
        if problem.reason is None and len(problem.sites) > MOST_HOLES:
            problem.reason = (
                f"{problem.name} has {len(problem.sites)} holes, and at most {MOST_HOLES} "
                "are searched together: fill some by hand first"
            )
    return sorted(
        problems.values(), key=lambda problem: (_height(problem.name, calls), problem.sites[0].index)
    )


def _calls(tree: ast.Module) -> dict[str, set[str]]:
    """The functions of the module that each of them names."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {
        name: {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in functions} - {name}
        for name, node in functions.items()
    }


def _caller(name: str, calls: dict[str, set[str]], examples: dict[str, list[Example]]) -> str | None:
    """The nearest function with examples that comes to this one."""
    level, seen = [name], {name}
    while level:
        callers = [caller for caller, called in calls.items() if called & set(level) and caller not in seen]
        for caller in callers:
            if examples.get(caller):
                return caller
        seen.update(callers)
        level = callers
    return None


def _height(name: str, calls: dict[str, set[str]], seen: frozenset[str] = frozenset()) -> int:
    inner = [_height(called, calls, seen | {name}) for called in calls.get(name, ()) if called not in seen]
    return 1 + max(inner, default=0)
