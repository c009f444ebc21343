"""Saves what can still be read of a damaged file of answers: they were paid for."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PAGE_SIZE, PAGE_COUNT = slice(16, 18), slice(28, 32)
"""Where SQLite's header says how long the file should be."""
MOST_TIMES = 100
"""A file that says it should be so many times as long was not torn; it is lying."""
_ALL = "SELECT key, answer, prompt_tokens, answer_tokens, seconds, checksum FROM answers ORDER BY rowid"


def readable_rows(damaged: Path) -> Iterator[tuple[Any, ...]]:
    """The rows from the first on and from the last back, as far as SQLite gives them; some may come twice.

    It gives nothing of a file that is shorter than it says: a copy is filled up with zeros, for what is missing only.
    """
    with TemporaryDirectory(dir=damaged.parent, prefix=".salvage") as name:
        copy = Path(name) / "answers.sqlite"
        for suffix in ("", "-wal"):
            file = damaged.with_name(damaged.name + suffix)
            if file.exists():
                shutil.copyfile(file, f"{copy}{suffix}")
        _fill_up(copy)
        for order in ("", " DESC"):
            with suppress(sqlite3.Error), closing(sqlite3.connect(copy)) as database:
                yield from database.execute(_ALL + order)


def _fill_up(file: Path) -> None:
    with file.open("r+b") as content:
        head = content.read(100)
        pages, size = int.from_bytes(head[PAGE_COUNT], "big"), int.from_bytes(head[PAGE_SIZE], "big")
        wanted = pages * (65_536 if size == 1 else size)
        there = file.stat().st_size
        if head.startswith(b"SQLite format 3\0") and there < wanted <= MOST_TIMES * there:
            content.truncate(wanted)
