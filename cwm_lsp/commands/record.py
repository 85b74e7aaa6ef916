"""`cwm-lsp record`: really runs a call, traced, and prints its frames as `trace` prints predicted ones."""

from __future__ import annotations

import argparse
from pathlib import Path

from cwm_lsp.commands.errors import CommandError
from cwm_lsp.commands.options import positive, seconds
from cwm_lsp.commands.show import TraceLog, closing_line, result_of
from cwm_lsp.commands.target import choose, open_document
from cwm_lsp.commands.terminal import Terminal, note, print_json
from cwm_lsp.look import printable
from cwm_lsp.source.document import Document
from cwm_lsp.trace.recorder import Limits, Recording, record

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
    parser.add_argument("file", metavar="FILE", help="a Python file; - for stdin")
    parser.add_argument("--call", metavar="CALL", help='such as "f(1, 2)"; else the best one in the file')
    parser.add_argument("--json", action="store_true", help="one JSON object a frame, and an end")
    parser.add_argument(
        "--max-frames", metavar="N", type=positive, default=MAX_FRAMES, help="default %(default)s"
    )
    parser.add_argument("--seconds", metavar="S", type=seconds, default=SECONDS, help="default %(default)g")


def run(args: argparse.Namespace) -> int:
    """Runs the call and prints its frames."""
    document = open_document(args.file)
    target = choose(document, args.call, literal=False)
    if target.call is None:
        raise CommandError(f'no call to run in {args.file}: give one with --call "{target.function}(...)"')
    if not args.json:
        note(f"running {target.text} of {args.file} ({target.why})")
    recording = real_run(document, target.call.text, args.max_frames, args.seconds)
    if args.json:
        for frame in recording.frames:
            print_json(frame.to_json())
        print_json(recording.end.to_json(message=False))
    elif recording.frames or recording.end.reason != "failed":
        _print(Terminal(), document, recording)
    if recording.end.reason == "failed":
        raise CommandError(recording.end.message or "the run failed")
    return 0


def real_run(document: Document, call: str, max_frames: int, limit: float = SECONDS) -> Recording:
    """Runs the call in the current folder."""
    limits = Limits(seconds=limit, cpu_seconds=limit, frames=max_frames)
    return record(document, call, limits, cwd=str(Path.cwd()))


def _print(terminal: Terminal, document: Document, recording: Recording) -> None:
    log = TraceLog(terminal, document)
    for frame in recording.frames:
        log.feed(frame)
    log.close()
    for name, text in (("stdout", recording.stdout), ("stderr", recording.stderr)):
        if text:
            terminal.line()
            terminal.line([(f"{name} of the run:", "dim")])
            for line in text.splitlines():
                terminal.line([(f"  {printable(line)}", "")])
    terminal.line()
    terminal.line(closing_line(terminal, recording.end, result_of(recording.frames, recording.end)))
