"""Walks what one line of a function does: the head of its statement, and the statements that share its line.

A walk ends in an `Outcome`. Leaves out which line comes next (flow.py knows the candidates, the branch of
the outcome chooses) and everything about frames.
"""

from __future__ import annotations

import ast
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from cwm_lsp.source.asking import PythonRaised, Source
from cwm_lsp.source.assign import assign, augmented, delete
from cwm_lsp.source.evaluate import Evaluator
from cwm_lsp.source.iterations import drop, take
from cwm_lsp.source.literals_calls import Module
from cwm_lsp.source.literals_limits import Refused
from cwm_lsp.source.objects import Builtin, ClassObject, ExceptionObject, Instance, Opaque, Walker
from cwm_lsp.source.operations import Answer, Outcome, Question, Ref, Unsupported, Walk
from cwm_lsp.source.patterns import matches
from cwm_lsp.source.told_values import raised_name

LineWalk = Generator[Question, Answer, Outcome]
Head = ast.stmt | ast.excepthandler | ast.match_case


def head_span(head: Head) -> tuple[int, int]:
    """The lines of a statement without its blocks."""
    if isinstance(head, ast.If | ast.While):
        return head.lineno, head.test.end_lineno or head.lineno
    if isinstance(head, ast.For | ast.AsyncFor):
        return head.lineno, head.iter.end_lineno or head.lineno
    if isinstance(head, ast.With | ast.AsyncWith):
        return head.lineno, head.items[-1].context_expr.end_lineno or head.lineno
    if isinstance(head, ast.Match):
        return head.lineno, head.subject.end_lineno or head.lineno
    if isinstance(head, ast.match_case):
        return head.pattern.lineno, head.pattern.end_lineno or head.pattern.lineno
    if isinstance(head, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Try | ast.ExceptHandler):
        return head.lineno, head.lineno
    return head.lineno, head.end_lineno or head.lineno


@dataclass(slots=True)
class Progress:
    """What an activation remembers between lines beside its variables: `loops` maps the line of a `for` to
    what it walks over, `subjects` the line of a `match` to its subject, `exception` is the one being
    handled, `leaving` what happens once a `finally` is done, `rounds` how far a comprehension has come,
    `turning` the lines of `while` loops on one line that go on with their body."""

    loops: dict[int, Walker] = field(default_factory=dict)
    subjects: dict[int, Ref] = field(default_factory=dict)
    exception: Ref | None = None
    leaving: Outcome | None = None
    rounds: Any = None
    turning: set[int] = field(default_factory=set)


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
            here = siblings_on_line(block, head.lineno) or [head]
            return (yield from _statements(walk, progress, here, line))
        if isinstance(head, ast.match_case):
            return (yield from _case(walk, progress, head, line))
        return (yield from _handler(walk, progress, head, line))
    except PythonRaised as error:
        return Outcome("raise", raised=Ref(error.value, error.sure))
    except Refused as error:
        raise Unsupported(str(error)) from None


def _statements(walk: Evaluator, progress: Progress, statements: list[ast.stmt], line: int) -> LineWalk:
    outcome = Outcome("next")
    for statement in statements:
        walk.over(*head_span(statement), line if statement is statements[0] else 0)
        outcome = yield from _statement(walk, progress, statement, line)
        if outcome.kind != "next" or outcome.jump:
            break
    return outcome


def _body_on_line(
    walk: Evaluator, progress: Progress, body: list[ast.stmt], line: int, branch: bool
) -> LineWalk:
    """The statements of a block that stand on the line of its head."""
    here = siblings_on_line(body, line)
    outcome = (yield from _statements(walk, progress, here, line)) if here else Outcome("next")
    if outcome.kind == "next" and not here:
        outcome.branch = branch
    return outcome


def _statement(walk: Evaluator, progress: Progress, node: ast.stmt, line: int) -> LineWalk:
    match node:
        case ast.Expr(value=ast.Constant()):
            pass
        case ast.Expr(value=ast.Yield(value=given)):
            value = Ref(None) if given is None else (yield from walk.eval(given))
            return Outcome("yield", value=value)
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
            yield from augmented(walk, node)
        case ast.Return():
            value = Ref(None) if node.value is None else (yield from walk.eval(node.value))
            yield from walk.at(node)
            for start in sorted(progress.loops, reverse=True):
                yield from drop(walk, progress.loops.pop(start))
            return Outcome("return", value=value)
        case ast.Raise():
            return (yield from _raise(walk, progress, node))
        case ast.Assert():
            truth = yield from walk.test(node.test)
            if truth.value is False:
                said = () if node.msg is None else ((yield from walk.eval(node.msg)).value,)
                return Outcome("raise", raised=Ref(ExceptionObject("AssertionError", said), truth.sure))
            return Outcome("next", True)
        case ast.While() if node.body[0].lineno == line:
            return (yield from _short_while(walk, progress, node, line))
        case ast.If() | ast.While():
            truth = yield from walk.test(node.test)
            if truth.value is True:
                outcome = yield from _body_on_line(walk, progress, node.body, line, True)
                return _again(outcome, node, line)
            return Outcome("next", False)
        case ast.For():
            return (yield from _for(walk, progress, node, line))
        case ast.Match():
            progress.subjects[node.lineno] = yield from walk.eval(node.subject)
        case ast.FunctionDef():
            if node.decorator_list:
                raise Unsupported("decorated inner functions can't be taken apart yet")
            walk.scope.store(node.name, Ref((yield from walk.function(node, node.args))))
        case ast.Import():
            for alias in node.names:
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                walk.scope.store(alias.asname or name, Ref(Module(name)))
        case ast.Delete():
            for target in node.targets:
                yield from delete(walk, target)
        case ast.Break():
            yield from _leave_loop(walk, progress, line)
            return Outcome("next", jump="break")
        case ast.Continue():
            return Outcome("next", jump="continue")
        case ast.Try():
            return (yield from _statements(walk, progress, siblings_on_line(node.body, line), line))
        case ast.Pass() | ast.Global() | ast.Nonlocal():
            pass
        case _:
            raise Unsupported(f"{type(node).__name__} statements can't be taken apart yet")
    return Outcome("next")


def _raise(walk: Evaluator, progress: Progress, node: ast.Raise) -> LineWalk:
    if node.exc is None:
        lost = ExceptionObject("RuntimeError", ("No active exception to reraise",))
        return Outcome("raise", raised=progress.exception or Ref(lost))
    value = yield from walk.eval(node.exc)
    yield from walk.at(node)
    if node.cause is not None:
        yield from walk.eval(node.cause)
    held = value.value
    if isinstance(held, Builtin) and held.kind == "class":
        return Outcome("raise", raised=Ref(ExceptionObject(held.name)))
    if isinstance(held, ClassObject):
        made = yield from _made(walk, held.name)
        return Outcome("raise", raised=made)
    if isinstance(held, ExceptionObject | Instance | Opaque):
        return Outcome("raise", raised=value)
    message = "exceptions must derive from BaseException"
    return Outcome("raise", raised=Ref(ExceptionObject("TypeError", (message,))))


def _made(walk: Evaluator, name: str) -> Walk:
    from cwm_lsp.source.evaluate_calls import construct

    return (yield from construct(walk, name, [], []))


def _for(walk: Evaluator, progress: Progress, node: ast.For, line: int) -> LineWalk:
    if line not in progress.loops:
        progress.loops[line] = yield from walk.iteration(node.iter)
    walker = progress.loops[line]
    item = yield from take(walk, walker)
    if item is None:
        progress.loops.pop(line, None)
        return Outcome("next", False)
    yield from assign(walk, node.target, item)
    return _again((yield from _body_on_line(walk, progress, node.body, line, True)), node, line)


def _short_while(walk: Evaluator, progress: Progress, node: ast.While, line: int) -> LineWalk:
    """A `while` whose body stands on its line: the test after the body belongs to the same visit, and only if
    it holds, the body is visited again."""
    if line not in progress.turning and (yield from walk.test(node.test)).value is False:
        return Outcome("next", False)
    progress.turning.discard(line)
    outcome = yield from _statements(walk, progress, siblings_on_line(node.body, line), line)
    if outcome.kind != "next" or outcome.jump == "break":
        return outcome if outcome.kind != "next" else Outcome("next", False)
    if (yield from walk.test(node.test)).value is False:
        return Outcome("next", False)
    progress.turning.add(line)
    return Outcome("next", line=line)


def _again(outcome: Outcome, node: ast.stmt, line: int) -> Outcome:
    """A loop whose body stands on its own line comes back to it."""
    if isinstance(node, ast.For) and node.body[0].lineno == line and outcome.kind == "next":
        if outcome.jump == "break":
            outcome.branch = False
        else:
            outcome.line = line
        outcome.jump = ""
    return outcome


def _leave_loop(walk: Evaluator, progress: Progress, line: int) -> Generator[Question, Answer, None]:
    """A break drops what the innermost loop around its line walks over, if it is a `for`."""
    start = walk.scope.loop_around(line)
    if start in progress.loops:
        yield from drop(walk, progress.loops.pop(start))


def _handler(walk: Evaluator, progress: Progress, node: ast.excepthandler, line: int) -> LineWalk:
    assert isinstance(node, ast.ExceptHandler)
    raised = progress.exception or Ref(ExceptionObject("Exception"))
    if node.type is not None:
        answer = yield from _caught(walk, raised, node.type)
        walk.scope.decided(answer.sure)
        if answer.value is False:
            return Outcome("next", False, raised=raised)
    if node.name:
        walk.scope.store(node.name, raised)
    return (yield from _body_on_line(walk, progress, node.body, line, True))


def _caught(walk: Evaluator, raised: Ref, wanted: ast.expr) -> Walk:
    def compute(_: Any) -> bool:
        bases = walk.scope.exception_bases(raised_name(raised.value))
        names = wanted.elts if isinstance(wanted, ast.Tuple) else [wanted]
        found = [each.id for each in names if isinstance(each, ast.Name)]
        if bases is None or len(found) != len(names):
            raise Refused("the classes of this exception are not known")
        if any(name in bases for name in found):
            return True
        if not all(walk.scope.exception_bases(name) for name in found):
            raise Refused("the classes of this exception are not known")
        return False

    return (yield from walk.operate(compute, "matches", (raised, Source(ast.unparse(wanted)))))


def _case(walk: Evaluator, progress: Progress, node: ast.match_case, line: int) -> LineWalk:
    subject = next(
        (
            value
            for start, value in sorted(progress.subjects.items(), key=lambda pair: -pair[0])
            if start <= line
        ),
        None,
    )
    if subject is None:
        raise Unsupported("a case without the subject of its match can't be told")
    if not (yield from matches(walk, node.pattern, subject)):
        return Outcome("next", False)
    if node.guard is not None:
        truth = yield from walk.test(node.guard)
        if truth.value is False:
            return Outcome("next", False)
    return (yield from _body_on_line(walk, progress, node.body, line, True))
