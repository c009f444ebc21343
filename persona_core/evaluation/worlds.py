"""Worlds that know nothing of the future: a catalogue cut at a split, and everything built anew from what is left.

A held-out review never reaches an aspect, a persona, a profile or a pair, because the world in which those are made does not have it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persona_core.catalog import store
from persona_core.catalog.steps import SPLITS
from persona_core.files import canonical_json, digest, write_beside
from persona_core.personas.steps import ASPECT_STEP, PERSONA_STEP
from persona_core.pipeline import Counts, Pipeline, Step, StepContext
from persona_core.progress import Listener, nobody
from persona_core.settings import FILE_NAME, settings_without_source
from persona_core.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Cut:
    """Which reviews a world may know: those that `split` gives one of `parts`, of `scenarios` (empty: all)."""

    split: str
    parts: tuple[str, ...]
    scenarios: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        mark = digest(canonical_json([self.split, self.parts, self.scenarios]))[:8]
        return f"{'-'.join((self.split.replace('_', '-'), *self.parts))}-{mark}"


def known_reviews(source: Workspace, cut: Cut) -> set[str]:
    """The ids of the reviews that lie on this side of the cut."""
    parts = pq.read_table(source.artefact("splits").file(SPLITS), columns=["review_id", cut.split])
    return set(parts.filter(pc.is_in(parts[cut.split], pa.array(cut.parts)))["review_id"].to_pylist())


def cut_world(source: Workspace, cut: Cut, home: Path | None = None, listener: Listener = nobody) -> Workspace:
    """A workspace beside the source's steps, with aspects and personas of what the cut leaves; built where it is not."""
    place = Workspace.at((home or source.root / "evaluation") / cut.name)
    write_beside(place.root / FILE_NAME, settings_without_source(source.root).encode())
    Pipeline((_cut_step(source, cut), ASPECT_STEP, PERSONA_STEP), place).build(listener=listener)
    return place


def _cut_step(source: Workspace, cut: Cut) -> Step:
    return Step(
        name="catalog",
        title="Leaving out what comes later",
        reads=(),
        writes=(store.ITEMS, store.USERS, store.REVIEWS, store.REJECTED),
        run=lambda context: _write_cut(context, source, cut),
        code=("persona_core.catalog", "persona_core.evaluation.worlds"),
        sources=lambda _: {name: source.artefact(name).manifest.content for name in ("catalog", "splits")} | {"cut": cut.name},
    )


def _write_cut(context: StepContext, source: Workspace, cut: Cut) -> Counts:
    made = source.artefact("catalog")
    items = pq.read_table(made.file(store.ITEMS))
    if cut.scenarios:
        items = items.filter(pc.is_in(items["scenario"], pa.array(cut.scenarios)))
    reviews = pq.read_table(made.file(store.REVIEWS))
    keep = pc.and_(
        pc.is_in(reviews["review_id"], pa.array(sorted(known_reviews(source, cut)))), pc.is_in(reviews["item_id"], items["item_id"])
    )
    left = reviews.filter(keep)
    pq.write_table(items, context.file(store.ITEMS), compression="zstd")
    pq.write_table(pq.read_table(made.file(store.USERS)), context.file(store.USERS), compression="zstd")
    pq.write_table(left, context.file(store.REVIEWS), compression="zstd")
    context.file(store.REJECTED).write_bytes(b"")
    return {"reviews": left.num_rows, "left out": reviews.num_rows - left.num_rows}
