"""`make bench` measures what it says: the form of its JSON, and that both sides tell the same trace."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli_fixture import EXAMPLES, ROOT, environment


def test_decode_prints_json() -> None:
    command = [
        sys.executable,
        "bench/decode.py",
        str(EXAMPLES / "gcd.py"),
        "--max-frames",
        "15",
        "--repeats",
        "2",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["frames"] == 14  # the first of 15 was given
    assert 0 < report["decisions_per_frame"] < report["tokens_per_frame"]
    assert report["passes"] < report["plain"]["passes"] == report["plain"]["tokens"]
    assert report["plain"]["tokens"] >= report["tokens_per_frame"] * report["frames"] - 1
    assert report["plain_bare"]["tokens"] < report["plain"]["tokens"]
    # What is bare is what the constrained side has: questions and answers, three tokens at the head of a
    # block, and at most three for what comes next.
    bare = report["tokens_per_frame"] * report["frames"] + 6 * report["frames"]
    assert report["plain_bare"]["tokens"] <= bare + 1
    assert 0 < report["network_seconds"] < report["seconds"]
    ratios = ("speedup", "speedup_cpu", "speedup_bare", "speedup_bare_cpu")
    for name in ("frames_per_second", "seconds_to_first_frame", *ratios):
        assert report[name] > 0


@pytest.mark.slow
def test_the_bench_of_the_server_prints_json() -> None:
    command = [sys.executable, "bench/server.py", "--functions", "12", "--rounds", "8"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["functions"] == 12
    assert report["exit_status"] == 0
    for name in ("typing_ms", "hover_ms", "hints_ms"):
        assert 0 < report[name]["p50"] <= report[name]["p90"] <= report[name]["worst"]
    assert 0 < report["memory_mb"]["started"] < report["memory_mb"]["most"]


def test_fills_prints_json() -> None:
    command = [sys.executable, "bench/fills.py", "--task", "rotate", "is_prime", "--modes", "search", "--cpu"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment(), check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["search"]
    assert report["rank_1"] == report["first_five"] == report["answered"] == 2
    assert report["by_level"] == {"1": "1/1", "2": "1/1"}
    for row in report["rows"]:
        assert row["rank"] == 1
        assert 0 < row["first_verification"] <= row["verifications"]
        assert 0 < row["first_seconds"] <= row["seconds"]
