"""The readers, by name, and how the right one is found for a path."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from persona_core.catalog.fields import Reject
from persona_core.catalog.lines import json_rows
from persona_core.catalog.readers.amazon import Amazon2018Reader, Amazon2023Reader
from persona_core.catalog.readers.base import Reader
from persona_core.catalog.readers.demo import DemoReader
from persona_core.catalog.readers.movielens import MovieLensLatestReader, RecBoleReader
from persona_core.catalog.readers.table import TableReader, column_names, is_delimited, is_parquet
from persona_core.catalog.readers.yelp import YelpReader
from persona_core.errors import SourceError
from persona_core.settings import SourceSettings

READERS: dict[str, type[Reader]] = {
    reader.name: reader
    for reader in (
        DemoReader, Amazon2018Reader, Amazon2023Reader, YelpReader, RecBoleReader, MovieLensLatestReader, TableReader,
    )
}  # fmt: skip
JSON_FORMS = (Amazon2018Reader, Amazon2023Reader, YelpReader)


def reader_for(source: SourceSettings) -> Reader:
    """The reader that the source names; its files must be there."""
    if source.reader not in READERS:
        raise SourceError(f"There is no reader {source.reader!r}.", mend=f"--reader {' | '.join(READERS)}")
    if not source.path.exists():
        raise SourceError(f"There is nothing at {source.path}.", mend="name an existing file or folder with --from")
    reader = READERS[source.reader](source)
    for file in (*reader.review_files, *reader.other_files):
        if not file.is_file():
            raise SourceError(
                f"{file} is not there.", why=f"{reader.says.capitalize()} needs it.", mend="check --from, --items and --users"
            )
    return reader


def detect(path: Path, has_columns: bool) -> str:
    """The name of the reader that fits what lies at `path`."""
    if not path.exists():
        raise SourceError(f"There is nothing at {path}.", mend="name an existing file or folder with --from")
    if has_columns:
        return TableReader.name
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if found is None:
        raise _unknown_form(path)
    return found


def _of_folder(folder: Path) -> str | None:
    if (folder / "reviews.jsonl").exists() and (folder / "items.jsonl").exists():
        return DemoReader.name
    if (folder / "ratings.csv").exists():
        return MovieLensLatestReader.name
    if any(folder.glob("*.inter")):
        return RecBoleReader.name
    if any(folder.glob("*review.json*")):
        return YelpReader.name
    return None


def _of_file(file: Path) -> str | None:
    if file.suffix == ".inter":
        return RecBoleReader.name
    if is_parquet(file):
        return None
    if is_delimited(file):
        return MovieLensLatestReader.name if set(MovieLensLatestReader.columns) <= set(column_names(file)) else None
    rows = [row for _, row in islice(json_rows(file), 20) if not isinstance(row, Reject)]
    for form in JSON_FORMS:
        if rows and all(key in rows[0] for key in form.wanted):
            return form.name
    return None


def _unknown_form(path: Path) -> SourceError:
    columns = ", ".join(column_names(path)) if path.is_file() else ", ".join(sorted(p.name for p in path.iterdir())[:12])
    return SourceError(
        f"{path} is of no form that is known by itself.",
        why=f"It holds: {columns or 'nothing readable'}.",
        mend="say which columns are what, such as --map user=COLUMN --map item=COLUMN --map time=COLUMN --map rating=COLUMN "
        f"--map text=COLUMN, or name a reader: --reader {' | '.join(READERS)}",
    )
