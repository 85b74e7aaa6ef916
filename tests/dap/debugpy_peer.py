"""debugpy as a peer: the same client drives it over the real program."""

from __future__ import annotations

import sys
from typing import Any

from tests.dap.client import Client, Message

DEBUGPY = [sys.executable, "-X", "frozen_modules=off", "-m", "debugpy.adapter"]


class Debugpy(Client):
    """A session with debugpy over a file that is really run."""

    def __init__(self) -> None:
        super().__init__(DEBUGPY, check=False)

    def begin(self, program: str, breakpoints: list[Message], filters: list[str]) -> Message:
        """From the beginning to the first stop."""
        self.initialize(supportsVariableType=True)
        launch = self.send(
            "launch",
            {
                "program": program,
                "console": "internalConsole",
                "justMyCode": True,
                "showReturnValue": False,
                "python": [sys.executable],
                "env": {"PYTHONHASHSEED": "0"},
                "variablePresentation": dict.fromkeys(
                    ("special", "function", "class", "protected"), "inline"
                ),
            },
        )
        self.wait_event("initialized")
        self.set_breakpoints(program, *breakpoints)
        self.request("setExceptionBreakpoints", filters=filters)
        mark = len(self.events)
        done = self.send("configurationDone")
        self.answer(launch)
        self.answer(done)
        return self.stop_after(mark)

    def stop_after(self, mark: int) -> Message:
        """The stop, or the end."""
        event = self.wait_event("stopped", "terminated", since=mark)
        if event["event"] == "stopped":
            self.thread = event["body"]["threadId"]
        return event

    def go(self, command: str, **arguments: Any) -> Message:
        mark = len(self.events)
        self.request(command, threadId=self.thread, **arguments)
        return self.stop_after(mark)
