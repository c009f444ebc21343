"""Items stand by score, equals by their place in the catalogue; and variety changes their order, never which there are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from persona_core.ranking.order import DEEP, Places, by_score, diverse, rank_of
from persona_core.ranking.parts import Numbers
from persona_core.text.encoder import Matrix
from tests.ranking.worlds import patient
from tests.support.tastes import random_units

totals_ = arrays(np.float64, st.integers(0, 40), elements=st.floats(-5, 5).map(lambda value: round(value, 1)))
shares = st.floats(0, 1)


@st.composite
def orders(draw: st.DrawFn) -> tuple[Places, Numbers, Matrix]:
    totals = draw(totals_)
    allowed = draw(arrays(bool, len(totals)))
    directions = random_units(max(len(totals), 1), draw(st.integers(0, 50)))[: len(totals)]
    directions[draw(arrays(bool, len(totals)))] = 0  # nobody is known whom these suit
    return by_score(totals, allowed), totals, directions


# By score --------------------------------------------------------------------------------------------------------------


@given(totals_, st.data())
@patient
def test_all_allowed_items_stand_by_score_and_equals_by_their_place(totals: Numbers, data: st.DataObject) -> None:
    allowed = data.draw(arrays(bool, len(totals)))
    order = by_score(totals, allowed).tolist()
    assert order == sorted(np.flatnonzero(allowed).tolist(), key=lambda item: (-totals[item], item))


def test_where_nothing_is_allowed_nothing_stands() -> None:
    assert by_score(np.array([1.0, 2.0]), np.zeros(2, bool)).tolist() == []


# Variety ---------------------------------------------------------------------------------------------------------------


@given(orders(), shares)
@patient
def test_variety_keeps_every_item_and_the_first_one_first(case: tuple[Places, Numbers, Matrix], diversity: float) -> None:
    order, totals, directions = case
    found = diverse(order, totals, directions, diversity)
    assert sorted(found.tolist()) == sorted(order.tolist())
    assert found[:1].tolist() == order[:1].tolist()


@given(orders())
@patient
def test_without_variety_the_order_stays(case: tuple[Places, Numbers, Matrix]) -> None:
    order, totals, directions = case
    np.testing.assert_array_equal(diverse(order, totals, directions, 0.0), order)


@given(orders(), shares)
@patient
def test_variety_changes_nothing_where_no_two_are_alike(case: tuple[Places, Numbers, Matrix], diversity: float) -> None:
    order, totals, directions = case
    nothing = np.zeros_like(directions)
    if diversity < 1:
        np.testing.assert_array_equal(totals[diverse(order, totals, nothing, diversity)], totals[order])


@given(orders(), shares)
@patient
def test_what_is_ordered_is_not_changed(case: tuple[Places, Numbers, Matrix], diversity: float) -> None:
    before = [one.copy() for one in case]
    diverse(*case, diversity)
    for one, other in zip(before, case, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_twin_waits_until_something_else_was_shown() -> None:
    totals = np.array([1.0, 0.95, 0.6, 0.0])
    directions = random_units(4)
    directions[1] = directions[0]
    order = by_score(totals, np.ones(4, bool))
    assert diverse(order, totals, directions, 0.2).tolist()[:2] == [0, 1]
    assert diverse(order, totals, directions, 0.6).tolist()[:2] == [0, 2]


def test_a_twin_waits_also_when_something_else_came_between() -> None:
    totals = np.array([1.0, 0.95, 0.9, 0.3])
    directions = random_units(4)
    directions[1] = directions[0]
    order = by_score(totals, np.ones(4, bool))
    assert diverse(order, totals, directions, 0.6).tolist() == [0, 2, 3, 1]


def test_the_more_variety_the_less_alike_the_first_ten_are() -> None:
    rng = np.random.default_rng(4)
    spread = rng.normal(size=(60, 4))
    directions = (spread / np.linalg.norm(spread, axis=1, keepdims=True)).astype(np.float32)
    totals = directions[:, 0] + 0.1 * rng.random(60)
    order = by_score(totals, np.ones(60, bool))

    def alike(diversity: float) -> float:
        first = directions[diverse(order, totals, directions, diversity)[:10]]
        return float((first @ first.T).mean())

    assert alike(0.0) > alike(0.4) > alike(0.9)


def test_deep_down_items_stay_by_score() -> None:
    totals = np.linspace(1, 0, DEEP + 50)
    order = by_score(totals, np.ones(len(totals), bool))
    found = diverse(order, totals, random_units(len(totals)), 0.8)
    np.testing.assert_array_equal(found[DEEP:], order[DEEP:])
    assert found[:DEEP].tolist() != order[:DEEP].tolist()


# Ranks -----------------------------------------------------------------------------------------------------------------


def test_ranks_count_from_one_and_who_is_not_there_has_none() -> None:
    assert [rank_of([4, 2, 7], item) for item in (4, 2, 7, 3)] == [1, 2, 3, None]
    assert rank_of(np.empty(0, np.int64), 0) is None
