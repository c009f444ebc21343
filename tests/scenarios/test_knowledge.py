"""What is said of scenarios and people is what their visits say: it carries over where it does, and strangers are no likeness."""

from __future__ import annotations

from persona_core.personas.needs import read_needs
from persona_core.scenarios.knowledge import FEWEST_SHARED, about, between, person_knows
from tests.scenarios.wishes import PEOPLE, SERVED, ground, passage


def test_where_people_want_the_same_in_both_the_scenarios_go_together_and_why_is_said() -> None:
    found = {(one.one, one.other): one for one in between(ground(True), [])}
    books_kitchen = found["books", "kitchen"]
    assert books_kitchen.people == PEOPLE
    assert books_kitchen.strength is not None
    assert books_kitchen.low is not None
    assert books_kitchen.strength > 0.5
    assert books_kitchen.low > 0
    assert {one.need for one in books_kitchen.reasons} <= {need.id for place, need in enumerate(read_needs()) if place in SERVED}
    assert sum(one.share for one in books_kitchen.reasons) <= 1.001
    assert "says much" in books_kitchen.text
    assert next(need.phrase for need in read_needs() if need.id == books_kitchen.reasons[0].need) in books_kitchen.text


def test_where_people_want_other_things_in_each_nothing_is_claimed() -> None:
    found = {(one.one, one.other): one for one in between(ground(False), [])}
    independent = found["books", "kitchen"]
    assert independent.low is not None
    assert independent.low <= 0 or (independent.strength or 0) < 0.1
    assert "says nothing for certain" in independent.text


def test_of_scenarios_that_too_few_know_nothing_is_said() -> None:
    nobody = next(one for one in between(ground(True), []) if one.other == "outdoors")
    assert nobody.people < FEWEST_SHARED
    assert nobody.strength is None
    assert "Too few people" in nobody.text


def test_reasons_are_quoted_from_one_person_in_both() -> None:
    aspects = [passage(place) for place in range(PEOPLE * 6)]
    made = next(one for one in between(ground(True, aspects=True), aspects) if one.people)
    quoted = [one for one in made.reasons if one.quotes]
    assert quoted
    for one in quoted:
        people = {int(quote.review_id[1:]) // 6 for quote in one.quotes}
        assert len(one.quotes) == 2
        assert len(people) == 1


def test_what_shows_in_both_carries_over_and_what_shows_in_one_stays_there() -> None:
    same, apart = person_knows(ground(True), "u01"), person_knows(ground(False), "u01")
    assert same.visits == {"books": 3, "kitchen": 3}
    assert [one.need for one in same.across][:1] == [one.need for one in same.within["books"]][:1]
    assert same.across[0].review_ids
    assert not same.only["books"]
    assert apart.across == ()
    assert set(apart.only["books"]).isdisjoint(apart.only["kitchen"])
    assert apart.only["books"]
    assert "Only in books" in apart.text
    assert "Wherever they are" in same.text


def test_a_scenario_is_told_by_who_comes_and_what_for() -> None:
    said = about(ground(True), 0)
    assert (said.people, said.things, said.visits, said.liked) == (PEOPLE, 12, 72, 1.0)
    assert said.text.startswith("Books: 24 people, 12 things, 72 visits, 100% of them pleased.")
    empty = about(ground(True), 2)
    assert (empty.people, empty.visits) == (0, 0)
