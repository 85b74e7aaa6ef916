"""A client without any library, for what no library would send. Not a test itself."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Self

from tests.cli_fixture import ROOT, environment

TIMEOUT_S = 60
RECORDED = ROOT / "tests" / "fixtures" / "lsp"


class Raw:
    """One server. Every answer is kept: a request may have one only."""

    def __init__(self, home: Path, env: dict[str, str] | None = None, *, initialized: bool = True) -> None:
        extra = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "XDG_STATE_HOME": str(home / "s")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cwm_lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment({**extra, **(env or {})}),
            cwd=ROOT,
        )
        self.answers: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        self.arrived: dict[Any, float] = {}
        self.said: list[dict[str, Any]] = []
        self.errors = b""
        self._changed = threading.Condition()
        self._lock = threading.Lock()
        self._number = 0
        self.replies: dict[str, Any] = {"workspace/configuration": [None]}
        threading.Thread(target=self._read, daemon=True).start()
        self._stderr = threading.Thread(target=self._read_errors, daemon=True)
        self._stderr.start()
        if initialized:
            data = json.loads((RECORDED / "vscode.json").read_text(encoding="utf-8"))
            assert "result" in self.ask("initialize", {"processId": None, "rootUri": None, **data})
            self.notify("initialized", {})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)

    def send_bytes(self, body: bytes) -> None:
        """Sends a body as it is, with its header."""
        assert self.process.stdin is not None
        with self._lock:
            self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            self.process.stdin.flush()

    def send(self, message: Any) -> None:
        """Sends a message."""
        self.send_bytes(json.dumps(message).encode())

    def notify(self, method: str, params: Any) -> None:
        """Sends a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def start(self, method: str, params: Any) -> int:
        """Sends a request; its number."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def wait(self, number: Any, seconds: float = TIMEOUT_S) -> dict[str, Any]:
        """The answer to a request."""
        end = time.monotonic() + seconds
        with self._changed:
            while not self.answers.get(number):
                left = end - time.monotonic()
                assert left > 0, f"no answer to {number}; stderr: {self.errors.decode()}"
                assert self.process.poll() is None, f"the server ended: {self.errors.decode()}"
                self._changed.wait(min(left, 0.5))
            return self.answers[number][0]

    def ask(self, method: str, params: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        return self.wait(self.start(method, params))

    def command(self, name: str, **arguments: Any) -> Any:
        """The result of a command."""
        answer = self.ask("workspace/executeCommand", {"command": name, "arguments": [arguments]})
        assert "result" in answer, answer
        return answer["result"]

    def quiet(self) -> dict[str, Any]:
        """Waits until nothing is under way."""
        for _ in range(TIMEOUT_S * 20):
            status = self.command("cwm.status")
            if not status["jobs"] and status["state"] in ("idle", "error"):
                return status
            time.sleep(0.05)
        raise AssertionError(status)

    def open(self, uri: str, text: str, language: str = "python") -> None:
        """Opens a document."""
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def messages(self) -> list[str]:
        """The texts of window/showMessage."""
        return [item["params"]["message"] for item in self.said if item["method"] == "window/showMessage"]

    def end(self) -> int:
        """Shuts the server down; its exit status."""
        assert self.ask("shutdown", None)["result"] is None
        self.notify("exit", None)
        status = self.process.wait(20)
        self._stderr.join(5)
        return status

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            while out.readline().strip():
                pass
            message = json.loads(out.read(length))
            if "method" in message and "id" in message:
                result = self.replies.get(message["method"])
                with self._changed:
                    self.said.append(message)
                try:
                    self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
                except (BrokenPipeError, ValueError):
                    return
                continue
            with self._changed:
                if "method" in message:
                    self.said.append(message)
                else:
                    self.answers[message["id"]].append(message)
                    self.arrived[message["id"]] = time.monotonic()
                self._changed.notify_all()

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line
