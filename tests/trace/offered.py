"""Choices for the frames of a recorded trace, as grounding "flow" would offer them: what comes is among them.

A rough stand-in for world/choices.py that needs no analysis of whole programs: the lines seen after a line
anywhere in the trace, and one more where it branches; a value is open where the line before assigns it, or
may mutate it; an exception is offered where the line does more than move names, constants and numbers about.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cwm_lsp.trace.codec import Choices, LocalChoice, LocalKind, Option
from cwm_lsp.trace.frame import Frame, Value

MUTABLE = ("[", "{", "<", "set(", "deque(")
HEADS = ("elif ", "else:", "except", "finally:", "try:")
Place = tuple[str, str, int]


@functools.cache
def parsed(line: str) -> ast.stmt | None:
    """The statement that begins on the line, without its body; None for what is no statement of its own."""
    text = line.strip()
    if text.startswith("elif "):
        text = text[2:]
    for draft in (text, text + " pass", text + ")", text + "]", "x(" + text, "try: pass\n" + text + " pass"):
        try:
            return ast.parse(draft).body[0]
        except SyntaxError:
            continue
    return None


def names(tree: ast.AST | None, context: type[ast.expr_context] = ast.Load) -> set[str]:
    nodes = ast.walk(tree) if tree is not None else ()
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def assigned(line: str) -> set[str]:
    statement = parsed(line)
    found = names(statement, ast.Store)
    if isinstance(statement, ast.Try):
        found |= {handler.name for handler in statement.handlers if handler.name}
    return found


def mutated(line: str) -> set[str]:
    """The names whose values the line may change in place, if they can be changed."""
    found: set[str] = set()
    statement = parsed(line)
    for node in ast.walk(statement) if statement is not None else ():
        if isinstance(node, ast.Call):
            for part in (node.func, *node.args, *(keyword.value for keyword in node.keywords)):
                found |= names(part)
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found |= names(node.value)
    return found


def may_raise(line: str, held: Mapping[str, Value]) -> bool:
    statement = parsed(line)
    if statement is None:
        return True
    if isinstance(statement, ast.For | ast.Raise | ast.Assert | ast.With | ast.Delete):
        return not isinstance(statement, ast.For) or not _is_range(statement.iter)
    numbers = all(held[name].repr.lstrip("-").isdigit() for name in names(statement) & set(held))
    safe = (ast.Name, ast.Constant, ast.expr_context, ast.stmt, ast.arguments, ast.List, ast.Dict, ast.Tuple)
    moves = (
        ast.Compare,
        ast.cmpop,
        ast.BoolOp,
        ast.boolop,
        ast.UnaryOp,
        ast.unaryop,
        ast.BinOp,
        ast.Add,
        ast.Sub,
        ast.Mult,
    )
    allowed = (*safe, *moves) if numbers and names(statement) <= set(held) else safe
    return not all(
        isinstance(node, allowed) for node in ast.walk(statement) if not isinstance(node, ast.Pass)
    )


def _is_range(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and names(node.func) == {"range"}


def choices_along(frames: Sequence[Frame], lines: Sequence[str]) -> Iterator[Choices]:
    """The choices for each frame of the trace, the first one included."""
    after: dict[Place, set[Place]] = defaultdict(set)
    for before, frame in itertools.pairwise(frames):
        after[before.event, before.function, before.line].add((frame.event, frame.function, frame.line))
    stack: list[Frame] = []
    previous: Frame | None = None
    for frame in frames:
        yield Choices(tuple(_options(frame, previous, stack, after, lines)))
        if frame.event == "call":
            stack.append(frame)
        elif frame.event == "line":
            stack[-1] = frame
        elif frame.event == "return":
            stack.pop()
        previous = frame


def _options(
    frame: Frame,
    previous: Frame | None,
    stack: list[Frame],
    after: Mapping[Place, set[Place]],
    lines: Sequence[str],
) -> Iterator[Option]:
    places = {(frame.event, frame.function, frame.line)}
    if previous is not None:
        places |= after.get((previous.event, previous.function, previous.line), set())
    if previous is not None and previous.event == "line":
        line = lines[previous.line - 1]
        if may_raise(line, previous.locals):
            places.add(("exception", previous.function, previous.line))
        if isinstance(parsed(line), ast.If | ast.While | ast.For) and previous.line < len(lines):
            places.add(("line", previous.function, previous.line + 1))
    for event, function, line_number in sorted(places):
        if (event, function, line_number) == (frame.event, frame.function, frame.line):
            held = tuple(_local(name, frame, stack, lines) for name in frame.locals)
            yield Option(frame.event, function, line_number, frame.depth, held)
        elif event == "line" and stack and stack[-1].function == function:
            line = lines[stack[-1].line - 1]
            held = tuple(
                LocalChoice(name, _kind(name, value.repr, line), value.repr)
                for name, value in stack[-1].locals.items()
            )
            yield Option("line", function, line_number, frame.depth, held)
        elif event in ("return", "exception"):
            yield Option(event, function, line_number, frame.depth)  # type: ignore[arg-type]


def _local(name: str, frame: Frame, stack: list[Frame], lines: Sequence[str]) -> LocalChoice:
    value = frame.locals[name].repr
    if frame.event == "call" and not stack:
        return LocalChoice(name, "given", value)
    if frame.event == "call" or name not in stack[-1].locals:
        return LocalChoice(name, "must")
    before = stack[-1].locals[name].repr
    kind = _kind(name, before, lines[stack[-1].line - 1]) if stack[-1].event == "line" else "same"
    if kind == "same" and value != before:
        kind = "may"
    return LocalChoice(name, kind, before if kind == "same" else None)


def _kind(name: str, before: str, line: str) -> LocalKind:
    if name in assigned(line):
        return "must"
    return "may" if name in mutated(line) and before.startswith(MUTABLE) else "same"
