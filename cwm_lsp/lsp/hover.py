"""Hover: what a name, a function, a loop or a call under the mouse comes to, from the traces at hand.

Nothing is waited for: while a prediction runs, the hover says so. Leaves out predicting.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from lsprotocol import types

from cwm_lsp.look import Marks, cut, marked, percent, printable
from cwm_lsp.lsp.facts import History, Traced
from cwm_lsp.lsp.places import Place, place_of
from cwm_lsp.lsp.render import code, ended, marked_history, origin, outcome, table, weakest
from cwm_lsp.lsp.session import Session
from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function
from cwm_lsp.trace.by_line import Visit, exception_text
from cwm_lsp.trace.frame import Value

WIDTH = 400
ROWS = 12


def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """The answer to textDocument/hover."""
    if not session.settings.hover:
        return None
    place = place_of(session, params.text_document.uri, params.position)
    if place is None:
        return None
    place.source.focus = place.line
    writer = _Writer(session, place)
    lines = writer.write()
    if not lines:
        return None
    kind = types.MarkupKind.Markdown if session.client.markdown else types.MarkupKind.PlainText
    return types.Hover(types.MarkupContent(kind, "\n".join(lines)), writer.range)


class _Writer:
    """Writes one hover."""

    def __init__(self, session: Session, place: Place) -> None:
        self.session, self.place = session, place
        self.markdown = session.client.markdown
        self.marks: Marks = session.marks
        self.range: types.Range | None = None

    def write(self) -> list[str]:
        nodes = nodes_at(self.place.document, self.place.line, self.place.column)
        for node in reversed(nodes):
            if (lines := self._about(node, nodes)) is not None:
                return lines
        return []

    def _about(self, node: ast.AST, around: Sequence[ast.AST]) -> list[str] | None:
        line, column = self.place.line, self.place.column
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if line == node.lineno:
                start = self.place.text.find(node.name, node.col_offset)
                if start <= column <= start + len(node.name):
                    self._mark(start, start + len(node.name))
                    return self._function(node)
                return None
            case ast.For() | ast.AsyncFor() | ast.While() if line == node.lineno:
                word = "while" if isinstance(node, ast.While) else "for"
                start = self.place.text.find(word)
                if start <= column <= start + len(word):
                    self._mark(start, start + len(word))
                    return self._loop(node)
                return None
            case ast.arg(arg=name) | ast.Name(id=name):
                call = next((n for n in around if isinstance(n, ast.Call) and n.func is node), None)
                self._mark_node(node)
                if call is not None and (lines := self._call(call)) is not None:
                    return lines
                stored = isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
                return self._variable(name, stored or isinstance(node, ast.arg))
        return None

    # --- the parts ----------------------------------------------------------------------------------------

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str] | None:
        function = next((f for f in self.place.document.functions if f.node is node), None)
        if function is None:
            return None
        known = self.place.source.tells(function)
        if known is None:
            return self._waiting(function)
        traced, activation = known
        item = traced.by_line.activations[activation]
        if item.caller is None:
            lines = [f"{self._code(traced.trace.call)} {self._tell(outcome(traced, self.marks, WIDTH))}"]
        else:
            arguments = ", ".join(f"{name}={value.repr}" for name, value in item.arguments.items())
            came = self._came_of(item.result, item.exception)
            lines = [f"{self._code(cut(f'{function.name}({arguments})', WIDTH, self.marks))} {came}"]
        return [*lines, "", *self._source(traced, activation), *self._waiting_note(function)]

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> list[str] | None:
        known = self.place.source.about(self.place.line)
        if known is None:
            return self._waiting(self.place.document.function_at(self.place.line))
        _, traced, activation = known
        count = traced.iterations(node.lineno, activation)
        if count is None or not traced.by_line.visits(node.lineno, activation):
            return self._not_reached(traced)
        times = {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")
        lines = [f"The loop's body runs {times}."]
        fact = traced.facts(activation).get(node.lineno)
        for name, values in fact.names if fact else ():
            lines += ["", f"{self._code(name)} {self._tell(marked_history(values, self.marks, WIDTH, 9))}"]
        return [*lines, "", *self._source(traced, activation)]

    def _call(self, node: ast.Call) -> list[str] | None:
        """Arguments and result of a call of a function of this file."""
        known = self.place.source.about(self.place.line)
        if known is None or not isinstance(node.func, ast.Name):
            return None
        _, traced, activation = known
        made = [
            traced.by_line.activations[index]
            for visit in traced.by_line.visits(self.place.line, activation)
            for index in visit.calls
            if traced.by_line.activations[index].function == node.func.id
        ]
        if not made:
            return None
        rows = []
        for item in made[:ROWS]:
            arguments = ", ".join(f"{name}={value.repr}" for name, value in item.arguments.items())
            value = item.exception or item.result
            rows.append((cut(arguments, 80, self.marks), self._plain(value), origin(value) if value else ""))
        lines = table(("arguments", "result", "origin"), rows, self.markdown)
        if len(made) > ROWS:
            lines += ["", f"… and {len(made) - ROWS} more calls"]
        return [*lines, "", *self._source(traced, activation)]

    def _variable(self, name: str, stored: bool) -> list[str] | None:
        line = self.place.line
        known = self.place.source.about(line)
        if known is None:
            return self._waiting(self.place.document.function_at(line))
        function, traced, activation = known
        if line in (function.def_line, function.first_line) or line < function.node.body[0].lineno:  # type: ignore[union-attr,index]
            value = traced.by_line.activations[activation].arguments.get(name)
            return None if value is None else self._history(name, (value,), traced, activation)
        visits = traced.by_line.visits(line, activation)
        if not visits:
            return self._not_reached(traced)
        values = values_of(visits, name, stored)
        if stored and not values:  # the last line of its call: no frame tells what it set
            return None
        if not values:
            return None
        return self._history(name, values, traced, activation)

    def _history(self, name: str, values: History, traced: Traced, activation: int) -> list[str]:
        lines: list[str] = []
        if len({None if value is None else value.repr for value in values}) == 1:
            value = values[0]
            lines.append(f"{self._code(name)} {self._value(value)}")
            if len(values) > 1:
                lines += ["", f"the same each of the {len(values):,} times that the line runs"]
        else:
            lines.append(f"{self._code(name)} {self._tell(marked_history(values, self.marks, WIDTH, 9))}")
            rows = [
                (str(number + 1), self._plain(value), origin(value) if value else "")
                for number, value in _ends_of(values)
            ]
            lines += ["", *table(("run", "value", "origin"), rows, self.markdown)]
            weak = weakest(values)
            if weak is not None and weak.confidence is not None:
                lines += ["", f"least sure: {origin(weak)}"]
        return [*lines, "", *self._source(traced, activation)]

    # --- words --------------------------------------------------------------------------------------------

    def _source(self, traced: Traced, activation: int) -> list[str]:
        """Where all this comes from."""
        trace = traced.trace
        same = traced.by_line.activations[activation].function
        count = len([a for a in traced.by_line.activations if a.function == same])
        which = f", first of {count} calls of {same}" if count > 1 else ""
        sure = percent(traced.confidence)
        parts = [
            f"{self._code(trace.call)}{which}",
            f"{trace.end.frames:,} frames, {ended(trace.end)}",
            f"{trace.model}, grounding {trace.grounding}",
            *([f"least sure value {sure}"] if sure else []),
        ]
        text = f" {self.marks.dot} ".join(parts)
        return [f"*Nothing was run.* {text}" if self.markdown else f"Nothing was run. {text}"]

    def _waiting(self, function: Function | None) -> list[str] | None:
        if function is None:
            return None
        note = self._waiting_note(function)
        return note[1:] or None

    def _waiting_note(self, function: Function) -> list[str]:
        """What is under way for a function, or why there is nothing."""
        source = self.place.source
        root = function.qualname.partition(".")[0]
        plan = source.analysis.plan(root) if source.analysis else None
        if plan is None:
            return []
        for running in source.running.values():
            if plan.key == running.key or running.text.startswith(f"{root}("):
                frames = f", {running.frames:,} frames so far" if running.frames else ""
                state, model, _ = self.session.predictions.state
                waits = f"waits for {model} to load" if state == "loading" else f"waits for {model}"
                return ["", f"Predicting {self._code(running.text)}{frames}: {waits}."]
        if plan.key in source.failures:
            return ["", printable(source.failures[plan.key])]
        if plan.call is None:
            return [
                "",
                f"No call of {self._code(plan.function.name)} with literal arguments is in this file.",
            ]
        if not source.fresh:
            return ["", "The code has changed; it is predicted anew once it has been idle."]
        return []

    def _not_reached(self, traced: Traced) -> list[str]:
        return [f"This line does not run in {self._code(traced.trace.call)}, as predicted."]

    def _came_of(self, result: Value | None, exception: Value | None) -> str:
        if exception is not None:
            return self._tell(f"{self.marks.wrong} {exception_text(exception.repr)}")
        return f"{self.marks.arrow} {self._value(result)}" if result is not None else self.marks.ellipsis

    def _value(self, value: Value | None) -> str:
        if value is None:
            return "(gone)"
        return f"{self._tell(marked(value, self.marks, WIDTH))} {self.marks.dot} {origin(value)}"

    def _plain(self, value: Value | None) -> str:
        return "" if value is None else cut(printable(exception_text(value.repr)), 80, self.marks)

    def _code(self, text: str) -> str:
        return code(text) if self.markdown else printable(text)

    def _tell(self, text: str) -> str:
        return code(text) if self.markdown else printable(text)

    def _mark(self, start: int, end: int) -> None:
        self.range = self.place.range(start, end)

    def _mark_node(self, node: ast.Name | ast.arg) -> None:
        text = self.place.text
        start = len(text.encode()[: node.col_offset].decode("utf-8", "replace"))
        name = node.id if isinstance(node, ast.Name) else node.arg
        self._mark(start, start + len(name))


def values_of(visits: Sequence[Visit], name: str, stored: bool) -> History:
    """What a variable held each time a line ran: before the line where it is read, after it where it is
    set."""
    values: list[Value | None] = []
    for visit in visits:
        if not stored:
            if name in visit.before:
                values.append(visit.before[name])
        elif visit.after is not None and name in visit.after:
            values.append(visit.after[name])
    return tuple(values)


def _ends_of(values: History) -> Iterator[tuple[int, Value | None]]:
    """The first and the last values with their numbers, as many as a small table holds."""
    last = len(values) - ROWS // 2
    for number, value in enumerate(values):
        if number < ROWS // 2 or number >= last:
            yield number, value


def nodes_at(document: Document, line: int, column: int) -> list[ast.AST]:
    """The nodes around a place (1-based line, 0-based column in code points), outermost first."""
    text = document.lines[line - 1] if 1 <= line <= len(document.lines) else ""
    at = (line, len(text[:column].encode("utf-8", "surrogatepass")))
    found: list[ast.AST] = []
    todo: list[ast.AST] = list(document.tree.body)
    while todo:
        inner: list[ast.AST] = []
        for node in todo:
            begin = getattr(node, "lineno", None)
            if begin is None:  # arguments, operators: look inside
                inner.extend(ast.iter_child_nodes(node))
                continue
            first = min([begin, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            start = (first, 0 if first < begin else node.col_offset)  # type: ignore[attr-defined]
            end = (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]
            if start <= at <= end:
                found.append(node)
                inner.extend(ast.iter_child_nodes(node))
        todo = inner
    return found
