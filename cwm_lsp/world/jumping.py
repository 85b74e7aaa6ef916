"""Calls jumped over: the frame after a CALL is made a RETURN, so that the model says at once what it gives.

That is one frame in place of many, and a guess where following the callee would be a computation: CWM has
seen such calls in training, and is right less often. Leaves out when it is done (stepping.py).
"""

from __future__ import annotations

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.source.flow import flow_of
from cwm_lsp.trace.codec import Choices, Option
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.simulation import Simulation
from cwm_lsp.world.timeline import Timeline


def jump(simulation: Simulation, cancel: Cancel | None = None) -> bool:
    """Predicts the RETURN of the call that the last frame of the branch entered. False, and nothing has
    changed, if there is no such call, or the model can't."""
    frames = simulation.frames
    if not frames or simulation.end is not None:
        return False
    choices = jump_choices(simulation.document, frames[-1])
    if not choices.options:
        return False
    if simulation.grow(cancel, choices):
        return True
    simulation.extend()
    return False


def jump_choices(document: Document, entered: Frame) -> Choices:
    """The RETURN frames that may end a call of a plain function, straight after its CALL frame."""
    function = document.function(entered.function, entered.line)
    if entered.event != "call" or function is None or function.kind != "function" or function.is_generator:
        return Choices(())
    flow = flow_of(document)
    lines = [line for line in flow.line_numbers(entered.function) if flow.may_return(entered.function, line)]
    return Choices(tuple(Option("return", entered.function, line, entered.depth) for line in lines))


def jumped(timeline: Timeline, index: int) -> bool:
    """True if the frame is the RETURN of a call that was jumped over."""
    if index < 1:
        return False
    frame, before = timeline.frame(index), timeline.frame(index - 1)
    return (
        frame.event == "return"
        and before.event == "call"
        and (before.function, before.depth) == (frame.function, frame.depth)
        and bool(jump_choices(timeline.document, before).options)
    )


def guessed(timeline: Timeline, index: int, name: str) -> str | None:
    """The function whose call was jumped over on the line that gave a local its value, as seen from a frame;
    None if the value doesn't come from such a line."""
    here = timeline.frame(index)
    own = timeline.place(index).own
    if here.event not in ("call", "line") or name not in here.locals:
        return None
    text, after = here.locals[name].repr, index
    before = timeline.place(index).before
    while before >= 0:
        frame = timeline.frame(before)
        if name not in frame.locals or frame.locals[name].repr != text:
            break
        after, before = before, timeline.place(before).before
    for at in range(max(before, 0) + 1, after):
        if jumped(timeline, at) and timeline.place(at).ids[-1:] == (own,):
            return timeline.frame(at).function
    return None
