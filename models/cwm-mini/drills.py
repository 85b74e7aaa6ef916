"""Short functions of one-operation lines with many calls: dense practice of what programs do most.

Every drill is a pure function of its seed number. Leaves out control flow (programs.py has it).
"""

from __future__ import annotations

import random

from literals import ALPHABET, Literals

CALLS = 7
LINES = 5
TARGETS = ("r", "x", "out", "t", "u", "w", "y", "z", "p", "q")


def drill(seed: int) -> tuple[str, list[str]]:
    """Source and calls of one drill."""
    rng = random.Random(seed ^ 0xD1117)
    names = rng.sample(TARGETS, LINES)
    draw = rng.random()
    if draw < 0.36:
        parameters, right_sides, arguments = "a, b", arithmetic(rng), two_numbers
    elif draw < 0.46:
        parameters, right_sides, arguments = "s, t, n, ws", texts(rng), strings_and_words
    elif draw < 0.86:
        parameters, right_sides, arguments = "c, d, s, t, ws", equalities(rng), letters_and_strings
    else:
        parameters, right_sides, arguments = "xs, s, i, c", sequences(rng), list_and_string
    lines = [f"    {name} = {right}" for name, right in zip(names, right_sides, strict=True)]
    literals = Literals(rng)
    calls = [f"main({arguments(literals)})" for _ in range(CALLS)]
    return "\n".join([f"def main({parameters}):", *lines]) + "\n", calls


def number(rng: random.Random) -> int:
    """Small numbers as loops meet them, up to two digits, now and then larger or negative."""
    draw = rng.random()
    if draw < 0.45:
        return rng.randint(0, 20)
    if draw < 0.85:
        return rng.randint(0, 120)
    if draw < 0.93:
        return rng.randint(100, 1200)
    return -rng.randint(1, 40)


def near(rng: random.Random, value: int) -> int:
    """A number that a comparison with `value` is not trivial for."""
    return rng.choice((value, value, value + 1, value - 1, value + rng.randint(-12, 12), number(rng)))


def two_numbers(literals: Literals) -> str:
    """Arguments `a` and `b`."""
    a = number(literals.rng)
    return f"{a}, {near(literals.rng, a)}"


def arithmetic(rng: random.Random) -> list[str]:
    """Lines over two ints `a` and `b`."""
    k = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 7, 9, 10, 10, 12, 25, 60, 100))
    d = rng.choice((2, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 10, 12, 16, 60))
    m = rng.choice((2, 3, 4, 5, 6, 7, 8, 9, 10, 12))
    choices = (
        f"a + {k}", f"a + {k}", "a + b", "a + b", "a + b", f"a - {k}", f"a - {k}", "a - b", "b - a",
        f"a * {m}", f"a * {m}", f"a // {d}", f"a % {d}", f"a % {d}", f"b // {d}", f"b % {d}",
        "a < b", "a <= b", "a > b", "a >= b", "a == b", "a != b", f"a > {k}", f"a < {k}", f"a == {k}",
        "a == 0", "b == 0", f"a % {d} == 0", "max(a, b)", "min(a, b)", "abs(a - b)", "-a",
        "str(a)", 'f"{a:02d}"', 'f"{b:03d}"', 'f"{a}"', "(a + b) // 2", f"a * 10 + {k % 10}", "a * b",
        f"{k} - a", "bool(a)", "a % 2 == 1", "a & b", "a ** 2", f"b * {m} + {k}", f"divmod(a, {d})",
        "float(a)", f"a / {d}",
    )  # fmt: skip
    return rng.sample(choices, LINES)


def list_and_string(literals: Literals) -> str:
    """Arguments `xs`, `s`, `i` and `c`."""
    rng = literals.rng
    text = literals.raw_string()
    letter = rng.choice(text) if text and rng.random() < 0.6 else rng.choice("aeioubcdrst")
    return f"{literals.ints()}, {text!r}, {rng.choice((0, 0, 1, 2, 3, 4, 5))}, {letter!r}"


def sequences(rng: random.Random) -> list[str]:
    """Lines over a list `xs`, a string `s`, an int `i` and a letter `c`."""
    j = rng.choice((0, 0, 1, 1, 2, 3, -1, -1, -2))
    choices = (
        "xs[i]", "xs[i]", f"xs[{j}]", f"xs[{j}]", "len(xs)", "len(xs)", "s[i]", f"s[{j}]", "len(s)",
        "len(s)", "s == c", "c in s", "c in s", "c not in s", "s + c", "c + s", "s.upper()", "s[i:]",
        "s[:i]", "s[::-1]", "s.count(c)", "s.find(c)", "xs[i:]", "xs[:i]", "xs + [i]", "i in xs",
        "i < len(xs)", "i < len(s)", "len(xs) - 1", "sum(xs)", "max(xs)", "min(xs)", "sorted(xs)",
        "s.replace(c, '')", "s.startswith(c)", "s * 2", "xs == []", "not xs", "c.isalpha()", "s.isdigit()",
        "list(s)", "s.title()", "xs[i] > xs[0]", "s.strip()", "s[1:]", "s[:-1]", "xs[::-1]", "ord(c)",
        "{c: i}", "s.split()",
    )  # fmt: skip
    return rng.sample(choices, LINES)


def strings_and_words(literals: Literals) -> str:
    """Arguments `s`, `t`, `n` and `ws`."""
    return f"{literals.string()}, {literals.string()}, {number(literals.rng)}, {literals.strs()}"


def texts(rng: random.Random) -> list[str]:
    """Lines that put text together from two strings `s` and `t`, an int `n` and a list of words `ws`."""
    between = (" ", "", ": ", ", ", "-", " is ", " has ", " = ", "/", " of ", " x ", "!", " and ", "_")
    of_number = ("", "", "", ":02d", ":03d", ":>3", ":04d", ":<4", ":+d", ":,", ":5")
    of_string = ("", "", ":>8", ":<8", "!r", ":^9", "")

    def field() -> str:
        name = rng.choice("sstn")
        return "{" + name + rng.choice(of_number if name == "n" else of_string) + "}"

    def fstring() -> str:
        parts = [rng.choice(between) + field() for _ in range(rng.choice((1, 2, 2, 3, 3)))]
        return 'f"' + "".join(parts) + rng.choice(("", "", "!", ".", ")")) + '"'

    choices = (
        "s + t", f"s + {rng.choice(between)!r} + t", "t + s", "s + str(n)",
        f"{rng.choice(between)!r}.join(ws)", "''.join(ws)", "','.join(ws)", "s * 2", "ws + [s]",
        "s[0] + t[1:]", "s.upper() + t", "[s, t]", "(s, n)", "ws[0] + s", "str(n) + s", "len(s) + n",
        "s == t", "s in ws", "t.split()", "s.replace(t, s)", "ws[-1]", "s < t",
    )  # fmt: skip
    return [*(fstring() for _ in range(3)), *rng.sample(choices, 2)]


def letters_and_strings(literals: Literals) -> str:
    """Arguments `c`, `d`, `s`, `t` and `ws`, of which many are the same or contain one another."""
    rng = literals.rng
    s = literals.raw_string() or "a"
    t = s if rng.random() < 0.5 else literals.raw_string()
    c = rng.choice(s) if rng.random() < 0.6 else rng.choice(ALPHABET)
    d = c if rng.random() < 0.5 else rng.choice(ALPHABET)
    words = [rng.choice(("red", "cat", "sun", "x", "blue")) for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.5:
        words.insert(rng.randint(0, len(words)), s)
    return f"{c!r}, {d!r}, {s!r}, {t!r}, {words!r}"


def equalities(rng: random.Random) -> list[str]:
    """Tests over two letters `c` and `d`, two strings `s` and `t` and a list of words `ws`."""
    choices = (
        "c == d", "c == d", "c == d", "c == d", "c != d", "c != d", "s == t", "s == t", "s != t", "c in s",
        "c not in s", "s in ws", "s not in ws", "s[0] == c", "s[-1] == d", "s.startswith(c)", "s.endswith(d)",
        "c < d", "s < t", "c > d", "c == d or c == s", "c in s and d in s", "c == s[1:2]", "s.count(c)",
        "s.find(c)", "d + c", "c in 'aeiou'", "s == s[::-1]",
    )  # fmt: skip
    return rng.sample(choices, LINES)
