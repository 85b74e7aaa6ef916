"""Measures a cwm-mini on programs it never saw: the numbers of its card.

    python models/cwm-mini/evaluate.py MODEL_FOLDER [--generated 200] [--grounding flow|none] [--json]

Three sets: generated programs (seeds that training never reaches), the hand-written held-out functions,
and the project's examples. Every call is predicted freely from its arguments, and each frame again from
the true frames before it; both are held against a real run. The definitions are those of
cwm_lsp/world/metrics.py.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import data
import mutations
import programs
import tracing

from cwm_lsp.model.backend import Cancel
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.source.calls import CallError
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world import metrics
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.choices import Grounding, choices_after
from cwm_lsp.world.mini_predictor import MiniPredictor
from cwm_lsp.world.predictor import PredictionError
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.stack import Stack

HELD_OUT = 3_000_000_000
LONGEST = 160


def generated(count: int) -> Iterator[tuple[str, str]]:
    """Sources and calls of generated programs."""
    for at in range(count):
        source, calls = programs.program(HELD_OUT + at)
        yield source, calls[0]


def written(folder: Path) -> Iterator[tuple[str, str]]:
    """Sources and calls of hand-written programs."""
    for path in sorted(folder.glob("*.py")):
        source = path.read_text()
        for call in mutations.calls_in(source):
            yield source, call


def forced(
    document: Document, real: list[Frame], predictor: MiniPredictor, grounding: Grounding
) -> metrics.TraceScore:
    """Each frame from the true ones before it."""
    steps = []
    stack = Stack()
    for at, frame in enumerate(real):
        if at:
            told: Frame | None
            try:
                told = predictor.predict(
                    document, real[:at], choices_after(document, stack, grounding), Cancel()
                ).frame
            except PredictionError:
                told = None
            steps.append((real[:at], told, frame))
        stack = stack.push(document, frame)
    return metrics.score_steps(steps)


def measure(
    sources_and_calls: Iterator[tuple[str, str]], predictor: MiniPredictor, grounding: Grounding
) -> dict[str, float | int | None]:
    """All numbers of one set."""
    scores, steps, outputs, values, refused = [], [], [], [], 0
    frames = decisions = tokens = 0
    seconds = 0.0
    for source, call in sources_and_calls:
        try:
            document = Document.from_text(source, "program.py")
            namespace = tracing.load(source, "program.py")
        except ModuleNotFoundError:
            continue
        real = tracing.trace(namespace, "program.py", call, LONGEST)
        if not real:
            continue
        try:
            simulation = Simulation.start(
                document, call, predictor, grounding, Budgets(frames=len(real) + 20)
            )
        except CallError:
            continue
        began = time.perf_counter()
        told = list(simulation.frames[:1]) + list(simulation.run())
        seconds += time.perf_counter() - began
        end = simulation.end
        assert end is not None
        refused += end.reason == "failed"
        frames, decisions, tokens = frames + len(told), decisions + end.decisions, tokens + end.tokens
        scores.append(metrics.score(told, real))
        if (
            real[-1].event == "return"
            and real[-1].arg is not None
            and real[-1].depth == 1
            and len(real) > 1
            and real[-2].event != "exception"
        ):
            outputs.append(end.reason == "returned" and metrics.same_output(end.value, real[-1].arg.repr))
        values += metrics.confident_values(told, real)
        steps.append(forced(document, real, predictor, grounding))
    return {
        "n": len(scores),
        "output_accuracy": _rounded(metrics.mean(float(right) for right in outputs)),
        "next_state_exact": _rounded(metrics.mean(score.state_exact for score in steps)),
        "next_action_exact": _rounded(metrics.mean(score.action_exact for score in steps)),
        "state_exact": _rounded(metrics.mean(score.state_exact for score in scores)),
        "action_exact": _rounded(metrics.mean(score.action_exact for score in scores)),
        "full_trace_exact": _rounded(metrics.mean(float(score.full) for score in scores)),
        "ece": _rounded(metrics.ece(values)),
        "refused": refused,
        "decisions_per_frame": round(decisions / max(frames, 1), 2),
        "tokens_per_frame": round(tokens / max(frames, 1), 2),
        "frames_per_second": round(frames / max(seconds, 1e-9), 1),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--generated", type=int, default=200)
    parser.add_argument("--grounding", choices=("flow", "none"), default="flow")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    data.limit_memory(6)
    predictor = MiniPredictor(EmbeddedBackend(args.model))
    root = Path(__file__).parents[2]
    sets = {
        "generated": generated(args.generated),
        "heldout": written(data.HERE / "heldout"),
        "examples": written(root / "examples"),
    }
    for name, found in sets.items():
        figures = measure(found, predictor, args.grounding)
        if args.json:
            print(json.dumps({"set": name, "grounding": args.grounding, **figures}), flush=True)
        else:
            print(name, *(f"{key} {value}" for key, value in figures.items()), sep="\n  ", flush=True)


if __name__ == "__main__":
    main()
