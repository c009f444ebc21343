"""Writing files so that a kill at any instant leaves the old one or the new one, never half of one."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import orjson


def write_beside(path: Path, content: bytes) -> None:
    """Writes `content` to a neighbour of `path`, makes it durable, and renames it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    make_durable(path.parent)


def write_json(path: Path, value: object) -> None:
    """For people and programs to read: indented, keys in the order they were given."""
    write_beside(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def json_lines(rows: Iterable[object]) -> bytes:
    """Each row on a line of its own."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def write_lines(path: Path, rows: Iterable[object]) -> None:
    """The same into a new file, row by row: there may be many."""
    with path.open("wb") as file:
        file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


FORMULA = ("=", "+", "-", "@", "\t", "\r")


def no_formula(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula, which could send away what stands beside it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def canonical_json(value: object) -> bytes:
    """For digests: the same value always gives the same bytes, whatever the order of its keys."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def make_durable(path: Path) -> None:
    """Asks the disk to keep a file, or a folder's list of names, through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


RACY_S = 2.0
"""A file that was written so lately could be written again without its times telling."""


def file_digest_as_known(path: Path) -> str:
    """The same, but a file whose size, times and place on the disk are those of the last time is not read again."""
    now = path.stat()
    if time.time() - max(now.st_mtime, now.st_ctime) < RACY_S:
        return file_digest(path)
    return _digest_of(path, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))


@lru_cache(maxsize=1024)
def _digest_of(path: Path, _: tuple[int, ...]) -> str:
    return file_digest(path)


def append_line(path: Path, make: Callable[[bytes], bytes]) -> None:
    """Adds a line, made from all that stands before it, and has it on the disk; nobody else adds meanwhile."""
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        content = path.read_bytes()
        torn = content and not content.endswith(b"\n")
        os.write(handle, (b"\n" if torn else b"") + make(content) + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)
