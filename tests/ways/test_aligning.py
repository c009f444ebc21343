"""A generator is taught from most people's pairs and tried on the others'; it goes on where it was, and Ollama can read it."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from persona_core.errors import PersonaError
from persona_core.files import json_lines, write_beside
from persona_core.llm.export import ADAPTER
from persona_core.profiles.ways import aligning
from persona_core.profiles.ways.aligning import MODEL_FOLDER, align, curves_in, read_pairs, unseen
from persona_core.profiles.ways.preferences import Pair
from persona_core.profiles.ways.teaching import MOVED, Recipe, written
from persona_core.workspace import Workspace
from tests.support.tiny_lm import write_tiny_lm

MISSING = [name for name in ("trl", "peft", "datasets") if importlib.util.find_spec(name) is None]
needs_trl = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (pip install -r requirements-train.txt)")
QUICK = Recipe(rank=2, batch=2, sft_rate=2e-2, dpo_rate=5e-3, longest=128, save_steps=2)


def pair(user: str) -> Pair:
    prompt = f"What somebody did, the newest first:\n- liked {user}\nTheir profile:\n"
    return Pair(prompt, "Likes: wants it light", "Avoids: noise all night", 1.0, user, "a", "b", 2.0)


PAIRS = [pair(f"u{number}") for number in range(24)]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_tiny_lm(tmp_path / "lm", [text for one in PAIRS for text in (one.prompt, one.chosen, one.rejected)])


@pytest.fixture
def paired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose pairs are those above."""
    file = tmp_path / "pairs.jsonl"
    write_beside(file, json_lines(asdict(one) for one in PAIRS))
    made = SimpleNamespace(file=lambda name: file, manifest=SimpleNamespace(content="c"))
    monkeypatch.setattr(aligning, "ways_world", lambda *_: SimpleNamespace(artefact=lambda name: made))
    monkeypatch.setattr(
        aligning, "texts_in", lambda place, pairs: [t for one in pairs for t in (one.prompt, one.chosen, one.rejected)]
    )
    return Workspace.at(tmp_path / "place")


def test_some_people_are_never_learned_from_and_always_the_same() -> None:
    people = [f"person {number}" for number in range(2_000)]
    assert 0.25 < sum(map(unseen, people)) / len(people) < 0.35
    assert [unseen(one) for one in people] == [unseen(one) for one in people]


def test_pairs_are_read_as_they_were_written(paired: Workspace, tmp_path: Path) -> None:
    assert read_pairs(tmp_path / "pairs.jsonl") == PAIRS


def test_too_few_pairs_are_refused_in_words(paired: Workspace, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligning, "FEWEST", 1_000)
    with pytest.raises(PersonaError, match="too few pairs"):
        align(paired, base, QUICK, lambda *_: None)
    assert curves_in(paired) == {}


@needs_trl
def test_it_is_taught_tried_on_the_unseen_kept_and_gone_on_with(paired: Workspace, base: Path) -> None:
    learned: list[Any] = []
    _, found = align(paired, base, QUICK, lambda stage, *_: learned.append(stage))
    held = [one for one in PAIRS if unseen(one.user_id)]
    assert (found["pairs"], found["held"]) == (len(PAIRS) - len(held), len(held))
    assert 0 <= found[MOVED] <= 1
    assert curves_in(paired)["curves"]["sft"]
    assert set(learned) == {"sft", "dpo"}
    modelfile = Path(found["modelfile"])
    assert f"FROM {base.resolve()}" in modelfile.read_text("utf-8")
    again: list[Any] = []
    align(paired, base, QUICK, lambda stage, *_: again.append(stage))
    assert not again, "what is learned is learned"
    align(paired, base, replace(QUICK, beta=0.3), lambda stage, *_: again.append(stage))
    assert again, "another recipe is another training"
    assert len(list((paired.root / MODEL_FOLDER).glob("checkpoints-*"))) == 1


@needs_trl
def test_each_state_writes_as_itself_and_the_export_is_the_last(paired: Workspace, base: Path) -> None:
    import torch
    from peft import PeftModel

    from persona_core.llm.base_model import load_base

    taught, found = align(paired, base, QUICK, lambda *_: None)
    prompts = [PAIRS[0].prompt]

    def logits(stage: Any) -> Any:
        taught.wear(stage)
        with torch.no_grad():
            return taught.model(torch.tensor([taught.tokenizer(prompts[0])["input_ids"]])).logits

    plain, sft, dpo = logits(None), logits("sft"), logits("dpo")
    assert not torch.allclose(plain, sft)
    assert not torch.allclose(sft, dpo)
    assert torch.allclose(logits("sft"), sft)
    whole, tokenizer = load_base(base)
    worn: Any = PeftModel.from_pretrained(whole, Path(found["modelfile"]).parent / ADAPTER)
    own = [tokenizer.convert_tokens_to_ids(taught.tokenizer.convert_ids_to_tokens(place)) for place in range(dpo.shape[-1])]
    with torch.no_grad():
        exported = worn(torch.tensor([tokenizer(prompts[0])["input_ids"]])).logits
    assert torch.allclose(exported[..., own], dpo, atol=1e-4)
    assert written(taught.model, taught.tokenizer, prompts, most=4) == written(taught.model, taught.tokenizer, prompts, most=4)
