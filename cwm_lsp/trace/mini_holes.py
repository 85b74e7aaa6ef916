"""cwm-mini's infilling form: a function with holes, calls of it with their results, and what fills one hole.

    source      as in mini_layout.py; every hole of the function is the character `?`
    block       <|invent|> <|L3|> <|i0|> PLACE example ... <|arg_sep|> answer <|end|>
    example     <|call_sep|> v0 VALUE v1 VALUE <|return_sep|> VALUE
    answer      the code that belongs there, in the tokens of the source

`<|invent|>` followed by a line asks for code (followed by a variable, for an argument); `<|i0|>` counts the
holes of that line. No token is new. Leaves out where the examples come from (the fill room, the recipe).
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence

from parso.python.tokenize import tokenize
from parso.utils import parse_version_string

from cwm_lsp.source.document import Document
from cwm_lsp.source.holes import Hole, Place
from cwm_lsp.trace import mini_vocabulary as v
from cwm_lsp.trace.mini_layout import Naming, Tokens, code_tokens, naming_of
from cwm_lsp.trace.mini_values import text_of_tokens, value_tokens

Example = tuple[Mapping[str, str], str]
"""The arguments of a call and what it returns, as `repr` texts."""

PLACES: dict[Place, str] = {
    "expression": v.keyword_token("return"),
    "iterable": v.keyword_token("for"),
    "condition": v.keyword_token("if"),
    "target": v.keyword_token("as"),
    "argument": "<|kind:call|>",
    "operand": "<|kind:unary|>",
    "statement": v.keyword_token("pass"),
    "name": "<|kind:attribute|>",
}
"""Tokens that have no other meaning at their place in the block."""
LONGEST_EXAMPLE = 60
EXAMPLES = 2
_VERSION = parse_version_string("3.11")
_WORDY = re.compile(r"\w")


def asked(document: Document, hole: Hole, qualname: str, examples: Iterable[Example] = ()) -> Tokens:
    """The block up to its answer. Of the examples, the first that are short enough are shown."""
    naming = naming_of(document, qualname)
    before = sum(other.line == hole.line and other.column < hole.column for other in document.holes)
    tokens = [v.INVENT, naming.line(hole.line), v.index_token(min(before, v.INDICES - 1)), PLACES[hole.place]]
    shown = 0
    for arguments, result in examples:
        told = ["<|call_sep|>"]
        for name, text in arguments.items():
            told += (*naming.variable(name), *value_tokens(text))
        told += ("<|return_sep|>", *value_tokens(result))
        if len(told) <= LONGEST_EXAMPLE:
            tokens += told
            shown += 1
            if shown == EXAMPLES:
                break
    return (*tokens, "<|arg_sep|>")


def answer_tokens(naming: Naming, text: str) -> Tokens:
    """Code (an expression, a target, or a statement on one line) as the model writes it."""
    tokens: list[str] = []
    for token in tokenize(text, version_info=_VERSION):
        if token.type.name not in ("NEWLINE", "INDENT", "DEDENT", "ENDMARKER", "ERROR_DEDENT"):
            tokens += code_tokens(naming, token.type.name, token.string) if token.string else ()
    return (*tokens, v.END)


def read_answer(naming: Naming, tokens: Sequence[str]) -> str:
    """The inverse of `answer_tokens`, spaced as `ast.unparse` does. Raises ValueError if it is no code."""
    if not tokens or tokens[-1] != v.END:
        raise ValueError("an answer without its end")
    words = _words(naming)
    text, joined = "", True
    for token in tokens[:-1]:
        # The characters of a name or number follow one another; what is one token stands by itself.
        single = token in words or token == v.UNKNOWN
        piece = "" if token == v.UNKNOWN else words.get(token) or text_of_tokens([token])
        apart = single or not joined
        if apart and _WORDY.match(piece or "a") and _WORDY.search(text[-1:]):
            text += " "
        text += piece
        joined = token not in words
    text = text.strip()
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"no code: {text[:60]}") from None
    if len(body) != 1:
        raise ValueError("not one piece of code")
    if isinstance(body[0], ast.If) and len(body[0].body) == 1 and not body[0].orelse:
        return f"if {ast.unparse(body[0].test)}: {ast.unparse(body[0].body[0])}"
    return ast.unparse(body[0])


def _words(naming: Naming) -> dict[str, str]:
    """What each special token of code spells."""
    words = {v.slot(at): name for name, at in naming.variables.items() if at < v.SLOTS}
    words.update((v.function_token(at), name.rpartition(".")[2]) for name, at in naming.functions.items())
    words.update((v.operator_token(text), text) for text in v.OPERATORS)
    words.update((v.keyword_token(word), word) for word in keyword.kwlist if word not in v.WORDS)
    words.update((v.name_token(name), name) for name in v.NAMES)
    words.update((token, text) for text, token in v.WORDS.items())
    return words


def grammar(naming: Naming, place: Place, names: Iterable[str], ids: Mapping[str, int]) -> str:
    """The Lark grammar of answers for a hole of this kind over the variables `names`. `ids` are those of the
    special tokens: a name such as `<|op:<|>` can't stand in a grammar."""

    def one_of(tokens: Iterable[str]) -> str:
        return " | ".join(f"<[{ids[token]}]>" for token in dict.fromkeys(tokens))

    def operator(text: str) -> str:
        return one_of([v.operator_token(text)])

    def word(text: str) -> str:
        return one_of([v.keyword_token(text)])

    slots = [token for name in names for token in naming.variable(name)[:1] if token != v.UNKNOWN]
    comma, none = one_of([v.WORDS[", "]]), one_of([v.WORDS["None"]])
    binary = one_of(
        v.operator_token(text) for text in v.OPERATORS if " " not in text and text not in ("~", "not")
    )
    starts = {"name": "method", "target": f"target ({comma} target)*", "statement": "statement"}
    return f"""start: {starts.get(place, "expr")} {one_of([v.END])}
statement: simple | {word("if")} expr ":" simple
simple: target ("=" | AUGMENTED) expr | post | {word("return")} expr | {word("break")} | {word("continue")}
target: variable trailer*
expr: chain ({word("if")} chain {word("else")} chain)?
chain: unary (binary unary)*
binary: {binary} | {operator("not")} {operator("in")} | {operator("is")} {operator("not")}
unary: ({operator("-")} | {operator("not")})* post
post: atom trailer*
trailer: "." method | "(" args? ")" | "[" sub "]"
args: arg ({comma} arg)*
arg: expr | method "=" expr | expr each
sub: expr | expr? ":" expr? (":" expr?)?
each: {word("for")} variable ({comma} variable)* {operator("in")} chain ({word("if")} chain)?
atom: variable | function | method | NUMBER | STRING | {one_of([v.TRUE, v.FALSE])} | {none} | group
group: "(" args? ")" | "[" args? "]" | "{{" (pair ({comma} pair)* | pair each | args)? "}}"
pair: expr ":" expr
variable: {one_of(slots) or none}
function: {one_of(v.function_token(at) for at in naming.functions.values())}
method: {one_of(v.name_token(name) for name in v.NAMES)}
NUMBER: /[0-9]{{1,4}}([.][0-9]{{1,3}})?/
STRING: /[frb]?'[^'\\\\\\x00-\\x1f]{{0,24}}'/ | /[frb]?"[^"\\\\\\x00-\\x1f]{{0,24}}"/
AUGMENTED: "+=" | "-=" | "*=" | "//=" | "%=" | "|=" | "&=" | "^="
"""
