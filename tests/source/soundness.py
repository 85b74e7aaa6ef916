"""Holds what the static analyses say of a document against what was seen of it (observed).

Each check returns what was wrong as lines of text, so that a failing test tells what to look at. On Python
3.12 and later, which run list, set and dict comprehensions inside the function around them, the lines of a
comprehension are left out: our answers are those of 3.11.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from types import FrameType

from cwm_lsp.source.document import Document
from cwm_lsp.source.effects import changes
from cwm_lsp.source.effects_lines import statements_of
from cwm_lsp.source.flow import Flow, flow_of
from cwm_lsp.source.flow_compile import INLINES
from tests.source.observed import Change, Log, Move

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
UNKNOWN = "?"
"""The text of a value that can't be compared: too large, or its `repr` fails."""


def inlined_lines(document: Document) -> set[int]:
    """The lines of comprehensions that this Python gives no frame."""
    lines: set[int] = set()
    if INLINES:
        for node in ast.walk(document.tree):
            if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp):
                lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def wrong_moves(document: Document, log: Log) -> list[str]:
    """The steps of frames that the flow rules out."""
    flow, skipped = flow_of(document), inlined_lines(document)
    wrong: list[str] = []
    for (function, first), moves in log.moves.items():
        if function != "<module>":
            wrong.extend(
                f"{function}: {move}: {document.line_text(move.line).strip()}"
                for move in moves
                if not {move.last, move.line} & skipped and not is_foreseen(flow, function, first, move)
            )
    return wrong


def is_foreseen(flow: Flow, function: str, first: int, move: Move) -> bool:
    match move.kind:
        case "enter":
            return move.line in flow.entry_lines(function, first)
        case "line":
            return move.line in flow.successors(function, move.last)
        case "exception":
            return move.line in flow.handlers(function, move.last)
        case "resumed":
            return move.line in flow.resume_lines(function, move.last)
        case "return":
            # A frame that is left by an exception it was handling looks as if it returned None.
            return flow.may_return(function, move.last) or flow.may_pass_on(function, move.last)
        case "unwind":
            return flow.may_unwind(function, move.last)


def wrong_entries(document: Document, log: Log) -> list[str]:
    """The functions that were entered from where they can't be, says the flow."""
    flow, skipped = flow_of(document), inlined_lines(document)
    known = {function.qualname for function in document.functions}
    return [
        f"{seen}: {document.line_text(seen.line).strip()}"
        for seen in log.entered
        if seen.callee in known
        and seen.caller != "<module>"
        and seen.line not in skipped
        and seen.callee not in flow.calls(seen.caller, seen.line)
    ]


def wrong_changes(document: Document, seen: Iterable[Change]) -> list[str]:
    """The changes of locals that the effects rule out, and those that they wrongly promise."""
    skipped, statements = inlined_lines(document), statements_of(document)
    wrong: list[str] = []
    for change in seen:
        if change.function == "<module>" or {change.line, change.next_line} & skipped:
            continue
        before, after = dict(change.before), dict(change.after)
        texts = {name: text if text != UNKNOWN else "<Unknown object>" for name, text in before.items()}
        changed = {
            name
            for name, text in after.items()
            if text != before.get(name) and UNKNOWN not in (text, before.get(name))
        }
        told = changes(document, change.function, change.line, texts)
        narrow = changes(document, change.function, change.line, texts, change.next_line)
        first, last = statements.span(change.line)
        over = change.plain and not first <= change.next_line <= last
        faults = {
            "changed": changed - told.names,
            "changed on this way": changed - narrow.names,
            "deleted": before.keys() - after.keys() - told.deletes,
            "not bound": told.must - after.keys() if over else set(),
        }
        where = f"{change.function}:{change.line}->{change.next_line}"
        wrong.extend(
            f"{where}: {what}: {', '.join(names)}: {document.line_text(change.line).strip()}"
            for what, names in faults.items()
            if names
        )
    return wrong


def successor_counts(document: Document, log: Log) -> dict[tuple[str, int], int]:
    """For each line of the functions that were seen, how many lines may follow it."""
    flow = flow_of(document)
    counts: dict[tuple[str, int], int] = defaultdict(int)
    for function, _ in log.moves:
        if function != "<module>":
            for line in flow.line_numbers(function):
                counts[function, line] = len(flow.successors(function, line))
    return counts


def snapshot(frame: FrameType) -> dict[str, str]:
    """The locals of a frame as comparable texts."""
    return {name: show(value) for name, value in frame.f_locals.items()}


def show(value: object) -> str:
    try:
        if not _is_small(value):
            return UNKNOWN
        text = repr(value)
    except (Exception, RecursionError):  # a weak reference to nothing, a half-made object
        return UNKNOWN
    return ADDRESS.sub("", text) if len(text) < 1000 else UNKNOWN


def _is_small(value: object, depth: int = 0) -> bool:
    if type(value) in (list, tuple, set, frozenset, dict):
        items = list(value) if type(value) is not dict else [*value, *value.values()]  # type: ignore[call-overload]
        return len(items) <= 20 and depth < 4 and all(_is_small(item, depth + 1) for item in items)
    return len(value) < 300 if isinstance(value, str | bytes) else True
