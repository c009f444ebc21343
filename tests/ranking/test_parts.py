"""The parts of a score add up to it exactly, and none counts for more than its weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from persona_core.ranking.parts import CAUTION, HABIT, PARTS, POPULARITY, TASTE, Numbers, Scored, Weights, risen, scored
from persona_core.schema import Recommendation
from tests.ranking.worlds import patient

cosines = st.floats(-1, 1, width=32)
maybe = st.one_of(st.just(float("nan")), cosines)
measures = st.floats(-1e6, 1e6)
weights_ = st.builds(Weights, taste=st.floats(0, 10), habit=st.floats(0, 10), popularity=st.floats(0, 10))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Numbers, Numbers, float, Numbers, Numbers, Weights]:
    number = draw(st.integers(1, 12))
    return (
        draw(arrays(np.float32, number, elements=maybe)),
        draw(arrays(np.float32, number, elements=st.floats(0, 1, width=32))),
        draw(st.floats(0, 3)),
        draw(arrays(np.float64, number, elements=measures)),
        draw(arrays(np.float64, number, elements=measures)),
        draw(weights_),
    )


Case = tuple[Numbers, Numbers, float, Numbers, Numbers, Weights]


def of(*suits: float, disappoints: list[float] | None = None, penalty: float = 0.5, weights: Weights | None = None) -> Scored:
    flat = np.zeros(len(suits))
    return scored(np.array(suits), np.array(disappoints or flat), penalty, flat, flat, weights or Weights())


def column(found: Scored, name: str) -> list[float]:
    return found.table[:, PARTS.index(name)].tolist()


# Any numbers -----------------------------------------------------------------------------------------------------------


@given(cases())
@patient
def test_the_shown_parts_add_up_to_the_shown_score_and_to_what_items_are_ordered_by(case: Case) -> None:
    found = scored(*case)
    for item, total in enumerate(found.totals):
        shown = Recommendation(item_id="i", rank=1, parts=found.parts(item))
        assert shown.score == float(total)
        assert [part.name for part in shown.parts] == list(PARTS)


@given(cases())
@patient
def test_every_part_lies_within_its_weight(case: Case) -> None:
    found, weights = scored(*case), case[-1]
    assert np.isfinite(found.table).all()
    for name, low, high in (
        (TASTE, 0, weights.taste), (CAUTION, -weights.taste, 0), (HABIT, 0, weights.habit), (POPULARITY, 0, weights.popularity)
    ):  # fmt: skip
        values = column(found, name)
        assert all(low - 1e-12 <= value <= high + 1e-12 for value in values), name


@given(cases())
@patient
def test_what_suits_best_has_the_whole_weight_and_what_suits_least_none(case: Case) -> None:
    suits, weights = case[0].astype(float), case[-1]
    taste = np.array(column(scored(*case), TASTE))
    known = np.flatnonzero(~np.isnan(suits))
    if len(known) and suits[known].max() - suits[known].min() > 1e-6:
        assert taste[known].max() == pytest.approx(weights.taste)
        assert taste[known].min() == 0
        order = np.argsort(suits[known], kind="stable")
        assert (np.diff(taste[known][order]) >= 0).all()
    assert not taste[np.isnan(suits)].any()


@given(arrays(np.float64, st.integers(0, 9), elements=measures))
@patient
def test_what_rises_keeps_its_order_and_reaches_from_nothing_to_one(values: Numbers) -> None:
    found = risen(values)
    assert len(found) == len(values)
    assert (np.diff(found[np.argsort(values, kind="stable")]) >= 0).all()
    if len(values) and values.max() > values.min():
        assert (found.min(), found.max()) == (0, 1)
    else:
        assert not found.any()


# What is not there -----------------------------------------------------------------------------------------------------


def test_an_item_that_suits_nobody_known_counts_as_the_least() -> None:
    assert column(of(0.2, float("nan"), 0.7), TASTE) == [0.0, 0.0, 0.5]


def test_where_nothing_suits_anybody_there_is_no_taste() -> None:
    assert column(of(float("nan"), float("nan")), TASTE) == [0.0, 0.0]
    assert of().table.shape == (0, len(PARTS))
    assert len(of().totals) == 0


def test_where_all_suit_alike_taste_tells_nothing_apart() -> None:
    assert column(of(0.4, 0.4, 0.4), TASTE) == [0.0, 0.0, 0.0]


def test_without_weights_nothing_counts() -> None:
    found = of(0.1, 0.9, disappoints=[0.0, 1.0], weights=Weights(0, 0, 0))
    assert not found.table.any()
    assert not np.signbit(found.table).any()


# Caution ---------------------------------------------------------------------------------------------------------------


def test_caution_takes_in_the_measure_of_taste() -> None:
    found = of(0.2, 0.6, disappoints=[0.0, 0.4], penalty=0.5)  # half of 0.4 is half the way from 0.2 to 0.6
    assert column(found, CAUTION) == pytest.approx([0.0, -0.25])


def test_caution_never_takes_more_than_taste_could_give() -> None:
    assert column(of(0.50, 0.51, disappoints=[0.9, 0.0], penalty=1.0), CAUTION) == [-0.5, 0.0]


def test_a_close_disappointment_takes_more_than_a_distant_one_also_where_taste_says_nothing() -> None:
    """As for somebody who told only what they will not have."""
    near, far, none = column(of(0.0, 0.0, 0.0, disappoints=[0.6, 0.1, 0.0]), CAUTION)
    assert -0.5 < near < far < none == 0


def test_what_is_nothing_is_shown_without_a_sign() -> None:
    assert not np.signbit(of(0.1, 0.2).table).any()
