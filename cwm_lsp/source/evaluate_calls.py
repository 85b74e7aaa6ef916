"""Calls and iterations within the walk over an expression: what is entered, what is asked, what is only
structure.

Leaves out functions of the file given to map and filter, and `send` and `throw` of generators.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Generator, Sequence

from cwm_lsp.source.binding import CallError, bind_values, literal_repr
from cwm_lsp.source.evaluate import MUTATING, NO_RESULT, Evaluator, PythonRaised
from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Iteration,
    New,
    Operation,
    Question,
    Ref,
    Resume,
    Unsupported,
    Walk,
)
from cwm_lsp.source.values import class_of_instance, iterated, kind_of, sequence_repr

LAZY = frozenset(("enumerate", "zip", "reversed"))
VIEWS = {"items": "pair", "keys": "key", "values": "value"}


def call(walk: Evaluator, node: ast.Call) -> Walk:
    """The value of a call."""
    if isinstance(node.func, ast.Attribute):
        return (yield from _method(walk, node, node.func))
    if isinstance(node.func, ast.Name) and walk.scope.lookup(node.func.id) is None:
        positional, named = yield from _arguments(walk, node)
        return (yield from walk.ask(_call_operation(walk, node.func.id, positional, named)))
    target = yield from walk.eval(node.func)
    if target.function is None and target.builtin is None:
        raise Unsupported(f"a call of {walk.text(target)[:40]} can't be taken apart")
    positional, named = yield from _arguments(walk, node)
    if target.function is not None:
        return (yield from _enter(walk, target, positional, named))
    name = target.builtin or ""
    if name == "print":
        return Ref("None")
    if name == "range" and all(kind_of(walk.text(value)) == "int" for value in positional) and positional:
        return _range(walk, positional)
    if _is_exception(name):
        return Ref(f"{name}({', '.join(walk.text(value) for value in positional)})")
    if any(_is_drawn(value) for value in positional):
        return (yield from _consume(walk, name, positional, named))
    if name in ("sorted", "min", "max", "map", "filter") and any(
        value.function for value in (*positional, *(v for _, v in named))
    ):
        return (yield from _with_function(walk, name, positional, named))
    return (yield from walk.ask(_call_operation(walk, name, positional, named)))


def _is_drawn(value: Ref) -> bool:
    """True if values must be taken from a generator, directly or through enumerate and zip."""
    if value.generator is not None:
        return True
    return value.iteration is not None and any(_is_drawn(source) for source in value.iteration.sources)


def _consume(walk: Evaluator, name: str, positional: list[Ref], named: list[tuple[str, Ref]]) -> Walk:
    """A builtin that takes the values of a generator: all of them, or until it knows enough."""
    from cwm_lsp.source.execute import take

    source = positional[0]
    if name == "next":
        return (yield from _next(walk, positional))
    if name == "iter":
        return source
    spec = source.iteration or Iteration("generator", (source,))
    items: list[str] = []
    last = ""
    while (item := (yield from take(walk, spec, len(items), last))) is not None:
        items.append(walk.text(item))
        last = items[-1]
        if name in ("any", "all") and (yield from walk.truth(item)).text == str(name == "any"):
            yield from drop(walk, spec)
            return Ref(str(name == "any"))
    if name in ("any", "all"):
        return Ref(str(name == "all"))
    drawn = Ref("[" + ", ".join(items) + "]")
    if name in ("list", "iter", "enumerate", "zip"):
        return drawn if name == "list" else Ref(drawn.text, iteration=Iteration("item", (drawn,)))
    return (yield from walk.ask(_call_operation(walk, name, [drawn, *positional[1:]], named)))


def _next(walk: Evaluator, positional: list[Ref]) -> Walk:
    generator = positional[0].generator
    if generator is None:
        raise Unsupported("next() of this iterator can't be taken apart")
    value = yield from walk.ask(Resume(generator))
    if value.text:
        if positional[0].cell is None:
            yield from walk.ask(Resume(generator, close=True))
        return value
    if len(positional) > 1:
        return positional[1]
    raise PythonRaised("StopIteration()")


def drop(walk: Evaluator, spec: Iteration) -> Walk:
    """Nothing holds the iteration any more: its generators are closed."""
    for source in spec.sources:
        if source.generator is not None:
            yield from walk.ask(Resume(source.generator, close=True))
        elif source.iteration is not None and source.iteration is not spec:
            yield from drop(walk, source.iteration)
    return Ref("None")


def _range(walk: Evaluator, values: list[Ref]) -> Ref:
    texts = [walk.text(value) for value in values]
    start, stop, step = (
        ("0", texts[0], "1")
        if len(texts) == 1
        else (texts[0], texts[1], texts[2] if len(texts) == 3 else "1")
    )
    return Ref(f"range({start}, {stop})" if step == "1" else f"range({start}, {stop}, {step})")


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return found is None or (isinstance(found, type) and issubclass(found, BaseException))


def _call_operation(
    walk: Evaluator, name: str, positional: list[Ref], named: list[tuple[str, Ref]]
) -> Operation:
    operands = [_operand(walk, value) for value in positional]
    operands += [f"{key}={_operand(walk, value)}" for key, value in named]
    return Operation("call", tuple(operands), name)


def _operand(walk: Evaluator, value: Ref) -> str:
    if value.builtin:
        return value.builtin
    if value.generator is not None:
        raise Unsupported("what takes a generator here can't be taken apart")
    if value.iteration is not None:
        return _iteration_text(walk, value.iteration)
    return walk.text(value)


def _iteration_text(walk: Evaluator, spec: Iteration) -> str:
    """An iteration as a source expression over literals, such as `enumerate([1, 2])`."""
    inner = [_operand(walk, source) for source in spec.sources]
    if spec.mode in ("enumerate", "zip", "reversed"):
        if spec.start:
            inner.append(str(spec.start))
        return f"{spec.mode}({', '.join(inner)})"
    view = {mode: name for name, mode in VIEWS.items()}.get(spec.mode)
    return f"{inner[0]}.{view}()" if view else inner[0]


def _arguments(
    walk: Evaluator, node: ast.Call
) -> Generator[Question, Answer, tuple[list[Ref], list[tuple[str, Ref]]]]:
    positional: list[Ref] = []
    for argument in node.args:
        if isinstance(argument, ast.Call) and _lazy_name(walk, argument):
            positional.append((yield from iteration(walk, argument)))
        else:
            positional += yield from walk.many([argument])
    named: list[tuple[str, Ref]] = []
    for keyword in node.keywords:
        if keyword.arg is None:
            raise Unsupported("a ** argument can't be taken apart")
        named.append((keyword.arg, (yield from walk.eval(keyword.value))))
    return positional, named


def _lazy_name(walk: Evaluator, node: ast.Call) -> bool:
    if isinstance(node.func, ast.Name):
        found = walk.scope.lookup(node.func.id)
        return node.func.id in LAZY and found is not None and found.builtin is not None
    return isinstance(node.func, ast.Attribute) and node.func.attr in VIEWS and not node.args


def _enter(walk: Evaluator, target: Ref, positional: list[Ref], named: list[tuple[str, Ref]]) -> Walk:
    assert target.function is not None
    if target.function.startswith("class "):
        return (yield from _construct(walk, target.function.removeprefix("class "), positional, named))
    function = target.function
    try:
        parameters = walk.scope.parameters(function)
        bound = bind_values(
            function.rpartition(".")[2],
            parameters,
            positional,
            named,
            default=_default,
            packed=lambda rest: Ref(sequence_repr("tuple", [walk.text(value) for value in rest])),
            named=lambda extra: Ref(
                sequence_repr("dict", [f"{word!r}: {walk.text(value)}" for word, value in extra])
            ),
        )
    except CallError as error:
        raise PythonRaised(f"TypeError({str(error)!r})") from None
    arguments = (*bound.items(), *walk.scope.free_variables(function))
    if walk.scope.is_generator(function):
        return (yield from walk.ask(Create(function, arguments)))
    return (yield from walk.ask(Enter(function, arguments)))


def _default(parameter: str, node: ast.expr) -> Ref:
    try:
        return Ref(literal_repr(node))
    except CallError:
        raise Unsupported(f"the default of {parameter} is no literal") from None


def _construct(walk: Evaluator, name: str, positional: list[Ref], named: list[tuple[str, Ref]]) -> Walk:
    made = yield from walk.ask(New(name))
    init = walk.scope.constructor(name)
    if init is not None:
        yield from _enter(walk, Ref(made.text, function=init), [made, *positional], named)
    return made


def _with_function(walk: Evaluator, name: str, positional: list[Ref], named: list[tuple[str, Ref]]) -> Walk:
    """sorted, min and max with a key of the document's own: it is entered for each element, in order."""
    key = next((value for label, value in named if label == "key"), None)
    items = iterated(walk.text(positional[0])) if len(positional) == 1 else None
    if key is None or key.function is None or items is None:
        raise Unsupported(f"{name}() with a function of the file can't be taken apart")
    keys = yield from _keys(walk, key, items)
    operands = [walk.text(positional[0]), keys.text]
    operands += [f"{label}={walk.text(value)}" for label, value in named if label != "key"]
    return (yield from walk.ask(Operation("call", tuple(operands), name)))


def _keys(walk: Evaluator, key: Ref, items: Sequence[str]) -> Walk:
    """What a key function gives for each item, as the operand `keys=[...]`."""
    keys: list[str] = []
    for item in items:
        keys.append(walk.text((yield from _enter(walk, key, [Ref(item)], []))))
    return Ref("keys=[" + ", ".join(keys) + "]")


def _method(walk: Evaluator, node: ast.Call, func: ast.Attribute) -> Walk:
    if isinstance(func.value, ast.Name) and walk.scope.lookup(func.value.id) is None:
        positional, named = yield from _arguments(walk, node)
        return (yield from walk.ask(_call_operation(walk, f"{func.value.id}.{func.attr}", positional, named)))
    receiver = yield from walk.eval(func.value)
    text = walk.text(receiver)
    class_name = class_of_instance(text)
    method = walk.scope.method(class_name, func.attr) if class_name else None
    positional, named = yield from _arguments(walk, node)
    if method is not None:
        return (yield from _enter(walk, Ref(text, function=method), [receiver, *positional], named))
    text = walk.text(receiver)
    if func.attr == "join" and len(positional) == 1 and _is_drawn(positional[0]):
        positional = [(yield from _consume(walk, "list", positional, []))]
    elif any(_is_drawn(value) for value in positional):
        raise Unsupported(f"{func.attr}() of a generator can't be taken apart")
    key = next((value for label, value in named if label == "key"), None)
    if func.attr == "sort" and key is not None and key.function is not None and (items := iterated(text)):
        named = [(label, value) for label, value in named if label != "key"]
        positional = [(yield from _keys(walk, key, items))]
    operands = (
        text,
        *(_operand(walk, value) for value in positional),
        *(f"{key}={_operand(walk, value)}" for key, value in named),
    )
    if func.attr not in MUTATING or kind_of(text) in ("str", "bytes", "tuple", "int", "float"):
        return (yield from walk.ask(Operation("method", operands, func.attr)))
    result = Ref("None")
    if func.attr not in NO_RESULT:
        result = yield from walk.ask(Operation("method", operands, func.attr))
    changed = yield from walk.ask(Operation("mutated", operands, func.attr))
    if walk.live and receiver.cell is not None:
        walk.scope.write(receiver.cell, changed.text)
    elif walk.live:
        yield from _write_back(walk, func.value, changed.text)
    return result


def _write_back(walk: Evaluator, target: ast.expr, text: str) -> Walk:
    """A change inside a container, such as `groups[k].append(x)`, is a change of that container."""
    if isinstance(target, ast.Subscript):
        outer = yield from walk.eval(target.value)
        key = yield from walk.eval(target.slice)
        changed = yield from walk.ask(Operation("set_index", (walk.text(outer), walk.text(key), text)))
        if outer.cell is not None:
            walk.scope.write(outer.cell, changed.text)
        else:
            yield from _write_back(walk, target.value, changed.text)
    elif (
        isinstance(target, ast.Call)
        and isinstance(target.func, ast.Attribute)
        and target.func.attr == "setdefault"
    ):
        yield from _write_back(walk, ast.Subscript(target.func.value, target.args[0], ast.Load()), text)
    elif isinstance(target, ast.Call | ast.Attribute):
        raise Unsupported("a change inside an object that can't be seen can't be told")
    return Ref("None")


def iteration(walk: Evaluator, node: ast.expr) -> Walk:
    """A Ref whose `iteration` says how the value of the expression is walked over."""
    if isinstance(node, ast.Call) and _lazy_name(walk, node):
        if isinstance(node.func, ast.Attribute):
            receiver = yield from walk.eval(node.func.value)
            if kind_of(walk.text(receiver)) == "dict":
                return Ref("<view>", iteration=Iteration(VIEWS[node.func.attr], (receiver,)))
        elif isinstance(node.func, ast.Name):
            sources: list[Ref] = []
            for argument in node.args[: 1 if node.func.id == "enumerate" else None]:
                sources.append((yield from iteration(walk, argument)))
            start = 0
            second = node.args[1:] if node.func.id == "enumerate" else []
            for extra in (*second, *(keyword.value for keyword in node.keywords if keyword.arg == "start")):
                start = int((yield from walk.eval(extra)).text)
            return Ref(f"<{node.func.id} object>", iteration=Iteration(node.func.id, tuple(sources), start))
    value = yield from walk.eval(node)
    if value.iteration is not None:
        return value
    if value.generator is not None:
        return Ref(value.text, generator=value.generator, iteration=Iteration("generator", (value,)))
    mode = {"dict": "key", "range": "range"}.get(kind_of(walk.text(value)), "item")
    return Ref(value.text, value.cell, iteration=Iteration(mode, (value,)))
