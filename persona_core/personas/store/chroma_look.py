"""Looks whether an embedded index is whole, without Chroma: to open it takes a second, and writes to its files."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

DATABASE = "chroma.sqlite3"
COUNTS = ("SELECT COUNT(*) FROM embeddings", "SELECT COUNT(*) FROM embeddings_queue")
VECTOR_FILES = ("header.bin", "data_level0.bin")


def what_is_wrong(folder: Path, personas: int) -> str:
    """In words; empty where the index holds so many personas."""
    file = folder / DATABASE
    if not file.is_file():
        return f"{folder} is gone."
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            return _in_database(database, folder, personas)
    except sqlite3.Error as error:
        return f"{file} cannot be read: {error}."


def _in_database(database: sqlite3.Connection, folder: Path, personas: int) -> str:
    held, waiting = (int(database.execute(count).fetchone()[0]) for count in COUNTS)
    if held != personas:
        return f"{folder} holds {held:,} of {personas:,} personas."
    if waiting >= personas:
        return ""  # all vectors still stand in the database, from which Chroma makes the others
    segments = database.execute("SELECT id FROM segments WHERE scope = 'VECTOR'").fetchall()
    lacking = [folder / one / name for (one,) in segments for name in VECTOR_FILES if not _is_there(folder / str(one) / name)]
    return f"{lacking[0]} is gone." if lacking else ""


def _is_there(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0
