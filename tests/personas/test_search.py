"""Search: by words first, then by meaning; every query is harmless."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.alignment.taste import rows_of
from persona_core.personas.search import LONGEST_QUERY, Found, Shelf, cleaned, search, spaced
from persona_core.schema import Item
from tests.support.tastes import encode, persona_of, vector_of

ITEMS = [
    Item(id="tent", scenario="outdoors", title="Zeltmühle Lindenhof 5", maker="Café Brücke", description="A tent for five."),
    Item(id="book", scenario="books", title="The Long Rain", description="Stories by Ann.", attributes={"type": "poetry"}),
    Item(id="pot", scenario="kitchen", title="Pot", description="It holds the tea that tents never see."),
]
PEOPLE = [
    persona_of("tent", 0).model_copy(update={"name": "All-Weather Walker", "traits": ("is out in all weathers",)}),
    persona_of("book", 1).model_copy(update={"name": "Quiet Reader", "description": "They walk in the rain, in stories."}),
    persona_of("pot", 2).model_copy(update={"name": "Tea Keeper"}),
]
SHELF = Shelf.of(ITEMS, PEOPLE, rows_of([vector_of("hills"), vector_of("verse"), vector_of("tea")]))


def found(query: str, meaning: bool = True) -> list[tuple[str, str, str]]:
    return [(one.kind, one.id, one.by) for one in search(query, SHELF, encode if meaning else None)]


@pytest.mark.parametrize("query", ["zeltmuhle", "ZELTMÜHLE lind", "cafe tent", "lindenhof five"])
def test_words_are_met_by_their_beginnings_without_case_and_accents(query: str) -> None:
    assert ("item", "tent", "words") in found(query)
    assert ("item", "book", "words") not in found(query)


def test_all_words_must_be_there() -> None:
    assert found("long rain", meaning=False) == [("item", "book", "words")]
    assert found("long rain tent", meaning=False) == []


def test_a_word_in_the_name_comes_before_one_in_the_description() -> None:
    assert [id for _, id, _ in found("walk", meaning=False)] == [PEOPLE[0].id, PEOPLE[1].id]


def test_what_means_the_same_is_found_without_the_words_and_says_so() -> None:
    assert found("verse") == [("item", "book", "meaning"), ("persona", PEOPLE[1].id, "meaning")]
    assert search("verse", SHELF, encode)[0].cosine == pytest.approx(1.0, abs=1e-5)


def test_words_come_before_meaning_and_nobody_comes_twice() -> None:
    personas = [one for one in found("tea") if one[0] == "persona"]
    assert personas == [("persona", PEOPLE[2].id, "words")]


@pytest.mark.parametrize("query", ["", "   ", "\x00\x01", "★★★", "\u202e", "\ud800", "...", "\n\t"])
def test_a_query_without_words_finds_nothing(query: str) -> None:
    assert found(query) == []


def test_a_query_is_cut_to_what_can_be_encoded() -> None:
    seen: list[str] = []

    def watch(texts: list[str]) -> np.ndarray:
        seen.extend(texts)
        return encode(texts)

    search("tent\x00\ud800 " * 100_000, SHELF, watch)  # type: ignore[arg-type]
    assert len(seen) == 1
    assert len(seen[0]) <= LONGEST_QUERY
    seen[0].encode("utf-8")


def test_an_empty_catalogue_is_searched_too() -> None:
    assert search("tent", Shelf.of([], [], np.zeros((0, 384), np.float32)), encode) == []


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_query_is_harmless(query: str) -> None:
    results = search(query, SHELF, encode, most=2)
    assert all(isinstance(one, Found) for one in results)
    assert len({(one.kind, one.id) for one in results}) == len(results)
    assert sum(one.kind == "item" for one in results) <= 2
    assert cleaned(query).isprintable()
    assert spaced(query) == spaced(spaced(query))


def test_the_first_words_of_anything_find_it() -> None:
    for item in ITEMS:
        assert ("item", item.id, "words") in found(item.title)
    for persona in PEOPLE:
        assert ("persona", persona.id, "words") in found(persona.name)
