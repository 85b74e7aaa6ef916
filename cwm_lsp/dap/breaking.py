"""Breakpoints as the client sets them: on lines, functions, data and exceptions.

A line on which nothing can run moves to the next one that can. Leaves out when they stop
(world/breakpoints.py).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cwm_lsp.dap.channel import Reply
from cwm_lsp.dap.protocol import Breakpoint as Shown
from cwm_lsp.dap.server import Handler
from cwm_lsp.source.document import Document, DocumentError
from cwm_lsp.world.breakpoints import Breakpoint, Exceptions, HitCondition, line_for, runnable_lines
from cwm_lsp.world.expressions import CantTellError, parse
from cwm_lsp.world.stepping import Stepper

if TYPE_CHECKING:
    from cwm_lsp.dap.session import Session


class Breaking:
    """All breakpoints of a session; they outlive a restart."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: tuple[Breakpoint, ...] = ()
        self._functions: tuple[Breakpoint, ...] = ()
        self._data: tuple[Breakpoint, ...] = ()
        self._exceptions = Exceptions(uncaught=False)
        self._asked: list[tuple[int, dict[str, Any]]] = []
        self._asked_source: dict[str, Any] = {}
        self._count = 0

    def handlers(self) -> dict[str, Handler]:
        """Command to handler."""
        return {
            "setBreakpoints": self._set_lines,
            "setFunctionBreakpoints": self._set_functions,
            "setExceptionBreakpoints": self._set_exceptions,
            "dataBreakpointInfo": self._data_info,
            "setDataBreakpoints": self._set_data,
            "breakpointLocations": self._locations,
        }

    def take(self, stepper: Stepper) -> None:
        """Puts all breakpoints into a new run; those on lines are placed in its text, and the client is told
        where they are now."""
        asked, self._asked = self._asked, []
        for known in (*self._lines, *self._functions, *self._data):
            known.forget()
        if asked and self.is_ours(self._asked_source):
            placed = [self._place(number, each) for number, each in asked]
            self._asked = asked
            self._lines = tuple(made for made, _ in placed if made is not None)
            for _, shown in placed:
                self._session.channel.event("breakpoint", {"reason": "changed", "breakpoint": shown})
        self._put()

    def is_ours(self, source: dict[str, Any]) -> bool:
        """True for the file that is debugged, by whatever name the client calls it."""
        launched = self._session.launched
        if launched is None:
            return False
        if launched.path is None:
            return source.get("sourceReference") == 1
        path = source.get("path")
        return isinstance(path, str) and _same_file(path, launched.path)

    def line_for(self, line: int) -> int | None:
        """The line (1-based) that a breakpoint there stands on: the next one that can run, else the last."""
        launched = self._session.launched
        return line_for(launched.document, line) if launched is not None else None

    def _runnable(self) -> tuple[int, ...]:
        launched = self._session.launched
        return runnable_lines(launched.document) if launched is not None else ()

    def _put(self) -> None:
        """Hands the breakpoints to the run, all at once; none to one that is not to be debugged."""
        launched = self._session.launched
        if launched is not None and not launched.asked.get("noDebug"):
            self._session.stepper.breakpoints = (*self._lines, *self._functions, *self._data)
            self._session.stepper.exceptions = self._exceptions

    def _number(self) -> int:
        self._count += 1
        return self._count

    # -- lines

    def _set_lines(self, arguments: Any, reply: Reply) -> None:
        source = arguments["source"]
        wanted = arguments.get("breakpoints")
        if wanted is None:
            wanted = [{"line": line} for line in arguments.get("lines") or []]
        numbered = [(self._number(), each) for each in wanted]
        if self._session.launched is None:
            self._asked, self._asked_source = numbered, source
            message = "It is placed once the program is loaded."
            reply.ok({"breakpoints": [{"id": n, "verified": False, "message": message} for n, _ in numbered]})
            return
        if not self.is_ours(source):
            message = "This session debugs another file: it is never reached."
            reply.ok({"breakpoints": [{"id": n, "verified": False, "message": message} for n, _ in numbered]})
            return
        self._asked, self._asked_source = numbered, source
        placed = [self._place(number, each) for number, each in numbered]
        self._lines = tuple(made for made, _ in placed if made is not None)
        self._put()
        reply.ok({"breakpoints": [shown for _, shown in placed]})

    def _place(self, number: int, wanted: dict[str, Any]) -> tuple[Breakpoint | None, Shown]:
        session = self._session
        asked = session.line_in(wanted["line"])
        shown: Shown = {"id": number, "verified": False}
        line = self.line_for(asked)
        if line is None:
            shown["message"] = "No line of this file can run in a call."
            return None, shown
        made = Breakpoint(number, "line", line=line)
        wrong = _conditions(made, wanted)
        made.log = wanted.get("logMessage") or ""
        shown["line"], shown["source"] = session.line_out(line), session.source()  # type: ignore[typeddict-item]
        if wrong is not None:
            shown["message"] = wrong
            return None, shown
        shown["verified"] = True
        if line != asked:
            nothing = "Nothing after that line can run" if line < asked else "Nothing can stop on that line"
            shown["message"] = f"{nothing}: moved to line {session.line_out(line)}."
        return made, shown

    def _locations(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        first = session.line_in(arguments["line"])
        last = session.line_in(arguments.get("endLine", arguments["line"]))
        source = arguments["source"]
        lines: tuple[int, ...] = ()
        if self.is_ours(source):
            lines = self._runnable()
        elif session.launched is None and isinstance(source.get("path"), str):
            try:
                lines = runnable_lines(Document.from_file(source["path"]))
            except DocumentError:
                lines = ()
        reply.ok({"breakpoints": [{"line": session.line_out(n)} for n in lines if first <= n <= last]})

    # -- functions, data, exceptions

    def _set_functions(self, arguments: Any, reply: Reply) -> None:
        made, shown = [], []
        launched = self._session.launched
        for wanted in arguments["breakpoints"]:
            name = wanted["name"].strip()
            one = Breakpoint(self._number(), "function", function=name)
            answer: Shown = {"id": one.id, "verified": False}
            wrong = _conditions(one, wanted)
            known = launched is None or any(
                name in (each.qualname, each.name) for each in launched.document.functions
            )
            if wrong is not None:
                answer["message"] = wrong
            elif not known:
                answer["message"] = f"This file has no function {name}."
            else:
                answer["verified"] = True
                made.append(one)
            shown.append(answer)
        self._functions = tuple(made)
        self._put()
        reply.ok({"breakpoints": shown})

    def _data_info(self, arguments: Any, reply: Reply) -> None:
        session = self._session
        name = arguments["name"]
        levels = session.stopped().levels
        level, found = 0, ""
        number = arguments.get("variablesReference")
        if number:
            path = session.references.path(number)
            if path.scope == "locals" and not path.name:
                level, found = path.level, name
            elif path.scope == "locals":
                level, found = path.level, path.name
        else:
            if arguments.get("frameId"):
                level = session.references.path(arguments["frameId"]).level
            found = name if level < len(levels) and name in levels[level].locals else ""
        if not found or level >= len(levels):
            reply.ok({"dataId": None, "description": f"{name} is no variable that can be watched."})
            return
        function = levels[level].function
        reply.ok(
            {
                "dataId": f"{function}:{found}",
                "description": f"{found} changes in {function}",
                "accessTypes": ["write"],
                "canPersist": True,
            }
        )

    def _set_data(self, arguments: Any, reply: Reply) -> None:
        made, shown = [], []
        for wanted in arguments["breakpoints"]:
            function, colon, name = wanted["dataId"].rpartition(":")
            one = Breakpoint(self._number(), "data", function=function, name=name)
            answer: Shown = {"id": one.id, "verified": False}
            wrong = _conditions(one, wanted)
            if wrong is None and colon and name:
                answer["verified"] = True
                made.append(one)
            else:
                answer["message"] = wrong or "This is no variable that can be watched."
            shown.append(answer)
        self._data = tuple(made)
        self._put()
        reply.ok({"breakpoints": shown})

    def _set_exceptions(self, arguments: Any, reply: Reply) -> None:
        names: dict[str, tuple[str, ...]] = dict.fromkeys(arguments["filters"], ())
        for option in arguments.get("filterOptions") or []:
            condition = option.get("condition") or ""
            names[option["filterId"]] = tuple(each for each in condition.replace(",", " ").split() if each)
        self._exceptions = Exceptions(
            "raised" in names, "uncaught" in names, names.get("raised", ()), names.get("uncaught", ())
        )
        self._put()
        count = len(arguments["filters"]) + len(arguments.get("filterOptions") or [])
        reply.ok({"breakpoints": [{"verified": True} for _ in range(count)]})


def _conditions(made: Breakpoint, wanted: dict[str, Any]) -> str | None:
    """Reads the conditions into a breakpoint; one sentence if one of them is none."""
    made.condition = (wanted.get("condition") or "").strip()
    hit = (wanted.get("hitCondition") or "").strip()
    try:
        if made.condition:
            parse(made.condition)
        made.hit = HitCondition.parse(hit) if hit else None
    except CantTellError as error:
        return f"The condition can't be read: {error}"
    except ValueError as error:
        return str(error)
    return None


def _same_file(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))  # noqa: PTH100
