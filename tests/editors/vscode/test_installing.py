"""Without a server: one message with buttons, and the wheel that the package carries, once one agrees."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.editors.conftest import REPOSITORY, clean_environment

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[editors]'")

from tests.editors.vscode.window import VSCode, Window, chromium


@pytest.fixture
def vsix_with_wheel(extension: Path, tmp_path: Path) -> Path:
    """The package as `make vsix` makes it."""
    bundled = extension / "bundled"
    shutil.rmtree(bundled, ignore_errors=True)
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(bundled)]
    subprocess.run([*wheel, str(REPOSITORY)], check=True, timeout=200)
    file = tmp_path / "cwm-lsp.vsix"
    try:
        command = ["npm", "run", "--silent", "package", "--", "--out", str(file)]
        subprocess.run(command, cwd=extension, check=True, timeout=200, stdout=subprocess.DEVNULL)
    finally:
        shutil.rmtree(bundled)
    return file


def test_the_carried_server_is_installed_on_consent(
    vsix_with_wheel: Path, editors: Path, tmp_path: Path, workspace: Path, results: Path
) -> None:
    pythons = tmp_path / "pythons"
    pythons.mkdir()
    (pythons / "python3.11").symlink_to(Path(sys.base_prefix) / "bin" / "python3.11")
    code = VSCode(editors, tmp_path / "profile", clean_environment(tmp_path / "home", pythons))
    code.install("--install-extension", str(vsix_with_wheel), "--force")
    code.start()
    try:
        with chromium() as browser:
            window = Window.open(browser, code.address(workspace, workspace / "strawberry.py"))
            bell = window.page.locator('.statusbar-item[id*="notifications"]')
            bell.wait_for(timeout=60_000)
            window.wait_until(lambda: "$" not in window.text('.statusbar-item[id*="cwm"]'), "the status", 60)
            window.page.wait_for_timeout(3000)
            bell.click()
            message = window.page.locator(".notification-list-item", has_text="cwm-lsp was not found").last
            message.wait_for(timeout=30_000)
            window.picture(results / "vscode-missing.png")
            message.locator(".monaco-button", has_text="Install").click()
            dialog = window.page.locator(".monaco-dialog-box")
            dialog.wait_for(timeout=20_000)
            assert "into an environment of its own" in dialog.inner_text()
            dialog.locator(".monaco-button", has_text="Install").click()
            window.wait_for_line(r"count \+= 1.*count = 1 → 2 → 3", 240)
            window.close()
    finally:
        code.stop()
