"""No case knows anything from its own moment on, none asks for what was met before, and leaks are named."""

from __future__ import annotations

from typing import Literal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.catalog.splits import Moments, last_item_out, point_in_time
from persona_core.evaluation.cases import Case, last_item_cases, leaks, leaks_past_one_moment, point_in_time_cases

Row = tuple[str, str, int, float | None]
"""User, item, day, rating."""
Part = Literal["valid", "test"]

START = pd.Timestamp("2025-01-01", tz="UTC")
DAY = 24 * 60 * 60
SCENARIOS = {**{f"i{n}": "books" for n in range(4)}, **{f"i{n}": "kitchen" for n in range(4, 9)}}

worlds = st.lists(
    st.tuples(
        st.sampled_from(["u0", "u1", "u2", "u3"]),
        st.integers(0, 6).map("i{}".format),
        st.integers(0, 12),
        st.sampled_from([1.0, 3.0, 3.5, 5.0, None]),
    ),
    min_size=1,
    max_size=60,
)
PARTS: tuple[Part, ...] = ("valid", "test")
parts = st.sampled_from(PARTS)
few = settings(max_examples=40, deadline=None)  # frames are slow to make


def frame_of(rows: list[Row]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "day", "rating"]).astype({"rating": "float32"})
    frame["time"] = START + pd.to_timedelta(frame["day"], unit="D")
    frame["review_id"] = [f"r{n:02}" for n in range(len(frame))]
    return frame


def at(day: int) -> int:
    return int(START.timestamp()) + day * DAY


def moments(valid: int, test: int) -> Moments:
    return Moments(START + pd.Timedelta(days=valid), START + pd.Timedelta(days=test))


FOUR = [("u", "i0", 1, 5.0), ("u", "i1", 2, 1.0), ("u", "i0", 3, 5.0), ("u", "i2", 4, 4.0), ("u", "i5", 6, None)]


# The last items


def test_last_items_by_hand() -> None:
    frame = frame_of(FOUR)
    assert last_item_cases(frame, SCENARIOS, "valid") == [Case("u", at(4), ("i0", "i1"), "i2", "books")]
    assert last_item_cases(frame, SCENARIOS, "test") == [Case("u", at(6), ("i0", "i1", "i2"), "i5", "kitchen")]


@pytest.mark.parametrize(("rating", "liked", "asked"), [(3.0, 3.5, 0), (3.5, 3.5, 1), (None, 3.5, 1), (3.0, None, 1), (3.0, 2.0, 1)])
def test_only_what_was_liked_is_asked_for(rating: float | None, liked: float | None, asked: int) -> None:
    frame = frame_of([("u", "i0", 1, 5.0), ("u", "i1", 2, 5.0), ("u", "i2", 3, rating)])
    assert len(last_item_cases(frame, SCENARIOS, "test", liked=liked)) == asked
    everything = last_item_cases(frame, SCENARIOS, "test", liked=None)
    assert [case.target for case in everything] == ["i2"]


def test_fewer_than_three_items_give_no_case() -> None:
    frame = frame_of([("u", "i0", 1, 5.0), ("u", "i1", 2, 5.0), ("u", "i0", 3, 5.0)])
    assert last_item_cases(frame, SCENARIOS, "valid") == last_item_cases(frame, SCENARIOS, "test") == []


def test_no_reviews_give_no_cases() -> None:
    frame = frame_of([FOUR[0]]).iloc[:0]
    assert last_item_cases(frame, SCENARIOS, "test") == []
    assert point_in_time_cases(frame, SCENARIOS, moments(1, 2), "test") == []


@few
@given(worlds, parts, st.sampled_from([None, 3.5]))
def test_a_last_item_is_asked_for_knowing_only_what_was_before(rows: list[Row], part: Part, liked: float | None) -> None:
    frame = frame_of(rows)
    cases = last_item_cases(frame, SCENARIOS, part, liked=liked)
    assert len({case.user_id for case in cases}) == len(cases)
    check_histories(cases, frame)
    held_out = frame[last_item_out(frame) == part]
    if liked is not None:
        held_out = held_out[~(held_out["rating"] < liked)]
    expected = {(row.user_id, row.item_id, at(row.day)) for row in held_out.itertuples()}
    assert {(case.user_id, case.target, case.moment) for case in cases} == expected


@few
@given(worlds)
def test_the_test_knows_what_validation_asked_for(rows: list[Row]) -> None:
    frame = frame_of(rows)
    asked = {case.user_id: case for case in last_item_cases(frame, SCENARIOS, "valid", liked=None)}
    for case in last_item_cases(frame, SCENARIOS, "test", liked=None):
        before = asked[case.user_id]
        assert before.target in case.history
        assert case.history[: len(before.history)] == before.history


def check_histories(cases: list[Case], frame: pd.DataFrame) -> None:
    for case in cases:
        own = frame[frame["user_id"] == case.user_id].sort_values(["time", "review_id"])
        before = own[own["time"] < pd.Timestamp(case.moment, unit="s", tz="UTC")]
        assert case.history == tuple(before["item_id"].drop_duplicates())
        assert case.history
        assert case.target not in case.history
        assert case.scenario == SCENARIOS[case.target]


@few
@given(worlds, parts, st.randoms())
def test_the_order_of_rows_does_not_matter(rows: list[Row], part: Part, random: object) -> None:
    frame = frame_of(rows)
    shuffled = frame.sample(frac=1.0, random_state=random.randrange(1000))  # type: ignore[attr-defined]
    assert last_item_cases(shuffled, SCENARIOS, part) == last_item_cases(frame, SCENARIOS, part)
    both = [point_in_time_cases(one, SCENARIOS, moments(4, 8), part, most=5) for one in (shuffled, frame)]
    assert both[0] == both[1]


def test_within_one_second_nothing_is_before() -> None:
    frame = frame_of([("u", "i0", 1, 5.0), ("u", "i1", 2, 5.0), ("u", "i2", 3, 5.0), ("u", "i3", 3, 5.0)])
    frame.loc[2, "time"] += pd.Timedelta(milliseconds=1)
    frame.loc[3, "time"] += pd.Timedelta(milliseconds=900)
    assert last_item_cases(frame, SCENARIOS, "test") == [Case("u", at(3), ("i0", "i1"), "i3", "books")]


def test_a_case_cannot_ask_for_what_was_met() -> None:
    with pytest.raises(ValueError, match="had met i1 before"):
        Case("u", 0, ("i0", "i1"), "i1", "books")


# One moment for all


def test_one_moment_by_hand() -> None:
    rows: list[Row] = [
        *[("u", "i0", 1, 5.0), ("u", "i1", 2, 1.0)],
        *[("u", "i1", 5, 5.0), ("u", "i2", 6, 2.0), ("u", "i3", 7, 4.0), ("u", "i4", 8, None), ("u", "i5", 11, 5.0)],
        *[("new", "i0", 6, 5.0), ("new", "i1", 7, 5.0)],
        *[("gone", "i0", 1, 5.0)],
    ]
    frame = frame_of(rows)
    known = ("i0", "i1")
    third, fourth = Case("u", at(5), known, "i3", "books"), Case("u", at(5), known, "i4", "kitchen")
    assert point_in_time_cases(frame, SCENARIOS, moments(5, 10), "valid") == [third]
    assert point_in_time_cases(frame, SCENARIOS, moments(5, 10), "valid", most=5) == [third, fourth]
    assert point_in_time_cases(frame, SCENARIOS, moments(5, 10), "valid", least_history=3) == []
    assert [case.user_id for case in point_in_time_cases(frame, SCENARIOS, moments(5, 10), "valid", least_history=0)] == ["new", "u"]
    (last,) = point_in_time_cases(frame, SCENARIOS, moments(5, 10), "test", most=5)
    assert last == Case("u", at(10), ("i0", "i1", "i2", "i3", "i4"), "i5", "kitchen")


def test_what_comes_at_the_moment_itself_is_after_it() -> None:
    frame = frame_of([("u", "i0", 1, 5.0), ("u", "i1", 5, 5.0), ("u", "i2", 10, 5.0)])
    asked = {part: point_in_time_cases(frame, SCENARIOS, moments(5, 10), part, most=5) for part in PARTS}
    assert asked["valid"] == [Case("u", at(5), ("i0",), "i1", "books")]
    assert asked["test"] == [Case("u", at(10), ("i0", "i1"), "i2", "books")]


@few
@given(worlds, parts, st.integers(1, 5), st.integers(1, 3), st.sampled_from([None, 3.5]))
def test_after_one_moment_only_new_items_are_asked_for(
    rows: list[Row], part: Part, most: int, least_history: int, liked: float | None
) -> None:
    frame = frame_of(rows)
    begin, end = (4, 8) if part == "valid" else (8, 99)
    cases = point_in_time_cases(frame, SCENARIOS, moments(4, 8), part, most=most, least_history=least_history, liked=liked)
    assert {case.moment for case in cases} <= {at(begin)}
    check_histories(cases, frame)
    by_user = {user: [case.target for case in cases if case.user_id == user] for user in frame["user_id"].unique()}
    for user, targets in by_user.items():
        own = frame[frame["user_id"] == user].sort_values(["time", "review_id"]).drop_duplicates("item_id")
        new = own[(own["day"] >= begin) & (own["day"] < end)]
        wanted = new if liked is None else new[~(new["rating"] < liked)]
        able = (own["day"] < begin).sum() >= least_history
        assert targets == (wanted["item_id"].tolist()[:most] if able else [])


# Leaks


@few
@given(worlds, parts)
def test_the_split_of_last_items_leaks_nothing(rows: list[Row], part: Part) -> None:
    frame = frame_of(rows)
    cases = last_item_cases(frame, SCENARIOS, part)
    labels = last_item_out(frame)
    assert leaks(cases, frame[labels == "train"]) == []
    found = leaks(cases, frame)
    held_out = frame[labels == part]
    for case in cases:
        own = held_out[held_out["user_id"] == case.user_id]["review_id"].iloc[0]
        assert f"review {own}, of user {case.user_id} on item {case.target}: which is held out" in found


def test_the_test_may_learn_from_validation_but_not_the_other_way_round() -> None:
    frame = frame_of(FOUR)
    learnt = frame[last_item_out(frame).isin(["train", "valid"])]
    assert leaks(last_item_cases(frame, SCENARIOS, "test"), learnt) == []
    assert leaks(last_item_cases(frame, SCENARIOS, "valid"), learnt) == ["review r03, of user u on item i2: which is held out"]


def test_what_the_same_user_wrote_later_is_a_leak_and_what_others_wrote_is_not() -> None:
    rows = [*FOUR, ("u", "i0", 7, 5.0), ("other", "i5", 9, 5.0)]
    cases = last_item_cases(frame_of(FOUR), SCENARIOS, "test")
    assert leaks(cases, frame_of(rows).iloc[5:]) == ["review r05, of user u on item i0: not before the moment they are asked at"]


def test_what_is_written_in_the_second_of_asking_is_a_leak_but_not_the_second_before() -> None:
    cases = [Case("u", at(5), ("i0",), "i1", "books")]
    used = frame_of([("u", "i2", 5, 5.0), ("u", "i3", 5, 5.0)])
    used.loc[1, "time"] -= pd.Timedelta(seconds=1)
    told = "review r00, of user u on item i2: not before the moment"
    assert leaks(cases, used) == [f"{told} they are asked at"]
    assert leaks_past_one_moment(cases, used) == [f"{told} of all"]


def test_of_several_cases_of_a_user_the_first_sets_the_bound() -> None:
    early, late = Case("u", at(3), ("i0",), "i1", "books"), Case("u", at(6), ("i0", "i1"), "i2", "books")
    used = frame_of([("u", "i3", 4, 5.0)])
    assert leaks([late], used) == []
    assert len(leaks([early, late], used)) == len(leaks([late, early], used)) == 1


def test_a_review_of_the_target_is_a_leak_even_if_its_date_says_otherwise() -> None:
    cases = [Case("u", at(5), ("i0",), "i1", "books")]
    used = frame_of([("u", "i1", 1, 5.0), ("other", "i1", 1, 5.0)])
    assert leaks(cases, used) == leaks_past_one_moment(cases, used) == ["review r00, of user u on item i1: which is held out"]


@few
@given(worlds, parts)
def test_the_split_at_one_moment_leaks_nothing_whoever_wrote_it(rows: list[Row], part: Part) -> None:
    frame = frame_of(rows)
    cases = point_in_time_cases(frame, SCENARIOS, moments(4, 8), part, most=5)
    if not cases:
        return
    labels = point_in_time(frame, moments(4, 8))
    before = ["train"] if part == "valid" else ["train", "valid"]
    assert leaks_past_one_moment(cases, frame[labels.isin(before)]) == []
    assert len(leaks_past_one_moment(cases, frame)) == (~labels.isin(before)).sum()


def test_at_one_moment_what_others_wrote_later_is_a_leak_too() -> None:
    frame = frame_of([("u", "i0", 1, 5.0), ("u", "i1", 6, 5.0), ("other", "i2", 5, 5.0)])
    cases = point_in_time_cases(frame, SCENARIOS, moments(3, 5), "test")
    assert leaks_past_one_moment(cases, frame) == [
        "review r01, of user u on item i1: which is held out",
        "review r02, of user other on item i2: not before the moment of all",
    ]


def test_several_moments_are_not_one() -> None:
    cases = [Case("u", 1, (), "i0", "books"), Case("v", 2, (), "i0", "books")]
    with pytest.raises(ValueError, match="at 2 moments"):
        leaks_past_one_moment(cases, frame_of(FOUR))
