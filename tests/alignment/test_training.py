"""The head learns what can be learnt, the same each time, keeps its best epoch, and is the base encoder where there is too little."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona_core.alignment import training
from persona_core.alignment.head import FILE, MAPS, Head, LowRank, same, unit
from persona_core.alignment.matching import matches
from persona_core.alignment.pairs import NOBODY, Pairs, World
from persona_core.alignment.training import Recipe, Trained, renown, train_head
from persona_core.errors import ArtefactBroken
from persona_core.profiles.evidence import NeedEvidence, Visit
from persona_core.schema import Stance
from persona_core.text.encoder import DIMENSION, IDENTITY, Matrix
from tests.support.tastes import NEEDS, days, persona_of, plain_head, random_units, some_head
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("training")
KINDS, ITEMS_A_KIND, PEOPLE_A_KIND = 6, 5, 20
ITEMS = tuple(f"i{number:02d}" for number in range(KINDS * ITEMS_A_KIND))
QUICK = Recipe(rank=8, epochs=8, patience=8, batch=64, rate=1e-2)


def learnable() -> tuple[World, Pairs]:
    """People of six kinds, each liking three things of their kind. How they speak has nothing to do with how personas are worded."""
    rng = np.random.default_rng(2)
    wording, speech = random_units(KINDS, 21), random_units(KINDS, 22)
    personas, vectors = [], []
    for place, item in enumerate(ITEMS):
        for number, stance in enumerate((Stance.SUITS, Stance.DISAPPOINTS)):
            personas.append(persona_of(item, number, stance))
            vectors.append(0.5 * number + wording[place % KINDS] + rng.normal(size=DIMENSION) * 0.02)
    visits, user, item, words = {}, [], [], []
    for number in range(KINDS * PEOPLE_A_KIND):
        kind = number % KINDS
        liked = [kind + KINDS * int(one) for one in rng.choice(ITEMS_A_KIND, 3, replace=False)]
        visits[f"u{number:03d}"] = [Visit(f"r{number}-{one}", one, days(1), 1.0) for one in liked]
        for one in liked:
            user.append(number)
            item.append(one)
            words.append(speech[kind] + rng.normal(size=DIMENSION) * 0.03)
    known = NeedEvidence(*(np.zeros((0, len(NEEDS)), np.float32), np.zeros(0, bool), np.zeros((len(ITEMS), len(NEEDS)), np.float32)))
    world = World(ITEMS, tuple(personas), np.array(vectors, np.float32), visits, known, np.zeros((0, DIMENSION), np.float32), days(2))
    nothing = np.zeros((len(item), DIMENSION), np.float32)
    own = tuple(np.array(sorted({visit.item for visit in visits[name]}), np.int32) for name in visits)
    codes = (np.array(user, np.int32), np.array(item, np.int32))
    persona = np.array([2 * one for one in item], np.int32)
    return world, Pairs(tuple(visits), *codes, unit(np.array(words, np.float32)), nothing, nothing, persona, own)


@pytest.fixture(scope="module")
def lesson() -> tuple[World, Pairs]:
    return learnable()


@pytest.fixture(scope="module")
def trained(lesson: tuple[World, Pairs]) -> Trained:
    return train_head(*lesson, start(lesson[0]), QUICK)


def start(world: World) -> Head:
    return replace(plain_head(), middle_of_personas=world.vectors.mean(0))


def share_right(head: Head, world: World, pairs: Pairs) -> float:
    """How often the persona that fits a pair's words best is of the same kind as its item."""
    mapped = head.of_personas(world.vectors)
    found, _ = matches(mapped, unit(head.words(pairs.words)), pairs.fears)
    found[:, world.disappoints] = -2
    return float((world.persona_items[found.argmax(1)] % KINDS == pairs.item % KINDS).mean())


# Learning --------------------------------------------------------------------------------------------------------------


def test_training_beats_the_base_encoder_where_there_is_something_to_learn(lesson: tuple[World, Pairs], trained: Trained) -> None:
    world, pairs = lesson
    best = max(epoch.ndcg for epoch in trained.curve)
    assert trained.curve[0].ndcg < 0.4
    assert best > trained.curve[0].ndcg + 0.3
    assert share_right(trained.head, world, pairs) > 0.95 > 0.5 > share_right(start(world), world, pairs)
    assert trained.curve[-1].loss < trained.curve[1].loss


def test_the_same_seed_gives_the_same_head_bit_for_bit(lesson: tuple[World, Pairs]) -> None:
    import torch

    short = replace(QUICK, epochs=2)
    one = train_head(*lesson, start(lesson[0]), short)
    torch.rand(7)  # whatever else drew numbers meanwhile
    np.random.rand(7)
    again = train_head(*lesson, start(lesson[0]), short)
    assert same(one.head, again.head)
    assert one.curve[1:] == again.curve[1:]
    other = train_head(*lesson, start(lesson[0]), replace(short, seed=8))
    assert not same(one.head, other.head)


def test_a_head_keeps_the_middles_it_began_with(lesson: tuple[World, Pairs], trained: Trained) -> None:
    began = start(lesson[0])
    np.testing.assert_array_equal(trained.head.middle_of_words, began.middle_of_words)
    np.testing.assert_array_equal(trained.head.middle_of_personas, began.middle_of_personas)
    assert trained.head.penalty > 0


def test_the_teacher_can_be_left_out_and_so_can_hiding(lesson: tuple[World, Pairs]) -> None:
    world, pairs = lesson
    plain = replace(QUICK, epochs=3, teacher_say=0.0, channel_loss=0.0)
    nobody = replace(pairs, persona=np.full(len(pairs), NOBODY, np.int32))
    assert same(train_head(world, nobody, start(world), plain).head, train_head(world, pairs, start(world), plain).head)


def test_a_catalogue_too_large_to_compare_with_whole_is_learnt_from_drawn_items(lesson: tuple[World, Pairs]) -> None:
    world, pairs = lesson
    drawn = train_head(world, pairs, start(world), replace(QUICK, most_items=6))
    assert max(epoch.ndcg for epoch in drawn.curve) > drawn.curve[0].ndcg + 0.25
    assert all(np.isfinite(epoch.loss) for epoch in drawn.curve[1:])


def test_an_item_without_personas_and_a_person_without_words_do_no_harm(lesson: tuple[World, Pairs]) -> None:
    world, pairs = lesson
    keep = [one.item_id != ITEMS[0] for one in world.personas]
    left = tuple(one for one in world.personas if one.item_id != ITEMS[0])
    codes = np.cumsum(keep) - 1
    persona = np.where(pairs.item == 0, NOBODY, codes[pairs.persona]).astype(np.int32)
    words = pairs.words.copy()
    words[::10] = 0
    odd = replace(pairs, persona=persona, words=words)
    found = train_head(replace(world, personas=left, vectors=world.vectors[keep]), odd, start(world), replace(QUICK, epochs=2))
    assert all(np.isfinite(epoch.loss) and 0 <= epoch.ndcg <= 1 for epoch in found.curve[1:])
    assert np.isfinite(found.head.words.up).all()


# Too little ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 9])
def test_with_too_little_to_learn_from_the_start_comes_back(number: int, lesson: tuple[World, Pairs]) -> None:
    world, pairs = lesson
    few = some_of(pairs, np.arange(number))
    began = start(world)
    found = train_head(world, few, began, QUICK)
    assert found.head is began
    assert found.curve == ()
    assert found.as_dict()["curve"] == []


def some_of(pairs: Pairs, rows: Any) -> Pairs:
    return replace(pairs, **{name: getattr(pairs, name)[rows] for name in ("user", "item", "words", "fears", "past", "persona")})


def test_pairs_are_parted_once_and_none_is_in_both(lesson: tuple[World, Pairs]) -> None:
    _, pairs = lesson
    learning, holding = training._parted(pairs, QUICK)
    assert sorted([*learning, *holding]) == list(range(len(pairs)))
    assert len(holding) == int(len(pairs) * QUICK.held_out)
    mixed = [row for batch in training._batches(learning, 50, np.random.default_rng(1)) for row in batch]
    assert sorted(mixed) == sorted(learning)


# Stopping --------------------------------------------------------------------------------------------------------------


def with_qualities(monkeypatch: pytest.MonkeyPatch, *qualities: float) -> list[Head]:
    """Training is told these qualities, one an epoch, and every head that it set aside is kept here."""
    told, kept = iter(qualities), []
    real = training._head_of

    def remembered(net: Any, began: Head) -> Head:
        kept.append(real(net, began))
        return kept[-1]

    monkeypatch.setattr(training, "_quality", lambda *_: next(told))
    monkeypatch.setattr(training, "_head_of", remembered)
    return kept


def test_training_stops_when_it_gets_no_better_and_returns_its_best_epoch(
    lesson: tuple[World, Pairs], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = with_qualities(monkeypatch, 0.1, 0.2, 0.5, 0.3, 0.5, 0.4, 0.9)
    recipe = replace(QUICK, epochs=6, patience=3)
    heard: list[tuple[int, int, str]] = []
    found = train_head(*lesson, start(lesson[0]), recipe, lambda *told: heard.append(told))
    assert [epoch.ndcg for epoch in found.curve] == [0.1, 0.2, 0.5, 0.3, 0.5, 0.4]  # a tie is no better
    assert heard == [(number, 6, "epochs") for number in range(1, 6)]
    assert len(kept) == 3  # at the start, and when it got better
    assert found.head is kept[2]
    monkeypatch.undo()
    with_qualities(monkeypatch, 0.1, 0.2, 0.5)
    assert same(found.head, train_head(*lesson, start(lesson[0]), replace(recipe, epochs=2)).head)


def test_a_curve_without_progress_gives_back_what_training_began_with(
    lesson: tuple[World, Pairs], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = with_qualities(monkeypatch, 0.5, 0.4, 0.3)
    found = train_head(*lesson, start(lesson[0]), replace(QUICK, epochs=9, patience=2))
    assert [epoch.number for epoch in found.curve] == [0, 1, 2]
    assert found.head is kept[0]
    some = random_units(5)
    for mapping in (found.head.words, found.head.past, found.head.personas):
        np.testing.assert_array_equal(mapping(some), some)  # the base encoder as it is
    assert found.head.penalty == pytest.approx(start(lesson[0]).penalty)


def test_the_curve_of_real_training_never_ends_better_than_its_best(trained: Trained) -> None:
    qualities = [epoch.ndcg for epoch in trained.curve]
    assert list(accumulate(qualities, max))[-1] == max(qualities)
    assert [epoch.number for epoch in trained.curve] == list(range(len(trained.curve)))
    assert np.isnan(trained.curve[0].loss)
    assert trained.as_dict()["curve"][0] == {"number": 0, "loss": None, "ndcg": qualities[0]}
    assert trained.as_dict()["recipe"]["seed"] == QUICK.seed


def test_the_well_known_stand_above_the_middle(lesson: tuple[World, Pairs]) -> None:
    world, _ = lesson
    twice = [Visit("r1", 0, days(1), 1.0), Visit("r2", 0, days(2), 1.0)]
    known = renown(replace(world, visits={"u": twice, "v": [Visit("r3", 0, days(1), 1.0), Visit("r4", 1, days(1), 1.0)]}))
    assert known[0] > known[1] > known[2] == known[-1]
    assert float(known.mean()) == pytest.approx(0, abs=1e-6)
    assert known[0] - known[1] == pytest.approx(np.log(3) - np.log(2))  # who came twice counts once


# On disk ---------------------------------------------------------------------------------------------------------------


def test_a_head_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    head = some_head()
    head.save(tmp_path / FILE)
    again = Head.load(tmp_path / FILE)
    assert same(head, again)
    other = some_head()
    other.save(tmp_path / "other")
    assert (tmp_path / "other").read_bytes() == (tmp_path / FILE).read_bytes()


def test_two_heads_are_the_same_only_if_every_number_is() -> None:
    head = some_head()
    assert same(head, some_head())
    changed: Matrix = head.past.up.copy()
    changed[0, 0] = np.nextafter(changed[0, 0], 9)
    assert not same(head, replace(head, past=LowRank(head.past.down, changed)))
    assert not same(head, replace(head, penalty=head.penalty + 1e-9))
    assert not same(head, replace(head, middle_of_words=head.middle_of_personas))


def saved(folder: Path, notes: dict[str, str] | None = None, without: str = "", **changes: Matrix) -> Path:
    """A head's file with something about it that is not right."""
    from safetensors.numpy import load_file, save_file

    some_head().save(folder / FILE)
    parts = {name: one for name, one in (load_file(folder / FILE) | changes).items() if name != without}
    good = {"head": f'{{"encoder": "{IDENTITY}", "penalty": 0.2}}'}
    save_file(parts, folder / FILE, good if notes is None else notes)
    return folder / FILE


def refused(file: Path) -> ArtefactBroken:
    with pytest.raises(ArtefactBroken, match="head cannot be used") as caught:
        Head.load(file)
    assert str(file) in caught.value.why
    assert "python -m persona_core train" in caught.value.mend
    return caught.value


def test_a_sound_head_is_no_trouble(tmp_path: Path) -> None:
    assert Head.load(saved(tmp_path)).penalty == 0.2


@pytest.mark.parametrize("cut", [0, 30, 2_000, -1])
def test_a_truncated_head_is_refused(cut: int, tmp_path: Path) -> None:
    file = saved(tmp_path)
    file.write_bytes(file.read_bytes()[:cut])
    refused(file)


def test_a_head_that_is_not_there_is_refused_too(tmp_path: Path) -> None:
    refused(tmp_path / "none")


@pytest.mark.parametrize(
    "note", ['{"encoder": "another@0123", "penalty": 0.2}', "{", "[]", '{"penalty": 0.2}', f'{{"encoder": "{IDENTITY}"}}']
)
def test_a_head_of_another_encoder_or_without_its_note_is_refused(note: str, tmp_path: Path) -> None:
    refused(saved(tmp_path, {"head": note}))
    refused(saved(tmp_path, {}))


def test_a_foreign_head_says_what_it_was_trained_over(tmp_path: Path) -> None:
    told = refused(saved(tmp_path, {"head": '{"encoder": "another@0123", "penalty": 0.2}'})).why
    assert "another@0123" in told
    assert IDENTITY in told


@pytest.mark.parametrize("name", [*(f"{name}.{part}" for name in MAPS for part in ("down", "up")), "middle_of_words"])
def test_a_part_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    assert name in refused(saved(tmp_path, without=name)).why


@pytest.mark.parametrize(
    ("name", "shape"),
    [("words.down", (DIMENSION, 3)), ("past.up", (4, 5)), ("personas.down", (5, 4)), ("middle_of_personas", (5,)), ("words.up", (4,))],
)
def test_a_head_of_a_wrong_shape_is_refused(name: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    refused(saved(tmp_path, **{name: np.zeros(shape, np.float32)}))
