"""Windows hold each interaction before the cut-off once, in its own place, and nothing at or after the cut-off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.trends.features import features
from persona_core.trends.signals import signals_of
from persona_core.trends.windows import (
    DAY,
    SPANS,
    Windows,
    Word,
    day_after,
    windows_of,
    with_said,
    word_for,
)
from tests.trends.made import END, Row, assert_same, assert_same_answers, came_next, interactions_of, panel_with, patient, windows_with

ITEMS = ("d", "b", "a", "c", "never")
"""Nobody comes to the last before the cut-off."""
WEEK = 7 * DAY

ratings = st.sampled_from([1.0, 3.5, 5.0, float("nan")])
users = st.sampled_from(["ann", "bob", "Cy"])
past = st.lists(st.tuples(users, st.sampled_from(ITEMS[:4]), ratings, st.integers(-90 * DAY, -1)), max_size=40)
future = st.lists(
    st.tuples(st.sampled_from(["Al", "ann", "zoe"]), st.sampled_from(ITEMS), ratings, st.integers(0, 60 * DAY) | st.just(0)),
    max_size=20,
)
words = st.sampled_from(list(SPANS))


def windows_from(rows: list[Row], word: Word | None = None, end: int = END) -> Windows:
    return windows_of(interactions_of(rows, ITEMS), end, word)


# The cut-off -------------------------------------------------------------------------------------------------------------


@patient
@given(past, future, future, words | st.none())
def test_nothing_at_or_after_the_cut_off_is_read(rows: list[Row], one: list[Row], other: list[Row], word: Word | None) -> None:
    """Not by the choice of the word either, and not by what is worked out of the windows."""
    first, second, bare = (windows_from([*rows, *later], word) for later in (one, other, []))
    assert_same(first, second)
    assert_same(first, bare)
    groups = np.array([0, 1, 0, 1, 0], np.int32)
    for name, values in signals_of(first, groups).items():
        assert_same_answers(values, signals_of(second, groups)[name])
    assert_same_answers(features(panel_with(first, groups)), features(panel_with(second, groups)))


@patient
@given(past, future, words)
def test_what_comes_next_is_read_for_judging_alone(rows: list[Row], later: list[Row], word: Word) -> None:
    interactions = interactions_of([*rows, *later], ITEMS)
    found = came_next(interactions, windows_of(interactions, END, word))
    assert found.tolist() == [sum(row[1] == item and row[3] < SPANS[word] * DAY for row in later) for item in ITEMS]


def test_the_last_second_before_the_cut_off_counts_and_the_cut_off_does_not() -> None:
    found = windows_from([("ann", "a", 4.0, -WEEK), ("ann", "b", 4.0, -1), ("ann", "c", 4.0, 0)], "week")
    assert found.counts[:, -1].tolist() == [0, 1, 1, 0, 0]
    assert found.known.tolist() == [False, True, True, False, False]


@patient
@given(past, st.lists(st.tuples(st.integers(0, 4), st.integers(-90 * DAY, 60 * DAY), st.booleans()), max_size=30), words)
def test_nothing_that_is_said_later_is_heard(rows: list[Row], said: list[tuple[int, int, bool]], word: Word) -> None:
    windows = windows_from(rows, word)

    def told(statements: list[tuple[int, int, bool]]) -> Windows:
        item, off, praise = (np.array([one[k] for one in statements], kind) for k, kind in enumerate((np.int32, np.int64, bool)))
        return with_said(windows, item, off + END, praise)

    found = told(said)
    assert_same(found, told([one for one in said if one[1] < 0]))
    heard = [one for one in said if windows.start_of(0) - END <= one[1] < 0]
    assert found.spoken.sum(1).tolist() == [sum(one[0] == item for one in heard) for item in range(5)]
    assert found.praised.sum(1).tolist() == [sum(one[0] == item and one[2] for one in heard) for item in range(5)]
    assert_same(replace(found, spoken=windows.spoken, praised=windows.praised), windows)


def test_what_is_said_stands_in_the_window_in_which_it_was_said() -> None:
    windows = windows_with([[1, 1, 1], [1, 1, 1]])
    times = END + np.array([-3 * WEEK, -2 * WEEK - 1, -2 * WEEK, -1, 0])
    found = with_said(windows, np.array([0, 0, 0, 1, 1], np.int32), times, np.array([True, False, True, True, True]))
    assert found.spoken.tolist() == [[2, 1, 0], [0, 0, 1]]
    assert found.praised.tolist() == [[1, 1, 0], [0, 0, 1]]


# What they hold ----------------------------------------------------------------------------------------------------------


@patient
@given(past, words)
def test_each_row_is_counted_once_in_its_own_window(rows: list[Row], word: Word) -> None:
    found = windows_from(rows, word)
    for item, name in enumerate(ITEMS):
        for window in range(found.many):
            begin, end = found.start_of(window) - END, found.start_of(window + 1) - END
            here = [row[2] for row in rows if row[1] == name and begin <= row[3] < end]
            told = [rating for rating in here if not np.isnan(rating)]
            assert found.counts[item, window] == len(here)
            assert (found.stars[item, window], found.rated[item, window]) == (sum(told), len(told))


@patient
@given(past, words)
def test_only_what_is_too_old_for_a_whole_window_is_left_over(rows: list[Row], word: Word) -> None:
    found = windows_from(rows, word)
    older = [row for row in rows if row[3] < found.start_of(0) - END]
    assert found.counts.sum() + len(older) == len(rows)
    assert all(found.start_of(0) - END - row[3] < SPANS[word] * DAY for row in older)
    assert {ITEMS[item] for item in np.flatnonzero(found.first == -1)} == {row[1] for row in older}


@patient
@given(past, words)
def test_an_item_can_be_met_from_its_first_window_on(rows: list[Row], word: Word) -> None:
    found = windows_from(rows, word)
    assert {ITEMS[item] for item in np.flatnonzero(found.known)} == {row[1] for row in rows}
    assert found.age.tolist() == found.alive().sum(1).tolist()
    assert not found.counts[~found.alive()].any()
    begun = (found.first >= 0) & found.known
    assert found.counts[begun, found.first[begun]].all()


def test_ages_by_hand() -> None:
    found = windows_of(
        interactions_of([("u", "a", 4.0, -3 * WEEK - 5), ("u", "b", 4.0, -2 * WEEK), ("u", "c", 4.0, -1)], "abcd"), END, "week"
    )
    assert (found.first.tolist(), found.age.tolist()) == ([-1, 1, 2, 3], [3, 2, 1, 0])
    assert (found.many, found.days, found.period) == (3, 7, 52)
    assert [found.start_of(window) for window in (0, 3)] == [END - 3 * WEEK, END]


# Going back --------------------------------------------------------------------------------------------------------------


@patient
@given(past, words, st.data())
def test_to_go_back_is_to_have_stood_there(rows: list[Row], word: Word, data: st.DataObject) -> None:
    windows = windows_from(rows, word)
    back = data.draw(st.integers(0, windows.many - 1))
    then = windows.back(back)
    assert_same(then, windows_from(rows, word, end=END - back * SPANS[word] * DAY))
    assert then.many == windows.many - back


@pytest.mark.parametrize("back", [-1, 3, 4])
def test_one_cannot_go_back_further_than_there_are_windows(back: int) -> None:
    with pytest.raises(ValueError, match="cannot go back"):
        windows_with([[1, 1, 1]]).back(back)


# Days, weeks or months ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("every", "days", "word"),
    [(DAY // 2, 50, "day"), (DAY // 2 + 60, 50, "week"), (3 * DAY, 60, "week"), (4 * DAY, 365, "month"), (60 * DAY, 365, "month")],
)
def test_windows_are_the_finest_that_hold_two(every: int, days: int, word: str) -> None:
    """One item, to which somebody comes after so many seconds each, for so many days."""
    dense = interactions_of([("u", "a", 4.0, -off) for off in range(every, days * DAY + 1, every)], "ab")
    assert word_for(dense, END) == word
    assert windows_of(dense, END).word == word


@pytest.mark.parametrize(("days", "word"), [(3, "day"), (41, "day"), (42, "week"), (179, "week"), (180, "month")])
def test_where_little_comes_there_are_six_windows_if_there_can_be(days: int, word: str) -> None:
    rare = interactions_of([("u", "a", 4.0, -days * DAY), ("u", "b", 4.0, -days * DAY)], "ab")
    assert word_for(rare, END) == word


def test_short_but_dense_data_has_no_windows_longer_than_it_bears() -> None:
    dense = interactions_of([("u", "a", 4.0, -off) for off in range(60, 5 * DAY, 60)], "a")
    assert word_for(dense, END) == "day"
    assert windows_of(dense, END).many == 4  # the fifth day is not whole


# Nothing at all ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", ["", "ab"])
def test_without_interactions_there_is_one_empty_window(items: str) -> None:
    empty = interactions_of([], items)
    found = windows_of(empty)
    assert found.counts.shape == (len(items), 1)
    assert not any(one.any() for one in (found.counts, found.known, found.age))
    assert came_next(empty, found).tolist() == [0.0] * len(items)


def test_before_the_first_interaction_there_is_one_empty_window() -> None:
    found = windows_from([("ann", "a", 4.0, 5)])
    assert (found.many, found.counts.sum(), bool(found.known.any())) == (1, 0, False)


@pytest.mark.parametrize(("off", "end"), [(-1, END), (0, END + DAY), (DAY - 1, END + DAY), (DAY, END + 2 * DAY)])
def test_the_latest_cut_off_is_the_midnight_after_the_last_interaction(off: int, end: int) -> None:
    interactions = interactions_of([("ann", "a", 4.0, -DAY), ("ann", "a", 4.0, off)], "a")
    assert day_after(interactions) == windows_of(interactions).end == end
    assert windows_of(interactions).counts.sum() == 2
