"""Files that strangers hand in: bounded, looked at before anything reads them, and kept under names of our own."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import IO, Any

import streamlit as st

from persona_core.catalog.fields import Reject
from persona_core.catalog.lines import delimited_rows, json_rows, opened
from persona_core.catalog.parquet import measured, opened_table, rows_of
from persona_core.catalog.readers import detect, reader_for
from persona_core.catalog.readers.table import TableReader, column_names, is_delimited, is_parquet
from persona_core.errors import PersonaError, SourceError
from persona_core.settings import SourceSettings

MOST_MB = 50
MOST_ROWS = 200_000
MOST_UNPACKED = 400 * 2**20
MOST_COLUMNS = 200
SHOWN_ROWS, SHOWN_LETTERS = 5, 160
LOOKED_AT = 1_000
TYPES = ("csv", "tsv", "jsonl", "json", "parquet", "gz")
_SUFFIXES = {".csv", ".tsv", ".jsonl", ".json", ".parquet"}


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file or folder turned out to be."""

    path: Path
    reader: str
    """Which reader knows its form; a table's columns have yet to be named."""
    says: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    highest: dict[str, float] | None = None
    """The highest number in each column that holds numbers, as far as was looked."""

    @property
    def is_table(self) -> bool:
        return self.reader == TableReader.name


@st.cache_resource(scope="session", show_spinner=False)
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where this session's files wait until they are built from; it goes when the session does."""
    return tempfile.TemporaryDirectory(prefix="personascope-")


def suffix_of(name: str) -> str:
    """The ending that says the form of a file; the only thing taken from the name that a client gave it."""
    parts = [part.lower() for part in Path(name).suffixes[-2:]]
    packed = ".gz" if parts and parts[-1] == ".gz" else ""
    last = parts[:-1] if packed else parts
    form = last[-1] if last and last[-1] in _SUFFIXES else ""
    if not form:
        raise SourceError(
            "A file of this kind cannot be read here.", mend="save it as .csv, .tsv, .jsonl or .parquet; gzipped (.csv.gz) is fine too"
        )
    return form + packed


def keep(upload: Any, role: str) -> Path:
    """The uploaded file on disk, under a name of ours."""
    if not upload.size:
        raise SourceError("The file is empty.", mend="choose a file with one review a row")
    if upload.size > MOST_MB * 2**20:
        raise SourceError(
            f"The file is larger than {MOST_MB} MB.", mend="name its path on this machine instead, or upload a part of it"
        )
    mark = "".join(sign for sign in str(upload.file_id) if sign.isalnum())[:40]
    path = Path(_folder().name) / f"{role}-{mark}{suffix_of(upload.name)}"
    if not path.exists():
        for old in path.parent.glob(f"{role}-*"):
            old.unlink()
        _write(upload, path)
    return path


def _write(upload: IO[bytes], path: Path) -> None:
    beside = path.with_name(f".{path.name}.new")
    upload.seek(0)
    with beside.open("wb") as file:
        shutil.copyfileobj(upload, file)
    beside.replace(path)


def moved(path: Path, folder: Path, role: str) -> Path:
    """The file in its new workspace, copied beside and renamed, under a fixed name."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{role}{''.join(path.suffixes[-2:])}"
    beside = target.with_name(f".{target.name}.new")
    shutil.copyfile(path, beside)
    beside.replace(target)
    return target


def look_at(path: Path, *, bounded: bool) -> Looked:
    """What lies there: its form, and of a table its columns and first rows. Raises an error in kind words."""
    if path.is_dir():
        reader = detect(path, False)
        return Looked(path, reader, _says(reader, path))
    if not path.is_file():
        raise SourceError("There is no such file or folder on this machine.", mend="check the path; it starts with /")
    _refuse_what_is_no_text(path)
    if bounded:
        _refuse_what_is_too_much(path)
    try:
        reader = detect(path, False)
    except SourceError:
        reader = TableReader.name
    return _table(path) if reader == TableReader.name else Looked(path, reader, _says(reader, path), *_preview(path))


def _says(reader: str, path: Path) -> str:
    return reader_for(SourceSettings(reader=reader, path=path)).says


def _refuse_what_is_no_text(path: Path) -> None:
    if is_parquet(path):
        return
    with opened(path) as file:
        head = file.read(2**16)
    if not head.strip():
        raise SourceError("The file is empty.", mend="choose a file with one review a row")
    if b"\x00" in head:
        raise SourceError("This is no text.", why="It holds bytes that no table has.", mend="save it as CSV with UTF-8, or as Parquet")
    try:
        head[: head.rfind(b"\n") + 1 or None].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(
            "The letters of this file cannot be read.", why="It is not written in UTF-8.", mend="save it again as CSV with UTF-8"
        ) from None


def _refuse_what_is_too_much(path: Path) -> None:
    """A small file may unpack into a huge one: it is counted as it unpacks, and left at the bound."""
    if is_parquet(path):
        rows, size = measured(path, "This file", MOST_ROWS + 1, MOST_UNPACKED)
    else:
        size = rows = 0
        with opened(path) as file:
            while (part := file.read(2**20)) and size <= MOST_UNPACKED:
                size += len(part)
        if size <= MOST_UNPACKED:
            lines = delimited_rows(path, _delimiter(path)) if is_delimited(path) else json_rows(path)
            rows = sum(1 for _ in islice(lines, MOST_ROWS + 2))
    if size > MOST_UNPACKED:
        raise SourceError(
            f"The file unpacks to more than {MOST_UNPACKED // 2**20} MB.",
            mend="name its path on this machine instead, or upload a part",
        )
    if rows > MOST_ROWS + 1:
        raise SourceError(
            f"The file has more than {MOST_ROWS:,} rows.", mend="name its path on this machine instead, or upload a part of it"
        )


def _table(path: Path) -> Looked:
    columns, rows, highest = _preview(path)
    if not columns or not rows:
        raise SourceError(
            "There are no rows in this file.", mend="it needs a line with the columns' names, and one review a row after it"
        )
    if len(columns) > MOST_COLUMNS or len(set(columns)) < len(columns):
        raise SourceError(
            "The columns of this file cannot be told apart.", mend="give each its own name in the first line, 200 at most"
        )
    return Looked(path, TableReader.name, TableReader.says, columns, rows, highest)


def _preview(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], dict[str, float]]:
    """Columns, the first rows as text, and the highest numbers."""
    columns = tuple(column_names(path))
    rows = list(islice(_rows(path, columns), LOOKED_AT))
    highest: dict[str, float] = {}
    for row in rows:
        for name, value in zip(columns, row, strict=False):
            number = _number(value)
            if number is not None:
                highest[name] = max(number, highest.get(name, number))
    shown = tuple(tuple(_shown(value) for value in row) for row in rows[:SHOWN_ROWS])
    return columns, shown, highest


def _rows(path: Path, columns: tuple[str, ...]) -> Any:
    if is_parquet(path):
        for batch in rows_of(opened_table(path, "This file"), list(columns), "This file", LOOKED_AT):
            yield from (list(row) for row in zip(*batch, strict=True))
    elif is_delimited(path):
        yield from (row for _, row in islice(delimited_rows(path, _delimiter(path)), 1, None) if len(row) == len(columns))
    else:
        yield from ([row.get(name) for name in columns] for _, row in json_rows(path) if not isinstance(row, Reject))


def _delimiter(path: Path) -> str:
    return "\t" if ".tsv" in path.suffixes else ","


def _number(value: Any) -> float | None:
    try:
        number = None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if number is not None and isfinite(number) else None


def _shown(value: Any) -> str:
    # what holds other things may be nested deeper than Python can say
    text = "" if value is None else f"({type(value).__name__})" if isinstance(value, dict | list) else " ".join(str(value).split())
    return text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 1] + "…"


def looked_at(path: Path, *, bounded: bool) -> Looked | PersonaError:
    """The same, remembered for as long as the file stays what it is; an error is remembered too."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return SourceError("There is no such file or folder on this machine.", mend="check the path; it starts with /")
    return _looked_at(str(path), bounded, about.st_mtime_ns, about.st_size)


@st.cache_data(max_entries=8, show_spinner="Looking at the file …", scope="session")
def _looked_at(path: str, bounded: bool, changed: int, size: int) -> Looked | PersonaError:
    try:
        return look_at(Path(path), bounded=bounded)
    except PersonaError as error:
        return error
    except (OSError, ValueError, RecursionError, MemoryError):
        return SourceError("This file cannot be read.", mend="save it again as CSV with UTF-8, one review a row")
