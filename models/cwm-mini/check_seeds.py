"""Checks the seed programs and the held-out programs: runs every `# cwm:` call, and compares the two sets.

Usage: python check_seeds.py [--quiet]. Ends with status 1 and the reasons if anything is wrong. A comment
`# raises: ValueError` in the block above a function allows that exception to leave its calls. The seeds are
also held apart from the project's examples. Leaves out what a program means: a person has to read for that.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import hashlib
import io
import os
import re
import statistics
import subprocess
import sys
import tokenize
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).parent
EVENT_LIMIT = 20_000
FRAMES_AT_MOST = 60
SIMILARITY_LIMIT = 0.8
SMALLEST_HELPER = 30  # tokens; shorter helpers are too alike by nature to be compared
HELD_OUT_MARK = "held out, never train on this"
FRAMES_TO_MENTION = 5  # shorter traces are told, not refused: an early return can't be longer


class TooManyEventsError(Exception):
    """A call went past EVENT_LIMIT."""


@dataclass
class Entry:
    """A function with calls above it."""

    file: Path
    name: str
    calls: list[str]
    raises: tuple[str, ...]
    node: ast.FunctionDef
    counts: list[int] = field(default_factory=list)


def entries_of(path: Path, tree: ast.Module, text: str) -> tuple[list[Entry], list[str]]:
    """The functions of a file with the calls in the comments right above them, and what is wrong."""
    lines, entries, problems, used = text.splitlines(), [], [], set()
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
        block: list[tuple[int, str]] = []
        at = first - 1
        while at >= 0 and lines[at].startswith("#"):
            block.append((at, lines[at]))
            at -= 1
        calls: list[str] = []
        raises: tuple[str, ...] = ()
        for number, line in reversed(block):
            if line.startswith("# cwm: "):
                calls.append(line.removeprefix("# cwm: ").strip())
                used.add(number)
            elif line.startswith("# raises: "):
                raises = tuple(part.strip() for part in line.removeprefix("# raises: ").split(","))
        if not calls:
            continue
        where = f"{path.name}:{node.lineno} {node.name}"
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        arguments += [a for a in (node.args.vararg, node.args.kwarg) if a is not None]
        if node.returns is None or any(a.annotation is None for a in arguments):
            problems.append(f"{where}: an annotation is missing")
        for call in calls:
            problem = wrong_call(call, node.name)
            if problem:
                problems.append(f"{where}: {call}: {problem}")
        if len(set(calls)) != len(calls):
            problems.append(f"{where}: the same call twice")
        entries.append(Entry(path, node.name, calls, raises, node))
    for number, line in enumerate(lines):
        if "cwm:" in line and number not in used:
            problems.append(f"{path.name}:{number + 1}: a call that belongs to no function")
    return entries, problems


def wrong_call(call: str, name: str) -> str | None:
    """Why a call is not `name(literals)`, or None."""
    try:
        node = ast.parse(call, mode="eval").body
    except SyntaxError as error:
        return f"does not parse: {error.msg}"
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name):
        return "calls another function"
    try:
        for argument in [*node.args, *(k.value for k in node.keywords)]:
            ast.literal_eval(argument)
    except ValueError:
        return "an argument is not a literal"
    return None


def run_call(call: str, namespace: dict[str, Any], filename: str) -> tuple[int, str, BaseException | None]:
    """Evaluates a call while tracing: the number of frames, a digest of path and value, the exception."""
    count, digest = 0, hashlib.sha256()

    def tracer(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal count
        if frame.f_code.co_filename != filename:
            return None
        count += 1
        if count > EVENT_LIMIT:
            raise TooManyEventsError
        told = repr(arg) if event == "return" and isinstance(arg, int | str | list | tuple | dict) else ""
        digest.update(f"{event} {frame.f_code.co_name} {frame.f_lineno} {plain(told)}\n".encode())
        return tracer

    error: BaseException | None = None
    code = compile(call, "<call>", "eval")
    previous = sys.gettrace()
    sys.settrace(tracer)
    try:
        value = eval(code, namespace)  # noqa: S307 - the seeds are ours, and running them is the point
    except Exception as caught:
        error, value = caught, None
    finally:
        sys.settrace(previous)
    digest.update(f"{plain(repr(value))} {plain(repr(error))}".encode())
    return count, digest.hexdigest(), error


def plain(text: str) -> str:
    """A repr without memory addresses."""
    return re.sub(r" at 0x[0-9a-f]+", "", text)


class Normaliser(ast.NodeTransformer):
    """Drops annotations and docstrings, numbers the names in order, and reduces literals to their kind."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def short(self, name: str) -> str:
        if hasattr(builtins, name):
            return name
        return self.names.setdefault(name, f"v{len(self.names)}")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name, node.returns = self.short(node.name), None
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1:
            del node.body[0]
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self.short(node.arg), None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.short(node.id)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or node.value is None:
            return node
        kind = "s" if isinstance(node.value, str) else 1
        return ast.copy_location(ast.Constant(kind), node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        values = [p.value if isinstance(p, ast.FormattedValue) else p for p in node.values]
        parts = [self.visit(value) for value in values]
        return ast.copy_location(ast.Tuple(parts, ast.Load()), node)


def tokens_of(node: ast.FunctionDef) -> list[str]:
    """The tokens of a function after normalisation; the node itself stays as it is."""
    copy = ast.parse(ast.unparse(node)).body[0]
    text = ast.unparse(ast.fix_missing_locations(Normaliser().visit(copy)))
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in found if token.string.strip()]


def near_copies(others: dict[str, list[str]], held: dict[str, list[str]]) -> list[str]:
    """The pairs that are too alike, as sentences."""
    problems = []
    for name, tokens in held.items():
        matcher = SequenceMatcher(None, autojunk=False)
        matcher.set_seq2(tokens)
        for other, its_tokens in others.items():
            matcher.set_seq1(its_tokens)
            if matcher.real_quick_ratio() < SIMILARITY_LIMIT or matcher.quick_ratio() < SIMILARITY_LIMIT:
                continue
            ratio = matcher.ratio()
            if ratio >= SIMILARITY_LIMIT:
                problems.append(f"{name} is like {other}: {ratio:.2f}")
    return problems


def functions_of(path: Path, tree: ast.Module, named: set[str]) -> dict[str, list[str]]:
    """Normalised tokens of the functions and methods that are entries or long enough to be compared."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            tokens = tokens_of(node)
            if node.name in named or len(tokens) >= SMALLEST_HELPER:
                found[f"{path.parent.name}/{path.name}:{node.name}"] = tokens
    return found


@dataclass
class Checked:
    """What a folder's files hold: entries, tokens by function, problems, a digest of all traces."""

    entries: list[Entry] = field(default_factory=list)
    tokens: dict[str, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    digest: str = ""


def check_folder(folder: Path, held_out: bool, told: list[str]) -> Checked:
    """Reads and runs a folder's files; what is worth a word but no error goes to `told`."""
    checked = Checked()
    problems = checked.problems
    digests = []
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if held_out and not any(HELD_OUT_MARK in line.lower() for line in text.splitlines()[:3]):
            problems.append(f"{path.name}: does not say that it is held out")
        tree = ast.parse(text)
        code = compile(text, str(path), "exec")
        found, wrong = entries_of(path, tree, text)
        problems += wrong
        for entry in found:
            for call in entry.calls:
                namespace: dict[str, Any] = {"__name__": "program"}
                exec(code, namespace)  # noqa: S102 - a fresh module for every call
                frames, digest, error = run_call(call, namespace, str(path))
                entry.counts.append(frames)
                digests.append(digest)
                where = f"{path.name} {call}"
                if error is not None and type(error).__name__ not in entry.raises:
                    problems.append(f"{where}: {type(error).__name__}: {error}")
                if frames > FRAMES_AT_MOST:
                    problems.append(f"{where}: {frames} frames")
                if frames < FRAMES_TO_MENTION:
                    told.append(f"{where}: only {frames} frames")
        checked.entries += found
        checked.tokens |= functions_of(path, tree, {entry.name for entry in found})
    names = [entry.name for entry in checked.entries]
    doubles = sorted({name for name in names if names.count(name) > 1})
    problems += [f"{name}: two functions of that name" for name in doubles]
    checked.digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return checked


def example_tokens() -> dict[str, list[str]]:
    """Normalised tokens of the project's examples, empty where the folder is not there."""
    found: dict[str, list[str]] = {}
    for path in sorted((HERE.parent.parent / "examples").glob("*.py")):
        found |= functions_of(path, ast.parse(path.read_text(encoding="utf-8")), set())
    return found


def summary(label: str, entries: list[Entry]) -> str:
    counts = [count for entry in entries for count in entry.counts] or [0]
    files = len({entry.file for entry in entries})
    return (
        f"{label}: {files} files, {len(entries)} functions, {len(counts)} calls, "
        f"frames {min(counts)}/{statistics.median(counts):g}/{max(counts)} (min/median/max), "
        f"{sum(counts)} in all"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="leave out the list of very short traces")
    parser.add_argument("--digest", action="store_true", help="print only the digest of all traces")
    options = parser.parse_args()
    told: list[str] = []
    seeds, held = check_folder(HERE / "seeds", False, told), check_folder(HERE / "heldout", True, told)
    digests = seeds.digest + held.digest
    if options.digest:
        print(digests)
        return 0
    problems = seeds.problems + held.problems
    shared = {entry.name for entry in seeds.entries} & {entry.name for entry in held.entries}
    problems += [f"{name}: is both a seed and held out" for name in sorted(shared)]
    problems += near_copies(seeds.tokens, held.tokens)
    problems += near_copies(example_tokens(), seeds.tokens)
    for hash_seed in ("1", "2"):  # an order that comes from hashing would differ between runs
        command = [sys.executable, __file__, "--digest"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        if output.strip() != digests:
            problems.append(f"the traces differ under PYTHONHASHSEED={hash_seed}")
    print(summary("seeds", seeds.entries))
    print(summary("held out", held.entries))
    if told and not options.quiet:
        print(f"{len(told)} very short traces:", *told, sep="\n  ")
    if problems:
        print(f"{len(problems)} problems:", *problems, sep="\n  ")
        return 1
    print("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
