"""The book of phrases encodes each text once, by itself, and is safe to ask from several threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from persona_core.alignment.phrases import PhraseBook
from persona_core.alignment.steps import phrases_known
from persona_core.alignment.taste import words_of
from persona_core.personas.needs import read_needs
from persona_core.profiles.building import Chosen, drafted
from persona_core.text.encoder import DIMENSION, BaseEncoder, Matrix
from tests.support.tastes import encode, random_units
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here


class Counted(BaseEncoder):
    """An encoder that remembers what it was asked, in which company."""

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["asked"] = []

    def topics(self, texts: Sequence[str], tell: object = None) -> Matrix:
        self.__dict__["asked"].append(tuple(texts))
        return encode(texts)

    @property
    def calls(self) -> list[tuple[str, ...]]:
        calls: list[tuple[str, ...]] = self.__dict__["asked"]
        return calls


@pytest.fixture
def encoder() -> Counted:
    return Counted()


def test_each_text_is_encoded_once_and_alone(encoder: Counted) -> None:
    book = PhraseBook(encoder)
    first = book.vectors(["a", "b", "a"])
    np.testing.assert_array_equal(first, encode(["a", "b", "a"]))
    np.testing.assert_array_equal(book.vectors(["b", "c"]), encode(["b", "c"]))
    assert encoder.calls == [("a",), ("b",), ("c",)]


def test_no_texts_give_no_rows(encoder: Counted) -> None:
    assert PhraseBook(encoder).vectors([]).shape == (0, DIMENSION)
    assert encoder.calls == []


def test_what_was_learnt_is_not_encoded_again(encoder: Counted) -> None:
    book = PhraseBook(encoder)
    vectors = random_units(2)
    book.learn(["a", "b"], vectors)
    np.testing.assert_array_equal(book.vectors(["b", "a"]), vectors[::-1])
    assert encoder.calls == []


def test_the_text_not_asked_for_the_longest_goes_first(encoder: Counted) -> None:
    book = PhraseBook(encoder, most=2)
    book.vectors(["a"])
    book.vectors(["b"])
    book.vectors(["a"])
    book.vectors(["c"])
    encoder.calls.clear()
    book.vectors(["a"])
    assert encoder.calls == []
    book.vectors(["b"])
    assert encoder.calls == [("b",)]


def test_more_texts_than_are_kept_are_answered_all_the_same(encoder: Counted) -> None:
    texts = [f"text {number}" for number in range(20)]
    np.testing.assert_array_equal(PhraseBook(encoder, most=3).vectors(texts), encode(texts))


def test_eight_threads_at_once_are_all_answered_rightly(encoder: Counted) -> None:
    book, start = PhraseBook(encoder, most=5), Barrier(8)
    texts = [f"text {number}" for number in range(12)]

    def ask(turn: int) -> bool:
        start.wait(20)
        mine = texts[turn:] + texts[:turn]
        return all(np.array_equal(book.vectors(mine), encode(mine)) for _ in range(20))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))


def test_nothing_that_a_built_profile_says_is_encoded_one_by_one(encoder: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BaseEncoder, "topics", lambda self, texts: encode(texts))
    book = phrases_known(PhraseBook(encoder))
    for need in range(len(read_needs())):
        other = (need + 1) % len(read_needs())
        for likes in ((need, other), (other, need)):
            profile = drafted("u", Chosen(tuple((one, 1.0) for one in likes), ((need, 1.0), (other, 0.5))))
            book.vectors(words_of(profile, book.is_fault).texts)
    assert encoder.calls == []


@pytest.mark.xdist_group("encoder")
def test_a_text_has_the_same_vector_in_any_company() -> None:
    texts = ["quiet", "a much longer phrase about handles that come off in the hand"]
    alone, together = PhraseBook(), PhraseBook()
    np.testing.assert_array_equal(together.vectors(texts), np.concatenate([alone.vectors([text]) for text in reversed(texts)][::-1]))
    assert together.is_fault("handles that come off")
    assert not together.is_fault("horror")
