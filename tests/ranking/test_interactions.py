"""The rows of a catalogue as arrays: in order, complete, and refused with a reason where they are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.errors import SourceError
from persona_core.ranking import Interactions
from tests.ranking.worlds import ITEMS, Row, frame_of, interactions_of, patient, seconds

ratings = st.sampled_from([1.0, 3.5, 5.0, float("nan")])
rows = st.lists(st.tuples(st.sampled_from(["ann", "bob", "Cy"]), st.sampled_from(ITEMS), ratings, st.integers(-3, 3)), max_size=30)
BACKWARDS = ITEMS[::-1]


def told(interactions: Interactions) -> list[tuple[str, str, float, int]]:
    """The rows by name, as a list that may be compared: a missing rating is -1."""
    columns = (interactions.user, interactions.item, np.nan_to_num(interactions.rating, nan=-1), interactions.time)
    return [
        (interactions.users[user], interactions.items[item], float(rating), int(time))
        for user, item, rating, time in zip(*columns, strict=True)
    ]


@patient
@given(rows)
def test_rows_stand_by_time_then_user_then_item(rows: list[Row]) -> None:
    found = told(interactions_of(rows, BACKWARDS))
    assert [(time, user, item) for user, item, _, time in found] == sorted((seconds(day), user, item) for user, item, _, day in rows)
    assert sorted(found) == sorted(
        (user, item, -1.0 if np.isnan(rating) else rating, seconds(day)) for user, item, rating, day in rows
    )


@patient
@given(rows, st.randoms())
def test_the_order_of_the_frame_does_not_matter(rows: list[Row], random: object) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(interactions_of(shuffled)) == told(interactions_of(rows))


def test_who_rates_twice_in_a_second_does_not_either() -> None:
    twice: list[Row] = [("ann", "a", 5.0, 0), ("ann", "a", float("nan"), 0), ("ann", "a", 1.0, 0)]
    assert [rating for _, _, rating, _ in told(interactions_of(twice))] == [1.0, 5.0, -1.0]


@patient
@given(rows, st.integers(-4, 4))
def test_until_is_strict(rows: list[Row], day: int) -> None:
    interactions = interactions_of(rows)
    before = interactions.until(seconds(day))
    assert told(before) == [row for row in told(interactions) if row[3] < seconds(day)]
    assert (before.users, before.items) == (interactions.users, interactions.items)


@patient
@given(rows)
def test_liked_keeps_what_was_not_rated(rows: list[Row]) -> None:
    assert {rating for _, _, rating, _ in told(interactions_of(rows).liked())} <= {-1.0, 3.5, 5.0}
    assert len(interactions_of(rows).liked(5.0)) == sum(not rating < 5 for _, _, rating, _ in rows)


@patient
@given(rows)
def test_the_matrix_is_who_came_to_what(rows: list[Row]) -> None:
    interactions = interactions_of(rows)
    matrix = interactions.matrix()
    assert (matrix.dtype, matrix.shape) == (np.float32, (len(interactions.users), len(ITEMS)))
    assert set(matrix.data) <= {1.0}
    met = {(interactions.users[user], ITEMS[item]) for user, item in zip(*matrix.nonzero(), strict=True)}
    assert met == {(user, item) for user, item, _, _ in rows}


@patient
@given(rows, st.integers(-4, 4))
def test_histories_have_each_item_at_its_first_time(rows: list[Row], day: int) -> None:
    interactions = interactions_of(rows)
    early = interactions.until(seconds(day))
    by_hand: dict[str, list[str]] = {user: [] for user in interactions.users}
    for user, item, _, _ in told(early):
        if item not in by_hand[user]:
            by_hand[user].append(item)
    found = early.histories()
    assert {user: [ITEMS[code] for code in codes] for user, codes in found.items()} == by_hand
    assert all(codes.dtype == np.int32 for codes in found.values())


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_whole_seconds_in_utc_whatever_they_were(unit: str) -> None:
    frame = frame_of([("ann", "a", 4.0, 0), ("ann", "b", 4.0, 1)])
    exact = pd.Series(pd.to_datetime(["1969-12-31T23:59:59.9Z", "2024-06-01T12:00:00.5Z"]))
    frame["time"] = exact.dt.tz_convert("Asia/Tokyo").dt.as_unit(unit)
    assert Interactions.of(frame, ITEMS).time.tolist() == [-1, 1717243200]


def test_nothing_at_all_is_fine() -> None:
    empty = Interactions.of(pd.DataFrame(columns=["user_id", "item_id", "rating", "time"]), [])
    assert (len(empty), empty.users, empty.items, empty.matrix().shape, empty.histories()) == (0, (), (), (0, 0), {})
    assert len(empty.until(0).liked()) == 0


def test_threads_may_share_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        interactions_of([("ann", "a", 4.0, 0)]).item[0] = 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.assign(item_id=["a", "z"]), "not among the 8 items.*They are z"),
        (lambda frame: frame.drop(columns=["time", "rating"]), "lack the columns rating, time"),
        (lambda frame: frame.assign(time=frame["time"].dt.tz_localize(None)), "no time zone"),
        (lambda frame: frame.assign(time=[pd.NaT, frame["time"][0]]), "when they happened"),
        (lambda frame: frame.assign(user_id=["ann", None]), "which user"),
    ],
)
def test_what_cannot_be_used_is_refused_in_plain_words(change: object, said: str) -> None:
    frame = frame_of([("ann", "a", 4.0, 0), ("bob", "b", 4.0, 1)])
    with pytest.raises(SourceError, match=f"(?s){said}"):
        Interactions.of(change(frame), ITEMS)  # type: ignore[operator]


def test_an_item_listed_twice_is_refused() -> None:
    with pytest.raises(SourceError, match="listed twice"):
        interactions_of([], ["a", "b", "a"])
