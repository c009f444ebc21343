"""No pair knows of its own item: neither its words nor its past; and the teacher who does know picks whom the review sounds like."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from persona_core.alignment.head import Head, unit
from persona_core.alignment.pairs import LIKED, NOBODY, Pairs, World, item_middles, pairs_of, past_weights, pooled, with_fewer_people
from persona_core.alignment.training import Among, Recipe, _among, _no_negatives
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import build_profile
from persona_core.profiles.evidence import NeedEvidence, Visit, pleased
from persona_core.schema import Stance
from persona_core.text.encoder import Matrix
from tests.support.tastes import NEEDS, days, encode, persona_of, plain_head, random_units, some_head, vector_of

ITEMS = ("tent", "fan", "radio", "lamp")
LIGHT, QUIET, MARKED = (NEEDS[name] for name in ("light_to_carry", "peace_and_quiet", "fright"))
"""Only the radio serves the last one, and only reviews of the radio speak of it."""
RADIO = ITEMS.index("radio")
HEAD = some_head()


def is_fault(text: str) -> bool:
    raise AssertionError(f"built profiles say themselves that {text!r} is a fault")


def visit(item: str, stars: float | None = 5.0, day: float = 100, rows: tuple[int, ...] = ()) -> Visit:
    return Visit(f"r-{item}-{day}", ITEMS.index(item), days(day), pleased(stars), rows)


def world_of(**visits: list[Visit]) -> World:
    """Three personas an item, the last one disappointed; aspects 0 and 1 speak of the marked need, and 1 complains."""
    stances = (Stance.SUITS, Stance.MIXED, Stance.DISAPPOINTS)
    personas = tuple(persona_of(item, number, stance) for item in ITEMS[:3] for number, stance in enumerate(stances))
    of_items = np.zeros((len(ITEMS), len(NEEDS)), np.float32)
    of_aspects = np.zeros((4, len(NEEDS)), np.float32)
    for item, need in (("tent", LIGHT), ("fan", QUIET), ("radio", MARKED)):
        of_items[ITEMS.index(item), need] = 0.5
    of_aspects[[0, 1], MARKED] = 0.9
    of_aspects[[2, 3], QUIET] = 0.3
    known = NeedEvidence(of_aspects, np.array([False, True, False, True]), of_items)
    return World(ITEMS, personas, random_units(len(personas), 5), visits, known, random_units(4, 6), days(100))


def made(world: World, head: Head = HEAD) -> Pairs:
    return pairs_of(world, head, encode, is_fault)


def row_of(pairs: Pairs, user: str, item: str) -> int:
    (row,) = np.flatnonzero((pairs.user == pairs.users.index(user)) & (pairs.item == ITEMS.index(item)))
    return int(row)


def people() -> dict[str, list[Visit]]:
    return {
        "u": [
            visit("tent", day=1),
            visit("radio", day=50, rows=(0,)),
            visit("radio", 2.0, day=60, rows=(1,)),
            visit("fan", 4.0, day=90),
        ],
        "v": [visit("radio", day=2), visit("lamp", day=3)],
    }


# What a pair may know --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["u", "v"])
def test_a_pair_is_made_as_if_its_item_had_never_been_met(user: str) -> None:
    world = world_of(**people())
    pairs = made(world)
    row = row_of(pairs, user, "radio")
    left = [one for one in world.visits[user] if one.item != RADIO]
    profile = build_profile(user, left, ITEMS, world.known, world.now)
    marked = read_needs()[MARKED]
    assert marked.phrase not in profile.model_dump_json()
    words, fears = pooled(profile, HEAD, encode, is_fault)
    np.testing.assert_array_equal(pairs.words[row], words)
    np.testing.assert_array_equal(pairs.fears[row], fears)
    middles = item_middles(ITEMS, world.personas, world.vectors, HEAD)
    past = sum((middles[item] * weight for item, weight in past_weights(left, world.now, 365.0).items()), np.zeros(len(words)))
    np.testing.assert_allclose(pairs.past[row], unit(np.asarray(past, np.float32)), atol=1e-6)


def test_but_the_other_pairs_of_the_same_person_know_of_it() -> None:
    world = world_of(**people())
    profile = build_profile("u", [one for one in world.visits["u"] if one.item != ITEMS.index("tent")], ITEMS, world.known, world.now)
    marked = read_needs()[MARKED]
    assert marked.phrase in [one.text for one in profile.likes]
    assert [one.fault for one in profile.dislikes] == [True]
    pairs = made(world)
    row = row_of(pairs, "u", "tent")
    assert pairs.words[row] @ unit(vector_of(marked.phrase) - HEAD.middle_of_words) > 0.3
    assert pairs.fears[row].any()
    assert not pairs.fears[row_of(pairs, "u", "radio")].any()


def test_whatever_is_known_of_the_item_and_said_of_it_changes_nothing_of_its_pair() -> None:
    """The marker: the radio's personas, its needs and all that was written of it become something else altogether."""
    world = world_of(**people())
    vectors, topics = world.vectors.copy(), world.topics.copy()
    of_items, of_aspects = world.known.of_items.copy(), world.known.of_aspects.copy()
    vectors[[one.item_id == "radio" for one in world.personas]] = vector_of("a unique marker")
    topics[[0, 1]] = vector_of("a unique marker")
    of_items[RADIO], of_aspects[[0, 1]] = -7.0, 7.0
    known = NeedEvidence(of_aspects, world.known.faults, of_items)
    other = replace(world, vectors=vectors, topics=topics, known=known)
    for user in ("u", "v"):
        here, there = made(world), made(other)
        row = row_of(here, user, "radio")
        np.testing.assert_array_equal(here.words[row], there.words[row])
        np.testing.assert_array_equal(here.fears[row], there.fears[row])
        np.testing.assert_allclose(here.past[row], there.past[row], atol=1e-6)
    assert not np.allclose(here.past[row_of(here, "u", "tent")], there.past[row_of(there, "u", "tent")], atol=0.01)


def test_a_past_of_things_without_personas_is_nothing_and_no_dust_of_the_pairs_own_item() -> None:
    world = world_of(v=[visit("radio"), visit("lamp")], w=[visit("radio"), visit("lamp"), visit("fan", 3.0)])
    pairs = made(world)
    assert not pairs.past[row_of(pairs, "v", "radio")].any()
    fan = item_middles(ITEMS, world.personas, world.vectors, HEAD)[ITEMS.index("fan")]
    np.testing.assert_allclose(pairs.past[row_of(pairs, "w", "radio")], fan, atol=1e-5)


# Which pairs there are -------------------------------------------------------------------------------------------------


def test_who_came_to_one_item_only_gives_no_pair() -> None:
    pairs = made(world_of(u=[visit("tent")], v=[visit("fan", day=1), visit("fan", day=2)], w=[visit("tent"), visit("fan")]))
    assert pairs.users == ("w",)
    assert len(pairs) == 2


def test_every_liked_item_gives_a_pair_and_no_other_does() -> None:
    stars = {"tent": 3.0, "fan": 4.0, "radio": None, "lamp": 1.0}
    pairs = made(world_of(u=[visit(item, one) for item, one in stars.items()]))
    assert [ITEMS[item] for item in pairs.item] == ["fan", "radio"]
    assert pleased(4.0) > pleased(None) >= LIKED > pleased(3.0)
    (own,) = pairs.own
    assert own.tolist() == [0, 1, 2, 3]  # also what was not liked is no negative


def test_an_item_that_was_liked_once_counts_once() -> None:
    pairs = made(world_of(u=[visit("tent", day=1), visit("tent", 1.0, day=2), visit("tent", day=3), visit("lamp", 2.0)]))
    assert [ITEMS[item] for item in pairs.item] == ["tent"]


def test_people_stand_in_the_order_of_their_names_whatever_the_order_of_the_world() -> None:
    one = made(world_of(**people()))
    other = made(world_of(**dict(reversed(people().items()))))
    assert one.users == other.users == ("u", "v")
    for name in ("user", "item", "words", "fears", "past", "persona"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_world_without_people_or_personas_has_pairs_without_a_past() -> None:
    assert len(made(world_of())) == 0
    bare = replace(world_of(**people()), personas=(), vectors=np.zeros((0, 384), np.float32))
    pairs = made(bare)
    assert len(pairs) == 5
    assert not pairs.past.any()
    assert set(pairs.persona.tolist()) == {NOBODY}


def test_of_several_visits_to_one_thing_the_last_counts() -> None:
    weights = past_weights([visit("tent", 1.0, day=10), visit("tent", 5.0, day=100), visit("fan", 4.0, day=-265)], days(100), 365.0)
    assert weights == {0: pytest.approx(1.0), 1: pytest.approx(pleased(4.0) / 2)}


def test_an_items_middle_is_of_those_it_suits() -> None:
    vectors = encode(["fans", "mixed", "haters"])
    personas = [
        persona_of("tent", 0, weight=0.9),
        persona_of("tent", 1, Stance.MIXED, weight=0.1),
        persona_of("fan", 2, Stance.DISAPPOINTS),
    ]
    tent, fan, radio, lamp = item_middles(ITEMS, personas, vectors, plain_head())
    np.testing.assert_allclose(tent, unit(0.9 * vectors[0] + 0.1 * vectors[1]), atol=1e-6)
    assert not fan.any()
    assert not radio.any()
    assert not lamp.any()


# Hindsight -------------------------------------------------------------------------------------------------------------


def sounding_like(row: int, stars: float = 5.0, rows: tuple[int, ...] = (0,)) -> tuple[World, Pairs]:
    """A world in which what was said of the radio lies on its persona of this row."""
    world = world_of(u=[visit("radio", stars, rows=rows), visit("tent")])
    topics = world.topics.copy()
    topics[list(rows)] = world.vectors[row]
    world = replace(world, topics=topics)
    return world, made(world, plain_head())


@pytest.mark.parametrize("number", [0, 1])
def test_hindsight_picks_the_persona_that_the_review_lies_closest_to(number: int) -> None:
    row = 3 * RADIO + number
    _, pairs = sounding_like(row)
    assert pairs.persona[row_of(pairs, "u", "radio")] == row


def test_hindsight_never_picks_whom_the_item_disappoints_nor_a_persona_of_another_item() -> None:
    for row in (3 * RADIO + 2, 0):
        world, pairs = sounding_like(row)
        found = pairs.persona[row_of(pairs, "u", "radio")]
        assert world.personas[found].item_id == "radio"
        assert world.personas[found].stance is not Stance.DISAPPOINTS


def test_without_a_review_there_is_no_hindsight_nor_from_complaints_alone() -> None:
    for rows in ((), (1,), (1, 3)):
        _, pairs = sounding_like(3 * RADIO, rows=rows)
        assert pairs.persona.tolist() == [NOBODY, NOBODY]


def test_what_a_review_complains_of_does_not_tell_whom_the_item_suits() -> None:
    world, _ = sounding_like(3 * RADIO, rows=(0,))
    topics = world.topics.copy()
    topics[1] = 9 * world.vectors[3 * RADIO + 1]
    visits = {"u": [visit("radio", rows=(0, 1)), visit("tent")]}
    pairs = made(replace(world, topics=topics, visits=visits), plain_head())
    assert pairs.persona[row_of(pairs, "u", "radio")] == 3 * RADIO


# In training -----------------------------------------------------------------------------------------------------------


def masked(most_items: int) -> tuple[Pairs, Matrix]:
    pairs = made(world_of(**people()))
    net = SimpleNamespace(items=len(ITEMS), of_item=torch.arange(len(ITEMS)))
    net.everything = Among.of(net, np.arange(len(ITEMS)))
    rows = np.arange(len(pairs))
    among = _among(net, pairs, rows, Recipe(most_items=most_items), np.random.default_rng(0))
    away = np.ones((len(pairs), len(ITEMS)), bool)
    away[:, among.items] = _no_negatives(pairs, rows, among).numpy()
    return pairs, away


def test_what_else_somebody_came_to_is_never_held_against_a_pair() -> None:
    pairs, away = masked(most_items=100)
    for row in range(len(pairs)):
        others = set(pairs.own[pairs.user[row]].tolist()) - {int(pairs.item[row])}
        assert set(np.flatnonzero(away[row]).tolist()) == others


def test_in_a_large_catalogue_a_pair_meets_the_drawn_items_and_those_of_its_batch() -> None:
    pairs, away = masked(most_items=1)
    for row in range(len(pairs)):
        others = set(pairs.own[pairs.user[row]].tolist()) - {int(pairs.item[row])}
        assert not away[row, pairs.item[row]]
        assert away[row, sorted(others)].all()
        assert not away[row, [item for item in set(pairs.item.tolist()) if item not in others]].any()


def test_of_too_many_people_some_are_drawn_with_all_that_they_did() -> None:
    world = world_of(**{f"p{n}": [visit("radio"), visit("tent")] for n in range(10)})
    drawn = with_fewer_people(world, seed=3, most=7)
    assert len(drawn.visits) == 4
    assert all(drawn.visits[user] == world.visits[user] for user in drawn.visits)
    assert drawn.visits.keys() == with_fewer_people(world, seed=3, most=7).visits.keys()
    assert drawn.visits.keys() != with_fewer_people(world, seed=4, most=7).visits.keys()
    assert with_fewer_people(world, seed=3, most=20) is world
