"""The profiles: complete, shipped, and honest about what is on this machine."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.catalog import DEFAULT, find, profiles, read_profile
from cwm_lsp.model.folder import ModelConfig

ROOT = Path(__file__).parents[2]


def test_every_profile_is_read_and_the_shipped_one_comes_first() -> None:
    found = profiles()
    assert found[0].name == DEFAULT
    assert {profile.name for profile in found} == {path.stem for path in (ROOT / "models").glob("*.toml")}
    for profile in found:
        data = json.loads(json.dumps(profile.to_json()))
        assert data["installed"] == (data["folder"] is not None)
        assert all((profile.title, profile.memory, profile.licence, profile.summary, profile.tried))


def test_every_profile_is_in_the_wheel() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    included = build["targets"]["wheel"]["force-include"]
    for path in (ROOT / "models").glob("*.toml"):
        assert included[f"models/{path.name}"] == f"cwm_lsp/model/profiles/{path.name}"


def test_find() -> None:
    profile = find("facebook-cwm")
    assert profile is not None
    assert (profile.codec, profile.backend, profile.gated) == ("cwm", "transformers", True)
    assert find("nothing") is None


@pytest.mark.parametrize("content", ["", "name = 1", "x = [", 'name = "a"\nbackend = "magic"'])
def test_a_broken_profile_is_one_sentence(content: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BackendError, match=r"profile|backend"):
        read_profile(path)


def test_the_codec_of_a_folder(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    data = json.loads((checkpoint("full-last") / "config.json").read_text(encoding="utf-8"))
    for extra, codec in [({}, "cwm"), ({"cwm_lsp": {"codec": "mini"}}, "mini"), ({"cwm_lsp": 3}, "cwm")]:
        (tmp_path / "config.json").write_text(json.dumps(data | extra), encoding="utf-8")
        assert ModelConfig.read(tmp_path).codec == codec
