"""Real sets of several scenarios, without words: Douban's books, music and movies, MovieLens by age of the viewer."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from persona_core.alignment.head import unit
from persona_core.catalog.splits import moments_of, point_in_time
from persona_core.scenarios.inputs import Known
from persona_core.scenarios.samples import PARTS, Lessons, Samples
from persona_core.scenarios.schooling import Schooling
from persona_core.text.encoder import Matrix

BEHAVIOUR = 16
"""So many directions of a scenario's likes make a person's knowledge where there are no words."""
AGES = (25, 35, 50)
"""Viewers younger than these, and the rest, are the scenarios of MovieLens."""


def douban(folder: Path) -> Schooling:
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


def movielens(folder: Path) -> Schooling:
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


def _of_ids(rows: pd.DataFrame, names: tuple[str, ...]) -> Schooling:
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
    return Schooling(lessons, Known(len(users), len(items), len(names)), of_users, unit(of_scenarios.astype(np.float32)))


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


def real_sets(folder: Path, only: str | None) -> Iterator[tuple[str, Schooling]]:
    for name, read in REAL.items():
        if only in (None, name) and (folder / name).exists():
            yield name, read(folder / name)
