"""The page that `eval --report` writes: Markdown with tables and plots, one column for each grounding.

Leaves out the counting (eval_tally.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cwm_lsp.commands.errors import CommandError
from cwm_lsp.commands.eval_tally import Tally, length_group
from cwm_lsp.world.metrics import reliability

PAGE = "report.md"
COLUMNS = {
    "n": "programs",
    "output_accuracy": "output",
    "state_exact": "state",
    "action_exact": "action",
    "full_trace_exact": "full trace",
    "state_exact_teacher_forced": "next state",
    "action_exact_teacher_forced": "next action",
    "ece": "ECE",
    "frames_per_second": "frames/s",
}
EXPLAINED = """\
*output*: what is returned (or raised) is right. *state*, *action*: frames whose newly printed locals, whose
event and line are right, averaged over traces that run freely. *full trace*: all frames are right in
everything. *next*: one frame predicted from the true frames before it. *ECE*: expected calibration error of
the values' confidence. A refusal counts as wrong."""


def require_plots() -> None:
    """Raises CommandError where the plots can't be drawn, before hours of work and not after."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise CommandError(
            "--report draws with matplotlib, which is not installed: pip install 'cwm-lsp[report]'"
        ) from None


def write(folder: Path, tallies: Sequence[Tally], source: str, command: str) -> Path:
    """Writes the page and its pictures. Raises CommandError where the folder can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _draw(folder, tallies)
        page = folder / PAGE
        page.write_text(_page(tallies, source, command), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{folder} can't be written: {error.strerror or error}") from None
    return page


def _page(tallies: Sequence[Tally], source: str, command: str) -> str:
    main = tallies[-1]
    parts = [
        f"# {main.model} on {source}",
        f"Measured by `{command}`.\n\n{EXPLAINED}",
        _table("grounding", {tally.grounding: tally.report() for tally in tallies}),
        "![reliability](reliability.png)",
    ]
    for tally in tallies:
        parts.append(f"## Grounding {tally.grounding}")
        kinds = tally.groups(lambda outcome: outcome.kind)
        if len(kinds) > 1:
            parts.append(_table("kind of program", kinds))
        lengths = tally.groups(length_group)
        parts.append(_table("frames", dict(sorted(lengths.items(), key=lambda item: _first(item[0])))))
        parts.append(_types(tally))
    parts.append("![by length](lengths.png)")
    return "\n\n".join(part for part in parts if part) + "\n"


def _first(name: str) -> int:
    return 10_000 if name.startswith("over") else int(name.partition("-")[0])


def _table(label: str, rows: dict[str, dict[str, Any]]) -> str:
    shown = [key for key in COLUMNS if any(row.get(key) is not None for row in rows.values())]
    lines = [
        f"| {label} | " + " | ".join(COLUMNS[key] for key in shown) + " |",
        "|---" * (len(shown) + 1) + "|",
    ]
    lines += [
        f"| {name} | " + " | ".join(_cell(key, row.get(key)) for key in shown) + " |"
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def _cell(key: str, value: float | int | None) -> str:
    if value is None:
        return "–"
    if key in ("n", "frames_per_second"):
        return f"{value:,.0f}"
    return f"{value:.3f}" if key == "ece" else f"{value:.1%}"


def _types(tally: Tally) -> str:
    types = tally.by_type()
    if not types:
        return ""
    lines = ["| value | said | right |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {kind} | {n:,} | {share:.1%} |" for kind, (n, share) in types.items())])


def _draw(folder: Path, tallies: Sequence[Tally]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.4), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for tally in tallies:
        bins = reliability(tally.confident())
        axis.plot([b.confidence for b in bins], [b.right for b in bins], "o-", label=tally.grounding)
    axis.set_xlabel("confidence")
    axis.set_ylabel("share that was right")
    axis.legend(title="grounding")
    figure.savefig(folder / "reliability.png", dpi=110)

    figure = Figure(figsize=(6, 3.6), layout="constrained")
    axis = figure.subplots()
    for tally in tallies:
        groups = sorted(tally.groups(length_group).items(), key=lambda item: _first(item[0]))
        told = [
            (name, found["full_trace_exact"])
            for name, found in groups
            if found["full_trace_exact"] is not None
        ]
        axis.plot([name for name, _ in told], [share for _, share in told], "o-", label=tally.grounding)
    axis.set_xlabel("frames of the real trace")
    axis.set_ylabel("full traces right")
    axis.set_ylim(0, 1)
    axis.legend(title="grounding")
    figure.savefig(folder / "lengths.png", dpi=110)
