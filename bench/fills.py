"""How well and how fast holes are filled: the tasks of examples/holes/, and tasks cut out of other programs.

    python bench/fills.py [--made N] [--seconds S] [--modes search,model] [--cpu] [--task NAME ...]

Prints JSON. A task is solved at rank 1 if the first filling, really run in a child process, passes its
examples and the hidden checks. `--cpu` measures (and limits) processor time, for machines that are busy
with other things."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cwm_lsp.fill.holes import HoleFills, fill_document, forget
from cwm_lsp.fill.style import put
from cwm_lsp.model.backend import Backend
from cwm_lsp.source.document import Document
from tests.fill.generated import made_tasks
from tests.fill.really import really_run
from tests.fill.tasks import TASKS

MOST_COMBINATIONS = 5


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--made", type=int, default=0, help="tasks cut out of the recipe's programs, not the twenty"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--modes", default="search,model")
    parser.add_argument("--model", default="cwm-mini")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--task", nargs="*")
    args = parser.parse_args()
    if args.made:
        tasks = [
            (f"made-{at}", 0, made.text, made.hidden)
            for at, made in enumerate(made_tasks(args.made, args.seed))
        ]
    else:
        tasks = [(task.name, task.level, task.text, task.hidden) for task in TASKS]
    tasks = [task for task in tasks if not args.task or task[0] in args.task]
    report: dict[str, Any] = {"tasks": len(tasks), "seconds_a_hole": args.seconds, "cpu_time": args.cpu}
    for mode in args.modes.split(","):
        backend = loaded(args.model) if mode == "model" else None
        clock = time.thread_time if args.cpu else time.monotonic
        rows = [measured(task, backend, args.seconds, clock) for task in tasks]
        report[mode] = {**summary(rows), "rows": rows}
    print(json.dumps(report, indent=1))


def loaded(name: str) -> Backend:
    """The model by its name."""
    from cwm_lsp.model.catalog import load

    return load(name)


def measured(
    task: tuple[str, int, str, Any], backend: Backend | None, seconds: float, clock: Any
) -> dict[str, Any]:
    """One task: the rank of the first right filling, and what it cost."""
    name, level, text, hidden = task
    forget()
    document = Document.from_text(text)
    began = clock()
    first: float | None = None
    last: dict[int, HoleFills] = {}
    for found in fill_document(document, backend, budget_seconds=seconds, clock=clock):
        last[found.index] = found
        if first is None and found.fills and found.fills[0].verified.startswith("passed"):
            first = clock() - began
    took = clock() - began
    combined = combinations(document, last)
    checks = [call for call, _ in hidden]
    results = really_run([(put(document, fills), checks) for fills in combined]) if combined else []
    right = [given == [expected for _, expected in hidden] for given in results]
    reports = [found.report for found in last.values() if found.report is not None]
    best = last[min(last)].fills[:1] if last else ()
    return {
        "task": name,
        "level": level,
        "holes": len(document.holes),
        "rank": right.index(True) + 1 if True in right else None,
        "answered": bool(combined),
        "verified": best[0].verified if best else None,
        "first_seconds": None if first is None else round(first, 3),
        "seconds": round(took, 3),
        "verifications": max((one.verified for one in reports), default=0),
        "first_verification": next((one.first_verified for one in reports), None),
        "fills": combined[:1],
    }


def combinations(document: Document, last: dict[int, HoleFills]) -> list[dict[int, str]]:
    """The first few fillings of all holes, as the answer ranks them."""
    if len(last) < len(document.holes) or not all(found.fills for found in last.values()):
        return []
    found: list[dict[int, str]] = []
    most = max(len(hole.fills) for hole in last.values())
    for rank in range(most):
        for index, hole in last.items():
            if rank < len(hole.fills) and hole.fills[rank].verified != "failed":
                fill = hole.fills[rank]
                fills = {
                    **{i: other.fills[0].text for i, other in last.items()},
                    **dict(fill.together),
                    index: fill.text,
                }
                if fills not in found:
                    found.append(fills)
    return found[:MOST_COMBINATIONS]


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures over all tasks."""

    def median(key: str) -> float | None:
        values = [row[key] for row in rows if row[key] is not None]
        return round(statistics.median(values), 3) if values else None

    return {
        "rank_1": sum(row["rank"] == 1 for row in rows),
        "first_five": sum(row["rank"] is not None for row in rows),
        "answered": sum(row["answered"] for row in rows),
        "by_level": {
            str(level): f"{sum(row['rank'] == 1 for row in rows if row['level'] == level)}"
            f"/{sum(row['level'] == level for row in rows)}"
            for level in sorted({row["level"] for row in rows})
        },
        "by_holes": {
            str(count): f"{sum(row['rank'] == 1 for row in rows if row['holes'] == count)}"
            f"/{sum(row['holes'] == count for row in rows)}"
            for count in sorted({row["holes"] for row in rows})
        },
        "median_first_seconds": median("first_seconds"),
        "median_seconds": median("seconds"),
        "median_verifications": median("verifications"),
        "median_first_verification": median("first_verification"),
    }


if __name__ == "__main__":
    main()
