"""The extension's own tests (editors/vscode/test, mocha), run inside VS Code's extension host."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.editors.conftest import REPOSITORY, clean_environment

pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install '.[editors]'")

from tests.editors.vscode.window import VSCode, chromium

EXTENSION = REPOSITORY / "editors" / "vscode"


def test_extension_host(
    extension: Path, editors: Path, server_bin: Path, workspace: Path, tmp_path: Path, results: Path
) -> None:
    subprocess.run(["node", "esbuild.mjs", "--tests"], cwd=extension, check=True, timeout=120)
    vscode = VSCode(editors, tmp_path / "profile", clean_environment(tmp_path / "home", server_bin))
    vscode.start()
    said: list[str] = []
    ended: list[int] = []
    try:
        with chromium() as browser:
            page = browser.new_page()
            page.expose_function(
                "codeAutomationLog", lambda _type, words: said.append(" ".join(map(str, words)))
            )
            page.expose_function("codeAutomationExit", lambda code, _logs: ended.append(code))
            payload = [
                ["extensionDevelopmentPath", vscode.remote(extension)],
                ["extensionTestsPath", vscode.remote(extension / "out" / "index.js")],
            ]
            page.goto(vscode.address(workspace, payload=payload))
            for _ in range(2000):
                if ended:
                    break
                page.wait_for_timeout(100)
            page.screenshot(path=str(results / "vscode-host.png"))
    finally:
        vscode.stop()
    log = "\n".join(line for line in said if line.startswith("mocha: "))
    (results / "vscode-host.log").write_text(log + "\n")
    print(log)
    assert ended == [0], log or "\n".join(said)[-3000:]
    assert " 0 failed" in log
