"""Which kind of server answers at an address, and what it can do: found by asking, never assumed.

Leaves out how a request is translated (remote_dialects.py) and made (remote.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.http_client import HttpClient, HttpError
from cwm_lsp.model.remote_dialects import DIALECTS, Ask, Dialect, Features, Malformed, ServerName
from cwm_lsp.model.vocabulary import HfVocabulary

_OWNERS: Mapping[str, ServerName] = {
    "cwm-lsp": "engine",
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llama-server",
}
SAMPLE = 'def f(x):\n    return {"a": x + 1, "b": "ä <|frame_sep|>"}\n'
"""A text that two different tokenizers hardly ever spell alike."""
_TOPS = (20, 5, 1)
_QUICK = 20.0
_LOADING = 900.0


@dataclass(frozen=True, slots=True)
class Found:
    """A server: what it is, the model's name there, and how many tokens it takes (0 if it does not say)."""

    server: ServerName
    model: str
    context: int
    prefix: str
    about: Mapping[str, Any]


def find_server(client: HttpClient, said: ServerName | None, model: str | None) -> Found:
    """Asks what is there. `said` and `model`: what the user says; it is believed. Raises HttpError if nobody
    answers, BackendError if it is no model server."""
    listed, prefix = _models(client)
    first = next((each for each in listed if model is None or each.get("id") == model), None)
    if model is not None and listed and first is None:
        names = ", ".join(str(each.get("id")) for each in listed[:5])
        raise BackendError(f"{client.endpoint.shown} has no model {model}; it has {names}.")
    entry = first or {}
    server = said or _OWNERS.get(str(entry.get("owned_by", "")).lower())
    if server is None:
        server = _guess(client, prefix)
    about: dict[str, Any] = {}
    context = _count(entry.get("max_model_len"))
    if server == "llama-server":
        about = _get(client, "/props") or {}
        context = _count((about.get("default_generation_settings") or {}).get("n_ctx")) or context
    elif server == "sglang":
        about = _get(client, "/get_server_info") or _get(client, "/get_model_info") or {}
        context = context or _count(about.get("context_length")) or _count(about.get("max_req_input_len"))
    elif server == "engine":
        # It answers once its model is loaded, or with the reason why it can't be.
        about = client.json("GET", "/v1/cwm-lsp/hello?wait=1", timeout=_LOADING)
        context = _count(about.get("context"))
    if server in ("sglang", "llama-server"):
        prefix = ""
    return Found(server, str(entry.get("id") or model or ""), context, prefix, about)


def find_features(client: HttpClient, found: Found, vocabulary: HfVocabulary) -> Features:
    """Tries what frames need, with one token each. What fails is not used. Raises HttpError where the server
    can't be asked at all."""
    if found.server == "engine":
        return Features(grammar=True, allowed=True, top=0, stop=True, stream=True, priority=True)
    if found.server == "fgserve":
        return Features()
    dialect = DIALECTS[found.server]
    bos = vocabulary.token("<|begin_of_text|>") if vocabulary.has("<|begin_of_text|>") else 0
    prompt = [bos, *vocabulary.encode(SAMPLE)]
    features = Features(stop=found.server in ("vllm", "sglang"), stream=found.server != "sglang")
    for top in _TOPS:
        features = replace(features, top=top)
        if _works(client, found, dialect, features, Ask(prompt, 1, top=top)):
            break
    else:
        features = replace(features, top=0)
        _check(client, found, dialect, features, Ask(prompt, 1))
    rare = [vocabulary.token(name) for name in sorted(vocabulary.specials())[:2]]
    if rare and _answers(
        client, found, dialect, features, ask=Ask(prompt, 1, allowed=rare), wanted=set(rare)
    ):
        features = replace(features, allowed=True)
    if found.server == "vllm":
        features = replace(features, priority=True)
        if not _works(client, found, dialect, features, Ask(prompt, 1, priority="background")):
            features = replace(features, priority=False)
        name = next((each for each in ("<|line_sep|>", *vocabulary.specials()) if vocabulary.has(each)), None)
        if name is not None:
            ask = Ask(prompt, 1, grammar=f"start: {name}\n")
            works = _answers(client, found, dialect, features, ask=ask, wanted={vocabulary.token(name)})
            features = replace(features, grammar=works)
    return features


def check_tokenizer(client: HttpClient, found: Found, vocabulary: HfVocabulary, where: str) -> None:
    """Raises BackendError if the server spells a text with other ids than we do."""
    body: dict[str, Any]
    if found.server == "vllm":
        path, body = "/tokenize", {"model": found.model, "prompt": SAMPLE, "add_special_tokens": False}
    elif found.server == "llama-server":
        path, body = "/tokenize", {"content": SAMPLE, "add_special": False, "parse_special": False}
    else:
        return
    ours = vocabulary.encode(SAMPLE)
    theirs = None
    with suppress(HttpError):
        theirs = (_post(client, path, body) or {}).get("tokens")
    # vLLM reads special tokens in a text; then only what comes before the one in the sample is compared.
    same = len(vocabulary.encode(SAMPLE.partition("<|")[0])) - 1 if found.server == "vllm" else len(ours)
    if isinstance(theirs, list) and theirs[:same] != ours[:same]:
        raise BackendError(
            f"The tokenizer in {where} is not that of the model at {client.endpoint.shown}: "
            "name the model's own as tokenizer in [backend]."
        )


def _models(client: HttpClient) -> tuple[list[dict[str, Any]], str]:
    """What `/v1/models` lists, and the prefix under which it was found. An address may end with /v1."""
    for prefix in ("/v1", ""):
        try:
            answer = client.json("GET", f"{prefix}/models", timeout=_QUICK)
        except HttpError as error:
            if error.status not in (404, 405):
                raise
            continue
        data = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(data, list):
            return [each for each in data if isinstance(each, dict)], prefix
    return [], ""


def _guess(client: HttpClient, prefix: str) -> ServerName:
    """The kind of a server that does not name itself in /models."""
    if _get(client, "/props"):
        return "llama-server"
    if _get(client, "/get_model_info"):
        return "sglang"
    version = _get(client, "/version")
    if isinstance(version, dict) and "version" in version:
        return "vllm"
    for path, server in ((f"{prefix}/completions", "vllm"), ("/completions", "fgserve")):
        with suppress(HttpError, Malformed):
            answer = _post(client, path, {"prompt": [0], "max_tokens": 1, "return_token_ids": True})
            choices = answer.get("choices") if isinstance(answer, dict) else None
            if choices and "tokens" in choices[0]:
                return "fgserve"
            if choices and choices[0].get("token_ids") is not None:
                return "vllm" if server == "vllm" else "fgserve"
    raise BackendError(
        f"{client.endpoint.shown} is no server that takes and gives token ids; vLLM, SGLang, llama-server, "
        f"fgserve "
        "and cwm-lsp engine do (set server in [backend] if it is one of them)."
    )


def _works(client: HttpClient, found: Found, dialect: Dialect, features: Features, ask: Ask) -> bool:
    try:
        _check(client, found, dialect, features, ask)
    except HttpError as error:
        if error.status in (400, 404, 405, 422, 500, 501):
            return False
        raise
    except Malformed:
        return False
    return True


def _answers(
    client: HttpClient, found: Found, dialect: Dialect, features: Features, *, ask: Ask, wanted: set[int]
) -> bool:
    """True if the first token is one of those that were wanted."""
    with suppress(HttpError, Malformed):
        told = dialect.read(
            _post(client, found.prefix + dialect.path, dialect.body(ask, found.model, features))
        )
        return bool(told.tokens) and told.tokens[0] in wanted
    return False


def _check(client: HttpClient, found: Found, dialect: Dialect, features: Features, ask: Ask) -> None:
    told = dialect.read(_post(client, found.prefix + dialect.path, dialect.body(ask, found.model, features)))
    if features.top and not any(told.tops):
        raise Malformed("it tells no probabilities")


def _post(client: HttpClient, path: str, body: dict[str, Any]) -> Any:
    return client.json("POST", path, body, timeout=60.0)


def _get(client: HttpClient, path: str) -> Any:
    try:
        return client.json("GET", path, timeout=_QUICK)
    except HttpError as error:
        if error.status or "no JSON" in str(error):
            return None
        raise


def _count(value: Any) -> int:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
