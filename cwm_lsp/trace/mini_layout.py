"""cwm-mini's layout: what a function, a line with its operands, a question and its answer look like as
tokens.

    source      <|trace_context_start|> <|L0|> def f0 ( v0 , v1 ) : <|L1|> ... <|frame_sep|>
    block       <|line_sep|> <|L4|> v2 VALUE v0 VALUE <|action_sep|> question answer ... event <|frame_sep|>
    question    OPERANDS with the operation between them <|arg_sep|>
    answer      VALUE <|end|>, <|True|>, <|False|>, <|stop|>, or <|exception_sep|> VALUE <|end|>
    event       <|line_sep|> <|L5|>, <|call_sep|> <|f1|>, <|return_sep|> or <|exception_sep|>

A block holds all that its line reads, so it needs no history: only the source stands before it. Variables
are slots, lines count from the function's first. Leaves out who asks (world/mini_predictor.py) and ids.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from parso.python.tokenize import tokenize
from parso.utils import parse_version_string

from cwm_lsp.source.document import Document
from cwm_lsp.source.functions import Function
from cwm_lsp.source.names import head_span, is_docstring, names_of
from cwm_lsp.source.operations import Answer, Operation, Raised, Ref, Stop, Unsupported
from cwm_lsp.source.values import kind_of
from cwm_lsp.trace import mini_vocabulary as v
from cwm_lsp.trace.mini_values import cursor_tokens, indexed_tokens, length_of, text_of_tokens, value_tokens

Tokens = tuple[str, ...]

LONGEST_QUESTION = 700
_GRAMMAR_VERSION = parse_version_string("3.11")
_NAMES = frozenset(v.NAMES)
_OPERATORS = frozenset(v.OPERATORS)
_INDEXED_METHODS = frozenset(("find", "index", "rfind", "rindex", "pop", "insert"))
_WORDS = frozenset(v.WORDS)


@dataclass(frozen=True, slots=True)
class Naming:
    """How the names of one function are spelt: its variables, the functions it mentions, its first line."""

    first_line: int
    variables: dict[str, int]
    functions: dict[str, int]

    def variable(self, name: str) -> Tokens:
        """A variable's slot; beyond the last slot, or unknown, it is spelt."""
        at = self.variables.get(name)
        return (v.slot(at),) if at is not None and at < v.SLOTS else _spelt(name)

    def function(self, qualname: str) -> str:
        """The token of a function of the file."""
        return v.function_token(self.functions.get(qualname, 0))

    def line(self, line: int) -> str:
        """The token of a line."""
        return v.line_token(max(line - self.first_line, 0))


def _spelt(name: str) -> Tokens:
    return (v.UNKNOWN, *name[:16])


def root_of(document: Document, function: Function) -> Function:
    """The def whose source a block is shown with: the function's own, or the one around a lambda or
    comprehension."""
    root = function
    while root.kind not in ("function", "async") and root.parent is not None:
        outer = document.function(root.parent)
        if outer is None:
            break
        root = outer
    return root


@lru_cache(maxsize=512)
def naming_of(document: Document, qualname: str) -> Naming:
    """The spelling of names in one function, with the def around it where it has none of its own."""
    function = document.function(qualname)
    if function is None:
        raise Unsupported(f"{qualname} is not a function of this file")
    root = root_of(document, function)
    names = names_of(document)
    variables: dict[str, int] = {}
    for scope in (root, function) if root is not function else (root,):
        for name in (*names.variables(scope), *names.free_names(scope.qualname)):
            if document.function(name) is None:
                variables.setdefault(name, len(variables))
    functions: dict[str, int] = {root.qualname: 0}
    for node in ast.walk(root.node):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            for candidate in (name, f"{root.qualname}.<locals>.{name}"):
                if document.function(candidate) is not None:
                    functions.setdefault(candidate, len(functions))
    return Naming(root.def_line, variables, functions)


@lru_cache(maxsize=512)
def source_tokens(document: Document, qualname: str) -> Tokens:
    """The source that stands before every block of a function."""
    function = document.function(qualname)
    if function is None:
        raise Unsupported(f"{qualname} is not a function of this file")
    root = root_of(document, function)
    naming = naming_of(document, qualname)
    tokens: list[str] = ["<|trace_context_start|>"]
    if isinstance(root.node, ast.FunctionDef | ast.AsyncFunctionDef):
        tokens += [naming.line(root.def_line), v.keyword_token("def"), naming.function(root.qualname), "("]
        for name in root.parameters:
            tokens += [*naming.variable(name), v.WORDS[", "]]
        tokens += [")", ":"]
        body = list(root.node.body)
        if is_docstring(body[0]):
            body = body[1:]
        if body:
            first = body[0].lineno
            tokens += _body_tokens(document, naming, first, root.last_line)
    else:
        tokens += _body_tokens(document, naming, root.def_line, root.last_line)
    if len(tokens) > 6 * LONGEST_QUESTION:
        raise Unsupported(f"{root.qualname} is too long for cwm-mini")
    return (*tokens, "<|frame_sep|>")


def _body_tokens(document: Document, naming: Naming, first: int, last: int) -> list[str]:
    lines = document.lines[first - 1 : last]
    margin = len(lines[0]) - len(lines[0].lstrip())
    text = "".join(line[margin:] if line[:margin].isspace() else line for line in lines)
    tokens: list[str] = []
    current = 0
    for token in tokenize(text, version_info=_GRAMMAR_VERSION):
        kind, string, (line, column) = token.type.name, token.string, token.start_pos
        if kind in ("NEWLINE", "INDENT", "DEDENT", "ENDMARKER", "ERROR_DEDENT") or not string:
            continue
        if line != current:
            current = line
            tokens.append(naming.line(first + line - 1))
            tokens += [" "] * (column // 4)
        tokens += code_tokens(naming, kind, string)
    return tokens


def code_tokens(naming: Naming, kind: str, string: str) -> Iterable[str]:
    """One token of Python source (`kind` as parso calls it) as tokens of the layout."""
    if kind == "NAME":
        if string in naming.variables:
            return naming.variable(string)
        if string in _WORDS:
            return (v.WORDS[string],)
        if string in _OPERATORS:
            return (v.operator_token(string),)
        if keyword.iskeyword(string):
            return (v.keyword_token(string),)
        for qualname, at in naming.functions.items():
            if qualname.rpartition(".")[2] == string:
                return (v.function_token(at),)
        return name_tokens(string)
    if kind in ("NUMBER", "STRING"):
        return value_tokens(string)
    if string in _OPERATORS:
        return (v.operator_token(string),)
    if string in (",", ":"):
        return (v.WORDS[", "] if string == "," else ":",)
    return tuple(string)


def name_tokens(name: str) -> Tokens:
    """A builtin, method or keyword argument: one token if it is usual, else spelt."""
    return (v.name_token(name),) if name in _NAMES else _spelt(name)


@lru_cache(maxsize=4096)
def names_read(document: Document, qualname: str, line: int) -> tuple[str, ...]:
    """The variables that a line's statement reads, in the order in which they stand there."""
    function = document.function(qualname)
    if function is None:
        return ()
    variables = naming_of(document, qualname).variables
    found: list[tuple[int, int, str]] = []
    if isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
        head = names_of(document).heads(function).get(line)
        if head is None:
            return ()
        first, last = head_span(head)
        parts: Iterable[ast.AST] = ast.walk(head)
    else:
        first, last = function.def_line, function.last_line
        parts = ast.walk(function.node)
    for node in parts:
        if not (isinstance(node, ast.Name) and node.id in variables and first <= node.lineno <= last):
            continue
        if isinstance(node.ctx, ast.Load) or _is_augmented(document, node):
            found.append((node.lineno, node.col_offset, node.id))
    return tuple(dict.fromkeys(name for _, _, name in sorted(found)))


def _is_augmented(document: Document, node: ast.Name) -> bool:
    text = document.line_text(node.lineno).encode()[node.col_offset + len(node.id.encode()) :].lstrip()
    return (
        len(text) > 2
        and text[:1] in b"+-*/%&|^<>@"
        and (text[1:2] == b"=" or text[2:3] == b"=")
        and text[:2] not in (b"<=", b">=", b"==")
    )


def block_start(naming: Naming, line: int, values: Sequence[tuple[str, str]]) -> Tokens:
    """The head of a block: the line and the values that it reads."""
    tokens = ["<|line_sep|>", naming.line(line)]
    for name, text in values:
        tokens += naming.variable(name)
        tokens += value_tokens(text)
    return (*tokens, "<|action_sep|>")


def question(operation: Operation) -> Tokens:
    """An operation as forced tokens, up to its answer. Raises Unsupported if it is too long."""
    tokens = (*_question(operation), "<|arg_sep|>")
    if len(tokens) > LONGEST_QUESTION:
        raise Unsupported("the values of this line are too long for cwm-mini")
    return tokens


def _question(operation: Operation) -> list[str]:
    kind, operands, name = operation.kind, operation.operands, operation.name
    if kind in ("binary", "compare"):
        return [*value_tokens(operands[0]), v.operator_token(name), *value_tokens(operands[1])]
    if kind == "unary":
        return ["<|kind:unary|>", v.operator_token(name), *value_tokens(operands[0])]
    if kind == "item":
        if name == "range":
            return [
                *value_tokens(operands[0]),
                "<|mode:range|>",
                *value_tokens(operands[1] if len(operands) > 1 else ""),
            ]
        position = operation.position
        if name == "reversed":
            position = (length_of(operands[0]) or 0) - 1 - position
        return [*cursor_tokens(operands[0], position), f"<|mode:{name}|>"]
    tokens = [f"<|kind:{kind}|>"]
    if kind in ("index", "slice", "set_index", "del_index"):
        tokens += indexed_tokens(operands[0])
        for operand in operands[1:]:
            tokens += ["<|action_sep|>", *value_tokens(operand)]
        return tokens
    if kind in ("call", "method", "mutated", "attribute"):
        for part in name.split("."):
            tokens += name_tokens(part)
    elif kind == "format":
        tokens += [*name, "<|action_sep|>"]
    for at, operand in enumerate(operands):
        if at:
            tokens.append("<|action_sep|>")
        indexed = at == 0 and (name in _INDEXED_METHODS or (name == "len" and kind == "call"))
        tokens += indexed_tokens(operand) if indexed else value_tokens(operand)
    return tokens


def answer_tokens(answer: Answer, operation: Operation | None = None) -> Tokens:
    """An answer as the model writes it; with the operation, for a model that writes digits backwards."""
    if isinstance(answer, Stop):
        return (v.STOP,)
    if isinstance(answer, Raised):
        return ("<|exception_sep|>", *value_tokens(answer.text), v.END)
    if answer in ("True", "False"):
        return (v.WORDS[answer],)
    if isinstance(answer, Ref):
        raise TypeError("a Ref is no answer of a model")
    backwards = operation is not None and is_backwards(operation)
    return (*value_tokens(answer[::-1] if backwards else answer), v.END)


def is_backwards(operation: Operation) -> bool:
    """True where a number is written from its last digit on, since that is the order in which carries go."""
    return operation.kind == "binary" and operation.name in ("+", "-", "*") and _of_ints(operation)


def _of_ints(operation: Operation) -> bool:
    return all(kind_of(text) == "int" for text in operation.operands)


def read_answer(tokens: Sequence[str], operation: Operation | None = None) -> Answer:
    """The inverse of `answer_tokens` with the same operation. Raises ValueError on anything else."""
    if not tokens:
        raise ValueError("an empty answer")
    if tokens[0] == v.STOP and len(tokens) == 1:
        return Stop()
    if len(tokens) == 1 and tokens[0] in (v.TRUE, v.FALSE):
        return text_of_tokens(list(tokens))
    if tokens[-1] != v.END:
        raise ValueError("an answer without its end")
    raised = tokens[0] == "<|exception_sep|>"
    text = text_of_tokens(list(tokens[1:-1] if raised else tokens[:-1]))
    if not text:
        raise ValueError("an empty answer")
    if raised:
        return Raised(text)
    return text[::-1] if operation is not None and is_backwards(operation) else text


_WHOLE = ("+", "-", "*", "//", "%", "&", "|", "^")
"""Operators that make a whole number of two."""


def grammar(operation: Operation, *, backwards: bool = False) -> str:
    """The Lark grammar of the answers that an operation can have. True and False end an answer: no other
    value begins with them."""
    raised = "<|exception_sep|> value <|end|>"
    if operation.is_test:
        return f"start: {v.TRUE} | {v.FALSE} | {raised}\n{VALUE_RULE}"
    if operation.kind == "binary" and operation.name in _WHOLE and _of_ints(operation):
        signed = "digits MINUS" if backwards and is_backwards(operation) else "MINUS digits"
        return f"start: digits <|end|> | {signed} <|end|> | {raised}\n{_DIGITS_RULE}"
    stop = f"{v.STOP} | " if operation.kind == "item" else ""
    return (
        f"start: {stop}{v.TRUE} | {v.FALSE} | first <|end|> | first value <|end|> | {raised}\n{_ANSWER_RULE}"
    )


_WORDS_AND_MESSAGES = (*v.WORDS.values(), *(v.message_token(at) for at in range(len(v.MESSAGES))))
_PIECES = " | ".join(dict.fromkeys(_WORDS_AND_MESSAGES))
_FIRST = " | ".join(piece for piece in dict.fromkeys(_WORDS_AND_MESSAGES) if piece not in (v.TRUE, v.FALSE))
VALUE_RULE = f"value: piece+\npiece: CHAR | {_PIECES}\nCHAR: /[^\\x00-\\x1f]/\n"
_DIGITS_RULE = f"digits: DIGIT+\nDIGIT: /[0-9]/\nMINUS: /[\\x2d]/\n{VALUE_RULE}"
_ANSWER_RULE = f"first: CHAR | {_FIRST}\n{VALUE_RULE}"


def event_tokens(naming: Naming, event: str, *, line: int = 0, function: str = "") -> Tokens:
    """The end of a block: what comes next."""
    if event == "line":
        return ("<|line_sep|>", naming.line(line), "<|frame_sep|>")
    if event == "call":
        return ("<|call_sep|>", naming.function(function), "<|frame_sep|>")
    return ("<|return_sep|>" if event == "return" else "<|exception_sep|>", "<|frame_sep|>")
