"""Calibration: a rising line through measured points, and raw numbers where there is none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.confidence import Calibration, said_confidences, trace_confidence

SHARES = st.floats(0, 1)
POINTS = st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=8, unique_by=lambda point: point[0]).map(
    lambda points: list(
        zip(sorted(raw for raw, _ in points), sorted(share for _, share in points), strict=True)
    )
)


@given(POINTS, st.lists(SHARES, min_size=2, max_size=6))
def test_a_line_rises_and_stays_within_its_points(
    points: list[tuple[float, float]], raws: list[float]
) -> None:
    calibration = Calibration.from_details({"calibration": {"value": points}})
    assert calibration.value == tuple(points)
    told = [calibration.of_value(raw) for raw in sorted(raws)]
    assert all(a <= b + 1e-9 for a, b in pairwise(told))
    assert all(points[0][1] - 1e-9 <= share <= points[-1][1] + 1e-9 for share in told)
    for raw, share in points:
        assert calibration.of_value(raw) == pytest.approx(share)


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        {},
        {"value": "0.5"},
        {"value": [[0.5]]},
        {"value": [[0.5, 2]]},
        {"value": [[0.5, 0.5], [0.4, 1]]},
    ],
    ids=str,
)
def test_what_is_no_rising_line_leaves_numbers_as_they_are(told: object) -> None:
    calibration = Calibration.from_details({"calibration": told})
    assert calibration == Calibration()
    assert calibration.of_value(0.3) == 0.3


def test_a_trace_is_as_sure_as_all_that_was_newly_said() -> None:
    given_, one, two = Value("1", "given"), Value("2", "predicted", 0.9), Value("3", "predicted", 0.5)
    frames = [
        Frame("call", "f", 1, 1, {"a": given_}),
        Frame("line", "f", 2, 1, {"a": given_}),
        Frame("line", "f", 3, 1, {"a": given_, "b": one}),
        Frame("line", "f", 4, 1, {"a": given_, "b": one, "c": two}),
        Frame("return", "f", 4, 1, {}, Value("5", "computed")),
    ]
    assert said_confidences(frames) == [0.9, 0.5]
    assert trace_confidence(frames, Calibration()) == pytest.approx(0.45)
    assert trace_confidence(frames[:2], Calibration(trace=((0.0, 0.1), (1.0, 0.8)))) == 1.0
    assert trace_confidence(frames, Calibration(trace=((0.0, 0.0), (0.9, 0.8)))) == pytest.approx(0.4)
