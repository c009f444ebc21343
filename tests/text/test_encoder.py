"""The base encoder says the same of the same text whatever its company, in the order it was asked; parts are read once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persona_core.text import parts
from persona_core.text.encoder import DIMENSION, MANNER_DIMENSION, BaseEncoder, Readings, Tell
from persona_core.text.parts import Tell as TellOfParts
from persona_core.text.parts import parts_read
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("encoder")
TEXTS = [
    "It leaks.",
    "The handle came off in my hand after a week, and nobody at the shop wanted to hear of it.",
    "Ok",
    "مقبض مريح",
    "It leaks.",
    "😀",
    "Perfect for long train journeys.",
]


def read_in_parts(encoder: BaseEncoder, texts: Sequence[str], folder: Path, tell: TellOfParts) -> Readings:
    """All parts put together again."""
    found = Readings(np.zeros((len(texts), DIMENSION), np.float32), np.zeros((len(texts), MANNER_DIMENSION), np.float32))
    for part in parts_read(encoder, texts, folder, tell):
        for places, topic, manner in zip(part.places, *part.readings, strict=True):
            found.topics[places], found.manners[places] = topic, manner
    return found


@pytest.fixture(scope="module")
def encoder() -> BaseEncoder:
    return BaseEncoder()


@pytest.fixture(scope="module")
def many() -> BaseEncoder:
    """As if these were many: by torch, in batches."""
    return BaseEncoder(few=0)


@pytest.fixture(scope="module")
def read(many: BaseEncoder) -> Readings:
    return many.read(TEXTS)


def test_what_a_text_is_about_has_length_one(read: Readings) -> None:
    assert read.topics.shape == (len(TEXTS), DIMENSION)
    assert read.topics.dtype == read.manners.dtype == np.float32
    assert np.linalg.norm(read.topics, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert np.isfinite(read.manners).all()


def test_the_same_text_gets_the_same_vector_whatever_its_company(encoder: BaseEncoder, read: Readings) -> None:
    for place, text in enumerate(TEXTS):
        alone = encoder.read([text])
        np.testing.assert_allclose(alone.topics[0], read.topics[place], atol=1e-5)
        np.testing.assert_allclose(alone.manners[0], read.manners[place], atol=1e-4)
    np.testing.assert_allclose(read.topics[0], read.topics[4], atol=1e-6)


def test_small_batches_and_another_order_change_nothing(read: Readings) -> None:
    backwards = BaseEncoder(batch=2, few=0).read(TEXTS[::-1])
    np.testing.assert_allclose(backwards.topics[::-1], read.topics, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=400), min_size=1, max_size=4))
def test_numpy_and_torch_read_alike(encoder: BaseEncoder, many: BaseEncoder, texts: list[str]) -> None:
    one, other = encoder.read(texts), many.read(texts)
    np.testing.assert_allclose(one.topics, other.topics, atol=1e-5)
    np.testing.assert_allclose(one.manners, other.manners, atol=1e-4)


def test_few_texts_need_no_torch() -> None:
    """The app's first page is there before torch could be imported."""
    code = (
        "import sys; from persona_core.text.encoder import *; BaseEncoder().topics(['rain on a tent']); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_like_texts_are_nearer_than_unlike_ones(encoder: BaseEncoder) -> None:
    leak, drip, novel = encoder.topics(["The bottle leaks.", "Water drips from the flask.", "A gripping detective novel."])
    assert leak @ drip > leak @ novel


@pytest.mark.parametrize("texts", [[""], [" \n"], ["\x00\x07"], ["x" * 5000], ["word " * 5000]])
def test_odd_texts_have_vectors_too(encoder: BaseEncoder, texts: list[str]) -> None:
    assert np.linalg.norm(encoder.topics(texts)) == pytest.approx(1, abs=1e-5)


def test_of_no_texts_there_are_no_vectors_and_nothing_is_loaded() -> None:
    fresh = BaseEncoder()
    read = fresh.read([])
    assert (len(read.topics), len(read.manners), read.topics.shape[1]) == (0, 0, DIMENSION)
    assert "_parts" not in vars(fresh)


def test_progress_counts_to_the_number_of_texts(encoder: BaseEncoder) -> None:
    told: list[int] = []
    encoder.read(TEXTS, told.append)
    assert told[-1] == len(TEXTS)
    assert told == sorted(told)


# In parts --------------------------------------------------------------------------------------------------------------


class Counting(BaseEncoder):
    """An encoder that remembers what it was asked, and may be killed at its nth reading."""

    def __init__(self, inner: BaseEncoder, die_at: int | None = None) -> None:
        super().__init__()
        object.__setattr__(self, "inner", inner)
        object.__setattr__(self, "asked", [])
        object.__setattr__(self, "die_at", die_at)

    def read(self, texts: Sequence[str], tell: Tell = lambda _: None) -> Readings:
        if len(self.asked) == self.die_at:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        self.asked.append(list(texts))  # type: ignore[attr-defined]
        return self.inner.read(texts, tell)  # type: ignore[attr-defined, no-any-return]


def silent(*_: object) -> None:
    pass


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 3)


def test_parts_give_what_one_reading_gives(encoder: BaseEncoder, read: Readings, tmp_path: Path, small_parts: None) -> None:
    told: list[tuple[int, int, str]] = []
    found = read_in_parts(encoder, TEXTS, tmp_path, lambda *at: told.append(at))
    np.testing.assert_allclose(found.topics, read.topics, atol=1e-5)
    np.testing.assert_allclose(found.manners, read.manners, atol=1e-4)
    assert told[0][:2] == (0, len(TEXTS))
    assert told[-1][:2] == (len(TEXTS), len(TEXTS))


def test_a_second_reading_encodes_nothing(encoder: BaseEncoder, tmp_path: Path, small_parts: None) -> None:
    first, second = Counting(encoder), Counting(encoder)
    once = read_in_parts(first, TEXTS, tmp_path, silent)
    again = read_in_parts(second, TEXTS, tmp_path, silent)
    assert [len(asked) for asked in first.asked] == [3, 3]  # type: ignore[attr-defined]
    assert second.asked == []  # type: ignore[attr-defined]
    np.testing.assert_array_equal(once.topics, again.topics)
    np.testing.assert_array_equal(once.manners, again.manners)


def test_a_killed_reading_goes_on_where_it_was(encoder: BaseEncoder, tmp_path: Path, small_parts: None) -> None:
    killed, second = Counting(encoder, die_at=1), Counting(encoder)
    with pytest.raises(KeyboardInterrupt):
        read_in_parts(killed, TEXTS, tmp_path, silent)
    found = read_in_parts(second, TEXTS, tmp_path, silent)
    assert (len(killed.asked), len(second.asked)) == (1, 1)  # type: ignore[attr-defined]
    assert sorted(text for asked in (*killed.asked, *second.asked) for text in asked) == sorted(set(TEXTS))  # type: ignore[attr-defined]
    whole = read_in_parts(encoder, TEXTS, tmp_path / "other", silent)
    np.testing.assert_allclose(found.topics, whole.topics, atol=1e-6)


def test_other_texts_are_read_anew(encoder: BaseEncoder, tmp_path: Path) -> None:
    read_in_parts(encoder, TEXTS, tmp_path, silent)
    second = Counting(encoder)
    read_in_parts(second, [*TEXTS[:-1], "Another."], tmp_path, silent)
    assert len(second.asked) == 1  # type: ignore[attr-defined]


def test_what_is_said_twice_is_read_once(encoder: BaseEncoder, tmp_path: Path) -> None:
    counting, told = Counting(encoder), []
    found = read_in_parts(counting, [*TEXTS, *TEXTS], tmp_path, lambda *at: told.append(at))
    assert sorted(text for asked in counting.asked for text in asked) == sorted(set(TEXTS))  # type: ignore[attr-defined]
    np.testing.assert_array_equal(found.topics[: len(TEXTS)], found.topics[len(TEXTS) :])
    assert told[-1][:2] == (2 * len(TEXTS), 2 * len(TEXTS))


def test_no_texts_leave_no_parts(tmp_path: Path) -> None:
    found = read_in_parts(BaseEncoder(), [], tmp_path, silent)
    assert found.topics.shape == (0, DIMENSION)
    assert list(tmp_path.iterdir()) == []
