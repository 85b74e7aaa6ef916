"""The background thread: who goes first, and that every job is answered once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from cwm_lsp.lsp.worker import CancelledJobError, Job, Priority, Steps, Worker
from cwm_lsp.model.backend import Cancel


class Desk:
    """Collects what is delivered."""

    def __init__(self) -> None:
        self.calls: queue.Queue[Callable[[], None]] = queue.Queue()
        self.done: list[tuple[str, Any, BaseException | None]] = []
        self.worker = Worker("test", self.calls.put)

    def job(self, name: str, priority: Priority, steps: Callable[[Cancel], Steps[Any]]) -> Job[Any]:
        return Job(name, priority, steps, lambda result, error: self.done.append((name, result, error)))

    def wait(self, count: int) -> list[tuple[str, Any, BaseException | None]]:
        while len(self.done) < count:
            self.calls.get(timeout=20)()
        return self.done


def counting(steps: int, log: list[str], name: str) -> Callable[[Cancel], Steps[int]]:
    def run(_: Cancel) -> Steps[int]:
        for _ in range(steps):
            log.append(name)
            time.sleep(0.001)
            yield
        return steps

    return run


def test_urgent_jobs_run_between_the_steps_of_others_and_nothing_is_lost() -> None:
    desk, log, begun = Desk(), list[str](), threading.Event()

    def slow(_: Cancel) -> Steps[str]:
        for _ in range(200):
            begun.set()
            log.append("slow")
            time.sleep(0.001)
            yield
        return "slow is done"

    desk.worker.submit(desk.job("slow", Priority.BACKGROUND, slow))
    assert begun.wait(20)
    desk.worker.submit(desk.job("fast", Priority.INTERACTIVE, counting(5, log, "fast")))
    done = desk.wait(2)
    assert [item[0] for item in done] == ["fast", "slow"]
    assert done[1][1] == "slow is done"
    assert log.count("slow") == 200
    first = log.index("fast")
    assert log[first : first + 5] == ["fast"] * 5
    assert desk.worker.close()


def test_a_cancelled_job_is_answered_once_and_its_generator_closed() -> None:
    desk, closed, begun = Desk(), threading.Event(), threading.Event()

    def endless(cancel: Cancel) -> Steps[None]:
        try:
            while True:
                begun.set()
                yield
        finally:
            assert cancel.cancelled
            closed.set()

    job = desk.job("endless", Priority.INTERACTIVE, endless)
    waiting = desk.job("waiting", Priority.BACKGROUND, endless)
    desk.worker.submit(job)
    desk.worker.submit(waiting)
    assert begun.wait(20)
    desk.worker.cancel(waiting)
    desk.worker.cancel(job)
    desk.worker.cancel(job)
    done = desk.wait(2)
    assert all(isinstance(error, CancelledJobError) for _, _, error in done)
    assert closed.wait(20)
    assert desk.worker.pending == 0
    assert desk.worker.close()
    assert desk.calls.empty()


def test_errors_are_delivered_and_the_thread_goes_on() -> None:
    desk = Desk()

    def fails(_: Cancel) -> Steps[None]:
        yield
        raise KeyError("x")

    desk.worker.submit(desk.job("fails", Priority.URGENT, fails))
    desk.worker.submit(desk.job("works", Priority.BACKGROUND, counting(2, [], "x")))
    done = desk.wait(2)
    assert isinstance(done[0][2], KeyError)
    assert done[1][1] == 2
    assert desk.worker.close()
    late = desk.job("late", Priority.URGENT, counting(1, [], "x"))
    desk.worker.submit(late)
    assert isinstance(desk.wait(3)[2][2], CancelledJobError)
