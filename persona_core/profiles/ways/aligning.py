"""Teaching a generator which profiles work: the pairs of most people, adapters for any base model, and what came of it.

Some people are kept unseen, so that what was learned can be tried on them: no pair of theirs is learned from.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson

from persona_core.errors import PersonaError
from persona_core.files import canonical_json, digest, file_digest, write_json
from persona_core.llm.base_model import load_base
from persona_core.llm.export import export_adapters
from persona_core.llm.narrow import narrowed
from persona_core.profiles.ways.asking import prompt_of
from persona_core.profiles.ways.exploring import ways_of
from persona_core.profiles.ways.preferences import Pair
from persona_core.profiles.ways.teaching import Recipe, Taught, Tell, teach
from persona_core.profiles.ways.work import PAIRS, TRAINING, WAYS, pasts_in, ways_world
from persona_core.workspace import Workspace

MODEL_FOLDER: Final = "profile_model"
CURVES: Final = "aligned.json"
FEWEST = 8
UNSEEN_OF_TEN = 3
MOST_HELD = 40
"""So many pairs of unseen people are enough to see whether the better one is preferred."""


def unseen(user_id: str) -> bool:
    """Whether nothing is ever learned from this person: the same answer everywhere and always."""
    return hashlib.sha256(user_id.encode()).digest()[0] % 10 < UNSEEN_OF_TEN


def align(workspace: Workspace, weights: Path, recipe: Recipe, tell: Tell) -> tuple[Taught, dict[str, Any]]:
    """Trains, or goes on, and leaves adapters, curves and what Ollama needs in the workspace's folder of the profile model."""
    place = ways_world(workspace, TRAINING)
    pairs = read_pairs(place.artefact("pairs").file(PAIRS))
    learning, held = [one for one in pairs if not unseen(one.user_id)], [one for one in pairs if unseen(one.user_id)]
    if len(learning) < FEWEST:
        raise PersonaError(
            "There are too few pairs to learn from.",
            why=f"{len(learning)} of people who may be learned from; {FEWEST} are needed.",
            mend="bring more dated reviews of the same people, or take the ways that need no generator",
        )
    base, tokenizer = narrowed(*load_base(weights), texts_in(place, pairs))
    learned_from = {
        "model": weights.stem, "base": file_digest(weights) if weights.is_file() else weights.name,
        "recipe": asdict(recipe), "learned from": place.artefact("pairs").manifest.content,
    }  # fmt: skip
    folder = workspace.root / MODEL_FOLDER
    taught = teach(base, tokenizer, learning, recipe, _checkpoints(folder, learned_from), tell, held[:MOST_HELD])
    found = {**learned_from, **taught.notes}
    write_json(folder / CURVES, found)
    says = "It writes a profile after a prompt of the kind that `profiles pairs` writes."
    file = export_adapters(taught.model, weights, folder / "ollama", name="profiles", says=says, most=120)
    return taught, {**found, "modelfile": str(file), "curves file": str(folder / CURVES)}


def _checkpoints(folder: Path, learned_from: Mapping[str, Any]) -> Path:
    """Where this very training leaves them; those of other trainings are of no use any more."""
    own = folder / f"checkpoints-{digest(canonical_json(learned_from))[:8]}"
    for other in folder.glob("checkpoints-*"):
        if other != own:
            shutil.rmtree(other, ignore_errors=True)
    return own


def texts_in(place: Workspace, pairs: Sequence[Pair]) -> list[str]:
    """All that a generator of this world may read or write: everybody's prompt, and every profile."""
    _, pasts, _ = pasts_in(place)
    ways = ways_of(place.artefact("ways").file(WAYS))
    prompts = [prompt_of(past) for past in pasts.values()]
    return [*prompts, *(way.lines for own in ways.values() for way in own), *(one.prompt for one in pairs)]


def read_pairs(file: Path) -> list[Pair]:
    return [Pair(**orjson.loads(line)) for line in file.read_bytes().splitlines()]


def curves_in(workspace: Workspace) -> dict[str, Any]:
    """What the last training left to show; empty where there was none."""
    try:
        found = orjson.loads((workspace.root / MODEL_FOLDER / CURVES).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
