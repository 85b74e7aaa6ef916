"""Kept traces: over a restart, moved with their code, and never an error whatever becomes of the file."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from cwm_lsp.trace.cache import CachedTrace, TraceCache, trace_key
from cwm_lsp.trace.frame import End, Frame, Value

FRAMES = (
    Frame("call", "f", 3, 1, {"n": Value("1", "given")}),
    Frame("line", "f", 4, 1, {"n": Value("1", "predicted", 0.5)}),
    Frame("return", "f", 4, 1, {}, Value("'é\\ud800'", "computed")),
)
TRACE = CachedTrace(
    "k1", "# é\n\ndef f(n):\n    return n\n", "/x.py", "f", "f(1)", FRAMES,
    End("returned", "1", 3, 4, 5, 0.5, None), "cwm-mini", "values", ((3, 4),),
)  # fmt: skip


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "traces.sqlite"
    cache = TraceCache(path)
    cache.put(TRACE)
    cache.choose("file:///x.py", "f", "f(2)")
    cache.close()
    again = TraceCache(path)
    assert again.remembered("k1") is None
    found = again.get("k1")
    assert found is not None
    assert replace(found, created=0.0) == TRACE
    assert again.remembered("k1") is not None
    assert again.chosen("file:///x.py") == {"f": "f(2)"}
    again.choose("file:///x.py", "f", None)
    assert again.chosen("file:///x.py") == {}
    again.forget(["k1"])
    assert again.get("k1") is None
    assert path.stat().st_mode & 0o077 == 0
    again.close()


def test_in_memory_only(tmp_path: Path) -> None:
    cache = TraceCache(None)
    cache.put(TRACE)
    assert cache.get("k1") is not None
    assert cache.chosen("x") == {}
    cache.forget()
    assert cache.get("k1") is None
    assert not list(tmp_path.iterdir())


def test_it_moves_with_its_code() -> None:
    text = "import os\n\n\n" + TRACE.text
    moved = TRACE.moved(text, [(6, 7)], "/y.py")
    assert [frame.line for frame in moved.frames] == [6, 7, 7]
    assert moved.moved(TRACE.text, [(3, 4)], "/x.py") == TRACE
    with pytest.raises(ValueError, match="other statements"):
        TRACE.moved(text, [(6, 8)], None)
    outside = replace(TRACE, frames=(*FRAMES, Frame("line", "g", 9, 1)))
    with pytest.raises(ValueError, match="line 9"):
        outside.moved(text, [(6, 7)], None)


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000])
def test_a_broken_file_costs_only_old_traces(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "traces.sqlite"
    path.write_bytes(damage)
    cache = TraceCache(path)
    assert cache.get("k1") is None
    cache.put(TRACE)
    assert cache.get("k1") is not None
    cache.close()
    assert TraceCache(path).get("k1") is not None


def test_a_broken_row_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "traces.sqlite"
    cache = TraceCache(path)
    cache.put(TRACE)
    cache.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE traces SET data = ?", (b"junk",))
    assert TraceCache(path).get("k1") is None


def test_a_place_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    cache = TraceCache(tmp_path / "file" / "traces.sqlite")
    cache.put(TRACE)
    assert cache.get("k1") is not None
    assert cache.problem is not None


def test_the_oldest_go_first(tmp_path: Path) -> None:
    cache = TraceCache(tmp_path / "traces.sqlite", megabytes=1)
    noise = os.urandom(150_000).hex()
    for number in range(8):
        cache.put(replace(TRACE, key=f"k{number}", text=noise[number:]))
    cache.close()
    again = TraceCache(tmp_path / "traces.sqlite")
    kept = [number for number in range(8) if again.get(f"k{number}") is not None]
    assert kept == list(range(kept[0], 8))
    assert 0 < kept[0] < 8


def test_two_programs_share_the_file(tmp_path: Path) -> None:
    one, two = TraceCache(tmp_path / "t.sqlite"), TraceCache(tmp_path / "t.sqlite")
    one.put(TRACE)
    assert two.get("k1") is not None
    two.put(replace(TRACE, key="k2"))
    assert one.get("k2") is not None


def test_keys_differ_by_each_part() -> None:
    keys = {
        trace_key(*parts) for parts in (("m", "g", "s", "c"), ("m2", "g", "s", "c"), ("m", "g2", "s", "c"))
    }
    assert len(keys | {trace_key("m", "g", "s2", "c"), trace_key("m", "g", "s", "c2")}) == 5
