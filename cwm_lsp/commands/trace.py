"""`cwm-lsp trace`: predicts the frames of a call and prints them as they come; with --check beside the real
ones."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from itertools import chain
from typing import Protocol, Self

from cwm_lsp.commands.errors import CommandError
from cwm_lsp.commands.options import add_world_arguments
from cwm_lsp.commands.predict import World, open_world
from cwm_lsp.commands.record import SECONDS, real_run
from cwm_lsp.commands.show import Check, TraceLog, check_line, closing_line, count, expected_line, result_of
from cwm_lsp.commands.target import Target, call_of, choose, open_document
from cwm_lsp.commands.terminal import Terminal, note, print_json
from cwm_lsp.look import printable
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import End, Frame
from cwm_lsp.world.simulation import Simulation

DESCRIPTION = """\
Predicts the trace of a call: which lines run, in what order, and what every variable holds. Nothing is run.

The call is taken from --call, else from the file: a comment "# cwm: f(1, 2)", a doctest, an assert, a call.
Where there is none, the model invents the arguments. Marks: given value no mark, computed =, predicted with
its strength shown by colour (in a pipe by a percentage), observed and checked as the legend of --check
says."""
EXAMPLES = """\
examples:
  cwm-lsp trace examples/strawberry.py
  cwm-lsp trace app.py --call "total([1, 2, 3])"
  cwm-lsp trace app.py --call total                 the model invents the arguments
  cwm-lsp trace app.py --check                      runs the code too, marks each frame right or wrong
  cwm-lsp trace app.py --json | head -n 5"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `trace`."""
    parser.add_argument("file", metavar="FILE", help="a Python file; - for stdin")
    parser.add_argument("--call", metavar="CALL", help='what to trace, such as "f(1, 2)"')
    parser.add_argument("--json", action="store_true", help="one JSON object a frame, and an end")
    parser.add_argument("--check", action="store_true", help="run the code too, and compare")
    add_world_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Predicts and prints."""
    document = open_document(args.file)
    target = choose(document, args.call)
    terminal = None if args.json else Terminal()
    with open_world(args) as world:
        if target.call is None:
            note(f"no call to trace ({target.why}): the model invents the arguments of {target.function}")
        simulation = world.start(document, target)
        show = _Json() if terminal is None else _Log(terminal, document, target, world)
        with show:
            unchecked = _predict(args, document, target, simulation, show)
        end = simulation.end
    assert end is not None
    if end.reason == "failed":
        raise CommandError(end.message or "the prediction failed")
    if unchecked:
        raise CommandError(unchecked)
    return 0


def _predict(
    args: argparse.Namespace, document: Document, target: Target, simulation: Simulation, show: _Show
) -> str | None:
    """Shows the frames as they come; with --check, why they could not be checked, if so."""
    frames = chain(simulation.frames, simulation.run())
    first = next(frames, None)
    unchecked = None
    if args.check and first is not None:
        check, unchecked = _real(document, target, first, simulation)
        show.check = check
    show.begin()
    if first is not None:
        show.feed(first)
    for frame in frames:
        show.feed(frame)
    assert simulation.end is not None
    show.end(simulation.end)
    return unchecked


def _real(
    document: Document, target: Target, first: Frame, simulation: Simulation
) -> tuple[Check | None, str | None]:
    """The real run to hold the prediction against; else a sentence why there is none."""
    call = target.call or call_of(document, first)
    if call is None:
        return None, "the invented arguments can't be written as a call: nothing was checked"
    note(f"--check runs the code: {call.text}, in a process of its own, for at most {SECONDS:g} s")
    recording = real_run(document, call.text, simulation.branch.budgets.frames, SECONDS)
    if recording.end.reason == "failed":
        return None, f"nothing was checked, the real run failed: {recording.end.message or 'no reason given'}"
    return Check(recording.frames, recording.end), None


class _Show(Protocol):
    """Where frames go. `check` may be set until `begin`."""

    check: Check | None

    def begin(self) -> None:
        """Before the first frame."""

    def feed(self, frame: Frame) -> None:
        """The next frame."""

    def end(self, end: End) -> None:
        """After the last one."""


class _Json:
    """JSON lines; with a check each frame says whether it is right, and the end how many were."""

    def __init__(self) -> None:
        self.check: Check | None = None
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begin(self) -> None:
        """Nothing comes before the frames."""

    def feed(self, frame: Frame) -> None:
        """Prints one frame."""
        data = frame.to_json()
        if self.check is not None:
            data["right"] = self.check.take(self._count, frame)
        self._count += 1
        print_json(data)

    def end(self, end: End) -> None:
        """Prints the end."""
        data = end.to_json(message=False)
        if self.check is not None:
            data["check"] = self.check.summary(end).to_json()
        print_json(data)


class _Log:
    """A log for people, with a status line while it grows."""

    def __init__(self, terminal: Terminal, document: Document, target: Target, world: World) -> None:
        self.check: Check | None = None
        self._terminal = terminal
        self._document = document
        self._target = target
        self._world = world
        self._log: TraceLog | None = None
        self._began = time.perf_counter()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self._terminal.status())
        self._terminal.say("predicting…" if self._terminal.marks.predicted == "≈" else "predicting...")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self) -> None:
        """Says what is predicted, and by whom."""
        terminal, world = self._terminal, self._world
        dot = f" {terminal.marks.dot} "
        whose = "computed, what can't be predicted by" if world.grounding == "values" else "predicted by"
        by = dot.join(["", self._target.why, f"{whose} {world.model}", f"grounding {world.grounding}"])
        terminal.line([(printable(self._target.text), "bold"), (by, "dim")])
        terminal.line()
        self._log = TraceLog(terminal, self._document, self.check)

    def feed(self, frame: Frame) -> None:
        """Prints what this frame completes."""
        assert self._log is not None
        self._log.feed(frame)
        seconds = time.perf_counter() - self._began
        self._terminal.say(f"predicting, {count(len(self._log.frames), 'frame')}, {seconds:.1f} s")

    def end(self, end: End) -> None:
        """Prints the closing lines."""
        assert self._log is not None
        self._log.close()
        self._stack.close()
        terminal = self._terminal
        terminal.line()
        terminal.line(closing_line(terminal, end, result_of(self._log.frames, end)))
        expected = self._target.call.expected if self._target.call else None
        if expected is not None and end.value is not None:
            terminal.line(expected_line(terminal, self._target.why, expected, end.value))
        if self.check is not None:
            terminal.line(check_line(terminal, self.check.summary(end)))
