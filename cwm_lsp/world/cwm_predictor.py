"""The predictor for models that speak CWM's own text: one completion a frame, held to the choices by a
grammar.

Where several lines may come, the frame is completed up to its line, and the line is chosen by the
probability of its whole text. Leaves out the text (trace/cwm_text.py), the grammar (trace/cwm_grammar.py)
and reading (trace/parser.py).
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

from cwm_lsp.model.backend import Backend, BackendError, Cancel, Request
from cwm_lsp.source.document import Document
from cwm_lsp.trace.codec import Choices
from cwm_lsp.trace.cwm_codec import CwmCodec, Prompt
from cwm_lsp.trace.cwm_grammar import LineAlternative, grammar, line_alternatives, rest_grammar
from cwm_lsp.trace.cwm_places import Place, Position
from cwm_lsp.trace.cwm_text import ACTION_SEP, EVENT_OF, Context
from cwm_lsp.trace.frame import Event, Frame
from cwm_lsp.trace.parser import ParseError, Parser
from cwm_lsp.world.choices import choices as choices_of
from cwm_lsp.world.predictor import Prediction, PredictionError

LONGEST_FRAME = 2048
"""The most tokens of one frame; one that is longer ends the simulation with a clear failure."""
_KEPT = 64


@runtime_checkable
class Scorer(Protocol):
    """A backend that can weigh whole texts against each other."""

    def score(self, prompt: Sequence[int], options: Sequence[Sequence[int]]) -> list[float]:
        """The log probability of each of the options as what follows the prompt."""


@dataclass(slots=True)
class _History:
    """What stands behind some frames. `last` is the last of them: while it is held here no other has its id.
    The parser goes on to the next frame, so whoever takes it leaves None."""

    document: Document
    last: Frame
    prompt: Prompt
    parser: Parser | None


@dataclass(slots=True)
class _Answer:
    """The tokens of a frame, the log probability of each (0 where it was forced), and how many were
    decided."""

    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    decisions: int = 0


class CwmPredictor:
    """Predicts frames with a backend whose model speaks CWM's text. Safe to share between simulations."""

    def __init__(
        self, backend: Backend, *, longest_frame: int = LONGEST_FRAME, temperature: float = 0.0
    ) -> None:
        """Raises ValueError if the model's vocabulary lacks a token of CWM's traces."""
        self.backend = backend
        self._codec = CwmCodec(backend.vocabulary)
        self._action = backend.vocabulary.token(ACTION_SEP)
        self._events: dict[int, Event] = {
            backend.vocabulary.token(name): event for name, event in EVENT_OF.items()
        }
        self._context = backend.describe().context
        self._longest = longest_frame
        self._temperature = temperature
        self._histories: OrderedDict[tuple[int, int], _History] = OrderedDict()
        self._lock = threading.Lock()

    def predict(
        self, document: Document, frames: Sequence[Frame], choices: Choices, cancel: Cancel
    ) -> Prediction:
        """The next frame. Raises PredictionError."""
        began = time.perf_counter()
        try:
            prompt, parser = self._history(document, frames, choices)
            answer = self._ask(prompt, choices, cancel)
            frame = self._read(parser, choices, answer)
            self._keep(len(frames) + 1, _History(document, frame, prompt.then(frame), parser))
        except BackendError as error:
            raise PredictionError("engine", str(error)) from error
        except ParseError as error:
            raise PredictionError("malformed", f"The model's answer is no frame: {error}") from error
        except (ValueError, OverflowError, RecursionError) as error:
            # Locals that are no JSON, ids that no vocabulary has.
            raise PredictionError("malformed", "The model's answer is no frame: it can't be read.") from error
        return Prediction(frame, answer.decisions, len(answer.tokens), time.perf_counter() - began)

    # What came before

    def _history(
        self, document: Document, frames: Sequence[Frame], choices: Choices
    ) -> tuple[Prompt, Parser]:
        """The prompt after the frames, and a parser that stands there."""
        prompt, parser, done = None, None, len(frames)
        with self._lock:
            while prompt is None and done > 0:
                known = self._histories.get((done, id(frames[done - 1])))
                if known is not None and known.document is document and known.last is frames[done - 1]:
                    prompt = known.prompt
                    if done == len(frames):
                        parser, known.parser = known.parser, None
                else:
                    done -= 1
        if prompt is None:
            line = frames[0].line if frames else choices.options[0].line
            prompt = self._codec.prompt(_context(document, line))
        for frame in frames[done:]:
            prompt = prompt.then(frame)
        if frames:
            self._keep(len(frames), _History(document, frames[-1], prompt, None))
        if parser is None or choices.free_form:
            parser = Parser(
                self._codec.vocabulary,
                prompt.context,
                frames,
                resolve=partial(_resolve, document, frames),
                max_tokens=self._longest + 1,
            )
        return prompt, parser

    def _keep(self, count: int, history: _History) -> None:
        key = (count, id(history.last))
        with self._lock:
            self._histories[key] = history
            self._histories.move_to_end(key)
            while len(self._histories) > _KEPT:
                self._histories.popitem(last=False)

    # Asking

    def _ask(self, prompt: Prompt, choices: Choices, cancel: Cancel) -> _Answer:
        """The tokens of the next frame."""
        answer = _Answer()
        if len(prompt.ids) >= self._context:
            raise PredictionError(
                "refused",
                f"The trace has grown to {len(prompt.ids)} tokens, and the model takes {self._context}.",
            )
        rules = grammar(choices, prompt.context, prompt.scope)
        scorer = self.backend if isinstance(self.backend, Scorer) else None
        if scorer is None or not _has_rivals(choices, prompt):
            self._complete(answer, prompt, rules, self._codec.frame_end, cancel)
            return answer
        self._complete(answer, prompt, rules, self._action, cancel)
        event = self._events.get(answer.tokens[0])
        if event is None:
            raise PredictionError("malformed", "The model's answer is no frame: it has no event.")
        rivals = line_alternatives(choices, prompt.context, event, self._written(answer), prompt.scope)
        if not rivals:
            raise PredictionError(
                "malformed", "The model's answer is no frame: nothing like it can come next."
            )
        chosen = self._choose(scorer, answer, prompt, rivals)
        rest = rest_grammar(chosen, event, free_form=choices.free_form)
        if rest is not None:
            self._complete(answer, prompt, rest, self._codec.frame_end, cancel)
        return answer

    def _complete(self, answer: _Answer, prompt: Prompt, rules: str, stop: int, cancel: Cancel) -> None:
        """Lets the model go on to the `stop` token."""
        room = min(self._longest, self._context - len(prompt.ids)) - len(answer.tokens)
        completion = self.backend.complete(
            Request(
                (*prompt.ids, *answer.tokens),
                stop=frozenset({stop}),
                max_tokens=max(room, 1),
                grammar=rules,
                temperature=self._temperature,
                cancel=cancel,
            )
        )
        if completion.reason == "cancelled" or cancel.cancelled:
            raise PredictionError("cancelled", "The prediction was cancelled.")
        answer.tokens += completion.tokens
        answer.logprobs += completion.choice_logprobs
        answer.decisions += completion.decisions
        if not completion.tokens or completion.tokens[-1] != stop:
            length = len(answer.tokens)
            raise PredictionError("malformed", f"The model's answer does not end within {length} tokens.")

    def _choose(
        self, scorer: Scorer, answer: _Answer, prompt: Prompt, rivals: Sequence[LineAlternative]
    ) -> LineAlternative:
        """The line of the frame: the most probable as a whole, appended to the answer as one decision."""
        texts = self._codec.alternatives(rivals)
        best = 0
        if len(texts) > 1:
            scores = scorer.score((*prompt.ids, *answer.tokens), texts)
            if len(scores) != len(texts) or not any(score > -math.inf for score in scores):
                raise PredictionError("engine", "The model could not say how probable the next lines are.")
            best = max(range(len(texts)), key=lambda each: (scores[each] > -math.inf, scores[each]))
            answer.decisions += 1
        answer.tokens += texts[best]
        answer.logprobs += [0.0] * len(texts[best])
        return rivals[best]

    def _written(self, answer: _Answer) -> dict[str, str] | None:
        """The locals of the frame as they were written so far, None if it has none."""
        text = self._codec.vocabulary.decode(answer.tokens[1:-1])
        if not text:
            return None
        written = json.loads(text)
        if not isinstance(written, dict) or not all(isinstance(value, str) for value in written.values()):
            raise PredictionError(
                "malformed", "The model's answer is no frame: its locals are no texts by name."
            )
        return written

    # Reading

    def _read(self, parser: Parser, choices: Choices, answer: _Answer) -> Frame:
        parser.expect(None if choices.free_form else choices.options)
        frame = None
        for token, logprob in zip(answer.tokens, answer.logprobs, strict=True):
            frame = parser.feed(token, logprob)
        parser.finish()
        if frame is None:
            raise PredictionError("malformed", "The model's answer ended without a frame.")
        return frame


def _resolve(
    document: Document,
    frames: Sequence[Frame],
    event: Event,
    _text: str,
    _position: Position,
    places: Sequence[Place],
) -> Place | None:
    """Which of several places with the same text is meant, where the form of a frame is all that is held: the
    first that can come next. (Otherwise the candidates are those that can.)"""
    possible = {(o.function, o.line) for o in choices_of(document, frames).options if o.event == event}
    return next((place for place in places if place in possible), None)


def _context(document: Document, line: int) -> Context:
    """The program, with the function marked whose CALL frames are at `line`."""
    marked = next((f.def_line for f in document.functions if f.first_line == line), line)
    return Context.entered(document, marked)


def _has_rivals(choices: Choices, prompt: Prompt) -> bool:
    """True if there may be several lines to choose from."""
    if choices.free_form:
        return True
    texts: dict[Event, set[str]] = {}
    for option in choices.options:
        texts.setdefault(option.event, set()).add(prompt.context.lines[option.line - 1])
    return any(len(each) > 1 for each in texts.values())
