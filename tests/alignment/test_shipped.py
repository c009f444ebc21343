"""The head that ships: taken where its own lessons are met and nowhere else, and what training gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from persona_core.alignment.head import FILE, Head
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.shipped import MARK, SHIPPED, mark_of, take_shipped
from persona_core.alignment.steps import CARD, CURVE, phrases_known, trained_on, world_in
from persona_core.alignment.training import Recipe
from persona_core.profiles.building import Rules
from persona_core.profiles.steps import INPUTS
from persona_core.workspace import Workspace

pytestmark = pytest.mark.xdist_group("training")


def _taken(folder: Path, mark: str, shipped: Path) -> dict[str, object] | None:
    folder.mkdir()
    return take_shipped(mark, folder / CARD, (folder / FILE, folder / CURVE), shipped)


def test_the_demo_world_takes_it(built_demo: Workspace) -> None:
    made = built_demo.artefact("alignment")
    assert made.manifest.counts["note"] == "the head that ships with the demo world"
    for name in (FILE, CARD, CURVE):
        assert made.file(name).read_bytes() == (SHIPPED / name).read_bytes()


def test_it_is_what_training_gives(built_demo: Workspace) -> None:
    """Up to what another machine's last digits may change."""
    world = world_in({name: built_demo.artefact(name) for name in INPUTS})
    trained = trained_on(world, phrases_known(PhraseBook()), Rules(), Recipe())
    card, shipped = json.loads((SHIPPED / CARD).read_text()), Head.load(SHIPPED / FILE)
    best = max(point["ndcg"] for point in card["curve"])
    assert max(point.ndcg for point in trained.curve) == pytest.approx(best, abs=0.01)
    mine, theirs = trained.head.of_personas(world.vectors), shipped.of_personas(world.vectors)
    assert float(np.mean((mine * theirs).sum(1))) > 0.99


def test_other_lessons_are_learned(built_demo: Workspace, tmp_path: Path) -> None:
    world = world_in({name: built_demo.artefact(name) for name in INPUTS})
    mark = mark_of(world, Rules(), Recipe())
    assert mark == json.loads((SHIPPED / CARD).read_text())[MARK]
    others = [
        mark_of(replace(world, personas=world.personas[1:]), Rules(), Recipe()),
        mark_of(replace(world, visits=dict(list(world.visits.items())[1:])), Rules(), Recipe()),
        mark_of(world, Rules(half_life_days=10), Recipe()),
        mark_of(world, Rules(), Recipe(seed=8)),
    ]
    assert len({mark, *others}) == 5
    for number, other in enumerate(others):
        assert _taken(tmp_path / str(number), other, SHIPPED) is None
        assert not list((tmp_path / str(number)).iterdir())


@pytest.mark.parametrize("damage", ["no folder", "no head", "no card", "bad card"])
def test_what_does_not_ship_whole_is_not_taken(tmp_path: Path, damage: str) -> None:
    shipped = tmp_path / "shipped"
    if damage != "no folder":
        shipped.mkdir()
        for name in (FILE, CARD, CURVE):
            (shipped / name).write_bytes((SHIPPED / name).read_bytes())
    mark = json.loads((SHIPPED / CARD).read_text())[MARK]
    if damage == "no head":
        (shipped / FILE).unlink()
    if damage == "no card":
        (shipped / CARD).unlink()
    if damage == "bad card":
        (shipped / CARD).write_text("[]")
    assert _taken(tmp_path / "made", mark, shipped) is None
