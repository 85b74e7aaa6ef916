"""What model servers want to be asked, and how they answer: vLLM, SGLang, llama-server, fgserve, our engine.

Each dialect is a pure translation, so recorded answers can test it. Fields that a server leaves out or adds
change nothing. Leaves out the connection (http_client.py) and how a dialect is found (remote_discovery.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from cwm_lsp.model.backend import Priority

ServerName = Literal["engine", "vllm", "sglang", "llama-server", "fgserve"]
# vLLM's and SGLang's priorities: lower goes first.
_PRIORITY: Mapping[str, int] = {"interactive": 0, "prefetch": 10, "background": 20}
_STRONG = 100.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Some tokens to ask for. `top`: how many of the likeliest tokens to tell at each position. `allowed`:
    the first token is one of these (a server that can't promise it is not asked so)."""

    prompt: Sequence[int]
    max_tokens: int
    temperature: float = 0.0
    seed: int | None = None
    stop: frozenset[int] = frozenset()
    top: int = 0
    allowed: Sequence[int] | None = None
    grammar: str | None = None
    priority: Priority = "interactive"


@dataclass(frozen=True, slots=True)
class Told:
    """The answer: ids, for each its log probability (None where the server does not tell), and the likeliest
    ids there. `ended`: the server stopped by itself, at a stop token or the model's end."""

    tokens: list[int]
    logprobs: list[float | None] = field(default_factory=list)
    tops: list[dict[int, float]] = field(default_factory=list)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Features:
    """What a server was found to do."""

    grammar: bool = False
    allowed: bool = False
    top: int = 0
    stop: bool = False
    stream: bool = False
    priority: bool = False


class Malformed(ValueError):  # noqa: N818  (it says what the answer is)
    """The answer is not of the form that the server publishes; the message says what is wrong."""


class Dialect(Protocol):
    """One kind of server."""

    name: ServerName
    path: str

    def body(self, ask: Ask, model: str, features: Features) -> dict[str, Any]:
        """The request's JSON."""

    def read(self, answer: Any) -> Told:
        """The answer's meaning. Raises Malformed."""


class Vllm:
    """vLLM's `/v1/completions` (fields of vllm/entrypoints/openai/completion/protocol.py, 0.33), which our
    engine speaks too."""

    name: ServerName = "vllm"
    path = "/completions"

    def body(self, ask: Ask, model: str, features: Features) -> dict[str, Any]:
        """The request's JSON. What has a default on the server that we don't want is always said."""
        body: dict[str, Any] = {
            "model": model,
            "prompt": list(ask.prompt),
            "max_tokens": ask.max_tokens,
            "temperature": ask.temperature,
            "top_p": 1.0,
            "repetition_penalty": 1.0,
            "ignore_eos": True,
            "stop_token_ids": sorted(ask.stop),
            "skip_special_tokens": False,
            "spaces_between_special_tokens": False,
            "add_special_tokens": False,
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,
        }
        if ask.top:
            body["logprobs"] = ask.top
        if ask.seed is not None:
            body["seed"] = ask.seed
        if ask.allowed is not None:
            body["allowed_token_ids"] = list(ask.allowed)
        if ask.grammar is not None:
            body["structured_outputs"] = {"grammar": ask.grammar}
        if features.priority:
            body["priority"] = _PRIORITY[ask.priority]
        return body

    def read(self, answer: Any) -> Told:
        """The answer's meaning."""
        choice = _first_choice(answer)
        logprobs = choice.get("logprobs") or {}
        if not isinstance(logprobs, Mapping):
            raise Malformed("its logprobs are no object")
        names = [_id_of(name) for name in logprobs.get("tokens") or []]
        tokens = choice.get("token_ids")
        if tokens is None:
            if any(name is None for name in names) or not names:
                raise Malformed("it tells no token ids")
            tokens = names
        ids = _ids(tokens)
        each = _numbers(logprobs.get("token_logprobs") or [], len(ids))
        tops = [_tops(entry) for entry in logprobs.get("top_logprobs") or []]
        return Told(ids, each, tops[: len(ids)], choice.get("finish_reason") == "stop")


class Sglang:
    """SGLang's native `/generate` (its `/v1/completions` tells no ids)."""

    name: ServerName = "sglang"
    path = "/generate"

    def body(self, ask: Ask, model: str, features: Features) -> dict[str, Any]:  # noqa: ARG002
        """The request's JSON."""
        sampling: dict[str, Any] = {
            "max_new_tokens": ask.max_tokens,
            "temperature": ask.temperature,
            "top_p": 1.0,
            "ignore_eos": True,
            "stop_token_ids": sorted(ask.stop),
            "skip_special_tokens": False,
            "spaces_between_special_tokens": False,
            "no_stop_trim": True,
        }
        if ask.allowed is not None:
            sampling["logit_bias"] = {str(token): _STRONG for token in ask.allowed}
        if ask.seed is not None:
            sampling["sampling_seed"] = ask.seed
        body: dict[str, Any] = {
            "input_ids": list(ask.prompt),
            "sampling_params": sampling,
            "stream": False,
            "return_logprob": True,
            "logprob_start_len": -1,
            "top_logprobs_num": ask.top,
        }
        if features.priority:
            body["priority"] = -_PRIORITY[ask.priority]
        return body

    def read(self, answer: Any) -> Told:
        """The answer's meaning."""
        if isinstance(answer, list) and answer:
            answer = answer[0]
        about = answer.get("meta_info") if isinstance(answer, Mapping) else None
        if not isinstance(about, Mapping):
            raise Malformed("it has no meta_info")
        told = about.get("output_token_logprobs") or []
        if not told and not isinstance(answer.get("output_ids"), list):
            raise Malformed("it tells no token ids")
        try:
            pairs = [(float(entry[0]), int(entry[1])) for entry in told]
            tops = [
                {int(each[1]): float(each[0]) for each in entry or []}
                for entry in about.get("output_top_logprobs") or []
            ]
        except (TypeError, ValueError, IndexError, KeyError):
            raise Malformed("its log probabilities can't be read") from None
        ids = [token for _, token in pairs] or _ids(answer["output_ids"])
        reason = about.get("finish_reason")
        kind = reason.get("type") if isinstance(reason, Mapping) else reason
        each: list[float | None] = [value for value, _ in pairs] or [None] * len(ids)
        return Told(ids, each, tops[: len(ids)], kind == "stop")


class LlamaServer:
    """llama-server's native `/completion`. It stops at strings only, so stop tokens are looked for here; its
    grammars (GBNF) are not used: a wrong one ends the server."""

    name: ServerName = "llama-server"
    path = "/completion"

    def body(self, ask: Ask, model: str, features: Features) -> dict[str, Any]:  # noqa: ARG002
        """The request's JSON."""
        body: dict[str, Any] = {
            "prompt": list(ask.prompt),
            "n_predict": ask.max_tokens,
            "temperature": ask.temperature,
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "typical_p": 1.0,
            "repeat_penalty": 1.0,
            "dry_multiplier": 0.0,
            "xtc_probability": 0.0,
            "cache_prompt": True,
            "return_tokens": True,
            "stream": False,
            "n_probs": max(1, ask.top),
            "post_sampling_probs": False,
        }
        if ask.seed is not None:
            body["seed"] = ask.seed
        if ask.allowed is not None:
            body["logit_bias"] = [[token, _STRONG * 10] for token in ask.allowed]
        return body

    def read(self, answer: Any) -> Told:
        """The answer's meaning."""
        if not isinstance(answer, Mapping):
            raise Malformed("it is no object")
        told = answer.get("completion_probabilities") or answer.get("probs") or []
        try:
            ids = [int(entry["id"]) for entry in told]
            each: list[float | None] = [_or_none(entry.get("logprob")) for entry in told]
            tops = [
                {int(top["id"]): float(top["logprob"]) for top in entry.get("top_logprobs") or []}
                for entry in told
            ]
        except (TypeError, ValueError, KeyError, AttributeError):
            raise Malformed("its probabilities can't be read") from None
        tokens = answer.get("tokens")
        if isinstance(tokens, list) and len(tokens) > len(ids):
            ids = _ids(tokens)
            each += [None] * (len(ids) - len(each))
            tops += [{}] * (len(ids) - len(tops))
        if not ids and not isinstance(tokens, list):
            raise Malformed("it tells no token ids")
        return Told(ids, each, tops, answer.get("stop_type") in ("eos", "word"))


class Fgserve:
    """fgserve of the CWM repository: `/completions` with a `tokens` field. No probabilities, no stop tokens,
    no streaming."""

    name: ServerName = "fgserve"
    path = "/completions"

    def body(self, ask: Ask, model: str, features: Features) -> dict[str, Any]:  # noqa: ARG002
        """The request's JSON."""
        return {
            "prompt": list(ask.prompt),
            "max_tokens": ask.max_tokens,
            "temperature": ask.temperature,
            "top_p": 1.0,
        }

    def read(self, answer: Any) -> Told:
        """The answer's meaning."""
        choice = _first_choice(answer)
        if choice.get("tokens") is None:
            raise Malformed("it tells no token ids")
        ids = _ids(choice["tokens"])
        return Told(ids, [None] * len(ids), [{} for _ in ids])


DIALECTS: Mapping[ServerName, Dialect] = {
    "engine": Vllm(),
    "vllm": Vllm(),
    "sglang": Sglang(),
    "llama-server": LlamaServer(),
    "fgserve": Fgserve(),
}


def _first_choice(answer: Any) -> Mapping[str, Any]:
    choices = answer.get("choices") if isinstance(answer, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise Malformed("it has no choices")
    return choices[0]


def _ids(tokens: Any) -> list[int]:
    if not isinstance(tokens, list) or not all(
        isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in tokens
    ):
        raise Malformed("its token ids are none")
    return list(tokens)


def _id_of(name: Any) -> int | None:
    """The id in vLLM's `token_id:123`."""
    text = str(name).removeprefix("token_id:")
    return int(text) if text.isdecimal() and str(name) != text else None


def _tops(entry: Any) -> dict[int, float]:
    if not isinstance(entry, Mapping):
        return {}
    pairs = ((_id_of(name), _or_none(value)) for name, value in entry.items())
    return {token: value for token, value in pairs if token is not None and value is not None}


def _numbers(values: Sequence[Any], count: int) -> list[float | None]:
    each = [_or_none(value) for value in values[:count]]
    return each + [None] * (count - len(each))


def _or_none(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)
