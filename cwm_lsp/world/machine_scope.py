"""What the walk of one line sees of the machine: names, classes, functions of the file, and what is in
doubt.

Leaves out the machine's own state and how it moves from frame to frame (machine.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cwm_lsp.source.asking import PythonRaised, is_builtin
from cwm_lsp.source.functions import Function
from cwm_lsp.source.literals_calls import Module
from cwm_lsp.source.literals_limits import CONTAINERS
from cwm_lsp.source.objects import (
    Builtin,
    ClassObject,
    ExceptionObject,
    FunctionObject,
    GeneratorObject,
    Instance,
    Opaque,
    Variables,
    Walker,
)
from cwm_lsp.source.operations import Ref, Unsupported
from cwm_lsp.source.told_values import value_from

if TYPE_CHECKING:
    from cwm_lsp.world.machine_state import Running, State


@dataclass(slots=True)
class ActivationScope:
    """What the walk of one line sees of the machine."""

    machine: State
    running: Running

    @property
    def computes(self) -> bool:
        """Whether operations are computed where they can be."""
        return self.machine.computes

    @property
    def certain(self) -> bool:
        """True while nothing in the run is a model's word."""
        return self.machine.doubts.certain

    @property
    def certainty(self) -> float:
        """The confidence of the answers given on this line so far."""
        return self.machine.certainty

    @property
    def variables(self) -> Variables:
        """The variables of the activation."""
        return self.running.env

    # -- names

    def lookup(self, name: str) -> Ref | None:
        """A local, an enclosing function's variable, or a name of the module; None if nothing is known of
        it."""
        env: Variables | None = self.running.env
        found = env.get(name) if env is not None else None
        if found is not None:
            return found  # type: ignore[no-any-return]
        names, function = self.machine.names, self.running.function
        if names.is_local(function, name):
            message = f"cannot access local variable '{name}' where it is not associated with a value"
            raise PythonRaised(ExceptionObject("UnboundLocalError", (message,)))
        env = self.running.env.around
        while env is not None:
            if name in env:
                return env[name]  # type: ignore[no-any-return]
            env = env.around
        return self.module_value(name)

    def module_value(self, name: str) -> Ref | None:
        """What a name means outside of any function."""
        known = self.machine.globals
        if name not in known:
            text = self.machine.names.constants.get(name)
            if text is not None:
                known[name] = Ref(value_from(text))
            else:
                found = self._meaning(name)
                if found is None:
                    return None
                known[name] = Ref(found)
        return known[name]

    def _meaning(self, name: str) -> Any:
        found = self.machine.names.meaning(name)
        if isinstance(found, Function):
            if self.machine.computes and self.machine.names.decorators(found):
                return None  # what a decorator makes of it is not known
            return FunctionObject(found)
        if isinstance(found, ast.ClassDef):
            if self.machine.names.is_exception(name):
                return Builtin(name, is_class=True)
            return ClassObject(name)
        if found is None or is_builtin(found) or isinstance(found, Module | str | float):
            return found
        if found is NotImplemented or found is ...:
            return found
        return Builtin(name, is_class=isinstance(found, type))

    def store(self, name: str, value: Ref) -> None:
        """Binds a name where it belongs: here, in a function around, or in the module."""
        env, function = self._home(name)
        if name in self.machine.names.declared(function, ast.Global):
            self.machine.globals[name] = value
        elif name in self.machine.names.nonlocals(function):
            outer = env.around
            while outer is not None and name not in outer:
                outer = outer.around
            (env if outer is None else outer)[name] = value
        else:
            env[name] = value

    def _home(self, name: str) -> tuple[Variables, Function]:
        """The activation whose name it is: what `:=` binds in a comprehension belongs to the function."""
        env, function = self.running.env, self.running.function
        names = self.machine.names
        while function.kind not in ("function", "async", "lambda") and name not in names.variables(function):
            around = self.machine.document.function(function.parent) if function.parent else None
            if env.around is None or around is None:
                break
            env, function = env.around, around
        return env, function

    def unbind(self, name: str) -> None:
        """Unbinds a local."""
        self.running.env.pop(name, None)

    def held(self, generator: GeneratorObject) -> bool:
        """True if a name of a running function still leads to a generator."""
        envs: list[Variables] = []
        for running in self.machine.stack:
            env: Variables | None = running.env
            while env is not None:
                envs.append(env)
                env = env.around
        return any(_leads_to(ref.value, generator, 0) for env in envs for ref in env.values())

    # -- functions

    def function(self, node: ast.AST) -> Function:
        """The function that a lambda, comprehension or inner def makes."""
        return self.machine.names.function_of(node)

    def parameters(self, function: Function) -> ast.arguments:
        """The parameters of a function of the document."""
        return self.machine.names.parameters(function)

    def default(self, function: FunctionObject, parameter: str) -> Ref:
        """What a parameter is where no argument is given."""
        if function.defaults is not None and parameter in function.defaults:
            return function.defaults[parameter]  # type: ignore[no-any-return]
        found = self.machine.default(function.function, parameter)
        if found is None:
            raise Unsupported(f"the default of {parameter} is no literal")
        return found

    # -- classes

    def method(self, class_name: str, name: str) -> FunctionObject | None:
        """`C.name`, if the document's class has it, or one that it is based on."""
        bases = self.machine.names.bases(class_name.removeprefix("super "))
        if class_name.startswith("super "):
            bases = bases[1:] if bases else bases
        for base in bases or ():
            found = self.machine.document.function(f"{base}.{name}")
            if found is not None:
                return FunctionObject(found)
        return None

    def is_method_kind(self, function: Function) -> str:
        """method, static, class or property; other if it has decorators that are not known."""
        decorators = self.machine.names.decorators(function)
        kinds = {"staticmethod": "static", "classmethod": "class", "property": "property"}
        return (
            "method"
            if not decorators
            else kinds.get(decorators[0], "other")
            if len(decorators) == 1
            else "other"
        )

    def class_attribute(self, class_name: str, name: str) -> Ref | None:
        """A value that the body of a class gives to a name, made once."""
        for base in self.machine.names.bases(class_name) or ():
            key = (base, name)
            if key not in self.machine.shared:
                text = self.machine.names.class_constant(base, name)
                if text is None:
                    continue
                self.machine.shared[key] = Ref(value_from(text))
            return self.machine.shared[key]
        return None

    def set_class_attribute(self, class_name: str, name: str, value: Ref) -> None:
        """Gives an attribute to a class, for all who look it up."""
        self.machine.shared[(class_name, name)] = value

    def make(self, class_name: str) -> Instance:
        """A new instance. Raises Unsupported for a class that can't be taken apart."""
        names = self.machine.names
        bases = names.bases(class_name)
        if bases is None:
            raise Unsupported(f"what {class_name} is based on is not known")
        if self.machine.computes and any(names.class_is_special(base) for base in bases):
            raise Unsupported(f"how {class_name} makes its instances can't be taken apart")
        has = self._has_method(bases)
        return Instance(
            class_name,
            steady=not has("__repr__") and not names.class_is_special(class_name),
            compared=not has("__eq__") and not names.class_is_special(class_name),
        )

    def _has_method(self, bases: tuple[str, ...]) -> Any:
        document = self.machine.document
        return lambda name: any(document.function(f"{base}.{name}") is not None for base in bases)

    def is_instance(self, value: Any, class_name: str) -> bool | None:
        """Whether a value is an instance of one of the document's classes."""
        if isinstance(value, Opaque):
            return None
        if not isinstance(value, Instance):
            return False
        bases = self.machine.names.bases(value.class_name)
        return None if bases is None else class_name in bases

    def is_exception(self, name: str) -> bool:
        """True for exception classes whose `repr` is the usual one."""
        return self.machine.names.is_exception(name)

    def exception_bases(self, name: str) -> tuple[str, ...] | None:
        """The names of an exception class and all its bases."""
        return self.machine.names.exception_bases(name)

    # -- doubt

    def doubt(self, values: Iterable[Any]) -> float | None:
        """The lowest confidence among values and what they hold; None if all are certain."""
        return self.machine.doubts.of(values)

    def taint(self, value: Any, sure: float | None) -> None:
        """What a container holds is a model's word from now on."""
        self.machine.doubts.taint(value, sure)

    def loop_around(self, line: int) -> int:
        """The line on which the innermost loop around a line begins; 0 if there is none."""
        return (self.machine.names.loop_starts(self.running.function, line) or (0,))[0]

    def touched(self) -> None:
        """Some container has changed: texts that are kept are old."""
        self.machine.texts.clear()

    def decided(self, sure: float | None) -> None:
        """A test or a loop went one way for that reason."""
        self.machine.doubts.decided(sure)


def _leads_to(value: Any, generator: GeneratorObject, depth: int) -> bool:
    if value is generator:
        return True
    if depth > 4:
        return False
    if isinstance(value, Walker):
        return any(_leads_to(source, generator, depth + 1) for source in value.sources)
    if type(value) in CONTAINERS:
        items = value.values() if type(value) is dict else value
        return any(_leads_to(item, generator, depth + 1) for item in items)
    if isinstance(value, Instance):
        return any(_leads_to(ref.value, generator, depth + 1) for ref in value.attributes.values())
    return False
