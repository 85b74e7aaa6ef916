"""`cwm-lsp record`: really runs a call, traced, and prints its frames as `trace` prints predicted ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cwm_lsp.commands.errors import CommandError

if TYPE_CHECKING:
    from cwm_lsp.commands.target import Target
    from cwm_lsp.commands.terminal import Terminal
    from cwm_lsp.source.document import Document
    from cwm_lsp.trace.recorder import Recording

HELP = "really run a call, traced (this executes your code)"
DESCRIPTION = """\
Really runs the file and the call, in a child process with limits on time, memory and frames, and prints
every step. This executes your code. The frames are those that `trace` predicts, in the same form."""
EXAMPLES = """\
examples:
  cwm-lsp record examples/gcd.py --call "shorten(48, 36)"
  cwm-lsp record app.py --call "main()" --seconds 30
  cwm-lsp record app.py --json | tail -n 1"""

MAX_FRAMES = 10_000
SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `record`."""
    from cwm_lsp.commands.options import positive, seconds

    parser.add_argument("file", metavar="FILE", help="a Python file; - for stdin")
    parser.add_argument(
        "--call", metavar="CALL", help='the call, such as "f(1, 2)"; else the best one in the file'
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a frame")
    parser.add_argument(
        "--max-frames", metavar="N", type=positive, default=MAX_FRAMES, help="default %(default)s"
    )
    parser.add_argument("--seconds", metavar="S", type=seconds, default=SECONDS, help="default %(default)g")


def run(args: argparse.Namespace) -> int:
    """Runs the call and prints its frames."""
    from cwm_lsp.commands.target import choose, open_document
    from cwm_lsp.commands.terminal import Terminal, note, print_json

    document = open_document(args.file)
    target = choose(document, args.call, literal=False)
    if target.call is None:
        raise CommandError(f'No call to run in {args.file}: give one with --call "{target.function}(...)".')
    terminal = None if args.json else Terminal()
    if terminal is not None:
        note(f"running {target.text} of {args.file} ({target.why})")
    recording = real_run(document, target, args.max_frames, args.seconds)
    if terminal is None:
        for frame in recording.frames:
            print_json(frame.to_json())
        print_json(recording.end.to_json())
    elif recording.frames or recording.end.reason != "failed":
        _print(terminal, document, recording)
    if recording.end.reason == "failed":
        raise CommandError(recording.end.message or "The run failed.")
    return 0


def real_run(document: Document, target: Target, max_frames: int, seconds: float = SECONDS) -> Recording:
    """Runs the target's call in the current folder."""
    from cwm_lsp.trace.recorder import Limits, record

    assert target.call is not None
    limits = Limits(seconds=seconds, cpu_seconds=seconds, frames=max_frames)
    return record(document, target.call.text, limits, cwd=str(Path.cwd()))


def _print(terminal: Terminal, document: Document, recording: Recording) -> None:
    from cwm_lsp.commands.show import TraceLog, closing_line, result_of

    log = TraceLog(terminal, document)
    for frame in recording.frames:
        log.feed(frame)
    log.close()
    for name, text in (("stdout", recording.stdout), ("stderr", recording.stderr)):
        if text:
            terminal.line()
            terminal.line([(f"{name} of the run:", "dim")])
            for line in text.splitlines():
                terminal.line([("  " + line, "")])
    terminal.line()
    terminal.line(closing_line(terminal, recording.end, result_of(recording.frames, recording.end)))
