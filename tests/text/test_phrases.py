"""Phrases are cut from the sentence itself, every sentence with words gets a label, and rarer words tell more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.text.phrases import (
    DULL,
    FUNCTION,
    LONGEST_LABEL,
    WORD,
    Telling,
    content_words,
    label_of,
    lemma_of,
    may_be,
    noun_phrases,
    words_of,
)

SENTENCES = [
    "The tomato sauce splattered all over my white kitchen wall.",
    "I've cold hands, so the wooden handle is a mercy.",
    "Perfect for a long train journey with two small children.",
    "It's light - 300 g - and it’s quick-drying.",
    "LOVE THE COLOUR",
]
english = st.lists(st.sampled_from(" ".join(SENTENCES).split()), min_size=1, max_size=15).map(" ".join)
texts = st.one_of(st.text(max_size=80), english)
NOTHING = Telling([[]])


@given(texts)
@settings(deadline=None)  # the first word loads the dictionary
def test_noun_phrases_are_spans_of_the_text_in_order(text: str) -> None:
    before = 0
    for phrase in noun_phrases(text):
        assert before <= phrase.start < phrase.end <= len(text)
        assert tuple(match[0].lower() for match in WORD.finditer(text[phrase.start : phrase.end])) == phrase.words
        assert 1 <= len(phrase.words) <= LONGEST_LABEL
        before = phrase.end


@given(texts)
@settings(deadline=None)  # the first word loads the dictionary
def test_phrases_hold_no_function_words_and_end_in_a_noun(text: str) -> None:
    for phrase in noun_phrases(text):
        assert not set(phrase.words) & FUNCTION
        assert "NOUN" in may_be(phrase.words[-1])


@given(texts)
@settings(deadline=None)  # the first word loads the dictionary
def test_a_sentence_with_words_has_a_label_of_its_own_words(text: str) -> None:
    label = label_of(text, NOTHING)
    assert bool(label.strip()) == bool(words_of(text))
    assert set(words_of(label)) <= set(words_of(text))


@given(texts)
@settings(deadline=None)  # the first word loads the dictionary
def test_content_words_are_neither_dull_nor_mere_function(text: str) -> None:
    assert not [word for word in content_words(text) if word in DULL or not word]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [("The tomato sauce was thin.", "tomato sauce"), ("I have cold hands.", "cold hands"), ("With a wooden handle.", "wooden handle")],
)
def test_adjectives_and_nouns_make_a_phrase(text: str, phrase: str) -> None:
    assert phrase in {" ".join(one.words) for one in noun_phrases(text)}
    assert label_of(text, NOTHING) == phrase


@pytest.mark.parametrize(("text", "noun"), [("It has a spout.", "spout"), ("The handle.", "handle"), ("There is a leak.", "leak")])
def test_a_word_that_may_be_a_verb_is_a_noun_after_an_article(text: str, noun: str) -> None:
    assert noun in {" ".join(one.words) for one in noun_phrases(text)}


def test_a_phrase_does_not_reach_across_a_comma() -> None:
    assert "sauce bottle" not in {" ".join(one.words) for one in noun_phrases("I like the sauce, bottle and all.")}


@pytest.mark.parametrize("sentence", ["It is what it is.", "Yes!", "12", "مقبض مريح", "日本語", "it’s", "a", "Ω", "I am.", "-x-"])
def test_sentences_without_any_noun_are_labelled_too(sentence: str) -> None:
    assert label_of(sentence, NOTHING)


def test_inflected_words_count_as_one() -> None:
    assert content_words("Handles, a handle!") == ["handle", "handle"]
    assert lemma_of("leaking", "VERB") == "leak"
    assert lemma_of("qwertzu", "ADV") in (None, "qwertzu")


# How telling -----------------------------------------------------------------------------------------------------------


def test_rarer_words_tell_more() -> None:
    telling = Telling([["The kettle whistles.", "My kettle shines."], ["A kettle and a spout.", "Another kettle and spout."]])
    assert telling.rarity("unheard") > telling.rarity("spout") > telling.rarity("kettle") > 0


def test_a_word_of_one_group_weighs_more_there_than_one_of_all() -> None:
    telling = Telling([["kettle whistle"], ["kettle spout"], ["kettle lid"]])
    assert telling.weight(0, "whistle") > telling.weight(0, "kettle") > 0
    assert telling.weight(0, "spout") == 0


def test_a_text_has_one_say_for_each_word_however_often_it_repeats_it() -> None:
    assert Telling([["kettle kettle kettle"]]).counts[0]["kettle"] == 1


def test_of_two_phrases_the_more_telling_is_the_label() -> None:
    telling = Telling([["The kettle."] * 9 + ["A colander."]])
    assert label_of("The kettle and the colander are fine.", telling) == "colander"


@pytest.mark.parametrize("groups", [[], [[]], [[], []], [[""], ["!?"]]])
def test_nothing_said_is_weighed_without_a_fault(groups: list[list[str]]) -> None:
    assert Telling(groups).rarity("word") > 0


def test_very_long_words_and_texts_are_borne() -> None:
    assert label_of("x" * 5000, NOTHING) == "x" * 5000
    assert label_of("very " * 2000, NOTHING)
    assert noun_phrases("wooden " * 500 + "handle")[0].words[-1] == "handle"
