"""Walks the patterns of a match statement.

Leaves out which case comes next (execute.py).
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from typing import Any

from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.objects import Builtin, ClassObject, Instance, Opaque
from cwm_lsp.source.operations import Answer, Question, Ref, Unsupported

Matches = Generator[Question, Answer, bool]
_ITSELF = (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)


def matches(walk: Evaluator, pattern: ast.pattern, subject: Ref) -> Matches:
    """Whether a subject matches, its captures bound."""
    bound: dict[str, Ref] = {}
    found = yield from _matches(walk, pattern, subject, bound)
    if found:
        for name, value in bound.items():
            walk.scope.store(name, value)
    return found


def _matches(walk: Evaluator, pattern: ast.pattern, subject: Ref, bound: dict[str, Ref]) -> Matches:
    held = subject.value
    match pattern:
        case ast.MatchValue():
            value = yield from walk.eval(pattern.value)
            answer = yield from walk.compared(subject, value, "==")
            walk.scope.decided(answer.sure)
            return answer.value is True
        case ast.MatchSingleton():
            walk.scope.decided(subject.sure)
            return held is pattern.value
        case ast.MatchOr():
            for part in pattern.patterns:
                if (yield from _matches(walk, part, subject, bound)):
                    return True
            return False
        case ast.MatchAs():
            if pattern.pattern is not None and not (
                yield from _matches(walk, pattern.pattern, subject, bound)
            ):
                return False
            if pattern.name:
                bound[pattern.name] = subject
            return True
        case ast.MatchSequence():
            return (yield from _sequence(walk, pattern, subject, bound))
        case ast.MatchMapping():
            return (yield from _mapping(walk, pattern, subject, bound))
        case ast.MatchClass():
            return (yield from _class(walk, pattern, subject, bound))
    raise Unsupported(f"{type(pattern).__name__} patterns can't be taken apart yet")


def _known(value: Any) -> None:
    if isinstance(value, Opaque):
        raise Unsupported("a pattern can't be held against what is not known")


def _sequence(walk: Evaluator, pattern: ast.MatchSequence, subject: Ref, bound: dict[str, Ref]) -> Matches:
    _known(subject.value)
    walk.scope.decided(walk.scope.doubt((subject,)))
    if type(subject.value) not in (list, tuple, range):
        return False
    sure = walk.scope.doubt((subject,))
    items = [Ref(item, sure) for item in subject.value]
    stars = [at for at, part in enumerate(pattern.patterns) if isinstance(part, ast.MatchStar)]
    parts = list(pattern.patterns)
    if not stars:
        if len(items) != len(parts):
            return False
    else:
        first, rest = stars[0], len(parts) - stars[0] - 1
        if len(items) < first + rest:
            return False
        star = parts.pop(first)
        assert isinstance(star, ast.MatchStar)
        middle = items[first : len(items) - rest]
        items = [*items[:first], *items[len(items) - rest :]]
        if star.name:
            bound[star.name] = walk.gathered(list, middle)
    for part, item in zip(parts, items, strict=True):
        if not (yield from _matches(walk, part, item, bound)):
            return False
    return True


def _mapping(walk: Evaluator, pattern: ast.MatchMapping, subject: Ref, bound: dict[str, Ref]) -> Matches:
    _known(subject.value)
    sure = walk.scope.doubt((subject,))
    walk.scope.decided(sure)
    if type(subject.value) is not dict:
        return False
    keys: list[Any] = []
    for key, part in zip(pattern.keys, pattern.patterns, strict=True):
        name = yield from walk.eval(key)
        if name.value not in subject.value:
            return False
        keys.append(name.value)
        if not (yield from _matches(walk, part, Ref(subject.value[name.value], sure), bound)):
            return False
    if pattern.rest:
        rest = {key: value for key, value in subject.value.items() if key not in keys}
        bound[pattern.rest] = walk.made(Ref(rest, sure))
    return True


def _class(walk: Evaluator, pattern: ast.MatchClass, subject: Ref, bound: dict[str, Ref]) -> Matches:
    held = subject.value
    _known(held)
    wanted = (yield from walk.eval(pattern.cls)).value
    walk.scope.decided(subject.sure)
    if isinstance(wanted, ClassObject):
        found = walk.scope.is_instance(held, wanted.name)
        if found is None or pattern.patterns:
            raise Unsupported("this class pattern can't be taken apart yet")
        if not found:
            return False
        for name, part in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
            if not isinstance(held, Instance) or name not in held.attributes:
                return False
            if not (yield from _matches(walk, part, held.attributes[name], bound)):
                return False
        return True
    if (
        isinstance(wanted, Builtin)
        or wanted not in _ITSELF
        or pattern.kwd_patterns
        or len(pattern.patterns) > 1
    ):
        raise Unsupported("this class pattern can't be taken apart yet")
    if not isinstance(held, wanted):
        return False
    return (yield from _matches(walk, pattern.patterns[0], subject, bound)) if pattern.patterns else True
