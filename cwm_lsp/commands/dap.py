"""`cwm-lsp dap`: the debug adapter, on stdio or for one client after the other on a TCP port."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys

from cwm_lsp.commands.errors import CommandError
from cwm_lsp.commands.options import port
from cwm_lsp.commands.terminal import note
from cwm_lsp.dap.channel import Channel
from cwm_lsp.dap.server import serve
from cwm_lsp.dap.session import Session

DESCRIPTION = """\
Speaks the Debug Adapter Protocol: an editor starts it and steps a predicted run as it would step a real one,
forwards and backwards. Nothing of the program is run. docs/debugger.md tells how editors are set up, and the
fields of launch.json."""
EXAMPLES = """\
examples:
  cwm-lsp dap                        on stdin and stdout
  cwm-lsp dap --tcp 5678             on a port of this machine"""

CHUNK = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `dap`."""
    parser.add_argument("--tcp", metavar="PORT", type=port, help="listen on 127.0.0.1:PORT; 0 picks a port")
    parser.add_argument("--log", metavar="FILE", help="write a log to this file")


def run(args: argparse.Namespace) -> int:
    """Serves until the client is gone."""
    if args.log:
        try:
            logging.basicConfig(filename=args.log, level=logging.DEBUG)
        except OSError as error:
            raise CommandError(f"the log {args.log} can't be written: {error.strerror}") from None
    if args.tcp is not None:
        return _tcp(args.tcp)
    # Whatever else is printed must not get between the messages.
    messages = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    source = sys.stdin.fileno()
    serve(lambda: os.read(source, CHUNK), lambda data: _write(messages, data), Session)
    sys.stderr.flush()
    return 0


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _tcp(number: int) -> int:
    try:
        listener = socket.create_server(("127.0.0.1", number))
    except OSError as error:
        raise CommandError(f"port {number} can't be used: {error.strerror}") from None
    with listener:
        note(f"debug adapter on 127.0.0.1:{listener.getsockname()[1]}")
        while True:
            client, _ = listener.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                serve(lambda c=client: _received(c), client.sendall, _session)  # type: ignore[misc]


def _session(channel: Channel) -> Session:
    return Session(channel)


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(CHUNK)
    except OSError:
        return b""
