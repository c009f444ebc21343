"""Fine-tunes the whole base encoder on profile and persona texts, with sentence-transformers' trainer; can be killed and goes on.

What training leaves is one safetensors file and its learning curve. While it runs, its checkpoints also hold what torch pickles (the
state of the optimiser, the schedule and the dice), because the trainer has no other form for them; they are read back as plain
tensors and numbers only (`weights_only`), by nobody but the same training, and are gone when it ends.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from persona_core.alignment.heldout import HeldOut
from persona_core.alignment.texts import PersonaTexts, TextPair, profile_text, text_pairs
from persona_core.alignment.trainer import FullRecipe, Tell, base_model, bert_of, encoded, is_over, looks_in, trainer_for
from persona_core.alignment.training import Epoch
from persona_core.alignment.tuned import TunedEncoder, identity_of, keep_weights
from persona_core.errors import PersonaError
from persona_core.files import canonical_json, digest, write_json
from persona_core.text.encoder import IDENTITY

__all__ = [
    "FullRecipe",
    "FullTrained",
    "PersonaTexts",
    "TextPair",
    "TunedEncoder",
    "profile_text",
    "text_pairs",
    "train_full",
]

EXTRAS = ("datasets", "accelerate")
CARD, CHECKPOINTS = "training.json", "checkpoints"
STATE = "trainer_state.json"
"""Written last into a checkpoint: one without it was cut off."""


class FullTrained(NamedTuple):
    curve: tuple[Epoch, ...]
    """One point a look, numbered from 0, the base encoder as it is. NDCG@10 is that of the held-out pairs' own persona."""
    recipe: FullRecipe
    folder: Path
    """Holds the encoder after the best look (the base encoder's weights, if nothing was better), for `TunedEncoder.of`."""

    def as_dict(self) -> dict[str, Any]:
        return {"recipe": asdict(self.recipe), "curve": [epoch._asdict() for epoch in self.curve]}


def train_full(
    pairs: Sequence[TextPair], folder: Path, recipe: FullRecipe | None = None, tell: Tell = lambda *_: None,
    *, personas: PersonaTexts | None = None,
) -> FullTrained:  # fmt: skip
    """Trains, or goes on where it was killed, or hands back what the same pairs and recipe have left in the folder before.

    An error that `tell` raises ends the training; what was done up to the last checkpoint is kept.

    Args:
        pairs: from `text_pairs`.
        folder: for the checkpoints and for what training leaves.
        tell: is told of every step.
        personas: among whom held-out pairs are looked for; without, those whom the pairs name.
    """
    recipe = recipe or FullRecipe()
    check_extras()
    learning, held = parted(pairs, recipe)
    personas = personas or PersonaTexts.named_in(pairs)
    mark = digest(canonical_json([asdict(recipe), IDENTITY, [_plain(one) for one in pairs], asdict(personas)]))
    known = _finished(folder, mark, recipe)
    if known is None:
        checkpoints = folder / CHECKPOINTS / mark[:16]
        _leave_only(checkpoints)
        curve, tensors = _trained(learning, HeldOut.of(held, personas, recipe.seed), checkpoints, recipe, tell)
        keep_weights(tensors, folder)
        known = FullTrained(curve, recipe, folder)
        write_json(folder / CARD, {"mark": mark, "encoder": identity_of(folder), **known.as_dict()})
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return known


def check_extras() -> None:
    """Raises an error that says what to install, if the trainer's packages are not there."""
    missing = [name for name in EXTRAS if importlib.util.find_spec(name) is None]
    if missing:
        raise PersonaError(
            "The encoder cannot be fine-tuned here.",
            why=f"sentence-transformers' trainer needs {' and '.join(missing)}, not installed because nothing else does.",
            mend="pip install -r requirements-train.txt",
        )


def parted(pairs: Sequence[TextPair], recipe: FullRecipe) -> tuple[list[TextPair], list[TextPair]]:
    """Those to learn from and those held out, by people."""
    users = sorted({one.user for one in pairs})
    held = set(np.random.default_rng(recipe.seed).permutation(users)[: max(1, round(recipe.held_out * len(users)))].tolist())
    learning = [one for one in pairs if one.user not in held]
    if not learning:
        raise PersonaError(
            "There is too little to fine-tune the encoder on.",
            why=f"There are {len(pairs)} pairs of {len(users)} people; some people are held out, and the others must have some.",
            mend="use more reviews; the light head, which `python -m persona_core build` trains, does with less",
        )
    return learning, [one for one in pairs if one.user in held]


# Training --------------------------------------------------------------------------------------------------------------


def _trained(
    learning: Sequence[TextPair], held: HeldOut, checkpoints: Path, recipe: FullRecipe, tell: Tell
) -> tuple[tuple[Epoch, ...], dict[str, Any]]:
    """The learning curve, and the weights after its best look."""
    from safetensors.torch import load_file

    model = base_model(recipe.seed)
    base = {name: tensor.clone() for name, tensor in bert_of(model).state_dict().items()}
    before = held.ndcg(lambda texts: encoded(model, texts))
    last = _last_whole(checkpoints)
    history = json.loads((last / STATE).read_text("utf-8"))["log_history"] if last else []
    if not is_over(history, before, recipe.patience):
        trainer = trainer_for(model, learning, held, checkpoints, recipe, before, tell)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        history = trainer.state.log_history
    looks = looks_in(history)
    curve = (Epoch(0, float("nan"), before), *(Epoch(at, loss, ndcg) for at, (_, loss, ndcg) in enumerate(looks, start=1)))
    best = max(range(len(curve)), key=lambda at: curve[at].ndcg)
    return curve, load_file(checkpoints / f"checkpoint-{looks[best - 1][0]}" / "model.safetensors") if best else base


# Files -----------------------------------------------------------------------------------------------------------------


def _plain(pair: TextPair) -> list[Any]:
    return [pair.anchor, pair.positive, pair.item, pair.user, pair.negatives, pair.negative_items, sorted(pair.own)]


def _finished(folder: Path, mark: str, recipe: FullRecipe) -> FullTrained | None:
    """What the same training has left here, if it is whole."""
    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        if card["mark"] != mark or card["encoder"] != identity_of(folder):
            return None
        curve = [Epoch(one["number"], float("nan") if one["loss"] is None else one["loss"], one["ndcg"]) for one in card["curve"]]
        return FullTrained(tuple(curve), recipe, folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _leave_only(checkpoints: Path) -> None:
    """Removes what another training has left: to go on from its checkpoints would mix the two."""
    for other in checkpoints.parent.glob("*"):
        if other != checkpoints:
            shutil.rmtree(other, ignore_errors=True)
    checkpoints.mkdir(parents=True, exist_ok=True)


def _last_whole(checkpoints: Path) -> Path | None:
    """The newest checkpoint that was written to its end; those cut off are removed."""
    whole = []
    for folder in checkpoints.glob("checkpoint-*"):
        try:
            json.loads((folder / STATE).read_text("utf-8"))
            whole.append((int(folder.name.partition("-")[2]), folder))
        except (OSError, ValueError):
            shutil.rmtree(folder, ignore_errors=True)
    return max(whole)[1] if whole else None
