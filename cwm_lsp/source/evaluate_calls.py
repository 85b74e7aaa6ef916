"""Calls within the walk over an expression: what is entered, what is computed or asked, what is only
structure.

Leaves out `send` and `throw` of generators, and methods of builtin types (evaluate_methods.py).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Generator
from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.asking import Keys, Keyword, PythonRaised, is_builtin
from cwm_lsp.source.binding import CallError, bind_values
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.iterations import drain, drop, is_drawn, iteration, lazy_name, make_lazy, take, walker_of
from cwm_lsp.source.literals_limits import Budget, Refused
from cwm_lsp.source.objects import (
    BoundMethod,
    Builtin,
    ClassObject,
    ExceptionObject,
    FunctionObject,
    GeneratorObject,
    Instance,
    Opaque,
    Walker,
    show,
)
from cwm_lsp.source.operations import Answer, Create, Enter, Question, Ref, Resume, Unsupported, Walk

Named = list[tuple[str, Ref]]
_LAZY = {enumerate: "enumerate", zip: "zip", map: "map", filter: "filter", reversed: "reversed", iter: "iter"}
_SPECIAL = {
    len: "__len__", str: "__str__", repr: "__repr__", bool: "__bool__", abs: "__abs__", int: "__int__",
    float: "__float__", hash: "__hash__", iter: "__iter__", next: "__next__", round: "__round__",
}  # fmt: skip


def call(walk: Evaluator, node: ast.Call) -> Walk:
    """The value of a call."""
    if isinstance(node.func, ast.Attribute):
        from cwm_lsp.source.evaluate_methods import method_call

        return (yield from method_call(walk, node, node.func))
    if isinstance(node.func, ast.Name) and walk.scope.lookup(node.func.id) is None:
        positional, named = yield from arguments(walk, node)
        yield from walk.at(node)
        return (yield from unknown_call(walk, node.func.id, positional, named))
    target = yield from walk.eval(node.func)
    positional, named = yield from arguments(walk, node)
    yield from walk.at(node)
    return (yield from apply(walk, target, positional, named))


def apply(walk: Evaluator, target: Ref, positional: list[Ref], named: Named) -> Walk:
    """The value of a call whose function and arguments are known."""
    function = target.value
    if isinstance(function, FunctionObject):
        return (yield from enter(walk, function, positional, named))
    if isinstance(function, BoundMethod):
        return (yield from enter(walk, function.function, [function.receiver, *positional], named))
    if isinstance(function, ClassObject):
        return (yield from construct(walk, function.name, positional, named))
    if isinstance(function, Builtin):
        return (yield from _named_builtin(walk, function.name, positional, named))
    if is_builtin(function):
        return (yield from _builtin(walk, function, positional, named))
    if isinstance(function, Instance):
        method = walk.scope.method(function.class_name, "__call__")
        if method is not None:
            return (yield from enter(walk, method, [target, *positional], named))
    if type(function) in calls.METHODS or function is None:
        name = type(function).__name__
        raise PythonRaised(ExceptionObject("TypeError", (f"{name!r} object is not callable",)), target.sure)
    raise Unsupported(f"a call of {show(function)[:40]} can't be taken apart")


def _named_builtin(walk: Evaluator, name: str, positional: list[Ref], named: Named) -> Walk:
    """A builtin that is not computed."""
    if name == "print":
        if any(label == "file" for label, _ in named):
            raise Unsupported("what print() writes to can't be taken apart")
        for value in positional:
            yield from walk.shown_by_method(value, "__str__")
        return Ref(None)
    if walk.scope.is_exception(name) or _is_exception(name):
        if named:
            raise Unsupported("keywords of an exception can't be taken apart")
        return Ref(
            ExceptionObject(name, tuple(value.value for value in positional)), walk.scope.doubt(positional)
        )
    if name == "id":
        raise Unsupported("an address is not told")
    if name in ("hasattr", "getattr", "setattr") and positional:
        return (yield from _by_name(walk, name, positional))
    if name == "issubclass":
        raise Unsupported("issubclass() can't be taken apart")
    return (yield from unknown_call(walk, name, positional, named))


def _by_name(walk: Evaluator, name: str, positional: list[Ref]) -> Walk:
    owner, attribute = positional[0], positional[1].value if len(positional) > 1 else None
    if not isinstance(owner.value, Instance) or type(attribute) is not str or not owner.value.whole:
        raise Unsupported(f"{name}() of this can't be taken apart")
    if name == "setattr" and len(positional) == 3:
        owner.value.attributes[attribute] = positional[2]
        return Ref(None)
    try:
        found = yield from walk.attribute(owner, attribute)
    except PythonRaised:
        if name == "hasattr":
            return Ref(False, owner.sure)
        if len(positional) > 2:
            return positional[2]
        raise
    return Ref(True, owner.sure) if name == "hasattr" else found


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def unknown_call(walk: Evaluator, name: str, positional: list[Ref], named: Named) -> Walk:
    """A call of something whose code is not here: what it is given may be changed by it."""
    operands = (*positional, *(Keyword(key, value) for key, value in named))
    result = yield from walk.operate(_not_known, "call", operands, name)
    for value in (*positional, *(value for _, value in named)):
        walk.scope.taint(value.value, result.sure)
    return result


def _not_known(_: Budget) -> Any:
    raise Refused("it is not known")


def arguments(walk: Evaluator, node: ast.Call) -> Generator[Question, Answer, tuple[list[Ref], Named]]:
    """The arguments of a call, starred ones spread."""
    positional: list[Ref] = []
    for argument in node.args:
        quick = walk.at_once(argument) if not lazy_name(walk, argument) else None
        if quick is not None:
            positional.append(quick)
        elif lazy_name(walk, argument):
            positional.append(Ref((yield from iteration(walk, argument))))
        else:
            positional += yield from walk.many([argument])
    named: Named = []
    for keyword in node.keywords:
        value = yield from walk.eval(keyword.value)
        if keyword.arg is not None:
            named.append((keyword.arg, value))
            continue
        if type(value.value) is not dict or not all(type(key) is str for key in value.value):
            raise Unsupported("this ** argument can't be taken apart")
        sure = walk.scope.doubt((value,))
        named += [(key, Ref(held, sure)) for key, held in value.value.items()]
    return positional, named


# -- functions and classes of the document


def enter(walk: Evaluator, function: FunctionObject, positional: list[Ref], named: Named) -> Walk:
    """The result of a function of the document: its frames come next."""
    try:
        bound = bind_values(
            function.qualname,
            walk.scope.parameters(function.function),
            positional,
            named,
            default=lambda parameter, _: walk.scope.default(function, parameter),
            packed=lambda rest: walk.gathered(tuple, list(rest)),
            named=lambda extra: walk.gathered(
                lambda held: dict(zip([word for word, _ in extra], held, strict=True)),
                [value for _, value in extra],
            ),
        )
    except CallError as error:
        raise PythonRaised(ExceptionObject("TypeError", (str(error),))) from None
    kind = Create if function.function.is_generator else Enter
    return (yield from walk.entered(kind(function, tuple(bound.items()))))


def construct(walk: Evaluator, name: str, positional: list[Ref], named: Named) -> Walk:
    """A new instance of a class of the document."""
    made = Ref(walk.scope.make(name))
    init = walk.scope.method(name, "__init__")
    if init is not None:
        yield from enter(walk, init, [made, *positional], named)
    elif positional or named:
        raise PythonRaised(ExceptionObject("TypeError", (f"{name}() takes no arguments",)))
    return made


def call_method(walk: Evaluator, receiver: Ref, name: str, positional: list[Ref], named: Named) -> Walk:
    """A method of an instance."""
    found = yield from walk.attribute(receiver, name)
    return (yield from apply(walk, found, positional, named))


# -- builtins


def _builtin(walk: Evaluator, function: Any, positional: list[Ref], named: Named) -> Walk:
    name = str(function.__name__)
    if positional and isinstance(positional[0].value, Instance | ExceptionObject):
        special = yield from _of_object(walk, function, positional)
        if special is not None:
            return special
    if function is next:
        return (yield from _next(walk, positional))
    if function in _LAZY:
        return Ref(make_lazy(_LAZY[function], positional, named))
    if function is isinstance and len(positional) == 2:
        answer = _is_instance(walk, positional[0].value, positional[1].value)
        if answer is not None:
            return Ref(answer, walk.scope.doubt(positional))
    if function is callable and len(positional) == 1:
        held = positional[0].value
        if isinstance(held, FunctionObject | BoundMethod | ClassObject | Builtin):
            return Ref(True, positional[0].sure)
    if function is range and not named and positional and all(type(v.value) is int for v in positional):
        try:
            return Ref(range(*[value.value for value in positional]), walk.scope.doubt(positional))
        except (TypeError, ValueError) as error:
            raise PythonRaised(ExceptionObject(type(error).__name__, error.args)) from None
    if any(is_drawn(value.value) for value in positional[:1]) and (
        walk.computes or any(must_be_drawn(value.value) for value in positional)
    ):
        return (yield from _consume(walk, function, positional, named))
    key = next((value.value for label, value in named if label == "key"), None)
    if function in (sorted, min, max) and key is not None and _enters(key):
        return (yield from _with_keys(walk, name, positional, named))
    return (yield from builtin_operation(walk, function, positional, named))


def builtin_operation(
    walk: Evaluator, function: Any, positional: list[Ref], named: Named, name: str = ""
) -> Walk:
    """One operation: a builtin over values."""
    values = tuple(each.value for each in positional)
    words = {key: value.value for key, value in named}

    def compute(budget: Budget) -> Any:
        found = calls.call(function, values, words, budget)
        if type(found) in calls.ITERATORS:
            raise Refused("an iterator is no value")
        return found

    operands = (*positional, *(Keyword(key, value) for key, value in named))
    return (yield from walk.operate(compute, "call", operands, name or str(function.__name__)))


def _enters(value: Any) -> bool:
    return isinstance(value, FunctionObject | BoundMethod | ClassObject)


def must_be_drawn(value: Any) -> bool:
    """True if values must be taken from a generator, directly or through enumerate and zip."""
    if isinstance(value, GeneratorObject):
        return True
    return isinstance(value, Walker) and (
        value.taken > 0
        or value.mode in ("map", "filter", "generator")
        or any(must_be_drawn(source) for source in value.sources)
    )


def _of_object(
    walk: Evaluator, function: Any, positional: list[Ref]
) -> Generator[Question, Answer, Ref | None]:
    """len, str and the like of an instance: its own method, where it has one."""
    value = positional[0]
    if isinstance(value.value, ExceptionObject):
        if function is str and len(positional) == 1:
            held = value.value
            return (yield from walk.operate(lambda _: held.message, "call", (value,), "str"))
        if function is repr and len(positional) == 1 and walk.computes:
            return Ref(show(value.value), walk.scope.doubt(value.value.arguments))
        return None
    name = _SPECIAL.get(function)
    if name is None:
        return None
    for special in (
        (name, "__repr__") if function is str else (name, "__len__") if function is bool else (name,)
    ):
        method = walk.scope.method(value.value.class_name, special)
        if method is not None:
            found = yield from enter(walk, method, positional, [])
            return (yield from walk.truth(found)) if function is bool else found
    return Ref(True) if function is bool else None


def _is_instance(walk: Evaluator, value: Any, wanted: Any) -> bool | None:
    """isinstance, as far as the classes are known."""
    if type(wanted) is tuple:
        found = [_is_instance(walk, value, each) for each in wanted]
        return True if True in found else None if None in found else False
    if isinstance(value, Opaque):
        return None
    if isinstance(wanted, type):
        if isinstance(value, FunctionObject | BoundMethod | Instance | ClassObject | ExceptionObject):
            return False if wanted is not type else isinstance(value, ClassObject)
        return isinstance(value, wanted)
    if isinstance(wanted, ClassObject):
        return walk.scope.is_instance(value, wanted.name)
    if isinstance(wanted, Builtin) and isinstance(value, ExceptionObject):
        bases = walk.scope.exception_bases(value.class_name)
        return None if bases is None else wanted.name in bases
    if isinstance(wanted, Builtin) and wanted.name == "object":
        return True
    return None


def _consume(walk: Evaluator, function: Any, positional: list[Ref], named: Named) -> Walk:
    """A builtin that takes the values of an iterator: all of them, or until it knows enough."""
    source, *rest = positional
    if function in (any, all) and not rest and not named:
        walker = walker_of(source.value)
        stop = function is any
        sure: float | None = None
        while (item := (yield from take(walk, walker))) is not None:
            truth = yield from walk.truth(item)
            sure = truth.sure if sure is None else min(sure, truth.sure or 1.0)
            if truth.value is stop:
                yield from _dropped(walk, source, walker)
                return Ref(stop, truth.sure)
        return Ref(not stop, sure)
    items = yield from drain(walk, source)
    if isinstance(source.value, Walker):
        yield from drop(walk, source.value)
    drawn = walk.gathered(list, items)
    if function is list and not rest and not named:
        return drawn
    return (yield from apply(walk, Ref(function), [drawn, *rest], named))


def _dropped(walk: Evaluator, source: Ref, walker: Walker) -> Generator[Question, Answer, None]:
    if isinstance(source.value, GeneratorObject):
        if not walk.scope.held(source.value):
            yield Resume(source.value, close=True)
    else:
        yield from drop(walk, walker)


def _next(walk: Evaluator, positional: list[Ref]) -> Walk:
    source = positional[0].value if positional else None
    if not is_drawn(source) or len(positional) > 2:
        raise Unsupported("next() of this can't be taken apart")
    item = yield from take(walk, walker_of(source))
    if item is not None:
        if isinstance(source, GeneratorObject) and not walk.scope.held(source):
            yield Resume(source, close=True)
        return item
    if len(positional) > 1:
        return positional[1]
    raise PythonRaised(ExceptionObject("StopIteration"))


def keys_of(walk: Evaluator, key: Any, items: list[Ref]) -> Generator[Question, Answer, list[Ref]]:
    """What a key function gives for each item."""
    found: list[Ref] = []
    for item in items:
        found.append((yield from apply(walk, Ref(key), [item], [])))
    return found


def _with_keys(walk: Evaluator, name: str, positional: list[Ref], named: Named) -> Walk:
    """sorted, min and max with a key of the document's own: it is entered for each element, in order."""
    key = next(value.value for label, value in named if label == "key")
    rest = [(label, value) for label, value in named if label != "key"]
    if len(positional) == 1:
        items = yield from drain(walk, positional[0])
        shown = positional[0]
        if is_drawn(shown.value):
            shown = walk.gathered(list, items)
    else:
        items, shown = positional, walk.gathered(tuple, positional)
    if not items and name != "sorted":
        default = next((value for label, value in rest if label == "default"), None)
        if default is not None:
            return default
    keys = yield from keys_of(walk, key, items)
    reverse = any(label == "reverse" and operators.truth(value.value) for label, value in rest)
    operands = (shown, Keys(tuple(each.value for each in keys)), *(Keyword(*pair) for pair in rest))

    def compute(budget: Budget) -> Any:
        order = [each.value for each in keys]
        held = [each.value for each in items]
        return by_keys(name, held, order, reverse, budget)

    for each in keys:
        if each.sure is not None:
            walk.scope.taint(operands, each.sure)
    return (yield from walk.operate(compute, "call", operands, name))


def by_keys(name: str, items: list[Any], keys: list[Any], reverse: bool, budget: Budget) -> Any:
    """sorted, min or max of items by the keys that go with them."""
    key = calls.Function(lambda at: keys[at])
    words: dict[str, Any] = {"key": key}
    if name == "sorted":
        order = calls.call(sorted, (list(range(len(items))),), {**words, "reverse": reverse}, budget)
        return [items[at] for at in order]
    if not items:
        return {"min": min, "max": max}[name](())
    return items[calls.call({"min": min, "max": max}[name], (list(range(len(items))),), words, budget)]
