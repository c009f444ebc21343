"""What a model says of people and scenarios is taken where it cites lines of the right scenarios, and otherwise refused."""

from __future__ import annotations

import pytest

from persona_core.errors import ModelAnswerBad
from persona_core.scenarios.asking import Line, person_lines, person_told, scenario_lines, scenarios_told
from persona_core.scenarios.knowledge import about, between
from tests.scenarios.wishes import ITEMS, NAMES, PEOPLE, ground, passage
from tests.support.scripted import Scripted

LINES = [Line(("books",), "liked a map"), Line(("kitchen",), "liked a pan"), Line(("books", "kitchen"), "Both.")]


def wish(phrase: str, *cites: int) -> dict[str, object]:
    return {"phrase": phrase, "cites": list(cites)}


def test_a_persons_wishes_hold_where_their_lines_are_of_the_right_shops() -> None:
    answer = {
        "within": [{"shop": "books", **wish("wants it deep", 1)}, {"shop": "kitchen", **wish("wants it cheap", 1)}],
        "across": [wish("buys once and keeps it", 1, 2), wish("wants it loud", 1)],
        "only": [{"shop": "kitchen", **wish("cooks for a crowd", 2)}, {"shop": "kitchen", **wish("sings", 99)}],
    }
    found = person_told(Scripted(answer), LINES)
    assert found.text == (
        "In books this person wants it deep. Wherever they are, this person buys once and keeps it. "
        "Only in kitchen this person cooks for a crowd."
    )
    assert found.refused == 3


def test_of_scenarios_each_sentence_goes_to_those_it_cites() -> None:
    answer = {
        "shops": [{"shop": "books", "says": "People come to learn", "cites": [1]}, {"shop": "nowhere", "says": "x", "cites": [1]},
                  {"shop": "kitchen", "says": "People come to cook.", "cites": [1]}],
        "common": [{"says": "Things are to last.", "cites": [3]}],
        "differ": [{"says": "word " * 60, "cites": [3]}],
    }  # fmt: skip
    found = scenarios_told(Scripted(answer), ("books", "kitchen"), LINES)
    assert found["books"].text == "People come to learn. Things are to last."
    assert found["kitchen"].text == "Things are to last."
    assert found["kitchen"].refused == 1


def test_what_is_shown_is_numbered_fenced_and_of_this_person_alone() -> None:
    aspects = [passage(place) for place in range(PEOPLE * 6)]
    lines = person_lines(ground(True, aspects=True), "u03", [f"Title of {item}" for item in ITEMS], aspects)
    assert {line.scenarios for line in lines} == {("books",), ("kitchen",)}
    assert {int(line.review_id[1:].split("-")[0]) for line in lines} == {3}
    model = Scripted({"within": [], "across": [], "only": []})
    person_told(model, lines)
    (asked,) = model.asked
    assert "<<data evidence" in asked.user
    assert "1. (books)" in asked.user
    assert "Passage 18 " in asked.user


def test_scenarios_are_shown_by_what_was_counted() -> None:
    place = ground(True)
    lines = scenario_lines([about(place, at) for at in range(3)], between(place, []))
    assert [line.scenarios for line in lines[:3]] == [(name,) for name in NAMES]
    assert any("says much" in line.said for line in lines)


def test_an_answer_that_is_none_is_raised() -> None:
    with pytest.raises(ModelAnswerBad):
        person_told(Scripted("nonsense"), LINES)
