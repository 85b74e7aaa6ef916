"""How long a step takes, from the request to the stopped event, over stdio: ours and debugpy's in one run.

    python bench/steps.py [--steps 60] [--read-ms 150]

Prints JSON, times in milliseconds. `prefetched`: a step over after somebody looked at the stop for a moment,
as people do; `cold`: with nothing predicted ahead; `with_variables`: the step and what an editor asks at a
stop (stack, scopes, variables). debugpy really runs the program; its adapter is asked the same. The list has
100,000 elements, in a recorded trace.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cwm_lsp.trace.frame import End, Frame, Value
from tests.dap.client import Client
from tests.dap.debugpy_peer import Debugpy

PROGRAM = """
def weigh(words, limit):
    total = 0
    longest = ""
    for word in words:
        size = len(word)
        if size > len(longest):
            longest = word
        if size < limit:
            total = total + size
        else:
            total = total + limit
    return total, longest


# cwm: weigh(["pear", "fig", "banana", "kiwi", "plum", "cherry", "apple", "date", "lime", "melon"], 5)
if __name__ == "__main__":
    weigh("pear fig banana kiwi plum cherry apple date lime melon grape guava lemon mango".split(), 5)
"""


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--read-ms", type=float, default=150, help="how long one looks at a stop")
    parser.add_argument("--model", default="cwm-mini")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(PROGRAM, encoding="utf-8")
        first = next(n for n, line in enumerate(PROGRAM.splitlines(), 1) if "total = 0" in line)
        pause = args.read_ms / 1000
        result: dict[str, Any] = {"steps": args.steps, "read_ms": args.read_ms, "model": args.model}
        with Client(check=False) as ours:
            ours.launch(program=str(path), model=args.model, stopOnExit=True, breakpoints=[first])
            result["prefetched"] = summary(steps(ours, "next", args.steps, pause))
            result["back"] = summary(steps(ours, "stepBack", args.steps, 0.0))
            ours.go("reverseContinue")
            result["with_variables"] = summary(steps(ours, "next", args.steps, pause, look))
        with Client(check=False) as cold:
            cold.launch(program=str(path), model=args.model, stopOnExit=True, breakpoints=[first], prefetch=0)
            result["cold"] = summary(steps(cold, "next", args.steps, 0.0))
        with Debugpy() as theirs:
            theirs.begin(str(path), [{"line": first}], [])
            result["debugpy"] = summary(steps(theirs, "next", args.steps, pause))
        with Debugpy() as theirs:
            theirs.begin(str(path), [{"line": first}], [])
            result["debugpy_with_variables"] = summary(steps(theirs, "next", args.steps, pause, look))
        result["ratio_of_medians"] = round(result["prefetched"]["p50"] / result["debugpy"]["p50"], 3)
        result["ratio_with_variables"] = round(
            result["with_variables"]["p50"] / result["debugpy_with_variables"]["p50"], 3
        )
        result["list_of_100000"] = long_list(Path(folder))
    print(json.dumps(result, indent=2))


def steps(
    client: Client, command: str, count: int, pause: float, look_too: Callable[[Client], None] | None = None
) -> list[float]:
    """Milliseconds of each step, as many as there are up to `count`."""
    found = []
    for _ in range(count):
        time.sleep(pause)
        began = time.perf_counter()
        event = client.go(command)
        if event["event"] == "terminated" or event["body"]["reason"] in ("entry", "pause"):
            break
        if look_too is not None:
            look_too(client)
        found.append((time.perf_counter() - began) * 1000)
    return found


def look(client: Client) -> None:
    """What an editor asks at each stop."""
    frame = client.stack()[0]
    for scope in client.request("scopes", frameId=frame["id"])["scopes"]:
        if scope["name"] == "Locals":
            client.variables(scope["variablesReference"])


def summary(times: list[float]) -> dict[str, float]:
    """Percentiles."""
    ordered = sorted(times)
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in PARTS.items()}
    return {"n": len(ordered), **{name: round(value, 3) for name, value in at.items()}}


PARTS = {"p50": 0.5, "p90": 0.9, "max": 1.0}


def long_list(folder: Path) -> dict[str, Any]:
    """Opening a long list: its first request (a page of 100; `open_cpu` is the adapter's processor time), a
    page in the middle; and without pages, as groups of which one is opened. The kinds are whole numbers and
    strings in pairs."""
    program = folder / "long.py"
    program.write_text("def f(xs):\n    return len(xs)\n", encoding="utf-8")
    result: dict[str, Any] = {}
    for kind, values in {
        "numbers": list(range(100_000)),
        "pairs": [(f"word{n}", n) for n in range(100_000)],
    }.items():
        value = Value(repr(values), "observed")
        frames = [Frame("call", "f", 1, 1, {"xs": value}), Frame("line", "f", 2, 1, {"xs": value})]
        end = End("returned", "100000", 3)
        frames.append(Frame("return", "f", 2, 1, {}, Value("100000", "observed")))
        trace = folder / f"{kind}.jsonl"
        trace.write_text("\n".join(json.dumps(each.to_json()) for each in (*frames, end)), encoding="utf-8")
        with Client(check=False) as client:
            client.launch("attach", program=str(program), trace=str(trace), stopOnEntry=True)
            frame = client.stack()[0]["id"]
            times = {}
            used = cpu_seconds(client)
            began = time.perf_counter()
            scope = client.request("scopes", frameId=frame)["scopes"][0]["variablesReference"]
            (shown,) = client.variables(scope)
            reference = shown["variablesReference"]
            page = client.variables(reference, filter="indexed", start=0, count=100)
            times["open"] = time.perf_counter() - began
            times["open_cpu"] = cpu_seconds(client) - used
            assert (len(page), shown["indexedVariables"]) == (100, 100_000)
            began = time.perf_counter()
            page = client.variables(reference, filter="indexed", start=50_000, count=100)
            times["a_page"] = time.perf_counter() - began
            assert page[0]["name"] == "50000"
            began = time.perf_counter()
            groups = client.variables(reference)
            assert len(groups) == 100
            assert len(client.variables(groups[-1]["variablesReference"])) == 1000
            times["without_pages"] = time.perf_counter() - began
            result[kind] = {name: round(seconds * 1000, 2) for name, seconds in times.items()}
    return result


def cpu_seconds(client: Client) -> float:
    """Processor time of the adapter so far, all threads; 0 where the system doesn't tell."""
    tasks = Path(f"/proc/{client.process.pid}/task")
    if not tasks.is_dir():
        return 0.0
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


if __name__ == "__main__":
    main()
