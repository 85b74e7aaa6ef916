"""The movements that a client can ask for. Leaves out how they are made (world/stepping.py) and what the
client is told of them (session.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cwm_lsp.dap.channel import RefusedError, Reply
from cwm_lsp.dap.server import Handler
from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.flow import flow_of
from cwm_lsp.world.stepping import Stepper, Stop

if TYPE_CHECKING:
    from cwm_lsp.dap.session import Session

Movement = Callable[[Stepper, Cancel], Stop]


class Moving:
    """Handlers of movements, and of the targets that some of them take."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._targets: list[tuple[str, str | int]] = []

    def handlers(self) -> dict[str, Handler]:
        """Command to handler."""
        return {
            "continue": self._continue,
            "next": lambda a, r: self._move(r, lambda stepper, cancel: stepper.over(cancel)),
            "stepIn": self._step_in,
            "stepOut": lambda a, r: self._move(r, lambda stepper, cancel: stepper.out(cancel)),
            "stepBack": self._step_back,
            "reverseContinue": lambda a, r: self._move(r, lambda stepper, _: stepper.reverse_continue()),
            "restartFrame": self._restart_frame,
            "goto": self._goto,
            "gotoTargets": self._goto_targets,
            "stepInTargets": self._step_in_targets,
            "pause": self._pause,
        }

    def _move(self, reply: Reply, movement: Movement, body: dict[str, Any] | None = None) -> None:
        self._session.move(reply, movement, body or {})

    def _continue(self, arguments: Any, reply: Reply) -> None:
        self._move(reply, lambda stepper, cancel: stepper.continue_(cancel), {"allThreadsContinued": True})

    def _step_in(self, arguments: Any, reply: Reply) -> None:
        target = arguments.get("targetId")
        function = None if target is None else str(self._target("into", target))
        self._move(reply, lambda stepper, cancel: stepper.into(cancel, function))

    def _step_back(self, arguments: Any, reply: Reply) -> None:
        one_frame = arguments.get("granularity") == "instruction"
        self._move(reply, lambda stepper, _: stepper.back(one_frame=one_frame))

    def _restart_frame(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        levels = session.stopped().levels
        at = session.references.path(arguments["frameId"]).level
        if at >= len(levels):
            raise RefusedError("There is no such frame.")
        self._move(reply, lambda stepper, _: stepper.restart_frame(levels[at]))

    def _goto(self, arguments: Any, reply: Reply) -> None:
        target = str(self._target("line", arguments["targetId"]))
        line = int(target.lstrip("<"))

        def movement(stepper: Stepper, cancel: Cancel) -> Stop:
            back = stepper.back_to(line) if target.startswith("<") else None
            return back or stepper.run_to(line, cancel)

        self._move(reply, movement)

    def _goto_targets(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        stepper = session.stepper
        line = session.breaking.line_for(session.line_in(arguments["line"]))
        if line is None or not session.breaking.is_ours(arguments["source"]):
            raise RefusedError("No line of the run can be reached there.")
        shown = session.line_out(line)
        targets = [{"id": self._new("line", str(line)), "label": f"Run to line {shown}", "line": shown}]
        frames = stepper.simulation.frames[: max(stepper.index, 0)]
        if session.phase == "stopped" and any(f.event == "line" and f.line == line for f in frames):
            label = f"Back to line {shown}, the last time it ran"
            targets.append({"id": self._new("line", f"<{line}"), "label": label, "line": shown})
        reply.ok({"targets": targets})

    def _step_in_targets(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        stepper = session.stopped()
        level = session.references.path(arguments["frameId"]).level
        levels = stepper.levels
        targets = []
        if level == 0 and levels:
            flow = flow_of(stepper.timeline.document)
            for name in flow.calls(levels[0].function, levels[0].line):
                targets.append({"id": self._new("into", name), "label": name})
        reply.ok({"targets": targets})

    def _pause(self, arguments: Any, reply: Reply) -> None:
        reply.ok()
        self._session.runner.cancel(kind="move")

    def _new(self, kind: str, value: str | int) -> int:
        self._targets.append((kind, value))
        return len(self._targets)

    def _target(self, kind: str, number: int) -> str | int:
        if not 0 < number <= len(self._targets) or self._targets[number - 1][0] != kind:
            raise RefusedError("There is no such target.")
        return self._targets[number - 1][1]
