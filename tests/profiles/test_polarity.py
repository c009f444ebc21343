"""The reader of dislikes tells faults from kinds of things; its weights are those that the command writes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from persona_core.errors import ArtefactBroken
from persona_core.profiles import polarity
from persona_core.profiles.polarity import FILE, FaultReader, lessons, measured, taught
from persona_core.text.encoder import DIMENSION, IDENTITY, BaseEncoder, Matrix
from tests.text import one_thread  # noqa: F401 - a fixture that works by being here

pytestmark = pytest.mark.xdist_group("encoder")
MENDS = "git checkout -- persona_core/profiles/polarity.safetensors"


@pytest.fixture(scope="module")
def vectors() -> Matrix:
    """Of all lessons, encoded once as the command does."""
    return BaseEncoder().topics(lessons()[0])


def test_the_weights_that_ship_are_those_that_the_command_writes(
    vectors: Matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(polarity, "FILE", tmp_path / "polarity.safetensors")
    monkeypatch.setattr(BaseEncoder, "topics", lambda self, texts: vectors)
    monkeypatch.setattr(polarity, "measured", lambda *_: {"all": 1.0})
    monkeypatch.setattr(sys, "argv", ["polarity", "--write"])
    polarity.main()
    assert "all" in capsys.readouterr().out
    written, ships = FaultReader.load(tmp_path / "polarity.safetensors"), FaultReader.load(FILE)
    # another processor adds up in another order, and the fit ends a hair elsewhere: of weights up to 6, in the fifth place
    np.testing.assert_allclose(written.weights, ships.weights, rtol=0, atol=5e-4)
    assert written.bias == pytest.approx(ships.bias, abs=5e-4)


def test_measuring_writes_nothing(vectors: Matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polarity, "FILE", tmp_path / "polarity.safetensors")
    monkeypatch.setattr(BaseEncoder, "topics", lambda self, texts: vectors)
    monkeypatch.setattr(polarity, "measured", lambda *_: {})
    monkeypatch.setattr(sys, "argv", ["polarity"])
    polarity.main()
    assert not list(tmp_path.iterdir())


def test_it_is_mostly_right_about_needs_it_was_not_taught(vectors: Matrix) -> None:
    """A little below what it reaches, so that a change for the worse is seen."""
    texts, faults, needs = lessons()
    assert len(texts) == len(faults) == len(needs) == len(vectors)
    right = measured(texts, vectors, faults, needs)
    assert right["all"] > 0.67
    assert right["short wishes"] > 0.88
    assert right["short faults"] > 0.72


def test_handles_that_come_off_are_a_fault_and_horror_is_a_kind_of_thing() -> None:
    faults = ["handles that come off", "a smell of plastic", "pages that fall out", "leaking bottles", "wobbly legs"]
    kinds = ["horror", "romance", "tents", "books about cooking", "camping with friends"]
    found = FaultReader.load().faults(BaseEncoder().topics([*faults, *kinds]))
    assert found.tolist() == [True] * len(faults) + [False] * len(kinds)


def test_no_texts_have_no_faults() -> None:
    assert FaultReader.load().faults(np.zeros((0, DIMENSION), np.float32)).tolist() == []


@pytest.mark.parametrize("content", [b"", b"no weights at all", FILE.read_bytes()[:-50], FILE.read_bytes()[:40]])
def test_damaged_weights_are_refused_with_the_command_that_mends_them(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "polarity.safetensors"
    file.write_bytes(content)
    refused(file)


def test_weights_that_are_not_there_are_refused_too(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors")


@pytest.mark.parametrize("notes", [None, {}, {"encoder": "another@0123"}])
def test_weights_over_another_encoder_are_refused(notes: dict[str, str] | None, tmp_path: Path) -> None:
    refused(saved(tmp_path, notes))


@pytest.mark.parametrize(
    "changes",
    [{"weights": np.zeros(3, np.float32)}, {"weights": np.zeros((1, DIMENSION), np.float32)}, {"bias": np.zeros(0, np.float32)}],
)
def test_weights_of_a_wrong_shape_are_refused(changes: dict[str, Matrix], tmp_path: Path) -> None:
    refused(saved(tmp_path, {"encoder": IDENTITY}, **changes))


@pytest.mark.parametrize("part", ["weights", "bias"])
def test_a_part_that_is_missing_is_named(part: str, tmp_path: Path) -> None:
    assert part in refused(saved(tmp_path, {"encoder": IDENTITY}, without=part)).why


def test_a_taught_reader_leans_the_way_of_its_lessons() -> None:
    lessons_ = np.eye(4, dtype=np.float32)
    reader = taught(lessons_, np.array([True, True, False, False]))
    assert reader.faults(lessons_).tolist() == [True, True, False, False]


def saved(folder: Path, notes: dict[str, str] | None, without: str = "", **changes: Matrix) -> Path:
    from safetensors.numpy import load_file, save_file

    parts = {name: one for name, one in (load_file(str(FILE)) | changes).items() if name != without}
    save_file(parts, str(folder / "polarity.safetensors"), notes)
    return folder / "polarity.safetensors"


def refused(file: Path) -> ArtefactBroken:
    with pytest.raises(ArtefactBroken, match="cannot be used") as caught:
        FaultReader.load(file)
    assert str(file) in caught.value.why
    assert caught.value.mend == MENDS
    return caught.value
