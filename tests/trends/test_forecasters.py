"""One promise that every forecaster keeps, and what each of them is good for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.trends import steps
from persona_core.trends.attention import Attention, views_of
from persona_core.trends.boosting import FEWEST, Boosting
from persona_core.trends.features import LAGS, MOST_ORIGINS, examples, features
from persona_core.trends.forecasters import Borrowing, Forecaster, MeanOfLast, MovingAverage, SeasonalNaive, Smoothing
from persona_core.trends.panel import YOUNG, Panel, beginnings, phase
from persona_core.trends.windows import DAY, Table, Windows, windows_of, with_said
from tests.trends.made import (
    END,
    Row,
    Series,
    anew,
    assert_same_answers,
    interactions_of,
    named,
    panel_of,
    panel_with,
    patient,
    poisson,
    rows_of,
    turns,
    units,
    windows_with,
)

FORECASTERS: tuple[Forecaster, ...] = (*steps.FORECASTERS, Attention(rounds=2))
"""All that a build asks, and the network: a new one is held to the promise as soon as it stands there."""
LEARNERS = (Boosting(), Attention(rounds=2))
NONE = float("nan")
every = pytest.mark.parametrize("one", FORECASTERS, ids=lambda one: one.name)

# A world in days, with a period of seven: large enough that the learners learn.
SERIES: Series = turns(items=22, many=30)
OLD, NEVER = 22, 23
ITEMS = named(24)
LEFT_OVER: list[Row] = [("u", ITEMS[OLD], 4.0, -30 * DAY - 3600), *(("u", ITEMS[OLD], 4.0, -off * DAY) for off in (9, 20))]
"""The last but one was first met before the windows begin; the last was never met at all."""


def world(*later: Row, end: int = END) -> Panel:
    rows = [*rows_of(SERIES, "day", lambda item, window: float((item + window) % 5 + 1)), *LEFT_OVER, *later]
    windows = windows_of(interactions_of(rows, ITEMS), end, "day")
    items, times = np.arange(24, dtype=np.int32).repeat(60), np.tile(END + np.arange(-30, 30) * DAY, 24)
    return panel_with(with_said(windows, items, times, (items + times // DAY) % 3 > 0))


WORLD = world()


SAID: dict[str, Table] = {}


def said_of_the_world(one: Forecaster) -> Table:
    """Asked once, of a panel that nobody else has asked about."""
    if one.name not in SAID:
        SAID[one.name] = one.expected(anew(WORLD))
    return SAID[one.name]


# What every forecaster promises ------------------------------------------------------------------------------------------


def test_the_promise_is_asked_of_all() -> None:
    names = ["last value", "last 3", "last 6", "last 12", "moving average", "smoothing", "seasonal naive"]
    assert {*names, "moving average + neighbours", "boosting", "attention"} <= {one.name for one in FORECASTERS}


def test_the_world_has_all_kinds_of_items() -> None:
    """Otherwise what follows would say little."""
    windows = WORLD.windows
    assert (windows.first[OLD], windows.known[NEVER], windows.many) == (-1, False, 30)
    assert WORLD.young.sum() == 2
    assert len(examples(WORLD).rows) >= 2 * FEWEST
    assert all(windows.known[:22])


@every
class TestPromise:
    def test_is_a_frozen_forecaster_with_a_name_in_plain_words(self, one: Forecaster) -> None:
        assert isinstance(one, Forecaster)
        assert one.name
        assert one.title[0].isupper()
        assert [other.name for other in FORECASTERS].count(one.name) == 1
        assert is_dataclass(one)
        with pytest.raises((FrozenInstanceError, TypeError)):
            setattr(one, fields(one)[0].name, "another")

    def test_says_a_count_for_every_item(self, one: Forecaster) -> None:
        found = said_of_the_world(one)
        assert found.shape == (24,)
        assert found.dtype == np.float64
        assert np.isfinite(found).all()
        assert (found >= 0).all()
        assert found[:22].max() > 1

    def test_says_the_same_of_the_same(self, one: Forecaster) -> None:
        torch.manual_seed(99)
        np.random.seed(99)
        panel = world()
        for _ in range(2):
            assert_same_answers(one.expected(panel), said_of_the_world(one))

    def test_leaves_the_panel_as_it_was(self, one: Forecaster) -> None:
        panel = world().back(2)
        before = copy.deepcopy((panel.windows, panel.groups, panel.scenarios, panel.vectors))
        first = one.expected(panel)
        first[:] = -1  # whoever asks may do with an answer what he likes
        windows, groups, scenarios, vectors = before
        for field in fields(Windows):
            np.testing.assert_array_equal(getattr(panel.windows, field.name), getattr(windows, field.name))
        np.testing.assert_array_equal(panel.groups, groups)
        np.testing.assert_array_equal(panel.vectors, vectors)
        assert panel.scenarios == scenarios
        assert_same_answers(one.expected(panel), one.expected(anew(panel)))

    def test_says_after_going_back_what_it_would_have_said_then(self, one: Forecaster) -> None:
        panel = world()
        one.expected(panel)  # what was worked out for today stands beside what is worked out for then
        then = world(end=END - 3 * DAY)
        assert_same_answers(one.expected(panel.back(3)), one.expected(then))

    @pytest.mark.filterwarnings("error::RuntimeWarning")
    @pytest.mark.parametrize("odd", range(8))
    def test_does_not_fail_on_odd_panels(self, one: Forecaster, odd: int) -> None:
        panel = ODD[odd]()
        found = one.expected(panel)
        assert found.shape == (len(panel.groups),)
        assert np.isfinite(found).all()
        assert (found >= 0).all()


def bare(items: int, rows: list[Row]) -> Panel:
    return panel_with(windows_of(interactions_of(rows, named(items)), END, "week"))


ODD: list[Callable[[], Panel]] = [
    lambda: bare(1, []),
    lambda: bare(3, []),
    lambda: bare(0, []),
    lambda: bare(1, [("u", "item000", 4.0, -1)]),
    lambda: panel_of([[3], [1]]),
    lambda: panel_of([[1, 0, 4, 2, 2, 9, 0]]),
    lambda: replace(panel_of([[9, 9]] * 3), vectors=np.zeros((3, 6), np.float32), scenarios=("one", "other", "of no item")),
    lambda: panel_with(poisson(20, 30), vectors=np.zeros((20, 6), np.float32), groups=np.zeros(20, np.int32)),  # `other` is empty
]

future = st.lists(
    st.tuples(
        st.sampled_from(["u000", "zoe"]),
        st.sampled_from(ITEMS),
        st.sampled_from([1.0, 5.0, NONE]),
        st.integers(0, 20 * DAY) | st.just(0),
    ),
    min_size=1,
    max_size=200,
)


@patient
@given(future, st.sampled_from([one for one in FORECASTERS if one not in LEARNERS]))
def test_none_sees_what_comes_at_or_after_the_cut_off(later: list[Row], one: Forecaster) -> None:
    assert_same_answers(one.expected(world(*later)), said_of_the_world(one))


@pytest.mark.parametrize("one", LEARNERS, ids=lambda one: one.name)
@settings(deadline=None, max_examples=4)
@given(later=future)
def test_no_learner_does_either(one: Forecaster, later: list[Row]) -> None:
    assert (said_of_the_world(one) != MovingAverage().expected(WORLD)).any(), "it learned"
    assert_same_answers(one.expected(world(*later)), said_of_the_world(one))


# The cheap and strong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("windows", "expected"), [(1, [8, 6, 0]), (3, [5, 4, 0]), (6, [3.5, 4, 0]), (12, [3.5, 4, 0])])
def test_means_are_of_the_windows_in_which_an_item_could_be_met(windows: int, expected: list[float]) -> None:
    panel = panel_of([[2, 2, 2, 5, 2, 8], [0, 0, 0, 0, 2, 6], [0] * 6])
    assert MeanOfLast(windows).expected(panel).tolist() == expected


def test_the_newer_weighs_more_in_a_moving_average() -> None:
    panel = panel_of([[99, 6, 0, 0, 0, 0, 0], [99, 0, 0, 0, 0, 0, 6], [0, 0, 0, 0, 0, 5, 16]])
    assert MovingAverage().expected(panel).tolist() == pytest.approx([6 / 21, 36 / 21, (5 * 5 + 6 * 16) / 11])
    assert MovingAverage().expected(panel_of([[3, 8]])).tolist() == pytest.approx([(5 * 3 + 6 * 8) / 11])


def test_smoothing_stays_where_nothing_changes_and_follows_a_trend() -> None:
    steady, rising, falling = [7] * 20, list(range(1, 41, 2)), list(range(40, 0, -2))
    assert Smoothing().expected(panel_of([steady])).tolist() == pytest.approx([7.0])
    panel = panel_of([rising, falling])
    found, lagging = Smoothing().expected(panel), MovingAverage().expected(panel)
    assert lagging[0] < found[0] <= 45
    assert 0 <= found[1] < lagging[1]
    assert np.abs(found - [41, 0]).max() < 3


def test_smoothing_follows_as_fast_as_went_well() -> None:
    """Where levels jump and stay it must follow fast; where chance jumps to and fro it must not."""
    jumps = panel_of([[2] * 5 + [20] * 5 + [5] * 5 + [30] * 3])
    noise = panel_of([[1, 9] * 9])
    assert Smoothing().expected(jumps)[0] > 20
    assert Smoothing().expected(noise)[0] == pytest.approx(5, abs=1.5)


@pytest.mark.parametrize("coming", range(7))
def test_seasonal_naive_repeats_a_season(coming: int) -> None:
    week = [9, 1, 4, 2, 8, 3, 5]
    series = [(week * 4)[: 21 + coming]]
    assert SeasonalNaive().expected(panel_of(series, "day")).tolist() == pytest.approx([week[coming]])


def test_seasonal_naive_follows_the_level_within_bounds() -> None:
    week = [9, 1, 4, 2, 8, 3, 5]
    twice, soaring, late = week + [2 * one for one in week], week + [40 * one for one in week], [0] * 8 + [2] * 6
    found = SeasonalNaive().expected(panel_of([twice, soaring, late], "day"))
    assert found[0] == pytest.approx(18 * (32 / 3 + 0.5) / (16 / 3 + 0.5))
    assert found[1] == 4 * 360, "no more than four times"
    assert found[2] == 2, "it was not there a period ago"


# New items ---------------------------------------------------------------------------------------------------------------

GROWS, FADES = [4, 12, 12, 12, 12, 12], [4, 1, 1, 1, 1, 1]


def launches(new: list[int], kind: int, groups: list[int] | None = None) -> Panel:
    """Ten items that grow after their first window, ten that fade, and a new one whose text is like those of a kind."""
    begun = [[0] * (place % 3) + curve + curve[-1:] * (2 - place % 3) for curve in (GROWS, FADES) for place in range(10)]
    vectors = np.zeros((21, 6), np.float32)
    vectors[:10, 0] = vectors[10:20, 1] = vectors[20, kind] = 1
    return panel_with(windows_with([*begun, [0] * (8 - len(new)) + new]), np.array(groups or [0] * 21, np.int32), vectors)


@pytest.mark.parametrize(
    ("new", "kind", "expected"),
    [
        ([4], 0, 12),
        ([4], 1, 1),
        ([2], 0, (6 + 12) / 2),  # half as large as they were: between its own way and theirs
        ([4, 8], 0, 2 / 3 * 9 + 1 / 3 * 12),  # the more is known of it, the more that weighs
    ],
)
def test_a_new_item_goes_on_as_those_that_read_like_it_did(new: list[int], kind: int, expected: float) -> None:
    panel = launches(new, kind)
    assert panel.young.tolist() == [False] * 20 + [True]
    assert Borrowing(MovingAverage()).expected(panel)[20] == pytest.approx(expected)
    assert beginnings(panel)[20] == pytest.approx(expected)


def test_it_goes_by_those_of_its_own_scenario_if_there_are_any() -> None:
    assert beginnings(launches([4], 0, [1] * 10 + [0] * 11))[20] == pytest.approx(1)
    assert beginnings(launches([4], 0, [0] * 20 + [1]))[20] == pytest.approx(12)


def test_without_others_it_goes_by_itself() -> None:
    assert beginnings(panel_of([[3]])).tolist() == [3]
    assert beginnings(panel_of([[2, 5]])).tolist() == [3.5]


def test_it_does_not_shoot_up_without_bounds_because_another_did() -> None:
    """The first went from one to fifty; the second began with seven, and may come to four times fifty, not to seven."""
    assert beginnings(panel_of([[1, 50], [0, 7]]))[1] == pytest.approx((4 * 50 + 50) / 2)


def test_only_new_items_borrow() -> None:
    panel = launches([4], 0)
    assert np.isnan(beginnings(panel)).tolist() == [True] * 20 + [False]
    borrowed, plain = Borrowing(SeasonalNaive()).expected(panel), SeasonalNaive().expected(panel)
    assert_same_answers(borrowed[:20], plain[:20])
    assert borrowed[20] != plain[20]


@pytest.mark.parametrize(("age", "young"), [(1, True), (YOUNG - 1, True), (YOUNG, False)])
def test_an_item_is_new_until_there_is_something_to_speak_of(age: int, young: bool) -> None:
    assert panel_of([[1] * 8, [0] * (8 - age) + [1] * age, [0] * 8]).young.tolist() == [False, young, False]


# What learns -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [Boosting(), Attention()], ids=lambda one: one.name)
def test_a_learner_finds_what_there_is_to_learn(one: Forecaster) -> None:
    """Each item has its busy week in four: the last value is wrong about it half of the time, and any mean is, too."""
    full = panel_of(turns(items=24, many=28))
    then, came = full.back(1), np.log1p(full.windows.counts[:22, -1])

    def off(other: Forecaster) -> float:
        return float(np.abs(np.log1p(other.expected(then)[:22]) - came).mean())

    assert off(one) < 0.3 * min(off(MeanOfLast(1)), off(MovingAverage()), off(MeanOfLast(12)))


@pytest.mark.parametrize("one", LEARNERS, ids=lambda one: one.name)
def test_where_there_is_too_little_to_learn_from_the_moving_average_speaks(one: Forecaster) -> None:
    panel = panel_of(turns(items=8, many=20))
    assert_same_answers(one.expected(panel), MovingAverage().expected(panel))


@pytest.mark.parametrize("one", LEARNERS, ids=lambda one: one.name)
def test_nothing_is_learned_of_an_item_that_nobody_ever_met(one: Forecaster) -> None:
    """Where twenty come to everything, each time, trees and networks have ideas of their own about what was never there."""
    found = one.expected(panel_of([*([20] * 28 for _ in range(20)), [0] * 28]))
    assert found[:20].min() > 5
    assert found[20] == 0


def test_the_network_leaves_chance_and_threads_as_they_were() -> None:
    torch.manual_seed(3)
    expected, threads = torch.rand(2), torch.get_num_threads()
    torch.manual_seed(3)
    found = [torch.rand(1)]
    Attention(rounds=1).expected(anew(WORLD))
    assert torch.equal(torch.cat([*found, torch.rand(1)]), expected)
    assert torch.get_num_threads() == threads


def test_another_seed_is_another_network() -> None:
    assert (Attention(rounds=2, seed=8).expected(WORLD) != said_of_the_world(Attention(rounds=2)))[:22].all()


def test_examples_are_what_was_known_and_what_then_came() -> None:
    panel = panel_of([[1, 1, 2, 3, 5, 8], [0, 0, 0, 0, 4, 6], [0, 0, 0, 0, 0, 9]])
    found = examples(panel)
    assert found.origin.tolist() == [1, 1, 2]
    assert np.expm1(found.targets).tolist() == pytest.approx([8, 6, 5])  # each of an item that had been met by then
    assert np.expm1(found.rows[:, 0]).tolist() == pytest.approx([5, 4, 3])
    for back, rows in ((1, found.rows[:2]), (2, found.rows[2:])):
        then = panel_with(panel.windows.back(back))
        assert_same_answers(rows, features(then)[then.windows.known])


def test_there_are_so_many_cut_offs_to_learn_from_and_no_more() -> None:
    long, short = panel_of([[1] * 40]), panel_of([[1, 1, 1, 1]])
    assert examples(long).origin.tolist() == list(range(1, MOST_ORIGINS + 1))
    assert [len(one) for one in examples(short)] == [0, 0, 0]
    assert examples(short).rows.shape[1] == examples(long).rows.shape[1]


def test_the_last_windows_are_told_and_what_is_too_old_is_not() -> None:
    found = features(panel_of([[3, 1, 4]]))[0]
    assert np.expm1(found[:LAGS]).tolist() == pytest.approx([4, 1, 3, NONE, NONE, NONE], nan_ok=True)


def test_all_that_a_network_is_told_is_a_number() -> None:
    for panel in (WORLD, *(make() for make in ODD)):
        assert all(np.isfinite(one).all() for one in views_of(anew(panel)))


def test_those_that_read_alike_are_items_that_were_met() -> None:
    """Of three items with one text, one was never met: the other two go by each other."""
    panel = panel_with(windows_with([[6] * 4, [2] * 4, [0] * 4]), vectors=np.tile(units(1), (3, 1)))
    near = views_of(panel).side[:, -2:]
    np.testing.assert_allclose(near[:2], [[np.log(3), 1], [np.log(7), 1]], atol=1e-6)
    np.testing.assert_allclose(near[2], [np.log(21) / 2, 1], atol=1e-6)


# The panel ---------------------------------------------------------------------------------------------------------------


def test_a_thing_is_worked_out_once_for_each_cut_off() -> None:
    panel, asked = panel_of([[1, 2, 3]]), []

    def last(one: Panel) -> float:
        asked.append(one.windows.many)
        return float(one.windows.counts[0, -1])

    assert [panel.back(back).once("last", last) for back in (0, 1, 0, 1, 2)] == [3, 2, 3, 2, 1]
    assert panel.once("another", last) == 3
    assert asked == [3, 2, 1, 3]


def test_the_time_of_the_year_is_the_middle_of_the_coming_window() -> None:
    windows = windows_with([[1] * 53])
    midsummer, half = (phase(replace(windows, end=END + off * DAY)) for off in (0, 182))
    turn = 2 * np.pi * ((END / DAY + 3.5) % 365.25) / 365.25
    assert midsummer == pytest.approx((np.sin(turn), np.cos(turn)))
    assert half == pytest.approx((-midsummer[0], -midsummer[1]), abs=0.02)
    assert phase(windows.back(52)) == pytest.approx(midsummer, abs=0.03)
