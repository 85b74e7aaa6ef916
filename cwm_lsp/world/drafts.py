"""Guesses at the answers to operations, so that the model can confirm them in one pass.

A guess is never shown and never believed: the decoder keeps only what the model would have said anyway
(speculative decoding). Wrong guesses cost a little time. Leaves out how they are worked out: what restricted
evaluation says is the best guess there is.
"""

from __future__ import annotations

from cwm_lsp.source.literals import Refused, answer
from cwm_lsp.source.operations import Answer, Operation

# Characters of all operands: a longer answer would not fit into the pass that confirms it.
_LONGEST = 400


def guess(operation: Operation) -> Answer | None:
    """What the answer may be; None where nothing cheap comes to mind."""
    if sum(map(len, operation.operands)) > _LONGEST:
        return None
    try:
        return answer(operation)
    except Refused:
        return None
