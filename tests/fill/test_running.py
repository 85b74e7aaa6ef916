"""The fast way of computing calls, held to the plain simulation and to real runs."""

from __future__ import annotations

import pytest

from cwm_lsp.fill.examples import Example, example_of, examples_of, same
from cwm_lsp.fill.running import PATIENT, Program
from cwm_lsp.source.calls import CallError, parse_call
from cwm_lsp.source.document import Document
from cwm_lsp.source.literals import Refused, text_of
from cwm_lsp.world.grounding import run_call
from tests.fill.really import really_run
from tests.fill.tasks import TASKS, Task, filled
from tests.recipe import recipe


def example(document: Document, call: str) -> Example | None:
    """A call whose result nobody knows yet."""
    try:
        return example_of(document, parse_call(document, f"{call} -> None"))
    except CallError:
        return None


def computed(text: str, calls: list[str]) -> dict[str, str]:
    """What the fast way says: a `repr` or the name of an exception, for the calls that it doesn't refuse."""
    document = Document.from_text(text)
    program = Program(document)
    found: dict[str, str] = {}
    for call in calls:
        asked = example(document, call)
        if asked is None:
            continue
        outcome = program.run(asked, [], PATIENT)
        if outcome.status == "raised":
            found[call] = type(outcome.value).__name__
        elif outcome.status == "returned":
            try:
                found[call] = text_of(outcome.value)
            except Refused:
                continue
    return found


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_solved_tasks_give_what_their_checks_say(task: Task) -> None:
    text = filled(task.text, task.solution)
    document = Document.from_text(text)
    [examples] = examples_of(document).values()
    assert len(examples) >= 3
    program = Program(document)
    for one in examples:
        assert program.works(one, [])
        plain = run_call(document, one.call.text)
        assert plain.value == one.expected, "the plain reference"
        # A set of texts has no `repr` that could be told, so frames that show one are not all computed.
        assert plain.all_computed or "set()" in text
    calls = dict(task.hidden)
    found = computed(text, list(calls))
    assert found.items() <= calls.items()
    literal = [call for call in calls if example(document, call) is not None]
    assert len(found) == len(literal) > 0


def agree(seeds: range) -> tuple[int, int]:
    """Random programs, computed and really run: how many calls there were, and how many were refused."""
    programs = recipe("programs")
    jobs, asked, refused = [], 0, 0
    for seed in seeds:
        text, calls = programs.program(seed)
        found = computed(text, calls)
        asked += len(calls)
        refused += len(calls) - len(found)
        jobs.append((text, found))
    real = really_run([(text, list(found)) for text, found in jobs])
    for (text, found), results in zip(jobs, real, strict=True):
        assert list(found.values()) == results, text
    return asked, refused


def test_random_programs_give_what_python_gives() -> None:
    asked, refused = agree(range(5_000, 5_060))
    assert refused < asked / 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_random_programs_give_what_python_gives() -> None:
    asked, refused = agree(range(6_000, 7_000))
    assert refused < asked / 2


STATEMENTS = """
def f(n):
    out = []
    try:
        for i in range(n):
            if i == 1:
                continue
            if i > 5:
                break
            out.append(10 // (i - 3))
        else:
            out.append("all")
    except ZeroDivisionError:
        out.append("zero")
    finally:
        out.append("done")
    first, *rest = out
    del out[0]
    a, b = first, len(rest)
    while b > 0:
        b -= 1
        a += b if isinstance(a, int) else 0
    def twice(x, k=2):
        return x * k
    assert twice(b) == 0
    rest += [twice(1), twice(2, k=5)]
    return out, a, rest
"""


def test_statements() -> None:
    calls = ["f(0)", "f(2)", "f(3)", "f(9)"]
    [real] = really_run([(STATEMENTS, calls)])
    assert list(computed(STATEMENTS, calls).values()) == real


REFUSED = [
    "import os\ndef f(n):\n    return os.getcwd()\n",
    "def f(n):\n    return ().__class__.__base__.__subclasses__()\n",
    "def f(n):\n    return eval('n')\n",
    "def f(n):\n    while True:\n        n += 1\n",
    "def f(n):\n    return f(n + 1)\n",
    "def f(n):\n    return 9 ** 9 ** 9\n",
    "def f(n):\n    x = [1]\n    while True:\n        x = x + x\n",
    "def f(n):\n    x = []\n    for i in range(80):\n        x = [x, x]\n    return x == x\n",
    "def f(n):\n    global g\n    g = n\n    return g\n",
    "def f(n):\n    yield n\n",
    "T = []\ndef f(n):\n    T.append(n)\n    return T\n",
    "def f(n, seen=[]):\n    seen.append(n)\n    return seen\n",
    "def f(n):\n    return n + ?\n",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_not_computed_is_refused_soon(text: str) -> None:
    document = Document.from_text(text)
    asked = example(document, "f(1)")
    assert asked is not None
    outcome = Program(document).run(asked, [lambda env: Program(document).run(asked, [])], PATIENT)
    assert outcome.status != "returned" or "?" in text


def test_a_local_hides_what_is_outside_even_before_it_is_bound() -> None:
    text = "def f(n):\n    if n > 5:\n        sum = n\n    return sum([n])\n"
    assert computed(text, ["f(1)"]) == {}


def test_equality_is_strict() -> None:
    assert same([1, "a", (2.0,)], [1, "a", (2.0,)])
    assert not same([1], [True])
    assert not same(1, 1.0)
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert same({"a": 1, "b": 2}, {"b": 2, "a": 1}, ordered=False)
