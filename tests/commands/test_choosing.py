"""`models use`, `fetch` and `convert`, through the real executable: what is written, and what is refused."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.commands.choosing import write_choice
from cwm_lsp.commands.errors import CommandError
from tests.cli_fixture import cwm

FILE = """\
# my settings
grounding = "flow"   # as it was

[backend] # of the model
threads = 2
url = "http://old"

[other]
x = 1
"""


def test_only_the_lines_that_change_are_touched(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE, encoding="utf-8")
    write_choice(path, "remote", {"url": 'https://a"b', "tokenizer": "t"})
    text = path.read_text(encoding="utf-8")
    kept = [line for line in FILE.splitlines() if not line.startswith("url")]
    assert [line for line in text.splitlines() if line in kept] == kept
    data = tomllib.loads(text)
    assert data["model"] == "remote"
    assert data["backend"] == {"threads": 2, "url": 'https://a"b', "tokenizer": "t"}
    write_choice(path, "cwm-mini", {})
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {**data, "model": "cwm-mini"}


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    write_choice(path, "remote", {"url": "u"})
    assert path.read_text(encoding="utf-8").endswith("\n")
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {"model": "remote", "backend": {"url": "u"}}


@pytest.mark.parametrize("content", ["x = [", 'model = """\na\n"""\n', "backend.url = 1\n"])
def test_a_file_that_can_not_be_changed_stays_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CommandError):
        write_choice(path, "remote", {"url": "u"})
    assert path.read_text(encoding="utf-8") == content


@given(st.text(min_size=1, max_size=20))
def test_any_name_comes_back(name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = write_choice(Path(folder) / "c.toml", name, {"url": name})
        assert tomllib.loads(path.read_text(encoding="utf-8")) == {"model": name, "backend": {"url": name}}


@pytest.mark.slow
def test_use(tmp_path: Path) -> None:
    env = {"CWM_LSP_CONFIG": str(tmp_path / "config.toml"), "HF_HUB_CACHE": str(tmp_path)}
    assert "predicts from now on" in cwm("models", "use", "cwm-mini", env=env).out
    assert 'model = "cwm-mini"' in (tmp_path / "config.toml").read_text(encoding="utf-8")
    refused = cwm("models", "use", "facebook-cwm-nf4", env=env).refused(1)
    assert "models fetch facebook-cwm-nf4" in refused or "pip install" in refused
    assert "no model" in cwm("models", "use", "nothing-like-it", env=env).refused(1)
    assert "address" in cwm("models", "use", "remote", env=env).refused(1)
    dead = cwm("models", "use", "remote", "--url", "http://127.0.0.1:9", env=env).refused(1)
    assert "Nobody answers at http://127.0.0.1:9" in dead
    assert (tmp_path / "config.toml").read_text(encoding="utf-8") == 'model = "cwm-mini"\n'


def test_the_licence_comes_before_the_weights(tmp_path: Path) -> None:
    done = cwm(
        "models", "fetch", "facebook-cwm-nf4", env={"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    )
    assert "nothing was fetched" in done.refused(1)
    assert "FAIR Non-Commercial Research License" in done.out
    assert "non-commercial research only" in done.out
    assert "no fetching" in cwm("models", "fetch", "cwm-mini").refused(2)
    assert "no model" in cwm("models", "fetch", "nonsense").refused(2)


def test_convert_refuses_in_a_sentence(tmp_path: Path) -> None:
    assert "no model folder" in cwm(
        "models", "convert", tmp_path / "none", "--output", tmp_path / "o"
    ).refused(1)
    assert "config.json" in cwm("models", "convert", tmp_path, "--output", tmp_path / "o").refused(1)


@pytest.mark.slow
def test_engine_status_without_engines(tmp_path: Path) -> None:
    env = {"CWM_LSP_RUNTIME_DIR": str(tmp_path)}
    assert "no engine runs" in cwm("engine", "status", env=env).out
    assert "no engine runs" in cwm("engine", "stop", env=env).out
    assert cwm("engine", "status", "--json", env=env).out == ""
    assert "server already" in cwm("engine", "start", "https://x:1/v1", env=env).refused(1)


@pytest.mark.slow
def test_doctor_knows_engines_and_the_way_to_a_better_model(tmp_path: Path) -> None:
    env = {"CWM_LSP_RUNTIME_DIR": str(tmp_path), "CWM_LSP_CONFIG": str(tmp_path / "none.toml")}
    found = {each["name"]: each for each in cwm("doctor", "--json", env=env).lines[0]["findings"]}
    assert "cwm-mini" in found["model"]["text"]
    assert "models" in found["model"]["advice"]
    assert str(tmp_path) in found["engines"]["text"]
    assert {"llama.cpp", "editors"} <= set(found)
    bad = cwm(
        "doctor",
        "--json",
        env={**env, "CWM_LSP_MODEL": "remote", "CWM_LSP_BACKEND_URL": "http://127.0.0.1:9"},
    )
    server = next(each for each in bad.lines[0]["findings"] if each["name"] == "server")
    assert server["status"] == "error"
    assert "Nobody answers" in server["text"]
