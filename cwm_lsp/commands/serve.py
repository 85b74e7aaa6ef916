"""`cwm-lsp serve`, and `cwm-lsp` alone: the language server, on standard input and output or on a port."""

from __future__ import annotations

import argparse
import gc
import os
import sys

from cwm_lsp.commands.errors import BAD_USAGE, CommandError

DESCRIPTION = """\
The language server: predicted values in the editor. Editors start it as `cwm-lsp` and speak with it on
standard input and output; see the README for how to set up an editor. Nothing of yours is run."""
EXAMPLES = """\
examples:
  cwm-lsp                     what an editor starts
  cwm-lsp serve --tcp 9257    one client, on a port of this machine"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `serve`."""
    parser.add_argument(
        "--tcp", metavar="PORT", type=_port, help="listen on 127.0.0.1:PORT (0: any free one)"
    )
    parser.add_argument("--stdio", action="store_true", help="standard input and output (the default)")


def run(args: argparse.Namespace) -> int:
    """Serves until the client ends."""
    if args.tcp is None and sys.stdin.isatty():
        raise CommandError(
            "this is a language server, which an editor starts; `cwm-lsp --help` lists the other commands",
            BAD_USAGE,
        )
    gc.disable()  # importing makes nothing but what stays
    from cwm_lsp.lsp.serve import serve_stdio, serve_tcp

    gc.freeze()
    gc.enable()
    try:
        status = serve_stdio() if args.tcp is None else serve_tcp(args.tcp)
    except OSError as error:
        raise CommandError(f"port {args.tcp} can't be listened on: {error.strerror or error}") from None
    sys.stderr.flush()
    # A thread may be inside the model still; it must not keep the process, nor be torn down with it.
    os._exit(status)


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return port
