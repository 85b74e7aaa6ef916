"""Explain why: which call is traced and who says so, which model predicted it and what that cost, and how
sure it is. Leaves out the values themselves (hover, trace)."""

from __future__ import annotations

from typing import Any

from cwm_lsp.look import percent
from cwm_lsp.lsp.analysis import Plan
from cwm_lsp.lsp.render import code, ended, outcome
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source

WHO = {
    "comment": "a comment",
    "doctest": "a doctest",
    "assert": "an assert",
    "main": "the main block",
    "module": "a call at the top level",
    "given": "you",
}


def explain(session: Session, source: Source, plan: Plan) -> dict[str, Any]:
    """What `cwm.explain` answers: the facts, and the same as `text` (Markdown)."""
    function = plan.function.qualname
    facts: dict[str, Any] = {
        "uri": source.uri,
        "function": function,
        "call": plan.call.text if plan.call else None,
        "calls": [call.text for call in plan.calls],
        "state": "not predicted",
        "model": session.settings.model,
        "grounding": session.settings.grounding,
    }
    lines = [f"**{function}**", ""]
    if plan.call is None:
        lines.append(
            f"No call of {code(function)} with literal arguments is in this file. Give one with a comment "
            f"{code(f'# cwm: {function}(…)')}, or let the model invent the arguments (predict)."
        )
    else:
        found = f"from {WHO[plan.call.origin]} on line {plan.call.line}"
        who = "chosen for this function" if plan.by_user else found
        lines.append(f"Traced call: {code(plan.call.text)}, {who}.")
        if plan.call.expected is not None:
            lines.append(f"Expected: {code(plan.call.expected)}.")
    traced = source.results.get(plan.key or "")
    running = source.running.get(plan.key or "")
    if traced is not None:
        trace = traced.trace
        end = trace.end
        facts |= {
            "state": "shown" if source.intact(traced) else "hidden: the code has changed since",
            "trace": traced.key,
            "model": trace.model,
            "grounding": trace.grounding,
            "end": end.to_json(),
            "confidence": traced.confidence,
            "cached": traced.cached,
        }
        origins: dict[str, int] = {}
        for frame in trace.frames:
            for value in (*frame.locals.values(), frame.arg):
                if value is not None:
                    origins[value.origin] = origins.get(value.origin, 0) + 1
        facts["origins"] = origins
        lines += [
            f"Outcome: {code(outcome(traced, session.marks, 200))} ({ended(end)}).",
            f"Predicted by {trace.model} with grounding {trace.grounding}: {end.frames:,} frames, "
            f"{end.decisions:,} decisions of the model, {end.tokens:,} tokens, {end.seconds:.2f} s"
            + (", kept from before." if traced.cached else "."),
            "Values: " + ", ".join(f"{count:,} {origin}" for origin, count in sorted(origins.items())) + ".",
        ]
        if traced.confidence is not None:
            lines.append(f"The least sure value has {percent(traced.confidence)}.")
        if end.message:
            lines.append(end.message)
    elif running is not None:
        facts["state"] = "predicting"
        lines.append(f"Being predicted now: {running.frames:,} frames so far.")
    elif plan.key in source.failures:
        facts["state"] = "failed"
        facts["message"] = source.failures[plan.key]
        lines.append(f"The prediction failed: {source.failures[plan.key]}")
    elif session.predictions.problem:
        facts["state"] = "failed"
        facts["message"] = session.predictions.problem
        lines.append(f"The model can't predict: {session.predictions.problem}")
    facts["text"] = "\n\n".join(line for line in lines if line)
    return facts
