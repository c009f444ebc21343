"""Who drives a trend: every visit is counted once, for the persona that its visitor matches best."""

from __future__ import annotations

import numpy as np
import pytest

from persona_core.alignment.matching import matches
from persona_core.catalog.store import Catalog
from persona_core.engine import Engine
from persona_core.explain.drivers import Drivers, best_persona, drivers
from persona_core.pipeline import Pipeline
from persona_core.ranking.steps import interactions_in
from persona_core.schema import Stance
from persona_core.trends.steps import TREND_STEP
from persona_core.workspace import Workspace
from tests.support.shops import WITHOUT_PERSONAS, FakeBook, built_shop, item_id, shop_pipeline


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = built_shop(tmp_path_factory.mktemp("drivers"))
    Pipeline((*shop_pipeline(place).steps.values(), TREND_STEP), place).build()
    return place


@pytest.fixture(scope="module")
def engine(shop: Workspace) -> Engine:
    opened = Engine.open(shop)
    opened.book = FakeBook()  # type: ignore[assignment]
    return opened


@pytest.fixture(scope="module")
def found(engine: Engine) -> Drivers:
    return drivers(engine)


def test_every_visit_that_the_trends_count_is_counted_once(engine: Engine, found: Drivers) -> None:
    assert engine.trends is not None
    total = found.left_over.copy()
    for row, persona in enumerate(found.personas):
        total[engine.code[persona.item_id]] += found.counts[row]
    assert (total == engine.trends.windows.counts).all()


def test_a_visit_goes_to_the_persona_that_admirers_would_name(engine: Engine) -> None:
    visits = interactions_in(Catalog.of(engine.workspace.artefact("catalog")))
    everything = np.arange(len(visits))
    best = best_persona(engine, visits, everything)
    users, wants, fears = engine.tastes
    directions = np.stack([engine.direction_of(one.id) for one in engine.personas])
    suits, _ = matches(directions, wants, fears)
    for visit, row in enumerate(best.tolist()):
        item, user = visits.items[visits.item[visit]], visits.users[visits.user[visit]]
        own = [place for place, one in enumerate(engine.personas) if one.item_id == item and one.stance is not Stance.DISAPPOINTS]
        if not own or not wants[users.index(user)].any():
            assert row == -1
        else:
            assert row in own
            assert suits[users.index(user), row] == pytest.approx(max(suits[users.index(user), place] for place in own), abs=1e-6)


def test_small_batches_give_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    visits = interactions_in(Catalog.of(engine.workspace.artefact("catalog")))
    whole = best_persona(engine, visits, np.arange(len(visits)))
    monkeypatch.setattr("persona_core.explain.drivers.PAIRS_AT_ONCE", 5)
    assert (best_persona(engine, visits, np.arange(len(visits))) == whole).all()


def test_nobody_drives_an_item_without_personas(engine: Engine, found: Drivers) -> None:
    assert found.of_item(WITHOUT_PERSONAS) == []
    row = engine.code[WITHOUT_PERSONAS]
    assert engine.trends is not None
    assert (found.left_over[row] == engine.trends.windows.counts[row]).all()
    assert found.nobodys("nowhere") == (0, 0)
    assert found.of_item("nowhere") == []


def test_going_back_moves_both_spans(found: Drivers) -> None:
    span = found.span()
    for item in map(item_id, range(8)):
        now, then = found.of_item(item), found.of_item(item, span)
        assert {one.persona.id: one.before for one in now} == {one.persona.id: one.lately for one in then}
        assert all(one.persona.stance is not Stance.DISAPPOINTS for one in now)
        assert [one.lately for one in now] == sorted((one.lately for one in now), reverse=True)


def test_groups_add_up_and_the_one_that_grew_most_comes_first(engine: Engine, found: Drivers) -> None:
    groups = {one.id: engine.item(one.item_id).scenario for one in engine.personas}
    told = found.by_group(groups)
    assert {one.name for one in told} == set(groups.values())
    assert sum(one.lately for one in told) == found.counts[:, -found.span() :].sum()
    assert [one.change for one in told] == sorted((one.change for one in told), reverse=True)
    assert found.by_group({}) == []


def test_an_engine_without_trends_is_refused_in_words(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "trends", None)
    with pytest.raises(ValueError, match="without trends"):
        drivers(engine)


def test_a_short_past_has_short_spans() -> None:
    few = Drivers((), np.zeros((0, 3)), (), np.zeros((0, 3)))
    assert few.span() == 1
    assert few.span(2) == 1
