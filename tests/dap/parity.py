"""The same commands to debugpy, over the real program, and to our adapter, over a recording of it.

What differs by design is told in docs/debugger.md and left out of the comparison here, each with its name:

- below the first function there is nothing: where debugpy stops in the module, our session has ended;
- while a line is under way (after a return into it, at an exception in it, and in the calls around) the
  locals are those from before the line: what the line itself binds, what inner functions may bind, and
  values that can change in place are not compared there.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow import flow_of
from cwm_lsp.source.values import is_mutable
from cwm_lsp.trace.frame import Frame
from cwm_lsp.trace.recorder import Limits, record
from cwm_lsp.world.breakpoints import runnable_lines
from tests.dap.client import Client, Message
from tests.dap.debugpy_peer import Debugpy

LIMITS = Limits(seconds=60, cpu_seconds=60, frames=4000)
COMMANDS = ["next", "stepIn", "stepOut", "continue"]
WEIGHTS = [5, 5, 2, 2]
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_MODULE = re.compile(r"(<module '[^']*')(?: from '[^']*'| \(frozen\))>")


@dataclass(frozen=True)
class Program:
    """A file and a call in it."""

    name: str
    text: str
    call: str


@dataclass
class Outcome:
    """What a comparison found: `differences` (one is enough to stop), and how much was compared."""

    program: str
    differences: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class View:
    """What one debugger shows at a stop."""

    reason: str
    stack: tuple[tuple[str, int], ...]
    locals: tuple[dict[str, str], ...]


def compare(program: Program, folder: Path, seed: int, steps: int = 25) -> Outcome:
    """Runs a script of random commands against both."""
    rng = random.Random(f"{program.name}{seed}")
    outcome = Outcome(program.name)
    path = folder / "program.py"
    call = program.call
    if f"async def {call.partition('(')[0]}(" in program.text:
        call = f"__import__('asyncio').run({call})"
    text = program.text.rstrip("\n") + f'\n\n\nif __name__ == "__main__":\n    {call}\n'
    path.write_text(text, encoding="utf-8")
    document = Document.from_file(path)
    recording = record(document, program.call, LIMITS)
    assert recording.end.reason in ("returned", "raised"), recording.end
    trace = folder / "trace.jsonl"
    with trace.open("w", encoding="utf-8") as file:
        for frame in recording.frames:
            file.write(json.dumps(frame.to_json()) + "\n")
        file.write(json.dumps(recording.end.to_json()) + "\n")
    lines = sorted({frame.line for frame in recording.frames if frame.event == "line"})
    everywhere = list(runnable_lines(document))
    filters = ["raised"] if rng.random() < 0.3 else []
    first = recording.frames[1].line
    with Debugpy() as theirs, Client() as ours:
        stops = (
            theirs.begin(str(path), [{"line": first}], filters),
            ours.launch(program=str(path), trace=str(trace), breakpoints=[first], filters=filters),
        )
        script = [f"break {first}, filters {filters}"]
        for number in range(steps):
            if not _same(theirs, ours, stops, path, document, outcome):
                outcome.differences[-1] += f"\n  after {'; '.join(script)}"
                return outcome
            if stops[0]["event"] == "terminated" or stops[1]["event"] == "terminated":
                return outcome
            if number == 0 or rng.random() < 0.15:
                chosen = rng.sample(lines, min(len(lines), rng.randint(0, 3)))
                chosen += rng.sample(everywhere, min(len(everywhere), rng.randint(0, 1)))
                wanted = [
                    _wanted(rng, line, recording.frames, number == 0 and line != first)
                    for line in sorted(set(chosen))
                ]
                placed = [peer.set_breakpoints(str(path), *wanted) for peer in (theirs, ours)]
                script.append(f"break {wanted}")
                if [b["line"] for b in placed[0]] != [b["line"] for b in placed[1]]:
                    outcome.differences.append(f"breakpoints are placed at {placed}")
                    return outcome
            command = rng.choices(COMMANDS, WEIGHTS)[0]
            script.append(command)
            outcome.counts[command] += 1
            stops = (theirs.go(command), ours.go(command))
    return outcome


def _wanted(rng: random.Random, line: int, frames: Sequence[Frame], first: bool) -> Message:
    """A breakpoint, sometimes with a condition on a number that is there, or (before hits can be counted in
    two ways) a hit condition."""
    wanted: Message = {"line": line}
    known = [frame for frame in frames if frame.event == "line" and frame.line == line]
    numbers = [
        (n, v.repr) for frame in known for n, v in frame.locals.items() if v.repr.lstrip("-").isdigit()
    ]
    if numbers and rng.random() < 0.3:
        name, value = rng.choice(numbers)
        wanted["condition"] = f"{name} {rng.choice(['>', '<=', '==', '!='])} {value}"
    elif first and len(known) > 2 and rng.random() < 0.3:
        wanted["hitCondition"] = rng.choice(["2", ">= 2", "% 2"])
    return wanted


def _same(
    theirs: Debugpy,
    ours: Client,
    stops: tuple[Message, Message],
    path: Path,
    document: Document,
    outcome: Outcome,
) -> bool:
    """Compares a stop. False after a difference."""
    if stops[0]["event"] == "terminated" or stops[1]["event"] == "terminated":
        left = stops[0]["event"] == "terminated" or _only_module(theirs)
        if not left or stops[1]["event"] != "terminated":
            where = theirs.where() if stops[0]["event"] == "stopped" else "the end"
            here = ours.where() if stops[1]["event"] == "stopped" else "the end"
            outcome.differences.append(f"debugpy is at {where}, we are at {here}")
            return False
        outcome.counts["ends"] += 1
        return True
    real, shown = _view(theirs, stops[0], path), _view(ours, stops[1], path)
    outcome.counts["stops"] += 1
    if (real.reason, real.stack) != (shown.reason, shown.stack):
        outcome.differences.append(
            f"debugpy: {real.reason} {real.stack}\n  we:      {shown.reason} {shown.stack}"
        )
        return False
    event = _variable(ours, "event")
    for depth, (one, other) in enumerate(zip(real.locals, shown.locals, strict=True)):
        within = depth > 0 or event != "line"
        if not within and set(one) != set(other):
            outcome.differences.append(f"names: debugpy {sorted(one)}, we {sorted(other)}")
            return False
        for name in set(one) & set(other):
            if within and (is_mutable(other[name]) or name in _bound(document, shown.stack[depth])):
                outcome.counts["not compared"] += 1
                continue
            outcome.counts["values"] += 1
            if one[name] != other[name]:
                outcome.differences.append(f"depth {depth} {name}: debugpy {one[name]}, we {other[name]}")
                return False
    return True


def _bound(document: Document, place: tuple[str, int]) -> set[str]:
    """The names that may be bound while a line is under way."""
    flow, found = flow_of(document), set[str]()
    for function in flow.functions:
        if function.rpartition(".")[2] == place[0]:
            found |= flow.shared(function)
            for op, _ in flow.ops(function, place[1]):
                if op.name.startswith(("STORE_", "DELETE_")):
                    found.update(op.value if isinstance(op.value, tuple) else (str(op.value),))
    return found


def _only_module(peer: Client) -> bool:
    return all(frame["name"] == "<module>" for frame in peer.stack())


def _view(peer: Client, stop: Message, path: Path) -> View:
    frames = [f for f in peer.stack() if f["name"] != "<module>"]
    frames = [f for f in frames if Path(f["source"]["path"]).name == path.name]
    found = []
    for frame in frames[:3]:
        scopes = peer.request("scopes", frameId=frame["id"])["scopes"]
        known = peer.variables(scopes[0]["variablesReference"])
        found.append({each["name"]: _normal(each) for each in known})
    stack = tuple((frame["name"].rpartition(".")[2], frame["line"]) for frame in frames)
    return View(stop["body"]["reason"], stack, tuple(found))


def _variable(ours: Client, name: str) -> str:
    """One value of the scope "Prediction"."""
    found: list[dict[str, Any]] = ours.variables(ours.scope(0, "Prediction")["variablesReference"])
    return next(str(each["value"]) for each in found if each["name"] == name)


def _normal(variable: Message) -> str:
    """A value as both write it: no addresses, no module, no mark."""
    value = str(variable["value"])
    for mark in "≈=✎✓":
        value = value.removeprefix(mark + " ")
    value = _MODULE.sub(r"\1>", _ADDRESS.sub("", value)).replace("str_ascii_iterator", "str_iterator")
    return value.replace("__main__.", "").replace("'__main__'", "'program'")
