"""A model of several scenarios learns, is the same for the same seed, goes on where it was stopped, and knowledge that helps helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.scenarios.meta import MultiScenario
from persona_core.scenarios.training import CHECKPOINT, Recipe, auc, chances, fit, measures, odds, sureness
from tests.scenarios.made import kinds, model, samples

TRAIN, VALID, TEST = samples(1), samples(2, 200), samples(3, 400)
QUICK = Recipe(epochs=6, patience=6, batch=64, rate=1e-2)


def plain() -> MultiScenario:
    return model()


def test_it_learns_and_is_the_same_for_the_same_seed() -> None:
    found, again = (fit(plain, TRAIN, VALID, QUICK) for _ in range(2))
    assert found.curve == again.curve
    assert found.curve[-1].loss < found.curve[0].loss
    assert found.curve[found.best - 1].auc == max(one.auc for one in found.curve)
    assert np.array_equal(chances(found.model, TEST), chances(again.model, TEST))


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 5.0), st.integers(0, 1_000))
def test_what_is_said_too_loudly_is_said_as_surely_as_it_is_right(loud: float, seed: int) -> None:
    dice = np.random.default_rng(seed)
    true = dice.normal(0, 2, 4_000).astype(np.float32)
    labels = (dice.random(4_000) < 1 / (1 + np.exp(-true))).astype(np.float32)
    assert sureness(labels, true * loud) * loud == pytest.approx(1, abs=0.2)
    assert sureness(labels[:0], true[:0]) == 1.0


def test_a_training_too_long_is_not_too_sure_of_itself() -> None:
    found = fit(plain, TRAIN, VALID, replace(QUICK, epochs=40, patience=40)).model
    loud = odds(found, VALID) / float(found.sureness)
    assert measures(VALID, chances(found, VALID))["log loss"] < measures(VALID, 1 / (1 + np.exp(-loud)))["log loss"]
    assert auc(VALID.labels, chances(found, VALID)) == pytest.approx(auc(VALID.labels, loud))


def test_knowledge_of_who_somebody_is_helps_where_it_tells(tmp_path: Path) -> None:
    with_it = fit(lambda: model(users=kinds()), TRAIN, VALID, QUICK)
    assert auc(TEST.labels, chances(with_it.model, TEST)) > auc(TEST.labels, chances(fit(plain, TRAIN, VALID, QUICK).model, TEST))


def test_stopped_it_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    whole = fit(plain, TRAIN, VALID, QUICK)
    fit(plain, TRAIN, VALID, replace(QUICK, epochs=3), tmp_path)
    told: list[int] = []
    on = fit(plain, TRAIN, VALID, QUICK, tmp_path, lambda done, total: told.append(done))
    assert told == [4, 5, 6]
    assert on.curve == whole.curve
    assert np.array_equal(chances(on.model, TEST), chances(whole.model, TEST))


@pytest.mark.parametrize("left", ["cut", "other recipe", "none"])
def test_a_checkpoint_that_is_broken_or_of_another_training_is_not_gone_on_from(tmp_path: Path, left: str) -> None:
    fit(plain, TRAIN, VALID, replace(QUICK, epochs=2), tmp_path)
    file = tmp_path / CHECKPOINT
    if left == "cut":
        file.write_bytes(file.read_bytes()[:-40])
    if left == "none":
        file.unlink()
    recipe = replace(QUICK, epochs=3, rate=2e-3 if left == "other recipe" else QUICK.rate)
    told: list[int] = []
    fit(plain, TRAIN, VALID, recipe, tmp_path, lambda done, total: told.append(done))
    assert told == [1, 2, 3]


def test_training_ends_where_nothing_gets_better() -> None:
    found = fit(plain, TRAIN, replace(VALID, labels=np.zeros_like(VALID.labels)), replace(QUICK, epochs=50, patience=2))
    assert len(found.curve) - found.best == 2


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1_000))
def test_measures_are_what_they_say(seed: int) -> None:
    some = samples(seed, 60)
    right, wrong = measures(some, some.labels * 0.98 + 0.01), measures(some, 0.99 - some.labels * 0.98)
    assert right["AUC"] == right["AUC of a person"] == 1.0
    assert wrong["AUC"] == wrong["AUC of a person"] == 0.0
    assert right["log loss"] < 0.02 < wrong["log loss"]
    assert auc(some.labels, np.zeros(60, np.float32)) == 0.5
    assert measures(some.take(slice(0, 0)), np.zeros(0, np.float32))["AUC"] == 0.5
