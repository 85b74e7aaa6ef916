"""`cwm-lsp models`: which models are known by name, and what each needs."""

from __future__ import annotations

import argparse

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.terminal import Pair, Terminal, print_json
from cwm_lsp.look import printable
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.catalog import Profile, find, profiles

DESCRIPTION = """\
Lists the models that are known by name, or shows one. Any folder with a model can be used too:
cwm-lsp trace FILE --backend /path/to/folder. Nothing is downloaded."""
EXAMPLES = """\
examples:
  cwm-lsp models list
  cwm-lsp models show cwm-mini
  cwm-lsp models list --json"""

SHOWN = (
    "title",
    "summary",
    "tried",
    "backend",
    "codec",
    "parameters",
    "context",
    "memory",
    "licence",
    "source",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `models`."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="all models")
    listing.add_argument("--json", action="store_true", help="one JSON object a model")
    showing = actions.add_parser("show", help="one model")
    showing.add_argument("name", metavar="NAME", help="a name that `models list` shows")
    showing.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Prints the list, or one model."""
    try:
        if args.action == "list":
            _list(profiles(), as_json=args.json)
        else:
            _show(args.name, as_json=args.json)
    except BackendError as error:
        raise CommandError(str(error)) from None
    return 0


def _list(found: tuple[Profile, ...], *, as_json: bool) -> None:
    if as_json:
        for profile in found:
            print_json(profile.to_json())
        return
    terminal = Terminal()
    rows: list[list[Pair]] = []
    for profile in found:
        there = profile.folder is not None
        state = ("ready", "green") if there else ("not here", "yellow")
        rows.append([(profile.name, "bold"), state, (_size(profile.parameters), ""), (profile.summary, "")])
    terminal.table(("name", "state", "size", "what it is"), rows)


def _show(name: str, *, as_json: bool) -> None:
    profile = find(name)
    if profile is None:
        known = ", ".join(each.name for each in profiles())
        raise CommandError(f"there is no model {name!r} known by name; known are {known}", BAD_USAGE)
    data = profile.to_json()
    if as_json:
        print_json(data)
        return
    terminal = Terminal()
    where = data["folder"] or "not on this machine" + (
        " (its licence must be accepted first)" if profile.gated else ""
    )
    for key, value in [("name", profile.name), ("folder", where), *((key, data[key]) for key in SHOWN)]:
        text = f"{value:,}" if isinstance(value, int) else str(value)
        terminal.line([(f"{key:11}", "dim"), (printable(text), "bold" if key == "name" else "")])


def _size(parameters: int) -> str:
    """`5.0 M`, `32.6 B`: parameters."""
    number, unit = (parameters / 1e9, "B") if parameters >= 1e9 else (parameters / 1e6, "M")
    return f"{number:.1f} {unit}"
