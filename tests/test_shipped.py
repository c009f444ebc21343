"""What ships with the demo world: taken where the very same would be made and nowhere else, and what making it gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona_core.alignment.head import FILE, Head
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import CURVE, lessons_mark, phrases_known, trained_on, world_in
from persona_core.alignment.training import Recipe
from persona_core.catalog.store import Catalog
from persona_core.personas.aspects import ASPECTS, read_aspects, rows_of
from persona_core.personas.extraction import extract, sentences_of, texts_of
from persona_core.personas.files import VECTORS, read_vectors
from persona_core.personas.reading import Judge
from persona_core.personas.steps import readings_mark
from persona_core.profiles.building import Rules
from persona_core.profiles.steps import INPUTS
from persona_core.shipped import CARD, MARK, shipped_of, take_shipped
from persona_core.steps import pipeline_of
from persona_core.text.encoder import BaseEncoder, Matrix
from persona_core.text.phrases import Telling, label_of
from persona_core.workspace import Workspace

pytestmark = pytest.mark.xdist_group("training")
HEAD, READINGS = shipped_of("alignment"), shipped_of("aspects")
EVERY = 15
"""Of so many items one is read again."""


def _taken(folder: Path, mark: str, shipped: Path) -> dict[str, object] | None:
    folder.mkdir()
    return take_shipped(mark, shipped, (CARD, FILE, CURVE), folder)


def test_the_demo_world_takes_them(built_demo: Workspace) -> None:
    for step, what, names in (("alignment", "head", (FILE, CARD, CURVE)), ("aspects", "readings", (ASPECTS, VECTORS))):
        made = built_demo.artefact(step)
        assert what in str(made.manifest.counts["note"])
        for name in names:
            assert made.file(name).read_bytes() == (shipped_of(step) / name).read_bytes()


def test_the_head_is_what_training_gives(built_demo: Workspace) -> None:
    """Up to what another machine's last digits may change."""
    world = world_in({name: built_demo.artefact(name) for name in INPUTS})
    trained = trained_on(world, phrases_known(PhraseBook()), Rules(), Recipe())
    card, shipped = json.loads((HEAD / CARD).read_text()), Head.load(HEAD / FILE)
    best = max(point["ndcg"] for point in card["curve"])
    assert max(point.ndcg for point in trained.curve) == pytest.approx(best, abs=0.01)
    mine, theirs = trained.head.of_personas(world.vectors), shipped.of_personas(world.vectors)
    assert float(np.mean((mine * theirs).sum(1))) > 0.99


def test_other_lessons_are_learned(built_demo: Workspace, tmp_path: Path) -> None:
    world = world_in({name: built_demo.artefact(name) for name in INPUTS})
    mark = lessons_mark(world, Rules(), Recipe())
    assert mark == json.loads((HEAD / CARD).read_text())[MARK]
    others = [
        lessons_mark(replace(world, personas=world.personas[1:]), Rules(), Recipe()),
        lessons_mark(replace(world, visits=dict(list(world.visits.items())[1:])), Rules(), Recipe()),
        lessons_mark(world, Rules(half_life_days=10), Recipe()),
        lessons_mark(world, Rules(), Recipe(seed=8)),
    ]
    assert len({mark, *others}) == 5
    for number, other in enumerate(others):
        assert _taken(tmp_path / str(number), other, HEAD) is None
        assert not list((tmp_path / str(number)).iterdir())


@pytest.mark.parametrize("damage", ["no folder", "no head", "no card", "bad card"])
def test_what_does_not_ship_whole_is_not_taken(tmp_path: Path, damage: str) -> None:
    shipped = tmp_path / "shipped"
    if damage != "no folder":
        shipped.mkdir()
        for name in (FILE, CARD, CURVE):
            (shipped / name).write_bytes((HEAD / name).read_bytes())
    mark = json.loads((HEAD / CARD).read_text())[MARK]
    if damage == "no head":
        (shipped / FILE).unlink()
    if damage == "no card":
        (shipped / CARD).unlink()
    if damage == "bad card":
        (shipped / CARD).write_text("[]")
    assert _taken(tmp_path / "made", mark, shipped) is None


@pytest.fixture(scope="module")
def read_again(built_demo: Workspace) -> tuple[set[str], list[dict[str, Any]], Matrix]:
    """Some items, and what extraction finds in their reviews now. What a sentence is found to be rests on its own item alone."""
    catalog = Catalog.of(built_demo.artefact("catalog"))
    some = set(catalog.items()["item_id"][::EVERY])
    reviews = [one for one in catalog.texts() if one.item_id in some]
    sentences = sentences_of(reviews)
    readings = BaseEncoder().read(texts_of(reviews, sentences))
    rows = [row for found in extract(reviews, sentences, readings, Judge.load()) for row in rows_of(found)]
    places = {(reviews[place].id, start): row for row, (place, (start, _)) in enumerate(sentences)}
    return some, rows, readings.topics[[places[row["review_id"], row["start"]] for row in rows]]


def test_the_readings_are_what_reading_gives(read_again: tuple[set[str], list[dict[str, Any]], Matrix]) -> None:
    some, rows, topics = read_again
    ships = read_aspects(READINGS / ASPECTS)
    own = ships["item_id"].isin(some)
    assert len(rows) > 200
    assert ships[own].drop(columns="label").to_dict("records") == [{k: v for k, v in row.items() if k != "label"} for row in rows]
    np.testing.assert_allclose(read_vectors(READINGS / VECTORS)[own.to_numpy()], topics, atol=2e-4)


def test_the_labels_are_those_of_all_sentences_together(built_demo: Workspace) -> None:
    reviews = Catalog.of(built_demo.artefact("catalog")).texts()
    telling = Telling([texts_of(reviews, sentences_of(reviews))])
    ships = read_aspects(READINGS / ASPECTS)
    assert ships["label"].tolist() == [label_of(text, telling) for text in ships["text"]]


def test_other_reviews_are_read(built_demo: Workspace) -> None:
    reviews = Catalog.of(built_demo.artefact("catalog")).texts()
    mark = readings_mark(reviews)
    assert mark == json.loads((READINGS / CARD).read_text())[MARK]
    others = [
        readings_mark(reviews[1:]),
        readings_mark([*reviews[:-1], reviews[-1].model_copy(update={"text": "Fine."})]),
        readings_mark([*reviews[:-1], reviews[-1].model_copy(update={"rating": 6 - reviews[-1].rating})]),
    ]
    assert len({mark, *others}) == 4


def test_told_not_to_a_build_makes_it_all_itself(built_tiny: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where all is there to be taken."""
    taken: list[Path] = []
    monkeypatch.setattr("persona_core.personas.steps.take_shipped", lambda _, folder, *__: taken.append(folder))
    monkeypatch.setattr("persona_core.alignment.steps.take_shipped", lambda _, folder, *__: taken.append(folder))
    monkeypatch.setenv("PERSONA_SHIPPED", "false")
    before = {step: built_tiny.version_now(step) for step in ("aspects", "alignment")}
    pipeline_of(built_tiny).build()
    assert all(built_tiny.version_now(step) != version for step, version in before.items())
    assert not taken
