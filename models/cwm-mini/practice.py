"""Single operations with random operands, asked directly: each builtin, method and operator in its turn.

Programs meet `+` and `len` all the time and `setdefault` once in a thousand lines; here each kind of question
comes as often as it needs to be learnt. Operands are of the sizes that programs have. Leaves out lines and
control flow (programs.py, drills.py), and the answers (oracle.py knows them).
"""

from __future__ import annotations

import random
from collections.abc import Callable

import oracle
from blocks import Block, MismatchError, asked
from practice_values import Values

from cwm_lsp.source.operations import Operation, Unsupported

Maker = Callable[[Values], Operation]

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
SPECS = ("", "", "", ":02d", ":03d", ":>3", ":04d", ":<4", ":+d", ":,", ":5", ":x", ":b")
FLOAT_SPECS = (":.1f", ":.2f", ":.0f", ":.3f", ":6.2f", ":.1%")
TEXT_SPECS = ("", "", ":>8", ":<8", "!r", ":^9", ":*^7", ":>4", ":<10", "!s")


def arithmetic(v: Values) -> Operation:
    """Whole numbers."""
    name = v.rng.choice(("+", "+", "+", "-", "-", "-", "*", "*", "//", "//", "%", "%", "/"))
    left, right = v.integer(), v.integer()
    if name == "*" and v.rng.random() < 0.7:
        right = v.rng.choice((v.rng.randint(0, 12), v.rng.randint(2, 9), 10, 31, 60, 100))
    elif name in ("//", "%", "/") and v.rng.random() < 0.8:
        right = v.rng.choice((2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 12, 16, 24, 26, 60, 97, 100, 1000, 0))
    elif v.rng.random() < 0.4:
        right = v.rng.choice((1, 1, 2, 3, 5, 10, v.rng.randint(0, 20)))
    if name == "*" and v.rng.random() < 0.3:
        left, right = right, left
    return Operation("binary", (str(left), str(right)), name)


def rarer_arithmetic(v: Values) -> Operation:
    """Floats, bits, powers."""
    draw = v.rng.random()
    if draw < 0.45:
        name = v.rng.choice(("+", "-", "*", "/"))
        left, right = v.floating(), (v.floating() if v.rng.random() < 0.5 else str(v.rng.randint(1, 20)))
        return Operation("binary", (left, right) if v.rng.random() < 0.7 else (right, left), name)
    if draw < 0.6:
        return Operation("binary", (str(v.rng.randint(-9, 20)), str(v.rng.choice((0, 1, 2, 2, 2, 3)))), "**")
    if draw < 0.7:
        return Operation("binary", ("2", str(v.rng.randint(0, 12))), "**")
    name = v.rng.choice(("&", "|", "^", "<<", ">>"))
    right = (
        v.rng.randint(0, 5) if name in ("<<", ">>") else v.rng.choice((1, 1, 3, 7, 15, v.rng.randint(0, 40)))
    )
    return Operation("binary", (str(v.rng.randint(0, 99)), str(right)), name)


def joined(v: Values) -> Operation:
    """Sequences put together and repeated."""
    draw = v.rng.random()
    if draw < 0.45:
        return Operation("binary", (v.string(), v.string()), "+")
    if draw < 0.6:
        kind = v.rng.choice(("ints", "strs", "bools"))
        return Operation("binary", (v.sequence(kind), v.sequence(kind, v.rng.choice((0, 1, 1, 2, 3)))), "+")
    if draw < 0.75:
        text = v.rng.choice((v.string(), repr(v.rng.choice("-=* ab01#"))))
        return Operation("binary", (text, str(v.rng.randint(-1, 6))), "*")
    if draw < 0.9:
        one = v.rng.choice(
            ("[0]", "[False]", "[True]", "[None]", "['']", "[1]", "[0, 1]", "[[]]", "['a']", "[-1]")
        )
        return Operation("binary", (one, str(v.rng.randint(0, 12))), "*")
    return Operation("binary", (v.pair(), v.pair()), "+")


def set_algebra(v: Values) -> Operation:
    """Operators and methods of sets."""
    left, right = v.near_sets()
    if v.rng.random() < 0.5:
        return Operation("binary", (left, right), v.rng.choice("&|-^"))
    name = v.rng.choice(
        (
            "union",
            "intersection",
            "difference",
            "symmetric_difference",
            "issubset",
            "issuperset",
            "isdisjoint",
        )
    )
    return Operation("method", (left, right), name)


def comparison(v: Values) -> Operation:
    """Numbers, texts and containers against each other."""
    draw = v.rng.random()
    if draw < 0.6:
        left = v.integer()
        return Operation("compare", (str(left), str(v.near(left))), v.rng.choice(COMPARISONS))
    if draw < 0.85:
        left, right = v.near_strings()
        return Operation("compare", (left, right), v.rng.choice(("==", "==", "!=", *COMPARISONS)))
    if draw < 0.9:
        left = v.floating()
        right = v.rng.choice((left, v.floating(), str(v.rng.randint(-3, 9))))
        return Operation("compare", (left, right), v.rng.choice(COMPARISONS))
    if draw < 0.95:
        left = v.value()
        return Operation(
            "compare", (v.rng.choice((left, "None")), "None"), v.rng.choice(("is", "is not", "=="))
        )
    left, right = v.near_sequences()
    return Operation("compare", (left, right), v.rng.choice(COMPARISONS))


def membership(v: Values) -> Operation:
    """in and not in, half of the time true."""
    container = v.container()
    if v.rng.random() < 0.25:
        container = v.string()
    elif v.rng.random() < 0.25:
        container = v.rng.choice(
            (
                "'aeiou'",
                "'aeiouAEIOU'",
                "('a', 'e', 'i', 'o', 'u')",
                "'0123456789'",
                "{'a', 'e', 'i', 'o', 'u'}",
            )
        )
    return Operation("compare", (v.member(container), container), v.rng.choice(("in", "in", "not in")))


def truth(v: Values) -> Operation:
    """bool() of anything."""
    value = v.rng.choice(
        (v.value(), v.rng.choice(("[]", "''", "{}", "set()", "0", "()", "None", "0.0", "False")))
    )
    return v.rng.choice((Operation("truth", (value,)), Operation("unary", (value,), "not")))


def signed(v: Values) -> Operation:
    """Signs."""
    return Operation("unary", (v.rng.choice((str(v.integer()), v.floating())),), v.rng.choice("--+"))


def indexing(v: Values) -> Operation:
    """An element by its index or key, now and then one that isn't there."""
    container = v.container(("list", "list", "str", "dict", "dict", "tuple"))
    return Operation("index", (container, v.key(container)))


def slicing(v: Values) -> Operation:
    """Slices with all kinds of bounds."""
    container = v.container(("list", "str", "str", "tuple"))
    size = max(1, len(oracle.value_of(container)))

    def bound() -> str:
        return str(v.rng.randint(0, size) if v.rng.random() < 0.75 else -v.rng.randint(1, size))

    form = v.rng.random()
    if form < 0.3:
        bounds = (bound(), "", "")
    elif form < 0.6:
        bounds = ("", bound(), "")
    elif form < 0.82:
        bounds = (bound(), bound(), "")
    elif form < 0.93:
        bounds = ("", "", "-1")
    else:
        bounds = (v.rng.choice(("", "0", "1")), "", v.rng.choice("23"))
    return Operation("slice", (container, *bounds))


def storing(v: Values) -> Operation:
    """A container after one of its elements was set or deleted."""
    container = v.container(("list", "list", "dict", "dict"))
    key = v.key(container, missing=0.3 if container.startswith("{") else 0.04)
    if v.rng.random() < 0.15:
        return Operation("del_index", (container, key))
    return Operation("set_index", (container, key, v.like_elements(container)))


def text_method(v: Values) -> Operation:
    """Methods of strings."""
    name = v.rng.choice(v.TEXT_METHODS)
    return Operation("method", (*v.text_arguments(name),), name)


def container_method(v: Values) -> Operation:
    """What methods of lists, dicts and sets return, and what they leave behind."""
    container, name, arguments, returns = v.container_call()
    return Operation("method" if returns else "mutated", (container, *arguments), name)


def builtin(v: Values) -> Operation:
    """Builtins with one argument or two."""
    name, arguments = v.builtin_call()
    return Operation("call", arguments, name)


def formatted(v: Values) -> Operation:
    """A replacement field."""
    draw = v.rng.random()
    if draw < 0.5:
        return Operation("format", (str(v.integer()),), v.rng.choice(SPECS))
    if draw < 0.65:
        return Operation("format", (v.floating(),), v.rng.choice(("", *FLOAT_SPECS)))
    if draw < 0.9:
        return Operation("format", (v.string(),), v.rng.choice(TEXT_SPECS))
    return Operation("format", (v.value(),), v.rng.choice(("", "", "!r")))


def parts_joined(v: Values) -> Operation:
    """An f-string put together."""
    between = (" ", ": ", ", ", "-", " is ", " has ", " = ", "/", " of ", " x ", "!", " and ", "_", "(", ")")
    parts = []
    for _ in range(v.rng.choice((1, 2, 2, 3, 3, 4))):
        parts += [repr(v.rng.choice(between)), v.rng.choice((v.string(), repr(str(v.integer()))))]
    return Operation("join", tuple(parts[v.rng.randint(0, 1) :]))


def taking(v: Values) -> Operation:
    """The next item of an iteration."""
    if v.rng.random() < 0.35:
        step = v.rng.choice((1, 1, 1, 2, 3, 5, -1, -1, -2))
        start, count = v.rng.randint(0, 12), v.rng.randint(0, 6)
        whole = range(
            start, start + step * count + (v.rng.randint(0, abs(step) - 1) if step > 1 else 0), step
        )
        text = repr(range(whole.stop)) if start == 0 and step == 1 else repr(whole)
        items = list(oracle.value_of(text))
        at = v.rng.randint(0, len(items))
        return Operation("item", (text, str(items[at - 1]) if at else ""), "range", at)
    mode = v.rng.choice(("item", "item", "item", "key", "value", "pair", "pair", "reversed"))
    container = v.container(
        ("dict",) if mode in ("key", "value", "pair") else ("list", "list", "str", "tuple")
    )
    return Operation("item", (container,), mode, v.rng.randint(0, len(oracle.value_of(container))))


def set_display(v: Values) -> Operation:
    """A set of some values."""
    if v.rng.random() < 0.2:
        return Operation("make_set", (v.letter(),))
    return Operation("make_set", tuple(str(v.rng.randint(0, 12)) for _ in range(v.rng.randint(1, 5))))


def matching(v: Values) -> Operation:
    """Does an except clause take an exception?"""
    names = ("ValueError", "KeyError", "IndexError", "ZeroDivisionError", "TypeError", "AttributeError")
    raised = v.rng.choice(names)
    wanted = v.rng.choice((raised, v.rng.choice(names), "Exception", "LookupError", "ArithmeticError"))
    if v.rng.random() < 0.2:
        wanted = f"({wanted}, {v.rng.choice(names)})"
    message = v.rng.choice(("'division by zero'", "'list index out of range'", v.string()))
    return Operation("matches", (f"{raised}({message})", wanted))


MAKERS: tuple[tuple[int, Maker], ...] = (
    (22, arithmetic), (5, rarer_arithmetic), (8, joined), (3, set_algebra), (13, comparison), (5, membership),
    (4, truth), (1, signed), (8, indexing), (5, slicing), (8, storing), (14, text_method),
    (16, container_method), (14, builtin), (4, formatted), (4, parts_joined), (6, taking), (1, set_display),
    (2, matching),
)  # fmt: skip
_WEIGHTS = [weight for weight, _ in MAKERS]


def operation(rng: random.Random) -> Operation:
    """A random question."""
    ((_, maker),) = rng.choices(MAKERS, _WEIGHTS)
    return maker(Values(rng))


def block(rng: random.Random, lines: int) -> Block | None:
    """One to three questions with their answers behind a line's head; None where an answer isn't taught."""
    made = Block()
    made.add(["<|line_sep|>", f"<|L{rng.randint(1, max(1, lines))}|>", "<|action_sep|>"], 0)
    try:
        for _ in range(rng.choice((1, 2, 2, 3))):
            asked(made, operation(rng))
    except (oracle.TooLarge, Unsupported, MismatchError):
        return None
    return made
