"""The backtest lets nobody see more than was known, mixes by what was known, and is as sure as it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.trends.backtest import (
    BLEND,
    BY_LEVEL,
    COVERED,
    FEWEST_ERRORS,
    FEWEST_ORIGINS,
    Backtest,
    backtest,
    bands,
    blended,
    weights_of,
)
from persona_core.trends.forecasters import Forecaster, MeanOfLast, MovingAverage, SeasonalNaive, Smoothing
from persona_core.trends.panel import Panel
from persona_core.trends.windows import DAY, Table, windows_of
from tests.trends.made import (
    END,
    Series,
    assert_same_answers,
    came_next,
    interactions_of,
    named,
    panel_of,
    panel_with,
    patient,
    poisson,
    rows_of,
    turns,
)

CHEAP: tuple[Forecaster, ...] = (MeanOfLast(1), MeanOfLast(6), MovingAverage(), Smoothing(), SeasonalNaive())
NAMES = tuple(one.name for one in CHEAP)


@dataclass(frozen=True, slots=True)
class Spy:
    """Remembers what it was shown."""

    name: str = "spy"
    title: str = "Looks and says nothing"
    seen: list[Panel] = field(default_factory=list)

    def expected(self, panel: Panel) -> Table:
        self.seen.append(panel)
        return np.zeros(len(panel.groups))


@dataclass(frozen=True, slots=True)
class Always:
    """Says the same of every item."""

    value: float
    name: str = "always"
    title: str = "The same of every item"

    def expected(self, panel: Panel) -> Table:
        return np.full(len(panel.groups), self.value)


# Going back --------------------------------------------------------------------------------------------------------------


def test_at_each_cut_off_a_forecaster_sees_what_was_known_then() -> None:
    series: Series = [[1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 9, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 5]]
    spy, told = Spy(), []
    found = backtest(panel_of(series), [spy], 3, lambda *now: told.append(now))
    assert [one.windows.counts.tolist() for one in spy.seen] == [[counts[:known] for counts in series] for known in (5, 6, 7)]
    assert list(found.ends) == [one.windows.end for one in spy.seen] == [END - back * 7 * DAY for back in (3, 2, 1)]
    assert found.came.tolist() == [[6, 0, 0], [7, 0, 0], [8, 1, 5]]
    assert found.judged.tolist() == [[True, True, False]] * 3
    assert found.young.tolist() == [[False, True, False]] * 2 + [[False, False, False]]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_it_says_what_would_have_been_said_and_what_then_came() -> None:
    """Against panels that are made from nothing but the rows up to then."""
    rows, items = rows_of(turns(items=12, many=16)), named(12)
    interactions = interactions_of(rows, items)
    found = backtest(panel_with(windows_of(interactions, END, "week")), CHEAP, 5)
    for row, end in enumerate(found.ends):
        known = [one for one in rows if one[3] + END < end]
        then = panel_with(windows_of(interactions_of(known, items), end, "week"))
        for place, one in enumerate(CHEAP):
            assert_same_answers(found.expected[row, place], one.expected(then))
            assert_same_answers(found.of(one.name)[row], one.expected(then))
        assert_same_answers(found.came[row], came_next(interactions, then.windows))


@pytest.mark.parametrize(("windows", "origins", "many"), [(10, 3, 3), (10, 99, 6), (5, 5, 1), (4, 5, 0), (1, 5, 0), (10, 0, 0)])
def test_four_windows_remain_before_the_first_cut_off(windows: int, origins: int, many: int) -> None:
    spy = Spy()
    found = backtest(panel_of([[2] * windows, [1] * windows]), [spy, Always(1.0)], origins)
    assert (found.expected.shape, found.came.shape, found.judged.shape, found.young.shape) == ((many, 2, 2), *[(many, 2)] * 3)
    assert len(found.ends) == len(spy.seen) == many
    assert all(one.windows.many >= 4 for one in spy.seen)


@pytest.mark.parametrize("windows", [1, 4, 5, 12])
def test_mixing_and_bounds_do_without_a_past(windows: int) -> None:
    panel = panel_of([[2] * windows, [1] * windows])
    found = blended(backtest(panel, CHEAP, 5), NAMES)
    expected = MovingAverage().expected(panel)
    low, high = bands(found, BLEND, len(found.ends), expected)
    assert found.names == (*NAMES, BLEND)
    assert (low <= expected).all()
    assert (expected <= high).all()
    assert weights_of(found, NAMES).sum() == pytest.approx(1)


# Blending ----------------------------------------------------------------------------------------------------------------

POISSON = backtest(panel_with(poisson(40, 20)), CHEAP, 10)


def shares_by_hand(found: Backtest, row: int) -> Table:
    """The shares at a row, from a backtest that ends there."""
    cut = Backtest(found.names, found.ends[:row], found.expected[:row], found.came[:row], found.judged[:row], found.young[:row])
    return weights_of(cut, NAMES)


def test_shares_are_none_below_zero_and_one_in_all() -> None:
    for row in range(len(POISSON.ends) + 1):
        shares = shares_by_hand(POISSON, row)
        assert shares.shape == (5,)
        assert (shares >= 0).all()
        assert shares.sum() == pytest.approx(1)


def test_the_mix_at_a_cut_off_is_by_what_came_before_it() -> None:
    found = blended(POISSON, NAMES)
    for row in range(len(found.ends)):
        by_hand = np.expm1(shares_by_hand(POISSON, row) @ np.log1p(POISSON.expected[row]))
        np.testing.assert_allclose(found.of(BLEND)[row], by_hand, rtol=1e-12)
    np.testing.assert_array_equal(found.expected[:, :-1], POISSON.expected)


@patient
@given(st.integers(0, 9), st.integers(0, 1000))
def test_what_came_later_does_not_change_a_mix(row: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    came, expected = POISSON.came.copy(), POISSON.expected.copy()
    came[row:] = rng.integers(0, 50, came[row:].shape)
    expected[row + 1 :] = rng.uniform(0, 50, expected[row + 1 :].shape)
    other = replace(POISSON, came=came, expected=expected)
    assert_same_answers(blended(other, NAMES).of(BLEND)[: row + 1], blended(POISSON, NAMES).of(BLEND)[: row + 1])


def test_items_that_nobody_had_met_do_not_count() -> None:
    judged = POISSON.judged.copy()
    judged[:, :5] = False
    came = POISSON.came.copy()
    came[:, :5] = 1000
    one, other = (replace(POISSON, judged=judged, came=numbers) for numbers in (came, POISSON.came))
    assert_same_answers(weights_of(one, NAMES), weights_of(other, NAMES))
    assert (weights_of(one, NAMES) != weights_of(POISSON, NAMES)).any()


def test_before_there_are_cut_offs_to_learn_from_all_count_alike() -> None:
    for row in range(FEWEST_ORIGINS):
        assert shares_by_hand(POISSON, row).tolist() == [0.2] * 5
    assert (shares_by_hand(POISSON, FEWEST_ORIGINS) != 0.2).any()


def test_who_is_right_gets_the_most() -> None:
    members: Sequence[Forecaster] = (Always(90.0, "far"), MeanOfLast(1), Always(3.0, "all alike"))
    found = backtest(panel_of([[4] * 14, [7] * 14, [1] * 14, [2] * 14]), members, 8)
    shares = weights_of(found, ["far", "last value", "all alike"])
    assert shares[1] > 0.8
    off = np.abs(np.log1p(blended(found, ["far", "last value", "all alike"]).of(BLEND)) - np.log1p(found.came)).mean(1)
    assert off[-1] < off[0] / 2


# How sure ----------------------------------------------------------------------------------------------------------------


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Backtest, Table]:
    """Forecasts of any size and what came, and forecasts of today."""
    rows, items, seed = draw(st.integers(0, 6)), draw(st.integers(1, 60)), draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    made = np.expm1(rng.uniform(0, draw(st.floats(0, 6)), (rows, 1, items)))
    came = rng.poisson(made[:, 0] * draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]))).astype(np.float64)
    judged = rng.random((rows, items)) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    today = draw(st.lists(st.floats(0, 1e6) | st.integers(0, 30).map(float) | st.just(3 - 1e-12) | st.just(2 + 1e-12), max_size=20))
    return Backtest(("one",), tuple(range(rows)), made, came, judged, judged), np.array(today, np.float64)


@patient
@given(pasts())
def test_bounds_are_whole_numbers_around_the_forecast(past: tuple[Backtest, Table]) -> None:
    found, today = past
    for row in range(len(found.ends) + 1):
        low, high = bands(found, "one", row, today)
        assert low.shape == high.shape == today.shape
        assert (low >= 0).all()
        assert not np.signbit(low).any(), "zero is said without a sign"
        assert (low <= today).all()
        assert (today <= high).all()
        np.testing.assert_array_equal(low, np.round(low))
        np.testing.assert_array_equal(high, np.round(high))


@patient
@given(pasts(), st.integers(0, 6))
def test_bounds_are_by_what_came_before(past: tuple[Backtest, Table], row: int) -> None:
    found, today = past
    row = min(row, len(found.ends))
    came, expected = found.came.copy(), found.expected.copy()
    came[row:], expected[row:] = 999, 0
    for one, other in zip(
        bands(found, "one", row, today), bands(replace(found, came=came, expected=expected), "one", row, today), strict=True
    ):
        assert_same_answers(one, other)


def coverage(found: Backtest, name: str, first: int) -> tuple[Table, Table]:
    """Of each case from a cut-off on, whether the bounds held it, and the forecast."""
    held, made = [], []
    for row in range(first, len(found.ends)):
        low, high = bands(found, name, row, found.of(name)[row])
        who = found.judged[row]
        held.append(((low <= found.came[row]) & (found.came[row] <= high))[who])
        made.append(found.of(name)[row][who])
    return np.concatenate(held), np.concatenate(made)


@pytest.mark.parametrize("one", [MovingAverage(), Smoothing(), MeanOfLast(1)], ids=lambda one: one.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_world_of_chance_the_bounds_hold_as_often_as_they_say(one: Forecaster, seed: int) -> None:
    found = backtest(panel_with(poisson(120, 34, seed)), [one], 24)
    held, made = coverage(found, one.name, 10)
    assert COVERED - 0.02 < held[made >= 1].mean() < COVERED + 0.06
    assert COVERED - 0.02 < held.mean() < COVERED + 0.1  # where less than one is expected, zero and one hold more
    for least, most in pairwise(BY_LEVEL[1:5]):
        alike = (least <= made) & (made < most)
        assert COVERED - 0.07 < held[alike].mean() < COVERED + 0.12


def test_bounds_are_no_wider_than_they_must_be() -> None:
    """A forecast of 20 that is right but for chance: eight in ten Poisson counts lie within 14 and 26, or thereabouts."""
    rng = np.random.default_rng(1)
    came = rng.poisson(20, (30, 50)).astype(np.float64)
    yes = np.ones_like(came, bool)
    found = Backtest(("one",), tuple(range(30)), np.full((30, 1, 50), 20.0), came, yes, yes)
    (low,), (high,) = bands(found, "one", 30, np.array([20.0]))
    assert 13 <= low <= 15
    assert 25 <= high <= 27


def test_bounds_lie_where_the_errors_lie() -> None:
    """Who says ten where fifteen come has bounds that reach up."""
    rng = np.random.default_rng(1)
    came = rng.poisson(15, (30, 20)).astype(np.float64)
    yes = np.ones_like(came, bool)
    found = Backtest(("one",), tuple(range(30)), np.full((30, 1, 20), 10.0), came, yes, yes)
    (low,), (high,) = bands(found, "one", 30, np.array([10.0]))
    assert 10 - low <= 1
    assert high - 10 >= 8


def test_where_nothing_ever_comes_the_bounds_say_so() -> None:
    nothing = np.zeros((10, 20))
    yes = np.ones_like(nothing, bool)
    found = Backtest(("one",), tuple(range(10)), nothing[:, None], nothing, yes, yes)
    low, high = bands(found, "one", 10, np.array([0.0, 0.2]))
    assert (low.tolist(), high.tolist()) == ([0, 0], [0, 1])


def test_large_forecasts_go_by_the_errors_of_the_largest() -> None:
    """Few were as large; that small ones were right to the last says nothing of them."""
    made = np.concatenate([np.full((10, 200), 0.0), np.full((10, 3), 40.0), np.full((10, 2), 10.0)], axis=1)
    came = made.copy()
    came[:, 200:203] = np.random.default_rng(1).integers(10, 90, (10, 3))
    yes = np.ones_like(came, bool)
    found = Backtest(("one",), tuple(range(10)), made[:, None], came, yes, yes)
    assert (made >= BY_LEVEL[-1]).sum() < FEWEST_ERRORS
    low, high = bands(found, "one", 10, np.array([40.0, 0.0]))
    assert 30 < high[0] - low[0] < 81, "as far as ten to ninety"
    assert high[0] <= 90
    assert (low[1], high[1]) == (0, 0)


def test_one_past_cut_off_is_not_enough_to_be_sure() -> None:
    """All of it may have been a lucky week."""
    made = np.full((2, 1, 100), 10.0)
    yes = np.ones((2, 100), bool)
    found = Backtest(("one",), (0, 1), made, made[:, 0], yes, yes)
    for row, width in ((0, 20), (1, 20), (2, 0)):
        (low,), (high,) = bands(found, "one", row, np.array([10.0]))
        assert (high - low > width) if width else (low == high == 10)


def test_the_less_cut_offs_agree_the_wider_the_bounds() -> None:
    """Twice the same errors: once in each week alike, once all small in one week and all large in the next."""
    rng = np.random.default_rng(4)
    errors = rng.permutation(np.concatenate([np.zeros(200), rng.integers(4, 9, 50)]))
    made, yes = np.full((10, 1, 25), 10.0), np.ones((10, 25), bool)
    widths = []
    for came in (errors, np.sort(errors)):
        found = Backtest(("one",), tuple(range(10)), made, 10 + came.reshape(10, 25), yes, yes)
        (low,), (high,) = bands(found, "one", 10, np.array([10.0]))
        widths.append(high - low)
    assert widths[0] < widths[1]
