"""Small worlds of interactions for the tests of ranking, and every scorer fitted on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from hypothesis import settings

from persona_core.ranking import ALS, EASE, Interactions, ItemKNN, Popularity, RecentPopularity, Scorer

patient = settings(deadline=None, max_examples=60)
"""Other work shares these cores: how long an example takes says nothing."""

Row = tuple[str, str, float, int]
"""User, item, rating, and the day."""
START = pd.Timestamp("2024-01-01", tz="UTC")
DAY = 24 * 60 * 60
ITEMS = tuple("abcdefgh")
"""The last, h, nobody comes to."""

IMPERSONAL: dict[str, Callable[[Interactions], Scorer]] = {
    "popularity": Popularity.fit,
    "recent popularity": partial(RecentPopularity.fit, half_life_days=20),
}
PERSONAL: dict[str, Callable[[Interactions], Scorer]] = {
    "neighbours": partial(ItemKNN.fit, neighbours=4, shrinkage=1.0),
    "neighbours of late": partial(ItemKNN.fit, neighbours=4, shrinkage=1.0, recency=0.7),
    "linear": partial(EASE.fit, regularisation=5.0),
    "factors": partial(ALS.fit, rank=2, regularisation=1.0, alpha=5.0, iterations=20),  # a factor a taste
}
SCORERS = {**IMPERSONAL, **PERSONAL}


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "day"]).astype({"rating": "float32"})
    frame["time"] = START + pd.to_timedelta(frame.pop("day").astype("int64"), unit="D")
    return frame


def interactions_of(rows: Sequence[Row], items: Sequence[str] = ITEMS) -> Interactions:
    return Interactions.of(frame_of(rows), items)


def two_tastes() -> Interactions:
    """Ten people come to some of a, b, c and ten to some of d, e, f; g is rare. Nobody comes to both sides, or to h."""
    rng = np.random.default_rng(5)
    rows: list[Row] = [("u00", "g", 4.0, 30)]
    for user in range(20):
        kind = "abc" if user < 10 else "def"
        rows += [(f"u{user:02d}", item, 4.0, int(rng.integers(90))) for item in rng.choice(list(kind), 2, replace=False)]
    return interactions_of(rows)


def seconds(day: int) -> int:
    return int(START.timestamp()) + day * DAY
