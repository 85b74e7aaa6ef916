"""The package in a clean profile of real VS Code, used as a person does, with a server of its own.

One window for all tests of this file: they follow one another as a first visit would. Pictures are kept.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.conftest import REPOSITORY, clean_environment

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[editors]'")

from tests.editors.vscode.window import VSCode, Window, chromium, unmarked

STOPPED = ".debug-top-stack-frame-line"


@pytest.fixture(scope="module")
def profile(
    vsix: Path, editors: Path, server_bin: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VSCode]:
    """VS Code with nothing but our package."""
    folder = tmp_path_factory.mktemp("vscode")
    shutil.copytree(REPOSITORY / "examples", folder / "workspace")
    theme = {"workbench.colorTheme": "Default Light Modern", "window.commandCenter": False}
    code = VSCode(editors, folder / "profile", clean_environment(folder / "home", server_bin), theme)
    assert "successfully installed" in code.install("--install-extension", str(vsix), "--force")
    code.start()
    yield code
    code.stop()


@pytest.fixture(autouse=True)
def picture_of_failure(window: Window, results: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    """What was seen when a test failed."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed and not window.page.is_closed():
        window.picture(results / f"failed-{request.node.name}.png")


@pytest.fixture(scope="module")
def window(profile: VSCode) -> Iterator[Window]:
    folder = profile.profile.parent / "workspace"
    with chromium() as browser:
        opened = Window.open(browser, profile.address(folder, folder / "strawberry.py"))
        yield opened
        opened.close()


def number_of(window: Window, text: str) -> int:
    """The line (1-based) of a file of the workspace that holds a text."""
    source = (REPOSITORY / "examples" / "strawberry.py").read_text().splitlines()
    return next(number for number, line in enumerate(source, 1) if text in line)


def stack(window: Window) -> str:
    """What the call stack shows."""
    return re.sub(r"\s+", " ", window.text(".debug-call-stack"))


def test_values_and_status(window: Window, results: Path) -> None:
    window.wait_for_file("strawberry.py")
    line = window.wait_for_line(r"count \+= 1.*count = 1 → 2 → 3")
    assert line.strip().startswith("count += 1")
    window.wait_until(
        lambda: "cwm-mini" in window.text('.statusbar-item[id*="cwm"]'), "the model in the status bar"
    )
    window.wait_for_line(r"return count→ = 3")
    window.picture(results / "vscode-values.png")


def test_hover(window: Window, results: Path) -> None:
    shown = str(window.hover("count += 1", "count").text_content())
    assert "1 → 2 → 3" in shown
    assert "Nothing was run." in shown
    window.picture(results / "vscode-hover.png")
    window.page.mouse.move(900, 760)


def test_all_holes_of_a_function(window: Window) -> None:
    window.open_file("best_profit.py")
    window.go_to_line(16)
    window.command("CWM: Fill All Holes of This Function")
    window.wait_for_line(r"lowest = (?!\?)\S", 60)
    assert not any("?" in line for line in window.lines() if not line.lstrip().startswith((">", '"', "#")))
    window.command("File: Revert File")


def test_a_hole_is_filled(window: Window, results: Path) -> None:
    window.open_file("brackets.py")
    number = next(
        number
        for number, line in enumerate((REPOSITORY / "examples/holes/brackets.py").read_text().splitlines(), 1)
        if "if ?:" in line
    )
    window.go_to_line(number)
    window.press("ArrowLeft", "Backspace")
    window.type("?")
    window.wait_until(lambda: window.ghost() == "depth < 0", "the fill as ghost text", 40)
    window.picture(results / "vscode-hole.png")
    window.press("Tab")
    window.wait_for_line(r"if depth < 0:", 10)
    window.press("Control+z")
    window.wait_for_line(r"if \?", 10)
    window.command("File: Revert File")


def test_stepping_from_the_lens(window: Window, results: Path) -> None:
    window.open_file("strawberry.py")
    window.wait_for_line(r"count = 3")
    window.command("View: Show Run and Debug")
    window.page.locator(".codelens-decoration a", has_text="step").last.click()
    window.page.wait_for_selector(STOPPED, timeout=40_000)
    window.wait_until(
        lambda: f"how_many strawberry.py {number_of(window, 'def how_many')}" in stack(window), "the stop"
    )
    toolbar = window.page.locator(".debug-toolbar")

    def press(icon: str, where: str) -> None:
        toolbar.locator(f".codicon-debug-{icon}").click()
        window.wait_until(lambda: where in stack(window), f"{where} after {icon}, not {stack(window)}", 15)

    first = number_of(window, "count = count_letter")
    press("step-over", f"how_many strawberry.py {first}")
    press("step-into", f"count_letter strawberry.py {number_of(window, 'count = 0')}")
    press("step-over", f"count_letter strawberry.py {number_of(window, 'for char in word')}")
    press("step-back", f"count_letter strawberry.py {number_of(window, 'count = 0')}")
    press("step-out", f"how_many strawberry.py {first}")
    press("step-over", f"how_many strawberry.py {number_of(window, 'return format_answer')}")
    window.wait_until(
        lambda: "count = = 3" in window.text(".debug-variables").replace("\n", " "), "the variable"
    )
    window.picture(results / "vscode-stepping.png")


def test_the_timeline_follows(window: Window, results: Path) -> None:
    window.command("CWM: Show the Timeline")

    def frame() -> object:
        for each in window.page.frames:
            if each.query_selector("#strip"):
                return each
        return None

    timeline = window.wait_until(frame, "the timeline", 30)
    assert timeline.text_content(".call") == 'how_many("strawberry", "r")'
    bars = timeline.eval_on_selector_all(".bar", "bars => bars.map(bar => bar.textContent)")
    assert bars == ["how_many", "count_letter", "format_answer"]
    # The run is stopped before its last line in how_many: the timeline stands there too.
    here = number_of(window, "return format_answer")
    window.wait_until(
        lambda: f"how_many:{here}" in timeline.text_content("#about"), "the frame of the stop", 10
    )
    timeline.select_option("#variable", label="count  (count_letter)")
    values = timeline.eval_on_selector_all(".value", "spans => spans.map(span => span.textContent)")
    assert [unmarked(value) for value in values] == ["= 0", "= 1", "= 2", "= 3"]
    window.picture(results / "vscode-timeline.png")
    timeline.click('[data-frame="9"].frame')
    window.wait_until(lambda: "frame 10 of" in timeline.text_content("#about"), "the chosen frame", 5)


def test_a_variable_is_changed(window: Window, results: Path) -> None:
    window.page.locator(".debug-variables .monaco-list-row", has_text="count").first.dblclick()
    window.press("Control+a")
    window.type("7")
    window.press("Enter")
    window.wait_until(lambda: "✎ 7" in window.text(".debug-variables"), "the edited value", 15)
    window.page.locator(".debug-toolbar .codicon-debug-continue").click()
    window.press("Control+Shift+y")  # the debug console
    window.wait_until(lambda: "strawberry has 07 r" in window.text(".repl-tree"), "the other outcome", 30)
    window.picture(results / "vscode-changed.png")
    window.page.locator(".debug-toolbar .codicon-debug-reverse-continue").click()
    window.wait_until(
        lambda: f"strawberry.py {number_of(window, 'def how_many')}" in stack(window), "the beginning", 15
    )
    window.press("Shift+F5")
    window.page.wait_for_selector(STOPPED, state="detached", timeout=15_000)


def test_the_menu(window: Window, results: Path) -> None:
    window.command("CWM: Menu")
    rows = window.page.locator(".quick-input-list .monaco-list-row")
    wanted = ("Choose Model", "Engine", "Doctor", "Show Log", "Restart Server")
    window.wait_until(
        lambda: all(words in " ".join(rows.all_text_contents()) for words in wanted), "the menu", 10
    )
    window.picture(results / "vscode-menu.png")
    window.press("Escape")


def test_uninstalling_leaves_nothing_running(window: Window, profile: VSCode, server_bin: Path) -> None:
    assert _servers(profile), "a server ran until now"
    window.close()
    assert "successfully uninstalled" in profile.install("--uninstall-extension", "cwm-lsp.cwm-lsp")
    profile.stop()
    until = time.monotonic() + 20
    while found := _servers(profile):
        assert time.monotonic() < until, f"still running: {found}"
        time.sleep(0.2)


def _servers(profile: VSCode) -> list[str]:
    """Processes of cwm-lsp that this profile's window has started, by their home."""
    found = []
    home = f"HOME={profile.environment['HOME']}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            if b"/bin/cwm-lsp" in command and home in (folder / "environ").read_bytes().split(b"\0"):
                found.append(command.decode())
        except OSError:
            continue
    return found
