"""Models write several profiles of one person, from the older half alone; what they invent is not taken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from persona_core.alignment.phrases import PhraseBook
from persona_core.errors import ModelAnswerBad
from persona_core.personas.reading import Judge
from persona_core.profiles.ways.asked import ASKED, asked, asked_styles, common_wants
from persona_core.profiles.ways.exploring import explored, extracted, plain_head, title_of
from persona_core.profiles.ways.styles import LENGTHS, Usual
from persona_core.profiles.ways.written import Candidate
from tests.support.pasts import SOME, past, visit
from tests.support.scripted import Scripted

pytestmark = pytest.mark.xdist_group("encoder")
ANSWER = {
    "likes": [{"cites": [1], "phrase": "wants it quiet", "strength": 2}, {"cites": [99], "phrase": "collects stamps", "strength": 3}],
    "dislikes": [],
    "text": "They want a quiet night. They were born in Rome.",
}


def candidates(model: Scripted) -> list[Candidate]:
    return [one for one in asked(model, past(*SOME)) if isinstance(one, Candidate)]


def test_every_style_is_asked_for_in_words_of_its_own() -> None:
    model = Scripted(ANSWER)
    found = candidates(model)
    assert [one.style for one in found] == [style.name for style in ASKED]
    forms = {one.system.split("The form that is wanted this time: ")[1].split("\n")[0] for one in model.asked}
    assert len(forms) == len(ASKED)
    assert {one.source for one in found} == {"scripted"}
    assert {one.prompt for one in found} == {model.asked[0].version}
    assert all("{" not in one.system.split("Answer with JSON")[0] for one in model.asked)


def test_what_cites_nothing_is_not_taken_and_free_text_is_text_alone() -> None:
    found = {one.style: one.profile for one in candidates(Scripted(ANSWER))}
    assert [one.text for one in found["by need"].likes] == ["wants it quiet"]
    assert set(found["by need"].likes[0].review_ids) <= {one.review_id for one in SOME}
    assert not found["free text"].likes
    assert found["free text"].text == "They want a quiet night."


def test_shorter_histories_are_asked_about_where_there_is_more() -> None:
    long = past(*[visit("tent", day, rows=(0,)) for day in range(40)])
    assert [style.newest for style in asked_styles(long) if style.newest] == [many for many in LENGTHS[1:] if many < 40]
    model = Scripted(ANSWER)
    list(asked(model, long))
    assert len(model.asked) == len(ASKED) + 1
    assert len(model.asked[-1].user) < len(model.asked[0].user)


def test_an_answer_that_is_none_is_told_of_and_the_others_go_on() -> None:
    found = list(asked(Scripted("nonsense"), past(*SOME)))
    assert len(found) == len(ASKED)
    assert all(isinstance(one, ModelAnswerBad) for one in found)


def test_of_somebody_who_wrote_nothing_nobody_is_asked() -> None:
    model = Scripted(ANSWER)
    assert list(asked(model, past(visit("tent", 1), visit("pan", 2)))) == []
    assert not model.asked


def test_the_average_person_is_told_of_where_somebody_is_set_apart() -> None:
    usual = Usual(past(*SOME).lifts()[0].sum(0), past(*SOME).usual.spread)
    model = Scripted(ANSWER)
    list(asked(model, replace(past(*SOME), usual=usual)))
    assert [common_wants(usual) in one.system for one in model.asked] == [style.name == "unlike others" for style in ASKED]


def test_they_stand_beside_the_others_and_near_copies_are_left_out() -> None:
    book = PhraseBook()
    told = candidates(Scripted(ANSWER))
    found = explored(past(*SOME), 7, [*extracted(past(*SOME)), *told, *told], book, Judge.load(), plain_head(book))
    keys = [way.key for way in found]
    assert len(set(keys)) == len(keys)
    own = [way for way in found if way.source == "scripted"]
    assert own
    assert all(way.prompt for way in own)
    assert title_of(own[0].style) != own[0].style
