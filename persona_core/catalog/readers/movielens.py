"""MovieLens without texts: 100k as RecBole atomic files, and latest-small as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from persona_core.catalog.fields import ItemFields, Position, Reject, ReviewRow
from persona_core.catalog.lines import delimited_rows
from persona_core.catalog.readers.base import Reader
from persona_core.errors import SourceError


class _RatingsTable(Reader):
    """A delimited file of ratings with a header, and one of items beside it."""

    delimiter: str
    columns: tuple[str, str, str, str]
    encoding = "utf-8-sig"

    @property
    def default_scenario(self) -> str:
        return self.source.scenario or "movies"

    def reviews(self, file: Path, position: Position) -> Iterator[ReviewRow]:
        rows = delimited_rows(file, self.delimiter, position, self.encoding)
        header = next(rows, (1, []))[1]
        missing = [column for column in self.columns if column not in header]
        if missing:
            raise SourceError(
                f"{file} is not {self.says}: it has no column {', '.join(missing)}.",
                why=f"It has {', '.join(header) or 'nothing'}; wanted are {', '.join(self.columns)}.",
                mend="name the right file with --from, or map its columns with --reader table --map user=… --map item=…",
            )
        user, item, rating, time = (header.index(column) for column in self.columns)
        width = len(header)
        for line, row in rows:
            if len(row) != width:
                yield line, Reject("wrong number of columns", f"{len(row)} where the header has {width}")
            else:
                yield line, (row[user], row[item], row[rating], row[time], None, None, None)

    def _table(self, file: Path) -> Iterator[tuple[int, dict[str, str]]]:
        rows = delimited_rows(file, self.delimiter, encoding=self.encoding)
        header = [name.split(":")[0] for name in next(rows, (1, []))[1]]
        for line, row in rows:
            yield line, dict(zip(header, row, strict=False))


class RecBoleReader(_RatingsTable):
    name = "recbole"
    says = "a RecBole atomic file"
    delimiter = "\t"
    columns = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    encoding = "utf-8"

    @property
    def review_files(self) -> list[Path]:
        if self.source.path.is_file():
            return [self.source.path]
        found = sorted(self.source.path.glob("*.inter"))
        if len(found) != 1:
            raise SourceError(
                f"{self.source.path} has {len(found)} .inter files where one is wanted.", mend="name one of them with --from"
            )
        return found

    @property
    def other_files(self) -> list[Path]:
        beside = self.review_files[0].with_suffix(".item")
        return [self.source.items] if self.source.items else [beside] if beside.exists() else []

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        for file in self.other_files:
            for line, row in self._table(file):
                title = row.get("movie_title") or row.get("title") or row.get("name") or ""
                known = {"class": "genres", "release_year": "year"}
                facts = {known.get(key, key): value for key, value in row.items() if key in (*known, "genres") and value}
                yield line, ItemFields(row.get("item_id", ""), title, self.default_scenario, attributes=facts)


class MovieLensLatestReader(_RatingsTable):
    name = "movielens"
    says = "MovieLens' ratings.csv"
    delimiter = ","
    columns = ("userId", "movieId", "rating", "timestamp")

    @property
    def review_files(self) -> list[Path]:
        return [self.source.path / "ratings.csv" if self.source.path.is_dir() else self.source.path]

    @property
    def other_files(self) -> list[Path]:
        beside = self.review_files[0].with_name("movies.csv")
        return [self.source.items] if self.source.items else [beside] if beside.exists() else []

    def items(self) -> Iterator[tuple[int, ItemFields | Reject]]:
        for file in self.other_files:
            for line, row in self._table(file):
                genres = row.get("genres", "").replace("|", ", ")
                facts = {"genres": genres} if genres else {}
                yield line, ItemFields(row.get("movieId", ""), row.get("title", ""), self.default_scenario, attributes=facts)
