"""How fast frames come: constrained decoding against plain greedy generation of the same trace, in the same
run.

Predicts the traces of the examples (or of given files) and prints one JSON object. Plain generation is one
forward pass a token on a KV cache, nothing forced, by the same weights in the same process. It is given the
program and generates every token that stands behind it in the model's layout: in CWM's text the frames, in
cwm-mini's the blocks of the lines with the values that they read, questions, answers and what comes next,
since nobody forces them on it. (The tokens are those of the constrained trace, so that both tell the same.)
Leaves out how right the frames are: `cwm-lsp eval`.

    python bench/decode.py [FILE ...] [--backend NAME] [--grounding flow] [--max-frames 200]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cwm_lsp.model.backend import Cancel, Completion, Request
from cwm_lsp.model.catalog import load
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import Runner, as_ids
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.mini_predictor import MiniPredictor
from cwm_lsp.world.predictor import Prediction
from cwm_lsp.world.predictors import predictor_for
from cwm_lsp.world.simulation import Simulation

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Watched:
    """A backend that remembers the last sequence that it completed."""

    def __init__(self, backend: LocalBackend) -> None:
        self.backend = backend
        self.sequence: list[int] = []
        self.passes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def complete(self, request: Request) -> Completion:
        """Passes the request on."""
        completion = self.backend.complete(request)
        self.sequence = [*request.prompt, *completion.tokens]
        self.passes += completion.timing.passes
        return completion


@dataclass
class Step:
    """One predicted frame: its cost, and the tokens that a plain model would have to say, behind those
    given.
    """

    prediction: Prediction
    wall: float
    given: list[int]
    told: list[int]


class WatchedPredictor:
    """A predictor that keeps what each frame cost."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._predictor = predictor_for(watched)
        self.steps: list[Step] = []

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """Passes the question on."""
        self._watched.sequence = []
        began = time.perf_counter()
        prediction = self._predictor.predict(document, frames, choices, cancel)
        wall = time.perf_counter() - began
        given, told = self._spelt(document, frames, self._watched.sequence, prediction)
        self.steps.append(Step(prediction, wall, given, told))
        return prediction

    def _spelt(
        self, document: Document, frames: Sequence[Frame], sequence: list[int], prediction: Prediction
    ) -> tuple[list[int], list[int]]:
        """What stands before this frame, and all that a plain model would say to tell it."""
        if not isinstance(self._predictor, MiniPredictor) or not frames:
            cut = max(0, len(sequence) - prediction.tokens)
            return sequence[:cut], sequence[cut:]
        depth = frames[-1].depth - (frames[-1].event == "return")
        walked = next(f for f in reversed(frames) if f.depth == depth and f.event in ("call", "line"))
        naming = layout.naming_of(document, walked.function)
        read = layout.names_read(document, walked.function, walked.line)
        values = [(name, walked.locals[name].repr) for name in read if name in walked.locals]
        encode = self._predictor._encode
        source = encode(layout.source_tokens(document, walked.function))
        asked = sequence[len(source) + len(layout.block_start(naming, walked.line, ())) :]
        following = prediction.frame
        event = layout.event_tokens(naming, following.event, line=following.line, function=following.function)
        return source, [*encode(layout.block_start(naming, walked.line, values)), *asked, *encode(event)]


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


@dataclass
class Sums:
    """Times and counts of one side."""

    wall: float = 0.0
    cpu: float = 0.0
    passes: int = 0
    tokens: int = 0
    frames: int = 0
    decisions: int = 0
    first: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)


def constrained(
    document: Document, call: str, watched: Watched, args: argparse.Namespace, sums: Sums
) -> list[Step]:
    """Predicts one trace as `cwm-lsp trace` does."""
    predictor = WatchedPredictor(watched)
    budgets = Budgets(frames=args.max_frames)
    passes, wall, cpu = watched.passes, time.perf_counter(), time.process_time()
    simulation = Simulation.start(document, call, predictor, args.grounding, budgets)
    for number, _ in enumerate(simulation.run()):
        if not number:
            sums.first.append(time.perf_counter() - wall)
    sums.wall += time.perf_counter() - wall
    sums.cpu += time.process_time() - cpu
    sums.passes += watched.passes - passes
    steps = predictor.steps
    sums.frames += len(steps)
    sums.tokens += sum(step.prediction.tokens for step in steps)
    sums.decisions += sum(step.prediction.decisions for step in steps)
    sums.each += [step.wall for step in steps]
    return steps


def plain(runner: Runner, steps: Sequence[Step], sums: Sums) -> None:
    """Generates the same tokens plainly: the likeliest token is worked out at each, one pass a token."""
    wall, cpu = time.perf_counter(), time.process_time()
    cache, known = runner.new(), list[int]()
    for step in steps:
        if not step.told:
            continue
        shared = common_prefix(known, step.given)
        cache.truncate(shared)
        missing = step.given[shared:]
        logits = cache.extend(as_ids(missing)) if missing else None
        for token in step.told:
            if logits is not None:
                logits.argmax()
            logits = cache.extend(as_ids([token]))
            sums.passes += 1
        known = [*step.given, *step.told]
        sums.tokens += len(step.told)
    cache.free()
    sums.wall += time.perf_counter() - wall
    sums.cpu += time.process_time() - cpu
    sums.frames += len(steps)


def report(
    args: argparse.Namespace, backend: LocalBackend, loaded: float, ours: Sums, theirs: Sums
) -> dict[str, Any]:
    """The numbers as JSON."""
    about = backend.describe()
    frames = max(1, ours.frames)
    return {
        "model": about.name,
        "backend": about.backend,
        "codec": about.codec,
        "grounding": args.grounding,
        "frames": ours.frames,
        "decisions_per_frame": round(ours.decisions / frames, 3),
        "tokens_per_frame": round(ours.tokens / frames, 3),
        "decided_share": round(ours.decisions / max(1, ours.tokens), 4),
        "frames_per_second": round(ours.frames / ours.wall, 2) if ours.wall else None,
        "seconds_to_first_frame": round(statistics.median(ours.first), 4) if ours.first else None,
        "seconds_per_frame_p50": round(statistics.median(ours.each), 5) if ours.each else None,
        "seconds_per_frame_p90": round(sorted(ours.each)[int(len(ours.each) * 0.9)], 5)
        if ours.each
        else None,
        "load_seconds": round(loaded, 3),
        "passes": ours.passes,
        "seconds": round(ours.wall, 3),
        "cpu_seconds": round(ours.cpu, 3),
        "plain": {
            "frames_per_second": round(theirs.frames / theirs.wall, 2) if theirs.wall else None,
            "tokens": theirs.tokens,
            "passes": theirs.passes,
            "seconds": round(theirs.wall, 3),
            "cpu_seconds": round(theirs.cpu, 3),
        },
        "speedup": round(theirs.wall / ours.wall, 2) if ours.wall else None,
        "speedup_cpu": round(theirs.cpu / ours.cpu, 2) if ours.cpu else None,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="programs with a call; default: examples/"
    )
    parser.add_argument("--backend", default="cwm-mini")
    parser.add_argument("--grounding", default="flow", choices=("none", "flow"))
    parser.add_argument("--max-frames", type=int, default=200)
    args = parser.parse_args()
    began = time.perf_counter()
    backend = load(args.backend)
    assert isinstance(backend, LocalBackend)
    loaded = time.perf_counter() - began
    watched, ours, theirs = Watched(backend), Sums(), Sums()
    for path in args.files or sorted(EXAMPLES.glob("*.py")):
        document = Document.from_file(path)
        calls = calls_in(document)
        if not calls:
            print(f"{path} has no call to trace", file=sys.stderr)
            continue
        steps = constrained(document, calls[0].text, watched, args, ours)
        plain(backend.runner, steps, theirs)
    print(json.dumps(report(args, backend, loaded, ours, theirs), indent=2))
    backend.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
