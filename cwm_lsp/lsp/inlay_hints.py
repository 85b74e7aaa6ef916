"""Inlay hints: at the end of a line, the values that it set. From traces at hand only.

The whole values are in the tooltip, made when the client asks for it. Leaves out predicting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lsprotocol import types

from cwm_lsp.look import Strength, cut, marked, printable, strength
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.places import present_lines
from cwm_lsp.lsp.render import code, hint_text, origin, weakest
from cwm_lsp.lsp.session import Session
from cwm_lsp.source.document import convert_column
from cwm_lsp.source.functions import Function
from cwm_lsp.trace.by_line import exception_text
from cwm_lsp.trace.frame import Value

TOOLTIP_VALUES = 50


def inlay_hints(session: Session, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """The answer to textDocument/inlayHint."""
    uri = params.text_document.uri
    source = session.by_text.get(uri)
    if source is None or not session.settings.inlay_hints:
        return None
    text = next(item for item in source.texts if item.uri == uri)
    hints = []
    for line, old in present_lines(source, uri, params.range):
        known = source.about(old)
        found = labels(session, *known).get(old) if known is not None else None
        if known is None or found is None:
            continue
        (_, traced, activation), (label, level) = known, found
        content = text.line_text(line)
        end = convert_column(content, len(content.rstrip()), "codepoint", session.client.unit)
        hint = types.InlayHint(
            types.Position(line, end),
            label,
            padding_left=True,
            data={"uri": source.uri, "trace": traced.key, "line": old, "call": activation, "strength": level},
        )
        if not session.client.hint_lazy_tooltip:
            hint.tooltip = _tooltip(session, traced, activation, old)
        hints.append(hint)
    return hints


def resolve(session: Session, hint: types.InlayHint) -> types.InlayHint:
    """The answer to inlayHint/resolve: the tooltip. A hint that is none of ours is given back as it came."""
    data: Any = hint.data if isinstance(hint.data, dict) else {}
    source = session.sources.get(str(data.get("uri")))
    traced = source.results.get(str(data.get("trace"))) if source else None
    line, activation = data.get("line"), data.get("call")
    if traced is None or not isinstance(line, int) or not isinstance(activation, int):
        return hint
    if 0 <= activation < len(traced.by_line.activations):
        hint.tooltip = _tooltip(session, traced, activation, line)
    return hint


def labels(
    session: Session, function: Function, traced: Traced, activation: int
) -> dict[int, tuple[str, Strength]]:
    """What stands at the end of each line of a function, made once for one look: text and strength."""
    key = (activation, session.settings.ascii, session.settings.hint_width)
    found: dict[int, tuple[str, Strength]] | None = traced.kept.get(key)
    if found is None:
        found = traced.kept[key] = dict(_labels(session, function, traced, activation))
    return found


def _labels(
    session: Session, function: Function, traced: Traced, activation: int
) -> Iterator[tuple[int, tuple[str, Strength]]]:
    width, marks = session.settings.hint_width, session.marks
    arguments = traced.by_line.activations[activation].arguments
    if arguments:
        text = ", ".join(f"{name} {marked(value, marks, width)}" for name, value in arguments.items())
        yield function.def_line, (cut(printable(text), width * 2, marks), _level(arguments.values()))
    for line, fact in traced.facts(activation).items():
        if text := hint_text(fact, marks, width):
            every = [value for _, values in fact.names for value in values]
            yield line, (text, _level([*every, *fact.returned]))


def _level(values: Iterable[Value | None]) -> Strength:
    weak = weakest(values)
    return "sure" if weak is None else strength(weak)


def _tooltip(session: Session, traced: Traced, activation: int, line: int) -> types.MarkupContent | str:
    markdown = session.client.markdown
    item = traced.by_line.activations[activation]
    fact = traced.facts(activation).get(line)
    lines = [f"{code(traced.trace.call) if markdown else traced.trace.call}"]

    def tell(name: str, text: str, words: str) -> None:
        shown = code(f"{name} {text}".strip()) if markdown else printable(f"{name} {text}".strip())
        lines.append(f"- {shown} · {words}")

    if fact is None:
        for name, value in item.arguments.items():
            tell(name, marked(value, session.marks, 2000), origin(value))
    else:
        for name, values in fact.names:
            for held in values[:TOOLTIP_VALUES]:
                tell(name, "" if held is None else marked(held, session.marks, 2000), _words(held))
        for value in fact.returned[:TOOLTIP_VALUES]:
            tell("return", marked(value, session.marks, 2000), origin(value))
        if fact.raised is not None:
            tell(session.marks.wrong, exception_text(fact.raised.repr), origin(fact.raised))
    text = "\n".join(lines)
    return types.MarkupContent(types.MarkupKind.Markdown, text) if markdown else text


def _words(value: Any) -> str:
    return "gone" if value is None else origin(value)
