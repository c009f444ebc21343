"""The step that trains the head: what it learns from is what was built, and its card says what it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from persona_core.alignment.head import Head, same
from persona_core.alignment.pairs import World
from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import ALIGN_STEP, CARD, CURVE, _counts, card_of, frozen_head, trained_on, world_in
from persona_core.alignment.training import Recipe, Trained
from persona_core.personas.needs import read_needs
from persona_core.pipeline import Pipeline
from persona_core.profiles.building import Rules
from persona_core.profiles.steps import INPUTS
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Matrix
from persona_core.workspace import Workspace
from tests.support.shops import FakeBook, built_shop, shop_pipeline
from tests.support.tastes import encode
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("training")
QUICK = Recipe(epochs=1, rank=4)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built_shop(tmp_path_factory.mktemp("alignment"))


@pytest.fixture(scope="module")
def world(shop: Workspace) -> World:
    return world_in({name: shop.artefact(name) for name in INPUTS})


def book() -> PhraseBook:
    return FakeBook()  # type: ignore[return-value]


def test_a_world_holds_what_was_built(world: World, shop: Workspace) -> None:
    assert len(world.vectors) == len(world.personas) == shop.artefact("personas").manifest.counts["personas"]
    assert sum(len(visits) for visits in world.visits.values()) == shop.artefact("catalog").manifest.counts["reviews"]
    assert all(one.item_id == world.items[item] for one, item in zip(world.personas, world.persona_items, strict=True))
    assert max(visit.time for visits in world.visits.values() for visit in visits) == world.now


def test_directions_are_taken_from_the_middle_of_all_needs_and_of_all_personas(world: World) -> None:
    head = frozen_head(world, book())
    np.testing.assert_allclose(head.middle_of_words, encode([need.phrase for need in read_needs()]).mean(0), atol=1e-6)
    np.testing.assert_allclose(head.middle_of_personas, world.vectors.mean(0), atol=1e-6)
    texts = encode(["a", "b"])
    np.testing.assert_array_equal(head.words(texts), texts)


def test_the_same_world_gives_the_same_head(world: World) -> None:
    one, other = (trained_on(world, book(), Rules(), QUICK) for _ in range(2))
    assert same(one.head, other.head)
    assert len(one.curve) == 2


def test_the_card_says_what_the_head_is_and_can_be_read(world: World) -> None:
    trained = trained_on(world, book(), Rules(), QUICK)
    card = json.loads(json.dumps(card_of(trained, world), allow_nan=False))
    assert card["encoder"] == IDENTITY
    assert card["learned from"] == {"people": len(world.visits), "items": len(world.items), "personas": len(world.personas)}
    assert card["recipe"]["rank"] == QUICK.rank
    assert [point["number"] for point in card["curve"]] == [0, 1]
    assert _counts(trained.curve)["epochs"] == 1


def test_with_too_little_to_learn_from_the_card_says_so(world: World) -> None:
    start = frozen_head(world, book())
    trained = Trained(start, (), QUICK)
    assert card_of(trained, world)["curve"] == []
    assert "base encoder is used as it is" in str(_counts(trained.curve)["note"])


def test_the_step_leaves_a_head_a_card_and_a_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an encoder in which each text has a direction of its own."""

    def topics(self: BaseEncoder, texts: list[str]) -> Matrix:
        return encode(texts)

    monkeypatch.setattr(BaseEncoder, "topics", topics)
    place = built_shop(tmp_path)
    steps = [ALIGN_STEP if step.name == "alignment" else step for step in shop_pipeline(place).steps.values()]
    Pipeline(steps, place).build()
    made = place.artefact("alignment")
    head = Head.load(made.file("head.safetensors"))
    assert head.words.down.shape[0] == DIMENSION
    assert json.loads(made.file(CARD).read_text())["penalty"] == pytest.approx(head.penalty)
    assert made.file(CURVE).read_text().startswith("<svg")
    assert made.manifest.counts["epochs"] >= 1
    before = made.file("head.safetensors").read_bytes()
    Pipeline(steps, place).build()
    assert place.artefact("alignment").manifest.created == made.manifest.created
    monkeypatch.setenv("PERSONA_SEED", "8")
    Pipeline(steps, place).build()
    assert place.artefact("alignment").file("head.safetensors").read_bytes() != before
