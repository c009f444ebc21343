"""Teaching a model of several scenarios: plain and with knowledge, each judged on later samples; stopped, it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from persona_core.alignment.curves import curve_svg
from persona_core.alignment.training import Epoch as Point
from persona_core.errors import PersonaError
from persona_core.files import write_beside, write_json
from persona_core.llm.cache import AnswerCache
from persona_core.llm.choice import ANSWERS
from persona_core.llm.ollama_model import OllamaModel
from persona_core.progress import Listener, Meter, nobody
from persona_core.scenarios.schooling import Encode, Schooling, schooling_of
from persona_core.scenarios.taught import FOLDER, keep, listening
from persona_core.scenarios.training import Fitted, Recipe, chances, fit, measures
from persona_core.text.encoder import IDENTITY, Matrix
from persona_core.workspace import Workspace

CARD, CURVE = "card.json", "curve.svg"
PLAIN, BOTH = "plain", "both"


@dataclass(frozen=True, slots=True)
class Teaching:
    backbone: str = "PLE"
    epochs: int = 30
    embed: str = ""
    """A model of the Ollama servers that turns what is known into vectors; empty: the encoder that everything is read with."""


def teach(workspace: Workspace, chosen: Teaching, listener: Listener = nobody) -> dict[str, Any]:
    """Leaves the model with both levels of knowledge in the workspace, and says what it is worth beside the plain one."""
    meter = Meter(listener, "scenario_model", "Teaching a model of several scenarios", 1, 1)
    with workspace.lock("train-scenarios"):
        one = _schooling(workspace, chosen, meter, listener)
        recipe = Recipe(epochs=chosen.epochs, seed=workspace.settings.seed)
        plain, both = (_fitted(workspace, one, chosen.backbone, level, recipe, meter) for level in (PLAIN, BOTH))
        test = one.lessons.test
        judged = {
            level: {name: round(value, 4) for name, value in measures(test, chances(fitted.model, test)).items()}
            for level, fitted in ((PLAIN, plain), (BOTH, both))
        }
        card = {
            "backbone": chosen.backbone, "vectors by": chosen.embed or IDENTITY, "seed": recipe.seed, "samples": one.lessons.facts,
            "epochs": len(both.curve), "best epoch": both.best, "judged on later samples": judged,
            "catalog": workspace.artefact("catalog").manifest.content,
        }  # fmt: skip
        folder = workspace.root / FOLDER
        keep(folder, one.lessons, both.model, card)
        write_json(folder / CARD, card)
        points = [Point(*epoch) for epoch in both.curve]
        write_beside(
            folder / CURVE, curve_svg(points, "Learning what is liked in several scenarios", good="AUC on validation").encode()
        )
    meter.tell("finished")
    return {"card": card, "folder": str(folder)}


def _fitted(workspace: Workspace, one: Schooling, backbone: str, level: str, recipe: Recipe, meter: Meter) -> Fitted:
    folder = workspace.root / FOLDER / level
    folder.mkdir(parents=True, exist_ok=True)
    knowledge = (one.users, one.scenarios) if level == BOTH else (None, None)
    lessons = one.lessons
    return fit(
        lambda: listening(one.known, backbone, *knowledge), lessons.train, lessons.valid, recipe, folder,
        lambda done, total: meter.working(done, total, f"epochs, {level}"),
    )  # fmt: skip


def _schooling(workspace: Workspace, chosen: Teaching, meter: Meter, listener: Listener) -> Schooling:
    one = schooling_of(workspace, workspace.settings.seed, _embedder(workspace, chosen.embed, meter), listener)
    if len(one.lessons.scenario_names) < 2:
        raise PersonaError(
            "There is only one scenario here.", why="What one says of another is learned from two or more.",
            mend="read data whose items name their scenario",
        )  # fmt: skip
    few = [name for name, facts in one.lessons.facts.items() if not 0 < facts["liked"] < facts["samples"]]
    if few:
        raise PersonaError(
            "There is too little here to learn from.", why=f"Nothing is both liked and disliked in: {', '.join(few)}.",
            mend="read more dated reviews with ratings",
        )  # fmt: skip
    return one


def _embedder(workspace: Workspace, name: str, meter: Meter) -> Encode | None:
    if not name:
        return None
    settings = workspace.settings
    model = OllamaModel.of(settings.ollama.of(name), AnswerCache(workspace.root / ANSWERS), seed=settings.seed)
    if model is None:
        raise PersonaError(f"The model {name} cannot be reached.", mend="ollama serve; or leave --embed away")

    def encode(texts: Sequence[str]) -> Matrix:
        return np.asarray(model.vectors(texts, lambda done: meter.working(done, len(texts), "texts")), np.float32)

    return encode
