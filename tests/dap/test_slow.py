"""A slow model, and one that fails: progress, pauses, cancelling, and going on."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.dap.client import Client

STRAWBERRY = str(Path(__file__).resolve().parents[2] / "examples" / "strawberry.py")
ADAPTER = [sys.executable, str(Path(__file__).with_name("slow_adapter.py"))]


def client(**environment: str) -> Client:
    return Client(ADAPTER, env={**os.environ, **environment})


SHOWS_PROGRESS = {"supportsProgressReporting": True, "supportsInvalidatedEvent": True}


def test_a_cold_step_shows_progress_and_can_be_paused() -> None:
    with client(SLOW="1.5") as one:
        one.launch(program=STRAWBERRY, stopOnEntry=True, prefetch=0, client=SHOWS_PROGRESS)
        mark = len(one.events)
        one.request("continue", threadId=1)
        start = one.wait_event("progressStart", since=mark)["body"]
        assert start["cancellable"] is True
        update = one.wait_event("progressUpdate", since=mark)["body"]
        assert "frame" in update["message"]
        began = time.monotonic()
        one.request("pause", threadId=1)
        stop = one.wait_event("stopped", since=mark)["body"]
        assert stop["reason"] == "pause"
        assert time.monotonic() - began < 1.4
        one.wait_event("progressEnd", since=mark)
        assert one.locals()["word"] == "'strawberry'"
        one.go("stepBack")
        assert one.go("next")["body"]["reason"] == "step"


@pytest.mark.slow
def test_progress_can_be_cancelled_and_the_run_goes_on() -> None:
    with client(SLOW="0.1") as one:
        one.launch(program=STRAWBERRY, stopOnEntry=True, prefetch=0, client=SHOWS_PROGRESS)
        mark = len(one.events)
        one.request("continue", threadId=1)
        progress = one.wait_event("progressStart", since=mark)["body"]["progressId"]
        one.request("cancel", progressId=progress)
        assert one.wait_event("stopped", since=mark)["body"]["reason"] == "pause"
        mark = len(one.events)
        seq = one.send("continue", {"threadId": 1})
        one.request("cancel", requestId=seq)
        assert one.answer(seq)["success"]
        assert one.wait_event("stopped", since=mark)["body"]["reason"] == "pause"


@pytest.mark.slow
def test_a_running_program_answers_and_takes_breakpoints() -> None:
    with client(SLOW="0.05") as one:
        one.launch(program=STRAWBERRY, stopOnEntry=True, prefetch=0)
        mark = len(one.events)
        one.request("continue", threadId=1)
        assert one.request("threads")["threads"]
        for command, arguments in (("stackTrace", {"threadId": 1}), ("next", {"threadId": 1})):
            answer = one.answer(one.send(command, arguments))
            assert (answer["success"], answer["message"]) == (False, "notStopped")
        assert one.set_breakpoints(STRAWBERRY, 9)[0]["verified"]
        assert one.wait_event("stopped", since=mark)["body"]["reason"] == "breakpoint"
        assert one.where() == ("count_letter", 9)


def test_an_engine_that_is_gone_stops_on_the_last_good_frame_and_goes_on_when_asked() -> None:
    with client(FAIL="7,20") as one:
        stop = one.launch(program=STRAWBERRY, prefetch=0)["body"]
        assert (stop["reason"], stop["description"]) == ("pause", "Paused: the prediction failed")
        assert "The engine is gone." in one.output()
        assert one.where()[0] == "count_letter"
        stop = one.go("continue")["body"]
        assert stop["description"] == "Paused: the prediction failed"
        assert one.go("continue")["event"] == "terminated"
        assert "'strawberry has 03 r'" in one.output()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "said"), [("BAD", "is not possible"), ("BUGS", "Internal error")])
@pytest.mark.parametrize("ahead", [0, 24])
def test_a_frame_that_can_not_be_and_a_bug_stop_and_go_on(kind: str, said: str, ahead: int) -> None:
    with client(**{kind: "7"}) as one:
        stop = one.launch(program=STRAWBERRY, prefetch=ahead)["body"]
        assert stop["reason"] == "pause"
        assert said in one.output()
        assert one.where()[0] == "count_letter"
        assert one.go("continue")["event"] == "terminated"
        assert "'strawberry has 03 r'" in one.output()


@pytest.mark.slow
def test_a_failure_of_what_was_predicted_ahead_is_tried_again() -> None:
    with client(FAIL="9") as one:
        one.launch(program=STRAWBERRY, stopOnEntry=True)
        scope = one.scope(0, "Prediction")["variablesReference"]
        end = time.monotonic() + 20
        while "1 of 9 known" not in [each["value"] for each in one.variables(scope)]:
            assert time.monotonic() < end
            time.sleep(0.05)
        time.sleep(0.2)
        assert one.go("continue")["event"] == "terminated"
        assert "gone" not in one.output()


@pytest.mark.slow
def test_disconnecting_ends_a_slow_prediction_at_once() -> None:
    with client(SLOW="30") as one:
        one.initialize()
        one.request("launch", program=STRAWBERRY)
        one.wait_event("initialized")
        one.request("configurationDone")
        began = time.monotonic()
        assert one.disconnect() == 0
        assert time.monotonic() - began < 10
