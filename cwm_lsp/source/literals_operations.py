"""Answers to the primitive operations of a walk (operations.py), by restricted evaluation.

Leaves out what a walk is; operands are texts here, so nothing is shared between them.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from cwm_lsp.source import literals_calls as calls
from cwm_lsp.source import literals_operators as operators
from cwm_lsp.source.literals import DEFAULT, Raises, evaluate, text_of, value_of
from cwm_lsp.source.literals_limits import Budget, Refused, ordered
from cwm_lsp.source.operations import Answer, Operation, Raised, Stop


def answer(operation: Operation) -> Answer:
    """What Python would answer. Raises Refused."""
    try:
        result = _ANSWERS[operation.kind](operation, Budget(DEFAULT))
    except Refused:
        raise
    except (KeyError, RecursionError, MemoryError) as error:
        if type(error) is KeyError and operation.kind in _ANSWERS:
            return Raised(_shown_exception(error))
        raise Refused(f"{operation.kind} is not computed") from None
    except Raises as error:
        return Raised(_shown_exception(error.exception))
    except Exception as error:
        return Raised(_shown_exception(error))
    return result if isinstance(result, Stop) else text_of(result)


def _shown_exception(error: BaseException) -> str:
    for argument in error.args:
        text_of(argument)
    return repr(error)


def _binary(operation: Operation, budget: Budget) -> Any:
    left, right = operation.operands
    return operators.BINARY[operation.name](value_of(left), value_of(right), budget)


def _compare(operation: Operation, budget: Budget) -> Any:
    left, right = operation.operands
    if operation.name in ("is", "is not") and left[:1] in "[{(" and right[:1] in "[{(":
        raise Refused("whether equal values are one object is not told")
    return operators.COMPARE[operation.name](value_of(left), value_of(right), budget)


def _unary(operation: Operation, _: Budget) -> Any:
    return operators.UNARY[operation.name](value_of(operation.operands[0]))


def _truth(operation: Operation, _: Budget) -> Any:
    return operators.truth(value_of(operation.operands[0]))


def _index(operation: Operation, budget: Budget) -> Any:
    container, key = operation.operands
    return operators.index(value_of(container), value_of(key), budget)


def _slice(operation: Operation, budget: Budget) -> Any:
    container, *bounds = operation.operands
    where = slice(*[value_of(text) if text else None for text in bounds])
    return operators.index(value_of(container), where, budget)


def _call(operation: Operation, _: Budget) -> Any:
    name, operands = operation.name, operation.operands
    if not name.isidentifier():
        raise Refused(f"{name} is not computed")
    keys = [text for text in operands if text.startswith("keys=")]
    if keys:
        return _with_keys(operation, keys[0].removeprefix("keys="))
    if name == "type" or any(text[:1] == "<" for text in operands):
        raise Refused(f"{name} of these values is not computed")
    return evaluate(f"{name}({', '.join(operands)})")


def _with_keys(operation: Operation, keys: str) -> Any:
    items = list(ordered(value_of(operation.operands[0])))
    order = value_of(keys)
    if operation.name not in ("sorted", "min", "max") or len(order) != len(items):
        raise Refused(f"{operation.name} with these keys is not computed")
    names = {"at": list(range(len(items)))}
    rest = "".join(f", {text}" for text in operation.operands[2:] if text.startswith(("reverse=",)))
    found: Any = evaluate(
        f"{operation.name}(at, key=order_of{rest})",
        {
            **names,
            "order_of": calls.Function(lambda at: order[at]),
        },
    )
    return [items[at] for at in found] if isinstance(found, list) else items[found]


def _method(operation: Operation, _: Budget) -> Any:
    return _called_on(operation, value_of(operation.operands[0]))


def _called_on(operation: Operation, target: Any) -> Any:
    rest = operation.operands[1:]
    if not operation.name.isidentifier() or any(text[:1] == "<" for text in rest):
        raise Refused(f"{operation.name} is not computed")
    return evaluate(f"t_.{operation.name}({', '.join(rest)})", {"t_": target})


def _mutated(operation: Operation, _: Budget) -> Any:
    keys = [text for text in operation.operands if text.startswith("keys=")]
    if operation.name == "sort" and keys:
        operands = (operation.operands[0], keys[0], *(t for t in operation.operands[1:] if t not in keys))
        return _with_keys(Operation("call", operands, "sorted"), keys[0].removeprefix("keys="))
    target = value_of(operation.operands[0])
    _called_on(operation, target)
    return target


def _set_index(operation: Operation, budget: Budget) -> Any:
    container, key, value = map(value_of, operation.operands)
    operators.set_index(container, key, value, budget)
    return container


def _del_index(operation: Operation, budget: Budget) -> Any:
    container, key = map(value_of, operation.operands)
    operators.del_index(container, key, budget)
    return container


def _attribute(operation: Operation, budget: Budget) -> Any:
    return calls.attribute(value_of(operation.operands[0]), operation.name, budget)


def _format(operation: Operation, budget: Budget) -> Any:
    conversion, _, spec = operation.name.partition(":")
    value = value_of(operation.operands[0])
    if conversion:
        value = operators.as_text(value, budget) if conversion == "!s" else operators.shown(value, budget)
    if conversion == "!a":
        value = value.encode("ascii", "backslashreplace").decode()
    return operators.formatted(value, spec, budget)


def _join(operation: Operation, budget: Budget) -> Any:
    parts = [value_of(text) for text in operation.operands]
    budget.make(sum(map(len, parts)))
    return "".join(parts)


def _make_set(operation: Operation, budget: Budget) -> Any:
    parts = [value_of(text) for text in operation.operands]
    budget.make(len(parts))
    return set(parts)


def _item(operation: Operation, budget: Budget) -> Any:
    container = value_of(operation.operands[0])
    at, mode = operation.position, operation.name
    if mode in ("pair", "value", "key") and type(container) is dict:
        container = {"pair": container.items(), "value": container.values(), "key": container}[mode]
    calls.walked(container, budget)
    if type(container) is range or type(container) in (list, tuple, str, bytes):
        if at >= len(container):
            return Stop()
        return container[len(container) - 1 - at if mode == "reversed" else at]
    items = list(reversed(container) if mode == "reversed" else container)
    return items[at] if at < len(items) else Stop()


def _matches(operation: Operation, _: Budget) -> Any:
    raised, wanted = operation.operands
    kind = _exception(raised.partition("(")[0])
    names = [part.strip() for part in wanted.strip("()").split(",") if part.strip()]
    return any(issubclass(kind, _exception(name)) for name in names)


def _exception(name: str) -> type[BaseException]:
    found = getattr(builtins, name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    raise Refused(f"{name} is no builtin exception")


_ANSWERS: dict[str, Callable[[Operation, Budget], Any]] = {
    "unary": _unary,
    "binary": _binary,
    "compare": _compare,
    "truth": _truth,
    "index": _index,
    "slice": _slice,
    "call": _call,
    "method": _method,
    "mutated": _mutated,
    "set_index": _set_index,
    "del_index": _del_index,
    "attribute": _attribute,
    "format": _format,
    "join": _join,
    "item": _item,
    "matches": _matches,
    "make_set": _make_set,
}
