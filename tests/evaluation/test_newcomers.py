"""What is asked of newcomers: all they did in the scenario is hidden, nothing later is known, and the judging ends in a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from persona_core.catalog.choose import choose_source
from persona_core.cli import main
from persona_core.errors import PersonaError
from persona_core.evaluation import newcomers
from persona_core.evaluation.newcomers import FILE, WITH, WITHOUT, judge_and_keep, judged
from persona_core.evaluation.worlds import Cut, cut_world
from persona_core.pipeline import Pipeline
from persona_core.scenarios.work import Knowing
from persona_core.steps import STEPS
from persona_core.workspace import Workspace
from tests.support.remembered import batches_remembered
from tests.support.worlds import SCENARIOS, tiny_reviews, write_lines, write_tiny_world

ITEMS = 60
pytestmark = pytest.mark.xdist_group("encoder")


def write_world(folder: Path, scenarios: Sequence[str]) -> Path:
    write_tiny_world(folder)
    items = [{"item_id": f"i{n}", "scenario": scenarios[n % len(scenarios)], "title": f"Thing {n}", "maker": "", "description": "",
              "price": 10.0 + n} for n in range(ITEMS)]  # fmt: skip
    write_lines(folder / "items.jsonl", items)
    write_lines(folder / "reviews.jsonl", tiny_reviews(items=ITEMS, number=240))
    return folder


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A small world with enough things for everybody to meet new ones to the end, as far as its splits."""
    folder = tmp_path_factory.mktemp("newcomers")
    world = write_world(folder / "tiny", SCENARIOS)
    place = Workspace.at(folder / "workspace")
    with batches_remembered() as patch:
        patch.setenv("PERSONA_OLLAMA_USE", "never")
        choose_source(place, str(world))
        for step in ("catalog", "splits"):
            Pipeline(STEPS, place).build(step)
    return place


def test_of_the_scenario_that_is_asked_about_nothing_is_known(source: Workspace) -> None:
    place = cut_world(source, Cut("point_in_time", ("train",)))
    ground = Knowing.of(place).ground
    arena = newcomers._arena(source, place, ground, "test", 7)
    assert arena.cases
    code = {name: at for at, name in enumerate(ground.names)}
    for case, visits in zip(arena.cases, arena.visits, strict=True):
        assert visits
        assert all(ground.scenario_of[visit.item] != code[case.scenario] for visit in visits)
        assert all(visit.time < case.moment for visit in visits)
        assert case.target not in case.history


def test_it_ends_in_a_table_that_is_kept_and_found_again(source: Workspace) -> None:
    found = judge_and_keep(source)
    names = [row["ranker"] for row in found["rows"]]
    assert {WITH, WITHOUT, "random", "popularity", "taste"} <= set(names)
    assert all(0 <= row["low"] <= row["NDCG@10"] <= row["high"] <= 1 for row in found["rows"])
    assert judged(source) == found
    ran = CliRunner().invoke(main, ["scenarios", "--judge", "--workspace", str(source.root), "--json"])
    assert json.loads(ran.stdout.splitlines()[-1]) == found, "the same seed, the same result"


def test_what_was_found_of_another_catalogue_is_not_shown(source: Workspace, tmp_path: Path) -> None:
    (source.root / FILE).parent.mkdir(exist_ok=True)
    (source.root / FILE).write_text('{"catalog": "another"}')
    assert judged(source) == {}
    (source.root / FILE).write_text("no JSON")
    assert judged(source) == {}
    assert judged(Workspace.at(tmp_path)) == {}


def test_of_one_scenario_there_is_nothing_to_judge(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path / "workspace")
    choose_source(place, str(write_world(tmp_path / "tiny", SCENARIOS[:1])))
    for step in ("catalog", "splits"):
        Pipeline(STEPS, place).build(step)
    with pytest.raises(PersonaError, match="Nobody here who knows one scenario"):
        newcomers.judge(place)
