"""Another model swapped in while a simulation is open: the frames stay, the new model goes on from them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.predictor import Prediction, PredictionError
from cwm_lsp.world.simulation import Simulation, Swapped
from tests.world.replay import ReplayPredictor
from tests.world.test_simulation import example


class Named(ReplayPredictor):
    """Tells how many frames it was shown at its first prediction."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        super().__init__(frames)
        self.seen: list[int] = []

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        self.seen.append(len(frames))
        return super().predict(document, frames, choices, cancel)


class Stuck:
    """Predicts nothing until it is cancelled."""

    def __init__(self) -> None:
        self.began = threading.Event()

    def predict(self, *args: object) -> Prediction:
        cancel = args[-1]
        assert isinstance(cancel, Cancel)
        self.began.set()
        while not cancel.cancelled:
            threading.Event().wait(0.005)
        raise PredictionError("cancelled", "The prediction was cancelled.")


def test_frames_stay_and_the_new_model_goes_on() -> None:
    document, call, recording = example("gcd")
    first, second = Named(recording.frames), Named(recording.frames)
    simulation = Simulation.start(document, call, first)
    for _ in range(3):
        simulation.advance()
    before = simulation.frames
    assert simulation.swap(second, "other") == Swapped(4, "other")
    assert simulation.frames is before
    list(simulation.run())
    assert simulation.frames[:4] == before
    assert first.seen == [1, 2, 3]
    assert second.seen[0] == 4
    assert all(ours.same_as(real) for ours, real in zip(simulation.frames, recording.frames, strict=True))
    assert simulation.branch.swaps == (Swapped(4, "other"),)


def test_swapping_twice_at_one_place_counts_once_and_forks_know_it() -> None:
    document, call, recording = example("strawberry")
    simulation = Simulation.start(document, call, Named(recording.frames))
    simulation.advance()
    simulation.swap(Named(recording.frames), "a")
    simulation.swap(Named(recording.frames), "b")
    assert simulation.branch.swaps == (Swapped(2, "b"),)
    simulation.advance()
    simulation.fork({"word": "'x'"})
    assert simulation.branch.swaps == (Swapped(2, "b"),)


def test_a_prediction_under_way_is_made_by_the_new_model() -> None:
    document, call, recording = example("gcd")
    stuck, second = Stuck(), Named(recording.frames)
    simulation = Simulation.start(document, call, stuck)
    got: list[Frame | None] = []
    thread = threading.Thread(target=lambda: got.append(simulation.advance()))
    thread.start()
    assert stuck.began.wait(10)
    assert simulation.swap(second, "other") == Swapped(1, "other")
    thread.join(10)
    assert got[0] is not None
    assert simulation.end is None
    assert second.seen == [1]


def test_a_branch_that_failed_goes_on_with_the_new_model() -> None:
    class Broken:
        def predict(self, *args: object) -> Prediction:
            raise PredictionError("engine", "The engine is gone.")

    document, call, recording = example("gcd")
    simulation = Simulation.start(document, call, Broken())
    assert simulation.advance() is None
    assert simulation.end is not None
    simulation.swap(Named(recording.frames), "other")
    assert simulation.end is None
    assert simulation.advance() is not None


def test_cancelling_still_ends_a_prediction() -> None:
    document, call, _ = example("gcd")
    stuck, cancel = Stuck(), Cancel()
    simulation = Simulation.start(document, call, stuck)
    threading.Timer(0.05, cancel.cancel).start()
    assert simulation.advance(cancel) is None
    assert simulation.failure is not None
    with pytest.raises(IndexError):
        simulation.seek(5)
