"""Worlds that know nothing of the future: a catalogue cut at a split, and everything built anew from what is left.

A held-out review never reaches an aspect, a persona, a profile or a pair, because the world in which those are made does not have it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persona_core.catalog import store
from persona_core.catalog.splits import Moments
from persona_core.catalog.steps import SPLITS
from persona_core.files import canonical_json, digest, write_beside
from persona_core.personas.aspects import ASPECTS, read_aspects, write_aspects
from persona_core.personas.files import VECTORS
from persona_core.personas.steps import ASPECT_STEP, PERSONA_STEP
from persona_core.pipeline import Counts, Pipeline, Step, StepContext
from persona_core.progress import Listener, nobody
from persona_core.schema import AspectKind
from persona_core.settings import FILE_NAME, settings_without_source
from persona_core.text.stored import Stored, StoredWriter
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
    place = cut_place(source, cut, home)
    write_beside(place.root / FILE_NAME, settings_without_source(source.root).encode())
    Pipeline(cut_steps(source, cut), place).build(listener=listener)
    return place


def cut_place(source: Workspace, cut: Cut, home: Path | None = None) -> Workspace:
    """Where such a world is, or would be."""
    return Workspace.at((home or source.root / "evaluation") / cut.name)


def cut_steps(source: Workspace, cut: Cut) -> tuple[Step, Step, Step]:
    """How such a world comes to be; others may add steps of theirs."""
    return _cut_step(source, cut), ASPECT_STEP, PERSONA_STEP


def split_moments(source: Workspace, reviews: pd.DataFrame) -> Moments:
    """When validation and when the test begin, in the split at one moment; `reviews` are the source's, with review_id and time."""
    parts = pq.read_table(source.artefact("splits").file(SPLITS), columns=["review_id", "point_in_time"]).to_pandas()
    part_of = dict(zip(parts["review_id"], parts["point_in_time"], strict=True))
    times = reviews["time"].groupby(reviews["review_id"].map(part_of)).min()
    return Moments(times["valid"], times["test"])


def without_kind(cut: Workspace, kind: AspectKind, listener: Listener = nobody) -> Workspace:
    """A cut world in which nobody ever said anything of this kind: its aspects are left out and the personas written anew."""
    place = Workspace.at(cut.root.parent / f"{cut.root.name}-no-{kind}")
    write_beside(place.root / FILE_NAME, settings_without_source(cut.root).encode())
    Pipeline((_copy_step(cut), _fewer_step(cut, kind), PERSONA_STEP), place).build(listener=listener)
    return place


def _copy_step(cut: Workspace) -> Step:
    def run(context: StepContext) -> Counts:
        made = cut.artefact("catalog")
        for name in made.manifest.files:
            shutil.copyfile(made.file(name), context.file(name))
        return dict(made.manifest.counts)

    return _made_here("catalog", "Taking over the catalogue", (), (store.ITEMS, store.USERS, store.REVIEWS, store.REJECTED), run, cut)


def _fewer_step(cut: Workspace, kind: AspectKind) -> Step:
    def run(context: StepContext) -> Counts:
        made = cut.artefact("aspects")
        rows = read_aspects(made.file(ASPECTS))
        keep = (rows["kind"] != str(kind)).to_numpy()
        write_aspects(context.file(ASPECTS), rows[keep].to_dict("records"))
        with StoredWriter(context.file(VECTORS)) as file:
            file.write(Stored(made.file(VECTORS))[np.flatnonzero(keep)])
        return {"aspects": int(keep.sum()), "left out": int((~keep).sum())}

    return _made_here("aspects", f"Leaving out each {kind}", ("catalog",), (ASPECTS, VECTORS), run, cut)


def _made_here(
    name: str, title: str, reads: tuple[str, ...], writes: tuple[str, ...], run: Callable[[StepContext], Counts], cut: Workspace
) -> Step:
    def sources(_: Workspace) -> dict[str, str]:
        return {"cut": cut.artefact(name).manifest.content}

    return Step(name=name, title=title, reads=reads, writes=writes, run=run, code=("persona_core.evaluation.worlds",), sources=sources)


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
