"""`cwm-lsp doctor`: prints what doctor.py finds, and fails if something is broken."""

from __future__ import annotations

import argparse

from cwm_lsp.commands.errors import FAILED
from cwm_lsp.commands.terminal import Terminal, print_json
from cwm_lsp.doctor import examine

DESCRIPTION = """\
Looks at the installation: Python, packages, settings, models, memory, GPU. Changes, loads and sends
nothing. Exit status 1 if something is broken."""
EXAMPLES = """\
examples:
  cwm-lsp doctor
  cwm-lsp doctor --json > report.json      to put into a bug report"""

STYLES = {"ok": "green", "warn": "yellow", "error": "bold red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("--json", action="store_true", help="one JSON object with all findings")


def run(args: argparse.Namespace) -> int:
    """Prints the findings."""
    findings = list(examine())
    broken = any(finding.status == "error" for finding in findings)
    if args.json:
        print_json({"healthy": not broken, "findings": [finding.to_json() for finding in findings]})
        return FAILED if broken else 0
    terminal = Terminal()
    for finding in findings:
        mark = {"ok": terminal.marks.right, "warn": "!", "error": terminal.marks.wrong}[finding.status]
        style = STYLES[finding.status]
        terminal.line([(f"{mark} ", style), (f"{finding.name:14} ", "bold"), (finding.text, "")])
        if finding.advice:
            terminal.line(
                [(f"{'':17}{terminal.marks.arrow} {finding.advice}", "" if finding.status == "ok" else style)]
            )
    return FAILED if broken else 0
