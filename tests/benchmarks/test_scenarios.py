"""The controls of the scenarios' benchmark are what they say: the same shapes, and nothing known in them that should not be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.scenarios import BOTH, CONTROLS, LEVELS, PLAIN, built, cost
from persona_core.scenarios.backbones import SharedBottom
from persona_core.scenarios.samples import Lessons
from persona_core.scenarios.schooling import Schooling
from tests.scenarios.made import ITEMS, SCENARIOS, USERS, kinds, known, samples

PLACES = tuple(str(at) for at in range(SCENARIOS))


@pytest.fixture(scope="module")
def one() -> Schooling:
    lessons = Lessons(
        train=samples(1), valid=samples(2, 80), test=samples(3, 80), user_ids=tuple(map(str, range(USERS))),
        item_ids=tuple(map(str, range(ITEMS))), scenario_names=PLACES, item_scenarios=np.arange(ITEMS) // (ITEMS // SCENARIOS),
    )  # fmt: skip
    return Schooling(lessons, known(), kinds(), np.eye(SCENARIOS, dtype=np.float32))


@pytest.mark.parametrize("kind", LEVELS)
def test_a_level_listens_where_it_is_switched_on(one: Schooling, kind: str) -> None:
    model = built(one, SharedBottom, kind, 7)
    assert (model.users is not None, model.scenarios is not None) == LEVELS[kind]


def test_the_plain_one_knows_nothing_and_the_rival_has_it_all_as_inputs(one: Schooling) -> None:
    plain, beside = (built(one, SharedBottom, kind, 7) for kind in (PLAIN, "put beside the inputs"))
    assert not plain.inputs.views
    assert set(beside.inputs.views) == {"user_knowledge", "scenario_knowledge"}
    assert beside.users is None


@pytest.mark.parametrize("kind", [kind for kind in CONTROLS if kind != "put beside the inputs"])
def test_a_control_has_the_shape_of_knowledge_and_not_what_it_says(one: Schooling, kind: str) -> None:
    model, true = built(one, SharedBottom, kind, 7), built(one, SharedBottom, BOTH, 7)
    assert model.users is not None
    assert true.users is not None
    rows, known_rows = model.users.rows.weight, true.users.rows.weight
    assert rows.shape == known_rows.shape
    assert not torch.equal(rows, known_rows)
    assert rows.requires_grad is (kind == "learned vectors")
    if kind == "other people's":
        assert torch.equal(rows.sort(0).values, known_rows.sort(0).values), "the same rows, of others"


def test_new_in_a_scenario_is_who_was_met_in_another_only(one: Schooling) -> None:
    train, test = one.lessons.train, one.lessons.test
    for user, at, cold in zip(test.users, test.scenarios, one.cold, strict=True):
        there = set(train.scenarios[train.users == user].tolist())
        assert cold == (bool(there) and at not in there)


def test_every_backbone_has_its_cost(one: Schooling) -> None:
    rows = cost(one, times=1)
    assert len(rows) == 4
    assert all(row["plain, ms"] > 0 and row["both, ms"] > 0 for row in rows)
