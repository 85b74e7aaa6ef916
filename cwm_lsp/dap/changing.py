"""What-if: a variable gets another value, and history forks. Nothing that was is lost.

Leaves out the fork itself (world/simulation.py).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cwm_lsp.dap.channel import RefusedError, Reply
from cwm_lsp.dap.protocol import Variable
from cwm_lsp.dap.server import Handler
from cwm_lsp.dap.variables import Path, text_at, with_part
from cwm_lsp.source.document import Document
from cwm_lsp.source.parts import parts_of, type_of
from cwm_lsp.trace.frame import Value
from cwm_lsp.world.expressions import CantTellError, FailsError, evaluate, parse

if TYPE_CHECKING:
    from cwm_lsp.dap.session import Session


class Changing:
    """Handlers of edits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def handlers(self) -> dict[str, Handler]:
        """Command to handler."""
        return {"setVariable": self._variable, "setExpression": self._expression}

    def _variable(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        stepper = session.stopped()
        container = session.references.path(arguments["variablesReference"])
        name = arguments["name"]
        if container.scope != "locals" or container.level >= len(stepper.levels):
            raise RefusedError("Only variables of a function can be changed.")
        values = stepper.levels[container.level].locals
        if not container.name:
            path = Path("locals", container.level, name)
        else:
            if container.name not in values:
                raise RefusedError(f"There is no variable {container.name} any more.")
            parts = parts_of(text_at(values[container.name].repr, container.items))
            at = parts.find(name) if parts is not None else None
            if at is None:
                raise RefusedError(f"There is no {name} in it.")
            path = Path("locals", container.level, container.name, (*container.items, at))
        self._set(path, arguments["value"], reply)

    def assign(self, text: str, level: int, reply: Reply) -> bool:
        """Does what `name = value` in the console says; False if it isn't that."""
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        if len(body) != 1 or not isinstance(body[0], ast.Assign) or len(body[0].targets) != 1:
            return False
        target, value = ast.unparse(body[0].targets[0]), ast.unparse(body[0].value)
        values = self._session.stopped().levels[level].locals
        self._set(_place(target, level, values), value, reply, key="result")
        return True

    def _expression(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        frame = arguments.get("frameId") or None
        level = 0 if frame is None else session.references.path(frame).level
        levels = session.stopped().levels
        if level >= len(levels):
            raise RefusedError("There is no such frame.")
        self._set(_place(arguments["expression"], level, levels[level].locals), arguments["value"], reply)

    def _set(self, path: Path, text: str, reply: Reply, key: str = "value") -> None:
        """Forks, and answers with the new value."""
        session = self._session
        stepper = session.stopped()
        levels = stepper.levels
        frame = stepper.timeline.frame(stepper.index)
        if path.level != 0:
            raise RefusedError("Only the innermost call can be changed: the others wait within a line.")
        if frame.event not in ("call", "line"):
            raise RefusedError(
                "Nothing can be changed here, within a line: step back to its beginning first."
            )
        values = levels[0].locals
        if path.name not in values:
            raise RefusedError(f"There is no variable {path.name} here.")
        new = self._read(session.shower.unmarked(text), values, stepper.timeline.document)
        whole = with_part(values[path.name].repr, path.items, new)
        session.rest()
        try:
            stepper.edit({path.name: whole})
        except ValueError as error:
            raise RefusedError(str(error)) from None
        session.changed()
        value = Value(new, "edited")
        shown: Variable = {"name": "", "value": session.shower.text(value), "variablesReference": 0}
        session.shower.expandable(shown, new, path)
        body = {**shown, "type": session.shower.kind(value), key: shown["value"]}
        for name in {"name", "value"} - {key}:
            del body[name]
        reply.ok(body)

    @staticmethod
    def _read(text: str, values: Mapping[str, Value], document: Document) -> str:
        """The `repr` of what a user typed: an expression that can be computed, or the `repr` of an object."""
        try:
            return evaluate(text, values).repr
        except FailsError as error:
            raise RefusedError(f"The value can't be set: {error}") from None
        except CantTellError as error:
            if text.startswith("<") and text.endswith(">"):
                return text
            if text.endswith(")") and type_of(text) in _classes(document, values):
                return text
            raise RefusedError(f"The value can't be set: {error}") from None


def _classes(document: Document, values: Mapping[str, Value]) -> set[str]:
    """Names whose calls are taken for what an object shows, not for something to compute: the document's
    classes, and the types of the values around."""
    ours = {node.name for node in ast.walk(document.tree) if isinstance(node, ast.ClassDef)}
    return ours | {type_of(value.repr) for value in values.values()} - {""}


def _place(expression: str, level: int, values: Mapping[str, Value]) -> Path:
    """The variable, or part of one, that an expression names."""
    try:
        node = parse(expression)
    except CantTellError as error:
        raise RefusedError(str(error)) from None
    keys: list[str] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Subscript):
            try:
                keys.append(evaluate(ast.unparse(node.slice), values).repr)
            except CantTellError as error:
                raise RefusedError(str(error)) from None
            node = node.value
        elif isinstance(node, ast.Attribute):
            keys.append(node.attr)
            node = node.value
        else:
            raise RefusedError(f"'{expression}' is nothing that can be assigned to.")
    if node.id not in values:
        raise RefusedError(f"There is no variable {node.id} here.")
    items: list[int] = []
    text = values[node.id].repr
    for key in reversed(keys):
        parts = parts_of(text)
        if parts is None:
            raise RefusedError(f"'{expression}' has no part {key}.")
        if key.startswith("-") and key[1:].isdecimal() and parts.kind in ("list", "tuple"):
            key = str(len(parts.items) - int(key[1:]))  # noqa: PLW2901
        at = parts.find(key)
        if at is None:
            raise RefusedError(f"'{expression}' has no part {key}.")
        items.append(at)
        text = parts.named(at)[1]
    return Path("locals", level, node.id, tuple(items))
