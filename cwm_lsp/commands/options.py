"""What several commands share: types of options, and the settings with what is wrong about them."""

from __future__ import annotations

import argparse
import math

from cwm_lsp import config
from cwm_lsp.commands.terminal import note
from cwm_lsp.config import GROUNDINGS, Settings


def positive(text: str) -> int:
    """argparse's type for a count."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return number


def port(text: str) -> int:
    """argparse's type for a TCP port; 0 stands for any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number up to 65535")
    return int(text)


def seconds(text: str) -> float:
    """argparse's type for a time."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def add_world_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every command that predicts."""
    parser.add_argument(
        "--grounding",
        choices=GROUNDINGS,
        help="none: the model alone; flow: next lines are real successors; values: what can be computed is",
    )
    parser.add_argument("--backend", metavar="NAME", help="a model's name (see `models list`) or folder")
    parser.add_argument("--max-frames", metavar="N", type=positive, help="stop a trace after N frames")


def settings() -> Settings:
    """The user's settings; each refused value is named on stderr."""
    loaded = config.load()
    for problem in loaded.problems:
        note(problem)
    return loaded.settings
