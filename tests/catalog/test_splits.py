"""Neither split lets anything from later leak into what is earlier."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.catalog.splits import PARTS, last_item_out, moments_of, point_in_time

Row = tuple[int, int, int]
histories = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 12)), min_size=3, max_size=60)


def frame_of(rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "day"]).astype({"user_id": str, "item_id": str})
    frame["time"] = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(frame["day"], unit="D")
    frame["review_id"] = [f"r{n}" for n in range(len(frame))]
    return frame


@given(histories)
def test_last_item_out_is_strict_in_time_for_every_user(rows: list[Row]) -> None:
    frame = frame_of(rows)
    part = last_item_out(frame)
    assert set(part) <= set(PARTS)
    for _, own in frame.assign(part=part).groupby("user_id"):
        train, valid, test = (own[own["part"] == name] for name in ("train", "valid", "test"))
        assert len(valid) == len(test) <= 1
        if len(test):
            assert len(train) > 0
            assert train["time"].max() < valid["time"].iloc[0] < test["time"].iloc[0]


@given(histories)
def test_last_item_out_never_asks_for_an_item_met_before(rows: list[Row]) -> None:
    frame = frame_of(rows)
    parts = frame.assign(part=last_item_out(frame))
    for _, own in parts.groupby("user_id"):
        train, valid, test = (set(own[own["part"] == name]["item_id"]) for name in ("train", "valid", "test"))
        assert not train & (valid | test)
        assert not valid & test


@given(histories)
def test_last_item_out_takes_the_last_item(rows: list[Row]) -> None:
    frame = frame_of(rows)
    first_met = frame.groupby(["user_id", "item_id"])["time"].min()
    for _, review in frame[last_item_out(frame) == "test"].iterrows():
        assert review["time"] == first_met[review["user_id"]].max()


@given(histories, st.randoms())
def test_last_item_out_does_not_depend_on_the_order_of_rows(rows: list[Row], random: object) -> None:
    frame = frame_of(rows)
    shuffled = frame.sample(frac=1.0, random_state=random.randrange(1000))  # type: ignore[attr-defined]
    assert last_item_out(shuffled).reindex(frame.index).equals(last_item_out(frame))


def test_a_user_with_a_short_history_only_trains() -> None:
    assert set(last_item_out(frame_of([(0, 0, 1), (0, 1, 2)]))) == {"train"}


def test_three_items_at_three_times_are_one_of_each() -> None:
    assert last_item_out(frame_of([(0, 2, 3), (0, 0, 1), (0, 1, 2)])).tolist() == ["test", "train", "valid"]


def test_what_repeats_or_comes_after_is_unused() -> None:
    rows = [(0, 0, 1), (0, 1, 2), (0, 2, 3), (0, 0, 4)]
    assert last_item_out(frame_of(rows)).tolist() == ["train", "valid", "test", "unused"]


@given(histories)
def test_one_moment_divides_everybody(rows: list[Row]) -> None:
    frame = frame_of(rows)
    moments = moments_of(frame, 0.2, 0.2)
    part = point_in_time(frame, moments)
    times = {name: frame["time"][part == name] for name in ("train", "valid", "test")}
    assert sum(len(t) for t in times.values()) == len(frame)
    assert (times["train"] < moments.valid).all()
    assert ((times["valid"] >= moments.valid) & (times["valid"] < moments.test)).all()
    assert (times["test"] >= moments.test).all()


def test_the_shares_are_about_what_was_asked() -> None:
    frame = frame_of([(n % 5, n % 7, n) for n in range(1000)])
    counts = point_in_time(frame, moments_of(frame, 0.1, 0.1)).value_counts()
    assert counts["valid"] == pytest.approx(100, abs=2)
    assert counts["test"] == pytest.approx(100, abs=2)
