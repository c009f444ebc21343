"""Popularity counts; recent popularity counts what was strictly before the moment, the less the older it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.errors import ArtefactBroken
from persona_core.ranking import Interactions, Popularity, RecentPopularity, popularity
from persona_core.ranking.files import Kept, write_scorer
from tests.ranking.worlds import DAY, ITEMS, Row, interactions_of, patient, seconds

NOBODY = np.array([], np.int32)
rows = st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from(ITEMS), st.just(4.0), st.integers(0, 12)), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _short_strides() -> Iterator[None]:
    """So that small worlds have several sums."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(popularity, "SHORTEST_STRIDE", 3)
        yield


def by_hand(interactions: Interactions, moment: int, half_life_days: float) -> np.ndarray:
    counts = np.zeros(len(interactions.items))
    for item, time in zip(interactions.item, interactions.time, strict=True):
        if time < moment:
            counts[item] += 0.5 ** ((moment - time) / DAY / half_life_days)
    return counts


def test_popularity_orders_by_count() -> None:
    came = [("u", "b", 4.0, 0), ("v", "b", 4.0, 1), ("w", "b", 4.0, 2), ("u", "a", 4.0, 3), ("v", "a", 4.0, 4), ("w", "c", 4.0, 5)]
    scores = Popularity.fit(interactions_of(came)).scores([NOBODY])[0]
    assert [ITEMS[code] for code in np.argsort(-scores, kind="stable")] == list("bacdefgh")
    assert scores[:4] == pytest.approx(np.log([3, 4, 2, 1]))


@patient
@given(rows, st.lists(st.integers(-1, 14), max_size=6), st.sampled_from([0.5, 3.0, 1000.0]))
def test_recent_popularity_equals_brute_force(rows: list[Row], days: list[int], half_life_days: float) -> None:
    interactions = interactions_of(rows)
    moments = [seconds(day) for day in days]
    scores = RecentPopularity.fit(interactions, half_life_days=half_life_days).scores([NOBODY] * len(days), moments)
    for found, moment in zip(scores, moments, strict=True):
        assert found == pytest.approx(by_hand(interactions, moment, half_life_days), rel=1e-5)


@patient
@given(rows, st.integers(-1, 14))
def test_recent_popularity_reads_nothing_at_or_after_the_moment(rows: list[Row], day: int) -> None:
    interactions, moment = interactions_of(rows), seconds(day)
    whole = RecentPopularity.fit(interactions).scores([NOBODY], [moment])
    np.testing.assert_array_equal(RecentPopularity.fit(interactions.until(moment)).scores([NOBODY], [moment]), whole)


@patient
@given(rows)
def test_without_moments_all_that_happened_counts(rows: list[Row]) -> None:
    interactions = interactions_of(rows)
    recent = RecentPopularity.fit(interactions)
    after = int(interactions.time[-1]) + 1 if rows else 0
    np.testing.assert_array_equal(recent.scores([NOBODY] * 2), recent.scores([NOBODY] * 2, [after] * 2))
    assert (recent.scores([NOBODY])[0] > 0).sum() == len({item for _, item, _, _ in rows})


def test_lately_beats_long_ago() -> None:
    came = [("u", "a", 4.0, 0), ("v", "a", 4.0, 0), ("w", "b", 4.0, 60)]
    scores = RecentPopularity.fit(interactions_of(came), half_life_days=30).scores([NOBODY] * 2, [seconds(1), seconds(61)])
    assert scores[0, 0] > scores[0, 1] == 0
    assert scores[1, 1] > scores[1, 0] > 0


def test_many_rows_between_sums_as_far_apart_as_they_are_in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity, "SHORTEST_STRIDE", 4096)
    rng = np.random.default_rng(3)
    n = 20_000
    time = np.sort(rng.integers(seconds(0), seconds(700), n))
    item = rng.integers(0, len(ITEMS), n).astype(np.int32)
    interactions = Interactions(("u",), ITEMS, np.zeros(n, np.int32), item, time, np.full(n, np.nan, np.float32))
    moments = rng.integers(seconds(-10), seconds(800), 30).tolist() + time[[4095, 4096, 4097, 8192, -1]].tolist()
    scores = RecentPopularity.fit(interactions, half_life_days=14).scores([NOBODY] * len(moments), moments)
    wanted = [by_hand(interactions, moment, 14) for moment in moments]
    np.testing.assert_allclose(scores, wanted, rtol=1e-5)


def test_moments_stand_beside_histories() -> None:
    with pytest.raises(ValueError, match="2 moments stand beside 1 histories"):
        RecentPopularity.fit(interactions_of([])).scores([NOBODY], [0, 1])


@pytest.mark.parametrize(("item", "time"), [([0, 9], [0, 1]), ([0, 1], [1, 0]), ([0], [0, 1])], ids=["item", "order", "length"])
def test_a_file_that_contradicts_itself_is_refused(item: list[int], time: list[int], tmp_path: Path) -> None:
    arrays = {"item": np.array(item, np.int32), "time": np.array(time, np.int64)}
    write_scorer(tmp_path / "file", RecentPopularity.name, Kept(arrays, {"half_life_days": 1.0, "n_items": 2}))
    with pytest.raises(ArtefactBroken):
        RecentPopularity.load(tmp_path / "file")
