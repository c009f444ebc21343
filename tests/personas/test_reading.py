"""The judge reads sentences in chances, refuses weights that are not its own, and heeds stars, company and small signs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from persona_core.errors import ArtefactBroken
from persona_core.personas.reading import Judge
from persona_core.personas.reading.company import SAY, company_says
from persona_core.personas.reading.cues import COUNT, SIGNS, cues_of
from persona_core.personas.reading.judge import FILE, KINDS, STAR_SAY, softmax
from persona_core.schema import AspectKind
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Readings
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("encoder")
MENDS = "persona_core.evaluation.train_judge"
PLAIN = [
    "It broke on the first day, utterly useless.",
    "The zip runs smoothly and the seams are beautifully stitched, I love it.",
    "I bought it for my mother.",
]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge.load()


def random_readings(judge: Judge, number: int) -> Readings:
    rng = np.random.default_rng(3)
    topics = rng.normal(size=(number, DIMENSION))
    topics /= np.linalg.norm(topics, axis=1, keepdims=True)
    manners = rng.normal(size=(number, len(judge.kind.mean) - COUNT))
    return Readings(topics.astype(np.float32), manners.astype(np.float32))


# Its weights -----------------------------------------------------------------------------------------------------------


def test_the_weights_that_ship_load_and_name_their_needs(judge: Judge) -> None:
    assert len(judge.need_ids) == len(set(judge.need_ids)) == judge.need.weights.shape[1] == len(judge.need.bias)
    assert judge.kind.weights.shape[1] == len(KINDS)
    for reader in (judge.kind, judge.sentiment, judge.need):
        assert all(np.isfinite(part).all() for part in (reader.mean, reader.scale, reader.weights, reader.bias))
        assert (reader.scale > 0).all()


def test_what_is_saved_is_loaded_again(judge: Judge, tmp_path: Path) -> None:
    judge.save(tmp_path / "judge.safetensors")
    again = Judge.load(tmp_path / "judge.safetensors")
    assert again.need_ids == judge.need_ids
    np.testing.assert_array_equal(again.sentiment.weights, judge.sentiment.weights)


def saved(path: Path, judge: Judge, notes: dict[str, str] | None, **changes: Any) -> Path:
    from safetensors.numpy import load_file, save_file

    judge.save(path)
    save_file({**load_file(str(path)), **changes}, str(path), notes)
    return path


@pytest.mark.parametrize("notes", [None, {}, {"encoder": "another@0123", "needs": "[]"}])
def test_weights_over_another_encoder_are_refused(notes: dict[str, str] | None, judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(ArtefactBroken, match="cannot be used") as refused:
        Judge.load(saved(tmp_path / "judge.safetensors", judge, notes))
    assert IDENTITY in refused.value.why
    assert MENDS in refused.value.mend


@pytest.mark.parametrize("content", [b"", b"not weights at all", FILE.read_bytes()[:-100], FILE.read_bytes()[:50]])
def test_damaged_weights_are_refused_with_the_command_that_mends_them(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "judge.safetensors"
    file.write_bytes(content)
    with pytest.raises(ArtefactBroken) as refused:
        Judge.load(file)
    assert str(file) in refused.value.what
    assert MENDS in refused.value.mend


def test_weights_that_are_not_there_are_refused_too(tmp_path: Path) -> None:
    for look in (Judge.load, Judge.identity):
        with pytest.raises(ArtefactBroken) as refused:
            look(tmp_path / "none.safetensors")
        assert MENDS in refused.value.mend


def test_a_part_that_is_missing_is_named(tmp_path: Path, judge: Judge) -> None:
    from safetensors.numpy import load_file, save_file

    parts = load_file(str(FILE))
    del parts["need.bias"]
    save_file(parts, str(tmp_path / "judge.safetensors"), {"encoder": IDENTITY, "needs": "[]"})
    with pytest.raises(ArtefactBroken) as refused:
        Judge.load(tmp_path / "judge.safetensors")
    assert "need.bias" in refused.value.why


@pytest.mark.parametrize("notes", [{"encoder": IDENTITY}, {"encoder": IDENTITY, "needs": "{"}])
def test_weights_with_a_damaged_note_are_refused(notes: dict[str, str], judge: Judge, tmp_path: Path) -> None:
    with pytest.raises(ArtefactBroken):
        Judge.load(saved(tmp_path / "judge.safetensors", judge, notes))


@pytest.mark.parametrize("part", ["kind.weights", "sentiment.mean", "need.bias"])
def test_weights_of_a_wrong_shape_are_refused(part: str, judge: Judge, tmp_path: Path) -> None:
    notes = {"encoder": IDENTITY, "needs": "[]"}
    with pytest.raises(ArtefactBroken):
        Judge.load(saved(tmp_path / "judge.safetensors", judge, notes, **{part: np.zeros((3, 3), np.float32)}))


def test_other_weights_have_another_identity(judge: Judge, tmp_path: Path) -> None:
    other = saved(tmp_path / "judge.safetensors", judge, None, **{"need.bias": judge.need.bias + 1})
    assert Judge.identity(other) != Judge.identity()


# Chances and stars -----------------------------------------------------------------------------------------------------


@given(arrays(np.float64, (3, 4), elements=st.floats(-1e6, 1e6)))
def test_chances_sum_to_one(logits: np.ndarray) -> None:
    chances = softmax(logits)
    assert chances.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert (chances >= 0).all()
    best = chances[np.arange(3), logits.argmax(1)]
    np.testing.assert_array_equal(best, chances.max(1))


def test_each_sentence_has_chances_of_every_kind_and_need(judge: Judge) -> None:
    judged = judge.judge(PLAIN, random_readings(judge, 3), [1.0, None, 5.0])
    assert judged.kinds.shape == (3, len(KINDS))
    assert judged.needs.shape == (3, len(judge.need_ids))
    for chances in (judged.kinds, judged.needs):
        assert chances.sum(1) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.isfinite(judged.praise).all()
    assert np.isfinite(judged.need_evidence).all()


def test_stars_move_praise_up_and_down(judge: Judge) -> None:
    readings = random_readings(judge, 3)
    by_stars = [judge.judge(PLAIN, readings, [stars] * 3).praise for stars in (1.0, 2.0, 3.0, 4.0, 5.0)]
    assert all((after - before == pytest.approx(np.full(3, STAR_SAY))) for before, after in pairwise(by_stars))
    unrated = judge.judge(PLAIN, readings, [None] * 3).praise
    assert (by_stars[0] < unrated).all()
    assert (unrated < by_stars[4]).all()


def test_plain_words_are_understood_without_stars(judge: Judge) -> None:
    judged = judge.judge(PLAIN, BaseEncoder().read(PLAIN), [None] * 3)
    assert judged.praise[0] < 0 < judged.praise[1]
    assert [KINDS[kind] for kind in judged.kinds.argmax(1)] == [AspectKind.QUALITY, AspectKind.QUALITY, AspectKind.PURPOSE]


# Company ---------------------------------------------------------------------------------------------------------------


def two_topics(*which: int) -> np.ndarray:
    """Rows that lie at one of two topics, each a little off."""
    return (np.eye(2, 6)[list(which)] + np.random.default_rng(1).normal(0, 0.01, (len(which), 6))).astype(np.float32)


def says(which: list[int], reviews: list[str], ratings: list[float | None], aspects: list[bool] | None = None) -> np.ndarray:
    rows = two_topics(*which)
    return company_says(rows, rows, reviews, ratings, np.array(aspects or [True] * len(which)))


def test_what_only_complaints_speak_of_leans_to_fault() -> None:
    leaning = says([0, 0, 0, 1, 1, 1, 0, 1], list("abcdefgg"), [1, 1, 1, 5, 5, 5, 3, 3])
    assert leaning[6] < -0.5
    assert leaning[7] > 0.5
    assert (np.abs(leaning) <= SAY * 1.5 + 1e-6).all()


def test_nobody_is_their_own_witness() -> None:
    """The one who complains three times in one review is heard by others, but not by themselves."""
    leaning = says([0, 0, 0, 0, 1], ["a", "a", "a", "b", "c"], [1, 1, 1, 3, 5])
    assert leaning[3] < -0.5
    assert (leaning[:3] > leaning[3]).all()
    assert (leaning[:3] > -0.01 + SAY * (-(-3 + 1) / 4) / 2).all()


@pytest.mark.parametrize("ratings", [[3, 3, 3, 3], [None, None, None, None], [5, 5, 4, 3], [1, 1, 2, None], [3.2, 3, 3.5, 2.9]])
def test_without_clear_reviews_of_both_minds_company_is_silent(ratings: list[float | None]) -> None:
    assert not says([0, 0, 1, 1], list("abcd"), ratings).any()


def test_small_talk_is_no_witness() -> None:
    assert not says([0, 0, 1, 1], list("abcd"), [1, 3, 5, 3], [False, True, True, True]).any()


def test_one_sentence_alone_has_no_company() -> None:
    assert says([0], ["a"], [1]).tolist() == [0.0]


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc"), st.sampled_from([None, 1.0, 3.0, 5.0])), min_size=1, max_size=9))
def test_company_is_always_finite(rows: list[tuple[int, str, float | None]]) -> None:
    which, reviews, ratings = (list(column) for column in zip(*rows, strict=True))
    assert np.isfinite(says(which, reviews, ratings)).all()


# Small signs -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(), max_size=5))
@settings(deadline=None)  # the first text loads the lexicon
def test_signs_are_finite_whatever_the_text(texts: list[str]) -> None:
    rows = cues_of(texts)
    assert rows.shape == (len(texts), COUNT)
    assert np.isfinite(rows).all()
    assert (np.abs(rows) <= 1).all()


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Bought it in May", "bought"),
        ("WE NEEDED ONE", "wanted"),
        ("It doesn't fit", "not"),
        ("I always iron", "habit"),
        ("for my son", "for"),
    ],
)
def test_signs_are_seen_in_any_case(text: str, sign: str) -> None:
    assert cues_of([text])[0][list(SIGNS).index(sign)] == 1
