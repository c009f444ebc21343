"""Factors against the least squares they are said to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.ranking import ALS
from persona_core.ranking.factors import Side, alternated, first_vectors
from tests.ranking.worlds import interactions_of, patient, two_tastes

REGULARISATION, ALPHA = 0.7, 4.0


def by_hand(vectors: np.ndarray, history: list[int]) -> np.ndarray:
    """The x that makes sum c (p - x y)^2 + regularisation |x|^2 least."""
    wide = vectors.astype(float)
    p = np.isin(np.arange(len(wide)), history).astype(float)
    c = 1 + ALPHA * p
    return np.linalg.solve((wide.T * c) @ wide + REGULARISATION * np.eye(wide.shape[1]), wide.T @ (c * p))


def objective(matrix: np.ndarray, users: np.ndarray, items: np.ndarray) -> float:
    missed = (1 + ALPHA * matrix) * (matrix - users.astype(float) @ items.T.astype(float)) ** 2
    return float(missed.sum() + REGULARISATION * ((users.astype(float) ** 2).sum() + (items.astype(float) ** 2).sum()))


def test_one_factor_by_hand() -> None:
    items = Side.of(np.array([[1.0], [2.0], [3.0]], np.float32), 1.0)
    als = ALS(items, 2.0)
    # One of rank 1 who came to the last: (1 + 2) * 3 / (1 + 4 + 9 + 1 + 2 * 9); to the first and the second: 3 * 3 / (15 + 2 * 5)
    folded = als.folded_in([np.array([2]), np.array([0, 1])])
    assert folded[:, 0] == pytest.approx([9 / 33, 9 / 25])
    assert als.scores([np.array([2])])[0] == pytest.approx(np.array([1, 2, 3]) * 9 / 33)


@patient
@given(st.integers(1, 6), st.lists(st.lists(st.integers(0, 11), unique=True, max_size=12), min_size=1, max_size=6), st.integers(0, 99))
def test_folding_in_is_least_squares_for_short_and_long_histories(rank: int, histories: list[list[int]], seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(12, rank)).astype(np.float32)
    folded = ALS(Side.of(vectors, REGULARISATION), ALPHA).folded_in([np.array(history, np.int32) for history in histories])
    for found, history in zip(folded, histories, strict=True):
        np.testing.assert_allclose(found, by_hand(vectors, history), atol=1e-4)


def test_after_convergence_folding_in_finds_the_trained_factors_again() -> None:
    world = two_tastes()
    users, items = alternated(world.matrix(), first_vectors(8, 3, seed=1), REGULARISATION, ALPHA, iterations=300)
    folded = ALS(Side.of(items, REGULARISATION), ALPHA).folded_in(list(world.histories().values()))
    assert np.abs(users).max() > 0.1
    np.testing.assert_allclose(folded, users, atol=1e-3)


def test_every_round_comes_nearer() -> None:
    matrix, first = two_tastes().matrix(), first_vectors(8, 3, seed=1)
    missed = [
        objective(matrix.toarray(), *alternated(matrix, first, REGULARISATION, ALPHA, rounds)) for rounds in (1, 2, 3, 5, 10, 50)
    ]
    assert missed == sorted(missed, reverse=True)
    assert missed[-1] < 0.7 * missed[0]


def test_more_factors_than_items_are_fine() -> None:
    scores = ALS.fit(interactions_of([("u", "a", 4.0, 0), ("u", "b", 4.0, 1), ("v", "c", 4.0, 1)], "abc")).scores([np.array([0])])[0]
    assert scores[1] > scores[2]


def test_another_seed_gives_other_factors_and_much_the_same_scores() -> None:
    one, other = (ALS.fit(two_tastes(), rank=2, regularisation=1.0, iterations=60, seed=seed) for seed in (1, 2))
    assert not np.allclose(one.items.vectors, other.items.vectors, atol=1e-2)
    asked = [np.array([0]), np.array([3, 4])]
    np.testing.assert_allclose(one.scores(asked), other.scores(asked), atol=0.02)
