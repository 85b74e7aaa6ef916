"""The parts of the debugger's screen: source, stack, variables, timeline. They show what they are told.

Leaves out what that is (debug_app.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.syntax import Syntax
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, Tree
from textual.widgets.option_list import Option
from textual.widgets.tree import TreeNode

from cwm_lsp.look import Marks, cut, percent, printable, strength
from cwm_lsp.source.document import Document
from cwm_lsp.source.parts import parts_of
from cwm_lsp.trace.frame import Value
from cwm_lsp.world.timeline import Level

STYLES = {"given": "", "computed": "cyan", "edited": "bold magenta", "observed": "green"}
PREDICTED = {"sure": "green", "likely": "yellow", "unsure": "bold red"}
MOST_PARTS = 200
HEIGHTS = "▁▂▃▄▅▆▇█"


class SourceView(OptionList):
    """The source with line numbers, breakpoints and the line that is about to run; the highlighted line is
    the one that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("home", "app.first"), Binding("end", "app.last")]

    def __init__(self, document: Document) -> None:
        code = "".join(line.replace("\t", "    ") for line in document.lines)
        syntax = Syntax(code, "python", theme="ansi_dark")
        self._texts = [
            Text(printable(text.plain), spans=text.spans, end="")
            for text in syntax.highlight(code).split("\n", allow_blank=True)
        ][: len(document.lines)]
        self._current = 0
        self._waiting: int | None = None
        self._breakpoints: set[int] = set()
        super().__init__(*(Option(self._prompt(line)) for line in range(1, len(self._texts) + 1)))
        self.border_title = document.path

    @property
    def line(self) -> int:
        """The chosen line, 1-based."""
        return (self.highlighted or 0) + 1

    @property
    def breakpoints(self) -> set[int]:
        """The lines with a breakpoint."""
        return self._breakpoints

    @breakpoints.setter
    def breakpoints(self, lines: set[int]) -> None:
        changed = self._breakpoints ^ lines
        self._breakpoints = set(lines)
        self._draw(changed)

    def show(self, line: int, waiting: int | None = None) -> None:
        """The line that is about to run; `waiting` is that of the innermost call, if another is looked at."""
        changed = {self._current, line, self._waiting or 0, waiting or 0}
        self._current, self._waiting = line, waiting
        self._draw(changed)
        self.highlighted = line - 1
        self.scroll_to_highlight()

    def _draw(self, lines: set[int]) -> None:
        for line in lines:
            if 1 <= line <= len(self._texts):
                self.replace_option_prompt_at_index(line - 1, self._prompt(line))

    def _prompt(self, line: int) -> Text:
        here = line == self._current
        arrow = "→" if here else "·" if line == self._waiting else " "
        mark = "●" if line in self._breakpoints else " "
        prompt = Text(no_wrap=True, overflow="crop")
        prompt.append(mark, "bold red")
        prompt.append(f"{line:4} ", "bold" if here else "dim")
        prompt.append(arrow + " ", "bold yellow")
        text = self._texts[line - 1].copy()
        if here:
            text.stylize("bold reverse")
        return prompt.append_text(text)


class StackView(OptionList, can_focus=False):
    """The running calls, innermost first."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "stack"

    def show(self, levels: Sequence[Level], chosen: int) -> None:
        """The calls; the chosen one is marked."""
        self.clear_options()
        for at, level in enumerate(levels):
            style = "bold" if at == chosen else "dim"
            self.add_option(Text(f"{'→' if at == chosen else ' '} {level.function}:{level.line}", style))


class VariablesView(Tree[str], can_focus=False):
    """The variables of a call, each with its mark; what the last line changed stands out. Containers open."""

    def __init__(self, marks: Marks) -> None:
        super().__init__("locals")
        self.show_root = False
        self.border_title = "variables"
        self._marks = marks

    def show(self, values: Mapping[str, Value], before: Mapping[str, Value]) -> None:
        """The values; `before` are those at the line before."""
        opened = {str(node.data) for node in self.root.children if node.is_expanded}
        self.clear()
        for name, value in values.items():
            old = before.get(name)
            changed = old is None or old.repr != value.repr
            self._add(self.root, name, value, changed, opened)

    def _add(self, parent: TreeNode[str], name: str, value: Value, changed: bool, opened: set[str]) -> None:
        label = self._label(name, value, changed)
        parts = parts_of(value.repr)
        if parts is None or not parts.items:
            parent.add_leaf(label, name)
            return
        node = parent.add(label, name, expand=name in opened)
        for at in range(min(len(parts.items), MOST_PARTS)):
            inner, text = parts.named(at)
            self._add(node, inner, Value(text, value.origin, value.confidence), False, set())
        if len(parts.items) > MOST_PARTS:
            node.add_leaf(Text(f"… {len(parts.items) - MOST_PARTS} more", "dim"), "")

    def _label(self, name: str, value: Value, changed: bool) -> Text:
        label = Text(no_wrap=True, overflow="ellipsis")
        label.append(printable(name), "bold" if changed else "")
        mark = self._marks.of(value.origin)
        style = PREDICTED[strength(value)] if value.origin == "predicted" else STYLES[value.origin]
        label.append(f" {mark} " if mark else " ", style)
        label.append(cut(printable(value.repr[:400]), 120, self._marks), style)
        if value.origin == "predicted" and strength(value) != "sure":
            label.append(f"  {percent(value.confidence)}", "dim")
        return label


class TimelineView(Widget):
    """All frames that are known, higher where calls are nested, with the one that is looked at. A click goes
    there."""

    class Chosen(Message):
        """A frame was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "timeline"
        self._depths: list[int] = []
        self._index = 0

    def show(self, depths: list[int], index: int) -> None:
        """The depth of each frame, and which one is looked at."""
        self._depths, self._index = depths, index
        self.refresh()

    def render(self) -> Text:
        """One column for a frame, or for several where there are more than columns."""
        width = max(1, self.content_size.width)
        count = len(self._depths)
        if not count:
            return Text("")
        columns = min(width, count)
        deepest = max(self._depths)
        bar = Text(no_wrap=True)
        here = self._index * columns // count
        for column in range(columns):
            inside = self._depths[column * count // columns : max((column + 1) * count // columns, 1)]
            height = (max(inside) - 1) * (len(HEIGHTS) - 1) // max(deepest - 1, 1)
            style = "bold yellow reverse" if column == here else "cyan" if column < here else "dim"
            bar.append(HEIGHTS[height], style)
        return bar

    def on_click(self, event: events.Click) -> None:
        """Goes to the frame under the mouse."""
        count = len(self._depths)
        columns = min(max(1, self.content_size.width), max(count, 1))
        column = event.x - 1
        if count and 0 <= column < columns:
            self.post_message(self.Chosen(column * count // columns))
