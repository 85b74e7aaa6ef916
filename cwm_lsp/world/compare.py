"""A predicted frame held against the real one: whether they are the same, and the difference in words.

Leaves out where the real frames come from (trace/recorder.py) and how many were right (metrics.py).
"""

from __future__ import annotations

from cwm_lsp.trace.frame import Frame


def same_place(predicted: Frame, real: Frame) -> bool:
    """True if both tell the same event at the same line of the same call, whatever the values."""
    return (predicted.event, predicted.function, predicted.line, predicted.depth) == (
        real.event,
        real.function,
        real.line,
        real.depth,
    )


def difference(predicted: Frame | None, real: Frame | None) -> str | None:
    """What differs, in one clause that begins with what was predicted; None if nothing does.

    None for a frame means that the trace was over by then.
    """
    if predicted is None or real is None:
        if predicted is not None:
            return f"{_place(predicted)} was predicted, really the run was over"
        return None if real is None else f"an end was predicted, really {_place(real)} came next"
    if not same_place(predicted, real):
        return f"{_place(predicted)} was predicted, really {_place(real)} came next"
    return _values(predicted, real)


def _place(frame: Frame) -> str:
    match frame.event:
        case "call":
            return f"a call of {frame.function}"
        case "return":
            return f"a return from {frame.function} at line {frame.line}"
        case "exception":
            return f"an exception at line {frame.line}"
        case _:
            return f"line {frame.line}"


def _values(predicted: Frame, real: Frame) -> str | None:
    clauses = []
    for name in dict.fromkeys([*real.locals, *predicted.locals]):
        told, true = predicted.locals.get(name), real.locals.get(name)
        if told is None or true is None:
            clauses.append(
                f"{name} is predicted but not there" if told else f"{name} is missing, really {_of(true)}"
            )
        elif told.repr != true.repr:
            clauses.append(f"{name} is predicted as {told.repr}, really {true.repr}")
    told, true = predicted.arg, real.arg
    if (told.repr if told else None) != (true.repr if true else None):
        what = "the returned value" if real.event == "return" else "the exception"
        clauses.append(f"{what} is predicted as {_of(told)}, really {_of(true)}")
    return "; ".join(clauses) or None


def _of(value: object) -> str:
    return getattr(value, "repr", "nothing")
