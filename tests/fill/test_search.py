"""Candidates and the search: texts mean what was computed, equal ones are one, dead ends lose nothing."""

from __future__ import annotations

import ast
import random
import time

import pytest

from cwm_lsp.fill.candidates import Candidate, candidates_for
from cwm_lsp.fill.examples import examples_of
from cwm_lsp.fill.running import Program
from cwm_lsp.fill.search import Search
from cwm_lsp.fill.sites import sites_of
from cwm_lsp.fill.states import copy_of, made
from cwm_lsp.source.document import Document
from cwm_lsp.source.literals import Refused, compute
from tests.fill.tasks import TASKS, Task


def search_of(text: str, seconds: float = 2.0) -> Search:
    """A search that has seen the states."""
    document = Document.from_text(text)
    program = Program(document)
    sites, refusals = sites_of(document, program)
    assert not refusals
    [examples] = examples_of(document).values()
    found = Search(program, sites, examples, seconds=seconds, clock=time.thread_time)
    assert found.observe()
    return found


BY_NAME = {task.name: task for task in TASKS}


@pytest.mark.parametrize("name", ["coldest", "is_prime"])
def test_a_text_means_what_was_computed(name: str) -> None:
    """Brackets, operators and names of every candidate: its text, computed by itself, gives what its closure
    gave."""
    search = search_of(BY_NAME[name].text)
    [site] = search.sites
    states = search.states[site.index]
    some = candidates_for(
        site, search.program, states, search.examples, highest=5, seconds=0.2, clock=time.thread_time
    )
    assert len(some) > 100
    compared = 0
    rng = random.Random(1)
    for candidate in rng.sample(some, min(len(some), 400)):
        node = ast.parse(candidate.text, mode="eval").body
        for state in states:
            try:
                by_text = compute(node, copy_of(state))
            except Refused:
                continue
            except Exception:
                continue
            assert repr(run(candidate, state)) == repr(by_text) or " at 0x" in repr(by_text), candidate.text
            compared += 1
    assert compared > 200


def run(candidate: Candidate, state: dict[str, object]) -> object:
    """What a candidate gives in a state."""
    from cwm_lsp.source.literals import Limits
    from cwm_lsp.source.literals_build import Env
    from cwm_lsp.source.literals_limits import Budget

    return candidate.run(Env(copy_of(state), Budget(Limits()), None, inner=False))


def test_expressions_that_do_the_same_are_one() -> None:
    search = search_of(BY_NAME["binary_search"].text)
    search.collect(effort=0)
    texts = {candidate.text for candidate in search.candidates[0]}
    assert "len(ordered) - 1" in texts
    assert not {"0 + low", "low + 0", "low * 1", "len(ordered) - 0"} & texts


def test_made_states_keep_apart_what_is_equal_where_all_is_zero() -> None:
    rng = random.Random(0)
    state = {"a": 0, "b": 0, "xs": [], "ys": [1, 2, 3, 4], "d": {}, "s": "", "seen": set()}
    states = [made(state, rng, small=at % 2 == 1) for at in range(7)]
    assert any(one["a"] + one["b"] != one["b"] for one in states)
    assert any(one["xs"] for one in states)
    assert {one["b"] in one["seen"] for one in states} == {True, False}
    assert all(type(one[name]) is type(value) for one in states for name, value in state.items())


TWO_HOLES = '''
def area(a, b):
    """
    >>> area(2, 3)
    11
    >>> area(4, 1)
    9
    """
    if a > b:
        return a * 2 + ?
    return a + b * ?
'''


@pytest.mark.parametrize("text", [TWO_HOLES, BY_NAME["without_repeats"].text])
def test_dead_ends_lose_nothing(text: str) -> None:
    """The plain reference tries every combination."""

    def all_of(*, plain: bool) -> tuple[set[tuple[str, ...]], int]:
        search = search_of(text, seconds=30.0)
        search.collect(effort=0)
        search.candidates = [some[:40] for some in search.candidates]
        if plain:
            search._is_dead = lambda at, chosen: False  # type: ignore[method-assign]
        search._finished = lambda first, total: search.over  # type: ignore[method-assign]
        return {solution.texts for solution in search.solve()}, search.report.verified

    fast, few = all_of(plain=False)
    plain, many = all_of(plain=True)
    assert fast == plain
    assert fast
    assert few < many


def test_a_cancelled_search_ends_at_once() -> None:
    task = BY_NAME["run_length"]
    document = Document.from_text(task.text)
    program = Program(document)
    sites, _ = sites_of(document, program)
    [examples] = examples_of(document).values()
    cancelled = False
    search = Search(program, sites, examples, seconds=60.0, stop=lambda: cancelled)
    assert search.observe()
    cancelled = True
    began = time.monotonic()
    search.collect()
    assert list(search.solve()) == []
    assert time.monotonic() - began < 0.5


def test_statements_change_what_the_code_leaves_unchanged() -> None:
    search = search_of(BY_NAME["fibonacci"].text)
    search.collect(effort=0)
    texts = [candidate.text for candidate in search.candidates[0]]
    assert "a, b = b, a + b" in texts[:900]
    assert not any(text.startswith(("count", "numbers")) for text in texts[:40])


@pytest.mark.parametrize(
    "task", [BY_NAME[name] for name in ("rotate", "triangle", "coldest")], ids=lambda task: task.name
)
def test_the_right_answer_is_among_the_candidates(task: Task) -> None:
    search = search_of(task.text)
    search.collect(effort=0)
    rights = [ast.dump(ast.parse(text)) for text in (*task.solution, "size + start", "1", "days[0]")]
    assert any(ast.dump(ast.parse(c.text)) in rights for c in search.candidates[0])
