"""Settings: file, environment, and bad values that are named while the rest works."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.config import Settings, config_path, load


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load(tmp_path / "none.toml", {})
    assert loaded.settings == Settings()
    assert loaded.problems == ()


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    path = write(tmp_path, 'model = "a"\nmax_frames = 7\ngrounding = "none"\n[backend]\nthreads = 2\n')
    loaded = load(
        path, {"CWM_LSP_MODEL": "123", "CWM_LSP_MAX_SECONDS": "1.5", "CWM_LSP_BACKEND_DEVICE": "cpu"}
    )
    assert loaded.problems == ()
    assert loaded.settings.model == "123"
    assert (loaded.settings.max_frames, loaded.settings.max_seconds) == (7, 1.5)
    assert loaded.settings.grounding == "none"
    assert dict(loaded.settings.backend) == {"threads": 2, "device": "cpu"}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("max_frames = 0", "max_frames"),
        ("max_frames = true", "max_frames"),
        ('max_tokens = "many"', "max_tokens"),
        ("max_seconds = -1", "max_seconds"),
        ("max_seconds = nan", "max_seconds"),
        ('grounding = "high"', "grounding"),
        ("grounding = []", "grounding"),
        ('model = ""', "model"),
        ("backend = 3", "backend"),
        ("max_frame = 3", "max_frame"),
    ],
)
def test_a_bad_value_is_named_and_the_rest_works(tmp_path: Path, line: str, named: str) -> None:
    path = write(tmp_path, f"{line}\n")
    loaded = load(path, {"CWM_LSP_MODEL": "other"})
    assert loaded.settings == Settings(model="other")
    assert len(loaded.problems) == 1
    assert named in loaded.problems[0]
    assert str(path) in loaded.problems[0]


def test_bad_variables_are_named(tmp_path: Path) -> None:
    environ = {
        "CWM_LSP_MAX_FRAMES": "ten",
        "CWM_LSP_COLOUR": "1",
        "CWM_LSP_BACKEND": "x",
        "CWM_LSP_DEBUG": "1",
    }
    loaded = load(tmp_path / "none.toml", environ)
    assert loaded.settings == Settings()
    assert [problem.split()[0] for problem in loaded.problems] == [
        "CWM_LSP_BACKEND",
        "CWM_LSP_COLOUR",
        "CWM_LSP_MAX_FRAMES",
    ]


@pytest.mark.parametrize("content", [b"model = ", b"\xff\xfe", b'model = "a"\nmodel = "b"'])
def test_a_broken_file_is_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    loaded = load(path, {})
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1


def test_a_folder_in_the_files_place_is_one_problem(tmp_path: Path) -> None:
    assert len(load(tmp_path, {}).problems) == 1


def test_where_the_file_is(tmp_path: Path) -> None:
    assert config_path({"CWM_LSP_CONFIG": str(tmp_path / "mine.toml")}) == tmp_path / "mine.toml"
    assert config_path({}).name == "config.toml"


@given(st.text(max_size=60))
def test_no_text_in_a_variable_raises(text: str) -> None:
    for name in ("MODEL", "GROUNDING", "MAX_FRAMES", "MAX_SECONDS", "BACKEND_X"):
        load(Path("/nonexistent/config.toml"), {f"CWM_LSP_{name}": text})
