"""Calls of a file's functions, computed thousands of times a second with whatever stands in the holes.

Functions become closures once (statements.py and source/literals_build.py); a hole looks its filling up when
it is reached. Only what the restricted evaluator allows is computed, on values of our own: no user code is
compiled or run. The plain reference is the simulation. Leaves out classes, generators and imports: Refused.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cwm_lsp.fill.examples import Example
from cwm_lsp.fill.statements import Block, assigned_names, block_of
from cwm_lsp.source.document import Document
from cwm_lsp.source.holes import fill_holes
from cwm_lsp.source.literals import Limits, Refused, compute
from cwm_lsp.source.literals_build import Env, build
from cwm_lsp.source.literals_builtins import NAMES
from cwm_lsp.source.literals_calls import Function
from cwm_lsp.source.literals_limits import Budget
from cwm_lsp.source.tokens import Mark

LIMITS = Limits(bits=512, length=2_000, work=1_300, seconds=0.03)
"""Examples are small, and so is what a run of them may cost: about fifty rounds of a loop."""
PATIENT = Limits(bits=2_048, length=20_000, work=60_000, seconds=0.25)
DEEPEST_CALL = 40

Filling = Callable[[Env], Any]
"""What stands in a hole: gives a value where the hole is an expression, a signal where it is a statement."""
Status = Literal["returned", "raised", "refused"]
IMMUTABLE = (int, float, complex, str, bytes, bool, type(None))


_ONLY_READING = frozenset(
    ("len", "sorted", "sum", "max", "min", "enumerate", "zip", "set", "reversed", "any", "all")
)
_READING_METHODS = frozenset(("get", "items", "keys", "values", "index", "count"))


class Unbound:
    """Stands for a local that hides a name from outside and has no value yet. Every operator refuses it."""


UNBOUND = Unbound()


@dataclass(slots=True)
class Slots:
    """What stands in the holes at the moment, and which were reached in this run (a bit for each)."""

    fillings: list[Filling]
    reached: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the value returned, or the exception, or why it was refused; the holes it reached."""

    status: Status
    value: Any
    reached: int


def unfilled(_: Env) -> Any:
    """Stands in a hole that nobody has filled."""
    raise Refused("there is a hole here")


@dataclass(eq=False)
class Program:
    """The functions of a document as closures, its holes open. One run at a time."""

    document: Document
    limits: Limits = LIMITS
    slots: Slots = field(init=False)
    hole_nodes: dict[int, ast.AST] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.slots = Slots([unfilled] * len(self.document.holes))
        marks = [Mark(hole.line, hole.column, False) for hole in self.document.holes]
        self.tree = ast.parse("".join(fill_holes(self.document.lines, marks)))
        wanted = {
            (hole.line, len(self.document.lines[hole.line - 1][: hole.column - 1].encode())): at
            for at, hole in enumerate(self.document.holes)
        }
        for node in ast.walk(self.tree):
            at = wanted.get((getattr(node, "lineno", 0), getattr(node, "col_offset", -1)))
            if at is not None and isinstance(node, ast.Name) and node.id == "_":
                self.hole_nodes[at] = node
                node._cwm_built = self._opening(at)  # type: ignore[attr-defined]
                node._cwm_hole = at  # type: ignore[attr-defined]
            if isinstance(node, ast.Attribute) and node.attr == "_":
                self._attribute(node)
        for node in ast.walk(self.tree):
            self._called_attribute(node)
        self._names: dict[str, Any] = {}
        self._fresh: dict[str, ast.expr] = {}
        self._module = Env(self._names, Budget(self.limits), None, inner=False)
        self._depth = 0
        self._read_module()

    # -- holes

    def _opening(self, at: int) -> Filling:
        slots, bit = self.slots, 1 << at

        def run(env: Env) -> Any:
            slots.reached |= bit
            return slots.fillings[at](env)

        return run

    def _attribute(self, node: ast.Attribute) -> None:
        """The hole of `x.?` takes the place of the whole attribute (or of its call)."""
        line, column = node.end_lineno or 0, (node.end_col_offset or 0) - 1
        for at, hole in enumerate(self.document.holes):
            start = len(self.document.lines[hole.line - 1][: hole.column - 1].encode())
            if (hole.line, start) == (line, column):
                self.hole_nodes[at] = node
                node._cwm_built = self._opening(at)  # type: ignore[attr-defined]

    def _called_attribute(self, node: ast.AST) -> None:
        if isinstance(node, ast.Call):
            for at, hole_node in list(self.hole_nodes.items()):
                if node.func is hole_node and isinstance(hole_node, ast.Attribute):
                    self.hole_nodes[at] = node
                    node._cwm_built = self._opening(at)  # type: ignore[attr-defined]

    # -- the module

    def _read_module(self) -> None:
        bound: dict[str, int] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Global):
                bound.update((name, 2) for name in node.names)
        for statement in self.tree.body:
            for name in assigned_names([statement]):
                bound[name] = bound.get(name, 0) + 1
        for statement in self.tree.body:
            if isinstance(statement, ast.FunctionDef):
                self._names[statement.name] = self.function(statement, self._module)
            elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name) and bound[target.id] == 1:
                    self._constant(target.id, statement.value)

    def _constant(self, name: str, node: ast.expr) -> None:
        if any(getattr(part, "_cwm_hole", None) is not None for part in ast.walk(node)):
            return
        try:
            value = compute(node, {})
        except Exception:
            return
        if isinstance(value, IMMUTABLE) or (
            isinstance(value, tuple) and all(isinstance(v, IMMUTABLE) for v in value)
        ):
            self._names[name] = value
        elif isinstance(value, list | dict | set) and len(value) <= 60 and self._only_read(name):
            self._fresh[name] = node

    def _only_read(self, name: str) -> bool:
        """True if nothing in the file can change what a module-level container holds."""
        safe: set[int] = set()
        for node in ast.walk(self.tree):
            match node:
                case ast.Subscript(value=value, ctx=ast.Load()):
                    safe.add(id(value))
                case ast.Compare(comparators=comparators):
                    safe.update(map(id, comparators))
                case ast.For(iter=walked) | ast.comprehension(iter=walked):
                    safe.add(id(walked))
                case ast.Call(func=ast.Name(id=called), args=arguments) if called in _ONLY_READING:
                    safe.update(map(id, arguments))
                case ast.Attribute(value=value, attr=attr) if attr in _READING_METHODS:
                    safe.add(id(value))
        return all(
            id(node) in safe or isinstance(node.ctx, ast.Store)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name) and node.id == name
        )

    @property
    def function_names(self) -> list[str]:
        """The functions of the module."""
        return [name for name, value in self._names.items() if isinstance(value, Function)]

    # -- functions

    def function(self, node: ast.FunctionDef, around: Env) -> Function:
        """A function as a value. What can't be computed is found out when it is called."""
        held: list[Block] = []
        signature = node.args
        names = [argument.arg for argument in signature.args]
        simple = not (signature.posonlyargs or signature.kwonlyargs or signature.vararg or signature.kwarg)
        # A list as a default is shared by all calls: nothing that computes calls one by one can tell.
        simple = simple and all(
            isinstance(part, ast.Constant | ast.UnaryOp | ast.Tuple | ast.Name) for part in signature.defaults
        )
        defaults = self._defaults(signature.defaults, around) if simple else []
        hidden = {
            name: UNBOUND
            for name in assigned_names(node.body)
            if name not in names and (name in NAMES or name in self._names)
        }

        def call(*arguments: Any, **named: Any) -> Any:
            if not held:
                held.append(self._body(node, simple=simple))
            if len(arguments) != len(names) or named:
                arguments = self._bound(node.name, names, defaults, arguments, named)
            values: dict[str, Any] = dict(zip(names, arguments, strict=True))
            if hidden:
                values.update(hidden)
            budget = self._module.budget
            budget.charge(10)
            if self._depth >= DEEPEST_CALL:
                raise Refused("calls nest too deep")
            self._depth += 1
            try:
                signal = held[0](Env(values, budget, around, inner=False))
            finally:
                self._depth -= 1
            return signal[0] if type(signal) is tuple else None

        return Function(call, node.name)

    def _body(self, node: ast.FunctionDef, *, simple: bool) -> Block:
        if not simple:
            raise Refused("such parameters are not computed")
        if node.decorator_list:
            raise Refused("decorated functions are not computed")
        for inner in ast.walk(node):
            if isinstance(inner, ast.Yield | ast.YieldFrom | ast.Await | ast.Global | ast.Nonlocal):
                raise Refused("generators and names of other functions are not computed")
        return block_of(node.body, self.function)

    def _defaults(self, nodes: list[ast.expr], around: Env) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            try:
                value = build(node)(around) if not isinstance(node, ast.Constant) else node.value
            except Exception:
                value = UNBOUND
            found.append(value if isinstance(value, IMMUTABLE) else UNBOUND)
        return found

    @staticmethod
    def _bound(
        name: str, names: list[str], defaults: list[Any], given: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[Any, ...]:
        if len(given) > len(names) or not set(named) <= set(names[len(given) :]):
            raise TypeError(f"{name}() got arguments that don't fit")
        values = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        values.update(zip(names, given, strict=False))
        values.update(named)
        if len(values) < len(names):
            raise TypeError(f"{name}() is missing arguments")
        if any(value is UNBOUND for value in values.values()):
            raise Refused("this default is not computed")
        return tuple(values[parameter] for parameter in names)

    def value_of(self, name: str) -> Any:
        """What a name of the module stands for, None if it isn't computed."""
        return self._names.get(name)

    @property
    def module_names(self) -> dict[str, Any]:
        """The names of the module."""
        return self._names

    def computed(self, function: Function, arguments: tuple[Any, ...]) -> Any:
        """A call of one of the file's functions by itself. Raises what it raises, and Refused."""
        self._depth = 0
        self._module.budget = Budget(self.limits)
        self.slots.fillings[:] = [unfilled] * len(self.slots.fillings)
        return function.call(*arguments)

    # -- running

    def run(self, example: Example, fillings: Sequence[Filling], limits: Limits | None = None) -> Outcome:
        """One call with these fillings. Never raises, and ends within its limits."""
        slots = self.slots
        slots.fillings[:] = fillings
        slots.reached = 0
        self._depth = 0
        budget = self._module.budget = Budget(limits or self.limits)
        function = self._names.get(example.function)
        if not isinstance(function, Function):
            return Outcome("refused", f"{example.function} is not computed", 0)
        try:
            for name, node in self._fresh.items():
                self._names[name] = build(node)(self._module)
            arguments = [part(self._module) for part in example.built]
            value = function.call(*arguments)
            budget.weigh(value)
            return Outcome("returned", value, slots.reached)
        except (Refused, RecursionError, MemoryError) as error:
            return Outcome("refused", str(error), slots.reached)
        except Exception as error:
            return Outcome("raised", error, slots.reached)

    def works(self, example: Example, fillings: Sequence[Filling], limits: Limits | None = None) -> bool:
        """True if the call gives what the example says."""
        outcome = self.run(example, fillings, limits)
        return outcome.status == "returned" and example.met_by(outcome.value)
