"""Why one above the other, why not: parts that add up, and what shuts an item out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.explain import why_above, why_not
from persona_core.ranking.parts import PARTS, Weights
from persona_core.schema import Profile
from tests.explain.worlds import MARKET, PROFILES, SmallEngine, liked

pytestmark = pytest.mark.xdist_group("explain")
ITEMS = sorted(MARKET)


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(PROFILES), st.sampled_from(ITEMS), st.sampled_from(ITEMS), st.floats(0, 1), st.floats(0, 1))
def test_the_parts_of_a_difference_add_up(
    engine: SmallEngine, profile: Profile, one: str, other: str, taste: float, habit: float
) -> None:
    ranked = engine.rank(profile, replace(engine.options, weights=Weights(taste, habit, 0.1), seen_too=True))
    found = why_above(engine, ranked, one, other)
    scores = [engine.recommendation(ranked, engine.code[item]).score for item in (one, other)]
    assert found.difference == pytest.approx(scores[0] - scores[1], abs=1e-9)
    assert [part.name for part in found.parts] == list(PARTS)
    if found.because:
        assert sum(row.difference for row in found.because) == pytest.approx(found.parts[0].difference, abs=1e-5)


def test_the_sentence_says_who_is_above(engine: SmallEngine) -> None:
    ranked = engine.rank(liked("easy_upkeep", "precise_control"))
    first, second = (engine.items[int(code)] for code in ranked.order[:2])
    assert why_above(engine, ranked, first.id, second.id).text.startswith(f"{first.title} has ")
    assert why_above(engine, ranked, second.id, first.id).text.startswith("It is the other way round.")


def test_what_does_most_in_taste_is_named(engine: SmallEngine) -> None:
    ranked = engine.rank(liked("easy_upkeep", "weather_outdoors"))
    found = why_above(engine, ranked, "pan", "novel")
    assert found.because[0].label in found.text
    assert abs(found.because[0].difference) == max(abs(one.difference) for one in found.because)


def test_an_item_that_is_there_is_said_to_be_there(engine: SmallEngine) -> None:
    ranked = engine.rank(liked("easy_upkeep"))
    item = engine.items[int(ranked.order[1])]
    assert why_not(engine, ranked, item.id, k=3).text == f"{item.title} is there already, as number 2."


def test_what_holds_an_item_back_is_the_part_furthest_behind(engine: SmallEngine) -> None:
    ranked = engine.rank(liked("easy_upkeep", "language"))
    for place, code in enumerate(ranked.order[2:].tolist(), start=3):
        found = why_not(engine, ranked, engine.items[code].id, k=2)
        assert (found.rank, found.against) == (place, engine.items[int(ranked.order[1])].id)
        behind = min(found.parts, key=lambda part: part.difference)
        assert found.held_back_by == (behind.name if behind.difference < -0.0005 else "")
        assert f"is number {place} of" in found.text


@pytest.mark.parametrize(
    ("options", "item", "why"),
    [
        ({}, "plate", "you came to it already"),
        ({"scenarios": frozenset({"books"})}, "pan", "only books are let through, and it is one of kitchen"),
        ({"price_bands": frozenset({"budget"})}, "pan", "only budget prices are let through, and its price is not known"),
    ],
)
def test_what_shuts_an_item_out_is_said(engine: SmallEngine, options: dict[str, frozenset[str]], item: str, why: str) -> None:
    ranked = engine.rank(liked("easy_upkeep", history=("plate",)), replace(engine.options, **options))  # type: ignore[arg-type]
    found = why_not(engine, ranked, item)
    assert found.rank is None
    assert found.excluded == (why,)
    assert why in found.text


def test_a_varied_list_is_said_to_be_varied(engine: SmallEngine) -> None:
    profile = liked("light_to_carry", "weather_outdoors")
    ranked = engine.rank(profile, replace(engine.options, diversity=0.9))
    totals = ranked.scores.totals[ranked.order]
    out_of_turn = [place for place in range(1, len(totals)) if totals[place] > totals[:place].min()]
    assert out_of_turn
    place = out_of_turn[0]
    lower = int(totals[:place].argmin())
    one, other = (engine.items[int(ranked.order[at])].id for at in (lower, place))
    assert "the list was asked to be varied" in why_above(engine, ranked, one, other).text
    assert "the list was asked to be varied" in why_not(engine, ranked, other, k=lower + 1).text
