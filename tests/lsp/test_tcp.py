"""The server on a port of this machine."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli_fixture import ROOT, cwm, environment


def test_one_client_on_a_port(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cwm_lsp", "serve", "--tcp", "0"],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        env=environment({"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}),
        cwd=ROOT,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert found is not None
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=60) as client:
            stream = client.makefile("rwb")

            def ask(number: int, method: str, params: Any) -> dict[str, Any]:
                message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                body = json.dumps(message).encode()
                stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                stream.flush()
                while True:
                    length = int(stream.readline().split(b":")[1])
                    while stream.readline().strip():
                        pass
                    answer = json.loads(stream.read(length))
                    if answer.get("id") == number and "method" not in answer:
                        return dict(answer)

            params = {"processId": None, "rootUri": None, "capabilities": {}}
            assert ask(1, "initialize", params)["result"]["capabilities"]["hoverProvider"]
            assert ask(2, "workspace/executeCommand", {"command": "cwm.status"})["result"]["state"] == "idle"
            assert ask(3, "shutdown", None)["result"] is None
            body = b'{"jsonrpc":"2.0","method":"exit"}'
            stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            stream.flush()
            assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)


def test_bad_ports_are_refused_with_a_sentence() -> None:
    assert "is not a port" in cwm("serve", "--tcp", "99999").err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "can't be listened on" in cwm("serve", "--tcp", port).refused(1)
