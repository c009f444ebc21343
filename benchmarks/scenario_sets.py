"""Sets of several scenarios to try the models on: the demo world, Douban's books, music and movies, MovieLens by age of the viewer."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from persona_core.alignment.head import unit
from persona_core.catalog.splits import moments_of, point_in_time
from persona_core.catalog.steps import SPLITS
from persona_core.catalog.store import Catalog
from persona_core.evaluation.worlds import Cut, cut_world
from persona_core.profiles.building import build_profile
from persona_core.scenarios.carried import Carrying, as_numbers
from persona_core.scenarios.inputs import Known
from persona_core.scenarios.samples import PARTS, Lessons, Samples, lessons_from
from persona_core.scenarios.work import Knowing
from persona_core.schema import PriceBand
from persona_core.text.encoder import DIMENSION, BaseEncoder, Matrix
from persona_core.text.sentences import sentence_spans
from persona_core.workspace import Workspace

BEHAVIOUR = 16
"""So many directions of a scenario's likes make a person's knowledge where there are no words."""
AGES = (25, 35, 50)
"""Viewers younger than these, and the rest, are the scenarios of MovieLens."""


@dataclass(frozen=True)
class Set:
    lessons: Lessons
    known: Known
    users: Matrix
    """Knowledge of each person, of the training period alone."""
    scenarios: Matrix

    @property
    def cold(self) -> npt.NDArray[np.bool_]:
        """Test samples of people who were met in training, but never in that scenario."""
        train, test = self.lessons.train, self.lessons.test
        there = set(zip(train.users.tolist(), train.scenarios.tolist(), strict=True))
        met = set(train.users.tolist())
        pairs = zip(test.users.tolist(), test.scenarios.tolist(), strict=True)
        return np.array([(user, at) not in there and user in met for user, at in pairs], bool)


# With words --------------------------------------------------------------------------------------------------------------


def demo(source: Workspace, seed: int) -> Set:
    """Knowledge, texts of profiles and everything else from the reviews before the validation alone."""
    catalog = Catalog.of(source.artefact("catalog"))
    reviews, items = catalog.reviews(["review_id", "user_id", "item_id", "rating", "time"]), catalog.items()
    split = pq.read_table(source.artefact("splits").file(SPLITS), columns=["review_id", "point_in_time"]).to_pandas()
    parts = reviews["review_id"].map(dict(zip(split["review_id"], split["point_in_time"], strict=True)))
    lessons = lessons_from(reviews, items, parts, seed=seed)
    knowing = Knowing.of(cut_world(source, Cut("point_in_time", ("train",))))
    ground, world = knowing.ground, knowing.ground.world
    assert world.items == lessons.item_ids  # nosec B101 # the benchmark's own
    assert tuple(ground.names) == lessons.scenario_names  # nosec B101 # the benchmark's own
    encoder = BaseEncoder()
    told = dict(zip(ground.users, as_numbers(ground, Carrying.learned(ground)), strict=True))
    profiles = {user: build_profile(user, visits, world.items, world.known, world.now).text for user, visits in world.visits.items()}
    of_scenarios = [
        " ".join([one.text, *(pair.text for pair in knowing.pairs if one.scenario in (pair.one, pair.other))]) for one in knowing.every
    ]
    bands = [str(band) for band in PriceBand]
    prices = np.array([[float(band == one) for one in bands] for band in items["price_band"]], np.float32)
    texts = [f"{title}. {said}" for title, said in zip(items["title"], items["description"], strict=True)]
    known = Known(
        len(lessons.user_ids), len(lessons.item_ids), len(lessons.scenario_names), prices, encoder.topics(texts),
        _vectors([profiles.get(user, "") for user in lessons.user_ids], encoder),
    )  # fmt: skip
    nothing = np.zeros_like(told[ground.users[0]])
    users = np.array([told.get(user, nothing) for user in lessons.user_ids])
    return Set(lessons, known, users, _vectors(of_scenarios, encoder))


def _vectors(texts: list[str], encoder: BaseEncoder) -> Matrix:
    """The middle of each text's sentences, at length 1; zeros for no text."""
    cut = [[text[start:end] for start, end in sentence_spans(text)] for text in texts]
    every = sorted({sentence for some in cut for sentence in some})
    vectors = dict(zip(every, encoder.topics(every), strict=True))
    rows = [np.mean([vectors[one] for one in some], axis=0) if some else np.zeros(DIMENSION) for some in cut]
    return unit(np.asarray(rows, np.float32))


# Without words -----------------------------------------------------------------------------------------------------------


def douban(folder: Path) -> Set:
    """As published: a random split, likes and dislikes; the training part of movies is missing, so its validation part trains."""
    names = ("music", "book", "movie")
    frames = []
    for name in names:
        for part in PARTS:
            file = folder / f"{name}_{'val' if part == 'valid' else part}.csv.gz"
            if file.exists():
                with gzip.open(file, "rt") as lines:
                    frames.append(pd.read_csv(lines, header=0, names=["scenario", "user", "item", "label"]).assign(part=part))
    every = pd.concat(frames, ignore_index=True)
    lone = every["scenario"] == names.index("movie")
    every.loc[lone & (every["part"] == "valid"), "part"] = "train"
    return _of_ids(every.assign(item=every["scenario"].astype(str) + " " + every["item"].astype(str)), names)


def movielens(folder: Path) -> Set:
    """Ratings in time, liked from four stars; three are left out. Everybody is in one scenario only: their age."""
    ratings = pd.read_csv(folder / "ml-100k.inter", sep="\t", header=0, names=["user", "item", "rating", "time"])
    ages = pd.read_csv(folder / "ml-100k.user", sep="\t", header=0).iloc[:, :2].set_axis(["user", "age"], axis=1)
    rows = ratings.merge(ages, on="user")
    times = rows.assign(time=pd.to_datetime(rows["time"], unit="s", utc=True))
    rows["part"] = point_in_time(times, moments_of(times, 0.1, 0.1)).to_numpy()
    rows = rows[rows["rating"] != 3]
    rows["label"] = (rows["rating"] > 3).astype(int)
    rows["scenario"] = np.searchsorted(AGES, rows["age"], side="right")
    return _of_ids(rows, (*(f"under {age}" for age in AGES), f"from {AGES[-1]}"))


def _of_ids(rows: pd.DataFrame, names: tuple[str, ...]) -> Set:
    users, items = sorted(rows["user"].unique()), sorted(rows["item"].unique())
    codes = {
        "users": rows["user"].map({one: place for place, one in enumerate(users)}).to_numpy(np.int64),
        "items": rows["item"].map({one: place for place, one in enumerate(items)}).to_numpy(np.int64),
        "scenarios": rows["scenario"].to_numpy(np.int64),
        "labels": rows["label"].to_numpy(np.float32),
    }
    made = {part: _samples(codes, (rows["part"] == part).to_numpy()) for part in PARTS}
    scenario_of = np.zeros(len(items), np.int64)
    scenario_of[codes["items"]] = codes["scenarios"]
    lessons = Lessons(**made, user_ids=tuple(map(str, users)), item_ids=tuple(map(str, items)), scenario_names=names,
                      item_scenarios=scenario_of)  # fmt: skip
    of_users = _behaviour(lessons)
    train = lessons.train
    of_scenarios = np.stack([
        of_users[np.unique(train.users[train.scenarios == at])].mean(0) if (train.scenarios == at).any() else of_users[0] * 0
        for at in range(len(names))
    ])  # fmt: skip
    return Set(lessons, Known(len(users), len(items), len(names)), of_users, unit(of_scenarios.astype(np.float32)))


def _samples(codes: Mapping[str, Any], rows: npt.NDArray[np.bool_]) -> Samples:
    own = {name: values[rows] for name, values in codes.items()}
    many = len(own["users"])
    return Samples(**own, recency=np.zeros(many, np.float32), drawn=np.zeros(many, bool))


def _behaviour(lessons: Lessons) -> Matrix:
    """What people like and dislike in each scenario, as a few directions of each, side by side."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import svds

    train, found = lessons.train, []
    for at in range(len(lessons.scenario_names)):
        rows = train.scenarios == at
        shape = len(lessons.user_ids), len(lessons.item_ids)
        said = coo_matrix((2 * train.labels[rows] - 1, (train.users[rows], train.items[rows])), shape).tocsr()
        first = np.random.default_rng(at).normal(size=min(shape))
        left, strength, _ = svds(said.astype(np.float64), k=BEHAVIOUR, v0=first)
        found.append(unit((left * strength).astype(np.float32)))
    return np.asarray(np.concatenate(found, axis=1) / len(found) ** 0.5, np.float32)


REAL: Mapping[str, Any] = {"douban": douban, "ml-100k": movielens}


def real_sets(folder: Path, only: str | None) -> Iterator[tuple[str, Set]]:
    for name, read in REAL.items():
        if only in (None, name) and (folder / name).exists():
            yield name, read(folder / name)
