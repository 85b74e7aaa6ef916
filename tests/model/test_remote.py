"""The remote client against servers in vLLM's, SGLang's and fgserve's form (not the real ones: these need
GPUs), with a real small model behind them, and against everything that a server or a network can do wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cwm_lsp.model.backend import BackendError, Cancel, Request
from cwm_lsp.model.remote import RemoteBackend, ScoringRemoteBackend, connect
from cwm_lsp.model.remote_dialects import DIALECTS, Ask, Features, Malformed, Told
from tests.model.fake_servers import Fake, serving

ANSWERS = Path(__file__).parents[1] / "fixtures" / "servers"
GRAMMAR = (
    'start: <|line_sep|> "{\\"x\\": \\"" /[a-z ]{0,20}/ "\\"}" <|action_sep|> LINE <|frame_sep|>\n'
    'LINE: "    x = 1\\n" | "    y = 2\\n"\n'
)

TOPS = [{128104: -0.01, 128102: -4.7}, {5018: -0.2, 13922: -1.9}]


def recorded(name: str) -> Any:
    return json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("server", "name", "told"),
    [
        ("vllm", "vllm-choice", Told([128104, 5018, 77], [-0.01, -0.2, -0.002], [*TOPS, {77: -0.002}])),
        ("vllm", "vllm-stopped", Told([128101, 128100], [None, None], [], ended=True)),
        ("vllm", "vllm-without-token-ids", Told([64], [None], [{}])),
        ("vllm", "vllm-with-unknown-fields", Told([64], [-0.5], [{64: -0.5}])),
        ("sglang", "sglang-choice", Told([128104, 5018], [-0.01, -0.2], TOPS)),
        ("sglang", "sglang-stopped-without-ids", Told([128100], [-0.3], [{}], ended=True)),
        ("fgserve", "fgserve-choice", Told([128104, 5018, 77], [None] * 3, [{}, {}, {}])),
        ("fgserve", "fgserve-nothing", Told([])),
    ],
)
def test_published_answers_are_understood(server: Any, name: str, told: Told) -> None:
    assert DIALECTS[server].read(recorded(name)) == told


@pytest.mark.parametrize("server", DIALECTS)
def test_answers_of_another_form_are_told_apart(server: Any) -> None:
    for answer in (None, 3, [], {}, {"choices": []}, {"choices": [3]}, {"choices": [{"token_ids": "x"}]},
                   {"choices": [{"token_ids": [-1]}]}, {"choices": [{"tokens": [True]}]}, {"meta_info": {}},
                   {"meta_info": {"output_token_logprobs": [["a", "b"]]}},
                   {"completion_probabilities": [{"id": "x"}]}):  # fmt: skip
        with pytest.raises(Malformed):
            DIALECTS[server].read(answer)


def test_requests_say_what_servers_would_assume_otherwise() -> None:
    ask = Ask([1, 2], 7, seed=3, stop=frozenset({9}), top=5, allowed=[4], grammar="g", priority="background")
    body = DIALECTS["vllm"].body(ask, "m", Features(priority=True))
    assert body["prompt"] == [1, 2]
    assert body["skip_special_tokens"] is False
    assert body["temperature"] == 0.0
    assert (body["max_tokens"], body["priority"]) == (7, 20)
    assert body["structured_outputs"] == {"grammar": "g"}
    assert "guided_grammar" not in body
    assert "priority" not in DIALECTS["vllm"].body(ask, "m", Features())
    assert "stop" not in DIALECTS["fgserve"].body(ask, "m", Features())


KINDS: dict[str, dict[str, Any]] = {
    "vllm": {"kind": "vllm"},
    "vllm-grammar": {"kind": "vllm", "grammar": True},
    "vllm-few-tops": {"kind": "vllm", "most_tops": 5},
    "vllm-nothing-allowed": {"kind": "vllm", "allowed": False},
    "sglang": {"kind": "sglang"},
    "fgserve": {"kind": "fgserve"},
}


@pytest.fixture
def local(engines: dict[str, Any]) -> Any:
    return engines["embedded"]


@pytest.fixture
def folder(checkpoint: Callable[[str], Path]) -> Path:
    return checkpoint("full-last")


@pytest.fixture
def fake(local: Any) -> Iterator[Fake]:
    with serving(Fake("vllm", local)) as made:
        yield made


@pytest.fixture
def remote(fake: Fake, folder: Path) -> RemoteBackend:
    return connect(fake.url, tokenizer=folder, patience=5.0)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "vllm" else pytest.mark.slow) for name in KINDS]
)
def test_every_server_gives_the_local_answer(
    name: str, local: Any, folder: Path, rng: np.random.Generator
) -> None:
    with serving(Fake(backend=local, **KINDS[name])) as fake:
        backend = connect(fake.url, tokenizer=folder, patience=5.0)
        # Without probabilities, or a way to ask for one of some tokens, an answer is legal but not the best.
        blind = fake.kind == "fgserve" or not fake.allowed
        for length in (3, 70):
            prompt = rng.integers(0, 5000, length).tolist()
            for request in (Request(prompt, max_tokens=20), Request(prompt, grammar=GRAMMAR)):
                ours, theirs = backend.complete(request), local.complete(request)
                assert ours.reason == theirs.reason
                if not blind or request.grammar is None:
                    assert ours.tokens == theirs.tokens
                    assert ours.forced == theirs.forced
                if not blind:
                    assert np.allclose(ours.logprobs, theirs.logprobs, atol=1e-3)
                    assert np.all(np.subtract(ours.choice_logprobs, theirs.choice_logprobs) < 1e-3)
                text = backend.vocabulary.decode(ours.tokens)
                assert request.grammar is None or text.endswith(
                    ("x = 1\n<|frame_sep|>", "y = 2\n<|frame_sep|>")
                )
            stop = local.complete(Request(prompt, max_tokens=9)).tokens[4]
            for request in (
                Request(prompt, frozenset({stop}), 9),
                Request(prompt, frozenset({stop}), 200, GRAMMAR),
            ):
                ours, theirs = backend.complete(request), local.complete(request)
                assert ours.reason in ("stop", "grammar")
                assert blind or (ours.tokens, ours.reason) == (theirs.tokens, theirs.reason)


@pytest.mark.slow
def test_features_are_found_not_assumed(local: Any, folder: Path) -> None:
    found: dict[str, Any] = {}
    for name, options in KINDS.items():
        with serving(Fake(backend=local, **options)) as fake:
            found[name] = connect(fake.url, tokenizer=folder, patience=5.0)
    assert [name for name, backend in found.items() if backend.features.grammar] == ["vllm-grammar"]
    assert found["vllm-few-tops"].features.top == 5
    assert not found["vllm-nothing-allowed"].features.allowed
    assert found["fgserve"].features == Features()
    assert isinstance(found["vllm"], ScoringRemoteBackend)
    assert not isinstance(found["fgserve"], ScoringRemoteBackend)
    assert found["vllm"].describe().context == 1500
    assert found["sglang"].describe().details["server"] == "sglang"


@pytest.mark.slow
def test_whole_lines_are_weighed(remote: RemoteBackend, local: Any, rng: np.random.Generator) -> None:
    assert isinstance(remote, ScoringRemoteBackend)
    prompt = rng.integers(0, 5000, 20).tolist()
    options = [[5, 6, 7], [5, 6, 8, 9], [4]]
    assert np.allclose(remote.score(prompt, options), local.score(prompt, options), atol=1e-3)


@pytest.mark.slow
def test_streaming(remote: RemoteBackend, local: Any) -> None:
    request = Request([5, 6], grammar=GRAMMAR)

    async def collect() -> list[tuple[int, ...]]:
        return [run async for run in remote.stream(request)]

    runs = asyncio.run(collect())
    assert len(runs) > 1
    assert tuple(token for run in runs for token in run) == local.complete(request).tokens


@pytest.mark.parametrize("fault", [500, 502, 503, 429, "drop"])
def test_what_may_pass_is_tried_again(fault: Any, remote: RemoteBackend, fake: Fake, local: Any) -> None:
    request = Request([5, 6], max_tokens=5)
    fake.faults = [fault, fault]
    assert remote.complete(request).tokens == local.complete(request).tokens


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("garbage", "no JSON"),
        ("wrong", "unknown form"),
        ("foreign", "tokenizer does not have"),
        (400, "refused: not now"),
        (404, "refused: not now"),
        (401, "does not accept the key"),
    ],
)
def test_what_stays_wrong_is_one_sentence(fault: Any, said: str, remote: RemoteBackend, fake: Fake) -> None:
    fake.faults = [fault] * 3
    with pytest.raises(BackendError, match=said) as caught:
        remote.complete(Request([5, 6], max_tokens=5))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    fake.faults = []
    assert remote.complete(Request([5, 6], max_tokens=2)).tokens


@pytest.mark.slow
def test_a_server_that_stays_down_ends_in_a_sentence(local: Any, folder: Path) -> None:
    with serving(Fake("vllm", local)) as fake:
        backend = connect(fake.url, tokenizer=folder, patience=0.6)
    began = time.monotonic()
    with pytest.raises(BackendError, match=r"Nobody answers at .*; gave up after \d tries in 0.6 s"):
        backend.complete(Request([5], max_tokens=2))
    assert time.monotonic() - began < 5


@pytest.mark.slow
def test_a_server_that_restarts_costs_only_time(local: Any, folder: Path) -> None:
    with serving(Fake("vllm", local)) as fake:
        backend = connect(fake.url, tokenizer=folder, patience=20.0)
        port = int(fake.url.rsplit(":", 1)[1].removesuffix("/v1"))
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(backend.complete(Request([5], max_tokens=4))))
    thread.start()
    time.sleep(0.4)
    with serving(Fake("vllm", local), port):
        thread.join(20)
    assert got[0].tokens == local.complete(Request([5], max_tokens=4)).tokens


@pytest.mark.slow
def test_a_server_that_hangs_meets_the_time_out(local: Any, folder: Path) -> None:
    with serving(Fake("vllm", local)) as fake:
        backend = connect(fake.url, tokenizer=folder, timeout=0.4, patience=1.0)
        fake.faults = ["hang"]
        with pytest.raises(BackendError, match="did not finish its answer in time"):
            backend.complete(Request([5], max_tokens=2))
        assert backend.complete(Request([5], max_tokens=2)).tokens


def test_cancelling_while_a_server_hangs(remote: RemoteBackend, fake: Fake) -> None:
    waited = []
    for _ in range(3):
        fake.faults = ["hang"]
        cancel, at = Cancel(), list[float]()
        threading.Timer(
            0.1, lambda cancel=cancel, at=at: (at.append(time.perf_counter()), cancel.cancel())
        ).start()
        assert remote.complete(Request([5], max_tokens=2, cancel=cancel)).reason == "cancelled"
        waited.append(time.perf_counter() - at[0])
    assert min(waited) < 0.1


def test_keys(local: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Fake("vllm", local, key="secret-1")) as fake:
        with pytest.raises(BackendError, match="does not accept the key"):
            connect(fake.url, tokenizer=folder, patience=1.0)
        monkeypatch.setenv("TEAM_KEY", "secret-1")
        backend = connect(fake.url, tokenizer=folder, key_env="TEAM_KEY", patience=1.0)
        assert backend.complete(Request([5], max_tokens=2)).tokens
        assert "secret-1" not in repr(backend.describe()) + repr(backend._client and backend._client.endpoint)
        monkeypatch.setenv("TEAM_KEY", "wrong-2")
        with pytest.raises(BackendError) as caught:
            connect(fake.url, tokenizer=folder, key_env="TEAM_KEY", patience=1.0)
        assert "wrong-2" not in str(caught.value)
        monkeypatch.setenv("TEAM_KEY", "two\nlines")
        with pytest.raises(BackendError, match="characters that no key has"):
            connect(fake.url, tokenizer=folder, key_env="TEAM_KEY", patience=1.0)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "server.pem"
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(tmp_path / "cert.pem")],
        capture_output=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("no openssl to make a certificate with")
    path.write_bytes(path.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return path


@pytest.mark.slow
def test_tls(local: Any, folder: Path, certificate: Path) -> None:
    with serving(Fake("vllm", local), certificate=certificate) as fake:
        with pytest.raises(BackendError, match=r"certificate of .* can't be trusted .*ca in \[backend\]"):
            connect(fake.url, tokenizer=folder, patience=1.0)
        with pytest.raises(BackendError, match="certificate file"):
            connect(fake.url, tokenizer=folder, ca="/nowhere.pem", patience=1.0)
        backend = connect(fake.url, tokenizer=folder, ca=certificate.with_name("cert.pem"), patience=1.0)
        assert backend.complete(Request([5], max_tokens=2)).tokens
        cancel = Cancel()
        fake.faults = ["hang"]
        threading.Timer(0.1, cancel.cancel).start()
        assert backend.complete(Request([5], max_tokens=2, cancel=cancel)).reason == "cancelled"
    with serving(Fake("vllm", local)) as fake, pytest.raises(BackendError, match="does not speak TLS"):
        connect(fake.url.replace("http:", "https:"), tokenizer=folder, patience=1.0)


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("http://models.example:8000/v1", {}, "not encrypted"),
        ("ftp://127.0.0.1", {}, "no address"),
        ("http://127.0.0.1:port", {}, "no address"),
        ("http://127.0.0.1:9/v1", {"server": "oracle"}, "no server 'oracle'"),
        ("http://127.0.0.1:9/v1", {}, "Nobody answers"),
        ("https://no-such-host.invalid/v1", {}, "no host of the name|Nobody answers"),
    ],
)
def test_addresses_that_can_not_be_used(url: str, options: dict[str, Any], said: str, folder: Path) -> None:
    with pytest.raises(BackendError, match=said):
        connect(url, tokenizer=folder, patience=0.3, **options)


def test_the_tokenizer_must_be_the_models(
    fake: Fake, checkpoint: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(BackendError, match="tokenizer is needed here"):
        connect(fake.url, patience=1.0)
    from cwm_lsp.model.embedded import default_folder

    with pytest.raises(BackendError, match="is not that of the model"):
        connect(fake.url, tokenizer=default_folder(), patience=1.0)


def test_what_is_no_model_server(local: Any, folder: Path) -> None:
    with (
        serving(Fake("nothing", local)) as fake,
        pytest.raises(BackendError, match="takes and gives token ids"),
    ):
        connect(fake.url, tokenizer=folder, patience=1.0)


def test_another_model_name(fake: Fake, folder: Path) -> None:
    with pytest.raises(BackendError, match="has no model other; it has m"):
        connect(fake.url, tokenizer=folder, model="other", patience=1.0)
