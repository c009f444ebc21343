"""Explanations over the small market: what is shown is carried, verbatim and honest; what is not carried is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from persona_core.engine import Engine, Ranked
from persona_core.explain import claims_for, explanation, spoken
from persona_core.explain.claims import FAR, Grounded
from persona_core.explain.evidence import Evidence
from persona_core.explain.support import LEAST, Feeling, Passage, Support, agrees, same_wish, supports, tone_of
from persona_core.profiles.edits import with_dislike
from persona_core.schema import (
    Aspect,
    AspectKind,
    Claim,
    ClaimKind,
    Explanation,
    Phrase,
    Profile,
    Quote,
    Review,
    Sentiment,
    Stance,
)
from tests.explain.worlds import (
    BAD,
    BOOK,
    GOOD,
    HOSTILE,
    MARKET,
    NEEDS,
    PROFILES,
    WHEN,
    Kind,
    SmallEngine,
    Voice,
    liked,
    liking,
    market,
)

pytestmark = pytest.mark.xdist_group("explain")


def every(engine: Engine) -> Iterator[tuple[Ranked, Explanation]]:
    for profile in PROFILES:
        ranked = engine.rank(profile)
        for item in engine.items:
            yield ranked, engine.explain(ranked, item.id)


def told(engine: Engine, profile: Profile, item: str) -> Explanation:
    return engine.explain(engine.rank(profile), item)


def both(made: Explanation) -> tuple[Claim, ...]:
    return (*made.claims, *made.cautions)


def feeling_of(claim: Grounded | Claim, place: int) -> Feeling:
    if claim.kind is ClaimKind.DIVIDES:
        return list(Feeling)[place]
    return Feeling.FAULT if claim.kind is ClaimKind.CAUTION else Feeling.PRAISE


# What is shown -------------------------------------------------------------------------------------------------------------


def test_every_quote_is_verbatim_in_a_review_of_that_item(engine: SmallEngine) -> None:
    seen = 0
    for _, made in every(engine):
        reviews = {one.id: one for one in engine.reviews_of(made.item_id)}
        for quote in (quote for claim in both(made) for quote in claim.quotes):
            assert quote.stands_in(reviews[quote.review_id])
            seen += 1
    assert seen > 50


def test_every_claim_is_carried_by_each_of_its_quotes(engine: SmallEngine) -> None:
    for profile in PROFILES:
        ranked = engine.rank(profile)
        for code in range(len(engine.items)):
            for claim in claims_for(engine, ranked, code).claims:
                for place, passage in enumerate(claim.passages):
                    feeling = feeling_of(claim, place)
                    (found,) = supports(BOOK, engine.head.middle_of_personas, claim.statement, [passage], feeling)
                    assert found.holds
                    assert passage.persona == claim.persona
                assert claim.support >= LEAST or not claim.statement


def test_what_is_cited_adds_exactly_that_to_the_match(engine: SmallEngine) -> None:
    for ranked, made in every(engine):
        for claim in both(made):
            shares = ranked.taste.contributions(engine.direction_of(claim.persona_id))
            for one in claim.cited:
                own = [share for component, share in shares if one.text == component.label or one.item_id == component.label]
                assert one.share in own or (one.share == 0 and one.role == "dislike")
                assert one.role == "dislike" or one.share > 0


def test_a_phrase_of_the_readers_own_is_said_to_be_shared(engine: SmallEngine) -> None:
    made = told(engine, liked("light_to_carry"), "flask")
    (claim,) = made.claims
    assert claim.kind is ClaimKind.SUITS
    assert claim.cited[0].shared
    assert "you" in claim.text
    assert "take it along" in claim.text
    assert spoken(claim).endswith("”")
    assert claim.quotes[0].text in spoken(claim)


def test_nobody_is_said_to_want_what_the_reader_did_not_say(engine: SmallEngine) -> None:
    for _, made in every(engine):
        for claim in both(made):
            if not any(one.shared for one in claim.cited):
                assert "like you" not in claim.text
                assert "as you" not in claim.text


def test_a_past_item_is_cited_by_its_title(engine: SmallEngine) -> None:
    made = told(engine, liked("weather_outdoors", history=("poncho",)), "tent")
    past = [one for one in made.claims[0].cited if one.role == "past"]
    assert [one.text for one in past] == ["The Poncho"]
    assert past[0].shared
    assert made.claims[0].text.startswith("Like The Poncho, which you chose,")


def test_who_came_to_both_is_counted_right(engine: SmallEngine) -> None:
    for ranked, made in every(engine):
        for reason in (one for one in made.reasons if one.part == "habit"):
            here = {user for user, item, *_ in engine.made.visits if item == made.item_id}
            there = {user for user, item, *_ in engine.made.visits if item in reason.item_ids}
            assert reason.people == len(here & there) > 0
            assert reason.text.startswith(f"{len(here & there)} of the {len(there)} p")
            assert set(reason.item_ids) <= set(ranked.profile.history)


def test_the_same_question_has_the_same_answer(engine: SmallEngine) -> None:
    profile = PROFILES[1]
    assert told(engine, profile, "pan") == told(engine, profile, "pan")


# Warnings ------------------------------------------------------------------------------------------------------------------


def test_a_feared_fault_is_warned_of_in_the_readers_words(engine: SmallEngine) -> None:
    profile = liked("weather_outdoors", dislikes=(Phrase(text="a dead weight in the bag", fault=True, review_ids=("mine",)),))
    made = told(engine, profile, "tent")
    (caution,) = made.cautions
    assert "a dead weight in the bag" in caution.text
    assert caution.quotes[0].text.startswith("Far too heavy")
    assert caution.cited[0].review_ids == ("mine",)


def test_who_shares_a_wish_with_the_disappointed_is_told(engine: SmallEngine) -> None:
    made = told(engine, liked("language", "thrill"), "novel")
    assert made.claims[0].kind is ClaimKind.SUITS
    assert [one.text for one in made.cautions] == [
        "It let down people who, like you, want suspense and a racing pulse (1 of 3 reviewers)."
    ]


def test_people_of_two_minds_are_shown_with_both_sides(engine: SmallEngine) -> None:
    claim = told(engine, liked("easy_upkeep"), "scale").claims[0]
    assert claim.kind is ClaimKind.DIVIDES
    assert [one.text[:5] for one in claim.quotes] == ["The t", "Flour"]


# What is not known ---------------------------------------------------------------------------------------------------------


def test_an_item_without_personas_gets_reasons_and_no_claims(engine: SmallEngine) -> None:
    made = told(engine, liked(history=("pan", "scale")), "rug")
    assert not both(made)
    assert {one.part for one in made.reasons} == {"habit", "popularity"}
    assert made.certainty is not None
    assert "numbers alone" in made.certainty.text
    assert made.certainty.reviewers is None


def test_a_reader_of_whom_nothing_is_known_is_told_whom_it_suits(engine: SmallEngine) -> None:
    made = told(engine, liked(), "pan")
    assert [one.kind for one in made.claims] == [ClaimKind.OTHERS]
    assert not made.claims[0].cited
    assert not made.cautions
    assert made.certainty is not None
    assert made.certainty.taste_rank is None


def test_a_far_match_is_not_sold_as_likeness(engine: SmallEngine) -> None:
    profile = liked(history=("pan", "scale"))
    ranked = engine.rank(profile)
    assert ranked.taste.components
    far = [one for code in ranked.order if (one := engine.recommendation(ranked, int(code))).match and one.match.cosine < FAR]
    made = [engine.explain(ranked, one.item_id) for one in far]
    assert {claim.kind for one in made for claim in one.claims} == {ClaimKind.OTHERS}
    assert all(one.certainty and "nothing in your profile comes near" in one.certainty.text for one in made)


def test_certainty_counts_the_reviewers(engine: SmallEngine) -> None:
    made = told(engine, liked("light_to_carry"), "flask")
    assert made.certainty is not None
    assert (made.certainty.reviewers, made.certainty.of) == (2, 3)
    assert made.certainty.text.startswith("Rests on 2 of 3 reviewers.")


def test_a_close_call_names_both(tmp_path: Path) -> None:
    kinds = (liking("light_to_carry", "So light it lives in my pocket."), liking("travel", "Small and light for every trip abroad."))
    twice = {**MARKET, "bag": ("outdoors", kinds)}
    engine = SmallEngine(market(twice), tmp_path)
    names = {one.name for one in engine.personas_of("bag")}
    made = told(engine, liked("light_to_carry", "travel"), "bag")
    ranked = engine.rank(liked("light_to_carry", "travel"))
    one, other = sorted(float(ranked.taste.wants @ engine.direction_of(p.id)) for p in engine.personas_of("bag"))
    assert made.certainty is not None
    assert made.certainty.margin == pytest.approx(other - one, abs=1e-3)
    if other - one < 0.03:
        assert all(name in made.certainty.text for name in names)


# What is not carried -------------------------------------------------------------------------------------------------------


def only(*kinds: Kind) -> dict[str, tuple[str, tuple[Kind, ...]]]:
    return {**MARKET, "lamp": ("kitchen", kinds)}


def test_a_name_that_its_quotes_do_not_bear_out_is_not_claimed(tmp_path: Path) -> None:
    wrong = liking("peace_and_quiet", "One wipe and it is clean, whatever was burnt on.")
    engine = SmallEngine(market(only(wrong)), tmp_path)
    made = told(engine, liked("peace_and_quiet"), "lamp")
    assert [one.kind for one in made.claims] == [ClaimKind.NEAR]
    assert "quiet" not in made.claims[0].text
    assert made.dropped == 1


def test_praise_is_not_carried_by_a_complaint(tmp_path: Path) -> None:
    grumbling = Kind("peace_and_quiet", GOOD, (Voice(1.0, "The constant humming drove us mad all night."),))
    engine = SmallEngine(market(only(grumbling)), tmp_path)
    made = told(engine, liked("peace_and_quiet"), "lamp")
    assert not both(made)
    assert made.dropped == 2
    assert made.certainty is not None
    assert "No quote" in made.certainty.text


def test_a_complaint_is_not_carried_by_praise(tmp_path: Path) -> None:
    happy = Kind("peace_and_quiet", BAD, (Voice(5.0, "Wonderfully quiet, not a hum to be heard, I love it."),))
    engine = SmallEngine(market(only(happy)), tmp_path)
    assert not told(engine, liked("peace_and_quiet"), "lamp").cautions


def test_words_that_do_not_stand_in_the_review_are_not_shown(tmp_path: Path) -> None:
    made = market(only(liking("peace_and_quiet", "You cannot hear it at all, no hum in the night.")))
    place, forged = next((n, one) for n, one in enumerate(made.personas) if one.item_id == "lamp")
    quote = forged.quotes[0]
    words = "You cannot hear it at all, it is whisper quiet!"[: len(quote.text)].ljust(len(quote.text), "!")
    made.personas[place] = forged.model_copy(
        update={"quotes": (Quote(review_id=quote.review_id, start=0, end=len(words), text=words),)}
    )
    assert not both(told(SmallEngine(made, tmp_path), liked("peace_and_quiet"), "lamp"))


def test_a_quote_of_another_items_review_is_not_shown(tmp_path: Path) -> None:
    made = market(only(liking("peace_and_quiet", "You cannot hear it at all, no hum in the night.")))
    place, own = next((n, one) for n, one in enumerate(made.personas) if one.item_id == "lamp")
    other = made.personas[0].quotes
    made.personas[place] = own.model_copy(update={"quotes": other})
    made.reviews["lamp"] += made.reviews["flask"]  # as if a door gave out too much
    assert not both(told(SmallEngine(made, tmp_path), liked("peace_and_quiet"), "lamp"))


def test_hostile_text_appears_only_as_a_quote(tmp_path: Path) -> None:
    engine = SmallEngine(market(only(liking("easy_upkeep", HOSTILE, "Rinse it and it is clean, no scrubbing."))), tmp_path)
    made = told(engine, liked("easy_upkeep"), "lamp")
    assert any(quote.text == HOSTILE for claim in made.claims for quote in claim.quotes)
    said = " ".join(one.text for one in (*both(made), *made.reasons)) + (made.certainty.text if made.certainty else "")
    assert not any(bad in said for bad in ("<", "**", "Ignore", "waterproof", "\u202e"))


def test_a_hostile_phrase_of_the_reader_stays_one_line(engine: SmallEngine) -> None:
    profile = with_dislike(liked("light\nthings <b>for</b> my pocket " + "x" * 300), "*heavy*\npans")
    for item in engine.items:
        for claim in both(told(engine, profile, item.id)):
            assert "\n" not in claim.text
            assert len(claim.text) < 500


# The measure ---------------------------------------------------------------------------------------------------------------


def passage(text: str, stars: float | None, read: Sentiment | None = None, stance: Stance = GOOD, kind: str = "quality") -> Passage:
    review = Review(id="r", user_id="u", item_id="flask", rating=stars, time=WHEN, text=text)
    quote = Quote.cut(review, 0, len(text))
    persona = next(one for one in market().personas if one.item_id == "flask").model_copy(update={"stance": stance})
    return Passage(quote, review, persona, Aspect(kind=AspectKind(kind), sentiment=read, label="x", quote=quote) if read else None)


@pytest.mark.parametrize(
    ("found", "praises", "faults"),
    [
        (passage("It is fine.", 5.0, Sentiment.POSITIVE), True, False),
        (passage("It is fine.", 3.0, Sentiment.POSITIVE), True, False),
        (passage("It is fine.", 1.0, Sentiment.POSITIVE), False, False),
        (passage("It hums.", 1.0, Sentiment.NEGATIVE, BAD), False, True),
        (passage("It hums.", 5.0, Sentiment.NEGATIVE, BAD), False, False),
        (passage("I travel a lot.", 5.0, Sentiment.NEUTRAL, kind="preference"), False, False),
        (passage("It is great.", 5.0), True, False),
        (passage("It is awful.", None, None, BAD), False, True),
    ],
)
def test_tone_takes_stars_and_readings_together(found: Passage, praises: bool, faults: bool) -> None:
    tone = tone_of(found)
    assert (agrees(tone, Feeling.PRAISE), agrees(tone, Feeling.FAULT)) == (praises, faults)


def test_the_same_wish_in_other_words_is_known_and_two_needs_are_kept_apart(engine: SmallEngine) -> None:
    middle = engine.head.middle_of_words
    assert same_wish(BOOK, middle, "easy to clean", [NEEDS["easy_upkeep"].phrase])
    assert same_wish(BOOK, middle, NEEDS["language"].phrase, ["They want " + NEEDS["language"].wants + "."])
    assert not same_wish(BOOK, middle, NEEDS["looks_style"].phrase, [NEEDS["gifts"].phrase, "They want " + NEEDS["gifts"].wants + "."])
    assert not same_wish(BOOK, middle, "books about trains", [NEEDS["thrill"].phrase])
    assert not same_wish(BOOK, middle, "anything", [])


def test_the_right_quotes_are_told_from_the_others(engine: SmallEngine) -> None:
    """For each persona, its own quotes against those of all others: most own ones hold, few others do."""
    ranked = engine.rank(liked())
    evidence = [Evidence.of(engine, ranked, code) for code in range(len(engine.items))]
    passages = [one for each in evidence for found in each.passages.values() for one in found]
    own: list[Support] = []
    strange: list[Support] = []
    for persona in engine.personas:
        need = NEEDS[persona.id.split(":")[1]]
        statement = f"{persona.name}. They want {need.wants}. They decide {need.decides}."
        judged = supports(BOOK, engine.head.middle_of_personas, statement, passages, Feeling.PRAISE, 0.0)
        for found, one in zip(judged, passages, strict=True):
            (own if one.persona.traits == persona.traits else strange).append(found)
    assert sum(one.about >= LEAST for one in own) > 0.9 * len(own)
    assert sum(one.about >= LEAST for one in strange) < 0.1 * len(strange)


def test_explanation_is_the_engines_door(engine: SmallEngine) -> None:
    ranked = engine.rank(PROFILES[0])
    assert engine.explain(ranked, "pan") == explanation(engine, ranked, "pan")
    assert engine.explain(ranked, "pan").worded_by == "rule"
    shut = replace(engine.options, scenarios=frozenset({"books"}))
    assert engine.explain(engine.rank(PROFILES[0], shut), "pan").claims, "what is shut out can be explained all the same"


# Personas that a model wrote -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("traits", "description", "said"),
    [
        (("travels light", "night owls"), "They want a pan they can carry and decide by its weight.", "people who travel light"),
        (("night owls",), "They want a bag as light as can be.", "people who want a bag as light as can be"),
        (("night owls",), "Walkers with small bags that weigh little.", "reviewers of the kind “pocket packer”"),
        ((), "", "reviewers of the kind “pocket packer”"),
    ],
)
def test_a_persona_in_a_models_words_is_spoken_of(tmp_path: Path, traits: tuple[str, ...], description: str, said: str) -> None:
    made = market()
    place = next(n for n, one in enumerate(made.personas) if one.id.startswith("flask:light"))
    changed = {"name": "Pocket Packer", "traits": traits, "description": description}
    made.personas[place] = made.personas[place].model_copy(update=changed)
    for reader in (liked("travels light"), liked("light things"), liked()):
        for claim in told(SmallEngine(made, tmp_path), reader, "flask").claims:
            assert said in claim.text.lower().replace("who, like you, ", "who ") or claim.kind in (ClaimKind.NEAR, ClaimKind.WISH)


def test_a_workspace_without_aspects_has_none(engine: SmallEngine) -> None:
    assert Engine.aspects_of(engine, "pan") == []
