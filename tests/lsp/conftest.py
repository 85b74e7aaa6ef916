"""A server with an editor for all tests of a module; each test has its own files open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.lsp.client import Editor, recorded, run_editor

ENV = {"CWM_LSP_GROUNDING": "flow", "CWM_LSP_FILL_SECONDS": "10"}
"""Grounding "flow", so that the model has something to predict in small programs."""


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=["vscode", pytest.param("neovim", marks=pytest.mark.slow)]
)
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor with the recorded capabilities of VS Code, and of Neovim."""
    home = tmp_path_factory.mktemp("home")
    async with run_editor(home, recorded(request.param), env=ENV) as editor:
        yield editor


@pytest_asyncio.fixture(loop_scope="module")
async def editor(running: Editor) -> AsyncIterator[Editor]:
    """That editor, with nothing open and no settings."""
    yield running
    running.clean()
