"""Traces that are kept: in memory, and in one sqlite file, so that nothing is predicted twice, also after a
restart, and so that a debug session can take up a trace that the editor shows.

A trace is kept under a key made of the model, the grounding, the source that the call depends on, and the
call. It holds the text of the file that its line numbers belong to; `moved` puts it onto a newer text in
which the same statements stand elsewhere. A file that is broken or busy costs the memory of old traces, never
an error. Leaves out when something is predicted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cwm_lsp.trace.frame import End, Frame

SCHEMA = 1
IN_MEMORY = 512
BUSY_S = 0.5

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CachedTrace:
    """One trace with all that it takes to show or debug it again.

    `text` is the whole file the frames' lines are lines of; `spans` the statements of it that the call
    depends on (1-based, both ends included). `path` is None for a buffer without a file. `seconds` since the
    epoch in `created`.
    """

    key: str
    text: str
    path: str | None
    function: str
    call: str
    frames: tuple[Frame, ...]
    end: End
    model: str
    grounding: str
    spans: tuple[Span, ...]
    created: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The form in the file."""
        return {
            "text": self.text,
            "path": self.path,
            "function": self.function,
            "call": self.call,
            "frames": [frame.to_json() for frame in self.frames],
            "end": self.end.to_json(),
            "model": self.model,
            "grounding": self.grounding,
            "spans": [list(span) for span in self.spans],
            "created": self.created,
        }

    @classmethod
    def from_json(cls, key: str, data: Mapping[str, Any]) -> CachedTrace:
        """Reads what `to_json` writes. Raises ValueError, KeyError or TypeError on anything else."""
        end = data["end"]
        return cls(
            key,
            str(data["text"]),
            data["path"],
            str(data["function"]),
            str(data["call"]),
            tuple(Frame.from_json(frame) for frame in data["frames"]),
            End(
                end["reason"],
                end["value"],
                int(end["frames"]),
                int(end["decisions"]),
                int(end["tokens"]),
                float(end["seconds"]),
                end.get("message"),
            ),
            str(data["model"]),
            str(data["grounding"]),
            tuple((int(first), int(last)) for first, last in data["spans"]),
            float(data["created"]),
        )

    def moved(self, text: str, spans: Sequence[Span], path: str | None) -> CachedTrace:
        """The same trace on a text in which the statements stand on other lines.

        Raises ValueError if the statements can't be the same, or a frame stands outside of them.
        """
        if [last - first for first, last in spans] != [last - first for first, last in self.spans]:
            raise ValueError("these are other statements")
        if tuple(spans) == self.spans:
            return replace(self, text=text, path=path)
        lines = {
            old_first + offset: first + offset
            for (old_first, last), (first, _) in zip(self.spans, spans, strict=True)
            for offset in range(last - old_first + 1)
        }
        try:
            frames = tuple(replace(frame, line=lines[frame.line]) for frame in self.frames)
        except KeyError as error:
            raise ValueError(f"line {error} is in none of the statements") from None
        return replace(self, text=text, path=path, spans=tuple(spans), frames=frames)


def trace_key(model: str, grounding: str, source: str, call: str) -> str:
    """The key of a trace; `model` is whatever tells this model from every other one."""
    parts = json.dumps([SCHEMA, model, grounding, source, call], ensure_ascii=False)
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def default_path() -> Path:
    """Where the traces of this user are kept."""
    import platformdirs

    return platformdirs.user_cache_path("cwm-lsp", appauthor=False) / "traces.sqlite"


class TraceCache:
    """The kept traces. `path` None keeps them in memory only. Safe to use from several threads."""

    def __init__(self, path: Path | None, megabytes: int = 200) -> None:
        self._path = path
        self._most_bytes = megabytes * 1_000_000
        self._lock = threading.RLock()
        self._memory: OrderedDict[str, CachedTrace] = OrderedDict()
        self._database: sqlite3.Connection | None = None
        self.problem: str | None = None

    def remembered(self, key: str) -> CachedTrace | None:
        """The trace if it is in memory; never waits for the disk."""
        with self._lock:
            found = self._memory.get(key)
            if found is not None:
                self._memory.move_to_end(key)
            return found

    def get(self, key: str) -> CachedTrace | None:
        """The trace of that key, from memory or the file."""
        found = self.remembered(key)
        if found is not None:
            return found
        with self._open() as database:
            if database is None:
                return None
            row = database.execute("SELECT data FROM traces WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            try:
                found = CachedTrace.from_json(key, json.loads(zlib.decompress(row[0])))
            except (ValueError, KeyError, TypeError, zlib.error):
                database.execute("DELETE FROM traces WHERE key = ?", (key,))
                return None
            database.execute("UPDATE traces SET used = ? WHERE key = ?", (time.time(), key))
        if found is not None:
            self._remember(found)
        return found

    def put(self, trace: CachedTrace) -> None:
        """Keeps a trace; one of the same key is replaced."""
        trace = replace(trace, created=trace.created or time.time())
        self._remember(trace)
        data = zlib.compress(json.dumps(trace.to_json(), ensure_ascii=False).encode("utf-8", "surrogatepass"))
        with self._open() as database:
            if database is None:
                return
            database.execute(
                "INSERT OR REPLACE INTO traces (key, data, bytes, used) VALUES (?, ?, ?, ?)",
                (trace.key, data, len(data), time.time()),
            )
            self._shrink(database)

    def choose(self, path: str, function: str, call: str | None) -> None:
        """Notes which call the user chose for a function; None forgets it."""
        with self._open() as database:
            if database is None:
                return
            if call is None:
                database.execute("DELETE FROM choices WHERE path = ? AND function = ?", (path, function))
            else:
                row = (path, function, call)
                database.execute("INSERT OR REPLACE INTO choices VALUES (?, ?, ?)", row)

    def chosen(self, path: str) -> dict[str, str]:
        """The calls that were chosen in a file: function to call."""
        found: dict[str, str] = {}
        with self._open() as database:
            if database is not None:
                query = "SELECT function, call FROM choices WHERE path = ?"
                found.update(database.execute(query, (path,)).fetchall())
        return found

    def forget(self, keys: Sequence[str] | None = None) -> None:
        """Drops these traces, or all."""
        with self._lock:
            for key in list(self._memory) if keys is None else keys:
                self._memory.pop(key, None)
        with self._open() as database:
            if database is None:
                return
            if keys is None:
                database.execute("DELETE FROM traces")
            else:
                database.executemany("DELETE FROM traces WHERE key = ?", [(key,) for key in keys])

    def close(self) -> None:
        """Closes the file; what is in memory stays."""
        with self._lock:
            if self._database is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._database.close()
                self._database = None

    def _remember(self, trace: CachedTrace) -> None:
        with self._lock:
            self._memory[trace.key] = trace
            self._memory.move_to_end(trace.key)
            while len(self._memory) > IN_MEMORY:
                self._memory.popitem(last=False)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        """The file, locked for this thread, or None. Whatever sqlite raises is noted, not raised."""
        with self._lock:
            if self._path is None:
                yield None
                return
            try:
                if self._database is None:
                    self._database = _connect(self._path)
            except (sqlite3.Error, OSError) as error:
                self.problem = f"traces are not kept on disk: {self._path}: {error}"
                self._path = None
                yield None
                return
            try:
                yield self._database
                self._database.commit()
            except sqlite3.Error as error:
                self.problem = f"{self._path}: {error}"
                with contextlib.suppress(sqlite3.Error):
                    self._database.rollback()

    def _shrink(self, database: sqlite3.Connection) -> None:
        total = database.execute("SELECT coalesce(sum(bytes), 0) FROM traces").fetchone()[0]
        if total <= self._most_bytes:
            return
        for key, size in database.execute("SELECT key, bytes FROM traces ORDER BY used").fetchall():
            database.execute("DELETE FROM traces WHERE key = ?", (key,))
            total -= size
            if total <= self._most_bytes * 3 // 4:
                return


def _connect(path: Path) -> sqlite3.Connection:
    """The open file, made new if it is broken or of another version. Raises sqlite3.Error or OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    for attempt in range(2):
        database = sqlite3.connect(path, timeout=BUSY_S, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA):
                database.executescript("DROP TABLE IF EXISTS traces; DROP TABLE IF EXISTS choices;")
            database.executescript(
                "CREATE TABLE IF NOT EXISTS traces"
                " (key TEXT PRIMARY KEY, data BLOB, bytes INTEGER, used REAL);"
                "CREATE TABLE IF NOT EXISTS choices (path TEXT, function TEXT, call TEXT,"
                " PRIMARY KEY (path, function));"
                f"PRAGMA user_version = {SCHEMA};"
            )
        except sqlite3.OperationalError:
            database.close()
            raise
        except sqlite3.DatabaseError:  # no database at all: a new one
            database.close()
            if attempt:
                raise
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            path.touch(mode=0o600)
            continue
        return database
    raise sqlite3.DatabaseError("it can't be made")
