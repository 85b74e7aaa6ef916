"""The debugger in the terminal: its screen driven by keys, and the installed executable in a terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from cwm_lsp.commands.debug_app import DebugApp
from cwm_lsp.commands.debug_widgets import SourceView, StackView, TimelineView, VariablesView
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.world.grounding import LazyPredictor
from cwm_lsp.world.prefetch import Prefetcher
from cwm_lsp.world.replaying import replay
from cwm_lsp.world.stepping import Stepper
from tests.world.replay import recorded

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CWM = str(Path(sys.executable).with_name("cwm-lsp"))

Play = Callable[[Pilot[None], DebugApp], Awaitable[None]]


def drive(play: Play, size: tuple[int, int] = (110, 40)) -> None:
    """Runs the app on a recorded run, without a model."""
    document = Document.from_file(EXAMPLES / "strawberry.py")
    call = calls_in(document)[0].text
    recording = recorded(document, call)

    def no_model() -> None:
        raise AssertionError("nothing needs a model here")

    stepper = Stepper(replay(document, recording.frames, recording.end, LazyPredictor(no_model)))  # type: ignore[arg-type]
    app = DebugApp(stepper, Prefetcher(stepper.timeline, 0), call, "nobody")

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await settled(pilot, app)
            await play(pilot, app)

    asyncio.run(run())


async def settled(pilot: Pilot[None], app: DebugApp) -> None:
    for _ in range(200):
        await pilot.pause()
        if app.cancel is None:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a movement doesn't end")


async def press(pilot: Pilot[None], app: DebugApp, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot, app)


def line(app: DebugApp) -> int:
    return app.query_one(SourceView)._current


def locals_shown(app: DebugApp) -> dict[str, str]:
    shown = {}
    for node in app.query_one(VariablesView).root.children:
        name, _, value = str(node.label).partition(" ")
        shown[name] = value.strip()
    return shown


def test_keys_step_forwards_and_back() -> None:
    async def play(pilot: Pilot[None], app: DebugApp) -> None:
        assert line(app) == 18
        await press(pilot, app, "s", "s", "n", "n")
        assert line(app) == 7
        assert app.query_one(StackView).option_count == 2
        assert locals_shown(app)["char"] == "✓ 's'"
        await press(pilot, app, "b", "b", "b")
        assert line(app) == 19
        await press(pilot, app, "n", "R")
        assert line(app) == 18
        await press(pilot, app, "right", "right", "right", "left")
        assert app.stepper.index == 2
        await press(pilot, app, "end")
        assert app.stepper.index == app.stepper.timeline.known - 1

    drive(play)


@pytest.mark.slow
def test_breakpoints_and_continuing_both_ways() -> None:
    async def play(pilot: Pilot[None], app: DebugApp) -> None:
        app.query_one(SourceView).highlighted = 7
        await press(pilot, app, "space")
        assert app.query_one(SourceView).breakpoints == {8}
        await press(pilot, app, "c", "c", "c")
        assert locals_shown(app)["count"] == "✓ 2"
        await press(pilot, app, "C")
        assert locals_shown(app)["count"] == "✓ 1"
        app.query_one(SourceView).highlighted = 7
        await press(pilot, app, "space", "c")
        assert "returned ✓ 'strawberry has 03 r'" in app.said[-1]
        await press(pilot, app, "b")
        assert line(app) == 20
        app.query_one(SourceView).highlighted = 8
        await press(pilot, app, "G")
        assert line(app) == 9
        await press(pilot, app, "u")
        assert set(locals_shown(app)) == {"word", "letter"}

    drive(play)


def test_expressions_changes_and_branches() -> None:
    async def play(pilot: Pilot[None], app: DebugApp) -> None:
        await press(pilot, app, "s", "s", "n")
        await press(pilot, app, "p")
        assert app.query_one(Input).has_class("shown")
        app.query_one(Input).value = "word[0] + letter"
        await press(pilot, app, "enter")
        assert app.said[-1] == "word[0] + letter  = 'sr'"
        await press(pilot, app, "p")
        app.query_one(Input).value = "nobody"
        await press(pilot, app, "enter")
        assert "can't tell" in app.said[-1]
        await press(pilot, app, "e")
        app.query_one(Input).value = "count = 3 + 4"
        await press(pilot, app, "enter")
        assert locals_shown(app)["count"] == "✎ 7"
        assert "branch 2 of 2" in str(app.query_one("#status", Static).render())
        await press(pilot, app, "x")
        assert locals_shown(app)["count"] == "✓ 0"
        await press(pilot, app, "e")
        app.query_one(Input).value = "nobody = 1"
        await press(pilot, app, "enter")
        assert "can't be changed" in app.said[-1]
        await press(pilot, app, "p", "escape")
        assert not app.query_one(Input).has_class("shown")

    drive(play)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(110, 40), (60, 16), (30, 8)])
def test_the_timeline_shows_where_one_is_and_takes_clicks(size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[None], app: DebugApp) -> None:
        await press(pilot, app, "end", "home", "question_mark")
        timeline = app.query_one(TimelineView)
        assert len(timeline.render().plain) <= size[0]
        if timeline.region.height and size[0] > 60:
            await pilot.click(TimelineView, offset=(6, 1))
            await settled(pilot, app)
            assert app.stepper.index == 5

    drive(play, size)


@pytest.mark.slow
def test_the_executable_in_a_terminal() -> None:
    """The embedded model, a real terminal: step, go back, quit."""
    parent, child = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40"}
    process = subprocess.Popen(
        [CWM, "debug", str(EXAMPLES / "strawberry.py"), "--break", "7"],
        stdin=child,
        stdout=child,
        stderr=child,
        env=env,
        start_new_session=True,
    )
    os.close(child)
    try:
        _read_until(parent, "entry")
        os.write(parent, b"c")
        _read_until(parent, "breakpoint")
        os.write(parent, b"b")
        _read_until(parent, "step")
        os.write(parent, b"q")
        while process.poll() is None:
            if select.select([parent], [], [], 0.1)[0]:
                try:
                    os.read(parent, 65536)
                except OSError:
                    break
        assert process.wait(10) == 0
    finally:
        process.kill()
        os.close(parent)


def _read_until(descriptor: int, word: str, seconds: float = 30) -> str:
    text, deadline = "", time.monotonic() + seconds
    while word not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text):
        assert time.monotonic() < deadline, text[-2000:]
        if select.select([descriptor], [], [], 0.2)[0]:
            text += os.read(descriptor, 65536).decode("utf-8", "replace")
    return text


@pytest.mark.parametrize(("arguments", "why"), [(["-"], "needs a file"), (["x.py"], "needs a terminal")])
def test_it_says_what_it_needs(arguments: list[str], why: str) -> None:
    done = subprocess.run(
        [CWM, "debug", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
