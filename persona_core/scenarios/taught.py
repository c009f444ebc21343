"""A model of several scenarios as it is kept: it answers without reading any knowledge, for the people and things of its time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import orjson
import torch

from persona_core.errors import ArtefactBroken, PersonaError, WorkspaceMissing
from persona_core.files import write_beside
from persona_core.scenarios.backbones import BACKBONES
from persona_core.scenarios.inputs import Batch, Inputs, Known
from persona_core.scenarios.meta import Cores, Knowledge, MultiScenario
from persona_core.scenarios.samples import Codes, Lessons, Samples
from persona_core.text.encoder import Matrix
from persona_core.workspace import Workspace

FOLDER: Final = "scenario-model"
WEIGHTS: Final = "model.safetensors"
MODEL, VIEW = "model ", "view "


def listening(known: Known, backbone: str, users: Matrix | None = None, scenarios: Matrix | None = None) -> MultiScenario:
    """The model that listens to what is given; to nothing: the plain one."""
    inputs = Inputs(known)
    of_users, of_scenarios = (None if one is None else Knowledge(one) for one in (users, scenarios))
    return MultiScenario(inputs, BACKBONES[backbone](inputs.width, known.scenarios), of_users, of_scenarios)


def keep(folder: Path, lessons: Lessons, model: MultiScenario, card: dict[str, Any]) -> None:
    """Its weights, with what knowledge has made of each person and scenario."""
    from safetensors.torch import save

    cores = model.cores()
    assert cores.users is not None  # nosec B101 # what was just made
    assert cores.scenarios is not None  # nosec B101 # what was just made
    tensors = {f"{MODEL}{name}": one.contiguous() for name, one in model.state_dict().items()}
    tensors |= {f"{VIEW}{name}": getattr(model.inputs, name).contiguous() for name in model.inputs.views}
    tensors |= {"users": cores.users.contiguous(), "scenarios": cores.scenarios.contiguous()}
    about = {"card": card, "users": lessons.user_ids, "items": lessons.item_ids, "scenarios": lessons.scenario_names,
             "item_scenarios": lessons.item_scenarios.tolist()}  # fmt: skip
    write_beside(folder / WEIGHTS, save(tensors, {"about": orjson.dumps(about).decode()}))


@dataclass(frozen=True, eq=False)
class Taught:
    card: dict[str, Any]
    users: dict[str, int]
    items: dict[str, int]
    item_scenarios: Codes
    model: MultiScenario
    cores: Cores

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """Raises WorkspaceMissing and ArtefactBroken."""
        from safetensors import SafetensorError, safe_open

        file, mend = workspace.root / FOLDER / WEIGHTS, workspace.command("train-scenarios")
        if not file.exists():
            raise WorkspaceMissing("No model of several scenarios was taught here.", mend=mend)
        try:
            with safe_open(file, framework="pt") as kept:
                return cls._made(orjson.loads(kept.metadata()["about"]), {name: kept.get_tensor(name) for name in kept.keys()})  # noqa: SIM118
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise ArtefactBroken(f"{file} cannot be read.", why=str(error), mend=mend) from error

    @classmethod
    def _made(cls, about: dict[str, Any], tensors: dict[str, Any]) -> Self:
        views = {name.removeprefix(VIEW): one.numpy() for name, one in tensors.items() if name.startswith(VIEW)}
        state = {name.removeprefix(MODEL): one for name, one in tensors.items() if name.startswith(MODEL)}
        users, items = ({name: place for place, name in enumerate(about[which])} for which in ("users", "items"))
        known = Known(len(users), len(items), len(about["scenarios"]), **views)
        knowledge = (np.zeros(state[f"{which}.rows.weight"].shape, np.float32) for which in ("users", "scenarios"))
        model = listening(known, about["card"]["backbone"], *knowledge)
        model.load_state_dict(state)
        places = np.array(about["item_scenarios"], np.int64)
        return cls(about["card"], users, items, places, model.eval(), Cores(tensors["users"], tensors["scenarios"]))

    def chances(self, user: str, items: list[str], days: float) -> list[float]:
        """How likely they like each, `days` after they last did anything. Raises PersonaError for whom it does not know."""
        strangers = [one for one in items if one not in self.items] + ([] if user in self.users else [user])
        if strangers:
            raise PersonaError(f"The model was taught before it could know {', '.join(strangers[:3])}.", mend="teach it again")
        places = np.array([self.items[one] for one in items], np.int64)
        many = len(places)
        samples = Samples(
            users=np.full(many, self.users[user]), items=places, scenarios=self.item_scenarios[places],
            recency=np.full(many, np.log1p(days), np.float32), labels=np.zeros(many, np.float32), drawn=np.zeros(many, bool),
        )  # fmt: skip
        with torch.no_grad():
            found: list[float] = torch.sigmoid(self.model(Batch.of(samples), self.cores)).tolist()
        return found
