"""Lessons are parted in time, nothing later is known of an earlier one, and what was drawn is declared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from persona_core.scenarios.samples import LONG_AGO, PARTS, lessons_from

ITEMS = pd.DataFrame({"item_id": ["a", "b", "c", "d", "e", "f"], "scenario": ["books"] * 3 + ["kitchen"] * 3})


def reviews(*rows: tuple[str, str, float | None, int]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "day"])
    return frame.assign(time=pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(frame["day"], unit="D"))


SOME = reviews(
    ("u", "a", 5.0, 0), ("u", "d", 1.0, 10), ("v", "b", 4.0, 3), ("v", "e", 3.0, 4), ("u", "b", 5.0, 40), ("v", "f", None, 50)
)
THEN = pd.Series(["train", "train", "train", "train", "valid", "test"])


def test_liked_and_disliked_are_kept_and_what_lies_between_is_left_out() -> None:
    made = lessons_from(SOME, ITEMS, THEN, negatives=0)
    assert [len(getattr(made, part)) for part in PARTS] == [3, 1, 1]
    assert made.train.labels.tolist() == [1.0, 1.0, 0.0]
    assert made.scenario_names == ("books", "kitchen")
    assert made.train.scenarios.tolist() == [0, 0, 1]


def test_to_each_liked_one_something_unmet_of_the_same_scenario_is_drawn_and_declared() -> None:
    made = lessons_from(SOME, ITEMS, THEN, negatives=1)
    for part in (made.train, made.valid, made.test):
        drawn = part.take(part.drawn)
        assert not drawn.labels.any()
        for user, item, scenario in zip(drawn.users, drawn.items, drawn.scenarios, strict=True):
            met = set(SOME[SOME["user_id"] == made.user_ids[user]]["item_id"])
            assert made.item_ids[item] not in met
            assert made.item_scenarios[item] == scenario
    assert made.facts["train"]["drawn"] == int(made.train.drawn.sum()) > 0


def test_how_long_ago_counts_from_what_lies_before_and_changing_the_future_changes_nothing() -> None:
    made = lessons_from(SOME, ITEMS, THEN, negatives=0)
    assert made.train.recency.tolist() == pytest.approx([np.log1p(LONG_AGO), np.log1p(LONG_AGO), np.log1p(10)], abs=1e-4)
    assert made.valid.recency.tolist() == pytest.approx([np.log1p(30)], abs=1e-4)
    later = SOME.assign(rating=[5.0, 1.0, 4.0, 3.0, 1.0, 1.0])
    again = lessons_from(later, ITEMS, THEN, negatives=0)
    for name in ("users", "items", "labels", "recency"):
        assert np.array_equal(getattr(again.train, name), getattr(made.train, name))


def test_the_same_seed_draws_the_same() -> None:
    one, other, third = (lessons_from(SOME, ITEMS, THEN, negatives=2, seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(one.train.items, other.train.items)
    assert len(third.train) == len(one.train)
