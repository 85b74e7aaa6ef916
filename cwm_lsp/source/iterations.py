"""What a `for` walks over, and the items it takes one by one.

Leaves out loops and comprehensions themselves (execute.py, comprehensions.py).
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from typing import Any

from cwm_lsp.source.asking import PythonRaised
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.literals_build import is_constant
from cwm_lsp.source.literals_limits import ATOMS, CONTAINERS, Budget, Refused, order_known
from cwm_lsp.source.literals_operators import VIEWS
from cwm_lsp.source.objects import ExceptionObject, GeneratorObject, Instance, Opaque, Walker, show
from cwm_lsp.source.operations import Answer, Operation, Question, Raised, Ref, Resume, Stop, Unsupported
from cwm_lsp.source.told_values import exception_of, value_from

LAZY = frozenset(("enumerate", "zip", "reversed"))
VIEW_MODES = {"items": "pair", "keys": "key", "values": "value"}
_NOT_ITERABLE = frozenset((int, float, complex, bool, type(None), slice, type(...)))
Taken = Generator[Question, Answer, Ref | None]


def walker_of(value: Any) -> Walker:
    """A walker over any value of a walk. Raises PythonRaised for what is no iterable."""
    if isinstance(value, Walker):
        return value
    if isinstance(value, GeneratorObject):
        return Walker("generator", (value,))
    kind = type(value)
    if kind in _NOT_ITERABLE:
        name = "NoneType" if value is None else kind.__name__
        raise PythonRaised(ExceptionObject("TypeError", (f"'{name}' object is not iterable",)))
    if kind in CONTAINERS or kind in VIEWS or kind in ATOMS:
        mode = "key" if kind is dict else "range" if kind is range else "item"
        made = Walker(mode, (value,))
        made.real = iter(value)
        return made
    if isinstance(value, Opaque):
        return Walker("item", (value,))
    raise Unsupported(f"walking over {show(value)[:40]} can't be taken apart")


def lazy_name(walk: Evaluator, node: ast.expr) -> bool:
    """True for `enumerate(…)`, `zip(…)`, `reversed(…)` and `….items()` and the like."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in LAZY and walk.scope.lookup(node.func.id) is not None
    return isinstance(node.func, ast.Attribute) and node.func.attr in VIEW_MODES and not node.args


def iteration(walk: Evaluator, node: ast.expr, line: int = 0) -> Generator[Question, Answer, Walker]:
    """The walker over the value of an expression."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and lazy_name(walk, node):
        receiver = yield from walk.eval(node.func.value)
        if type(receiver.value) is dict:
            return view_walker(walk, receiver.value, VIEW_MODES[node.func.attr], receiver.sure)
        if isinstance(receiver.value, Instance):
            from cwm_lsp.source.evaluate_calls import call_method

            return walker_of((yield from call_method(walk, receiver, node.func.attr, [], [])).value)
        value = yield from walk.operate(_refuse, "method", (receiver,), node.func.attr)
    else:
        value = yield from walk.eval(node)
        if isinstance(node, ast.Set) and all(is_constant(part) for part in node.elts):
            # The compiler keeps a set that is only walked over as a frozenset.
            parts = tuple(frozenset(ast.literal_eval(part) for part in node.elts))
            value = Ref(frozenset(parts), value.sure)
    if isinstance(value.value, Instance):
        method = walk.scope.method(value.value.class_name, "__iter__")
        if method is not None:
            yield from walk.at(None, line)
            value = yield from walk.enter(method, [value], [])
    return walker_of(value.value)


def _refuse(_: Budget) -> Any:
    raise Refused("it is not known")


def view_walker(walk: Evaluator, value: dict[Any, Any], mode: str, sure: float | None = None) -> Walker:
    """A walker over the items, keys or values of a dict."""
    if sure is not None:
        walk.scope.taint(value, sure)
    made = Walker(mode, (value,))
    made.real = iter({"pair": value.items, "key": value.keys, "value": value.values}[mode]())
    return made


def make_lazy(name: str, positional: list[Ref], named: list[tuple[str, Ref]]) -> Walker:
    """enumerate, zip, reversed, map, filter and iter as values."""
    words = dict(named)
    values = [each.value for each in positional]
    if name == "enumerate" and len(values) in (1, 2) and words.keys() <= {"start"}:
        start = values[1] if len(values) > 1 else words["start"].value if words else 0
        if type(start) is int:
            return Walker("enumerate", (walker_of(values[0]),), start)
    elif name == "zip" and not words:
        return Walker("zip", tuple(walker_of(value) for value in values))
    elif name in ("map", "filter") and len(values) >= 2 and not words and (name == "map" or len(values) == 2):
        return Walker(name, tuple(walker_of(value) for value in values[1:]), 0, values[0])
    elif name == "reversed" and len(values) == 1 and not words:
        value = values[0]
        if type(value) in (list, tuple, str, range, dict, bytes) or type(value) in VIEWS:
            made = Walker("reversed", (value,))
            made.real = reversed(value)
            return made
        if isinstance(value, Opaque):
            return Walker("reversed", (value,))
        if type(value) in (set, frozenset, *_NOT_ITERABLE):
            message = f"'{type(value).__name__}' object is not reversible"
            raise PythonRaised(ExceptionObject("TypeError", (message,)))
    elif name == "iter" and len(values) == 1 and not words:
        return walker_of(values[0])
    raise Unsupported(f"this form of {name}() can't be taken apart")


def take(walk: Evaluator, walker: Walker) -> Taken:
    """The next item of an iteration; None at its end."""
    if walker.done:
        return None
    item: Ref | None = yield from _TAKERS.get(walker.mode, _from_container)(walk, walker)
    if item is None or isinstance(item.value, Stop):
        walker.done = True
        walk.scope.decided(None if item is None else item.sure)
        return None
    walker.taken += 1
    walker.last = item
    return item


def _from_generator(walk: Evaluator, walker: Walker) -> Taken:
    answer = yield Resume(walker.sources[0])
    if isinstance(answer, Raised):
        raise PythonRaised(answer.exception or value_from(answer.text, walk.scope))
    if isinstance(answer, Stop):
        if answer.value is not None:
            raise Unsupported("a generator that returns a value can't be taken apart yet")
        return None
    return answer if isinstance(answer, Ref) else Ref(value_from(str(answer), walk.scope))


def _from_enumerate(walk: Evaluator, walker: Walker) -> Taken:
    item = yield from take(walk, walker.sources[0])
    return None if item is None else walk.made(Ref((walker.start + walker.taken, item.value), item.sure))


def _from_zip(walk: Evaluator, walker: Walker) -> Taken:
    items: list[Ref] = []
    for source in walker.sources:
        item = yield from take(walk, source)
        if item is None:
            return None
        items.append(item)
    if not items:
        return None
    return walk.gathered(tuple, items)


def _from_map(walk: Evaluator, walker: Walker) -> Taken:
    from cwm_lsp.source.evaluate_calls import apply

    items: list[Ref] = []
    for source in walker.sources:
        item = yield from take(walk, source)
        if item is None:
            return None
        items.append(item)
    return (yield from apply(walk, Ref(walker.function), items, []))


def _from_filter(walk: Evaluator, walker: Walker) -> Taken:
    from cwm_lsp.source.evaluate_calls import apply

    while True:
        item = yield from take(walk, walker.sources[0])
        if item is None:
            return None
        value = (
            item if walker.function is None else (yield from apply(walk, Ref(walker.function), [item], []))
        )
        truth = yield from walk.truth(value)
        if truth.value:
            return item


def _from_container(walk: Evaluator, walker: Walker) -> Taken:
    source = walker.sources[0]
    sure = walk.scope.doubt((source,))
    true: Any = None
    raised: Exception | None = None
    known = walker.real is not None and order_known(source)
    if known:
        try:
            true = next(walker.real)
        except StopIteration:
            true = Stop()
        except RuntimeError as error:
            raised = error
        if walk.computes:
            if raised is not None:
                raise PythonRaised(exception_of(raised), sure)
            return Ref(true, sure)
    mode = walker.mode
    container = walk.operand(source)
    operands: tuple[str, ...] = (container,)
    if mode == "range":
        operands = (container, "" if walker.last is None else show(walker.last.value))
    answer = yield Operation("item", operands, mode, walker.taken)
    if isinstance(answer, str) and known and raised is None and not isinstance(true, Stop):
        if show(true) == answer:
            return Ref(true, walk.lowest(sure))
        return walk.adopted(answer, None, sure)
    return walk.adopted(answer, None, sure)


_TAKERS: dict[str, Any] = {
    "generator": _from_generator,
    "enumerate": _from_enumerate,
    "zip": _from_zip,
    "map": _from_map,
    "filter": _from_filter,
}


def drain(walk: Evaluator, value: Ref) -> Generator[Question, Answer, list[Ref]]:
    """All that an iterable has left."""
    source = value.value
    sure = walk.scope.doubt((value,))
    if type(source) in CONTAINERS or type(source) in VIEWS or type(source) in (str, range, bytes):
        if not order_known(source):
            raise Unsupported("the order of a set of texts differs from run to run")
        try:
            walk.budget.sized(source)
        except Refused as error:
            raise Unsupported(str(error)) from None
        return [Ref(item, sure) for item in source]
    walker = walker_of(source)
    found: list[Ref] = []
    while (item := (yield from take(walk, walker))) is not None:
        found.append(item)
        if len(found) > walk.budget.limits.length:
            raise Unsupported("this iteration is too long")
    return found


def drop(walk: Evaluator, walker: Walker) -> Generator[Question, Answer, None]:
    """Nothing holds the iteration any more: its generators are closed, unless a name leads to them."""
    for source in walker.sources:
        if isinstance(source, GeneratorObject):
            if not walk.scope.held(source):
                yield Resume(source, close=True)
        elif isinstance(source, Walker):
            yield from drop(walk, source)


def is_drawn(value: Any) -> bool:
    """True if the walk itself must take the values of an iterator."""
    return isinstance(value, Walker | GeneratorObject)
