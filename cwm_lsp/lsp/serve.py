"""Runs a server on standard input and output, or for one client on a loopback port."""

from __future__ import annotations

import asyncio
import logging
import sys

from cwm_lsp.lsp.logs import LogMessages, log_to_file
from cwm_lsp.lsp.server import Server, connect
from cwm_lsp.lsp.transport import StdinThread, StdoutWriter, read_stream

log = logging.getLogger(__name__)

SWITCH_S = 0.0005
"""How long the model's thread may hold the interpreter while the event loop waits for it."""


def serve_stdio() -> int:
    """Serves the client at standard input and output until it ends. Returns the exit status."""
    out = StdoutWriter()
    return _run(_stdio(out))


def serve_tcp(port: int) -> int:
    """Listens on a port of this machine only, serves the first client, and ends with it."""
    return _run(_tcp(port))


def _run(main: object) -> int:
    log_to_file()
    sys.setswitchinterval(SWITCH_S)
    try:
        return asyncio.run(main)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        return 130


async def _stdio(out: StdoutWriter) -> int:
    server = Server()
    server.protocol.set_writer(out)
    logs = LogMessages(server)
    ended = asyncio.create_task(connect(server))
    await asyncio.sleep(0)

    def end(problem: str | None) -> None:
        if problem is not None:
            log.error("the client's messages can't be read on: %s", problem)
        assert server.protocol.ended is not None
        server.protocol.ended.set()

    StdinThread(sys.stdin.buffer, asyncio.get_running_loop(), server.protocol.take, end).start()
    status = await ended
    logs.close()
    out.close()
    return status


async def _tcp(port: int) -> int:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[int] = loop.create_future()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if listener.is_serving():
            listener.close()
        else:
            writer.close()
            return
        server = Server()
        server.protocol.set_writer(writer)
        logs = LogMessages(server)
        ended = asyncio.create_task(connect(server))
        await asyncio.sleep(0)
        reading = asyncio.create_task(read_stream(reader, server.protocol.take))
        assert server.protocol.ended is not None
        stop = server.protocol.ended.set
        reading.add_done_callback(lambda _: stop())
        status = await ended
        reading.cancel()
        logs.close()
        writer.close()
        if not done.done():
            done.set_result(status)

    listener = await asyncio.start_server(client, "127.0.0.1", port, limit=2**20)
    sys.stderr.write(f"cwm-lsp: listening on 127.0.0.1:{listener.sockets[0].getsockname()[1]}\n")
    sys.stderr.flush()
    return await done
