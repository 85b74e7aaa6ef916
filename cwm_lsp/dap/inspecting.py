"""What a client asks about a stop: the stack, scopes, variables, expressions, the exception, the source.

Leaves out changes (changing.py) and how a value is shown (variables.py).
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cwm_lsp.dap.channel import RefusedError, Reply
from cwm_lsp.dap.protocol import Variable
from cwm_lsp.dap.server import Handler
from cwm_lsp.dap.variables import Path, locals_of
from cwm_lsp.look import percent
from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.parts import parts_of, type_of
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.expressions import CantTellError, FailsError, evaluate, parse
from cwm_lsp.world.jumping import guessed
from cwm_lsp.world.probe import probe
from cwm_lsp.world.stepping import Stepper
from cwm_lsp.world.timeline import Level

if TYPE_CHECKING:
    from cwm_lsp.dap.session import Session

_FIXED = frozenset(("int", "float", "complex", "bool", "NoneType", "str", "bytes", "range"))
_ASKING = ("repl", "watch", "variables", None)
_TRIPLE = re.compile(r"\(<class '([^']*)'>, (.*), (?:<traceback object>|None)\)\Z", re.DOTALL)


class Inspecting:
    """Handlers of questions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: list[Value] = []

    def handlers(self) -> dict[str, Handler]:
        """Command to handler."""
        return {
            "stackTrace": self._stack,
            "scopes": self._scopes,
            "variables": self._variables,
            "evaluate": self._evaluate,
            "exceptionInfo": self._exception,
            "completions": self._completions,
            "source": self._source,
            "loadedSources": self._sources,
        }

    # -- stack and variables

    def _stack(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        levels = session.stopped().levels
        start = max(arguments.get("startFrame") or 0, 0)
        count = arguments.get("levels") or 0
        end = len(levels) if count <= 0 else start + count
        frames = [
            {
                "id": session.references.number(Path("frame", at)),
                "name": levels[at].function,
                "line": session.line_out(levels[at].line),
                "column": session.column_out(1),
                "source": session.source(),
                "canRestart": True,
            }
            for at in range(start, min(end, len(levels)))
        ]
        reply.ok({"stackFrames": frames, "totalFrames": len(levels)})

    def level_of(self, frame: int | None) -> int:
        """The depth of a frame's call in the stack. Raises RefusedError if it is gone."""
        session = self._session
        levels = session.stopped().levels
        level = 0 if frame is None else session.references.path(frame).level
        if level >= len(levels):
            raise RefusedError("There is no such frame.")
        return level

    def _scopes(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        level = self.level_of(arguments["frameId"])
        numbers = session.references
        values = session.stepper.levels[level].locals
        scopes: list[dict[str, Any]] = [
            {
                "name": "Locals",
                "presentationHint": "locals",
                "variablesReference": numbers.number(Path("locals", level)),
                "namedVariables": len(values),
                "expensive": False,
            }
        ]
        if level == 0:
            scopes.append(
                {
                    "name": "Prediction",
                    "variablesReference": numbers.number(Path("prediction")),
                    "expensive": False,
                }
            )
        reply.ok({"scopes": scopes})

    def _variables(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        stepper = session.stopped()
        path = session.references.path(arguments["variablesReference"])
        start, count = arguments.get("start") or 0, arguments.get("count") or 0
        found: list[Variable]
        if path.scope == "prediction":
            found = _page(self._prediction(stepper), start, count)
        elif path.scope == "locals" and not path.name:
            values = locals_of(self._level(path).locals)
            found = [self._local(stepper, path, name, value) for name, value in _page(values, start, count)]
        else:
            value = self.value_at(path)
            parts = parts_of(value.repr) if not path.items else None
            wanted = arguments.get("filter")
            indexed = parts is not None and parts.kind in ("list", "tuple", "set")
            if parts is not None and wanted is not None and (wanted == "indexed") != indexed:
                found = []
            else:
                found = session.shower.parts(value, path, self._expression(path), start, count)
        reply.ok({"variables": found})

    def _local(self, stepper: Stepper, path: Path, name: str, value: Value) -> Variable:
        """One variable; its type says so if the line that is under way may have changed it, and if it comes
        from a call that was jumped over."""
        shower = self._session.shower
        expression = name if name.isidentifier() else None
        shown = shower.variable(name, value, Path("locals", path.level, name), expression)
        event = stepper.timeline.frame(stepper.index).event
        notes = []
        within = path.level > 0 or event in ("return", "exception")
        if within and type_of(value.repr) not in _FIXED:
            notes.append("as before this line")
        if path.level == 0 and stepper.jump_over:
            function = guessed(stepper.timeline, stepper.index, name)
            if function is not None:
                notes.append(f"{function} was jumped over")
        shown["type"] = f" {shower.marks.dot} ".join([shown.get("type", ""), *notes])
        return shown

    def _level(self, path: Path) -> Level:
        levels = self._session.stopped().levels
        if path.level >= len(levels):
            raise RefusedError("There is no such frame.")
        return levels[path.level]

    def value_at(self, path: Path) -> Value:
        """The whole variable or expression that a path begins with."""
        if path.scope == "expression":
            return self._computed(path.name, path.level)
        if path.scope == "asked":
            return self._asked[path.level]
        values = self._level(path).locals
        if path.name not in values:
            raise RefusedError(f"There is no variable {path.name} any more.")
        return values[path.name]

    def _expression(self, path: Path) -> str | None:
        """The expression for the value that a path leads to."""
        if path.scope == "locals" and not path.name.isidentifier():
            return None
        whole = path.name if path.scope == "locals" else f"({path.name})"
        text = self.value_at(path).repr
        expression: str | None = whole
        for at in path.items:
            parts = parts_of(text)
            if parts is None or expression is None:
                return None
            name, text = parts.named(at)
            if parts.kind in ("list", "tuple", "dict"):
                expression = f"{expression}[{name}]"
            else:
                expression = (
                    f"{expression}.{name}" if parts.kind == "object" and name.isidentifier() else None
                )
        return expression

    def _prediction(self, stepper: Stepper) -> list[Variable]:
        """What is known of the prediction itself."""
        session, simulation = self._session, stepper.simulation
        launched = session.launched
        node = simulation.branch.nodes[stepper.index]
        rows: dict[str, str] = {
            "confidence": confidence_of(node.frame),
            "model": launched.model if launched else "",
            "grounding": simulation.grounding,
            "frame": f"{stepper.index + 1} of {stepper.timeline.known} known",
            "event": node.frame.event,
            "decisions": str(node.decisions),
            "tokens": str(node.tokens),
            "seconds": f"{node.seconds:.3f}",
            "branch": f"{simulation.branches.index(simulation.branch)} of {len(simulation.branches)}",
        }
        hint = {"kind": "virtual", "attributes": ["readOnly"]}
        return [
            {"name": name, "value": value, "variablesReference": 0, "presentationHint": hint}  # type: ignore[typeddict-item]
            for name, value in rows.items()
            if value
        ]

    # -- expressions

    def _computed(self, expression: str, level: int) -> Value:
        levels = self._session.stopped().levels
        values: Mapping[str, Value] = levels[level].locals if level < len(levels) else {}
        try:
            return evaluate(expression, values)
        except CantTellError as error:
            raise RefusedError(f"can't tell: {error}") from None

    def _evaluate(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        expression = arguments["expression"].strip()
        context = arguments.get("context")
        if context == "repl" and expression.startswith("%"):
            session.console.command(expression, reply)
            return
        level = self.level_of(arguments.get("frameId") or None)
        levels = session.stepper.levels
        if context == "repl" and levels and session.changing.assign(expression, level, reply):
            return
        values: Mapping[str, Value] = levels[level].locals if levels else {}
        try:
            value = evaluate(expression, values)
        except CantTellError as error:
            if context in _ASKING and _may_be_asked(expression, error):
                self._ask(expression, values, reply)
                return
            raise RefusedError(f"can't tell: {error}") from None
        self._answer(value, Path("expression", level, expression), reply, whole=context == "clipboard")

    def _ask(self, expression: str, values: Mapping[str, Value], reply: Reply) -> None:
        """Has the model say what an expression gives, which may take a while."""
        session = self._session
        simulation = session.stepper.simulation
        session.rest()

        def work(cancel: Cancel) -> None:
            try:
                value = probe(
                    simulation.document,
                    simulation.predictor,
                    simulation.grounding,
                    values=values,
                    expression=expression,
                    cancel=cancel,
                )
            except CantTellError as error:
                short = "cancelled" if cancel.cancelled else None
                reply.refuse(RefusedError(f"can't tell: {error}", short))
                return
            self._asked.append(value)
            self._answer(value, Path("asked", len(self._asked) - 1, expression), reply)

        session.job("ask", reply, work, "Asking the model")

    def _answer(self, value: Value, path: Path, reply: Reply, *, whole: bool = False) -> None:
        session = self._session
        shown: Variable = {"name": "", "value": "", "variablesReference": 0}
        session.shower.expandable(shown, value.repr, path)
        body = {
            "result": value.repr if whole else session.shower.text(value),
            "type": session.shower.kind(value),
            "variablesReference": shown["variablesReference"],
        }
        for count in ("namedVariables", "indexedVariables"):
            if count in shown:
                body[count] = shown[count]
        reply.ok(body)

    def _completions(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        levels = session.stopped().levels
        level = self.level_of(arguments.get("frameId") or None) if levels else 0
        lines = arguments["text"].split("\n") or [""]
        row = session.line_in(arguments.get("line") or session.line_out(1)) - 1
        text = lines[min(max(row, 0), len(lines) - 1)]
        column = arguments["column"] - (1 if session.client.get("columnsStartAt1", True) is not False else 0)
        before = text[: max(column, 0)]
        match = re.search(r"(?:^|(?<=[^\w.]))(%?\w*)\Z", before)
        if match is None:
            reply.ok({"targets": []})
            return
        prefix = match.group(1)
        names = [
            (name, "variable") for name in (levels[level].locals if levels else ()) if name.isidentifier()
        ]
        names += [(each.name, "function") for each in session.stepper.timeline.document.functions]
        names += [(name, "keyword") for name in keyword.kwlist]
        names += [(f"%{name}", "text") for name in session.console.names] if before == prefix else []
        start = len(before) - len(prefix)
        targets = [
            {"label": name, "type": kind, "start": start, "length": len(prefix)}
            for name, kind in dict.fromkeys(names)
            if prefix and name.startswith(prefix) and "<" not in name
        ]
        reply.ok({"targets": targets[:200]})

    # -- exception and source

    def _exception(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        stepper = session.stopped()
        frame = stepper.timeline.frame(stepper.index)
        if frame.event != "exception" or frame.arg is None:
            raise RefusedError("There is no exception here.")
        name, text = _read_triple(frame.arg.repr)
        stack = "".join(
            f'  File "{session.source().get("path", "trace")}", line {level.line}, in {level.function}\n'
            for level in reversed(stepper.levels)
        )
        uncaught = session.stop is not None and session.stop.uncaught
        reply.ok(
            {
                "exceptionId": name,
                "description": session.shower.text(Value(text, frame.arg.origin, frame.arg.confidence), 2000),
                "breakMode": "unhandled" if uncaught else "always",
                "details": {
                    "message": text,
                    "typeName": name.rpartition(".")[2],
                    "fullTypeName": name,
                    "stackTrace": stack,
                },
            }
        )

    def _source(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        launched = session.launched
        if launched is None or (
            arguments.get("sourceReference") != 1
            and not session.breaking.is_ours(arguments.get("source") or {})
        ):
            raise RefusedError("This source isn't known here.")
        reply.ok({"content": launched.document.text, "mimeType": "text/x-python"})

    def _sources(self, arguments: Any, reply: Reply) -> None:
        launched = self._session.launched
        reply.ok({"sources": [self._session.source()] if launched else []})


def _may_be_asked(expression: str, error: CantTellError) -> bool:
    """False for what is no expression, and for what is known to raise."""
    if isinstance(error, FailsError):
        return False
    try:
        parse(expression)
    except CantTellError:
        return False
    return True


def confidence_of(frame: Frame) -> str:
    """`93%`: of the least sure value of a frame; "" if nothing in it was predicted."""
    values = [value for value in (*frame.locals.values(), frame.arg) if value is not None]
    known = [
        value.confidence for value in values if value.origin == "predicted" and value.confidence is not None
    ]
    return percent(min(known)) if known else ""


def _read_triple(text: str) -> tuple[str, str]:
    match = _TRIPLE.match(text)
    return (match.group(1), match.group(2)) if match else (text[:80], text)


def _page(items: list[Any], start: int, count: int) -> list[Any]:
    start = max(start, 0)
    return items[start:] if count <= 0 else items[start : start + count]
