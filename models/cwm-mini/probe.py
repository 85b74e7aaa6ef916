"""Which single operations does a cwm-mini answer right? By kind, over held-out programs, from true states.

    python models/cwm-mini/probe.py MODEL_FOLDER [--programs 150] [--wrong 40] [--heldout]

Leaves out what comes of a whole run (cwm-lsp eval).
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import data
import mutations
import oracle
import programs
import tracing

from cwm_lsp.model.backend import Cancel, Request
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.source.document import Document
from cwm_lsp.source.operations import Answer, Operation, Unsupported, drive
from cwm_lsp.source.unfold import unfold
from cwm_lsp.trace import mini_layout as layout
from cwm_lsp.world.machine import Machine
from cwm_lsp.world.mini_predictor import Block, MiniPredictor


def label(operation: Operation) -> str:
    """What an operation is counted as."""
    if operation.kind in ("binary", "compare", "method", "call", "mutated", "item"):
        return f"{operation.kind} {operation.name}"
    return operation.kind


def read(tokens: list[str], operation: Operation | None) -> Answer | None:
    """An answer, or None where it never ended."""
    try:
        return layout.read_answer(tokens, operation)
    except ValueError:
        return None


def calls_of(args: argparse.Namespace) -> list[tuple[str, list[str]]]:
    """Sources with calls."""
    if args.heldout:
        return [(text, mutations.calls_in(text)) for text in data.seeds("heldout")]
    return [programs.program(data.HELD_OUT + at) for at in range(args.programs)]


def unfolded(operation: Operation) -> list[Operation]:
    """The operations that the product asks to answer this one."""
    steps = unfold(operation)
    if steps is None:
        return [operation]
    asked: list[Operation] = []

    def answer(step: Operation) -> Answer:
        asked.append(step)
        return oracle.answer(step)

    drive(steps, answer)
    return asked


def answers(
    predictor: MiniPredictor, source: str, call: str
) -> Iterator[tuple[Operation, Answer | None, Answer]]:
    """Each operation of a call, with what the model says and what is true."""
    machine = Machine(Document.from_text(source, "program.py"))
    frames = tracing.trace(tracing.load(source, "program.py"), "program.py", call, 120)
    for frame in frames[:-1]:
        try:
            machine.follow(frame)
            block = Block(True)
            predictor._begin(machine, block)
            walk = machine.walk()
            operation = next(walk)
            while True:
                for simple in unfolded(operation):
                    truth = oracle.answer(simple)
                    block.ids += predictor._encode(layout.question(simple))
                    request = Request(
                        block.ids,
                        max_tokens=200,
                        grammar=layout.grammar(simple, backwards=predictor.backwards),
                        cancel=Cancel(),
                    )
                    completion = predictor.backend.complete(request)
                    yield (
                        simple,
                        read(predictor._decode(completion.tokens), simple if predictor.backwards else None),
                        truth,
                    )
                    block.ids += predictor._encode(
                        layout.answer_tokens(truth, simple if predictor.backwards else None)
                    )
                operation = walk.send(oracle.answer(operation))
        except StopIteration:
            continue
        except (Unsupported, oracle.TooLarge):
            return


def main() -> None:
    """Prints some wrong answers and the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--programs", type=int, default=150)
    parser.add_argument("--wrong", type=int, default=40, help="how many wrong answers to show")
    parser.add_argument("--heldout", action="store_true", help="the hand-written held-out programs instead")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    data.limit_memory(6)
    predictor = MiniPredictor(EmbeddedBackend(args.model))
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    wrong = 0
    for source, calls in calls_of(args):
        for call in calls:
            for operation, said, truth in answers(predictor, source, call):
                asked[label(operation)] += 1
                right[label(operation)] += said == truth
                wrong += said != truth
                if said != truth and wrong <= args.wrong:
                    place = f" at {operation.position}" if operation.kind == "item" else ""
                    operands = ", ".join(operation.operands) + place
                    print(f"{label(operation)}: {operands} -> {said}, not {truth}")
    for name, count in asked.most_common(60):
        print(f"{name:24} {right[name] / count:.3f}  {count}")
    print(f"{'all':24} {sum(right.values()) / sum(asked.values()):.4f}  {sum(asked.values())}")


if __name__ == "__main__":
    main()
