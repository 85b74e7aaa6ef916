"""Inlay hints: at the end of a line, the values that it set. From traces at hand only.

The whole values are in the tooltip, made when the client asks for it. Leaves out predicting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from cwm_lsp.look import marked, printable, strength
from cwm_lsp.lsp.facts import Traced
from cwm_lsp.lsp.places import present_lines
from cwm_lsp.lsp.render import code, hint_text, origin, weakest
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source
from cwm_lsp.source.document import convert_column
from cwm_lsp.trace.by_line import exception_text

TOOLTIP_VALUES = 50


def inlay_hints(session: Session, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    """The answer to textDocument/inlayHint."""
    uri = params.text_document.uri
    source = session.by_text.get(uri)
    if source is None or not session.settings.inlay_hints:
        return None
    known = labels(session, source)
    text = next(item for item in source.texts if item.uri == uri)
    hints = []
    for line, old in present_lines(source, uri, params.range):
        if old not in known:
            continue
        label, traced, activation, level = known[old]
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


Label = tuple[str, Traced, int, str]


def labels(session: Session, source: Source) -> dict[int, Label]:
    """What stands at the end of each analysed line, made once for what is shown now."""
    shown = source.shown()
    look = (session.settings.ascii, session.settings.hint_width)
    if source.labels is None or source.labels[0] is not shown or source.labels[1] != look:
        source.labels = (shown, look, dict(_labels(session, source)))
    found: dict[int, Label] = source.labels[2]
    return found


def _labels(session: Session, source: Source) -> Iterator[tuple[int, Label]]:
    for function, traced, activation in source.shown():
        item = traced.by_line.activations[activation]
        if item.arguments:
            values = [
                f"{name} {marked(value, session.marks, session.settings.hint_width)}"
                for name, value in item.arguments.items()
            ]
            text = printable(", ".join(values))
            weak = weakest(item.arguments.values())
            level = strength(weak) if weak else "sure"
            yield function.def_line, (text[: session.settings.hint_width * 2], traced, activation, level)
        for line, fact in traced.facts(activation).items():
            if text := hint_text(fact, session.marks, session.settings.hint_width):
                every = [value for _, values in fact.names for value in values]
                weak = weakest([*every, *fact.returned])
                yield line, (text, traced, activation, strength(weak) if weak else "sure")


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
