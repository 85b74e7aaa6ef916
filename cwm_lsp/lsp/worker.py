"""Background work: one thread, jobs by priority, each a generator that gives way after every step.

A job that is urgent runs between two steps of one that is not, and nothing is lost; a cancelled job ends at
its next step, and its cancel token ends the decoding inside a step. What comes of a job is delivered on the
event loop. Leaves out what the jobs do.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, TypeVar

from cwm_lsp.model.backend import Cancel

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Steps = Generator[None, None, Result]


class Priority(IntEnum):
    """Who goes first: housekeeping that others wait for, what the user waits for, what nobody asked for."""

    URGENT = 0
    INTERACTIVE = 1
    BACKGROUND = 2


class CancelledJobError(Exception):
    """The job was cancelled; it has no result."""


@dataclass(eq=False)
class Job(Generic[Result]):
    """Work to do: `start` makes its generator, on the worker's thread. `done` is called once, on the event
    loop, with a result or an error."""

    name: str
    priority: Priority
    start: Callable[[Cancel], Steps[Result]]
    done: Callable[[Result | None, BaseException | None], None]
    cancel: Cancel = field(default_factory=Cancel)
    order: int = 0
    steps: Steps[Result] | None = None
    began: bool = False


class Worker:
    """The thread and its jobs. `deliver` brings a call to the event loop; it may be called when the loop is
    closed, and is to ignore that."""

    def __init__(self, name: str, deliver: Callable[[Callable[[], None]], None]) -> None:
        self._deliver = deliver
        self._jobs: list[Job[Any]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._count = itertools.count()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job[Any]) -> None:
        """Takes a job on."""
        with self._changed:
            if self._closed:
                job.cancel.cancel()
                self._deliver(lambda: job.done(None, CancelledJobError()))
                return
            job.order = next(self._count)
            self._jobs.append(job)
            self._changed.notify()

    def cancel(self, job: Job[Any]) -> None:
        """Ends a job; its `done` gets a CancelledJobError, soon. One that is over is left alone."""
        job.cancel.cancel()
        with self._changed:
            self._changed.notify()

    @property
    def pending(self) -> int:
        """How many jobs are waiting or running."""
        with self._changed:
            return len(self._jobs)

    def close(self, seconds: float = 2.0) -> bool:
        """Cancels everything and waits for the thread; False if it is still busy after that time."""
        with self._changed:
            self._closed = True
            for job in self._jobs:
                job.cancel.cancel()
            self._changed.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._jobs:
                    if self._closed:
                        return
                    self._changed.wait()
                job = min(self._jobs, key=lambda item: (not item.cancel.cancelled, item.priority, item.order))
            self._step(job)

    def _step(self, job: Job[Any]) -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            if job.cancel.cancelled:
                if job.steps is not None:
                    job.steps.close()
                error = CancelledJobError()
            else:
                if job.steps is None:
                    job.steps = job.start(job.cancel)
                next(job.steps)
                return
        except StopIteration as stop:
            result = stop.value
        except BaseException as caught:
            error = caught
            if not isinstance(caught, Exception):
                log.critical("%s ended with %r", job.name, caught)
        with self._changed:
            self._jobs.remove(job)
        if error is None and job.cancel.cancelled:
            result, error = None, CancelledJobError()
        self._deliver(lambda: job.done(result, error))
