"""Model servers in the form of vLLM, SGLang and fgserve, with a real small model behind them.

They follow what these projects publish (see tests/fixtures/servers/README.md) and can be told to misbehave.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from cwm_lsp.model.backend import Request
from cwm_lsp.model.runner import as_ids


@dataclass
class Fake:
    """One server. `faults`: what happens to the next POSTs, one each: a status, `drop`, `garbage`, `hang`,
    `foreign` (tokens that no vocabulary has), `wrong` (another form)."""

    kind: str
    backend: Any
    grammar: bool = False
    allowed: bool = True
    most_tops: int = 20
    key: str = ""
    faults: list[Any] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    open: list[socket.socket] = field(default_factory=list)

    def tokens(self, prompt: list[int], count: int, stop: set[int], allowed: Any, top: int) -> list[Any]:
        """(token, log probability, likeliest) of a greedy run."""
        runner, found = self.backend.runner, []
        with self.lock:
            cache = runner.new()
            logits = np.array(cache.extend(as_ids(prompt)), np.float64)
            while len(found) < count:
                logps = logits - logits.max()
                logps -= np.log(np.exp(logps).sum())
                usable = logps.copy()
                if allowed is not None:
                    usable[:] = -np.inf
                    usable[allowed] = logps[allowed]
                token = int(usable.argmax())
                likeliest = np.argsort(-logps)[:top].tolist()
                found.append((token, float(logps[token]), {i: float(logps[i]) for i in likeliest}))
                if token in stop:
                    break
                logits = np.array(cache.extend(as_ids([token])), np.float64)
            cache.free()
        return found

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """What the server says."""
        if self.kind == "sglang" and path == "/generate":
            return 200, self._sglang(body)
        if self.kind == "fgserve" and path == "/completions":
            return self._fgserve(body)
        if self.kind == "vllm" and path == "/v1/completions":
            return self._vllm(body)
        if self.kind == "vllm" and path == "/tokenize":
            return 200, {
                "tokens": self.backend.vocabulary.encode(body["prompt"]),
                "count": 1,
                "max_model_len": 9,
            }
        return 404, {"detail": "Not Found"}

    def _vllm(self, body: dict[str, Any]) -> tuple[int, Any]:
        if (body.get("logprobs") or 0) > self.most_tops:
            return 400, {"error": {"message": f"logprobs must be at most {self.most_tops}", "code": 400}}
        if body.get("priority"):
            return 400, {"error": {"message": "priority scheduling is not enabled", "code": 400}}
        guided = (body.get("structured_outputs") or {}).get("grammar") if self.grammar else None
        allowed = body.get("allowed_token_ids") if self.allowed else None
        top = body.get("logprobs") or 0
        if guided is not None:
            done = self.backend.complete(
                Request(body["prompt"], frozenset(body["stop_token_ids"]), body["max_tokens"], guided)
            )
            found = [(t, v, {t: v}) for t, v in zip(done.tokens, done.logprobs, strict=True)]
        else:
            found = self.tokens(body["prompt"], body["max_tokens"], set(body["stop_token_ids"]), allowed, top)
        named = [f"token_id:{token}" for token, _, _ in found]
        stopped = bool(found) and found[-1][0] in body["stop_token_ids"]
        logprobs = {
            "text_offset": [0] * len(found),
            "token_logprobs": [value for _, value, _ in found],
            "tokens": named,
            "top_logprobs": [{f"token_id:{i}": v for i, v in tops.items()} for _, _, tops in found],
        }
        choice = {
            "index": 0,
            "text": "",
            "logprobs": logprobs if top else None,
            "finish_reason": "stop" if stopped else "length",
            "stop_reason": found[-1][0] if stopped else None,
            "token_ids": [token for token, _, _ in found],
            "a_field_of_tomorrow": 1,
        }
        return 200, {
            "id": "cmpl-1",
            "object": "text_completion",
            "model": "m",
            "choices": [choice],
            "usage": {},
        }

    def _sglang(self, body: dict[str, Any]) -> Any:
        sampling = body["sampling_params"]
        bias = sampling.get("logit_bias")
        allowed = None if bias is None else [int(token) for token in bias]
        found = self.tokens(
            body["input_ids"],
            sampling["max_new_tokens"],
            set(sampling["stop_token_ids"]),
            allowed,
            body["top_logprobs_num"],
        )
        return {
            "text": "",
            "output_ids": [token for token, _, _ in found],
            "meta_info": {
                "finish_reason": {"type": "length"},
                "output_token_logprobs": [[value, token, None] for token, value, _ in found],
                "output_top_logprobs": [[[v, i, None] for i, v in tops.items()] for _, _, tops in found],
            },
        }

    def _fgserve(self, body: dict[str, Any]) -> tuple[int, Any]:
        known = {"prompt", "temperature", "top_p", "max_tokens", "min_tokens", "model", "n", "stop"}
        known.add("return_token_ids")
        if not set(body) <= known or isinstance(body.get("stop"), list):
            return 500, {"message": "validation error"}
        found = self.tokens(body["prompt"], body["max_tokens"], set(), None, 0)
        choice = {"index": 0, "text": "", "tokens": [token for token, _, _ in found], "logprobs": None}
        return 200, {"id": "1", "choices": [choice | {"finish_reason": "length"}], "model": None}

    def get(self, path: str) -> tuple[int, Any]:
        """What a GET finds."""
        if self.kind in ("vllm", "sglang") and path == "/v1/models":
            entry = {"id": "m", "object": "model", "owned_by": self.kind, "root": "m", "parent": None}
            return 200, {"object": "list", "data": [entry | {"max_model_len": 1500}]}
        if self.kind == "sglang" and path == "/get_server_info":
            return 200, {"context_length": 1500, "version": "0.5.23"}
        return 404, {"detail": "Not Found"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: Fake

    def setup(self) -> None:
        super().setup()
        self.fake.open.append(self.connection)

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._say(*(self.fake.get(self.path) if self._key() else (401, {"error": "Unauthorized"})))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake = self.fake
        if not self._key():
            self._say(401, {"error": "Unauthorized"})
            return
        fake.asked.append(body)
        fault = fake.faults.pop(0) if fake.faults else None
        if fault is None:
            self._say(*fake.answer(self.path, body))
        elif isinstance(fault, int):
            self._say(fault, {"error": {"message": "not now"}}, {"Retry-After": "0"} if fault == 429 else {})
        elif fault == "drop":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
        elif fault == "garbage":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<html>...")
            self.close_connection = True
        elif fault == "hang":
            threading.Event().wait(3)
            self.close_connection = True
        elif fault == "wrong":
            self._say(200, {"choices": "none"})
        elif fault == "foreign":
            self._say(200, {"choices": [{"token_ids": [10**7], "logprobs": None, "tokens": [10**7]}]})

    def _key(self) -> bool:
        return not self.fake.key or self.headers.get("Authorization") == f"Bearer {self.fake.key}"

    def _say(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def serving(fake: Fake, port: int = 0, certificate: Path | None = None) -> Iterator[Fake]:
    """The server at work; `certificate` is a PEM with its key, for TLS."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    server.block_on_close = False
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    fake.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        for connection in fake.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
