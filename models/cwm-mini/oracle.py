"""Answers the questions of a walk by really computing them in this Python: the teacher of cwm-mini.

Only ever sees programs that the recipe itself makes. Results that are too large are refused, not taught.
"""

from __future__ import annotations

import math
from typing import Any

from cwm_lsp.source.operations import Answer, Operation, Raised, Stop

LIMIT = 240


class TooLarge(Exception):  # noqa: N818  (it is an answer, not an error)
    """The result is too long to teach, or of a kind that isn't taught."""


def show(value: object) -> str:
    """`repr`, refused when long."""
    text = repr(value)
    if len(text) > LIMIT:
        raise TooLarge(text[:40])
    return text


def value_of(text: str, **names: object) -> Any:
    """The value of an expression, such as an operand's text; it may use the names."""
    return eval(text, {"math": math, **names})  # noqa: S307


def answer(operation: Operation) -> Answer:
    """What Python says. Raises TooLarge."""
    try:
        return _answer(operation)
    except TooLarge:
        raise
    except (NameError, SyntaxError) as error:
        raise TooLarge(str(error)) from None
    except Exception as error:
        return Raised(repr(error))


def _answer(operation: Operation) -> Answer:
    kind, operands, name = operation.kind, operation.operands, operation.name
    if kind == "matches":
        return _matches(*operands)
    if kind == "binary":
        left, right = value_of(operands[0]), value_of(operands[1])
        _guard(left, right, name)
        return show(value_of(f"a {name} b", a=left, b=right))
    if kind == "compare":
        return show(value_of(f"a {name} b", a=value_of(operands[0]), b=value_of(operands[1])))
    if kind == "unary":
        return show(value_of(f"{name} ({operands[0]})"))
    if kind == "truth":
        return show(bool(value_of(operands[0])))
    if kind == "index":
        return show(value_of(operands[0])[value_of(operands[1])])
    if kind == "slice":
        bounds = [value_of(text) if text else None for text in operands[1:]]
        return show(value_of(operands[0])[slice(*bounds)])
    if kind in ("call", "method"):
        return show(_called(kind, operands, name))
    if kind == "mutated":
        target = value_of(operands[0])
        if name == "sort" and any(text.startswith("keys=") for text in operands):
            return show(_called("call", operands, "sorted"))
        value_of(f"t.{name}({', '.join(operands[1:])})", t=target)
        return show(target)
    if kind in ("set_index", "del_index"):
        target = value_of(operands[0])
        if kind == "set_index":
            target[value_of(operands[1])] = value_of(operands[2])
        else:
            del target[value_of(operands[1])]
        return show(target)
    if kind == "format":
        conversion, _, spec = name.partition(":")
        value = value_of(operands[0])
        converted = {"": lambda x: x, "!s": str, "!r": repr, "!a": ascii}[conversion](value)
        return show(format(converted, spec))
    if kind == "join":
        return show("".join(value_of(text) for text in operands))
    if kind == "make_set":
        return show({value_of(text) for text in operands})
    if kind == "item":
        return _item(operation)
    raise TooLarge(f"{kind} is not taught")


def _guard(left: object, right: object, name: str) -> None:
    if name == "**" and isinstance(right, int) and abs(right) > 64:
        raise TooLarge("power")
    if name == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, str | list | tuple) and isinstance(other, int) and len(one) * other > LIMIT:
                raise TooLarge("repetition")
    if name == "<<" and isinstance(right, int) and right > 64:
        raise TooLarge("shift")


def _called(kind: str, operands: tuple[str, ...], name: str) -> object:
    if kind == "method":
        target = value_of(operands[0])
        return value_of(f"t.{name}({', '.join(operands[1:])})", t=target)
    keys = [text for text in operands if text.startswith("keys=")]
    if keys and name in ("sorted", "min", "max"):
        items = list(value_of(operands[0]))
        order = value_of(keys[0].removeprefix("keys="))
        pairs = list(range(len(items)))
        reverse = "reverse=True" in operands
        if name == "sorted":
            return [items[at] for at in sorted(pairs, key=lambda at: order[at], reverse=reverse)]
        return items[(min if name == "min" else max)(pairs, key=lambda at: order[at])]
    return value_of(f"{name}({', '.join(operands)})")


def _matches(raised: str, wanted: str) -> Answer:
    name = raised.partition("(")[0]
    try:
        kind = value_of(name)
    except NameError:
        return show(name in wanted or wanted in ("Exception", "BaseException"))
    try:
        return show(issubclass(kind, value_of(wanted)))
    except NameError:
        return show(False)


def _item(operation: Operation) -> Answer:
    container = value_of(operation.operands[0])
    if operation.name == "pair":
        items = list(container.items())
    elif operation.name == "value":
        items = list(container.values())
    elif operation.name == "reversed":
        items = list(reversed(container))
    else:
        items = list(container)
    return show(items[operation.position]) if operation.position < len(items) else Stop()
