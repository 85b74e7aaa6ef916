"""`cwm-lsp fill`: the real executable on files with holes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_fixture import EXAMPLES, cwm, in_terminal, without_escapes
from tests.fill.really import all_right
from tests.fill.tasks import TASKS

HOLES = EXAMPLES / "holes"
TASK = next(task for task in TASKS if task.name == "rotate")
TEXT = "# cwm: f(3) -> 6\n# cwm: f(5) -> 10\ndef f(n):\n    return n * ?\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one hole."""
    found = tmp_path / "app.py"
    found.write_text(TEXT, encoding="utf-8")
    return found


def test_json_is_one_object_a_hole() -> None:
    done = cwm("fill", HOLES / "without_repeats.py", "--json", "--no-model")
    assert done.status == 0, done
    assert [set(line) for line in done.lines] == [{"line", "column", "fills"}] * 2
    assert [(line["line"], line["column"]) for line in done.lines] == [(17, 12), (19, 13)]
    for line in done.lines:
        for fill in line["fills"]:
            assert set(fill) == {"text", "verified", "examples", "score"}
            assert fill["verified"] == "passed"
            assert fill["examples"] == [4, 4]
            assert 0 <= fill["score"] <= 1
    assert done.lines[0]["fills"][0]["text"] == "value not in seen"


def test_with_the_model_a_person_reads_what_passes() -> None:
    done = cwm("fill", TASK.path)
    assert done.status == 0, done
    assert "line 14, column 28  return items[count:] + ?" in done.out
    assert "= items[:count]  passed  4 of 4 examples" in done.out
    assert "\x1b" not in done.out


def test_colours_in_a_terminal(path: Path) -> None:
    status, shown = in_terminal("fill", path, "--no-model")
    assert status == 0
    assert "\x1b[" in shown
    assert "= 2  passed  2 of 2 examples" in without_escapes(shown)


def test_writing_puts_the_fills_in_and_touches_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    before = b"\xef\xbb\xbf# caf\xc3\xa9\r\n" + TASK.text.replace("\n", "\r\n").encode()
    path.write_bytes(before)
    path.chmod(0o755)
    done = cwm("fill", path, "--write", "--no-model")
    assert done.status == 0, done
    assert "1 of 1 holes filled" in done.err
    assert path.read_bytes() == before.replace(b"+ ?", b"+ items[:count]")
    assert path.stat().st_mode & 0o777 == 0o755
    assert all_right(path.read_text(encoding="utf-8-sig"), TASK.hidden)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_that_does_not_pass(path: Path) -> None:
    text = TEXT.replace("-> 10", "-> 11") + "    return f(?)\n"
    path.write_text(text, encoding="utf-8")
    done = cwm("fill", path, "--write", "--no-model", "--seconds", "0.3")
    assert "holes could not be filled" in done.refused(1)
    assert path.read_text(encoding="utf-8") == text


def test_the_code_is_never_run(path: Path, tmp_path: Path) -> None:
    path.write_text("open('was_run', 'w').close()\n" + TEXT, encoding="utf-8")
    assert cwm("fill", path, "--no-model", cwd=tmp_path).status == 0
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(n):\n    return n + ?\n", "no example says what f should return"),
        ("def f(n: ?):\n    return n\n", "type annotation"),
        ("def f(n):\n    return ??\n", "two holes must not touch"),
        ("def f(a, b):\n    return a?b\n", "put a space between"),
        ("def f(n)\n    return ?\n", "syntax error at line 1"),
        ("# cwm: f(1) -> 2\ndef f(n):\n    if n == 1:\n        return 3\n    return ?\n", "left open"),
    ],
)
def test_what_can_not_be_filled_is_one_sentence(path: Path, text: str, said: str) -> None:
    path.write_text(text, encoding="utf-8")
    done = cwm("fill", path, "--no-model", "--seconds", "0.3", "--json")
    assert said in done.refused(1)
    assert all(json.loads(line)["fills"] == [] for line in done.out.splitlines())


def test_a_file_without_holes() -> None:
    done = cwm("fill", EXAMPLES / "gcd.py", "--no-model")
    assert done.status == 0
    assert "no holes" in done.err


@pytest.mark.parametrize(
    ("args", "status"), [(["none.py"], 2), (["-", "--write"], 2), (["x.py", "--seconds", "-1"], 2)]
)
def test_bad_usage(args: list[str], status: int) -> None:
    assert cwm("fill", *args, stdin="").status == status


def test_stdin() -> None:
    done = cwm("fill", "-", "--no-model", "--json", stdin=TEXT)
    assert done.lines[0]["fills"][0]["text"] == "2"


def test_help_has_examples() -> None:
    assert "cwm-lsp fill app.py --write" in cwm("fill", "--help").out
    assert "fill" in cwm("--help").out
