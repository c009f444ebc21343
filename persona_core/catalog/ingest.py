"""Reads a source into the catalogue's files: reviews first, as a stream, then the items and users that they speak of."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persona_core.catalog import store
from persona_core.catalog.cleaning import LONGEST_ID, LONGEST_NAME, LONGEST_TEXT, Cleaner, RejectLog
from persona_core.catalog.fields import ItemFields, Position, Reject
from persona_core.catalog.kcore import in_core
from persona_core.catalog.readers import reader_for
from persona_core.catalog.readers.base import Reader
from persona_core.errors import SourceError
from persona_core.schema import PriceBand
from persona_core.settings import SourceSettings

LONGEST_TITLE = 1_000
"""Titles of real items have up to some five hundred characters; more is cut, for pages and prompts show them."""

Tell = Callable[[int, int, str], None]


def ingest(source: SourceSettings, folder: Path, tell: Tell) -> dict[str, int | float | str]:
    """Writes the catalogue into `folder` and returns what it holds and what was refused."""
    reader = reader_for(source)
    with without_gc(), RejectLog(folder / store.REJECTED) as rejects:
        cleaner = Cleaner(rejects, source.rating_scale)
        _write_reviews(reader, cleaner, folder / store.REVIEWS, tell)
        dropped = _keep_core(folder / store.REVIEWS, source.k_core)
        ids = ["user_id", "item_id"]
        reviews = pq.read_table(folder / store.REVIEWS, columns=[*ids, "text"], read_dictionary=ids)
        items, nameless = _items(reader, rejects, _distinct(reviews, "item_id"))
        users = _users(reader, cleaner.names, _distinct(reviews, "user_id"))
    store.write_rows(folder / store.ITEMS, items, store.ITEM_SCHEMA)
    store.write_rows(folder / store.USERS, users, store.USER_SCHEMA)
    texts = pc.sum(pc.not_equal(reviews["text"], "")).as_py() or 0
    counts = {"items": len(items), "users": len(users), "reviews": reviews.num_rows, "with text": texts}
    counts |= {"outside the core": dropped} if dropped else {}
    counts |= {"items without a title": nameless} if nameless else {}
    counts["rejected"] = rejects.counts.total()
    return {**counts, **{f"{store.REJECT_PREFIX}{reason}": count for reason, count in sorted(rejects.counts.items())}}


@contextmanager
def without_gc() -> Iterator[None]:
    """Spares the collector: millions of small rows are made here, and none of them refers to another."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _write_reviews(reader: Reader, cleaner: Cleaner, path: Path, tell: Tell) -> None:
    files = reader.review_files
    position = Position(total=sum(file.stat().st_size for file in files))
    with store.ReviewWriter(path) as writer:
        for file in files:
            for batch in cleaner.batches(file, reader.reviews(file, position)):
                writer.write(batch)
                share = min(1.0, position.done / max(1, position.total))
                tell(writer.rows, round(writer.rows / share) if share else 0, "reviews")
    if writer.rows == 0:
        raise _nothing_left(files, cleaner.rejects)


def _nothing_left(files: list[Path], rejects: RejectLog) -> SourceError:
    names = ", ".join(file.name for file in files)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in rejects.counts.most_common())
    return SourceError(
        f"No usable review is in {names}.",
        why=f"Rejected were: {reasons}." if reasons else "There is no row in it.",
        mend="check the columns (--map user=… --map item=… --map time=…) and the rating scale (--rating-scale LOW HIGH)",
    )


def _keep_core(path: Path, k: int) -> int:
    """Drops reviews outside the k-core and says how many."""
    if k <= 1:
        return 0
    ids = pq.read_table(path, columns=["user_id", "item_id"], read_dictionary=["user_id", "item_id"])
    kept = in_core(_codes(ids["user_id"]), _codes(ids["item_id"]), k)
    if not kept.any():
        raise SourceError(f"No review is left in the {k}-core.", mend="choose a smaller --k-core")
    whole = pq.ParquetFile(path)
    with store.ReviewWriter(beside := path.with_suffix(".core")) as writer:
        start = 0
        for batch in whole.iter_batches():
            chosen = pa.array(kept[start : start + batch.num_rows])
            writer.write_table(pa.Table.from_batches([batch.filter(chosen)], schema=store.REVIEW_SCHEMA))
            start += batch.num_rows
    whole.close()
    beside.replace(path)
    return int((~kept).sum())


def _codes(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    codes: np.ndarray[Any, np.dtype[np.int64]] = column.unify_dictionaries().combine_chunks().indices.to_numpy()
    return codes.astype(np.int64)


def _distinct(reviews: pa.Table, column: str) -> set[str]:
    values = reviews[column].unify_dictionaries().chunks
    return set(values[0].dictionary.to_pylist()) if values else set()


def _items(reader: Reader, rejects: RejectLog, reviewed: set[str]) -> tuple[list[dict[str, Any]], int]:
    """The items that were reviewed, sorted by id, and how many of them had to be made from their id alone."""
    found: dict[str, ItemFields] = {}
    file = (reader.other_files or reader.review_files)[0]
    for line, item in reader.items():
        if isinstance(item, Reject) or not 0 < len(item.id) <= LONGEST_ID:
            rejects.add(file, line, item if isinstance(item, Reject) else Reject("item without id" if not item.id else "id too long"))
        elif item.id in found:
            rejects.add(file, line, Reject("duplicate item id", item.id))
        elif item.id in reviewed or reader.source.keep_unreviewed:
            found[item.id] = item
    nameless = sum(1 for item_id in reviewed if item_id not in found or not found[item_id].title)
    for item_id in reviewed - found.keys():
        found[item_id] = ItemFields(item_id)
    bands = _price_bands(found.values(), reader.default_scenario)
    return [_item_row(found[item_id], reader.default_scenario, bands) for item_id in sorted(found)], nameless


def _item_row(item: ItemFields, default_scenario: str, bands: dict[str, tuple[float, float]]) -> dict[str, Any]:
    scenario = item.scenario or default_scenario
    return {
        "item_id": item.id,
        "scenario": scenario[:LONGEST_NAME],
        "title": item.title[:LONGEST_TITLE] or item.id,
        "maker": item.maker[:LONGEST_NAME],
        "description": item.description[:LONGEST_TEXT],
        "price": item.price,
        "price_band": item.price_band or _band(item.price, bands.get(scenario)),
        "attributes": orjson.dumps(item.attributes, option=orjson.OPT_SORT_KEYS).decode(),
    }


def _price_bands(items: Iterable[ItemFields], default_scenario: str) -> dict[str, tuple[float, float]]:
    """Per scenario, the prices at which the middle third begins and ends."""
    prices: dict[str, list[float]] = {}
    for item in items:
        if item.price is not None:
            prices.setdefault(item.scenario or default_scenario, []).append(item.price)
    thirds = {scenario: np.quantile(values, [1 / 3, 2 / 3]) for scenario, values in prices.items()}
    return {scenario: (float(low), float(high)) for scenario, (low, high) in thirds.items()}


def _band(price: float | None, bounds: tuple[float, float] | None) -> str | None:
    if price is None or bounds is None:
        return None
    if price <= bounds[0]:
        return PriceBand.BUDGET
    return PriceBand.MIDDLE if price <= bounds[1] else PriceBand.PREMIUM


def _users(reader: Reader, names: dict[str, str], wanted: set[str]) -> list[dict[str, Any]]:
    """The people who reviewed, sorted by id; who has no name is shown by id."""
    known = {user: name for user, name in chain(names.items(), reader.users()) if user in wanted and name}
    return [{"user_id": user, "name": known.get(user, user)[:LONGEST_NAME]} for user in sorted(wanted)]
