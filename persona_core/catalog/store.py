"""The catalogue on disk: three Parquet files, written in batches and read as frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from persona_core.catalog.cleaning import CleanReview
from persona_core.columns import Columns, Named
from persona_core.schema import Item, Review, User
from persona_core.workspace import Artefact

ITEMS, USERS, REVIEWS, REJECTED = "items.parquet", "users.parquet", "reviews.parquet", "rejected.jsonl"

REVIEW_SCHEMA = pa.schema(
    [
        ("review_id", pa.string()),
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("rating", pa.float32()),
        ("time", pa.timestamp("ms", tz="UTC")),  # Parquet knows no seconds
        ("text", pa.string()),
    ]
)
ITEM_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("scenario", pa.string()),
        ("title", pa.string()),
        ("maker", pa.string()),
        ("description", pa.string()),
        ("price", pa.float64()),
        ("price_band", pa.string()),
        ("attributes", pa.string()),
    ]
)
USER_SCHEMA = pa.schema([("user_id", pa.string()), ("name", pa.string())])


REJECT_PREFIX = "rejected: "


def reject_reasons(counts: Mapping[str, int | float | str]) -> dict[str, int]:
    """How many rows were refused, by reason, from the counts of a catalogue's manifest."""
    return {key.removeprefix(REJECT_PREFIX): int(n) for key, n in counts.items() if key.startswith(REJECT_PREFIX)}


class ReviewWriter:
    """Writes clean reviews batch by batch, beside the work of the one who makes them."""

    def __init__(self, path: Path) -> None:
        self.rows = 0
        self._writer = pq.ParquetWriter(path, REVIEW_SCHEMA, compression="zstd")
        self._hand = ThreadPoolExecutor(1)  # packing frees the GIL: reading goes on meanwhile
        self._pending: Future[None] | None = None

    def write(self, batch: Sequence[CleanReview]) -> None:
        table = pa.Table.from_arrays([pa.array(column) for column in zip(*batch, strict=True)], REVIEW_SCHEMA.names)
        seconds = table["time"].cast(pa.timestamp("s", tz="UTC"))
        self.write_table(table.set_column(4, "time", seconds).cast(REVIEW_SCHEMA))

    def write_table(self, table: pa.Table) -> None:
        self._settle()
        self._pending = self._hand.submit(self._writer.write_table, table)
        self.rows += table.num_rows

    def _settle(self) -> None:
        """Waits for the batch before, so that at most one is under way, and learns whether it went well."""
        if self._pending is not None:
            self._pending.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        try:
            self._settle()
        finally:
            self._hand.shutdown()
            self._writer.close()


def write_rows(path: Path, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path, compression="zstd")


@dataclass(frozen=True, slots=True)
class Catalog:
    """A built catalogue; frames are read when they are asked for."""

    items_file: Path
    users_file: Path
    reviews_file: Path
    rejected_file: Path

    @classmethod
    def of(cls, artefact: Artefact) -> Self:
        return cls(*(artefact.file(name) for name in (ITEMS, USERS, REVIEWS, REJECTED)))

    def items(self) -> pd.DataFrame:
        return pq.read_table(self.items_file).to_pandas()

    def users(self) -> pd.DataFrame:
        return pq.read_table(self.users_file).to_pandas()

    def reviews(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """All reviews in the order they were read; name the columns where texts are not needed."""
        return pq.read_table(self.reviews_file, columns=list(columns) if columns else None).to_pandas()

    def texts(self) -> Columns[Review]:
        """The reviews that have a text, in the order they were read."""
        return Columns.of(pq.read_table(self.reviews_file, filters=[("text", "!=", "")]), review_of)

    def texts_named(self) -> Mapping[str, Review]:
        """The same by their ids."""
        return Named(self.texts(), "review_id")

    def reviews_of(self, item_id: str) -> list[Review]:
        table = pq.read_table(self.reviews_file, filters=[("item_id", "=", item_id)])
        return [review_of(row) for row in table.to_pylist()]

    def reviews_named(self, ids: Sequence[str]) -> list[Review]:
        """These reviews, the newest first; ids that are not known are left out."""
        table = pq.read_table(self.reviews_file, filters=[("review_id", "in", list(ids))]) if ids else None
        found = [] if table is None else [review_of(row) for row in table.to_pylist()]
        return sorted(found, key=lambda one: (one.time, one.id), reverse=True)

    def item(self, item_id: str) -> Item | None:
        rows = pq.read_table(self.items_file, filters=[("item_id", "=", item_id)]).to_pylist()
        return item_of(rows[0]) if rows else None

    def all_items(self) -> list[Item]:
        return [item_of(row) for row in pq.read_table(self.items_file).to_pylist()]

    def user(self, user_id: str) -> User | None:
        rows = pq.read_table(self.users_file, filters=[("user_id", "=", user_id)]).to_pylist()
        return User(id=rows[0]["user_id"], name=rows[0]["name"]) if rows else None


def review_of(row: Mapping[str, Any]) -> Review:
    return Review(
        id=row["review_id"],
        user_id=row["user_id"],
        item_id=row["item_id"],
        rating=None if row["rating"] is None or row["rating"] != row["rating"] else float(row["rating"]),  # a frame says NaN
        time=row["time"],
        text=row["text"],
    )


def item_of(row: dict[str, Any]) -> Item:
    return Item(
        id=row["item_id"],
        scenario=row["scenario"],
        title=row["title"],
        maker=row["maker"],
        description=row["description"],
        price=row["price"],
        price_band=row["price_band"],
        attributes=orjson.loads(row["attributes"]),
    )
