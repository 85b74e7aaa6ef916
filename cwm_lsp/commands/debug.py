"""`cwm-lsp debug`: steps a predicted run in the terminal. Leaves out the screen (debug_app.py)."""

from __future__ import annotations

import argparse
import os
import sys

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.options import add_world_arguments
from cwm_lsp.commands.predict import open_world
from cwm_lsp.commands.target import choose, open_document
from cwm_lsp.commands.terminal import note
from cwm_lsp.world.breakpoints import Breakpoint, Exceptions, line_for
from cwm_lsp.world.prefetch import FRAMES_AHEAD, Prefetcher
from cwm_lsp.world.stepping import Stepper

DESCRIPTION = """\
Steps a predicted run in the terminal, forwards and backwards: the source with the line that is about to run,
the stack, the variables with where their values come from, and a timeline. Nothing of the program is run.

Keys: s into, n over, r out, c continue, b back, C back to the last stop, space sets a breakpoint on the line,
g runs to it, p computes an expression, e changes a variable (history forks, x goes to the other branch), left
and right go through the frames, ? tells the rest, q quits."""
EXAMPLES = """\
examples:
  cwm-lsp debug examples/strawberry.py
  cwm-lsp debug app.py --call "total([1, 2, 3])" --break 12"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `debug`."""
    parser.add_argument("file", metavar="FILE", help="a Python file")
    parser.add_argument("--call", metavar="CALL", help='what to debug, such as "f(1, 2)"')
    parser.add_argument(
        "--break",
        dest="breakpoints",
        metavar="LINE",
        type=int,
        action="append",
        default=[],
        help="a breakpoint; may be given more than once",
    )
    add_world_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Shows the run until the user quits."""
    if args.file == "-":
        raise CommandError("debug needs a file: stdin is for the keys", BAD_USAGE)
    if not (sys.stdin.isatty() and sys.stdout.isatty()) or os.environ.get("TERM") == "dumb":
        raise CommandError("debug needs a terminal: cwm-lsp trace prints the whole run instead", BAD_USAGE)
    document = open_document(args.file)
    target = choose(document, args.call)
    if target.call is None:
        note(f"no call to debug ({target.why}): the model invents the arguments of {target.function}")
    from cwm_lsp.commands.debug_app import DebugApp

    with open_world(args) as world:
        stepper = Stepper(world.start(document, target))
        stepper.exceptions = Exceptions(uncaught=True)
        placed = dict.fromkeys(line_for(document, line) or line for line in args.breakpoints)
        stepper.breakpoints = tuple(
            Breakpoint(number, "line", line=line) for number, line in enumerate(placed, 1)
        )
        prefetcher = Prefetcher(stepper.timeline, FRAMES_AHEAD)
        try:
            DebugApp(stepper, prefetcher, target.text, world.model).run()
        finally:
            prefetcher.close()
    return 0
