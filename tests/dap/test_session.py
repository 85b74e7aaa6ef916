"""Whole sessions with the real executable over stdio; every message is held against the protocol."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cwm_lsp.source.document import Document
from cwm_lsp.trace.cache import CachedTrace, TraceCache
from cwm_lsp.trace.recorder import record
from tests.dap.client import ADAPTER, Client, Message, Refused, line_with

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STRAWBERRY = str(EXAMPLES / "strawberry.py")

PROGRAM = """
def inner(items, n):
    items.append(n)  # append
    total = sum(items)  # sum
    return total  # return


def outer(n):
    items = [[1, 2], {"a": (3, 4)}]
    flat = [1]
    for i in range(n):  # loop
        size = inner(flat, i)  # call
    # a comment
    return size  # out


def failing(n):
    try:
        return 10 // n  # divide
    except KeyError:
        return 0
    finally:
        n = -1  # finally
"""


@pytest.fixture
def client() -> Iterator[Client]:
    """An adapter in this process; the tests of its life start the executable."""
    with Client(None) as one:
        yield one


@pytest.fixture
def executable() -> Iterator[Client]:
    with Client() as one:
        yield one


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return str(path)


@pytest.fixture
def trace(program: str) -> dict[str, str]:
    """A recorded run of the program: what is attached to needs no model."""
    return recorded(program, "outer(3)")


def recorded(program: str, call: str) -> dict[str, str]:
    document = Document.from_file(program)
    recording = record(document, call)
    path = Path(program).with_suffix(".jsonl")
    lines = [json.dumps(each.to_json()) for each in (*recording.frames, recording.end)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return {"program": program, "trace": str(path), "call": call}


def mark(program: str, name: str) -> int:
    return line_with(program, name)


def names(targets: list[Message]) -> list[str]:
    return [each["label"] for each in targets]


# -- the story of the README


@pytest.mark.parametrize("grounding", ["values", pytest.param("flow", marks=pytest.mark.slow)])
def test_strawberry_what_if_follows_the_change(executable: Client, grounding: str) -> None:
    client = executable
    loop = next(n for n, line in enumerate(Path(STRAWBERRY).read_text().splitlines(), 1) if "letter:" in line)
    stop = client.launch(program=STRAWBERRY, breakpoints=[loop], grounding=grounding)
    assert stop["body"]["reason"] == "breakpoint"
    seen = []
    for _ in range(4):
        stop = client.go("continue")
        seen.append(client.locals()["char"])
    assert seen == ["'t'", "'r'", "'a'", "'w'"]
    before = client.locals()
    assert client.go("stepBack")["body"]["reason"] == "step"
    assert client.where() == ("count_letter", loop - 1)
    assert client.locals() == {**before, "char": "'a'"}
    scope = client.scope()["variablesReference"]
    changed = client.request("setVariable", variablesReference=scope, name="letter", value="'y'")
    assert changed["value"] == "✎ 'y'"
    assert {v["name"]: v["type"] for v in client.variables(scope)}["letter"] == "str · edited"
    client.set_breakpoints(STRAWBERRY)
    assert client.go("continue")["event"] == "terminated"
    # One r was counted before the change, one y comes after it.
    mark = "=" if grounding == "values" else "≈"
    assert f"returned {mark} 'strawberry has 02 r'" in client.output()
    assert client.disconnect() == 0


def test_the_old_branch_stays_reachable(client: Client) -> None:
    client.launch(program=STRAWBERRY, stopOnEntry=True, stopOnExit=True)
    client.go("continue")
    first = client.output()
    client.go("reverseContinue")
    scope = client.scope()["variablesReference"]
    client.request("setVariable", variablesReference=scope, name="letter", value="'b'")
    client.go("continue")
    assert "has 01 b'" in client.output().removeprefix(first)
    listed = client.request("evaluate", expression="%branches", context="repl")["result"].splitlines()
    assert len(listed) == 2
    assert "has 03 r" in listed[0]
    assert listed[1].startswith("*")
    mark = len(client.events)
    client.request("evaluate", expression="%switch 0", context="repl")
    client.wait_event("stopped", since=mark)
    assert client.locals() == {"word": "'strawberry'", "letter": "'r'"}
    assert client.go("continue")["body"]["description"] == "Paused: the run has ended"
    assert client.output().count("has 03 r") == 2


# -- movements over a recorded run


def test_steps_forwards_and_backwards(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    stop = client.launch("attach", breakpoints=[mark(program, "call")], **trace)
    assert stop["body"]["reason"] == "breakpoint"
    assert client.where() == ("outer", mark(program, "call"))
    client.go("stepIn")
    assert client.where() == ("inner", mark(program, "append"))
    assert [frame["name"] for frame in client.stack()] == ["inner", "outer"]
    client.go("stepOut")
    assert client.where() == ("outer", mark(program, "call"))
    client.go("next")
    assert client.where() == ("outer", mark(program, "loop"))
    assert client.locals()["size"] == "1"
    for place in [("outer", "call"), ("inner", "append"), ("outer", "call")]:
        client.go("stepBack")
        assert client.where() == (place[0], mark(program, place[1]))
    client.set_breakpoints(program, mark(program, "sum"))
    for expected in ("[1, 0]", "[1, 0, 1]", "[1, 0, 1, 2]"):
        assert client.go("continue")["body"]["reason"] == "breakpoint"
        assert client.locals()["items"] == expected
    for expected in ("[1, 0, 1]", "[1, 0]"):
        assert client.go("reverseContinue")["body"]["reason"] == "breakpoint"
        assert client.locals()["items"] == expected
    assert client.go("reverseContinue")["body"]["reason"] == "entry"
    assert client.locals() == {"n": "3"}


def test_an_over_follows_the_callee_and_stops_at_its_breakpoints(
    client: Client, trace: dict[str, str]
) -> None:
    program = trace["program"]
    client.launch("attach", breakpoints=[mark(program, "call")], **trace)
    client.set_breakpoints(program, mark(program, "return"))
    stop = client.go("next")
    assert (stop["body"]["reason"], client.where()) == ("breakpoint", ("inner", mark(program, "return")))
    client.set_breakpoints(program)
    client.go("stepOut")
    client.go("next")
    assert client.where() == ("outer", mark(program, "loop"))


def test_restart_of_a_frame_and_targets(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.launch("attach", breakpoints=[mark(program, "call")], **trace)
    targets = client.request("stepInTargets", frameId=client.stack()[0]["id"])["targets"]
    assert "inner" in names(targets)
    target = next(each["id"] for each in targets if each["label"] == "inner")
    client.set_breakpoints(program)
    client.go("stepIn", targetId=target)
    assert client.where() == ("inner", mark(program, "append"))
    source = {"path": program}
    found = client.request("gotoTargets", source=source, line=mark(program, "out"))["targets"]
    assert len(found) == 1
    assert client.go("goto", targetId=found[0]["id"])["body"]["reason"] == "goto"
    assert client.where() == ("outer", mark(program, "out"))
    found = client.request("gotoTargets", source=source, line=mark(program, "sum"))["targets"]
    assert len(found) == 2
    client.go("goto", targetId=found[1]["id"])
    assert client.locals()["items"] == "[1, 0, 1, 2]"
    frame = client.stack()[0]["id"]
    mark_ = len(client.events)
    client.request("restartFrame", frameId=frame)
    assert client.wait_event("stopped", since=mark_)["body"]["reason"] == "restart"
    assert client.locals() == {"items": "[1, 0, 1]", "n": "2"}


# -- breakpoints


def test_breakpoints_move_to_the_next_line_that_can_run(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.launch("attach", stopOnEntry=True, **trace)
    comment = next(n for n, line in enumerate(PROGRAM.splitlines(), 1) if "a comment" in line)
    moved, last = client.set_breakpoints(program, comment, 999)
    assert (moved["verified"], moved["line"]) == (True, mark(program, "out"))
    assert "moved to line" in moved["message"]
    assert (last["verified"], last["line"]) == (True, mark(program, "finally"))
    elsewhere = client.request("setBreakpoints", source={"path": "/x/y.py"}, breakpoints=[{"line": 1}])
    assert elsewhere["breakpoints"][0]["verified"] is False
    lines = client.request("breakpointLocations", source={"path": program}, line=1, endLine=999)[
        "breakpoints"
    ]
    assert mark(program, "sum") in [each["line"] for each in lines]
    assert comment not in [each["line"] for each in lines]


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        ({"condition": "n > 0 and len(items) == 3"}, ["1"]),
        ({"hitCondition": "2"}, ["1"]),
        ({"hitCondition": ">= 2"}, ["1", "2"]),
        ({"hitCondition": "% 3"}, ["2"]),
        ({"condition": "n != 1", "hitCondition": "2"}, ["2"]),
        ({"condition": "nobody > 1"}, ["0", "1", "2"]),
    ],
)
def test_conditions(client: Client, trace: dict[str, str], wanted: Message, values: list[str]) -> None:
    program = trace["program"]
    stop = client.launch("attach", breakpoints=[{"line": mark(program, "sum"), **wanted}], **trace)
    seen = []
    while stop["event"] == "stopped":
        seen.append(client.locals()["n"])
        stop = client.go("continue")
    assert seen == values
    assert ("can't be told" in client.output()) == ("nobody" in wanted.get("condition", ""))


def test_a_hit_stays_the_same_when_going_back(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.launch("attach", breakpoints=[{"line": mark(program, "sum"), "hitCondition": "2"}], **trace)
    for _ in range(3):
        assert client.locals()["n"] == "1"
        client.go("reverseContinue")
        client.go("continue")


def test_log_points_print_values_and_go_on(client: Client, trace: dict[str, str]) -> None:
    line = mark(trace["program"], "sum")
    log = {"line": line, "logMessage": "n is {n}, {{items}} {len(items)} {nobody}"}
    assert client.launch("attach", breakpoints=[log], **trace)["event"] == "terminated"
    printed = [event["body"] for event in client.events if event["event"] == "output"]
    said = [body["output"] for body in printed if body.get("line") == line]
    assert [text.split(" {nobody")[0] for text in said] == [f"n is {n}, {{items}} {n + 2}" for n in range(3)]
    assert "{nobody:" in said[0]


@pytest.mark.parametrize("wanted", [{"condition": "n >"}, {"hitCondition": "often"}])
def test_conditions_that_are_none_are_said_to_be(
    client: Client, trace: dict[str, str], wanted: Message
) -> None:
    client.launch("attach", stopOnEntry=True, **trace)
    line = mark(trace["program"], "sum")
    (answer,) = client.set_breakpoints(trace["program"], {"line": line, **wanted})
    assert answer["verified"] is False
    assert answer["message"].endswith(".")


def test_function_breakpoints(client: Client, trace: dict[str, str]) -> None:
    client.launch("attach", stopOnEntry=True, **trace)
    wanted = [{"name": "inner", "condition": "n == 1"}, {"name": "nobody"}]
    answers = client.request("setFunctionBreakpoints", breakpoints=wanted)["breakpoints"]
    assert [each["verified"] for each in answers] == [True, False]
    stop = client.go("continue")["body"]
    assert (stop["reason"], stop["hitBreakpointIds"]) == ("function breakpoint", [answers[0]["id"]])
    assert client.locals() == {"items": "[1, 0]", "n": "1"}
    assert client.go("continue")["event"] == "terminated"


def test_data_breakpoints_stop_in_both_directions(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.launch("attach", breakpoints=[mark(program, "loop")], **trace)
    client.set_breakpoints(program)
    scope = client.scope()["variablesReference"]
    info = client.request("dataBreakpointInfo", variablesReference=scope, name="flat")
    assert "flat" in info["description"]
    client.request("setDataBreakpoints", breakpoints=[{"dataId": info["dataId"]}])
    seen = []
    for command in ("continue", "continue", "reverseContinue"):
        assert client.go(command)["body"]["reason"] == "data breakpoint"
        seen.append(client.locals()["flat"])
    assert seen == ["[1, 0]", "[1, 0, 1]", "[1, 0]"]
    nothing = client.request("dataBreakpointInfo", name="nobody")
    assert nothing["dataId"] is None


# -- exceptions


@pytest.mark.parametrize("filters", [["raised"], ["uncaught"], ["raised", "uncaught"], []])
def test_exceptions(client: Client, program: str, filters: list[str]) -> None:
    stop = client.launch("attach", filters=filters, **recorded(program, "failing(0)"))
    if not filters:
        assert stop["event"] == "terminated"
        assert client.wait_event("exited")["body"]["exitCode"] == 1
        assert "raised" in client.output()
        return
    assert stop["body"]["reason"] == "exception"
    assert client.where() == ("failing", mark(program, "divide"))
    assert client.locals() == {"n": "0"}
    info = client.request("exceptionInfo", threadId=1)
    assert info["exceptionId"] == "ZeroDivisionError"
    assert info["breakMode"] == ("always" if "raised" in filters else "unhandled")
    assert "integer division" in info["details"]["message"]
    client.set_breakpoints(program, mark(program, "finally"))
    if "raised" in filters:
        stop = client.go("continue")
        assert client.where() == ("failing", mark(program, "finally"))
        stop = client.go("continue")
    if "uncaught" in filters and "raised" in filters:
        assert stop["body"]["description"] == "Paused on an uncaught exception"
    if "uncaught" in filters:
        assert client.go("continue")["event"] == "terminated"


def test_an_exception_filter_can_name_classes(client: Client, program: str) -> None:
    for name, event in (("KeyError", "terminated"), ("KeyError, ZeroDivisionError", "stopped")):
        options = {"filters": [], "filterOptions": [{"filterId": "raised", "condition": name}]}
        with Client(None) as one:
            trace = recorded(program, "failing(0)")
            assert (
                one.launch("attach", before=[("setExceptionBreakpoints", options)], **trace)["event"] == event
            )


# -- values


def test_containers_open_page_by_page_and_parts_can_be_set(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.launch("attach", breakpoints=[mark(program, "loop")], **trace)
    scope = client.scope()["variablesReference"]
    top = {each["name"]: each for each in client.variables(scope)}
    assert top["items"]["indexedVariables"] == 2
    assert top["n"]["variablesReference"] == 0
    assert top["n"]["type"] == "int · observed"
    first, second = client.variables(top["items"]["variablesReference"])
    assert [each["evaluateName"] for each in (first, second)] == ["items[0]", "items[1]"]
    assert [each["value"] for each in client.variables(first["variablesReference"], start=1, count=5)] == [
        "✓ 2"
    ]
    (pair,) = client.variables(second["variablesReference"])
    assert (pair["name"], pair["evaluateName"]) == ("'a'", "items[1]['a']")
    changed = client.request(
        "setVariable", variablesReference=pair["variablesReference"], name="1", value="n * 5"
    )
    assert changed["value"] == "✎ 15"
    assert client.locals()["items"] == "[[1, 2], {'a': (3, 15)}]"
    client.request("setExpression", expression="items[0][-1]", value="9")
    assert client.locals()["items"] == "[[1, 9], {'a': (3, 15)}]"
    value = client.request("evaluate", expression="[len(items), items[1]['a'][1] + 1]", context="watch")
    assert value["result"] == "= [2, 16]"
    assert client.variables(value["variablesReference"])[1]["value"] == "= 16"


@pytest.mark.parametrize(
    ("expression", "why"), [("nobody + 1", "can't tell"), ("1 / 0", "can't tell"), ("(", "can't tell")]
)
def test_what_can_not_be_told_is_refused(
    client: Client, trace: dict[str, str], expression: str, why: str
) -> None:
    client.launch("attach", stopOnEntry=True, **trace)
    for context in ("watch", "hover", "repl"):
        with pytest.raises(Refused, match=why):
            client.request("evaluate", expression=expression, context=context)


def test_only_what_is_there_can_be_changed(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.launch("attach", breakpoints=[mark(program, "sum")], **trace)
    outer = client.scope(1)["variablesReference"]
    scope = client.scope()["variablesReference"]
    for reference, name, value in ((outer, "n", "1"), (scope, "nobody", "1"), (scope, "n", "nobody()")):
        with pytest.raises(Refused):
            client.request("setVariable", variablesReference=reference, name=name, value=value)
    client.go("next")
    with pytest.raises(Refused, match="gone"):
        client.variables(scope)
    assert client.locals()["n"] == "0"


def test_completions(client: Client, trace: dict[str, str]) -> None:
    client.launch("attach", breakpoints=[mark(trace["program"], "sum")], **trace)
    frame = client.stack()[0]["id"]
    found = client.request("completions", frameId=frame, text="len(it", column=7)["targets"]
    assert found == [{"label": "items", "type": "variable", "start": 4, "length": 2}]
    assert "%branches" in names(client.request("completions", text="%b", column=3)["targets"])


def test_source_and_threads(client: Client, trace: dict[str, str]) -> None:
    client.launch("attach", stopOnEntry=True, **trace)
    sources = client.request("loadedSources")["sources"]
    assert [each["path"] for each in sources] == [trace["program"]]
    assert client.request("source", source=sources[0], sourceReference=0)["content"] == PROGRAM
    assert client.request("threads")["threads"] == [{"id": 1, "name": "outer(3)"}]


# -- life


def test_budget_pauses_and_goes_on(client: Client) -> None:
    stop = client.launch(program=STRAWBERRY, maxFrames=10)["body"]
    assert (stop["reason"], stop["description"]) == ("pause", "Paused: the budget is used up")
    assert "10 frames" in client.output()
    before = client.where()
    client.go("stepBack")
    client.go("next")
    assert client.where() == before
    stop = client.go("continue")
    rounds = 0
    while stop["event"] == "stopped":
        rounds += 1
        stop = client.go("continue")
    assert rounds == 2
    assert "has 03 r" in client.output()


def test_restart_begins_anew(client: Client) -> None:
    loop = next(n for n, line in enumerate(Path(STRAWBERRY).read_text().splitlines(), 1) if "letter:" in line)
    client.launch(program=STRAWBERRY, breakpoints=[loop])
    client.go("continue")
    mark = len(client.events)
    client.request("restart")
    assert client.wait_event("stopped", since=mark)["body"]["reason"] == "breakpoint"
    assert client.locals()["char"] == "'s'"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"program": "/nowhere/at/all.py"},
        {"program": STRAWBERRY, "call": "nobody(1)"},
        {"program": STRAWBERRY, "call": "how_many("},
        {"program": STRAWBERRY, "model": "/tmp"},
        {"program": STRAWBERRY, "model": "http://example.org/model"},
        {"program": STRAWBERRY, "maxFrames": 0},
        {"program": STRAWBERRY, "maxFrames": "many"},
        {"program": STRAWBERRY, "trace": "/nowhere.jsonl"},
        {"program": 3},
    ],
)
def test_a_launch_that_can_not_be_is_one_sentence(client: Client, arguments: Message) -> None:
    client.initialize()
    with pytest.raises(Refused) as error:
        client.request("launch", **arguments)
    assert "\n" not in str(error.value)
    client.request("launch", program=STRAWBERRY, stopOnEntry=True)
    client.wait_event("initialized")


def test_order_is_kept(client: Client) -> None:
    for command in ("threads", "launch", "next"):
        with pytest.raises(Refused, match="initialized"):
            client.request(command, **({"threadId": 1} if command == "next" else {}))
    client.initialize()
    for command, arguments in (("initialize", {"adapterID": "x"}), ("continue", {"threadId": 1}), ("x", {})):
        with pytest.raises(Refused):
            client.request(command, **arguments)
    assert client.disconnect() == 0


@pytest.mark.parametrize("when", ["stopped", pytest.param("at once", marks=pytest.mark.slow)])
def test_a_client_that_dies_leaves_no_process(when: str) -> None:
    client = Client()
    client.initialize()
    if when == "stopped":
        client.request("launch", program=STRAWBERRY, stopOnEntry=True)
        client.wait_event("initialized")
        client.request("configurationDone")
        client.wait_event("stopped")
    client.process.stdin.close()
    assert client.process.wait(10) == 0
    client.kill()


@pytest.mark.slow
def test_a_client_process_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    """The client is a process that starts the adapter, tells its number, and is killed."""
    script = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen({ADAPTER!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "print(p.pid, flush=True)\ntime.sleep(60)\n"
    )
    client = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    number = int(client.stdout.readline())
    time.sleep(0.5)
    client.kill()
    client.wait()
    client.stdout.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _alive(number):
        time.sleep(0.05)
    assert not _alive(number)


def _alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


# -- the model asked, kept traces, other ways in


def test_the_console_asks_the_model_what_can_not_be_computed(client: Client) -> None:
    client.launch(program=STRAWBERRY, stopOnEntry=True, grounding="flow")
    asked = client.request("evaluate", expression="count_letter(word, 'a')", context="repl")
    assert asked["result"] == "≈ 1"
    assert "predicted" in asked["type"]
    several = client.request("evaluate", expression="[word, count_letter(word, 'a')]", context="watch")
    assert [each["value"] for each in client.variables(several["variablesReference"])] == [
        "≈ 'strawberry'",
        "≈ 1",
    ]
    with pytest.raises(Refused, match="can't tell"):
        client.request("evaluate", expression="count_letter(word, 'a')", context="hover")
    assert client.locals() == {"word": "'strawberry'", "letter": "'r'"}
    assert len(client.request("evaluate", expression="%branches", context="repl")["result"].splitlines()) == 1


def test_values_that_a_line_under_way_may_have_changed_say_so(client: Client, trace: dict[str, str]) -> None:
    client.launch("attach", breakpoints=[mark(trace["program"], "sum")], **trace)
    client.go("stepOut")
    shown = {each["name"]: each["type"] for each in client.variables(client.scope()["variablesReference"])}
    assert shown["flat"] == "list · observed · as before this line"
    assert shown["n"] == "int · observed"


@pytest.mark.slow
def test_attaching_to_a_trace_that_the_server_keeps(program: str, tmp_path: Path) -> None:
    document = Document.from_file(program)
    recording = record(document, "outer(2)")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    cache = TraceCache(tmp_path / "cache" / "cwm-lsp" / "traces.sqlite")
    frames, end = recording.frames, recording.end
    spans = ((1, len(document.lines)),)
    cache.put(CachedTrace("k1", document.text, program, "outer", "outer(2)", frames, end, "m", "flow", spans))
    cache.close()
    with Client(env=environment) as client:
        client.initialize()
        with pytest.raises(Refused, match="not kept"):
            client.request("attach", key="k2")
        client.request("attach", key="k1", stopOnEntry=True)
        client.wait_event("initialized")
        client.request("configurationDone")
        client.wait_event("stopped")
        assert client.locals() == {"n": "2"}
        assert client.go("continue")["event"] == "terminated"
        assert "outer(2)" in client.output()
    moved = Path(program)
    moved.write_text("# a comment above\n\n" + PROGRAM)
    with Client(env=environment) as client:
        client.launch("attach", key="k1", program=program, stopOnEntry=True)
        client.go("next")
        assert "items = [[1" in moved.read_text().splitlines()[client.stack()[0]["line"] - 1]
        assert "changed since" not in client.output()
    moved.write_text(PROGRAM.replace("flat = [1]", "flat = [2]"))
    with Client(env=environment) as client:
        client.launch("attach", key="k1", program=program, stopOnEntry=True)
        assert "changed since" in client.output()
    with Client(env=environment) as client:
        client.launch("attach", key="k2", program=program, call="outer(1)", stopOnEntry=True)
        assert "predicted anew" in client.output()


@pytest.mark.slow
def test_over_tcp_one_client_after_the_other(trace: dict[str, str]) -> None:
    server = subprocess.Popen([*ADAPTER, "--tcp", "0"], stderr=subprocess.PIPE, text=True)
    try:
        port = int(server.stderr.readline().rpartition(":")[2])
        for _ in range(2):
            connect = [sys.executable, "-c", TCP, str(port)]
            with Client(connect) as client:
                client.launch("attach", stopOnEntry=True, **trace)
                assert client.go("next")["body"]["reason"] == "step"
                client.request("disconnect")
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


TCP = """
import os, socket, sys, threading
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def there():
    while data := os.read(0, 65536):
        link.sendall(data)
    link.shutdown(socket.SHUT_WR)
threading.Thread(target=there, daemon=True).start()
while data := link.recv(65536):
    os.write(1, data)
"""


def test_lines_and_columns_from_zero(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.request("initialize", adapterID="cwm", linesStartAt1=False, columnsStartAt1=False)
    client.request("attach", **trace)
    client.wait_event("initialized")
    (placed,) = client.set_breakpoints(program, mark(program, "sum") - 1)
    assert placed["line"] == mark(program, "sum") - 1
    client.request("configurationDone")
    client.wait_event("stopped")
    top = client.stack()[0]
    assert (top["line"], top["column"]) == (mark(program, "sum") - 1, 0)


def test_breakpoints_set_before_the_launch_are_placed_by_it(client: Client, trace: dict[str, str]) -> None:
    program = trace["program"]
    client.initialize()
    (early,) = client.set_breakpoints(program, mark(program, "sum"))
    assert early["verified"] is False
    client.request("setExceptionBreakpoints", filters=["raised"])
    client.request("configurationDone")
    client.request("attach", **trace)
    changed = client.wait_event("breakpoint")["body"]["breakpoint"]
    assert (changed["id"], changed["verified"]) == (early["id"], True)
    assert client.wait_event("stopped")["body"]["hitBreakpointIds"] == [early["id"]]


def test_arguments_can_be_given_apart(client: Client) -> None:
    arguments = {"function": "how_many", "arguments": ["berry", "r"], "stopOnEntry": True}
    client.launch(program=STRAWBERRY, **arguments)
    assert client.locals() == {"word": "'berry'", "letter": "'r'"}


def test_the_model_invents_what_nobody_gives(client: Client) -> None:
    client.launch(program=STRAWBERRY, call="count_letter", stopOnEntry=True)
    shown = client.variables(client.scope()["variablesReference"])
    assert [each["name"] for each in shown] == ["word", "letter"]
    assert all("predicted" in each["type"] for each in shown)


def test_long_lists_open_in_pages_or_groups(client: Client, tmp_path: Path) -> None:
    program, trace = tmp_path / "long.py", tmp_path / "long.jsonl"
    program.write_text("def f(xs):\n    return len(xs)\n")
    values = {"xs": {"repr": repr(list(range(2500))), "origin": "observed", "confidence": None}}
    frames = [
        {"event": event, "function": "f", "line": line, "depth": 1, "locals": values, "arg": None}
        for event, line in (("call", 1), ("line", 2))
    ]
    trace.write_text("\n".join(json.dumps(frame) for frame in frames))
    client.launch("attach", program=str(program), trace=str(trace), stopOnEntry=True)
    (shown,) = client.variables(client.scope()["variablesReference"])
    assert shown["indexedVariables"] == 2500
    assert len(shown["value"]) < 400
    page = client.variables(shown["variablesReference"], filter="indexed", start=2400, count=200)
    assert [each["name"] for each in page] == [str(n) for n in range(2400, 2500)]
    assert client.variables(shown["variablesReference"], filter="named") == []
    groups = client.variables(shown["variablesReference"])
    assert [each["name"] for each in groups] == ["[0..999]", "[1000..1999]", "[2000..2499]"]
    last = client.variables(groups[2]["variablesReference"])
    assert (len(last), last[-1]["evaluateName"], last[-1]["value"]) == (500, "xs[2499]", "✓ 2499")
    whole = client.request("evaluate", expression="xs", context="clipboard")["result"]
    assert whole == values["xs"]["repr"]


def test_the_console_assigns(client: Client, trace: dict[str, str]) -> None:
    shows = {"supportsInvalidatedEvent": True}
    client.launch("attach", breakpoints=[mark(trace["program"], "loop")], client=shows, **trace)
    assert client.request("evaluate", expression="n = n + 4", context="repl")["result"] == "✎ 7"
    assert client.wait_event("invalidated")["body"]["areas"] == ["variables"]
    assert client.request("evaluate", expression="items[0][1] = 5", context="repl")["result"] == "✎ 5"
    assert client.locals()["items"] == "[[1, 5], {'a': (3, 4)}]"
    assert client.locals()["n"] == "7"
    with pytest.raises(Refused):
        client.request("evaluate", expression="nobody = 1", context="repl")


def test_without_debugging_nothing_stops(client: Client, trace: dict[str, str]) -> None:
    line = mark(trace["program"], "sum")
    stop = client.launch("attach", breakpoints=[line], filters=["raised"], noDebug=True, **trace)
    assert stop["event"] == "terminated"
