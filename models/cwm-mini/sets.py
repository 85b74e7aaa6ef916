"""Writes the programs that a cwm-mini is measured on, as files for `cwm-lsp eval`.

    python models/cwm-mini/sets.py FOLDER [--generated 200]
    cwm-lsp eval FOLDER/heldout.jsonl --report FOLDER/heldout

Four sets that training never sees: `templates.jsonl` (programs of kinds that training hasn't),
`generated.jsonl` (the training's kinds, seed numbers beyond its), `heldout.jsonl` (the hand-written functions
of heldout/) and `examples.jsonl`. Each line is a call with what it really returned or raised. Leaves out the
measuring (cwm-lsp eval does it).
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import data
import mutations
import programs
import templates
import tracing

from cwm_lsp.world.machine import exception_text

FIRST_SEED = 3_000_000_000
LONGEST = 160
"""Frames; longer runs are left out."""


def of_templates(count: int) -> Iterator[tuple[str, str, str]]:
    """Kinds, sources and calls of programs from templates."""
    for seed in range(count):
        yield templates.program(seed)


def generated(count: int) -> Iterator[tuple[str, str, str]]:
    """Kinds, sources and calls of generated programs."""
    for at in range(count):
        source, calls = programs.program(FIRST_SEED + at)
        yield "generated", source, calls[0]


def written(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Kinds (the file's name), sources and calls of hand-written programs."""
    for path in sorted(folder.glob("*.py")):
        source = path.read_text()
        for call in mutations.calls_in(source):
            yield path.stem, source, call


def lines(found: Iterator[tuple[str, str, str]]) -> Iterator[dict[str, str]]:
    """The items of a set, really run."""
    for kind, source, call in found:
        try:
            frames = tracing.trace(tracing.load(source, "program.py"), "program.py", call, LONGEST)
        except ModuleNotFoundError:
            continue
        if not frames or frames[-1].event not in ("return", "exception") or frames[-1].depth != 1:
            continue
        last = frames[-2] if frames[-2].event == "exception" else frames[-1]
        output = exception_text(last.arg.repr) if last.arg is not None else ""
        yield {"code": source, "input": "", "output": output, "call": call, "kind": kind}


def main() -> None:
    """Writes the files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generated", type=int, default=200)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    data.limit_memory(6)
    args.folder.mkdir(parents=True, exist_ok=True)
    sets = {
        "templates": of_templates(args.generated),
        "generated": generated(args.generated),
        "heldout": written(data.HERE / "heldout"),
        "examples": written(Path(__file__).parents[2] / "examples"),
    }
    for name, found in sets.items():
        path = args.folder / f"{name}.jsonl"
        items = [json.dumps(item) for item in lines(found)]
        path.write_text("\n".join(items) + "\n", encoding="utf-8")
        print(f"{len(items)} calls in {path}")


if __name__ == "__main__":
    main()
