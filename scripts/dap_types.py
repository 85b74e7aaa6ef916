"""Writes cwm_lsp/dap/protocol.py: the part of the Debug Adapter Protocol that we speak, as types.

    python scripts/dap_types.py debugAdapterProtocol.json

The schema is at https://github.com/microsoft/debug-adapter-protocol. Types of requests and events that we
don't know are left out, and so are descriptions: the specification has them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "cwm_lsp" / "dap" / "protocol.py"
REQUESTS = """
Attach BreakpointLocations Cancel Completions ConfigurationDone Continue DataBreakpointInfo
Disconnect Evaluate ExceptionInfo Goto GotoTargets Initialize Launch LoadedSources Modules Next Pause Restart
RestartFrame ReverseContinue Scopes SetBreakpoints SetDataBreakpoints SetExceptionBreakpoints SetExpression
SetFunctionBreakpoints SetVariable Source StackTrace StepBack StepIn StepInTargets StepOut Terminate Threads
Variables
"""
EVENTS = """
Breakpoint Capabilities Continued Exited Initialized Invalidated Output ProgressEnd ProgressStart
ProgressUpdate Stopped Terminated Thread
"""
SIMPLE = {"string": "str", "integer": "int", "boolean": "bool", "number": "float", "null": "None"}

Schema = dict[str, Any]


def merged(schema: Schema, definitions: Schema) -> tuple[Schema, set[str]]:
    """Properties and required names of a definition, those of what it extends left to the envelope."""
    properties: Schema = {}
    required: set[str] = set()
    for part in schema.get("allOf", [schema]):
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            if name in {"Request", "Response", "Event", "ProtocolMessage"}:
                continue
            more, needed = merged(definitions[name], definitions)
        else:
            more, needed = part.get("properties", {}), set(part.get("required", []))
        properties |= more
        required |= needed
    return properties, required


class Writer:
    """Collects the types that are needed, each once."""

    def __init__(self, definitions: Schema) -> None:
        self.definitions = definitions
        self.types: dict[str, str] = {}

    def annotation(self, schema: Schema) -> str:
        """The Python type of a schema."""
        if "$ref" in schema:
            return self.define(schema["$ref"].rpartition("/")[2])
        if "enum" in schema:
            return "Literal[" + ", ".join(json.dumps(value) for value in schema["enum"]) + "]"
        if "oneOf" in schema:
            return " | ".join(self.annotation(each) for each in schema["oneOf"])
        kind = schema.get("type")
        if isinstance(kind, list):
            several = " | ".join(self.annotation({**schema, "type": each}) for each in kind)
            return "Any" if len(kind) > 4 else several
        if kind == "array":
            return f"list[{self.annotation(schema['items'])}]" if "items" in schema else "list[Any]"
        return SIMPLE.get(str(kind), "dict[str, Any]" if kind == "object" else "Any")

    def define(self, name: str) -> str:
        """Writes the type of a definition, unless it is there; its name, or what it stands for."""
        schema = self.definitions[name]
        if "properties" not in schema and "allOf" not in schema:
            return self.annotation(schema)
        self.write(name, *merged(schema, self.definitions))
        return name

    def write(self, name: str, properties: Schema, required: set[str]) -> None:
        """Writes one type."""
        if name in self.types:
            return
        self.types[name] = ""
        lines = [f"class {name}(TypedDict):", f'    """{name} of the protocol."""']
        for field, schema in properties.items():
            if not field.isidentifier():  # `__restart` is one: the annotation of a class would mangle it
                raise SystemExit(f"{name}.{field} can't be a field")
            if field.startswith("__"):
                continue
            kind = self.annotation(schema)
            lines.append(f"    {field}: {kind if field in required else f'NotRequired[{kind}]'}")
        self.types[name] = "\n".join(lines)


def main() -> None:
    """Reads the schema, writes the file."""
    definitions = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["definitions"]
    writer = Writer(definitions)
    arguments: dict[str, str] = {}
    for name in REQUESTS.split():
        command = merged(definitions[f"{name}Request"], definitions)[0]["command"]["enum"][0]
        if f"{name}Arguments" in definitions:
            found = writer.define(f"{name}Arguments")
            arguments[command] = found if found.isidentifier() else "NoArguments"
        elif f"{name}RequestArguments" in definitions:
            arguments[command] = writer.define(f"{name}RequestArguments")
        else:
            arguments[command] = "NoArguments"
        body, _ = merged(definitions[f"{name}Response"], definitions)
        if "body" in body:
            if "$ref" in body["body"]:
                writer.annotation(body["body"])
            else:
                writer.write(f"{name}Body", *merged(body["body"], definitions))
    events = {}
    for name in EVENTS.split():
        properties, _ = merged(definitions[f"{name}Event"], definitions)
        events[name] = properties["event"]["enum"][0]
        if "body" in properties:
            writer.write(f"{name}EventBody", *merged(properties["body"], definitions))
    head = [
        '"""Types of the Debug Adapter Protocol, the part that we speak.',
        "",
        "Written by scripts/dap_types.py from the protocol's JSON schema: don't edit. Leaves out the",
        "envelope of messages (transport.py).",
        '"""',
        "",
        "# fmt: off",
        "# ruff: noqa: E501",
        "",
        "from __future__ import annotations",
        "",
        "from typing import Any, Literal, NotRequired, TypedDict",
        "",
        "",
        "class NoArguments(TypedDict):",
        '    """A request that has no arguments."""',
    ]
    table = ["ARGUMENTS: dict[str, type] = {"]
    table += [f'    "{command}": {name},' for command, name in sorted(arguments.items())]
    table += ["}", '"""The type of the arguments of each request."""', ""]
    listed = ["EVENTS = frozenset({"] + [f'    "{each}",' for each in sorted(events.values())] + ["})", ""]
    parts = ["\n".join(head), *writer.types.values(), "\n".join([*table, "\n".join(listed)])]
    TARGET.write_text("\n\n\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
