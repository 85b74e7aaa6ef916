"""cwm-mini behind every exact backend predicts the same traces; programs that share an engine share one copy
of the weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cwm_lsp.model.catalog import load
from cwm_lsp.model.engine_client import open_engine
from cwm_lsp.model.remote import connect
from cwm_lsp.source.calls import calls_in
from cwm_lsp.source.document import Document
from cwm_lsp.world.budgets import Budgets
from cwm_lsp.world.predictors import predictor_for
from cwm_lsp.world.simulation import Simulation
from tests.model.conformance import need_llama, stop_engine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
MINI = ROOT / "models" / "cwm-mini" / "checkpoint"
PROGRAMS = ("strawberry", "fizzbuzz", "gcd", "bank", "recover", "binary_search", "collatz")


def trace(backend: Any, program: str) -> Any:
    document = Document.from_file(ROOT / "examples" / f"{program}.py")
    simulation = Simulation.start(
        document, calls_in(document)[0].text, predictor_for(backend), "flow", Budgets(frames=60)
    )
    list(simulation.run())
    end = simulation.end
    assert end is not None
    frames = [
        (f.event, f.function, f.line, f.depth, {n: v.repr for n, v in f.locals.items()}, f.arg and f.arg.repr)
        for f in simulation.frames
    ]
    return frames, end.reason, end.value, end.message


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Any]:
    if kind == "transformers":
        backend = load(MINI, dtype="float32", device="cpu", threads=1)
        yield backend
        backend.close()
    elif kind == "llama.cpp":
        need_llama()
        from cwm_lsp.model.gguf_convert import convert

        backend = load(convert(MINI, folder / "mini", "f32").parent, kv="f32", threads=1)
        yield backend
        backend.close()
    else:
        if kind == "engine":
            engine = open_engine("cwm-mini", {"threads": 1}, idle=60)
            yield engine
            stop_engine(engine)
        else:
            process = subprocess.Popen(
                [sys.executable, "-m", "cwm_lsp", "engine", "run", str(MINI), "--tcp", "0", "--idle", "60"],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            try:
                from cwm_lsp.model.engine_paths import Place

                spot = Place.of(str(MINI), {})
                deadline = time.monotonic() + 90
                while not spot.read_state().get("port"):
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                os.environ["CWM_LSP_API_KEY"] = spot.read_state()["token"]
                yield connect(f"http://127.0.0.1:{spot.read_state()['port']}/v1", patience=60.0)
            finally:
                os.environ.pop("CWM_LSP_API_KEY", None)
                process.terminate()
                process.wait(20)


@pytest.mark.parametrize("kind", ["transformers", "llama.cpp", "engine", "remote"])
def test_the_same_traces(kind: str, engine_folder: Path, tmp_path: Path) -> None:
    embedded = load("cwm-mini")
    with opened(kind, tmp_path) as backend:
        for program in PROGRAMS:
            assert trace(backend, program) == trace(embedded, program), program


CLIENT = """
import json, sys
from cwm_lsp.model.engine_client import open_engine
from cwm_lsp.model.backend import Request
backend = open_engine(sys.argv[1], json.loads(sys.argv[2]))
backend.complete(Request([5, 6, 7], max_tokens=4))
with open("/proc/self/smaps_rollup") as file:
    own = sum(int(line.split()[1]) for line in file if line.startswith("Private_"))
print(json.dumps({"pid": backend.supervisor.hello()["pid"], "own": own * 1024}), flush=True)
sys.stdin.read()
"""


def test_four_programs_share_one_copy_of_the_weights(engine_folder: Path, tmp_path: Path) -> None:
    """Two editors, a command line and a debug session, as processes: the engine holds the weights, none of
    them does."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tests.model.full_vocabulary import CWM_IDS, SIZE, full_tokenizer_json

    config = transformers.CwmConfig(
        vocab_size=SIZE, hidden_size=1024, intermediate_size=1024, num_hidden_layers=2, num_attention_heads=8,
        num_key_value_heads=2, head_dim=128, sliding_window=64, bos_token_id=CWM_IDS["<|begin_of_text|>"],
        eos_token_id=[CWM_IDS["<|end_of_text|>"]], pad_token_id=None,
    )  # fmt: skip
    transformers.CwmForCausalLM(config).save_pretrained(tmp_path)
    del torch
    (tmp_path / "tokenizer.json").write_text(full_tokenizer_json(), encoding="utf-8")
    weights = (tmp_path / "model.safetensors").stat().st_size
    assert weights > 1e9
    options = {"device": "cpu", "threads": 1, "dtype": "float32"}
    with ExitStack() as stack:
        clients = []
        for _ in range(4):
            clients.append(
                subprocess.Popen(
                    [sys.executable, "-c", CLIENT, str(tmp_path), json.dumps(options)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
                )
            )  # fmt: skip
            stack.callback(clients[-1].kill)
        told = [json.loads(client.stdout.readline()) for client in clients if client.stdout]
        assert len({each["pid"] for each in told}) == 1
        backend = open_engine(str(tmp_path), options)
        status = backend.supervisor.client().json("GET", "/v1/cwm-lsp/status")
        print(
            json.dumps({"weights": weights, "engine": status["memory"], "clients": [e["own"] for e in told]})
        )
        assert status["memory"] < 1.9 * weights
        assert max(each["own"] for each in told) < 0.35 * weights
        stop_engine(backend)
