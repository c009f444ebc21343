"""A profile says what its history bears out, nothing beyond, and in words that are understood when they are read back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.alignment.taste import Role, refused_in, words_of
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import (
    MOST_DISLIKES,
    MOST_EVIDENCE,
    MOST_LIKES,
    TOLD,
    Rules,
    avoided,
    build_profile,
    strongest,
    text_for,
)
from persona_core.profiles.evidence import UNRATED, NeedEvidence, Visit, pleased, recency, shares, visits_of
from persona_core.profiles.files import ProfileBook, write_profiles
from persona_core.schema import Phrase, Profile, Stance
from persona_core.text.sentences import sentence_spans
from tests.support.tastes import NEEDS, days, persona_of

LIGHT, QUIET, LASTS = (NEEDS[name] for name in ("light_to_carry", "peace_and_quiet", "built_to_last"))
ITEMS = ("tent", "fan", "pan", "lamp")
"""The first three serve one need each, the last serves none."""
NOW = days(3_000)
patient = settings(deadline=None, max_examples=60)


def known() -> NeedEvidence:
    """Aspect 0 to 2 speak of one need each, and 3 to 5 complain of the same ones."""
    of_items = np.zeros((len(ITEMS), len(NEEDS)), np.float32)
    of_aspects = np.zeros((6, len(NEEDS)), np.float32)
    for place, need in enumerate((LIGHT, QUIET, LASTS)):
        of_items[place, need] = 0.5
        of_aspects[[place, place + 3], need] = 0.8
    return NeedEvidence(of_aspects, np.array([False] * 3 + [True] * 3), of_items)


def visit(item: str, stars: float | None = 5.0, day: float = 3_000, rows: tuple[int, ...] = (), review: str = "") -> Visit:
    return Visit(review or f"r-{item}-{day}", ITEMS.index(item), days(day), pleased(stars), rows)


def built(*visits: Visit, evidence: NeedEvidence | None = None, rules: Rules | None = None) -> Profile:
    return build_profile("u", visits, ITEMS, evidence or known(), NOW, rules)


def phrase(need: int) -> str:
    return read_needs()[need].phrase


def liked(profile: Profile) -> list[str]:
    return [one.text for one in profile.likes]


# Any history -----------------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[NeedEvidence, list[Visit]]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    aspects = draw(st.integers(0, 12))
    evidence = NeedEvidence(
        rng.normal(scale=0.3, size=(aspects, len(NEEDS))).astype(np.float32),
        rng.random(aspects) < 0.4,
        rng.normal(scale=0.3, size=(len(ITEMS), len(NEEDS))).astype(np.float32),
    )
    number = draw(st.integers(0, 8))
    owners = rng.integers(0, max(number, 1), aspects)
    visits = [
        Visit(
            f"r{n}", int(rng.integers(len(ITEMS))), days(draw(st.integers(0, 3_000))),
            pleased(draw(st.sampled_from([None, 1.0, 2.0, 3.0, 4.0, 5.0]))), tuple(np.flatnonzero(owners == n).tolist()),
        )
        for n in range(number)
    ]  # fmt: skip
    return evidence, sorted(visits, key=lambda one: one.time)


@given(histories())
@patient
def test_a_profile_holds_no_more_than_its_form_allows(given_: tuple[NeedEvidence, list[Visit]]) -> None:
    evidence, visits = given_
    profile = built(*visits, evidence=evidence)
    assert len(profile.likes) <= MOST_LIKES
    assert len(profile.dislikes) <= MOST_DISLIKES
    for side in (profile.likes, profile.dislikes):
        assert len({one.text for one in side}) == len(side)
        assert all(0 < one.strength <= 3 for one in side)
        assert all(one.strength >= other.strength for one, other in pairwise(side))
    assert all(one.fault is True for one in profile.dislikes)
    assert profile == built(*visits, evidence=evidence)


@given(histories())
@patient
def test_every_phrase_rests_on_reviews_of_this_history(given_: tuple[NeedEvidence, list[Visit]]) -> None:
    evidence, visits = given_
    profile = built(*visits, evidence=evidence)
    own = {one.review_id for one in visits}
    complaints = {one.review_id for one in visits if any(evidence.faults[row] for row in one.rows)}
    for one in profile.likes:
        assert 1 <= len(one.review_ids) == len(set(one.review_ids)) <= MOST_EVIDENCE
        assert set(one.review_ids) <= own
    for one in profile.dislikes:
        assert one.review_ids
        assert set(one.review_ids) <= complaints
    assert profile.history == tuple(dict.fromkeys(ITEMS[one.item] for one in visits))


@given(histories(), st.integers(0, 8))
@patient
def test_a_profile_rests_on_the_visits_given_and_on_nothing_else(given_: tuple[NeedEvidence, list[Visit]], kept: int) -> None:
    """What else the world knows, of other items and of other people's aspects, may change as it likes."""
    evidence, visits = given_
    visits = visits[:kept]
    items, rows = {one.item for one in visits}, {row for one in visits for row in one.rows}
    elsewhere_items = [place for place in range(len(ITEMS)) if place not in items]
    elsewhere_rows = [row for row in range(len(evidence.of_aspects)) if row not in rows]
    other = NeedEvidence(evidence.of_aspects.copy(), evidence.faults.copy(), evidence.of_items.copy())
    other.of_items[elsewhere_items] = 9.0
    other.of_aspects[elsewhere_rows] = 9.0
    other.faults[elsewhere_rows] = True
    assert built(*visits, evidence=evidence) == built(*visits, evidence=other)


@given(histories())
@patient
def test_the_text_says_one_thing_a_sentence(given_: tuple[NeedEvidence, list[Visit]]) -> None:
    evidence, visits = given_
    profile = built(*visits, evidence=evidence)
    likes, dislikes = min(len(profile.likes), TOLD), min(len(profile.dislikes), TOLD)
    assert len(sentence_spans(profile.text)) == likes + bool(likes) + dislikes


# What a history says ---------------------------------------------------------------------------------------------------


def test_without_a_history_there_is_nothing_to_say() -> None:
    assert built() == Profile(user_id="u", version=1, text="")


def test_a_thing_that_serves_no_need_leaves_a_history_and_no_words() -> None:
    assert built(visit("lamp")) == Profile(user_id="u", version=1, text="", history=("lamp",))


def test_what_was_loved_tells_what_is_wanted() -> None:
    profile = built(visit("tent", review="r7"))
    assert [(one.text, one.review_ids) for one in profile.likes] == [(phrase(LIGHT), ("r7",))]
    assert not profile.dislikes
    assert profile.text.startswith(f"They want {read_needs()[LIGHT].wants}.")


def test_five_stars_and_one_star_pull_opposite_ways() -> None:
    wants = [known().lift_rows([visit("tent", stars)], NOW, 365.0, 1.0)[0][0, LIGHT] for stars in (5.0, 4.0, None, 3.0, 1.0)]
    assert all(more > less for more, less in pairwise(wants))
    assert wants[-2] > 0 > wants[-1]
    assert liked(built(visit("tent", 1.0))) == []
    assert liked(built(visit("tent", 5.0), visit("fan", 1.0))) == [phrase(LIGHT)]
    assert liked(built(visit("tent", 2.0), visit("tent", 1.0), visit("fan"))) == [phrase(QUIET)]


def test_an_old_love_fades_against_a_new_one() -> None:
    old, new = visit("tent", day=1_500), visit("fan", day=2_999)
    assert liked(built(old, new)) == [phrase(QUIET)]
    both = built(old, new, rules=Rules(half_life_days=2_000))
    assert liked(both) == [phrase(QUIET), phrase(LIGHT)]
    assert both.likes[0].strength > both.likes[1].strength
    assert liked(built(old)) == [phrase(LIGHT)]  # while nothing newer is known, it is all that there is


def test_recency_halves_with_each_half_life_and_never_grows() -> None:
    assert recency(0, 100) == 1.0
    assert recency(100, 100) == 0.5
    assert recency(200, 100) == 0.25
    assert recency(-50, 100) == 1.0


def test_what_somebody_wrote_tells_of_them_too_and_can_be_given_less_say() -> None:
    wrote = visit("lamp", rows=(0,))
    assert liked(built(wrote)) == [phrase(LIGHT)]
    assert liked(built(wrote, rules=Rules(own_say=0.0))) == []


def test_a_complaint_becomes_something_to_avoid_and_stands_on_its_review() -> None:
    profile = built(visit("lamp", 2.0, rows=(4,), review="r9"), visit("tent"))
    (dislike,) = profile.dislikes
    assert (dislike.text, dislike.fault, dislike.review_ids) == (avoided()[read_needs()[QUIET].id], True, ("r9",))
    assert profile.text.endswith(f"They would rather not have {dislike.text}.")


def test_praise_is_no_complaint() -> None:
    assert built(visit("lamp", rows=(0, 1, 2))).dislikes == ()


def test_a_whisper_of_a_complaint_is_let_pass() -> None:
    assert built(visit("lamp", rows=(3,), day=-2_000)).dislikes == ()


def test_the_review_that_speaks_loudest_comes_first() -> None:
    profile = built(visit("tent", 4.0, review="calm"), visit("tent", rows=(0,), review="loud"))
    assert profile.likes[0].review_ids == ("loud", "calm")
    assert profile.history == ("tent",)


def test_of_many_needs_the_strongest_are_told_and_the_weak_are_left_out() -> None:
    lifts = np.array([0.1, 0.9, -1.0, 0.5, 0.2])
    assert [place for place, _ in strongest(lifts, 9)] == [1, 3]  # a quarter of 0.9 is the least
    assert [place for place, _ in strongest(lifts, 1)] == [1]
    assert strongest(-np.ones(3), 5) == strongest(np.zeros(0), 5) == []
    assert [place for place, _ in strongest(np.ones(4), 2)] == [0, 1]  # of equals, those that come first


def test_a_strength_has_bounds_whatever_the_lifts() -> None:
    assert all(0.2 <= strength <= 3.0 for _, strength in strongest(np.array([1e9, 3e8, 2.6e8, 2.6e8, 2.6e8]), 5))


# What the world knows of needs -----------------------------------------------------------------------------------------


def test_what_suits_speaks_for_a_need_and_what_disappoints_against_it() -> None:
    personas = [persona_of("tent"), persona_of("fan", stance=Stance.DISAPPOINTS), persona_of("pan", stance=Stance.MIXED)]
    of_light = np.full((3, len(NEEDS)), -9.0, np.float32)
    of_light[:, LIGHT] = 0.0
    found = NeedEvidence.of(of_light, [False] * 3, of_light, personas, ITEMS)
    tent, fan, pan, lamp = found.of_items[:, LIGHT]
    assert tent > pan == lamp > fan
    np.testing.assert_allclose(found.of_items.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(found.of_aspects, 0, atol=1e-6)  # all say the same: nobody says more than usual


def test_a_world_without_words_knows_nothing_and_still_makes_profiles() -> None:
    nothing = np.zeros((0, len(NEEDS)), np.float32)
    evidence = NeedEvidence.of(nothing, [], nothing, [], ITEMS)
    assert built(visit("tent"), evidence=evidence) == Profile(user_id="u", version=1, text="", history=("tent",))


def test_shares_add_up_to_one_however_strong_the_evidence() -> None:
    found = shares(np.array([[0.0, 0.0], [900.0, -900.0], [-1e5, -1e5 + 1]], np.float32))
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(found[0], 0.5)


# Visits ----------------------------------------------------------------------------------------------------------------


def test_visits_are_told_apart_by_person_and_stand_in_the_order_of_time() -> None:
    rows = pd.DataFrame(
        {
            "review_id": ["r3", "r1", "r2", "r0"],
            "user_id": ["u", "u", "v", "u"],
            "item_id": ["tent", "fan", "fan", "pan"],
            "rating": np.array([5, np.nan, 1, 3], np.float32),
            "time": pd.to_datetime([days(9), days(2), days(5), days(9)], unit="s", utc=True),
        }
    )
    found = visits_of(rows, {item: place for place, item in enumerate(ITEMS)}, {"r3": [4, 5], "other": [1]})
    assert [one.review_id for one in found["u"]] == ["r1", "r0", "r3"]
    assert found["u"][0] == Visit("r1", ITEMS.index("fan"), days(2), UNRATED)
    assert found["u"][2] == Visit("r3", ITEMS.index("tent"), days(9), pleased(5), (4, 5))
    assert found["v"][0].pleased == pleased(1) < 0


# The words -------------------------------------------------------------------------------------------------------------


def never(text: str) -> bool:
    raise AssertionError(f"nobody should have to guess whether {text!r} is a fault")


def test_every_need_says_what_is_avoided_and_no_two_say_the_same() -> None:
    needs = read_needs()
    assert len(needs) == 74
    assert list(avoided()) == [need.id for need in needs]
    texts = [need.phrase for need in needs] + list(avoided().values())
    assert len(set(texts)) == len(texts)


def test_no_wish_is_taken_for_a_refusal() -> None:
    for need in read_needs():
        for sentence in sentences_of(text_for([need, need], [])):
            assert not refused_in(sentence), sentence
        profile = Profile(user_id="u", version=1, text=text_for([need], []), likes=(Phrase(text=need.phrase),))
        words = words_of(profile, never)
        assert [one.role for one in words.components] == [Role.LIKE, Role.TEXT, Role.TEXT]
        assert words.feared == ()


def test_every_refusal_is_understood_as_just_what_is_refused() -> None:
    for text in avoided().values():
        (sentence,) = sentences_of(text_for([], [text]))
        assert refused_in(sentence) == text


@given(histories())
@patient
def test_what_is_built_is_read_back_as_it_was_meant(given_: tuple[NeedEvidence, list[Visit]]) -> None:
    evidence, visits = given_
    profile = built(*visits, evidence=evidence)
    words = words_of(profile, never)
    assert all(one.weight > 0 for one in words.components)
    assert {one.label for one in words.components if one.role is Role.LIKE} == set(liked(profile))
    assert {one.label for one in words.feared} == {one.text for one in profile.dislikes}
    assert {one.role for one in words.feared} <= {Role.DISLIKE}


def sentences_of(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


# On disk ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path: Path) -> ProfileBook:
    hostile = Profile(user_id="line\nbreak\u2028", version=3, text='"}\r\n{"user_id": "x"}', likes=(Phrase(text="<b>\x85"),))
    write_profiles(tmp_path / "profiles.jsonl", [built(visit("tent")), hostile, replace_user(built(visit("fan")), "v")])
    return ProfileBook(tmp_path / "profiles.jsonl")


def replace_user(profile: Profile, user: str) -> Profile:
    return profile.model_copy(update={"user_id": user})


def test_profiles_are_read_back_as_they_were_written(book: ProfileBook) -> None:
    assert book.users() == ["u", "line\nbreak\u2028", "v"]
    assert book.of("u") == built(visit("tent"))
    hostile = book.of("line\nbreak\u2028")
    assert hostile is not None
    assert hostile.text == '"}\r\n{"user_id": "x"}'
    assert "v" in book
    assert "x" not in book
    assert book.of("x") is None


def test_a_visit_is_never_changed_by_building() -> None:
    one = visit("tent", rows=(0,))
    before = replace(one)
    evidence = known()
    built(one, evidence=evidence)
    assert one == before
    np.testing.assert_array_equal(evidence.of_items, known().of_items)
