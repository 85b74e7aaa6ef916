"""Parameters of our own commands and requests: plain dictionaries, read with a sentence for each thing that
is wrong. Leaves out what the commands do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from cwm_lsp.lsp.protocol import InvalidParamsError
from cwm_lsp.lsp.session import Session
from cwm_lsp.lsp.sources import Source


class Arguments:
    """The one object that a command or request takes. `name` is how it is called in sentences."""

    def __init__(self, session: Session, name: str, raw: Any) -> None:
        if raw is None or raw == []:
            raw = {}
        if isinstance(raw, list) and len(raw) == 1:
            raw = raw[0]
        if not isinstance(raw, Mapping):
            raise InvalidParamsError(f'{name} takes one object, like {{"uri": …}}, not {_short(raw)}.')
        self._session, self._name, self._raw = session, name, raw

    def text(self, key: str) -> str | None:
        """A string, None if it isn't given."""
        value = self._raw.get(key)
        if value is not None and not isinstance(value, str):
            raise InvalidParamsError(f"{self._name}: {key} must be a string, not {_short(value)}.")
        return value

    def needed(self, key: str) -> str:
        """A string that must be given."""
        value = self.text(key)
        if not value:
            raise InvalidParamsError(f"{self._name} needs {key}.")
        return value

    def number(self, key: str) -> int | None:
        """A whole number from 0 up, None if it isn't given."""
        value = self._raw.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise InvalidParamsError(
                f"{self._name}: {key} must be a whole number from 0 up, not {_short(value)}."
            )
        return value

    def flag(self, key: str) -> bool:
        """A truth value, False if it isn't given."""
        value = self._raw.get(key, False)
        if not isinstance(value, bool):
            raise InvalidParamsError(f"{self._name}: {key} must be true or false, not {_short(value)}.")
        return value

    def position(self) -> types.Position | None:
        """`position`, None if it isn't given."""
        value = self._raw.get("position")
        if value is None:
            return None
        if isinstance(value, Mapping):
            line, character = value.get("line"), value.get("character")
            if all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in (line, character)):
                return types.Position(line, character)  # type: ignore[arg-type]
        raise InvalidParamsError(f"{self._name}: position must be {{line, character}}, not {_short(value)}.")

    def source(self) -> Source:
        """The open file or notebook of `uri`; without it the only one that is open."""
        uri, sources = self.text("uri"), self._session.sources
        if uri is None:
            if len(sources) == 1:
                return next(iter(sources.values()))
            raise InvalidParamsError(f"{self._name} needs uri: {len(sources)} files are open.")
        source = sources.get(uri) or self._session.by_text.get(uri)
        if source is None:
            raise InvalidParamsError(f"{self._name}: {uri} is not open.")
        return source


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
