"""The house rule of ARCHITECTURE.md: a room imports rooms below it, never above."""

from __future__ import annotations

import ast
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "cwm_lsp"

BESIDE = {"config", "config_values", "look"}
DOMAIN = {"source", "trace", "model", "world", "fill"}
ALLOWED: dict[str, set[str]] = {
    "source": set(),
    "trace": {"source"},
    "model": {"trace"},
    "world": {"model", "trace", "source"},
    "fill": {"world", "model", "trace", "source"},
    "lsp": DOMAIN | BESIDE,
    "dap": DOMAIN | BESIDE,
    "mcp": DOMAIN | BESIDE,
    "config": {"trace", "config_values"},
    "config_values": set(),
    "look": {"trace"},
}
DOOR = {"cli", "commands", "doctor", "__main__"}
EDITOR_PROTOCOLS = {"pygls", "lsprotocol", "mcp", "debugpy"}
EDITOR_ROOMS = {"lsp", "dap", "mcp"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(dotted: str) -> str | None:
    """`cwm_lsp.trace.frame` is in the room `trace`; `cwm_lsp` itself (the version) is in none."""
    parts = dotted.split(".")
    return parts[1] if parts[0] == "cwm_lsp" and len(parts) > 1 else None


def dotted_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_lazy(node: ast.AST) -> bool:
    """True for what does not run when the module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.dump(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path, *, at_import_only: bool = False) -> tuple[tuple[int, str], ...]:
    """(line, dotted module) of what the file imports; for `from a import b` both `a` and `a.b`."""
    found: list[tuple[int, str]] = []
    todo: list[ast.AST] = [tree(path)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found += ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.append((node.lineno, node.module or ""))
            found += ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif not (at_import_only and is_lazy(node)) and not isinstance(node, ast.expr):
            todo.extend(ast.iter_child_nodes(node))
    return tuple(found)


@pytest.mark.parametrize("path", modules(), ids=dotted_name)
def test_arrows_point_down(path: Path) -> None:
    room = room_of(dotted_name(path))
    if room is None or room in DOOR:
        return
    assert room in ALLOWED, f"{path}: a new room: give it its place in ARCHITECTURE.md and here"
    for line, name in imports(path):
        target = room_of(name)
        is_ours = target is not None and ((PACKAGE / target).is_dir() or (PACKAGE / f"{target}.py").is_file())
        if target == room or not is_ours:
            continue
        assert target in ALLOWED[room], f"{path}:{line}: {room} must not import {name}"


@pytest.mark.parametrize("path", modules(), ids=dotted_name)
def test_only_editor_rooms_know_editor_protocols(path: Path) -> None:
    if room_of(dotted_name(path)) in EDITOR_ROOMS:
        return
    for line, name in imports(path):
        assert name.split(".")[0] not in EDITOR_PROTOCOLS, f"{path}:{line}: imports {name}"


def base_packages() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {requirement.split(">")[0].split("=")[0].strip() for requirement in project["dependencies"]}


def base_modules() -> set[str]:
    """The base dependencies' own modules: their names are those of their packages, and pygls brings its
    protocol types."""
    return base_packages() | {"lsprotocol", "cwm_lsp"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", modules(), ids=dotted_name)
def test_extras_are_imported_where_they_are_used(path: Path) -> None:
    """So the base install, without torch, can import every module but the backends of an extra."""
    if "transformers" in path.stem or path.stem in {"reference", "llama_cpp"}:
        return
    for line, name in imports(path, at_import_only=True):
        assert name.split(".")[0] in base_modules(), f"{path}:{line}: imports {name} at import time"


def test_modules_say_what_they_are_and_stay_short() -> None:
    for path in modules():
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(tree(path)), f"{path} has no docstring"
        generated = "Written by scripts/" in text
        assert generated or text.count("\n") <= 500, f"{path} is longer than 500 lines"


def test_the_rule_catches_an_arrow_up(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("from cwm_lsp.world import simulation\nfrom cwm_lsp import look\n", encoding="utf-8")
    names = [name for _, name in imports(bad)]
    assert {room_of(name) for name in names if room_of(name)} == {"world", "look"}
    assert "world" not in ALLOWED["trace"]
