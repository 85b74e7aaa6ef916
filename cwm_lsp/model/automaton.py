"""Small regular grammars as tables: which tokens may come next, looked up instead of worked out.

Takes the part of Lark's language that a vocabulary of single bytes needs: rules without recursion made of
alternatives, special tokens, `rule`, `rule+`, and terminals that are one character class. What is not of that
kind compiles to None, and llguidance takes it (grammar.py), which is also what the tests hold the tables to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cwm_lsp.model.backend import BackendError
from cwm_lsp.model.vocabulary import HfVocabulary

Allowed = NDArray[np.intp]
Mask = NDArray[np.float32]

_RULE = re.compile(r"([a-z][a-z_]*|[A-Z][A-Z_]*)\s*:\s*(.*)")
_ITEM = re.compile(r"\s*(<\|[^|<>\s]+\|>|[a-z][a-z_]*\+?|[A-Z][A-Z_]*\+?|\|)")
_CHARACTER = r"(?:\\x[0-7][0-9a-f]|[A-Za-z0-9 _])"
_CLASS = re.compile(rf"/\[(\^?)((?:{_CHARACTER}(?:-{_CHARACTER})?)+)\]/")
_CLASS_ITEM = re.compile(rf"({_CHARACTER})(?:-({_CHARACTER}))?")
_MOST_STATES = 200

# The bytes of the characters beyond ASCII, as the Unicode standard tables them (well-formed UTF-8).
_BEYOND_ASCII: tuple[tuple[tuple[int, int], ...], ...] = (
    ((0xC2, 0xDF), (0x80, 0xBF)),
    ((0xE0, 0xE0), (0xA0, 0xBF), (0x80, 0xBF)),
    ((0xE1, 0xEC), (0x80, 0xBF), (0x80, 0xBF)),
    ((0xED, 0xED), (0x80, 0x9F), (0x80, 0xBF)),
    ((0xEE, 0xEF), (0x80, 0xBF), (0x80, 0xBF)),
    ((0xF0, 0xF0), (0x90, 0xBF), (0x80, 0xBF), (0x80, 0xBF)),
    ((0xF1, 0xF3), (0x80, 0xBF), (0x80, 0xBF), (0x80, 0xBF)),
    ((0xF4, 0xF4), (0x80, 0x8F), (0x80, 0xBF), (0x80, 0xBF)),
)


class _Other(Exception):  # noqa: N818  (caught in `compile_grammar`)
    """The grammar is not of the kind that is taken here."""


@dataclass(frozen=True, slots=True)
class State:
    """One state: the ids that may come next, the same as a mask to add to logits (0 or -inf), where each
    leads, and all that must come from here on before there is a choice."""

    allowed: Allowed
    mask: Mask
    following: dict[int, int]
    forced: tuple[int, ...]


@dataclass(slots=True)
class _Net:
    """A nondeterministic automaton while it is built: edges by sets of tokens, and edges that take none."""

    edges: list[list[tuple[Sequence[int], int]]] = field(default_factory=list)
    free: list[set[int]] = field(default_factory=list)

    def node(self) -> int:
        self.edges.append([])
        self.free.append(set())
        return len(self.edges) - 1

    def edge(self, start: int, tokens: Sequence[int], end: int) -> None:
        self.edges[start].append((tokens, end))

    def closure(self, nodes: set[int]) -> frozenset[int]:
        found, new = set(nodes), list(nodes)
        while new:
            for each in self.free[new.pop()] - found:
                found.add(each)
                new.append(each)
        return frozenset(found)


def compile_grammar(grammar: str, vocabulary: HfVocabulary) -> list[State] | None:
    """The states of a grammar, the first one at 0, or None if it takes more than tables."""
    if not vocabulary.one_spelling:
        return None
    try:
        reader = _Reader(grammar, vocabulary)
        net = _Net()
        start, end = net.node(), net.node()
        reader.rule("start", net, start, end, ())
        return _states(net, start, end, vocabulary.size)
    except _Other:
        return None


class _Reader:
    """The rules of a grammar, put into a net one by one."""

    def __init__(self, grammar: str, vocabulary: HfVocabulary) -> None:
        self._vocabulary = vocabulary
        self._rules: dict[str, str] = {}
        for line in grammar.splitlines():
            if line.strip():
                found = _RULE.fullmatch(line.strip())
                if found is None or found.group(1) in self._rules:
                    raise _Other
                self._rules[found.group(1)] = found.group(2)
        self._bytes: dict[int, int] = {}
        for identity in range(vocabulary.size):
            if not vocabulary.is_special(identity):
                spelt = vocabulary.decode_bytes((identity,))
                if len(spelt) > 1 or (spelt and spelt[0] in self._bytes):
                    raise _Other
                # llguidance has no bytes for 0xff, which UTF-8 has no use for.
                self._bytes.update(dict.fromkeys(spelt, identity))

    def rule(self, name: str, net: _Net, start: int, end: int, within: tuple[str, ...]) -> None:
        """Puts a rule or terminal between two nodes."""
        if name in within or name not in self._rules:
            raise _Other
        text = self._rules[name]
        if name.isupper():
            self._terminal(text, net, start, end)
            return
        for alternative in self._alternatives(text):
            at = start
            for position, item in enumerate(alternative):
                to = end if position == len(alternative) - 1 else net.node()
                self._item(item, net, at, to, (*within, name))
                at = to

    def _item(self, item: str, net: _Net, start: int, end: int, within: tuple[str, ...]) -> None:
        if item.startswith("<|"):
            if not self._vocabulary.has(item):
                raise _Other
            net.edge(start, (self._vocabulary.token(item),), end)
        elif item.endswith("+"):
            first, last = net.node(), net.node()
            net.free[start].add(first)
            net.free[last] |= {first, end}
            self.rule(item[:-1], net, first, last, within)
        else:
            self.rule(item, net, start, end, within)

    @staticmethod
    def _alternatives(text: str) -> list[list[str]]:
        found: list[list[str]] = [[]]
        at = 0
        while at < len(text.rstrip()):
            item = _ITEM.match(text, at)
            if item is None:
                raise _Other
            at = item.end()
            if item.group(1) == "|":
                found.append([])
            else:
                found[-1].append(item.group(1))
        if not all(found):
            raise _Other
        return found

    def _terminal(self, text: str, net: _Net, start: int, end: int) -> None:
        found = _CLASS.fullmatch(text.strip())
        if found is None:
            raise _Other
        named = set[int]()
        for low, high in _CLASS_ITEM.findall(found.group(2)):
            named.update(range(_code(low), _code(high or low) + 1))
        taken = set(range(0x80)) - named if found.group(1) else named
        net.edge(start, self._ids(taken), end)
        for sequence in _BEYOND_ASCII if found.group(1) else ():
            at = start
            for position, (low, high) in enumerate(sequence):
                to = end if position == len(sequence) - 1 else net.node()
                net.edge(at, self._ids(range(low, high + 1)), to)
                at = to

    def _ids(self, codes: Iterable[int]) -> list[int]:
        try:
            return [self._bytes[code] for code in codes]
        except KeyError:
            raise _Other from None


def _code(character: str) -> int:
    return int(character[2:], 16) if character.startswith("\\x") else ord(character)


def _states(net: _Net, start: int, end: int, size: int) -> list[State]:
    """The net made deterministic. Where it may end it must end: there is no token for "no more"."""
    numbers = {net.closure({start}): 0}
    nodes = list(numbers)
    tables: list[dict[int, int]] = []
    while len(tables) < len(nodes):
        here = nodes[len(tables)]
        leads: dict[int, set[int]] = {}
        for node in here:
            for tokens, after in net.edges[node]:
                for token in tokens:
                    leads.setdefault(token, set()).add(after)
        if (end in here) == bool(leads) or len(nodes) > _MOST_STATES:
            raise _Other
        table: dict[int, int] = {}
        known: dict[frozenset[int], int] = {}
        for token, ends in sorted(leads.items()):
            same = frozenset(ends)
            if same not in known:
                closed = net.closure(ends)
                if closed not in numbers:
                    numbers[closed] = len(nodes)
                    nodes.append(closed)
                known[same] = numbers[closed]
            table[token] = known[same]
        tables.append(table)
    return [_state(tables, number, size) for number in range(len(tables))]


def _state(tables: Sequence[dict[int, int]], number: int, size: int) -> State:
    table = tables[number]
    allowed = np.fromiter(table, dtype=np.intp, count=len(table))
    mask = np.full(size, -np.inf, np.float32)
    mask[allowed] = 0
    return State(allowed, mask, table, tuple(_forced(tables, number)))


def _forced(tables: Sequence[dict[int, int]], number: int) -> Iterator[int]:
    while len(tables[number]) == 1:
        ((token, number),) = tables[number].items()
        yield token


class Table:
    """Where a completion stands in such a grammar; a `Matcher` (grammar.py)."""

    def __init__(self, states: Sequence[State]) -> None:
        self._states = states
        self._path = [0]

    @property
    def done(self) -> bool:
        """The grammar is complete and can't go on."""
        return not self._states[self._path[-1]].following

    def forced(self, text: Sequence[int]) -> list[int]:  # noqa: ARG002
        """The tokens that must come next."""
        return list(self._states[self._path[-1]].forced)

    def forced_text(self) -> tuple[bytes, bool]:
        """Nobody asks: a text has one spelling only."""
        return b"", False

    def allowed(self) -> Allowed:
        """The ids that may come next, ascending."""
        return self._states[self._path[-1]].allowed

    def states(self, ids: Sequence[int]) -> list[State]:
        """The states from here along `ids`, as far as they may come and something may come after them; this
        one is the first."""
        number = self._path[-1]
        found = [self._states[number]]
        for identity in ids:
            number = found[-1].following.get(identity, -1)
            if number < 0 or not self._states[number].following:
                break
            found.append(self._states[number])
        return found

    def consume(self, ids: Sequence[int]) -> None:
        """Goes on. Raises BackendError if the grammar does not allow the tokens."""
        for identity in ids:
            number = self._states[self._path[-1]].following.get(int(identity))
            if number is None:
                raise BackendError("The model's answer broke its grammar.")
            self._path.append(number)

    def accepts(self, ids: Sequence[int]) -> bool:
        """True if all of the tokens may come next; changes nothing."""
        number = self._path[-1]
        for identity in ids:
            number = self._states[number].following.get(identity, -1)
            if number < 0:
                return False
        return True

    def rollback(self, count: int) -> None:
        """Takes the last `count` tokens back."""
        if count:
            del self._path[max(1, len(self._path) - count) :]

    def reset(self) -> None:
        """Goes back to the start."""
        del self._path[1:]
