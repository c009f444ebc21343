"""The catalogue's steps of the build: reading the source, and hiding the future."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from persona_core.catalog import store
from persona_core.catalog.ingest import ingest
from persona_core.catalog.readers import reader_for
from persona_core.catalog.splits import last_item_out, moments_of, point_in_time
from persona_core.errors import SourceError, WorkspaceMissing
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.settings import SourceSettings
from persona_core.sources import FileDigests
from persona_core.workspace import Workspace

SPLITS = "splits.parquet"


def source_of(workspace: Workspace) -> SourceSettings:
    source = workspace.settings.source
    if source is None:
        raise WorkspaceMissing(
            f"{workspace.root} has no data yet.",
            why="Its workspace.toml names no [source].",
            mend=f"`{workspace.command('build --from demo')}`, or --from PATH for your own data",
        )
    return source


def _source_files(workspace: Workspace) -> dict[str, str]:
    reader = reader_for(source_of(workspace))
    files: list[Path] = [*reader.review_files, *reader.other_files]
    return FileDigests(workspace.root / ".digests.json").of(files)


def _read_source(context: StepContext) -> Counts:
    return ingest(source_of(context.workspace), context.folder, context.progress)


def _split(context: StepContext) -> Counts:
    catalog = store.Catalog.of(context.inputs["catalog"])
    reviews = catalog.reviews(["review_id", "user_id", "item_id", "time"])
    shares = context.settings.splits
    moments = moments_of(reviews, shares.valid_share, shares.test_share)
    if not (reviews["time"].min() < moments.valid < moments.test):
        raise SourceError(
            "These reviews cannot be split in time.",
            why=f"They run from {reviews['time'].min()} to {reviews['time'].max()}, with too few different dates.",
            mend="check which column holds the date: --map time=COLUMN",
        )
    parts = reviews[["review_id"]].assign(last_item_out=last_item_out(reviews), point_in_time=point_in_time(reviews, moments))
    table = pa.Table.from_pandas(parts, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, context.file(SPLITS), compression="zstd")
    counts: Counts = {"users with a test item": int((parts["last_item_out"] == "test").sum())}
    counts |= {part: int((parts["point_in_time"] == part).sum()) for part in ("train", "valid", "test")}
    return counts | {"valid from": f"{moments.valid:%Y-%m-%d}", "test from": f"{moments.test:%Y-%m-%d}"}


CATALOG = Step(
    name="catalog",
    title="Reading the data",
    reads=(),
    writes=(store.ITEMS, store.USERS, store.REVIEWS, store.REJECTED),
    run=_read_source,
    code=("persona_core.catalog",),
    settings=lambda settings: settings.source and settings.source.model_dump(mode="json", exclude={"path", "items", "users"}),
    sources=_source_files,
)
SPLIT = Step(
    name="splits",
    title="Hiding the future for fair tests",
    reads=("catalog",),
    writes=(SPLITS,),
    run=_split,
    code=("persona_core.catalog.splits", "persona_core.catalog.steps"),
    settings=lambda settings: settings.splits.model_dump(),
)
