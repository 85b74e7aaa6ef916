"""What CWM may write next, as a Lark grammar for llguidance: exactly the frames of some `Choices`.

Special tokens stand by name (`<|line_sep|>`); text stands in JSON string literals, which llguidance reads
like Lark's, in ASCII and with `<|` broken up, so that no tool that replaces names of tokens can hit the
user's text. Open values are JSON strings as `json.dumps` writes them; `".."` is only allowed for a name that
has a value in the scope.

llguidance's lexer takes the longest literal and does not go back: where `"{"` and `"{\\"a\\": "` could both
come, `{` would never be the first of them. So LOCALS is made of pieces none of which begins another: braces,
names with their colon, values, commas.

How to decode with it
---------------------
- Feed `LLMatcher.compute_ff_tokens()` as long as there are any; they are in the tokenizer's own tokenisation.
  The matcher's tokenizer must never read the names of special tokens in text: build it with
  `llguidance.TokenizerWrapper` around `Vocabulary.encode`. One that is built from a tokenizer.json turns a
  line that contains `<|frame_sep|>` into that token.
- The line is a choice between a few whole texts. It is not made by its first token, which is mostly
  indentation of which there are several spellings: stop at `<|action_sep|>`, ask `line_alternatives` which
  texts are still open, and if there are several take the one whose tokens (`CwmCodec.alternatives`) are the
  most probable in sum, as one decision. Each ends with the special token after it, so none is a prefix of
  another, the sums are probabilities of exclusive outcomes, and longer lines are at no disadvantage. Where
  VALUE is left, `rest_grammar` is its grammar. Texts with a common beginning need it computed once, and a
  text whose beginning is already less probable than another as a whole need not be computed to its end.

Leaves out where the choices come from and the decoding loop itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cwm_lsp.trace.codec import Choices, LocalChoice, Option
from cwm_lsp.trace.cwm_text import (
    ACTION_SEP,
    ARG_SEP,
    EVENT_TOKENS,
    FRAME_SEP,
    SAME,
    Scope,
    Source,
    in_full,
    json_string,
    unmark,
    written,
)
from cwm_lsp.trace.frame import EVENTS, Event

# The characters of a JSON string as `json.dumps` writes them: printable ASCII, and escapes for the rest.
_HEX = "[0-9a-f]"
_UNICODE = rf"\\u([0-9a-ce-f]{_HEX}{{3}}|d[0-7]{_HEX}{{2}})"
_ESCAPE = (
    rf'\\(["\\bfnrt]|u(000[0-7bef]|001{_HEX}|007f|00[89a-f]{_HEX}|0[1-9a-f]{_HEX}{{2}}|[1-9a-ce-f]{_HEX}{{3}}'
    rf"|d[0-7]{_HEX}{{2}}|d[89ab]{_HEX}{{2}}\\ud[c-f]{_HEX}{{2}}))"
)
_CHARACTER = rf"([ !#-\[\]-~]|{_ESCAPE})"
_NO_DOT = rf"([ !#-\-\/-\[\]-~]|{_ESCAPE})"
_TERMINALS = {
    "NAME": rf'"(\.[A-Za-z0-9_]+|([A-Za-z_]|{_UNICODE})([A-Za-z0-9_]|{_UNICODE})*)"',
    "STRING": rf'"{_CHARACTER}*"',
    "VALUE": rf'"({_NO_DOT}{_CHARACTER}*|\.({_NO_DOT}{_CHARACTER}*)?|\.\.{_CHARACTER}+)?"',
    # A StopIteration that the interpreter itself takes for the end of a loop has no traceback yet.
    "RAISED": rf'"\((<class \'{_CHARACTER}+\'>, {_CHARACTER}+, <traceback object>'
    rf'|<class \'StopIteration\'>, StopIteration\({_CHARACTER}*\), None)\)"',
}


@dataclass(frozen=True, slots=True)
class Slot:
    """How one local may be written: `fixed` text before JSON, or any value; `same` if `".."` is allowed
    beside it."""

    name: str
    fixed: str | None = None
    same: bool = False

    def takes(self, text: str) -> bool:
        """True if the local may be written so."""
        if self.fixed is not None:
            return text == self.fixed
        return self.same or text != SAME


@dataclass(frozen=True, slots=True)
class LineAlternative:
    """A text that SOURCE may be, the special token after it, and the options that it stands for."""

    text: str
    follower: str
    options: tuple[Option, ...]


def slot(choice: LocalChoice, event: Event, scope: Scope) -> Slot:
    """How this local is written in a frame of that event."""
    held = None if in_full(event, scope) or scope is None else scope.get(choice.name)
    if choice.kind == "same" and held is not None:
        return Slot(choice.name, SAME)
    if choice.kind in ("given", "same") and choice.value is not None:
        unchanged = held is not None and held.repr == choice.value
        return Slot(choice.name, SAME if unchanged else written(choice.value))
    return Slot(choice.name, same=held is not None)


def slots(option: Option, scope: Scope) -> tuple[Slot, ...]:
    """How the locals of this option are written, in their order."""
    return tuple(slot(choice, option.event, scope) for choice in option.locals)


def fits(option: Option, event: Event, values: Mapping[str, str] | None, scope: Scope) -> bool:
    """True if a frame that begins with this event and these locals (as written, before JSON; None for a frame
    without) can still become this option."""
    if option.event != event:
        return False
    if values is None:
        return True
    expected = slots(option, scope)
    return [each.name for each in expected] == list(values) and all(
        each.takes(values[each.name]) for each in expected
    )


def line_alternatives(
    choices: Choices, source: Source, event: Event, values: Mapping[str, str] | None, scope: Scope
) -> tuple[LineAlternative, ...]:
    """The texts between which to choose after `<|action_sep|>`, given what was decoded before it: the event,
    and the locals as they were written (None for RETURN and EXCEPTION). One text is no choice."""
    found: dict[str, list[Option]] = {}
    for option in choices.options:
        if choices.free_form or fits(option, event, values, scope):
            found.setdefault(unmark(source.lines[option.line - 1]), []).append(option)
    follower = FRAME_SEP if event in ("call", "line") else ARG_SEP
    return tuple(LineAlternative(text, follower, tuple(options)) for text, options in found.items())


def grammar(choices: Choices, source: Source, scope: Scope) -> str:
    """The grammar of the next frame, from its event token to its `<|frame_sep|>`. `scope` is what `..` may
    stand for (`scope_after` of the frames so far). Raises ValueError if there is nothing to choose from."""
    if not choices.options:
        raise ValueError("No frame may come next.")
    rules = _free(choices, source, scope) if choices.free_form else _offered(choices, source, scope)
    return _grammar(rules)


def _grammar(rules: Sequence[str]) -> str:
    text = "start: " + "\n     | ".join(rules) + "\n"
    for name, pattern in _TERMINALS.items():
        if any(name in rule for rule in rules):
            text += f"{name}: /{pattern}/\n"
    return text


def _argument(event: Event, arg: str | None, *, free_form: bool) -> str:
    if arg is not None:
        return literal(json_string(arg))
    return "RAISED" if event == "exception" and not free_form else "STRING"


def rest_grammar(alternative: LineAlternative, event: Event, *, free_form: bool = False) -> str | None:
    """The grammar of what follows a chosen line: VALUE and `<|frame_sep|>`; None where nothing is left."""
    if alternative.follower == FRAME_SEP:
        return None
    known = {None} if free_form else {option.arg for option in alternative.options}
    symbols = [_argument(event, arg, free_form=free_form) for arg in sorted(known, key=str)]
    return _grammar([f"{symbol} {FRAME_SEP}" for symbol in symbols])


def literal(text: str) -> str:
    """The text as a literal of the grammar."""
    return json.dumps(text).replace("<|", "<\\u007c")


def _offered(choices: Choices, source: Source, scope: Scope) -> list[str]:
    groups: dict[tuple[Event, tuple[Slot, ...], str | None], dict[str, None]] = {}
    for option in choices.options:
        has_locals = option.event in ("call", "line")
        key = (option.event, slots(option, scope) if has_locals else (), None if has_locals else option.arg)
        groups.setdefault(key, {})[unmark(source.lines[option.line - 1])] = None
    return [_rule(event, expected, arg, tuple(texts)) for (event, expected, arg), texts in groups.items()]


def _rule(event: Event, expected: Sequence[Slot], arg: str | None, texts: tuple[str, ...]) -> str:
    symbols = [EVENT_TOKENS[event]]
    if event in ("call", "line"):
        symbols.append(literal("{"))
        for number, each in enumerate(expected):
            symbols += [literal(", ")] if number else []
            symbols += [literal(json_string(each.name) + ": "), _value(each)]
        symbols.append(literal("}"))
    symbols += [ACTION_SEP, _either(texts)]
    if event not in ("call", "line"):
        symbols += [ARG_SEP, _argument(event, arg, free_form=False)]
    return " ".join([*symbols, FRAME_SEP])


def _value(expected: Slot) -> str:
    if expected.fixed is not None:
        return literal(json_string(expected.fixed))
    return f"({literal(json_string(SAME))} | VALUE)" if expected.same else "VALUE"


def _either(texts: Iterable[str]) -> str:
    literals = [literal(text) for text in texts]
    return literals[0] if len(literals) == 1 else "(" + " | ".join(literals) + ")"


def _free(choices: Choices, source: Source, scope: Scope) -> list[str]:
    lines = _either(dict.fromkeys(unmark(source.lines[option.line - 1]) for option in choices.options))
    rules = []
    for event in EVENTS:
        symbols = [EVENT_TOKENS[event]]
        if event in ("call", "line"):
            pair = 'NAME ": " VALUE'
            known = () if in_full(event, scope) or scope is None else tuple(scope)
            if known:
                pair += f' | {_either(json_string(name) for name in known)} ": " {literal(json_string(SAME))}'
            symbols.append(f'"{{" (({pair}) (", " ({pair}))*)? "}}"')
        symbols += [ACTION_SEP, lines]
        if event not in ("call", "line"):
            symbols += [ARG_SEP, _argument(event, None, free_form=True)]
        rules.append(" ".join([*symbols, FRAME_SEP]))
    return rules
