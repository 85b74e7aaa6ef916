"""Values in a walk that are no plain literals: functions, classes, instances, exceptions, iterators, and
objects of which only a text is known.

Plain values are Python's own objects, so that what two names share is one object here too. What is defined
here refuses every question that its class or its text can't answer. Leaves out who asks (evaluate.py).
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from cwm_lsp.source.functions import Function
from cwm_lsp.source.literals_limits import CONTAINERS, Refused, order_known

_NAME = re.compile(r"<(?:[\w.<>]+\.)?(\w+) object(?: at 0x[0-9a-fA-F]+)?>")


class Opaque:
    """An object of which nothing is known but how it is shown."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _refuse(self, *_: object) -> NoReturn:
        raise Refused(f"what {self.text[:40]} does is not known")

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __ne__ = _refuse
    __bool__ = __len__ = __iter__ = __contains__ = __hash__ = _refuse


class FunctionObject:
    """One of the document's functions; `env` are the variables around it, `defaults` what its parameters
    are without arguments (None: those of the module, made once)."""

    __slots__ = ("defaults", "env", "function")

    def __init__(
        self, function: Function, env: Variables | None = None, defaults: dict[str, Any] | None = None
    ) -> None:
        self.function = function
        self.env = env
        self.defaults = defaults

    @property
    def qualname(self) -> str:
        """The function's qualified name."""
        return self.function.qualname

    def __repr__(self) -> str:
        return f"<function {self.qualname}>"


class Variables(dict[str, Any]):
    """The variables of one activation, name to Ref; `around` are those of the function that it stands in."""

    __slots__ = ("around", "function")

    def __init__(self, function: str, around: Variables | None = None) -> None:
        super().__init__()
        self.function = function
        self.around = around


class ClassObject:
    """A class of the document."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<class '{self.name}'>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClassObject) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


class Builtin:
    """A builtin that is not computed: an exception class, `open`, `print`."""

    __slots__ = ("kind", "name")

    def __init__(self, name: str, *, is_class: bool) -> None:
        self.name = name
        self.kind = "class" if is_class else "built-in function"

    def __repr__(self) -> str:
        return f"<class '{self.name}'>" if self.kind == "class" else f"<built-in function {self.name}>"


class Instance:
    """An object of one of the document's classes. `steady`: its class leaves how it is shown to Python;
    `compared`: and how it is compared; `whole`: all its attributes are known."""

    __slots__ = ("attributes", "class_name", "compared", "steady", "whole")

    def __init__(
        self, class_name: str, *, steady: bool = True, compared: bool = True, whole: bool = True
    ) -> None:
        self.class_name = class_name
        self.attributes: dict[str, Any] = {}
        self.steady = steady
        self.compared = compared
        self.whole = whole

    def __repr__(self) -> str:
        return f"<{self.class_name} object>"

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not self.compared or not isinstance(other, Instance):
            raise Refused(f"how a {self.class_name} compares is not known")
        return NotImplemented

    def __hash__(self) -> int:
        raise Refused(f"the hash of a {self.class_name} is not known")

    def _refuse(self, *_: object) -> NoReturn:
        raise Refused(f"how a {self.class_name} compares is not known")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class BoundMethod:
    """A method of an instance, not yet called."""

    __slots__ = ("function", "receiver")

    def __init__(self, function: FunctionObject, receiver: Any) -> None:
        self.function = function
        self.receiver = receiver

    def __repr__(self) -> str:
        return f"<bound method {self.function.qualname} of {self.receiver.value!r}>"


class ExceptionObject:
    """An exception: its class and what it was made with."""

    __slots__ = ("arguments", "attributes", "class_name")

    def __init__(self, class_name: str, arguments: tuple[Any, ...] = ()) -> None:
        self.class_name = class_name
        self.arguments = arguments
        self.attributes: dict[str, Any] = {}

    def __repr__(self) -> str:
        if len(self.arguments) == 1:
            return f"{self.class_name}({self.arguments[0]!r})"
        return f"{self.class_name}{self.arguments!r}" if self.arguments else f"{self.class_name}()"

    @property
    def message(self) -> Any:
        """What `str` shows of it, if it has one argument that is shown as it is; raises Refused."""
        if not self.arguments:
            return ""
        if len(self.arguments) > 1 or self.class_name in (
            "OSError",
            "UnicodeDecodeError",
            "UnicodeEncodeError",
        ):
            raise Refused("how this exception is shown is not known")
        argument = self.arguments[0]
        if self.class_name == "KeyError":
            return show(argument)
        return argument if type(argument) is str else show(argument)


class GeneratorObject:
    """A generator of the document; what it is doing is the machine's business."""

    __slots__ = ("function", "number")

    def __init__(self, function: str, number: int) -> None:
        self.function = function
        self.number = number

    def __repr__(self) -> str:
        return f"<generator object {self.function}>"


class Walker:
    """An iterator: what it walks over, how, and how far it has come.

    `mode` is item, key, value, pair, enumerate, zip, map, filter, reversed, range or generator; `sources`
    are the containers, or the walkers it takes from; `start` is enumerate's first number. `last` is the last
    item taken, `real` Python's own iterator where there is one, `function` what map and filter call.
    """

    __slots__ = ("done", "function", "last", "mode", "real", "sources", "start", "taken")

    def __init__(self, mode: str, sources: tuple[Any, ...], start: int = 0, function: Any = None) -> None:
        self.mode = mode
        self.sources = sources
        self.start = start
        self.function = function
        self.taken = 0
        self.last: Any = None
        self.done = False
        self.real: Any = None

    def __repr__(self) -> str:
        return walker_text(self)


_VIEW_ITERATORS = {"key": "dict_keyiterator", "value": "dict_valueiterator", "pair": "dict_itemiterator"}


def walker_text(walker: Walker) -> str:
    """How an iterator is shown: its kind, its address removed."""
    source = walker.sources[0] if walker.sources else None
    if walker.mode == "generator":
        return repr(source)
    if walker.mode in ("enumerate", "zip", "map", "filter"):
        return f"<{walker.mode} object>"
    if walker.mode == "reversed":
        kind = type(source).__name__
        return {
            "list": "<list_reverseiterator object>",
            "range": "<range_iterator object>",
            "dict": "<dict_reversekeyiterator object>",
        }.get(kind, "<reversed object>")
    if walker.mode in _VIEW_ITERATORS and type(source) is dict:
        return f"<{_VIEW_ITERATORS[walker.mode]} object>"
    if isinstance(source, Opaque):
        return "<iterator object>"
    name = type(source).__name__
    if name.startswith("dict"):
        return {"dict_values": "<dict_valueiterator object>", "dict_items": "<dict_itemiterator object>"}.get(
            name, "<dict_keyiterator object>"
        )
    return f"<{'set' if name == 'frozenset' else name}_iterator object>"


def show(value: Any) -> str:
    """The text of any value of a walk."""
    try:
        return repr(value)
    except (RecursionError, ValueError):
        raise Refused("the value is too large to be shown") from None


def is_steady(value: Any, text: str) -> bool:
    """True if every run shows the value with this text: no set whose order is by chance, no object that
    shows itself in its own way."""
    if "{" not in text and "<" not in text:
        return True
    return _steady(value, set())


def _steady(value: Any, around: set[int]) -> bool:
    kind = type(value)
    if kind in (set, frozenset):
        return order_known(value)
    if kind is Instance:
        return bool(value.steady)
    if kind is ExceptionObject:
        return all(_steady(item, around) for item in value.arguments)
    if kind not in CONTAINERS or id(value) in around:
        return True
    around.add(id(value))
    items = (*value, *value.values()) if kind is dict else value
    return all(_steady(item, around) for item in items)


def class_named(text: str) -> str | None:
    """The class name in `<module.Name object>` or `<Name object>`, or None."""
    match = _NAME.fullmatch(text)
    return match.group(1) if match else None


def replace_contents(value: Any, other: Any) -> bool:
    """Makes a container hold what another holds, so that all names of it see it. False if it can't."""
    kind = type(value)
    if kind is not type(other):
        return False
    if kind is list:
        value[:] = other
    elif kind in (dict, set):
        value.clear()
        value.update(other)
    else:
        return False
    return True


def lowest(one: float | None, two: float | None) -> float | None:
    """The lower of two confidences; None is certain."""
    if one is None or two is None:
        return two if one is None else one
    return min(one, two)
