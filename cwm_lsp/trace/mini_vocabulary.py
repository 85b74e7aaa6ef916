"""The token names of cwm-mini: what is one token, and what is spelt.

CWM's trace tokens keep their names; everything else here is cwm-mini's own. Leaves out ids: those are the
tokenizer's (models/cwm-mini/tokenizer.py writes it from these lists).
"""

from __future__ import annotations

import keyword

TRACE_TOKENS = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|pad|>", "<|frame_sep|>", "<|action_sep|>", "<|return_sep|>",
    "<|call_sep|>", "<|line_sep|>", "<|exception_sep|>", "<|arg_sep|>", "<|trace_context_start|>",
)  # fmt: skip

SLOTS = 48  # local variables of one function
FUNCTIONS = 16  # functions of the file that one function names
LINES = 96  # lines of one function
INDICES = 64  # elements that carry their index

END, STOP, CURSOR, TRUE, FALSE, UNKNOWN = "<|end|>", "<|stop|>", "<|cur|>", "<|True|>", "<|False|>", "<|?|>"
STEP_OVER, INVENT, INVERSE = "<|step_over|>", "<|invent|>", "<|inverse|>"

WORDS = {
    ", ": "<|,|>",
    ": ": "<|:|>",
    "True": TRUE,
    "False": FALSE,
    "None": "<|None|>",
}
"""Texts that are one token in a value, outside of string literals."""

MESSAGES = (
    "ValueError(", "KeyError(", "IndexError(", "TypeError(", "ZeroDivisionError(", "AttributeError(",
    "AssertionError(", "RuntimeError(", "StopIteration(", "Exception(", "LookupError(",
    "NotImplementedError(", "RecursionError(", "OverflowError(", "UnboundLocalError(", "NameError(",
    "'list index out of range'", "'string index out of range'", "'tuple index out of range'",
    "'division by zero'", "'integer division or modulo by zero'", "'integer modulo by zero'",
    "'pop from empty list'", "'list.remove(x): x not in list'", "'substring not found'",
    "invalid literal for int() with base 10: ", "could not convert string to float: ",
    "unsupported operand type(s) for ", "can only concatenate str (not ", "'max() arg is an empty sequence'",
    "'min() arg is an empty sequence'", "'list assignment index out of range'", "'pop index out of range'",
    "'float division by zero'", "max() iterable argument is empty", "min() iterable argument is empty",
    "list.index(x): x not in list", "not supported between instances of ", "object is not ",
    " is not in list", "iterable", "subscriptable", "callable", " object ",
)  # fmt: skip
"""Texts of exceptions that are one token, inside and outside of string literals."""

OPERATORS = (
    "+", "-", "*", "/", "//", "%", "**", "<<", ">>", "|", "^", "&", "@", "~", "not", "==", "!=", "<", "<=",
    ">", ">=", "is", "is not", "in", "not in", "and", "or",
)  # fmt: skip

KINDS = (
    "unary", "truth", "index", "slice", "call", "method", "mutated", "set_index", "del_index", "attribute",
    "format", "join", "item", "matches", "make_set",
)  # fmt: skip

MODES = ("item", "key", "value", "pair", "reversed", "range")

NAMES = (
    "abs", "all", "any", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate", "filter",
    "float", "frozenset", "hash", "hex", "int", "isinstance", "iter", "len", "list", "map", "max", "min",
    "next", "object", "oct", "ord", "pow", "print", "range", "repr", "reversed", "round", "set", "slice",
    "sorted", "str", "sum", "tuple", "type", "zip", "math", "sqrt", "floor", "ceil", "gcd", "self", "key",
    "keys", "reverse", "start", "default", "append", "extend", "insert", "remove", "pop", "clear", "index",
    "count", "sort", "copy", "get", "items", "values", "update", "setdefault", "popitem", "add", "discard",
    "union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "upper",
    "lower", "title", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "split", "rsplit",
    "splitlines", "join", "replace", "find", "rfind", "startswith", "endswith", "isdigit", "isalpha",
    "isalnum", "isupper", "islower", "isspace", "zfill", "center", "ljust", "rjust", "partition",
    "rpartition", "removeprefix", "removesuffix", "format", "casefold", "translate", "Exception",
    "ValueError", "KeyError", "IndexError", "TypeError", "ZeroDivisionError", "AttributeError",
    "AssertionError", "RuntimeError", "StopIteration", "LookupError", "ArithmeticError", "sep", "end",
    "maxsplit", "appendleft", "popleft", "isdisjoint", "fromkeys", "rindex", "bit_length",
)  # fmt: skip


def special_tokens() -> tuple[str, ...]:
    """All special tokens by name, in the order of their ids."""
    names = [*TRACE_TOKENS, END, STOP, CURSOR, TRUE, FALSE, UNKNOWN, STEP_OVER, INVENT, INVERSE]
    names += [token for token in WORDS.values() if token not in names]
    names += [slot(at) for at in range(SLOTS)] + [function_token(at) for at in range(FUNCTIONS)]
    names += [line_token(at) for at in range(LINES)] + [index_token(at) for at in range(INDICES)]
    names += [message_token(at) for at in range(len(MESSAGES))]
    names += [operator_token(text) for text in OPERATORS] + [f"<|kind:{kind}|>" for kind in KINDS]
    names += [f"<|mode:{mode}|>" for mode in MODES] + [name_token(name) for name in NAMES]
    names += [keyword_token(word) for word in keyword.kwlist if word not in WORDS]
    return tuple(names)


def slot(at: int) -> str:
    """A local variable."""
    return f"<|v{at % SLOTS}|>"


def function_token(at: int) -> str:
    """A function of the file."""
    return f"<|f{at % FUNCTIONS}|>"


def line_token(at: int) -> str:
    """A line, counted from the first line of its function."""
    return f"<|L{at % LINES}|>"


def index_token(at: int) -> str:
    """Stands before the element with that index."""
    return f"<|i{at}|>"


def message_token(at: int) -> str:
    """One of MESSAGES."""
    return f"<|m{at}|>"


def operator_token(text: str) -> str:
    """A Python operator."""
    return f"<|op:{text}|>"


def name_token(name: str) -> str:
    """A builtin, a method or a usual keyword argument."""
    return f"<|n:{name}|>"


def keyword_token(word: str) -> str:
    """A Python keyword."""
    return f"<|kw:{word}|>"
