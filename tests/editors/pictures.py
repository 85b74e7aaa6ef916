"""Copies the pictures that the tests of the editors took to where the documentation shows them.

    python tests/editors/pictures.py        after `make test-editors`

They are cut to what matters and to 256 colours, which a screen of text doesn't miss.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
DOCS = REPOSITORY / "docs" / "pictures"
MEDIA = REPOSITORY / "editors" / "vscode" / "media"

Box = tuple[int, int, int, int]
WINDOW: Box = (350, 32, 1300, 530)
WHOLE: Box = (0, 32, 1300, 800)

PICTURES: dict[str, tuple[Box | None, tuple[Path, ...]]] = {
    "vscode-values": (WINDOW, (DOCS / "vscode-values.png", MEDIA / "walkthrough-values.png")),
    "vscode-hole": (WINDOW, (DOCS / "vscode-hole.png", MEDIA / "walkthrough-hole.png")),
    "vscode-stepping": (WHOLE, (DOCS / "vscode-stepping.png", MEDIA / "walkthrough-step.png")),
    "vscode-timeline": (WHOLE, (DOCS / "vscode-timeline.png", MEDIA / "walkthrough-timeline.png")),
    "neovim-values": (None, (DOCS / "neovim-values.png",)),
    "neovim-ghost": (None, (DOCS / "neovim-ghost.png",)),
    "neovim-stepping": (None, (DOCS / "neovim-stepping.png",)),
}


def main() -> int:
    """Copies what is there; tells what isn't."""
    results = Path(os.environ.get("CWM_EDITORS_RESULTS", HERE / "results"))
    missing = 0
    for name, (box, targets) in PICTURES.items():
        source = results / f"{name}.png"
        if not source.exists():
            print(f"{source} is not there", file=sys.stderr)
            missing += 1
            continue
        picture = Image.open(source).convert("RGB")
        small = (picture.crop(box) if box else picture).quantize(256)
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            small.save(target, optimize=True)
            print(f"{target.relative_to(REPOSITORY)}: {target.stat().st_size // 1024} kB")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
