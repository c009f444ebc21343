"""Whatever a review says is quoted letter for letter; small talk is nothing; only verdicts have a feeling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.catalog.choose import choose_source
from persona_core.catalog.store import Catalog
from persona_core.personas.aspects import ASPECTS, Found, kept_aspects, rows_of, write_aspects
from persona_core.personas.extraction import LEAST_LETTERS, MOST_COMPANY, MOST_SENTENCES, extract, sentences_of
from persona_core.personas.reading import Judge, Judged
from persona_core.personas.reading.judge import KINDS
from persona_core.schema import AspectKind, Review, Sentiment
from persona_core.steps import pipeline_of
from persona_core.text.encoder import BaseEncoder, Readings
from persona_core.workspace import Workspace
from tests.support.worlds import tiny_reviews, write_lines
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("encoder")
NEEDS = 4
texts = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(["It leaks. ", "ok... ", "😀 ", "مقبض مريح\n", "Yes! ", "\u202e", "12. "])).map("".join),
)
ratings = st.sampled_from([None, 1.0, 2.0, 3.0, 4.0, 5.0])


class StubJudge:
    """Says of each sentence what a die would, always the same of the same text; of `always` if one is given."""

    def __init__(self, always: AspectKind | str | None = "die") -> None:
        self.always = always

    def judge(self, texts: Sequence[str], readings: Readings, ratings: Sequence[float | None]) -> Judged:
        rng = np.random.default_rng(len("".join(texts)))
        kinds = rng.dirichlet(np.ones(len(KINDS)), len(texts)).reshape(-1, len(KINDS))
        if self.always != "die":
            kinds[:, KINDS.index(cast("AspectKind | None", self.always))] = 2.0
        needs = rng.dirichlet(np.ones(NEEDS), len(texts)).reshape(-1, NEEDS)
        return Judged(kinds.astype(np.float32), rng.normal(size=len(texts)), needs.astype(np.float32))


def reviews_of(*said: tuple[str, float | None], items: int = 1) -> list[Review]:
    when = datetime(2025, 1, 1, tzinfo=UTC)
    return [
        Review(id=f"r{n}", user_id=f"u{n}", item_id=f"i{n % items}", rating=rating, time=when, text=text)
        for n, (text, rating) in enumerate(said)
    ]


def stubbed(reviews: list[Review], judge: StubJudge | None = None) -> list[Found]:
    sentences = sentences_of(reviews)
    rows = np.random.default_rng(1).normal(size=(len(sentences), 8)).astype(np.float32)
    return list(extract(reviews, sentences, Readings(rows, rows), cast(Judge, judge or StubJudge())))


# Laws ------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(texts, ratings), min_size=1, max_size=6), st.integers(1, 3))
@settings(deadline=None)  # the first word loads the dictionary
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered")
def test_every_quote_stands_in_its_review(said: list[tuple[str, float | None]], items: int) -> None:
    reviews = reviews_of(*said, items=items)
    found = stubbed(reviews)
    assert [one.review for one in found] == reviews
    for one in found:
        assert all(aspect.quote.stands_in(one.review) for aspect in one.aspects)
        assert all(aspect.label.strip() for aspect in one.aspects)
        starts = [aspect.quote.start for aspect in one.aspects]
        assert starts == sorted(set(starts))


@given(st.lists(st.tuples(texts, ratings), min_size=1, max_size=6))
@settings(deadline=None)
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered")
def test_verdicts_have_a_feeling_and_all_else_is_neutral(said: list[tuple[str, float | None]]) -> None:
    for one in stubbed(reviews_of(*said)):
        for aspect in one.aspects:
            assert (aspect.sentiment is Sentiment.NEUTRAL) == (aspect.kind is not AspectKind.QUALITY)


@given(st.lists(st.tuples(texts, ratings), min_size=1, max_size=6))
def test_every_sentence_that_is_judged_has_letters(said: list[tuple[str, float | None]]) -> None:
    reviews = reviews_of(*said)
    for place, (start, end) in sentences_of(reviews):
        assert sum(letter.isalpha() for letter in reviews[place].text[start:end]) >= LEAST_LETTERS


# What is none ----------------------------------------------------------------------------------------------------------


def test_what_is_judged_small_talk_gives_no_aspect() -> None:
    (found,) = stubbed(reviews_of(("It leaks. It lasts.", 3)), StubJudge(None))
    assert found.aspects == ()


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value encountered")
@pytest.mark.parametrize("text", ["", "  \n ", "...", "😀😀😀", "10/10", "ok", "5 * !"])
def test_a_review_that_says_nothing_has_no_aspect(text: str) -> None:
    (found,) = stubbed(reviews_of((text, 5)), StubJudge(AspectKind.QUALITY))
    assert found.aspects == ()


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_reviews_without_any_text_are_read_without_a_warning() -> None:
    assert [one.aspects for one in stubbed(reviews_of(("", 5), ("", 1)))] == [(), ()]


def test_no_reviews_have_no_aspects() -> None:
    assert sentences_of([]) == []


def test_a_blank_review_between_others_takes_nothing_from_them() -> None:
    found = stubbed(reviews_of(("It leaks.", 1), ("", 3), ("It lasts.", 5)), StubJudge(AspectKind.CONTEXT))
    assert [[aspect.quote.text for aspect in one.aspects] for one in found] == [["It leaks."], [], ["It lasts."]]


# Bounds ----------------------------------------------------------------------------------------------------------------


def test_of_an_endless_review_the_first_sentences_are_read() -> None:
    (found,) = stubbed(reviews_of(("It leaks. " * 100, 1)), StubJudge(AspectKind.QUALITY))
    assert len(found.aspects) == MOST_SENTENCES
    assert found.aspects[-1].quote.start == (MOST_SENTENCES - 1) * len("It leaks. ")


def test_an_item_with_more_sentences_than_are_weighed_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_COMPANY > 1
    monkeypatch.setattr("persona_core.personas.extraction.MOST_COMPANY", 3)
    found = stubbed(reviews_of(*[("It leaks.", 1.0), ("It lasts.", 5.0)] * 5), StubJudge(AspectKind.QUALITY))
    assert [len(one.aspects) for one in found] == [1] * 10


# With the real judge ---------------------------------------------------------------------------------------------------

SAID: list[tuple[str, float | None]] = [
    ("Hello everyone! The lid leaks and the handle broke within a week. I bought it for my daughter's school trips.", 1),
    ("Keeps my coffee hot until the evening, wonderful. I use it on the train every morning.", 5),
    ("I'm a nurse who works nights. It is light and easy to clean.", 5),
    ("Thanks for reading, bye.", 4),
]


@pytest.fixture(scope="module")
def really_found() -> list[Found]:
    reviews = reviews_of(*SAID)
    sentences = sentences_of(reviews)
    said = [reviews[place].text[start:end] for place, (start, end) in sentences]
    return list(extract(reviews, sentences, BaseEncoder().read(said), Judge.load()))


def by_text(found: list[Found]) -> dict[str, Any]:
    return {aspect.quote.text: aspect for one in found for aspect in one.aspects}


def test_plain_reviews_are_understood(really_found: list[Found]) -> None:
    aspects = by_text(really_found)
    assert aspects["The lid leaks and the handle broke within a week."].sentiment is Sentiment.NEGATIVE
    assert aspects["Keeps my coffee hot until the evening, wonderful."].sentiment is Sentiment.POSITIVE
    assert aspects["I bought it for my daughter's school trips."].kind is AspectKind.PURPOSE


def test_greetings_and_thanks_are_no_aspects(really_found: list[Found]) -> None:
    assert "Hello everyone!" not in by_text(really_found)
    assert really_found[3].aspects == ()


def test_aspects_are_kept_and_read_as_they_were(really_found: list[Found], tmp_path: Path) -> None:
    write_aspects(tmp_path / ASPECTS, [row for one in really_found for row in rows_of(one)])
    again = kept_aspects(tmp_path / ASPECTS)
    assert [one.aspect for one in again] == [aspect for one in really_found for aspect in one.aspects]
    assert len({one.id for one in again}) == len(again)


def test_an_unrated_review_is_kept_as_unrated(tmp_path: Path) -> None:
    found = stubbed(reviews_of(("It leaks.", None)), StubJudge(AspectKind.QUALITY))
    write_aspects(tmp_path / ASPECTS, rows_of(found[0]))
    assert [one.rating for one in kept_aspects(tmp_path / ASPECTS)] == [None]


def test_reviews_without_stars_come_to_the_reader_as_such(tiny_world: Path, workspace: Workspace) -> None:
    rows = [{**row, "rating": None if number == 0 else row["rating"]} for number, row in enumerate(tiny_reviews())]
    write_lines(tiny_world / "reviews.jsonl", rows)
    choose_source(workspace, str(tiny_world))
    pipeline_of(workspace).build(only="catalog")
    given = {review.id: review.rating for review in Catalog.of(workspace.artefact("catalog")).texts()}
    assert given["r0"] is None
