"""The primitive operations a line of code is made of, as data.

Whoever knows the answer (a model, an evaluator, a real Python) is asked one `Operation` at a time by the
walk over the line (evaluate.py, execute.py). Leaves out how the questions are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from cwm_lsp.source.objects import ExceptionObject, FunctionObject, GeneratorObject, Walker

OperationKind = Literal[
    "unary",  # name operand
    "binary",  # left name right
    "compare",  # left name right -> bool
    "truth",  # bool(operand)
    "index",  # container[key]
    "slice",  # container[start:stop:step]; an omitted bound is ""
    "call",  # name(operands), a builtin or a name the document doesn't define
    "method",  # operands[0].name(operands[1:]): the returned value
    "mutated",  # operands[0] after .name(operands[1:])
    "set_index",  # container after container[key] = value
    "del_index",  # container after del container[key]
    "set_slice",  # container after container[start:stop:step] = value: container, value, start, stop, step
    "del_slice",  # container after del container[start:stop:step]
    "attribute",  # operand.name
    "format",  # format(operand, name): name is the format spec, conversions included ("!r:>5")
    "join",  # the parts of an f-string put together
    "item",  # the next item of an iteration; name says how the container is read
    "matches",  # isinstance(exception, class) in an except clause -> bool
    "make_set",  # the set of the operands
]


_TESTS: dict[str, frozenset[str]] = {
    "call": frozenset(("bool", "any", "all", "isinstance", "issubclass", "callable", "hasattr")),
    "method": frozenset(
        (
            *("startswith", "endswith", "isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace"),
            *("istitle", "isnumeric", "isdecimal", "isidentifier", "isascii", "isprintable"),
            *("issubset", "issuperset", "isdisjoint", "is_integer"),
        )
    ),
}
"""Builtins and methods of builtin types that answer with a bool."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One question: what do these operands give? Operands are `repr` texts (or, for a call's function
    arguments, source text). `position` is the cursor of an "item" operation: how many items were taken
    before."""

    kind: OperationKind
    operands: tuple[str, ...]
    name: str = ""
    position: int = 0

    @property
    def is_test(self) -> bool:
        """True if the answer can only be True, False or an exception."""
        if self.kind in ("compare", "truth", "matches"):
            return True
        return (self.kind, self.name) == ("unary", "not") or self.name in _TESTS.get(self.kind, ())


@dataclass(frozen=True, slots=True)
class Ref:
    """A value in the walk. What two names share is one object. `sure` is the confidence that it is right;
    None for what was given or computed from it. `shown` is how a frame showed it when it was given:
    as long as it has that text, it is what was given."""

    value: Any
    sure: float | None = None
    shown: Any = None


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception as an answer: the `repr` of the instance, or the exception itself."""

    text: str
    exception: ExceptionObject | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """The answer to an "item" operation when nothing is left; `value` is what a generator returned."""

    value: Any = None


@dataclass(frozen=True, slots=True)
class Enter:
    """A call of one of the document's functions: its frames come next, and its result is the answer.

    `arguments` binds parameters (and `.0`) in order; `walker` is what a comprehension walks over.
    """

    function: FunctionObject
    arguments: tuple[tuple[str, Ref], ...]
    walker: Walker | None = None


@dataclass(frozen=True, slots=True)
class Create:
    """A call of a generator function, or a generator expression: no frame yet, the answer is the
    generator."""

    function: FunctionObject
    arguments: tuple[tuple[str, Ref], ...]
    walker: Walker | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """The next value is taken from a generator (its frames come next); `close` drops it instead."""

    generator: GeneratorObject
    close: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """A statement over several lines goes on at another of them; the answer is None."""

    line: int


Answer = str | Raised | Stop | Ref
Question = Operation | Enter | Create | Resume | Visit
Walk = Generator[Question, Answer, Ref]
T = TypeVar("T")


class Unsupported(Exception):  # noqa: N818
    """The walk can't take this code apart; the message is one sentence that names it."""


@dataclass(slots=True)
class Outcome:
    """What a line did once all its questions are answered.

    `branch` is the truth of its test (loops: whether an item was taken), None where it has none; `value`
    is what it returned or yielded; `raised` the exception that left it, or went unmatched by an except
    clause (kind "next"); `line` where it must go on, if it is only there;
    `jump` is how it leaves a block.
    """

    kind: Literal["next", "return", "yield", "raise"]
    branch: bool | None = None
    value: Ref | None = None
    raised: Ref | None = None
    line: int | None = None
    jump: Literal["", "break", "continue"] = ""


def drive(walk: Generator[Operation, Answer, T], answer: Callable[[Operation], Answer]) -> T:
    """Walks to the end, each question answered; what the walk returns."""
    try:
        question = next(walk)
        while True:
            question = walk.send(answer(question))
    except StopIteration as finished:
        returned: T = finished.value
        return returned
