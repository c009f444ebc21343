"""The engine refuses a workspace that is not whole, and goes on while it is built anew."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from persona_core.catalog.choose import choose_source
from persona_core.engine import STEPS, Engine, Options
from persona_core.errors import ArtefactBroken, WorkspaceMissing
from persona_core.ranking.parts import Weights
from persona_core.schema import PriceBand
from persona_core.workspace import Workspace
from tests.support.engines import USER, items_of, opened
from tests.support.shops import (
    ITEMS,
    SCENARIOS,
    USERS,
    shop_pipeline,
    write_shop,
)

# Opening ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(shop: Workspace, tmp_path: Path) -> Workspace:
    return Workspace.at(shutil.copytree(shop.root, tmp_path / "copy"))


def refused(place: Workspace, error: type[Exception]) -> str:
    with pytest.raises(error) as caught:
        Engine.open(place)
    assert str(place.root) in str(caught.value)
    mend: str = caught.value.mend  # type: ignore[attr-defined]
    assert mend.startswith("python -m persona_core build")
    assert mend.endswith(f"--workspace {place.root}")
    return str(caught.value)


def test_where_nothing_is_built_nothing_opens(tmp_path: Path) -> None:
    refused(Workspace.at(tmp_path / "none"), WorkspaceMissing)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_missing_is_named(copy: Workspace, step: str) -> None:
    shutil.rmtree(copy.step_folder(step))
    assert step in refused(copy, WorkspaceMissing)


FILES = [
    ("catalog", "items.parquet"), ("catalog", "reviews.parquet"), ("personas", "personas.jsonl"), ("personas", "vectors.safetensors"),
    ("profiles", "profiles.jsonl"), ("alignment", "head.safetensors"), ("ranking", "habit.safetensors"),
    ("ranking", "recent.safetensors"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "name"), FILES)
def test_a_file_that_is_cut_short_changed_or_gone_is_refused(copy: Workspace, step: str, name: str) -> None:
    file = copy.artefact(step).file(name)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1])):
        file.write_bytes(damaged)
        assert f"--only {step}" in refused(copy, ArtefactBroken)
    file.unlink()
    assert f"--only {step}" in refused(copy, ArtefactBroken)


def test_what_was_built_from_another_catalogue_is_not_mixed_with_this_one(copy: Workspace, tmp_path: Path) -> None:
    choose_source(copy, str(write_shop(tmp_path / "smaller", items=20)), replace=True)
    pipeline = shop_pipeline(copy)
    pipeline.build(only="catalog")
    for step in ("aspects", "personas", "profiles", "alignment"):
        assert "built anew" in refused(copy, ArtefactBroken)
        pipeline.build(only=step)
    assert "ranking" in refused(copy, ArtefactBroken)
    pipeline.build(only="ranking")
    assert len(opened(copy).items) == 20


def test_an_open_engine_goes_on_while_the_workspace_is_built_anew(copy: Workspace, tmp_path: Path) -> None:
    engine = opened(copy)
    before = engine.recommend(engine.profile(USER))
    choose_source(copy, str(write_shop(tmp_path / "smaller", items=20)), replace=True)
    shop_pipeline(copy).build()
    assert engine.recommend(engine.profile(USER)) == before


# The demo world --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(built_demo: Workspace) -> Engine:
    return Engine.open(built_demo)


def test_in_the_demo_world_everybody_gets_ten_things_they_have_not_had(demo: Engine) -> None:
    for user in demo.profiles.users()[::25]:
        found = demo.recommend(demo.profile(user))
        assert [one.rank for one in found] == list(range(1, 11))
        assert not set(items_of(found)) & set(demo.profile(user).history)
        assert all(one.match for one in found)
        assert all(one.score >= other.score for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("phrase", "scenario"),
    [
        ("stories with real characters", "books"),
        ("cooking dinner for a crowd", "kitchen"),
        ("walking in the hills in all weathers", "outdoors"),
    ],
)
def test_in_the_demo_world_a_few_words_lead_to_the_right_shelf(demo: Engine, phrase: str, scenario: str) -> None:
    only_taste = Options(Weights(taste=1, habit=0, popularity=0))
    found = demo.recommend(demo.newcomer("new", phrases=[phrase]), options=only_taste)
    assert sum(demo.item(one.item_id).scenario == scenario for one in found) >= 6


def test_the_shop_is_what_these_tests_take_it_for(engine: Engine) -> None:
    assert len(engine.items) == ITEMS
    assert len(engine.profiles.users()) == USERS
    assert {item.price_band for item in engine.items} == set(PriceBand)
    assert {item.scenario for item in engine.items} == set(SCENARIOS)
