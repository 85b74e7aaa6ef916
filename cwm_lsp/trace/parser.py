"""Reads CWM's form as it comes: tokens in, frames out, or one clear error.

    parser = Parser(vocabulary, context, history, candidates=choices.options)
    for token, logprob in answer:
        frame = parser.feed(token, logprob)      # a Frame when its last token has come
    parser.finish()                              # raises if a frame was left half done

Whatever the tokens are, the answer is a frame that keeps to the rules or a ParseError; after an error every
call raises the same one again. Values are of origin "predicted", with the probability of their tokens where
`feed` is told the logprobs (0.0 for a forced token); a `..` that was not decided hands on the earlier value
as it was.

Leaves out which frames may come (world/choices.py); what they look like is cwm_text.py's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NoReturn

from cwm_lsp.trace.codec import Option
from cwm_lsp.trace.cwm_codec import OTHER_ENDS, TextVocabulary
from cwm_lsp.trace.cwm_grammar import fits
from cwm_lsp.trace.cwm_places import Place, Places, Position, Resolve, chosen, of_its_class, whole
from cwm_lsp.trace.cwm_text import (
    ACTION_SEP,
    ARG_SEP,
    END,
    EVENT_OF,
    FRAME_SEP,
    SAME,
    Scope,
    Source,
    in_full,
    scope_after,
    unwritten,
)
from cwm_lsp.trace.frame import Event, Frame, Value

Kind = Literal[
    "truncated", "json", "value", "order", "line", "same", "unending", "after_end", "token", "not_offered"
]
ENDS = frozenset({END, *OTHER_ENDS})

_NAME = re.compile(r"[^\W\d]\w*|\.\w+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BROKEN = "\N{REPLACEMENT CHARACTER}"
_SHOWN = 60


class ParseError(Exception):
    """The tokens are no frame; `kind` says why, the message in one sentence.

    truncated: they ended inside a frame; json: LOCALS or VALUE is no JSON object or string; value: a value is
    no string, or a name comes twice; order: a part is missing or where it can't be; line: SOURCE is no line
    that can be meant; same: `..` for a name without an earlier value; unending: the frame took more tokens
    than it may; after_end: it goes on after the end; token: an id that the vocabulary lacks, or bytes that
    are no text; not_offered: a frame beside the candidates."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind


class _Segment:
    """The text between two special tokens: its tokens, and how probable they were."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.logprobs: list[float | None] = []
        self.text: str | None = None
        self._ends: list[int] | None = None

    def decode(self, vocabulary: TextVocabulary) -> str:
        self.text = vocabulary.decode(self.ids) if self.ids else ""
        pieces = [len(vocabulary.decode([token])) for token in self.ids] if any(self.logprobs) else []
        if sum(pieces) == len(self.text):
            self._ends = [sum(pieces[: count + 1]) for count in range(len(pieces))]
        return self.text

    def logprob(self, start: int, end: int) -> float | None:
        """The logprob of the tokens that reach into text[start:end]; None if it is not known."""
        if any(each is None for each in self.logprobs):
            return None
        known = [each or 0.0 for each in self.logprobs]
        if not self._ends:
            return sum(known)
        begins = [0, *self._ends[:-1]]
        reaching = zip(begins, self._ends, known, strict=True)
        return sum(each for begin, stop, each in reaching if begin < end and stop > start)


class Parser:
    """Reads the frames of one trace. Make one for each fork; `push` and `expect` carry it from frame to
    frame."""

    def __init__(
        self,
        vocabulary: TextVocabulary,
        source: Source,
        history: Iterable[Frame] = (),
        *,
        candidates: Sequence[Option] | None = None,
        resolve: Resolve | None = None,
        max_tokens: int = 4096,
        depth: int = 1,
    ) -> None:
        """`source`: the program, with the caller that a context adds. `history`: the frames so far.
        `candidates`: what the next frame may be, None for anything in the program. `depth`: that of the first
        frame if there is no history. `max_tokens`: the most tokens of a frame."""
        self._vocabulary = vocabulary
        self._names = {identity: name for name, identity in vocabulary.specials().items()}
        self._size = vocabulary.size
        self._lines = source.lines
        self._places = Places(source)
        self._resolve = resolve
        self._max_tokens = max_tokens
        self._candidates = candidates
        self._position = Position((), depth)
        self._scope: Scope = None
        self._held: tuple[Mapping[str, Value], ...] = ()
        self._error: ParseError | None = None
        self.ended = False
        self._clear()
        for frame in history:
            self.push(frame)

    @property
    def position(self) -> Position:
        """Who runs after the frames so far."""
        return self._position

    @property
    def scope(self) -> Scope:
        """What `..` may stand for in the next frame."""
        return self._scope

    def push(self, frame: Frame) -> None:
        """Takes a frame that was not read here, such as a computed one, between two frames."""
        self._position = self._position.after(frame)
        if frame.event in ("call", "line"):
            below = self._held if frame.event == "call" else self._held[:-1]
            self._held = (*below, frame.locals)
        elif frame.event == "return":
            self._held = self._held[:-1]
        self._scope = scope_after(self._scope, frame)

    def expect(self, candidates: Sequence[Option] | None) -> None:
        """Sets what the next frame may be."""
        self._candidates = candidates

    def feed(self, token: int, logprob: float | None = None) -> Frame | None:
        """Takes one token; the frame that it ends, if it ends one. Raises ParseError."""
        if self._error is not None:
            raise self._error
        if not 0 <= token < self._size:
            self._fail("token", f"The model gave token {token}, which its vocabulary does not have.")
        if self.ended:
            self._fail("after_end", "The trace goes on after its end.")
        self._count += 1
        if self._count > self._max_tokens:
            self._fail("unending", f"A frame took more than {self._max_tokens} tokens.")
        name = self._names.get(token)
        if name is None:
            if self._event is None:
                self._fail("order", "A frame must begin with its event.")
            self._segment.ids.append(token)
            self._segment.logprobs.append(logprob)
            return None
        return self._special(name)

    def finish(self) -> None:
        """Says that no more tokens come. Raises ParseError if they ended inside a frame."""
        if self._error is not None:
            raise self._error
        if self._event is not None:
            self._fail("truncated", "The answer ends in the middle of a frame.")

    def _fail(self, kind: Kind, message: str) -> NoReturn:
        self._error = ParseError(kind, message)
        raise self._error

    def _clear(self) -> None:
        self._event: Event | None = None
        self._segment = _Segment()
        self._parts: list[tuple[str, _Segment]] = []
        self._count = 0

    def _special(self, name: str) -> Frame | None:
        if self._event is None:
            self._begin(name)
            return None
        if name not in (ACTION_SEP, ARG_SEP, FRAME_SEP):
            self._fail("order", f"A frame has {name} in the middle.")
        follower = {
            0: ACTION_SEP,
            1: ARG_SEP if self._event in ("return", "exception") else FRAME_SEP,
            2: FRAME_SEP,
        }
        if name != follower[len(self._parts)]:
            self._fail(
                "order", f"A {self._event} frame has {name} where {follower[len(self._parts)]} belongs."
            )
        if _BROKEN in self._segment.decode(self._vocabulary):
            self._fail("token", "A frame holds bytes that are no text.")
        self._parts.append((name, self._segment))
        self._segment = _Segment()
        if name != FRAME_SEP:
            return None
        frame = self._frame(self._event)
        self._clear()
        self.push(frame)
        return frame

    def _begin(self, name: str) -> None:
        if name in ENDS:
            if not self._position.over:
                self._fail("order", "The trace ends before its first function has returned.")
            self.ended = True
            return
        event = EVENT_OF.get(name)
        if event is None:
            self._fail("order", f"A frame can't begin with {name}.")
        if self._position.over and self._candidates is None:
            self._fail("after_end", "The trace goes on after its first function has returned.")
        if event != "call" and not self._position.stack:
            self._fail("order", "A trace must begin with a call.")
        self._event = event

    def _frame(self, event: Event) -> Frame:
        head, action = self._parts[0][1], self._parts[1][1]
        if event in ("call", "line"):
            written = self._object(head)
            option, place = self._place(
                event, action.text or "", {name: text for name, (text, _) in written.items()}
            )
            values = self._values(event, written)
            arg = None
        else:
            if head.ids:
                self._fail("order", f"A {event} frame has locals.")
            option, place = self._place(event, action.text or "", None)
            values, arg = {}, self._argument(self._parts[2][1], option)
        deeper = event == "call" and bool(self._position.stack)
        depth = option.depth if option is not None else self._position.depth + deeper
        return Frame(event, place[0], place[1], depth, values, arg)

    def _object(self, segment: _Segment) -> dict[str, tuple[str, float | None]]:
        """LOCALS as written, each with the logprob of its value."""
        text = segment.text or ""
        try:
            data = json.loads(text, object_pairs_hook=list)
        except (ValueError, RecursionError):
            self._fail("json", f"The locals are no JSON: {_shown(text)}.")
        if not isinstance(data, list) or not text.lstrip().startswith("{"):
            self._fail("json", f"The locals are no JSON object: {_shown(text)}.")
        for name, value in data:
            if not isinstance(value, str) or _SURROGATE.search(value):
                self._fail("value", f"A value of the locals is no text: {_shown(text)}.")
            if not _NAME.fullmatch(name):
                self._fail("value", f"A local has no name that Python could give it: {_shown(name)}.")
        if len({name for name, _ in data}) != len(data):
            self._fail("value", f"A local is given twice: {_shown(text)}.")
        spans = [match.span() for match in _STRING.finditer(text)][1::2]
        return {
            name: (value, segment.logprob(*span)) for (name, value), span in zip(data, spans, strict=True)
        }

    def _values(self, event: Event, written: Mapping[str, tuple[str, float | None]]) -> dict[str, Value]:
        known = {} if in_full(event, self._scope) or self._scope is None else self._scope
        held = self._held[-1] if event == "line" and self._held else {}
        values: dict[str, Value] = {}
        for name, (text, logprob) in written.items():
            value = Value(unwritten(text), "predicted", _probability(logprob))
            if text == SAME:
                if name not in known:
                    self._fail("same", f"{name} is said to be unchanged, but has no earlier value.")
                value = _kept(known[name], logprob)
            elif name in held and held[name].repr == value.repr:
                value = _kept(held[name], logprob)
            values[name] = value
        return values

    def _argument(self, segment: _Segment, option: Option | None) -> Value:
        text = segment.text or ""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            self._fail("json", f"The value is no JSON: {_shown(text)}.")
        if not isinstance(value, str) or _SURROGATE.search(value):
            self._fail("value", f"The value is no text: {_shown(text)}.")
        if option is not None and option.arg is not None and option.arg != value:
            self._fail("not_offered", f"The value can't be {_shown(value)} here.")
        return Value(value, "predicted", _probability(segment.logprob(0, len(text))))

    def _place(self, event: Event, text: str, written: dict[str, str] | None) -> tuple[Option | None, Place]:
        if not self._places.knows(text):
            self._fail("line", f"The program has no line {_shown(text)}.")
        if self._candidates is None:
            place = self._places.place(event, text, self._position, self._resolve)
            if place is None:
                self._fail("line", f"A {event} frame can't be on the line {_shown(text)} here.")
            return None, place
        offered = [each for each in self._candidates if fits(each, event, written, self._scope)]
        if not offered:
            self._fail("not_offered", f"No {event} frame with these locals can come next.")
        wanted = whole(text)
        meant: dict[Place, Option] = {}
        for each in offered:
            if whole(self._lines[each.line - 1]) == wanted:
                meant.setdefault((each.function, each.line), each)
        if not meant:
            self._fail("line", f"A {event} frame can't be on the line {_shown(text)} here.")
        places = list(meant)
        if event == "call" and len(places) > 1:
            first = next(iter(written.values()), None) if written else None
            places = of_its_class(places, first, self._position.function)
        place = chosen(places, event, text, self._position, self._resolve)
        return meant[place], place


def read(parser: Parser, tokens: Iterable[int]) -> list[Frame]:
    """All frames of the tokens. Raises ParseError."""
    frames = [frame for frame in map(parser.feed, tokens) if frame is not None]
    parser.finish()
    return frames


def _kept(value: Value, logprob: float | None) -> Value:
    """An earlier value that still holds: as it was where nothing was decided, else only as sure as the
    decision."""
    if not logprob:
        return value
    earlier = 1.0 if value.confidence is None else value.confidence
    return Value(value.repr, "predicted", earlier * math.exp(min(0.0, logprob)))


def _probability(logprob: float | None) -> float | None:
    return None if logprob is None else math.exp(min(0.0, logprob))


def _shown(text: str) -> str:
    """A text in a message, on one line and short."""
    shown = repr(text)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
