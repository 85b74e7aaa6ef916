"""Random, malformed, out-of-order and duplicate messages: one answer to each request, no crash, no hang."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cwm_lsp.dap.protocol import ARGUMENTS
from cwm_lsp.source.document import Document
from cwm_lsp.trace.recorder import record
from tests.dap.client import Client, Message

MESSAGES = 3_000
SESSIONS = 10

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COMMANDS = sorted(set(ARGUMENTS) - {"disconnect"})
FIELDS = sorted({name for kind in ARGUMENTS.values() for name in getattr(kind, "__annotations__", {})})
GARBAGE = [
    b"Content-Length: abc\r\n\r\n{}",
    b'Content-Length: 5\r\n\r\n{"a"}',
    b"\r\n\r\n",
    b"X: y\r\n\r\n",
    b"Content-Length: 2\r\n\r\n[]",
    b"Content-Length: 4\r\n\r\nnull",
    b"Content-Length: 3\r\nContent-Length: 2\r\n\r\n{}",
    b"\xff\xfe\x00garbage\r\n\r\n",
]


class Fuzzer:
    """Makes messages; knows how many answers each number must get."""

    def __init__(self, seed: int, program: str, trace: str) -> None:
        self.rng = random.Random(seed)
        self.program, self.trace = program, trace
        self.due: Counter[int] = Counter()
        self.seq = 0

    def value(self, deep: int = 0) -> Any:
        rng = self.rng
        pick = rng.randint(0, 13 if deep < 3 else 9)
        if pick <= 3:
            return rng.choice([0, 1, 2, 3, 5, 7, -1, 99, 2**31, 2**60, 1e30])
        if pick <= 6:
            return rng.choice(
                ["", "n", "xs", "1 +", "len(word)", "%switch 0", "%goto 3", "\ud800", "x" * 5000, "1"]
            )
        if pick <= 9:
            return rng.choice([None, True, False, 1.5])
        if pick == 10:
            return [self.value(deep + 1) for _ in range(rng.randint(0, 4))]
        return {rng.choice(FIELDS): self.value(deep + 1) for _ in range(rng.randint(0, 5))}

    def sensible(self, command: str) -> Any:
        """Arguments as a client might send them."""
        rng = self.rng
        source = {"path": self.program}
        lines = [{"line": rng.randint(-2, 40)} for _ in range(rng.randint(0, 3))]
        for line in lines:
            if rng.random() < 0.3:
                line[rng.choice(["condition", "hitCondition", "logMessage"])] = rng.choice(
                    ["count > 1", "2", "{x}"]
                )
        known: dict[str, Any] = {
            "initialize": {
                "adapterID": "x",
                "supportsProgressReporting": True,
                "supportsInvalidatedEvent": True,
            },
            "launch": {"program": self.program, "trace": self.trace, "stopOnExit": True},
            "attach": {"program": self.program, "trace": self.trace, "stopOnExit": True},
            "setBreakpoints": {"source": source, "breakpoints": lines},
            "setFunctionBreakpoints": {"breakpoints": [{"name": rng.choice(["count_letter", "x"])}]},
            "setExceptionBreakpoints": {"filters": rng.sample(["raised", "uncaught"], rng.randint(0, 2))},
            "setDataBreakpoints": {"breakpoints": [{"dataId": "count_letter:count"}]},
            "dataBreakpointInfo": {"name": "count"},
            "breakpointLocations": {"source": source, "line": 1, "endLine": 30},
            "gotoTargets": {"source": source, "line": rng.randint(0, 30)},
            "source": {"sourceReference": 1, "source": source},
            "evaluate": {
                "expression": rng.choice(["count", "word[0]", "%branches", "%goto 4"]),
                "context": "repl",
            },
            "setExpression": {"expression": "count", "value": str(rng.randint(0, 9))},
            "completions": {"text": "co", "column": 3},
            "cancel": {"requestId": rng.randint(0, self.seq)},
            "restart": {},
        }
        reference = rng.randint(0, 60)
        return known.get(
            command,
            {
                "threadId": 1,
                "frameId": reference,
                "variablesReference": reference,
                "targetId": rng.randint(0, 4),
                "name": rng.choice(["count", "0", "letter"]),
                "value": "3",
            },
        )

    def message(self) -> bytes:
        """The bytes of one message, or of what should have been one."""
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(GARBAGE)
        self.seq += 1
        seq: Any = self.seq
        if rng.random() < 0.05:
            seq = rng.choice([None, "1", 1.5, True, -3, 0, rng.randint(1, self.seq)])
        command: Any = rng.choice(COMMANDS)
        if rng.random() < 0.35:
            command = rng.choice(
                ["next", "stepIn", "continue", "stepBack", "reverseContinue", "stackTrace", "scopes"]
            )
        if rng.random() < 0.04:
            command = rng.choice(["nothing", "", None, 3, "disassemble"])
        if command == "terminate" and rng.random() < 0.9:
            command = "threads"
        message: Message = {"seq": seq, "type": "request", "command": command}
        pick = rng.random()
        if pick < 0.7:
            message["arguments"] = self.sensible(str(command))
            if rng.random() < 0.2 and isinstance(message["arguments"], dict):
                message["arguments"][rng.choice(FIELDS)] = self.value()
        elif pick < 0.95:
            message["arguments"] = self.value()
        if rng.random() < 0.03:
            message["type"] = rng.choice(["response", "event", "other", None])
        if message["type"] == "request" and isinstance(seq, int) and not isinstance(seq, bool):
            self.due[seq] += 1
        body = json.dumps(message).encode()
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)

    def request(self, command: str, arguments: Any) -> bytes:
        """A request that is well."""
        self.seq += 1
        self.due[self.seq] += 1
        body = json.dumps({"seq": self.seq, "type": "request", "command": command, "arguments": arguments})
        return b"Content-Length: %d\r\n\r\n%s" % (len(body), body.encode())


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    program = EXAMPLES / "strawberry.py"
    document = Document.from_file(program)
    recording = record(document, 'how_many("strawberry", "r")')
    path = tmp_path_factory.mktemp("fuzz") / "trace.jsonl"
    path.write_text("\n".join(json.dumps(each.to_json()) for each in (*recording.frames, recording.end)))
    return str(program), str(path)


SEEDS = [pytest.param(seed, marks=[pytest.mark.slow] if seed > 1 else []) for seed in range(SESSIONS)]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_request_gets_one_answer(seed: int, trace: tuple[str, str]) -> None:
    fuzzer = Fuzzer(seed, *trace)
    with Client() as client:
        pipe = client.process.stdin
        assert pipe is not None
        if seed % 2:  # half of the sessions begin well
            for command in ("initialize", "attach", "configurationDone"):
                pipe.write(
                    fuzzer.request(
                        command, fuzzer.sensible(command) if command != "configurationDone" else {}
                    )
                )
        for _ in range(MESSAGES // SESSIONS):
            pipe.write(fuzzer.message())
            pipe.flush()
            if fuzzer.rng.random() < 0.1:
                time.sleep(0.002)
        pipe.write(fuzzer.request("disconnect", {}))
        pipe.flush()
        answers: Counter[int] = Counter()
        while (fuzzer.due - answers).total():
            try:
                message = client.take(20)
            except (EOFError, TimeoutError) as error:
                raise AssertionError(f"not answered: {fuzzer.due - answers}") from error
            if message["type"] == "response":
                answers[message["request_seq"]] += 1
        assert client.process.wait(10) == 0
        while client._inbox.qsize() > 1:
            message = client.take()
            assert message["type"] == "event"
        assert answers == fuzzer.due
        said = client.process.stderr.read().decode()
        assert "Traceback" not in said
        assert not any("Internal error" in json.dumps(each) for each in client.all)
