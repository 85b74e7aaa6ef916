"""How fast frames come: constrained decoding against plain greedy generation of the same trace, in the same
run.

Predicts the traces of the examples (or of given files) and prints one JSON object. Plain generation is one
forward pass a token on a KV cache, nothing forced, by the same weights in the same process; it keeps what
stands before a block cached, as any generate() does. It is given the program and generates every token that
stands behind it in the model's layout: in CWM's text the frames, in cwm-mini's the blocks of the lines,
questions, answers and what comes next, since nobody forces them on it. (The tokens are those of the
constrained trace, so that both tell the same.) In cwm-mini's layout it is measured twice: with the values
that a line reads at the head of its block, which nobody else tells a plain model, and bare, with no token
more than the constrained side has in its sequences.

Both sides take turns, `--repeats` times; each time the document is read anew and no sequence is left from
the time before, so a repetition gains nothing from another; nor is an answer remembered within one, so every
question of the trace is decoded. Ratios are those of the median repetition. Leaves
out how right the frames are: `cwm-lsp eval`.

    python bench/decode.py [FILE ...] [--backend NAME] [--grounding flow] [--max-frames 200] [--repeats 3]
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
from cwm_lsp.world import mini_predictor
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.mini_predictor import MiniPredictor
from cwm_lsp.world.predictor import Prediction
from cwm_lsp.world.predictors import predictor_for
from cwm_lsp.world.simulation import Simulation

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


class Watched:
    """A backend that remembers the last sequence that it completed, and what its answers cost."""

    def __init__(self, backend: LocalBackend) -> None:
        self.backend = backend
        self.sequence: list[int] = []
        self.passes = 0
        self.network = 0.0
        self.overheads: list[float] = []
        self._watch(backend.runner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def _watch(self, runner: Any) -> None:
        """Takes the time of the passes, where the engine has one door for them."""
        if not hasattr(runner, "run"):
            return
        run = runner.run

        def timed(*args: Any, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return run(*args, **options)
            finally:
                self.network += time.perf_counter() - began

        runner.run = timed

    def complete(self, request: Request) -> Completion:
        """Passes the request on."""
        network, began = self.network, time.perf_counter()
        completion = self.backend.complete(request)
        self.overheads.append(time.perf_counter() - began - (self.network - network))
        self.sequence = [*request.prompt, *completion.tokens]
        self.passes += completion.timing.passes
        return completion

    def forget(self) -> None:
        """No sequence is cached any more."""
        self.backend._pool.clear()


@dataclass
class Step:
    """One predicted frame (None: the prediction failed): its cost, and the tokens that a plain model would
    have to say, behind those given; `bare`: those of them that the constrained side has in its sequence."""

    prediction: Prediction | None
    wall: float
    given: list[int]
    told: list[int]
    bare: list[int]


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
        prediction: Prediction | None = None
        began = time.perf_counter()
        try:
            prediction = self._predictor.predict(document, frames, choices, cancel)
        finally:
            wall = time.perf_counter() - began
            spelt = self._spelt(document, frames, self._watched.sequence, prediction)
            self.steps.append(Step(prediction, wall, *spelt))
        return prediction

    def _spelt(
        self,
        document: Document,
        frames: Sequence[Frame],
        sequence: list[int],
        prediction: Prediction | None,
    ) -> tuple[list[int], list[int], list[int]]:
        """What stands before this frame, and all that a plain model would say to tell it, with values and
        bare."""
        if not isinstance(self._predictor, MiniPredictor) or not frames:
            cut = max(0, len(sequence) - (prediction.tokens if prediction else 0))
            return sequence[:cut], sequence[cut:], sequence[cut:]
        depth = frames[-1].depth - (frames[-1].event == "return")
        walked = next(f for f in reversed(frames) if f.depth == depth and f.event in ("call", "line"))
        naming = layout.naming_of(document, walked.function)
        read = layout.names_read(document, walked.function, walked.line)
        values = [(name, walked.locals[name].repr) for name in read if name in walked.locals]
        encode = self._predictor._encode
        source = encode(layout.source_tokens(document, walked.function))
        head = encode(layout.block_start(naming, walked.line, ()))
        asked = sequence[len(source) + len(head) :]
        if prediction is not None:
            event, line, function = (
                prediction.frame.event,
                prediction.frame.line,
                prediction.frame.function,
            )
            asked += encode(layout.event_tokens(naming, event, line=line, function=function))
        valued = encode(layout.block_start(naming, walked.line, values))
        return source, [*valued, *asked], [*head, *asked]


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )


@dataclass
class Sums:
    """Times and counts of one side in one repetition."""

    wall: float = 0.0
    cpu: float = 0.0
    passes: int = 0
    tokens: int = 0
    frames: int = 0
    decisions: int = 0
    network: float = 0.0
    first: list[float] = field(default_factory=list)
    each: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)


@dataclass
class Repetition:
    """All sides of one repetition."""

    ours: Sums = field(default_factory=Sums)
    plain: Sums = field(default_factory=Sums)
    bare: Sums = field(default_factory=Sums)


def constrained(
    document: Document, call: str, watched: Watched, args: argparse.Namespace, sums: Sums
) -> list[Step]:
    """Predicts one trace as `cwm-lsp trace` does."""
    watched.forget()
    predictor = WatchedPredictor(watched)
    budgets = Budgets(frames=args.max_frames)
    passes, network, asked = watched.passes, watched.network, len(watched.overheads)
    wall, cpu = time.perf_counter(), time.process_time()
    simulation = Simulation.start(document, call, predictor, args.grounding, budgets)
    for number, _ in enumerate(simulation.run()):
        if not number:
            sums.first.append(time.perf_counter() - wall)
    sums.wall += time.perf_counter() - wall
    sums.cpu += time.process_time() - cpu
    sums.passes += watched.passes - passes
    sums.network += watched.network - network
    sums.overheads += watched.overheads[asked:]
    predictions = [step.prediction for step in predictor.steps if step.prediction is not None]
    sums.frames += len(predictions)
    sums.tokens += sum(prediction.tokens for prediction in predictions)
    sums.decisions += sum(prediction.decisions for prediction in predictions)
    sums.each += [step.wall for step in predictor.steps]
    return predictor.steps


def plain(runner: Runner, spelt: Sequence[tuple[list[int], list[int]]], sums: Sums) -> None:
    """Generates the same tokens plainly (each frame as what is given before it and what is said): the
    likeliest token is worked out at each, one pass a token."""
    wall, cpu = time.perf_counter(), time.process_time()
    cache, known = runner.new(), list[int]()
    for given, told in spelt:
        if not told:
            continue
        shared = common_prefix(known, given)
        cache.truncate(shared)
        missing = given[shared:]
        logits = cache.extend(as_ids(missing)) if missing else None
        for token in told:
            if logits is not None:
                logits.argmax()
            logits = cache.extend(as_ids([token]))
            sums.passes += 1
        known = [*given, *told]
        sums.tokens += len(told)
    cache.free()
    sums.wall += time.perf_counter() - wall
    sums.cpu += time.process_time() - cpu
    sums.frames += len(spelt)


def measured(
    programs: Sequence[tuple[Path, str]], watched: Watched, args: argparse.Namespace, number: int
) -> Repetition:
    """One repetition over all programs; which of the sides comes first changes from program to program and
    from time to time."""
    sides = Repetition()
    for at, (path, call) in enumerate(programs):
        steps = constrained(Document.from_file(path), call, watched, args, sides.ours)
        turns = [
            (sides.plain, [(step.given, step.told) for step in steps]),
            (sides.bare, [(step.given, step.bare) for step in steps]),
        ]
        for sums, spelt in turns[:: 1 if (at + number) % 2 else -1]:
            plain(watched.runner, spelt, sums)
    return sides


def report(
    args: argparse.Namespace, backend: LocalBackend, loaded: float, sides: Sequence[Repetition]
) -> dict[str, Any]:
    """The numbers as JSON: counts of one repetition, times of the median one, ratios within one."""
    about = backend.describe()
    ours = sorted((each.ours for each in sides), key=lambda sums: sums.wall)[len(sides) // 2]
    frames, each = max(1, ours.frames), sorted(ours.each)

    def ratio(side: str, clock: str) -> float:
        each = (getattr(getattr(one, side), clock) / max(getattr(one.ours, clock), 1e-9) for one in sides)
        return round(float(statistics.median(each)), 2)

    def other(side: str) -> dict[str, Any]:
        sums = sorted((getattr(one, side) for one in sides), key=lambda sums: sums.wall)[len(sides) // 2]
        return {
            "frames_per_second": round(sums.frames / max(sums.wall, 1e-9), 2),
            "tokens": sums.tokens,
            "passes": sums.passes,
            "seconds": round(sums.wall, 3),
            "cpu_seconds": round(sums.cpu, 3),
        }

    return {
        "model": about.name,
        "backend": about.backend,
        "codec": about.codec,
        "grounding": args.grounding,
        "repeats": len(sides),
        "frames": ours.frames,
        "decisions_per_frame": round(ours.decisions / frames, 3),
        "tokens_per_frame": round(ours.tokens / frames, 3),
        "decided_share": round(ours.decisions / max(1, ours.tokens), 4),
        "frames_per_second": round(ours.frames / max(ours.wall, 1e-9), 2),
        "seconds_to_first_frame": round(statistics.median(ours.first), 4) if ours.first else None,
        "seconds_per_frame_p50": round(statistics.median(each), 5) if each else None,
        "seconds_per_frame_p90": round(each[int(len(each) * 0.9)], 5) if each else None,
        "load_seconds": round(loaded, 3),
        "requests": len(ours.overheads),
        "passes": ours.passes,
        "seconds": round(ours.wall, 3),
        "cpu_seconds": round(ours.cpu, 3),
        "network_seconds": round(ours.network, 3),
        "overhead_per_request": round(statistics.median(ours.overheads), 6) if ours.overheads else None,
        "plain": other("plain"),
        "plain_bare": other("bare"),
        "speedup": ratio("plain", "wall"),
        "speedup_cpu": ratio("plain", "cpu"),
        "speedup_bare": ratio("bare", "wall"),
        "speedup_bare_cpu": ratio("bare", "cpu"),
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
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    # An answer that is remembered is no decoding.
    mini_predictor.KEPT_ANSWERS = 0
    began = time.perf_counter()
    backend = load(args.backend)
    assert isinstance(backend, LocalBackend)
    loaded = time.perf_counter() - began
    programs = []
    for path in args.files or sorted(EXAMPLES.glob("*.py")):
        calls = calls_in(Document.from_file(path))
        if calls:
            programs.append((path, calls[0].text))
        else:
            print(f"{path} has no call to trace", file=sys.stderr)
    watched = Watched(backend)
    sides = [measured(programs, watched, args, number) for number in range(max(1, args.repeats))]
    print(json.dumps(report(args, backend, loaded, sides), indent=2))
    backend.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
