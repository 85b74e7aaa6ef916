"""The code objects of a document, named as CPython 3.11 names them. They are read, never run.

The document's tree is compiled for its control flow only. Python 3.12 and later inline list, set and dict
comprehensions into the function around them; a trace has a frame for each, so there they are compiled as
generator expressions and marked: whoever reads such code takes its `yield` for the appending of one element.
Leaves out what the code objects mean (flow_bytecode, flow_lines).
"""

from __future__ import annotations

import ast
import copy
import dis
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType

from cwm_lsp.source.document import Document

Span = tuple[int, int, int, int]
"""First line, last line, first and last column (bytes) of a syntax node, as code objects tell it."""

INLINES = sys.version_info >= (3, 12)
_NAMES: dict[type[ast.AST], str] = {
    ast.ListComp: "<listcomp>",
    ast.SetComp: "<setcomp>",
    ast.DictComp: "<dictcomp>",
}


class FlowError(Exception):
    """A document whose control flow can't be told: one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Code:
    """One code object. `inlined`: a comprehension that this Python would not have given a frame."""

    qualname: str
    object: CodeType
    inlined: bool = False


@lru_cache(maxsize=16)
def codes_of(document: Document) -> tuple[Code, ...]:
    """Every code object of the document, the module's first, an outer one before those in it. Raises
    FlowError."""
    where = document.path or "the text"
    try:
        tree = document.tree
        comprehensions: dict[Span, str] = {}
        if INLINES:
            tree, comprehensions = _comprehensions_apart(tree)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # A compiled document is only walked: nothing in this package executes a code object.
            module = compile(tree, "<document>", "exec", dont_inherit=True, optimize=0)
        return tuple(_walk(module, comprehensions))
    except SyntaxError as error:
        line = f" at line {error.lineno}" if error.lineno else ""
        raise FlowError(
            f"{where} does not compile{line}: {(error.msg or 'invalid syntax').rstrip('.')}."
        ) from None
    except (RecursionError, MemoryError):
        raise FlowError(f"{where} is nested too deeply to be compiled.") from None
    except (ValueError, OverflowError, SystemError, TypeError) as error:
        raise FlowError(f"{where} can't be compiled: {error}.") from None


def _walk(module: CodeType, comprehensions: dict[Span, str]) -> Iterator[Code]:
    todo = [Code("<module>", module)]
    while todo:
        code = todo.pop()
        yield code
        inner = [constant for constant in code.object.co_consts if isinstance(constant, CodeType)]
        spans = _spans(code.object) if comprehensions and inner else {}
        for child in reversed(inner):
            own = comprehensions.get(spans.get(id(child), (0, 0, 0, 0)))
            qualname = child.co_qualname
            if qualname.startswith(code.object.co_qualname + "."):
                qualname = code.qualname + qualname[len(code.object.co_qualname) :]
            if own is not None and child.co_name == "<genexpr>":
                qualname = qualname.removesuffix("<genexpr>") + own
                todo.append(Code(qualname, child, inlined=True))
            else:
                todo.append(Code(qualname, child))


def _spans(code: CodeType) -> dict[int, Span]:
    """Where each inner code object is made, by its id: that names the syntax node it comes from."""
    found: dict[int, Span] = {}
    for instruction in dis.get_instructions(code):
        place = instruction.positions
        if (
            instruction.opname == "LOAD_CONST"
            and isinstance(instruction.argval, CodeType)
            and place is not None
        ):
            found[id(instruction.argval)] = (
                place.lineno or 0,
                place.end_lineno or 0,
                place.col_offset or 0,
                place.end_col_offset or 0,
            )
    return found


def _comprehensions_apart(tree: ast.Module) -> tuple[ast.Module, dict[Span, str]]:
    """The tree with generator expressions in place of other comprehensions, and the names of these by
    place."""
    apart = _Apart()
    return apart.visit(copy.deepcopy(tree)), apart.names


class _Apart(ast.NodeTransformer):
    def __init__(self) -> None:
        self.names: dict[Span, str] = {}

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        return self._replace(node, node.elt)

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        return self._replace(node, node.elt)

    def visit_DictComp(self, node: ast.DictComp) -> ast.expr:
        pair = ast.Tuple([node.key, node.value], ast.Load())
        return self._replace(node, ast.copy_location(pair, node))

    def _replace(self, node: ast.ListComp | ast.SetComp | ast.DictComp, element: ast.expr) -> ast.expr:
        waits = _waits(node)
        self.names[(node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0)] = _NAMES[
            type(node)
        ]
        generator = ast.copy_location(ast.GeneratorExp(element, node.generators), node)
        self.generic_visit(generator)
        # An asynchronous comprehension is a coroutine that is awaited where it stands.
        return ast.copy_location(ast.Await(generator), node) if waits else generator


def _waits(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> bool:
    """True for a comprehension that is asynchronous: itself, or through one inside it."""
    first, *others = node.generators
    if any(generator.is_async for generator in node.generators):
        return True
    elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    stack: list[ast.AST] = [first.target, *first.ifs, *others, *elements]
    while stack:
        child = stack.pop()
        if isinstance(child, ast.Await):
            return True
        if isinstance(child, ast.ListComp | ast.SetComp | ast.DictComp):
            if _waits(child):
                return True
            stack.append(child.generators[0].iter)
        elif isinstance(child, ast.GeneratorExp):
            stack.append(child.generators[0].iter)
        elif not isinstance(child, ast.Lambda):
            stack.extend(ast.iter_child_nodes(child))
    return False
