"""What every scorer promises, asked of each of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.ranking import ALS, EASE, Interactions, ItemKNN, Popularity, RecentPopularity, Scorer
from tests.ranking.worlds import IMPERSONAL, ITEMS, PERSONAL, SCORERS, interactions_of, patient, seconds, two_tastes

Fit = Callable[[Interactions], Scorer]
each = pytest.mark.parametrize("fit", SCORERS.values(), ids=SCORERS)
each_personal = pytest.mark.parametrize("fit", PERSONAL.values(), ids=PERSONAL)

WORLD = two_tastes()
FITTED = [fit(WORLD) for fit in SCORERS.values()]
each_fitted = pytest.mark.parametrize("scorer", FITTED, ids=SCORERS)
each_personal_fitted = pytest.mark.parametrize("scorer", FITTED[len(IMPERSONAL) :], ids=PERSONAL)

histories = st.lists(st.integers(0, len(ITEMS) - 1), max_size=12).map(lambda codes: np.array(codes, np.int32))
cases = st.lists(st.tuples(histories, st.integers(-5, 100).map(seconds)), max_size=8)


@each_fitted
@patient
@given(cases=cases)
def test_scores_are_a_finite_row_for_each_history(scorer: Scorer, cases: list[tuple[np.ndarray, int]]) -> None:
    scores = scorer.scores([history for history, _ in cases], [moment for _, moment in cases])
    assert (scores.shape, scores.dtype) == ((len(cases), len(ITEMS)), np.float32)
    assert np.isfinite(scores).all()


@each_fitted
@patient
@given(cases=cases)
def test_a_case_scores_alone_as_among_others_to_the_last_bit(scorer: Scorer, cases: list[tuple[np.ndarray, int]]) -> None:
    together = scorer.scores([history for history, _ in cases], [moment for _, moment in cases])
    for row, (history, moment) in zip(together, cases, strict=True):
        np.testing.assert_array_equal(scorer.scores([history], [moment])[0], row)


@each_fitted
@patient
@given(history=histories)
def test_an_item_that_is_named_again_counts_once(scorer: Scorer, history: np.ndarray) -> None:
    once = np.array(list(dict.fromkeys(history.tolist())), np.int32)
    np.testing.assert_array_equal(scorer.scores([history]), scorer.scores([once]))


@each_fitted
@patient
@given(history=histories)
def test_the_order_of_a_history_matters_only_where_it_was_asked_for(scorer: Scorer, history: np.ndarray) -> None:
    if not (isinstance(scorer, ItemKNN) and scorer.recency < 1):
        np.testing.assert_array_equal(scorer.scores([history[::-1]]), scorer.scores([history]))


@each
def test_fitting_again_gives_the_same(fit: Fit) -> None:
    asked = list(WORLD.histories().values())
    np.testing.assert_array_equal(fit(WORLD).scores(asked), fit(two_tastes()).scores(asked))


@each_personal_fitted
def test_what_goes_with_the_history_beats_what_never_does(scorer: Scorer) -> None:
    a, b, c, d, e, f, _, h = range(len(ITEMS))
    ours, theirs = scorer.scores([np.array([a]), np.array([d, e])])
    assert min(ours[[b, c]]) > max(ours[[d, e, f, h]])
    assert theirs[f] > max(theirs[[a, b, c, h]])


@each_personal_fitted
def test_an_empty_history_gives_zeros(scorer: Scorer) -> None:
    scores = scorer.scores([np.array([], np.int32), np.array([0], np.int32)])
    assert not scores[0].any()
    assert scores[1].any()


@each_fitted
def test_it_is_a_scorer_with_a_name_of_its_own(scorer: Scorer) -> None:
    assert isinstance(scorer, Scorer)
    assert [type(other) for other in FITTED if other.name == scorer.name] == [type(scorer)] * (1 + isinstance(scorer, ItemKNN))


@each_fitted
def test_no_cases_give_no_rows(scorer: Scorer) -> None:
    assert scorer.scores([]).shape == (0, len(ITEMS))
    assert scorer.scores([], []).shape == (0, len(ITEMS))


@each_fitted
def test_the_caller_may_write_into_the_scores(scorer: Scorer) -> None:
    asked = [np.array([0]), np.array([3, 4])]
    first = scorer.scores(asked)
    kept = first.copy()
    first[:] = -np.inf
    np.testing.assert_array_equal(scorer.scores(asked), kept)


@each_fitted
def test_threads_may_share_a_scorer(scorer: Scorer) -> None:
    rng = np.random.default_rng(2)
    asked = [rng.choice(len(ITEMS), rng.integers(0, 8), replace=False) for _ in range(200)]
    moments = [seconds(int(day)) for day in rng.integers(0, 100, 200)]
    alone = scorer.scores(asked, moments)
    with ThreadPoolExecutor(8) as pool:
        parts = pool.map(lambda at: scorer.scores(asked[at : at + 5], moments[at : at + 5]), range(0, 200, 5))
        np.testing.assert_array_equal(np.vstack(list(parts)), alone)


@each
def test_a_single_item_is_a_catalogue(fit: Fit) -> None:
    scores = fit(interactions_of([("ann", "a", 4.0, 0), ("bob", "a", 4.0, 1)], ["a"])).scores([np.array([0]), np.array([], int)])
    assert scores.shape == (2, 1)
    assert np.isfinite(scores).all()


@each
@pytest.mark.parametrize("items", [ITEMS, ITEMS[:1], ()], ids=["items", "one item", "no items"])
def test_nobody_came_to_anything(fit: Fit, items: tuple[str, ...], tmp_path: Path) -> None:
    scorer = fit(interactions_of([], items))
    asked = [np.array([], np.int32), np.arange(len(items))]
    assert scorer.scores(asked).shape == (2, len(items))
    assert not scorer.scores(asked).any()
    scorer.save(tmp_path / "scorer")  # type: ignore[attr-defined]
    assert not type(scorer).load(tmp_path / "scorer").scores(asked).any()  # type: ignore[attr-defined]


@each_personal_fitted
@pytest.mark.parametrize("history", [[8], [-1], [0.5], [[0]]], ids=str)
def test_what_is_no_history_is_refused(scorer: Scorer, history: list[object]) -> None:
    with pytest.raises(ValueError, match="a history"):
        scorer.scores([np.array(history)])


@pytest.mark.parametrize(
    "fit",
    [
        lambda: ItemKNN.fit(WORLD, neighbours=0),
        lambda: ItemKNN.fit(WORLD, shrinkage=-1),
        lambda: ItemKNN.fit(WORLD, recency=0),
        lambda: EASE.fit(WORLD, regularisation=0),
        lambda: RecentPopularity.fit(WORLD, half_life_days=0),
        lambda: ALS.fit(WORLD, rank=0),
        lambda: ALS.fit(WORLD, regularisation=0),
        lambda: ALS.fit(WORLD, alpha=0),
    ],
)
def test_impossible_settings_are_refused(fit: Callable[[], Scorer]) -> None:
    with pytest.raises(ValueError, match="not"):
        fit()


# On disk ---------------------------------------------------------------------------------------------------------------


@each_fitted
def test_saved_and_loaded_it_scores_the_same(scorer: Scorer, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "scorer.safetensors"
    scorer.save(path)  # type: ignore[attr-defined]
    loaded = type(scorer).load(path)  # type: ignore[attr-defined]
    asked = [*WORLD.histories().values(), np.arange(8), np.array([], np.int32)]
    moments = [seconds(3 * day) for day in range(len(asked))]
    np.testing.assert_array_equal(loaded.scores(asked, moments), scorer.scores(asked, moments))
    first = path.read_bytes()
    loaded.save(path)
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@each_fitted
def test_a_file_that_is_not_its_own_is_refused(scorer: Scorer, tmp_path: Path) -> None:
    load, path = type(scorer).load, tmp_path / "scorer.safetensors"  # type: ignore[attr-defined]
    with pytest.raises(WorkspaceMissing):
        load(path)
    scorer.save(path)  # type: ignore[attr-defined]
    whole = path.read_bytes()
    for broken in (whole[:-1], b"", b"\x80\x04."):
        path.write_bytes(broken)
        with pytest.raises(ArtefactBroken):
            load(path)
    other = FITTED[-1] if isinstance(scorer, Popularity) else FITTED[0]
    other.save(path)  # type: ignore[attr-defined]
    with pytest.raises(ArtefactBroken, match="it holds the scorer"):
        load(path)
