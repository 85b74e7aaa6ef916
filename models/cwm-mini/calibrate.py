"""Measures how often a cwm-mini is right at each confidence, and keeps that with its weights.

    python models/cwm-mini/calibrate.py MODEL_FOLDER [--programs 300] [--dry]

Free runs of generated programs that neither training nor the sets of the card hold, each against a real run;
isotonic regression (pool adjacent violators) of "was it right" on the raw probability; the line goes into
the folder's config.json. Leaves out what is done with it (cwm_lsp/world/confidence.py).
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterable
from math import prod
from pathlib import Path

import data
import mutations
import programs
import tracing

from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.source.calls import CallError
from cwm_lsp.source.document import Document
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.confidence import Calibration, Points, said_confidences
from cwm_lsp.world.metrics import confident_values, ece, score
from cwm_lsp.world.mini_predictor import MiniPredictor
from cwm_lsp.world.simulation import Simulation

FIRST_SEED = 4_000_000_000
LONGEST = 120
KNOTS = 16
"""Points of a line, each the mean of as many values."""

Judged = list[tuple[float, bool]]


def isotonic(judged: Judged) -> list[tuple[float, float, int]]:
    """(mean raw, share right, how many) of blocks whose shares rise: the best line that never falls."""
    blocks: list[tuple[float, float, int]] = []
    for raw, right in sorted(judged):
        blocks.append((raw, float(right), 1))
        while len(blocks) > 1 and blocks[-2][1] >= blocks[-1][1]:
            (a, share, n), (b, other, m) = blocks[-2:]
            blocks[-2:] = [((a * n + b * m) / (n + m), (share * n + other * m) / (n + m), n + m)]
    return blocks


def line(judged: Judged) -> Points:
    """A calibration's points: the blocks of `isotonic`, pooled to at most KNOTS."""
    least = max(1, len(judged) // KNOTS)
    points: list[tuple[float, float]] = []
    held: list[tuple[float, float, int]] = []
    for block in isotonic(judged):
        held.append(block)
        count = sum(n for _, _, n in held)
        if count >= least:
            mean = [sum(part[at] * part[2] for part in held) / count for at in (0, 1)]
            if not points or mean[0] > points[-1][0] + 1e-4:
                points.append((round(mean[0], 4), round(mean[1], 4)))
            held = []
    return tuple(points)


def judged(
    calls: Iterable[tuple[str, str]], predictor: MiniPredictor
) -> tuple[Judged, list[tuple[list[float], bool]]]:
    """(raw, right) of all values; and all confidences of each trace, with whether it was right."""
    values: Judged = []
    traces: list[tuple[list[float], bool]] = []
    for source, call in calls:
        try:
            document = Document.from_text(source, "program.py")
            real = tracing.trace(tracing.load(source, "program.py"), "program.py", call, LONGEST)
            budgets = Budgets(frames=len(real) + 20)
            simulation = Simulation.start(document, call, predictor, "flow", budgets)
        except (CallError, ModuleNotFoundError):
            continue
        if not real:
            continue
        told = list(simulation.frames[:1]) + list(simulation.run())
        values += confident_values(told, real)
        traces.append((said_confidences(told), score(told, real).full))
    return values, traces


def generated(count: int) -> Iterable[tuple[str, str]]:
    """Programs of their own seeds: generated ones, and one in three a mutated hand-written one."""
    texts = data.seeds()
    for at in range(count):
        if at % 3 == 0:
            source, calls = mutations.mutated_seed(texts[at % len(texts)], FIRST_SEED + at)
            yield source, calls[at % len(calls)]
        else:
            source, calls = programs.program(FIRST_SEED + at)
            yield source, calls[0]


def main() -> None:
    """Measures, prints, and writes config.json unless --dry."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--programs", type=int, default=300)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    data.limit_memory(6)
    path = args.model / "config.json"
    config = json.loads(path.read_text())
    predictor = MiniPredictor(EmbeddedBackend(args.model), Calibration())
    values, traces = judged(generated(args.programs), predictor)
    calibration = Calibration(line(values))
    products = [(prod(map(calibration.of_value, told)), right) for told, right in traces]
    found = {"value": calibration.value, "trace": line(products)}
    after = [(calibration.of_value(raw), right) for raw, right in values]
    print(
        f"{len(values)} values of {len(traces)} traces; their ECE {ece(values):.4f}, fitted {ece(after):.4f}"
    )
    print(json.dumps(found))
    if not args.dry:
        config["cwm_lsp"]["calibration"] = found
        path.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
