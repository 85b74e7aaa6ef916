"""Short functions of one-operation lines with many calls: dense practice of what programs do most.

Leaves out control flow (programs.py has it). Every drill is a pure function of its seed number.
"""

from __future__ import annotations

import random

from expressions import Values

CALLS = 7


def number(rng: random.Random) -> int:
    """Small numbers as loops meet them, up to two digits, now and then larger or negative."""
    kind = rng.random()
    if kind < 0.45:
        return rng.randint(0, 20)
    if kind < 0.85:
        return rng.randint(0, 120)
    if kind < 0.93:
        return rng.randint(100, 1200)
    return -rng.randint(1, 40)


def near(rng: random.Random, value: int) -> int:
    """A number that a comparison with `value` is not trivial for."""
    return rng.choice((value, value, value + 1, value - 1, value + rng.randint(-12, 12), number(rng)))


def arithmetic(rng: random.Random) -> list[str]:
    """Lines over two ints `a` and `b`."""
    k = rng.choice((1, 1, 1, 2, 2, 3, 4, 5, 7, 9, 10, 10, 12, 25, 60, 100))
    d = rng.choice((2, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 10, 12, 16, 60))
    m = rng.choice((2, 3, 4, 5, 6, 7, 8, 9, 10, 12))
    choices = (
        f"a + {k}",
        f"a + {k}",
        "a + b",
        "a + b",
        "a + b",
        f"a - {k}",
        f"a - {k}",
        "a - b",
        "b - a",
        f"a * {m}",
        f"a * {m}",
        f"a // {d}",
        f"a % {d}",
        f"a % {d}",
        f"b // {d}",
        f"b % {d}",
        "a < b",
        "a <= b",
        "a > b",
        "a >= b",
        "a == b",
        "a != b",
        f"a > {k}",
        f"a < {k}",
        f"a == {k}",
        "a == 0",
        "b == 0",
        f"a % {d} == 0",
        "max(a, b)",
        "min(a, b)",
        "abs(a - b)",
        "-a",
        "str(a)",
        'f"{a:02d}"',
        'f"{b:03d}"',
        'f"{a}"',
        "(a + b) // 2",
        f"a * 10 + {k % 10}",
        "a * b",
        f"{k} - a",
        "bool(a)",
        "a % 2 == 1",
        "a & b",
        "a ** 2",
        f"b * {m} + {k}",
        f"divmod(a, {d})",
        "float(a)",
        f"a / {d}",
    )
    return rng.sample(choices, 5)


def sequences(rng: random.Random) -> list[str]:
    """Lines over a list `xs`, a string `s`, an int `i` and a letter `c`."""
    j = rng.choice((0, 0, 1, 1, 2, 3, -1, -1, -2))
    choices = (
        "xs[i]",
        "xs[i]",
        f"xs[{j}]",
        f"xs[{j}]",
        "len(xs)",
        "len(xs)",
        "s[i]",
        f"s[{j}]",
        "len(s)",
        "len(s)",
        "s == c",
        "c in s",
        "c in s",
        "c not in s",
        "s + c",
        "c + s",
        "s.upper()",
        "s[i:]",
        "s[:i]",
        "s[::-1]",
        "s.count(c)",
        "s.find(c)",
        "xs[i:]",
        "xs[:i]",
        "xs + [i]",
        "i in xs",
        "i < len(xs)",
        "i < len(s)",
        "len(xs) - 1",
        "sum(xs)",
        "max(xs)",
        "min(xs)",
        "sorted(xs)",
        "s.replace(c, '')",
        "s.startswith(c)",
        "s * 2",
        "xs == []",
        "not xs",
        "c.isalpha()",
        "s.isdigit()",
        "list(s)",
        "s.title()",
        "xs[i] > xs[0]",
        "s.strip()",
        "s[1:]",
        "s[:-1]",
        "xs[::-1]",
        "ord(c)",
        "{c: i}",
        "s.split()",
    )
    return rng.sample(choices, 5)


def texts(rng: random.Random) -> list[str]:
    """Lines that put text together from two strings `s` and `t`, an int `n` and a list of words `ws`."""
    between = (" ", "", ": ", ", ", "-", " is ", " has ", " = ", "/", " of ", " x ", "!", " and ", "_")
    specs = ("", "", "", ":02d", ":03d", ":>3", ":04d", ":<4", ":+d", ":,", ":5")
    words = ("", "", ":>8", ":<8", "!r", ":^9", "")

    def field() -> str:
        name = rng.choice("sstn")
        return "{" + name + rng.choice(specs if name == "n" else words) + "}"

    def fstring() -> str:
        parts = [rng.choice(between) + field() for _ in range(rng.choice((1, 2, 2, 3, 3)))]
        return 'f"' + "".join(parts) + rng.choice(("", "", "!", ".", ")")) + '"'

    choices = (
        "s + t",
        f"s + {rng.choice(between)!r} + t",
        "t + s",
        "s + str(n)",
        f"{rng.choice(between)!r}.join(ws)",
        "''.join(ws)",
        "','.join(ws)",
        "s * 2",
        "ws + [s]",
        "s[0] + t[1:]",
        "s.upper() + t",
        "[s, t]",
        "(s, n)",
        "ws[0] + s",
        "str(n) + s",
        "len(s) + n",
        "s == t",
        "s in ws",
        "t.split()",
        "s.replace(t, s)",
        "ws[-1]",
        "s < t",
    )
    return [*(fstring() for _ in range(3)), *rng.sample(choices, 2)]


def equalities(rng: random.Random) -> list[str]:
    """Tests over letters `c` and `d`, strings `s` and `t` and words `ws`, as often true as not."""
    choices = (
        "c == d",
        "c == d",
        "c == d",
        "c != d",
        "c != d",
        "s == t",
        "s == t",
        "s != t",
        "c in s",
        "c in s",
        "c not in s",
        "s in ws",
        "s not in ws",
        "s[0] == c",
        "s[-1] == d",
        "s.startswith(c)",
        "s.endswith(d)",
        "c < d",
        "s < t",
        "c > d",
        "c == d or c == s",
        "c in s and d in s",
        "c == s[1:2]",
        "s.count(c)",
        "s.find(c)",
        "d + c",
        "c in 'aeiou'",
        "s == s[::-1]",
    )
    return rng.sample(choices, 5)


def equal_arguments(rng: random.Random, values: Values) -> str:
    """Arguments of which many are the same or contain one another."""
    s = values.raw_str() or "a"
    t = s if rng.random() < 0.5 else values.raw_str()
    c = rng.choice(s) if rng.random() < 0.6 else rng.choice("abcdefghijklmnopqrstuvwxyz")
    d = c if rng.random() < 0.5 else rng.choice("abcdefghijklmnopqrstuvwxyz")
    words = [rng.choice(("red", "cat", "sun", "x", "blue")) for _ in range(rng.randint(0, 3))]
    if rng.random() < 0.5:
        words.insert(rng.randint(0, len(words)), s)
    return f"{c!r}, {d!r}, {s!r}, {t!r}, {words!r}"


def drill(seed: int) -> tuple[str, list[str]]:
    """Source and calls of one drill."""
    rng = random.Random(seed ^ 0xD1117)
    values = Values(rng)
    names = rng.sample(("r", "x", "out", "t", "u", "w", "y", "z", "p", "q"), 5)
    kind = rng.random()
    if kind < 0.47:
        body, parameters = arithmetic(rng), "a, b"
    elif kind < 0.64:
        body, parameters = texts(rng), "s, t, n, ws"
    elif kind < 0.82:
        body, parameters = equalities(rng), "c, d, s, t, ws"
    else:
        body, parameters = sequences(rng), "xs, s, i, c"
    lines = [f"    {name} = {line}" for name, line in zip(names, body, strict=True)]
    calls = []
    for _ in range(CALLS):
        if parameters == "a, b":
            a = number(rng)
            calls.append(f"main({a}, {near(rng, a)})")
        elif parameters == "c, d, s, t, ws":
            calls.append(f"main({equal_arguments(rng, values)})")
        elif parameters == "s, t, n, ws":
            calls.append(f"main({values.str()}, {values.str()}, {number(rng)}, {values.strs()})")
        else:
            text = values.raw_str()
            letter = rng.choice(text) if text and rng.random() < 0.6 else rng.choice("aeioubcdrst")
            calls.append(f"main({values.ints()}, {text!r}, {rng.choice((0, 0, 1, 2, 3, 4, 5))}, {letter!r})")
    return f"def main({parameters}):\n" + "\n".join(lines) + "\n", calls
