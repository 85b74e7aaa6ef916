"""`cwm-lsp fill`: what stands in the `?` of a file, found by search and a model, tried on its examples."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cwm_lsp.commands.errors import BAD_USAGE, CommandError
from cwm_lsp.commands.options import seconds, settings
from cwm_lsp.commands.target import open_document
from cwm_lsp.commands.terminal import Terminal, note, print_json
from cwm_lsp.fill.holes import SECONDS, Fill, HoleFills, Progress, fill_document
from cwm_lsp.fill.style import put
from cwm_lsp.look import Marks, printable
from cwm_lsp.model.backend import Backend, BackendError
from cwm_lsp.source.document import Document

DESCRIPTION = """\
Finds what the holes of a file can be: code that makes the file's own examples come out right. Nothing of
yours is run: the examples are computed by a restricted evaluator.

A hole is a `?` where code belongs. Examples are doctests, asserts and comments such as "# cwm: f(1, 2) -> 3".
passed: all examples come out right, every value computed; passed (predicted): some step was the model's;
failed: the nearest there is; untested: nothing in the file says what is right. Where several fills pass and
do different things, a call is shown on which they differ: add what it should give as an example."""
EXAMPLES = """\
examples:
  cwm-lsp fill examples/holes/two_sum.py
  cwm-lsp fill app.py --write                    writes the fills that pass into the file
  cwm-lsp fill app.py --seconds 10 --no-model    the search alone, longer
  cwm-lsp fill app.py --json | jq '.fills[0].text'

exit status: 0 every hole has a fill; 1 some hole has none (stderr says why); 2 bad usage"""

PASSED = ("passed", "passed (predicted)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `fill`."""
    parser.add_argument("file", metavar="FILE", help="a Python file with holes; - for stdin")
    parser.add_argument("--json", action="store_true", help="one JSON object a hole")
    parser.add_argument("--write", action="store_true", help="put the fills that pass into the file")
    parser.add_argument(
        "--seconds", metavar="S", type=seconds, default=SECONDS, help=f"time for each hole ({SECONDS:g})"
    )
    parser.add_argument("--backend", metavar="NAME", help="a model's name (see `models list`) or folder")
    parser.add_argument("--no-model", action="store_true", help="the search alone")


def run(args: argparse.Namespace) -> int:
    """Fills and prints, and writes if asked to."""
    if args.write and args.file == "-":
        raise CommandError("--write needs a file: stdin can't be written to", BAD_USAGE)
    document = open_document(args.file)
    if not document.holes:
        note(f"{args.file} has no holes: a hole is a ? where code belongs")
        return 0
    terminal = None if args.json else Terminal()
    with _backend(args) as backend:
        found = list(_shown(document, backend, args, terminal))
    if args.write:
        _write(document, Path(args.file), found)
    open_holes = [one for one in found if not one.fills or one.fills[0].verified == "failed"]
    if open_holes:
        count = f"{len(open_holes)} of {len(found)} holes" if len(found) > 1 else "the hole"
        reason = open_holes[0].reason or "no fill was found"
        raise CommandError(f"{count} could not be filled. {reason}")
    return 0


@contextmanager
def _backend(args: argparse.Namespace) -> Iterator[Backend | None]:
    if args.no_model:
        yield None
        return
    from cwm_lsp.model.catalog import connect

    chosen = settings()
    try:
        backend = connect(args.backend or chosen.model, **chosen.backend)
    except BackendError as error:
        raise CommandError(f"{error} Or use --no-model: the search alone.") from None
    try:
        yield backend
    finally:
        backend.close()


def _shown(
    document: Document, backend: Backend | None, args: argparse.Namespace, terminal: Terminal | None
) -> Iterator[HoleFills]:
    """The finished holes in the order of the file, printed as they are."""
    waiting: dict[int, HoleFills] = {}
    shown = 0
    with terminal.status() if terminal is not None else contextlib.nullcontext():

        def progress(step: Progress) -> None:
            if terminal is not None:
                terminal.say(f"{step.text}, {step.done} of {step.holes} holes done")

        for one in fill_document(document, backend, budget_seconds=args.seconds, on_progress=progress):
            if not one.done:
                if terminal is not None and one.fills:
                    terminal.say(f"line {one.hole.line}: {one.fills[0].text}, looking for others")
                continue
            waiting[one.index] = one
            while shown in waiting:
                _print(document, waiting[shown], terminal)
                yield waiting[shown]
                shown += 1


def _print(document: Document, found: HoleFills, terminal: Terminal | None) -> None:
    if terminal is None:
        print_json(to_json(found))
        return
    hole, marks = found.hole, terminal.marks
    line = document.lines[hole.line - 1].strip()
    terminal.line([(f"line {hole.line}, column {hole.column}", "bold"), ("  ", ""), (printable(line), "dim")])
    for fill in found.fills:
        terminal.line(_fill_line(fill, marks))
    if found.fills and found.fills[0].why and found.fills[0].verified in PASSED:
        terminal.line([(f"    {found.fills[0].why}", "dim")])
    if found.reason is not None:
        terminal.line([(f"    {printable(found.reason)}", "yellow")])
    if found.doubt is not None:
        answers = " or ".join(found.doubt.answers[:3])
        terminal.line(
            [
                (
                    f"    which is right: {printable(found.doubt.call)} {marks.arrow} {printable(answers)}?",
                    "yellow",
                )
            ]
        )


STYLES = {"passed": "green", "passed (predicted)": "cyan", "failed": "red", "untested": "yellow"}


def _fill_line(fill: Fill, marks: Marks) -> list[tuple[str, str]]:
    mark = {"passed": marks.computed, "passed (predicted)": marks.predicted, "failed": marks.wrong}.get(
        fill.verified, " "
    )
    passed, total = fill.examples
    count = f"  {passed} of {total} examples" if total else ""
    style = STYLES[fill.verified]
    return [(f"  {mark} ", style), (printable(fill.text), "bold"), (f"  {fill.verified}{count}", style)]


def to_json(found: HoleFills) -> dict[str, object]:
    """The JSON form of the command line: {"line", "column", "fills": [{"text", "verified", "examples",
    "score"}]}."""
    return {
        "line": found.hole.line,
        "column": found.hole.column,
        "fills": [
            {
                "text": fill.text,
                "verified": fill.verified,
                "examples": [*fill.examples],
                "score": round(fill.score, 4),
            }
            for fill in found.fills
        ],
    }


def _write(document: Document, path: Path, found: list[HoleFills]) -> None:
    """Puts the best fills that pass into the file, at once and whole."""
    fills = {one.index: one.fills[0].text for one in found if one.fills and one.fills[0].verified in PASSED}
    if not fills:
        note("nothing was written: no fill passes")
        return
    data = put(document, fills).encode(document.encoding)
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise CommandError(f"{path} can't be written: {error.strerror or error}") from None
    note(f"{len(fills)} of {len(found)} holes filled in {path}")
