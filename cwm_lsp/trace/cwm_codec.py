"""Frames as the token ids of a CWM model: prompts that grow by appending, and the tokens of what may come
next.

The trace tokens are found by name; all other text is encoded as plain text, so that a program which contains
the characters `<|frame_sep|>` can't produce that token. Special tokens split a text before it is tokenised,
so the pieces between them, each encoded on its own, are the tokens that the tokenizer gives for the whole
frame.

Leaves out reading (parser.py) and the grammar (cwm_grammar.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cwm_lsp.trace.cwm_grammar import LineAlternative
from cwm_lsp.trace.cwm_text import (
    END,
    EVENT_TOKENS,
    FRAME_SEP,
    TRACE_TOKENS,
    Context,
    Part,
    Scope,
    context_parts,
    frame_parts,
    scope_after,
)
from cwm_lsp.trace.frame import Event, Frame

# Beside `<|end_of_text|>`, the tokens at which a CWM model's own configuration says that it has ended.
OTHER_ENDS = ("<|eom_id|>", "<|eot_id|>")


class TextVocabulary(Protocol):
    """What the codec needs of model/backend.py's Vocabulary."""

    @property
    def size(self) -> int:
        """Number of ids, special tokens included."""

    def encode(self, text: str) -> list[int]:
        """Ids of plain text: never a special token, whatever the text contains, and no BOS."""

    def token(self, name: str) -> int:
        """The id of a special token by its name."""

    def has(self, name: str) -> bool:
        """True if the model has that special token."""

    def decode(self, ids: Sequence[int]) -> str:
        """Text of the ids."""

    def specials(self) -> dict[str, int]:
        """All special tokens, name to id."""


class CwmCodec:
    """CWM's form in the ids of one vocabulary. Raises ValueError if that lacks a trace token."""

    def __init__(self, vocabulary: TextVocabulary) -> None:
        missing = [name for name in TRACE_TOKENS if not vocabulary.has(name)]
        if missing:
            raise ValueError(
                f"The model's tokenizer has no {missing[0]}: it was not trained on CWM's traces."
            )
        self.vocabulary = vocabulary
        self._ids = {name: vocabulary.token(name) for name in TRACE_TOKENS}

    @property
    def frame_end(self) -> int:
        """The token that ends every frame: stop there for one frame."""
        return self._ids[FRAME_SEP]

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end a trace."""
        others = {self.vocabulary.token(name) for name in OTHER_ENDS if self.vocabulary.has(name)}
        return frozenset({self._ids[END], *others})

    def event(self, event: Event) -> int:
        """The token that a frame of this event begins with; appended to a prompt it forces the event."""
        return self._ids[EVENT_TOKENS[event]]

    def encode(self, parts: Iterable[Part]) -> list[int]:
        """The ids of the parts one after the other."""
        ids: list[int] = []
        for part in parts:
            if part.special:
                ids.append(self._ids[part.text])
            else:
                ids.extend(self.vocabulary.encode(part.text))
        return ids

    def frame(self, frame: Frame, lines: Sequence[str], scope: Scope) -> list[int]:
        """The ids of one frame. Raises ValueError if its line is not one of `lines`."""
        return self.encode(frame_parts(frame, lines, scope))

    def alternatives(self, alternatives: Sequence[LineAlternative]) -> list[tuple[int, ...]]:
        """The ids of each text, up to and with the special token after it: what to score when choosing
        between them."""
        return [
            tuple(self.encode((Part(each.text), Part(each.follower, special=True)))) for each in alternatives
        ]

    def prompt(self, context: Context, frames: Iterable[Frame] = ()) -> Prompt:
        """The prompt after these frames; the frames of the context's preamble come first by themselves."""
        prompt = Prompt(self, context, tuple(self.encode(context_parts(context))))
        for frame in (*context.preamble, *frames):
            prompt = prompt.then(frame)
        return prompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """A history as token ids. Immutable: a fork shares what came before, and `then` only adds ids at the
    end."""

    codec: CwmCodec
    context: Context
    ids: tuple[int, ...]
    scope: Scope = None

    def then(self, frame: Frame) -> Prompt:
        """The prompt after one more frame. Raises ValueError if its line is not in the program."""
        added = self.codec.frame(frame, self.context.lines, self.scope)
        return Prompt(self.codec, self.context, self.ids + tuple(added), scope_after(self.scope, frame))
