"""The personas written by hand are whole, and the measures tell good personas from bad ones."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from persona_core.catalog import Catalog
from persona_core.catalog.store import review_of
from persona_core.evaluation.personas import persona_scores, read_reference, side_of
from persona_core.evaluation.report import aspect_rows, persona_rows
from persona_core.evaluation.truth import Truth
from persona_core.schema import Persona, Review, Stance
from persona_core.settings import DEMO_DATA
from persona_core.text.encoder import BaseEncoder
from persona_core.workspace import Workspace


@pytest.fixture(scope="module")
def reviews() -> dict[str, Review]:
    rows = [json.loads(line) for line in (DEMO_DATA / "reviews.jsonl").read_text("utf-8").splitlines()]
    return {row["review_id"]: review_of({"text": "", **row}) for row in rows}


@pytest.fixture(scope="module")
def reference() -> list[Persona]:
    return read_reference()


def test_every_quote_of_the_reference_stands_in_its_review(reference: list[Persona], reviews: dict[str, Review]) -> None:
    for persona in reference:
        for quote in persona.quotes:
            assert quote.stands_in(reviews[quote.review_id]), persona.id
            assert reviews[quote.review_id].item_id == persona.item_id


def test_the_reference_has_ten_items_a_scenario_and_names_that_differ(reference: list[Persona]) -> None:
    scenarios = {row["item_id"]: row["scenario"] for row in map(json.loads, (DEMO_DATA / "items.jsonl").read_text().splitlines())}
    items = {persona.item_id for persona in reference}
    assert Counter(scenarios[item] for item in items) == {"books": 10, "kitchen": 10, "outdoors": 10}
    for item in items:
        names = [persona.name for persona in reference if persona.item_id == item]
        assert 2 <= len(names) == len(set(names)) <= 7
        assert all(2 <= len(re.split(r"\s+", name)) <= 3 for name in names)


def test_the_measures_praise_the_reference_and_find_what_is_wrong(reference: list[Persona], reviews: dict[str, Review]) -> None:
    truth, encoder = Truth.read(), BaseEncoder()
    items = sorted({persona.item_id for persona in reference})[:6]
    own = [persona for persona in reference if persona.item_id in items]
    good = persona_scores(own, truth, reviews, encoder, items)
    assert good["grounded"] == 1.0
    assert good["covered of those spoken of"] > 0.9
    assert good["invented"] < 0.05
    turned = [one.model_copy(update={"stance": _turned(one.stance)}) for one in own]
    assert persona_scores(turned, truth, reviews, encoder, items)["invented"] > 0.9
    doubled = [*own, *(one.model_copy(update={"id": f"{one.id}-again"}) for one in own)]
    assert persona_scores(doubled, truth, reviews, encoder, items)["repeated"] > 0.4


def _turned(stance: Stance) -> Stance:
    return {Stance.SUITS: Stance.DISAPPOINTS, Stance.DISAPPOINTS: Stance.SUITS}.get(stance, stance)


def test_a_persona_without_truth_takes_no_side(reference: list[Persona]) -> None:
    assert side_of(reference[0], Truth({}, {}, {}, {})) is None


def test_extraction_on_the_demo_world_is_as_good_as_the_readme_says(built_demo: Workspace) -> None:
    """The floor is a little below what is measured, so that a change for the worse is seen."""
    everything, never_taught = aspect_rows(built_demo)
    assert everything["kind macro-F1"] > 0.75
    assert never_taught["kind macro-F1"] > 0.74
    assert everything["sentiment macro-F1"] > 0.83
    row = next(persona_rows(built_demo))
    assert row["grounded"] == 1.0
    assert row["covered of those spoken of"] > 0.83
    assert row["invented"] < 0.08


def test_every_persona_of_the_demo_world_stands_on_its_own_items_reviews(built_demo: Workspace) -> None:
    from persona_core.personas.files import PERSONAS, read_personas

    frame = Catalog.of(built_demo.artefact("catalog")).reviews()
    reviews = {row["review_id"]: review_of(row) for row in frame.to_dict("records")}
    personas = read_personas(built_demo.artefact("personas").file(PERSONAS))
    assert len({persona.id for persona in personas}) == len(personas)
    for persona in personas:
        assert all(quote.stands_in(reviews[quote.review_id]) for quote in persona.quotes)
        assert {reviews[quote.review_id].item_id for quote in persona.quotes} == {persona.item_id}
