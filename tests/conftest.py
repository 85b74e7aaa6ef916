"""What holds for every test: hypothesis sets no deadlines, since machines that run tests are often busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("cwm-lsp", deadline=None)
settings.load_profile("cwm-lsp")
