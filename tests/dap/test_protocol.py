"""The generated types against a second reading of the protocol, and what clients send against the types."""

from __future__ import annotations

import json
from typing import Any, get_type_hints, is_typeddict

import dap_types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cwm_lsp.dap import protocol
from cwm_lsp.dap.capabilities import CAPABILITIES
from cwm_lsp.dap.checking import complaint
from cwm_lsp.dap.transport import Decoder, Problem, encode

TYPES = {name: kind for name, kind in vars(protocol).items() if is_typeddict(kind)}


@pytest.mark.parametrize("name", sorted(name for name in TYPES if hasattr(dap_types, name)))
def test_a_type_has_the_fields_of_the_protocol(name: str) -> None:
    theirs = getattr(dap_types, name).model_fields
    ours = get_type_hints(TYPES[name])
    known = {field.alias or name for name, field in theirs.items()}
    assert {field for field in known if field.isidentifier() and not field.startswith("_")} <= set(ours)


def test_what_we_say_we_can_do_is_well_formed_and_answered() -> None:
    dap_types.Capabilities.model_validate(CAPABILITIES)
    assert complaint(CAPABILITIES, protocol.Capabilities) is None


@pytest.mark.parametrize(
    ("value", "kind", "what"),
    [
        ({}, protocol.SetBreakpointsArguments, "source is missing"),
        ([], protocol.SetBreakpointsArguments, "must be an object"),
        ({"source": {"path": 1}}, protocol.SetBreakpointsArguments, "source.path must be a text"),
        (
            {"source": {}, "breakpoints": [{"line": "1"}]},
            protocol.SetBreakpointsArguments,
            "line must be a whole",
        ),
        ({"source": {}, "breakpoints": {}}, protocol.SetBreakpointsArguments, "must be a list"),
        ({"threadId": True}, protocol.NextArguments, "threadId must be a whole number"),
        ({"threadId": 1, "granularity": "word"}, protocol.NextArguments, "must be one of"),
        ({"threadId": 2**70}, protocol.NextArguments, "whole number"),
        ({"threadId": 1, "granularity": None, "extra": 1}, protocol.NextArguments, None),
    ],
)
def test_arguments_are_held_against_their_types(value: Any, kind: type, what: str | None) -> None:
    said = complaint(value, kind)
    assert (what is None) == (said is None)
    assert what is None or (said is not None and what in said and said.endswith("."))


messages = st.dictionaries(
    st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=20), st.none()), max_size=4
)


@given(st.lists(messages, max_size=5), st.data())
def test_messages_survive_however_the_bytes_are_cut(sent: list[dict[str, Any]], data: st.DataObject) -> None:
    stream = b"".join(encode(each) for each in sent)
    decoder, got, at = Decoder(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 40))
        got += decoder.feed(stream[at : at + size])
        at += size
    assert got == [json.loads(json.dumps(each)) for each in sent]


@given(
    st.lists(
        st.one_of(st.binary(max_size=30), st.sampled_from([b"Content-Length: 3\r\n\r\n", b"\r\n\r\n"])),
        max_size=6,
    )
)
def test_after_garbage_the_next_message_is_read(garbage: list[bytes]) -> None:
    decoder = Decoder()
    for piece in garbage:
        decoder.feed(piece)
    found: list[Any] = []
    for _ in range(3):  # what garbage announced may swallow one
        found += decoder.feed(encode({"seq": 1}))
        found += decoder.feed(b"\r\n\r\n")
    assert {"seq": 1} in found or any(isinstance(each, Problem) for each in found)
