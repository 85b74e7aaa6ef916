"""One debug session: its life from initialize to disconnect, and the movements over the run.

Handlers are called one after the other in the reading thread and never wait; what takes time is a job of the
runner. Leaves out what is asked about a stop (inspecting.py), breakpoints (breaking.py), changes
(changing.py) and reading what a launch asks for (launch.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from cwm_lsp.dap.breaking import Breaking
from cwm_lsp.dap.capabilities import CAPABILITIES
from cwm_lsp.dap.changing import Changing
from cwm_lsp.dap.channel import Channel, RefusedError, Reply
from cwm_lsp.dap.console import Console
from cwm_lsp.dap.inspecting import Inspecting
from cwm_lsp.dap.launch import Asked, Launched, Models, attach, launch, models_of, read
from cwm_lsp.dap.moving import Moving
from cwm_lsp.dap.progress import Progress
from cwm_lsp.dap.runner import Job, JobKind, Runner
from cwm_lsp.dap.server import Handler
from cwm_lsp.dap.variables import References, Shower
from cwm_lsp.model.backend import Cancel
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.prefetch import Prefetcher
from cwm_lsp.world.stepping import Stepper, Stop

Phase = Literal["new", "initialized", "loading", "ready", "running", "stopped", "ended"]

THREAD = 1


class Session:
    """The state that all handlers share."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.phase: Phase = "new"
        self.over = False
        self.client: dict[str, Any] = {}
        self.references = References()
        self.shower = Shower(self.references)
        self.models: Models | None = None
        self.launched: Launched | None = None
        self.stop: Stop | None = None
        self._stepper: Stepper | None = None
        self._prefetcher: Prefetcher | None = None
        self._how: Callable[[Asked, Models], Launched] = launch
        self._configured = False
        self._ended_once = False
        self._progress: Progress | None = None
        self.runner = Runner(self._job_failed)
        self.breaking = Breaking(self)
        self.console = Console(self)
        self.changing = Changing(self)
        self._handlers: dict[str, Handler] = {
            "initialize": self._initialize,
            "launch": lambda arguments, reply: self._start(arguments, reply, launch),
            "attach": lambda arguments, reply: self._start(arguments, reply, attach),
            "configurationDone": self._configuration_done,
            "restart": self._restart,
            "terminate": self._terminate,
            "disconnect": self._disconnect,
            "cancel": self._cancel,
            "threads": self._threads,
            **self.breaking.handlers(),
            **Moving(self).handlers(),
            **Inspecting(self).handlers(),
            **self.changing.handlers(),
        }

    # -- what the handlers stand on

    def handler(self, command: str) -> Handler | None:
        """What answers a command."""
        if self.phase == "new" and command not in ("initialize", "disconnect", "cancel"):
            return _not_initialized
        return self._handlers.get(command)

    @property
    def stepper(self) -> Stepper:
        """The run. Raises RefusedError before there is one."""
        if self._stepper is None:
            raise RefusedError("Nothing is debugged yet.")
        return self._stepper

    def stopped(self) -> Stepper:
        """The run, stopped. Raises RefusedError while it moves or isn't there."""
        stepper = self.stepper
        if self.phase != "stopped":
            ended = self.phase == "ended"
            raise RefusedError(
                "The run has ended." if ended else "The program is running.", None if ended else "notStopped"
            )
        return stepper

    def say(self, text: str, category: str = "console", frame: Frame | None = None) -> None:
        """Writes to the client's console; `frame` is where it comes from."""
        body: dict[str, Any] = {"category": category, "output": text.rstrip("\n") + "\n"}
        if frame is not None and self.launched is not None:
            body["line"] = self.line_out(frame.line)
            body["source"] = self.source()
        self.channel.event("output", body)

    def source(self) -> dict[str, Any]:
        """The file that is debugged."""
        launched = self.launched
        path = launched.path if launched else None
        if path is None:
            return {"name": "trace", "sourceReference": 1}
        name = path.replace("\\", "/").rpartition("/")[2]
        return {"name": name, "path": path}

    def line_out(self, line: int) -> int:
        """A line as the client counts them."""
        return line if self.client.get("linesStartAt1", True) is not False else line - 1

    def line_in(self, line: int) -> int:
        """A client's line as we count them."""
        return line if self.client.get("linesStartAt1", True) is not False else line + 1

    def column_out(self, column: int) -> int:
        """A column (1-based) as the client counts them."""
        return column if self.client.get("columnsStartAt1", True) is not False else column - 1

    def job(
        self, kind: JobKind, reply: Reply, work: Callable[[Cancel], None], title: str | None = None
    ) -> None:
        """Has the runner do something, with a sign of progress once it takes long."""

        def run(cancel: Cancel) -> None:
            told = title if self.client.get("supportsProgressReporting") is True else None
            with Progress(self.channel, told, reply.request_seq, lambda: self._known) as progress:
                self._progress = progress
                work(cancel)

        self.runner.start(Job(kind, reply.request_seq, run))

    def move(
        self, reply: Reply, movement: Callable[[Stepper, Cancel], Stop], body: Mapping[str, Any]
    ) -> None:
        """Answers, and moves; the stop is told by an event."""
        stepper = self.stopped()
        self.runner.cancel(kind="ask")
        self.phase = "running"
        self.references.clear()
        reply.ok(body)
        self.job("move", reply, lambda cancel: self.arrived(movement(stepper, cancel)), "Predicting")

    def arrived(self, stop: Stop) -> None:
        """Tells the client where a movement ended, unless it was given up for another beginning."""
        if self.phase != "running":
            return
        self.stop = stop
        self.references.clear()
        if stop.reason == "end":
            self._say_end()
            asked = self.launched.asked if self.launched else {}
            if not asked.get("stopOnExit"):
                self.finish()
                return
        elif stop.reason in ("budget", "failed"):
            self.say(
                f"{stop.text} The run stops on the last good frame; continuing goes on from there.",
                "important",
            )
        elif stop.text and stop.breakpoints:
            self.say(stop.text, "important")
        self.phase = "stopped"
        if self._prefetcher is not None:
            self._prefetcher.aim(self.stepper.index)
        self.channel.event("stopped", stopped_body(stop))

    def changed(self) -> None:
        """After an edit: what was predicted ahead belongs to the old branch, and views are out of date."""
        if self._prefetcher is not None:
            self._prefetcher.aim(self.stepper.index)
        if self.client.get("supportsInvalidatedEvent") is True:
            self.channel.event("invalidated", {"areas": ["variables"], "threadId": THREAD})

    def rest(self) -> None:
        """Predicts nothing ahead until the next stop or change."""
        if self._prefetcher is not None:
            self._prefetcher.rest()

    def finish(self) -> None:
        """The run is over for the client."""
        self.phase = "ended"
        if self._ended_once:
            return
        self._ended_once = True
        end = self._stepper.simulation.end if self._stepper is not None else None
        if end is not None and end.reason in ("returned", "raised"):
            self.channel.event("exited", {"exitCode": 0 if end.reason == "returned" else 1})
        self.channel.event("terminated")

    def close(self) -> None:
        """Ends whatever is under way, and frees the model."""
        self.over = True
        self.phase = "ended"
        self.runner.close()
        if self._prefetcher is not None:
            self._prefetcher.close()
        if self.models is not None:
            with contextlib.suppress(Exception):
                self.models.close()

    # -- life

    def _initialize(self, arguments: Any, reply: Reply) -> None:
        if self.phase != "new":
            raise RefusedError("The session is initialized already.")
        self.client = arguments
        self.phase = "initialized"
        reply.ok(CAPABILITIES)

    def _start(self, arguments: Any, reply: Reply, how: Callable[[Asked, Models], Launched]) -> None:
        if self.phase != "initialized":
            raise RefusedError("The session has been launched already.")
        asked = read(arguments)
        self.models = models_of(asked)
        self._how = how
        self.phase = "loading"

        def work(cancel: Cancel) -> None:
            assert self.models is not None
            try:
                launched = how(asked, self.models)
            except RefusedError as error:
                self.phase = "initialized"
                reply.refuse(error)
                return
            if cancel.cancelled:
                self.phase = "initialized"
                reply.refuse(RefusedError("The launch was cancelled.", "cancelled"))
                return
            self._take(launched)
            self.phase = "ready"
            reply.ok()
            self.channel.event("initialized")
            if self._configured:
                self._go()

        self.job("load", reply, work, "Loading the model")

    def _take(self, launched: Launched) -> None:
        """Makes a run the one that is debugged."""
        if self._prefetcher is not None:
            self._prefetcher.close()
        self.launched = launched
        if self.models is not None and self.models.settings.ascii:
            self.shower.use_ascii()
        self.shower.plain = launched.asked.get("marks") is False
        stepper = Stepper(launched.simulation)
        stepper.on_log = lambda text, frame: self.say(text, "console", frame)
        stepper.on_grown = self._note_growth
        self._stepper = stepper
        stepper.jump_over = launched.asked.get("stepOver") == "jump"
        stepper.on_jump = self._say_jump
        self._prefetcher = Prefetcher(stepper.timeline, launched.ahead, into_calls=not stepper.jump_over)
        self.breaking.take(stepper)

    def _configuration_done(self, arguments: Any, reply: Reply) -> None:
        if self.phase in ("initialized", "loading"):
            self._configured = True
            reply.ok()
            return
        if self.phase != "ready":
            raise RefusedError("The session is configured already.")
        self._configured = True
        reply.ok()
        self.job("move", reply, lambda _: self._go(), None)

    def _go(self) -> None:
        """The first movement, in the runner: to the entry, or on from there."""
        launched, stepper = self.launched, self.stepper
        assert launched is not None
        self.phase = "running"
        self.channel.event("thread", {"reason": "started", "threadId": THREAD})
        how = "recorded" if launched.observed else f"predicted by {launched.model}, nothing is run"
        self.say(f"{launched.call}: {how}")
        if launched.note:
            self.say(launched.note, "important")
        job = Job("move", 0, lambda cancel: self._first_movement(stepper, cancel))
        self.runner.start(job)

    def _first_movement(self, stepper: Stepper, cancel: Cancel) -> None:
        assert self.launched is not None
        stop = stepper.begin(cancel)
        if stop.reason == "entry" and not self.launched.asked.get("stopOnEntry"):
            stop = stepper.first_stop(cancel)
        self.arrived(stop)

    def _restart(self, arguments: Any, reply: Reply) -> None:
        if self.launched is None or self.models is None:
            raise RefusedError("Nothing is debugged yet.")
        again = arguments.get("arguments")
        asked = read(again) if isinstance(again, dict) and again else self.launched.asked
        models, how = self.models, self._how
        self.rest()
        self.runner.cancel()
        self.phase = "loading"
        self._ended_once = False
        self.references.clear()

        def work(_cancel: Cancel) -> None:
            try:
                launched = how(asked, models)
            except RefusedError as error:
                self.phase = "stopped" if self.stop is not None else "ready"
                reply.refuse(error)
                return
            self._take(launched)
            reply.ok()
            self._go()

        self.job("load", reply, work, "Loading")

    def _terminate(self, arguments: Any, reply: Reply) -> None:
        self.runner.cancel()
        self.rest()
        reply.ok()
        self.finish()

    def _disconnect(self, arguments: Any, reply: Reply) -> None:
        self.runner.close()
        self.channel.cancel_rest(but=reply)
        reply.ok()
        self.over = True

    def _cancel(self, arguments: Any, reply: Reply) -> None:
        request, progress = arguments.get("requestId"), arguments.get("progressId")
        if request is not None:
            self.runner.cancel(request=request)
        if progress is not None and progress.removeprefix("cwm-").isdecimal():
            self.runner.cancel(request=int(progress.removeprefix("cwm-")))
        reply.ok()

    def _threads(self, arguments: Any, reply: Reply) -> None:
        alive = self.phase in ("running", "stopped")
        name = self.launched.call if self.launched else "main"
        reply.ok({"threads": [{"id": THREAD, "name": name[:80]}] if alive else []})

    # -- words

    @property
    def _known(self) -> int:
        return self._stepper.timeline.known if self._stepper is not None else 0

    def _note_growth(self) -> None:
        if self._progress is not None:
            self._progress.note()

    def _say_jump(self, frame: Frame) -> None:
        value = self.shower.text(frame.arg) if frame.arg is not None else "None"
        self.say(f"{frame.function} was jumped over: the model guesses that it returns {value}", frame=frame)

    def _say_end(self) -> None:
        launched, end = self.launched, self.stepper.simulation.end
        if launched is None or end is None or end.value is None:
            return
        frame = self.stepper.simulation.frames[-1]
        if end.reason == "raised":
            self.say(f"{launched.call} raised {end.value}", "important")
        elif frame.arg is not None:
            self.say(f"{launched.call} returned {self.shower.text(frame.arg, 2000)}")

    def _job_failed(self, error: BaseException) -> None:
        """A job ended by an exception that nobody foresaw: the run stops where it is."""
        self.say(f"Internal error: {type(error).__name__}: {error}", "important")
        if self.phase == "running" and self._stepper is not None:
            stop = Stop("failed", self._stepper.index, text="An internal error stopped it.")
            self.phase = "stopped"
            self.channel.event("stopped", stopped_body(stop))
        elif self.phase == "loading":
            self.phase = "initialized"
            self.channel.cancel_rest()


def stopped_body(stop: Stop) -> dict[str, Any]:
    """The body of the stopped event."""
    reasons = {"budget": "pause", "failed": "pause", "end": "pause"}
    descriptions = {
        "budget": "Paused: the budget is used up",
        "failed": "Paused: the prediction failed",
        "end": "Paused: the run has ended",
        "exception": "Paused on an uncaught exception" if stop.uncaught else "Paused on an exception",
    }
    body: dict[str, Any] = {
        "reason": reasons.get(stop.reason, stop.reason),
        "threadId": THREAD,
        "allThreadsStopped": True,
    }
    if stop.reason in descriptions:
        body["description"] = descriptions[stop.reason]
    if stop.text:
        body["text"] = stop.text[:500]
    if stop.breakpoints:
        body["hitBreakpointIds"] = list(stop.breakpoints)
    return body


def _not_initialized(_arguments: Any, _reply: Reply) -> None:
    raise RefusedError("The session isn't initialized.")
