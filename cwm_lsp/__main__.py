"""`python -m cwm_lsp` is `cwm-lsp`."""

from __future__ import annotations

import sys

from cwm_lsp.cli import main

if __name__ == "__main__":
    sys.exit(main())
