"""The screen of `cwm-lsp debug`: keys to movements, stops to what is shown.

Movements run in a thread, so that the screen lives and Esc can pause them. Leaves out the parts of the screen
(debug_widgets.py) and the movements themselves (world/stepping.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input, RichLog, Static

from cwm_lsp.commands.debug_widgets import SourceView, StackView, TimelineView, VariablesView
from cwm_lsp.look import marked, marks_for
from cwm_lsp.model.backend import Cancel
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.breakpoints import Breakpoint, line_for
from cwm_lsp.world.expressions import CantTellError, evaluate
from cwm_lsp.world.prefetch import Prefetcher
from cwm_lsp.world.stepping import Stepper, Stop

HELP = """\
s  step into          n  step over        r  step out (return)     c  continue
b  step back          C  back to the last stop (or the beginning)   R  back to the beginning
←  one frame back     →  one frame on      Home, End: the first frame, the last one known
↑ ↓ choose a line     space  breakpoint    g  run to the line       G  back to when it last ran
p  compute an expression                   e  change a variable: name = value
x  go to the next branch of history        u d  the caller's variables, the callee's
Esc  pause            ?  this              q  quit"""

Movement = Callable[[Cancel], Stop]


class DebugApp(App[None]):
    """One run on the screen."""

    CSS = """
    #main { height: 1fr; }
    SourceView { text-wrap: nowrap; text-overflow: ellipsis; }
    SourceView { width: 3fr; border: round $primary; padding: 0; }
    #side { width: 2fr; }
    StackView { height: auto; max-height: 30%; border: round $primary; padding: 0; }
    VariablesView { height: 1fr; border: round $primary; padding: 0; }
    TimelineView { height: 3; border: round $primary; }
    RichLog { height: 5; padding: 0 1; }
    #status { height: 1; padding: 0 1; background: $panel; }
    Input { display: none; height: 3; }
    Input.shown { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "into", "into"),
        Binding("n", "over", "over"),
        Binding("r", "out", "out"),
        Binding("c", "continue", "continue"),
        Binding("b", "step_back", "back"),
        Binding("C", "reverse", "back to stop", key_display="C"),
        Binding("R", "restart", show=False),
        Binding("left", "frame(-1)", show=False),
        Binding("right", "frame(1)", show=False),
        Binding("space", "breakpoint", "breakpoint"),
        Binding("g", "run_to", show=False),
        Binding("G", "back_to", show=False),
        Binding("p", "ask('p')", "expression"),
        Binding("e", "ask('e')", "change"),
        Binding("x", "switch", show=False),
        Binding("u", "level(1)", show=False),
        Binding("d", "level(-1)", show=False),
        Binding("escape", "pause", show=False, priority=True),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "quit", "quit"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, stepper: Stepper, prefetcher: Prefetcher, call: str, model: str) -> None:
        super().__init__()
        self.stepper = stepper
        self.prefetcher = prefetcher
        self.call = call
        self.model = model
        self.marks = marks_for(sys.stdout.encoding)
        self.level = 0
        self.asking = ""
        self.cancel: Cancel | None = None
        self.said: list[str] = []
        stepper.on_log = lambda text, _frame: self._from_thread(self.say, text)

    def compose(self) -> ComposeResult:
        """The parts, top to bottom."""
        with Horizontal(id="main"):
            yield SourceView(self.stepper.timeline.document)
            with Vertical(id="side"):
                yield StackView()
                yield VariablesView(self.marks)
        yield TimelineView()
        yield RichLog(wrap=True, markup=False, highlight=False)
        yield Input()
        yield Static("", id="status", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Goes to the first frame."""
        self.title = self.call
        self.query_one(SourceView).focus()
        self.query_one(SourceView).breakpoints = {each.line for each in self.stepper.breakpoints}
        self._move(self.stepper.begin)

    # -- movements

    def action_into(self) -> None:
        """Steps into calls."""
        self._move(self.stepper.into)

    def action_over(self) -> None:
        """Steps over calls."""
        self._move(self.stepper.over)

    def action_out(self) -> None:
        """Steps out."""
        self._move(self.stepper.out)

    def action_continue(self) -> None:
        """To the next breakpoint or the end."""
        self._move(self.stepper.continue_)

    def action_step_back(self) -> None:
        """One step back."""
        self._move(lambda _: self.stepper.back())

    def action_reverse(self) -> None:
        """To the last stop."""
        self._move(lambda _: self.stepper.reverse_continue())

    def action_restart(self) -> None:
        """To the beginning."""
        self._move(lambda _: self.stepper.seek(0))

    def action_first(self) -> None:
        """To the first frame."""
        self._move(lambda _: self.stepper.seek(0))

    def action_last(self) -> None:
        """To the last frame that is known."""
        self._move(lambda _: self.stepper.seek(self.stepper.timeline.known - 1))

    def action_frame(self, by: int) -> None:
        """A frame on or back."""

        def movement(cancel: Cancel) -> Stop:
            index = max(self.stepper.index + by, 0)
            if self.stepper.timeline.reach(index, cancel):
                return self.stepper.seek(index)
            return self.stepper.continue_(cancel)

        self._move(movement)

    def action_run_to(self) -> None:
        """To the chosen line."""
        line = self.query_one(SourceView).line
        self._move(lambda cancel: self.stepper.run_to(line, cancel))

    def action_back_to(self) -> None:
        """Back to when the chosen line last ran."""
        line = self.query_one(SourceView).line
        self._move(lambda _: self.stepper.back_to(line) or self.stepper.seek(self.stepper.index))

    def action_switch(self) -> None:
        """To the next branch."""
        branches = self.stepper.simulation.branches
        following = branches[(branches.index(self.stepper.simulation.branch) + 1) % len(branches)]
        if len(branches) == 1:
            self.say("There is one history only: e changes a variable and begins another.")
            return
        self.prefetcher.rest()
        self._move(lambda _: self.stepper.switch(following))

    def action_pause(self) -> None:
        """Ends the movement that is under way, or closes the prompt."""
        if self.cancel is not None:
            self.cancel.cancel()
        self._close_prompt()

    def on_timeline_view_chosen(self, event: TimelineView.Chosen) -> None:
        """A click on the timeline."""
        self._move(lambda _: self.stepper.seek(event.index))

    def _move(self, movement: Movement) -> None:
        if self.cancel is not None:
            self.bell()
            return
        self.cancel = Cancel()
        self._status("predicting…" if self.marks.predicted == "≈" else "predicting...")
        self._run(movement, self.cancel)

    @work(thread=True)
    def _run(self, movement: Movement, cancel: Cancel) -> None:
        stop = movement(cancel)
        self._from_thread(self.arrived, stop)

    def _from_thread(self, told: Callable[..., None], *arguments: object) -> None:
        if self.is_running:
            self.call_from_thread(told, *arguments)

    def arrived(self, stop: Stop) -> None:
        """Shows a stop."""
        self.cancel = None
        self.level = 0
        if self.stepper.simulation.cursor >= 0:
            self.prefetcher.aim(self.stepper.index)
        self._tell(stop)
        self.show()

    def _tell(self, stop: Stop) -> None:
        end = self.stepper.simulation.end
        if stop.reason == "end" and end is not None:
            last = self.stepper.simulation.frames[-1]
            if end.reason == "returned" and last.arg is not None:
                self.say(f"{self.call} returned {marked(last.arg, self.marks, 200)}")
            else:
                self.say(f"{self.call} raised {end.value}")
        elif stop.reason in ("budget", "failed"):
            self.say(f"{stop.text} c goes on from here.")
        elif stop.reason == "exception":
            self.say(f"{'uncaught ' if stop.uncaught else ''}{stop.text}")
        elif stop.text:
            self.say(stop.text)
        self._status(stop.reason)

    # -- what is shown

    def show(self) -> None:
        """Brings all parts up to date."""
        stepper = self.stepper
        levels = stepper.levels
        if not levels:
            return
        self.level = min(self.level, len(levels) - 1)
        chosen = levels[self.level]
        self.query_one(SourceView).show(chosen.line, levels[0].line if self.level else None)
        self.query_one(StackView).show(levels, self.level)
        before = stepper.timeline.place(stepper.index).before
        old = stepper.timeline.frame(before).locals if before >= 0 and not self.level else chosen.locals
        self.query_one(VariablesView).show(chosen.locals, old)
        frames = stepper.simulation.frames
        self.query_one(TimelineView).show([frame.depth for frame in frames], stepper.index)

    def _status(self, reason: str) -> None:
        stepper = self.stepper
        known = stepper.timeline.known
        branches = stepper.simulation.branches
        where = f"frame {stepper.index + 1} of {known} known" if known else ""
        branch = (
            f"branch {branches.index(stepper.simulation.branch) + 1} of {len(branches)}"
            if len(branches) > 1
            else ""
        )
        parts = [self.call, reason, where, branch, f"predicted by {self.model}"]
        self.query_one("#status", Static).update(f" {self.marks.dot} ".join(part for part in parts if part))

    def say(self, text: str) -> None:
        """A line in the log."""
        self.said.append(text)
        self.query_one(RichLog).write(text)

    def action_help(self) -> None:
        """All keys."""
        for line in HELP.splitlines():
            self.say(line)

    def action_level(self, by: int) -> None:
        """Looks at a call further out or in."""
        self.level = max(0, min(self.level + by, len(self.stepper.levels) - 1))
        self.show()

    # -- breakpoints

    def action_breakpoint(self) -> None:
        """Sets a breakpoint on the chosen line (or the next that can run), or takes it away."""
        source = self.query_one(SourceView)
        line = line_for(self.stepper.timeline.document, source.line)
        if line is None:
            self.say("No line there can run.")
            return
        known = self.stepper.breakpoints
        kept = tuple(each for each in known if each.line != line)
        if len(kept) == len(known):
            number = 1 + max((each.id for each in known), default=0)
            kept = (*kept, Breakpoint(number, "line", line=line))
        self.stepper.breakpoints = kept
        source.breakpoints = {each.line for each in kept}
        self.show()

    # -- questions and changes

    def action_ask(self, kind: str) -> None:
        """Opens the prompt."""
        if self.cancel is not None:
            return
        self.asking = kind
        prompt = self.query_one(Input)
        prompt.placeholder = "an expression" if kind == "p" else "name = value"
        prompt.value = ""
        prompt.add_class("shown")
        prompt.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answers what was typed."""
        text = event.value.strip()
        self._close_prompt()
        if text and self.asking == "p":
            self.say(f"{text}  {self._computed(text)}")
        elif text:
            self._change(text)

    def _close_prompt(self) -> None:
        self.query_one(Input).remove_class("shown")
        self.query_one(SourceView).focus()

    def _computed(self, text: str) -> str:
        levels = self.stepper.levels
        values = levels[self.level].locals if levels else {}
        try:
            return marked(evaluate(text, values), self.marks, 500)
        except CantTellError as error:
            return f"can't tell: {error}"

    def _change(self, text: str) -> None:
        name, equals, value = (part.strip() for part in text.partition("="))
        levels = self.stepper.levels
        frame: Frame | None = self.stepper.simulation.frame
        if not equals or self.level or frame is None or frame.event not in ("call", "line"):
            self.say("Write name = value; only the innermost call can be changed, before its line runs.")
            return
        try:
            new: Value = evaluate(value, levels[0].locals)
            self.prefetcher.rest()
            self.stepper.edit({name: new.repr})
        except (CantTellError, ValueError) as error:
            self.say(f"{name} can't be changed: {error}")
            return
        self.prefetcher.aim(self.stepper.index)
        self._status("changed")
        self.show()
