"""Any CSV, TSV, JSON-lines or Parquet file, with the columns named by the person who knows them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from persona_core.catalog.fields import ItemFields, Position, Reject, ReviewRow
from persona_core.catalog.lines import delimited_rows, json_rows
from persona_core.catalog.parquet import opened_table, rows_of
from persona_core.catalog.readers.base import Reader, id_of, price_of, text_of
from persona_core.errors import SourceError

REVIEW_COLUMNS = ("user", "item", "rating", "time", "text", "review", "user_name")
ITEM_COLUMNS = ("item", "title", "scenario", "maker", "description", "price")
NEEDED = ("user", "item", "time")
PARQUET_ROWS = 20_000

Row = tuple[int, "list[Any] | Reject"]


class TableReader(Reader):
    name = "table"
    says = "a table"

    @property
    def review_files(self) -> list[Path]:
        return [self.source.path]

    @property
    def default_scenario(self) -> str:
        return self.source.scenario or self.source.path.name.split(".")[0].replace("_", " ").lower()

    def reviews(self, file: Path, position: Position) -> Iterator[ReviewRow]:
        columns = self._mapping("", REVIEW_COLUMNS)
        missing = [name for name in NEEDED if name not in columns]
        if missing:
            raise SourceError(
                f"Which columns of {file.name} hold the {' and the '.join(missing)}?",
                why=f"Its columns are {', '.join(column_names(file))}.",
                mend=" ".join(f"--map {name}=COLUMN" for name in missing),
            )
        wanted = [columns.get(name) for name in REVIEW_COLUMNS]
        for line, row in _rows(file, wanted, position):
            yield line, row if isinstance(row, Reject) else tuple(row)

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        if self.source.items is None:
            return
        columns = self._mapping("item.", ITEM_COLUMNS)
        columns.setdefault("item", self.source.columns.get("item", ""))
        columns.setdefault("title", "title")
        present = set(column_names(self.source.items))
        optional = {name: column for name, column in columns.items() if column in present or name != "title"}
        wanted = [optional.get(name) for name in ITEM_COLUMNS]
        for line, row in _rows(self.source.items, wanted, Position()):
            if isinstance(row, Reject):
                yield line, row
                continue
            item, title, scenario, maker, description, price = row
            yield (
                line,
                ItemFields(
                    id=id_of(item),
                    title=text_of(title),
                    scenario=text_of(scenario),
                    maker=text_of(maker),
                    description=text_of(description),
                    price=price_of(price),
                ),
            )

    def _mapping(self, prefix: str, known: tuple[str, ...]) -> dict[str, str]:
        """The columns named for one file; `item.title` speaks of the items' file, `title` is no review column."""
        allowed = {*REVIEW_COLUMNS, *(f"item.{name}" for name in ITEM_COLUMNS)}
        strangers = sorted(set(self.source.columns) - allowed)
        if strangers:
            raise SourceError(
                f"--map {strangers[0]}=… names nothing that is known.",
                why=f"There are: {', '.join(sorted(allowed))}.",
                mend="use one of these before the =, and a column of the file after it",
            )
        return {name: self.source.columns[prefix + name] for name in known if prefix + name in self.source.columns}


def column_names(file: Path) -> list[str]:
    """The columns of a table, read from its header or its first row."""
    if is_parquet(file):
        return list(opened_table(file, str(file)).schema_arrow.names)
    if is_delimited(file):
        return next((row for _, row in delimited_rows(file, _delimiter(file))), [])
    return next((sorted(row) for _, row in json_rows(file) if not isinstance(row, Reject)), [])


def is_parquet(file: Path) -> bool:
    return file.suffix in (".parquet", ".pq")


def is_delimited(file: Path) -> bool:
    return {".csv", ".tsv"} & set(file.suffixes[-2:]) != set()


def _delimiter(file: Path) -> str:
    return "\t" if ".tsv" in file.suffixes else ","


def _rows(file: Path, wanted: list[str | None], position: Position) -> Iterator[Row]:
    found = column_names(file)
    missing = [name for name in wanted if name and name not in found]
    if missing and (is_parquet(file) or is_delimited(file)):
        raise _no_such_column(file, missing, found)
    if is_parquet(file):
        return _parquet_rows(file, wanted, position)
    if is_delimited(file):
        return _delimited(file, wanted, position)
    return _json(file, wanted, missing, found, position)


def _no_such_column(file: Path, missing: list[str], found: list[str]) -> SourceError:
    return SourceError(
        f"{file} has no column {', '.join(missing)}.",
        why=f"It has {', '.join(found) or 'no columns at all'}.",
        mend="correct the --map NAME=COLUMN flags, or [source.columns] in workspace.toml",
    )


def _delimited(file: Path, wanted: list[str | None], position: Position) -> Iterator[Row]:
    rows = delimited_rows(file, _delimiter(file), position)
    header = next(rows)[1]
    places = [header.index(name) if name else None for name in wanted]
    width = len(header)
    for line, row in rows:
        if len(row) != width:
            yield line, Reject("wrong number of columns", f"{len(row)} where the header has {width}")
        else:
            yield line, [None if place is None else row[place] or None for place in places]


def _json(file: Path, wanted: list[str | None], missing: list[str], found: list[str], position: Position) -> Iterator[Row]:
    """Keys may be missing in single rows, but not in the first thousand of them."""
    rows = json_rows(file, position)
    head = [row for _, row in zip(range(1000), rows, strict=False)]
    if missing and head:
        absent = [name for name in missing if not any(name in row for _, row in head if not isinstance(row, Reject))]
        if absent:
            raise _no_such_column(file, absent, found)
    for line, row in chain(head, rows):
        yield line, row if isinstance(row, Reject) else [row.get(name) if name else None for name in wanted]


def _parquet_rows(file: Path, wanted: list[str | None], position: Position) -> Iterator[Row]:
    table = opened_table(file, str(file))
    names = [name for name in dict.fromkeys(wanted) if name]
    places = [names.index(name) if name else None for name in wanted]
    line = 0
    for columns in rows_of(table, names, str(file), PARQUET_ROWS):
        for row in zip(*columns, strict=True):
            line += 1
            yield line, [None if place is None else row[place] for place in places]
        position.done = round(file.stat().st_size * line / max(1, table.metadata.num_rows))
