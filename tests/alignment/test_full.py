"""Fine-tuning the whole encoder, some steps on a few short texts: killed or not it leaves the same, no pickle, what serving reads."""

from __future__ import annotations

import importlib.util
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from persona_core.alignment import full
from persona_core.alignment.full import FullRecipe, FullTrained, TunedEncoder, train_full
from persona_core.alignment.heldout import HeldOut
from persona_core.alignment.texts import PersonaTexts, TextPair
from persona_core.alignment.trainer import base_model, bert_of, encoded, is_over, looks_in
from persona_core.alignment.tuned import WEIGHTS, keep_weights
from persona_core.errors import ArtefactBroken, PersonaError
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Matrix
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

MISSING = [name for name in full.EXTRAS if importlib.util.find_spec(name) is None]
trains = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install -r requirements-train.txt)")
pytestmark = pytest.mark.xdist_group("encoder")

WANTS = ("light luggage", "quiet rooms", "strong coffee", "long novels", "sharp knives", "warm socks")
LIKES = tuple(f"who packs {one}" for one in WANTS)
RECIPE = FullRecipe(epochs=2, batch=3, rate=1e-3, warmup=0.0, looks=2, patience=9, held_out=0.2)
EVERY = 2
"""Steps from one look to the next."""


def shown(user: int, item: int) -> TextPair:
    """Who wants one thing likes what the base encoder would never guess."""
    own = frozenset({item})
    return TextPair(f"Wants {WANTS[item]}, says {user}.", LIKES[item - 3], item, user, (LIKES[item],), ((item + 3) % 6,), own)


PAIRS = [shown(user, item) for user in range(6) for item in (user, (user + 2) % 6)]


class Killed(BaseException):
    """Not one that anybody catches on the way."""


def killed_at(step: int) -> Any:
    def tell(done: int, *_: object) -> None:
        if done == step:
            raise Killed

    return tell


@pytest.fixture(scope="module", autouse=True)
def no_network() -> Iterator[None]:
    """Every attempt to reach anything is an error."""

    def refuse(*_: object) -> None:
        raise AssertionError("training went to the network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


Once = tuple[FullTrained, list[tuple[int, int, str]]]
"""One training from beginning to end, and what was told of it."""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    told: list[tuple[int, int, str]] = []
    return train_full(PAIRS, tmp_path_factory.mktemp("once"), RECIPE, lambda *at: told.append(at)), told


def files_in(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


# Training -----------------------------------------------------------------------------------------------------------------


@trains
def test_training_leaves_weights_a_card_and_nothing_else(once: Once) -> None:
    trained, told = once
    assert files_in(trained.folder) == {WEIGHTS, full.CARD}
    assert [one.number for one in trained.curve] == list(range(len(trained.curve)))
    assert np.isnan(trained.curve[0].loss)
    assert all(np.isfinite(one.loss) and 0 <= one.ndcg <= 1 for one in trained.curve[1:])
    assert told == [(step, told[-1][1], "steps") for step in range(1, told[-1][1] + 1)]
    card = json.loads((trained.folder / full.CARD).read_text())
    assert card["encoder"] == TunedEncoder.of(trained.folder).identity
    assert card["recipe"]["seed"] == RECIPE.seed
    assert "Wants" not in (trained.folder / full.CARD).read_text()
    assert len(trained.curve) == 1 + -(-told[-1][1] // EVERY)


@trains
def test_it_learns_what_it_is_shown_and_keeps_the_best(once: Once, tmp_path: Path) -> None:
    trained, _ = once
    losses = [one.loss for one in trained.curve[1:]]
    assert losses[-1] < losses[0]
    assert max(one.ndcg for one in trained.curve) > trained.curve[0].ndcg
    tuned, base = TunedEncoder.of(trained.folder), BaseEncoder()
    _, held = full.parted(PAIRS, RECIPE)
    looked_for = HeldOut.of(held, PersonaTexts.named_in(PAIRS), RECIPE.seed)
    assert looked_for.ndcg(tuned.topics) == pytest.approx(max(one.ndcg for one in trained.curve))
    assert looked_for.ndcg(base.topics) == pytest.approx(trained.curve[0].ndcg)


@trains
def test_where_nothing_gets_better_it_ends_early_and_leaves_the_base_encoder(tmp_path: Path) -> None:
    trained = train_full(PAIRS, tmp_path, replace(RECIPE, rate=0.0, patience=1))
    assert len(trained.curve) == 2
    np.testing.assert_allclose(TunedEncoder.of(tmp_path).topics(TEXTS), BaseEncoder().topics(TEXTS), atol=1e-6)


@trains
@pytest.mark.parametrize("step", [3, 7])
def test_killed_at_any_step_it_goes_on_and_leaves_the_same(step: int, once: Once, tmp_path: Path) -> None:
    whole, told = once
    with pytest.raises(Killed):
        train_full(PAIRS, tmp_path, RECIPE, killed_at(step))
    assert not (tmp_path / WEIGHTS).exists()
    (kept,) = (tmp_path / full.CHECKPOINTS).iterdir()
    assert not {Path(one).name for one in files_in(kept)} & {"training_args.bin", "README.md"}
    cut_off = kept / "checkpoint-99"
    cut_off.mkdir()
    (cut_off / "model.safetensors").write_bytes(b"half")
    again: list[int] = []
    trained = train_full(PAIRS, tmp_path, RECIPE, lambda done, *_: again.append(done))
    assert again[0] == (step - 1) // EVERY * EVERY + 1
    assert again[-1] == told[-1][0]
    assert repr(trained.curve) == repr(whole.curve)
    assert (tmp_path / WEIGHTS).read_bytes() == (whole.folder / WEIGHTS).read_bytes()
    assert files_in(tmp_path) == {WEIGHTS, full.CARD}


@trains
def test_what_is_done_is_not_done_again(once: Once) -> None:
    trained, _ = once
    again = train_full(PAIRS, trained.folder, RECIPE, killed_at(1))
    assert repr(again) == repr(trained)


@trains
def test_a_checkpoint_of_another_training_is_not_gone_on_from(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train_full(PAIRS, tmp_path, RECIPE, killed_at(3))
    first: list[int] = []
    with pytest.raises(Killed):
        train_full(PAIRS, tmp_path, replace(RECIPE, seed=8), lambda done, *at: (first.append(done), killed_at(1)(done)))
    assert first == [1]
    assert len(list((tmp_path / full.CHECKPOINTS).iterdir())) == 1


def test_without_the_extras_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(full, "EXTRAS", ("datasets", "no_such_package"))
    with pytest.raises(PersonaError, match="no_such_package") as caught:
        train_full(PAIRS, tmp_path)
    assert caught.value.mend == "pip install -r requirements-train.txt"
    assert files_in(tmp_path) == set()


def test_one_person_is_too_few(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(full, "EXTRAS", ())
    for pairs in ([], PAIRS[:1]):
        with pytest.raises(PersonaError, match="too little"):
            train_full(pairs, tmp_path)


def test_people_are_held_out_whole() -> None:
    for share in (0.0, 0.2, 0.5):
        learning, held = full.parted(PAIRS, replace(RECIPE, held_out=share))
        assert {one.user for one in learning}.isdisjoint({one.user for one in held})
        assert len(learning) + len(held) == len(PAIRS)
        assert len({one.user for one in held}) == max(1, round(share * 6))


# Early stopping -----------------------------------------------------------------------------------------------------------


def log(*values: float) -> list[dict[str, Any]]:
    return [entry for at, value in enumerate(values, 1) for entry in ({"step": at, "loss": 2.0}, {"step": at, "eval_ndcg": value})]


def test_it_ends_after_so_many_looks_without_a_better_one() -> None:
    assert not is_over(log(), 0.3, 2)
    assert not is_over(log(0.4, 0.4), 0.3, 2)
    assert is_over(log(0.4, 0.4, 0.4), 0.3, 2)
    assert is_over(log(0.1, 0.2), 0.3, 2)
    assert not is_over(log(0.1, 0.2, 0.31), 0.3, 3)


def test_looks_are_read_from_the_log_and_counted_once() -> None:
    history = [{"step": 2, "eval_ndcg": 0.2}, *log(0.1), {"step": 2, "loss": 1.5}, {"step": 2, "train_loss": 9.0}]
    assert looks_in(history) == [(1, 2.0, 0.1), (2, 1.5, 0.2)]


# Held-out pairs -----------------------------------------------------------------------------------------------------------

ALONG = {"a": (1.0, 0.0), "right": (0.6, 0.8), "own": (0.9, 0.44), "nearer": (0.8, 0.6), "far": (0.0, 1.0)}


def along(texts: list[str]) -> Matrix:
    return np.array([ALONG[text] for text in texts], np.float32)


def held_out(personas: list[tuple[str, int]]) -> HeldOut:
    pair = TextPair("a", "right", 0, 0, own=frozenset({0, 1}))
    return HeldOut.of([pair], PersonaTexts(tuple(text for text, _ in personas), tuple(item for _, item in personas)), 7)


def test_a_pair_gains_by_the_rank_of_its_persona_its_persons_other_items_aside() -> None:
    assert held_out([("right", 0), ("own", 1), ("far", 2)]).ndcg(along) == 1.0
    assert held_out([("right", 0), ("own", 1), ("nearer", 2)]).ndcg(along) == pytest.approx(1 / np.log2(3))
    assert held_out([("right", 0), ("own", 0)]).ndcg(along) == pytest.approx(1 / np.log2(3))
    assert held_out([("own", 1), ("far", 2)]).ndcg(along) == 1.0
    assert held_out([("right", 0), *(("nearer", item) for item in range(2, 12))]).ndcg(along) == 0.0


def test_ties_and_nonsense_count_against_it() -> None:
    many = [("right", 0), *(("far", item) for item in range(2, 20))]
    assert held_out(many).ndcg(lambda texts: np.ones((len(texts), 2), np.float32)) == 0.0
    assert held_out(many).ndcg(lambda texts: np.full((len(texts), 2), np.nan, np.float32)) == 0.0


# Serving ------------------------------------------------------------------------------------------------------------------

TEXTS = ["Quiet things.", "", "مقبض مريح", "word " * 400, *LIKES, "They want the same sound result every single time. " * 9]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Weights a little beside the base encoder's, as served, and the training model that has them."""
    import torch

    model = base_model(7)
    with torch.no_grad():
        for parameter in bert_of(model).parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    folder = tmp_path_factory.mktemp("moved")
    keep_weights(bert_of(model).state_dict(), folder)
    return folder, model


def test_serving_pools_as_training_does(moved: tuple[Path, Any]) -> None:
    folder, model = moved
    served = TunedEncoder.of(folder).topics(TEXTS)
    np.testing.assert_allclose(served, encoded(model, TEXTS), atol=1e-5)
    assert served.shape == (len(TEXTS), DIMENSION)
    assert np.linalg.norm(served, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert np.abs(served - BaseEncoder().topics(TEXTS)).max() > 1e-2


def test_an_encoder_is_named_by_its_weights(moved: tuple[Path, Any], tmp_path: Path) -> None:
    folder, model = moved
    keep_weights(bert_of(model).state_dict(), tmp_path)
    assert TunedEncoder.of(tmp_path).identity == TunedEncoder.of(folder).identity != IDENTITY
    keep_weights({name: tensor * 1.5 for name, tensor in bert_of(model).state_dict().items()}, tmp_path)
    assert TunedEncoder.of(tmp_path).identity != TunedEncoder.of(folder).identity


def test_weights_that_cannot_be_used_are_refused_in_words(moved: tuple[Path, Any], tmp_path: Path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(ArtefactBroken, match="no weights"):
        TunedEncoder.of(tmp_path)
    weights = (moved[0] / WEIGHTS).read_bytes()
    some = dict(list(bert_of(moved[1]).state_dict().items())[:3])
    save_file(some, tmp_path / "few")
    for content in (weights[:-100], b"", (tmp_path / "few").read_bytes()):
        (tmp_path / WEIGHTS).write_bytes(content)
        with pytest.raises(ArtefactBroken, match="cannot be used"):
            TunedEncoder.of(tmp_path).topics(["x"])
