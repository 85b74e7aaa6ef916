"""Holes in cwm-mini's training data: what is asked has an answer, and it is the code that was cut."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.grammar import Grammars
from cwm_lsp.source.document import Document
from cwm_lsp.trace import mini_holes
from cwm_lsp.trace.mini_layout import naming_of
from cwm_lsp.trace.mini_vocabulary import special_tokens
from tests.recipe import recipe

data, holes, tokenizer = recipe("data"), recipe("holes"), recipe("tokenizer")
TEXTS = data.seeds()

PROGRAM = '''
# cwm: first_above([1, 5, 9], 4)
# cwm: first_above([1], 4)
def first_above(xs, limit):
    """The first number above a limit."""
    for at, x in enumerate(xs):
        if x > limit and x % 2 == 1:
            return at
    return -1
'''


def test_what_is_cut_out_is_the_answer() -> None:
    tree = ast.parse(PROGRAM)
    document = Document.from_text(PROGRAM)
    [function] = [f for f in document.functions if f.kind == "function"]
    found = list(holes.cuts(function))
    answers = {cut.answer for cut in found}
    assert {"enumerate(xs)", "x > limit and x % 2 == 1", "limit", "return at", "-1", "xs"} <= answers
    for cut in found:
        filled = holes.with_holes(PROGRAM, [cut]).replace("?", cut.answer, 1)
        assert ast.dump(ast.parse(filled)) == ast.dump(tree), cut


def test_samples_are_sources_with_holes_and_a_block_for_each() -> None:
    table = tokenizer.ids()
    made = 0
    for seed in range(40):
        samples = holes.samples(seed, TEXTS)
        assert samples == holes.samples(seed, TEXTS), "the same seed numbers, the same samples"
        for sample in samples:
            made += 1
            assert "?" in sample.source
            assert set(sample.source) <= {*table, *map(chr, range(128))}
            for block in sample.blocks:
                assert len(block.tokens) == len(block.roles)
                at = block.roles.index(holes.FILLED)
                assert block.tokens[at - 1] == "<|arg_sep|>"
                assert block.tokens[0] == "<|invent|>"
                assert block.tokens[-1] == "<|end|>"
                assert 0 < len(block.tokens) - at <= holes.LONGEST_ANSWER
    assert made > 30


def test_no_token_is_new() -> None:
    assert set(mini_holes.PLACES.values()) <= set(special_tokens())
    assert len(set(mini_holes.PLACES.values())) == len(mini_holes.PLACES)


def test_the_stream_of_groups_holds_them() -> None:
    stream = data.groups(0, 1)
    roles = {role for _ in range(60) for _, kinds in next(stream).blocks for role in kinds}
    assert holes.FILLED in roles
    assert len(data.WEIGHTS) > holes.FILLED


ANSWERS = [
    "xs[i] + 1", "not x in xs and n > 12", "[a for a in xs if a.isdigit()]", "f(x, key=n) if n else None",
    "'a b' + 'c'", "n += foo_bar(x1, 10)", "if x > n: n = x", "{x: 1, 'k': [2]}", "xs[1:n]",
    "x is not None", "float('inf')", "lambda q: q + 1", "-x ** 2", "(x, n)", "xs.append(x1y * 2.5)",
    "range(len(xs) - 1, -1, -1)", "x not in xs", "return x", "break", "xs[n], xs[x] = (xs[x], xs[n])",
]  # fmt: skip


@pytest.mark.parametrize("text", ANSWERS)
def test_code_is_read_back_as_it_was_written(text: str) -> None:
    document = Document.from_text("def f(xs, n, i):\n    for x in xs:\n        ?\n    return n\n")
    naming = naming_of(document, "f")
    tokens = mini_holes.answer_tokens(naming, text)
    assert mini_holes.read_answer(naming, tokens) == text


@pytest.mark.parametrize("tokens", [(), ("1",), ("<|end|>",), ("(", "<|end|>"), ("1", ";", "2", "<|end|>")])
def test_what_is_no_code_is_refused(tokens: tuple[str, ...]) -> None:
    naming = naming_of(Document.from_text("def f(n):\n    return ?\n"), "f")
    with pytest.raises(ValueError, match=r"code|answer"):
        mini_holes.read_answer(naming, tokens)


def test_the_grammar_takes_nearly_every_answer_and_only_code() -> None:
    backend = EmbeddedBackend()
    specials = backend.vocabulary.specials()
    grammars = Grammars(backend.vocabulary)
    document = Document.from_text("def f(xs, n, i):\n    for x in xs:\n        ?\n    return n\n")
    naming = naming_of(document, "f")
    taken = [text for text in ANSWERS if accepted(grammars, naming, specials, text)]
    # Names that are no variables of the function, and lambdas, are not offered to the model.
    assert set(ANSWERS) - set(taken) == {
        "[a for a in xs if a.isdigit()]",
        "n += foo_bar(x1, 10)",
        "lambda q: q + 1",
        "xs.append(x1y * 2.5)",
        "xs[n], xs[x] = (xs[x], xs[n])",
    }
    for text in taken:
        *code, end = mini_holes.answer_tokens(naming, text)
        assert not accepted(grammars, naming, specials, text, [*code, ")", end])
        assert not accepted(grammars, naming, specials, text, [")", *code, end])
    backend.close()


def accepted(grammars: Any, naming: Any, specials: dict[str, int], text: str, tokens: Any = None) -> bool:
    """True if the grammar lets the answer through to its end."""
    place = "expression" if isinstance(ast.parse(text or "0").body[0], ast.Expr) else "statement"
    rule = mini_holes.grammar(naming, place, ["xs", "n", "i", "x"], specials)
    matcher = grammars.checkout(rule)
    return bool(matcher.accepts(tokenizer.encode(tokens or mini_holes.answer_tokens(naming, text), specials)))
