"""An engine as a backend: one request a completion, the grammar goes along, and whole lines are weighed
there.

Leaves out where the engine is and who starts it (engine_client.py; an address can be given to remote.py too).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cwm_lsp.model.backend import BackendError, Completion, Request, StopReason, Timing
from cwm_lsp.model.http_client import CancelledError, HttpClient, HttpError
from cwm_lsp.model.remote import RemoteBackend, seeded
from cwm_lsp.model.remote_dialects import Ask, Vllm
from cwm_lsp.model.retry import with_retries
from cwm_lsp.model.streaming import Emit
from cwm_lsp.model.vocabulary import HfVocabulary

_REASONS: frozenset[StopReason] = frozenset({"stop", "grammar", "length", "cancelled"})


class EngineRemoteBackend(RemoteBackend):
    """A backend over an engine."""

    def score(self, prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """The log probability of each of the `options` as what follows `prompt`."""
        self._check(prompt)
        body = {"prompt": list(prompt), "options": [list(option) for option in options]}
        answer = self._call(lambda http: http.json("POST", "/v1/cwm-lsp/score", body), None)
        scores = answer.get("scores") if isinstance(answer, dict) else None
        if not isinstance(scores, list) or len(scores) != len(options):
            raise BackendError("The engine did not say how probable the next lines are.")
        return [float(score) for score in scores]

    def _complete(self, request: Request, emit: Emit | None) -> Completion:
        self._check(request.prompt)
        request = seeded(request)
        body = self._body(request)
        try:
            if emit is None:
                answer = self._call(
                    lambda http: http.json("POST", "/v1/completions", body, cancel=request.cancel), request
                )
            else:
                answer = self._streamed(body, request, emit)
        except CancelledError:
            return Completion((), (), (), (), "cancelled")
        return self._completion(answer)

    def _body(self, request: Request) -> dict[str, Any]:
        body = Vllm().body(
            Ask(
                request.prompt,
                request.max_tokens,
                temperature=request.temperature,
                seed=request.seed,
                stop=request.stop,
                top=1 if request.logprobs else 0,
                grammar=request.grammar,
                priority=request.priority,
            ),
            self._found.model,
            self.features,
        )
        if request.draft:
            body["draft"] = list(request.draft)
        return body

    def _streamed(self, body: dict[str, Any], request: Request, emit: Emit) -> Any:
        """The last event, which holds the whole answer. After a break the answer is the same again, and what
        was told already is not told twice."""
        told: list[int] = []

        def once(http: HttpClient) -> Any:
            seen = 0
            for event in http.stream("/v1/completions", body | {"stream": True}, cancel=request.cancel):
                if "error" in event:
                    raise HttpError(str(event["error"].get("message", "it failed")).rstrip("."), again=False)
                choice = event["choices"][0]
                if choice.get("whole"):
                    rest = choice["token_ids"][len(told) :]
                    if rest:
                        emit(tuple(rest))
                    return event
                run = choice["token_ids"]
                new = run[max(0, len(told) - seen) :]
                seen += len(run)
                if new:
                    told.extend(new)
                    emit(tuple(new))
            raise HttpError("The engine broke off in the middle of an answer", again=True)

        try:
            return self._call(once, request)
        except (KeyError, TypeError, IndexError) as error:
            raise BackendError("The engine answered in an unknown form; is it of another version?") from error

    def _call(self, work: Any, request: Request | None) -> Any:
        """One request, tried again while that may help."""
        return with_retries(
            lambda: work(self._http()),
            patience=self._patience,
            cancel=None if request is None else request.cancel,
        )

    def _completion(self, answer: Any) -> Completion:
        try:
            choice = answer["choices"][0]
            tokens, ours = choice["token_ids"], choice["cwm_lsp"]
            completion = Completion(
                tuple(int(token) for token in tokens),
                tuple(float(each) for each in choice["logprobs"]["token_logprobs"]),
                tuple(float(each) for each in ours["choice_logprobs"]),
                tuple(bool(each) for each in ours["forced"]),
                ours["reason"],
                Timing(*ours["timing"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BackendError("The engine answered in an unknown form; is it of another version?") from error
        lengths = {len(completion.tokens), len(completion.logprobs), len(completion.forced)}
        if len(lengths) > 1 or completion.reason not in _REASONS:
            raise BackendError("The engine answered in an unknown form; is it of another version?")
        if any(not 0 <= token < self._vocabulary.size for token in completion.tokens):
            raise BackendError("The engine answered with a token that the model does not have.")
        return replace(completion)


def fetch_vocabulary(client: HttpClient) -> HfVocabulary:
    """The model's vocabulary, from the engine. Raises BackendError."""
    answer = with_retries(lambda: client.json("GET", "/v1/cwm-lsp/tokenizer"), patience=30.0)
    try:
        return HfVocabulary(answer["tokenizer"], answer["eos"])
    except Exception as error:  # the tokenizers library raises a bare Exception
        raise BackendError(f"The engine's tokenizer can't be used: {error}.") from error
