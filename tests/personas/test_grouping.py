"""Voices that speak alike become one group, praise and complaint stay apart, and the same is found in whatever order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from persona_core.personas.aspects import KeptAspect
from persona_core.personas.grouping import MOST_GROUPS, MOST_VOICES, Field, Group, group, voices_of
from persona_core.schema import Aspect, AspectKind, Quote, Sentiment, Stance

NEEDS = 12
GOOD, BAD, PLAIN = Sentiment.POSITIVE, Sentiment.NEGATIVE, Sentiment.NEUTRAL
Said = tuple[str, Sentiment, int]
"""Who says it, with which feeling, and of which need."""


def aspects_of(said: Sequence[Said], rating: float | None = 3.0) -> list[KeptAspect]:
    return [
        KeptAspect(
            id=f"{review}:{number}",
            item_id="i",
            user_id=f"u-{review}",
            rating=rating,
            aspect=Aspect(
                kind=AspectKind.CONTEXT if feeling is PLAIN else AspectKind.QUALITY,
                sentiment=feeling,
                label="thing",
                quote=Quote(review_id=review, start=10 * number, end=10 * number + 5, text="thing"),
            ),
        )
        for number, (review, feeling, _) in enumerate(said)
    ]


def field_of(said: Sequence[Said], noise: float = 0.02, seed: int = 1) -> Field:
    """Each need is a topic of its own; every sentence lies a little beside it."""
    rng = np.random.default_rng(seed)
    about = [need for _, _, need in said]
    topics = np.eye(NEEDS)[about] + rng.normal(0, noise, (len(said), NEEDS))
    topics = (topics / np.linalg.norm(topics, axis=1, keepdims=True)).astype(np.float32)
    needs = (3 * np.eye(NEEDS)[about] - 2 + rng.normal(0, noise, (len(said), NEEDS))).astype(np.float32)
    none, alike = np.zeros(NEEDS, np.float32), np.eye(NEEDS, dtype=np.float32)
    return Field(
        topics=topics, needs=needs, shares=np.ones(len(said), np.float32), kinship=alike, bearings=0 * alike, middle=none, usual=none
    )  # fmt: skip


def grouped(said: Sequence[Said], rating: float | None = 3.0, **given: float) -> list[Group]:
    return group(aspects_of(said, rating), field_of(said, **given))


def camp(need: int, feeling: Sentiment, *reviews: str) -> list[Said]:
    return [(review, feeling, need) for review in reviews]


def seen(groups: Sequence[Group], names: Sequence[str]) -> set[tuple[Stance, frozenset[str]]]:
    return {(one.stance, frozenset(names[row] for row in one.rows)) for one in groups}


# Camps -----------------------------------------------------------------------------------------------------------------


def test_two_clear_camps_become_two_groups() -> None:
    groups = grouped([*camp(0, GOOD, "a", "b", "c"), *camp(1, GOOD, "d", "e")])
    assert [(one.stance, one.reviews, one.need) for one in groups] == [
        (Stance.SUITS, {"a", "b", "c"}, 0),
        (Stance.SUITS, {"d", "e"}, 1),
    ]
    assert all(0 <= one.certainty <= 1 for one in groups)


def test_the_largest_group_comes_first() -> None:
    groups = grouped([*camp(0, GOOD, "a", "b"), *camp(1, BAD, "c", "d", "e", "f"), *camp(2, GOOD, "g", "h", "i")])
    assert [len(one.reviews) for one in groups] == [4, 3, 2]


def test_praise_and_complaint_of_one_need_by_different_people_stay_apart() -> None:
    groups = grouped([*camp(0, GOOD, "a", "b", "c"), *camp(0, BAD, "d", "e", "f")])
    assert {(one.stance, frozenset(one.reviews)) for one in groups} == {
        (Stance.SUITS, frozenset("abc")),
        (Stance.DISAPPOINTS, frozenset("def")),
    }


def test_who_praises_and_complains_of_one_need_is_of_two_minds() -> None:
    people = ("a", "b", "c")
    (mixed,) = grouped([*camp(0, GOOD, *people), *camp(0, BAD, *people)])
    assert (mixed.stance, mixed.reviews, mixed.need) == (Stance.MIXED, set(people), 0)
    assert {voice.praising for voice in mixed.voices} == {True, False}


def test_half_of_the_people_in_common_are_not_yet_most() -> None:
    groups = grouped([*camp(0, GOOD, "a", "b", "c", "d"), *camp(0, BAD, "c", "d", "e", "f")])
    assert {one.stance for one in groups} == {Stance.SUITS, Stance.DISAPPOINTS}


@pytest.mark.parametrize("seed", range(20))
def test_only_mixed_groups_hold_both_feelings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = [(f"r{rng.integers(20)}", (GOOD, BAD, PLAIN)[rng.integers(3)], int(rng.integers(NEEDS))) for _ in range(50)]
    for one in grouped(said, noise=0.5, seed=seed):
        feelings = {said[row][1] for row in one.rows} - {PLAIN}
        assert feelings <= {Stance.SUITS: {GOOD}, Stance.DISAPPOINTS: {BAD}, Stance.MIXED: {GOOD, BAD}}[one.stance]


# Few and many ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("feeling", "stance"), [(GOOD, Stance.SUITS), (BAD, Stance.DISAPPOINTS)])
def test_one_usable_review_is_one_group(feeling: Sentiment, stance: Stance) -> None:
    (one,) = grouped([("a", feeling, 3), ("a", PLAIN, 3), ("a", feeling, 3)])
    assert (one.stance, one.reviews, one.need, sorted(one.rows)) == (stance, {"a"}, 3, [0, 1, 2])


def test_one_review_of_two_minds_about_one_need_is_one_group() -> None:
    (one,) = grouped([("a", GOOD, 3), ("a", BAD, 3)])
    assert (one.stance, one.reviews) == (Stance.MIXED, {"a"})


def test_where_nothing_is_said_there_is_no_group() -> None:
    assert grouped([]) == []


def test_who_has_neither_feeling_nor_stars_has_no_voice() -> None:
    assert grouped([("a", PLAIN, 0)], rating=3.0) == []
    assert grouped([("a", PLAIN, 0)], rating=None) == []


@pytest.mark.parametrize(
    ("rating", "stance"), [(5.0, Stance.SUITS), (4.0, Stance.SUITS), (2.0, Stance.DISAPPOINTS), (1.0, Stance.DISAPPOINTS)]
)
def test_who_says_nothing_with_feeling_is_heard_by_their_stars(rating: float, stance: Stance) -> None:
    (one,) = grouped([("a", PLAIN, 0)], rating=rating)
    assert one.stance is stance


def test_of_many_camps_the_most_groups_stay() -> None:
    said = [one for need in range(NEEDS) for one in camp(need, GOOD, f"x{need}", f"y{need}", *(f"z{need}{n}" for n in range(need)))]
    groups = grouped(said)
    assert len(groups) == MOST_GROUPS
    assert {one.need for one in groups} == set(range(NEEDS - MOST_GROUPS, NEEDS))


def test_a_lonely_voice_beside_larger_ones_is_dropped_but_a_lonely_complaint_is_heard() -> None:
    said = [*camp(0, GOOD, "a", "b", "c"), *camp(1, GOOD, "d", "e"), *camp(2, GOOD, "f"), *camp(3, BAD, "g")]
    assert {one.need for one in grouped(said)} == {0, 1, 3}


def test_of_more_voices_than_are_weighed_the_newest_stand_for_all() -> None:
    said = [*camp(0, GOOD, *(f"old{n}" for n in range(5))), *camp(1, GOOD, *(f"new{n}" for n in range(MOST_VOICES)))]
    (one,) = grouped(said)
    assert (one.need, len(one.reviews)) == (1, MOST_VOICES)


def test_voices_gather_what_is_neutral_with_the_feeling_of_its_review() -> None:
    voices = voices_of(aspects_of([("a", GOOD, 0), ("b", BAD, 0), ("a", PLAIN, 0), ("b", PLAIN, 0), ("b", GOOD, 0)]))
    assert {(voice.review_id, voice.praising, voice.rows) for voice in voices} == {
        ("a", True, (0, 2)),
        ("b", True, (3, 4)),
        ("b", False, (1, 3)),
    }


# The same again --------------------------------------------------------------------------------------------------------


def shuffled(said: Sequence[Said], field: Field, seed: int) -> tuple[list[int], list[KeptAspect], Field]:
    order = [int(place) for place in np.random.default_rng(seed).permutation(len(said))]
    aspects = aspects_of(said)
    moved = Field(
        field.topics[order], field.needs[order], field.shares[order], field.kinship, field.bearings, field.middle, field.usual
    )
    return order, [aspects[place] for place in order], moved


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_aspects_does_not_change_the_groups(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = [(f"r{rng.integers(12)}", (GOOD, BAD, PLAIN)[rng.integers(3)], int(rng.integers(4))) for _ in range(40)]
    field = field_of(said, noise=0.3, seed=seed)
    aspects = aspects_of(said)
    here = seen(group(aspects, field), [one.id for one in aspects])
    _, moved, field = shuffled(said, field, seed)
    assert seen(group(moved, field), [one.id for one in moved]) == here


def test_the_order_of_aspects_does_not_change_which_of_equal_groups_are_cut_off() -> None:
    said = [one for need in range(NEEDS) for one in camp(need, GOOD, f"a{need:02}", f"b{(NEEDS - need):02}")]
    field = field_of(said)
    aspects = aspects_of(said)
    backwards = list(range(len(said)))[::-1]
    there = Field(
        field.topics[backwards],
        field.needs[backwards],
        field.shares[backwards],
        field.kinship,
        field.bearings,
        field.middle,
        field.usual,
    )
    moved = [aspects[place] for place in backwards]
    assert seen(group(moved, there), [one.id for one in moved]) == seen(group(aspects, field), [one.id for one in aspects])


def test_the_same_input_gives_the_same_groups() -> None:
    said = [*camp(0, GOOD, "a", "b"), *camp(1, BAD, "c", "d"), *camp(0, BAD, "a")]
    assert grouped(said, noise=0.4) == grouped(said, noise=0.4)


@pytest.mark.parametrize("seed", range(20))
def test_no_two_groups_of_one_stance_speak_of_one_need(seed: int) -> None:
    rng = np.random.default_rng(seed)
    said = [(f"r{rng.integers(30)}", (GOOD, BAD)[rng.integers(2)], int(rng.integers(NEEDS))) for _ in range(60)]
    found = [(one.stance, one.need) for one in grouped(said, noise=1.0, seed=seed) if one.stance is not Stance.MIXED]
    assert len(found) == len(set(found))


def test_vectors_that_are_all_the_same_make_one_group() -> None:
    groups = grouped(camp(0, GOOD, "a", "b", "c", "d"), noise=0.0)
    assert [one.reviews for one in groups] == [set("abcd")]
