"""The twenty tasks of examples/holes/, filled and really run; and that what is marked as passed does pass."""

from __future__ import annotations

import time

import pytest

from cwm_lsp.fill.holes import fill_document, forget
from cwm_lsp.fill.style import put
from cwm_lsp.model.backend import Backend
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from tests.fill.generated import made_tasks
from tests.fill.really import all_right, really_run
from tests.fill.tasks import TASKS, Task, filled

# Processor time, so that a busy machine measures what an idle one does.
CLOCK = time.thread_time


def rank_of(task: Task, backend: Backend | None = None) -> int | None:
    """The place of the first right filling among the first five; None if it is not among them."""
    forget()
    document = Document.from_text(task.text)
    found = {one.index: one for one in fill_document(document, backend, clock=CLOCK) if one.done}
    assert len(found) == len(document.holes)
    if not all(one.fills and one.fills[0].verified == "passed" for one in found.values()):
        return None
    best = {index: one.fills[0].text for index, one in found.items()}
    assert all_right(put(document, best), examples_in(document)), "passed means passed"
    if all_right(put(document, best), task.hidden):
        return 1
    for rank in range(1, 5):
        for index, one in found.items():
            if rank < len(one.fills):
                fills = {**best, **dict(one.fills[rank].together), index: one.fills[rank].text}
                if all_right(put(document, fills), task.hidden):
                    return rank + 1
    return None


def examples_in(document: Document) -> list[tuple[str, str]]:
    """The calls of a file whose results it says."""
    return [(call.text, call.expected) for call in calls_in(document) if call.expected is not None]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_is_one(task: Task) -> None:
    """It has holes, examples and a comment, one way to fill it is right, and the text as it is says
    nothing."""
    document = Document.from_text(task.text)
    assert len(document.holes) == len(task.solution)
    assert "\n# cwm: " in task.text
    right = filled(task.text, task.solution)
    assert all_right(right, examples_in(Document.from_text(right)))
    assert all_right(right, task.hidden)
    assert not {call for call, _ in examples_in(document)} & {call for call, _ in task.hidden}


def test_levels() -> None:
    assert len(TASKS) == 20
    assert {task.level for task in TASKS} == {1, 2, 3}
    assert {path.stem for path in TASKS[0].path.parent.glob("*.py")} == {task.name for task in TASKS}


@pytest.mark.parametrize("name", ["binary_search", "rotate", "is_prime", "without_repeats"])
def test_some_tasks_are_solved_by_search_alone(name: str) -> None:
    assert rank_of(next(task for task in TASKS if task.name == name)) == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("model", [False, True], ids=["search", "with cwm-mini"])
def test_most_tasks_are_solved(model: bool) -> None:
    backend = EmbeddedBackend() if model else None
    ranks = {task.name: rank_of(task, backend) for task in TASKS}
    assert sum(rank == 1 for rank in ranks.values()) >= 14, ranks
    assert sum(rank is not None for rank in ranks.values()) >= 17, ranks


def check_made(count: int, seed: int, seconds: float) -> tuple[int, int]:
    """Fills that are marked as passed in made tasks, all really run: how many, in how many tasks."""
    jobs, tasks = [], 0
    for made in made_tasks(count, seed):
        document = Document.from_text(made.text)
        found = {
            one.index: one for one in fill_document(document, budget_seconds=seconds, clock=CLOCK) if one.done
        }
        assert len(found) == len(document.holes)
        if not all(one.fills for one in found.values()):
            continue
        tasks += 1
        best = {index: one.fills[0].text for index, one in found.items()}
        for index, one in found.items():
            for fill in one.fills:
                if fill.verified == "passed":
                    fills = {**best, **dict(fill.together), index: fill.text}
                    jobs.append((put(document, fills), made.examples))
    real = really_run([(text, [call for call, _ in examples]) for text, examples in jobs])
    for (text, examples), results in zip(jobs, real, strict=True):
        assert results == [expected for _, expected in examples], text
    return len(jobs), tasks


def test_what_is_marked_as_passed_passes() -> None:
    fills, tasks = check_made(3, seed=3, seconds=0.2)
    assert fills >= tasks > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_what_is_marked_as_passed_passes_in_five_hundred_tasks() -> None:
    fills, tasks = check_made(500, seed=100, seconds=0.2)
    assert tasks > 200
    assert fills > 400
