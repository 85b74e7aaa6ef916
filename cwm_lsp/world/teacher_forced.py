"""Each frame of a real run predicted from the true frames before it: how good one step is, apart from drift.

Leaves out the real run (trace/recorder.py) and the scoring (metrics.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.choices import Grounding, choices_after
from cwm_lsp.world.predictor import Prediction, PredictionError, Predictor
from cwm_lsp.world.stack import Stack

Step = tuple[Sequence[Frame], Prediction | None, Frame]


def steps(
    document: Document,
    real: Sequence[Frame],
    predictor: Predictor,
    grounding: Grounding,
    cancel: Cancel | None = None,
) -> Iterator[Step]:
    """(the true frames before, the prediction or None if none came, the true frame) for every frame but the
    first.

    The first is the CALL of the entry function, whose arguments are given.
    """
    cancel = cancel or Cancel()
    stack = Stack()
    for index, frame in enumerate(real):
        if index:
            before = tuple(real[:index])
            predicted = None
            options = choices_after(document, stack, grounding)
            if options.options:
                try:
                    predicted = predictor.predict(document, before, options, cancel)
                except PredictionError as error:
                    if error.kind in ("cancelled", "engine"):
                        raise
            yield before, predicted, frame
        stack = stack.push(document, frame)
