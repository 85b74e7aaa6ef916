"""One thread for what takes time: loading a model, moving on, asking the model. One job at a time.

Leaves out what the jobs do.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from cwm_lsp.model.backend import Cancel

JobKind = Literal["load", "move", "ask"]


@dataclass(slots=True, eq=False)
class Job:
    """Work with a token to end it. `request` is the number of the request that asked for it."""

    kind: JobKind
    request: int
    work: Callable[[Cancel], None]
    cancel: Cancel = field(default_factory=Cancel)


class Runner:
    """Runs jobs in order. `failed` is told of whatever a job raises."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._jobs: list[Job] = []
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)
        self._thread.start()

    def start(self, job: Job) -> None:
        """Takes a job."""
        with self._lock:
            self._jobs.append(job)
        self._queue.put(job)

    def cancel(self, *, request: int | None = None, kind: JobKind | None = None) -> bool:
        """Asks the jobs of a request or of a kind (all, if neither) to end; True if there is one."""
        with self._lock:
            chosen = [
                job
                for job in self._jobs
                if (request is None or job.request == request) and (kind is None or job.kind == kind)
            ]
        for job in chosen:
            job.cancel.cancel()
        return bool(chosen)

    def close(self, seconds: float = 2.0) -> None:
        """Ends all jobs, and waits a little for that."""
        self.cancel()
        self._queue.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join(seconds)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                job.work(job.cancel)
            except BaseException as error:
                self._failed(error)
            finally:
                with self._lock:
                    self._jobs.remove(job)
