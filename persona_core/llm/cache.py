"""Answers once paid for, kept in one SQLite file, so that none is ever asked for again."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from persona_core.errors import PersonaError, WorkspaceBusy, WorkspaceUnwritable
from persona_core.files import canonical_json, digest
from persona_core.llm.protocol import Prompt, Usage
from persona_core.llm.salvage import readable_rows

FORM = 1
"""The database's own version; a file of another one is set aside."""
PATIENCE_S = 30.0

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL, checksum TEXT NOT NULL
)"""
_GET = "SELECT answer, prompt_tokens, answer_tokens, seconds, checksum FROM answers WHERE key = ?"
_PUT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)"

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Kept:
    """A raw answer as the model gave it, and what it cost."""

    text: str
    usage: Usage


class _Damaged(Exception):
    """The file is a database of another form, or none."""


@dataclass(slots=True)
class _Turn:
    lock: Lock = field(default_factory=Lock)
    waiting: int = 0


def answer_key(
    prompt: Prompt, *, model_digest: str, options: Mapping[str, Any], schema: Mapping[str, Any]
) -> str:  # fmt: skip
    """Everything that an answer depends on, as one digest."""
    parts = {
        "model": model_digest, "prompt": prompt.name, "version": prompt.version, "options": dict(options),
        "schema": dict(schema), "system": prompt.system, "user": prompt.user,
    }  # fmt: skip
    return digest(canonical_json(parts))


class AnswerCache:
    """Safe to use from several threads, and from several processes. What `put` returned from survives a kill at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._turns: dict[str, _Turn] = {}
        self._turns_lock = Lock()
        self._database: sqlite3.Connection | None = None
        self._on_database(lambda database: None)

    def get(self, key: str) -> Kept | None:
        row = self._on_database(lambda database: database.execute(_GET, (key,)).fetchone())
        if row is None:
            return None
        text, prompt_tokens, answer_tokens, seconds, checksum = row
        # SQLite does not notice a flipped bit inside a text; such a row counts as not there and is written anew
        if not isinstance(text, str) or checksum != _checksum(key, text):
            return None
        return Kept(text, Usage(prompt_tokens, answer_tokens, seconds))

    def put(self, key: str, kept: Kept) -> None:
        usage = kept.usage
        row = (key, kept.text, usage.prompt_tokens, usage.answer_tokens, usage.seconds, _checksum(key, kept.text))
        self._on_database(lambda database: database.execute(_PUT, row))

    def __len__(self) -> int:
        return int(self._on_database(lambda database: database.execute("SELECT COUNT(*) FROM answers").fetchone())[0])

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Holds back other threads that want the same answer, so that it is asked for once and they find it here."""
        with self._turns_lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._turns_lock:
                turn.waiting -= 1
                if not turn.waiting:
                    del self._turns[key]

    def close(self) -> None:
        with self._lock:
            self._let_go()

    def _on_database(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Does the work; if the file turns out to be damaged, does it on a new one, with what could still be read."""
        with self._lock:
            try:
                return work(self._opened())
            except (sqlite3.Error, _Damaged) as error:
                if not _is_damage(error):
                    raise self._trouble(error) from error
            try:
                damaged = self._set_aside()
                self._save_what_can_be_read(damaged)
                return work(self._opened())
            except (sqlite3.Error, _Damaged) as error:
                raise self._trouble(error) from error

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
            try:
                _prepare(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _let_go(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _save_what_can_be_read(self, damaged: Path) -> None:
        """A row that is not what was written counts as not there when it is asked for, as ever."""
        with suppress(OSError):
            self._opened().executemany(_PUT, readable_rows(damaged))

    def _set_aside(self) -> Path:
        """Renames the file, and what SQLite keeps beside it: its journal must not be played into the new one."""
        self._let_go()
        stamp = f"damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}"
        for suffix in ("", "-wal", "-shm"):
            file = self.path.with_name(self.path.name + suffix)
            if file.exists():
                file.rename(self.path.with_name(f"{self.path.name}.{stamp}{suffix}"))
        return self.path.with_name(f"{self.path.name}.{stamp}")

    def _trouble(self, error: Exception) -> PersonaError:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return WorkspaceBusy(
                f"The answers in {self.path} are held by another process.",
                why=f"It did not let go within {PATIENCE_S:.0f} seconds.",
                mend="stop the other build, or wait for it, then run the same command again",
            )
        return WorkspaceUnwritable(
            f"The model's answers cannot be kept in {self.path}.",
            why=f"SQLite says: {error}.",
            mend="free some space there and make sure that you may write, then run the same command again",
        )


def _prepare(database: sqlite3.Connection) -> None:
    """Judges the file first, so that one which is not ours is not written to."""
    (form,) = database.execute("PRAGMA user_version").fetchone()
    if form not in (0, FORM):
        raise _Damaged(f"its form is {form}, not {FORM}")
    database.execute(_TABLE)
    database.execute(_GET, ("",))  # fails if the table is somebody else's
    if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise _Damaged("its pages contradict each other")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")  # an answer costs seconds, keeping it through a power cut milliseconds
    if form != FORM:
        database.execute(f"PRAGMA user_version = {FORM}")


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, _Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


def _checksum(key: str, text: str) -> str:
    return digest(f"{key}\n{text}".encode())
