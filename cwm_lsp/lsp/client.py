"""What the client can do, as it says in `initialize`, and the wishes of an editor plugin of ours
(`initializationOptions`). Leaves out what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability

if TYPE_CHECKING:
    from cwm_lsp.source.document import Unit

UNITS: dict[str, Unit] = {"utf-8": "utf8", "utf-16": "utf16", "utf-32": "codepoint"}


@dataclass(frozen=True, slots=True)
class Client:
    """Capabilities by the names that we use. `commands` are those that the editor itself runs, `status` that
    it wants `cwm/status`."""

    name: str = "an editor"
    unit: Unit = "utf16"
    markdown: bool = False
    hint_refresh: bool = False
    hint_lazy_tooltip: bool = False
    lens_refresh: bool = False
    value_refresh: bool = False
    configuration: bool = False
    configuration_registration: bool = False
    show_document: bool = False
    progress: bool = False
    related_information: bool = False
    unnecessary_tag: bool = False
    text_content: bool = False
    apply_edit: bool = False
    message_actions: bool = False
    action_literals: bool = False
    completion_markdown: bool = False
    ghost_text: bool = False
    commands: frozenset[str] = frozenset()
    status: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


def read_client(params: types.InitializeParams, encoding: str) -> Client:
    """Reads `initialize`. Whatever is missing or odd counts as not there."""

    def can(path: str) -> Any:
        return get_capability(params.capabilities, path, None)

    options = params.initialization_options
    options = options if isinstance(options, Mapping) else {}
    commands = options.get("clientCommands")
    lazy = can("text_document.inlay_hint.resolve_support.properties") or ()
    tags = can("text_document.publish_diagnostics.tag_support.value_set") or ()
    settings = options.get("settings")
    return Client(
        params.client_info.name if params.client_info else "an editor",
        UNITS.get(str(getattr(encoding, "value", encoding)), "utf16"),
        types.MarkupKind.Markdown in (can("text_document.hover.content_format") or ()),
        bool(can("workspace.inlay_hint.refresh_support")),
        "tooltip" in lazy,
        bool(can("workspace.code_lens.refresh_support")),
        bool(can("workspace.inline_value.refresh_support")),
        bool(can("workspace.configuration")),
        bool(can("workspace.did_change_configuration.dynamic_registration")),
        bool(can("window.show_document.support")),
        bool(can("window.work_done_progress")),
        bool(can("text_document.publish_diagnostics.related_information")),
        types.DiagnosticTag.Unnecessary in tags,
        can("workspace.text_document_content") is not None,
        bool(can("workspace.apply_edit")),
        can("window.show_message") is not None,
        can("text_document.code_action.code_action_literal_support") is not None,
        types.MarkupKind.Markdown
        in (can("text_document.completion.completion_item.documentation_format") or ()),
        can("text_document.inline_completion") is not None,
        frozenset(str(name) for name in commands) if isinstance(commands, list) else frozenset(),
        options.get("status") is True,
        settings if isinstance(settings, Mapping) else {},
    )
