"""How fast grounded simulation is without a model, and how often a run gets to its end, as one JSON object.

    python bench/grounding.py

All times are processor time. `frames_per_second` is `run_call` on small functions; `compute_us` one small
expression by restricted evaluation, in microseconds; `eval_us` the same by Python's eval of compiled code.
`whole` is the share of generated calls that are computed to their end with every frame as recorded.
"""

from __future__ import annotations

import ast
import json
import sys
import time
import timeit
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "models" / "cwm-mini")]

import programs  # noqa: E402
import tracing  # noqa: E402

from cwm_lsp.source.calls import parse_call  # noqa: E402
from cwm_lsp.source.document import Document  # noqa: E402
from cwm_lsp.source.literals import compute  # noqa: E402
from cwm_lsp.world.grounding import run_call  # noqa: E402

SOURCE = """
def search(xs, wanted):
    low, high = 0, len(xs) - 1
    while low <= high:
        middle = (low + high) // 2
        if xs[middle] == wanted:
            return middle
        if xs[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def initials(words):
    counts = {}
    for word in words:
        key = word[0].lower()
        counts[key] = counts.get(key, 0) + 1
    return most(counts)


def most(counts):
    best = None
    for name, count in sorted(counts.items()):
        if best is None or count > counts[best]:
            best = name
    return best
"""
CALLS = ("search([1, 3, 5, 7, 9, 11, 13, 15], 13)", "initials(['pear', 'apple', 'Plum', 'fig', 'Peach'])")
EXPRESSION = "a * 2 + xs[i]"
NAMES: dict[str, object] = {"a": 3, "xs": [1, 2, 3], "i": 1}


def frames_per_second(rounds: int = 100) -> float:
    """Frames of `run_call` a second of processor time."""
    document = Document.from_text(SOURCE)
    calls = [parse_call(document, call) for call in CALLS]
    for call in calls:
        run_call(document, call)
    began, frames = time.process_time(), 0
    for _ in range(rounds):
        frames += sum(run_call(document, call).steps for call in calls)
    return frames / (time.process_time() - began)


def microseconds() -> tuple[float, float]:
    """One expression by restricted evaluation, and by Python."""
    node = ast.parse(EXPRESSION, mode="eval").body
    code = compile(EXPRESSION, "", "eval")
    number = 20_000
    ours = min(timeit.repeat(lambda: compute(node, NAMES), number=number, repeat=3, timer=time.process_time))
    run = partial(eval, code)  # our own text, for comparison
    real = min(timeit.repeat(lambda: run(dict(NAMES)), number=number, repeat=3, timer=time.process_time))
    return ours / number * 1e6, real / number * 1e6


def whole(count: int = 200) -> tuple[int, int]:
    """Generated calls that really run, and those of them that are computed to the same end."""
    total = right = 0
    for seed in range(2_300_000_000, 2_300_000_000 + count):
        source, calls = programs.program(seed)
        document = Document.from_text(source)
        for call in calls:
            frames = tracing.trace(tracing.load(source, "program.py"), "program.py", call, 1000)
            if not frames:
                continue
            total += 1
            done = run_call(document, call)
            last = frames[-1].arg
            left = done.kind == "raised" or (last is not None and done.value == last.repr)
            right += done.kind != "stopped" and left and done.steps == len(frames)
    return total, right


def main() -> None:
    """Prints the measurements."""
    ours, real = microseconds()
    total, right = whole()
    print(
        json.dumps(
            {
                "frames_per_second": round(frames_per_second()),
                "compute_us": round(ours, 2),
                "eval_us": round(real, 2),
                "calls": total,
                "whole": round(right / total, 4),
            }
        )
    )


if __name__ == "__main__":
    main()
