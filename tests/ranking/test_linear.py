"""The linear scorer against numbers worked out by hand, and against one regression for each item."""

from __future__ import annotations

import numpy as np
import pytest

from persona_core.ranking import EASE, Interactions, TooManyItems
from tests.ranking.worlds import interactions_of


def test_two_items_by_hand() -> None:
    world = interactions_of([("u", "a", 4.0, 0), ("u", "b", 4.0, 1), ("v", "a", 4.0, 2)], "ab")
    ease = EASE.fit(world, regularisation=1.0)  # G = [[3, 1], [1, 2]], its inverse [[2, -1], [-1, 3]] / 5
    np.testing.assert_allclose(ease.weights, [[0, 1 / 3], [1 / 2, 0]], rtol=1e-6)
    np.testing.assert_allclose(ease.scores([np.array([0]), np.array([1, 0])]), [[0, 1 / 3], [1 / 2, 1 / 3]], rtol=1e-6)


def test_each_column_is_the_regression_of_its_item_on_all_others() -> None:
    rng = np.random.default_rng(6)
    items = [f"i{code:02d}" for code in range(12)]
    world = interactions_of([(f"u{rng.integers(30)}", items[rng.integers(12)], 4.0, 0) for _ in range(150)], items)
    came, weights = world.matrix().toarray().astype(float), EASE.fit(world, regularisation=3.0).weights
    for item in range(12):
        others = np.delete(came, item, axis=1)
        wanted = np.linalg.solve(others.T @ others + 3 * np.eye(11), others.T @ came[:, item])
        np.testing.assert_allclose(np.delete(weights[:, item], item), wanted, rtol=1e-4, atol=1e-6)
        assert weights[item, item] == 0


def test_a_large_catalogue_is_refused_with_a_way_out() -> None:
    none = np.empty(0, np.int32)
    large = Interactions((), tuple(map(str, range(8_001))), none, none, np.empty(0, np.int64), np.empty(0, np.float32))
    with pytest.raises(TooManyItems, match=r"(?s)up to 8,000 items, and there are 8,001.*2\.0 GB.*ItemKNN or ALS"):
        EASE.fit(large)
