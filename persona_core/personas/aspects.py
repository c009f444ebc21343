"""Aspects found in reviews: the protocol of whoever finds them, and the files they are kept in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from persona_core.columns import Columns
from persona_core.schema import Aspect, AspectKind, Quote, Review, Sentiment

ASPECTS = "aspects.parquet"
SCHEMA = pa.schema(
    [
        ("aspect_id", pa.string()),
        ("review_id", pa.string()),
        ("item_id", pa.string()),
        ("user_id", pa.string()),
        ("rating", pa.float32()),
        ("kind", pa.string()),
        ("sentiment", pa.string()),
        ("label", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("text", pa.string()),
    ]
)


class Found(NamedTuple):
    """What one review says, and how many claims about it had to be dropped because no passage carries them."""

    review: Review
    aspects: tuple[Aspect, ...]
    dropped: int = 0
    by: str = "extraction"


class AspectFinder(Protocol):
    """Finds the aspects of reviews; a review that says nothing usable has none."""

    name: str

    def find(self, reviews: Sequence[Review]) -> Iterator[Found]: ...


@dataclass(frozen=True, slots=True)
class KeptAspect:
    """An aspect as it is kept: with its id, whose it is and about what."""

    id: str
    item_id: str
    user_id: str
    rating: float | None
    aspect: Aspect

    @property
    def text(self) -> str:
        return self.aspect.quote.text


def rows_of(found: Found) -> list[dict[str, Any]]:
    review = found.review
    return [
        {
            "aspect_id": f"{review.id}:{number}",
            "review_id": review.id,
            "item_id": review.item_id,
            "user_id": review.user_id,
            "rating": review.rating,
            "kind": str(aspect.kind),
            "sentiment": str(aspect.sentiment),
            "label": aspect.label,
            "start": aspect.quote.start,
            "end": aspect.quote.end,
            "text": aspect.quote.text,
        }
        for number, aspect in enumerate(found.aspects)
    ]


def write_aspects(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with AspectWriter(path) as file:
        file.write(list(rows))


class AspectWriter:
    """Writes aspects to a new file, many at a time."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetWriter(path, SCHEMA, compression="zstd")

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._file.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._file.close()


def read_aspects(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """As a frame; name the columns that are needed, where there may be millions."""
    return pq.read_table(path, columns=list(columns) if columns else None).to_pandas()


def kept_aspects(path: Path) -> Columns[KeptAspect]:
    """All of them, by row."""
    return Columns.of(pq.read_table(path), kept)


def kept(row: Mapping[str, Any]) -> KeptAspect:
    """One row of the table as an aspect."""
    quote = Quote(review_id=row["review_id"], start=row["start"], end=row["end"], text=row["text"])
    aspect = Aspect(kind=AspectKind(row["kind"]), sentiment=Sentiment(row["sentiment"]), label=row["label"], quote=quote)
    return KeptAspect(row["aspect_id"], row["item_id"], row["user_id"], row["rating"], aspect)
