"""Item neighbours against numbers worked out by hand."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pytest

from persona_core.errors import ArtefactBroken
from persona_core.ranking import ItemKNN, together
from persona_core.ranking.files import Kept, write_scorer
from tests.ranking.worlds import interactions_of

A, B, C = range(3)
CAME = [("u", "a", 4.0, 0), ("u", "b", 4.0, 1), ("v", "a", 4.0, 0), ("v", "b", 4.0, 1), ("w", "a", 4.0, 0), ("w", "c", 4.0, 1)]
WORLD = interactions_of([*CAME, ("w", "c", 2.0, 9)], "abc")  # coming again changes nothing


@pytest.mark.parametrize("shrinkage", [0.0, 2.0])
def test_nearness_is_a_shrunk_cosine(shrinkage: float) -> None:
    ab, ac = 2 / (sqrt(3 * 2) + shrinkage), 1 / (sqrt(3 * 1) + shrinkage)
    near = ItemKNN.fit(WORLD, shrinkage=shrinkage).near.toarray()
    np.testing.assert_allclose(near, [[0, ab, ac], [ab, 0, 0], [ac, 0, 0]], rtol=1e-6)


def test_only_the_nearest_are_kept() -> None:
    near = ItemKNN.fit(WORLD, neighbours=1, shrinkage=0).near.toarray()
    np.testing.assert_array_equal(near > 0, [[False, True, False], [True, False, False], [True, False, False]])


def test_of_equally_near_ones_the_first_are_kept() -> None:
    one_basket = interactions_of([("u", item, 4.0, 0) for item in "abcde"], "abcde")
    near = ItemKNN.fit(one_basket, neighbours=2).near.toarray()
    assert [np.flatnonzero(row).tolist() for row in near] == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_a_score_is_the_sum_over_the_history() -> None:
    knn = ItemKNN.fit(WORLD, shrinkage=0)
    ab, ac = 2 / sqrt(6), 1 / sqrt(3)
    np.testing.assert_allclose(knn.scores([np.array([B, C]), np.array([A])]), [[ab + ac, 0, 0], [0, ab, ac]], rtol=1e-6)


def test_what_is_longer_ago_may_weigh_less() -> None:
    knn = ItemKNN.fit(WORLD, shrinkage=0, recency=0.5)
    ab, ac = 2 / sqrt(6), 1 / sqrt(3)
    scores = knn.scores([np.array([B, C]), np.array([C, B]), np.array([B, C, A])])
    np.testing.assert_allclose(scores, [[ab / 2 + ac, 0, 0], [ac / 2 + ab, 0, 0], [ab / 4 + ac / 2, ab, ac]], rtol=1e-6)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    items = [f"i{code:02d}" for code in range(30)]
    world = interactions_of([(f"u{rng.integers(40)}", items[rng.integers(30)], 4.0, 0) for _ in range(300)], items)
    whole = ItemKNN.fit(world, neighbours=5).near.toarray()
    monkeypatch.setattr(together, "ROWS", 7)
    np.testing.assert_array_equal(ItemKNN.fit(world, neighbours=5).near.toarray(), whole)


@pytest.mark.parametrize(
    ("indices", "indptr", "recency"), [([1, 2], [0, 1, 2], 1.0), ([1, 0], [0, 1, 9], 1.0), ([1, 0], [0, 1, 2], 7.0)], ids=str
)
def test_a_file_that_contradicts_itself_is_refused(indices: list[int], indptr: list[int], recency: float, tmp_path: Path) -> None:
    arrays = {"data": np.ones(2, np.float32), "indices": np.array(indices, np.int32), "indptr": np.array(indptr, np.int32)}
    write_scorer(tmp_path / "file", ItemKNN.name, Kept(arrays, {"recency": recency}))
    with pytest.raises(ArtefactBroken):
        ItemKNN.load(tmp_path / "file")
