"""Settings from the editor: pulled (workspace/configuration), pushed (didChangeConfiguration), or sent with
`initialize`. Applied live. Leaves out which values are taken (config.py)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from lsprotocol import types

from cwm_lsp.config import from_editor, load
from cwm_lsp.lsp.models import known_models
from cwm_lsp.lsp.session import Session

log = logging.getLogger(__name__)

SECTION = "cwm"


def begin(session: Session) -> None:
    """After `initialized`: says what is wrong with the user's own settings, and asks for the editor's."""
    client = session.client
    take(session, client.settings, "initializationOptions")
    if client.configuration_registration:
        registration = types.Registration("cwm-configuration", types.WORKSPACE_DID_CHANGE_CONFIGURATION)
        if client.configuration:  # a client that lets us ask needs no section, and older ones mind it
            registration.register_options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        params = types.RegistrationParams([registration])
        session.protocol.ask(types.CLIENT_REGISTER_CAPABILITY, params)
    pull(session)


def changed(session: Session, params: types.DidChangeConfigurationParams) -> None:
    """The client says that its settings have changed; one that can be asked is asked."""
    session.own = load()
    if session.client.configuration:
        pull(session)
        return
    sent: Any = params.settings
    if isinstance(sent, Mapping) and isinstance(sent.get(SECTION), Mapping):
        sent = sent[SECTION]
    take(session, sent, "the editor's settings")


def pull(session: Session) -> None:
    """Asks the client for its settings."""
    if not session.client.configuration:
        return
    asked = session.protocol.ask(
        types.WORKSPACE_CONFIGURATION,
        types.ConfigurationParams([types.ConfigurationItem(section=SECTION)]),
    )

    def answered(answer: Future[Any]) -> None:
        if answer.cancelled() or answer.exception() is not None:
            log.warning("the editor did not send its settings")
            return
        items = answer.result()
        sent = items[0] if isinstance(items, list) and items else None
        merged = {**session.client.settings, **sent} if isinstance(sent, Mapping) else sent
        take(session, merged if merged is not None else session.client.settings, "the editor's settings")

    asked.add_done_callback(answered)


def take(session: Session, sent: Any, where: str) -> None:
    """Applies what was sent on top of the user's own settings; names what is refused, once."""
    settings, problems = from_editor(session.own.settings, sent, known_models(), where)
    session.problems = (*session.own.problems, *problems)
    for problem in session.problems:
        log.warning("settings: %s", problem)
        session.say(f"{problem}.", types.MessageType.Warning, once=f"settings: {problem}")
    session.apply(settings)
    session.set_log_level()
