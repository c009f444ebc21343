"""Wishes carry over as they did for others, to what is new and nowhere else; what somebody takes back carries nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.personas.needs import read_needs
from persona_core.profiles.building import avoided
from persona_core.scenarios.carried import Carrying, as_numbers, fit_of_items
from persona_core.scenarios.files import taken_back
from persona_core.scenarios.knowledge import FEWEST_SHARED
from persona_core.schema import Phrase, Profile
from tests.scenarios.wishes import ITEMS, LIGHT, PEOPLE, QUIET, SCENARIO_OF, SERVED, ground

BOOKS, KITCHEN, OUTDOORS = 0, 1, 2
SCENARIOS = np.array(SCENARIO_OF)


def only_books(person: int) -> tuple[Carrying, np.ndarray, np.ndarray]:
    """What carries over for somebody of whom only the visits to books are known."""
    place = ground(True)
    counts = place.counts[person].copy()
    lifts = place.lifts[person].copy()
    counts[KITCHEN], lifts[KITCHEN] = 0.0, 0.0
    return Carrying.learned(place), lifts, counts


# What is learned ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", range(4))
def test_a_wish_is_found_again_where_others_brought_it(person: int) -> None:
    carrying, lifts, counts = only_books(person)
    wish = carrying.wish(carrying.wishes(lifts, counts), KITCHEN)
    assert int(np.argmax(wish)) == SERVED[person]


def test_the_item_that_serves_it_is_the_best_there() -> None:
    carrying, lifts, counts = only_books(0)
    served = ground(True).world.known.of_items
    fit = fit_of_items(carrying, carrying.wishes(lifts, counts), [KITCHEN], SCENARIOS, served)
    assert ITEMS[int(np.argmax(fit))].startswith(f"kitchen-{LIGHT}-")
    (first, *_) = carrying.carries(carrying.wishes(lifts, counts), KITCHEN, served[int(np.argmax(fit))], 3)
    assert (first.scenario, first.need, first.becomes) == (BOOKS, LIGHT, LIGHT)


def test_what_does_not_go_together_is_not_said_to() -> None:
    place = ground(False)
    carrying = Carrying.learned(place)
    wishes = carrying.wishes(place.lifts[0], place.counts[0])
    wishes[KITCHEN] = 0.0
    assert carrying.carries(wishes, KITCHEN, np.ones(wishes.shape[1]), 5) == []


def test_of_too_few_people_nothing_is_learned() -> None:
    place = ground(True)
    carrying = Carrying.learned(place, among=np.arange(PEOPLE) < FEWEST_SHARED - 1)
    assert not carrying.tables.any()
    assert carrying.people[BOOKS, KITCHEN] == FEWEST_SHARED - 1


def test_who_is_left_out_says_nothing() -> None:
    place, others = ground(True), np.arange(PEOPLE) % 2 == 0
    known = Carrying.learned(place, among=others)
    odd = place.lifts.copy()
    odd[~others] = np.random.default_rng(1).normal(size=odd[~others].shape)
    changed = ground(True)
    object.__setattr__(changed, "lifts", odd)
    object.__setattr__(changed, "middles", place.middles)
    assert (Carrying.learned(changed, among=others).tables == known.tables).all()


# Where it counts ---------------------------------------------------------------------------------------------------------


def test_new_is_where_one_was_not_and_others_were() -> None:
    carrying, _, counts = only_books(0)
    assert carrying.new_to(counts) == [KITCHEN], "nobody was ever outdoors: nothing is known of it"
    assert carrying.new_to(ground(True).counts[0]) == []
    assert carrying.new_to(np.zeros(3)) == []


@given(seed=st.integers(0, 10_000), places=st.sets(st.integers(0, 2)))
def test_being_new_lifts_nothing_by_itself(seed: int, places: set[int]) -> None:
    rng = np.random.default_rng(seed)
    carrying = Carrying.learned(ground(True))
    wishes, served = rng.normal(size=(3, carrying.middles.shape[1])), rng.normal(size=(len(ITEMS), carrying.middles.shape[1]))
    fit = fit_of_items(carrying, wishes, sorted(places), SCENARIOS, served)
    assert np.abs(fit).max(initial=0.0) <= 1.0
    for at in range(3):
        inside = fit[at == SCENARIOS]
        assert inside.mean() == pytest.approx(0.0, abs=1e-9)
        assert at in places or not inside.any()


def test_knowledge_as_numbers_is_of_length_one_and_holds_what_carries_over() -> None:
    place = ground(True)
    vectors = as_numbers(place, Carrying.learned(place))
    assert vectors.shape == (PEOPLE, 3 * len(read_needs()))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert int(np.argmax(vectors[0][: len(read_needs())])) == LIGHT


# Taken back --------------------------------------------------------------------------------------------------------------


def test_what_is_taken_back_or_turned_against_is_known() -> None:
    needs = read_needs()
    light, quiet = (needs[at].phrase for at in (LIGHT, QUIET))
    built = Profile(user_id="u", version=1, text="", likes=(Phrase(text=light), Phrase(text=quiet)))
    assert taken_back(built, built) == set()
    assert taken_back(built.model_copy(update={"likes": built.likes[:1]}), built) == {QUIET}
    against = built.model_copy(update={"dislikes": (Phrase(text=avoided()[needs[LIGHT].id]),)})
    assert taken_back(against, built) == {LIGHT}
    assert taken_back(against, against) == set(), "it was known when the profile was built"
    assert taken_back(built.model_copy(update={"likes": (*built.likes, Phrase(text="words of their own"))}), built) == set()
