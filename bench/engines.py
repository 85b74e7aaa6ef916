"""What an engine makes of requests that arrive together, and what its socket costs: tokens a second of one
client and of several, on a random Cwm of about 30 million weights.

Prints one JSON object. `alone` is the model in this process, one request after the other; `together` the same
requests from as many threads at once, in this process (passes are shared where the engine can); `engine` one
client over the socket. All in one run, by turns; ratios are those of the medians. Leaves out how right
anything is: the weights are random.

    python bench/engines.py [--kind llama_cpp|transformers] [--clients 8] [--tokens 60] [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from cwm_lsp.model.backend import Request
from cwm_lsp.model.catalog import load
from cwm_lsp.model.engine_client import open_engine
from cwm_lsp.model.gguf_convert import convert
from cwm_lsp.model.shared import SharedBackend

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def checkpoint(folder: Path) -> Path:
    """A random Cwm: 9 layers of width 512, a small tokenizer."""
    import torch
    import transformers

    from tests.tokenizer_fixture import tokenizer_json

    torch.manual_seed(0)
    config = transformers.CwmConfig(
        vocab_size=6017,
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=9,
        num_attention_heads=8,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=8192,
        sliding_window=1024,
        layer_types=["full_attention", *["sliding_attention"] * 7, "full_attention"],
        bos_token_id=6000,
        eos_token_id=[6001],
        pad_token_id=None,
    )
    transformers.CwmForCausalLM(config).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(tokenizer_json(), encoding="utf-8")
    return folder


def requests(count: int, tokens: int, turn: int) -> list[Request]:
    """Prompts of 200 tokens that nobody has seen."""
    rng = np.random.default_rng(1000 * turn)
    return [Request(rng.integers(0, 5900, 200).tolist(), max_tokens=tokens) for _ in range(count)]


def seconds_alone(backend: Any, asked: list[Request]) -> float:
    """One after the other."""
    began = time.perf_counter()
    for request in asked:
        backend.complete(request)
    return time.perf_counter() - began


def seconds_together(backend: Any, asked: list[Request]) -> float:
    """All at once."""
    threads = [threading.Thread(target=backend.complete, args=(request,)) for request in asked]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="requests that arrive together, and the socket")
    parser.add_argument("--kind", choices=("llama_cpp", "transformers"), default="llama_cpp")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cwm-bench-") as root:
        os.environ["CWM_LSP_RUNTIME_DIR"] = f"{root}/run"
        model, options = checkpoint(Path(root) / "model"), dict[str, Any](threads=1)
        if args.kind == "llama_cpp":
            model = convert(model, Path(root) / "gguf", "q8_0").parent
        else:
            options["device"] = "cpu"
        began = time.perf_counter()
        alone = load(model, **options)
        loading = time.perf_counter() - began
        shared = SharedBackend(load(model, sequences=args.clients, **options), sequences=args.clients)  # type: ignore[arg-type]
        engine = open_engine(str(model), options, idle=300)
        for backend in (alone, shared, engine):
            backend.complete(Request([1, 2, 3], max_tokens=3))
        taken: dict[str, list[float]] = {"alone": [], "together": [], "engine": []}
        used: dict[str, list[float]] = {"alone": [], "together": []}
        for turn in range(args.repeats):
            asked = requests(args.clients, args.tokens, turn)
            cpu = time.process_time()
            taken["alone"].append(seconds_alone(alone, asked))
            used["alone"].append(time.process_time() - cpu)
            cpu = time.process_time()
            taken["together"].append(seconds_together(shared, asked))
            used["together"].append(time.process_time() - cpu)
            taken["engine"].append(seconds_alone(engine, asked))
        status = engine.supervisor.client().json("GET", "/v1/cwm-lsp/status")
        load_of = shared.load()
        engine.supervisor.client().json("POST", "/v1/cwm-lsp/stop", {})
        engine.supervisor._await_end(10.0)
    count = args.clients * args.tokens
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print(
        json.dumps(
            {
                "kind": args.kind,
                "clients": args.clients,
                "tokens_per_second": {name: round(count / each, 1) for name, each in medians.items()},
                "together_to_alone": round(medians["alone"] / medians["together"], 2),
                "together_to_alone_cpu": round(
                    statistics.median(used["alone"]) / statistics.median(used["together"]), 2
                ),
                "engine_to_alone": round(medians["alone"] / medians["engine"], 2),
                "sequences_per_pass": round(load_of.together / load_of.passes, 2),
                "load_seconds": round(loading, 2),
                "engine_memory": status["memory"],
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
