"""Walks what one line of a function does: the head of its statement, and the statements that share its line.

A walk ends in an `Outcome`. Leaves out which line comes next (flow.py knows the candidates, the branch of
the outcome chooses) and everything about frames.
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from dataclasses import dataclass, field, replace

from cwm_lsp.source.evaluate import BINARY, Evaluator, PythonRaised
from cwm_lsp.source.evaluate_calls import drop
from cwm_lsp.source.operations import (
    Answer,
    Iteration,
    Operation,
    Outcome,
    Question,
    Ref,
    Resume,
    Unsupported,
    Walk,
)
from cwm_lsp.source.values import elements, kind_of

LineWalk = Generator[Question, Answer, Outcome]
Head = ast.stmt | ast.excepthandler | ast.match_case


@dataclass(slots=True)
class Progress:
    """What an activation remembers between lines beside its locals: `loops` maps the line of a `for` to
    what it walks over and how many items it took (with the last range value), `subjects` the line of a
    `match` to its subject, `exception` is the one being handled, `collected` the elements of a
    comprehension so far."""

    loops: dict[int, tuple[Iteration, int, str]] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)
    exception: str | None = None
    collected: tuple[str, ...] = ()

    def copy(self) -> Progress:
        """A copy that can go its own way."""
        return replace(self, loops=dict(self.loops), subjects=dict(self.subjects))


def heads_by_line(body: list[ast.stmt]) -> dict[int, Head]:
    """The statement (or except clause, or case) that starts on each line; the outermost where several do."""
    heads: dict[int, Head] = {}

    def visit(statements: list[ast.stmt]) -> None:
        for statement in statements:
            heads.setdefault(statement.lineno, statement)
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for name in ("body", "orelse", "finalbody"):
                visit([part for part in getattr(statement, name, []) if isinstance(part, ast.stmt)])
            for handler in getattr(statement, "handlers", []):
                heads.setdefault(handler.lineno, handler)
                visit(handler.body)
            if isinstance(statement, ast.Match):
                for case in statement.cases:
                    heads.setdefault(case.pattern.lineno, case)
                    visit(case.body)

    visit(body)
    return heads


def siblings_on_line(body: list[ast.stmt], line: int) -> list[ast.stmt]:
    """The statements of one block that start on a line, in order (`a = 1; b = 2`)."""
    return [statement for statement in body if statement.lineno == line]


def run_line(walk: Evaluator, progress: Progress, head: Head, block: list[ast.stmt], line: int) -> LineWalk:
    """Walks everything that happens between the line event at `line` and the next event of the function."""
    try:
        if isinstance(head, ast.stmt):
            return (yield from _statements(walk, progress, siblings_on_line(block, line) or [head], line))
        if isinstance(head, ast.match_case):
            return (yield from _case(walk, progress, head, line))
        return (yield from _handler(walk, progress, head, line))
    except PythonRaised as error:
        return Outcome("raise", raised=error.text)


def _statements(walk: Evaluator, progress: Progress, statements: list[ast.stmt], line: int) -> LineWalk:
    outcome = Outcome("next")
    for statement in statements:
        outcome = yield from _statement(walk, progress, statement, line)
        if outcome.kind != "next":
            break
    return outcome


def _body_on_line(
    walk: Evaluator, progress: Progress, body: list[ast.stmt], line: int, branch: bool
) -> LineWalk:
    """The body of a compound statement written on the line of its head runs without a line event of its
    own."""
    here = siblings_on_line(body, line)
    if not here:
        return Outcome("next", branch)
    return (yield from _statements(walk, progress, here, line))


def _statement(walk: Evaluator, progress: Progress, node: ast.stmt, line: int) -> LineWalk:
    match node:
        case ast.Expr(value=ast.Yield(value=given)):
            value = Ref("None") if given is None else (yield from walk.eval(given))
            return Outcome("yield", value=walk.text(value))
        case ast.Expr(value=ast.YieldFrom() | ast.Await()):
            raise Unsupported("yield from and await can't be taken apart yet")
        case ast.Expr():
            yield from walk.eval(node.value)
        case ast.Assign():
            value = yield from walk.eval(node.value)
            for target in node.targets:
                yield from assign(walk, target, value)
        case ast.AnnAssign():
            if node.value is not None:
                value = yield from walk.eval(node.value)
                yield from assign(walk, node.target, value)
        case ast.AugAssign():
            yield from _augmented(walk, node)
        case ast.Return():
            value = Ref("None") if node.value is None else (yield from walk.eval(node.value))
            return Outcome("return", value=walk.text(value))
        case ast.Raise():
            return (yield from _raise(walk, progress, node))
        case ast.Assert():
            truth = yield from walk.test(node.test)
            if truth.text == "False":
                message = "" if node.msg is None else walk.text((yield from walk.eval(node.msg)))
                return Outcome("raise", raised=f"AssertionError({message})")
            return Outcome("next", True)
        case ast.If() | ast.While():
            truth = yield from walk.test(node.test)
            if truth.text == "True":
                return (yield from _body_on_line(walk, progress, node.body, line, True))
            return Outcome("next", False)
        case ast.For():
            return (yield from _for(walk, progress, node, line))
        case ast.Match():
            subject = yield from walk.eval(node.subject)
            progress.subjects[node.lineno] = walk.text(subject)
        case ast.FunctionDef():
            if node.decorator_list:
                raise Unsupported("decorated inner functions can't be taken apart yet")
            if walk.live:
                name = walk.scope.scope_of(node)
                walk.scope.store(node.name, Ref(f"<function {name}>", function=name))
        case ast.Import():
            for alias in node.names:
                walk.scope.store(
                    alias.asname or alias.name.partition(".")[0], Ref(f"<module {alias.name!r}>")
                )
        case ast.Delete():
            for target in node.targets:
                yield from _delete(walk, target)
        case ast.Break():
            yield from _leave_loop(walk, progress, line)
        case ast.Pass() | ast.Continue() | ast.Global() | ast.Nonlocal() | ast.Try():
            pass
        case _:
            raise Unsupported(f"{type(node).__name__} statements can't be taken apart yet")
    return Outcome("next")


def assign(walk: Evaluator, target: ast.expr, value: Ref) -> Walk:
    """Stores a value in a target of any form."""
    match target:
        case ast.Name():
            if walk.live:
                walk.scope.store(target.id, value)
        case ast.Tuple() | ast.List():
            parts = _unpack(walk, target.elts, value)
            for part, text in zip(target.elts, parts, strict=True):
                yield from assign(walk, part.value if isinstance(part, ast.Starred) else part, Ref(text))
        case ast.Subscript():
            yield from _set_item(walk, target, walk.text(value))
        case ast.Attribute():
            owner = yield from walk.eval(target.value)
            if walk.live:
                walk.scope.set_attribute(owner, target.attr, value)
        case _:
            raise Unsupported(f"{type(target).__name__} targets can't be taken apart")
    return value


def _unpack(walk: Evaluator, targets: list[ast.expr], value: Ref) -> list[str]:
    text = walk.text(value)
    kind = kind_of(text)
    if kind == "str":
        parts: tuple[str, ...] | None = tuple(repr(char) for char in ast.literal_eval(text))
    elif kind in ("list", "tuple", "set"):
        parts = elements(text)
    else:
        parts = None
    if parts is None:
        raise Unsupported(f"unpacking {text[:40]} can't be taken apart")
    starred = [at for at, target in enumerate(targets) if isinstance(target, ast.Starred)]
    wanted = len(targets) - len(starred)
    if len(parts) < wanted:
        least = "at least " if starred else ""
        raise PythonRaised(
            f"ValueError('not enough values to unpack (expected {least}{wanted}, got {len(parts)})')"
        )
    if starred:
        first, rest = starred[0], len(targets) - starred[0] - 1
        middle = "[" + ", ".join(parts[first : len(parts) - rest]) + "]"
        return [*parts[:first], middle, *parts[len(parts) - rest :]]
    if len(parts) > wanted:
        raise PythonRaised(f"ValueError('too many values to unpack (expected {wanted})')")
    return list(parts)


def _set_item(walk: Evaluator, target: ast.Subscript, text: str) -> Walk:
    outer = yield from walk.eval(target.value)
    if isinstance(target.slice, ast.Slice):
        raise Unsupported("slice assignment can't be taken apart yet")
    key = yield from walk.eval(target.slice)
    changed = yield from walk.ask(Operation("set_index", (walk.text(outer), walk.text(key), text)))
    if outer.cell is not None:
        if walk.live:
            walk.scope.write(outer.cell, changed.text)
    elif isinstance(target.value, ast.Subscript):
        yield from _set_item(walk, target.value, changed.text)
    return changed


def _augmented(walk: Evaluator, node: ast.AugAssign) -> Walk:
    read = ast.copy_location(_as_load(node.target), node.target)
    left = yield from walk.eval(read)
    right = yield from walk.eval(node.value)
    before = walk.text(left)
    result = yield from walk.ask(Operation("binary", (before, walk.text(right)), BINARY[type(node.op)]))
    in_place = kind_of(before) in ("list", "set", "dict")
    if in_place and left.cell is not None:
        if walk.live:
            walk.scope.write(left.cell, result.text)
        return result
    return (yield from assign(walk, node.target, result))


def _as_load(node: ast.expr) -> ast.expr:
    match node:
        case ast.Name():
            return ast.Name(node.id, ast.Load())
        case ast.Subscript():
            return ast.Subscript(node.value, node.slice, ast.Load())
        case ast.Attribute():
            return ast.Attribute(node.value, node.attr, ast.Load())
    raise Unsupported(f"{type(node).__name__} targets can't be taken apart")


def _raise(walk: Evaluator, progress: Progress, node: ast.Raise) -> LineWalk:
    if node.exc is None:
        return Outcome("raise", raised=progress.exception or "RuntimeError('No active exception to reraise')")
    value = yield from walk.eval(node.exc)
    return Outcome("raise", raised=f"{value.builtin}()" if value.builtin else walk.text(value))


def _for(walk: Evaluator, progress: Progress, node: ast.For, line: int) -> LineWalk:
    if line not in progress.loops:
        start = yield from walk.iteration(node.iter)
        assert start.iteration is not None
        progress.loops[line] = (start.iteration, 0, "")
    spec, taken, last = progress.loops[line]
    item = yield from take(walk, spec, taken, last)
    if item is None:
        del progress.loops[line]
        return Outcome("next", False)
    progress.loops[line] = (spec, taken + 1, item.text)
    yield from assign(walk, node.target, item)
    return (yield from _body_on_line(walk, progress, node.body, line, True))


def _leave_loop(walk: Evaluator, progress: Progress, line: int) -> Walk:
    """A break drops what the innermost loop around its line walks over."""
    around = [start for start in progress.loops if start <= line]
    if around:
        spec, _, _ = progress.loops.pop(max(around))
        yield from drop(walk, spec)
    return Ref("None")


def take(walk: Evaluator, spec: Iteration, taken: int, last: str) -> Generator[Question, Answer, Ref | None]:
    """The next item of an iteration of which `taken` were taken, `last` being the last; None at its end."""
    if spec.mode == "generator":
        generator = spec.sources[0].generator
        if generator is None:
            raise Unsupported("what this loop walks over is not known here")
        value = yield from walk.ask(Resume(generator))
        return value if value.text else None
    if spec.mode == "enumerate":
        item = yield from take(walk, _inner(spec.sources[0]), taken, _last_of(last, 1))
        return None if item is None else Ref(f"({spec.start + taken}, {item.text})")
    if spec.mode == "zip":
        items: list[str] = []
        for at, source in enumerate(spec.sources):
            item = yield from take(walk, _inner(source), taken, _last_of(last, at))
            if item is None:
                return None
            items.append(item.text)
        return Ref("(" + ", ".join(items) + ("," if len(items) == 1 else "") + ")")
    source = spec.sources[0]
    if source.iteration is not None and source.iteration.mode != spec.mode:
        source = source.iteration.sources[0]
    operands = (walk.text(source), last) if kind_of(walk.text(source)) == "range" else (walk.text(source),)
    mode = "range" if kind_of(walk.text(source)) == "range" and spec.mode != "reversed" else spec.mode
    answer = yield from walk.ask(Operation("item", operands, mode, taken))
    return answer if answer.text else None


def _inner(source: Ref) -> Iteration:
    if source.generator is not None:
        return Iteration("generator", (source,))
    return source.iteration or Iteration("item", (source,))


def _last_of(last: str, at: int) -> str:
    parts = elements(last) if last else None
    return parts[at] if parts and at < len(parts) else ""


def _delete(walk: Evaluator, target: ast.expr) -> Walk:
    if isinstance(target, ast.Name):
        if walk.live:
            walk.scope.store(target.id, Ref(""))
        return Ref("None")
    if not isinstance(target, ast.Subscript) or isinstance(target.slice, ast.Slice):
        raise Unsupported("this form of del can't be taken apart yet")
    outer = yield from walk.eval(target.value)
    key = yield from walk.eval(target.slice)
    changed = yield from walk.ask(Operation("del_index", (walk.text(outer), walk.text(key))))
    if outer.cell is not None and walk.live:
        walk.scope.write(outer.cell, changed.text)
    return changed


def _handler(walk: Evaluator, progress: Progress, node: ast.excepthandler, line: int) -> LineWalk:
    assert isinstance(node, ast.ExceptHandler)
    raised = progress.exception or "Exception()"
    if node.type is not None:
        wanted = ast.unparse(node.type)
        answer = yield from walk.ask(Operation("matches", (raised, wanted)))
        if answer.text == "False":
            return Outcome("next", False, notes={"unhandled": raised})
    if node.name and walk.live:
        walk.scope.store(node.name, Ref(raised))
    return (yield from _body_on_line(walk, progress, node.body, line, True))


def _case(walk: Evaluator, progress: Progress, node: ast.match_case, line: int) -> LineWalk:
    subject = next(
        (text for start, text in sorted(progress.subjects.items(), reverse=True) if start <= line), None
    )
    if subject is None:
        raise Unsupported("a case without the subject of its match can't be told")
    if not (yield from _pattern(walk, node.pattern, subject)):
        return Outcome("next", False)
    if node.guard is not None:
        truth = yield from walk.test(node.guard)
        if truth.text == "False":
            return Outcome("next", False)
    return (yield from _body_on_line(walk, progress, node.body, line, True))


def _pattern(walk: Evaluator, pattern: ast.pattern, subject: str) -> Generator[Question, Answer, bool]:
    match pattern:
        case ast.MatchValue():
            value = yield from walk.eval(pattern.value)
            answer = yield from walk.ask(Operation("compare", (subject, walk.text(value)), "=="))
            return answer.text == "True"
        case ast.MatchSingleton():
            return subject == repr(pattern.value)
        case ast.MatchOr():
            for part in pattern.patterns:
                if (yield from _pattern(walk, part, subject)):
                    return True
            return False
        case ast.MatchAs():
            if pattern.pattern is not None and not (yield from _pattern(walk, pattern.pattern, subject)):
                return False
            if pattern.name and walk.live:
                walk.scope.store(pattern.name, Ref(subject))
            return True
    raise Unsupported(f"{type(pattern).__name__} patterns can't be taken apart yet")


def run_comprehension(walk: Evaluator, progress: Progress, node: ast.expr, spec: Iteration) -> LineWalk:
    """One round of a comprehension: takes an item, filters it, keeps its element (or yields it)."""
    if (
        not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
        or len(node.generators) != 1
    ):
        raise Unsupported("this form of comprehension can't be taken apart yet")
    if node.lineno != node.end_lineno:
        raise Unsupported("a comprehension over several lines can't be taken apart yet")
    generator = node.generators[0]
    try:
        _, taken, last = progress.loops.get(0, (spec, 0, ""))
        item = yield from take(walk, spec, taken, last)
        if item is None:
            if isinstance(node, ast.GeneratorExp):
                return Outcome("return", value="None")
            return (yield from _collected(walk, progress, node))
        progress.loops[0] = (spec, taken + 1, item.text)
        yield from assign(walk, generator.target, item)
        for test in generator.ifs:
            if (yield from walk.test(test)).text == "False":
                return Outcome("next")
        if isinstance(node, ast.GeneratorExp):
            return Outcome("yield", value=walk.text((yield from walk.eval(node.elt))))
        if isinstance(node, ast.DictComp):
            key = walk.text((yield from walk.eval(node.key)))
            element = f"{key}: {walk.text((yield from walk.eval(node.value)))}"
            kept = tuple(pair for pair in progress.collected if not pair.startswith(f"{key}: "))
        else:
            element = walk.text((yield from walk.eval(node.elt)))
            kept = progress.collected
        progress.collected = (*kept, element)
        return Outcome("next")
    except PythonRaised as error:
        return Outcome("raise", raised=error.text)


def _collected(walk: Evaluator, progress: Progress, node: ast.expr) -> LineWalk:
    items = progress.collected
    if isinstance(node, ast.SetComp):
        made = yield from walk.ask(Operation("make_set", items))
        return Outcome("return", value=made.text)
    joined = ", ".join(items)
    return Outcome("return", value=f"[{joined}]" if isinstance(node, ast.ListComp) else "{" + joined + "}")
