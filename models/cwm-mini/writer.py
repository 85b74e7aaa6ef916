"""Compound statements of a generated function: branches, loops with the usual accumulators, try.

Leaves out simple statements (statements.py) and how functions become programs (programs.py).
"""

from __future__ import annotations

import random

from statements import Helper, Statements


class Writer(Statements):
    """Writes the body of one function."""

    def __init__(self, rng: random.Random, helpers: list[Helper]) -> None:
        super().__init__(rng, helpers)
        self.loops = 0

    def block(self, indent: int, size: int, depth: int) -> None:
        """Some statements, with compound ones among them as long as there is depth left."""
        for _ in range(size):
            draw = self.rng.random()
            if depth > 0 and draw < 0.22:
                self.branch(indent, depth)
            elif depth > 0 and draw < 0.42 and self.loops < 2:
                self.loop(indent, depth)
            elif depth > 0 and draw < 0.46:
                self.guarded(indent)
            else:
                self.statement(indent)

    def inner(self, indent: int, size: int, depth: int) -> None:
        """A block whose names are forgotten afterwards, since it may not have run."""
        before = dict(self.scope)
        self.block(indent, size, depth)
        self.forget(before)
        self.scope.update(before)

    def branch(self, indent: int, depth: int) -> None:
        """if, elif, else."""
        r = self.rng
        self.put(indent, f"if {self.expr.of('bool', 1) if r.random() < 0.95 else self.expr.var('ints')}:")
        self.inner(indent + 1, r.choice((1, 1, 2)), depth - 1)
        if r.random() < 0.3:
            self.put(indent, f"elif {self.expr.of('bool', 1)}:")
            self.inner(indent + 1, 1, depth - 1)
        if r.random() < 0.5:
            self.put(indent, "else:")
            self.inner(indent + 1, r.choice((1, 1, 2)), depth - 1)

    def loop(self, indent: int, depth: int) -> None:
        """A for or while loop, with the usual accumulators in its body."""
        r = self.rng
        self.loops += 1
        before = dict(self.scope)
        if r.random() < 0.72:
            self.for_head(indent)
        else:
            self.while_head(indent)
        size = r.choice((1, 1, 2, 2, 3))
        self.accumulate(indent + 1)
        self.inner(indent + 1, size - 1, depth - 1)
        if r.random() < 0.12:
            self.put(indent + 1, f"if {self.expr.of('bool', 1)}:")
            self.put_one(indent + 2, "break", "continue", "break")
            if r.random() < 0.3:
                self.put(indent, "else:")
                self.inner(indent + 1, 1, 0)
        self.forget(before)
        self.loops -= 1

    def for_head(self, indent: int) -> None:
        """The head of a for loop over something usual."""
        i, item = self.fresh(), self.fresh()
        draw = self.rng.random()
        if draw < 0.26:
            self.put(indent, f"for {i} in {self.counting()}:")
            self.bind(i, "int")
        elif draw < 0.44:
            self.put(indent, f"for {item} in {self.expr.var('ints')}:")
            self.bind(item, "int")
        elif draw < 0.58:
            self.put(indent, f"for {item} in {self.expr.var('str')}:")
            self.bind(item, "str")
        elif draw < 0.68:
            words, again = self.expr.var("strs"), self.expr.var("strs")
            split, ordered = f"{self.expr.var('str')}.split()", f"sorted({self.expr.var('strs')})"
            self.put(indent, f"for {item} in {self.expr.pick(words, again, split, ordered)}:")
            self.bind(item, "str")
        elif draw < 0.80:
            kind = self.expr.pick("ints", "strs", "str")
            start = self.expr.pick("", "", "", ", 1")
            self.put(indent, f"for {i}, {item} in enumerate({self.expr.var(kind)}{start}):")
            self.bind(i, "int")
            self.bind(item, "int" if kind == "ints" else "str")
        elif draw < 0.90:
            pairs = self.expr.pick(f"{self.expr.var('table')}.items()", self.expr.var("pairs"))
            self.put(indent, f"for {item}, {i} in {pairs}:")
            self.bind(item, "str")
            self.bind(i, "int")
        elif draw < 0.95:
            self.put(indent, f"for {item}, {i} in zip({self.expr.var('strs')}, {self.expr.var('ints')}):")
            self.bind(item, "str")
            self.bind(i, "int")
        else:
            options = (
                (self.expr.var("unique"), "int"),
                (self.expr.var("table"), "str"),
                (f"reversed({self.expr.var('ints')})", "int"),
                (f"{self.expr.var('table')}.values()", "int"),
                (self.expr.var("rows"), "ints"),
            )
            what, kind = self.rng.choice(options)
            self.put(indent, f"for {item} in {what}:")
            self.bind(item, kind)

    def counting(self) -> str:
        """A range."""
        r = self.rng
        return self.expr.pick(
            f"range({r.randint(1, 6)})",
            f"range({r.randint(1, 3)}, {r.randint(3, 8)})",
            f"range(len({self.expr.var('ints')}))",
            f"range({r.randint(4, 9)}, {r.randint(0, 2)}, -{r.choice((1, 2))})",
            f"range(0, {r.randint(5, 12)}, {r.choice((2, 3))})",
            f"range(min({self.expr.var('int')}, {r.randint(3, 6)}))",
        )

    def while_head(self, indent: int) -> None:
        """The head of a while loop and what makes it end (nearly always)."""
        r = self.rng
        name = self.fresh()
        draw = r.random()
        if draw < 0.35:
            self.put(indent, f"{name} = {r.choice((0, 0, 1))}")
            limit, size = str(r.randint(2, 6)), f"len({self.expr.var(r.choice(('ints', 'str')))})"
            self.put(indent, f"while {name} < {r.choice((limit, size))}:")
            self.put(indent + 1, f"{name} += {r.choice((1, 1, 2))}")
        elif draw < 0.65:
            self.put_one(indent, f"{name} = {r.randint(3, 300)}", f"{name} = abs({self.expr.var('int')})")
            self.put(indent, f"while {name} > {r.choice((0, 0, 1))}:")
            self.put(indent + 1, f"{name} {r.choice(('//= 2', '//= 10', '//= 3', f'-= {r.randint(1, 40)}'))}")
        elif draw < 0.85 and self.names_of("ints"):
            source = r.choice(self.names_of("ints"))
            self.put(indent, f"while {source}{r.choice(('', f' and len({source}) > {r.randint(0, 2)}'))}:")
            self.put(indent + 1, f"{name} = {source}.pop({r.choice(('', '0'))})")
        else:
            other = self.fresh()
            limit, last = str(r.randint(2, 6)), f"len({self.expr.var('ints')}) - 1"
            self.put(indent, f"{name}, {other} = 0, {r.choice((limit, last))}")
            self.put(indent, f"while {name} < {other}:")
            self.put(indent + 1, f"{name} += 1")
            self.put(indent + 1, f"{other} -= 1")
            self.bind(other, "int")
        self.bind(name, "int")

    def accumulate(self, indent: int) -> None:
        """What loops are mostly for: counting, summing, collecting, comparing with the best."""
        of_the_loop = list(self.scope)[-2:]
        item = self.rng.choice(of_the_loop)
        options: list[tuple[str, ...]] = []
        if self.scope[item] == "int":
            options = self.with_number(item, of_the_loop)
        elif self.scope[item] == "str":
            options = self.with_text(item, of_the_loop)
        if not options:
            self.statement(indent)
            return
        for line in self.rng.choice(options):
            self.put(indent, line)

    def with_number(self, item: str, of_the_loop: list[str]) -> list[tuple[str, ...]]:
        """What may be done with an int that a loop gives."""
        r = self.rng
        options: list[tuple[str, ...]] = []
        totals = [name for name in self.names_of("int") if name not in of_the_loop]
        if totals:
            total = r.choice(totals)
            options += [
                (f"{total} += {item}",),
                (f"{total} = {total} * {r.choice((2, 3, 10))} + {item}",),
                (f"if {item} > {total}:", f"    {total} = {item}"),
                (f"if {item} % 2 == {r.choice((0, 1))}:", f"    {total} += {r.choice(('1', item))}"),
                (f"{total} = max({total}, {item})",),
                (f"{total} += {item} * {r.choice((2, item))}",),
            ]
        lists = self.names_of("ints")
        if lists:
            kept = r.choice(lists)
            test = f"{item} {r.choice(('>', '<', '!='))} {self.expr.small()}"
            options += [
                (f"{kept} = {kept} + [{item}]",),
                (f"if {test}:", f"    {kept} = {kept} + [{item} * 2]"),
            ]
        return options

    def with_text(self, item: str, of_the_loop: list[str]) -> list[tuple[str, ...]]:
        """What may be done with a string that a loop gives."""
        r = self.rng
        options: list[tuple[str, ...]] = []
        texts = [name for name in self.names_of("str") if name not in of_the_loop]
        if texts:
            text = r.choice(texts)
            options += [
                (f"{text} = {item} + {text}",),
                (f"{text} += {item}",),
                (f"if {item} != {self.expr.literals.letter()}:", f"    {text} += {item}.upper()"),
                (f"{text} = {text} + {item}[0:1]",),
                (f"if {item} in 'aeiou':", f"    {text} += {item}"),
            ]
        ints = self.names_of("int")
        if ints:
            count = r.choice(ints)
            options += [
                (f"if {item} == {self.expr.literals.letter()}:", f"    {count} += 1"),
                (f"{count} += len({item})",),
                (f"if {item} in {self.expr.var('str')}:", f"    {count} += 1"),
                (f"if {item} == {self.expr.var('str')}:", f"    {count} += 1"),
            ]
        tables = self.names_of("table")
        if tables:
            table = r.choice(tables)
            options += [
                (f"{table}[{item}] = {table}.get({item}, 0) + 1",),
                (f"if {item} not in {table}:", f"    {table}[{item}] = 0", f"{table}[{item}] += 1"),
            ]
        return options

    def guarded(self, indent: int) -> None:
        """try, except, perhaps finally."""
        r = self.rng
        name = self.fresh()
        kind, value = self.risky()
        self.put(indent, "try:")
        self.put(indent + 1, f"{name} = {value}")
        if r.random() < 0.2:
            self.put(indent + 1, f"if {name} > {r.randint(1, 50)}:")
            told = self.expr.fstring() if r.random() < 0.5 else self.expr.literals.string()
            self.put(indent + 2, f"raise ValueError({told})")
        if r.random() < 0.15:
            caught = r.choice(("TypeError", "KeyError"))
        else:
            caught = r.choice((kind, kind, "Exception", f"({kind}, TypeError)"))
        self.put(indent, f"except {caught}{r.choice(('', ' as err'))}:")
        self.put(indent + 1, f"{name} = {r.choice(('0', '-1', self.expr.literals.integer()))}")
        if r.random() < 0.2:
            self.put(indent, "finally:")
            self.inner(indent + 1, 1, 0)
        self.bind(name, "int")

    def risky(self) -> tuple[str, str]:
        """An exception and an int expression that may raise it."""
        a, operator, b = self.expr.var("int"), self.rng.choice(("//", "%")), self.expr.of("int", 0)
        options = (
            ("ZeroDivisionError", f"{a} {operator} {b}"),
            ("IndexError", f"{self.expr.var('ints')}[{self.expr.of('int', 0)}]"),
            ("KeyError", f"{self.expr.var('table')}[{self.expr.var('str')}]"),
            ("ValueError", f"int({self.expr.var('str')})"),
            ("ValueError", f"{self.expr.var('ints')}.index({self.expr.var('int')})"),
        )
        return self.rng.choice(options)
