"""The map of personas: every one in two dimensions, so that those who want alike lie together, and the regions with their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from persona_core.files import file_digest, write_json
from persona_core.personas.files import PERSONAS, VECTORS, open_personas, read_vectors
from persona_core.personas.regions import THEMES, Labels, Points, Region, grouped, how_many, regions_of
from persona_core.pipeline import Counts, Step, StepContext
from persona_core.schema import Persona
from persona_core.text.encoder import Matrix
from persona_core.workspace import Artefact

MAP, REGIONS = "map.parquet", "regions.json"
SCHEMA = pa.schema([("persona_id", pa.string()), ("x", pa.float64()), ("y", pa.float64()), ("region", pa.string())])
FEWEST_TO_FIT = 5
"""Fewer are laid out along their main axes: there are no neighbourhoods to find."""
MOST_TO_FIT = 6_000
AXES, NEIGHBOURS, PERPLEXITY, ROUNDS = 50, 5, 30.0, 750
WIDTH = 100.0
"""From the middle of the map to its farthest persona."""
ROOM, STEPS_ASIDE = 0.42, 60
"""How much of its even share of the map each persona gets to itself, and in how many steps."""
GOLDEN = 2.399963
"""The golden angle."""


def placed(vectors: Matrix, seed: int) -> tuple[Points, Labels]:
    """A point for each row, and its region. The same rows and seed give the same points."""
    import sklearn.manifold  # noqa: F401 - before the limit, which holds for what is loaded by then
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

    with threadpool_limits(1):  # sums made by several threads differ in their last digits, and a map in all of its places
        rows = _fitted_rows(len(vectors), seed)
        points = _scaled(_fitted(vectors[rows], seed))
        labels = grouped(points, how_many(len(vectors)))
        points = _scaled(_apart(points))
        return _with_the_others(vectors, rows, points, labels)


def _fitted_rows(count: int, seed: int) -> Labels:
    if count <= MOST_TO_FIT:
        return np.arange(count, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(count, MOST_TO_FIT, replace=False)).astype(np.int64)


def _fitted(vectors: Matrix, seed: int) -> Points:
    """Where these lie, by their neighbourhoods; where there are too few of those, along their main axes."""
    main = _main_axes(vectors)
    if len(vectors) < FEWEST_TO_FIT or len(np.unique(main, axis=0)) < FEWEST_TO_FIT:
        return main[:, :2]
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, max_iter=ROUNDS, n_jobs=1)
    found: Points = tsne.fit_transform(main.astype(np.float32)).astype(np.float64)
    return found if np.isfinite(found).all() else main[:, :2]


def _main_axes(vectors: Matrix) -> Points:
    """The rows along their main axes, at least two; each axis points where its largest part is positive."""
    centred = vectors.astype(np.float64) - (vectors.mean(0) if len(vectors) else 0.0)
    if not len(centred):
        return np.zeros((0, 2))
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:AXES]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None] + 0.0
    found: Points = centred @ axes.T
    return np.pad(found, ((0, 0), (0, max(0, 2 - found.shape[1]))))


def _scaled(points: Points) -> Points:
    """Around the middle, as wide as the map, with no more digits than can be seen."""
    if not len(points):
        return points
    centred = points - (points.max(0) + points.min(0)) / 2
    widest = float(np.abs(centred).max())
    return np.asarray(np.round(centred * (WIDTH / widest if widest > 1e-9 else 0.0), 3) + 0.0, np.float64)


def _apart(points: Points) -> Points:
    """Those that would cover each other step aside, a little at a time, so that each can be seen and met."""
    from scipy.spatial import cKDTree

    if len(points) < FEWEST_TO_FIT:
        return points
    room = ROOM * math.sqrt((2 * WIDTH) ** 2 / len(points))
    angles = np.arange(len(points)) * GOLDEN  # who lies on the very same spot is sent off each its own way
    points = points + 1e-3 * np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(STEPS_ASIDE):
        pairs = cKDTree(points).query_pairs(room, output_type="ndarray")
        if not len(pairs):
            break
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
        between = points[pairs[:, 0]] - points[pairs[:, 1]]
        length = np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-9)
        push = np.minimum(0.25 * (room - length), room / 8) * between / length
        np.add.at(points, pairs[:, 0], push)
        np.add.at(points, pairs[:, 1], -push)
    return points


def _with_the_others(vectors: Matrix, rows: Labels, points: Points, labels: Labels) -> tuple[Points, Labels]:
    """Those that were not fitted lie at the middle of their nearest neighbours that were, the nearer the heavier."""
    if len(rows) == len(vectors):
        return points, labels
    everywhere, everyone = np.zeros((len(vectors), 2)), np.zeros(len(vectors), np.int64)
    everywhere[rows], everyone[rows] = points, labels
    others = np.setdiff1d(np.arange(len(vectors)), rows)
    for start in range(0, len(others), 1_000):
        some = others[start : start + 1_000]
        cosines = vectors[some] @ vectors[rows].T
        near = np.argsort(-cosines, axis=1, kind="stable")[:, :NEIGHBOURS]
        weights = np.maximum(np.take_along_axis(cosines, near, axis=1).astype(np.float64), 1e-6) ** 4
        everywhere[some] = np.round((points[near] * weights[..., None]).sum(1) / weights.sum(1)[:, None], 3)
        everyone[some] = labels[near[:, 0]]
    return everywhere, everyone


# The step ----------------------------------------------------------------------------------------------------------------


def draw_map(context: StepContext) -> Counts:
    made = context.inputs["personas"]
    personas = open_personas(made.file(PERSONAS))
    points, labels = placed(read_vectors(made.file(VECTORS)), context.settings.seed)
    regions = regions_of(personas, points, labels)
    write_map(context.folder, personas, points, labels, regions)
    return {"personas": len(personas), "regions": len(regions)}


def write_map(folder: Path, personas: Sequence[Persona], points: Points, labels: Labels, regions: Sequence[Region]) -> None:
    columns = ([one.id for one in personas], points[:, 0], points[:, 1], [regions[label].name for label in labels])
    pq.write_table(pa.Table.from_arrays([pa.array(column) for column in columns], schema=SCHEMA), folder / MAP, compression="zstd")
    write_json(folder / REGIONS, [asdict(one) for one in regions])


def read_map(artefact: Artefact) -> tuple[pd.DataFrame, list[Region]]:
    """Every persona's place and region, and the regions, the largest first."""
    regions = [Region(**one) for one in orjson.loads(artefact.file(REGIONS).read_bytes())]
    return pq.read_table(artefact.file(MAP)).to_pandas(), regions


MAP_STEP = Step(
    name="map",
    title="Drawing the map of personas",
    reads=("catalog", "personas"),
    writes=(MAP, REGIONS),
    run=draw_map,
    code=("persona_core.personas.map", "persona_core.personas.regions", "persona_core.text.phrases"),
    sources=lambda _: {"themes": file_digest(THEMES)},
)
