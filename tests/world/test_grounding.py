"""Grounded runs are held to real ones: whatever is marked as computed is right, and what can't be computed
goes to the model."""

from __future__ import annotations

import ast
import json
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest

from cwm_lsp.model.backend import Cancel
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.frame import Frame, Value
from cwm_lsp.trace.recorder import Limits, record
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.grounding import GroundedPredictor, RunLimits, run_call
from cwm_lsp.world.predictor import Prediction, PredictionError
from cwm_lsp.world.simulation import Simulation
from tests.cli_fixture import cwm
from tests.recipe import RECIPE, ROOT, calls_in, recipe
from tests.source.program_generator import program
from tests.world.replay import ReplayPredictor, recorded

tracing, programs = recipe("tracing"), recipe("programs")
FIXTURES = sorted((Path(__file__).parent.parent / "fixtures" / "grounded").glob("*.py"))


class Nobody:
    """A model that knows nothing."""

    asked = 0

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        self.asked += 1
        raise PredictionError("refused", "Nobody is there.")


def grounded(document: Document, call: str) -> Simulation:
    """A run without a model, as far as it goes."""
    simulation = Simulation.start(document, call, GroundedPredictor(Nobody()), "values", Budgets(frames=2000))
    for _ in simulation.run():
        pass
    return simulation


def wrong(frames: Sequence[Frame], real: Sequence[Frame]) -> str | None:
    """The first thing that is marked as computed (or is a step) and did not happen."""
    for at, (frame, true) in enumerate(zip(frames, real, strict=False)):
        before = frames[at - 1].line if at else 0
        if (frame.event, frame.function, frame.line, frame.depth) != (
            true.event,
            true.function,
            true.line,
            true.depth,
        ):
            return (
                f"frame {at} after line {before}: {frame.event} {frame.line}, really {true.event} {true.line}"
            )
        if list(frame.locals) != list(true.locals):
            return f"frame {at} after line {before}: {list(frame.locals)}, really {list(true.locals)}"
        for name, value in frame.locals.items():
            if value.repr != true.locals[name].repr and value.origin != "predicted":
                return (
                    f"frame {at} after line {before}: {name} = {value.repr}, really {true.locals[name].repr}"
                )
        if frame.arg and true.arg and frame.arg.repr != true.arg.repr and frame.arg.origin != "predicted":
            return f"frame {at}, line {frame.line}: {frame.arg.repr}, really {true.arg.repr}"
    return None


def traced(source: str, path: str, call: str) -> list[Frame]:
    """The frames of a real run of one of our own programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracing.trace(tracing.load(source, path), path, call, 2000)


def held_to_reality(path: str, source: str, calls: Sequence[str]) -> list[str]:
    """What was computed wrongly, or not to the end."""
    document = Document.from_text(source, path)
    found = []
    for call in calls:
        real = traced(source, path, call)
        if not real:
            continue
        simulation = grounded(document, call)
        end = simulation.end
        assert end is not None
        reason = wrong(simulation.frames, real)
        if reason is None and end.reason not in ("returned", "raised"):
            reason = f"{end.reason} at line {simulation.frames[-1].line}: {end.message}"
        if reason is None and len(simulation.frames) != len(real):
            reason = f"{len(simulation.frames)} frames, really {len(real)}"
        if reason is not None:
            found.append(f"{Path(path).stem} {call}: {reason}")
    return found


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_sharing_and_control_flow_are_computed_as_they_really_run(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(calls_in(source)) > 10
    assert held_to_reality(str(path), source, calls_in(source)) == []


def test_generated_programs_are_computed_to_their_end() -> None:
    found = []
    for seed in range(20):
        source, calls = programs.program(2_100_000_000 + seed)
        found += held_to_reality("program.py", source, calls)
    assert found == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hand_written_programs_are_computed_to_their_end() -> None:
    found = []
    total = 0
    for path in (*sorted((RECIPE / "seeds").glob("*.py")), *sorted((RECIPE / "heldout").glob("*.py"))):
        source = path.read_text(encoding="utf-8")
        total += len(calls_in(source))
        found += held_to_reality(str(path), source, calls_in(source))
    assert len(found) < 0.01 * total, found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nothing_that_is_marked_as_computed_is_wrong_in_hostile_programs() -> None:
    """Programs of every statement there is, really recorded: a run may stop, but not go wrong."""
    found, frames = [], 0
    for seed in range(900, 960):
        source = program(seed)
        document = Document.from_text(source, "hostile.py")
        calls = [
            f"{function.qualname}({', '.join('2' for _ in _required(function.node))})"
            for function in document.functions
            if function.kind == "function" and function.parent is None and "." not in function.qualname
            if not function.is_generator and not getattr(function.node, "decorator_list", None)
        ]
        for call in calls[-3:]:
            real = record(document, call, Limits(seconds=20, cpu_seconds=20, frames=400)).frames
            simulation = grounded(document, call)
            frames += len(simulation.frames)
            reason = wrong(simulation.frames, real)
            if reason is not None:
                found.append(f"program({seed}) {call}: {reason}")
    assert found == []
    assert frames > 1000


def _required(node: ast.AST) -> list[ast.arg]:
    assert isinstance(node, ast.FunctionDef)
    positional = [*node.args.posonlyargs, *node.args.args]
    return positional[: len(positional) - len(node.args.defaults)]


# -- what can't be computed

OPAQUE = """import thing


def f(x):
    y = x + 1
    z = thing.look(y)
    w = z + 1
    n = x * 2
    if w > 3:
        n = n + 1
    return n
"""


class TellsLine:
    """A model that says what a line gives, as a real run with `thing.look` would."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._inner = ReplayPredictor(frames)

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        return self._inner.predict(document, frames, choices, cancel)


def test_the_model_fills_in_what_cannot_be_computed_and_the_run_goes_on_grounded() -> None:
    document = Document.from_text(OPAQUE, "opaque.py")
    told = {"x": "1", "y": "2", "z": "5"}
    held = {name: Value(text, "predicted", 0.5) for name, text in told.items()}
    first = grounded(document, "f(1)")
    assert [frame.line for frame in first.frames][-1] == 6
    assert first.end is not None
    assert first.end.reason == "failed"
    model = TellsLine([*first.frames, Frame("line", "f", 7, 1, held)])
    simulation = Simulation.start(document, "f(1)", GroundedPredictor(model), "values")
    frames = list(simulation.run())
    assert simulation.end is not None
    assert simulation.end.value == "3"
    last = frames[-2].locals
    assert {name: (value.repr, value.origin, value.confidence) for name, value in last.items()} == {
        "x": ("1", "given", None),
        "y": ("2", "computed", None),
        "z": ("5", "predicted", 0.5),
        "w": ("6", "predicted", 0.5),
        "n": ("3", "predicted", 0.5),
    }
    assert frames[-1].arg is not None
    assert frames[-1].arg.origin == "predicted"


def test_a_container_that_an_unknown_call_was_given_is_in_doubt() -> None:
    source = (
        "import thing\n\n\ndef f(xs):\n    ys = [xs]\n    thing.look(xs)\n    n = len(ys)\n    return xs\n"
    )
    document = Document.from_text(source, "given.py")
    stopped = grounded(document, "f([1])")
    held = {name: Value(value.repr, "predicted", 0.9) for name, value in stopped.frames[-1].locals.items()}
    model = TellsLine([*stopped.frames, Frame("line", "f", 7, 1, held)])
    simulation = Simulation.start(document, "f([1])", GroundedPredictor(model), "values")
    frames = list(simulation.run())
    assert frames[-1].arg == Value("[1]", "predicted", 0.9)


def test_a_fork_is_grounded_from_the_edited_values() -> None:
    source = "def f(n):\n    xs = [n]\n    ys = xs\n    ys.append(n + 1)\n    return xs\n"
    document = Document.from_text(source, "fork.py")
    simulation = grounded(document, "f(1)")
    assert simulation.end is not None
    assert simulation.end.value == "[1, 2]"
    simulation.seek(2)
    simulation.fork({"n": "5"})
    for _ in simulation.run():
        pass
    assert simulation.end is not None
    assert simulation.end.value == "[1, 6]"


# -- one call without a model


def test_a_call_is_run_without_a_model() -> None:
    document = Document.from_text("def f(x):\n    return [x] * 2\n\n\ndef g(x):\n    return 1 // x\n")
    done = run_call(document, "f(3)")
    assert (done.kind, done.value, done.result, done.all_computed) == ("returned", "[3, 3]", [3, 3], True)
    raised = run_call(document, "g(0)")
    assert (raised.kind, raised.value) == (
        "raised",
        "ZeroDivisionError('integer division or modulo by zero')",
    )


def test_a_call_stops_at_what_cannot_be_computed_and_at_its_limits() -> None:
    document = Document.from_text(OPAQUE + "\n\ndef g():\n    while True:\n        pass\n")
    stopped = run_call(document, "f(1)")
    assert (stopped.kind, stopped.all_computed) == ("stopped", False)
    assert "thing.look" in stopped.why
    began = time.monotonic()
    endless = run_call(document, "g()", RunLimits(frames=10**9, seconds=0.3))
    assert endless.kind == "stopped"
    assert time.monotonic() - began < 3


def test_every_example_that_needs_no_model_is_right() -> None:
    for path in sorted((ROOT / "examples").glob("*.py")):
        if path.stem in ("endless_loop", "missing_import"):
            continue
        source = path.read_text(encoding="utf-8")
        assert held_to_reality(str(path), source, calls_in(source)) == []


@pytest.mark.slow
def test_the_recorder_agrees_too() -> None:
    for path in FIXTURES:
        source = path.read_text(encoding="utf-8")
        document = Document.from_text(source, str(path))
        for call in calls_in(source):
            assert wrong(grounded(document, call).frames, recorded(document, call).frames) is None


def _in_cruxeval_form(count: int) -> list[str]:
    """Generated programs as lines of `cwm-lsp eval`, with what they really return."""
    lines: list[str] = []
    seed = 2_200_000_000
    while len(lines) < count:
        seed += 1
        source, calls = programs.program(seed)
        source = source.replace("def main(", "def f(")
        real = traced(source, "program.py", calls[0].replace("main(", "f("))
        if (
            real
            and real[-1].event == "return"
            and real[-1].arg
            and not any(f.event == "exception" for f in real)
        ):
            given = calls[0].removeprefix("main(").removesuffix(")")
            lines.append(json.dumps({"code": source, "input": given, "output": real[-1].arg.repr}))
    return lines


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_eval_of_two_hundred_generated_programs(tmp_path: Path) -> None:
    path = tmp_path / "programs.jsonl"
    path.write_text("\n".join(_in_cruxeval_form(200)) + "\n", encoding="utf-8")
    done = cwm("eval", path, "--grounding", "values", "--no-run", "--json")
    report = json.loads(done.out)
    assert report["n"] == 200
    assert report["output_accuracy"] >= 0.97
    assert report["grounding"] == "values"
    for line in path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        found = held_to_reality("program.py", item["code"], [f"f({item['input']})"])
        assert [each for each in found if " really " in each] == []
