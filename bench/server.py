"""How fast the language server answers while the model is busy: typing, hovers and hints of a large file, the
start, and the memory. Prints one JSON object.

The server is the real one, driven over stdio with the capabilities that VS Code sends. The file has
`--functions` functions of 30 lines, each with a call to trace, so that predictions go on in the background
during all of it; grounding "flow", so that it is the model that is busy. A notification has no answer: typing
is timed as an edit with a hover on an empty line right behind it, until that one's answer is there (so it is
a bit too long). Leaves out how fast predictions are: bench/decode.py.

    python bench/server.py [--functions 104] [--rounds 200]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CAPABILITIES = ROOT / "tests" / "fixtures" / "lsp" / "vscode.json"
URI = "file:///bench/large.py"
TIMEOUT_S = 60.0

FUNCTION = '''\
# cwm: work_{n}([3, 1, {m}], "step{n}")
def work_{n}(numbers, name):
    """Adds up and sorts a few numbers, and spells a word backwards."""
    total = 0
    largest = numbers[0]
    for number in numbers:
        total += number
        if number > largest:
            largest = number
    ordered = []
    for number in numbers:
        place = 0
        while place < len(ordered) and ordered[place] < number:
            place += 1
        ordered.insert(place, number)
    backwards = ""
    for letter in name:
        backwards = letter + backwards
    kept = {{}}
    for number in ordered:
        kept[number] = number * {m}
    if total > {m}:
        label = "large"
    else:
        label = "small"
    result = (label, total, largest)
    return result


'''


def source(functions: int) -> str:
    """The large file."""
    return "".join(FUNCTION.format(n=n, m=n % 7 + 2) for n in range(functions))


class Client:
    """A client without any library, so that the measured time is the server's."""

    def __init__(self, home: Path) -> None:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("CWM_LSP_")},
            "CWM_LSP_CONFIG": "/nonexistent",
            "CWM_LSP_GROUNDING": "flow",
            "XDG_CACHE_HOME": str(home),
            "XDG_STATE_HOME": str(home),
            "PYTHONPATH": str(ROOT),
        }
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cwm_lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        self._answers: dict[int, tuple[float, dict[str, Any]]] = {}
        self._arrived = threading.Condition()
        self._number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def notify(self, method: str, params: Any) -> None:
        """Sends a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any) -> tuple[Any, float]:
        """Sends a request: its result, and the seconds until it was there."""
        self._number += 1
        number = self._number
        began = time.perf_counter()
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        with self._arrived:
            while number not in self._answers:
                if not self._arrived.wait(TIMEOUT_S):
                    raise TimeoutError(method)
            arrived, message = self._answers.pop(number)
        if "error" in message:
            raise RuntimeError(f"{method}: {message['error']}")
        return message["result"], arrived - began

    def command(self, name: str) -> Any:
        """Executes a command on the large file."""
        return self.request("workspace/executeCommand", {"command": name, "arguments": [{"uri": URI}]})[0]

    def memory(self, field: str) -> float:
        """Megabytes, as /proc tells."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith(field))
        return round(int(line.split()[1]) / 1024, 1)

    def close(self) -> int:
        """Ends the server; its exit status."""
        self.request("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(TIMEOUT_S)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            while out.readline().strip():
                pass
            message = json.loads(out.read(length))
            now = time.perf_counter()
            if "method" not in message:
                with self._arrived:
                    self._answers[message["id"]] = (now, message)
                    self._arrived.notify_all()
            elif "id" in message:
                result = [None] if message["method"] == "workspace/configuration" else None
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})


def initialize(client: Client) -> float:
    """Seconds from the start of the process to the answer to `initialize`."""
    recorded = json.loads(CAPABILITIES.read_text(encoding="utf-8"))
    client.request("initialize", {"processId": None, "rootUri": None, **recorded})
    took = time.perf_counter() - client.began
    client.notify("initialized", {})
    return took


def spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    times = sorted(second * 1000 for second in seconds)
    return {
        "n": len(times),
        "p50": round(statistics.median(times), 2),
        "p90": round(times[int(len(times) * 0.9)], 2),
        "worst": round(times[-1], 2),
    }


def busy(client: Client) -> bool:
    """True while the model predicts."""
    return bool(client.command("cwm.status")["state"] == "predicting")


def measure(client: Client, text: str, rounds: int) -> dict[str, Any]:
    """Typing, hovers and hints, mixed, with predictions under way at the beginning and at the end."""
    lines = text.splitlines()
    chance = random.Random(5)
    item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": item})
    while sum(item["traces"] for item in client.command("cwm.status")["files"]) < 5:
        time.sleep(0.05)
    document = {"uri": URI}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": len(lines), "character": 0}}
    hints, _ = client.request("textDocument/inlayHint", {"textDocument": document, "range": whole})
    places = [hint["position"]["line"] for hint in hints if "+=" in lines[hint["position"]["line"]]]
    assert places, "nothing is predicted yet"
    typing, hovers, shown, idle = [], [], [], 0
    version = 1
    for index in range(rounds):
        line = chance.choice(places)
        column = len(lines[line]) - len(lines[line].lstrip()) + 1
        params = {"textDocument": document, "position": {"line": line, "character": column}}
        answer, took = client.request("textDocument/hover", params)
        assert answer is not None, f"no hover on line {line}"
        hovers.append(took)
        window = {
            "start": {"line": max(0, line - 30), "character": 0},
            "end": {"line": line + 30, "character": 0},
        }
        answer, took = client.request("textDocument/inlayHint", {"textDocument": document, "range": window})
        assert answer, "no hints"
        shown.append(took)
        version += 1
        end = {"line": len(lines) - 1, "character": 0}
        change = {"range": {"start": end, "end": end}, "text": "x"}
        changes = {"textDocument": {**document, "version": version}, "contentChanges": [change]}
        began = time.perf_counter()
        client.notify("textDocument/didChange", changes)
        client.request("textDocument/hover", {"textDocument": document, "position": end})
        typing.append(time.perf_counter() - began)
        if index % 10 == 0:
            idle += not busy(client)
        time.sleep(chance.uniform(0, 0.03))
    return {
        "typing_ms": spread(typing),
        "hover_ms": spread(hovers),
        "hints_ms": spread(shown),
        "samples_without_a_prediction_under_way": idle,
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--functions", type=int, default=104)
    parser.add_argument("--rounds", type=int, default=200)
    args = parser.parse_args()
    text = source(args.functions)
    with tempfile.TemporaryDirectory() as home:
        starts = []
        for _ in range(5):
            client = Client(Path(home))
            starts.append(initialize(client))
            client.close()
        client = Client(Path(home))
        initialize(client)
        before = client.memory("VmRSS")
        report = measure(client, text, args.rounds)
        report |= {
            "start_to_initialize_s": {
                "best": round(min(starts), 3),
                "median": round(statistics.median(starts), 3),
            },
            "memory_mb": {"started": before, "busy": client.memory("VmRSS"), "most": client.memory("VmHWM")},
            "exit_status": client.close(),
            "lines": text.count("\n"),
            "functions": args.functions,
            "load_average": round(os.getloadavg()[0], 1),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
