"""All exports of a checkpoint, held against each other: transformers, ONNX Runtime, llama.cpp on one model.

    python models/cwm-mini/exports.py CHECKPOINT OUT [--traces 200] [--quant q8_0]

Writes OUT/onnx and OUT/gguf, predicts the same traces of held-out generated programs with every engine, and
prints one JSON object. For each export: how many traces are the same frame by frame as those that
transformers predicts from the safetensors, how many of the answers in them the export would give too (each
asked behind the same tokens), and how far its logits are from theirs there, as a part of their size. Fails
if the ONNX file tells other answers, or the GGUF more than a few. Leaves out how right the traces are
(evaluate.py); llama.cpp is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import data
import export
import numpy as np
import programs
import torch
from transformers import CwmForCausalLM

from cwm_lsp.model.backend import BackendError, Completion, Request
from cwm_lsp.model.embedded import EmbeddedBackend
from cwm_lsp.model.local import LocalBackend
from cwm_lsp.model.runner import as_ids
from cwm_lsp.model.transformers import TransformersBackend
from cwm_lsp.source.calls import CallError
from cwm_lsp.source.document import Document
from cwm_lsp.trace.frame import Frame
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.mini_predictor import MiniPredictor
from cwm_lsp.world.simulation import Simulation

CONTEXT = 8192
LIMITS = {"onnx": 1.0, "f32": 0.999, "f16": 0.995, "bf16": 0.97, "q8_0": 0.97}
"""The least share of answers that an export must tell as transformers does."""


class Watched:
    """A backend that keeps what it was asked and what it said."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        self.answered: list[tuple[Request, Completion]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def complete(self, request: Request) -> Completion:
        """Passes the request on."""
        completion = self._backend.complete(request)
        prompt = tuple(request.prompt)  # the predictor goes on with its list
        self.answered.append((Request(prompt, grammar=request.grammar, max_tokens=400), completion))
        return completion


@dataclass
class Tally:
    """How far one export agrees."""

    traces: int = 0
    same_traces: int = 0
    answers: int = 0
    same_answers: int = 0
    differences: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The shares."""
        return {
            "traces": self.traces,
            "same_traces": round(self.same_traces / max(1, self.traces), 4),
            "answers": self.answers,
            "same_answers": round(self.same_answers / max(1, self.answers), 5),
            "relative_difference_p50": float(f"{np.median(self.differences or [0]):.2g}"),
            "relative_difference_max": float(f"{max(self.differences, default=0.0):.2g}"),
        }


def traced(backend: LocalBackend | Watched, document: Document, call: str, frames: int) -> list[Frame]:
    """The frames that a backend predicts."""
    simulation = Simulation.start(document, call, MiniPredictor(backend), "flow", Budgets(frames=frames))
    return [*simulation.frames[:1], *simulation.run()]


def same(left: list[Frame], right: list[Frame]) -> bool:
    """True if both tell the same, confidences aside."""
    return len(left) == len(right) and all(a.same_as(b) for a, b in zip(left, right, strict=True))


def hold(
    tally: Tally, backend: LocalBackend, reference: LocalBackend, asked: list[tuple[Request, Completion]]
) -> None:
    """Asks an export what the reference was asked, and compares answers and logits."""
    for request, completion in asked:
        tally.answers += 1
        tally.same_answers += backend.complete(request).tokens == completion.tokens
    request, completion = max(asked, key=lambda each: len(each[0].prompt))
    ids = as_ids([*request.prompt, *completion.tokens])
    rows = []
    for each in (backend, reference):
        cache = each.runner.new()
        rows.append(cache.extend_all(ids)[:, : reference.vocabulary.size].copy())
        cache.free()
    size = max(float(np.abs(rows[1]).max()), 1e-9)
    tally.differences.append(float(np.abs(rows[0] - rows[1]).max()) / size)


def compare(
    reference: LocalBackend, exports: dict[str, LocalBackend], traces: int, frames: int = 60
) -> dict[str, Tally]:
    """Predicts `traces` traces with every engine; which of them are the same."""
    tallies = {name: Tally() for name in exports}
    number = done = 0
    while done < traces:
        source, calls = programs.program(data.HELD_OUT + number)
        number += 1
        try:
            document = Document.from_text(source, "program.py")
            watched = Watched(reference)
            expected = traced(watched, document, calls[0], frames)
        except CallError:
            continue
        if not watched.answered:
            continue
        done += 1
        for name, backend in exports.items():
            tally = tallies[name]
            tally.traces += 1
            tally.same_traces += same(traced(backend, document, calls[0], frames), expected)
            hold(tally, backend, reference, watched.answered)
    return tallies


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--traces", type=int, default=200)
    parser.add_argument("--quant", choices=[name for name in LIMITS if name != "onnx"], default="q8_0")
    args = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    data.limit_memory(6)
    torch.set_num_threads(1)
    model = CwmForCausalLM.from_pretrained(args.checkpoint, dtype=torch.float32).eval()
    export.export(model, args.out / "onnx", "fp16", CONTEXT)
    del model
    for name in ("config.json", "tokenizer.json"):
        (args.out / "onnx" / name).write_bytes((args.checkpoint / name).read_bytes())
    exports: dict[str, LocalBackend] = {"onnx": EmbeddedBackend(args.out / "onnx")}
    try:
        from cwm_lsp.model.gguf_convert import convert
        from cwm_lsp.model.llama_cpp import LlamaBackend

        path = convert(args.checkpoint, args.out / "gguf", args.quant)
        exports[args.quant] = LlamaBackend(path, context=CONTEXT, threads=1, kv="f32", flash=False)
    except (BackendError, ImportError) as error:
        print(f"without llama.cpp: {error}", file=sys.stderr)
    reference = TransformersBackend(args.checkpoint, dtype="float32", device="cpu", threads=1)
    tallies = compare(reference, exports, args.traces)
    ok = all(t.same_answers >= LIMITS[name] * t.answers for name, t in tallies.items())
    report = {name: tally.to_json() for name, tally in tallies.items()}
    sizes = {path.name: path.stat().st_size / 1e6 for path in args.out.rglob("model.*")}
    megabytes = {name: round(size, 2) for name, size in sizes.items()}
    print(
        json.dumps({"checkpoint": str(args.checkpoint), "megabytes": megabytes, **report, "ok": ok}, indent=2)
    )
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
