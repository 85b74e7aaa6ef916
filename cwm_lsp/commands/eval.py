"""`cwm-lsp eval`: how often predictions are right, over a file of programs with their inputs and outputs.

What each number means is written in world/metrics.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.options import add_world_arguments, positive
from cwm_lsp.commands.predict import World, open_world
from cwm_lsp.commands.terminal import Terminal, note, print_json
from cwm_lsp.source.calls import CallError, TracedCall, parse_call
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.trace.recorder import Limits, record
from cwm_lsp.world.metrics import TraceScore, confident_values, ece, mean, same_output, score, score_steps
from cwm_lsp.world.predictor import PredictionError
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.teacher_forced import steps

DESCRIPTION = """\
Predicts every program of a file and counts how often the prediction is right. Each line is a JSON object
{"code": ..., "input": ..., "output": ...}: the code defines a function f, input is the text of its arguments,
output the repr of what it returns (the form of CruxEval).

To know the true frames, eval runs each program, in a process of its own with limits: this executes the code
of the file. --no-run doesn't, and gives the accuracy of outputs alone."""
EXAMPLES = """\
examples:
  cwm-lsp eval programs.jsonl --limit 50
  cwm-lsp eval programs.jsonl --no-run --json
  cwm-lsp eval programs.jsonl --teacher-forced      one step at a time, each from the true frames before it"""

FUNCTION = "f"
REAL_SECONDS = 10.0
NUMBERS = {
    "n": "programs",
    "output_accuracy": "outputs right",
    "state_exact": "states exact, a trace",
    "action_exact": "lines exact, a trace",
    "full_trace_exact": "whole traces exact",
    "ece": "calibration error",
    "state_exact_teacher_forced": "states exact, teacher-forced",
    "action_exact_teacher_forced": "lines exact, teacher-forced",
    "decisions_per_frame": "decisions a frame",
    "tokens_per_frame": "tokens a frame",
    "frames_per_second": "frames a second",
    "grounding": "grounding",
    "model": "model",
}
FRACTIONS = {name for name in NUMBERS if "exact" in name or "accuracy" in name}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `eval`."""
    parser.add_argument("file", metavar="FILE", help="JSON lines")
    parser.add_argument("--limit", metavar="N", type=positive, help="only the first N programs")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--no-run", action="store_true", help="run nothing: accuracy of outputs alone")
    parser.add_argument(
        "--teacher-forced", action="store_true", help="also score single steps from true frames"
    )
    add_world_arguments(parser)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the file."""

    line: int
    code: str
    input: str
    output: str


@dataclass(slots=True)
class Tally:
    """What has been counted so far."""

    outputs: list[bool] = field(default_factory=list)
    scores: list[TraceScore] = field(default_factory=list)
    forced: list[TraceScore] = field(default_factory=list)
    values: list[tuple[float, bool]] = field(default_factory=list)
    frames: int = 0
    decisions: int = 0
    tokens: int = 0
    seconds: float = 0.0
    unread: list[str] = field(default_factory=list)
    unrun: list[str] = field(default_factory=list)
    differing: int = 0

    def report(self, world: World, *, ran: bool, forced: bool) -> dict[str, Any]:
        """The numbers, in the form of `eval --json`."""
        frames = self.frames or 1
        numbers: dict[str, Any] = {
            "n": len(self.outputs),
            "output_accuracy": mean(self.outputs),
            "state_exact": mean(s.state_exact for s in self.scores) if ran else None,
            "action_exact": mean(s.action_exact for s in self.scores) if ran else None,
            "full_trace_exact": mean(s.full for s in self.scores) if ran else None,
            "ece": ece(self.values),
            "decisions_per_frame": self.decisions / frames,
            "tokens_per_frame": self.tokens / frames,
            "frames_per_second": self.frames / self.seconds if self.seconds else None,
            "grounding": world.grounding,
            "model": world.model,
        }
        if forced:
            numbers["state_exact_teacher_forced"] = mean(s.state_exact for s in self.forced)
            numbers["action_exact_teacher_forced"] = mean(s.action_exact for s in self.forced)
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in numbers.items()}


def run(args: argparse.Namespace) -> int:
    """Predicts, runs, counts, prints."""
    if args.no_run and args.teacher_forced:
        raise CommandError(
            "--teacher-forced needs the true frames, so it can't be used with --no-run", BAD_USAGE
        )
    items = list(read_items(args.file, args.limit))
    if not items:
        raise CommandError(f"{args.file} has no programs")
    if not args.no_run:
        note(f"eval runs the code of {len(items)} programs, each in its own process (--no-run: run nothing)")
    tally = Tally()
    terminal = Terminal()
    with open_world(args) as world, terminal.status():
        for number, item in enumerate(items, 1):
            if not args.json:
                terminal.say(f"{number} of {len(items)}, {sum(tally.outputs)} outputs right")
            take(item, world, tally, ran=not args.no_run, forced=args.teacher_forced)
        report = tally.report(world, ran=not args.no_run, forced=args.teacher_forced)
    for sentences, what in ((tally.unread, "could not be predicted"), (tally.unrun, "could not be run")):
        if sentences:
            note(f"{len(sentences)} of {len(items)} programs {what}, the first: {sentences[0]}")
    if tally.differing:
        note(f"{tally.differing} of {len(items)} programs really return something else than the file says")
    if args.json:
        print_json(report)
    else:
        shown = [(name, report[name]) for name in NUMBERS if report.get(name) is not None]
        terminal.table(
            ("", ""), [[(NUMBERS[name], ""), (_text(name, value), "bold")] for name, value in shown]
        )
    return 0


def read_items(path: str, limit: int | None) -> Iterator[Item]:
    """The programs of a file. Raises CommandError with the number of a line that is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise CommandError(f"{path} can't be read: there is no such file", BAD_USAGE) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    found = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if limit is not None and found >= limit:
            return
        try:
            data = json.loads(line)
            code, given, output = (data[key] for key in ("code", "input", "output"))
        except (ValueError, TypeError, KeyError, RecursionError):
            code = given = output = None
        if not (isinstance(code, str) and isinstance(given, str) and isinstance(output, str)):
            raise CommandError(f'line {number} of {path} is no {{"code", "input", "output"}} object of texts')
        found += 1
        yield Item(number, code, given, output)


def take(item: Item, world: World, tally: Tally, *, ran: bool, forced: bool) -> None:
    """Predicts one program, runs it, and counts."""
    try:
        document = Document.from_text(item.code)
        call = parse_call(document, f"{FUNCTION}({item.input})")
        simulation = Simulation.start(document, call, world.predictor, world.grounding, world.budgets)
    except (DocumentError, CallError) as error:
        tally.outputs.append(False)
        tally.unread.append(f"line {item.line}: {error}")
        return
    for _ in simulation.run():
        pass
    end = simulation.end
    assert end is not None
    tally.outputs.append(end.reason == "returned" and same_output(end.value, item.output))
    tally.frames += max(0, end.frames - 1)  # the first was given
    tally.decisions += end.decisions
    tally.tokens += end.tokens
    tally.seconds += end.seconds
    if end.reason == "failed":
        tally.unread.append(f"line {item.line}: {end.message}")
    if ran:
        _compare(item, call, simulation, world, tally, forced=forced)


def _compare(
    item: Item, call: TracedCall, simulation: Simulation, world: World, tally: Tally, *, forced: bool
) -> None:
    document = simulation.document
    limits = Limits(seconds=REAL_SECONDS, cpu_seconds=REAL_SECONDS, frames=world.budgets.frames)
    recording = record(document, call.text, limits)
    if recording.end.reason not in ("returned", "raised"):
        tally.unrun.append(f"line {item.line}: {recording.end.message}")
        return
    tally.differing += not same_output(recording.end.value, item.output)
    real = recording.frames
    tally.scores.append(score(simulation.frames, real))
    tally.values += confident_values(simulation.frames, real)
    if forced:
        try:
            made = list(steps(document, real, world.predictor, world.grounding))
        except PredictionError as error:
            raise CommandError(str(error)) from None
        tally.forced.append(score_steps([(before, p.frame if p else None, true) for before, p, true in made]))


def _text(name: str, value: object) -> str:
    if name in FRACTIONS and isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
