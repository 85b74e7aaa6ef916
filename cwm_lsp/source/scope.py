"""What the walk of a line asks of the activation that it walks in: names, functions, classes, and what is in
doubt.

Leaves out who knows (world/machine_scope.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, Protocol

from cwm_lsp.source.functions import Function
from cwm_lsp.source.objects import FunctionObject, GeneratorObject, Instance, Variables
from cwm_lsp.source.operations import Ref


class Scope(Protocol):
    """What a walk reads from the activation that it walks in."""

    @property
    def computes(self) -> bool:
        """Whether operations are computed where they can be."""

    @property
    def certain(self) -> bool:
        """True while nothing in the run is a model's word."""

    @property
    def certainty(self) -> float:
        """The confidence of the answers given on this line so far."""

    @property
    def variables(self) -> Variables:
        """The variables of the activation."""

    def lookup(self, name: str) -> Ref | None:
        """The value that a name stands for; None if it is unbound or unknown."""

    def store(self, name: str, value: Ref) -> None:
        """Binds a name."""

    def unbind(self, name: str) -> None:
        """Unbinds a name."""

    def function(self, node: ast.AST) -> Function:
        """The function that a def, lambda or comprehension makes."""

    def parameters(self, function: Function) -> ast.arguments:
        """The parameters of one of the document's functions."""

    def default(self, function: FunctionObject, parameter: str) -> Ref:
        """What a parameter is where no argument is given."""

    def method(self, class_name: str, name: str) -> FunctionObject | None:
        """A method of one of the document's classes, or of a class that it is based on."""

    def is_method_kind(self, function: Function) -> str:
        """method, static, class or property; other if it has decorators that are not known."""

    def class_attribute(self, class_name: str, name: str) -> Ref | None:
        """A value that the body of one of the document's classes gives to a name."""

    def set_class_attribute(self, class_name: str, name: str, value: Ref) -> None:
        """Gives an attribute to one of the document's classes."""

    def make(self, class_name: str) -> Instance:
        """A new instance. Raises Unsupported for a class that can't be taken apart."""

    def is_instance(self, value: Any, class_name: str) -> bool | None:
        """Whether a value is an instance of one of the document's classes; None if that is not known."""

    def is_exception(self, name: str) -> bool:
        """True for exception classes whose `repr` is the usual one, builtin or of the document."""

    def exception_bases(self, name: str) -> tuple[str, ...] | None:
        """The names of an exception class and all its bases; None if they are not known."""

    def doubt(self, values: Iterable[Any]) -> float | None:
        """The lowest confidence among Refs and what they hold; None if all are certain."""

    def taint(self, value: Any, sure: float | None) -> None:
        """What a container holds is a model's word from now on, with that confidence."""

    def loop_around(self, line: int) -> int:
        """The line on which the innermost loop around a line of the function begins; 0 if there is none."""

    def touched(self) -> None:
        """Some container has changed."""

    def decided(self, sure: float | None) -> None:
        """A test or a loop went one way for that reason."""

    def held(self, generator: GeneratorObject) -> bool:
        """True if a name still leads to a generator."""
