"""The whole loop with a tiny random model: it learns what was chosen, prefers it afterwards, and goes on where it was stopped."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from persona_core.errors import PersonaError
from persona_core.llm.base_model import load_base
from persona_core.profiles.ways.preferences import Pair
from persona_core.profiles.ways.teaching import MOVED, Recipe, teach, written
from tests.support.tiny_lm import write_tiny_lm

MISSING = [name for name in ("trl", "peft", "datasets") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install -r requirements-train.txt)"),
    pytest.mark.xdist_group("encoder"),
]
QUICK = Recipe(rank=2, batch=2, sft_epochs=6, dpo_epochs=2, sft_rate=2e-2, dpo_rate=5e-3, longest=128, save_steps=2)


def pair(number: int) -> Pair:
    prompt = f"What somebody did, the newest first:\n- liked Thing {number}\nTheir profile:\n"
    return Pair(prompt, "Likes: wants it light", "Avoids: noise all night", 1.0, f"u{number}", "a", "b", 2.0)


PAIRS = [pair(number) for number in range(6)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_lm(
        tmp_path_factory.mktemp("tiny-lm"), [text for one in PAIRS for text in (one.prompt, one.chosen, one.rejected)]
    )


def test_it_learns_to_write_and_then_to_prefer(base: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    taught = teach(*load_base(base), PAIRS, QUICK, tmp_path, lambda *at: told.append(at), PAIRS[:2])
    notes = taught.notes
    sft = [row["loss"] for row in notes["curves"]["sft"] if "loss" in row]
    assert sft[-1] < sft[0]
    dpo = [row["rewards/accuracies"] for row in notes["curves"]["dpo"] if "rewards/accuracies" in row]
    assert dpo[-1] >= 0.5
    assert {stage for stage, _, _ in told} == {"sft", "dpo"}
    assert told[-1][1] == told[-1][2]
    assert notes["pairs"] == len(PAIRS)
    assert notes[MOVED] >= 0.5
    said = written(taught.model, load_base(base)[1], [PAIRS[0].prompt, PAIRS[1].prompt], most=8)
    assert len(said) == 2


def test_stopped_it_goes_on(base: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if done == 5:
            raise Stopped

    with pytest.raises(Stopped):
        teach(*load_base(base), PAIRS, QUICK, tmp_path, stop)
    told: list[tuple[str, int, int]] = []
    teach(*load_base(base), PAIRS, QUICK, tmp_path, lambda *at: told.append(at))
    assert told[0][:2] == ("sft", 5), "the checkpoint of step 4 was gone on from"


def test_too_long_prompts_are_left_out_and_counted(base: Path, tmp_path: Path) -> None:
    long = replace(PAIRS[0], prompt=PAIRS[0].prompt * 30)
    notes = teach(*load_base(base), [*PAIRS, long], replace(QUICK, sft_epochs=1, dpo_epochs=1), tmp_path, lambda *_: None).notes
    assert (notes["pairs"], notes["left out as too long"]) == (len(PAIRS), 1)
    with pytest.raises(PersonaError, match="no pairs"):
        teach(*load_base(base), [long], QUICK, tmp_path / "none", lambda *_: None)
