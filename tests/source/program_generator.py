"""Random Python programs that use every statement, end, and give the same run for the same seed.

`program(seed)` is a module whose `main()` runs it. Loops are bounded by their form; a fuel counter bounds the
work. The programs do no input or output, and make no sense.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

PRELUDE = Path(__file__).resolve().parents[1] / "fixtures" / "program_prelude.py"

Maker = Callable[["_Body", int], None]


class _Body:
    """The statements of one function while they are written."""

    def __init__(self, rng: random.Random, lines: list[str], kind: str, callables: list[str]) -> None:
        self.rng, self.lines, self.kind = rng, lines, kind  # kind: function, generator, coroutine
        self.callables = list(callables)  # names that take one number
        self.generators: list[str] = []
        self.coroutines: list[str] = []
        self.loops = 0
        self.depth = 0
        self.count = 0
        self.nested = 0
        self.in_finally = False
        self.budget = rng.randint(5, 14)

    # -- expressions ---------------------------------------------------------------------------------------
    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.nested}{self.count}"

    def number(self, deep: int = 0) -> str:
        pick = self.rng.randint(0, 15 if deep < 2 else 3)
        if pick <= 1:
            return str(self.rng.randint(0, 5))
        if pick <= 4:
            return self.rng.choice(["n", "m", "k"])
        one, other = self.number(deep + 1), self.number(deep + 1)
        call = self.rng.choice(self.callables)
        return self.rng.choice(
            [
                f"({one} + {other})", f"({one} - {other})", f"{one} * 2 % 7", f"len({self.items()})", f"abs({one})",
                f"({one} if {self.test(deep + 1)} else {other})", f"max({one}, {other})", f"{call}({one})",
                f"sum({self.items()})", f"(lambda q: q + {one})({other})", f"twice({call}, {one})", "len(box)", "box.size",
                f"(w := {one})", f"reduce(lambda a, b: a + b, {self.items()}, {one})", f"{one} // ({other} + 1)", "d.get(n, 0)",
                f"next(iter({self.items()}), 0)", "box.xs", f"box.put({one})", f"int({one} > {other})",
            ]
        )  # fmt: skip

    def items(self) -> str:
        x = self.number(2)
        plain = [
            "xs", "ys", "xs[1:]", f"[{x}, n]", "list(d)", f"[i + {x} for i in xs]", "[i for i in ys if i]", "sorted(xs)",
            "{i % 3 for i in xs}", "[a * b % 11 for a in xs[:4] for b in ys[:2]]", "tuple(xs)", "list(reversed(ys))", "(xs + ys)[:9]",
            "[(lambda: i)() for i in xs]", "{i: i for i in ys}", "list(map(lambda v: v + 1, xs))", "(i for i in xs if i > 1)",
            "[*xs, *ys][:4]", "box", f"Box.of({x} % 4)", f"Steps({x} % 4)", "list(box)[:9]", "[i for r in [xs, ys] for i in r][:3]",
        ]  # fmt: skip
        plain.extend(f"{name}({x} % 4)" for name in self.generators)
        return self.rng.choice(plain)

    def test(self, deep: int = 0) -> str:
        one, other = self.rng.choice(["n", "m", "len(xs)"]), self.rng.choice(["k", "2", "len(ys)"])
        return self.rng.choice(
            [
                f"{one} > {other}", f"{one} == {other}", f"0 < {one} <= {other}", f"{one} in xs", f"not {one}", "xs", "ys and xs[0]",
                f"{one} > 1 and {other} < 3", f"{one} or {other}", "box", "box == Box(1)", "n in box", "d.get(k) is not None",
                "any(i > 2 for i in xs)", "all(i for i in ys)", "Steps(n % 3)", f"(v := {one}) > 1", "isinstance(n, int)", "s < 'b'",
                "box < Box(1, 2)",
            ]
        )  # fmt: skip

    # -- statements ----------------------------------------------------------------------------------------
    def write(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def block(self, indent: int, most: int = 3) -> None:
        self.depth += 1
        for _ in range(self.rng.randint(1, most)):
            self.statement(indent)
        self.depth -= 1

    def statement(self, indent: int) -> None:
        self.budget -= 1
        compound = self.budget > 0 and self.depth < 4 and self.rng.random() < 0.55
        makers = COMPOUND if compound else SIMPLE
        if compound and self.kind == "coroutine" and self.rng.random() < 0.4:
            makers = ASYNC
        if self.kind == "generator" and self.rng.random() < 0.2:
            makers = YIELDS
        self.rng.choice(makers)(self, indent)


def _simple(*forms: str) -> Maker:
    """One of the forms, with {n} a number, {t} a test, {xs} something to iterate, {f} a callable."""

    def make(body: _Body, indent: int) -> None:
        form = body.rng.choice(forms)
        text = form.format(
            n=body.number(),
            m=body.number(),
            t=body.test(),
            xs=body.items(),
            f=body.rng.choice(body.callables),
        )
        for line in text.split("\n"):
            body.write(indent, line)

    return make


_assign = _simple(
    "n = {n}", "m: int = {n}", "k += {n}", "n, m = {n}, {m}", "n, *xs = [{n}, {m}, 1]", "(k, (n, m)) = {n}, (1, {m})", "n = m = {n}",
    "xs = list({xs})[:9]", "xs = ys", "ys = xs[:]", "xs, ys = ys, xs", "d = {{n: [{m}]}}", "s = f'{{n}}-{{m!r:>3}}'[:30]", "s = 'a' if {t} else 'b'", "box = Box({n}, {m})",
    "alias = box", "rows = [xs, ys]", "d = {{'k': xs}}", "pair = (xs, n)", "held = Box(xs)", "xs = [i for i in ys]", "box = Box.of({n} % 5)", "z: 'int'", "g = (i for i in xs)",
    "n = ({n}\n     + {m}\n     - 1)", "xs = [\n    {n},\n    {m},\n]", "n = {f}(\n    {n}\n)", "ys = [i\n      for i in {xs}\n      if i != {m}][:9]",
    "s = (\n    s\n    .upper()\n    .replace('A', str({n}))\n    .lower()\n)", "n = (\n    {n}\n    if {t}\n    else {m}\n)", "n = max(\n    {n}, {m},\n    len(ys),\n)",
    "xs = list(map(\n    lambda q: q\n    + 1,\n    ys))", "d = {{\n    'a': {n},\n    'b': {m},\n}}", "m = sum(\n    i\n    for i in {xs}\n)", "first, *rest = [*xs[:5], {n}]",
    "copy = {{**d}}", "n = [1, 2, 3][{n} % 3]", "s = ('%s' % box)[:20]", "s = str(box)[:9]", "s = f'{{box}}'[:20]", "held = [box]",
)  # fmt: skip
_mutate = _simple(
    "xs.append({n})", "ys.extend(list({xs})[:3])", "xs[0:1] = [{n}]", "d[n] = {n}", "d.setdefault('k', []).append({n})" if False else "d.setdefault('q', {n})", "box.put({n})",
    "box[0] = {n}", "box += [{n}]", "box = box + [1]", "box.size = 2", "xs.sort()", "xs.reverse()", "ys.insert(0, {n})", "xs += [{n}]", "del xs[:1]", "del ys[-1]", "d.clear()",
    "xs.pop()", "d.pop(n, None)", "d.update(a={n})", "LOG.append(n)", "xs[{n} % (len(xs) + 1)] = m", "box.items.append({n})", "box.note = {n}", "xs.sort(key=lambda q: -q)",
    "rows = [xs]; rows[0].append({n})", "for row in [xs, ys]: row.append({n})", "print(n, xs, file=Sink)", "Box.made = {n}", "list(map(xs.append, ys[:2]))", "[ys.append(i) for i in xs[:2]]",
    "poke(xs)", "poke(box.items)", "(xs if {t} else ys).append({n})", "grab().append({n})", "STORE.append({n})",
)  # fmt: skip
_misc = _simple(
    "pass", "assert n is not None, {n}", "assert {t} or True", "tick()", "G = {n}", "import string as st", "from math import floor, ceil", "{n}", "{f}({n})", "print({n}, file=Sink)",
    "del n; n = {n}", "if {t}: n = {n}", "for i in xs: m = i", "x = y = n; del x, y", "while n > 9: n //= 2", "if 0: n = 1\nelse: n = 2", "if not {t}:\n    raise Problem({n})",
    "n = 1; m = 2", "f_local = lambda a, b={n}: (a, b); f_local(n)", "try: n = xs[0]\nexcept IndexError: n = 0", "with Manager(True): n = xs[5]", "try: raise Problem\nfinally: n = 4" if False else "try: pass\nfinally: n = 4",
)  # fmt: skip
_rare = _simple(
    "raise Problem({n})",
    "raise ValueError",
    "return {n}",
    "1 // 0",
    "n = undefined",
    "return",
    "assert n > 99, xs",
    "raise KeyError({n}) from None",
    "xs[99]",
)


def _leave(body: _Body, indent: int) -> None:
    if body.loops and body.rng.random() < 0.6:
        body.write(indent, f"if {body.test()}:")
        body.write(indent + 1, body.rng.choice(["break", "continue"]))
    elif body.kind == "function" or body.rng.random() < 0.3:
        body.write(indent, f"if {body.test()}:")
        _rare(body, indent + 1)
    else:
        _misc(body, indent)


def _if(body: _Body, indent: int) -> None:
    body.write(
        indent,
        f"if {body.test()}:"
        if body.rng.random() < 0.8
        else f"if ({body.test()}\n{'    ' * indent}        and {body.test()}\n{'    ' * indent}        or {body.test()}):",
    )
    body.block(indent + 1)
    while body.rng.random() < 0.3:
        body.write(indent, f"elif {body.test()}:")
        body.block(indent + 1)
    if body.rng.random() < 0.5:
        body.write(indent, "else:")
        body.block(indent + 1)
    if body.rng.random() < 0.1:
        body.write(indent, body.rng.choice(["if 0:", "while 0:", "if not __debug__:"]))
        body.write(indent + 1, "never()")


def _loop_body(body: _Body, indent: int, header: str, first: str) -> None:
    body.write(indent, header)
    body.write(indent + 1, "tick()")
    if first:
        body.write(indent + 1, first)
    body.loops += 1
    body.block(indent + 1)
    body.loops -= 1
    if body.rng.random() < 0.35:
        saved, body.loops = body.loops, 0 if body.loops == 0 else body.loops
        body.write(indent, "else:")
        body.block(indent + 1, 2)
        body.loops = saved


def _for(body: _Body, indent: int) -> None:
    name = body.rng.choice(["n", "m", body.fresh("i")])
    source = body.rng.choice(
        [
            "range(3)",
            "enumerate(xs[:4])",
            "zip(xs[:3], ys)",
            "list(d.items())",
            "xs[:4]",
            "Steps(2)",
            "Box(1, 2)",
            "'abc'",
            "[\n        1,\n        2]",
        ]
    )
    target = f"{name}, {body.fresh('j')}" if source.startswith(("enumerate", "zip", "list(d")) else name
    if body.generators and body.rng.random() < 0.4:
        source = f"{body.rng.choice(body.generators)}(2)"
        target = name
    _loop_body(body, indent, f"for {target} in {source}:", "")


def _while(body: _Body, indent: int) -> None:
    counter = body.fresh("c")
    body.write(indent, f"{counter} = {body.rng.randint(1, 3)}")
    if body.rng.random() < 0.3:
        _loop_body(
            body,
            indent,
            body.rng.choice(["while True:", "while 1:"]),
            f"if {counter} <= 0: break\n{'    ' * (indent + 1)}{counter} -= 1",
        )
    elif body.rng.random() < 0.3:
        _loop_body(body, indent, f"while {counter} > 0 and {body.test()}:", f"{counter} -= 1")
    else:
        _loop_body(body, indent, f"while {counter}:", f"{counter} -= 1")


def _try(body: _Body, indent: int) -> None:
    star = body.rng.random() < 0.12
    loops = body.loops
    body.write(indent, "try:")
    body.block(indent + 1)
    if body.rng.random() < 0.4:
        (_leave if star else _rare)(body, indent + 1)
    handlers = body.rng.randint(0, 2)
    kinds = [
        "Problem",
        "(ValueError, KeyError)",
        "ZeroDivisionError",
        "Exception",
        "IndexError",
        "(\n        Problem,\n        TypeError)",
    ]
    if star:
        kept, body.loops, kind, body.kind = body.loops, 0, body.kind, "starred"
    for _ in range(handlers):
        body.write(
            indent,
            f"except{'*' if star else ''} {body.rng.choice(kinds)}{body.rng.choice(['', ' as e', ' as n'])}:",
        )
        if star:
            body.write(indent + 1, f"m = {body.number()}")
            _assign(body, indent + 1)
        else:
            body.block(indent + 1, 2)
            if body.rng.random() < 0.15:
                body.write(indent + 1, "raise")
    if star:
        body.loops, body.kind = kept, kind
    if handlers and not star and body.rng.random() < 0.15:
        body.write(indent, "except:")
        body.block(indent + 1, 1)
    if handlers and body.rng.random() < 0.35:
        body.write(indent, "else:")
        body.block(indent + 1, 2)
    if not handlers or body.rng.random() < 0.4:
        body.write(indent, "finally:")
        if body.rng.random() < 0.12 and not star:
            body.write(indent + 1, f"return {body.number()}" if body.kind == "function" else "tick()")
        else:
            body.block(indent + 1, 2)
    body.loops = loops


def _with(body: _Body, indent: int) -> None:
    body.write(
        indent,
        body.rng.choice(
            [
                "with Manager():", "with Manager(True):", "with Manager(True, ys) as held, Manager() as other:", "with managed(True) as got:", "with managed(False):",
                "with (\n" + "    " * indent + "    Manager() as held,\n" + "    " * indent + "    managed(True) as (n,),\n" + "    " * indent + "):", "with Manager(quiet=True,\n" + "    " * indent + "             log=xs) as held:",
            ]
        ),
    )  # fmt: skip
    body.block(indent + 1)
    if body.rng.random() < 0.3:
        _rare(body, indent + 1)


def _match(body: _Body, indent: int) -> None:
    body.write(indent, f"match {body.rng.choice(['n', 'xs', '(n, m)', 'd', 'box', '[n, *xs]', 's'])}:")
    cases = [
        "0 | 1",
        "[]",
        "[x]",
        "[x, *others]",
        "(a, b) if a > b",
        "{'k': v}",
        "{'k': v, **more}",
        "Box(items=[n])",
        "Box()",
        "int()",
        "str() as word",
        "None",
        "(0, _) | (_, 0)",
        "-1.5",
    ]
    for case in body.rng.sample(cases, body.rng.randint(1, 4)):
        body.write(indent + 1, f"case {case}:")
        body.block(indent + 2, 2)
    if body.rng.random() < 0.5:
        body.write(indent + 1, f"case {body.rng.choice(['_', 'rest'])}:")
        body.block(indent + 2, 2)


def _nested(body: _Body, indent: int) -> None:
    if body.nested >= 2:
        _if(body, indent)
        return
    kind = body.rng.choice(["function", "function", "generator", "coroutine"])
    name = body.fresh({"function": "inner", "generator": "gen", "coroutine": "co"}[kind])
    for decorator in body.rng.choice([[], [], ["@traced"]] if kind == "function" else [[]]):
        body.write(indent, decorator)
    body.write(
        indent,
        f"{'async ' if kind == 'coroutine' else ''}def {name}(n, m=2{body.rng.choice(['', ', *rest', ', *, opt=3'])}):",
    )
    inner = _Body(body.rng, body.lines, kind, body.callables)
    inner.nested, inner.depth, inner.budget = body.nested + 1, 2, body.rng.randint(2, 7)
    inner.generators, inner.coroutines = list(body.generators), list(body.coroutines)
    shared = body.rng.random()
    if shared < 0.5:
        inner.write(indent + 1, "nonlocal k, xs")
        inner.write(indent + 1, "k += 1")
        inner.write(indent + 1, "ys, box, d, s = [2], Box(2), {}, 'q'")
    elif shared < 0.7:
        inner.write(indent + 1, "k, d, s = n, {}, 'w'")
    else:
        inner.write(indent + 1, "xs, ys, d, k, s, box = [n], [1, 2], {1: 2}, 1, 't', Box(3)")
    inner.write(indent + 1, "tick()")
    inner.depth = 1
    inner.block(indent + 1, 4)
    if kind == "generator":
        inner.write(indent + 1, "yield n")
    inner.write(indent + 1, f"return {inner.number()}")
    if kind == "function":
        body.callables.append(name)
        body.write(indent, f"k = {name}(n)")
    elif kind == "generator":
        body.generators.append(name)
        body.write(
            indent,
            body.rng.choice(
                [
                    f"xs = list({name}(2))",
                    f"n = next({name}(1), 0)",
                    f"held = {name}(1); next(held); m = 3",
                    f"for n in {name}(3): m += 1",
                    f"n, *_ = {name}(1)",
                    f"left = {name}(2)",
                ]
            ),
        )
    else:
        body.coroutines.append(name)
        body.write(indent, f"drive({name}(n))")


def _class(body: _Body, indent: int) -> None:
    name = body.fresh("Local")
    body.write(indent, f"class {name}{body.rng.choice(['', '(Box)', '(Manager)', '(list)'])}:")
    body.write(indent + 1, f"shared = {body.number()}")
    body.write(indent + 1, "def value(self, x):")
    body.write(
        indent + 2,
        body.rng.choice(
            [
                "return x + 1",
                "self.put(x); return x",
                "return [x for _ in range(2)][0]",
                "return self.shared",
                "return super().value(x)",
            ]
        ),
    )
    if body.rng.random() < 0.4:
        body.write(indent + 1, "squares = [i * i for i in range(3)]")
    call = body.fresh("made")
    body.write(indent, f"{call} = {name}()")
    body.write(indent, f"n = {call}.value(n)")


def _yield(body: _Body, indent: int) -> None:
    body.write(
        indent,
        body.rng.choice(
            [
                "yield n",
                "m = yield n",
                "yield from xs[:2]",
                "yield from (i for i in ys)",
                f"yield (\n{'    ' * indent}    n,\n{'    ' * indent}    m)",
                "n = yield from helper(2)",
                "yield",
            ]
        ),
    )


def _await(body: _Body, indent: int) -> None:
    choice = body.rng.randint(0, 5)
    if choice == 0:
        body.write(indent, "await Pause()")
    elif choice == 1:
        body.write(indent, "async with Manager(True) as held:")
        body.block(indent + 1)
    elif choice == 2:
        body.loops += 1
        body.write(indent, "async for n in Steps(2):")
        body.block(indent + 1)
        body.loops -= 1
        if body.rng.random() < 0.5:
            body.write(indent, "else:")
            body.block(indent + 1, 1)
    elif choice == 3:
        body.write(indent, "xs = [i async for i in Steps(2) if i]")
    elif choice == 4:
        body.write(indent, "n = await waiter(n)")
    else:
        body.write(indent, "xs = [await waiter(i) for i in xs[:2]]")


SIMPLE: list[Maker] = [_assign, _assign, _assign, _mutate, _mutate, _misc, _leave]
COMPOUND: list[Maker] = [_if, _if, _for, _for, _while, _try, _try, _with, _match, _nested, _class]
YIELDS: list[Maker] = [_yield]
ASYNC: list[Maker] = [_await]


def program(seed: int) -> str:
    """A module with a function `main()` that runs it, the same for the same seed."""
    rng = random.Random(seed)
    lines = PRELUDE.read_text(encoding="utf-8").split("\n")
    names, generators, coroutines = ["plain", "int"], ["helper"], ["waiter"]
    for index in range(rng.randint(2, 4)):
        kind = rng.choice(["function", "function", "function", "generator", "coroutine"])
        name = f"{kind}_{index}"
        lines.extend(["", ""])
        if rng.random() < 0.15 and kind == "function":
            lines.append("@traced")
        lines.append(f"{'async ' if kind == 'coroutine' else ''}def {name}(n, m=1, *args, key=None):")
        body = _Body(rng, lines, kind, names)
        body.generators, body.coroutines = list(generators), list(coroutines)
        body.write(1, "xs, ys, k, s = [n, 2, 3], [1, m], 2, 'abc'")
        body.write(1, "d, box = {1: n, 'k': 2}, Box(n, 1)")
        body.write(1, rng.choice(["tick()", "tick()", "global G"]))
        if kind == "function" and rng.random() < 0.4:
            body.write(1, f"if n > 0 and FUEL[0] > 300: m = {name}(n - 1)")
        while body.budget > 0:
            body.statement(1)
        if kind == "generator":
            body.write(1, "yield n")
        if rng.random() < 0.7:
            body.write(1, f"return {body.number()}")
        {"function": names, "generator": generators, "coroutine": coroutines}[kind].append(name)
    lines.extend(["", "", "def main():"])
    for name in [*names[2:], *generators[1:], *coroutines[1:]]:
        for argument in (0, 3):
            call = f"{name}({argument})"
            if name.startswith("generator"):
                call = f"list({call})"
            elif name.startswith("coroutine"):
                call = f"drive({call})"
            lines.extend(
                [
                    "    FUEL[0] = 400",
                    "    try:",
                    f"        {call}",
                    "    except (Exception, OutOfFuel) as error:",
                    "        LOG.append(type(error).__name__)",
                ]
            )
    lines.extend(["    return LOG", ""])
    return "\n".join(lines)
