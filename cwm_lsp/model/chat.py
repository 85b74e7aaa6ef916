"""Questions to a model in its chat form, with or without thinking first: for models that were trained for it.

The form is that of CWM's prompting guide (facebookresearch/cwm, PROMPTING_GUIDE.md). What a user or a program
says is text, whatever it contains; only the form's own tokens are special. Leaves out what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cwm_lsp.model.backend import Backend, BackendError, Cancel, Priority, Request, Vocabulary

BEGIN, HEADER, END_HEADER, TURN = (
    "<|begin_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
)
_ENDS = (TURN, "<|eom_id|>", "<|end_of_text|>")
_THINK, _THOUGHT = "<think>\n", "</think>"

REASONING = (
    "You are a helpful AI assistant. You always reason before responding, using the following format:\n\n"
    "<think>\nyour internal reasoning\n</think>\nyour external response"
)
PLAIN = "You are a helpful AI assistant."


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered: its `text`, and what it thought before ("" without thinking). `complete`: it
    came to its own end, and was not cut off or cancelled; a reply that was cut off while it thought has no
    text."""

    text: str
    thinking: str
    complete: bool
    tokens: int


def can_chat(vocabulary: Vocabulary) -> bool:
    """True if the vocabulary has the tokens of the chat form (that the model was trained on it, its profile
    says)."""
    return all(vocabulary.has(name) for name in (BEGIN, HEADER, END_HEADER, TURN))


def chat_prompt(vocabulary: Vocabulary, messages: Sequence[Message], *, reasoning: bool) -> list[int]:
    """The ids that ask for the next turn of the assistant. The system prompt that switches thinking on or off
    comes before a system message of the caller's. Raises BackendError if the model has no chat."""
    if not can_chat(vocabulary):
        raise BackendError("This model has no chat form; cwm-lsp models list shows some that reason.")
    system = REASONING if reasoning else PLAIN
    own = "\n\n".join(each.content for each in messages if each.role == "system")
    turns = [Message("system", f"{system}\n\n{own}" if own else system)]
    turns += [each for each in messages if each.role != "system"]
    ids = [vocabulary.token(BEGIN)]
    for turn in turns:
        ids += _header(vocabulary, turn.role)
        ids += [*vocabulary.encode(f"\n\n{turn.content}"), vocabulary.token(TURN)]
    ids += _header(vocabulary, "assistant")
    return [*ids, *vocabulary.encode(f"\n\n{_THINK}" if reasoning else "\n\n")]


def _header(vocabulary: Vocabulary, role: str) -> list[int]:
    return [vocabulary.token(HEADER), *vocabulary.encode(role), vocabulary.token(END_HEADER)]


def ask(
    backend: Backend,
    messages: Sequence[Message],
    *,
    reasoning: bool,
    max_tokens: int = 4096,
    temperature: float = 0.0,
    seed: int | None = None,
    cancel: Cancel | None = None,
    priority: Priority = "interactive",
) -> Reply:
    """One turn of the assistant. Raises BackendError."""
    vocabulary = backend.vocabulary
    prompt = chat_prompt(vocabulary, messages, reasoning=reasoning)
    room = backend.describe().context - len(prompt)
    if room < 1:
        raise BackendError(
            f"The question has {len(prompt)} tokens; this model takes at most {backend.describe().context}."
        )
    stop = frozenset(vocabulary.token(name) for name in _ENDS if vocabulary.has(name))
    done = backend.complete(
        Request(
            prompt,
            stop=stop,
            max_tokens=min(max_tokens, room),
            temperature=temperature,
            logprobs=False,
            priority=priority,
            cancel=cancel,
            seed=seed,
        )
    )
    complete = bool(done.tokens) and done.tokens[-1] in stop
    text = vocabulary.decode(done.tokens[:-1] if complete else done.tokens)
    return read_reply(text, reasoning=reasoning, complete=complete, tokens=len(done.tokens))


def read_reply(text: str, *, reasoning: bool, complete: bool, tokens: int = 0) -> Reply:
    """Parts a reply into what was thought and what was answered."""
    if not reasoning:
        return Reply(text.strip(), "", complete, tokens)
    thinking, found, answer = text.partition(_THOUGHT)
    thinking = re.sub(r"\A\s*<think>\n?", "", thinking).strip()
    return Reply(answer.strip() if found else "", thinking, complete and bool(found), tokens)
