"""The command line's door: which commands there are, and what becomes of errors, Ctrl-C and a closed pipe.

Leaves out what the commands do: each is a file in commands/.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from cwm_lsp import __version__
from cwm_lsp.commands.errors import BAD_USAGE, BROKEN_PIPE, FAILED, INTERRUPTED, CommandError
from cwm_lsp.look import printable

COMMANDS = {
    "serve": "the language server, which editors start (also: cwm-lsp alone)",
    "trace": "predict what a call does, line by line, without running it",
    "record": "really run a call, traced (this executes your code)",
    "fill": "what the ? holes of a file can be, so that its examples come out right",
    "debug": "step a predicted run in the terminal, forwards and backwards",
    "dap": "the debug adapter, for editors",
    "eval": "how often predictions are right (this executes the programs)",
    "models": "which models there are, choosing, fetching, converting",
    "engine": "the shared process that holds a large model",
    "doctor": "what is installed, what is missing, what to type",
}

DESCRIPTION = """\
A neural debugger for Python: a world model of code predicts what a program would do, line by line.
Nothing of yours is run, except by record, by trace --check, and by eval, which say so."""

EXAMPLES = """\
examples:
  cwm-lsp trace examples/strawberry.py
  cwm-lsp trace app.py --call "total([1, 2, 3])" --check
  cwm-lsp trace app.py --json | jq .line
  cwm-lsp fill examples/holes/two_sum.py
  cwm-lsp doctor

exit status: 0 done; 1 the prediction failed or was refused (one sentence on stderr says why); 2 bad usage"""


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """The parser of the command line. Only the chosen command's module is imported, and knows its options."""
    parser = argparse.ArgumentParser(
        prog="cwm-lsp",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cwm-lsp {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for name, help_text in COMMANDS.items():
        command = commands.add_parser(
            name, help=help_text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == chosen:
            module = importlib.import_module(f"cwm_lsp.commands.{name}")
            command.description, command.epilog = module.DESCRIPTION, module.EXAMPLES
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command. Returns the exit status; whatever goes wrong is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        words = list(sys.argv[1:] if argv is None else argv)
        if not words and not sys.stdin.isatty():
            words = ["serve"]
        parser = build_parser(next((word for word in words if not word.startswith("-")), None))
        args = parser.parse_args(words)
        if args.command is None:
            parser.print_help(sys.stderr)
            return BAD_USAGE
        status = int(args.run(args))
        sys.stdout.flush()
    except CommandError as error:
        return _fail(str(error), error.status)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has seen enough; nothing may be flushed into the closed pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:
        if os.environ.get("CWM_LSP_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        return _fail(f"internal error ({what}); CWM_LSP_DEBUG=1 shows where, please report it", FAILED)
    return status


def _fail(sentence: str, status: int) -> int:
    try:
        sys.stdout.flush()
        sys.stderr.write(f"cwm-lsp: {printable(' '.join(sentence.split())).removesuffix('.')}\n")
        sys.stderr.flush()
    except OSError:
        pass
    return status
