"""Sentences stand where they are said to stand, nothing that was said falls between them, and odd writers are read too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_core.text.sentences import LONGEST, sentence_spans

PIECES = (
    ". ",
    "... ",
    "… ",
    "! ",
    "?! ",
    ", ",
    "; ",
    "\n",
    "\n\n",
    " ",
    '." ',
    ".) ",
    "e.g. ",
    "Dr. ",
    "a. ",
    "I. ",
    "x" * 500,
    "No. 5 ",
)
ODD = (
    "😀👩‍👩‍👧",
    "مقبض مريح",
    "\u202egnp.exe\u202c",
    "\x00\x07\x1b[31m",
    "日本語。",
    "e\u0301",
    "\u2028",
    "\xa0",
    "_",
    "²",
    "\r\n",
    "\ufeff",
)
texts = st.one_of(st.text(max_size=200), st.lists(st.one_of(st.sampled_from((*PIECES, *ODD)), st.text(max_size=9))).map("".join))


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


# Laws ------------------------------------------------------------------------------------------------------------------


@given(texts)
def test_spans_stand_in_order_apart_trimmed_and_short(text: str) -> None:
    before = 0
    for start, end in sentence_spans(text):
        assert before <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert end - start <= LONGEST
        assert any(letter.isalnum() or letter == "_" for letter in text[start:end])
        before = end


@given(texts)
def test_no_letter_or_digit_falls_between_sentences(text: str) -> None:
    within = {place for start, end in sentence_spans(text) for place in range(start, end)}
    assert {place for place, letter in enumerate(text) if letter.isalnum()} <= within


@given(texts)
def test_each_sentence_alone_loses_nothing_when_it_is_read_again(text: str) -> None:
    for sentence in said(text):
        again = said(sentence)
        assert again[0][0] == sentence[0]
        assert sum(letter.isalnum() for part in again for letter in part) == sum(letter.isalnum() for letter in sentence)


# What ends a sentence --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It works. It lasts.", ["It works.", "It lasts."]),
        ("Dr. Smith paid approx. 20 pounds. It broke.", ["Dr. Smith paid approx. 20 pounds.", "It broke."]),
        ("Good for tools, e.g. Spanners, i.e. Iron ones. Yes.", ["Good for tools, e.g. Spanners, i.e. Iron ones.", "Yes."]),
        ("It holds 3.5 litres. Enough.", ["It holds 3.5 litres.", "Enough."]),
        ("My sister and I. We both use it.", ["My sister and I.", "We both use it."]),
        ("I bought it for Mrs. B. in June.", ["I bought it for Mrs. B. in June."]),
        ("The end etc.", ["The end etc."]),
    ],
)
def test_abbreviations_end_nothing(text: str, sentences: list[str]) -> None:
    assert said(text) == sentences


@pytest.mark.parametrize("dots", ["...", "…", "....", ".."])
def test_dots_before_a_small_letter_are_a_pause_and_before_a_capital_an_end(dots: str) -> None:
    assert said(f"It broke{dots} then it mended.") == [f"It broke{dots} then it mended."]
    assert said(f"It broke{dots} Then nothing.") == [f"It broke{dots}", "Then nothing."]
    assert said(f"It broke{dots}") == [f"It broke{dots}"]


def test_who_writes_in_small_letters_is_read_sentence_by_sentence() -> None:
    assert said("love it. use it daily! would i buy it again? sure.") == [
        "love it.",
        "use it daily!",
        "would i buy it again?",
        "sure.",
    ]


@pytest.mark.parametrize("close", ['"', "”", "'", "’", ")", "]", '")'])
def test_closing_signs_belong_to_the_sentence_they_close(close: str) -> None:
    assert said(f"He said it was fine.{close} Then he left.") == [f"He said it was fine.{close}", "Then he left."]


def test_many_signs_are_one_end() -> None:
    assert said("Great!!! Really?! Yes.") == ["Great!!!", "Really?!", "Yes."]


def test_a_dot_within_a_word_ends_nothing() -> None:
    assert said("see example.com for more") == ["see example.com for more"]


def test_every_line_is_its_own_sentence() -> None:
    assert said("light\nwarm, too\r\n\n\n- dries fast\n") == ["light", "warm, too", "- dries fast"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "?!", "😀😀", "—", " .\n. "])
def test_where_nothing_is_said_there_is_no_sentence(text: str) -> None:
    assert sentence_spans(text) == []


# What never ends -------------------------------------------------------------------------------------------------------


def test_a_thousand_words_without_a_stop_are_cut_between_words() -> None:
    text = "word " * 1000
    assert {word for sentence in said(text) for word in sentence.split()} == {"word"}
    assert sum(len(sentence.split()) for sentence in said(text)) == 1000


def test_breath_is_drawn_at_a_comma_where_there_is_one() -> None:
    text = "a" * 300 + ", " + "b " * 150
    assert said(text)[0] == "a" * 300 + ","


def test_a_thousand_letters_without_any_sign_are_cut_at_the_longest() -> None:
    assert [len(sentence) for sentence in said("x" * 1000)] == [LONGEST, LONGEST, 200]


@pytest.mark.parametrize(
    "text", ["x" * 50_000, "x " * 25_000, ("a" * 133 + ", " + "b" * 265 + ", ") * 124, "\n" * 50_000, ". " * 25_000]
)
def test_the_longest_review_that_is_let_in_can_be_read(text: str) -> None:
    assert all(end - start <= LONGEST for start, end in sentence_spans(text))


def test_an_early_comma_does_not_make_it_cut_within_a_word() -> None:
    assert {word for sentence in said("Yes, " + "hundred " * 200) for word in sentence.split()} == {"Yes,", "hundred"}
