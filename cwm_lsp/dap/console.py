"""Commands of the debug console that no button stands for: branches of history, and where one is in it.

Leaves out expressions (inspecting.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cwm_lsp.dap.channel import RefusedError, Reply
from cwm_lsp.world.stepping import Stepper, Stop

if TYPE_CHECKING:
    from cwm_lsp.dap.session import Session

HELP = """\
%branches       the lines of history: each edit began one
%switch N       goes over to branch N, where it parts from this one
%frames         how many frames there are, and which is looked at
%goto N         goes to frame N (the first is 0)
%help           this"""


class Console:
    """The commands that begin with %."""

    names = ("branches", "switch", "frames", "goto", "help")

    def __init__(self, session: Session) -> None:
        self._session = session

    def command(self, text: str, reply: Reply) -> None:
        """Answers one. Raises RefusedError."""
        name, _, rest = text[1:].strip().partition(" ")
        if name == "help":
            self._answer(reply, HELP)
        elif name == "branches":
            self._answer(reply, self._branches(self._session.stopped()))
        elif name == "frames":
            stepper = self._session.stopped()
            self._answer(reply, f"frame {stepper.index} of {stepper.timeline.known} known")
        elif name in ("switch", "goto"):
            self._go(name, rest.strip(), reply)
        else:
            raise RefusedError(f"There is no command %{name}; %help lists them.")

    def _go(self, name: str, number: str, reply: Reply) -> None:
        session = self._session
        stepper = session.stopped()
        count = len(stepper.simulation.branches) if name == "switch" else stepper.timeline.known
        if not number.isdecimal() or int(number) >= count:
            raise RefusedError(f"%{name} wants a number from 0 to {count - 1}.")
        at = int(number)
        session.rest()

        def movement(run: Stepper) -> Stop:
            return run.switch(run.simulation.branches[at]) if name == "switch" else run.seek(at)

        body = {"result": f"{name} {at}", "variablesReference": 0}
        session.move(reply, lambda run, _: movement(run), body)

    def _branches(self, stepper: Stepper) -> str:
        lines = []
        for number, branch in enumerate(stepper.simulation.branches):
            here = "*" if branch is stepper.simulation.branch else " "
            began = "the beginning" if branch.forked_at is None else _edit(branch.forked_at, branch.frames)
            end = branch.end.value or branch.end.reason if branch.end else "open"
            lines.append(f"{here} {number}  {len(branch.nodes)} frames, from {began}, {end}")
        return "\n".join(lines)

    @staticmethod
    def _answer(reply: Reply, text: str) -> None:
        reply.ok({"result": text, "variablesReference": 0})


def _edit(index: int, frames: tuple) -> str:  # type: ignore[type-arg]
    edited = [f"{n} = {v.repr}" for n, v in frames[index].locals.items() if v.origin == "edited"]
    return f"frame {index} with {', '.join(edited)}"[:120]
