"""What the conformance suite runs on: one small random Cwm with CWM's whole vocabulary, behind every backend.

The windows are far smaller than the sequences, so what is cut, forked and rewound crosses them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.model.full_vocabulary import CWM_IDS, EOS, SIZE, full_tokenizer_json

WINDOW = 48
CONTEXT = 2048
SERVER_VARIABLE = "CWM_LSP_TEST_LLAMA_SERVER"
"""The path of a llama-server (tests/model/get_llama_server.sh unpacks one beside the system)."""


def checkpoint(folder: Path) -> Path:
    """A CwmForCausalLM of 17 M weights, nearly all of them in embedding and output."""
    import torch
    import transformers

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = transformers.CwmConfig(
        vocab_size=SIZE,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=CONTEXT,
        sliding_window=WINDOW,
        layer_types=["full_attention", "sliding_attention", "sliding_attention", "full_attention"],
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 1e6,
            "factor": 16.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 256,
        },
        bos_token_id=CWM_IDS["<|begin_of_text|>"],
        eos_token_id=list(EOS),
        pad_token_id=None,
    )
    model = transformers.CwmForCausalLM(config).eval()
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, 0.0, 0.18)
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(full_tokenizer_json(), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Kind:
    """One backend of the suite. `tolerance`: how far a token's log probability may be from that of
    transformers in float32; None where the weights are others. `exact`: tokens are those of float32."""

    name: str
    make: Callable[[Folders], contextlib.AbstractContextManager[Any]]
    tolerance: float | None
    exact: bool = False
    # How far two ways to compute the same may be apart (batches of other sizes round otherwise).
    repeat: float = 1e-3


class Folders:
    """The checkpoint, and GGUFs of it made when they are asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.checkpoint = checkpoint(root / "checkpoint")

    def gguf(self, quant: Any) -> Path:
        from cwm_lsp.model.gguf_convert import convert

        folder = self.root / f"gguf-{quant}"
        if not folder.is_dir():
            convert(self.checkpoint, folder, quant)
        return folder


def transformers_kind(dtype: str) -> Callable[[Folders], contextlib.AbstractContextManager[Any]]:
    @contextlib.contextmanager
    def make(folders: Folders) -> Iterator[Any]:
        if dtype in ("int8", "nf4"):
            pytest.importorskip("bitsandbytes")
            pytest.importorskip("accelerate")
        from cwm_lsp.model.transformers import TransformersBackend

        backend = TransformersBackend(folders.checkpoint, dtype=dtype, device="cpu", threads=1)
        yield backend
        backend.close()

    return make


def llama_kind(quant: str, kv: str) -> Callable[[Folders], contextlib.AbstractContextManager[Any]]:
    @contextlib.contextmanager
    def make(folders: Folders) -> Iterator[Any]:
        need_llama()
        from cwm_lsp.model.llama_cpp import LlamaBackend

        backend = LlamaBackend(folders.gguf(quant), kv=kv, threads=1)
        yield backend
        backend.close()

    return make


def need_llama() -> None:
    """Skips where llama.cpp isn't: it has no wheels, and compiling it takes minutes."""
    pytest.importorskip("gguf", reason="needs gguf: pip install 'cwm-lsp[llama]'")
    pytest.importorskip(
        "llama_cpp", reason="needs llama-cpp-python, which must be compiled: 'cwm-lsp[llama]'"
    )


@contextlib.contextmanager
def engine_kind(folders: Folders) -> Iterator[Any]:
    from cwm_lsp.model.engine_client import open_engine

    backend = open_engine(str(folders.checkpoint), {"device": "cpu", "threads": 1}, idle=60)
    yield backend
    stop_engine(backend)


def stop_engine(backend: Any) -> None:
    """Ends the engine and this client."""
    with contextlib.suppress(Exception):
        backend.supervisor.client().json("POST", "/v1/cwm-lsp/stop", {}, timeout=10.0)
        backend.supervisor._await_end(10.0)
    backend.close()


@contextlib.contextmanager
def llama_engine_kind(folders: Folders) -> Iterator[Any]:
    need_llama()
    from cwm_lsp.model.engine_client import open_engine

    backend = open_engine(str(folders.gguf("f32")), {"kv": "f32", "threads": 1}, idle=60)
    yield backend
    stop_engine(backend)


@contextlib.contextmanager
def llama_server_kind(folders: Folders) -> Iterator[Any]:
    need_llama()
    from cwm_lsp.model.remote import connect

    with llama_server(folders.gguf("f32")) as url:
        backend = connect(url, tokenizer=folders.checkpoint, timeout=60.0)
        yield backend
        backend.close()


@contextlib.contextmanager
def llama_server(folder: Path, *more: str) -> Iterator[str]:
    """A real llama-server on a GGUF, and its address."""
    program = os.environ.get(SERVER_VARIABLE) or shutil.which("llama-server")
    if program is None:
        pytest.skip(f"no llama-server (set {SERVER_VARIABLE})")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "-m", str(folder / "model.gguf"), "--host", "127.0.0.1", "--port", str(port)]
    command += ["-c", str(4 * CONTEXT), "-t", "1", "-np", "4", "--no-kv-unified", "--swa-full", "-fa", "off"]
    command += ["-ctk", "f32", "-ctv", "f32", "--no-warmup", *more]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert server.poll() is None, "llama-server ended"
            assert time.monotonic() < deadline, "llama-server does not answer"
            health = f"http://127.0.0.1:{port}/health"
            with contextlib.suppress(OSError), urllib.request.urlopen(health, timeout=2):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(20)


KINDS = [
    Kind("transformers-float32", transformers_kind("float32"), 2e-3, exact=True),
    Kind("transformers-bfloat16", transformers_kind("bfloat16"), 0.6, repeat=0.3),
    Kind("transformers-int8", transformers_kind("int8"), 2.0, repeat=0.5),
    Kind("transformers-nf4", transformers_kind("nf4"), None, repeat=1.0),
    Kind("llama.cpp-f32", llama_kind("f32", "f32"), 2e-3, exact=True),
    Kind("llama.cpp-f16", llama_kind("f16", "f16"), 0.1, repeat=0.05),
    Kind("llama.cpp-q8_0", llama_kind("q8_0", "f16"), 1.5, repeat=0.6),
    Kind("engine-transformers", engine_kind, 2e-3, exact=True),
    Kind("engine-llama.cpp", llama_engine_kind, 2e-3, exact=True),
    Kind("llama-server", llama_server_kind, 2e-3, exact=True),
]
