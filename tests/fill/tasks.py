"""The tasks of examples/holes/: their level, one right way to fill them, and checks that the filler never
sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "holes"


@dataclass(frozen=True)
class Task:
    """`level`: 1 bounds and initial values, 2 conditions, accumulators and searches, 3 several holes and
    missing statements. `hidden`: calls and what they return, as code."""

    name: str
    level: int
    solution: tuple[str, ...]
    hidden: tuple[tuple[str, str], ...]

    @property
    def path(self) -> Path:
        """The file with the holes."""
        return FOLDER / f"{self.name}.py"

    @property
    def text(self) -> str:
        """What the file says."""
        return self.path.read_text(encoding="utf-8")


def filled(text: str, fills: tuple[str, ...]) -> str:
    """The text with its `?` replaced in order (the tasks have no other `?`)."""
    parts = text.split("?")
    assert len(parts) == len(fills) + 1
    return "".join(part + fill for part, fill in zip(parts, (*fills, ""), strict=True))


TASKS = (
    Task(
        "longest_run",
        1,
        ("1",),
        (
            ("longest_run([7])", "1"),
            ("longest_run([2, 2])", "2"),
            ("longest_run([1, 2, 2, 1, 1, 1, 1])", "4"),
            ("longest_run('mississippi')", "2"),
            ("longest_run([0, 1, 0])", "1"),
        ),
    ),
    Task(
        "binary_search",
        1,
        ("len(ordered) - 1",),
        (
            ("find([1, 4, 6, 9, 12], 1)", "0"),
            ("find([3], 3)", "0"),
            ("find([3], 4)", "None"),
            ("find([1, 2], 2)", "1"),
            ("find(list(range(0, 100, 3)), 99)", "33"),
            ("find([5, 6, 7], 0)", "None"),
            ("find([5, 6, 7], 9)", "None"),
        ),
    ),
    Task(
        "digit_product",
        1,
        ("1",),
        (
            ("digit_product(0)", "0"),
            ("digit_product(1)", "1"),
            ("digit_product(1234)", "24"),
            ("digit_product(555)", "125"),
        ),
    ),
    Task(
        "rotate",
        1,
        ("items[:count]",),
        (
            ("rotate([], 0)", "[]"),
            ("rotate([1, 1, 2], 1)", "[1, 2, 1]"),
            ("rotate([9, 8], 2)", "[9, 8]"),
            ("rotate([1, 2, 3, 4], 3)", "[4, 1, 2, 3]"),
        ),
    ),
    Task(
        "chunks",
        1,
        ("start + size",),
        (
            ("chunks([1, 2, 3, 4, 5, 6, 7], 3)", "[[1, 2, 3], [4, 5, 6], [7]]"),
            ("chunks([1], 5)", "[[1]]"),
            ("chunks('abcd', 3)", "['abc', 'd']"),
            ("chunks([0] * 6, 4)", "[[0, 0, 0, 0], [0, 0]]"),
        ),
    ),
    Task(
        "triangle",
        1,
        ("height + 1",),
        (
            ("triangle(4)", "'*\\n**\\n***\\n****'"),
            ("triangle(6).count('*')", "21"),
            ("triangle(5).count('*')", "15"),
        ),
    ),
    Task(
        "coldest",
        1,
        ("days[0]",),
        (
            ("coldest([('a', 0), ('b', 0)])", "'a'"),
            ("coldest([('a', 50), ('b', 60)])", "'a'"),
            ("coldest([('a', 1000), ('b', 999), ('c', 2000)])", "'b'"),
            ("coldest([('x', -500)])", "'x'"),
        ),
    ),
    Task(
        "is_prime",
        2,
        ("number % divisor == 0",),
        (
            ("is_prime(25)", "False"),
            ("is_prime(97)", "True"),
            ("is_prime(0)", "False"),
            ("is_prime(4)", "False"),
            ("is_prime(49)", "False"),
            ("is_prime(3)", "True"),
            ("is_prime(21)", "False"),
            ("is_prime(-7)", "False"),
        ),
    ),
    Task(
        "word_counts",
        2,
        ("counts.get(word, 0) + 1",),
        (
            ("word_counts('x x x x')", "{'x': 4}"),
            ("word_counts('b a')", "{'b': 1, 'a': 1}"),
            ("word_counts('to be or not to be')", "{'to': 2, 'be': 2, 'or': 1, 'not': 1}"),
        ),
    ),
    Task(
        "merge",
        2,
        ("left[i] <= right[j]",),
        (
            ("merge([1, 2, 3], [])", "[1, 2, 3]"),
            ("merge([5], [1, 9])", "[1, 5, 9]"),
            ("merge([1, 1], [1])", "[1, 1, 1]"),
            ("merge([0, 10, 20], [5, 15, 25])", "[0, 5, 10, 15, 20, 25]"),
            ("merge([8, 9], [1, 2])", "[1, 2, 8, 9]"),
            ("merge(['a', 'd'], ['b', 'c'])", "['a', 'b', 'c', 'd']"),
            ("merge([-3, -1], [-2])", "[-3, -2, -1]"),
        ),
    ),
    Task(
        "brackets",
        2,
        ("depth < 0",),
        (
            ("balanced('())(')", "False"),
            ("balanced('((()))')", "True"),
            ("balanced('')", "True"),
            ("balanced(')')", "False"),
            ("balanced('())(()')", "False"),
            ("balanced('(((x)))()')", "True"),
            ("balanced('((((')", "False"),
        ),
    ),
    Task(
        "moving_sum",
        2,
        ("numbers[i] - numbers[i - width]",),
        (
            ("moving_sums([1, 1, 1, 1], 2)", "[2, 2, 2]"),
            ("moving_sums([9, -1, 4, 0, 6], 4)", "[12, 9]"),
            ("moving_sums([3, 1, 4, 1, 5, 9, 2, 6], 3)", "[8, 6, 10, 15, 16, 17]"),
        ),
    ),
    Task(
        "nested_depth",
        2,
        ("depth(inner)",),
        (
            ("depth([[[[]]]])", "4"),
            ("depth('text')", "0"),
            ("depth([1, [], [2, [3, 4]]])", "3"),
            ("depth([[[1]], 2])", "3"),
            ("depth([7, 8, 9])", "1"),
        ),
    ),
    Task(
        "run_length",
        2,
        ("text[at] + str(end - at)",),
        (
            ("encode('abc')", "'a1b1c1'"),
            ("encode('zzzzzzzzzzzz')", "'z12'"),
            ("encode('aabbaa')", "'a2b2a2'"),
            ("encode('  x')", "' 2x1'"),
        ),
    ),
    Task(
        "fibonacci",
        3,
        ("a, b = b, a + b",),
        (
            ("fibonacci(10)", "[0, 1, 1, 2, 3, 5, 8, 13, 21, 34]"),
            ("fibonacci(2)", "[0, 1]"),
            ("fibonacci(12)[-1]", "89"),
        ),
    ),
    Task(
        "two_sum",
        3,
        ("goal - number", "number", "at"),
        (
            ("pair([1, 5, 9, 3], 8)", "(1, 3)"),
            ("pair([], 3)", "None"),
            ("pair([0, 4, 0], 0)", "(0, 2)"),
            ("pair([4], 8)", "None"),
            ("pair([-2, 6, 1], 4)", "(0, 1)"),
            ("pair([10, 20, 30, 40], 70)", "(2, 3)"),
        ),
    ),
    Task(
        "bubble_sort",
        3,
        ("ordered[i] > ordered[i + 1]", "ordered[i + 1], ordered[i]"),
        (
            ("bubble_sort([1])", "[1]"),
            ("bubble_sort([2, 2, 1])", "[1, 2, 2]"),
            ("bubble_sort(['c', 'a', 'b'])", "['a', 'b', 'c']"),
            ("bubble_sort([9, 8, 7, 6, 5, 4])", "[4, 5, 6, 7, 8, 9]"),
            ("bubble_sort([1, 2, 3])", "[1, 2, 3]"),
            ("bubble_sort([0, -5, 3, -1, 2])", "[-5, -1, 0, 2, 3]"),
        ),
    ),
    Task(
        "best_profit",
        3,
        ("prices[0]", "lowest = min(lowest, price)"),
        (
            ("best_profit([5])", "0"),
            ("best_profit([1, 2, 3, 4])", "3"),
            ("best_profit([10, 3, 8, 2, 9, 1])", "7"),
            ("best_profit([100, 180, 90, 95, 300])", "210"),
            ("best_profit([3, 3, 3])", "0"),
            ("best_profit([50, 40, 60, 20, 35])", "20"),
        ),
    ),
    Task(
        "to_base",
        3,
        ("str(number % base)", "number //= base"),
        (
            ("to_base(0, 2)", "''"),
            ("to_base(100, 10)", "'100'"),
            ("to_base(64, 2)", "'1000000'"),
            ("to_base(29, 5)", "'104'"),
            ("to_base(3, 4)", "'3'"),
        ),
    ),
    Task(
        "without_repeats",
        3,
        ("value not in seen", "seen.add(value)"),
        (
            ("without_repeats([1, 1, 1])", "[1]"),
            ("without_repeats('hello')", "['h', 'e', 'l', 'o']"),
            ("without_repeats([5, 4, 5, 4, 3])", "[5, 4, 3]"),
            ("without_repeats([0, False])", "[0]"),
        ),
    ),
)
