"""`cwm-lsp eval`: how often predictions are right, over a file of programs with their inputs and outputs.

What each number means is written in world/metrics.py.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cwm_lsp.commands import eval_report
from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.eval_tally import Outcome, Tally
from cwm_lsp.commands.options import add_world_arguments, positive
from cwm_lsp.commands.predict import World, open_world
from cwm_lsp.commands.terminal import Terminal, note, print_json
from cwm_lsp.config import GROUNDINGS
from cwm_lsp.source.calls import CallError, TracedCall, parse_call
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.recorder import Limits, record
from cwm_lsp.world.grounding import GroundedPredictor
from cwm_lsp.world.metrics import TraceScore, said_values, same_end, score, score_steps
from cwm_lsp.world.predictor import PredictionError
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.teacher_forced import steps

DESCRIPTION = """\
Predicts every program of a file and counts how often the prediction is right. Each line is a JSON object
{"code": ..., "input": ..., "output": ...}: the code defines a function f, input is the text of its arguments,
output the repr of what it returns (the form of CruxEval) or raises. It may also name the "kind" of program,
which the report tells apart, and a "call" of another function than f.

To know the true frames, eval runs each program, in a process of its own with limits: this executes the code
of the file. --no-run doesn't, and gives the accuracy of outputs alone."""
EXAMPLES = """\
examples:
  cwm-lsp eval programs.jsonl --limit 50
  cwm-lsp eval programs.jsonl --no-run --json
  cwm-lsp eval programs.jsonl --report pages        a page with tables and plots, with and without grounding
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
    parser.add_argument("--report", metavar="FOLDER", help="write a page there, under every grounding")
    add_world_arguments(parser)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the file."""

    line: int
    code: str
    input: str
    output: str
    kind: str = "all"
    call: str | None = None


def run(args: argparse.Namespace) -> int:
    """Predicts, runs, counts, prints."""
    if args.no_run and (args.teacher_forced or args.report):
        option = "--report" if args.report else "--teacher-forced"
        raise CommandError(f"{option} needs the true frames, so it can't be used with --no-run", BAD_USAGE)
    if args.report:
        eval_report.require_plots()
    items = list(read_items(args.file, args.limit))
    if not items:
        raise CommandError(f"{args.file} has no programs")
    if not args.no_run:
        note(f"eval runs the code of {len(items)} programs, each in its own process (--no-run: run nothing)")
    terminal = Terminal()
    with open_world(args) as world, terminal.status():
        worlds = _worlds(args, world)
        tallies = [Tally(each.grounding, each.model) for each in worlds]
        real = Reality(world.budgets.frames)
        for number, item in enumerate(items, 1):
            for each, tally in zip(worlds, tallies, strict=True):
                if not args.json:
                    right = sum(outcome.right for outcome in tally.outcomes)
                    terminal.say(f"{number} of {len(items)}, {right} outputs right")
                take(
                    item,
                    each,
                    tally,
                    None if args.no_run else real,
                    forced=args.teacher_forced or bool(args.report),
                )
    chosen = next(t for t in tallies if t.grounding == world.grounding)
    for sentences, what in ((chosen.unread, "could not be predicted"), (real.unrun, "could not be run")):
        if sentences:
            note(f"{len(sentences)} of {len(items)} programs {what}, the first: {sentences[0]}")
    if real.differing:
        note(f"{real.differing} of {len(items)} programs really return something else than the file says")
    _print(args, chosen.report(), terminal)
    if args.report:
        command = shlex.join(["cwm-lsp", *sys.argv[1:]])
        page = eval_report.write(Path(args.report), tallies, Path(args.file).name, command)
        note(f"the report is in {page}")
    return 0


def _worlds(args: argparse.Namespace, world: World) -> list[World]:
    """The world under each grounding that is asked for; for a report, under all of them."""
    if not args.report:
        return [world]
    if isinstance(world.predictor, GroundedPredictor):
        grounded, plain = world.predictor, world.predictor.inner
    else:
        grounded, plain = GroundedPredictor(world.predictor), world.predictor
    return [
        replace(world, grounding=grounding, predictor=grounded if grounding == "values" else plain)
        for grounding in GROUNDINGS
    ]


def _print(args: argparse.Namespace, report: dict[str, Any], terminal: Terminal) -> None:
    if args.json:
        print_json(report)
    else:
        shown = [(name, report[name]) for name in NUMBERS if report.get(name) is not None]
        terminal.table(
            ("", ""), [[(NUMBERS[name], ""), (_text(name, value), "bold")] for name, value in shown]
        )


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
        kind, call = data.get("kind"), data.get("call")
        yield Item(
            number,
            code,
            given,
            output,
            kind if isinstance(kind, str) else "all",
            call if isinstance(call, str) else None,
        )


@dataclass(slots=True)
class Reality:
    """Real runs, one a program."""

    most_frames: int
    differing: int = 0
    unrun: list[str] = field(default_factory=list)
    last: tuple[int, tuple[Frame, ...] | None] = (0, None)

    def frames(self, item: Item, document: Document, call: TracedCall) -> tuple[Frame, ...] | None:
        """The true frames of a program; None if it could not be run to its end."""
        if self.last[0] != item.line:
            limits = Limits(seconds=REAL_SECONDS, cpu_seconds=REAL_SECONDS, frames=self.most_frames)
            recording = record(document, call.text, limits)
            ended = recording.end.reason in ("returned", "raised")
            if ended:
                self.differing += not same_end(recording.end, item.output)
            else:
                self.unrun.append(f"line {item.line}: {recording.end.message}")
            self.last = (item.line, tuple(recording.frames) if ended else None)
        return self.last[1]


def take(item: Item, world: World, tally: Tally, real: Reality | None, *, forced: bool) -> None:
    """Predicts one program, holds it against its real run (None: nothing is run), and counts."""
    try:
        document = Document.from_text(item.code)
        call = parse_call(document, item.call or f"{FUNCTION}({item.input})")
        simulation = Simulation.start(document, call, world.predictor, world.grounding, world.budgets)
    except (DocumentError, CallError) as error:
        tally.outcomes.append(Outcome(item.kind, right=False))
        tally.unread.append(f"line {item.line}: {error}")
        return
    for _ in simulation.run():
        pass
    end = simulation.end
    assert end is not None
    if end.reason == "failed":
        tally.unread.append(f"line {item.line}: {end.message}")
    outcome = Outcome(
        item.kind,
        same_end(end, item.output),
        max(0, end.frames - 1),  # the first was given
        end.decisions,
        end.tokens,
        end.seconds,
    )
    frames = real.frames(item, document, call) if real is not None else None
    if frames is not None:
        outcome = replace(
            outcome,
            real_frames=len(frames),
            score=score(simulation.frames, frames),
            values=tuple(said_values(simulation.frames, frames)),
            forced=_forced(document, frames, world) if forced else None,
        )
    tally.outcomes.append(outcome)


def _forced(document: Document, real: tuple[Frame, ...], world: World) -> TraceScore:
    try:
        made = list(steps(document, real, world.predictor, world.grounding))
    except PredictionError as error:
        raise CommandError(str(error)) from None
    return score_steps([(before, p.frame if p else None, true) for before, p, true in made])


def _text(name: str, value: object) -> str:
    if name in FRACTIONS and isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
