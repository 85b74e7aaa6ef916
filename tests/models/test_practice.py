"""Practice of single operations: every kind comes up, nothing is refused, and blocks hold what is asked."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import get_args

from cwm_lsp.source.operations import OperationKind, Raised
from cwm_lsp.trace import mini_layout as layout
from tests.recipe import recipe

oracle, practice = recipe("oracle"), recipe("practice")
UNPRACTISED = {"attribute", "set_slice", "del_slice"}


def test_every_kind_of_operation_is_practised() -> None:
    asked = Counter(practice.operation(random.Random(seed)).kind for seed in range(1500))
    assert set(asked) == set(get_args(OperationKind)) - UNPRACTISED


def test_most_operations_give_a_value_and_some_raise() -> None:
    answers = [oracle.answer(practice.operation(random.Random(seed))) for seed in range(1000)]
    raised = sum(isinstance(answer, Raised) for answer in answers)
    assert 10 < raised < 150


def test_a_block_is_questions_with_their_answers() -> None:
    for seed in range(200):
        block = practice.block(random.Random(seed), 4)
        assert block.tokens[0] == "<|line_sep|>"
        assert block.tokens[2] == "<|action_sep|>"
        turns = [(before, after) for before, after in pairwise(block.roles) if before != after]
        assert turns[0][0] == 0
        assert {after for _, after in turns} == {1, 3}


def test_the_same_seed_gives_the_same_block() -> None:
    assert practice.block(random.Random(5), 3) == practice.block(random.Random(5), 3)
    assert layout.answer_tokens("12", practice.operation(random.Random(1)))
