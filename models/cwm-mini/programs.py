"""Random programs for cwm-mini: typed functions of straight lines, branches and loops, with calls of them.

Also mutates the hand-written seeds. Nothing is run here. Every program is a pure function of its seed number.
"""

from __future__ import annotations

import ast
import random
import re

from expressions import Expressions, Values

TYPES = (
    "int",
    "int",
    "int",
    "str",
    "str",
    "ints",
    "ints",
    "strs",
    "bool",
    "table",
    "float",
    "pair",
    "unique",
    "pairs",
    "rows",
)
NAME_STYLES = (
    ["total", "count", "result", "value", "current", "best", "index", "left", "right", "low", "high", "size", "step", "text", "word", "item", "limit"],
    ["a", "b", "c", "d", "x", "y", "z", "n", "m", "k", "i", "j", "s", "t", "u", "v", "w", "p", "q", "r"],
    ["my_total", "n_items", "max_val", "new_list", "tmp_str", "cur_word", "num_chars", "last_seen", "out_text", "row_sum"],
    ["amount", "price", "score", "level", "name", "label", "message", "buffer", "queue", "stack", "history", "table", "groups", "pairs"],
)
CALL = re.compile(r"^\s*#\s*cwm:\s*(.*?)(?:\s*->.*)?$")


class Writer:
    """Writes one function."""

    def __init__(self, rng: random.Random, helpers: list[tuple[str, tuple[str, ...], str]]) -> None:
        self.rng = rng
        self.scope: dict[str, str] = {}
        self.expr = Expressions(rng, self.scope)
        self.lines: list[str] = []
        self.helpers = helpers
        self.names = rng.sample([name for style in rng.sample(NAME_STYLES, 2) for name in style], 14)
        self.used: set[str] = set()
        self.loops = 0

    def fresh(self, kind: str) -> str:
        """A new variable of a type, known to the scope once `bind` is called."""
        left = [name for name in self.names if name not in self.used]
        name = left[0] if left else f"{self.rng.choice(self.names)}{len(self.used)}"
        self.used.add(name)
        return name + ("" if kind else "")

    def bind(self, name: str, kind: str) -> None:
        """Puts a variable into scope."""
        self.scope[name] = kind

    def put(self, indent: int, line: str) -> None:
        """One line of code."""
        self.lines.append("    " * indent + line)

    def names_of(self, kind: str) -> list[str]:
        """Variables of a type."""
        return [name for name, held in self.scope.items() if held == kind]

    def assign(self, indent: int) -> None:
        """An assignment to a new or an old variable."""
        r = self.rng
        kind = r.choice(TYPES)
        old = self.names_of(kind)
        name = r.choice(old) if old and r.random() < 0.35 else self.fresh(kind)
        self.put(indent, f"{name} = {self.expr.of(kind, r.choice((0, 1, 1, 1, 2)))}")
        self.bind(name, kind)

    def statement(self, indent: int, budget: int) -> None:
        """One simple statement."""
        r = self.rng
        choice = r.random()
        ints, lists, strs, tables = (self.names_of(kind) for kind in ("int", "ints", "str", "table"))
        if choice < 0.20 and ints:
            op = r.choice(("+=", "+=", "+=", "-=", "*=", "//=", "%="))
            right = (
                r.choice(("1", "1", "2", str(r.randint(2, 10)), *ints))
                if op in ("+=", "-=")
                else str(r.choice((2, 3, 10)))
            )
            self.put(
                indent,
                f"{r.choice(ints)} {op} {self.expr.of('int', 1) if r.random() < 0.2 and op in ('+=', '-=') else right}",
            )
        elif choice < 0.28 and lists:
            name = r.choice(lists)
            action = r.choice(
                (f".append({self.expr.of('int', r.choice((0, 1)))})",) * 4
                + (
                    ".pop()",
                    ".pop(0)",
                    ".sort()",
                    ".reverse()",
                    f".insert({self.expr.small()}, {self.expr.var('int')})",
                    f".extend({self.expr.var('ints')})",
                    f".remove({self.expr.var('int')})",
                )
            )
            if action.startswith(".pop") and r.random() < 0.6:
                new = self.fresh("int")
                self.put(indent, f"{new} = {name}{action}")
                self.bind(new, "int")
            else:
                self.put(indent, name + action)
        elif choice < 0.34 and lists:
            name = r.choice(lists)
            at, to = (r.choice(("0", "-1", "1", self.expr.small(), *ints)) for _ in range(2))
            if r.random() < 0.5:
                self.put(indent, f"{name}[{at}], {name}[{to}] = {name}[{to}], {name}[{at}]")
            else:
                self.put(indent, f"{name}[{at}] {r.choice(('=', '=', '+='))} {self.expr.of('int', 1)}")
        elif choice < 0.42 and tables:
            name = r.choice(tables)
            key = self.expr.of("str", r.choice((0, 0, 1)))
            self.put(
                indent,
                r.choice(
                    (
                        f"{name}[{key}] = {self.expr.of('int', 1)}",
                        f"{name}[{key}] = {name}.get({key}, 0) + 1",
                        f"{name}[{key}] = {name}.get({key}, 0) + {self.expr.var('int')}",
                        f"{name}.setdefault({key}, {self.expr.var('int')})",
                        f"{name}.pop({key}, None)",
                        f"{name}.update({self.expr.var('table')})",
                        f"{name}[{key}] += 1",
                    )
                ),
            )
        elif choice < 0.50 and strs:
            name = r.choice(strs)
            self.put(
                indent,
                r.choice(
                    (
                        f"{name} += {self.expr.of('str', 1)}",
                        f"{name} = {self.expr.of('str', 1)} + {name}",
                        f"{name} = {name} + {self.expr.values.letter()}",
                        f"{name} += str({self.expr.var('int')})",
                    )
                ),
            )
        elif choice < 0.54 and len(ints) > 1:
            a, b = r.sample(ints, 2)
            self.put(
                indent,
                r.choice(
                    (
                        f"{a}, {b} = {b}, {a}",
                        f"{a}, {b} = {b}, {a} + {b}",
                        f"{a}, {b} = {b}, {a} % ({b} or 1)",
                    )
                ),
            )
        elif choice < 0.57:
            a, b = self.fresh("int"), self.fresh("int")
            x, y = self.expr.var("int"), self.expr.of("int", 1)
            self.put(indent, f"{a}, {b} = " + r.choice((f"divmod({x}, {r.randint(2, 10)})", f"{x}, {y}")))
            self.bind(a, "int")
            self.bind(b, "int")
        elif choice < 0.62 and self.names_of("unique"):
            self.put(
                indent,
                f"{r.choice(self.names_of('unique'))}.{r.choice(('add', 'add', 'discard'))}({self.expr.of('int', r.choice((0, 1)))})",
            )
        elif choice < 0.67 and self.names_of("strs"):
            name = r.choice(self.names_of("strs"))
            self.put(
                indent,
                r.choice(
                    (
                        f"{name}.append({self.expr.of('str', 1)})",
                        f"{name}.append({self.expr.of('str', 1)})",
                        f"{name}.sort()",
                        f"{name}.pop()",
                        f"{name}[0] = {self.expr.of('str', 1)}",
                        f"{name}.reverse()",
                    )
                ),
            )
        elif choice < 0.75 and self.helpers:
            name, kinds, gives = r.choice(self.helpers)
            new = self.fresh(gives)
            self.put(
                indent,
                f"{new} = {name}({', '.join(self.expr.of(kind, r.choice((0, 0, 1))) for kind in kinds)})",
            )
            self.bind(new, gives)
        else:
            self.assign(indent)

    def block(self, indent: int, size: int, depth: int) -> None:
        """Some statements, compound ones among them; what they bind stays in scope only if they surely ran."""
        for _ in range(size):
            r = self.rng.random()
            if depth > 0 and r < 0.22:
                self.branch(indent, depth)
            elif depth > 0 and r < 0.42 and self.loops < 2:
                self.loop(indent, depth)
            elif depth > 0 and r < 0.46:
                self.guarded(indent)
            else:
                self.statement(indent, depth)

    def inner(self, indent: int, size: int, depth: int) -> None:
        """A block whose new names are forgotten afterwards."""
        before = dict(self.scope)
        self.block(indent, size, depth)
        for name in [name for name in self.scope if name not in before]:
            del self.scope[name]
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
            self.put(indent + 2, r.choice(("break", "continue", "break")))
            if r.random() < 0.3:
                self.put(indent, "else:")
                self.inner(indent + 1, 1, 0)
        for name in [name for name in self.scope if name not in before]:
            del self.scope[name]
        self.loops -= 1

    def for_head(self, indent: int) -> None:
        """The head of a for loop over something usual."""
        r = self.rng
        i, item = self.fresh("int"), self.fresh("int")
        over = r.random()
        if over < 0.26:
            head = r.choice(
                (
                    f"range({r.randint(1, 6)})",
                    f"range({r.randint(1, 3)}, {r.randint(3, 8)})",
                    f"range(len({self.expr.var('ints')}))",
                    f"range({r.randint(4, 9)}, {r.randint(0, 2)}, -{r.choice((1, 2))})",
                    f"range(0, {r.randint(5, 12)}, {r.choice((2, 3))})",
                    f"range(min({self.expr.var('int')}, {r.randint(3, 6)}))",
                )
            )
            self.put(indent, f"for {i} in {head}:")
            self.bind(i, "int")
        elif over < 0.44:
            self.put(indent, f"for {item} in {self.expr.var('ints')}:")
            self.bind(item, "int")
        elif over < 0.58:
            self.put(indent, f"for {item} in {self.expr.var('str')}:")
            self.bind(item, "str")
        elif over < 0.68:
            self.put(
                indent,
                f"for {item} in {r.choice((self.expr.var('strs'), self.expr.var('strs'), self.expr.var('str') + '.split()', 'sorted(' + self.expr.var('strs') + ')'))}:",
            )
            self.bind(item, "str")
        elif over < 0.80:
            kind = r.choice(("ints", "strs", "str"))
            start = r.choice(("", "", "", ", 1"))
            self.put(indent, f"for {i}, {item} in enumerate({self.expr.var(kind)}{start}):")
            self.bind(i, "int")
            self.bind(item, "int" if kind == "ints" else "str")
        elif over < 0.90:
            self.put(
                indent,
                f"for {item}, {i} in {r.choice((self.expr.var('table') + '.items()', self.expr.var('pairs')))}:",
            )
            self.bind(item, "str")
            self.bind(i, "int")
        elif over < 0.95:
            self.put(indent, f"for {item}, {i} in zip({self.expr.var('strs')}, {self.expr.var('ints')}):")
            self.bind(item, "str")
            self.bind(i, "int")
        else:
            what, kind = r.choice(
                (
                    (self.expr.var("unique"), "int"),
                    (self.expr.var("table"), "str"),
                    (f"reversed({self.expr.var('ints')})", "int"),
                    (self.expr.var("table") + ".values()", "int"),
                    (self.expr.var("rows"), "ints"),
                )
            )
            self.put(indent, f"for {item} in {what}:")
            self.bind(item, kind)

    def while_head(self, indent: int) -> None:
        """A while loop that ends (nearly always)."""
        r = self.rng
        name = self.fresh("int")
        kind = r.random()
        if kind < 0.35:
            self.put(indent, f"{name} = {r.choice((0, 0, 1))}")
            self.put(
                indent,
                f"while {name} < {r.choice((str(r.randint(2, 6)), 'len(' + self.expr.var(r.choice(('ints', 'str'))) + ')'))}:",
            )
            self.put(indent + 1, f"{name} += {r.choice((1, 1, 2))}")
        elif kind < 0.65:
            self.put(
                indent, f"{name} = {r.choice((str(r.randint(3, 300)), 'abs(' + self.expr.var('int') + ')'))}"
            )
            self.put(indent, f"while {name} > {r.choice((0, 0, 1))}:")
            self.put(indent + 1, f"{name} {r.choice(('//= 2', '//= 10', '//= 3', f'-= {r.randint(1, 40)}'))}")
        elif kind < 0.85 and self.names_of("ints"):
            source = r.choice(self.names_of("ints"))
            self.put(indent, f"while {source}{r.choice(('', f' and len({source}) > {r.randint(0, 2)}'))}:")
            self.put(indent + 1, f"{name} = {source}.pop({r.choice(('', '0'))})")
        else:
            other = self.fresh("int")
            self.put(
                indent,
                f"{name}, {other} = 0, {r.choice((str(r.randint(2, 6)), 'len(' + self.expr.var('ints') + ') - 1'))}",
            )
            self.put(indent, f"while {name} < {other}:")
            self.put(indent + 1, f"{name} += 1")
            self.put(indent + 1, f"{other} -= 1")
            self.bind(other, "int")
        self.bind(name, "int")

    def accumulate(self, indent: int) -> None:
        """What loops are mostly for: counting, summing, collecting, comparing with the best."""
        r = self.rng
        fresh = list(self.scope)[-2:]
        item = r.choice(fresh)
        kind = self.scope[item]
        ints, strs, lists = (self.names_of(name) for name in ("int", "str", "ints"))
        options: list[tuple[str, ...]] = []
        if kind == "int":
            targets = [name for name in ints if name not in fresh]
            if targets:
                t = r.choice(targets)
                options += [
                    (f"{t} += {item}",),
                    (f"{t} = {t} * {r.choice((2, 3, 10))} + {item}",),
                    (f"if {item} > {t}:", f"    {t} = {item}"),
                    (f"if {item} % 2 == {r.choice((0, 1))}:", f"    {t} += {r.choice(('1', item))}"),
                    (f"{t} = max({t}, {item})",),
                    (f"{t} += {item} * {r.choice((2, item))}",),
                ]
            if lists:
                t = r.choice(lists)
                options += [
                    (f"{t} = {t} + [{item}]",),
                    (
                        f"if {item} {r.choice(('>', '<', '!='))} {self.expr.small()}:",
                        f"    {t} = {t} + [{item} * 2]",
                    ),
                ]
        if kind == "str":
            targets = [name for name in strs if name not in fresh]
            if targets:
                t = r.choice(targets)
                options += [
                    (f"{t} = {item} + {t}",),
                    (f"{t} += {item}",),
                    (f"if {item} != {self.expr.values.letter()}:", f"    {t} += {item}.upper()"),
                    (f"{t} = {t} + {item}[0:1]",),
                    (f"if {item} in 'aeiou':", f"    {t} += {item}"),
                ]
            if ints:
                t = r.choice(ints)
                options += [
                    (f"if {item} == {self.expr.values.letter()}:", f"    {t} += 1"),
                    (f"{t} += len({item})",),
                    (f"if {item} in {self.expr.var('str')}:", f"    {t} += 1"),
                    (f"if {item} == {self.expr.var('str')}:", f"    {t} += 1"),
                ]
            tables = self.names_of("table")
            if tables:
                t = r.choice(tables)
                options += [
                    (f"{t}[{item}] = {t}.get({item}, 0) + 1",),
                    (f"if {item} not in {t}:", f"    {t}[{item}] = 0", f"{t}[{item}] += 1"),
                ]
        if not options:
            self.statement(indent, 0)
            return
        for line in r.choice(options):
            self.put(indent, line)

    def guarded(self, indent: int) -> None:
        """try, except, perhaps finally."""
        r = self.rng
        name = self.fresh("int")
        self.put(indent, "try:")
        kind, line = r.choice(
            (
                (
                    "ZeroDivisionError",
                    f"{name} = {self.expr.var('int')} {r.choice(('//', '%'))} {self.expr.of('int', 0)}",
                ),
                ("IndexError", f"{name} = {self.expr.var('ints')}[{self.expr.of('int', 0)}]"),
                ("KeyError", f"{name} = {self.expr.var('table')}[{self.expr.var('str')}]"),
                ("ValueError", f"{name} = int({self.expr.var('str')})"),
                ("ValueError", f"{name} = {self.expr.var('ints')}.index({self.expr.var('int')})"),
            )
        )
        self.put(indent + 1, line)
        if r.random() < 0.2:
            self.put(indent + 1, f"if {name} > {r.randint(1, 50)}:")
            self.put(
                indent + 2,
                f"raise ValueError({self.expr.fstring() if r.random() < 0.5 else self.expr.values.str()})",
            )
        wrong = r.random() < 0.15
        caught = (
            r.choice(("TypeError", "KeyError"))
            if wrong
            else r.choice((kind, kind, "Exception", f"({kind}, TypeError)"))
        )
        self.put(indent, f"except {caught}{r.choice(('', ' as err'))}:")
        self.put(indent + 1, f"{name} = {r.choice(('0', '-1', self.expr.values.int()))}")
        if r.random() < 0.2:
            self.put(indent, "finally:")
            self.inner(indent + 1, 1, 0)
        self.bind(name, "int")


def function(
    rng: random.Random, name: str, helpers: list[tuple[str, tuple[str, ...], str]], size: int
) -> tuple[list[str], tuple[str, ...], str]:
    """Lines of a function, its parameter types and the type it returns."""
    writer = Writer(rng, helpers)
    kinds = tuple(rng.choice(TYPES[:11]) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    parameters = []
    for kind in kinds:
        parameter = writer.fresh(kind)
        writer.bind(parameter, kind)
        parameters.append(parameter)
    for kind in rng.sample(("int", "str", "ints", "table", "strs"), rng.choice((0, 1, 2))):
        new = writer.fresh(kind)
        writer.put(
            1,
            f"{new} = "
            + {"int": rng.choice(("0", "0", "1")), "str": "''", "ints": "[]", "table": "{}", "strs": "[]"}[
                kind
            ],
        )
        writer.bind(new, kind)
    writer.block(1, size, 2)
    gives = rng.choice([kind for kind in writer.scope.values()])
    last = rng.random()
    if last < 0.5:
        writer.put(1, f"return {rng.choice(writer.names_of(gives))}")
    else:
        writer.put(1, f"return {writer.expr.of(gives, 1)}")
    return [f"def {name}({', '.join(parameters)}):", *writer.lines], kinds, gives


def program(seed: int) -> tuple[str, list[str]]:
    """Source and calls of one generated program."""
    rng = random.Random(seed)
    helpers: list[tuple[str, tuple[str, ...], str]] = []
    lines: list[str] = []
    if rng.random() < 0.2:
        code, kinds, gives = function(rng, "helper", [], rng.choice((1, 2)))
        lines += [*code, "", ""]
        helpers.append(("helper", kinds, gives))
    code, kinds, _ = function(rng, "main", helpers, rng.choice((2, 3, 4, 5, 6)))
    lines += code
    values = Values(rng)
    calls = [f"main({', '.join(values.of(kind) for kind in kinds)})" for _ in range(2)]
    return "\n".join(lines) + "\n", calls


def straight(seed: int) -> tuple[str, list[str]]:
    """A function of straight lines only: dense practice of single operations."""
    rng = random.Random(seed ^ 0x5EED)
    writer = Writer(rng, [])
    kinds = tuple(rng.choice(TYPES) for _ in range(rng.choice((3, 4, 5))))
    parameters = []
    for kind in kinds:
        name = writer.fresh(kind)
        writer.bind(name, kind)
        parameters.append(name)
    for _ in range(rng.randint(5, 9)):
        # Each line stands in a try of its own, so that an exception doesn't end the practice.
        if rng.random() < 0.3:
            writer.statement(1, 0)
        else:
            writer.assign(1)
    values = Values(rng)
    calls = [f"main({', '.join(values.of(kind) for kind in kinds)})" for _ in range(2)]
    return f"def main({', '.join(parameters)}):\n" + "\n".join(writer.lines) + "\n", calls


class Mutation(ast.NodeTransformer):
    """Changes constants and operators of a seed now and then."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        self.rng = rng
        self.rate = rate

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Another int near by."""
        if type(node.value) is int and self.rng.random() < self.rate:
            return ast.copy_location(ast.Constant(max(node.value + self.rng.choice((-1, 1, 2)), 0)), node)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """+ and - change places."""
        self.generic_visit(node)
        if self.rng.random() < self.rate / 2 and isinstance(node.op, ast.Add | ast.Sub):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """An order comparison becomes another."""
        self.generic_visit(node)
        orders = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
        if self.rng.random() < self.rate and len(node.ops) == 1 and isinstance(node.ops[0], orders):
            node.ops = [self.rng.choice(orders)()]
        return node


def change_value(rng: random.Random, values: Values, value: object) -> object:
    """A value of the same kind as an argument of a seed's call."""
    if isinstance(value, bool) or value is None:
        return value if rng.random() < 0.5 else not value
    if isinstance(value, int):
        return rng.choice(
            (value, value + rng.randint(-3, 6), abs(value) + rng.randint(0, 30), rng.randint(0, 20))
        )
    if isinstance(value, float):
        return round(value * rng.choice((1, 1.5, 2)) + rng.choice((0, 0.5, 1)), 2)
    if isinstance(value, str):
        if len(value) == 1 and rng.random() < 0.7:
            return rng.choice("abcdefghijklmnopqrstuvwxyz")
        if value.isdigit():
            return str(rng.randint(0, 10 ** len(value)))
        return rng.choice(
            (value, value[1:], value[::-1], values.raw_str(), values.raw_str(), value + values.raw_str()[:3])
        )
    if isinstance(value, list | tuple):
        items = [change_value(rng, values, item) if rng.random() < 0.7 else item for item in value]
        if isinstance(value, tuple):
            return tuple(items)
        action = rng.random()
        if items and action < 0.2:
            items.pop(rng.randrange(len(items)))
        elif items and action < 0.45 and len(items) < 7:
            items.insert(rng.randint(0, len(items)), change_value(rng, values, rng.choice(items)))
        elif action < 0.55:
            rng.shuffle(items)
        return items
    if isinstance(value, dict):
        return {
            change_value(rng, values, k) if rng.random() < 0.5 else k: change_value(rng, values, v)
            for k, v in value.items()
        }
    return value


def mutated_seed(source: str, seed: int) -> tuple[str, list[str]]:
    """A seed file with one function's calls, its code changed a little and its arguments changed freely."""
    rng = random.Random(seed)
    values = Values(rng)
    tree = ast.parse(source)
    if rng.random() < 0.35:
        tree = ast.fix_missing_locations(Mutation(rng, 0.12).visit(tree))
        changed = ast.unparse(tree) + "\n"
    else:
        changed = source
    calls: list[str] = []
    for line in source.splitlines():
        found = CALL.match(line)
        if found is None:
            continue
        node = ast.parse(found.group(1), mode="eval").body
        if not isinstance(node, ast.Call):
            continue
        try:
            arguments = [
                repr(change_value(rng, values, ast.literal_eval(argument))) for argument in node.args
            ]
            named = [f"{word.arg}={ast.literal_eval(word.value)!r}" for word in node.keywords]
        except (ValueError, TypeError):
            continue
        calls.append(f"{ast.unparse(node.func)}({', '.join([*arguments, *named])})")
    return changed, calls
