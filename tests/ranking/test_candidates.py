"""The laws of merging several scorers' best items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.ranking import Candidate, candidates
from tests.ranking.worlds import patient

N = 7
rows = st.lists(st.integers(-2, 3), min_size=N, max_size=N).map(lambda row: np.array(row, np.float32))
scored = st.dictionaries(st.sampled_from(["linear", "factors", "neighbours"]), rows, max_size=3)
seen = st.sets(st.integers(0, N - 1))
sizes = st.integers(0, N + 1)


def best_by_hand(scores: np.ndarray, seen: set[int], count: int) -> list[int]:
    if not scores.any():
        return []
    return sorted(set(range(N)) - seen, key=lambda item: (-scores[item], item))[:count]


def test_by_hand() -> None:
    scored = {"x": np.array([0.1, 0.9, 0.5, 0.0]), "y": np.array([7.0, 0.0, 8.0, 0.0])}
    assert candidates(scored, seen=[3], per_source=2) == [
        Candidate(1, (("x", 1),)),
        Candidate(2, (("y", 1), ("x", 2))),
        Candidate(0, (("y", 2),)),
    ]


@patient
@given(scored, seen, sizes)
def test_each_source_names_its_best_unseen_items(scored: dict[str, np.ndarray], seen: set[int], size: int) -> None:
    found = candidates(scored, seen, size)
    assert len({one.item for one in found}) == len(found)
    for name, scores in scored.items():
        named = {rank: one.item for one in found for source, rank in one.sources if source == name}
        assert [named[rank] for rank in sorted(named)] == best_by_hand(scores, seen, size)
        assert sorted(named) == list(range(1, len(named) + 1))


@patient
@given(scored, seen, sizes)
def test_the_best_rank_comes_first_then_the_code(scored: dict[str, np.ndarray], seen: set[int], size: int) -> None:
    found = candidates(scored, seen, size)
    assert found == sorted(found, key=lambda one: (min(rank for _, rank in one.sources), one.item))
    assert not seen & {one.item for one in found}
    for one in found:
        assert one.sources
        assert list(one.sources) == sorted(one.sources, key=lambda source: (source[1], source[0]))


@patient
@given(scored, seen, sizes)
def test_the_order_of_the_sources_does_not_matter(scored: dict[str, np.ndarray], seen: set[int], size: int) -> None:
    assert candidates(dict(reversed(scored.items())), seen, size) == candidates(scored, seen, size)


@patient
@given(scored, seen, sizes)
def test_asking_for_more_keeps_what_was_named(scored: dict[str, np.ndarray], seen: set[int], size: int) -> None:
    more = {one.item: set(one.sources) for one in candidates(scored, seen, size + 1)}
    assert all(set(one.sources) <= more[one.item] for one in candidates(scored, seen, size))


@patient
@given(scored, seen, sizes)
def test_scores_are_not_touched(scored: dict[str, np.ndarray], seen: set[int], size: int) -> None:
    before = {name: scores.copy() for name, scores in scored.items()}
    candidates(scored, seen, size)
    for name, scores in scored.items():
        np.testing.assert_array_equal(scores, before[name])


def test_who_knows_nothing_names_nothing() -> None:
    found = candidates({"linear": np.zeros(3), "popularity": np.array([1.0, 3.0, 2.0])}, seen=[], per_source=2)
    assert found == [Candidate(1, (("popularity", 1),)), Candidate(2, (("popularity", 2),))]


def test_what_is_at_minus_infinity_is_not_named() -> None:
    assert [one.item for one in candidates({"x": np.array([-np.inf, -1.0, -np.inf])}, seen=[], per_source=3)] == [1]


@pytest.mark.parametrize(
    ("scored", "seen", "said"),
    [
        ({"x": np.ones(3), "y": np.ones(2)}, [], "different items"),
        ({"x": np.ones((1, 3))}, [], "different items"),
        ({"x": np.array([1.0, np.nan])}, [], "scores of x"),
        ({"x": np.ones(3)}, [3], "no item"),
        ({"x": np.ones(3)}, [-1], "no item"),
    ],
)
def test_what_does_not_fit_is_refused(scored: dict[str, np.ndarray], seen: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        candidates(scored, seen, 2)
