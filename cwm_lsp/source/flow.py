"""Where a function may go next: for each line, the line frames that may follow, and what else may happen
there.

The answers are exact for the line events of the Python we run on (`sys.settrace`), with one addition:
comprehensions are frames of their own on every version, as on 3.11. What still differs between versions are
the lines of some statements written over several lines; on 3.12 and later they are those of that Python.
Leaves out values: every branch that the bytecode has is possible. Which functions may be called is told by
flow_calls, what a line may change by effects. An exception from outside (a signal, a full memory) is not
foreseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, lru_cache

from cwm_lsp.source.document import Document
from cwm_lsp.source.flow_bytecode import Op, bound_outside, graph_of
from cwm_lsp.source.flow_calls import Entry, Sites
from cwm_lsp.source.flow_compile import Code, FlowError, codes_of
from cwm_lsp.source.flow_lines import LineFacts, LineGraph

__all__ = ["Entry", "Flow", "FlowError", "flow_of"]


class Flow:
    """The control flow of one document. `function` is a qualname; `<module>` and class bodies have a flow
    too.

    Functions of the same name (two lambdas, a method defined twice) are told apart by their lines; where they
    share a line, what may happen in either may happen. A line on which no frame can be answers with nothing.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._codes: dict[str, list[Code]] = defaultdict(list)
        for code in codes_of(document):
            self._codes[code.qualname].append(code)
        self._graphs: dict[str, tuple[LineGraph, ...]] = {}
        self._shared: dict[str, frozenset[str]] = {}
        self._entries: dict[tuple[str, int], tuple[Entry, ...]] = {}

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The qualnames that have a flow, each once, in source order."""
        return tuple(self._codes)

    def entry_lines(self, function: str, line: int | None = None) -> tuple[int, ...]:
        """The first line frames after a call. `line`, that of the call frame, picks among functions of one
        name."""
        pairs = zip(self._codes.get(function, ()), self.line_graphs(function), strict=True)
        found = [(code.object.co_firstlineno, graph.entry) for code, graph in pairs]
        picked = [entry for first, entry in found if first == line] or [entry for _, entry in found]
        return tuple(sorted({at for entry in picked for at in entry}))

    def successors(self, function: str, line: int) -> tuple[int, ...]:
        """The line frames that may follow a line frame at `line`, calls in between apart."""
        return _sorted(at for facts in self.facts(function, line) for at in facts.lines("line"))

    def handlers(self, function: str, line: int) -> tuple[int, ...]:
        """The line frames that may follow an exception frame at `line` if the function lives on: `except`,
        `finally` and `with` lines, and the lines after a loop whose iterator raised StopIteration."""
        return _sorted(at for facts in self.facts(function, line) for at in facts.lines("exception"))

    def resume_lines(self, function: str, line: int) -> tuple[int, ...]:
        """The line frames after a generator or coroutine that was suspended at `line` is resumed."""
        return _sorted(at for facts in self.facts(function, line) for at in facts.lines("resumed"))

    def may_return(self, function: str, line: int) -> bool:
        """True if a return frame at `line` may be next: a return, the end of the function, a yield or
        await."""
        return any(facts.may_return for facts in self.facts(function, line))

    def may_raise(self, function: str, line: int) -> bool:
        """True if an exception frame at `line` may be next."""
        return any(facts.may_raise for facts in self.facts(function, line))

    def may_unwind(self, function: str, line: int) -> bool:
        """True if an exception at `line` may leave the function."""
        return any(facts.may_unwind for facts in self.facts(function, line))

    def may_pass_on(self, function: str, line: int) -> bool:
        """True if an exception that is being handled may leave the function from `line` without an exception
        frame there: after an `except` that doesn't match, at the end of `finally`, by a bare `raise`."""
        return any(facts.may_pass_on for facts in self.facts(function, line))

    def line_numbers(self, function: str) -> tuple[int, ...]:
        """The lines on which there can be a line frame of the function."""
        graphs = self.line_graphs(function)
        return _sorted(line for graph in graphs for line, facts in graph.lines.items() if facts.starts)

    def calls(self, function: str, line: int) -> tuple[str, ...]:
        """The document's functions that may be entered from `line`, the likeliest first: see `entries`."""
        return tuple(entry.function for entry in self.entries(function, line))

    def entries(self, function: str, line: int) -> tuple[Entry, ...]:
        """The document's functions that may be entered from `line`, each with the reason.

        Generators and coroutines are entered where they are iterated or awaited, not where they are called.
        An unknown callee may be any function that is a value somewhere.
        """
        key = (function, line)
        if key not in self._entries:
            self._entries[key] = self.sites.entries(self.ops(function, line))
        return self._entries[key]

    @cached_property
    def sites(self) -> Sites:
        """The expressions of the document by their place."""
        return Sites(self.document)

    def ops(self, function: str, line: int) -> Iterator[tuple[Op, Op | None]]:
        """The instructions of a line, each with the one before it in the code object."""
        for graph in self.line_graphs(function):
            if line in graph.lines:
                for at in sorted({at for at, _ in graph.lines[line].nodes}):
                    yield graph.ops[at], graph.ops[at - 1] if at else None

    def shared(self, function: str) -> frozenset[str]:
        """The variables of the function that some other code object may bind or delete as well."""
        if function not in self._shared:
            own = self._codes.get(function, [])
            names = {name for code in own for name in (*code.object.co_cellvars, *code.object.co_freevars)}
            if function == "<module>":
                names = {name for code in own for name in code.object.co_names}
            elsewhere = (bound for code, bound in self._bound_outside if code not in own)
            bound = frozenset[str]().union(*elsewhere)
            self._shared[function] = frozenset(names & bound)
        return self._shared[function]

    def bound(self, function: str) -> frozenset[str]:
        """The variables that the function's code binds or deletes after it was called, or that others may."""
        names = {
            name
            for graph in self.line_graphs(function)
            for op in graph.ops
            if op.name.startswith(("STORE_", "DELETE_"))
            for name in (op.value if isinstance(op.value, tuple) else (op.value,))
        }
        return frozenset(names) | self.shared(function)

    @cached_property
    def _bound_outside(self) -> list[tuple[Code, frozenset[str]]]:
        return [(code, bound_outside(code.object)) for codes in self._codes.values() for code in codes]

    def facts(self, function: str, line: int) -> Iterator[LineFacts]:
        """All there is to know about a line, once for each function of the name that has it."""
        for graph in self.line_graphs(function):
            if line in graph.lines:
                yield graph.lines[line]

    def line_graphs(self, function: str) -> tuple[LineGraph, ...]:
        """One graph for each function of the name."""
        if function not in self._graphs:
            codes = self._codes.get(function, ())
            self._graphs[function] = tuple(LineGraph(graph_of(code)) for code in codes)
        return self._graphs[function]


@lru_cache(maxsize=32)
def flow_of(document: Document) -> Flow:
    """The flow of a document, worked out once (the last few documents are remembered). Raises FlowError if it
    can't be compiled."""
    return Flow(document)


def _sorted(lines: Iterator[int]) -> tuple[int, ...]:
    return tuple(sorted(set(lines)))
