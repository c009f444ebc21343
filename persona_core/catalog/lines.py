"""Opens text files, plain or gzipped, and reads them line by line without ever holding one whole."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson

from persona_core.catalog.fields import Position, Reject
from persona_core.errors import SourceError

GZIP_MAGIC = b"\x1f\x8b"
LONGEST_LINE = 4 * 2**20
"""Bytes. A review that is taken has at most 50,000 characters: 300 kB, were all of them escaped. More is no line of a table."""


@contextmanager
def opened(path: Path, position: Position | None = None) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked if it is gzipped; `position` follows how much of it was read."""
    try:
        with path.open("rb") as raw:
            counted = _Counted(raw, position or Position())
            zipped = counted.peek(2)[:2] == GZIP_MAGIC
            if zipped:
                with gzip.GzipFile(fileobj=counted) as unpacked, io.BufferedReader(unpacked, 2**20) as buffered:
                    yield buffered
            else:
                yield counted
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{path} is not a whole gzip file.", why=f"Unpacking says: {error}.", mend="fetch the file again") from error
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror or error}.", mend="name an existing file with --from or --items"
        ) from error


class _Counted(io.BufferedReader):
    """A buffered file that moves a position along; it counts whole buffers, which is near enough for a bar."""

    def __init__(self, raw: IO[bytes], position: Position) -> None:
        super().__init__(_CountedRaw(raw, position), 2**20)


class _CountedRaw(io.RawIOBase):
    def __init__(self, raw: IO[bytes], position: Position) -> None:
        self.inner = raw
        self.position = position

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.inner.readinto(buffer)  # type: ignore[attr-defined]
        self.position.done += count or 0
        return int(count or 0)


def json_rows(path: Path, position: Position | None = None) -> Iterator[tuple[int, dict[str, Any] | Reject]]:
    """Each line's JSON object, or why there is none. Blank lines are passed over."""
    loads = orjson.loads
    with opened(path, position) as file:
        number = 0
        for line in iter(lambda: file.readline(LONGEST_LINE), b""):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                _pass_over_the_rest(file)
                yield number, Reject("line too long", f"more than {LONGEST_LINE:,} bytes")
                continue
            try:
                row = loads(line)
            except orjson.JSONDecodeError as error:
                if line.isspace():
                    continue
                yield number, Reject("bad JSON", str(error))
                continue
            yield number, row if type(row) is dict else Reject("not an object", type(row).__name__)


def _pass_over_the_rest(file: IO[bytes]) -> None:
    """Up to the end of the line, or of the file, in pieces: a line may have no end."""
    while (piece := file.readline(LONGEST_LINE)) and not piece.endswith(b"\n"):
        pass


def delimited_rows(
    path: Path, delimiter: str, position: Position | None = None, encoding: str = "utf-8-sig"
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV or TSV file, the header first, each with the line it ends on."""
    with opened(path, position) as file:
        text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
        rows = csv.reader(
            _bounded(text, path), delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
        )
        try:
            for row in rows:
                if row:
                    yield rows.line_num, row
        except csv.Error as error:
            raise SourceError(
                f"{path} is not readable as a table: {error} (line {rows.line_num}).",
                mend="check its quotes and delimiter, or save it as JSON lines or Parquet",
            ) from error
        finally:
            text.detach()


def _bounded(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """The lines, none of which may be longer than memory bears."""
    for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), start=1):
        if len(line) >= LONGEST_LINE:
            raise SourceError(
                f"{path} has a line of more than {LONGEST_LINE:,} characters (line {number}).",
                mend="check its line breaks, or save it as JSON lines or Parquet",
            )
        yield line
