"""The part of a walk that turns values into questions and answers into values.

Where the scope computes, an operation is done on the spot; what can't be computed, or where nothing is, is
asked as an `Operation` over texts. An answer that shows what Python would give becomes that very object, so
that names that share it go on sharing it; any other answer is a new one. Leaves out expressions
(evaluate.py).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from cwm_lsp.source.literals_build import Built, Env, build
from cwm_lsp.source.literals_calls import BUILTINS, ITERATORS
from cwm_lsp.source.literals_limits import CONTAINERS, Budget, Limits, Refused
from cwm_lsp.source.objects import (
    Builtin,
    GeneratorObject,
    Walker,
    replace_contents,
    show,
)
from cwm_lsp.source.operations import (
    Answer,
    Create,
    Enter,
    Operation,
    OperationKind,
    Question,
    Raised,
    Ref,
    Stop,
    Unsupported,
    Visit,
    Walk,
)
from cwm_lsp.source.scope import Scope
from cwm_lsp.source.told_values import exception_from, exception_of, value_from

Compute = Callable[[Budget], Any]
STOPPED = Ref(Stop())
NONE = Ref(None)

NO_RESULT = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "sort",
        "reverse",
        "clear",
        "add",
        "discard",
        "update",
        "difference_update",
        "intersection_update",
        "symmetric_difference_update",
        "appendleft",
        "extendleft",
        "rotate",
    ]
)
MUTATING = NO_RESULT | {"pop", "popitem", "setdefault", "popleft"}


class PythonRaised(Exception):  # noqa: N818
    """An exception was raised: unwinds the walk to the statement. `value` is an ExceptionObject, or an Opaque
    where only its text is known."""

    def __init__(self, value: Any, sure: float | None = None) -> None:
        super().__init__(repr(value))
        self.value = value
        self.sure = sure


@dataclass(frozen=True, slots=True)
class Keyword:
    """An operand that is given by name."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Keys:
    """What a key function gave for each element."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An operand that is source text; "" for a bound that is left out."""

    text: str


OMITTED = Source("")


class Asking:
    """One line's questions."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.computes = scope.computes
        self.budget = Budget(LINE_LIMITS)
        self.views: dict[int, tuple[Any, Any, str]] = {}
        self._env: Env | None = None
        self.several = False
        self.line = 0
        self.jumps_at = 0

    # -- lines

    def over(self, first: int, last: int, line: int = 0) -> None:
        """The statement stands on these lines, and begins at `line` (the first of them if 0): where there are
        several, each change of line is a visit."""
        self.several = first != last
        self.line = line or first
        self.jumps_at = first

    def at(self, node: ast.expr | ast.stmt | None, line: int = 0) -> Generator[Question, Answer, None]:
        """What comes next is done on the line of a node, or another."""
        line = line or (node.lineno if node is not None else self.line)
        if self.several and line != self.line:
            self.line = line
            yield Visit(line)

    # -- calls

    @staticmethod
    def entered(question: Enter | Create) -> Walk:
        """The result of a call of a function of the document, or the generator that it makes."""
        answer = yield question
        if isinstance(answer, Ref):
            return answer
        raise Unsupported("what this call gave is not known")

    # -- computing

    def direct(self, node: ast.expr) -> Ref | None:
        """The value of an expression that is nothing but operations on plain values: computed in one go."""
        run = direct_of(node)
        if run is None or not self.scope.certain:
            return None
        if self._env is None:
            self._env = Env(_Seen(self.scope), self.budget, None, inner=False)
        try:
            value = run(self._env)
        except (Refused, RecursionError, MemoryError):
            return None
        except PythonRaised:
            raise
        except Exception as error:
            raise PythonRaised(exception_of(error)) from None
        return None if type(value) in ITERATORS else Ref(value)

    def operate(
        self,
        compute: Compute,
        kind: OperationKind,
        operands: tuple[Any, ...],
        name: str = "",
        position: int = 0,
    ) -> Walk:
        """The result of an operation that changes nothing."""
        sure = self.scope.doubt(operands)
        if self.computes:
            try:
                return Ref(compute(self.budget), sure)
            except Refused:
                pass
            except (PythonRaised, Unsupported):
                raise
            except (RecursionError, MemoryError):
                pass
            except Exception as error:
                raise PythonRaised(exception_of(error), sure) from None
        answer = yield Operation(kind, tuple(self.operand(each) for each in operands), name, position)
        return self.adopted(answer, compute, sure)

    def adopted(self, answer: Answer, compute: Compute | None, sure: float | None) -> Ref:
        """An answer as a value: the object that Python would give if it shows the same."""
        if isinstance(answer, Ref):
            return answer
        sure = self.lowest(sure)
        if isinstance(answer, Raised):
            raise PythonRaised(answer.exception or exception_from(answer.text, self.scope), sure)
        if isinstance(answer, Stop):
            return Ref(answer, sure)
        if compute is not None and answer[:1] in "[{(<fsEKTVRISAZ":
            try:
                true = compute(self.budget)
                if show(true) == answer:
                    return Ref(true, sure)
            except Exception:  # noqa: S110  (the answer stands, whatever Python would have said)
                pass
        return self.made(Ref(value_from(answer, self.scope), sure))

    def lowest(self, sure: float | None) -> float:
        """A confidence together with that of the answers on this line."""
        certainty = self.scope.certainty
        return certainty if sure is None else min(sure, certainty)

    def made(self, ref: Ref) -> Ref:
        """A new value; a container remembers that it is a model's word."""
        if ref.sure is not None and type(ref.value) in CONTAINERS:
            self.scope.taint(ref.value, ref.sure)
        return ref

    def change(
        self,
        target: Ref,
        compute: Callable[[Any, Budget], Any],
        kind: OperationKind,
        operands: tuple[Any, ...],
        name: str = "",
    ) -> Walk:
        """Changes a container in place; the answer to the question is how it is afterwards. The value is what
        the change gives back."""
        found = self.change_now(target, compute, operands)
        if found is not None:
            return found
        sure = self.scope.doubt(operands)
        value = target.value
        answer = yield Operation(kind, tuple(self.operand(each) for each in operands), name)
        if isinstance(answer, Raised):
            raise PythonRaised(answer.exception or exception_from(answer.text, self.scope), self.lowest(sure))
        if not isinstance(answer, str):
            raise Unsupported(f"the answer to {kind} is no value")
        return self._changed(value, compute, answer, self.lowest(sure))

    def change_now(
        self, target: Ref, compute: Callable[[Any, Budget], Any], operands: tuple[Any, ...]
    ) -> Ref | None:
        """The same, if it can be computed; None if it must be asked."""
        if not self.computes:
            return None
        sure = self.scope.doubt(operands)
        try:
            result = Ref(compute(target.value, self.budget), sure)
        except (Refused, RecursionError, MemoryError):
            return None
        except Exception as error:
            raise PythonRaised(exception_of(error), sure) from None
        finally:
            self.scope.touched()
        if sure is not None:
            self.scope.taint(target.value, sure)
        return result

    def _changed(self, value: Any, compute: Callable[[Any, Budget], Any], answer: str, sure: float) -> Ref:
        self.scope.touched()
        if type(value) in (list, dict, set):
            twin = value.copy()
            try:
                compute(twin, self.budget)
                alike = show(twin) == answer
            except Exception:
                alike = False
            if alike:
                result = compute(value, self.budget)
                self.scope.taint(value, sure)
                return Ref(result, sure)
        new = value_from(answer, self.scope)
        if not replace_contents(value, new):
            raise Unsupported("a change inside an object that can't be seen can't be told")
        self.scope.taint(value, sure)
        return Ref(None, sure)

    # -- texts

    def operand(self, value: Any) -> str:
        """An operand as text."""
        if isinstance(value, Ref):
            value = value.value
        if isinstance(value, Source):
            return value.text
        if isinstance(value, Keyword):
            return f"{value.name}={self.operand(value.value)}"
        if isinstance(value, Keys):
            return "keys=[" + ", ".join(show(each) for each in value.values) + "]"
        if isinstance(value, Walker):
            return self._walker_operand(value)
        if isinstance(value, GeneratorObject):
            raise Unsupported("what takes a generator here can't be taken apart")
        if isinstance(value, Builtin):
            return value.name
        if is_builtin(value):
            return str(value.__name__)
        view = self.views.get(id(value))
        if view is not None:
            return f"{show(view[1])}.{view[2]}()"
        return show(value)

    def _walker_operand(self, walker: Walker) -> str:
        """An iteration as a source expression over literals, such as `enumerate([1, 2])`."""
        inner = [self.operand(source) for source in walker.sources]
        if walker.mode == "generator" or walker.taken:
            raise Unsupported("what takes an iterator here can't be taken apart")
        if walker.mode in ("enumerate", "zip", "reversed"):
            if walker.start:
                inner.append(str(walker.start))
            return f"{walker.mode}({', '.join(inner)})"
        if walker.mode in ("map", "filter"):
            raise Unsupported(f"what takes a {walker.mode} object here can't be taken apart")
        view = {"pair": "items", "value": "values"}.get(walker.mode)
        return f"{inner[0]}.{view}()" if view else inner[0]


LINE_LIMITS = Limits(work=400_000, seconds=0.2)


class _Seen:
    """The names of a scope as plain values, for what is computed in one go."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __getitem__(self, name: str) -> Any:
        found = self.scope.lookup(name)
        if found is None:
            raise Refused(f"the value of {name} is not known")
        return found.value


def is_builtin(value: Any) -> bool:
    """True for builtin functions and types that are computed."""
    try:
        return value in BUILTINS
    except (TypeError, Refused):
        return False


_CALLS_OK = (ast.Constant, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.List,
             ast.Tuple, ast.Set, ast.Dict, ast.JoinedStr, ast.FormattedValue, ast.Slice, ast.Subscript,
             ast.Attribute, ast.Call, ast.Starred, ast.keyword, ast.operator, ast.unaryop, ast.boolop,
             ast.cmpop, ast.expr_context)  # fmt: skip


def direct_of(node: ast.expr) -> Built | None:
    """The closure of an expression in which nothing is entered, bound or changed; None for any other."""
    try:
        return node._cwm_direct  # type: ignore[attr-defined,no-any-return]
    except AttributeError:
        pass
    found: Built | None = None
    if _is_direct(node):
        try:
            found = build(node)
        except Refused:
            found = None
    node._cwm_direct = found  # type: ignore[attr-defined]
    return found


def _is_direct(node: ast.expr) -> bool:
    for part in ast.walk(node):
        if not isinstance(part, _CALLS_OK):
            return False
        if isinstance(part, ast.Call):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if name in MUTATING or name in ("next", "iter", "print"):
                return False
        elif isinstance(part, ast.Attribute) and part.attr in MUTATING:
            return False
    return True
