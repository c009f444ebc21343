"""Intervals hold what they should as often as they say, p-values are not too small, and the same seed says the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.evaluation import statistics
from persona_core.evaluation.statistics import Interval, clustered_interval, compare, holm, interval

shares = st.floats(0, 1, allow_subnormal=False)
samples = st.lists(shares, min_size=1, max_size=40)
pairs = st.lists(st.tuples(shares, shares), min_size=1, max_size=30)
ALMOST = 1e-12
patient = settings(deadline=None)  # the machine may be busy


# Intervals


@patient
@given(samples, st.integers(0, 100))
def test_the_interval_holds_the_mean_and_stays_among_the_values(values: list[float], seed: int) -> None:
    found = interval(values, seed=seed, draws=200)
    assert found.mean == pytest.approx(np.mean(values))
    assert min(values) - ALMOST <= found.low <= found.mean + ALMOST
    assert found.mean - ALMOST <= found.high <= max(values) + ALMOST


def test_the_same_seed_says_the_same_and_another_nearly() -> None:
    values = np.random.default_rng(0).random(300)
    assert interval(values, seed=1) == interval(values, seed=1)
    assert interval(values, seed=1) != interval(values, seed=2)
    assert interval(values, seed=1).low == pytest.approx(interval(values, seed=2).low, abs=0.005)


def test_values_that_are_all_the_same_leave_no_doubt() -> None:
    assert interval([0.1] * 7, seed=0) == Interval(*[pytest.approx(0.1)] * 3)
    assert interval([0.25], seed=0) == (0.25, 0.25, 0.25)


@patient
@given(st.lists(shares, min_size=8, max_size=20).filter(lambda values: np.std(values) > 0.05), st.integers(0, 20))
def test_sixteen_times_as_many_cases_are_about_four_times_as_sure(values: list[float], seed: int) -> None:
    few, many = (interval(values * times, seed=seed, draws=1000) for times in (1, 16))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.4)


def test_the_interval_is_about_two_standard_errors_either_way() -> None:
    values = np.random.default_rng(3).normal(size=2000)
    found = interval(values, seed=4)
    error = values.std() / np.sqrt(2000)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    narrow = interval(values, seed=4, level=0.5)
    assert narrow.high - narrow.low == pytest.approx(2 * 0.674 * error, rel=0.1)


def test_the_true_mean_lies_within_as_often_as_promised() -> None:
    random = np.random.default_rng(5)
    found = [interval(random.random(60) < 0.3, seed=n, draws=400) for n in range(300)]
    assert np.mean([one.low <= 0.3 <= one.high for one in found]) == pytest.approx(0.94, abs=0.04)


def test_each_case_its_own_group_is_no_grouping() -> None:
    values = np.random.default_rng(6).random(50)
    assert clustered_interval(values, [f"u{n:02}" for n in range(50)], seed=7) == interval(values, seed=7)


def test_cases_said_again_by_the_same_user_are_no_new_evidence() -> None:
    values = np.random.default_rng(8).random(40)
    said_again, users = np.repeat(values, 5), np.repeat(np.arange(40), 5)
    once, clustered, naive = interval(values, seed=9), clustered_interval(said_again, users, seed=9), interval(said_again, seed=9)
    assert clustered == pytest.approx(once)
    assert naive.high - naive.low < 0.6 * (clustered.high - clustered.low)


def test_groups_weigh_as_much_as_they_have_cases() -> None:
    assert clustered_interval([1, 1, 1, 0], ["a", "a", "a", "b"], seed=0).mean == 0.75


def test_many_cases_are_drawn_in_parts_that_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(10).random((2, 30))
    whole = interval(values[0], seed=1), compare(values[0], values[1], seed=1)
    monkeypatch.setattr(statistics, "_CELLS_AT_ONCE", 100)
    assert (interval(values[0], seed=1), compare(values[0], values[1], seed=1)) == whole


# Comparisons


@patient
@given(samples, st.integers(0, 100))
def test_nothing_is_better_than_itself(values: list[float], seed: int) -> None:
    found = compare(values, values, seed=seed, draws=100)
    assert found.p_value == 1.0
    assert found.difference == (0, 0, 0)
    assert found.relative in (None, (0, 0, 0))


@patient
@given(pairs, st.integers(0, 100))
def test_what_one_gains_the_other_loses(both: list[tuple[float, float]], seed: int) -> None:
    a, b = np.array(both).T
    there, back = compare(a, b, seed=seed, draws=100), compare(b, a, seed=seed, draws=100)
    assert there.p_value == back.p_value
    assert there.difference == tuple(-one for one in (back.difference.mean, back.difference.high, back.difference.low))
    assert (there.first, there.second) == (back.second, back.first)


def test_a_comparison_by_hand() -> None:
    found = compare([1, 1, 0, 1], [0, 1, 0, 0], seed=0)
    assert (found.cases, found.first, found.second) == (4, 0.75, 0.25)
    assert found.difference.mean == 0.5
    # Two cases differ: both signs agree in half of the throws.
    assert found.p_value == pytest.approx(0.5, abs=0.05)


def test_the_p_value_is_the_share_of_throws_that_gain_as_much() -> None:
    # Of 16 ways to throw four coins, two gain 4 or lose 4.
    assert compare([1, 1, 1, 1], [0, 0, 0, 0], seed=1, draws=20_000).p_value == pytest.approx(2 / 16, abs=0.01)
    assert compare(np.ones(60), np.zeros(60), seed=1, draws=999).p_value == 1 / 1000


def test_chance_alone_is_called_significant_one_time_in_twenty() -> None:
    random = np.random.default_rng(11)
    found = [compare(random.random(40), random.random(40), seed=n, draws=199).p_value for n in range(400)]
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)


def test_a_gain_in_each_case_is_seen_through_their_differences() -> None:
    base = np.random.default_rng(12).random(100)
    found = compare(1.1 * base, base, seed=13)
    assert found.relative is not None
    assert found.relative == (pytest.approx(0.1),) * 3  # exactly a tenth, whichever cases are drawn
    assert found.difference.low > 0
    assert found.p_value < 0.001


def test_a_ratio_to_nothing_is_not_given() -> None:
    assert compare([1, 0, 1], [0, 0, 0], seed=0).relative is None
    once = np.zeros(100)
    once[0] = 1  # a third of all draws have none
    assert compare(np.ones(100), once, seed=0).relative is None
    assert compare(np.ones(100), np.ones(100), seed=0).relative is not None


def test_a_users_cases_are_thrown_and_drawn_together() -> None:
    random = np.random.default_rng(14)
    gain, users = np.repeat(random.normal(0.3, 1, 12), 10), np.repeat(np.arange(12), 10)
    alone, together = (compare(gain, np.zeros(120), seed=1, groups=groups) for groups in (None, users))
    assert together.difference.mean == pytest.approx(alone.difference.mean)
    assert together.difference.high - together.difference.low > 2 * (alone.difference.high - alone.difference.low)
    assert together.p_value > 3 * alone.p_value


# Many tests at once


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]).tolist() == pytest.approx([1.0, 1.0])
    assert holm([]).tolist() == []


@given(st.lists(shares, min_size=1, max_size=12))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    given_, found = np.array(p_values), holm(p_values)
    assert ((found >= given_) & (found <= 1)).all()
    assert (found <= np.minimum(given_ * len(given_), 1)).all()
    assert (np.diff(found[np.argsort(given_, kind="stable")]) >= 0).all()


@pytest.mark.parametrize("strange", [[1.5], [-0.1], [np.nan], 0.5])
def test_what_is_no_p_value_is_refused(strange: Any) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm(strange)


@pytest.mark.parametrize("values", [[], [np.nan], [np.inf], [[1.0]]])
def test_what_cannot_be_averaged_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match=r"finite|at least one"):
        interval(values, seed=0)


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="same cases, not on 2 and 1"):
        compare([1, 2], [1], seed=0)
    with pytest.raises(ValueError, match="groups are given for 1"):
        clustered_interval([1, 2], ["a"], seed=0)
    with pytest.raises(ValueError, match="level"):
        interval([1], seed=0, level=95)
    with pytest.raises(ValueError, match="draw"):
        interval([1], seed=0, draws=0)
