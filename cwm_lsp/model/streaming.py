"""Tokens as they become certain, for an event loop, from work that runs in a thread.

Leaves out the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from cwm_lsp.model.backend import Cancel, Completion, Request

Emit = Callable[[tuple[int, ...]], None]


async def streamed(
    complete: Callable[[Request, Emit], Completion], request: Request
) -> AsyncIterator[tuple[int, ...]]:
    """The runs that `complete` emits. Leaving the loop early cancels the request."""
    loop = asyncio.get_running_loop()
    runs: asyncio.Queue[tuple[int, ...] | None] = asyncio.Queue()
    cancel = request.cancel or Cancel()

    def emit(run: tuple[int, ...] | None) -> None:
        loop.call_soon_threadsafe(runs.put_nowait, run)

    def work() -> None:
        try:
            complete(replace(request, cancel=cancel), emit)
        finally:
            emit(None)

    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        while (run := await runs.get()) is not None:
            yield run
        await task
    finally:
        if not task.done():
            cancel.cancel()
            await asyncio.wait([task])
            task.exception()
