"""Ranks are fair to draws, measures are what a hand would reckon, and no reranker passes its pools' ceiling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from persona_core.evaluation import ranking_metrics
from persona_core.evaluation.ranking_metrics import (
    MISSED,
    NOTHING,
    ceiling,
    cold_or_warm,
    coverage,
    gini,
    head_or_tail,
    hit,
    ndcg,
    novelty,
    ranks,
    recall_of_candidates,
    reciprocal,
    slices,
    top_k,
)

Scores = NDArray[np.float32]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Scores, NDArray[np.int64], NDArray[np.bool_]]:
    """Scores with many draws among them, a target for each case, and what is left out, never the target."""
    cases, items = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    seed = draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    scores = random.integers(-3, 4, (cases, items)).astype(np.float32)
    targets = random.integers(0, items, cases)
    excluded = random.random((cases, items)) < draw(st.sampled_from([0.0, 0.3, 0.8]))
    excluded[np.arange(cases), targets] = False
    return scores, targets, excluded


def matrix(*rows: list[float]) -> Scores:
    return np.array(rows, dtype=np.float32)


# Ranks


def test_the_rank_is_one_more_than_how_many_are_better() -> None:
    assert ranks(matrix([0.1, 0.9, 0.5], [0.1, 0.9, 0.5], [0.1, 0.9, 0.5]), [0, 1, 2]).tolist() == [3, 1, 2]


@pytest.mark.parametrize(("draws", "rank"), [(0, 1), (1, 2), (2, 2), (3, 3), (4, 3)])
def test_half_of_those_who_draw_stand_before_the_target_rounded_up(draws: int, rank: int) -> None:
    assert ranks(matrix([1.0] * (1 + draws) + [0.0]), [0]).tolist() == [rank]


def test_what_is_excluded_or_outside_the_pool_does_not_count() -> None:
    scores = matrix([5, 4, 3, 2, 1])
    assert ranks(scores, [3]).tolist() == [4]
    assert ranks(scores, [3], excluded=[[0, 1]]).tolist() == [2]
    assert ranks(scores, [3], pools=[[3, 4, 0]]).tolist() == [2]
    assert ranks(scores, [3], excluded=[[0]], pools=[[3, 4, 0, NOTHING]]).tolist() == [1]
    assert ranks(scores, [3], pools=[[0, 1]]).tolist() == [MISSED]
    assert ranks(scores, [3], pools=[[]]).tolist() == [MISSED]


@given(questions())
def test_a_mask_and_lists_of_columns_say_the_same(question: tuple[Scores, Any, Any]) -> None:
    scores, targets, excluded = question
    lists = [np.flatnonzero(row) for row in excluded]
    pools = [np.flatnonzero(~row) for row in excluded]
    expected = ranks(scores, targets, excluded).tolist()
    assert ranks(scores, targets, lists).tolist() == ranks(scores, targets, pools=pools).tolist() == expected


@given(questions(), st.sampled_from([lambda x: 2 * x + 1, lambda x: x**3, np.exp2, np.arctan]))
def test_ranks_know_only_the_order_of_scores(question: tuple[Scores, Any, Any], rising: Callable[[Scores], Scores]) -> None:
    scores, targets, excluded = question
    assert ranks(rising(scores), targets, excluded).tolist() == ranks(scores, targets, excluded).tolist()


@given(questions(), st.integers(0, 1000))
def test_the_order_of_columns_does_not_matter(question: tuple[Scores, Any, Any], seed: int) -> None:
    scores, targets, excluded = question
    order = np.random.default_rng(seed).permutation(scores.shape[1])
    moved = np.argsort(order)[targets]
    assert ranks(scores[:, order], moved, excluded[:, order]).tolist() == ranks(scores, targets, excluded).tolist()


@given(st.integers(1, 400), st.integers(1, 20))
def test_saying_the_same_of_everything_is_no_advantage(items: int, k: int) -> None:
    found = ranks(np.ones((items, items), dtype=np.float32), np.arange(items))
    assert found.mean() == pytest.approx((items + 1) / 2, abs=0.5)
    assert found.mean() >= (items + 1) / 2
    if items > 2 * k:
        assert hit(found, k).sum() == 0


def test_scores_by_lot_hit_as_often_as_chance() -> None:
    random = np.random.default_rng(1)
    scores = random.random((4000, 50), dtype=np.float32)
    found = ranks(scores, random.integers(0, 50, 4000))
    assert hit(found, 10).mean() == pytest.approx(0.2, abs=0.02)
    assert found.mean() == pytest.approx(25.5, abs=0.7)


@given(questions())
def test_working_in_parts_changes_nothing(question: tuple[Scores, Any, Any]) -> None:
    scores, targets, excluded = question
    whole, best = ranks(scores, targets, excluded).tolist(), top_k(scores, 3, excluded).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking_metrics, "_CELLS_AT_ONCE", 1)
        assert ranks(scores, targets, excluded).tolist() == whole
        assert top_k(scores, 3, excluded).tolist() == best


@pytest.mark.parametrize("strange", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_refused_and_named(strange: float) -> None:
    scores = matrix([1, 2], [1, strange])
    with pytest.raises(ValueError, match=r"item 1 in case 1 is .*finite"):
        ranks(scores, [0, 0])
    with pytest.raises(ValueError, match="finite"):
        top_k(scores, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"targets": [0]}, "1 cases"),
        ({"targets": [0, 2]}, "no column 2"),
        ({"targets": [0, -1]}, "no column -1"),
        ({"pools": [[0], [7]]}, "no column 7"),
        ({"pools": [[0], [-2]]}, "no column -2"),
        ({"pools": [[0]]}, "`pools` is given for 1"),
        ({"pools": [[True, False], [True, True]]}, "whole numbers"),
        ({"excluded": np.zeros((2, 3), dtype=bool)}, r"has form \(2, 3\)"),
        ({"excluded": [[1], [0]]}, "target of case 1"),
        ({"excluded": np.array([[False, True], [True, False]])}, "target of case 1"),
        ({"scores": np.zeros(2, dtype=np.float32)}, "matrix"),
    ],
)
def test_what_does_not_fit_together_is_refused(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ranks(**{"scores": matrix([1, 2], [1, 2]), "targets": [0, 0], **arguments})


def test_no_cases_have_no_ranks() -> None:
    assert ranks(np.zeros((0, 3), dtype=np.float32), []).tolist() == []


# Measures


def test_measures_by_hand() -> None:
    found = np.array([1, 2, 3, 4, MISSED])
    assert hit(found, 3).tolist() == [1, 1, 1, 0, 0]
    assert ndcg(found, 3).tolist() == pytest.approx([1, 1 / np.log2(3), 0.5, 0, 0])
    assert reciprocal(found).tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 0])


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 30))
def test_ndcg_is_between_nothing_and_the_hit_and_grows_with_k(found: list[int], k: int) -> None:
    own = np.array(found)
    assert (ndcg(own, k) >= 0).all()
    assert (ndcg(own, k) <= hit(own, k)).all()
    assert (ndcg(own, k) <= ndcg(own, k + 1)).all()
    assert (reciprocal(own) * hit(own, k) <= ndcg(own, k)).all()  # a first place is 1 in both, and ranks fall off faster than logs


@pytest.mark.parametrize("measure", [hit, ndcg])
def test_no_places_are_refused(measure: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="at least one place"):
        measure(np.array([1]), 0)


def test_recall_of_candidates_is_of_the_first_so_many() -> None:
    pools, targets = [[4, 2, 0], [1], [], [3, 5]], [2, 1, 0, 0]
    assert recall_of_candidates(pools, targets).tolist() == [1, 1, 0, 0]
    assert recall_of_candidates(pools, targets, depth=1).tolist() == [0, 1, 0, 0]
    assert ceiling(pools, targets) == 0.5


@given(questions(), st.integers(1, 9), st.integers(0, 1000))
def test_no_reranker_passes_the_ceiling_and_the_best_one_reaches_it(question: tuple[Scores, Any, Any], k: int, seed: int) -> None:
    scores, targets, _ = question
    pools = top_k(np.random.default_rng(seed).random(scores.shape, dtype=np.float32), 3)
    highest = ceiling(pools, targets)
    knowing = np.zeros_like(scores)
    knowing[np.arange(len(targets)), targets] = 1
    for own, check in ((scores, np.less_equal), (knowing, np.isclose)):
        found = ranks(own, targets, pools=pools)
        assert all(check(measured.mean(), highest) for measured in (hit(found, k), ndcg(found, k), reciprocal(found)))


# What is shown


def test_the_best_come_first_and_the_lower_column_of_equals() -> None:
    scores = matrix([1, 3, 2, 3], [0, 0, 0, 0])
    assert top_k(scores, 3).tolist() == [[1, 3, 2], [0, 1, 2]]
    assert top_k(scores, 3, excluded=[[1], [0, 2]]).tolist() == [[3, 2, 0], [1, 3, NOTHING]]
    assert top_k(scores, 2, pools=[[0, 2], [3]]).tolist() == [[2, 0], [3, NOTHING]]
    assert top_k(scores, 5).tolist() == [[1, 3, 2, 0, NOTHING], [0, 1, 2, 3, NOTHING]]


@given(questions(), st.integers(1, 11))
def test_top_k_is_the_head_of_a_full_stable_sort(question: tuple[Scores, Any, Any], k: int) -> None:
    scores, _, excluded = question
    for own, left_out, best in zip(scores, excluded, top_k(scores, k, excluded), strict=True):
        order = [column for column in np.argsort(-own, kind="stable") if not left_out[column]]
        assert best.tolist() == (order + [NOTHING] * k)[:k]


@given(st.integers(0, 1000), st.integers(1, 12))
def test_where_nothing_draws_a_hit_is_to_be_shown(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.permuted(np.tile(np.arange(12, dtype=np.float32), (6, 1)), axis=1)
    targets = random.integers(0, 12, 6)
    shown = (top_k(scores, k) == targets[:, None]).any(axis=1)
    assert hit(ranks(scores, targets), k).tolist() == shown.tolist()


def test_coverage_novelty_and_gini_by_hand() -> None:
    shown = np.array([[0, 1], [0, NOTHING]])
    assert coverage(shown, 4) == 0.5
    # one is added to each: 4, 2, 1, 1 of 8, so 1 and 2 bits
    assert novelty(shown, [3, 1, 0, 0]) == pytest.approx((1 + 2 + 1) / 3)
    assert novelty(np.array([[3]]), [3, 1, 0, 0]) == pytest.approx(3)
    assert gini(np.array([[0, 1], [2, 3]]), 4) == pytest.approx(0)
    assert gini(np.array([[2], [2]]), 4) == pytest.approx(0.75)
    assert gini(np.array([[NOTHING]]), 4) == coverage(np.array([[NOTHING]]), 4) == 0


def test_an_unknown_column_cannot_have_been_shown() -> None:
    with pytest.raises(ValueError, match="no column 4"):
        coverage(np.array([[4]]), 4)


# Slices


def test_users_are_cold_below_one_bound_and_warm_from_the_other() -> None:
    assert cold_or_warm([1, 4, 5, 9, 10], 5, 10).tolist() == ["cold", "cold", "between", "between", "warm"]
    assert cold_or_warm([4, 5], 5, 5).tolist() == ["cold", "warm"]
    with pytest.raises(ValueError, match="cannot be warm"):
        cold_or_warm([1], 5, 4)


@pytest.mark.parametrize(
    ("counts", "head"),
    [
        ([6, 3, 1, 0], [0]),  # 6 of 10 are more than half
        ([4, 3, 2, 1], [0, 1]),  # 4 are not, 7 are
        ([5, 5, 0, 0], [0, 1]),  # those met equally often stand together
        ([5, 3, 2, 0], [0]),  # 5 are just half
        ([0, 0, 0, 0], []),  # nobody has met anything
    ],
)
def test_the_head_is_who_holds_half_of_what_was_before(counts: list[int], head: list[int]) -> None:
    found = head_or_tail([counts] * 4, range(4))
    assert np.flatnonzero(found == "head").tolist() == head


def test_an_item_can_rise_from_the_tail_to_the_head() -> None:
    over_time = iter([np.array([9, 1]), np.array([9, 30])])
    assert head_or_tail(over_time, [1, 1]).tolist() == ["tail", "head"]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12), st.sampled_from([0.2, 0.5, 0.8]))
def test_the_head_holds_the_share_and_would_not_without_its_least(counts: list[int], share: float) -> None:
    own = np.array(counts)
    head = own[head_or_tail([counts] * len(counts), range(len(counts)), share) == "head"]
    if own.sum():
        assert head.sum() >= share * own.sum() > head[head > head.min()].sum()
    else:
        assert not len(head)


def test_slices_are_both_at_once() -> None:
    found = slices([1, 9], np.array([[3, 1], [3, 1]]), [1, 0], cold_below=5, warm_from=5)
    assert (found.users.tolist(), found.items.tolist()) == (["cold", "warm"], ["tail", "head"])


@pytest.mark.parametrize(("target", "share", "told"), [(2, 0.5, "no column 2"), (0, 1.0, "between 0 and 1")])
def test_a_head_that_cannot_be_told_is_refused(target: int, share: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        head_or_tail([[1, 2]], [target], share)
