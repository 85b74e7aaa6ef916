"""llama.cpp where it is missing, too old or full; the table of errors in docs/engines.md names real tests."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cwm_lsp.model.backend import BackendError

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_without_llama_cpp(tmp_path: Path) -> None:
    """In a process where it can't be imported."""
    (tmp_path / "model.gguf").touch()
    code = (
        "import sys; sys.modules['llama_cpp'] = None\n"
        "from cwm_lsp.model.catalog import load\n"
        "from cwm_lsp.model.backend import BackendError\n"
        f"try: load({str(tmp_path)!r})\n"
        "except BackendError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert "needs llama-cpp-python: pip install 'cwm-lsp[llama]'" in done.stdout, done.stderr


def test_a_llama_cpp_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llama_cpp")
    from cwm_lsp.model import llama_library

    monkeypatch.setattr(llama_library.importlib.metadata, "version", lambda _: "0.3.35")
    with pytest.raises(BackendError, match=r"0.3.35 is too old, 0.3.36 is needed"):
        llama_library.library()


def test_rows_that_can_not_be_quantised(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    pytest.importorskip("llama_cpp")
    from cwm_lsp.model.gguf_convert import convert

    with pytest.raises(
        BackendError, match="has rows of 64, and q4_k_m needs multiples of 256; use --quant f16"
    ):
        convert(checkpoint("full-last"), tmp_path / "out", "q4_k_m")


def test_a_disk_that_is_too_small(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gguf")
    from cwm_lsp.model import gguf_convert

    monkeypatch.setattr(gguf_convert.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(
        BackendError, match=r"of disk, and .* has 0.0 GB free; name another place with --output"
    ):
        gguf_convert.convert(checkpoint("full-last"), tmp_path / "out", "f16")


def test_without_gguf(
    checkpoint: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cwm_lsp.model.gguf_convert import convert

    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(BackendError, match="pip install gguf"):
        convert(checkpoint("full-last"), tmp_path / "out", "f16")


@pytest.mark.slow
def test_a_cache_that_is_full(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    """All of it is in use at once: no sequence can be given up for another."""
    from tests.model.conformance import need_llama

    need_llama()
    import numpy as np

    from cwm_lsp.model.catalog import load
    from cwm_lsp.model.gguf_convert import convert

    backend: Any = load(
        convert(checkpoint("full-last"), tmp_path / "out", "f32").parent, context=512, threads=1
    )
    first, second = backend.runner.new(), backend.runner.new()
    first.extend(np.arange(400))
    with pytest.raises(BackendError, match="cache of 512 tokens is full; ask for a larger context"):
        second.extend(np.arange(300))
    assert second.length == 0
    assert len(second.extend(np.arange(50))) == backend.runner.vocabulary_size
    second.free()
    fork = first.fork(100)
    assert len(fork.extend(np.arange(5))) == backend.runner.vocabulary_size


def test_the_table_of_errors_names_real_tests() -> None:
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    table = text[text.index("| you see |") :].splitlines()[2:]
    sources = {
        path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "model").glob("test_*.py")
    }
    file, count = "", 0
    for row in (line for line in table if line.startswith("|")):
        cell = row.rstrip("|").split("|")[-1].strip()
        if cell != "the same":
            file, _, name = cell.partition(": ")
            name = name.split(" (")[0].rstrip("…")
            assert file in sources, row
            assert re.search(rf"def test_{re.escape(name)}", sources[file]), row
        count += 1
    assert count > 30
