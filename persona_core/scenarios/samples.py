"""Lessons of a model of several scenarios: who met what where, and whether they liked it, parted in time."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from persona_core.profiles.asking import DISLIKED, LIKED
from persona_core.profiles.evidence import pleased

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float32]
PARTS: Final = ("train", "valid", "test")
RENOWN = 0.75
"""Things that nobody is known to dislike are drawn by popularity to this power: among things nobody knows everything is easy."""
DAY = 86_400
LONG_AGO = 365.0


@dataclass(frozen=True, slots=True)
class Samples:
    """One entry each: somebody, a thing, its scenario, how long ago they last did anything, and whether they liked it."""

    users: Codes
    items: Codes
    scenarios: Codes
    recency: Numbers
    """log(1 + days) since their last visit anywhere; what is not known is long ago."""
    labels: Numbers
    drawn: npt.NDArray[np.bool_]
    """Nobody said that they dislike it: it was drawn."""

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: Any) -> Samples:
        return replace(self, **{one.name: getattr(self, one.name)[rows] for one in fields(self)})


@dataclass(frozen=True, slots=True)
class Lessons:
    train: Samples
    valid: Samples
    test: Samples
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    scenario_names: tuple[str, ...]
    item_scenarios: Codes

    @property
    def facts(self) -> dict[str, Any]:
        """How many lessons, how many of them liked, and how many of the others were drawn."""
        return {
            name: {"samples": len(one), "liked": int(one.labels.sum()), "drawn": int(one.drawn.sum())}
            for name, one in ((part, getattr(self, part)) for part in PARTS)
        }


def lessons_from(reviews: pd.DataFrame, items: pd.DataFrame, parts: pd.Series, negatives: int = 1, seed: int = 7) -> Lessons:
    """From dated reviews: liked or disliked by their rating, what lies between is left out; to each liked one so many are drawn.

    Args:
        reviews: columns user_id, item_id, rating, time.
        items: columns item_id, scenario.
        parts: train, valid or test for each review; others are left out.
    """
    users, item_ids = sorted(reviews["user_id"].unique()), items["item_id"].tolist()
    names = sorted(items["scenario"].unique())
    code = {item: place for place, item in enumerate(item_ids)}
    scenario_of = items["scenario"].map({name: place for place, name in enumerate(names)}).to_numpy(np.int64)
    seconds = reviews["time"].map(pd.Timestamp.timestamp).to_numpy(np.float64)
    rows = pd.DataFrame({
        "user": reviews["user_id"].map({user: place for place, user in enumerate(users)}).to_numpy(np.int64),
        "item": reviews["item_id"].map(code).to_numpy(np.int64),
        "pleased": [pleased(None if pd.isna(one) else float(one)) for one in reviews["rating"]],
        "second": seconds, "part": parts.to_numpy(),
    }).sort_values(["second", "user", "item"], ignore_index=True)  # fmt: skip
    rows["recency"] = _recency(rows)
    felt = rows[(rows["pleased"] >= LIKED) | (rows["pleased"] <= DISLIKED)]
    rng = np.random.default_rng(seed)
    met = rows.groupby("user")["item"].agg(set).to_dict()
    known = np.bincount(rows.loc[rows["part"] == "train", "item"], minlength=len(item_ids)).astype(np.float64)
    made = {part: _with_drawn(felt[felt["part"] == part], scenario_of, known, met, negatives, rng) for part in PARTS}
    return Lessons(**made, user_ids=tuple(users), item_ids=tuple(item_ids), scenario_names=tuple(names), item_scenarios=scenario_of)


def _recency(rows: pd.DataFrame) -> Numbers:
    """Of rows in order of time: of each visit only what lies before it is known."""
    earlier = rows.groupby("user")["second"].shift(1)
    days = ((rows["second"] - earlier) / DAY).fillna(LONG_AGO).clip(0, LONG_AGO)
    return np.asarray(np.log1p(days), np.float32)


def _with_drawn(
    felt: pd.DataFrame, scenario_of: Codes, known: npt.NDArray[np.float64], met: dict[int, set[int]], negatives: int, rng: Any
) -> Samples:
    liked = felt["pleased"].to_numpy() >= LIKED
    users, items = felt["user"].to_numpy(np.int64), felt["item"].to_numpy(np.int64)
    shares = _shares(scenario_of, known)
    drawn: list[tuple[int, int, float]] = []
    for user, item, recency in zip(users[liked], items[liked], felt["recency"].to_numpy()[liked], strict=True):
        pool, chances = shares[int(scenario_of[item])]
        for one in rng.choice(pool, size=4 * negatives, p=chances) if negatives else ():
            if int(one) not in met[int(user)]:
                drawn.append((int(user), int(one), float(recency)))
                if len(drawn) % negatives == 0:
                    break
    more = np.array(drawn).reshape(-1, 3)
    every = np.concatenate([items, more[:, 1].astype(np.int64)])
    return Samples(
        users=np.concatenate([users, more[:, 0].astype(np.int64)]), items=every, scenarios=scenario_of[every],
        recency=np.concatenate([felt["recency"].to_numpy(np.float32), more[:, 2].astype(np.float32)]),
        labels=np.concatenate([liked.astype(np.float32), np.zeros(len(more), np.float32)]),
        drawn=np.concatenate([np.zeros(len(items), bool), np.ones(len(more), bool)]),
    )  # fmt: skip


def _shares(scenario_of: Codes, known: npt.NDArray[np.float64]) -> dict[int, tuple[Codes, npt.NDArray[np.float64]]]:
    """By scenario: its items, and how likely each is drawn."""
    found = {}
    for scenario in np.unique(scenario_of):
        pool = np.flatnonzero(scenario_of == scenario)
        weight = (1.0 + known[pool]) ** RENOWN
        found[int(scenario)] = pool, weight / weight.sum()
    return found
