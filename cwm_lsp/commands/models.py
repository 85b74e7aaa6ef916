"""`cwm-lsp models`: which models are known, what each needs; choosing, fetching and converting one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.terminal import Pair, Terminal, note, print_json
from cwm_lsp.look import printable
from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.catalog import Profile, find, profiles

DESCRIPTION = """\
Lists the models that are known by name, shows one, chooses the one that predicts, fetches one, or converts a
checkpoint. Any folder with a model can be used too: cwm-lsp trace FILE --backend /path/to/folder. Nothing is
fetched but by fetch, which shows the licence first."""
EXAMPLES = """\
examples:
  cwm-lsp models list
  cwm-lsp models show facebook-cwm-nf4
  cwm-lsp models use cwm-mini
  cwm-lsp models use remote --url https://gpu.example:8000/v1 --tokenizer facebook/cwm
  cwm-lsp models fetch facebook-cwm-nf4          shows its licence, and asks
  cwm-lsp models convert /path/to/checkpoint --to gguf --quant q8_0"""

QUANTS = ("f32", "f16", "bf16", "q8_0", "q6_k", "q4_k_m")
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
    using = actions.add_parser("use", help="check a model, and let it predict from now on")
    using.add_argument(
        "name", metavar="NAME", help="a name that `models list` shows, a folder, or a GGUF file"
    )
    using.add_argument("--url", metavar="URL", help="the server's address, for the model `remote`")
    using.add_argument("--tokenizer", metavar="FOLDER", help="where the tokenizer of the server's model is")
    fetching = actions.add_parser("fetch", help="download a model, once its licence was shown")
    fetching.add_argument("name", metavar="NAME", help="a name that `models list` shows, or a hub name")
    fetching.add_argument("--accept-licence", action="store_true", help="you know the licence and accept it")
    converting = actions.add_parser("convert", help="make a GGUF for llama.cpp from a checkpoint")
    converting.add_argument(
        "checkpoint", metavar="CHECKPOINT", help="a folder, or a hub name that was fetched"
    )
    converting.add_argument("--to", choices=("gguf",), default="gguf", help="the form (gguf)")
    converting.add_argument("--quant", choices=QUANTS, default="q8_0", help="how many bits (q8_0)")
    converting.add_argument("--output", metavar="FOLDER", help="where the model goes")


def run(args: argparse.Namespace) -> int:
    """Prints the list, or one model."""
    try:
        if args.action == "list":
            _list(profiles(), as_json=args.json)
        elif args.action == "show":
            _show(args.name, as_json=args.json)
        elif args.action == "use":
            use(args.name, args.url, args.tokenizer)
        elif args.action == "fetch":
            fetch(args.name, accepted=args.accept_licence)
        else:
            _convert(args.checkpoint, args.quant, args.output)
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
        if profile.backend == "remote":
            state = ("a server", "")
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


def fetch(name: str, *, accepted: bool) -> None:
    """Downloads a model. Weights under a licence that restricts their use come only after it was shown and
    accepted."""
    from cwm_lsp.model import hub

    profile = find(name)
    hub_name = name if profile is None else profile.hub_name
    if hub_name is None:
        raise CommandError(
            f"{name} needs no fetching" if profile else f"there is no model {name!r}", BAD_USAGE
        )
    if profile is None and not hub.is_hub_name(name):
        known = ", ".join(each.name for each in profiles() if each.hub_name)
        raise CommandError(
            f"there is no model {name!r} to fetch; known are {known}, or a hub name", BAD_USAGE
        )
    _show_licence(profile, hub_name, accepted=accepted)
    terminal = Terminal()
    folder = hub.fetch(hub_name, tell=note)
    if profile is not None and profile.quant is not None:
        from cwm_lsp.model.catalog import models_folder

        _convert(str(folder), profile.quant, str(models_folder() / profile.name))
        return
    terminal.line([(f"{hub_name} is in {folder}", "")])


def _show_licence(profile: Profile | None, hub_name: str, *, accepted: bool) -> None:
    terminal = Terminal()
    licence = "unknown to cwm-lsp: read it on its page" if profile is None else profile.licence
    page = f"https://huggingface.co/{hub_name}"
    terminal.line([("licence    ", "dim"), (licence, "bold")])
    if profile is not None and "Non-Commercial" in profile.licence:
        terminal.line([("           ", ""), ("the weights are for non-commercial research only", "yellow")])
    terminal.line([("source     ", "dim"), (page, "")])
    if profile is not None:
        terminal.line([("memory     ", "dim"), (profile.memory, "")])
    if accepted:
        return
    if not sys.stdin.isatty():
        raise CommandError("nothing was fetched: read the licence, and say --accept-licence")
    answer = input("Fetch it under this licence? [y/N] ")
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was fetched")


def _convert(checkpoint: str, quant: str, output: str | None) -> None:
    from cwm_lsp.model.catalog import models_folder
    from cwm_lsp.model.gguf_convert import QUANTS as KNOWN
    from cwm_lsp.model.gguf_convert import convert
    from cwm_lsp.model.hub import resolve

    source = resolve(checkpoint)
    chosen = next(each for each in KNOWN if each == quant)
    called = checkpoint.rstrip("/").split("/")[-1] or source.name
    folder = Path(output).expanduser() if output else models_folder() / f"{called}-{quant}"
    terminal = Terminal()
    with terminal.status():
        made = convert(source, folder, chosen, lambda what, done, of: terminal.say(f"{what}: {done} of {of}"))
    size = made.stat().st_size / 1e9
    terminal.line([(f"{made} ({size:.2f} GB)", "bold")])
    terminal.line([(f"cwm-lsp models use {folder} lets it predict", "dim")])


def use(name: str, url: str | None, tokenizer: str | None) -> None:
    """Checks that a model can be used, and writes it into the settings."""
    from cwm_lsp import config
    from cwm_lsp.commands.choosing import check_usable, write_choice

    loaded = config.load()
    options = {key: value for key, value in (("url", url), ("tokenizer", tokenizer)) if value is not None}
    wanted = str(Path(name).expanduser().resolve()) if find(name) is None and Path(name).exists() else name
    warnings = check_usable(wanted, {**loaded.settings.backend, **options})
    path = write_choice(loaded.path, wanted, options)
    for warning in warnings:
        note(warning)
    terminal = Terminal()
    terminal.line([(f"{printable(wanted)} predicts from now on", "bold"), (f" ({path})", "dim")])


def _size(parameters: int) -> str:
    """`5.0 M`, `32.6 B`: parameters."""
    if not parameters:
        return ""
    number, unit = (parameters / 1e9, "B") if parameters >= 1e9 else (parameters / 1e6, "M")
    return f"{number:.1f} {unit}"
