"""Which lines can't raise: those that only move, compare and add up values whose `repr` shows what they are.

The answer is sound for values that are what their `repr` shows, and errs towards "may raise". Running out of
memory or of stack is left out, and so is everything that would need the values computed beyond an index."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from functools import lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.values import elements, kind_of

NUMBERS = frozenset({"int", "bool", "float"})
SEQUENCES = frozenset({"list", "tuple", "str", "range"})
SIZED = SEQUENCES | {"dict", "set", "frozenset", "bytes"}
HASHABLE = NUMBERS | {"str", "bytes", "None"}
KNOWN = SIZED | HASHABLE
_MOST_DIGITS = 200
_UNBOUND = (ast.Pass, ast.Break, ast.Continue)


class Harmless:
    """Lines of one document, with the locals that a frame shows."""

    def __init__(self, document: Document, held: Mapping[str, str]) -> None:
        self._document = document
        self._held = held

    def statement(self, node: ast.stmt) -> bool:
        """True if the statement, or its head, can't raise."""
        if isinstance(node, _UNBOUND):
            return True
        if isinstance(node, ast.Return):
            return node.value is None or self.kind(node.value) is not None
        if isinstance(node, ast.Expr):
            return self.kind(node.value) is not None
        if isinstance(node, ast.If | ast.While):
            return self.kind(node.test) is not None
        if isinstance(node, ast.Assign):
            return (
                all(isinstance(each, ast.Name) for each in node.targets) and self.kind(node.value) is not None
            )
        if isinstance(node, ast.AugAssign):
            if not isinstance(node.target, ast.Name):
                return False
            left = ast.Name(node.target.id, ast.Load())
            both = ast.BinOp(left, node.op, node.value)
            return self.kind(both) is not None
        return isinstance(node, ast.For) and self._loop(node)

    def kind(self, node: ast.expr) -> str | None:
        """What the expression gives, as `kind_of` names it ("other" if it is one of several); None if it may
        raise, run other code, or give what can't be told."""
        match node:
            case ast.Constant():
                return _known(repr(node.value))
            case ast.Name():
                return _known(self._held[node.id]) if node.id in self._held else None
            case ast.UnaryOp(op=ast.Not()):
                return "bool" if self.kind(node.operand) else None
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return self._number(node.operand)
            case ast.BoolOp():
                return self._either(*node.values)
            case ast.IfExp():
                return self._either(node.body, node.orelse) if self.kind(node.test) else None
            case ast.Compare():
                return self._comparison(node)
            case ast.BinOp():
                return self._sum(node)
            case ast.List() | ast.Tuple():
                safe = all(self.kind(each) is not None for each in node.elts)
                return type(node).__name__.lower() if safe else None
            case ast.Dict():
                plain = all(isinstance(each, ast.Constant) for each in node.keys)
                return "dict" if plain and all(self.kind(each) is not None for each in node.values) else None
            case ast.JoinedStr():
                return "str" if all(self._piece(each) for each in node.values) else None
            case ast.Subscript():
                return self._element(node)
            case ast.Call():
                return self._call(node)
            case _:
                return None

    def _number(self, node: ast.expr) -> str | None:
        kind = self.kind(node)
        return ("int" if kind == "bool" else kind) if kind in NUMBERS else None

    def _either(self, *nodes: ast.expr) -> str | None:
        kinds = {self.kind(node) for node in nodes}
        if None in kinds:
            return None
        return kinds.pop() if len(kinds) == 1 else "other"

    def _comparison(self, node: ast.Compare) -> str | None:
        kinds = [self.kind(each) for each in (node.left, *node.comparators)]
        for op, left, right in zip(node.ops, kinds, kinds[1:], strict=False):
            if left is None or right is None:
                return None
            match op:
                case ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot():
                    continue
                case ast.In() | ast.NotIn():
                    inside = right in ("list", "tuple", "range") or (right == "str" and left == "str")
                    if not inside and not (right in ("dict", "set", "frozenset") and left in HASHABLE):
                        return None
                case _:
                    if not ({left, right} <= NUMBERS or left == right == "str"):
                        return None
        return "bool"

    def _sum(self, node: ast.BinOp) -> str | None:
        left, right = self.kind(node.left), self.kind(node.right)
        if left is None or right is None:
            return None
        if {left, right} <= NUMBERS and self._short(node):
            result = "float" if "float" in (left, right) else "int"
            if isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
                return result
            divisor = node.right.value if isinstance(node.right, ast.Constant) else 0
            if isinstance(node.op, ast.Mod | ast.FloorDiv | ast.Div) and divisor:
                return "float" if isinstance(node.op, ast.Div) else result
        if isinstance(node.op, ast.Add) and left == right and left in ("str", "list", "tuple"):
            return left
        return None

    def _short(self, node: ast.BinOp) -> bool:
        """True if no number in it is so long that arithmetic with floats overflows."""
        names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
        return all(len(self._held.get(name, "")) <= _MOST_DIGITS for name in names)

    def _piece(self, node: ast.expr) -> bool:
        if isinstance(node, ast.FormattedValue):
            return node.format_spec is None and self.kind(node.value) is not None
        return isinstance(node, ast.Constant)

    def _element(self, node: ast.Subscript) -> str | None:
        kind, index = self.kind(node.value), self._index(node.slice)
        if kind is None or not isinstance(node.value, ast.Name) or index is None:
            return None
        text = self._held[node.value.id]
        if kind == "str":
            size = _length(text)
            return "str" if -size <= index < size else None
        inside = elements(text) if kind in ("list", "tuple") else None
        if inside is None or not -len(inside) <= index < len(inside):
            return None
        return _known(inside[index])

    def _index(self, node: ast.expr) -> int | None:
        """The whole number that an index is: a constant, a name, or one of these plus or minus another."""
        match node:
            case ast.Constant(value=int() as number):
                return int(number)
            case ast.Name() if kind_of(self._held.get(node.id, "?")) == "int":
                return int(self._held[node.id]) if len(self._held[node.id]) <= _MOST_DIGITS else None
            case ast.UnaryOp(op=ast.USub()):
                operand = self._index(node.operand)
                return None if operand is None else -operand
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                left, right = self._index(node.left), self._index(node.right)
                if left is None or right is None:
                    return None
                return left + right if isinstance(node.op, ast.Add) else left - right
            case _:
                return None

    def _call(self, node: ast.Call) -> str | None:
        kinds = [self.kind(each) for each in node.args]
        if node.keywords or None in kinds:
            return None
        if isinstance(node.func, ast.Attribute):
            target = self.kind(node.func.value)
            appends = node.func.attr == "append" and target == "list" and len(kinds) == 1
            return "None" if appends and isinstance(node.func.value, ast.Name) else None
        if not isinstance(node.func, ast.Name) or not self._is_builtin(node.func.id):
            return None
        match node.func.id:
            case "len" if len(kinds) == 1 and kinds[0] in SIZED:
                return "int"
            case "str" | "repr" if len(kinds) == 1:
                return "str"
            case "bool" if len(kinds) == 1:
                return "bool"
            case "range" if len(kinds) in (1, 2) and set(kinds) <= {"int", "bool"}:
                return "range"
            case _:
                return None

    def _is_builtin(self, name: str) -> bool:
        """True if nothing in the document could give the name another meaning."""
        return hasattr(builtins, name) and name not in self._held and name not in _bound(self._document)

    def _loop(self, node: ast.For) -> bool:
        """A `for` over what can't change size under it, whatever turn it takes."""
        bound = {
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
        read = {each.id for each in ast.walk(node.iter) if isinstance(each, ast.Name)}
        if not isinstance(node.target, ast.Name) or self.kind(node.iter) not in SEQUENCES:
            return False
        return isinstance(node.iter, ast.Call) or (isinstance(node.iter, ast.Name) and not bound & read)


def _known(text: str) -> str | None:
    kind = kind_of(text)
    return kind if kind in KNOWN else None


def _length(text: str) -> int:
    """The length of the string whose `repr` this is; 0 if it is none."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return 0
    return len(value) if isinstance(value, str) else 0


@lru_cache(maxsize=32)
def _bound(document: Document) -> frozenset[str]:
    """Every name that the document binds anywhere."""
    names: set[str] = set()
    for node in ast.walk(document.tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return frozenset(names)
