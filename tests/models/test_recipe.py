"""The recipe of cwm-mini: batches that keep programs apart, and a small training up to an exported model."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.model.backend import Cancel, Request
from cwm_lsp.model.catalog import find
from cwm_lsp.model.embedded import EmbeddedBackend, OnnxRunner, default_folder
from tests.recipe import RECIPE, ROOT, recipe

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
load_file = pytest.importorskip("safetensors.torch").load_file
torch.set_num_threads(1)
data, network, train = recipe("data"), recipe("network"), recipe("train")
sets, programs, tokenizer = recipe("sets"), recipe("programs"), recipe("tokenizer")

TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 2048,
    "sliding_window": 1024,
}


def run(script: str, *arguments: object) -> str:
    """Runs a script of the recipe as a person would; what it prints."""
    command = [sys.executable, str(RECIPE / script), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tiny_network(config: dict[str, Any]) -> Any:
    """A small network whose weights are all random, so that nothing stays unseen behind a zero."""
    torch.manual_seed(0)
    made = network.Network(config).eval()
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return made


def logits(made: Any, ids: list[int], positions: list[int], segments: list[Any]) -> np.ndarray:
    """The network's output at every row."""
    with torch.no_grad():
        rows = torch.arange(len(ids))
        return made(torch.tensor(ids), torch.tensor(positions), segments, rows).numpy()


# -- batches

tokens = st.integers(1, 63)
blocks = st.lists(st.lists(tokens, min_size=1, max_size=40), min_size=1, max_size=8)
groups = st.lists(
    st.builds(
        lambda source, ids, jump: data.Group(source, [(block, [3] * len(block)) for block in ids], jump, 0),
        st.lists(tokens, min_size=1, max_size=30),
        blocks,
        st.integers(0, 50),
    ),
    min_size=1,
    max_size=5,
)


@given(groups)
def test_segments_cover_a_batch_exactly(held: list[Any]) -> None:
    batch = data.pack(held)
    assert len(batch.ids) == len(batch.positions) == len(batch.roles)
    end = 0
    for segment in batch.segments:
        assert segment.start == end
        assert segment.count > 0
        end = segment.end
    assert end == len(batch.ids)
    sources = [segment for segment in batch.segments if segment.source is None]
    assert [list(batch.ids[part.start : part.end]) for part in sources] == [group.source for group in held]
    packed = sum(segment.count for segment in batch.segments if segment.source is not None)
    assert packed == sum(len(group.blocks) for group in held)
    assert int((batch.roles == 3).sum()) == sum(len(ids) for group in held for ids, _ in group.blocks)


def test_a_block_sees_its_source_and_itself_only() -> None:
    rng = random.Random(0)

    def ids(longest: int) -> list[int]:
        return [rng.randrange(1, 64) for _ in range(rng.randint(2, longest))]

    held = []
    for jump in (0, 300):
        made = [ids(30) for _ in range(4)]
        held.append(data.Group(ids(25), [(block, [3] * len(block)) for block in made], jump, 0))
    small = tiny_network({**network.CONFIG, **TINY, "vocab_size": 64})
    batch = data.pack(held)
    packed = logits(small, batch.ids.tolist(), batch.positions.tolist(), batch.segments)
    compared = 0
    for segment in batch.segments:
        if segment.source is None:
            continue
        group = next(group for group in held if start_of(batch, group) == segment.source.start)
        for at in range(segment.start, segment.end, segment.length):
            block = batch.ids[at : at + segment.length].tolist()
            source = group.source
            first = len(source) + group.jump
            alone = logits(
                small,
                source + block,
                [*range(len(source)), *range(first, first + len(block))],
                [network.Segment(0, 1, len(source) + len(block))],
            )
            np.testing.assert_allclose(
                packed[at : at + segment.length], alone[len(source) :], atol=1e-4, rtol=1e-4
            )
            compared += 1
    assert compared == sum(len(group.blocks) for group in held)


def start_of(batch: Any, group: Any) -> int:
    """Where a group's source lies in a batch."""
    sources = [segment for segment in batch.segments if segment.source is None]
    return next(part.start for part in sources if batch.ids[part.start : part.end].tolist() == group.source)


def test_real_groups_are_packed_with_their_roles() -> None:
    held = list(islice(data.groups(0, 1), 12))
    assert held == list(islice(data.groups(0, 1), 12)), "the same seed numbers, the same programs"
    for group in held:
        assert 0 < len(group.source) <= data.LONGEST_SOURCE
        for ids, roles in group.blocks:
            assert len(ids) == len(roles) <= data.LONGEST_BLOCK
            assert any(roles)
    assert data.pack(held).segments[-1].end == len(data.pack(held).ids)


# -- held-out programs


@pytest.mark.parametrize("start", [data.HELD_OUT, 3 * data.HELD_OUT, -1, -data.HELD_OUT])
def test_training_refuses_held_out_programs(start: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        next(data.batches(start, 2, 100))


def test_training_stops_before_the_first_held_out_program() -> None:
    stream = data.batches(data.HELD_OUT - 3, 1, 1)
    with pytest.raises(ValueError, match="held out"):
        list(stream)


def test_measurements_use_held_out_programs() -> None:
    assert sets.FIRST_SEED >= data.HELD_OUT
    [(_, source, _)] = sets.generated(1)
    assert source == programs.program(sets.FIRST_SEED)[0]
    assert train.SEEDS_A_RUN * 50 < data.HELD_OUT, "a training can be gone on with many times"


def test_seeds_and_held_out_files_are_different_ones() -> None:
    assert not set(data.seeds("seeds")) & set(data.seeds("heldout"))
    assert data.seeds("seeds")
    assert data.seeds("heldout")


# -- a small training

FILES = {"state.pt", "model.safetensors", "config.json", "tokenizer.json", "log.jsonl"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a training of seconds, gone on with once."""
    out = tmp_path_factory.mktemp("trained")
    config = out.parent / "tiny.json"
    config.write_text(json.dumps(TINY))
    options = ("--minutes", 0.2, "--workers", 1, "--tokens", 600, "--config", config, "--device", "cpu")
    run("train.py", out, *options)
    assert {path.name for path in out.iterdir()} == FILES
    before = log_of(out)
    assert before[-1]["step"] == counters(out)["step"] > 0
    run("train.py", out, *options, "--resume")
    after = log_of(out)
    assert after[: len(before)] == before
    assert after[-1]["step"] > before[-1]["step"]
    assert after[-1]["tokens"] > before[-1]["tokens"]
    assert all(line["step"] > before[-1]["step"] for line in after[len(before) :])
    assert counters(out)["seed"] == train.SEEDS_A_RUN
    return out


def log_of(out: Path) -> list[dict[str, Any]]:
    """The lines of the curve."""
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def counters(out: Path) -> dict[str, Any]:
    """What the state counts."""
    state: dict[str, Any] = torch.load(out / "state.pt")
    return state


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_writes_its_curve(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} == FILES
    evaluated = [line for line in log_of(trained) if "held_out_loss" in line]
    assert len(evaluated) == 2
    assert all(0 <= line["held_out_token_accuracy"] <= 1 for line in evaluated)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_transformers_reads_a_trained_checkpoint(trained: Path) -> None:
    compare_with_transformers(trained)


def test_transformers_computes_what_the_network_does(tmp_path: Path) -> None:
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    made = tiny_network(train.configuration(tmp_path / "tiny.json"))
    train.save(tmp_path, made, {}, train.optimizers(made, 0.01))
    assert compare_with_transformers(tmp_path) > 1, "weights that matter"


def compare_with_transformers(folder: Path) -> float:
    """Holds a checkpoint's logits on a plain causal sequence against transformers; the largest of them."""
    config = json.loads((folder / "config.json").read_text())
    ours = network.Network(config).eval()
    weights = load_file(folder / "model.safetensors")
    ours.load_state_dict({name: value.float() for name, value in weights.items()})
    theirs = transformers.CwmForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rng = random.Random(0)
    ids = [rng.randrange(config["vocab_size"]) for _ in range(200)]
    with torch.no_grad():
        expected = theirs(torch.tensor([ids])).logits[0].numpy()
    found = logits(ours, ids, list(range(len(ids))), [network.Segment(0, 1, len(ids))])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    return float(np.abs(expected).max())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_export_is_a_model_of_the_embedded_engine(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    told = json.loads(run("export.py", trained, tmp_path).splitlines()[-1])
    assert told["ok"]
    backend = EmbeddedBackend(tmp_path)
    assert backend.describe().codec == "mini"
    table = tokenizer.ids()
    assert backend.vocabulary.specials()["<|begin_of_text|>"] == table["<|begin_of_text|>"]
    completion = backend.complete(
        Request([table["<|begin_of_text|>"], *b"x = 1"], max_tokens=3, cancel=Cancel())
    )
    assert 0 < len(completion.tokens) <= 3


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_curve_can_be_drawn(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run("plot.py", trained / "log.jsonl", tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_profile_states_the_parameters_of_the_weights() -> None:
    profile = find("cwm-mini")
    assert profile is not None
    shipped = EmbeddedBackend().describe()
    assert profile.parameters == shipped.parameters
    assert profile.context == shipped.context
    held = load_file(RECIPE / "checkpoint" / "model.safetensors")
    assert sum(tensor.numel() for tensor in held.values()) == profile.parameters


@pytest.mark.slow
def test_the_shipped_weights_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    """`exports.py` on a few traces: transformers, ONNX Runtime and, where it is installed, llama.cpp."""
    arguments = (RECIPE / "checkpoint", tmp_path, "--traces", 2, "--quant", "f32")
    report = json.loads(run("exports.py", *arguments))
    assert report["ok"]
    assert report["onnx"]["traces"] == 2
    assert report["onnx"]["same_traces"] == report["onnx"]["same_answers"] == 1
    assert report["onnx"]["relative_difference_max"] < 1e-4
    if "f32" in report:
        assert report["f32"]["same_answers"] == 1
        assert report["f32"]["relative_difference_max"] < 1e-4
    made, shipped = (OnnxRunner(path / "model.onnx") for path in (tmp_path / "onnx", default_folder()))
    ids = np.random.default_rng(0).integers(0, shipped.vocabulary_size, 200)
    np.testing.assert_allclose(
        made.new().extend_all(ids), shipped.new().extend_all(ids), rtol=1e-3, atol=1e-3
    )
