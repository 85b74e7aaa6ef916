"""What an expression would give, asked from the model: as a function of its own that returns it, called with
the values that are known.

The run it is asked in is untouched, and nothing is run. Leaves out what can be computed (expressions.py).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from dataclasses import replace

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.source.flow_compile import FlowError
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import Grounding
from cwm_lsp.world.expressions import CantTellError, FailsError, parse
from cwm_lsp.world.predictor import Predictor
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.stack import exception_name

BUDGETS = Budgets(frames=80, tokens=8_000, seconds=20.0)
_NAME = "asked"


def probe(
    document: Document,
    predictor: Predictor,
    grounding: Grounding,
    *,
    values: Mapping[str, Value],
    expression: str,
    cancel: Cancel,
    budgets: Budgets = BUDGETS,
) -> Value:
    """The predicted value of an expression. Raises CantTellError: it is nothing that can be asked, the model
    can't say, it would raise, or it takes too long."""
    node = parse(expression)
    for each in ast.walk(node):
        if isinstance(each, ast.Yield | ast.YieldFrom | ast.Await | ast.NamedExpr):
            raise CantTellError("an expression that yields, awaits or assigns can't be asked.")
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    unknown = used - values.keys() - _known(document.tree) - _own(node)
    if unknown:
        raise CantTellError(f"there is no {min(unknown)} here.")
    given = {name: value for name, value in values.items() if name in used and name.isidentifier()}
    name = _NAME
    while name in used or document.function(name) is not None:
        name += "_"
    text = (
        document.text.rstrip("\n")
        + f"\n\n\ndef {name}({', '.join(given)}):\n    return {ast.unparse(node)}\n"
    )
    try:
        asked = Document.from_text(text, document.path)
        function = asked.function(name)
        assert function is not None
        first = Frame("call", name, function.first_line, 1, given)
        simulation = Simulation(asked, predictor, grounding, budgets, first)
        for _ in simulation.run(cancel):
            pass
    except (DocumentError, FlowError) as error:
        raise CantTellError(str(error)) from None
    end = simulation.end
    if cancel.cancelled:
        raise CantTellError("it was cancelled.")
    if end is not None and end.reason == "raised":
        raise FailsError(f"it would raise {exception_name(end.value or '')}, the model says.")
    last = simulation.frames[-1].arg
    if end is None or end.reason != "returned" or last is None:
        raise CantTellError((end.message if end else None) or "the model doesn't say.")
    return replace(last, confidence=_least(simulation.frames, last))


def _known(tree: ast.Module) -> set[str]:
    """The names that a function at the end of the file sees: those of the module, and builtins."""
    names = set(dir(builtins))
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        todo.extend(ast.iter_child_nodes(node))
    return names


def _own(node: ast.expr) -> set[str]:
    """The names that the expression binds itself: in comprehensions and lambdas."""
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}


def _least(frames: tuple[Frame, ...], last: Value) -> float | None:
    """The confidence of the answer: no step on the way to it was surer."""
    said = [
        value.confidence
        for frame in frames
        for value in (*frame.locals.values(), frame.arg)
        if value is not None and value.origin == "predicted" and value.confidence is not None
    ]
    return min(said, default=None) if last.origin == "predicted" else last.confidence
