"""Draws the curve of a training from its log.jsonl: loss and token accuracy over tokens.

    python models/cwm-mini/plot.py OUT/log.jsonl FILE.png

Needs matplotlib (the extra `train`). Leaves out the numbers of the card (cwm-lsp eval).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

PANELS = (
    ("loss", (("loss", "training"), ("held_out_loss", "held-out programs"))),
    ("token accuracy", (("token_accuracy", "training"), ("held_out_token_accuracy", "held-out programs"))),
)
"""What is drawn: the name of an axis, and keys of the log with their labels."""


def read(log: Path) -> list[dict[str, Any]]:
    """The lines of a log, without those after a save from which a later run went on."""
    lines: list[dict[str, Any]] = []
    for text in log.read_text().splitlines():
        line = json.loads(text)
        while lines and lines[-1]["step"] > line["step"]:
            lines.pop()
        lines.append(line)
    return lines


def draw(lines: list[dict[str, Any]], file: Path) -> None:
    """Writes the picture, in the format that the file's name says."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots(1, len(PANELS))
    for axis, (name, curves) in zip(axes, PANELS, strict=True):
        for key, label in curves:
            told = [line for line in lines if key in line]
            millions = [line["tokens"] / 1e6 for line in told]
            style = "o-" if key.startswith("held_out") else "-"
            axis.plot(millions, [line[key] for line in told], style, markersize=3, label=label)
        axis.set_xlabel("tokens (millions)")
        axis.set_ylabel(name)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(file, dpi=120)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", type=Path)
    parser.add_argument("file", type=Path)
    args = parser.parse_args()
    draw(read(args.log), args.file)


if __name__ == "__main__":
    main()
