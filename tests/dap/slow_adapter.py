"""The adapter with a model that knows the run and takes its time: SLOW seconds for a frame; FAIL frames fail
the first time they are asked for, as if the engine were gone; BAD ones are frames that can't be there, BUGS
raise what no predictor may."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cwm_lsp.cli import main
from cwm_lsp.dap import launch
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.trace.recorder import record
from cwm_lsp.world.predictor import Prediction, PredictionError

SECONDS = float(os.environ.get("SLOW", "0"))
FAILS = {int(each) for each in os.environ.get("FAIL", "").split(",") if each}
BAD = {int(each) for each in os.environ.get("BAD", "").split(",") if each}
BUGS = {int(each) for each in os.environ.get("BUGS", "").split(",") if each}


class Slow:
    """Answers with the frames of a real run."""

    def __init__(self) -> None:
        self.frames = ()

    def predict(self, document, frames, choices, cancel):  # type: ignore[no-untyped-def]
        if not self.frames:
            self.frames = record(document, calls_in(document)[0].text).frames
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if cancel.cancelled:
                raise PredictionError("cancelled", "The prediction was cancelled.")
            time.sleep(0.005)
        if len(frames) in FAILS:
            FAILS.discard(len(frames))
            raise PredictionError("engine", "The engine is gone.")
        if len(frames) in BAD:
            BAD.discard(len(frames))
            return Prediction(self.frames[0], 1, 10, SECONDS)
        if len(frames) in BUGS:
            BUGS.discard(len(frames))
            raise ZeroDivisionError("a bug of ours")
        return Prediction(self.frames[len(frames)], 1, 10, SECONDS)


launch.Models.predictor = lambda self, grounding: Slow()  # type: ignore[method-assign]
assert Document
sys.exit(main(["dap"]))
