"""What an engine does, without HTTP: the model it loads, the requests it answers, what it tells about itself.

Requests and answers are JSON in the form of vLLM's completions, with fields of ours beside them. Leaves out
the connections (engine_server.py) and the process (engine_process.py).
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from cwm_lsp import __version__
from cwm_lsp.model.backend import BackendError, Cancel, Completion, Description, Priority, Request
from cwm_lsp.model.engine_paths import PROTOCOL
from cwm_lsp.model.shared import SharedBackend
from cwm_lsp.model.streaming import Emit

Loader = Callable[[Callable[[str, float], None]], SharedBackend]
"""Loads the model; is given a function to tell progress, 0 to 1."""

_PRIORITIES: Mapping[int, Priority] = {0: "interactive", 10: "prefetch", 20: "background"}
_SPEED_WINDOW = 60.0


class NotReadyError(BackendError):
    """The engine can't answer: loading failed, or it is about to end."""


class Service:
    """One model and its requests."""

    def __init__(self, model: str, loader: Loader) -> None:
        self.model = model
        self.started = time.time()
        self.last_used = time.monotonic()
        self.answered = 0
        self.failed = 0
        self._loader = loader
        self._ready = threading.Event()
        self._backend: SharedBackend | None = None
        self._failure: str | None = None
        self._progress = ("starting", 0.0)
        self._open = 0
        self._lock = threading.Lock()
        self._recent: deque[tuple[float, int]] = deque(maxlen=4096)
        self._tokenizer: dict[str, Any] | None = None

    def load(self) -> None:
        """Loads the model, in the calling thread."""
        try:
            self._backend = self._loader(self._tell)
        except BackendError as error:
            self._failure = str(error)
        except MemoryError:
            self._failure = (
                f"There is not enough memory to load {self.model}; use fewer bits, a smaller context, a "
                f"shared "
                "server, or cwm-mini."
            )
        except Exception as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            self._failure = f"Loading {self.model} failed: {lines[0].rstrip('.')[:200]}."
        self._ready.set()
        self.last_used = time.monotonic()

    @property
    def failure(self) -> str | None:
        """Why the model could not be loaded."""
        return self._failure

    @property
    def busy(self) -> bool:
        """True while a request is under way."""
        return self._open > 0

    @property
    def state(self) -> str:
        """loading, ready or failed."""
        if not self._ready.is_set():
            return "loading"
        return "ready" if self._failure is None else "failed"

    def idle_for(self) -> float:
        """Seconds since the last request ended."""
        return 0.0 if self.busy or not self._ready.is_set() else time.monotonic() - self.last_used

    def hello(self, *, wait: bool) -> dict[str, Any]:
        """Who this is. With `wait` only once the model is loaded; raises NotReadyError if it can't be."""
        about: dict[str, Any] = {
            "protocol": PROTOCOL,
            "version": __version__,
            "pid": os.getpid(),
            "model": self.model,
            "state": self.state,
            "doing": self._progress[0],
            "progress": round(self._progress[1], 3),
        }
        if wait or self.state == "ready":
            described = self._loaded().describe()
            about |= _description(described) | {"state": "ready"}
        return about

    def models(self) -> dict[str, Any]:
        """The list of models, in OpenAI's form."""
        entry: dict[str, Any] = {"id": self.model, "object": "model", "owned_by": "cwm-lsp"}
        return {"object": "list", "data": [entry]}

    def tokenizer(self) -> dict[str, Any]:
        """The model's tokenizer.json and end tokens."""
        if self._tokenizer is None:
            vocabulary = self._loaded().vocabulary
            self._tokenizer = {"tokenizer": vocabulary.to_json(), "eos": list(vocabulary.eos)}
        return self._tokenizer

    def status(self) -> dict[str, Any]:
        """What goes on: memory, queue, speed."""
        now = time.monotonic()
        recent = [(at, tokens) for at, tokens in self._recent if now - at < _SPEED_WINDOW]
        told = {
            **self.hello(wait=False),
            "uptime": round(time.time() - self.started, 1),
            "idle": round(self.idle_for(), 1),
            "memory": memory_of_this_process(),
            "answered": self.answered,
            "failed": self.failed,
            "requests_per_second": round(len(recent) / _SPEED_WINDOW, 2),
            "tokens_per_second": round(sum(tokens for _, tokens in recent) / _SPEED_WINDOW, 1),
        }
        if self._failure is not None:
            told["failure"] = self._failure
        if self._backend is not None:
            load = self._backend.load()
            told |= {
                "queued": load.queued,
                "running": load.running,
                "by_priority": load.by_priority,
                "passes": load.passes,
                "sequences_per_pass": round(load.together / load.passes, 2) if load.passes else 0.0,
            }
        return told

    def complete(self, body: Any, cancel: Cancel, emit: Emit | None = None) -> dict[str, Any]:
        """One completion. Raises BackendError."""
        request = _request(body, cancel)
        with self._counted():
            completion = self._loaded().complete_and_emit(request, emit)
            self._recent.append((time.monotonic(), len(completion.tokens)))
        return _answer(completion, self.model)

    def score(self, body: Any) -> dict[str, Any]:
        """The log probabilities of texts. Raises BackendError."""
        try:
            prompt, options = _ids(body["prompt"]), [_ids(each) for each in body["options"]]
        except (KeyError, TypeError) as error:
            raise BackendError("The request is no object with prompt and options.") from error
        with self._counted():
            return {"scores": self._loaded().score(prompt, options)}

    def close(self) -> None:
        """Frees the model."""
        if self._backend is not None:
            self._backend.close()

    def _loaded(self) -> SharedBackend:
        self._ready.wait()
        if self._backend is None:
            raise NotReadyError(self._failure or "The engine has no model.")
        return self._backend

    def _counted(self) -> _Counted:
        return _Counted(self)

    def _tell(self, doing: str, part: float) -> None:
        self._progress = (doing, part)

    def begin(self) -> None:
        """A request begins."""
        with self._lock:
            self._open += 1

    def end(self, *, failed: bool) -> None:
        """A request ended."""
        with self._lock:
            self._open -= 1
            self.last_used = time.monotonic()
            if failed:
                self.failed += 1
            else:
                self.answered += 1


class _Counted:
    """Counts a request while it is under way."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __enter__(self) -> None:
        self._service.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._service.end(failed=kind is not None)


def _description(about: Description) -> dict[str, Any]:
    return {
        "name": about.name,
        "backend": about.backend,
        "codec": about.codec,
        "parameters": about.parameters,
        "context": about.context,
        "details": about.details,
    }


def _request(body: Any, cancel: Cancel) -> Request:
    """A request out of JSON. Raises BackendError with what is wrong about it."""
    if not isinstance(body, Mapping):
        raise BackendError("The request is no JSON object.")
    structured = body.get("structured_outputs") or {}
    grammar = structured.get("grammar") if isinstance(structured, Mapping) else None
    try:
        return Request(
            prompt=_ids(body.get("prompt")),
            stop=frozenset(_ids(body.get("stop_token_ids") or [])),
            max_tokens=_number(body, "max_tokens", 16),
            grammar=None if grammar is None else str(grammar),
            temperature=max(0.0, float(body.get("temperature") or 0.0)),
            logprobs=body.get("logprobs") is not None,
            priority=_PRIORITIES.get(_number(body, "priority", 0), "background"),
            cancel=cancel,
            seed=None if body.get("seed") is None else _number(body, "seed", 0),
            draft=_ids(body.get("draft") or []),
        )
    except (TypeError, ValueError) as error:
        raise BackendError(f"The request can't be read: {error}.") from error


def _number(body: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = body.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is no whole number")
    return int(value)


def _ids(value: Any) -> list[int]:
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise BackendError("A prompt is a list of token ids; this engine takes no text.")
    return value


def _answer(completion: Completion, model: str) -> dict[str, Any]:
    """A completion in vLLM's form, and what that has no place for."""
    timing = completion.timing
    finish = {"stop": "stop", "grammar": "stop", "length": "length", "cancelled": "abort"}[completion.reason]
    return {
        "object": "text_completion",
        "model": model,
        "choices": [
            {
                "index": 0,
                "text": "",
                "finish_reason": finish,
                "token_ids": list(completion.tokens),
                "logprobs": {
                    "tokens": [f"token_id:{token}" for token in completion.tokens],
                    "token_logprobs": list(completion.logprobs),
                },
                "cwm_lsp": {
                    "reason": completion.reason,
                    "choice_logprobs": list(completion.choice_logprobs),
                    "forced": [int(each) for each in completion.forced],
                    "timing": [timing.seconds, timing.prompt_tokens, timing.reused_tokens, timing.passes],
                },
            }
        ],
        "usage": {
            "prompt_tokens": timing.prompt_tokens + timing.reused_tokens,
            "completion_tokens": len(completion.tokens),
            "total_tokens": timing.prompt_tokens + timing.reused_tokens + len(completion.tokens),
        },
    }


def memory_of_this_process() -> int:
    """Bytes of main memory that this process holds; 0 where the system does not say."""
    try:
        import resource

        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    except (ImportError, OSError, ValueError, IndexError):
        return 0
