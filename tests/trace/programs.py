"""Programs for the tests: those of examples/, and random ones with loops, calls, strings, exceptions,
comprehensions."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CALL = re.compile(r"# cwm: (.*?)(?: -> .*)?$", re.MULTILINE)
WORDS = [
    "alpha",
    "beta",
    'quo"te',
    "back\\slash",
    "new\nline",
    "tab\t",
    "ünï",
    "日本",
    "",
    "<|frame_sep|>",
    "a b",
    "..",
    "42",
]
NAMES = ["total", "items", "word", "count", "left", "right", "result", "seen", "best", "text"]


def examples() -> Iterator[tuple[str, str, str]]:
    """(name, text, call) of each example that has a call."""
    for path in sorted(EXAMPLES.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if match := CALL.search(text):
            yield path.stem, text, match.group(1)


class Maker:
    """One random program of a few functions."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []

    def literal(self) -> str:
        pick = self.random.randrange(6)
        if pick == 0:
            return repr(self.random.choice(WORDS))
        if pick == 1:
            return repr([self.random.randrange(100) for _ in range(self.random.randrange(4))])
        if pick == 2:
            return repr({self.random.choice(WORDS): self.random.randrange(9) for _ in range(2)})
        return repr(self.random.choice([0, 1, -3, 17, 12345, 2.5, True, None]))

    def statement(self, indent: str, names: list[str], depth: int) -> None:
        name = self.random.choice(NAMES)
        old = self.random.choice(names)
        pick = self.random.randrange(12)
        add = self.lines.append
        if pick <= 2 or depth > 2:
            add(f"{indent}{name} = {self.literal()}")
            names.append(name)
        elif pick == 3:
            add(f"{indent}{name} = str({old}) + {self.random.choice(WORDS)!r}")
            names.append(name)
        elif pick == 4:
            add(f"{indent}{name} = [x for x in str({old})[:2]]")
            names.append(name)
        elif pick == 5:
            add(f"{indent}{name} = helper({old}, {self.literal()})")
            names.append(name)
        elif pick == 6:
            add(f"{indent}for i in range({self.random.randrange(4)}):")
            self.body(indent + "    ", [*names, "i"], depth + 1)
        elif pick == 7:
            add(f"{indent}if {old}:")
            self.body(indent + "    ", list(names), depth + 1)
            add(f"{indent}else:")
            self.body(indent + "    ", list(names), depth + 1)
        elif pick == 8:
            add(f"{indent}try:")
            add(f"{indent}    {name} = int({old}) // {self.random.randrange(2)}")
            add(f"{indent}except (ValueError, TypeError, ZeroDivisionError) as error:")
            add(f"{indent}    {name} = str(error)")
            names.append(name)
        elif pick == 9:
            add(f"{indent}{name} = [{old}]")
            add(f"{indent}{name}.append({self.literal()})")
            names.append(name)
        elif pick == 10:
            add(f"{indent}{name} = dict(")
            add(f"{indent}    key={old},")
            add(f"{indent}    other={self.literal()},  # комментарий")
            add(f"{indent})")
            names.append(name)
        else:
            add(f"{indent}{name} = sum(len(str(x)) for x in ({old}, 1))")
            names.append(name)

    def body(self, indent: str, names: list[str], depth: int) -> None:
        for _ in range(self.random.randrange(1, 4)):
            self.statement(indent, names, depth)

    def program(self) -> tuple[str, str]:
        self.lines = ["def helper(value, other=1):", "    if other:", "        return [value, other]"]
        self.lines += ["    return value.missing" if self.random.random() < 0.1 else "    return value", ""]
        self.lines.append("def f(first, second):")
        names = ["first", "second"]
        for _ in range(self.random.randrange(3, 8)):
            self.statement("    ", names, 0)
        self.lines.append(f"    return {self.random.choice(names[:2])}")
        return "\n".join(self.lines) + "\n", f"f({self.literal()}, {self.literal()})"


def generated(count: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """(text, call) of random programs, the same ones for the same seed."""
    for number in range(count):
        yield Maker(seed * 1_000_003 + number).program()
