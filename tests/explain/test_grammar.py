"""Phrases turned so that they can be said to people, and of people."""

from __future__ import annotations

import pytest

from persona_core.explain.grammar import clipped, does, listed, of_people, to_you
from persona_core.personas.needs import read_needs


@pytest.mark.parametrize(
    ("phrase", "people", "you"),
    [
        ("wants to take it along", "want to take it along", "want to take it along"),
        ("is out in all weathers", "are out in all weathers", "are out in all weathers"),
        ("has an exam to pass", "have an exam to pass", "have an exam to pass"),
        ("must complete the set", "must complete the set", "must complete the set"),
        ("always after something new", "are always after something new", "are always after something new"),
        ("doubts claims and compares everything", "doubt claims and compare everything", "doubt claims and compare everything"),
        ("wants to look after their health", "want to look after their health", "want to look after your health"),
        ("They want a light pan and decide by its weight.", "want a light pan and decide by its weight", None),
        ("They also want facts.", "want facts", "want facts"),
        ("walks the dog at dawn", "walk the dog at dawn", "walk the dog at dawn"),
        ("books about trains", "", ""),
        ("light things", "", ""),
        ("I love my garden at dawn", "", "love your garden at dawn"),
        ("I'm often on the train", "", "are often on the train"),
        ("", "", ""),
    ],
)
def test_phrases_are_turned(phrase: str, people: str, you: str | None) -> None:
    assert of_people(phrase) == people
    assert you is None or to_you(phrase) == you


def test_every_phrase_of_ours_can_be_said() -> None:
    for need in read_needs():
        assert all((of_people(need.phrase), to_you(need.phrase))), need.phrase
        first = of_people(need.phrase).split()[0]
        assert first in ("are", "have", "must") or not first.endswith("s"), first
        assert " their " not in f" {to_you(need.phrase)} "


def test_as_you_do_goes_with_the_verb() -> None:
    assert (does("want it quiet"), does("are in training"), does("must win")) == ("do", "are", "must")


def test_lists_and_cuts() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b"], "or") == "a or b"
    assert clipped("one two\nthree", 8) == "one two…"
    assert clipped("one  two") == "one two"
