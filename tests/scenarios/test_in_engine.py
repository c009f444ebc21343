"""In the demo world: what carries over counts for newcomers to a scenario, moves with their profile, and is said with quotes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from persona_core.engine import Engine, Ranked
from persona_core.evaluation.newcomers import WITH, WITHOUT, judged
from persona_core.explain.questions import SAID, why_above
from persona_core.personas.needs import read_needs
from persona_core.ranking.parts import PARTS, SCENARIO
from persona_core.scenarios.elsewhere import as_newcomer, chosen_there
from persona_core.schema import ClaimKind
from persona_core.workspace import Workspace
from ui import parts

HOME, NEW = "u0012", "kitchen"
"""Somebody who is at home in books alone."""
EVERYWHERE = "u0006"


@pytest.fixture(scope="module")
def engine(built_demo: Workspace) -> Engine:
    return Engine.open(built_demo)


def part(ranked: Ranked) -> np.ndarray:
    return ranked.scores.table[:, PARTS.index(SCENARIO)]


def test_it_counts_in_new_scenarios_only(engine: Engine) -> None:
    ranked = engine.rank(engine.profile(HOME))
    inside = np.array([item.scenario == "books" for item in engine.items])
    assert not part(ranked)[inside].any()
    assert part(ranked)[~inside].any()
    assert abs(part(ranked)).max() <= engine.options.weights.scenario
    assert engine.rank(engine.profile(EVERYWHERE)).over is None


def test_a_wish_that_is_taken_back_carries_nowhere(engine: Engine) -> None:
    profile = engine.profile(HOME)
    before = engine.rank(profile)
    assert before.over is not None
    edited = profile.model_copy(update={"likes": profile.likes[1:]})
    after = engine.rank(edited)
    assert after.over is not None
    gone = next(place for place, need in enumerate(read_needs()) if need.phrase == profile.likes[0].text)
    assert not after.over.wishes[:, gone].any()
    assert (part(after) != part(before)).any()


def test_what_carries_over_is_claimed_with_the_items_own_quotes(engine: Engine) -> None:
    ranked = engine.rank(engine.profile(HOME), replace(engine.options, scenarios=frozenset([NEW])))
    found = 0
    for item in ranked.order[:10]:
        explained = engine.explain(ranked, engine.items[item].id)
        for claim in explained.claims:
            if claim.kind is ClaimKind.CARRIES:
                found += 1
                reviews = {one.id: one for one in engine.reviews_of(engine.items[item].id)}
                assert all(quote.stands_in(reviews[quote.review_id]) for quote in claim.quotes)
                assert claim.text.lower().startswith(("in books you", "you"))
                assert claim.cited[0].scenario == "books"
                past = [one.item_id for one in claim.cited[1:]]
                assert set(past) <= set(engine.profile(HOME).history)
    assert found >= 3


def test_somebody_as_a_newcomer_brings_nothing_of_that_scenario(engine: Engine) -> None:
    profile = engine.profile(EVERYWHERE)
    left, options = as_newcomer(engine, profile, "outdoors")
    assert not chosen_there(engine, left, "outdoors")
    assert chosen_there(engine, profile, "outdoors")
    ranked = engine.rank(left, options)
    assert {engine.items[item].scenario for item in ranked.order} == {"outdoors"}
    assert ranked.over is not None
    for phrase in left.likes:
        homes = {engine.item(one.item_id).scenario for one in engine.reviews(phrase.review_ids)}
        assert homes - {"outdoors"} or not homes


def test_every_part_has_its_words_wherever_parts_are_shown(engine: Engine) -> None:
    assert set(SAID) == set(parts.NAMES) == set(parts.SAYS) == set(parts.CLASSES) == set(PARTS)
    ranked = engine.rank(engine.profile(HOME))
    first = [engine.items[item].id for item in ranked.order[:12]]
    assert all(why_above(engine, ranked, one, other).text for one in first for other in first if one != other)


def test_what_was_judged_ships_with_the_demo_world(built_demo: Workspace) -> None:
    found = judged(built_demo)
    rows = {row["ranker"]: row for row in found["rows"]}
    assert found["more"][1] > 0, "it is worth having, beyond chance"
    assert rows[WITH]["NDCG@10"] > rows[WITHOUT]["NDCG@10"]
    assert found["weight"] == Engine.open(built_demo).options.weights.scenario
