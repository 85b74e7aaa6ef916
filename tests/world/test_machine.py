"""The walk over lines, with real Python as the one who answers: it must arrive at the frames of the real
run."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path

import pytest

from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Unsupported
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.world.machine import Machine, Step, exception_text, exception_triple
from tests.recipe import RECIPE, ROOT, calls_in, recipe

oracle, tracing, programs = recipe("oracle"), recipe("tracing"), recipe("programs")
FILES = [
    path
    for path in sorted((ROOT / "examples").glob("*.py"))
    if path.stem not in ("endless_loop", "missing_import")
]
HAND_WRITTEN = [*sorted((RECIPE / "seeds").glob("*.py")), *sorted((RECIPE / "heldout").glob("*.py"))]


def walk(machine: Machine) -> Step:
    """One step with true answers."""
    steps = machine.walk()
    try:
        question = next(steps)
        while True:
            question = steps.send(oracle.answer(question))
    except StopIteration as finished:
        return finished.value


def difference(machine: Machine, step: Step, real: Frame) -> str | None:
    """How the step differs from the frame that really followed."""
    falls_off = (
        step.event == "line" and real.event == "return" and real.arg is not None and real.arg.repr == "None"
    )
    if falls_off or (step.event == "line" == real.event and machine.top.situation == "called"):
        return None
    if step.event != real.event:
        return f"{step.event}, not {real.event}"
    if step.event == "line":
        told = {name: value.repr for name, value in machine.locals_now(real.line).items()}
        return (
            None if list(told.items()) == [(n, v.repr) for n, v in real.locals.items()] else f"locals {told}"
        )
    if step.event == "call":
        function, _, values = machine.entered_locals(step)
        same = function == real.function and {n: v.repr for n, v in values.items()} == {
            n: v.repr for n, v in real.locals.items()
        }
        return None if same else f"call of {function} with {values}"
    assert real.arg is not None
    told_arg = step.text if step.event == "return" else exception_triple(step.text)
    return None if told_arg == real.arg.repr else f"{step.event} {told_arg}"


def follow(path: Path | str, source: str, calls: list[str]) -> tuple[int, list[str], list[str]]:
    """Walks all calls: how many arrive at their end, what differed, what can't be taken apart."""
    whole, wrong, refused = 0, [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = Document.from_text(source, str(path))
        namespace = tracing.load(source, str(path))
        for call in calls:
            frames = tracing.trace(namespace, str(path), call, 2000)
            machine = Machine(document)
            try:
                for frame, real in pairwise(frames):
                    machine.follow(frame)
                    found = difference(machine, walk(machine), real)
                    if found is not None:
                        wrong.append(f"{call}: line {frame.line}: {found}")
                        break
                else:
                    whole += 1
            except (Unsupported, oracle.TooLarge) as error:
                refused.append(f"{call}: {error}")
    return whole, wrong, refused


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_examples_are_walked_as_they_really_run(path: Path) -> None:
    source = path.read_text()
    whole, wrong, refused = follow(path, source, calls_in(source))
    assert (wrong, refused) == ([], [])
    assert whole == len(calls_in(source)) > 0


@pytest.mark.slow
def test_hand_written_programs_are_walked_as_they_really_run() -> None:
    total = whole = 0
    for path in HAND_WRITTEN:
        source = path.read_text()
        done, wrong, _ = follow(path, source, calls_in(source))
        assert wrong == []
        total += len(calls_in(source))
        whole += done
    assert total > 1000
    assert whole / total > 0.99, f"{whole} of {total}"


def test_generated_programs_are_walked_as_they_really_run() -> None:
    total = whole = 0
    for seed in range(120):
        source, calls = programs.program(2_000_000_000 + seed)
        done, wrong, refused = follow("program.py", source, calls)
        # The order of a set is not told by its repr alone.
        assert [line for line in wrong if "{" not in line] == []
        assert refused == []
        total += len(calls)
        whole += done
    assert whole / total > 0.95, f"{whole} of {total}"


def test_a_machine_follows_what_happened_whatever_was_walked() -> None:
    source = "def f(a):\n    b = a + [1]\n    c = b\n    c.append(2)\n    return b\n"
    machine = Machine(Document.from_text(source, "told.py"))
    machine.follow(Frame("call", "f", 1, 1, {"a": Value("[0]", "given")}))
    machine.follow(Frame("line", "f", 2, 1, {"a": Value("[0]", "given")}))
    walk(machine)
    assert machine.locals_now(3)["b"].repr == "[0, 1]"
    held = {"a": Value("[0]", "given"), "b": Value("[7]", "predicted")}
    machine.follow(Frame("line", "f", 3, 1, held))
    walk(machine)
    machine.locals_now(4)
    machine.follow(Frame("line", "f", 4, 1, held | {"c": Value("[7]", "predicted")}))
    walk(machine)
    assert {name: value.repr for name, value in machine.locals_now(5).items()} == {
        "a": "[0]",
        "b": "[7, 2]",
        "c": "[7, 2]",
    }


def test_what_cannot_be_taken_apart_is_refused_with_a_sentence() -> None:
    source = "def f(x):\n    with open(x) as handle:\n        return handle.read()\n"
    machine = Machine(Document.from_text(source, "with.py"))
    machine.follow(Frame("call", "f", 1, 1))
    machine.follow(Frame("line", "f", 2, 1))
    with pytest.raises(Unsupported, match="With statements can't be taken apart"):
        walk(machine)


def test_exceptions_are_shown_as_their_triple() -> None:
    triple = exception_triple("KeyError('a, b')")
    assert triple == "(<class 'KeyError'>, KeyError('a, b'), <traceback object>)"
    assert exception_text(triple) == "KeyError('a, b')"


def test_an_exception_in_a_lambda_leaves_it() -> None:
    source = "def f(words):\n    return sorted(words, key=lambda w: w[0])\n"
    whole, wrong, refused = follow("lambda.py", source, ["f(['b', 'a', ''])", "f(['b', 'a'])"])
    assert (whole, wrong, refused) == (2, [], [])
