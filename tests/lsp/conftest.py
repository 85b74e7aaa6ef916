"""A server with an editor, for each test anew; its files are the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.lsp.client import Editor, recorded, run_editor


@pytest_asyncio.fixture(params=["vscode", "neovim"])
async def editor(request: object, tmp_path: Path) -> AsyncIterator[Editor]:
    """An editor with the recorded capabilities of VS Code, and of Neovim."""
    async with run_editor(tmp_path, recorded(request.param)) as running:  # type: ignore[attr-defined]
        yield running
