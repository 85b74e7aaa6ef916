"""How probable given texts are to a server that completes only: each token is asked for by allowing no other.

The tokens that several texts share are asked for once, and all requests run side by side. Leaves out the
server's form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.remote_dialects import Ask, Told

_TOGETHER = 8


def score(ask: Callable[[Ask], Told], prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
    """The log probability of each of the `options` (token ids) as what follows `prompt`. Raises
    BackendError."""
    paths = list(dict.fromkeys(tuple(option[: i + 1]) for option in options for i in range(len(option))))

    def value(path: tuple[int, ...]) -> float:
        told = ask(Ask([*prompt, *path[:-1]], 1, top=1, allowed=[path[-1]]))
        if told.tokens[:1] != [path[-1]] or not told.logprobs or told.logprobs[0] is None:
            raise BackendError("The server did not say how probable the next lines are.")
        return min(0.0, told.logprobs[0])

    with ThreadPoolExecutor(_TOGETHER) as pool:
        known = dict(zip(paths, pool.map(value, paths), strict=True))
    return [sum(known[tuple(option[: i + 1])] for i in range(len(option))) for option in options]
