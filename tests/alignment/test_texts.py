"""Pairs of texts: what a person is like without an item, one of its personas, and negatives that are none of theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from persona_core.alignment.pairs import NOBODY, Pairs, World, pairs_of
from persona_core.alignment.texts import PersonaTexts, TextPair, profile_text, text_pairs
from persona_core.personas.files import text_of
from persona_core.profiles.building import Rules, build_profile
from persona_core.schema import Phrase, Profile
from tests.alignment.small_world import frozen, rows_at_random, small_world


def profile(**parts: object) -> Profile:
    return Profile.model_validate({"user_id": "u", "version": 1, "text": "", **parts})


# One text a profile -------------------------------------------------------------------------------------------------------


def test_the_likes_come_first_and_the_strongest_of_them_before_the_others() -> None:
    likes = (
        Phrase(text="quiet things", strength=0.5),
        Phrase(text="light luggage.", strength=2.0),
        Phrase(text="long walks", strength=0.5),
    )
    found = profile_text(profile(text=" They want less. ", likes=likes))
    assert found == "light luggage; quiet things; long walks. They want less."


def test_a_dislike_is_told_once() -> None:
    dislikes = (Phrase(text="rude staff"), Phrase(text="loud fans"))
    told = "They would rather not have rude staff."
    assert profile_text(profile(text=told, dislikes=dislikes)) == f"{told} They would rather not have loud fans."
    assert profile_text(profile(dislikes=dislikes[:1])) == told


def test_of_nobody_there_is_nothing_to_say() -> None:
    assert profile_text(profile()) == ""


def test_every_edit_changes_the_text() -> None:
    before = profile(text="They want less.", likes=(Phrase(text="a"), Phrase(text="b")), dislikes=(Phrase(text="c"),))
    edits = [{"text": "They want more."}, {"likes": before.likes[:1]}, {"likes": before.likes[::-1]}, {"dislikes": ()}]
    assert len({profile_text(before.model_copy(update=edit)) for edit in ({}, *edits)}) == 5


# Pairs --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world() -> World:
    return small_world()


@pytest.fixture(scope="module")
def pairs(world: World) -> Pairs:
    return pairs_of(world, frozen(world), lambda texts: rows_at_random(np.random.default_rng(len(texts)), len(texts)), lambda _: False)


@pytest.fixture(scope="module")
def found(world: World, pairs: Pairs) -> list[TextPair]:
    return text_pairs(world, pairs, frozen(world), hard=4)


def row_of(world: World, text: str) -> int:
    return [text_of(one) for one in world.personas].index(text)


def test_every_pair_has_its_text(world: World, pairs: Pairs, found: list[TextPair]) -> None:
    assert [(one.user, one.item) for one in found] == list(zip(pairs.user.tolist(), pairs.item.tolist(), strict=True))
    assert len(found) > 20


def test_the_anchor_is_the_profile_of_who_never_came_to_the_item(world: World, pairs: Pairs, found: list[TextPair]) -> None:
    for one in found:
        user = pairs.users[one.user]
        before = [visit for visit in world.visits[user] if visit.item != one.item]
        assert one.anchor == profile_text(build_profile(user, before, world.items, world.known, world.now, Rules()))


def test_the_positive_is_the_teachers_or_else_the_nearest_whom_the_item_suits(
    world: World, pairs: Pairs, found: list[TextPair]
) -> None:
    taught = 0
    vectors = world.vectors - world.vectors.mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for one, known, words in zip(found, pairs.persona.tolist(), pairs.words, strict=True):
        row = row_of(world, one.positive)
        assert world.persona_items[row] == one.item
        assert not world.disappoints[row]
        if known == NOBODY:
            suiting = [at for at in range(len(world.personas)) if world.persona_items[at] == one.item and not world.disappoints[at]]
            assert row == max(suiting, key=lambda at: float(vectors[at] @ words))
        else:
            assert row == known
            taught += 1
    assert 0 < taught < len(found)


def test_no_negative_is_right_for_its_person(world: World, found: list[TextPair]) -> None:
    liked: dict[int, set[str]] = {}
    for one in found:
        liked.setdefault(one.user, set()).add(one.positive)
    for one in found:
        assert liked[one.user].isdisjoint(one.negatives)
        assert len(set(one.negatives)) == len(one.negatives) == len(one.negative_items)
        for text, item in zip(one.negatives, one.negative_items, strict=True):
            assert world.persona_items[row_of(world, text)] == item
            assert item == one.item or item not in one.own


def test_negatives_from_the_item_come_first_and_its_other_persona_only_by_a_teachers_choice(
    world: World, pairs: Pairs, found: list[TextPair]
) -> None:
    for one, known in zip(found, pairs.persona.tolist(), strict=True):
        within = [row_of(world, text) for text, item in zip(one.negatives, one.negative_items, strict=True) if item == one.item]
        assert [bool(world.disappoints[row]) for row in within] == ([True] if known == NOBODY else [False, True])
        assert one.negative_items[: len(within)] == (one.item,) * len(within)
        assert len(one.negatives) == 4


def test_few_or_no_hard_negatives_are_as_good(world: World, pairs: Pairs) -> None:
    for hard in (0, 1):
        assert {len(one.negatives) for one in text_pairs(world, pairs, frozen(world), hard=hard)} == {hard}


def test_the_same_seed_gives_the_same_pairs(world: World, pairs: Pairs, found: list[TextPair]) -> None:
    assert text_pairs(world, pairs, frozen(world), hard=4) == found
    assert text_pairs(world, pairs, frozen(world), hard=4, seed=8) != found


def test_the_judges_persona_is_taken(world: World, pairs: Pairs) -> None:
    other = np.array(
        [next(at for at in range(len(world.personas)) if world.persona_items[at] == item) for item in pairs.item], np.int32
    )
    judged = text_pairs(world, replace(pairs, persona=other), frozen(world))
    assert [row_of(world, one.positive) for one in judged] == other.tolist()


def test_who_cannot_be_spoken_of_is_left_out(world: World, pairs: Pairs) -> None:
    gone = int(pairs.item[0])
    kept = [at for at, one in enumerate(world.personas) if world.disappoints[at] or world.persona_items[at] != gone]
    renumber = {at: place for place, at in enumerate(kept)}
    poorer = replace(world, personas=tuple(world.personas[at] for at in kept), vectors=world.vectors[kept])
    known = np.array([renumber.get(at, NOBODY) for at in pairs.persona.tolist()], np.int32)
    left = text_pairs(poorer, replace(pairs, persona=known), frozen(world))
    assert {(one.user, one.item) for one in left} == {
        (one.user, one.item) for one in text_pairs(world, pairs, frozen(world)) if one.item != gone
    }
    nothing = replace(world.known, of_items=world.known.of_items * 0, of_aspects=world.known.of_aspects * 0)
    assert text_pairs(replace(world, known=nothing), pairs, frozen(world)) == []


def test_the_personas_to_look_among(world: World, found: list[TextPair]) -> None:
    whole, named = PersonaTexts.of(world), PersonaTexts.named_in(found)
    assert whole.items == tuple(world.persona_items.tolist())
    assert set(zip(named.texts, named.items, strict=True)) <= set(zip(whole.texts, whole.items, strict=True))
    assert len(set(named.texts)) == len(named.texts)
