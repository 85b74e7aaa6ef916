"""What the walk of one line sees of the machine: names, heap cells, attributes, and the functions of the
file.

Leaves out the machine's own state and how it moves from frame to frame (machine.py).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cwm_lsp.source.operations import Ref

if TYPE_CHECKING:
    from cwm_lsp.world.machine import Machine, Running


@dataclass(slots=True)
class ActivationScope:
    """What the walk of one line sees of the machine."""

    machine: Machine
    running: Running

    def lookup(self, name: str) -> Ref | None:
        """A local, an enclosing function's variable, or a name of the module; None if nothing is known of
        it."""
        found = self.running.env.get(name)
        if found is not None:
            return replace(found, text=self.machine.text_of(found))
        return self.machine.names.module_name(name)

    def read(self, cell: int) -> str:
        """The `repr` in a cell."""
        return self.machine.heap[cell]

    def write(self, cell: int, text: str) -> None:
        """Changes a shared container in place."""
        self.machine.heap[cell] = text
        self.machine.sure[cell] = self.machine.certainty

    def store(self, name: str, value: Ref) -> None:
        """Binds a local; an empty text unbinds it. A nonlocal name is bound in its owner too."""
        if not value.text and value.cell is None:
            self.running.env.pop(name, None)
            return
        bound = self.machine.cell_for(value)
        self.running.env[name] = bound
        if name in self.machine.names.nonlocals(self.running.function):
            owner = self.running.function.parent
            for running in reversed(self.machine.stack[:-1]):
                if running.function.qualname == owner and name in running.env:
                    running.env[name] = bound
                    break

    def scope_of(self, node: ast.AST) -> str:
        """The function that a lambda, comprehension or inner def makes."""
        return self.machine.names.function_of(node).qualname

    def parameters(self, function: str) -> ast.arguments:
        """The parameters of a function of the document."""
        return self.machine.names.parameters(function)

    def free_variables(self, function: str) -> tuple[tuple[str, Ref], ...]:
        """The variables of the running functions that the function closes over, by name."""
        found: list[tuple[str, Ref]] = []
        for name in self.machine.names.free_names(function):
            for running in reversed(self.machine.stack):
                if name in running.env:
                    found.append((name, running.env[name]))
                    break
        return tuple(found)

    def is_class(self, name: str) -> bool:
        """True if the document defines that class."""
        return self.machine.names.is_class(name)

    def constructor(self, class_name: str) -> str | None:
        """`C.__init__`, if the document's class has one."""
        return self.method(class_name, "__init__")

    def attribute(self, value: Ref, name: str) -> Ref | None:
        """What was last stored in an object's attribute."""
        found = self.machine.attributes.get(value.cell or 0, {}).get(name)
        return None if found is None else replace(found, text=self.machine.text_of(found))

    def set_attribute(self, value: Ref, name: str, to: Ref) -> None:
        """Remembers an attribute; frames don't show it."""
        if value.cell is not None:
            self.machine.attributes.setdefault(value.cell, {})[name] = self.machine.cell_for(to)

    def is_generator(self, function: str) -> bool:
        """True for a function whose call makes a generator."""
        found = self.machine.document.function(function)
        return found is not None and found.is_generator and found.kind != "async"

    def method(self, class_name: str, name: str) -> str | None:
        """`C.name`, if the document's class has it."""
        qualname = f"{class_name}.{name}"
        return qualname if self.machine.document.function(qualname) else None
