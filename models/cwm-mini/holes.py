"""Holes for cwm-mini: code is cut out of a program whose calls are known, and the model is asked for it.

A sample is a function with one to three `?` in it, and a block for each, in the form of
cwm_lsp/trace/mini_holes.py: some of the calls, what they really returned, and the code that was there. Every
sample is a pure function of its seed number.
Leaves out the programs (mutations.py, programs.py) and batches (data.py).
"""

from __future__ import annotations

import ast
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import mutations
import programs
import tracing
from blocks import FILLED, GIVEN, Block, Sample

from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.functions import Function
from cwm_lsp.source.holes import Place
from cwm_lsp.source.operations import Unsupported
from cwm_lsp.trace import mini_holes
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.trace.frame import Frame

LONGEST_ANSWER = 24
"""Tokens of the longest code that is cut out."""
BARE_SHARE = 0.25
"""How many blocks go without examples."""
CALLS = 4

WEIGHTS: dict[Place, float] = {
    "statement": 2.0, "condition": 3.0, "iterable": 2.5, "expression": 3.0, "operand": 1.0, "argument": 1.0,
    "target": 0.3, "name": 0.3,
}  # fmt: skip
"""How often each kind of hole is made, by the places that a function offers."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A piece of code on one or more lines: 1-based lines, columns in bytes; what a model should answer."""

    first: tuple[int, int]
    last: tuple[int, int]
    answer: str
    weight: float


def samples(seed: int, texts: Sequence[str]) -> list[Sample]:
    """The sample of one seed number (none where its program gives nothing): three in four from the
    hand-written programs `texts`, the rest generated."""
    rng = random.Random(seed ^ 0x401E5)
    if seed % 4:
        source, calls = mutations.mutated_seed(rng.choice(pieces(texts[(seed // 4) % len(texts)])), seed)
    else:
        source, calls = programs.program(seed)
    rng.shuffle(calls)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            document = Document.from_text(source, "program.py")
            sample = _sample(document, calls, rng)
    except (DocumentError, SyntaxError, MemoryError, tracing.Stopped, RecursionError, NameError, TypeError):
        return []
    except Unsupported:
        return []
    return [] if sample is None else [sample]


@lru_cache(maxsize=64)
def pieces(text: str) -> tuple[str, ...]:
    """A program for each function that a file's comments call: the function, with what it needs of the
    file."""
    lines = text.split("\n")
    tree = ast.parse(text)
    spans: dict[str, tuple[int, int]] = {}
    uses: dict[str, set[str]] = {}
    head: list[str] = []
    for node in tree.body:
        first, last = (
            min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]),
            node.end_lineno,
        )
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            spans[node.name] = (first, last or first)
            uses[node.name] = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        elif not isinstance(node, ast.Expr):
            head += lines[first - 1 : last]
    found: dict[str, list[str]] = {}
    for call in mutations.calls_in(text):
        found.setdefault(call.partition("(")[0], []).append(f"# cwm: {call}")
    made: list[str] = []
    for name, calls in found.items():
        needed: list[str] = []
        todo = [name]
        while todo:
            now = todo.pop()
            if now in spans and now not in needed:
                needed.append(now)
                todo += sorted(uses[now])
        if needed:
            parts = [
                line
                for n in sorted(needed, key=spans.__getitem__)
                for line in lines[spans[n][0] - 1 : spans[n][1]]
            ]
            made.append("\n".join([*head, *calls, *parts, ""]))
    return tuple(made)


def _sample(document: Document, calls: Sequence[str], rng: random.Random) -> Sample | None:
    """A function that some calls reach, with holes cut into lines that they run."""
    namespace = tracing.load(document.text, "program.py")
    wanted = calls[0].partition("(")[0] if calls else ""
    frames: list[Frame] = []
    for call in [call for call in calls if call.startswith(wanted + "(")][:CALLS]:
        frames += tracing.trace(namespace, "program.py", call, 200)
    if not frames:
        return None
    name = rng.choice(sorted({f.function for f in frames if f.event == "call" and "<" not in f.function}))
    function = document.function(name)
    if function is None:
        return None
    run = {frame.line for frame in frames if frame.function == name and frame.event == "line"}
    chosen = _chosen([cut for cut in cuts(function) if cut.first[0] in run], rng)
    if not chosen:
        return None
    holed = Document.from_text(with_holes(document.text, chosen), "program.py")
    if len(holed.holes) != len(chosen):
        return None
    sample = Sample(layout.source_tokens(holed, name), [])
    naming = layout.naming_of(holed, name)
    known = results(frames, name)
    for hole, cut in zip(holed.holes, chosen, strict=True):
        answer = mini_holes.answer_tokens(naming, cut.answer)
        if len(answer) > LONGEST_ANSWER:
            continue
        rng.shuffle(known)
        shown = [] if rng.random() < BARE_SHARE else known[: rng.choice((1, 2, 2))]
        block = Block()
        block.add(mini_holes.asked(holed, hole, name, shown), GIVEN)
        block.add(answer, FILLED)
        sample.blocks.append(block)
    return sample if sample.blocks else None


def results(frames: Sequence[Frame], name: str) -> list[mini_holes.Example]:
    """Arguments and results of the calls of a function that returned; the same call once."""
    found: dict[str, mini_holes.Example] = {}
    calls: list[Frame] = []
    raising: Frame | None = None
    for frame in frames:
        if frame.event == "call":
            if frame.depth == 1:
                calls.clear()
            calls.append(frame)
        elif frame.event == "return" and calls:
            call = calls.pop()
            raised = raising is not None and (raising.function, raising.depth) == (
                frame.function,
                frame.depth,
            )
            if call.function == name and frame.arg is not None and not raised:
                arguments = {key: value.repr for key, value in call.locals.items()}
                found.setdefault(str(arguments), (arguments, frame.arg.repr))
        raising = frame if frame.event == "exception" else None
    return list(found.values())


def _chosen(found: list[Cut], rng: random.Random) -> list[Cut]:
    """One to three cuts that don't overlap, in the order of the source."""
    chosen: list[Cut] = []
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        free = [cut for cut in found if all(cut.last <= c.first or c.last <= cut.first for c in chosen)]
        if not free:
            break
        chosen.append(rng.choices(free, [cut.weight for cut in free])[0])
    return sorted(chosen, key=lambda cut: cut.first)


def with_holes(text: str, chosen: Sequence[Cut]) -> str:
    """The text with a `?` for each cut, which are in order and don't overlap."""
    lines = text.split("\n")
    for cut in reversed(chosen):
        (first, start), (last, end) = cut.first, cut.last
        before = lines[first - 1].encode()[:start].decode()
        after = lines[last - 1].encode()[end:].decode()
        lines[first - 1 : last] = [before + "?" + after]
    return "\n".join(lines)


def cuts(function: Function) -> Iterator[Cut]:
    """Everything that can be cut out of a function's body."""
    body = getattr(function.node, "body", [])
    for statement in body if isinstance(body, list) else []:
        yield from _cuts(statement)


def _cuts(node: ast.AST) -> Iterator[Cut]:
    if isinstance(node, ast.JoinedStr | ast.FunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.stmt) and (answer := _small(node)):
        yield _cut(node, answer, "statement")
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            place = _place(node, field, child)
            if place is not None and isinstance(child, ast.expr) and child.lineno == child.end_lineno:
                yield _cut(child, ast.unparse(child), place)
            yield from _cuts(child)


def _small(node: ast.stmt) -> str | None:
    """A statement on one line, as a hole takes it."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Break | ast.Continue):
        return ast.unparse(node)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node)
    if isinstance(node, ast.If) and not node.orelse and len(node.body) == 1:
        inner = None if isinstance(node.body[0], ast.If) else _small(node.body[0])
        return inner and f"if {ast.unparse(node.test)}: {inner}"
    return None


def _place(parent: ast.AST, field: str, child: ast.AST) -> Place | None:
    if isinstance(child, ast.Slice | ast.Starred) or isinstance(parent, ast.Expr):
        return None
    match parent, field:
        case (ast.If() | ast.While() | ast.IfExp(), "test") | (ast.comprehension(), "ifs"):
            return "condition"
        case (ast.For() | ast.comprehension(), "iter"):
            return "iterable"
        case (ast.Assign() | ast.AugAssign() | ast.Return() | ast.Subscript() | ast.Slice(), _):
            stored = isinstance(getattr(child, "ctx", None), ast.Store)
            return ("target" if isinstance(child, ast.Name) else None) if stored else "expression"
        case (ast.Call(), "args"):
            return "argument"
        case (ast.BinOp() | ast.Compare() | ast.BoolOp(), _):
            return "operand"
    return None


def _cut(node: ast.stmt | ast.expr, answer: str, place: Place) -> Cut:
    last = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return Cut((node.lineno, node.col_offset), last, answer, WEIGHTS[place])
