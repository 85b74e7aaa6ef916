"""The remote backend: a model behind vLLM, SGLang, llama-server, fgserve or a cwm-lsp engine.

The server's answer is untrusted: ids are checked, and what breaks the grammar is decided again here. Leaves
out the connection (http_client.py), the servers' forms (remote_dialects.py) and the shared process of this
machine (engine_client.py).
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from cwm_lsp.model.backend import BackendError, Completion, Description, Request, StopReason, Timing
from cwm_lsp.model.folder import Codec
from cwm_lsp.model.grammar import Grammars
from cwm_lsp.model.http_client import CancelledError, Endpoint, HttpClient
from cwm_lsp.model.remote_choices import Choosing, among
from cwm_lsp.model.remote_dialects import DIALECTS, Ask, Features, Malformed, ServerName, Told
from cwm_lsp.model.remote_discovery import Found, check_tokenizer, find_features, find_server
from cwm_lsp.model.remote_score import score
from cwm_lsp.model.retry import with_retries
from cwm_lsp.model.streaming import Emit, streamed
from cwm_lsp.model.vocabulary import HfVocabulary

KEY_VARIABLE = "CWM_LSP_API_KEY"
_RUN = 64


class RemoteBackend:
    """A backend over a server. Made by `connect`."""

    def __init__(
        self,
        client: HttpClient,
        found: Found,
        features: Features,
        *,
        vocabulary: HfVocabulary,
        description: Description,
        patience: float,
    ) -> None:
        self._client: HttpClient | None = client
        self._found = found
        self._dialect = DIALECTS[found.server]
        self.features = features
        self._vocabulary = vocabulary
        self._description = description
        self._patience = patience
        self._grammars = Grammars(vocabulary)

    @property
    def vocabulary(self) -> HfVocabulary:
        """The model's vocabulary."""
        return self._vocabulary

    def complete(self, request: Request) -> Completion:
        """Answers one request."""
        return self._complete(request, None)

    def stream(self, request: Request) -> AsyncIterator[tuple[int, ...]]:
        """The tokens of `complete` in runs, as they become certain."""
        return streamed(self._complete, request)

    def describe(self) -> Description:
        """What this is."""
        return self._description

    def close(self) -> None:
        """Closes the connections; a later call raises BackendError."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _complete(self, request: Request, emit: Emit | None) -> Completion:
        self._check(request.prompt)
        try:
            if request.grammar is None:
                return self._plain(request, emit)
            if self.features.grammar:
                answer = self._by_server(request)
                if answer is not None:
                    if emit is not None and answer.tokens:
                        emit(answer.tokens)
                    return answer
            matcher = self._grammars.checkout(request.grammar)
            answer = Choosing(
                lambda ask: self._ask(ask, request),
                self._vocabulary,
                self.features,
                request,
                matcher=matcher,
                emit=emit,
            ).complete()
            self._grammars.checkin(request.grammar, matcher)
        except CancelledError:
            return Completion((), (), (), (), "cancelled")
        return answer

    def _plain(self, request: Request, emit: Emit | None) -> Completion:
        """Without a grammar. A server that knows no stop tokens is asked in runs."""
        began = time.perf_counter()
        tokens: list[int] = []
        logprobs: list[float] = []
        reason: StopReason = "length"
        asked = 0
        while reason == "length" and len(tokens) < request.max_tokens:
            left = request.max_tokens - len(tokens)
            count = left if self.features.stop or not request.stop else min(left, _RUN)
            seed = request.seed
            told = self._ask(
                Ask(
                    [*request.prompt, *tokens],
                    count,
                    temperature=request.temperature,
                    seed=None if seed is None else seed + asked,
                    stop=request.stop,
                    top=1 if self.features.top and request.logprobs else 0,
                    priority=request.priority,
                ),
                request,
            )
            asked += 1
            end = next((i + 1 for i, token in enumerate(told.tokens) if token in request.stop), None)
            run = told.tokens[:end]
            if end is not None:
                reason = "stop"
            if not run:
                break
            tokens += run
            each = [0.0 if value is None else min(0.0, value) for value in told.logprobs[: len(run)]]
            logprobs += each + [0.0] * (len(run) - len(each))
            if emit is not None:
                emit(tuple(run))
        timing = Timing(time.perf_counter() - began, len(request.prompt), 0, asked)
        free = (False,) * len(tokens)
        return Completion(tuple(tokens), tuple(logprobs), tuple(logprobs), free, reason, timing)

    def _by_server(self, request: Request) -> Completion | None:
        """The answer of a server that knows the grammar, held to it here too; None if it broke it."""
        began = time.perf_counter()
        grammar = request.grammar
        assert grammar is not None
        told = self._ask(
            Ask(
                request.prompt,
                request.max_tokens,
                temperature=request.temperature,
                seed=request.seed,
                stop=request.stop,
                top=self.features.top,
                grammar=grammar,
                priority=request.priority,
            ),
            request,
        )
        matcher = self._grammars.checkout(grammar)
        logprobs, choices, forced = list[float](), list[float](), list[bool]()
        reason: StopReason | None = None
        tokens: list[int] = []
        start, forced_left = 0, 0
        for at, token in enumerate(told.tokens):
            if matcher.done or len(tokens) >= request.max_tokens:
                break
            if not forced_left:
                sure = matcher.forced(tokens[start:])
                forced_left = len(sure) if told.tokens[at : at + len(sure)] == sure else 0
            allowed = matcher.allowed()
            if not matcher.accepts((token,)):
                return None
            matcher.consume((token,))
            tokens.append(token)
            start = len(tokens) if self._vocabulary.is_special(token) else start
            only = forced_left > 0 or len(allowed) == 1
            forced_left = max(0, forced_left - 1)
            value = told.logprobs[at] if at < len(told.logprobs) else None
            tops = dict(told.tops[at]) if at < len(told.tops) else {}
            unknown = only or value is None
            logprobs.append(0.0 if unknown or value is None else min(0.0, value))
            choices.append(0.0 if unknown or value is None else among(token, value, tops, allowed))
            forced.append(only)
            if token in request.stop:
                reason = "stop"
                break
        if reason is None:
            reason = "grammar" if matcher.done else "length"
            if reason == "length" and len(tokens) < request.max_tokens:
                return None
        self._grammars.checkin(grammar, matcher)
        timing = Timing(time.perf_counter() - began, len(request.prompt), 0, 1)
        return Completion(tuple(tokens), tuple(logprobs), tuple(choices), tuple(forced), reason, timing)

    def _ask(self, ask: Ask, request: Request) -> Told:
        """One request, tried again while that may help, and its answer checked."""
        body = self._dialect.body(ask, self._found.model, self.features)
        answer = with_retries(
            lambda: self._http().json(
                "POST", self._found.prefix + self._dialect.path, body, cancel=request.cancel
            ),
            patience=self._patience,
            cancel=request.cancel,
        )
        try:
            told = self._dialect.read(answer)
        except Malformed as error:
            raise BackendError(
                f"{self._http().endpoint.shown} answered in an unknown form: {error}."
            ) from error
        wrong = next((token for token in told.tokens if token >= self._vocabulary.size), None)
        if wrong is not None:
            raise BackendError(
                f"{self._http().endpoint.shown} answered with token {wrong}, which the tokenizer does not "
                f"have: "
                "name the model's own tokenizer in [backend]."
            )
        return replace(told, tokens=told.tokens[: ask.max_tokens])

    def _http(self) -> HttpClient:
        if self._client is None:
            raise BackendError(f"The model {self._description.name} is closed.")
        return self._client

    def _check(self, prompt: Sequence[int]) -> None:
        self._http()
        if not len(prompt):
            raise BackendError("An empty prompt can't be completed; it needs at least one token.")
        most = self._description.context
        if len(prompt) > most:
            raise BackendError(f"The prompt has {len(prompt)} tokens; this model takes at most {most}.")
        if min(prompt) < 0 or max(prompt) >= self._vocabulary.size:
            wrong = min(prompt) if min(prompt) < 0 else max(prompt)
            raise BackendError(f"The prompt holds token {wrong}, which the model does not have.")


class ScoringRemoteBackend(RemoteBackend):
    """A server that can say how probable a given token is: whole lines can be weighed."""

    def score(self, prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """The log probability of each of the `options` as what follows `prompt`."""
        self._check(prompt)
        request = Request(prompt)
        return score(lambda ask: self._ask(ask, request), prompt, options)


def connect(
    source: str | Path,
    *,
    tokenizer: str | Path | None = None,
    server: ServerName | None = None,
    model: str | None = None,
    key_env: str = KEY_VARIABLE,
    ca: str | Path | None = None,
    plain: bool = False,
    timeout: float = 120.0,
    connect_timeout: float = 10.0,
    patience: float = 60.0,
    context: int | None = None,
    codec: Codec = "cwm",
    name: str | None = None,
) -> RemoteBackend:
    """Finds out what is at the address `source` and connects. Raises BackendError.

    `tokenizer`: a folder with the model's tokenizer.json, or a hub name (an engine brings its own).
    `key_env`: the variable that holds the key, else the system's keyring is asked. `plain` allows http:// to
    another machine. `patience`: for how many seconds a request is tried again.
    """
    if server is not None and server not in DIALECTS:
        raise BackendError(f"There is no server {server!r}; choose one of {', '.join(DIALECTS)}.")
    url = str(source)
    for ending in ("/", "/v1"):
        url = url.removesuffix(ending)
    endpoint = Endpoint(
        url,
        key=key_of(key_env, url),
        ca=None if ca is None else Path(ca).expanduser(),
        connect_timeout=connect_timeout,
        timeout=timeout,
    )
    client = HttpClient(endpoint)
    if url.startswith("http://") and not endpoint.is_loopback and not plain:
        raise BackendError(
            f"{endpoint.shown} is another machine and the connection is not encrypted; use https://, "
            "a tunnel (ssh -L), or set plain = true in [backend] if the network is yours."
        )
    found = with_retries(lambda: find_server(client, server, model), patience=min(patience, 15.0))
    vocabulary, eos_codec = _vocabulary(client, found, tokenizer, codec)
    check_tokenizer(client, found, vocabulary, str(tokenizer))
    try:
        features = with_retries(lambda: find_features(client, found, vocabulary), patience=patience)
    except Malformed as error:
        raise BackendError(f"{endpoint.shown} answered in an unknown form: {error}.") from error
    description = Description(
        name=name or found.model or endpoint.shown,
        backend="remote",
        codec=eos_codec,
        parameters=int(found.about.get("parameters") or 0),
        context=context or found.context or 131072,
        details={
            "url": endpoint.shown,
            "server": found.server,
            "grammar": "server" if features.grammar else "choice by choice",
            "logprobs": features.top or features.grammar,
        },
    )
    if found.server == "engine":
        from cwm_lsp.model.engine_remote import EngineRemoteBackend

        return EngineRemoteBackend(
            client, found, features, vocabulary=vocabulary, description=description, patience=patience
        )
    kind: Callable[..., RemoteBackend] = RemoteBackend
    if features.allowed and features.top and found.server in ("vllm", "llama-server"):
        kind = ScoringRemoteBackend
    return kind(client, found, features, vocabulary=vocabulary, description=description, patience=patience)


def _vocabulary(
    client: HttpClient, found: Found, tokenizer: str | Path | None, codec: Codec
) -> tuple[HfVocabulary, Codec]:
    if found.server == "engine" and tokenizer is None:
        from cwm_lsp.model.engine_remote import fetch_vocabulary

        return fetch_vocabulary(client), found.about.get("codec", codec)
    if tokenizer is None:
        raise BackendError(
            f"{client.endpoint.shown} takes token ids, so the model's tokenizer is needed here: set "
            f"tokenizer in "
            "[backend] to a folder with its tokenizer.json, or to a downloaded hub name such as facebook/cwm."
        )
    from cwm_lsp.model.hub import resolve

    path = Path(tokenizer).expanduser()
    if path.is_file():
        path = path.parent
    return HfVocabulary.from_folder(path if path.is_dir() else resolve(str(tokenizer))), codec


def key_of(variable: str, url: str) -> str:
    """The key from the environment, else from the system's keyring if the keyring package is there."""
    key = os.environ.get(variable, "")
    if not key:
        try:
            import keyring

            key = keyring.get_password("cwm-lsp", url) or ""
        except Exception:  # not installed, locked, no daemon: then there is no key
            key = ""
    if any(ord(letter) < 33 or ord(letter) > 126 for letter in key):
        raise BackendError(f"The key in {variable} holds characters that no key has; set it anew.")
    return key


def seeded(request: Request) -> Request:
    """The request with a seed, so that a second try gives the same answer."""
    if request.temperature <= 0 or request.seed is not None:
        return request
    return replace(request, seed=random.getrandbits(31))
